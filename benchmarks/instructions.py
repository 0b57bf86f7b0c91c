"""How many instructions five commands take, which no load of the machine moves: ``python benchmarks/instructions.py [--against TREE] [--keep]``.

Counted by ``perf stat`` where the system allows it, else by valgrind's callgrind, in a process whose modules are compiled and whose
hashes are fixed. Prints each count beside the one kept in ``instructions.json`` (written anew by ``--keep``), or beside that of another
tree of the package in the same run. Nothing fails: a change's cost is to be seen, not to be forbidden.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from open_graph import write_heavy
from scaling import written

ROOT = Path(__file__).parent.parent
KEPT = Path(__file__).with_suffix(".json")
COMMANDS = {
    "inspect, 300 variables": ("inspect", "variables"),
    "outputs, 30 loops": ("outputs", "loops"),
    "layers, 300 scopes": ("layers", "scopes"),
    "freeze, 12 MB": ("freeze", "heavy"),
    "keras, 12 MB": ("keras", "heavy"),
}


def counted(command: list[str], tree: Path) -> int:
    """Instructions of ``graphscope COMMAND`` of a tree, in millions; raises RuntimeError where they cannot be counted."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    env |= {"PYTHONPATH": str(tree), "PYTHONHASHSEED": "0"}
    whole = [sys.executable, "-m", "graphscope", *command]
    with tempfile.TemporaryDirectory() as state:
        env["XDG_STATE_HOME"] = state
        for counter, pattern in _COUNTERS:
            if shutil.which(counter[0]) is None:
                continue
            done = subprocess.run(
                [*counter, *whole], capture_output=True, text=True, env=env, cwd=tree
            )
            number = re.search(pattern, done.stderr)
            if number and not done.returncode:
                return int(number[1].replace(",", "")) // 1_000_000
    raise RuntimeError(f"neither perf nor valgrind counts {command}: {done.stderr}")


_COUNTERS = (
    (["perf", "stat", "-e", "instructions:u"], r"([\d,]+)\s+instructions"),
    (
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"],
        r"Collected : (\d+)",
    ),
)


def arguments(command: str, path: Path, folder: Path) -> list[str]:
    if command == "freeze":
        return [command, str(path), "-o", str(folder / "out.pb"), "--force"]
    if command == "keras":
        out = str(folder / "keras")
        return [command, str(path), "-o", out, "--no-verify", "--force"]
    return [command, str(path)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, metavar="TREE")
    parser.add_argument("--keep", action="store_true")
    asked = parser.parse_args()
    kept = json.loads(KEPT.read_text()) if KEPT.exists() else {}
    trees = [ROOT] + ([asked.against.resolve()] if asked.against else [])
    for tree in trees:
        compileall.compile_dir(str(tree / "graphscope"), quiet=2)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        models = {k: written(k, 300, folder) for k in ("variables", "loops", "scopes")}
        models["heavy"] = folder / "heavy.pb"
        write_heavy(models["heavy"], weights=3)
        for title, (command, model) in COMMANDS.items():
            words = arguments(command, models[model], folder)
            counts = [counted(words, tree) for tree in trees]
            before = counts[1] if asked.against else kept.get(title)
            ratio = f"{counts[0] / before:6.3f} of {before:,} M" if before else ""
            print(f"{title:24} {counts[0]:8,} M  {ratio}", flush=True)
            kept[title] = counts[0]
    if asked.keep:
        KEPT.write_text(json.dumps(kept, indent=1) + "\n")


if __name__ == "__main__":
    main()
