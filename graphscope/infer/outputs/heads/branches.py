"""What lies inside a branch of a TensorFlow 1 condition and what it reads from outside; what a loop gathers."""

from __future__ import annotations

from collections.abc import Collection

from ....ops import spellings
from ...training.arrays import Flow
from ...training.roles import Training

_PIVOTS = frozenset("Identity LoopCond Switch Merge".split())
_SWITCHES = frozenset(spellings.SWITCHES)
_JOINS = frozenset({*spellings.MERGES, *spellings.EXITS, *spellings.NEXT_ITERATIONS})


def branches(flow: Flow) -> set[int]:
    """What lies between the Switch of a condition and its Merge: dead where the other branch is taken. Loops are none."""
    starts = flow.by_kind(lambda op: op in _SWITCHES)
    stack = [i for i in starts if not _is_of_loop(flow, i)]
    branch = set(stack)
    while stack:
        following = [n for n in flow.outputs[stack.pop()] if n not in branch]
        following = [n for n in following if flow.ops[n] not in _JOINS]
        branch.update(following)
        stack += following
    return branch


def read_by_branch(flow: Flow, node: int, branch: Collection[int]) -> list[int]:
    """The nodes outside that a node of a branch is computed from, the nearest first; what decides the branch is left out."""
    stack, seen, outside = [node], {node}, []
    while stack:
        i = stack.pop()
        if i not in branch:
            outside.append(i)
            continue
        sources = flow.inputs[i][: 1 if flow.ops[i] in _SWITCHES else None]
        later = [source for source, _ in sources if source not in seen]
        seen.update(later)
        stack += later
    return outside


def _is_of_loop(flow: Flow, switch: int) -> bool:
    return any(flow.ops[source] == "LoopCond" for source, _ in flow.inputs[switch])


def is_pivot(flow: Flow, i: int) -> bool:
    """``switch_t``, ``switch_f`` and ``pred_id``: what tf.cond leaves to hang control dependencies on."""
    unread = not flow.outputs[i] and bool(flow.inputs[i])
    if flow.ops[i] not in _PIVOTS or not unread:
        return False
    if flow.nodes[i].attrs.get("T") != "bool":
        return False
    source = flow.inputs[i][0][0]
    beside = {flow.ops[n] for n in flow.outputs[source]}
    switches = flow.ops[source] in _PIVOTS - {"Identity"} or "Switch" in beside
    return flow.ops[i] != "Identity" or switches or bool(flow.controlled[i])


def gathers_turns(study: Training, i: int) -> bool:
    """Whether a loop only appends to what leaves it here: the tokens so far, not the last one."""
    flow = study.flow
    if flow.ops[i] not in spellings.EXITS or not flow.inputs[i]:
        return False
    switch = flow.inputs[i][0][0]
    merge = flow.inputs[switch][0][0] if flow.inputs[switch] else switch
    turns = [s for s, _ in flow.inputs[merge] if flow.ops[s] == "NextIteration"]
    values = [flow.inputs[turn][0][0] for turn in turns if flow.inputs[turn]]
    return any(
        flow.ops[value] == "ConcatV2"
        and {"Switch", "Identity"} & {flow.ops[s] for s, _ in flow.inputs[value]}
        for value in values
    )
