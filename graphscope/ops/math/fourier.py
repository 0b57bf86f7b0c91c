"""Complex numbers, and Fourier transforms of them and of real ones.

``keras.ops`` transforms pairs of real tensors, so a complex one is taken apart before and put together after.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ...graph import Shape
from ..registry import Call, define
from ..text import literal
from ..values.dims import Dim, broadcast, same, unknown


def _part(number: int) -> Callable[[Call, str], str | None]:
    def text(call: Call, z: str) -> str | None:
        is_single = call.dtype(0) == "complex64"
        return f"ops.view_as_real({z})[..., {number}]" if is_single else None

    return text


def _parts(z: str) -> str:
    return f"(ops.view_as_real({z})[..., 0], ops.view_as_real({z})[..., 1])"


def _joined(pair: str) -> str:
    """The complex numbers of real and imaginary parts; ``ops.view_as_complex`` fails on TensorFlow (Keras 3.15)."""
    both = f'ops.cast(ops.stack({pair}, axis=-1), "complex64")'
    return f'ops.sum({both} * ops.array([1 + 0j, 1j], "complex64"), axis=-1)'


def _single(write: Callable[[str], str]) -> Callable[[Call, str], str | None]:
    """A text over complex64, which every backend has."""
    return lambda call, z: write(z) if call.dtype(0) == "complex64" else None


define("Real", shape=same, keras=_part(0), fold=np.real, traits="elementwise")
define("Imag", shape=same, keras=_part(1), fold=np.imag, traits="elementwise")
define("Conj", shape=same, keras="ops.conj({0})", fold=np.conj, traits="elementwise")
define(
    "Angle",
    shape=same,
    keras=_single(
        lambda z: f"ops.arctan2(ops.view_as_real({z})[..., 1], ops.view_as_real({z})[..., 0])"
    ),
    fold=np.angle,
    traits="elementwise",
)
define(
    "ComplexAbs",
    shape=same,
    keras=_single(
        lambda z: f"ops.sqrt(ops.sum(ops.square(ops.view_as_real({z})), axis=-1))"
    ),
    fold=np.abs,
    traits="elementwise",
)


def _complex_text(call: Call, real: str, imaginary: str) -> str | None:
    if call.dtype(0) != "float32":
        return None
    if call.shape(0) is not None and call.shape(0) == call.shape(1):
        return _joined(f"[{real}, {imaginary}]")
    first, second = (f'ops.cast({part}, "complex64")' for part in (real, imaginary))
    turned = f'ops.multiply({second}, ops.array(-1j, "complex64"))'
    return f"ops.subtract({first}, {turned})"  # what is added may be a bias to Keras


define(
    "Complex",
    shape=lambda call: (broadcast(call.shape(0), call.shape(1)),),
    keras=_complex_text,
    fold=lambda a, b: a + 1j * b,
    traits="elementwise",
)


def _transform(function: str, axes: int) -> Callable[[Call, str], str | None]:
    """Over the last axes, whose sizes Keras must know."""

    def text(call: Call, z: str) -> str | None:
        sizes = (call.shape(0) or (None,))[-axes:]
        if None in sizes or call.dtype(0) != "complex64":
            return None
        return _joined(f"ops.{function}({_parts(z)})")

    return text


def _transform_body(axes: int, inverse: bool) -> Callable[[Call, str], str | None]:
    """Along one axis after the other, as Keras has it for the last; backwards by conjugates."""

    def body(call: Call, z: str) -> str | None:
        if call.rank(0) is None or call.dtype(0) != "complex64":
            return None
        lines = [f"y = {f'ops.conj({z})' if inverse else z}"]
        for axis in range(-1, -axes - 1, -1):
            lines += _along(axis, [f"y = {_joined(_FFT)}"])
        count = " * ".join(f"ops.shape({z})[{-1 - axis}]" for axis in range(axes))
        scale = f'ops.cast({count}, "complex64")'
        return "\n".join(
            [*lines, f"return ops.conj(y) / {scale}" if inverse else "return y"]
        )

    return body


_FFT = "ops.fft((ops.view_as_real(y)[..., 0], ops.view_as_real(y)[..., 1]))"


def _along(axis: int, lines: list[str]) -> list[str]:
    """The statements that work on the last axis of y, for another one."""
    turn = [f"y = ops.swapaxes(y, {axis}, -1)"] if axis != -1 else []
    return [*turn, *lines, *turn]


define("FFT", shape=same, keras=_transform("fft", 1), body=_transform_body(1, False))
define("FFT2D", shape=same, keras=_transform("fft2", 2), body=_transform_body(2, False))
define(
    "IFFT2D", shape=same, keras=_transform("ifft2", 2), body=_transform_body(2, True)
)
define("IFFT", shape=same, body=_transform_body(1, True))
define("FFT3D", shape=same, body=_transform_body(3, False))
define("IFFT3D", shape=same, body=_transform_body(3, True))


def _real_transform(count: int, inverse: bool) -> Callable[[Call], tuple[Shape]]:
    def shape(call: Call) -> tuple[Shape]:
        dims, lengths = call.shape(0), call.dims(1)
        if dims is None:
            return (None,)
        sizes: list[Dim] = list(lengths or unknown(count))
        if not inverse and sizes[-1] is not None:
            sizes[-1] = sizes[-1] // 2 + 1 if sizes[-1] else 0
        return ((*dims[: len(dims) - count], *sizes),)

    return shape


def _forth(call: Call, x: str, _: str) -> str | None:
    length = call.integer(1)
    if length is None or call.dtype(0) != "float32":
        return None
    return _joined(f"ops.rfft({x}, fft_length={length})")


def _back(call: Call, z: str, _: str) -> str | None:
    length = call.integer(1)
    if length is None or call.dtype(0) != "complex64":
        return None
    return f"ops.irfft({_parts(z)}, fft_length={length})"


define("RFFT", shape=_real_transform(1, False), keras=_forth)


def _forth_body(call: Call, x: str, _: str) -> str | None:
    """Real numbers along the last axis, cut or filled up to the known lengths, then complex ones along the one before."""
    lengths = call.integers(1)
    if lengths is None or call.rank(0) is None or call.dtype(0) != "float32":
        return None
    rows = _fitted(call, x, -2, lengths[0])
    last = _joined(f"ops.rfft(y, fft_length={lengths[1]})")
    return "\n".join(
        [*rows, f"y = {last}", *_along(-2, [f"y = {_joined(_FFT)}"]), "return y"]
    )


def _fitted(call: Call, x: str, axis: int, length: int) -> list[str]:
    around = [(0, 0)] * (call.rank(0) or 2)
    around[axis] = (0, length)
    rest = ", :" * (-1 - axis)
    return [f"y = ops.pad({x}, {literal(tuple(around))})[..., :{length}{rest}]"]


define("RFFT2D", shape=_real_transform(2, False), body=_forth_body)
define("IRFFT", shape=_real_transform(1, True), keras=_back)


def _back_body(call: Call, z: str, _: str) -> str | None:
    lengths = call.integers(1)
    if lengths is None or call.rank(0) is None or call.dtype(0) != "complex64":
        return None
    columns = _joined(_FFT)
    inverse = _along(-2, [f"y = {columns}"])
    pair = "(ops.view_as_real(y)[..., 0], -ops.view_as_real(y)[..., 1])"
    return "\n".join(
        [
            *_fitted(call, z, -2, lengths[0]),
            "y = ops.conj(y)",
            *inverse,
            f"return ops.irfft({pair}, fft_length={lengths[1]}) / {lengths[0]}.0",
        ]
    )


define("IRFFT2D", shape=_real_transform(2, True), body=_back_body)
