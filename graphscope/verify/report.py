"""What a comparison of two models found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from operator import attrgetter
from typing import Any

from ..graph.named_values import Document, Row


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
    outputs: tuple[Document, ...] = ()
    remarks: tuple[str, ...] = ()
    parts_at: str = ""
    drawn: tuple[Document, ...] = ()
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

    def to_json(self) -> Row:
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
        random, constant = self._marked("random"), self._marked("constant")
        through = self._marked("through")
        apart = {*random, *constant, *through}
        compared = [str(row["a"]) for row in self.outputs if str(row["a"]) not in apart]
        drawn_from = {
            str(r["a"]): _listed(list(r.get("through", ()))) for r in self.outputs
        }
        settings = (f"{name} = {value}" for name, value in self.settings.items())
        parts = [
            f"compared: {_listed(compared) or 'nothing'}, {_drawn(self.drawn)}",
            _part("fed as inference needs", ", ".join(settings)),
            _part("changed in the reference", ", ".join(self.run_with)),
            *(
                f"drawn at random and compared by what it is drawn from: {name} ({drawn_from[name]})"
                for name in through
            ),
            _part("drawn at random and left out", _listed(random)),
            _part("the same for every input, which proves nothing", _listed(constant)),
            _part("met on one side only", _listed(list(self.one_sided))),
        ]
        return "; ".join(filter(None, parts))

    def _marked(self, mark: str) -> list[str]:
        return [str(row["a"]) for row in self.outputs if row.get(mark)]


@dataclass(frozen=True)
class SignatureVerification(Verification):
    """The worst of several comparisons, ``signatures`` by name; ``passed`` means that each of them did."""

    signatures: Mapping[str, Verification] = field(default_factory=dict)

    def to_json(self) -> Row:
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
    each = list(proofs.values())
    rows = [{**r, "signature": n} for n, proof in proofs.items() for r in proof.outputs]
    apart = (proof.apart_from_stored for proof in each)
    return SignatureVerification(
        max_abs=max(proof.max_abs for proof in each),
        max_rel=max(proof.max_rel for proof in each),
        passed=all(proof.passed for proof in each),
        outputs=tuple(rows),
        remarks=tuple(f"{n}: {text}" for n, p in proofs.items() for text in p.remarks),
        parts_at=next(filter(None, map(attrgetter("parts_at"), each)), ""),
        drawn=_chained("drawn", each),
        one_sided=tuple(dict.fromkeys(_chained("one_sided", each))),
        numbers=min(proof.numbers for proof in each),  # one "different" tells
        settings=dict(chain.from_iterable(p.settings.items() for p in each)),
        run_with=tuple(dict.fromkeys(_chained("run_with", each))),
        because=next(filter(None, map(attrgetter("because"), each)), ""),
        apart_from_stored=max((x for x in apart if x is not None), default=None),
        signatures=proofs,
    )


def _chained(field_name: str, proofs: Sequence[Verification]) -> tuple[Any, ...]:
    return tuple(chain.from_iterable(map(attrgetter(field_name), proofs)))


def _part(head: str, text: str) -> str:
    """One clause of the account; "" where there is nothing to say."""
    return f"{head}: {text}" if text else ""


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
