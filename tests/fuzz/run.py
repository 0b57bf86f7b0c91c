"""``python tests/fuzz/run.py --minutes N``: hostile files through the readers and the whole chain, each in a limited child.

Whatever the file, every command ends within 10 s of processor time and 1 GB with exit 0, 1 or 3 and no more than a line for an error.
What does not is a finding: its file is kept, and becomes a test.  ``--seed`` repeats a run, ``--replay FOLDER`` a kept case.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
sys.path.insert(0, str(ROOT))

from graphscope import cli  # noqa: E402
from tests.fuzz.files import seeds, write_case  # noqa: E402
from tests.fuzz.server import serve, url  # noqa: E402

SECONDS, BYTES, PATIENCE = 10, 1 << 30, 90
COMMANDS = (
    ["inspect", "{}", "--json"],
    ["doctor", "{}"],
    ["layers", "{}"],
    ["outputs", "{}"],
    ["variables", "{}", "--stats"],
    ["render", "{}", "-o", "out.html"],
    ["render", "{}", "-o", "out.dot", "--level", "op"],
    ["render", "{}", "-o", "out.md"],
    ["freeze", "{}", "-o", "frozen.pb"],
    ["keras", "{}", "-o", "keras", "--no-verify"],
)


def main() -> int:
    """Fuzz for so many minutes; the exit status says whether anything was found."""
    options = parsed()
    import_all()
    if options.replay:
        return replay(options.replay)
    corpus = Path(
        os.environ.get("GRAPHSCOPE_CORPUS", ROOT.parent / "shared" / "corpus")
    )
    found = seeds(corpus)
    begin, number = time.monotonic(), 0
    findings: collections.Counter[str] = collections.Counter()
    while time.monotonic() - begin < 60 * options.minutes:
        number += 1
        draw = random.Random(options.seed * 1_000_003 + number)
        for finding in try_case(draw, found, options.keep, number, findings):
            findings[finding] += 1
    report = f"{number} cases in {options.minutes:g} minutes, {len(found)} seeds, {len(findings)} findings"
    print(
        report,
        *(f"{count:5d} {text}" for text, count in findings.most_common()),
        sep="\n",
    )
    return 1 if findings else 0


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument(
        "--keep", type=Path, default=Path(tempfile.gettempdir()) / "fuzz-findings"
    )
    parser.add_argument("--replay", type=Path, help="the folder of a kept case")
    return parser.parse_args()


def import_all() -> None:
    """What a command imports late is imported here, once, before any child is forked."""
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["XDG_STATE_HOME"] = folder
        draw = random.Random(1)
        for number in range(20):
            place = Path(folder, str(number))
            place.mkdir()
            path = write_case(draw, place, [])
            for words in COMMANDS:
                with contextlib.suppress(BaseException):
                    run_command(words, str(path), place)
        os.chdir(home)


def replay(folder: Path) -> int:
    """Run every command on a kept case; prints what each ends with."""
    target = (folder / "TARGET").read_text()
    for words in COMMANDS:
        begin = time.monotonic()
        print(
            " ".join(words[:4]),
            "->",
            outcome(words, str(folder / target), folder) or "fine",
            f"{time.monotonic() - begin:.1f} s",
        )
    return 0


def try_case(
    draw: random.Random,
    found: list[Path],
    keep: Path,
    number: int,
    known: collections.Counter[str],
) -> list[str]:
    """One file through some of the commands; the findings, each told by where it happened."""
    folder = Path(tempfile.mkdtemp(prefix="fuzz-"))
    place = folder / "case"
    place.mkdir()
    server = None
    findings = []
    try:
        target = str(path := write_case(draw, place, found))
        if draw.random() < 0.04 and path.is_file():
            server, base = serve(path.read_bytes())
            target = url(draw, base, path.name)
        for words in draw.sample(COMMANDS, 3):
            finding = outcome(words, target, folder)
            if finding:
                findings.append(finding)
                if finding not in known:
                    print(
                        f"case {number} {path.name}: {' '.join(words[:2])}: {finding}",
                        flush=True,
                    )
                    keep_case(place, path, keep / f"{number}-{words[0]}", finding)
    finally:
        if server is not None:
            server.shutdown()
        shutil.rmtree(folder, ignore_errors=True)
    return findings


def keep_case(place: Path, path: Path, target: Path, finding: str) -> None:
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(place, target)
    (target / "TARGET").write_text(os.path.relpath(path, place))
    (target / "FINDING").write_text(finding)


def outcome(words: list[str], target: str, folder: Path) -> str:
    """What is wrong with how a command ends; "" where nothing is."""
    receiving, sending = os.pipe()
    child = os.fork()
    if not child:
        os.close(receiving)
        with os.fdopen(sending, "w", errors="replace") as pipe:
            pipe.write(in_child(words, target, folder))
        os._exit(0)
    os.close(sending)
    signal.signal(signal.SIGALRM, lambda *_: os.kill(child, signal.SIGKILL))
    signal.alarm(PATIENCE)
    with os.fdopen(receiving, errors="replace") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    signal.alarm(0)
    if os.WIFSIGNALED(status):
        name = signal.Signals(os.WTERMSIG(status)).name
        return f"{words[0]} {words[-1] if words[0] == 'render' else ''} ended by {name}"
    return said


def in_child(words: list[str], target: str, folder: Path) -> str:
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + SECONDS
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + BYTES,) * 2)
    signal.signal(signal.SIGXCPU, too_slow)
    os.chdir(folder)
    try:
        status, said = run_command(words, target, folder)
    except BaseException as error:
        return told(error)
    lines = [line for line in said.splitlines() if line.strip()]
    if status not in (0, 1, 3):
        return f"{words[0]}: exit {status}: {said[-200:]!r}"
    if status == 1 and words[0] not in ("doctor", "freeze") and len(lines) != 1:
        return f"{words[0]}: {len(lines)} lines for an error: {said[-200:]!r}"
    return ""


def too_slow(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS} s")


def told(error: BaseException) -> str:
    frames = [
        f
        for f in traceback.extract_tb(error.__traceback__)
        if "graphscope/" in f.filename
    ]
    if isinstance(error, TimeoutError):
        frames = frames[:: max(1, len(frames) // 6)]
    places = [f"{Path(f.filename).name}:{f.lineno}" for f in frames[-3:]]
    return f"{type(error).__name__} at {' > '.join(places)}"


def run_command(words: list[str], target: str, folder: Path) -> tuple[int, str]:
    """The exit status and what went to stderr."""
    said, printed = io.StringIO(), io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    sys.argv = [
        "graphscope",
        *(word.format(target) if word == "{}" else word for word in words),
    ]
    status = 0
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(printed):
        try:
            cli.main()
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
    return status, said.getvalue()


if __name__ == "__main__":
    sys.exit(main())
