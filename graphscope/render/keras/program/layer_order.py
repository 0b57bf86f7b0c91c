"""The order in which a functional model keeps its layers, and with it the path of each in ``model.weights.h5``.

Keras numbers the layers of a class in the order of ``model.layers``: by depth from the outputs, then in the order of a
depth-first walk. This is ``keras.src.ops.function.map_graph`` (3.15) over our own steps.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from ....graph import Tensor
from ....graph.keras.operations import snake_case
from .program import Program, Step, filled


@dataclass(frozen=True)
class _Call:
    """One of Keras's own nodes: an operation called on what other calls yielded."""

    operation: str
    sources: tuple[int, ...]
    class_name: str = ""


def layer_paths(program: Program) -> dict[str, str]:
    """Layer node -> its group in the weights file, such as ``layers/conv2d_1``."""
    counts: dict[str, int] = {}
    paths = {}
    for operation, class_name in _layers_in_order(program):
        base = snake_case(class_name)
        number = counts[base] = counts.get(base, -1) + 1
        paths[operation] = f"layers/{base}_{number}" if number else f"layers/{base}"
    return paths


def _layers_in_order(program: Program) -> Iterator[tuple[str, str]]:
    calls, producers = _calls(program)
    roots = [producers[t] for t in program.outputs if t in producers]
    order, visited = _walk(calls, roots)
    depths = _depths(calls, order)
    for each in program.inputs:  # an input that nothing uses is a layer all the same
        index = producers[each.tensor]
        depths.setdefault(calls[index].operation, 0)
        visited.setdefault(calls[index].operation, -1)
    classes = {call.operation: call.class_name for call in calls}
    for operation in sorted(depths, key=lambda o: (-depths[o], visited[o])):
        if classes[operation]:
            yield operation, classes[operation]


def _calls(program: Program) -> tuple[list[_Call], dict[Tensor, int]]:
    """Keras's nodes in a runnable order, and which of them yields each tensor."""
    calls: list[_Call] = []
    producers: dict[Tensor, int] = {}
    for each in program.inputs:
        producers[each.tensor] = len(calls)
        calls.append(_Call(f"input {each.name}", (), "InputLayer"))
    for step in program.steps:
        sources = [producers.get(tensor) for tensor in step.inputs]
        if step.class_name:
            known = tuple(source for source in sources if source is not None)
            calls.append(_Call(step.layer or step.node, known, step.class_name))
            calls_of: list[int | None] = [len(calls) - 1] * step.ports
        else:
            calls_of = _append_expression(calls, step, sources)
        for tensor, index in zip(step.outputs(), calls_of, strict=True):
            if index is not None:
                producers[tensor] = index
    return calls, producers


def _append_expression(
    calls: list[_Call], step: Step, sources: list[int | None]
) -> list[int | None]:
    """One call for each keras.ops function and operator that works on a symbolic tensor; which yields each port."""
    names = [f"_{number}_" for number in range(len(step.inputs))]
    known = {n: () if s is None else (s,) for n, s in zip(names, sources, strict=True)}
    tree = ast.parse(filled(step.text, names), mode="eval")
    places: dict[int, tuple[int, ...]] = {}
    for node in _after_parts(tree.body):
        used = tuple(
            index for part in _parts(node) for index in places.get(id(part), ())
        )
        if isinstance(node, ast.Name):
            used = known.get(node.id, ())
        elif used and _is_operation(node):
            calls.append(_Call(f"{step.node} {len(calls)}", used))
            used = (len(calls) - 1,)
        places[id(node)] = used
    if isinstance(tree.body, ast.Tuple) and len(tree.body.elts) == step.ports:
        return [_one(places[id(element)]) for element in tree.body.elts]
    return [_one(places[id(tree.body)])] * step.ports


def _one(indices: tuple[int, ...]) -> int | None:
    return indices[-1] if indices else None


def _is_operation(node: ast.AST) -> bool:
    """Whether Keras makes an operation of it, given that it works on a symbolic tensor."""
    if isinstance(node, ast.Subscript):
        return not (isinstance(node.value, ast.Call) and _is_list(node.value))
    return isinstance(node, ast.Call | ast.BinOp | ast.UnaryOp | ast.Compare)


def _is_list(call: ast.Call) -> bool:
    """Whether the call yields a Python list or tuple, a subscript of which is no operation of Keras's."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    return name in ("split", "unstack", "shape", "meshgrid", "top_k", "moments")


def _parts(node: ast.AST) -> list[ast.AST]:
    """The children whose values an expression uses, in the order in which Keras flattens its arguments."""
    if isinstance(node, ast.Call):
        base = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        return [*base, *node.args, *(each.value for each in node.keywords)]
    return list(ast.iter_child_nodes(node))


def _after_parts(root: ast.AST) -> Iterator[ast.AST]:
    """Every node of an expression after its parts; no recursion."""
    stack, order = [root], []
    while stack:
        node = stack.pop()
        order.append(node)
        stack.extend(_parts(node))
    return reversed(order)


def _walk(calls: list[_Call], roots: list[int]) -> tuple[list[int], dict[str, int]]:
    """``_build_map``: calls in finishing order, and the order in which each operation was first met."""
    finished: list[int] = []
    opened: set[int] = set()
    done: set[int] = set()
    met: dict[str, int] = {}
    for root in roots:
        stack = [root]
        while stack:
            index = stack[-1]
            if index in done:
                stack.pop()
            elif index in opened:
                stack.pop()
                done.add(index)
                finished.append(index)
            else:
                opened.add(index)
                met.setdefault(calls[index].operation, len(met))
                stack.extend(s for s in reversed(calls[index].sources) if s not in done)
    return finished, met


def _depths(calls: list[_Call], order: list[int]) -> dict[str, int]:
    """``map_graph``: the greatest distance of each operation from an output."""
    of_call: dict[int, int] = {}
    depths: dict[str, int] = {}
    for index in reversed(order):
        operation = calls[index].operation
        depth = max(of_call.get(index, 0), depths.get(operation, 0))
        depths[operation] = of_call[index] = depth
        for source in calls[index].sources:
            of_call[source] = max(depth + 1, of_call.get(source, 0))
    return depths
