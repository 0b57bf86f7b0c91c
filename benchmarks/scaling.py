"""How time grows with what a graph has: ``python benchmarks/scaling.py [--largest 1000000] [--only loops ...]``.

For nodes, variables, loops, conds, calls, scopes and the length of names it writes graphs of growing size (of a million nodes: 333,333
variables, 90,909 loops, 250,000 conds), runs ``inspect`` and ``freeze`` on each in a process of its own, and prints processor seconds, the
peak memory of the largest, and two exponents: of the line that fits the logarithms of all sizes that take a fifth of a second more than a
small graph does, and of the last decade alone; ``-`` where too few do. From 300,000 nodes on ``inspect`` looks for no layers: such sizes are
shown in brackets and fitted by themselves. TensorFlow is not needed.
"""

from __future__ import annotations

import argparse
import math
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from graphscope.analysis.sizes import MOST_NODES
from graphscope.wire import messages as proto

FLOAT, INT32, BOOL, RESOURCE = 1, 3, 10, 20
LIMIT = 1.1
LEAST = 0.2  # seconds
SIZES = (1000, 3000, 10_000, 30_000, 100_000, 333_333, 1_000_000)
COMMANDS: dict[str, list[str]] = {"inspect": [], "freeze": ["-o", "{out}", "--force"]}


def node(graph: Any, name: str, op: str, *inputs: str, **types: int) -> str:
    added = graph.node.add(name=name, op=op, input=inputs)
    for key, value in types.items():
        if key == "N":
            added.attr[key].i = value
        else:
            added.attr[key].type = value
    return name


def const(graph: Any, name: str, value: float, dtype: int = FLOAT) -> str:
    node(graph, name, "Const", dtype=dtype)
    tensor = graph.node[-1].attr["value"].tensor
    tensor.dtype = dtype
    if dtype == FLOAT:
        tensor.float_val.append(value)
    elif dtype == INT32:
        tensor.int_val.append(int(value))
    else:
        tensor.bool_val.append(bool(value))
    return name


def nodes(graph: Any, count: int) -> None:
    """One long chain."""
    last = "x"
    for number in range(count):
        last = node(
            graph, f"n{number}", ("Relu", "Neg", "Tanh")[number % 3], last, T=FLOAT
        )


def variables(graph: Any, count: int) -> None:
    """Many variables, each added once; frozen they are constants."""
    last = "x"
    for number in range(count // 3):
        weight = const(graph, f"v{number}", number)
        read = node(graph, f"v{number}/read", "Identity", weight, T=FLOAT)
        last = node(graph, f"a{number}", "AddV2", last, read, T=FLOAT)


def loops(graph: Any, count: int) -> None:
    """While frames of TensorFlow 1, one after the other; 11 nodes each."""
    last = "x"
    for number in range(count // 11):
        at = f"while_{number}" if number else "while"
        limit, one = const(graph, f"{at}/limit", 3, INT32), const(
            graph, f"{at}/zero", 0, INT32
        )
        frame = f"{at}/{at}_context"
        enters = [
            node(graph, f"{at}/Enter", "Enter", one, T=INT32),
            node(graph, f"{at}/Enter_1", "Enter", last, T=FLOAT),
            node(graph, f"{at}/Enter_2", "Enter", limit, T=INT32),
        ]
        for offset in (-3, -2, -1):
            graph.node[offset].attr["frame_name"].s = frame.encode()
        graph.node[-1].attr["is_constant"].b = True
        merges = [
            node(
                graph,
                f"{at}/Merge",
                "Merge",
                enters[0],
                f"{at}/NextIteration",
                T=INT32,
                N=2,
            ),
            node(
                graph,
                f"{at}/Merge_1",
                "Merge",
                enters[1],
                f"{at}/NextIteration_1",
                T=FLOAT,
                N=2,
            ),
        ]
        less = node(graph, f"{at}/Less", "Less", merges[0], enters[2], T=INT32)
        condition = node(graph, f"{at}/LoopCond", "LoopCond", less)
        switches = [
            node(graph, f"{at}/Switch", "Switch", merges[0], condition, T=INT32),
            node(graph, f"{at}/Switch_1", "Switch", merges[1], condition, T=FLOAT),
        ]
        step = const(graph, f"{at}/one", 1, INT32)
        graph.node[-1].input.append(f"^{at}/Identity")
        node(graph, f"{at}/Identity", "Identity", f"{switches[0]}:1", T=INT32)
        add = node(graph, f"{at}/add", "AddV2", f"{at}/Identity", step, T=INT32)
        turn = node(graph, f"{at}/Tanh", "Tanh", f"{switches[1]}:1", T=FLOAT)
        node(graph, f"{at}/NextIteration", "NextIteration", add, T=INT32)
        node(graph, f"{at}/NextIteration_1", "NextIteration", turn, T=FLOAT)
        last = node(graph, f"{at}/Exit_1", "Exit", switches[1], T=FLOAT)


def conds(graph: Any, count: int) -> None:
    """Conds of TensorFlow 1, one after the other, each by a placeholder of its own mode."""
    node(graph, "phase", "Placeholder", dtype=BOOL)
    last = "x"
    for number in range(count // 4):
        at = f"cond_{number}" if number else "cond"
        switch = node(graph, f"{at}/Switch", "Switch", last, "phase", T=FLOAT)
        a = node(graph, f"{at}/Relu", "Relu", f"{switch}:1", T=FLOAT)
        b = node(graph, f"{at}/Neg", "Neg", switch, T=FLOAT)
        last = node(graph, f"{at}/Merge", "Merge", b, a, T=FLOAT, N=2)


def calls(graph: Any, count: int) -> None:
    """Calls of one function of three nodes, one after the other, and functions that call functions."""
    for depth in range(3):
        function = graph.library.function.add()
        function.signature.name = f"f{depth}"
        function.signature.input_arg.add(name="a", type=FLOAT)
        function.signature.output_arg.add(name="o", type=FLOAT)
        if depth:
            call(function.node_def.add(name="c", input=["a"]), f"f{depth - 1}")
            function.ret["o"] = "c:output:0"
        else:
            function.node_def.add(name="r", op="Relu", input=["a"]).attr["T"].type = (
                FLOAT
            )
            function.ret["o"] = "r:activations:0"
    last = "x"
    for number in range(count // 4):
        call(graph.node.add(name=f"c{number}", input=[last]), "f2")
        last = f"c{number}"
    node(graph, "y", "Neg", last, T=FLOAT)


def call(message: Any, function: str) -> None:
    message.op = "StatefulPartitionedCall"
    message.attr["f"].func.name = function
    message.attr["Tin"].list.type.append(FLOAT)
    message.attr["Tout"].list.type.append(FLOAT)


def scopes(graph: Any, count: int) -> None:
    """A scope for each layer, deep in one another for the first 200."""
    last, path = "x", ""
    for number in range(count // 3):
        path = f"{path}s{number}/" if number < 200 else f"t{number % 100}/u{number}/"
        weight = const(graph, f"{path}w", number)
        product = node(graph, f"{path}mul", "Mul", last, weight, T=FLOAT)
        last = node(graph, f"{path}relu", "Relu", product, T=FLOAT)


def names(graph: Any, count: int) -> None:
    """Three nodes whose names are as long as other graphs are."""
    last = "x"
    for tail in (
        "_1" * (count // 2) + "z",
        "_" * count + "/b",
        "a/" * (count // 2) + "c",
        "while_" * (count // 6),
    ):
        last = node(graph, "n" + tail, "Relu", last, T=FLOAT)


KINDS: dict[str, Callable[[Any, int], None]] = {
    each.__name__: each
    for each in (nodes, variables, loops, conds, calls, scopes, names)
}


def written(kind: str, count: int, folder: Path) -> Path:
    graph = proto.GraphDef()
    graph.versions.producer = 27
    node(graph, "x", "Placeholder", dtype=FLOAT)
    KINDS[kind](graph, count)
    path = folder / f"{kind}_{count}.pb"
    path.write_bytes(graph.SerializeToString())
    return path


class Cost(NamedTuple):
    """What a run took: processor seconds, and peak MB."""

    seconds: float
    megabytes: float


def cost(command: list[str], limit: int) -> Cost:
    """Of the command in a child that has imported all; infinite seconds where it needs more than the limit."""
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))
        sys.stdout = sys.stderr = open(os.devnull, "w")  # noqa: SIM115
        sys.argv = ["graphscope", *command]
        from graphscope.cli import main as run

        try:
            run()
        except SystemExit:
            pass
        os._exit(0)
    _, status, used = os.wait4(child, 0)
    whole = used.ru_utime + used.ru_stime
    return Cost(math.inf if os.WIFSIGNALED(status) else whole, used.ru_maxrss / 1024)


class Growth(NamedTuple):
    """Of seconds with size: the exponent of all sizes, and of the last decade; None where too few tell."""

    whole: float | None
    last: float | None

    def __str__(self) -> str:
        return ", last decade ".join(
            "-" if each is None else f"{each:.2f}" for each in self
        )


def growth(pairs: Sequence[tuple[int, float]], start: float) -> Growth:
    """The growth of the seconds beyond what a small graph takes."""
    own = [(size, time - start) for size, time in pairs if time - start > LEAST]
    if not own:
        return Growth(None, None)
    decade = [(size, time) for size, time in own if 10 * size >= own[-1][0]]
    return Growth(slope(own), slope(decade) if len(decade) > 1 else None)


def slope(pairs: Sequence[tuple[int, float]]) -> float | None:
    """Of the line of least squares through the logarithms; None of fewer than two pairs."""
    if len(pairs) < 2:
        return None
    if pairs[-1][1] == math.inf:
        return math.inf
    x, y = zip(*((math.log(size), math.log(time)) for size, time in pairs))
    return statistics.linear_regression(x, y).slope


def report(
    kind: str, command: str, sizes: list[int], row: list[Cost], start: float
) -> float:
    """Print a line; the largest exponent in it."""
    pairs = [(size, each.seconds) for size, each in zip(sizes, row)]
    most = MOST_NODES if command == "inspect" else math.inf
    parts = [
        growth([pair for pair in pairs if (pair[0] < most) is below], start)
        for below in (True, False)
    ]
    columns = [
        (
            f"{size // 1000}k {time:.2f}"
            if size < most
            else f"[{size // 1000}k {time:.2f}]"
        )
        for size, time in pairs
    ]
    beyond = f" [{parts[1]}]" if parts[1].whole is not None else ""
    peak = f"{row[-1].megabytes:.0f} MB"
    line = f"{kind:10} {command:8} {' '.join(columns)}  {peak}  exponent {parts[0]}{beyond}"
    print(line, flush=True)
    return max(each or 0.0 for part in parts for each in part)


def main() -> int:
    """Print a line for each kind and command; the exit status says whether all exponents hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--largest", type=int, default=100_000)
    parser.add_argument("--limit", type=int, default=300, help="seconds for one run")
    parser.add_argument("--only", nargs="*", default=list(KINDS), choices=list(KINDS))
    parser.add_argument(
        "--commands", nargs="*", default=list(COMMANDS), choices=COMMANDS
    )
    options = parser.parse_args()
    sizes = [size for size in SIZES if size <= options.largest]
    worst = 0.0
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_STATE_HOME"] = folder
        small = str(written("nodes", 100, Path(folder)))
        import graphscope.analysis.results  # noqa: F401  (once, before the children)

        for name in options.commands:
            words = [each.format(out=Path(folder, "out.pb")) for each in COMMANDS[name]]
            runs = [cost([name, small, *words], options.limit) for _ in range(3)]
            for kind in options.only:
                row = []
                for size in sizes:
                    path = written(kind, size, Path(folder))
                    row.append(cost([name, str(path), *words], options.limit))
                    path.unlink()
                worst = max(worst, report(kind, name, sizes, row, min(runs).seconds))
    print(f"largest exponent {worst:.2f}, at most {LIMIT}")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    begin = time.monotonic()
    status = main()
    print(f"{time.monotonic() - begin:.0f} s")
    sys.exit(status)
