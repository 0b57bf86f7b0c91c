"""Every model file under a folder: recovered as Keras source, run beside the original, compared; one row each.

``python benchmarks/sweep.py [PATH ...]``: files, or folders (their ``.pb``, ``.meta``, ``model.json`` and SavedModels); the corpus of
the tests by default. Meant for files that nobody here made: ``tools/foreign_zoo.py`` builds some from other people's packages. Seconds are those of reading, recovering
and writing, TensorFlow's own not counted.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("GRAPHSCOPE_CORPUS", ROOT.parent / "shared" / "corpus"))
ONE = """
import sys, tempfile, time
import graphscope
begun = time.perf_counter()
found = graphscope.analyse(sys.argv[1])
with tempfile.TemporaryDirectory() as folder:
    report = found.write_keras(folder)
    seconds = time.perf_counter() - begun
    proof = found.prove(folder)
print("ROW", "equal" if proof.passed else "DIFFERS", len(found.graph), report.layers, len(report.unexplained),
      len(report.not_portable), report.source.lines_of_code, f"{proof.max_rel:.1e}", f"{seconds:.1f}")
"""
COLUMNS = "file result ops layers unexplained TF-only lines difference seconds".split()
OTHER = {"fingerprint.pb", "keras_metadata.pb"}  # beside a SavedModel, and no model
LIMIT = 600  # seconds a model may take


def model_files(paths: list[str]) -> Iterator[Path]:
    """The files that hold a model; of a SavedModel the folder."""
    for each in map(Path, paths):
        if not each.is_dir():
            yield each
            continue
        for path in sorted(each.rglob("*")):
            if path.name == "saved_model.pb":
                yield path.parent
            elif path.name in OTHER:
                continue
            elif path.suffix in (".pb", ".meta") or path.name == "model.json":
                yield path


def row(path: Path) -> list[str]:
    """What became of one file, in a process of its own."""
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", ONE, str(path)]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, env=env, timeout=LIMIT, check=False
        )
    except subprocess.TimeoutExpired:
        return [path.name, "slow", f"more than {LIMIT} s"]
    for line in done.stdout.splitlines():
        if line.startswith("ROW "):
            return [path.name, *line.split()[1:]]
    last = (done.stderr.strip().splitlines() or ["no word"])[-1]
    kind = "refused" if "graphscope.errors" in last else "FAILED"
    return [path.name, kind, last.removeprefix("graphscope.errors.")[:150]]


def main() -> None:
    """Print the rows as they come, then how many ended how."""
    ended: Counter[str] = Counter()
    print("  ".join(COLUMNS))
    for path in model_files(sys.argv[1:] or [str(CORPUS)]):
        found = row(path)
        ended[found[1]] += 1
        print("  ".join(found), flush=True)
    print(", ".join(f"{count} {how}" for how, count in ended.most_common()))


if __name__ == "__main__":
    main()
