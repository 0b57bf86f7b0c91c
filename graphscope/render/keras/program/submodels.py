"""Steps that are called several times as one whole, with the same weights -> a model of its own, called as often.

The towers of a siamese net, the cell of an unrolled recurrence, an encoder of two inputs: several layer objects are
called equally often, and the calls hang together alike. Grown from one shared layer along the data flow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from graphlib import CycleError, TopologicalSorter
from os.path import commonprefix

from ....graph import Shape, Tensor, TensorSpec
from ....graph.names import Names
from .literals import literal
from .names import identifier, layer_name
from .program import Input, Program, Step, hole

Spec = Callable[[Tensor], TensorSpec]
Row = tuple[str, ...]  # the nodes that do the same, one of each call


def nest(program: Program, spec: Spec) -> Program:
    """The program with what is called as a whole in ``models``; itself where nothing is."""
    calls: dict[str, list[str]] = {}
    for step in program.steps:
        if step.layer and step.weights:
            calls.setdefault(step.layer, []).append(step.node)
    names = Names(["model", *(identifier(step.name) for step in program.steps)])
    used: set[str] = set()
    for row in map(tuple, calls.values()):
        if used.intersection(row):
            continue
        region = _Region(program, row)
        used.update(node for each in region.rows for node in each)
        nested = _nested(program, region, spec, names)
        program = program if nested is None else nested
    return program


class _Region:
    """Rows of steps that do the same in each call, grown from one row."""

    def __init__(self, program: Program, seed: Row) -> None:
        self.steps = program.by_node
        self.readers: dict[str, list[str]] = {}
        for step in program.steps:
            for tensor in step.inputs:
                self.readers.setdefault(tensor.node, []).append(step.node)
        self.calls = Counter(step.layer for step in program.steps)
        self.rows: list[Row] = [seed]
        self.held = {node: (0, at) for at, node in enumerate(seed)}
        self.read = set(self.operands(seed))
        for row in self.rows:  # which grows
            self._grow_back(row)
            self._grow_on(row)

    def operands(self, row: Row) -> Iterator[tuple[Tensor, ...]]:
        """What the steps of a row read: for each operand the tensors, one of each call."""
        return zip(*(self.steps[node].inputs for node in row))

    def is_own(self, tensors: tuple[Tensor, ...]) -> list[bool]:
        """Of each call, whether the tensor comes from a step of its own."""
        nowhere = (-1, -1)
        return [
            self.held.get(tensor.node, nowhere)[1] == at
            for at, tensor in enumerate(tensors)
        ]

    def _grow_back(self, row: Row) -> None:
        for tensors in self.operands(row):
            if len({tensor.port for tensor in tensors}) == 1:
                self._add(tuple(tensor.node for tensor in tensors))

    def _grow_on(self, row: Row) -> None:
        """To what reads the row, and from outside what is read already (a residual) or the same in each call (a mask)."""
        forms = [self._by_form(node) for node in row]
        for form, first in forms[0].items():
            forms_ = tuple(each.get(form, "") for each in forms)
            if first and "" not in forms_ and self._is_closed(forms_):
                self._add(forms_)

    def _is_closed(self, row: Row) -> bool:
        return all(
            all(self.is_own(each)) or each in self.read or len(set(each)) == 1
            for each in self.operands(row)
        )

    def _by_form(self, node: str) -> dict[Hashable, str]:
        """The readers of a node, ``""`` for those that are alike."""
        by_form: dict[Hashable, str] = {}
        for reader in dict.fromkeys(self.readers.get(node, ())):
            form = _form(self.steps[reader])
            by_form[form] = "" if form in by_form else reader
        return by_form

    def _add(self, row: Row) -> None:
        steps = [self.steps.get(node) for node in row]
        if len(set(row)) < len(row) or any(node in self.held for node in row):
            return
        forms = {_form(step) if step is not None else None for step in steps}
        if (
            None in forms
            or len(forms) > 1
            or "Weight" in {s and s.constructor for s in steps}
        ):
            return
        if any(step is not None and step.weights and not step.layer for step in steps):
            return
        first = self.steps[row[0]]
        if first.weights and self.calls[first.layer] % len(row):
            return  # it is called outside too
        self.held.update({node: (len(self.rows), at) for at, node in enumerate(row)})
        self.rows.append(row)
        self.read.update(self.operands(row))


def _form(step: Step) -> Hashable:
    arguments = literal(dict(step.arguments))
    weights = step.layer if step.weights else ""
    return step.constructor, arguments, step.text, step.ports, weights


@dataclass(frozen=True)
class _Interface:
    """What each call is given from outside, and what the outside reads of the first call."""

    given: tuple[tuple[Tensor, ...], ...]
    results: tuple[Tensor, ...]


def _interface(program: Program, region: _Region) -> _Interface | None:
    """None where the calls do not hang together alike."""
    inputs: dict[tuple[Tensor, ...], None] = {}
    for row in region.rows:
        for tensors in region.operands(row):
            own = region.is_own(tensors)
            if not any(own):
                inputs[tensors] = None  # from outside, or from another call
            elif not all(own) or len({tensor.port for tensor in tensors}) > 1:
                return None
            elif len({region.held[tensor.node][0] for tensor in tensors}) > 1:
                return None
    columns = list(zip(*inputs))
    if any(len(set(column)) < len(column) for column in columns):
        return None  # one tensor goes in where two do in another call
    return _Interface(tuple(inputs), tuple(_results(program, region)))


def _results(program: Program, region: _Region) -> Iterator[Tensor]:
    """The tensors of the first call that stand for one that is read outside its own call."""
    read: set[tuple[int, int]] = set()
    for step in program.steps:
        reader = region.held.get(step.node, (-1, -1))
        for tensor in step.inputs:
            row, call = region.held.get(tensor.node, (-1, -1))
            if row >= 0 and (reader[0] < 0 or reader[1] != call):
                read.add((row, tensor.port))
    for tensor in program.outputs:
        if tensor.node in region.held:
            read.add((region.held[tensor.node][0], tensor.port))
    for row, port in sorted(read):
        yield Tensor(region.rows[row][0], port)


def _nested(
    program: Program, region: _Region, spec: Spec, names: Names
) -> Program | None:
    """The program with the region as a model; None where it is none, or none worth a name."""
    owners = [row for row in region.rows if region.steps[row[0]].weights]
    if len(owners) < 2 or _is_called_outside(region):
        return None
    interface = _interface(program, region)
    if interface is None or not interface.given or not interface.results:
        return None
    steps = program.by_node
    inside = [
        step for step in program.steps if region.held.get(step.node, (-1, -1))[1] == 0
    ]
    alone = [
        t
        for t, *others in interface.given
        if set(others) == {t} and _is_ours(t.node, steps, region)
    ]
    arguments = tuple(each for each in interface.given if each[0] not in alone)
    inputs = _inputs(arguments, spec)
    if inputs is None:
        return None
    weights = [replace(steps[t.node], inputs=(inputs[0].tensor,)) for t in alone]
    once = _once(inside)
    name = names.unique(_name(inside))
    inner = Program(
        name, inputs, (*weights, *once), interface.results, classes=program.classes
    )
    gone = {*region.held, *(t.node for t in alone)}
    calls = _calls(region, name, arguments, interface.results)
    return _replaced(program, region, inner, calls, gone, interface.results)


def _is_called_outside(region: _Region) -> bool:
    """Whether a layer of the region has calls that are not in it: it would be made twice."""
    inside = (region.steps[node] for node in region.held)
    weighted = Counter(step.layer for step in inside if step.weights)
    return any(region.calls[layer] != count for layer, count in weighted.items())


def _once(inside: Sequence[Step]) -> list[Step]:
    """The steps of one call, as a model has them: a layer is shared where the model itself calls it more than once."""
    first: dict[str, str] = {}
    calls = Counter(step.layer for step in inside if step.layer)
    return [
        (
            replace(step, layer=first.setdefault(step.layer, step.node))
            if calls[step.layer] > 1
            else replace(step, layer="")
        )
        for step in inside
    ]


def _is_ours(node: str, steps: Mapping[str, Step], region: _Region) -> bool:
    """Whether a weight is read by the calls alone, so that it can live in the model."""
    step = steps.get(node)
    readers = region.readers.get(node, ())
    return (
        step is not None
        and step.constructor == "Weight"
        and not step.layer
        and all(reader in region.held for reader in readers)
    )


def _inputs(
    operands: Sequence[tuple[Tensor, ...]], spec: Spec
) -> tuple[Input, ...] | None:
    names = Names()
    inputs = []
    for tensors in operands:
        specs = [spec(tensor) for tensor in tensors]
        shape = _common([each.shape for each in specs])
        if shape is None or len({each.dtype for each in specs}) > 1:
            return None
        own = {layer_name(tensor.node.split("/")[-1]) for tensor in tensors}
        is_one = len(operands) > 1 and len(own) == 1
        name = names.unique(own.pop() if is_one else "inputs")
        inputs.append(Input(name, tensors[0], shape, specs[0].dtype or "float32"))
    return tuple(inputs) or None


def _common(shapes: Sequence[Shape]) -> Shape:
    """What all the shapes are; None where they differ in rank."""
    known = [shape for shape in shapes if shape is not None]
    if len(known) < len(shapes) or len({len(shape) for shape in known}) > 1:
        return None
    return tuple(s[0] if len(set(s)) == 1 else None for s in zip(*known))


def _name(inside: Sequence[Step]) -> str:
    """The innermost scope that all its weights lie in; ``tower`` where there is none."""
    nodes = [use.node for step in inside for use in step.weights.values()]
    *scope, _ = f"/{commonprefix(nodes)}".split("/")
    return identifier(layer_name(scope[-1])) if scope and scope[-1] else "tower"


def _calls(
    region: _Region,
    name: str,
    operands: Sequence[tuple[Tensor, ...]],
    results: Sequence[Tensor],
) -> list[Step]:
    texts = [hole(number) for number in range(len(operands))]
    text = texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"
    return [
        Step(
            f"{name}/{at}",
            text,
            tuple(tensors[at] for tensors in operands),
            f"build_{name}",
            "Functional",
            name=name,
            ports=len(results),
            layer=f"{name}/0",
        )
        for at in range(len(region.rows[0]))
    ]


def _replaced(
    program: Program,
    region: _Region,
    inner: Program,
    calls: Sequence[Step],
    gone: set[str],
    results: Sequence[Tensor],
) -> Program | None:
    """The program with the calls in the region's place; None where a call would have to wait for itself."""
    ports = {(region.held[t.node][0], t.port): n for n, t in enumerate(results)}

    def moved(tensor: Tensor) -> Tensor:
        row, at = region.held.get(tensor.node, (-1, -1))
        return tensor if row < 0 else Tensor(calls[at].node, ports[row, tensor.port])

    remaining = [step for step in program.steps if step.node not in gone]
    steps = {
        step.node: replace(step, inputs=tuple(map(moved, step.inputs)))
        for step in (*remaining, *calls)
    }
    order = _order(program, region, steps, gone, calls)
    if order is None:
        return None
    return replace(
        program,
        steps=tuple(steps[node] for node in order),
        outputs=tuple(map(moved, program.outputs)),
        models={**program.models, calls[0].node: inner},
    )


def _order(
    program: Program,
    region: _Region,
    steps: Mapping[str, Step],
    gone: set[str],
    calls: Sequence[Step],
) -> list[str] | None:
    """The old order with each call where its last step was, if that can run; else any that can."""
    last = {
        region.held[s.node][1]: s.node for s in program.steps if s.node in region.held
    }
    stands = {node: calls[at].node for at, node in last.items()}
    order = [
        stands.get(step.node, step.node)
        for step in program.steps
        if step.node not in gone or step.node in stands
    ]
    available = {each.tensor.node for each in program.inputs}
    for node in order:
        if not available.issuperset(tensor.node for tensor in steps[node].inputs):
            break
        available.add(node)
    else:
        return order
    needs = {
        node: [t.node for t in steps[node].inputs if t.node in steps] for node in order
    }
    try:
        return list(TopologicalSorter(needs).static_order())
    except CycleError:
        return None
