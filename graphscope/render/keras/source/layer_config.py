"""Program -> the ``config.json`` of a ``.keras`` file, where Keras's own layers and models of such make up the model.

What Keras's ``get_config`` gives. From ``keras/src/models/functional.py`` and
``keras/src/saving/serialization_lib.py`` of Keras 3.15. Keras is not imported.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ....errors import NotExpressible
from ....graph import Shape, Tensor
from ....graph.keras.signatures import REQUIRED, layer_classes
from ..program.literals import literal
from ..program.program import Input, Program, Step, filled, hole

Shapes = Callable[[Tensor], Shape]
Document = dict[str, Any]
_PACKAGES = ("constraints", "initializers", "layers", "regularizers")
_INFINITE = {"inf", "-inf", "nan"}


def model_config(program: Program, shapes: Shapes) -> Document:
    """The model in Keras's serial form; ``shapes`` are those of the steps' tensors.

    Raises NotExpressible where the source says more than calls of Keras's layers, or a shape is unknown.
    """
    if program.model_class != "keras.Model" or program.parts:
        raise NotExpressible(f"{program.name!r} is no plain functional model")
    return _Serializer(program, shapes, program.settings).model()


class _Serializer:
    def __init__(
        self, program: Program, shapes: Shapes, settings: Mapping[str, str]
    ) -> None:
        self.program, self.shapes, self.settings = program, shapes, settings
        self.layers: dict[str, Document] = {}
        self.histories: dict[Tensor, tuple[str, int, int]] = {}
        self.specs = {each.tensor: each.shape for each in program.inputs}
        self.dtypes = {each.tensor: each.dtype for each in program.inputs}

    def model(self) -> Document:
        for each in self.program.inputs:
            self.histories[each.tensor] = (each.name, 0, 0)
            self.layers[each.name] = _input_layer(each)
        for step in self.program.steps:
            self.call(step)
        config = {
            "name": self.program.name,
            "trainable": True,
            "layers": list(self.layers.values()),
            "input_layers": self.ends([each.tensor for each in self.program.inputs]),
            "output_layers": self.ends(self.program.outputs),
        }
        return _serial(
            "keras.src.models.functional", "Functional", config, "Functional"
        )

    def ends(self, tensors: Sequence[Tensor]) -> list[Any]:
        """Inputs or outputs; a model within the model counts itself as its own first call."""
        rows = []
        for tensor in tensors:
            name, call, port = self.histories[tensor]
            is_model = self.layers[name]["class_name"] == "Functional"
            rows.append([name, call + is_model, port])
        return rows[0] if len(rows) == 1 else rows

    def call(self, step: Step) -> None:
        if not step.constructor:
            if step.text != hole(0):
                raise NotExpressible(f"{step.node!r} is an op, not a layer")
            self.histories[step.outputs()[0]] = self.histories[step.inputs[0]]
            return
        first = self.program.by_node[step.layer or step.node]
        if first.name not in self.layers:
            self.layers[first.name] = self.layer(first)
        calls = self.layers[first.name]["inbound_nodes"]
        inner = self.program.models.get(first.node)
        for port, tensor in enumerate(step.outputs()):
            self.histories[tensor] = (first.name, len(calls), port)
            if inner is not None:  # a model's calls are of one shape
                self.specs[tensor] = self.shapes(inner.outputs[port])
        calls.append(self.arguments(step))

    def layer(self, step: Step) -> Document:
        inner = self.program.models.get(step.node)
        if inner is not None:
            document = _Serializer(inner, self.shapes, self.settings).model()
        else:
            document = self.plain_layer(step)
        return {**document, "name": step.name, "inbound_nodes": []}

    def plain_layer(self, step: Step) -> Document:
        package, _, name = step.constructor.rpartition(".")
        known = layer_classes().get(name)
        if package != "layers" or known is None:
            raise NotExpressible(f"{step.constructor} is a class of the source's own")
        config = {**_defaults(name), "name": step.name}
        config["dtype"] = self.settings.get("dtype_policy", "float32")
        places = self.settings.get("image_data_format")
        if places and "data_format" in known.arguments:
            config["data_format"] = places
        for key, value in step.arguments.items():
            config[key] = _value(ast.parse(literal(value), mode="eval").body)
        return _serial("keras.layers", name, config)

    def arguments(self, step: Step) -> Document:
        """The call of a layer as its ``inbound_nodes`` have it."""
        names = [f"_{number}_" for number in range(len(step.inputs))]
        tensors = {n: self.tensor(t) for n, t in zip(names, step.inputs, strict=True)}
        tree = ast.parse(f"call({filled(step.text, names)})", mode="eval").body
        if not isinstance(tree, ast.Call):
            raise NotExpressible(f"{step.name!r} is called in a way of its own")
        words = {each.arg: _value(each.value, tensors) for each in tree.keywords}
        if None in words:
            raise NotExpressible(f"{step.name!r} is called in a way of its own")
        return {"args": [_value(each, tensors) for each in tree.args], "kwargs": words}

    def tensor(self, tensor: Tensor) -> Document:
        shape = self.specs.get(tensor) or self.shapes(tensor)
        if shape is None:
            raise NotExpressible(f"the shape of {str(tensor)!r} is unknown")
        config = {
            "shape": list(shape),
            "dtype": self.dtypes.get(tensor, "float32"),
            "keras_history": list(self.histories[tensor]),
        }
        return {"class_name": "__keras_tensor__", "config": config}


def _input_layer(each: Input) -> Document:
    config = {
        "batch_shape": list(each.shape or ()),
        "dtype": each.dtype,
        "sparse": each.sparse,
        "name": each.name,
    }
    layer = _serial("keras.layers", "InputLayer", config)
    return {**layer, "name": each.name, "inbound_nodes": []}


def _defaults(name: str) -> Document:
    """What a layer's config says where its source says nothing: some of Keras's ``from_config`` ask for all."""
    arguments = layer_classes()[name].arguments
    return {key: each for key, each in arguments.items() if each is not REQUIRED}


def _serial(
    module: str, name: str, config: Document, registered: str | None = None
) -> Document:
    return {
        "module": module,
        "class_name": name,
        "config": config,
        "registered_name": registered,
    }


def _value(node: ast.expr, tensors: Mapping[str, Document] = {}) -> Any:
    """An expression of the source as JSON has it; raises NotExpressible for what Keras has no serial form for."""
    if isinstance(node, ast.Name) and node.id in tensors:
        return tensors[node.id]
    if isinstance(node, ast.List):
        return [_value(each, tensors) for each in node.elts]
    if isinstance(node, ast.Tuple):
        items = [_value(each, tensors) for each in node.elts]
        return {"class_name": "__tuple__", "items": items} if tensors else items
    if isinstance(node, ast.Call):
        return _object(node)
    try:
        value = ast.literal_eval(node)
    except ValueError:
        raise NotExpressible(f"no serial form for {ast.unparse(node)}") from None
    if isinstance(value, bytes | complex):
        raise NotExpressible(f"no serial form for {ast.unparse(node)}")
    return value


def _object(call: ast.Call) -> Any:
    """A regularizer, an initializer, a layer that another is given; ``float("inf")``."""
    function = ast.unparse(call.func)
    if function == "float" and len(call.args) == 1:
        return float(ast.literal_eval(call.args[0]))
    package, _, name = function.rpartition(".")
    if package not in _PACKAGES:
        raise NotExpressible(f"no serial form for {function}")
    config: Document = {each.arg or "": _value(each.value) for each in call.keywords}
    if package == "layers" and name in layer_classes():
        config |= zip(layer_classes()[name].arguments, map(_value, call.args))
        config = {**_defaults(name), **config}
    elif package == "regularizers" and len(call.args) == 1:
        config[name.lower()] = _value(call.args[0])
    elif call.args:
        raise NotExpressible(f"no serial form for {ast.unparse(call)}")
    return _serial(f"keras.{package}", name, config)
