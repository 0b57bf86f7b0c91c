"""Axes by their labels, followed through matrix products and einsums: what tells queries from keys and heads from width."""

from __future__ import annotations


def einsum_terms(equation: str) -> tuple[str, str, str]:
    """The labels of input, kernel and output.

    >>> einsum_terms("abc,cde->abde")
    ('abc', 'cde', 'abde')
    """
    left, _, out = equation.replace(" ", "").partition("->")
    x, _, kernel = left.partition(",")
    return x, kernel, out


def multiplied(a: str, b: str, adjoint_a: object, adjoint_b: object) -> str:
    """The labels of a matrix product; ``""`` where it is not one over these axes.

    >>> multiplied("bnth", "bnsh", False, True)
    'bnts'
    """
    a = a[:-2] + a[:-3:-1] if adjoint_a else a
    b = b[:-2] + b[:-3:-1] if adjoint_b else b
    return a[:-1] + b[-1] if a[:-2] == b[:-2] and a[-1] == b[-2] else ""


def summed(equation: str, a: str, b: str) -> str:
    """The labels of an einsum of two; ``""`` where its letters do not stand for these axes.

    >>> summed("aecd,abcd->acbe", "bsnh", "btnh")
    'bnts'
    """
    left, _, out = equation.replace(" ", "").partition("->")
    first, _, second = left.partition(",")
    if len(first) != len(a) or len(second) != len(b):
        return ""
    pairs = set(zip(first + second, a + b))
    letters = dict(pairs)
    one_to_one = len(pairs) == len(letters) == len(set(letters.values()))
    return "".join(letters[x] for x in out) if one_to_one else ""
