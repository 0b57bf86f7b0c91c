"""What a comparison of two models found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..graph.named_values import Document


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
        apart |= {str(row["a"]) for row in self.outputs if row.get("through")}
        compared = [str(row["a"]) for row in self.outputs if str(row["a"]) not in apart]
        parts = [f"compared: {_listed(compared) or 'nothing'}, {_drawn(self.drawn)}"]
        if self.settings:
            fed = ", ".join(
                f"{name} = {value}" for name, value in self.settings.items()
            )
            parts.append(f"fed as inference needs: {fed}")
        if self.run_with:
            parts.append(f"changed in the reference: {', '.join(self.run_with)}")
        for row in self.outputs:
            if row.get("through"):
                text = (
                    f"drawn at random and compared by what it is drawn from: {row['a']}"
                )
                parts.append(f"{text} ({_listed(list(row['through']))})")
        if rows["random"]:
            parts.append(f"drawn at random and left out: {_listed(rows['random'])}")
        if rows["constant"]:
            text = "the same for every input, which proves nothing"
            parts.append(f"{text}: {_listed(rows['constant'])}")
        if self.one_sided:
            parts.append(f"met on one side only: {_listed(list(self.one_sided))}")
        return "; ".join(parts)


@dataclass(frozen=True)
class SignatureVerification(Verification):
    """The worst of several comparisons, ``signatures`` by name; ``passed`` means that each of them did."""

    signatures: Mapping[str, Verification] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As for one; ``signatures`` gives the verdict of each."""
        plain = super().to_json()
        verdicts = {name: each.verdict for name, each in self.signatures.items()}
        return plain | {"signatures": verdicts}

    def account(self) -> str:
        """What was compared, signature by signature."""
        return "; ".join(
            f"{n}: {each.account()}" for n, each in self.signatures.items()
        )


def joined(proofs: Mapping[str, Verification]) -> SignatureVerification:
    """One record of them all; each row and each remark says which signature it is of."""
    each = list(proofs.items())
    apart = [p.apart_from_stored for _, p in each if p.apart_from_stored is not None]
    numbers = {proof.numbers for proof in proofs.values()}
    return SignatureVerification(
        max(proof.max_abs for _, proof in each),
        max(proof.max_rel for _, proof in each),
        all(proof.passed for _, proof in each),
        tuple({**row, "signature": n} for n, proof in each for row in proof.outputs),
        tuple(f"{n}: {remark}" for n, proof in each for remark in proof.remarks),
        next((proof.parts_at for _, proof in each if proof.parts_at), ""),
        tuple(shapes for _, proof in each for shapes in proof.drawn),
        tuple(dict.fromkeys(t for _, proof in each for t in proof.one_sided)),
        "different" if "different" in numbers else "equal",
        {k: v for _, proof in each for k, v in proof.settings.items()},
        tuple(dict.fromkeys(w for _, proof in each for w in proof.run_with)),
        next((proof.because for _, proof in each if proof.because), ""),
        max(apart, default=None),
        signatures=proofs,
    )


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + rest


def _drawn(drawn: tuple[Document, ...]) -> str:
    fed = drawn[0] if drawn else {}
    if not fed:
        return "with nothing fed"
    shapes = [f"{name} {list(shape)}" for name, shape in fed.items()]
    times = f"{len(drawn)} draws" if len(drawn) > 1 else "1 draw"
    return f"on {times} of {_listed(shapes)}"
