"""The documents of ``analysis/documents.py`` -> text for a terminal. Returns strings; ``cli.py`` prints them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

QUIET_KINDS = ("file name", "not needed")  # inputs that only `outputs` lists
AGAINST = -0.5  # points of evidence that speaks against a candidate
SHOWN = 5  # candidates with their evidence; the rest are counted


def printable(text: object) -> str:
    r"""The text with control characters spelled out: a file cannot steer the terminal.

    >>> printable("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    raw = str(text)
    if raw.isprintable():
        return raw
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in raw)


def amount(nbytes: int) -> str:
    """A number of bytes as a person reads it: ``513.1 MiB``."""
    from ..analysis.sizes import bytes_text

    return bytes_text(nbytes)


def number_of(count: int, word: str) -> str:
    """A number of things: ``1 layer``, ``1,200 layers``."""
    from ..analysis.sizes import number_of

    return number_of(count, word)


def shape_text(shape: Sequence[int | None] | None) -> str:
    """``(?, 28, 28, 1)``; ``(...)`` where the rank is unknown."""
    from ..analysis import documents

    return documents.shape_text(shape)


def counted(counts: Mapping[str, int]) -> str:
    """``3 Conv2D, 1 Dense``."""
    return ", ".join(f"{n:,} {printable(name)}" for name, n in counts.items())


def inspect_text(doc: Mapping[str, Any], path: str) -> str:
    """What ``graphscope inspect`` says."""
    lines = [f"{printable(doc['source'])}"]
    producer = f", written by {printable(doc['producer'])}" if doc["producer"] else ""
    lines.append(f"  {printable(doc['format'])}{producer}")
    lines.append(f"  {_graph_line(doc)}")
    if family := doc.get("family"):
        title = ", ".join(filter(None, [family["name"], family["variant"]]))
        lines.append(f"  {printable(title)} ({'; '.join(family['evidence'])})")
    variables = counted(doc["variables"])
    weights = f"{number_of(doc['parameters'], 'parameter')}, {amount(doc['bytes'])}"
    if doc["constants"] and variables:
        weights += f" ({doc['constants']:,} of them constants of the graph)"
    lines.append(f"  {weights}" + (f"; variables: {variables}" if variables else ""))
    lines += [f"  {line}" for line in training_lines(doc["training"])]
    if doc["signatures"]:
        lines.append("  signatures: " + ", ".join(map(printable, doc["signatures"])))
    lines += [f"  note: {printable(n)}" for n in merged_notes(doc["remarks"])]
    lines += ["", *candidates_text(doc, brief=True).splitlines(), "", "Layers"]
    none = _not_sought(doc["over_budget"]) if "over_budget" in doc else "none recovered"
    lines.append(f"  {counted(doc['layers']) or none}")
    if doc.get("loops"):
        listed = ", ".join(
            f"{printable(e['name'])} ({number_of(e['ops'], 'op')})"
            for e in doc["loops"][:SHOWN]
        )
        listed += _beyond(len(doc["loops"]) - SHOWN)
        lines.append(f"  kept as layers that run them: {listed}")
    if doc["unexplained"]:
        lines.append(f"  {_loose(doc)}")
    lines += ["", "Findings"]
    lines += [f"  {finding_line(f)}" for f in doc["findings"]] or [
        "  nothing to object; graphscope doctor reads the weights, too"
    ]
    target = shell_quote(path)
    lines += ["", f"More: graphscope layers {target}; graphscope outputs {target}"]
    return "\n".join(lines)


def _not_sought(over: Mapping[str, object]) -> str:
    """That a graph is too large for its layers to be looked for by the way, and what looks for them."""
    return (
        f"not looked for, nor shapes inferred: the outputs need {over['nodes']:,} nodes, more than {over['most']:,}; "
        f"{printable(over['command'])} looks for them, which takes minutes and gigabytes"
    )


def training_lines(training: Mapping[str, Any] | None) -> Iterator[str]:
    """What a training graph says of its training.

    >>> one = {"text": "Adam (lr 0.001; 10 weights)"}
    >>> list(training_lines({"optimizers": [one], "losses": ["CTCLoss"]}))
    ['trained by Adam (lr 0.001; 10 weights) on CTCLoss']

    Of several optimizers it is not told which one follows which loss: an actor's may be a critic's answer.
    """
    if training is None:
        return
    optimizers, losses = training["optimizers"], ", ".join(training["losses"])
    for each in optimizers[:SHOWN]:
        line = f"trained by {printable(each['text'])}"
        yield line + (f" on {losses}" if losses and len(optimizers) == 1 else "")
    if losses and len(optimizers) > 1:
        yield f"what one of them or more follow: {losses}"
    if penalties := training.get("regularizers", ()):
        yield "the loss also holds " + ", ".join(penalties)


def _loose(doc: Mapping[str, Any]) -> str:
    """How many ops belong to no layer, and which."""
    count, named = doc["unexplained"], doc["unexplained_nodes"]
    belong = "belongs" if count == 1 else "belong"
    names = ", ".join(map(printable, named)) + _beyond(count - len(named))
    return f"{number_of(count, 'op')} {belong} to no layer: {names}"


def _beyond(count: int) -> str:
    return f" and {count:,} more" if count > 0 else ""


def _graph_line(doc: Mapping[str, Any]) -> str:
    if doc["inferred"]:
        return "no graph beside it: what follows is inferred from names and shapes"
    line = number_of(doc["nodes"], "node")
    if doc["functions"]:
        line += f", {number_of(doc['functions'], 'function')}"
    roles = counted(doc["roles"])
    return line + (f"; not part of the model: {roles}" if roles else "")


_VARYING = re.compile(r"'[^']*'|\"[^\"]*\"|[\w.:-]*[\d/][\w./:-]*")
ALIKE = 3  # notes that differ in names alone, from which on they are told as one


def merged_notes(notes: Iterable[str]) -> list[str]:
    """Notes of which many differ in a name only, as one with a count.

    >>> merged_notes(["'a' has no bias", "'b' has no bias", "'c' has no bias", "x"])
    ["'a' has no bias (and 2 more such: --json lists them)", 'x']
    """
    groups: dict[str, list[str]] = {}
    for note in notes:
        groups.setdefault(_VARYING.sub("*", note), []).append(note)
    lines = []
    for group in groups.values():
        more = f" (and {len(group) - 1} more such: --json lists them)"
        lines += group if len(group) < ALIKE else [group[0] + more]
    return lines


def finding_line(finding: Mapping[str, object]) -> str:
    """One finding in one line."""
    return f"{finding['severity']}: {printable(finding['message'])} [{finding['id']}]"


def doctor_text(doc: Mapping[str, Any]) -> str:
    """What ``graphscope doctor`` says: each finding with its remedy."""
    lines = []
    for finding in doc["findings"]:
        lines.append(finding_line(finding))
        if finding["remedy"]:
            lines += [
                f"    {printable(line)}" for line in finding["remedy"].splitlines()
            ]
    return "\n".join(lines) or "nothing to object"


def candidates_text(doc: Mapping[str, Any], brief: bool = False) -> str:
    """What ``graphscope outputs`` says: inputs, then outputs, best first."""
    inputs, outputs, beyond = doc["inputs"], doc["outputs"], 0
    if brief:
        inputs = [each for each in inputs if each["kind"] not in QUIET_KINDS]
        beyond = len(inputs) - 2 * SHOWN
        inputs, outputs = inputs[: 2 * SHOWN], outputs[:SHOWN]
    width = max((len(each["kind"]) for each in inputs), default=4)
    lines = ["Inputs", *([] if inputs else [_no_input(doc)])]
    for each in inputs:
        lines.append(f"  {each['kind']:<{width}}  {_tensor(each)}")
        lines += [] if brief else [_evidence(e, width) for e in each["evidence"]]
    lines += [f"  and {beyond} more"] if beyond > 0 else []
    lines += ["", "Outputs", *([] if outputs else ["  none found"])]
    for each in outputs:
        lines.append(f"  {each['score']:<{width}.2f}  {_tensor(each)}")
        reasons = _speaking(each)[:1] if brief else each["evidence"]
        lines += [_evidence(e, width) for e in reasons]
        if each.get("twins"):
            lines.append(_evidence(_twins(each["twins"]), width))
        lines += [] if brief else [_evidence("$ " + each["freeze"], width)]
    if not (brief or outputs):
        lines += [f"  note: {printable(note)}" for note in merged_notes(doc["remarks"])]
    rest = len(doc["outputs"]) - len(outputs)
    lines += [f"  and {rest} more"] if rest > 0 else []
    lines += ["", *_states(doc["states"])] if doc.get("states") else []
    return "\n".join(lines)


def _twins(names: Sequence[str]) -> str:
    """The other towers and copies of an output."""
    rest = len(names) - SHOWN
    more = f" and {rest} more" if rest > 0 else ""
    return f"computed in the same way: {', '.join(map(repr, names[:SHOWN]))}{more}"


def _states(states: Sequence[Mapping[str, Any]]) -> list[str]:
    """What each run leaves for the next: pairs of what is read and what is written, with the value to begin with."""
    lines = ["States (kept in the file; freeze --states inputs feeds and returns them)"]
    for each in states[:SHOWN]:
        shape, start = shape_text(each["shape"]), each["initial"]
        read = f"{printable(each['variable'])}  {each['dtype']} {shape}"
        first = f", {start} at first" if start else ""
        lines.append(f"  {read} -> {printable(each['next'])}{first}")
    rest = len(states) - SHOWN
    return lines + ([f"  and {rest} more"] if rest > 0 else [])


def _no_input(doc: Mapping[str, Any]) -> str:
    """That nothing is fed, and why."""
    if doc["inputs"]:
        return f"  none that the outputs need; {len(doc['inputs'])} that nothing needs"
    computed = doc["outputs"] and not doc.get("inferred")
    return (
        "  none: all is computed from constants and variables"
        if computed
        else "  none found"
    )


def _speaking(candidate: Mapping[str, Any]) -> list[str]:
    """The evidence that speaks for a candidate, or explains it; all where there is none."""
    pairs = zip(candidate["evidence"], candidate["points"])
    return [e for e, points in pairs if points > AGAINST] or candidate["evidence"]


def _evidence(text: str, width: int) -> str:
    return " " * (width + 6) + printable(text)


def _tensor(each: Mapping[str, Any]) -> str:
    dtype = each["dtype"] or "?"
    return f"{printable(each['tensor'])}  {dtype} {shape_text(each['shape'])}"


def number(value: object) -> str:
    """A cell: a float in four digits, a list by its length, nothing for None."""
    if isinstance(value, float):
        return f"{value + 0.0:.4g}"  # no -0
    if isinstance(value, list):  # the dead channels
        return str(len(value))
    return "" if value is None else str(value)


def verification_text(doc: Mapping[str, Any]) -> str:
    """What ``graphscope verify`` says."""
    lines = []
    for out in doc["outputs"]:
        dtype = "string" if out["dtype"] == "object" else out["dtype"]
        shape = f"{dtype} {shape_text(out['shape'])}"
        apart = f"{number(out['max_abs'])}, {number(out['max_rel'])} of its scale"
        mark = "" if out["passed"] else "   <- differs"
        of = f"{out['signature']}: " if out.get("signature") else ""
        lines.append(
            f"  {of}{out['a']} and {out['b']}  {shape}  differ by {apart}{mark}"
        )
    if doc.get("parts_at"):
        lines.append(f"  first node at which they part: {printable(doc['parts_at'])}")
    lines += [f"  note: {printable(n)}" for n in merged_notes(doc.get("remarks", ()))]
    if doc.get("account"):
        lines.append(f"  {doc['account']}")
    if doc["outputs"] and all(out.get("random") for out in doc["outputs"]):
        lines.append("NOT COMPARED: all outputs are drawn at random")
        return "\n".join(map(printable, lines))
    verdict = doc.get("verdict", "equal" if doc["passed"] else "different")
    verdict = verdict if verdict == "equal" else verdict.upper()
    if doc["passed"] and any(out.get("operators") for out in doc["outputs"]):
        verdict = "equal operator by operator, all of them with LiteRT's rounding"
    if doc.get("run_with"):
        verdict += f" to the file run with {printable(', '.join(doc['run_with']))}"
    worst = f"largest difference {doc['max_abs']:.3g}, {doc['max_rel']:.3g} of the output's scale"
    stored = f"; {printable(doc['stored'])}" if doc.get("stored") else ""
    return "\n".join([*map(printable, lines), f"{verdict}: {worst}{stored}"])


def freeze_text(doc: Mapping[str, Any]) -> str:
    """What ``graphscope freeze`` says."""
    lines = [
        f"wrote {printable(doc['path'])}: {number_of(doc['nodes'], 'node')}, {amount(doc['bytes'])}"
    ]
    for side in ("inputs", "outputs"):
        lines.append(f"  {side:<8} " + ", ".join(map(printable, doc[side])))
    holds = "holds" if doc["constants"] == 1 else "hold"
    lines.append(
        f"  {number_of(doc['constants'], 'constant')} {holds} its weights and settings"
    )
    if doc["dropped"]:
        lines.append(f"  left out: {counted(doc['dropped'])}")
    lines += [
        f"  changed: {line}" for line in merged_notes(map(_change, doc["changes"]))
    ]
    lines += [f"  note: {printable(n)}" for n in merged_notes(doc.get("remarks", ()))]
    if doc["verified"]:
        worst = doc["verified"]["max_rel"]
        lines.append(
            f"  the reduction costs {worst:.2g} of the output's scale at the most"
        )
    return "\n".join(lines)


def _change(change: Mapping[str, Any]) -> str:
    """What was changed, and some of the nodes where."""
    nodes = ", ".join(map(printable, change["nodes"][:SHOWN]))
    rest = len(change["nodes"]) - SHOWN
    more = f" and {rest} more" if rest > 0 else ""
    return printable(change["what"]) + (f" ({nodes}{more})" if nodes else "")


def keras_text(doc: Mapping[str, Any]) -> str:
    """What ``graphscope keras`` says."""
    folder, weights = printable(doc["path"]), doc["weights"]
    also = f" and {folder}/{weights}" if weights else ", without weights"
    lines = [f"wrote {folder}/model.py{also}"]
    lines.append(
        f"  {number_of(doc['layers'], 'layer')}, {number_of(doc['parameters'], 'parameter')}, "
        f"{doc['weights_in_layers']:.4g}% of them in Keras's own layers, {doc['lines_of_code']:,} lines of code"
    )
    if doc["unexplained"]:
        count = len(doc["unexplained"])
        belong = "belongs" if count == 1 else "belong"
        lines.append(f"  {number_of(count, 'op')} {belong} to no layer: keras.ops")
    for node, reason in doc["not_portable"].items():
        lines.append(f"  TensorFlow only: {printable(node)} ({printable(reason)})")
    lines += [f"  note: {printable(n)}" for n in merged_notes(doc["remarks"])]
    if doc["verified"]:
        lines += verification_text(doc["verified"]).splitlines()
    elif not any(each.startswith("not verified") for each in doc["remarks"]):
        lines.append("  not verified (needs TensorFlow): graphscope verify MODEL DIR")
    return "\n".join(lines)


def shell_quote(path: str) -> str:
    """The path as one word for the shell."""
    import shlex

    return shlex.quote(printable(path))
