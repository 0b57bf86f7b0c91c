"""Layers that are computed channels last between two Permutes -> channels first; where Keras cannot, between Permutes.

A converter from ONNX turns every ``channels_first`` tensor to compute one layer on it and turns the result back
(onnx-tf); what is meant is ``data_format="channels_first"``. simplify/layouts.py does so for single ops, this for
layers of many ops (grouped and transposed convolutions, sequences).

On TensorFlow Keras adds a bias by ``ops.add``, which takes what squeezes to a vector for one number a *last* axis
wherever the sizes agree (keras/src/backend/tensorflow/numpy.py, ``add``). A ``channels_first`` convolution with as many
filters as columns is therefore wrong with a bias, and is computed between two Permutes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace

from ...graph import Layer, Tensor, TensorSpec

FIRST, LAST = "channels_first", "channels_last"
_ELEMENTWISE = frozenset({"ReLU", "LeakyReLU", "ELU", "Dropout"})
_NOT_ELEMENTWISE = ("softmax", "log_softmax", "sparsemax", "glu")


def turn_layers(
    layers: list[Layer], specs: Mapping[Tensor, TensorSpec], outputs: Collection[str]
) -> list[Layer]:
    """The layers, in order, less the Permutes that only led to another layout.

    ``outputs`` are nodes whose values must stay what they are (the outputs).
    """
    results = _Turning(layers, specs, outputs, FIRST).turned()
    results = [each for layer in results for each in _computable(layer, specs)]
    return _Turning(results, specs, outputs, LAST).turned()


def _to_last(rank: int) -> tuple[int, ...]:
    return (*range(2, rank), 1)


def _to_first(rank: int) -> tuple[int, ...]:
    return (rank - 1, *range(1, rank - 1))


_TURNS = {FIRST: (_to_last, _to_first), LAST: (_to_first, _to_last)}


class _Turning:
    """Towards one layout: what stands between a Permute to the other one and a Permute back."""

    def __init__(
        self,
        layers: list[Layer],
        specs: Mapping[Tensor, TensorSpec],
        outputs: Collection[str],
        towards: str,
    ) -> None:
        self.layers, self.specs, self.outputs = layers, specs, outputs
        self.towards, (self.opens, self.closes) = towards, _TURNS[towards]
        self.owners = {layer.output: layer for layer in layers}
        self.readers = Counter(t for layer in layers for t in layer.inputs.values())
        self.instead: dict[int, Layer | None] = {}

    def turned(self) -> list[Layer]:
        for layer in self.layers:
            chain = self.chain(layer)
            if chain:
                self.turn(layer, chain)
        layers = (self.instead.get(id(layer), layer) for layer in self.layers)
        return [layer for layer in layers if layer is not None]

    def chain(self, back: Layer) -> list[Layer]:
        """The layers from one Permute to this one that undoes it, first to last, with the first Permute before them."""
        dims = tuple(back.attrs.get("dims", ()))
        if back.op != "Permute" or len(dims) < 2 or dims != self.closes(len(dims) + 1):
            return []
        chain_: list[Layer] = []
        at = self.before(back)
        while at is not None:
            if at.op == "Permute":
                opens = tuple(at.attrs["dims"]) == self.opens(len(dims) + 1)
                has_format = any("data_format" in layer.attrs for layer in chain_)
                return [at, *chain_[::-1]] if opens and has_format else []
            if not self.may_turn(at):
                return []
            chain_.append(at)
            at = self.before(at)
        return []

    def before(self, layer: Layer) -> Layer | None:
        inputs = list(layer.inputs.values())
        owner = self.owners.get(inputs[0]) if len(inputs) == 1 else None
        return None if owner is None or id(owner) in self.instead else owner

    def may_turn(self, layer: Layer) -> bool:
        """Whether a layer with one reader computes the same channels first, its arguments turned."""
        if self.readers[layer.output] != 1 or layer.output.node in self.outputs:
            return False
        if layer.attrs.get("activation") in _NOT_ELEMENTWISE:
            return False
        if "data_format" in layer.attrs:
            other = layer.attrs["data_format"] != self.towards
            return other and (self.towards == LAST or not self.misadds(layer))
        return layer.op in _ELEMENTWISE or layer.op == "Activation"

    def misadds(self, layer: Layer) -> bool:
        """Whether Keras would add the bias along another axis, were the layer channels first."""
        bias = layer.weights.get("bias")
        shape = self.specs.get(layer.output, TensorSpec()).shape
        return bool(bias is not None and shape and shape[-2] == bias.shape[-1])

    def turn(self, back: Layer, chain: list[Layer]) -> None:
        opening, *inside = chain
        source = opening.inputs["x"]
        for layer in inside:
            last = layer is inside[-1]
            attrs = dict(layer.attrs)
            if "data_format" in attrs:
                attrs["data_format"] = self.towards
            result = replace(
                layer,
                attrs=attrs,
                inputs={name: source for name in layer.inputs},
                members=layer.members | back.members if last else layer.members,
                output=back.output if last else unseen(layer.output, self.towards),
            )
            self.instead[id(layer)] = result
            source = result.output
        self.instead[id(back)] = None
        self.readers[opening.output] -= 1
        if not self.readers[opening.output] and opening.output.node not in self.outputs:
            self.instead[id(opening)] = None


def unseen(tensor: Tensor, what: str) -> Tensor:
    """A name for a tensor that is not in the graph."""
    return Tensor(f"{tensor.node}:{what}")


def _computable(layer: Layer, specs: Mapping[Tensor, TensorSpec]) -> list[Layer]:
    """The layer; between two Permutes where Keras on TensorFlow would add its bias along another axis."""
    bias = layer.weights.get("bias")
    shape = specs.get(layer.output, TensorSpec()).shape
    if layer.attrs.get("data_format") != FIRST or bias is None or not shape:
        return [layer]
    if shape[-1] != bias.shape[-1]:
        return [layer]
    channels_last, back = unseen(layer.output, "turned"), unseen(layer.output, LAST)
    why = ("Keras would add the bias along the last axis",)
    opens = Layer(
        op="Permute",
        attrs={"dims": _to_last(len(shape))},
        inputs=layer.inputs,
        output=channels_last,
        pattern=layer.pattern,
        evidence=why,
    )
    inside = replace(
        layer,
        attrs={**layer.attrs, "data_format": LAST},
        inputs={name: channels_last for name in layer.inputs},
        output=back,
    )
    dims = {"dims": _to_first(len(shape))}
    closes = replace(opens, attrs=dims, inputs={"x": back}, output=layer.output)
    return [opens, inside, closes]
