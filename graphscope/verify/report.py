"""What a comparison of two models found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Verification:
    """How far two models are apart on the same inputs.

    ``max_abs`` is the largest difference of any element of any output; ``max_rel`` the largest in an output's own scale
    (``max|a - b| / max|a|``); both are infinite where shapes differ or where only one side is finite. ``outputs`` has one dict for each
    pair (``a``, ``b``, ``dtype``, ``shape``, ``max_abs``, ``max_rel``, ``passed``). ``parts_at`` names the first node at which the two part,
    where that could be told. ``drawn`` has one dict for each run: the shape of every input. ``one_sided``
    names the thresholds of the reference (ReLU6, a clip, a comparison) that every run met on one side only: of the other side
    nothing is proved. ``numbers`` says whether all that was compared agreed, proof or not; ``settings`` what inference feeds to
    mode switches. Where the reference was run otherwise than it is stored, ``run_with`` says with what, ``because`` why, and
    ``apart_from_stored`` how far that is from the file as it lies there, in an output's own scale (None: that could not be run).
    ``passed``: something that depends on an input, or a model without inputs, was compared and is equal.
    """

    max_abs: float
    max_rel: float
    passed: bool
    outputs: tuple[Mapping[str, Any], ...] = ()
    remarks: tuple[str, ...] = ()
    parts_at: str = ""
    drawn: tuple[Mapping[str, Any], ...] = ()
    one_sided: tuple[str, ...] = ()
    numbers: str = "equal"
    settings: Mapping[str, str] = field(default_factory=dict)
    run_with: tuple[str, ...] = ()
    because: str = ""
    apart_from_stored: float | None = None

    @property
    def verdict(self) -> str:
        """``"equal"``, ``"different"``, or ``"not proven"``: nothing that depends on an input was compared."""
        if self.passed:
            return "equal"
        return "not proven" if self.numbers == "equal" else "different"

    def to_json(self) -> dict[str, Any]:
        """The result as plain values, ready for ``json.dumps``."""
        plain = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in asdict(self).items()
        }
        del plain["numbers"]
        texts = {"account": self.account(), "stored": self.stored()}
        return plain | {"verdict": self.verdict} | texts

    def stored(self) -> str:
        """How what was compared stands to the file as it lies there; ``""`` where that was compared."""
        if not self.run_with:
            return ""
        if self.apart_from_stored is None:
            return f"not held against the file as stored, because {self.because}"
        return f"differs from the file as stored by {self.apart_from_stored:.2g} of its scale, because {self.because}"

    def account(self) -> str:
        """What was compared, on what, and what was left out: one paragraph."""
        rows = {
            kind: [str(row["a"]) for row in self.outputs if row.get(kind)]
            for kind in ("random", "constant")
        }
        apart = {*rows["random"], *rows["constant"]}
        compared = [str(row["a"]) for row in self.outputs if str(row["a"]) not in apart]
        parts = [f"compared: {_listed(compared) or 'nothing'}, {_drawn(self.drawn)}"]
        if self.settings:
            fed = ", ".join(
                f"{name} = {value}" for name, value in self.settings.items()
            )
            parts.append(f"fed as inference needs: {fed}")
        if self.run_with:
            parts.append(f"changed in the reference: {', '.join(self.run_with)}")
        if rows["random"]:
            parts.append(f"drawn at random and left out: {_listed(rows['random'])}")
        if rows["constant"]:
            text = "the same for every input, which proves nothing"
            parts.append(f"{text}: {_listed(rows['constant'])}")
        if self.one_sided:
            parts.append(f"met on one side only: {_listed(list(self.one_sided))}")
        return "; ".join(parts)


def joined(parts: Sequence[tuple[str, Verification]]) -> Verification:
    """The comparisons of several signatures as one: equal where all are, different where one is."""
    worst = max((each for _, each in parts), key=lambda each: each.max_rel)
    every = [each for _, each in parts]
    different = any(each.numbers == "different" for each in every)
    return replace(
        worst,
        max_abs=max(each.max_abs for each in every),
        passed=all(each.passed for each in every),
        outputs=tuple(
            {**row, "signature": name} for name, each in parts for row in each.outputs
        ),
        remarks=tuple(dict.fromkeys(text for each in every for text in each.remarks)),
        parts_at=next((each.parts_at for each in every if each.parts_at), ""),
        drawn=tuple(shapes for each in every for shapes in each.drawn),
        one_sided=tuple(name for each in every for name in each.one_sided),
        numbers="different" if different else "equal",
        settings={k: v for each in every for k, v in each.settings.items()},
    )


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + rest


def _drawn(drawn: tuple[Mapping[str, Any], ...]) -> str:
    fed = drawn[0] if drawn else {}
    if not fed:
        return "with nothing fed"
    shapes = [f"{name} {list(shape)}" for name, shape in fed.items()]
    times = f"{len(drawn)} draws" if len(drawn) > 1 else "1 draw"
    return f"on {times} of {_listed(shapes)}"
