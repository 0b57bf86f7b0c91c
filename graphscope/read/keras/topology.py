"""A Keras config, in the JSON of any version, -> the KerasModel that it describes. Nothing is deserialised or run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...errors import FormatError
from ...graph import TensorSpec
from ...graph.keras import KerasCall, KerasLayer, KerasModel, LayerOutput
from ...graph.keras.nouns import tensors_in
from ...graph.named_values import Config, Document
from .canonical import canonical_layer
from .earlier.op_layers import as_function
from .inbound import calls_of, first_numbers, output_list

MOST_LAYERS = 20_000
DEEPEST = 60  # models within models
_MODELS = frozenset({"Functional", "Model", "Sequential", "Graph"})


def read_topology(config: object, what: str, version: str = "") -> KerasModel:
    """The model; ``what`` names the file, ``version`` is the Keras that wrote it, as far as it says so.

    Raises FormatError where the config describes none.
    """
    generation = generation_of(config, version)
    model = _Reader(what, generation).model(config, 0)
    modules = frozenset(_modules(config))
    return replace(model, modules=modules, generation=generation)


def _modules(config: object) -> Iterator[str]:
    """The Python modules that a config names anywhere."""
    stack = [config]
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if isinstance(value.get("module"), str):
                yield value["module"]
            stack.extend(value.values())
        elif isinstance(value, list):
            stack.extend(value)


def generation_of(config: object, version: str) -> int:
    """1, 2 or 3: which Keras wrote a config, by its words where no version is told."""
    if version[:1] in ("1", "2", "3"):
        return int(version[0])
    text = str(config)
    if "keras_history" in text or "'batch_shape'" in text or "DTypePolicy" in text:
        return 3
    return (
        1
        if re.search(r"'(nb_filter|border_mode|inner_init|W_regularizer)'", text)
        else 2
    )


class _Reader:
    def __init__(self, what: str, generation: int) -> None:
        self.what, self.generation = what, generation
        self.count = 0

    def wrong(self, reason: str) -> FormatError:
        return FormatError(f"{self.what}: the Keras config {reason}")

    def model(self, config: object, depth: int, name: str = "") -> KerasModel:
        if not isinstance(config, dict) or not isinstance(
            config.get("class_name"), str
        ):
            raise self.wrong("names no class")
        if depth > DEEPEST:
            raise self.wrong(f"has models more than {DEEPEST} deep in each other")
        inner = config.get("config")
        if isinstance(inner, list):  # Sequential in Keras 1 and 2.0
            inner = {"layers": inner}
        if not isinstance(inner, dict) or not isinstance(inner.get("layers"), list):
            raise self.wrong(
                f"of {config['class_name']!r} lists no layers: a subclassed model has none"
            )
        inner = {**inner, "name": inner.get("name") or name or "model"}
        inner.setdefault("build_input_shape", _built_shape(config))
        is_chain = config["class_name"] == "Sequential" or "input_layers" not in inner
        return (self.chain if is_chain else self.functional)(inner, depth)

    def entries(self, inner: Config) -> Iterator[tuple[str, Any]]:
        """The layers' own configs with their names."""
        for number, entry in enumerate(inner["layers"]):
            if not isinstance(entry, dict) or not isinstance(
                entry.get("config"), dict | list
            ):
                raise self.wrong(f"has a layer that is none (number {number})")
            if not isinstance(entry.get("class_name"), str):
                raise self.wrong(f"has a layer without a class (number {number})")
            self.count += 1
            if self.count > MOST_LAYERS:
                raise self.wrong(f"has more than {MOST_LAYERS} layers")
            yield _name(entry, number), as_function(entry)

    def layer(self, name: str, entry: Document, depth: int) -> KerasLayer:
        config = entry["config"]
        nested = is_model(entry)
        if not nested:
            return canonical_layer(entry, name, self.generation, self.nested(depth))
        model = self.model(entry, depth + 1, name)
        trainable = not (isinstance(config, dict) and config.get("trainable") is False)
        return KerasLayer(name, model.class_name, model=model, trainable=trainable)

    def nested(self, depth: int) -> Any:
        """What reads a layer that stands in the config of another."""

        def read(entry: Document) -> KerasLayer:
            if depth >= DEEPEST:
                raise self.wrong(f"has layers more than {DEEPEST} deep in each other")
            self.count += 1
            return self.layer(_name(entry, 0), entry, depth + 1)

        return read

    def functional(self, inner: Config, depth: int) -> KerasModel:
        entries = dict(self.entries(inner))
        if len(entries) < len(inner["layers"]):
            raise self.wrong("has two layers of one name")
        numbers = first_numbers(entries, inner)
        by_name = {}
        specs: dict[LayerOutput, TensorSpec] = {}
        for name, entry in entries.items():
            calls = calls_of(entry, numbers, specs)
            by_name[name] = replace(self.layer(name, entry, depth), calls=calls)
        inputs = output_list(inner["input_layers"], numbers, specs)
        listed = output_list(inner.get("output_layers"), numbers, specs)
        outputs = tuple(_last_call(by_name, tensor) for tensor in listed)
        layers = tuple(
            replace(layer, calls=_with_specs(layer, specs))
            for layer in by_name.values()
        )
        self.check(by_name, inputs, outputs)
        return KerasModel(
            str(inner["name"]),
            "Functional",
            layers,
            inputs,
            outputs,
            inner.get("trainable") is not False,
        )

    def check(
        self,
        layers: Mapping[str, KerasLayer],
        inputs: Sequence[LayerOutput],
        outputs: Sequence[LayerOutput],
    ) -> None:
        """Every tensor that is read is one that a layer yields, every input one that is listed."""
        read = [
            t for layer in layers.values() for c in layer.calls for t in c.tensors()
        ]
        listed = {tensor.layer for tensor in inputs}
        for tensor in (*inputs, *read, *outputs):
            if tensor.layer not in layers:
                raise self.wrong(
                    f"wires a layer {tensor.layer!r} that it does not have"
                )
            layer = layers[tensor.layer]
            if not layer.calls and tensor.layer not in listed:
                raise self.wrong(
                    f"reads {tensor.layer!r}, which it neither calls nor has as an input"
                )
            count = max(len(layer.calls), 1)
            if not 0 <= tensor.call < count:
                raise self.wrong(
                    f"reads call {tensor.call} of {tensor.layer!r}, which has {count}"
                )
            ports = len(layer.model.outputs) if layer.model else 1 << 20
            if not 0 <= tensor.port < ports:
                raise self.wrong(
                    f"reads output {tensor.port} of {tensor.layer!r}, which has {ports}"
                )

    def junction(self, name: str, entry: Document, depth: int) -> list[KerasLayer]:
        """The layers of all chains that a Merge has in itself, then the Merge, called on their ends."""
        if depth > DEEPEST:
            raise self.wrong(f"has models more than {DEEPEST} deep in each other")
        layers: list[KerasLayer] = []
        ends: list[LayerOutput] = []
        for number, branch in enumerate(entry["config"]["layers"]):
            if not isinstance(branch, dict):
                raise self.wrong(f"has a branch that is none (number {number})")
            if not is_model(branch):
                branch = {"class_name": "Sequential", "config": [branch]}
            model = self.model(branch, depth + 1, f"{name}_{number}")
            layers += model.layers
            ends += model.outputs
        if len({each.name for each in layers} | {name}) <= len(layers):
            raise self.wrong(f"has two layers of one name before {name!r}")
        merge = self.layer(name, entry, depth)
        return [*layers, replace(merge, calls=(KerasCall((tuple(ends),)),))]

    def chain(self, inner: Config, depth: int) -> KerasModel:
        """A Sequential: each layer called on what the one before yields, the first on an input."""
        layers: list[KerasLayer] = []
        before: LayerOutput | None = None
        for name, entry in self.entries(inner):
            if not layers and _is_junction(entry):
                layers = self.junction(name, entry, depth)
                before = LayerOutput(name)
                continue
            if any(name == each.name for each in layers):
                raise self.wrong(f"has two layers called {name!r}")
            layer = self.layer(name, entry, depth)
            if layer.class_name == "InputLayer":
                layers.append(layer)
                before = LayerOutput(name)
                continue
            if layer.model is not None and not layer.model.outputs:
                continue  # an empty one: what it is called on is what it yields
            if before is None:
                layers.append(_implied_input(layer, entry, inner))
                before = LayerOutput(layers[0].name)
            layers.append(replace(layer, calls=(KerasCall((before,)),)))
            before = LayerOutput(name)
        fed = [x for x in layers if x.class_name == "InputLayer"] or layers[:1]
        return KerasModel(
            str(inner["name"]),
            "Functional" if len(fed) > 1 else "Sequential",
            tuple(layers),
            tuple(LayerOutput(each.name) for each in fed),
            (before,) if before is not None else (),
            inner.get("trainable") is not False,
        )


def _is_junction(entry: Document) -> bool:
    """Whether a layer of Keras 1 has the chains in itself that it merges: a Sequential then begins with several."""
    config = entry["config"]
    if entry.get("class_name") != "Merge" or not isinstance(config, dict):
        return False
    return isinstance(config.get("layers"), list)


def _last_call(layers: Mapping[str, KerasLayer], tensor: LayerOutput) -> LayerOutput:
    """The output, its call not beyond those that there are: Keras 3 counts a nested model's own node here and nowhere else."""
    layer = layers.get(tensor.layer)
    if layer is None or layer.model is None or not layer.calls:
        return tensor
    return tensor._replace(call=min(tensor.call, len(layer.calls) - 1))


def is_model(entry: Document) -> bool:
    """Whether a config is that of a model; a subclass that kept its layers is one too."""
    inner = entry.get("config")
    if isinstance(inner, list):
        return entry.get("class_name") in _MODELS
    if not isinstance(inner, dict) or not isinstance(inner.get("layers"), list):
        return False
    return entry.get("class_name") in _MODELS or "input_layers" in inner


def _name(entry: Document, number: int) -> str:
    inner = entry["config"] if isinstance(entry["config"], dict) else {}
    name = entry.get("name") or inner.get("name")
    return str(name or f"{entry.get('class_name', 'layer')}_{number}".lower())


def _built_shape(config: Config) -> object:
    built = config.get("build_config")
    return built.get("input_shape") if isinstance(built, dict) else None


def _with_specs(
    layer: KerasLayer, specs: Mapping[LayerOutput, TensorSpec]
) -> tuple[KerasCall, ...]:
    """The calls with what the file says of the tensors that they yield."""
    return tuple(
        replace(call, outputs=tuple(_run(layer.name, number, specs)))
        for number, call in enumerate(layer.calls)
    )


def _run(
    name: str, call: int, specs: Mapping[LayerOutput, TensorSpec]
) -> Iterator[TensorSpec]:
    ports = [t.port for t in specs if t.layer == name and t.call == call]
    for port in range(max(ports, default=-1) + 1):
        yield specs.get(LayerOutput(name, call, port), TensorSpec())


def _implied_input(layer: KerasLayer, entry: Document, inner: Config) -> KerasLayer:
    """The input of a Sequential that begins with another layer, which says its shape."""
    own = entry["config"] if isinstance(entry["config"], dict) else {}
    shape = own.get("batch_input_shape") or own.get("batch_shape")
    dtype = own.get("dtype") if shape else None
    if shape is None and layer.model is not None and layer.model.inputs:
        first = layer.model.layer(next(tensors_in(layer.model.inputs)).layer)
        shape, dtype = first.config.get("batch_shape"), first.config.get("dtype")
    if shape is None and isinstance(own.get("input_dim"), int):
        shape = [None, own["input_dim"]]
    if shape is None:
        shape = inner.get("build_input_shape")
    config = {
        "batch_shape": tuple(shape) if isinstance(shape, list | tuple) else None,
        "dtype": dtype if isinstance(dtype, str) else "float32",
    }
    return KerasLayer(f"{layer.name}_input", "InputLayer", config)
