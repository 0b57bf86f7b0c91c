"""A name scope as the drawing opens and closes it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(eq=False)
class Scope:
    """A name scope, a run of one, or the nodes of one role; ``items`` are scopes and names of units."""

    path: tuple[str, ...]
    kind: str = "scope"
    items: list[Scope | str] = field(default_factory=list)
    edges: int = 0  # between its items: what opening it shows
    copies: int = 0  # how many times the same, in a scope of twins
    kin: str = ""  # equal for scopes that are opened together

    @property
    def name(self) -> str:
        return "/".join(self.path)

    def cost(self) -> int:
        """The boxes that opening it adds."""
        return len(self.items) - 1


def all_scopes(root: Scope) -> list[Scope]:
    """A scope and all that lie in it, outer ones first."""
    scopes = [root]
    for scope in scopes:
        scopes += [item for item in scope.items if isinstance(item, Scope)]
    return scopes


def heads_of(item: Scope | str) -> list[str]:
    """The units in a scope."""
    if isinstance(item, str):
        return [item]
    return [
        head
        for scope in all_scopes(item)
        for head in scope.items
        if isinstance(head, str)
    ]
