"""Model and outputs -> what every target is written from: a graph without variables, and the ways to call it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...errors import GraphError, GraphscopeError
from ...freeze import prepare_freeze
from ...graph import Function, Graph, Model, Node, Signature, Tensor, TensorSpec
from ...graph.edit import duplicate, put
from ...infer.outputs.signatures import DEFAULT, declared_signatures
from ...ops import spellings
from ...simplify.prune import prune
from ...wire import opdefs

PLACEHOLDERS = spellings.PLACEHOLDERS
_PREDICT = "tensorflow/serving/predict"
_NODE_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_./>-]*$")


@dataclass(frozen=True)
class Frozen:
    """A graph in which weights are constants that still lie in their files, and the signatures that can be called.

    ``origins`` gives the tensor of the source (``"name:port"``) that a tensor of a signature stands for. ``initialisers`` are ops to be
    run once before the first use: they fill lookup tables.
    """

    graph: Graph
    signatures: Mapping[str, Signature]
    functions: Mapping[str, Function] = field(default_factory=dict)
    versions: Mapping[str, int] = field(default_factory=dict)
    initialisers: tuple[str, ...] = ()
    source: str = ""
    changes: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    weights: str = "raw"
    origins: Mapping[Tensor, str] = field(default_factory=dict)

    def origin(self, tensor: Tensor) -> str:
        """What the source calls a tensor of a signature."""
        return self.origins.get(tensor, str(tensor))

    def spec(self, tensor: Tensor) -> TensorSpec:
        """Dtype and shape of a tensor of a signature."""
        for signature in self.signatures.values():
            if tensor in signature.specs:
                return signature.specs[tensor]
        return TensorSpec()

    def signature(self, name: str = "") -> tuple[str, Signature]:
        """One signature by its name; without one ``serving_default``, or the first."""
        if not name:
            name = DEFAULT if DEFAULT in self.signatures else [*self.signatures][0]
        if name not in self.signatures:
            names = ", ".join(sorted(self.signatures))
            raise GraphError(
                f"{self.source} has no signature {name!r}; there are {names}"
            )
        return name, self.signatures[name]


def freeze_signatures(
    model: Model,
    outputs: Sequence[Tensor] = (),
    wanted: bool = False,
    **options: object,
) -> Frozen:
    """Freeze ``model`` (inlined) with all the signatures that it declares, or with ``outputs`` as its only one where they are ``wanted``.

    ``options`` are those of ``freeze_model``. A signature that cannot be frozen is left out and named in the remarks, unless it is the
    only one. Raises as ``freeze_model`` does.
    """
    declared = {} if wanted else declared_signatures(model)
    signatures = declared or {DEFAULT: _plain(outputs)}
    remarks: list[str] = []
    while True:
        ends = [t for s in signatures.values() for t in s.outputs.values()]
        freeze = prepare_freeze(
            model, dict.fromkeys(ends), signature_names=False, **options
        )
        try:
            graph = freeze.build()
            break
        except GraphscopeError as error:
            name = _fault(model, signatures, options) if len(signatures) > 1 else ""
            if not name:
                raise
            remarks.append(f"signature {name!r} is left out: {error}")
            signatures = {k: s for k, s in signatures.items() if k != name}
    frozen = Frozen(
        graph,
        signatures,
        freeze.functions,
        freeze.versions,
        freeze.initialisers,
        model.source,
        tuple(change.what for change in freeze.changes),
        tuple(remarks),
        freeze.weights,
    )
    return _typed(frozen, model)


def _plain(outputs: Iterable[Tensor]) -> Signature:
    return Signature({}, {_key(t): t for t in outputs}, method=_PREDICT)


def _key(tensor: Tensor) -> str:
    return str(tensor) if tensor.port else tensor.node


def _fault(
    model: Model, signatures: Mapping[str, Signature], options: Mapping[str, object]
) -> str:
    """The first signature that cannot be frozen by itself."""
    for name, signature in signatures.items():
        ends = list(signature.outputs.values())
        try:
            prepare_freeze(model, ends, signature_names=False, **options).build()
        except GraphscopeError:
            return name
    return ""


def _typed(frozen: Frozen, model: Model) -> Frozen:
    """The same with the inputs and the dtypes and shapes of every signature."""
    from ...infer.shapes.forward import infer_shapes

    graph = frozen.graph
    _keep_inputs(graph, model.graph, frozen.signatures)
    specs = infer_shapes(graph, functions=frozen.functions)
    signatures = {
        name: _complete(graph, signature, specs)
        for name, signature in frozen.signatures.items()
    }
    return replace(frozen, signatures=signatures)


def _keep_inputs(
    graph: Graph, whole: Graph, signatures: Mapping[str, Signature]
) -> None:
    """An input that a signature declares and no output reads stays: callers feed it."""
    for signature in signatures.values():
        for tensor in signature.inputs.values():
            node = whole.node(tensor.node) if tensor.node in whole else None
            if tensor.node not in graph and node and node.op in PLACEHOLDERS[:2]:
                bare = {k: node.attrs.get(k) for k in ("dtype", "shape")}
                put(graph, tensor.node, Node(node.op, bare), ())


def _complete(
    graph: Graph, signature: Signature, specs: Mapping[Tensor, TensorSpec]
) -> Signature:
    """The signature with all inputs that its outputs need, and what is known of each tensor."""
    ends = [tensor.node for tensor in signature.outputs.values()]
    above = graph.upstream(ends, control=True)
    inputs = {
        key: t
        for key, t in signature.inputs.items()
        if t.node in graph and graph.op(t.node) in PLACEHOLDERS
    }
    named = {tensor.node for tensor in inputs.values()}
    for name in graph.by_op(*PLACEHOLDERS):
        is_optional = graph.op(name) == "PlaceholderWithDefault"
        if name in above and name not in named and not is_optional:
            inputs[name] = Tensor(name)
    shapes = {
        tensor: _spec(graph, tensor, signature, specs)
        for tensor in (*inputs.values(), *signature.outputs.values())
    }
    method = signature.method if "/" in signature.method else _PREDICT
    return Signature(inputs, signature.outputs, shapes, method)


def _spec(
    graph: Graph,
    tensor: Tensor,
    signature: Signature,
    specs: Mapping[Tensor, TensorSpec],
) -> TensorSpec:
    node = graph.node(tensor.node)
    dtypes = opdefs.output_dtypes(node.op, node.attrs)
    dtype = dtypes[tensor.port] if tensor.port < len(dtypes) else ""
    inferred = specs.get(tensor, TensorSpec()).shape
    declared = signature.specs.get(tensor, TensorSpec()).shape
    shape = declared if inferred is None else inferred
    return TensorSpec(dtype.removesuffix("_ref"), shape)


def alone(frozen: Frozen, name: str = "") -> Frozen:
    """The graph of one signature, its inputs and outputs called as the signature calls them wherever those names are free."""
    name, signature = frozen.signature(name)
    ends = [*signature.outputs.values(), *map(Tensor, frozen.initialisers)]
    whole = frozen.graph
    graph = prune(whole, ends)
    for tensor in signature.inputs.values():
        if tensor.node not in graph:
            put(graph, tensor.node, whole.node(tensor.node), ())
    names = dict(_free_names(graph, signature))
    copy = _renamed(graph, names)
    inputs = {
        key: Tensor(names.get(t.node, t.node)) for key, t in signature.inputs.items()
    }
    outputs, origins = {}, {}
    for key, tensor in signature.outputs.items():
        old = Tensor(names.get(tensor.node, tensor.node), tensor.port)
        outputs[key] = _output(copy, key, old, signature.specs[tensor].dtype)
        origins[outputs[key]] = frozen.origin(tensor)
    specs = {}
    for key, tensor in signature.inputs.items():
        origins[inputs[key]] = frozen.origin(tensor)
    for before, after in ((signature.inputs, inputs), (signature.outputs, outputs)):
        specs.update({after[key]: signature.specs[before[key]] for key in after})
    single = Signature(inputs, outputs, specs, signature.method)
    return replace(frozen, graph=copy, signatures={name: single}, origins=origins)


def _free_names(graph: Graph, signature: Signature) -> Iterator[tuple[str, str]]:
    for key, tensor in signature.inputs.items():
        if key != tensor.node and key not in graph and _NODE_NAME.match(key):
            yield tensor.node, key


def _renamed(graph: Graph, names: Mapping[str, str]) -> Graph:
    from ...freeze.inference.rewrite import renamed

    return renamed(graph, names) if names else duplicate(graph)


def _output(graph: Graph, key: str, tensor: Tensor, dtype: str) -> Tensor:
    if tensor == Tensor(key) or key in graph or not _NODE_NAME.match(key):
        return tensor
    put(graph, key, Node("Identity", {"T": dtype}), [tensor])
    return Tensor(key)
