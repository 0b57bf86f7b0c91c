"""KerasModel -> Program: a statement for each call of a layer, a program for each model within the model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ....graph import Tensor
from ....graph.keras import KerasCall, KerasLayer, KerasModel, LayerOutput
from ....graph.keras.nouns import calls_in_order
from ....graph.keras.signatures import layer_classes
from ....graph.names import Names
from ..program.literals import Code
from ..program.names import identifier, layer_name
from ..program.program import Input, Program, Step
from .arguments import Writing, constructor_arguments
from .calls import call_of, count_of, expression_of
from .cudnn import converted
from .missing import missing_class, retired_class

Shapes = Mapping[Tensor, Any]


@dataclass
class Definitions:
    """What the source defines beside the model: classes and functions, names that are taken, remarks."""

    classes: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    names: Names = field(default_factory=lambda: Names({"model"}))
    builders: list[Program] = field(default_factory=list)


def program_of(model: KerasModel, shapes: Shapes, name: str) -> Program:
    """The program that builds the model; ``shapes`` are those of the tensors of the unfolded graph."""
    definitions = Definitions()
    made = _Lowering(definitions, shapes, "").program(model, name)
    return replace(
        made,
        classes=definitions.classes,
        remarks=tuple(dict.fromkeys(definitions.remarks)),
        parts=tuple(definitions.builders),
    )


class _Lowering:
    def __init__(self, definitions: Definitions, shapes: Shapes, prefix: str) -> None:
        self.definitions, self.shapes, self.prefix = definitions, shapes, prefix
        self.models: dict[str, Program] = {}
        self.names = Names()

    def program(self, model: KerasModel, name: str, given: object = None) -> Program:
        self.layer_names = {
            layer.name: self.names.unique(layer_name(layer.name))
            for layer in model.layers
        }
        inputs = tuple(self.input(model, tensor) for tensor in model.inputs)
        if given is not None:
            inputs = tuple(
                replace(i, shape=s if i.shape is None else i.shape)
                for i, s in zip(inputs, [*given, *[None] * len(inputs)])
            )
        steps = []
        for layer, number, call in calls_in_order(model):
            steps.append(self.step(layer, number, call))
        outputs = tuple(self.tensor(tensor) for tensor in model.outputs)
        return Program(
            name,
            inputs,
            _with_ports(steps, outputs),
            outputs,
            tuple(layer_name(t.layer) for t in model.outputs),
            models=self.models,
        )

    def tensor(self, output: LayerOutput) -> Tensor:
        again = f"_call{output.call}" if output.call else ""
        return Tensor(f"{self.prefix}{output.layer}{again}", output.port)

    def input(self, model: KerasModel, tensor: LayerOutput) -> Input:
        layer = model.layer(tensor.layer)
        shape, dtype = layer.config.get("batch_shape"), layer.config.get("dtype")
        if shape is None and not self.prefix:
            self.definitions.remarks.append(
                f"nothing says what shape {layer.name!r} has: (None, None) is a guess"
            )
            shape = (None, None)
        name = self.layer_names[layer.name]
        sparse = bool(layer.config.get("sparse"))
        return Input(name, self.tensor(tensor), shape, str(dtype or "float32"), sparse)

    def step(self, layer: KerasLayer, number: int, call: KerasCall) -> Step:
        node = self.tensor(LayerOutput(layer.name, number)).node
        if layer.kind in ("operation", "function"):
            text, tensors = expression_of(layer, call)
            if text is not None:
                inputs = tuple(map(self.tensor, tensors))
                spec = self.shapes.get(inputs[0]) if inputs else None
                count = count_of(layer, call, spec.shape if spec else None)
                name = self.layer_names[layer.name]
                return Step(node, text, inputs, name=name, ports=count)
        text, tensors = call_of(layer, call)
        first = self.tensor(LayerOutput(layer.name)).node
        made = Step(
            node,
            text,
            tuple(map(self.tensor, tensors)),
            name=self.layer_names[layer.name],
            layer=first if len(layer.calls) > 1 else "",
        )
        if layer.model is not None:
            return self.model_step(made, layer, first, call)
        constructor, class_name = self.constructor(layer, node)
        return replace(
            made,
            constructor=constructor,
            class_name=class_name,
            arguments=self.arguments(layer, node),
            weights={
                _own_name(layer, path): converted(layer, path) for path in layer.stored
            },
            stored=tuple(_own_name(layer, path) for path in layer.stored),
        )

    def model_step(
        self, made: Step, layer: KerasLayer, first: str, call: KerasCall
    ) -> Step:
        if first not in self.models:
            given = [self.shapes.get(self.tensor(t)) for t in call.tensors()]
            self.models[first] = self.nested(layer, f"{first}/", given)
        name = self.models[first].name
        return replace(
            made,
            constructor=f"build_{identifier(name)}",
            class_name="Functional",
            name=name,
            layer=first,
            ports=len(self.models[first].outputs),
        )

    def nested(self, layer: KerasLayer, prefix: str, given: Any = None) -> Program:
        name = self.definitions.names.unique(layer_name(layer.name))
        while f"build_{identifier(name)}" in {
            f"build_{identifier(b)}" for b in self.taken(name)
        }:
            name = self.definitions.names.unique(f"{name}_model")
        inner = _Lowering(self.definitions, self.shapes, prefix)
        model = layer.model
        if model is None:
            raise ValueError("not a model")
        return inner.program(model, name, [g and g.shape for g in given or ()] or None)

    def taken(self, name: str) -> list[str]:
        """The names of models whose builder would be called the same."""
        return [
            n
            for n in self.definitions.names.taken
            if n != name and identifier(n) == identifier(name)
        ]

    def constructor(self, layer: KerasLayer, node: str) -> tuple[str, str]:
        found = layer_classes().get(layer.class_name)
        if layer.kind == "layer" and found is not None:
            return f"layers.{found.name}", found.python_name
        if layer.kind == "layer":
            name = retired_class(layer, self.definitions.classes)
        else:
            name = missing_class(layer, self.definitions.classes)
        return name, name

    def arguments(self, layer: KerasLayer, node: str) -> dict[str, Any]:
        writing = Writing(
            self.definitions.classes, self.definitions.remarks, self.wrapped
        )
        return constructor_arguments(layer, writing, self.shapes.get(Tensor(node)))

    def wrapped(self, layer: KerasLayer) -> Code:
        """The call that builds a model which stands in a layer's config."""
        program = self.nested(layer, f"{self.prefix}{layer.name}/in/")
        self.definitions.builders.append(program)
        return Code(f"build_{identifier(program.name)}()")


def _own_name(layer: KerasLayer, path: str) -> str:
    """The path of a weight; a stub holds all of its own."""
    return path if layer.kind == "layer" else path.replace("/", "_")


def _with_ports(steps: list[Step], outputs: tuple[Tensor, ...]) -> tuple[Step, ...]:
    """The steps with as many outputs as are read of them, and no fewer than they are known to have."""
    most: dict[str, int] = {}
    for tensor in (*outputs, *(t for step in steps for t in step.inputs)):
        most[tensor.node] = max(tensor.port + 1, most.get(tensor.node, 1))
    return tuple(
        replace(step, ports=max(step.ports, most.get(step.node, 1))) for step in steps
    )
