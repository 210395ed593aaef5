"""The arithmetic and the device in which a model lives, and the few functions that follow it.

An array is either float64 in some array namespace (NumPy, CuPy, array-api-strict) or a NumPy object
array of exact or rigorous numbers: `fractions.Fraction`, `flint.fmpq` (rationals) or `flint.arb` (balls:
a midpoint and a radius that encloses the true value).  Library code is written once; what differs
between these (`exp`, the maximum of balls that overlap, linear systems) is here and nowhere else.

All functions treat leading axes as batch axes and are pure.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from operator import methodcaller
from types import ModuleType
from typing import Any

import numpy as np
from array_api_compat import array_namespace, is_cupy_array
from array_api_compat import numpy as _numpy

Array = Any  # float64 in an array namespace, or a NumPy object array of exact numbers

EPS = float(np.finfo(np.float64).eps)


@cache
def _flint() -> ModuleType | None:
    try:
        import flint
    except ImportError:
        return None
    return flint


def is_exact(x: Array) -> bool:
    """Whether `x` holds rationals or balls rather than float64."""
    if isinstance(x, np.ndarray):
        return x.dtype.kind == "O"
    return type(x).__name__ in (
        "fmpq",
        "fmpz",
        "arb",
        "Fraction",
    )


def is_ball(x: Any) -> bool:
    """Whether the number or object array `x` holds at least one ball."""
    if isinstance(x, np.ndarray):
        return x.dtype == object and any(type(y).__name__ == "arb" for y in x.flat)
    return type(x).__name__ == "arb"


def on_gpu(x: Array) -> bool:
    """Whether `x` is a CuPy array."""
    return bool(is_cupy_array(x))


def namespace(x: Array) -> Any:
    """The array namespace of `x` (NumPy for object arrays)."""
    if isinstance(x, np.ndarray):  # by far the commonest, and asked for millions of times
        return np if x.dtype.kind == "O" else _numpy
    return np if is_exact(x) else array_namespace(x)


def rational_number(x: Any) -> Any:
    """One rational: from int, float (exactly), Fraction, fmpq or text such as "1/3" or "0.25".

    An `fmpq` where python-flint is installed, else a `Fraction`.  Balls pass through unchanged.
    """
    flint = _flint()
    if flint is not None:
        if isinstance(x, flint.fmpq | flint.arb):
            return x
        if type(x) is int or isinstance(x, flint.fmpz):
            return flint.fmpq(x)
    f = Fraction(x.item() if hasattr(x, "item") else x)
    return f if flint is None else flint.fmpq(f.numerator, f.denominator)


def _elementwise(f: Callable[[Any], Any], x: Any) -> Any:
    if not isinstance(x, np.ndarray):
        return f(x)
    out = np.empty(x.size, dtype=object)
    out[:] = [f(y) for y in x.ravel()]
    return out.reshape(x.shape)


def rational(x: Any) -> np.ndarray:
    """`x` (any nesting of numbers or texts, any array) as an object array of exact rationals."""
    return np.asarray(_elementwise(rational_number, np.asarray(x, dtype=object)), dtype=object)


def exact_distribution(x: Array) -> np.ndarray:
    """Rows of floats [..., n] that sum to one up to rounding, as rationals that sum to one exactly.

    Each float stands for itself but the largest of its row, which takes what is missing.  So all denominators stay
    powers of two and long exact trajectories stay affordable; dividing by the sum would give each row its own.
    """
    rows = rational(floats(x))
    for index in np.ndindex(rows.shape[:-1]):
        row = rows[index]
        top = max(range(len(row)), key=row.__getitem__)
        row[top] += 1 - sum(row)
    return rows


def number(x: Any) -> float:
    """One exact number or ball as the nearest float."""
    kind = type(x).__name__
    if kind == "arb":
        return float(x.mid())
    if kind == "fmpq":
        return float(Fraction(int(x.p), int(x.q)))
    return float(x)


def floats(x: Array) -> Array:
    """`x` in float64 NumPy; exact numbers are rounded to nearest, balls to their midpoint."""
    if isinstance(x, np.ndarray) and x.dtype == object:
        return np.array([number(y) for y in x.flat], dtype=float).reshape(x.shape)
    if on_gpu(x):
        return x.get()
    return np.asarray(number(x) if is_exact(x) else x, dtype=float)


def ball(x: Any) -> Any:
    """One number as a ball of radius zero (or of one rounding), in the current precision; "[2.5 +/- 1e-9]" is read."""
    flint = _flint()
    if flint is None:
        from mdplab.errors import MissingExtra

        raise MissingExtra("exp, log and roots of exact numbers need python-flint: pip install 'mdplab[exact]'")
    if isinstance(x, flint.arb):
        return x
    return flint.arb(x if isinstance(x, str) and x.startswith("[") else rational_number(x))


def _function(name: str) -> Callable[[Any], Any]:
    method = methodcaller(name)

    def f(x: Any) -> Any:
        if is_exact(x):
            return _elementwise(lambda y: method(ball(y)), x)
        if isinstance(x, int | float):
            return getattr(np, name)(x)
        return getattr(namespace(x), name)(x)

    f.__name__, f.__doc__ = name, f"{name}(x), element by element, in the arithmetic of `x` (balls for exact `x`)."
    return f


exp, log, sqrt, log1p, expm1 = map(_function, ("exp", "log", "sqrt", "log1p", "expm1"))


def _larger(x: Any, y: Any) -> Any:
    # Overlapping balls compare false both ways; arb.max encloses the maximum.
    if type(x).__name__ == "arb" or type(y).__name__ == "arb":
        return ball(x).max(ball(y))
    return x if x >= y else y


def _smaller(x: Any, y: Any) -> Any:
    if type(x).__name__ == "arb" or type(y).__name__ == "arb":
        return ball(x).min(ball(y))
    return x if x <= y else y


_pairwise_larger = np.frompyfunc(_larger, 2, 1)
_pairwise_smaller = np.frompyfunc(_smaller, 2, 1)


def maximum(x: Array, y: Array) -> Array:
    """max(x, y), element by element."""
    if is_exact(x) or is_exact(y):
        return _pairwise_larger(x, y)
    return namespace(x).maximum(x, y)


def minimum(x: Array, y: Array) -> Array:
    """min(x, y), element by element."""
    if is_exact(x) or is_exact(y):
        return _pairwise_smaller(x, y)
    return namespace(x).minimum(x, y)


def largest(x: Array, axes: int = 1) -> Array:
    """The largest entry over the last `axes` axes; [..., *model] -> [...]."""
    for _ in range(axes):
        x = _pairwise_larger.reduce(x, axis=-1) if is_exact(x) else namespace(x).max(x, axis=-1)
    return x


def smallest(x: Array, axes: int = 1) -> Array:
    """The smallest entry over the last `axes` axes; [..., *model] -> [...]."""
    for _ in range(axes):
        x = _pairwise_smaller.reduce(x, axis=-1) if is_exact(x) else namespace(x).min(x, axis=-1)
    return x


def sup(x: Array, axes: int = 1) -> Array:
    """Supremum norm over the last `axes` axes; [..., *model] -> [...]."""
    return largest(abs(x), axes)


def total(x: Array, axes: int = 1) -> Array:
    """Sum over the last `axes` axes; [..., *model] -> [...]."""
    for _ in range(axes):
        x = x.sum(axis=-1) if is_exact(x) else namespace(x).sum(x, axis=-1)
    return x


def norm(x: Array, axes: int = 1) -> Array:
    """Euclidean norm over the last `axes` axes; a ball where `x` is exact."""
    squares = total(x * x, axes)
    return root(squares) if is_exact(x) else sqrt(squares)


def root(x: Array) -> Array:
    """√x for x that cannot be negative, although rounding or a ball may reach below zero; a ball where `x` is exact."""
    return _elementwise(_root, x) if is_exact(x) else sqrt(maximum(x, 0 * x))


def _root(x: Any) -> Any:
    x = ball(x)  # arb.sqrt gives up where a ball reaches below zero
    return x.sqrt() if x.lower() >= 0 else (0 * x).union(x.upper().sqrt())


def expand(x: Any, axes: int) -> Any:
    """`x` of batch shape [...] with `axes` trailing axes of length one, to multiply [..., *model]; scalars stay."""
    shape = getattr(x, "shape", ())
    return x[(...,) + (None,) * axes] if shape else x


def divided(x: Array, y: Array) -> Array:
    """x / y, and 0 where y is zero."""
    zero = y == 0
    if is_exact(y):
        return x / np.where(np.asarray(zero, dtype=bool), rational(1)[()], y) * np.where(zero, 0, 1)
    xp = namespace(y)
    return xp.where(zero, 0.0, x / xp.where(zero, 1.0, y))


def log_softmax(θ: Array) -> Array:
    """log π_θ(a | s) = θ(s, a) − log Σ_b exp θ(s, b), over the last axis, safe against overflow.

    The sum leaves its largest term out and comes back through `log1p`, so that 1 − π keeps its relative accuracy
    where a policy is almost deterministic.
    """
    if is_exact(θ):
        # Any shift is exact; this one avoids overflow.  Balls that enclose anything at all stay such balls.
        z = θ - rational(np.nan_to_num(floats(θ)).max(axis=-1, keepdims=True))
        return z - expand(log(total(exp(z))), 1)
    xp = namespace(θ)
    z = θ - xp.max(θ, axis=-1, keepdims=True)
    others = 1 - one_hot(xp.argmax(z, axis=-1), z.shape[-1], z)
    return z - xp.log1p(xp.sum(xp.exp(z) * others, axis=-1, keepdims=True))


def softmax(θ: Array) -> Array:
    """π_θ(a | s) ∝ exp θ(s, a), over the last axis."""
    return exp(log_softmax(θ))


def solve(M: Array, b: Array) -> Array:
    """x with M x = b; M[..., n, n], b[..., n] -> [..., n].  Exact over rationals, an enclosure over balls."""
    if not (is_exact(M) or is_exact(b)):
        return namespace(M).linalg.solve(M, b[..., None])[..., 0]
    M, b = np.asarray(M, dtype=object), np.asarray(b, dtype=object)
    if M.ndim == 2 and b.ndim == 1:
        out = np.empty(len(b), dtype=object)
        out[:] = _solve_one(M, b)
        return out
    batch = np.broadcast_shapes(M.shape[:-2], b.shape[:-1])
    M, b = np.broadcast_to(M, batch + M.shape[-2:]), np.broadcast_to(b, batch + b.shape[-1:])
    out = np.empty(b.shape, dtype=object)
    for i in np.ndindex(batch):
        out[i] = _solve_one(M[i], b[i])
    return out


def _solve_one(M: np.ndarray, b: np.ndarray) -> list[Any]:
    flint, n = _flint(), len(b)
    if flint is None:
        return _gauss(M, b)
    if is_ball(M) or is_ball(b):
        x = flint.arb_mat(n, n, M.ravel().tolist()).solve(flint.arb_mat(n, 1, b.tolist()))
    else:
        x = flint.fmpq_mat(n, n, [rational_number(y) for y in M.flat]).solve(
            flint.fmpq_mat(n, 1, [rational_number(y) for y in b])
        )
    return [x[i, 0] for i in range(n)]


def _gauss(M: np.ndarray, b: np.ndarray) -> list[Any]:
    # Only without python-flint: elimination over Fractions, pivoting on any non-zero entry.
    n, rows = len(b), [[*map(Fraction, row), Fraction(y)] for row, y in zip(M, b, strict=True)]
    for k in range(n):
        pivot = next(i for i in range(k, n) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [x / rows[k][k] for x in rows[k]]
        for i in range(n):
            if i != k and rows[i][k]:
                rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k], strict=True)]
    return [row[n] for row in rows]


def transposed(M: Array) -> Array:
    """The last two axes exchanged."""
    return np.swapaxes(M, -1, -2) if is_exact(M) else namespace(M).matrix_transpose(M)


def identity_like(M: Array) -> Array:
    """The identity matrix in the arithmetic and on the device of M[..., n, n]."""
    n = M.shape[-1]
    if is_exact(M):
        return _rational_identity(n, _flint())
    return namespace(M).eye(n, dtype=M.dtype, device=M.device)


@cache
def _rational_identity(n: int, flint: ModuleType | None) -> np.ndarray:
    out = rational(np.eye(n, dtype=int))
    out.flags.writeable = False  # it is shared
    return out


def one_hot(index: Array, n: int, like: Array) -> Array:
    """[..., n] with one at `index`[...], in the arithmetic and on the device of `like`."""
    if is_exact(like):
        return rational((np.arange(n) == np.asarray(index)[..., None]).astype(int))
    xp = namespace(like)
    return xp.astype(xp.arange(n, device=like.device) == index[..., None], like.dtype)


def rounding(terms: int) -> float:
    """Bound on the relative error of a float64 sum or inner product of that many terms: γ_n = n u / (1 − n u)."""
    u = EPS / 2
    return terms * u / (1 - terms * u)


def precision(bits: int | None = None) -> int:
    """The working precision of balls in bits; sets it when `bits` is given."""
    flint = _flint()
    if flint is None:
        return 53
    if bits is not None:
        flint.ctx.prec = bits
    return int(flint.ctx.prec)


def is_finite(x: Array) -> bool:
    """Whether every entry is a finite number (for balls: has a finite enclosure)."""
    if is_exact(x):
        return all(type(y).__name__ != "arb" or y.is_finite() for y in np.asarray(x, dtype=object).flat)
    if isinstance(x, int | float):
        return math.isfinite(x)
    xp = namespace(x)
    return bool(xp.all(xp.isfinite(x)))
