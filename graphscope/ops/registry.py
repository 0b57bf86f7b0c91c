"""What is known of one op (``Meaning``), the table of all of them, and the place where one op is used (``Call``).

One op is one ``define`` block in the file of its family::

    define(
        "Softplus",                               # one or more ops of the same meaning
        shape=same,                               # Call -> one shape a port
        keras="ops.softplus({0})",                # template, or function of (Call, *texts); None: keras.ops cannot say it
        body=lambda call, x: f"return ...",       # where it takes more than an expression: the statements of a layer's call
        fold=lambda x: np.logaddexp(x, 0),        # numpy; keyword-only parameters are filled with attributes
        traits="elementwise activation",
    )
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from ..graph import Shape, TensorSpec
from ..graph.named_values import Attributes
from ..wire import opdefs
from .values.size import Size


class Unsaid(Exception):
    """A rule's way of saying that this call contradicts the op's definition, or leaves out what the rule needs."""


class Partial(NamedTuple):
    """A value of which some elements are known: ``array`` holds any number where ``known`` is False."""

    array: np.ndarray
    known: np.ndarray


Value = np.ndarray | Partial | None
"""What is known of a tensor's elements before anything runs."""


@dataclass(frozen=True, slots=True)
class Call:
    """One op at one place: its attributes, and what is known of its inputs.

    ``inputs`` and ``values`` have one entry for each data input; either may be shorter where nothing is known.
    ``inside`` says that a text is wanted for a layer's ``call``, in which ``ops.shape`` knows every size.
    """

    op: str
    attrs: Attributes
    inputs: Sequence[TensorSpec] = ()
    values: Sequence[Value] = ()
    name: str = ""
    inside: bool = False

    def __getitem__(self, attr: str) -> Any:
        """The attribute, or the OpDef's default for it; raises Unsaid where there is neither."""
        value = self.attrs.get(attr)
        if value is None:
            value = opdefs.defaults(self.op).get(attr)
        if value is None:
            raise Unsaid(f"{self.op} {self.name!r} has no attribute {attr!r}")
        return value

    def get(self, attr: str, otherwise: object = None) -> Any:
        """The attribute, the OpDef's default for it, or ``otherwise``."""
        try:
            return self[attr]
        except Unsaid:
            return otherwise

    def shape(self, slot: int) -> Shape:
        """The shape of one input; raises Unsaid where there is no such input."""
        if not -len(self.inputs) <= slot < len(self.inputs):
            raise Unsaid(f"{self.op} {self.name!r} has no input {slot}")
        return self.inputs[slot].shape

    def dtype(self, slot: int) -> str:
        """The dtype of one input, without ``_ref``; "" where unknown."""
        if not -len(self.inputs) <= slot < len(self.inputs):
            return ""
        return self.inputs[slot].dtype.removesuffix("_ref")

    def rank(self, slot: int) -> int | None:
        """The number of dimensions of one input, None where unknown."""
        shape = self.shape(slot)
        return None if shape is None else len(shape)

    def value(self, slot: int) -> np.ndarray | None:
        """The elements of one input where all of them are known."""
        if not -len(self.values) <= slot < len(self.values):
            return None
        value = self.values[slot]
        return None if isinstance(value, Partial) else value

    def integer(self, slot: int) -> int | None:
        """The one integer that an input holds, None where unknown."""
        number = self.value(slot)
        return (
            None
            if number is None or number.size != 1
            else _whole(number.reshape(())[()])
        )

    def integers(self, slot: int) -> tuple[int, ...] | None:
        """All integers of one input, flattened; None where any is unknown."""
        numbers = self.value(slot)
        return None if numbers is None else tuple(map(_whole, numbers.reshape(-1)))

    def dims(self, slot: int) -> Shape:
        """The integers of an input vector with None for those unknown; None where even its length is."""
        dims = None
        if -len(self.values) <= slot < len(self.values):
            dims = self.values[slot]
        if isinstance(dims, Partial):
            pairs = zip(dims.array.reshape(-1), dims.known.reshape(-1), strict=True)
            return tuple(int(size) if is_known else None for size, is_known in pairs)
        if dims is not None:
            return tuple(map(_whole, dims.reshape(-1)))
        shape = self.shape(slot)
        if shape is None or len(shape) != 1 or shape[0] is None or shape[0] > 64:
            return None  # no tensor of TensorFlow's has so many dimensions
        return (None,) * shape[0]


def _whole(element: Any) -> Any:
    """The integer; a Size, where a text is wanted for a size that only a run knows, stands for itself."""
    return element if isinstance(element, Size) else int(element)


Rule = Callable[[Call], Sequence[Shape]]
Moves = slice | Callable[[int], slice]  # the moved inputs; a function of their number
KerasText = str | Callable[..., str | None]
Body = Callable[..., str | None]


@dataclass(frozen=True)
class Meaning:
    """All that is known of one op.

    ``shape`` gives one shape a port and raises Unsaid where the call contradicts the op; ``keras`` is a template over
    the input texts and attributes or a function of (Call, \\*texts); ``body`` is a function of the same that gives the
    statements of a layer's call, the last a ``return`` of all outputs, where no expression can say it; ``fold`` computes the outputs with numpy;
    ``likely`` gives the shapes where ``shape`` cannot, if no size that is unknown is a special one;
    ``measure`` says what of the outputs follows from the input shapes alone (Shape, Size); ``traits`` are listed in
    ``ops.TRAITS``; ``moves`` says which inputs' elements the op only moves about,
    so that elements known on their own stay known.
    """

    name: str
    shape: Rule | None = None
    keras: KerasText | None = None
    fold: Callable[..., Any] | None = None
    traits: frozenset[str] = frozenset()
    moves: Moves | None = None
    measure: Callable[[Call], Sequence[Value]] | None = None
    likely: Rule | None = None
    body: Body | None = None


TABLE: dict[str, Meaning] = {}


def define(
    *names: str,
    shape: Rule | None = None,
    keras: KerasText | None = None,
    fold: Callable[..., Any] | None = None,
    traits: str = "",
    moves: Moves | None = None,
    measure: Callable[[Call], Sequence[Value]] | None = None,
    likely: Rule | None = None,
    body: Body | None = None,
) -> None:
    """Enter ops of one meaning into the table; raises ValueError where one is there already."""
    for name in names:
        if name in TABLE:
            raise ValueError(f"two definitions of op {name!r}")
        known = frozenset(traits.split())
        TABLE[name] = Meaning(
            name, shape, keras, fold, known, moves, measure, likely, body
        )
