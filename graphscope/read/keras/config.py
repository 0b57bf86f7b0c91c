"""A Keras model's JSON config -> the graph of its layers, wired as the config says.

Nothing is deserialised: a class is a name, a Lambda's code is left out. Layers of a nested model stand in the graph
themselves, as ``nested/layer``; a layer that is called again appears again, as ``layer_call1``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...errors import FormatError
from ...graph import Graph, Layer, Signature, Tensor, TensorSpec

EVIDENCE = ("the file's own Keras config",)
MOST_LAYERS = 20_000  # models within models, each called several times, multiply
_MODELS = ("Functional", "Model", "Sequential")
_CODE = {"function", "output_shape_fn", "mask_fn"}
_HIDDEN = ("initializer", "regularizer", "constraint", "metadata")
History = tuple[str, int, int]  # layer, which call of it, which output


class KerasGraph:
    """The layer graph of one config; ``order`` lists ``(name, class, config)`` of each layer that may own weights."""

    def __init__(self, config: Any, what: str) -> None:
        self.what = what
        self.graph = Graph()
        self.order: list[tuple[str, str, Mapping[str, Any]]] = []
        self.lambdas: list[str] = []
        self.made: dict[str, list[Tensor]] = {}  # outputs of models, by their prefix
        self.fed: dict[str, Tensor] = {}  # inputs of nested models, by what feeds them
        model = self._model(config)
        self.name = str(model["config"].get("name", ""))
        self._add_model(model, "", None)
        outputs = self._outputs(model, "")
        inputs = [n for n in self.graph if self.graph.op(n) == "InputLayer"]
        free = [n for n in inputs if not self.graph.inputs(n)]
        self.signature = Signature(
            {name: Tensor(name) for name in free},
            {
                tensor.node: tensor
                for tensor in (self.fed.get(t.node, t) for t in outputs)
                if tensor.node in self.graph
            },
        )

    def _wrong(self, said: str) -> FormatError:
        return FormatError(f"{self.what}: the Keras config {said}")

    def _model(self, config: Any) -> Mapping[str, Any]:
        if not isinstance(config, dict) or not isinstance(
            config.get("class_name"), str
        ):
            raise self._wrong("names no class")
        inner = config.get("config")
        if isinstance(inner, list):  # Sequential in Keras 1 and 2.0
            inner = {"layers": inner}
        if not isinstance(inner, dict) or not isinstance(inner.get("layers"), list):
            raise self._wrong(
                f"of {config['class_name']!r} lists no layers: a subclassed model has none"
            )
        return {**config, "config": inner}

    def _layers(self, model: Mapping[str, Any]) -> list[dict[str, Any]]:
        found = model["config"]["layers"]
        for number, layer in enumerate(found):
            if not isinstance(layer, dict) or not isinstance(
                layer.get("config"), (dict, list)
            ):
                raise self._wrong(f"has a layer that is none (number {number})")
        return list(found)

    def _is_model(self, layer: Mapping[str, Any]) -> bool:
        inner = layer["config"]
        return isinstance(inner, list) or (
            isinstance(inner.get("layers"), list) and layer.get("class_name") in _MODELS
        )

    def _name(self, layer: Mapping[str, Any], number: int) -> str:
        inner = layer["config"] if isinstance(layer["config"], dict) else {}
        name = layer.get("name") or inner.get("name")
        return str(name or f"{layer.get('class_name', 'layer')}_{number}".lower())

    def _sequential(self, model: Mapping[str, Any]) -> bool:
        return (
            model["class_name"] == "Sequential" or "input_layers" not in model["config"]
        )

    def _add_model(
        self, model: Mapping[str, Any], prefix: str, sources: list[Tensor] | None
    ) -> None:
        layers = self._layers(model)
        if self._sequential(model):
            self._add_sequence(model, prefix, sources)
            return
        named = {self._name(layer, n): layer for n, layer in enumerate(layers)}
        fed = [h[0] for h in _histories(model["config"].get("input_layers"))]
        for name, layer in named.items():
            calls = layer.get("inbound_nodes")
            calls = calls if isinstance(calls, list) else []
            if not calls:
                place = fed.index(name) if name in fed else -1
                given = sources[place : place + 1] if sources and place >= 0 else []
                self._add(layer, prefix + name, given, True)
            for number, call in enumerate(calls):
                again = f"_call{number}" if number else ""
                read = [self._tensor(named, prefix, h) for h in _histories(call)]
                self._add(layer, prefix + name + again, read, not number)

    def _add_sequence(
        self, model: Mapping[str, Any], prefix: str, sources: list[Tensor] | None
    ) -> None:
        layers, built = self._layers(model), model["config"].get("build_input_shape")
        before = list(sources or ())
        for number, layer in enumerate(layers):
            name = prefix + self._name(layer, number)
            if (
                not before
                and not self._is_model(layer)
                and layer.get("class_name") != "InputLayer"
            ):
                inner = layer["config"]
                shape = (
                    inner.get("batch_input_shape") or inner.get("batch_shape") or built
                )
                given = {
                    "name": f"{name}_input",
                    "batch_shape": shape,
                    "dtype": inner.get("dtype"),
                }
                self._add(
                    {"class_name": "InputLayer", "config": given},
                    f"{name}_input",
                    [],
                    False,
                )
                before = [Tensor(f"{name}_input")]
            self._add(layer, name, before, True)
            before = [self._output_of(layer, name)]

    def _output_of(self, layer: Mapping[str, Any], name: str) -> Tensor:
        if not self._is_model(layer):
            return Tensor(name)
        found = self._outputs(self._model(layer), name + "/")
        return found[0] if found else Tensor(name)

    def _outputs(self, model: Mapping[str, Any], prefix: str) -> list[Tensor]:
        if prefix not in self.made:
            self.made[prefix] = self._found_outputs(model, prefix)
        return self.made[prefix]

    def _found_outputs(self, model: Mapping[str, Any], prefix: str) -> list[Tensor]:
        layers = self._layers(model)
        if self._sequential(model):
            if not layers:
                return []
            return [
                self._output_of(
                    layers[-1], prefix + self._name(layers[-1], len(layers) - 1)
                )
            ]
        named = {self._name(layer, n): layer for n, layer in enumerate(layers)}
        listed = _histories(model["config"].get("output_layers"))
        return [self._tensor(named, prefix, history) for history in listed]

    def _tensor(
        self, named: Mapping[str, Mapping[str, Any]], prefix: str, history: History
    ) -> Tensor:
        name, call, port = history
        if name not in named:
            raise self._wrong(f"wires a layer {name!r} that it does not have")
        full = prefix + name + (f"_call{call}" if call else "")
        if not self._is_model(named[name]):
            return Tensor(full, port)
        inner = self._outputs(self._model(named[name]), full + "/")
        if not 0 <= port < len(inner):
            raise self._wrong(
                f"reads output {port} of {name!r}, which has {len(inner)}"
            )
        return inner[port]

    def _add(
        self, layer: Mapping[str, Any], name: str, inputs: list[Tensor], first: bool
    ) -> None:
        if self._is_model(layer):
            self._add_model(self._model(layer), name + "/", inputs)
            return
        if "node" in self.graph.nodes.get(name, {}):
            raise self._wrong(f"has two layers called {name!r}")
        if len(self.graph) >= MOST_LAYERS:
            raise self._wrong(f"unfolds to more than {MOST_LAYERS} layers")
        op, config = str(layer.get("class_name", "")), layer["config"]
        inputs = [self.fed.get(tensor.node, tensor) for tensor in inputs]
        if op == "InputLayer" and inputs:
            self.fed[name] = inputs[0]
            return
        if op == "Lambda":
            self.lambdas.append(name)
        if first:
            self.order.append((name, op, config))
        kept = {k: _plain(v) for k, v in config.items() if _shown(op, k, v)}
        payload = Layer(
            op,
            kept,
            outputs=_spec(op, config),
            inputs={f"x{n}" if n else "x": tensor for n, tensor in enumerate(inputs)},
            output=Tensor(name),
            pattern="Keras config",
            evidence=EVIDENCE,
            name=name,
        )
        self.graph.add(name, payload, inputs)


def _spec(op: str, config: Mapping[str, Any]) -> tuple[TensorSpec, ...]:
    shape = config.get("batch_shape") or config.get("batch_input_shape")
    if op != "InputLayer" or not isinstance(shape, list):
        return ()
    sizes = tuple(size if isinstance(size, int) else None for size in shape)
    dtype = config.get("dtype")
    return (TensorSpec(dtype if isinstance(dtype, str) else "", sizes),)


def _shown(op: str, key: str, value: Any) -> bool:
    """Whether a config entry tells something: the name stands elsewhere, a policy and None are what there is anyway."""
    if value is None or key in _CODE or key.endswith(_HIDDEN) or key == "name":
        return False
    if key == "trainable":
        return value is False
    return key != "dtype" or op == "InputLayer"


def _plain(value: Any) -> Any:
    """A config value without Keras's wrapping: an object is its class or the name that its config gives."""
    if isinstance(value, list):
        return tuple(map(_plain, value))
    if isinstance(value, dict):
        inner = value.get("config")
        named = inner.get("name") if isinstance(inner, dict) else inner
        return (
            named if isinstance(named, str) else str(value.get("class_name", "object"))
        )
    return value


def _histories(value: Any) -> list[History]:
    """The tensors that a call or a list of outputs names, in order, in any of Keras's spellings."""
    return list(_walk(value))


def _walk(value: Any) -> Iterator[History]:
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            inner = value.get("config")
            yield from _walk(
                inner.get("keras_history") if isinstance(inner, dict) else ()
            )
            return
        for each in value.values():
            yield from _walk(each)
    elif isinstance(value, list):
        if (
            len(value) >= 3
            and isinstance(value[0], str)
            and all(isinstance(n, int) for n in value[1:3])
        ):
            yield value[0], value[1], value[2]
            value = value[3:]
        for each in value:
            yield from _walk(each)
