"""A file of several signatures, and the source that has a model for each: every signature is compared by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import GraphscopeError
from ...graph import Tensor
from ...verify import Verification, compare
from ...verify.run.keras_source import run_signatures
from ...verify.run.opening import open_runner


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


def compare_signatures(
    a: Any,
    folder: str | Path,
    outputs: Mapping[str, Sequence[Tensor]],
    *,
    trust: bool = False,
    **wishes: Any,
) -> SignatureVerification:
    """Run each signature of ``a`` beside the model that the source in ``folder`` has for it.

    ``outputs`` names the tensors of ``a`` that a signature yields; ``wishes`` and what is raised as ``compare`` has them. Raises
    GraphscopeError where the source has no model for one.
    """
    models = run_signatures(Path(folder), trust)
    missing = sorted(outputs.keys() - models.keys())
    if missing:
        raise GraphscopeError(
            f"{folder}/model.py has no model for the signature {missing[0]!r}; it has {sorted(models)}"
        )
    runner = open_runner(a, trust)
    proofs = {
        name: compare(
            runner,
            models[name],
            outputs=dict.fromkeys(outputs[name]),
            trust=trust,
            **wishes,
        )
        for name in outputs
    }
    return joined(proofs)


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
