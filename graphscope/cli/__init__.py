"""The command line: one subcommand per verb, each a few lines over the library.

Results go to stdout, remarks to stderr. Exit status: 0 done, 1 the file or the request is at fault, 2 bad usage,
3 two models were compared and differ, 4 nothing was proven: what was to be compared could not be run, is drawn at random,
or is the same whatever is fed.
"""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from functools import partial
from typing import Any, NoReturn

import click

from .. import __version__
from .arguments import analysis_of, say
from .assignment import assign_command
from .endings import end_by_signal, exit_by, os_text
from .ledger import KERAS, check_ours, remember
from .objections import refuse_useless, warn_of
from .options import (
    EXPORT_WISHES,
    FREEZE_WISHES,
    REDUCTIONS,
    as_json,
    export_options,
    freeze_options,
    keras_options,
    of_layers,
    parse_rename,
    shared_options,
)
from .pictures import diff_command, render_command, view_command
from .survey import survey_command
from .text.progress import noticing
from .text.tables import Choice, layers_text, of_tables, variables_text


class Ordered(click.Group):
    """Lists its commands in the order in which a newcomer needs them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


@click.group(cls=Ordered, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="graphscope")
def cli() -> None:
    """A decompiler for TensorFlow models.

    MODEL is whatever you have: a checkpoint prefix, one of its files, a .meta, a .pb or .pbtxt, a SavedModel
    folder. What it is, is told from its bytes.
    """


def model_command(name: str, **options: Any) -> Callable[..., click.Command]:
    """A subcommand on one MODEL, with the options that all of them take."""

    def register(function: Callable[..., None]) -> click.Command:
        return cli.command(name, **options)(shared_options(function))

    return register


@model_command("inspect")
@as_json
def inspect_command(json_wanted: bool, **options: Any) -> None:
    """What it is: format, producer, inputs, outputs, layers, totals, findings."""
    from ..analysis import documents as report
    from . import terminal as console

    document = report.describe_model(analysis_of(options))
    say(document, lambda: console.inspect_text(document, options["model"]), json_wanted)


@model_command("variables")
@click.option(
    "--stats",
    is_flag=True,
    help="Minimum, maximum, mean, zeros, NaN of each: reads all weights.",
)
@of_tables
@as_json
def variables_command(
    json_wanted: bool, stats: bool, choice: Choice, **options: Any
) -> None:
    """The variable list: roles, shapes, bytes, statistics on request."""
    from ..analysis import documents as report

    document = report.describe_variables(analysis_of(options), stats)
    say(document, lambda: variables_text(document, choice), json_wanted)


@model_command("layers")
@of_layers
@of_tables
@as_json
def layers_command(
    json_wanted: bool,
    level: str,
    stop_after: str | None,
    choice: Choice,
    **options: Any,
) -> None:
    """Table of the recovered layers."""
    from ..analysis import documents as report

    analysis = analysis_of(options)
    if stop_after:
        document = report.describe_pass(analysis, stop_after)
        frame = partial(analysis.layer_table_after, stop_after)
        say(document, lambda: layers_text(frame(), choice), json_wanted)
    elif json_wanted:
        say(report.describe_layers(analysis), str, True)
    else:
        text = layers_text(analysis.layer_table(level), choice)
        say({}, lambda: text, False)


@model_command("outputs")
@as_json
def outputs_command(json_wanted: bool, **options: Any) -> None:
    """Ranked candidate inputs and outputs, each with its evidence."""
    from ..analysis import documents as report
    from . import terminal as console

    document = report.describe_outputs(analysis_of(options))
    say(document, lambda: console.candidates_text(document), json_wanted)


@model_command("doctor")
@click.option(
    "--fail-on",
    type=click.Choice(["info", "warning", "error"]),
    help="Exit 1 from this severity on.",
)
@as_json
def doctor_command(json_wanted: bool, fail_on: str | None, **options: Any) -> None:
    """What would break or falsify a freeze, and the remedy."""
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
@click.argument("model")
@click.argument("pattern", required=False)
@click.option("--at", "node", metavar="NODE", help="Where the layer should end.")
@click.option("--output", metavar="TENSOR", help="Why it is an output, or is none.")
def explain_command(
    model: str, pattern: str | None, node: str | None, output: str | None
) -> None:
    """Why PATTERN (a layer's or a formula's name) does or does not match at NODE; the evidence of an output; or, of a
    known family's name, what of its weights is here and what does not fit."""
    from ..analysis.results import analyse

    if output:
        click.echo(analyse(model).candidates.explain(output))
    elif pattern and node:
        click.echo(analyse(model).explain(pattern, node))
    elif pattern:
        click.echo(analyse(model).explain_family(pattern))
    else:
        raise click.UsageError(
            "give a PATTERN and --at NODE, the name of a family, or --output TENSOR"
        )


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
    **options: Any,
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


def can_run() -> bool:
    """Whether TensorFlow is installed; nothing is imported to find out."""
    from importlib.util import find_spec

    return find_spec("tensorflow") is not None


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
    force: bool,
    **options: Any,
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
    document = analysis.write_keras(out, incomplete).document()
    remember(written)
    if not document["weights"]:
        single_file = verify = False
    if single_file and not can_run():
        remark = "TensorFlow is not installed, so there is no model.keras"
        document["remarks"].append(f"{remark}: model.py and its weights are written")
    elif single_file:
        from ..errors import NotExpressible
        from ..verify import save_single

        try:
            document["weights"] = save_single(out, trust).name
            remember(written)
        except NotExpressible as error:
            document["remarks"].append(str(error))
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
@click.argument("a")
@click.argument("b")
@click.option(
    "--trust",
    is_flag=True,
    help="Run a model whose ops can touch files, network or Python.",
)
@as_json
def verify_command(a: str, b: str, trust: bool, json_wanted: bool) -> None:
    """Run A and B on the same inputs and compare what they compute (needs TensorFlow).

    A TensorFlow.js graph model runs in Node, where that and its packages are installed.

    Exit status 0: compared and equal; 3: different; 4: not proven, because one could not be run, all is drawn at
    random, or the outputs were the same whatever was fed.
    """
    from ..analysis.comparison import compare_files
    from ..errors import NotRunnable, UnsafeModel
    from ..verify import apart
    from . import terminal as console

    network = "://" in a + b  # a model that is fetched
    try:
        document = apart(lambda: compare_files(a, b, trust), network).to_json()
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
    from . import deployment

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
    "-o", "--out", default="graphscope-demo", show_default=True, metavar="DIR"
)
def demo_command(out: str) -> None:
    """Train a small TensorFlow 1 model, then run the whole chain on it."""
    from .demo.chain import run_demo

    run_demo(out, click.echo, cli)


def main() -> None:
    """The console script: errors become one line and an exit status."""
    from ..errors import GraphscopeError

    # A graph is a million small objects that all live to the end: collecting as often as Python does by default
    # is a quarter of the time of ``inspect`` on a graph of 20,000 nodes.
    gc.set_threshold(200_000, 50, 1000)
    end_by_signal()
    try:
        with noticing():
            cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("graphscope: interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except GraphscopeError as error:
        fail(error, error.exit_code)
    except OSError as error:
        fail(GraphscopeError(os_text(error)), 1)


def fail(error: BaseException, status: int) -> NoReturn:
    """One line on stderr, then the exit."""
    from .terminal import printable

    click.echo("graphscope: " + printable(" ".join(str(error).split())), err=True)
    sys.exit(status)
