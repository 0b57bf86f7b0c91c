"""A turn of a loop that no class computes -> a Recurrence of one cell of its own, or the reason why it is none."""

from __future__ import annotations

from collections.abc import Mapping

from ....graph import Tensor
from ..opening.splice import NoRecurrence
from ..turn.turns import Recurrence, TurnReader
from .step import StepBuilder


class StepReader(TurnReader):
    """Reads one turn as the step of an RNN."""

    def _recurrence(self) -> Recurrence:
        self.readings = self._read()
        aside = [port for port in self.turn.state if self._writes(port)]
        states = self._states(aside)
        return self._of_cell([port for port in aside if self._is_read(port)], states)

    def _value_after(self, port: int, value: Tensor) -> Tensor:
        return value

    def _of_cell(self, lists: list[int], states: Mapping[int, Tensor]) -> Recurrence:
        repeated = {port: self._written(each) for port, each in states.items()}
        writings = self._writings(lists, repeated)
        mask = self._one_mask()
        if not states:
            raise NoRecurrence("it carries nothing from step to step")
        self._check_turns(self.readings, mask.lengths if mask else None)
        written = [each.value for each in writings.values()]
        states = self._ordered(states, written)
        outputs = list(dict.fromkeys(written)) or [*states.values()][:1]
        builder = StepBuilder(self.view, self.turn, self.uses)
        step = builder.step(self.readings, outputs, states)
        return Recurrence(
            self.turn,
            self.form,
            (),
            self.readings,
            writings,
            next(iter(self.readings.values())).backwards,
            mask,
            step=step,
            outputs=tuple(outputs),
        )

    def _ordered(
        self, states: Mapping[int, Tensor], written: list[Tensor]
    ) -> dict[int, Tensor]:
        """The states, those first that are put out, as Keras has them; where none is, those that are read after the last step."""
        producers = {self.view.producer(each)[0] for each in written}

        def is_inner(port: int) -> bool:
            if written:
                return self.view.producer(states[port])[0] not in producers
            return not self.view.graph.consumers(self.turn.node, port)

        return {port: states[port] for port in sorted(states, key=is_inner)}

    def _written(self, value: Tensor) -> Tensor:
        return self.view.producer(value)[
            0
        ]  # no class fits: the step is as the loop has it
