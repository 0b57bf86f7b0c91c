"""The inputs and outputs of a runner that speaks of one signature, under the names that the source has for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ...graph import Signature, Tensor
from ...verify.feeds.draw import Port
from ..frozen import Frozen


@dataclass(frozen=True)
class Endpoints:
    """``ports``: the inputs by the source's name; ``names``: the source's name -> what the target calls it (``"node:0"``)."""

    ports: Mapping[str, Port]
    names: Mapping[str, str]
    keys: Mapping[str, str]
    ends: tuple[str, ...]

    @classmethod
    def of(cls, frozen: Frozen, signature: Signature) -> Endpoints:
        """Those of one signature."""
        ports, names, keys = {}, {}, {}
        for key, tensor in signature.inputs.items():
            spec, origin = signature.specs[tensor], frozen.origin(tensor)
            ports[origin] = Port(origin, spec.dtype, spec.shape)
        sides = (signature.inputs, signature.outputs)
        for key, tensor in (pair for side in sides for pair in side.items()):
            names[frozen.origin(tensor)] = _text(tensor)
            keys[frozen.origin(tensor)] = key
        ends = tuple(frozen.origin(t) for t in signature.outputs.values())
        return cls(ports, names, keys, ends)

    def outputs(self) -> tuple[str, ...]:
        return self.ends

    def resolve(self, name: str) -> str | None:
        """The source's name of an input or output, given with or without its port."""
        for text in (name, f"{name}:0", name.removesuffix(":0")):
            if text in self.names:
                return text
        return None

    def needed(self, fed: Iterable[str] = ()) -> tuple[Port, ...]:
        left = set(self.ports) - set(fed)
        return tuple(port for name, port in self.ports.items() if name in left)

    def port(self, name: str) -> Port:
        return self.ports[name]

    def name_of(self, name: str) -> str:
        """What the target's graph calls it."""
        return self.names[name]

    def key_of(self, name: str) -> str:
        """What the signature calls it."""
        return self.keys[name]


def _text(tensor: Tensor) -> str:
    return str(tensor) if tensor.port else tensor.node


class EndpointRunner:
    """What every runner of an exported model answers of its inputs and outputs, from the endpoints that it has."""

    ends: Endpoints

    def outputs(self) -> tuple[str, ...]:
        return self.ends.outputs()

    def resolve(self, name: str) -> str | None:
        return self.ends.resolve(name)

    def needed(
        self, outputs: Sequence[str], fed: Iterable[str] = ()
    ) -> tuple[Port, ...]:
        return self.ends.needed(fed)

    def port(self, name: str) -> Port:
        return self.ends.port(name)
