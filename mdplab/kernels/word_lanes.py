"""64-bit words side by side in vector registers, for loops compiled by Numba: `lanes` for random bits.

Thirty-two words fill four registers, so that one is worked on while others wait for a product.  Indices count the
entries of the array: ``load8(x, i)`` reads ``x[i : i + 8]`` of a contiguous uint64 array.  Nothing checks bounds.
On machines with shorter registers LLVM splits each operation; results are the same everywhere.

This module imports Numba; import it inside functions only.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import models, register_model

from mdplab.kernels.lanes import intrinsic

_WORD, _INDEX = ir.IntType(64), ir.IntType(32)


class Words(types.Type):
    """Numba's name for `lanes` words side by side."""

    def __init__(self, lanes: int) -> None:
        super().__init__(name=f"Words{lanes}")
        self.lanes = ir.VectorType(_WORD, lanes)


@register_model(Words)
class _WordsModel(models.PrimitiveModel):
    def __init__(self, manager: Any, fe_type: Any) -> None:
        super().__init__(manager, fe_type, fe_type.lanes)


def _pointer(context: Any, builder: Any, kind: Any, array: Any, i: Any) -> Any:
    return builder.gep(cgutils.create_struct_proxy(kind)(context, builder, array).data, [i])


def _load(lanes: int) -> Any:
    words = Words(lanes)

    @intrinsic
    def load(typing: Any, array: Any, i: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            pointer = _pointer(context, builder, signature.args[0], *args)
            return builder.load(builder.bitcast(pointer, words.lanes.as_pointer()), align=8)

        return words(array, i), codegen

    return load


load8, load32 = _load(8), _load(32)  # words i, i + 1, ... of a contiguous array


@intrinsic
def store(typing: Any, array: Any, i: Any, x: Any) -> Any:
    """Write a word, or words, over entries i, i + 1, ... of a contiguous array, which may be smaller than words.

    The lowest bits come first, as on every machine that Numba knows.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array, i, x = args
        pointer = _pointer(context, builder, signature.args[0], array, i)
        builder.store(x, builder.bitcast(pointer, x.type.as_pointer()), align=signature.args[0].dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, i, x), codegen


@intrinsic
def splat(typing: Any, x: Any, like: Any) -> Any:
    """One word in all lanes, as many as `like` has."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        lanes = signature.return_type.lanes
        one = builder.insert_element(ir.Constant(lanes, ir.Undefined), args[0], ir.Constant(_INDEX, 0))
        return builder.shuffle_vector(one, one, _indices(0 for _ in range(lanes.count)))

    return like(types.uint64, like), codegen


def _indices(numbers: Any) -> Any:
    numbers = list(numbers)
    return ir.Constant(ir.VectorType(_INDEX, len(numbers)), numbers)


@intrinsic
def gather(typing: Any, array: Any, at: Any) -> Any:
    """The words ``array[at]`` of a contiguous array, one by one: the processor's own gather was slower on Zen 5."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        array, at = args
        found = ir.Constant(at.type, ir.Undefined)
        for lane in (ir.Constant(_INDEX, k) for k in range(at.type.count)):
            pointer = _pointer(context, builder, signature.args[0], array, builder.extract_element(at, lane))
            found = builder.insert_element(found, builder.load(pointer), lane)
        return found

    return at(array, at), codegen


@intrinsic
def where_below(typing: Any, x: Any, y: Any, a: Any, b: Any) -> Any:
    """a in lanes with x < y, else b."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        x, y, a, b = args
        return builder.select(builder.icmp_unsigned("<", x, y), a, b)

    return x(x, x, x, x), codegen


@intrinsic
def meet(typing: Any, x: Any, y: Any) -> Any:
    """Whether x = y in some lane."""

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        equal = builder.icmp_unsigned("==", *args)
        bits = builder.bitcast(equal, ir.IntType(equal.type.count))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(x, x), codegen


def _binary(operation: str) -> Any:
    @intrinsic
    def f(typing: Any, x: Any, y: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, operation)(args[0], args[1])

        return x(x, x), codegen

    return f


add, mul, conjunction, disjunction, xor, left, right = (
    _binary(operation) for operation in ("add", "mul", "and_", "or_", "xor", "shl", "lshr")
)


def _fused52(half: str) -> Any:
    @intrinsic
    def f(typing: Any, z: Any, x: Any, y: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            eight = ir.VectorType(_WORD, 8)
            name = f"llvm.x86.avx512.vpmadd52{half}.uq.512"
            fused = cgutils.get_or_insert_function(builder.module, ir.FunctionType(eight, [eight] * 3), name)
            parts = [
                builder.call(fused, [builder.shuffle_vector(v, v, _indices(range(i, i + 8))) for v in args])
                for i in range(0, args[0].type.count, 8)
            ]
            while len(parts) > 1:
                pairs = zip(parts[::2], parts[1::2], strict=True)
                parts = [builder.shuffle_vector(u, v, _indices(range(2 * u.type.count))) for u, v in pairs]
            return parts[0]

        return z(z, z, z), codegen

    return f


_fused_lower, _fused_upper = _fused52("l"), _fused52("h")  # z + the lower or upper 52 bits of a product of 52-bit words

_LOW, _HALF = np.uint64(2**32 - 1), np.uint64(32)
_52, _12, _LOW52, _LOW12 = np.uint64(52), np.uint64(12), np.uint64(2**52 - 1), np.uint64(2**12 - 1)


def _product_by_halves(m: Any, x: Any) -> Any:
    low, half = splat(_LOW, x), splat(_HALF, x)
    a, b, c, d = splat(m >> _HALF, x), splat(m & _LOW, x), right(x, half), conjunction(x, low)
    ends = mul(b, d)
    middle = add(mul(a, d), right(ends, half))
    cross = add(mul(b, c), conjunction(middle, low))
    upper = add(add(mul(a, c), right(middle, half)), right(cross, half))
    return upper, disjunction(left(cross, half), conjunction(ends, low))


def _product_by_52(m: Any, x: Any) -> Any:
    # With m = 2^12 a + b = 2^52 e + f and x = 2^52 c + d, m x = 2^64 a c + 2^52 (b c + e d) + f d.
    a, b, e = splat(m >> _12, x), splat(m & _LOW12, x), splat(m >> _52, x)
    c, d = right(x, splat(_52, x)), conjunction(x, splat(_LOW52, x))
    middle = _fused_lower(_fused_upper(mul(d, e), x, splat(m, x)), c, b)  # of m and x it reads f and d
    return add(mul(a, c), right(middle, splat(_12, x))), mul(x, splat(m, x))


@intrinsic
def product(typing: Any, m: Any, x: Any) -> Any:
    """Upper and lower words of m x, for one word m < 2^64 - 2^52.

    From products of halves or, where a processor has them, of 52 bits: fewer instructions, each waiting for the last,
    which pays if there is more than one register of words.
    """

    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        fused = args[1].type.count > 8 and "+avx512ifma" in context.codegen().magic_tuple()[2]
        return context.compile_internal(builder, _product_by_52 if fused else _product_by_halves, signature, args)

    return types.UniTuple(x, 2)(types.uint64, x), codegen
