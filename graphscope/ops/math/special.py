"""Special functions: gamma, zeta, Bessel and others, none of which ``keras.ops`` has.

Each is written as a series, a continued fraction or a quadrature that float32 does not tell from the function itself: Lanczos
and Euler-Maclaurin for gamma and zeta, Numerical Recipes 6.2 and 6.4 for the incomplete ones, the integrals of Abramowitz and
Stegun 9.1, 9.6, 7.3 and 27.7 by trapezoids (of periodic or doubly decaying functions) or Gauss-Legendre.
"""

from __future__ import annotations

from collections.abc import Callable
from textwrap import indent

from ...graph import Shape
from ..registry import Call, define
from ..values.dims import broadcast, same

_FLOATS = ("bfloat16", "float16", "float32", "float64")
_LANCZOS = (
    "676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, "
    "12.507343278686905, -0.13857109526572012, 9.984369578019572e-06, 1.5056327351493116e-07"
)
_GAMMA = f"""
def lanczos(x):
    z = ops.where(x < 0.5, -x, x - 1.0)
    terms = [{_LANCZOS}]
    total = 0.9999999999998099 + sum(c / (z + i) for i, c in enumerate(terms, 1))
    slope = sum(-c / (z + i) ** 2 for i, c in enumerate(terms, 1)) / total
    return z, total, slope, z + 7.5, 2.0149030205422647 + ops.log1p(z / 7.5)

"""
_LOG_GAMMA = f"""{_GAMMA}
def log_gamma(x):
    z, total, _, t, log_t = lanczos(x)
    y = (z + 0.5 - t / log_t) * log_t + 0.9189385332046727 + ops.log(total)
    part = ops.abs(x) - ops.floor(ops.abs(x))
    sine = ops.sin(3.141592653589793 * ops.minimum(part, 1.0 - part))
    turned = 1.1447298858494002 - ops.log(sine) - y
    y = ops.where(x < 0.5, ops.where(sine > 0.0, turned, float("inf")), y)
    return ops.where(ops.isinf(x), float("inf"), y)

"""
_DIGAMMA = f"""{_GAMMA}
def digamma(x):
    _, _, slope, t, log_t = lanczos(x)
    y = log_t + slope - 7.0 / t
    part = x + ops.abs(ops.floor(x + 0.5))
    turned = y - 3.141592653589793 / ops.tan(3.141592653589793 * part)
    y = ops.where(x < 0.5, turned, y)
    return ops.where(ops.logical_and(x <= 0.0, x == ops.floor(x)), float("nan"), y)

"""
_ZETA = """
def zeta(x, q):
    n = q + 10.0
    start = sum((q + float(i)) ** -x for i in range(10))
    power = n**-x
    total = start + power * n / (x - 1.0) + 0.5 * power
    terms = [12.0, -720.0, 30240.0, -1209600.0, 47900160.0, -1892437580.3183792]
    factor = x * power / n
    for i, term in enumerate(terms):
        total = total + factor / term
        factor = factor * (x + 2.0 * i + 1.0) * (x + 2.0 * i + 2.0) / (n * n)
    poles = ops.logical_and(q <= 0.0, q == ops.floor(q))
    total = ops.where(ops.logical_or(x == 1.0, poles), float("inf"), total)
    return ops.where(x < 1.0, float("nan"), total)

"""


def _real(definitions: str, text: str) -> Callable[..., str | None]:
    """A body that computes ``text`` of float32 and gives the dtype of the op."""

    def body(call: Call, *texts: str) -> str | None:
        dtype = call.dtype(0)
        if dtype not in _FLOATS:
            return None
        names = "abxq"[: len(texts)] if len(texts) != 1 else "x"
        kind = "float64" if dtype == "float64" else "float32"
        casts = [f'{n} = ops.cast({t}, "{kind}")' for n, t in zip(names, texts)]
        result = text if dtype == kind else f'ops.cast({text}, "{dtype}")'
        return f"{definitions.strip()}\n" + "\n".join([*casts, f"return {result}"])

    return body


def _elementwise(call: Call) -> tuple[Shape]:
    return (broadcast(*(call.shape(slot) for slot in range(len(call.inputs)))),)


def _function(name: str, definitions: str, text: str, inputs: int = 1) -> None:
    shape = same if inputs == 1 else _elementwise
    define(name, shape=shape, body=_real(definitions, text), traits="elementwise")


def _steps(text: str) -> str:
    """Statements of a ``function`` of x."""
    return f"def function(x):\n{indent(text.strip(), '    ')}\n"


_function("Lgamma", _LOG_GAMMA, "log_gamma(x)")
_function("Digamma", _DIGAMMA, "digamma(x)")
_function("Zeta", _ZETA, "zeta(a, b)", 2)
_DERIVATIVE = """
def derivative(a, x):
    y = ops.exp(log_gamma(a + 1.0)) * zeta(a + 1.0, x)
    return ops.where(a == ops.floor(a), -ops.cos(3.141592653589793 * a) * y, float("nan"))

"""
_function(
    "Polygamma",
    _LOG_GAMMA + _DIGAMMA.removeprefix(_GAMMA) + _ZETA + _DERIVATIVE,
    "ops.where(a == 0.0, digamma(b), derivative(a, b))",
    2,
)
_INCOMPLETE = f"""{_LOG_GAMMA}
def lower(a, x):
    front = ops.exp(a * ops.log(x) - x - log_gamma(a))
    term = total = 1.0 / a
    for i in range(1, 120):
        term = term * x / (a + float(i))
        total = total + term
    b = x + 1.0 - a
    c, d = ops.full_like(b, 1e30), 1.0 / b
    fraction = d
    for i in range(1, 60):
        step = float(i) * (a - float(i))
        b = b + 2.0
        d, c = 1.0 / (step * d + b), b + step / c
        fraction = fraction * d * c
    y = ops.where(x < a + 1.0, front * total, 1.0 - front * fraction)
    y = ops.where(x == 0.0, 0.0, y)
    return ops.where(ops.logical_or(x < 0.0, a <= 0.0), float("nan"), y)

"""
_function("Igamma", _INCOMPLETE, "lower(a, b)", 2)
_function("Igammac", _INCOMPLETE, "1.0 - lower(a, b)", 2)
_function(
    "Betainc",
    f"""{_LOG_GAMMA}
def fraction(a, b, x):
    c = ops.ones_like(x)
    d = 1.0 / (1.0 - (a + b) * x / (a + 1.0))
    y = d
    for i in range(1, 80):
        m = float(i)
        even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m))
        d, c = 1.0 / (1.0 + even * d), 1.0 + even / c
        y = y * d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0))
        d, c = 1.0 / (1.0 + odd * d), 1.0 + odd / c
        y = y * d * c
    return y

def beta(a, b, x):
    front = log_gamma(a + b) - log_gamma(a) - log_gamma(b)
    front = ops.exp(front + a * ops.log(x) + b * ops.log1p(-x))
    turned = x > (a + 1.0) / (a + b + 2.0)
    p, q, z = ops.where(turned, b, a), ops.where(turned, a, b), ops.where(turned, 1.0 - x, x)
    y = front * fraction(p, q, z) / p
    y = ops.where(x == 0.0, 0.0, ops.where(x == 1.0, 1.0, ops.where(turned, 1.0 - y, y)))
    outside = ops.logical_or(ops.logical_or(x < 0.0, x > 1.0), ops.logical_or(a <= 0.0, b <= 0.0))
    return ops.where(outside, float("nan"), y)
""",
    "beta(a, b, x)",
    3,
)


def _periodic(integrand: str) -> str:
    """The mean of a periodic function of an angle ``t`` and of x, by the trapezoids that are exact for it."""
    return _steps(f"""
t = ops.cast(3.141592653589793 / 256.0 * (ops.arange(256.0) + 0.5), x.dtype)
x = ops.expand_dims(x, -1)
return ops.mean({integrand}, axis=-1)
""")


def _decaying(integrand: str) -> str:
    """The integral over ``t`` of what decays as exp(-x cosh t)."""
    return _steps(f"""
t = ops.cast(0.125 * ops.arange(160.0), x.dtype)
weights = ops.cast(ops.where(ops.arange(160) > 0, 0.125, 0.0625), x.dtype)
z = ops.expand_dims(x, -1)
y = ops.sum(weights * {integrand}, axis=-1)
return ops.where(x > 0.0, y, float("inf"))
""")


_CURVED = "ops.exp(-z * (ops.cosh(t) - 1.0))"
_SCALED = "ops.exp(ops.abs(x) * (ops.cos(t) - 1.0))"
_function("BesselI0e", _periodic(_SCALED), "function(x)")
_ODD = f"{_SCALED} * ops.cos(t) * ops.sign(x)"
_function("BesselI1", _periodic(_ODD), "function(x) * ops.exp(ops.abs(x))")
_function("BesselI1e", _periodic(_ODD), "function(x)")
_function("BesselK0", _decaying(_CURVED), "function(x) * ops.exp(-x)")
_function("BesselK0e", _decaying(_CURVED), "function(x)")
_function(
    "BesselK1", _decaying(f"{_CURVED} * ops.cosh(t)"), "function(x) * ops.exp(-x)"
)
_function("BesselK1e", _decaying(f"{_CURVED} * ops.cosh(t)"), "function(x)")


def _hankel(order: int, wave: str, near: str) -> str:
    """``near`` (of x, within 25) and Hankel's asymptotic expansion beyond (Abramowitz and Stegun 9.2.5)."""
    m = 4.0 * order
    even = f"1.0 - {(m - 1) * (m - 9) / 128.0} / x**2"
    odd = f"{(m - 1) / 8.0} / x - {(m - 1) * (m - 9) * (m - 25) / 3072.0} / x**3"
    signs = {"J": ("cos", "-", "sin"), "Y": ("sin", "+", "cos")}[wave]
    first, sign, second = signs
    return f"""
def far(x):
    angle = x - {(2 * order + 1) * 0.7853981633974483}
    waves = ({even}) * ops.{first}(angle) {sign} ({odd}) * ops.{second}(angle)
    return ops.sqrt(0.6366197723675814 / x) * waves

{near}"""


_NODES = """
nodes, weights = np.polynomial.legendre.leggauss({0})
nodes, weights = ops.cast(nodes, x.dtype), ops.cast(weights, x.dtype)
"""
_function(
    "BesselJ0",
    _hankel(0, "J", _periodic("ops.cos(x * ops.sin(t))")),
    "ops.where(ops.abs(x) < 25.0, function(x), far(ops.maximum(ops.abs(x), 25.0)))",
)
_function(
    "BesselJ1",
    _hankel(1, "J", _periodic("ops.cos(t - x * ops.sin(t))")),
    "ops.where(ops.abs(x) < 25.0, function(x), ops.sign(x) * far(ops.maximum(ops.abs(x), 25.0)))",
)


def _second_kind(order: int) -> str:
    """Two integrals (9.1.22 of Abramowitz and Stegun)."""
    edge = 'float("nan")' if order else '-float("inf")'  # as TensorFlow's kernel has it
    growth = "2.0" if not order else "(ops.exp(t) - ops.exp(-t))"
    return _steps(_NODES.format(96) + f"""z = ops.expand_dims(x, -1)
angle = 1.5707963267948966 * (nodes + 1.0)
waves = 0.5 * weights * ops.sin(z * ops.sin(angle) - {float(order)} * angle)
step = ops.log(60.0 / ops.minimum(z, 25.0) + 2.0) / 2.0
t = step * (nodes + 1.0)
decay = step * weights * {growth} * ops.exp(-z * ops.sinh(t))
y = ops.sum(waves - decay / 3.141592653589793, axis=-1)
return ops.where(x > 0.0, y, ops.where(x == 0.0, {edge}, -float("inf")))
""")


for _order in (0, 1):
    _function(
        f"BesselY{_order}",
        _hankel(_order, "Y", _second_kind(_order)),
        "ops.where(x < 25.0, function(x), far(ops.maximum(x, 25.0)))",
    )
_function(
    "Dawsn",
    _steps("""
z, odd = ops.expand_dims(x, -1), ops.cast(2.0 * ops.arange(-40.0, 40.0) + 1.0, x.dtype)
near = ops.sum(ops.exp(-((z - 0.4 * odd) ** 2)) / odd, axis=-1) / 1.772453850905516
far = 0.5 / x * (1.0 + 0.5 / x**2 * (1.0 + 1.5 / x**2 * (1.0 + 2.5 / x**2)))
return ops.where(ops.abs(x) < 10.0, near, far)
"""),
    "function(x)",
)
_function(
    "Expint",
    _steps("""
term, near = x, x + ops.log(x) + 0.5772156649015329
for i in range(2, 60):
    term = term * x / float(i)
    near = near + term / float(i)
far = 1.0
for i in range(14, 0, -1):
    far = 1.0 + far * float(i) / x
y = ops.where(x < 20.0, near, ops.exp(x) / x * far)
return ops.where(x >= 0.0, y, float("nan"))
"""),
    "function(x)",
)
_function(
    "Spence",
    _steps(_NODES.format(24) + """u = 0.5 * (nodes + 1.0)
z = ops.where(x > 1.0, 1.0 / x, x)
w = ops.where(z < 0.5, -z, z - 1.0)
part = ops.expand_dims(w, -1) * u
y = -0.5 * ops.sum(weights * ops.log1p(part) / u, axis=-1)
turned = 1.6449340668482264 - ops.log(z) * ops.log1p(-z) - y
y = ops.where(z < 0.5, ops.where(z > 0.0, turned, 1.6449340668482264), y)
y = ops.where(x > 1.0, -0.5 * ops.log(x) ** 2 - y, y)
return ops.where(x < 0.0, float("nan"), y)
"""),
    "function(x)",
)


def _fresnel(wave: str, first: str, sign: str, second: str) -> str:
    """The integral of ``wave`` of half a turn times t squared; beyond 5 its auxiliary functions (7.3.27 there)."""
    return _steps(_NODES.format(48) + f"""z = ops.minimum(ops.abs(x), 5.0)
t = ops.expand_dims(0.5 * z, -1) * (nodes + 1.0)
near = 0.5 * z * ops.sum(weights * ops.{wave}(1.5707963267948966 * t**2), axis=-1)
far = ops.maximum(ops.abs(x), 5.0)
angle, p = 1.5707963267948966 * far**2, 3.141592653589793 * far**2
f = (1.0 - 3.0 / p**2) / (3.141592653589793 * far)
g = (1.0 - 15.0 / p**2) / (p * 3.141592653589793 * far)
beyond = 0.5 {sign} f * ops.{first}(angle) - g * ops.{second}(angle)
return ops.sign(x) * ops.where(ops.abs(x) < 5.0, near, beyond)
""")


_function("FresnelCos", _fresnel("cos", "sin", "+", "cos"), "function(x)")
_function("FresnelSin", _fresnel("sin", "cos", "-", "sin"), "function(x)")
_function(
    "Ndtri",
    "",
    "1.4142135623730951 * ops.erfinv(2.0 * x - 1.0)",
)
