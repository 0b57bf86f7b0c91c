"""The options of the command line, and how their texts are read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Decorated = Callable[..., Any]


FILE_SUFFIXES = tuple(
    ".pb .pbtxt .html .htm .svg .png .dot .md .csv .json .txt .h5 .keras .onnx .tflite .py".split()
)


class OutOption(click.Option):
    """``-o/--out`` that must be said; where it is not and --output has a file's name, the two were taken for one another."""

    def process_value(self, ctx: click.Context, value: object) -> object:
        try:
            return super().process_value(ctx, value)
        except click.MissingParameter:
            for name in (
                ctx.params.get("outputs") or ()
            ):  # click reads what is said first
                if name.lower().endswith(FILE_SUFFIXES):
                    raise click.UsageError(
                        f"-o/--out, where to write, is missing: --output names a node of the model (-o {name} writes there)"
                    ) from None
            raise


# what completes to paths; nothing is checked: a checkpoint's prefix is no file
PATH = click.Path()
MODEL = click.argument("model", type=PATH)
MODELS = click.argument(
    "models", type=PATH, nargs=-1, required=True, metavar="MODEL..."
)
SHARED = (
    click.option(
        "--output",
        "-O",
        "outputs",
        multiple=True,
        metavar="NAME",
        help="An output of the model.",
    ),
    click.option(
        "--input",
        "-I",
        "inputs",
        multiple=True,
        metavar="NAME",
        help="An input of the model.",
    ),
    click.option(
        "--signature",
        default="",
        metavar="NAME",
        help="The one to look at, of a file that declares several.",
    ),
    click.option(
        "--shape",
        "shapes",
        multiple=True,
        metavar="NAME=1,224,224,3",
        help="The shape of an input; ? is any size.",
    ),
    click.option(
        "--checkpoint",
        type=PATH,
        metavar="PATH",
        help="Where the weights are, when not beside MODEL.",
    ),
    click.option(
        "--graph",
        type=PATH,
        metavar="PATH",
        help="Where the graph is, when not beside MODEL.",
    ),
    click.option(
        "--check", is_flag=True, help="Compare the checksum of every tensor: reads all."
    ),
)
as_json = click.option(
    "--json", "json_wanted", is_flag=True, help="One JSON document on stdout."
)


level_option = click.option(
    "--level",
    type=click.Choice(["op", "layer", "block"]),
    default="layer",
    show_default=True,
    help="What a row or a box stands for.",
)


def of_layers(command: Decorated) -> Decorated:
    """``--level`` and ``--stop-after`` of the table of layers."""
    stop = click.option(
        "--stop-after",
        metavar="PASS",
        help="What stands after one of the passes to the layers, such as find_layers.",
    )
    return level_option(stop(command))  # type: ignore[no-any-return]


force_option = click.option(
    "--force",
    is_flag=True,
    help="Replace what stands at OUT and graphscope did not write, or was edited since.",
)
weights_option = click.option(
    "--weights",
    type=click.Choice(["auto", "raw", "ema"]),
    default="auto",
    show_default=True,
    help="Moving averages of the weights where there are some, raw weights, or averages only.",
)
FREEZE = (
    force_option,
    click.option(
        "-o",
        "--out",
        cls=OutOption,
        type=PATH,
        required=True,
        metavar="FILE.pb",
        help="The file to write.",
    ),
    click.option(
        "--as-is",
        is_flag=True,
        help="Leave the graph in its mode; default is inference.",
    ),
    click.option(
        "--rename",
        multiple=True,
        metavar="OLD=NEW",
        help="Rename a node of the result.",
    ),
    weights_option,
    click.option(
        "--fold-batch-norm",
        is_flag=True,
        help="Fold batch normalization into the convolutions.",
    ),
    click.option(
        "--fold-constants", is_flag=True, help="Compute what depends on constants only."
    ),
    click.option("--half", is_flag=True, help="Store weights as float16, with casts."),
    click.option(
        "--quantize",
        type=click.Choice(["int8"]),
        help="Store weights as int8, per channel.",
    ),
    click.option("--text", is_flag=True, help="Write .pbtxt."),
    click.option("--keep-devices", is_flag=True, help="Keep device placements."),
    click.option(
        "--states",
        type=click.Choice(["constant", "inputs"]),
        default="constant",
        show_default=True,
        help="What a run remembers for the next: as stored, or inputs and outputs.",
    ),
    click.option(
        "--producer",
        type=int,
        metavar="N",
        help="Write what TensorFlow of this GraphDef version knows; refuse what has no older spelling.",
    ),
    click.option(
        "--verify/--no-verify",
        default=True,
        help="Run the smaller graph beside the whole one (needs TensorFlow).",
    ),
)
EXPORT = (
    click.option(
        "--to",
        "target",
        required=True,
        metavar="TARGET",
        help="savedmodel, tfjs, tflite, onnx, openvino or keras.",
    ),
    click.option(
        "-o",
        "--out",
        cls=OutOption,
        type=PATH,
        required=True,
        metavar="OUT",
        help="The file or folder to write.",
    ),
    click.option(
        "--quantize",
        default="",
        metavar="KIND",
        help="How weights are stored: tfjs float16, uint8, uint16; tflite float16, dynamic, int8.",
    ),
    click.option(
        "--calibrate",
        default="",
        type=PATH,
        metavar="FILE.npz|DIR",
        help="Examples for --quantize int8: one array for each input.",
    ),
    click.option(
        "--feeds",
        default="",
        type=PATH,
        metavar="FILE.npz",
        help="Prove on these arrays, one for each input, in place of random ones.",
    ),
    click.option(
        "--constants", is_flag=True, help="savedmodel: weights in the graph itself."
    ),
    click.option(
        "--page", is_flag=True, help="tfjs: a web page beside it that runs it."
    ),
    weights_option,
    click.option(
        "--as-is",
        is_flag=True,
        help="Leave the graph in its mode; default is inference.",
    ),
    force_option,
    click.option(
        "--verify/--no-verify",
        default=True,
        help="Run both and compare (needs TensorFlow).",
    ),
    click.option(
        "--within",
        type=float,
        metavar="X",
        help="The largest difference, in the output's scale: 1e-4, quantized 0.02.",
    ),
    click.option(
        "--trust",
        is_flag=True,
        help="Run a model whose ops can touch files, network or Python.",
    ),
)
EXPORT_WISHES: tuple[str, ...] = ("quantize", "calibrate", "constants")
EXPORT_WISHES += (
    "feeds",
    "page",
    "weights",
    "as_is",
    "verify",
    "within",
    "trust",
)
KERAS = (
    force_option,
    click.option(
        "-o",
        "--out",
        cls=OutOption,
        type=PATH,
        required=True,
        metavar="DIR",
        help="The folder to write into.",
    ),
    click.option(
        "--verify/--no-verify",
        default=None,
        help="Run both and compare (needs TensorFlow); --verify: exit with 4 where nothing is proven.",
    ),
    click.option(
        "--trust",
        is_flag=True,
        help="Run a model whose ops can touch files, network or Python.",
    ),
    click.option(
        "--single-file",
        is_flag=True,
        help="One model.keras in place of the weights file (Keras is needed only for layers not its own).",
    ),
    click.option(
        "--incomplete",
        is_flag=True,
        help="Where weights are missing: write model.py alone, without them.",
    ),
    weights_option,
)

FREEZE_WISHES: tuple[str, ...] = (
    "as_is",
    "weights",
    "text",
    "keep_devices",
    "producer",
    "states",
)
FREEZE_WISHES += ("fold_batch_norm", "fold_constants", "half", "quantize")
REDUCTIONS = {"fold_batch_norm", "fold_constants", "half", "quantize"}


def shared_options(function: Decorated, several: bool = False) -> Decorated:
    """MODEL (or ``several``), and the options that every command on one MODEL takes."""
    return _all((MODELS if several else MODEL, *SHARED), function)


def freeze_options(function: Decorated) -> Decorated:
    """The options of ``graphscope freeze``."""
    return _all(FREEZE, function)


def keras_options(function: Decorated) -> Decorated:
    """The options of ``graphscope keras``."""
    return _all(KERAS, function)


def export_options(function: Decorated) -> Decorated:
    """The options of ``graphscope export``."""
    return _all(EXPORT, function)


def _all(decorators: tuple[Any, ...], function: Decorated) -> Decorated:
    for decorate in reversed(decorators):
        function = decorate(function)
    return function


def parse_shape(text: str) -> tuple[str, tuple[int | None, ...]]:
    """``"x=1,?,3"`` -> ``("x", (1, None, 3))``."""
    name, equals, sizes = text.rpartition("=")
    try:
        shape = tuple(
            None if s.strip() in ("?", "-1", "None") else int(s)
            for s in sizes.split(",")
            if s.strip()
        )
    except ValueError:
        equals = ""
    if not equals or not name:
        raise click.BadParameter(
            f"{text!r} is not NAME=SIZES, such as images=1,224,224,3"
        )
    return name.removesuffix(":0"), shape


def parse_rename(text: str) -> tuple[str, str]:
    """``"old=new"`` -> ``("old", "new")``."""
    old, equals, new = text.partition("=")
    if not old or not new:
        raise click.BadParameter(f"{text!r} is not OLD=NEW")
    return old, new
