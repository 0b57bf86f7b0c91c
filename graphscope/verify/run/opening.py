"""A path or a Model -> something that runs it."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

from ...errors import NotRunnable
from ...graph import Graph, Model, Node
from ...graph.named_values import Document
from ...infer.outputs.signatures import declared_signatures, with_signature
from ...ops import spellings
from ...read import load
from ...simplify.inline import inline
from ...simplify.rewrites.unfuse import unfuse
from ...wire import op_registry, opdefs
from ..import_tensorflow import import_tensorflow, silence
from .keras_file import is_keras_file, open_keras_file
from .keras_runner import KerasRunner
from .limits import map_constants
from .lite.operators import Operators
from .lite.runner import LiteRunner
from .runner import GraphRunner, Runner, first_line
from .safety import check_loading, check_sizes, initialisers


def open_runner(what: Any, trust: bool = False, signature: str = "") -> Runner:
    """What runs the model at a path (or a Model, or a Keras model); a Runner is one already. With ``signature`` it speaks by that one of those that a
    file declares, or a source has models for; what has none is one model.

    Raises UnsafeModel, unless ``trust``, where loading it could touch more than its own files; GraphscopeError where TensorFlow is
    missing or nothing can run it.
    """
    if hasattr(what, "needed"):
        return what  # type: ignore[no-any-return]
    if hasattr(what, "inputs") and callable(what):
        return KerasRunner(what, getattr(what, "name", "the Keras model"))
    if isinstance(what, Model):
        return _from_weights(what, "")
    path = Path(what)
    if (path / "model.py").is_file():
        from .keras_source import run_signature

        return KerasRunner(run_signature(path, signature, trust), str(path))
    if is_keras_file(path):
        return open_keras_file(path, trust)
    model = load(str(what))
    if signature and declared_signatures(model):
        model = with_signature(model, signature)
    return _from_graph(model, trust)


def _from_graph(model: Model, trust: bool) -> Runner:
    if model.layered or model.inferred:
        raise NotRunnable(
            f"{model.source} has no graph of ops, only layers or variables: TensorFlow cannot run it; put its .meta "
            "beside it, or verify against the .keras or SavedModel that it comes from"
        )
    if not trust:
        check_loading(model)
    check_sizes(model)
    tf = import_tensorflow()
    opened = _OPENERS.get(model.format.split(" v")[0].split(" (")[0], _open_graph_def)
    if Path(f"{model.source}.meta").is_file():
        opened = _open_checkpoint
    try:
        with silence():
            return opened(tf, model)
    except (tf.errors.OpError, ValueError, TypeError, KeyError, OSError) as error:
        reason = f"TensorFlow cannot load the original ({first_line(error)})"
    return _from_weights(model, reason)


def _open_checkpoint(tf: ModuleType, model: Model) -> Runner:
    """As the tutorials do: import the .meta, restore the variables."""
    graph = tf.Graph()
    with graph.as_default():
        saver = tf.compat.v1.train.import_meta_graph(
            f"{model.source}.meta", clear_devices=True
        )
        session = _session(tf, graph)
        if saver is None:
            raise ValueError("its .meta declares no saver")
        saver.restore(session, model.source)
        _initialise_tables(tf, session)
    return GraphRunner(session, model.source, _preferred(model), inline(model))


def _session(tf: ModuleType, graph: Any) -> Any:
    """A session that runs what was placed on devices that are not there, op by op as the file says.

    Grappler would write the graph anew: its hard swish, for one, takes any constant near 1/6 for 1/6.
    """
    config = tf.compat.v1.ConfigProto(allow_soft_placement=True)
    config.graph_options.rewrite_options.disable_meta_optimizer = True
    return tf.compat.v1.Session(graph=graph, config=config)


def _initialise_tables(tf: ModuleType, session: Any) -> None:
    for op in session.graph.get_collection("table_initializer"):
        session.run(op)


def _open_saved_model(tf: ModuleType, model: Model) -> Runner:
    folder = Path(model.source)
    folder = folder if folder.is_dir() else folder.parent
    graph = tf.Graph()
    with graph.as_default():
        session = _session(tf, graph)
        tf.compat.v1.saved_model.load(session, _tags(folder), str(folder))
    _fill_variables(tf, session, str(folder))
    names = [
        {name: str(t) for name, t in {**signature.outputs, **signature.inputs}.items()}
        for signature in model.signatures.values()
    ]
    return GraphRunner(session, model.source, _preferred(model), inline(model), names)


def _fill_variables(tf: ModuleType, session: Any, folder: str) -> None:
    """Give the variables that TensorFlow 1's restore leaves out what TensorFlow 2 loads into them.

    Keras 3 saves a weight in a variable that an optimizer's copy of it is initialised from; only the copy is restored.
    """
    handles = {
        (op.get_attr("shared_name").decode() or op.name): op.outputs[0]
        for op in session.graph.get_operations()
        if op.type == "VarHandleOp"
    }
    with session.graph.as_default():
        filled = {
            name: tf.raw_ops.VarIsInitializedOp(resource=handle)
            for name, handle in handles.items()
        }
    empty = {name for name, is_filled in session.run(filled).items() if not is_filled}
    if not empty:
        return
    with tf.init_scope():
        loaded = tf.saved_model.load(folder)  # its functions do not keep its variables
        variables = [v for each in loaded.signatures.values() for v in each.variables]
    values = {v.name.removesuffix(":0"): v.numpy() for v in variables}
    assigns, feeds = [], {}
    with session.graph.as_default():
        for name in empty & values.keys():
            value = tf.compat.v1.placeholder(values[name].dtype, values[name].shape)
            feeds[value] = values[name]
            assigns.append(
                tf.raw_ops.AssignVariableOp(resource=handles[name], value=value)
            )
    session.run(
        assigns, feeds
    )  # at once: each new op makes a session read all functions anew


def _tags(folder: Path) -> list[str]:
    """The tags of the meta graph that was read: the first that serves."""
    from ...wire import messages as proto

    path = folder / "saved_model.pb"
    if not path.is_file():
        return ["serve"]
    message = proto.parse("SavedModel", path.read_bytes(), str(path))
    sets = [list(meta.meta_info_def.tags) for meta in message.meta_graphs]
    return next((tags for tags in sets if "serve" in tags), sets[0] if sets else [])


def _open_graph_def(tf: object, model: Model) -> GraphRunner:
    """A GraphDef without variables; one with variables has no values for them."""
    from ...freeze.variables.to_constants import HANDLES, REFERENCES

    if next(model.graph.by_op(*REFERENCES, *HANDLES), None) is not None:
        raise ValueError("it has variables and no values for them")
    return _imported(tf, model, model.graph, model.functions)


def _open_lite(tf: object, model: Model) -> Runner:
    """LiteRT runs it as its file says, integers and all; TensorFlow where custom operators keep LiteRT from it."""
    from ...read.deployment.lite.file import LiteFile
    from ...read.deployment.lite.lower import lower
    from ...wire.source import open_source

    @cache
    def exact() -> GraphRunner:
        return _open_graph_def(tf, model)

    @cache
    def operators() -> Operators:
        file = LiteFile(open_source(model.source))
        return Operators(file, _open_graph_def(tf, lower(file, is_apart=True)))

    try:
        return LiteRunner(model, exact, operators)
    except NotRunnable as error:
        runner = _open_graph_def(tf, model)
        runner.remarks.append(f"{error}: the graph was run as graphscope reads it")
        return runner


def _open_tensorflow_js(tf: object, model: Model) -> Runner:
    """TensorFlow reads no TensorFlow.js, and has no kernel for some of its fused ops: they are run apart."""
    runner = _open_graph_def(tf, replace(model, graph=unfuse(model.graph)))
    runner.remarks.append(
        "TensorFlow does not read TensorFlow.js: the graph was run as graphscope reads it"
    )
    return runner


def _imported(tf: Any, model: Model, graph: Graph, functions: Document) -> GraphRunner:
    from ...wire.write import to_graph_def

    folder = tempfile.TemporaryDirectory(prefix="graphscope-")
    mapped = map_constants(graph, folder.name)
    message = to_graph_def(mapped, functions, model.versions)
    for node in message.node:
        for name in ("_output_shapes", "_class"):
            node.attr.pop(name, None)
    tf_graph = tf.Graph()
    with tf_graph.as_default():
        data = message.SerializeToString()
        try:
            tf.import_graph_def(tf.compat.v1.GraphDef.FromString(data), name="")
        except (tf.errors.OpError, ValueError) as error:
            raise NotRunnable(
                f"TensorFlow cannot run {model.source}: {first_line(error)}"
            ) from None
        session = _session(tf, tf_graph)
    for name in initialisers(model, graph):
        session.run(tf_graph.get_operation_by_name(name))
    runner = GraphRunner(session, model.source, _sinks(graph), inline(model))
    runner.folder = folder  # is there for as long as the runner
    return runner


def _sinks(graph: Graph) -> tuple[str, ...]:
    """The outputs of a graph that is nothing but a model: what nothing reads."""
    skipped = (*spellings.SWITCHES, "Const", "NoOp", "Placeholder", "Assert")
    last = [n for n in graph if not graph._succ[n] and graph.op(n) not in skipped]
    return tuple(f"{n}:{port}" for n in last for port in range(_ports(graph.node(n))))


def _ports(node: Node) -> int:
    """How many outputs a node has; one where nobody knows the op."""
    if op_registry.find(node.op) is None:
        return 1
    return len(opdefs.output_dtypes(node.op, node.attrs))


def _preferred(model: Model) -> tuple[str, ...]:
    from ...infer.outputs.find import find_outputs

    return tuple(str(c.tensor) for c in find_outputs(inline(model)).best())


def _from_weights(model: Model, reason: str) -> Runner:
    """The last resort: the graph as graphscope read it, with its variables as constants."""
    from ...freeze.variables.to_constants import check_values, freeze_variables
    from ...simplify.prune import prune

    tf = import_tensorflow()
    flat = inline(model)
    outputs = _preferred(flat)
    graph, functions = freeze_variables(prune(flat.graph, outputs), flat)
    graph = prune(graph, outputs)
    check_values(graph, flat)
    with silence():
        runner = _imported(tf, flat, graph, {**flat.functions, **functions})
    if reason:
        runner.remarks.append(
            f"{reason}: its graph was run with the variables as graphscope reads them"
        )
    return runner


_OPENERS: dict[str, Any] = {
    "TensorFlow Lite": _open_lite,
    "TensorFlow.js graph model": _open_tensorflow_js,
    "SavedModel": _open_saved_model,
    "TF1 hub module": _open_saved_model,
}
