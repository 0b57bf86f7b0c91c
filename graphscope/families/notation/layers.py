"""The closed vocabulary of a family's builder: Keras's layers, each with its weights' shapes."""

from __future__ import annotations

from collections.abc import Sequence

from ...graph import WeightUse
from ...graph.named_values import Arguments
from .net import REFLECTION, Handle, Recorder
from .unknowns import Size, number

Pair = int | tuple[int, int]
_SAME_CHANNELS = ("ZeroPadding2D", REFLECTION, "Rescaling", "Normalization")


def _pair(value: Pair) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def _moves(
    strides: Pair, padding: str, bias: bool, activation: str | None
) -> dict[str, object]:
    """What every convolution's config ends with."""
    config = {"strides": _pair(strides), "padding": padding, "use_bias": bias}
    return config | ({"activation": activation} if activation else {})


class Net(Recorder):
    """What a builder writes in: ``net.conv(x, "conv1", 64, 7, strides=2)``; every argument is Keras's."""

    def input(
        self, channels: Size = None, *, rank: int = 4, dtype: str = "float32"
    ) -> Handle:
        """The input of the model: a batch of images of any size unless the rank says otherwise."""
        shape = (None,) * (rank - 1) + (channels,)
        config = {"batch_shape": shape, "dtype": dtype}
        return self.layer("InputLayer", "input", (), config, {}, channels)

    def tokens(self) -> Handle:
        """The input of a model of texts: a batch of rows of token numbers."""
        config = {"batch_shape": (None, None), "dtype": "int32"}
        return self.layer("InputLayer", "input", (), config, {}, None)

    def sized(self, x: Handle, *sizes: int | None) -> None:
        """Say what an input's sizes are, once a Flatten has told."""
        config = self.trace[x.layer].config
        config["batch_shape"] = (None, *sizes, config["batch_shape"][-1])

    def _weights(
        self, op: str, name: str, shapes: dict[str, Sequence[Size]]
    ) -> dict[str, WeightUse]:
        return {
            role: self.weight(self.path(op, name, role), shape)
            for role, shape in shapes.items()
        }

    def conv(
        self,
        x: Handle,
        name: str,
        filters: Size,
        kernel: Pair,
        strides: Pair = 1,
        padding: str = "same",
        bias: bool = True,
        activation: str | None = None,
        dilation: int = 1,
        groups: int = 1,
    ) -> Handle:
        """Conv2D: kernel (rows, columns, channels of a group, filters), bias (filters,)."""
        size, channels = _pair(kernel), x.channels
        if groups > 1:
            channels = (number(channels) or 0) // groups
        shapes: dict[str, Sequence[Size]] = {"kernel": (*size, channels, filters)}
        if bias:
            shapes["bias"] = (filters,)
        weights = self._weights("Conv2D", name, shapes)
        if number(x.channels) is None:
            x.channels = weights["kernel"].shape[-2]
            self.tell_channels(x)
        if number(filters) is None:
            filters = weights["kernel"].shape[-1]
        config: Arguments = {"filters": filters, "kernel_size": size}
        config |= _moves(strides, padding, bias, activation)
        if dilation > 1:
            config["dilation_rate"] = _pair(dilation)
        if groups > 1:
            config["groups"] = groups
        return self.layer("Conv2D", name, (x,), config, weights, filters)

    def tell_channels(self, x: Handle, channels: Size = None) -> None:
        """Say how many channels the input has that leads to a layer, once a kernel has told."""
        x.channels = channels or x.channels
        traced = self.trace[x.layer]
        if traced.op == "InputLayer":
            shape = traced.config["batch_shape"]
            traced.config["batch_shape"] = (*shape[:-1], number(x.channels))
        for before in traced.inputs if traced.op in _SAME_CHANNELS else ():
            before.channels = x.channels
            self.tell_channels(before)

    def conv_transpose(
        self,
        x: Handle,
        name: str,
        filters: Size,
        kernel: Pair,
        strides: Pair = 1,
        padding: str = "same",
        bias: bool = True,
        activation: str | None = None,
    ) -> Handle:
        """Conv2DTranspose: kernel (rows, columns, filters, channels)."""
        size = _pair(kernel)
        shapes: dict[str, Sequence[Size]] = {"kernel": (*size, filters, x.channels)}
        if bias:
            shapes["bias"] = (filters,)
        weights = self._weights("Conv2DTranspose", name, shapes)
        filters = filters if number(filters) else weights["kernel"].shape[-2]
        config: Arguments = {"filters": filters, "kernel_size": size}
        config |= _moves(strides, padding, bias, activation)
        return self.layer("Conv2DTranspose", name, (x,), config, weights, filters)

    def depthwise(
        self,
        x: Handle,
        name: str,
        kernel: Pair,
        strides: Pair = 1,
        padding: str = "same",
        bias: bool = False,
        dilation: int = 1,
    ) -> Handle:
        """DepthwiseConv2D: kernel (rows, columns, channels, 1)."""
        size = _pair(kernel)
        shapes: dict[str, Sequence[Size]] = {"depthwise_kernel": (*size, x.channels, 1)}
        if bias:
            shapes["bias"] = (x.channels,)
        weights = self._weights("DepthwiseConv2D", name, shapes)
        weights = {"kernel": weights.pop("depthwise_kernel"), **weights}
        config: Arguments = {"kernel_size": size, "strides": _pair(strides)}
        config |= {"padding": padding, "use_bias": bias}
        if dilation > 1:
            config["dilation_rate"] = _pair(dilation)
        return self.layer("DepthwiseConv2D", name, (x,), config, weights, x.channels)

    def separable(
        self,
        x: Handle,
        name: str,
        filters: Size,
        kernel: Pair,
        strides: Pair = 1,
        padding: str = "same",
        multiplier: int = 1,
        bias: bool = False,
    ) -> Handle:
        """SeparableConv2D: kernels (rows, columns, channels, multiplier) and (1, 1, channels x multiplier, filters)."""
        size = _pair(kernel)
        depth = self._weights(
            "SeparableConv2D",
            name,
            {"depthwise_kernel": (*size, x.channels, multiplier)},
        )
        if number(x.channels) is None:
            x.channels = depth["depthwise_kernel"].shape[-2]
            self.tell_channels(x)
        wide = x.channels if multiplier == 1 else multiplier * (number(x.channels) or 0)
        shapes: dict[str, Sequence[Size]] = {"pointwise_kernel": (1, 1, wide, filters)}
        weights = depth | self._weights("SeparableConv2D", name, shapes)
        filters = filters if number(filters) else weights["pointwise_kernel"].shape[-1]
        if bias:
            weights |= self._weights("SeparableConv2D", name, {"bias": (filters,)})
        config: Arguments = {"filters": filters, "kernel_size": size}
        config |= _moves(strides, padding, bias, None)
        if multiplier > 1:
            config["depth_multiplier"] = multiplier
        return self.layer("SeparableConv2D", name, (x,), config, weights, filters)

    def dense(
        self,
        x: Handle,
        name: str,
        units: Size,
        bias: bool = True,
        activation: str | None = None,
        stored: str = "",
    ) -> Handle:
        """Dense: kernel (channels, units). ``stored``: "transposed" or "of one place" (1, channels, units)."""
        shape: tuple[Size, ...] = (x.channels, units)
        if stored:
            shape = shape[::-1] if stored == "transposed" else (1, *shape)
        kernel = self.weight(self.path("Dense", name, "kernel"), shape)
        if self.trace[x.layer].op == "InputLayer":
            self.tell_channels(x, kernel.shape[0 if stored != "transposed" else -1])
        if stored == "transposed":
            swapped = kernel.shape[::-1]
            kernel = WeightUse(kernel.node, swapped, (("transpose", (1, 0)),))
        elif stored:
            kernel = WeightUse(
                kernel.node, kernel.shape[1:], (("reshape", kernel.shape[1:]),)
            )
        weights = {"kernel": kernel}
        units = units if number(units) else kernel.shape[-1]
        if bias:
            weights["bias"] = self.weight(self.path("Dense", name, "bias"), (units,))
        config: Arguments = {"units": units, "use_bias": bias}
        if activation:
            config["activation"] = activation
        return self.layer("Dense", name, (x,), config, weights, units)

    def batch_norm(
        self,
        x: Handle,
        name: str,
        epsilon: float,
        scale: bool = True,
        momentum: float = 0.99,
    ) -> Handle:
        """BatchNormalization over the channels."""
        roles = ("gamma", "beta", "moving_mean", "moving_variance")
        shapes: dict[str, Sequence[Size]] = {
            role: (x.channels,) for role in roles if scale or role != "gamma"
        }
        weights = self._weights("BatchNormalization", name, shapes)
        config: Arguments = {"epsilon": epsilon, "momentum": momentum}
        if not scale:
            config["scale"] = False
        return self.layer("BatchNormalization", name, (x,), config, weights, x.channels)

    def instance_norm(self, x: Handle, name: str, epsilon: float) -> Handle:
        """Normalization of each channel over the places of one image: GroupNormalization with as many groups as channels."""
        shapes: dict[str, Sequence[Size]] = {
            r: (x.channels,) for r in ("gamma", "beta")
        }
        op = "GroupNormalization"
        weights = self._weights(op, name, shapes)
        config = {"groups": number(x.channels), "epsilon": epsilon}
        return self.layer(op, name, (x,), config, weights, x.channels)

    def layer_norm(self, x: Handle, name: str, epsilon: float) -> Handle:
        """LayerNormalization over the last axis."""
        shapes: dict[str, Sequence[Size]] = {
            r: (x.channels,) for r in ("gamma", "beta")
        }
        weights = self._weights("LayerNormalization", name, shapes)
        config = {"epsilon": epsilon}
        return self.layer("LayerNormalization", name, (x,), config, weights, x.channels)

    def scale(self, x: Handle, name: str) -> Handle:
        """A factor for each channel of images, which Keras has as EinsumDense alone: a kernel (channels,)."""
        weights = self._weights("EinsumDense", name, {"kernel": (x.channels,)})
        shape = (None, None, number(x.channels))
        config = {"equation": "abcd,d->abcd", "output_shape": shape, "bias_axes": None}
        return self.layer("EinsumDense", name, (x,), config, weights, x.channels)

    def embedding(self, x: Handle, name: str, rows: Size, width: Size) -> Handle:
        """Embedding: a table (rows, width)."""
        weights = self._weights("Embedding", name, {"embeddings": (rows, width)})
        table = weights["embeddings"].shape
        config = {"input_dim": table[0], "output_dim": table[-1]}
        return self.layer("Embedding", name, (x,), config, weights, width)

    def add(self, *handles: Handle) -> Handle:
        return self.layer("Add", "add", handles, {}, {}, handles[0].channels)

    def concatenate(self, *handles: Handle) -> Handle:
        sizes = [number(each.channels) for each in handles]
        total = None if None in sizes else sum(s for s in sizes if s is not None)
        return self.layer("Concatenate", "concat", handles, {}, {}, total)

    def activation(self, x: Handle, function: str) -> Handle:
        config = {"activation": function}
        return self.layer("Activation", function, (x,), config, {}, x.channels)

    def relu6(self, x: Handle) -> Handle:
        return self.layer("ReLU", "relu6", (x,), {"max_value": 6.0}, {}, x.channels)

    def leaky_relu(self, x: Handle, slope: float) -> Handle:
        config = {"negative_slope": slope}
        return self.layer("LeakyReLU", "leaky_relu", (x,), config, {}, x.channels)

    def prelu(self, x: Handle, name: str) -> Handle:
        """PReLU with a slope for each channel, stored (channels,)."""
        path = self.path("PReLU", name, "alpha")
        use = self.weight(path, (x.channels,))
        spatial = 0 if self.is_flat(x) else 2
        shape = (*(1,) * spatial, *use.shape)
        if spatial:
            use = WeightUse(use.node, shape, (("reshape", shape),))
        config = {"shared_axes": tuple(range(1, spatial + 1))} if spatial else {}
        return self.layer("PReLU", name, (x,), config, {"alpha": use}, x.channels)

    def is_flat(self, x: Handle) -> bool:
        """Whether a tensor has no places left: a Dense or a Flatten made it."""
        return self.trace[x.layer].op in ("Dense", "Flatten")

    def upsample(
        self, x: Handle, factor: int, interpolation: str = "nearest"
    ) -> Handle:
        config = {"size": _pair(factor), "interpolation": interpolation}
        return self.layer("UpSampling2D", "upsample", (x,), config, {}, x.channels)

    def pool(
        self,
        x: Handle,
        size: Pair,
        strides: Pair,
        padding: str = "same",
        kind: str = "Max",
    ) -> Handle:
        config = {
            "pool_size": _pair(size),
            "strides": _pair(strides),
            "padding": padding,
        }
        name = f"{kind.lower()}_pool"
        return self.layer(f"{kind}Pooling2D", name, (x,), config, {}, x.channels)

    def global_pool(self, x: Handle, keepdims: bool = False) -> Handle:
        config = {"keepdims": True} if keepdims else {}
        op = "GlobalAveragePooling2D"
        return self.layer(op, "global_pool", (x,), config, {}, x.channels)

    def pad(self, x: Handle, before: int, after: int) -> Handle:
        """ZeroPadding2D by so many rows and columns; nothing where both are 0."""
        if not before + after:
            return x
        config = {"padding": ((before, after), (before, after))}
        return self.layer("ZeroPadding2D", "pad", (x,), config, {}, x.channels)

    def reflect(self, x: Handle, by: int) -> Handle:
        """Rows and columns mirrored at each border; no layer of Keras does so, TensorFlow's MirrorPad does."""
        return self.layer(REFLECTION, "reflect", (x,), {"by": by}, {}, x.channels)

    def crop(
        self, x: Handle, rows: tuple[int, int], columns: tuple[int, int]
    ) -> Handle:
        config = {"cropping": (rows, columns)}
        return self.layer("Cropping2D", "crop", (x,), config, {}, x.channels)

    def flatten(self, x: Handle, units: int | None = None) -> Handle:
        return self.layer("Flatten", "flatten", (x,), {}, {}, units)

    def reshape(self, x: Handle, shape: tuple[int, ...]) -> Handle:
        config = {"target_shape": shape}
        return self.layer("Reshape", "reshape", (x,), config, {}, shape[-1])

    def rescale(self, x: Handle, scale: float, offset: float = 0.0) -> Handle:
        config = {"scale": scale, "offset": offset} if offset else {"scale": scale}
        return self.layer("Rescaling", "scale", (x,), config, {}, x.channels)

    def normalized(self, x: Handle, white: float = 1.0) -> Handle:
        """Normalization of the colours, 0 to ``white``, by ImageNet's mean and variance, which no file holds."""
        mean = tuple(white * m for m in (0.485, 0.456, 0.406))
        variance = tuple((white * s) ** 2 for s in (0.229, 0.224, 0.225))
        config = {"axis": -1, "mean": mean, "variance": variance}
        return self.layer("Normalization", "normalize", (x,), config, {}, x.channels)

    def normalization(self, x: Handle, name: str) -> Handle:
        """Normalization by a stored mean and variance, and the number of samples that it saw."""
        shapes: dict[str, Sequence[Size]] = {
            "mean": (x.channels,),
            "variance": (x.channels,),
        }
        weights = self._weights("Normalization", name, shapes)
        if number(x.channels) is None:
            x.channels = weights["mean"].shape[-1]
            self.tell_channels(x)
        count = self.path("Normalization", name, "count")
        if self.index is not None and count in self.index.shapes:
            weights["count"] = self.weight(count, ())
        return self.layer(
            "Normalization", name, (x,), {"axis": -1}, weights, x.channels
        )

    def multiply(self, *handles: Handle) -> Handle:
        return self.layer("Multiply", "multiply", handles, {}, {}, handles[0].channels)
