"""Score the output suggestions of a corpus folder by the answers in its INDEX.tsv.

``python benchmarks/outputs.py [FOLDER] [-v]``: per kind of graph, how often the best candidate is a true output (top-1)
and how often the first k are the k true ones (set), for graphscope and for the two rules that other tools use: nodes
that nothing consumes, and of those the ones that an input leads to. Then how often a score is right (calibration),
and the time. ``-v`` lists the misses.
"""

from __future__ import annotations

import argparse
import csv
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from graphscope.errors import GraphscopeError
from graphscope.graph import CONTROL, Model, Tensor
from graphscope.infer.outputs.find import find_outputs
from graphscope.read import load

ROOT = Path(__file__).parent.parent
CORPUS = Path(os.environ.get("GRAPHSCOPE_CORPUS", ROOT.parent / "shared" / "corpus"))
_SUMMARISE = frozenset("Const Assign NoOp Placeholder".split())


class Row(NamedTuple):
    path: str
    kind: str
    outputs: frozenset[str]


class Result(NamedTuple):
    row: Row
    ranked: list[str]
    scores: list[float]
    sinks: list[str]
    reachable: list[str]
    seconds: float
    nodes: int

    @property
    def top(self) -> bool:
        return bool(self.ranked) and self.ranked[0] in self.row.outputs

    @property
    def whole(self) -> bool:
        return set(self.ranked[: len(self.row.outputs)]) == self.row.outputs


def rows(folder: Path) -> Iterator[Row]:
    """The graphs of the corpus whose outputs are known."""
    with (folder / "INDEX.tsv").open(newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            names = [n for n in (row["outputs"] or "").split(",") if n]
            if names and not row["kind"].startswith("ckpt"):
                yield Row(row["path"], row["kind"], frozenset(map(_spelled, names)))


def _spelled(name: str) -> str:
    tensor = Tensor.parse(name)
    return str(tensor) if tensor.port else tensor.node


def sinks_of(model: Model) -> tuple[list[str], list[str]]:
    """summarize_graph's rule (no consumer, control edges count), and that with a path from an input."""
    graph = model.graph.with_control()
    named = [
        n for n in graph if not graph.out_degree(n) and graph.op(n) not in _SUMMARISE
    ]
    fed = {n for n in graph.by_op("Placeholder")}
    reached, stack = set(fed), list(fed)
    while stack:
        for target, edges in graph._succ[stack.pop()].items():
            if target not in reached and any(key != CONTROL for key in edges):
                reached.add(target)
                stack.append(target)
    return named, [n for n in named if n in reached]


def measure(folder: Path, row: Row) -> Result:
    model = load(str(folder / row.path))
    begin = time.perf_counter()
    found = find_outputs(model)
    seconds = time.perf_counter() - begin
    ranked = [_spelled(str(c.tensor)) for c in found.outputs]
    sinks, reachable = sinks_of(model)
    scores = [c.score for c in found.outputs]
    nodes = len(model.graph)
    return Result(row, ranked, scores, sinks, reachable, seconds, nodes)


def _rate(results: list[Result], names: str) -> str:
    """top-1 and set of a rule that gives an unordered list: by the file's order."""
    top = sum(
        bool(getattr(r, names)) and getattr(r, names)[0] in r.row.outputs
        for r in results
    )
    whole = sum(set(getattr(r, names)) == r.row.outputs for r in results)
    return f"{top / len(results):5.0%} {whole / len(results):5.0%}"


def report(results: list[Result], verbose: bool) -> str:
    by_kind: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_kind[result.row.kind].append(result)
    by_kind["all"] = results
    lines = [
        "kind            graphs  graphscope   no consumer   and fed    candidates of each (median)"
    ]
    for kind, group in by_kind.items():
        top = sum(r.top for r in group) / len(group)
        whole = sum(r.whole for r in group) / len(group)
        counts = [
            sorted(len(getattr(r, names)) for r in group)[len(group) // 2]
            for names in ("ranked", "sinks", "reachable")
        ]
        lines.append(
            f"{kind:15} {len(group):6}  {top:5.0%} {whole:5.0%}  {_rate(group, 'sinks')}  "
            f"{_rate(group, 'reachable')}    {counts[0]} / {counts[1]} / {counts[2]}"
        )
    lines += ["", *_calibration(results)]
    slowest = max(results, key=lambda r: r.seconds)
    lines.append(
        f"slowest: {slowest.seconds:.3f} s for {slowest.nodes} nodes ({slowest.row.path})"
    )
    if verbose:
        lines += [""] + [_miss(r) for r in results if not (r.top and r.whole)]
    return "\n".join(lines)


def _calibration(results: list[Result]) -> Iterator[str]:
    """Of all guessed candidates in each band of scores, how many are right."""
    bands: dict[int, list[bool]] = defaultdict(list)
    for result in results:
        for name, score in zip(result.ranked, result.scores):
            if score < 1:
                bands[int(score * 10)].append(name in result.row.outputs)
    for band, right in sorted(bands.items(), reverse=True):
        yield (
            f"score {band / 10:.1f}-{(band + 1) / 10:.1f}: right {sum(right)} of {len(right)}"
        )


def _miss(result: Result) -> str:
    listed = ", ".join(
        f"{name} {score:.2f}"
        for name, score in list(zip(result.ranked, result.scores))[:6]
    )
    what = "set" if result.top else "top-1"
    return f"{what} missed: {result.row.path}\n    true {sorted(result.row.outputs)}\n    said {listed}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=CORPUS)
    parser.add_argument("-v", "--verbose", action="store_true", help="list the misses")
    options = parser.parse_args()
    results = []
    for row in rows(options.folder):
        try:
            results.append(measure(options.folder, row))
        except GraphscopeError as error:
            print(f"{row.path}: {error}", file=sys.stderr)
    print(
        report(results, options.verbose) if results else "no graph with known outputs"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
