"""The closed vocabulary of a builder, continued: what reads rows of tokens."""

from __future__ import annotations

from ...graph import WeightUse
from ...graph.named_values import Arguments
from .cells import GATES, lstm_weights
from .layers import Net
from .net import Handle
from .unknowns import Size, Width, number


class SequenceNet(Net):
    """A Net with embeddings of places, attention and recurrent layers."""

    def positions(self, x: Handle, name: str, rows: Size) -> Handle:
        """Adds to each place the row of a table (rows, width) that was learned for it."""
        path = self.path("Embedding", name, "embeddings")
        table = self.weight(path, (rows, x.channels))
        config = {"input_dim": table.shape[0], "output_dim": table.shape[-1]}
        weights = {"embeddings": table}
        return self.layer("PositionEmbedding", name, (x,), config, weights, x.channels)

    def gelu(self, x: Handle) -> Handle:
        """GELU by tanh, as BERT and GPT-2 have it."""
        config = {"activation": "gelu", "approximate": True}
        return self.layer("Activation", "gelu", (x,), config, {}, x.channels)

    def heads(self, kernel: WeightUse, heads: int, begin: int = 0) -> WeightUse:
        """A kernel (width, width), or that part of a joint one, or its bias, as Keras keeps it: (width, heads, size)."""
        if len(kernel.shape) == 1:
            return self.head_bias(kernel, heads, kernel.shape[0], begin)
        width = kernel.shape[0]
        shape = (width, heads, width // heads)
        return WeightUse(kernel.node, shape, _part(kernel, width, begin, shape))

    def head_bias(
        self, bias: WeightUse, heads: int, width: int, begin: int
    ) -> WeightUse:
        """A bias (width,), or that part of a joint one, as (heads, size)."""
        shape = (heads, width // heads)
        return WeightUse(bias.node, shape, _part(bias, width, begin, shape))

    def from_heads(self, kernel: WeightUse, heads: int) -> WeightUse:
        """A kernel (width, width) as (heads, size, width)."""
        width, last = kernel.shape
        shape = (heads, width // heads, last)
        return WeightUse(kernel.node, shape, (*kernel.steps, ("reshape", shape)))

    def flat_rows(self, kernel: WeightUse) -> WeightUse:
        """(1, rows, columns), a convolution of width 1, as (rows, columns)."""
        shape = kernel.shape[1:]
        return WeightUse(kernel.node, shape, (*kernel.steps, ("reshape", shape)))

    def transposed(self, kernel: WeightUse) -> WeightUse:
        steps = (*kernel.steps, ("transpose", (1, 0)))
        return WeightUse(kernel.node, kernel.shape[::-1], steps)

    def phrases(self, x: Handle, name: str, size: int, filters: Size) -> Handle:
        """A convolution of ``size`` words over rows as wide as they are, as Conv1D: its kernel is stored (size, width, 1, filters)."""
        kernel = self.weight(
            self.path("Conv1D", name, "kernel"), (size, x.channels, 1, filters)
        )
        bias = self.weight(self.path("Conv1D", name, "bias"), (filters,))
        shape = (*kernel.shape[:2], kernel.shape[-1])
        weights = {
            "kernel": WeightUse(kernel.node, shape, (("reshape", shape),)),
            "bias": bias,
        }
        config = {"filters": shape[-1], "kernel_size": (size,), "activation": "relu"}
        return self.layer("Conv1D", name, (x,), config, weights, filters)

    def largest(self, x: Handle) -> Handle:
        """The largest of each channel over all places."""
        op = "GlobalMaxPooling1D"
        return self.layer(op, "global_max", (x,), {}, {}, x.channels)

    def first_token(self, x: Handle) -> Handle:
        """The first place of each row, (batch, channels)."""
        return self.layer("FirstToken", "first", (x,), {}, {}, x.channels)

    def attention(
        self, x: Handle, weights: dict[str, WeightUse], heads: int, causal: bool = False
    ) -> Handle:
        """MultiHeadAttention of a sequence with itself; ``weights`` in Keras's names and layouts."""
        width = number(x.channels) or 0
        config = {"num_heads": heads, "key_dim": width // heads}
        if causal:
            config["use_causal_mask"] = True
        arguments = ("query", "value")
        op = "MultiHeadAttention"
        return self.layer(op, "attention", (x, x), config, weights, width, arguments)

    def rows(self, width: Size = None) -> Handle:
        """The input of a model of sequences: a batch of rows of ``width`` numbers each."""
        return self.input(width, rank=3)

    def conv_1d(
        self,
        x: Handle,
        kernel: str,
        bias: str,
        filters: Size,
        size: Size = 1,
        dilation: int = 1,
        activation: str | None = None,
    ) -> Handle:
        """Conv1D without padding, of weights that have names of their own; its bias may be "" (none)."""
        use = self.weight(self.path("", kernel, ""), (size, x.channels, filters))
        weights, width = {"kernel": use}, use.shape[-1]
        if number(x.channels) is None:
            self.tell_channels(x, use.shape[-2])
        if bias:
            weights["bias"] = self.weight(self.path("", bias, ""), (filters,))
        config: Arguments = {"filters": width, "kernel_size": (use.shape[0],)}
        config["use_bias"] = bool(bias)
        if dilation > 1:
            config["dilation_rate"] = (dilation,)
        if activation:
            config["activation"] = activation
        return self.layer("Conv1D", kernel, (x,), config, weights, filters)

    def last_steps(self, x: Handle, dropped: int) -> Handle:
        """A sequence less its first steps; all of it where none is dropped."""
        config = {"cropping": (dropped, 0)}
        if not dropped:
            return x
        return self.layer("Cropping1D", "crop", (x,), config, {}, x.channels)

    def lstm(
        self, x: Handle, name: str, units: Size, forget_bias: float = 0.0
    ) -> Handle:
        """TensorFlow 1's BasicLSTMCell or LSTMCell over the whole sequence."""
        weights, size = self._lstm(x, name, units, forget_bias)
        config = {"units": size, "return_sequences": True}
        return self.layer("LSTM", name, (x,), config, weights, size)

    def lstm_and_states(
        self,
        x: Handle,
        name: str,
        units: Size,
        forget_bias: float,
        backwards: bool = False,
        begin: tuple[Handle, ...] = (),
    ) -> tuple[Handle, Handle, Handle]:
        """The same, and what the cell ends with: its last output and its memory, each (batch, units).

        ``backwards``: it begins with the last step, and so do its outputs; ``begin``: an output and a memory to begin with.
        """
        weights, size = self._lstm(x, name, units, forget_bias)
        config = {"units": size, "return_sequences": True, "return_state": True}
        if backwards:
            config["go_backwards"] = True
        names = ("sequence", "initial_state_0", "initial_state_1")[: 1 + len(begin)]
        y = self.layer("LSTM", name, (x, *begin), config, weights, size, names)
        return y, Handle(y.layer, size, 1), Handle(y.layer, size, 2)

    def bidirectional_lstm(
        self, x: Handle, names: tuple[str, str], units: Size, forget_bias: float = 1.0
    ) -> Handle:
        """The same cell forward and backward, what both give side by side."""
        weights: dict[str, WeightUse] = {}
        size = 0
        for way, name in zip(("forward", "backward"), names, strict=True):
            half, size = self._lstm(x, name, units, forget_bias)
            weights |= {f"{way}_layer/{role}": use for role, use in half.items()}
        inner = {"units": size, "return_sequences": True}
        config = {"layer": "LSTM", "layer_config": inner, "merge_mode": "concat"}
        op = "Bidirectional"
        return self.layer(op, "bidirectional", (x,), config, weights, 2 * size)

    def _lstm(
        self, x: Handle, name: str, units: Size, forget_bias: float
    ) -> tuple[dict[str, WeightUse], int]:
        """The weights of a cell in Keras's layout, and its units."""
        inputs, gates = number(x.channels) or 0, GATES * (number(units) or 0)
        whole = (inputs + gates // GATES, gates) if gates else (None, None)
        kernel = self.weight(self.path("LSTM", name, "kernel"), whole)
        bias = self.weight(self.path("LSTM", name, "bias"), (gates or None,))
        size = bias.shape[0] // GATES
        if isinstance(units, Width):
            units.meets(size)
        self.need(
            kernel.shape == (inputs + size, GATES * size),
            f"{kernel.node} is {list(kernel.shape)}, no LSTM's of {inputs} inputs",
        )
        weights = {"kernel": kernel, "bias": bias}
        weights = {
            f"cell/{r}": u for r, u in lstm_weights(weights, size, forget_bias).items()
        }
        return weights, size


def _part(
    use: WeightUse, width: int, begin: int, shape: tuple[int, ...]
) -> tuple[tuple[str, object], ...]:
    """The steps to that part of a joint weight, in Keras's layout."""
    steps: tuple[tuple[str, object], ...] = use.steps
    if use.shape[-1] != width:
        cut = (len(use.shape) - 1, begin * width, (begin + 1) * width)
        steps = (*steps, ("slice", cut))
    return (*steps, ("reshape", shape))
