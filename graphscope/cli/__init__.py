"""The command line: one subcommand per verb, each a few lines over the library.

Results go to stdout, remarks to stderr. Exit status: 0 done, 1 the file or the request is at fault, 2 bad usage,
3 two models were compared and differ, 4 nothing was proven: what was to be compared could not be run, is drawn at random,
or is the same whatever is fed.
"""

from __future__ import annotations

import atexit
import gc
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import click

from .. import __version__
from .arguments import analysis_of, opened, refuse_useless, say, warn_of
from .assignment import assign_command
from .endings import can_run, end_by_signal, exit_by, fail
from .group import Ordered, completion_command
from .inputs import on_disk, over_models, with_file
from .ledger import KERAS, check_ours, remember
from .options import (
    EXPORT_WISHES,
    FREEZE_WISHES,
    MODEL,
    PATH,
    REDUCTIONS,
    as_json,
    export_options,
    freeze_options,
    keras_options,
    of_layers,
    parse_rename,
    shared_options,
)
from .pictures import diff_command, of_charts, render_command, view_command
from .survey import survey_command
from .text.progress import noticing
from .text.show import show
from .text.tables import Choice, layers_text, of_tables, variables_text


@click.group(cls=Ordered, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="graphscope")
def cli() -> None:
    """A decompiler for TensorFlow models.

    MODEL is whatever you have: a checkpoint prefix, one of its files, a .meta, a .pb or .pbtxt, a SavedModel
    folder, a .keras, .h5 or .tflite; - is standard input. What it is, is told from its bytes.
    """


def model_command(name: str, several: bool = False) -> Callable[..., click.Command]:
    """A subcommand on one MODEL (or on ``several``, each on its own), with the options that all of them take."""

    def register(function: Callable[..., None]) -> click.Command:
        command = with_file(function)
        command = over_models(command) if several else command
        return cli.command(name)(shared_options(command, several))

    return register


@model_command("inspect", several=True)
@as_json
def inspect_command(json_wanted: bool, **options: Any) -> None:
    """What it is: format, producer, inputs, outputs, layers, totals, findings.

    Where the outputs need more than 300,000 nodes layers are not looked for: ``graphscope layers`` does.
    Of several MODELs or a glob: one after the other, with --json a line of JSON each.
    """
    from ..analysis import documents as report
    from ..analysis.sizes import MOST_NODES
    from . import terminal as console

    document = report.describe_model(analysis_of(options), MOST_NODES)
    say(document, lambda: console.inspect_text(document, options["model"]), json_wanted)


@model_command("variables", several=True)
@click.option(
    "--stats",
    is_flag=True,
    help="Minimum, maximum, mean, zeros, NaN of each: reads all weights.",
)
@of_tables
@of_charts
@as_json
def variables_command(
    json_wanted: bool, stats: bool, choice: Choice, **options: object
) -> None:
    """The variable list: roles, shapes, bytes, statistics on request.

    Of several MODELs or a glob: one after the other, with --json a line of JSON each.
    """
    from ..analysis import documents as report

    document = report.describe_variables(analysis_of(options), stats)
    say(document, lambda: variables_text(document, choice), json_wanted, choice.wide)


@model_command("layers")
@of_layers
@of_tables
@as_json
def layers_command(
    json_wanted: bool,
    level: str,
    stop_after: str | None,
    choice: Choice,
    **options: object,
) -> None:
    """Table of the recovered layers."""
    from ..analysis import documents as report
    from ..analysis.sizes import sizes_of

    analysis = analysis_of(options)
    if stop_after:
        document = report.describe_pass(analysis, stop_after)
        frame = partial(analysis.layer_table_after, stop_after)
        say(document, lambda: layers_text(frame(), choice), json_wanted, choice.wide)
    elif json_wanted:
        say(report.describe_layers(analysis), str, True)
    else:
        outside = sizes_of(analysis).outside
        text = layers_text(analysis.layer_table(level), choice, outside)
        say({}, lambda: text, False, choice.wide)


@model_command("outputs")
@as_json
def outputs_command(json_wanted: bool, **options: object) -> None:
    """Ranked candidate inputs and outputs, each with its evidence."""
    from ..analysis import documents as report
    from . import terminal as console

    document = report.describe_outputs(analysis_of(options))
    say(document, lambda: console.candidates_text(document), json_wanted)


@model_command("doctor", several=True)
@click.option(
    "--fail-on",
    type=click.Choice(["info", "warning", "error"]),
    help="Exit 1 from this severity on.",
)
@as_json
def doctor_command(json_wanted: bool, fail_on: str | None, **options: object) -> None:
    """What would break or falsify a freeze, and the remedy.

    Of several MODELs or a glob: one after the other, with --json a line of JSON each.
    """
    from ..analysis import documents as report
    from . import terminal as console

    document = report.describe_findings(analysis_of(options))
    say(document, lambda: console.doctor_text(document), json_wanted)
    ranks = ["info", "warning", "error"]
    if fail_on and any(
        ranks.index(f["severity"]) >= ranks.index(fail_on) for f in document["findings"]
    ):
        sys.exit(1)


@cli.command("explain")
@MODEL
@click.argument("pattern", required=False)
@click.option("--at", "node", metavar="NODE", help="Where the layer should end.")
@click.option("--output", metavar="TENSOR", help="Why it is an output, or is none.")
def explain_command(
    model: str, pattern: str | None, node: str | None, output: str | None
) -> None:
    """Why a layer was recovered or was not, why a tensor is an output or is none.

    PATTERN is a class of layers or the name of a formula, with --at NODE (or a layer as graphscope layers names it);
    or, alone, such a layer: what it is and of which ops; or the name of a known family: what of its weights is here and
    what does not fit.
    """
    if not (output or pattern):
        raise click.UsageError(
            "give a PATTERN and --at NODE, the name of a layer or of a family, or --output TENSOR"
        )
    analysis = opened(model, outputs=[output] if output else ())
    analysis.check_names()
    if output:
        show(analysis.candidates.explain(output))
    elif node:
        show(analysis.explain(str(pattern), node))
    elif analysis.has_layer(str(pattern)):
        show(analysis.explain_layer(str(pattern)))
    else:
        show(analysis.explain_family(str(pattern)))


cli.add_command(render_command)
cli.add_command(view_command)
cli.add_command(diff_command)


@model_command("freeze")
@freeze_options
@as_json
def freeze_command(
    json_wanted: bool,
    out: str,
    rename: tuple[str, ...],
    force: bool,
    verify: bool,
    **options: object,
) -> None:
    """Checkpoint and graph to one .pb: variables become constants."""
    from . import terminal as console

    check_ours([out], force)
    wishes = {key: options[key] for key in FREEZE_WISHES if options[key]}
    wishes["rename"] = dict(map(parse_rename, rename))
    analysis = analysis_of({**options, "out": out})
    refuse_useless(analysis, force)
    document = analysis.freeze(out, **wishes).to_json()
    remember([out])
    warn_of(analysis)
    document["verified"] = None
    if verify and REDUCTIONS & wishes.keys() and can_run():
        document["verified"] = analysis.measure_reduction(out, **wishes).to_json()
    say(document, lambda: console.freeze_text(document), json_wanted)


@model_command("keras")
@keras_options
@as_json
def keras_command(
    json_wanted: bool,
    out: str,
    verify: bool | None,
    trust: bool,
    single_file: bool,
    incomplete: bool,
    weights: str,
    force: bool,
    **options: object,
) -> None:
    """Keras source with the weights in place: model.py and model.weights.h5.

    Both models are then run on the same random inputs: verification.json in the same folder says how far they
    differ, and the exit status is 3 where they do. With --verify it is 4 where that was not proven.
    """
    from ..errors import NotRunnable, UnsafeModel
    from . import terminal as console

    must_prove, verify = bool(verify), verify is not False
    written = [os.path.join(out, name) for name in KERAS]
    check_ours(written, force)
    analysis = analysis_of(options)
    report = analysis.write_keras(out, incomplete, weights)
    document = report.document()
    remember(written)
    if not document["weights"]:
        single_file = verify = False
    if single_file:
        from ..verify import in_one_file

        packed = partial(analysis.pack_keras, report)
        path, remark = in_one_file(packed, out, trust, can_run())
        document["weights"] = path.name if path else document["weights"]
        document["remarks"] += [remark] if remark else []
        remember(written)
    if verify and not can_run():
        document["remarks"].append("not verified: TensorFlow is not installed")
    elif verify:
        try:
            proof = analysis.prove(out, trust, in_child=True)
            document["verified"] = proof.to_json()
        except (NotRunnable, UnsafeModel) as error:
            document["remarks"].append(f"not verified: {error}")
    say(document, lambda: console.keras_text(document), json_wanted)
    exit_by(document["verified"], must_prove)


@cli.command("verify")
@click.argument("a", type=PATH)
@click.argument("b", type=PATH)
@click.option(
    "--signature", default="", metavar="NAME", help="The one to compare of several."
)
@click.option(
    "--trust",
    is_flag=True,
    help="Run a model whose ops can touch files, network or Python.",
)
@as_json
def verify_command(
    a: str, b: str, signature: str, trust: bool, json_wanted: bool
) -> None:
    """Run A and B on the same inputs and compare what they compute (needs TensorFlow).

    A TensorFlow.js graph model runs in Node, where that and its packages are installed. Where a source has a model for
    each signature of the other side, all are compared.

    Exit status 0: compared and equal; 3: different; 4: not proven, because one could not be run, all is drawn at
    random, or the outputs were the same whatever was fed.
    """
    from ..analysis.diff.computed import compare_files
    from ..analysis.progress import announce
    from ..errors import NotRunnable, UnsafeModel
    from ..verify import apart
    from . import terminal as console

    a, b = on_disk(a), on_disk(b)
    network = "://" in a + b  # a model that is fetched
    announce("running both models")
    try:
        document = apart(
            partial(compare_files, a, b, trust, signature), network
        ).to_json()
    except (NotRunnable, UnsafeModel) as error:
        fail(error, 4)
    say(document, lambda: console.verification_text(document), json_wanted)
    exit_by(document, must_prove=True)


@model_command("export")
@export_options
@as_json
def export_command(json_wanted: bool, out: str, target: str, **options: Any) -> None:
    """To another runtime, proven there: savedmodel, tfjs, tflite, onnx, openvino.

    Exit status 3 where what the runtime computes differs from the source by more than --within.
    """
    from .text import deployment

    check_ours([out], options["force"], folders=True)
    wishes = {key: options[key] for key in EXPORT_WISHES}
    analysis = analysis_of({**options, "out": out})
    document = analysis.export(out, target, force=True, **wishes)  # it was asked above
    remember([out])
    say(document.to_json(), lambda: deployment.export_text(document), json_wanted)
    if document.verified and document.verified.passed is False:
        sys.exit(3)


cli.add_command(assign_command)
cli.add_command(survey_command)


@cli.command("demo")
@click.option(
    "-o",
    "--out",
    type=PATH,
    default="graphscope-demo",
    show_default=True,
    metavar="DIR",
    help="Where its files go.",
)
def demo_command(out: str) -> None:
    """Train a small TensorFlow 1 model, then run the whole chain on it."""
    from .demo.chain import run_demo

    run_demo(out, click.echo, cli)


cli.add_command(completion_command)


def main() -> None:
    """The console script: errors become one line and an exit status."""
    from ..errors import GraphscopeError

    # A graph is a million small objects that all live to the end: collecting as often as Python does by default
    # is a quarter of the time of ``inspect`` on a graph of 20,000 nodes.
    gc.set_threshold(500_000, 50, 1000)
    # numpy's BLAS starts a thread for each core when it is loaded, a quarter of what a small command takes; none multiplies
    # matrices for long.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    end_by_signal()
    atexit.register(gc.freeze)  # else the end of the process looks through all of it
    try:
        with noticing():
            cli.main(standalone_mode=False)
    except click.ClickException as error:
        fail(error, error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("graphscope: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except GraphscopeError as error:
        fail(error, error.exit_code)
    except OSError as error:
        fail(error, 1)
