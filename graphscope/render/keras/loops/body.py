"""A function of the graph -> the lines of a Python function in plain TensorFlow: loops and conditions as closures inside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from .... import ops
from ....graph import Function, FunctionRef, Node, Tensor
from ....graph.names import Names
from ....graph.order import post_order
from ..text.line_breaks import WIDTH, wrapped
from .ops import Site, Text, port_count, raw, spelled
from .values import CASES, ELEMENTS, IFS, RUNS, WHILES, Values, variable


class Body(Values):
    """One function on its way to text; ``given`` is the source of each argument."""

    WHILE, COND = "tf.while_loop", "tf.cond({0}, {1})"

    def written(self) -> list[Text]:
        """The source of what the function returns; what must be said before is in ``lines``."""
        roots = [t.node for t in self.function.returns]
        for name in list(post_order(roots, self.sources)):
            if Tensor(name) not in self.known:
                self._add(name, self.graph.node(name))
        return [self.text(tensor) for tensor in self.function.returns]

    def _add(self, name: str, node: Node) -> None:
        if self._is_constant(name) or self._passes(name):
            return
        if node.op == "Const":
            return
        if node.op in RUNS:
            self._run(name, node)
            return
        if self._fills(name, node):
            rows = self.named(self.graph.inputs(name)[1]).tensor
            made = f"tf.raw_ops.TensorListFromTensor(tensor={rows}, element_shape=-1)"
            self.known[Tensor(name)] = Text(made, free=True, rows=rows)
            return
        site = Site(node, [self.text(t) for t in self.graph.inputs(name)])
        if node.op in ELEMENTS:
            site = self._with_elements(name, site)
        found, count = spelled(site), port_count(node)
        if found is None:
            text = raw(site)
            if text is None:
                raise self._unsaid(name)
            found = Text(text)
        self._bind(name, node, self._with_rows(name, node, found), count)

    def _run(self, name: str, node: Node) -> None:
        """What runs functions."""
        if node.op in WHILES:
            self._loop(name, node)
        elif node.op in IFS:
            sides = [
                self._called(name, node, a) for a in ("then_branch", "else_branch")
            ]
            known = self._decided(name)
            if known is None:
                self._choose(name, sides, self.COND)
            else:
                self._inline(name, sides[0 if known else 1], 1)
        elif node.op in CASES:
            refs = node.attrs.get("branches") or ()
            sides = [self._function(name, ref) for ref in refs]
            self._choose(name, sides, "tf.switch_case({0}, [{1}])")
        else:
            self._inline(name, self._called(name, node, "f"))

    def _inline(self, name: str, called: Function, first: int = 0) -> None:
        """What a function computes, in the place of its call, whose arguments begin with input ``first``."""
        given = [self.named(t) for t in self.graph.inputs(name)[first:]]
        if len(given) != len(called.arguments):
            raise self._unsaid(name)
        inner = type(self)(self.loop, called, given, self.names, self.depth)
        results = inner.written()
        self.lines += inner.lines
        for port, found in enumerate(results):
            self._bind_one(Tensor(name, port), found)

    def _decided(self, name: str) -> bool | None:
        """What a condition tests, where sizes decide it: ``tf.cond`` takes no Python bool."""
        fact = self.facts.get(next(iter(self.graph.inputs(name)), Tensor("")))
        value = fact.value if fact is not None else None
        if not isinstance(value, np.ndarray) or value.size != 1:
            return None
        return bool(value.reshape(-1)[0])

    def _called(self, name: str, node: Node, attr: str) -> Function:
        return self._function(name, node.attrs.get(attr))

    def _function(self, name: str, ref: object) -> Function:
        found = (
            self.loop.library.get(ref.name) if isinstance(ref, FunctionRef) else None
        )
        if found is None:
            raise self._unsaid(name)
        return found

    def _results(self, name: str, hints: Mapping[int, str]) -> str:
        """Names for what a loop or condition yields, by port, as the left side of an assignment."""
        names = []
        for port, hint in hints.items():
            tensor = Tensor(name, port)
            target = self.names.unique(hint) if self.uses.get(tensor) else "_"
            self.known[tensor] = Text(target, free=True)
            names.append(target)
        return ", ".join(names)

    def _loop(self, name: str, node: Node) -> None:
        """A loop: closures for condition and body, which carry what changes and see what does not."""
        cond, body = (self._called(name, node, attr) for attr in ("cond", "body"))
        inputs = self.graph.inputs(name)
        if (
            not len(inputs)
            == len(cond.arguments)
            == len(body.arguments)
            == len(body.returns)
        ):
            raise self._unsaid(name)
        given = list[Text](self.captured(name, body, inputs))
        inside = Names(self.names.taken)  # which sees the names of all captured
        carried = dict[int, str]()
        for port, tensor in enumerate(inputs):
            if not _stays(body, port):
                carried[port] = inside.unique(self._hint(body, port, tensor))
                given[port] = Text(carried[port], free=True)
        turn = list(carried.values())
        titles = [self.names.unique("cond"), self.names.unique("body")]
        first = [self.first(inputs[port]) for port in carried]
        for title, function in zip(titles, (cond, body)):
            taken = Names({*self.names.taken, *turn})
            inner = type(self)(self.loop, function, given, taken, self.depth + 1)
            found = inner.written()
            text = inner.result(0, found[0])
            if function is body:
                text = _listed([inner.result(port, found[port]) for port in carried])
            self._define(title, turn, inner, text)
        more = self._invariants(body, inputs, list(carried))
        left = self._results(name, carried)
        comma = "," * (len(carried) == 1)
        self.put(
            f"{left}{comma} = {self.WHILE}({titles[0]}, {titles[1]}, {_tuple(first)}{more})"
        )

    def first(self, tensor: Tensor) -> str:
        """The first value of a loop variable, as a tensor."""
        found = self.text(tensor)
        return f"tf.constant({found.text})" if found.literal else found.tensor

    def as_tensor(self, tensor: Tensor, found: Text) -> str:
        """What is called ``found``, where only a tensor will do."""
        return found.tensor

    def result(self, port: int, found: Text) -> str:
        """What the function returns, as a tensor."""
        return self.as_tensor(self.function.returns[port], found)

    def captured(
        self, name: str, body: Function, inputs: Sequence[Tensor]
    ) -> Iterator[Text]:
        """What a loop's closures see of each variable that stays the same; nothing yet of the others."""
        for port, tensor in enumerate(inputs):
            if _stays(body, port):
                self.known[Tensor(name, port)] = self.named(tensor)
                yield self.known[Tensor(name, port)]
            else:
                yield Text("")

    def _hint(self, body: Function, port: int, first: Tensor) -> str:
        """What a loop variable might be called."""
        fact = self.facts.get(first)
        if fact is not None and fact.spec.dtype == "variant":
            return "items"
        hint = variable(body.arguments[port])
        counts = self.text(first).literal and hint in ("state", "counter")
        return "i" if counts else hint

    def _invariants(
        self, body: Function, inputs: Sequence[Tensor], carried: Sequence[int]
    ) -> str:
        """The shapes that hold in every turn, where they are not those of the first."""
        inside = self.loop.facts.get(body.name, {})
        shapes, differ = [], False
        for port in carried:
            fact = inside.get(Tensor(body.arguments[port]))
            shape = fact.spec.shape if fact is not None else None
            before = self.facts.get(inputs[port])
            known = before.spec.shape if before is not None else None
            if shape is None and known is not None:  # Keras takes no unknown rank
                shape = (None,) * len(known)
            differ |= known != shape  # where nothing is known, TensorFlow may know more
            shapes.append(f"tf.TensorShape({None if shape is None else list(shape)})")
        return f", shape_invariants={_tuple(shapes)}" if differ else ""

    def _choose(self, name: str, sides: Sequence[Function], form: str) -> None:
        """A condition: a closure for each branch."""
        chosen, *inputs = self.graph.inputs(name)
        given = [self.named(tensor) for tensor in inputs]
        counts = {len(side.returns) for side in sides}
        if len(counts) != 1 or any(len(side.arguments) != len(given) for side in sides):
            raise self._unsaid(name)
        title = variable(name)
        texts = [
            self._branch(f"{title}_{number}", side, given)
            for number, side in enumerate(sides)
        ]
        which = self.as_tensor(chosen, self.text(chosen))
        left = self._results(name, dict.fromkeys(range(counts.pop()), title))
        self.put(f"{left} = {form.format(which, ', '.join(texts))}")

    def _branch(self, title: str, side: Function, given: Sequence[Text]) -> str:
        """The branch as a lambda where it is one expression, else the name of a closure."""
        inner = type(self)(
            self.loop, side, given, Names(self.names.taken), self.depth + 1
        )
        results = inner.written()
        values = [inner.result(port, each) for port, each in enumerate(results)]
        text = values[0] if len(values) == 1 else f"({', '.join(values)})"
        if not inner.lines:
            return f"lambda: {text}"
        name = self.names.unique(title)
        self._define(name, [], inner, text)
        return name

    def _define(
        self, name: str, parameters: Sequence[str], inner: Body, text: str
    ) -> None:
        """A closure; it stands free, with a blank line around it."""
        width = WIDTH - 12 - 4 * self.depth
        if len(text) > width - 7 and not text.startswith("("):
            text = f"({text})"
        lines = [*inner.lines, *wrapped(f"return {text}", width)]
        if self.lines and self.lines[-1]:
            self.lines.append("")
        self.put(f"def {name}({', '.join(parameters)}):")
        self.lines += [f"    {line}" if line else "" for line in lines]
        self.lines.append("")


def _stays(body: Function, port: int) -> bool:
    """Whether a loop variable is the same in every turn."""
    tensor, graph = body.returns[port], body.graph
    for _ in range(len(graph)):
        given = graph.inputs(tensor.node)
        if "pass-through" not in ops.traits(graph.op(tensor.node)) or not given:
            break
        if tensor.port >= len(given):
            break
        tensor = given[tensor.port]
    return tensor == Tensor(body.arguments[port])


def _tuple(texts: Sequence[str]) -> str:
    return f"({_listed(texts)})"


def _listed(texts: Sequence[str]) -> str:
    return f"{', '.join(texts)}{',' * (len(texts) == 1)}"
