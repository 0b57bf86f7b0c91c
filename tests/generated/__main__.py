"""Many random models, one line for each that does not come back: ``python -m tests.generated KIND FIRST LAST``.

KIND is one of ``test_generated.CHECKS``, or ``attention``. A hunt for what no seed of the tests has met: what it finds becomes a formula, and the
seed a row of the tests.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections import Counter
from pathlib import Path

from graphscope.errors import GraphscopeError

from .test_attentions import check_attention
from .test_generated import CHECKS


def outcome(kind: str, seed: int) -> tuple[str, str]:
    """How it ended, in a word, and what there is to say of it."""
    checks = {**CHECKS, "attention": check_attention}
    try:
        with tempfile.TemporaryDirectory() as folder:
            checks[kind](seed, Path(folder))
    except AssertionError as error:
        text = " ".join(str(error).split())
        return ("config" if "Counter" in text[:9] else "differs"), text[:700]
    except GraphscopeError as error:
        return type(error).__name__, str(error)[:500]
    except Exception as error:  # noqa: B902 (a bug, to be looked into)
        frames = traceback.extract_tb(error.__traceback__)
        ours = [f for f in frames if "/graphscope/" in f.filename] or frames
        at = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}"
        return "BUG", f"{type(error).__name__} {str(error)[:300]!r} at {at}"
    return "equal", ""


def main() -> None:
    """Print what failed as it comes, then how many ended how."""
    kind, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    ended: Counter[str] = Counter()
    for seed in range(first, last):
        how, said = outcome(kind, seed)
        ended[how] += 1
        if how != "equal":
            print(seed, how, said, flush=True)
    print(", ".join(f"{count} {how}" for how, count in ended.most_common()))


if __name__ == "__main__":
    main()
