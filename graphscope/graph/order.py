"""The order in which nodes are laid out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence


def post_order(
    roots: Sequence[str], inputs_of: Callable[[str], Sequence[str]]
) -> Iterator[str]:
    """The nodes that the roots need, each after its inputs, inputs in their order; no recursion.

    A region with one exit comes out in one piece, and two equal regions in the same order. A node of a cycle
    comes out before one of its inputs.
    """
    opened: set[str] = set()
    done: set[str] = set()
    for root in roots:
        stack = [root]
        while stack:
            node = stack[-1]
            if node in opened:
                stack.pop()
                if node not in done:
                    done.add(node)
                    yield node
                continue
            opened.add(node)
            stack.extend(n for n in reversed(inputs_of(node)) if n not in opened)
