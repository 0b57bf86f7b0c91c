"""How formulas are written: ``op.<Op>(...)``, and what arithmetic has no sign for."""

from __future__ import annotations

from typing import Any

from .terms import LAYERS, LINE, Call, Each, Named, Term, term


def named(name: str, body: Term) -> Term:
    """The term; the tensor that it matches is bound to the name."""
    return Named(name, body)


def each(body: Term) -> Term:
    """As many arguments of a call as there are, each such a term.

    ``op.ConcatV2(each(op.Conv2D(op.Split(3, x, port=EACH), kernels)), 3)``: a convolution of each part of x.
    """
    return Each(body)


class Ops:
    """``op.MatMul(x, w)`` is the term of one op; ``outputs=4`` gives its ports, ``...`` leaves arguments open.

    ``layers.Dense(x, activation="linear")`` is the term of one layer, in a graph whose nodes are layers.
    ``line.Conv2D(x, w, strides=s)`` is that op along one axis, in a graph in canonical form (see ``form``).
    """

    def __init__(self, prefix: str = "") -> None:
        self.prefix = prefix

    def __getattr__(self, name: str) -> Any:
        def call(
            *args: object, outputs: int = 1, port: int = 0, **attrs: object
        ) -> Any:
            open_ended = bool(args) and args[-1] is Ellipsis
            terms = tuple(map(term, args[:-1] if open_ended else args))
            named = {key: term(value) for key, value in attrs.items()}
            ports = range(port, port + outputs)
            calls = [
                Call(f"{self.prefix}{name}", terms, named, p, open_ended) for p in ports
            ]
            return calls[0] if outputs == 1 else tuple(calls)

        return call


op = Ops()
layers = Ops(LAYERS)
line = Ops(LINE)


def rsqrt(value: Term) -> Term:
    """One over the square root."""
    return value**-0.5


def sqrt(value: Term) -> Term:
    """The square root."""
    return value**0.5
