"""Eight 64-bit words side by side in one vector register, for loops compiled by Numba: `lanes` for random bits.

Indices count words here: ``load(x, i)`` reads ``x[i : i + 8]`` of a contiguous uint64 array.  Nothing checks bounds.
On machines with shorter registers LLVM splits each operation; results are the same everywhere.

This module imports Numba; import it inside functions only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import models, register_model

from mdplab.kernels.lanes import LANES, intrinsic, jit

_VECTOR = ir.VectorType(ir.IntType(64), LANES)


class Words(types.Type):
    """Numba's name for eight words in one register."""

    def __init__(self) -> None:
        super().__init__(name="Words8")


@register_model(Words)
class _WordsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, _VECTOR)


vector = Words()


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = cgutils.create_struct_proxy(signature.args[0])(context, builder, args[0])
    return builder.bitcast(builder.gep(array.data, [args[1]]), _VECTOR.as_pointer())


@intrinsic
def load(typing: Any, array: Any, i: Any) -> Any:
    """Words i, ..., i + 7 of a contiguous array."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, args), align=8)

    return vector(array, types.intp), codegen


@intrinsic
def store(typing: Any, array: Any, i: Any, x: Any) -> Any:
    """Write words i, ..., i + 7 of a contiguous array."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(context, builder, signature, args), align=8)
        return context.get_dummy_value()

    return types.void(array, types.intp, vector), codegen


@intrinsic
def splat(typing: Any, x: Any) -> Any:
    """One word in all lanes."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        v = ir.Constant(_VECTOR, ir.Undefined)
        for lane in range(LANES):
            v = builder.insert_element(v, args[0], ir.Constant(ir.IntType(32), lane))
        return v

    return vector(types.uint64), codegen


def _binary(operation: str) -> Any:
    @intrinsic
    def f(typing: Any, x: Any, y: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, operation)(args[0], args[1])

        return vector(vector, vector), codegen

    return f


add, mul, conjunction, disjunction, xor, left, right = (
    _binary(operation) for operation in ("add", "mul", "and_", "or_", "xor", "shl", "lshr")
)

_LOW, _HALF = np.uint64(2**32 - 1), np.uint64(32)


@jit
def product(a: Any, b: Any, x: Any) -> Any:
    """Upper and lower words of m x for m = 2^32 a + b, a and b below 2^32: products of halves are one instruction."""
    low, half = splat(_LOW), splat(_HALF)
    c, d = right(x, half), conjunction(x, low)
    ends = mul(b, d)
    middle = add(mul(a, d), right(ends, half))
    cross = add(mul(b, c), conjunction(middle, low))
    upper = add(add(mul(a, c), right(middle, half)), right(cross, half))
    return upper, disjunction(left(cross, half), conjunction(ends, low))
