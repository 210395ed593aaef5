"""Eight float64 numbers side by side in one vector register, for loops compiled by Numba.

A small MDP is too small to fill a vector unit, so eight of them are advanced together, one in each lane.  Plain loops
over the lanes do not get there: the compiler cannot prove that stores and loads of different arrays do not alias and
emits scalar code.  An opaque type whose operations are single LLVM instructions removes the question.  On machines
with shorter registers LLVM splits each operation; results are the same everywhere, for nothing here is
reassociated and `fma` is fused by definition.

Arrays hold the lane last and contiguous, and indices count vectors: ``load(x, i)`` reads ``x[8 * i : 8 * i + 8]``.
Nothing checks bounds.  Numba's cache notices edits to the file of the cached function only: after an edit here,
delete the ``*.nbi`` and ``*.nbc`` files of the kernels that use it.

This module imports Numba; import it inside functions only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import extending, njit
from numba.core import cgutils, types
from numba.extending import models, register_model

intrinsic: Any = extending.intrinsic  # its callers pass no typing context, which no annotation of it says
jit: Any = njit(error_model="numpy")


def compiled(f: Callable[..., None]) -> Any:
    """`f` compiled on its first call, without the interpreter's lock, and kept on disk where a place can be written."""
    try:
        return njit(error_model="numpy", nogil=True, cache=True)(f)
    except RuntimeError:  # neither the package's folder nor the user's cache folder can be written
        return njit(error_model="numpy", nogil=True)(f)


LANES = 8
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_INTS = ir.VectorType(ir.IntType(64), LANES)


class Vector(types.Type):
    """Numba's name for eight float64 numbers in one register."""

    def __init__(self) -> None:
        super().__init__(name="Vector8")


@register_model(Vector)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, _VECTOR)


vector = Vector()


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = cgutils.create_struct_proxy(signature.args[0])(context, builder, args[0])
    return builder.gep(builder.bitcast(array.data, _VECTOR.as_pointer()), [args[1]])


@intrinsic
def load(typing: Any, array: Any, i: Any) -> Any:
    """The i-th vector of a contiguous float64 array."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, args), align=8)

    return vector(array, types.intp), codegen


@intrinsic
def store(typing: Any, array: Any, i: Any, x: Any) -> Any:
    """Write the i-th vector of a contiguous float64 array."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(context, builder, signature, args), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), codegen


@intrinsic
def splat(typing: Any, x: Any) -> Any:
    """One number in all lanes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = ir.Constant(_VECTOR, ir.Undefined)
        for lane in range(LANES):
            v = builder.insert_element(v, args[0], ir.Constant(ir.IntType(32), lane))
        return v

    return vector(types.float64), codegen


def _binary(operation: str) -> Any:
    @intrinsic
    def f(typing: Any, x: Any, y: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, operation)(args[0], args[1])

        return vector(vector, vector), codegen

    return f


add, sub, mul, div = (_binary(operation) for operation in ("fadd", "fsub", "fmul", "fdiv"))


def _choice(comparison: str) -> Any:
    @intrinsic
    def f(typing: Any, x: Any, y: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return builder.select(builder.fcmp_ordered(comparison, args[0], args[1]), args[0], args[1])

        return vector(vector, vector), codegen

    return f


larger, smaller = _choice(">"), _choice("<")  # one instruction each; where a lane holds NaN they return y


def _fused(negate: bool) -> Any:
    @intrinsic
    def f(typing: Any, x: Any, y: Any, z: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            kind = ir.FunctionType(_VECTOR, [_VECTOR] * 3)
            fused = cgutils.get_or_insert_function(builder.module, kind, "llvm.fma.v8f64")
            return builder.call(fused, [builder.fneg(args[0]) if negate else args[0], args[1], args[2]])

        return vector(vector, vector, vector), codegen

    return f


fma, fnma = _fused(False), _fused(True)  # x y + z and z − x y, rounded once


@intrinsic
def _power_of_two(typing: Any, t: Any) -> Any:
    """2^n for t = n + _ROUND, whose low bits hold the integer n, |n| < 1023."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        n = builder.add(builder.bitcast(args[0], _INTS), ir.Constant(_INTS, [1023] * LANES))
        return builder.bitcast(builder.shl(n, ir.Constant(_INTS, [52] * LANES)), _VECTOR)

    return vector(vector), codegen


_ROUND = 1.5 * 2.0**52  # adding it rounds to an integer
_LOG2_E = float.fromhex("0x1.71547652b82fep+0")
_LN2 = float.fromhex("0x1.62e42fefa39efp-1")  # nearest to log 2, and what it lacks
_LN2_REST = float.fromhex("0x1.abc9e3b39803fp-56")
# (e^r − 1 − r) / r² on |r| <= log(2) / 2, interpolated at Chebyshev points; e^r from it is within 1.7e-17, relative.
_Q = (
    0.5000000000000001,
    0.16666666666666669,
    0.04166666666662413,
    0.008333333333330062,
    0.0013888888917213717,
    0.00019841269863053618,
    2.4801521295954376e-05,
    2.7557268459997064e-06,
    2.7620088445409746e-07,
    2.510038549551032e-08,
)


@jit
def exp(x: Any) -> Any:
    """e^x in each lane, within one unit in the last place; 0 and inf beyond the range, NaN kept.

    Cody and Waite: x = n log 2 + r, e^x = 2^n e^r; 2^n in two factors, so that subnormal results come out right.
    """
    x = smaller(splat(1000.0), larger(splat(-1000.0), x))
    round_ = splat(_ROUND)
    n = sub(fma(x, splat(_LOG2_E), round_), round_)
    r = fnma(n, splat(_LN2_REST), fnma(n, splat(_LN2), x))
    q = fma(splat(_Q[9]), r, splat(_Q[8]))
    q = fma(q, r, splat(_Q[7]))
    q = fma(q, r, splat(_Q[6]))
    q = fma(q, r, splat(_Q[5]))
    q = fma(q, r, splat(_Q[4]))
    q = fma(q, r, splat(_Q[3]))
    q = fma(q, r, splat(_Q[2]))
    q = fma(q, r, splat(_Q[1]))
    q = fma(q, r, splat(_Q[0]))
    power = add(fma(mul(q, r), r, r), splat(1.0))
    half = fma(n, splat(0.5), round_)
    rest = add(sub(n, sub(half, round_)), round_)
    return mul(mul(power, _power_of_two(half)), _power_of_two(rest))


def aligned(n: int) -> np.ndarray:
    """A float64 array of `n` zeros that starts on a cache line, so that no vector crosses one."""
    x = np.zeros(n + LANES)
    skip = (-x.ctypes.data % 64) // 8
    return x[skip : skip + n]


def interleave(x: np.ndarray) -> np.ndarray:
    """(B, n) -> (ceil(B / 8), n * 8) with the lane last; lanes beyond B repeat the last row."""
    B, n = x.shape
    blocks = -(-B // LANES)
    out = aligned(blocks * n * LANES).reshape(blocks, n, LANES)
    whole = B // LANES
    out[:whole] = x[: whole * LANES].reshape(whole, LANES, n).transpose(0, 2, 1)
    for lane in range(LANES if whole < blocks else 0):
        out[whole, :, lane] = x[min(whole * LANES + lane, B - 1)]
    return out.reshape(blocks, n * LANES)


def separate(x: np.ndarray, B: int) -> np.ndarray:
    """The inverse of `interleave`: (blocks, n * 8) -> (B, n)."""
    blocks = x.shape[0]
    return x.reshape(blocks, -1, LANES).transpose(0, 2, 1).reshape(blocks * LANES, -1)[:B].copy()
