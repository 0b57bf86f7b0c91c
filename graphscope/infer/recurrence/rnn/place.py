"""A Recurrence with a cell of its own -> one RNN layer in the graph, in the place of the loop.

*before* ``Transpose(Loop(Transpose(x)))``; *after* ``RNN(cell)(x)``, of which the outputs are parts of one vector a step.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ....graph import RNN, Node, Tensor, TensorSpec
from ....graph.edit import fresh
from ....ops.array.slice_masks import SliceMasks
from ..place import Placing
from .step import Step


class StepPlacing(Placing):
    """One such Recurrence on its way into the graph."""

    def place(self) -> None:
        step = self.of.step
        if step is None:
            return super().place()
        name = self._layer(step)
        for number, port in enumerate(step.states):
            is_output = not self.of.writings and not number
            state = Tensor(name, 0 if is_output else 1 + number)
            self.spliced.move(Tensor(self.turn.node, port), state)
        parts = self._parts(name, step)
        self.known |= dict(zip(self.of.outputs, parts))
        for port, writing in self.of.writings.items():
            self._list(port, writing)

    def _layer(self, step: Step) -> str:
        raw = self.of.backwards
        readings = [self.of.readings[each] for each in step.inputs]
        sequences = [self._steps(each) for each in readings]
        x = sequences[0] if len(sequences) == 1 else self._joined(sequences)
        reversal = None if raw or self.of.mask else self._unreversed(x, 1)
        x, raw = (x, raw) if reversal is None else (reversal, True)
        mask = self._mask(x)
        inputs = {"sequence": x, **({"mask": mask} if mask is not None else {})}
        inputs |= self._initial(step.states)
        inputs |= {name: self.spliced.now(t) for name, t in step.memory.items()}
        config: dict[str, bool] = {"go_backwards": True} if raw else {}
        if mask is not None and any(w.zero_output for w in self.of.writings.values()):
            config["zero_output_for_mask"] = True
        batch, time = (self._spec(x).shape or (None, None))[:2]
        dtype = self._spec(x).dtype or "float32"
        if self.of.writings:
            config["return_sequences"] = True
        times = (time,) if self.of.writings else ()
        specs = [TensorSpec(dtype, (batch, *times, sum(step.widths)))]
        specs += [TensorSpec(dtype, (batch, size)) for size in step.sizes]
        layer = RNN(
            "RNN",
            {**config, "return_state": True},
            outputs=tuple(specs),
            inputs=inputs,
            weights={f"cell/{name}": use for name, use in step.weights.items()},
            members=getattr(self.graph.node(self.loop), "members", frozenset()),
            output=Tensor(self.turn.node, step.states[0]),
            pattern="rnn_cell",
            name=self._loop_title("rnn"),
            function=step.function,
            arguments=step.names,
            parts=step.parts,
            sizes=step.sizes,
            memory=tuple(step.memory),
            facts=step.facts,
            scope=str(self.graph.node(self.loop).attrs.get("scope", self.loop)),
        )
        name = fresh(self.graph, layer.name)
        self.graph.add(name, replace(layer, name=name), inputs.values())
        return name

    def _parts(self, name: str, step: Step) -> list[Tensor]:
        """What of the layer's one output each of the step's outputs is."""
        if len(step.widths) == 1:
            return [Tensor(name)]
        whole, parts, at = self._spec(Tensor(name)), [], 0
        for width in step.widths:
            spec = TensorSpec(whole.dtype, (*(whole.shape or ())[:-1], width))
            masks = SliceMasks(begin=0b011, end=0b011)  # x[:, :, at : at + width]
            attrs = {"T": spec.dtype, "Index": "int32", **masks.attrs}
            bounds = ([0, 0, at], [0, 0, at + width], [1, 1, 1])
            operands = [self._constant(np.array(each, np.int32)) for each in bounds]
            part = fresh(self.graph, f"{name}/part")
            node = Node("StridedSlice", attrs, (spec,))
            self.graph.add(part, node, (Tensor(name), *operands))
            parts.append(Tensor(part))
            at += width
        return parts
