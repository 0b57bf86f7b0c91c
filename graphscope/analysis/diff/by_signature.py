"""A file of several signatures, and the source that has a model for each: every signature is compared by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import GraphscopeError
from ...graph import Tensor
from ...verify import compare
from ...verify.report import SignatureVerification, joined
from ...verify.run.keras_source import run_signatures
from ...verify.run.opening import open_runner


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
