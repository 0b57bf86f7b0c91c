"""Complex numbers and Fourier transforms against TensorFlow."""

from __future__ import annotations

import numpy as np

from tests.ops.oracle import Case, case, check, floats, known, table

Z = (floats(2, 5) + 1j * floats(2, 5)).astype(np.complex64)
LOOSE = {"tolerance": 1e-4}


@table(
    case("Real", input=Z),
    case("Imag", input=Z),
    case("Conj", input=Z),
    case("Angle", input=Z, expect=LOOSE),
    case("ComplexAbs", x=Z, expect=LOOSE),
    case("Complex", real=floats(2, 3), imag=floats(2, 3)),
    case("Complex", real=floats(2, 3), imag=floats(3)),
    case("Complex", real=floats(3, 3), imag=floats(3, 1)),
    case("RFFT", input=floats(2, 8), fft_length=known([8]), expect=LOOSE),
    case("RFFT", input=floats(2, 9), fft_length=known([8]), expect=LOOSE),
    case("IRFFT", input=Z, fft_length=known([8]), expect=LOOSE),
    case("FFT", input=Z, expect=LOOSE),
    case("FFT2D", input=Z, expect=LOOSE),
    case("IFFT2D", input=Z, expect=LOOSE),
    *(
        case(op, input=np.stack([Z, Z * 1j, Z + 1]), expect=LOOSE)
        for op in ("IFFT", "FFT3D", "IFFT3D")
    ),
    case("RFFT2D", input=floats(2, 5, 6), fft_length=known([4, 5]), expect=LOOSE),
    case("RFFT2D", input=floats(2, 5, 6), fft_length=known([5, 6]), expect=LOOSE),
    case(
        "IRFFT2D", input=np.stack([Z, Z * 1j]), fft_length=known([2, 8]), expect=LOOSE
    ),
    case(
        "IRFFT2D", input=np.stack([Z, Z * 1j]), fft_length=known([2, 6]), expect=LOOSE
    ),
)
def test_fourier(row: Case) -> None:
    check(row)
