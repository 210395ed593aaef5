"""A claim is a SymPy relation; its LaTeX and its numbers in every arithmetic are computed from it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

import numpy as np
import sympy

from mdplab import arrays
from mdplab.theorem.quantity import Quantity

Binding = Mapping[sympy.Symbol, Any]
Value = Callable[[Binding, Callable[[Any], Any]], Any]  # (binding, how to write a literal number) -> number


@dataclass(frozen=True, eq=False)
class Claim:
    """A relation between quantities, read as ``smaller <= larger`` or, for an identity, ``smaller = larger``.

    Parameters
    ----------
    relation : sympy relation
        ``<=``, ``>=`` or ``Eq``.  Strict ones are refused: no computation tells < from <= at a limit.
    """

    relation: Any

    def __post_init__(self) -> None:
        if not isinstance(self.relation, sympy.LessThan | sympy.GreaterThan | sympy.Equality):
            raise TypeError(
                f"a claim is a SymPy relation such as lhs <= rhs, written inside as_printed(); got {self.relation!r}"
            )

    @property
    def is_identity(self) -> bool:
        return isinstance(self.relation, sympy.Equality)

    @property
    def flipped(self) -> bool:
        """Whether the relation is printed with its larger side on the left."""
        return isinstance(self.relation, sympy.GreaterThan)

    @cached_property
    def latex(self) -> str:
        return sympy.latex(self.relation, order="none")

    @cached_property
    def quantities(self) -> tuple[Quantity, ...]:
        """The letters in the statement, sorted by name."""
        return tuple(sorted(self.relation.free_symbols, key=str))

    def sides(self, binding: Binding) -> tuple[Any, Any]:
        """(smaller, larger) in the arithmetic of the binding."""
        exact = any(arrays.is_exact(x) for x in binding.values())
        binding = coerced(binding) if exact else binding
        literal = arrays.rational_number if exact else float
        left, right = (f(binding, literal) for f in self._compiled)
        return (right, left) if self.flipped else (left, right)

    @cached_property
    def _compiled(self) -> tuple[Value, Value]:
        return compiled(self.relation.lhs), compiled(self.relation.rhs)


def coerced(binding: Binding) -> Binding:
    """The binding with plain ints and floats as rationals, so that 1/2 is never a float."""
    return {q: x if isinstance(x, np.ndarray) and x.dtype == object else _coerce(x) for q, x in binding.items()}


def _coerce(x: Any) -> Any:
    return arrays.rational(x) if np.ndim(x) else arrays.rational_number(x)


def compiled(expression: Any) -> Value:
    """A function of (binding, literal) that evaluates the SymPy expression in the arithmetic of its arguments."""
    e = sympy.sympify(expression)
    if isinstance(e, sympy.Symbol):
        return lambda binding, literal: binding[e]
    if isinstance(e, sympy.Rational):
        p, q = int(e.p), int(e.q)
        return lambda binding, literal: literal(p) if q == 1 else literal(p) / literal(q)
    if isinstance(e, sympy.Float):
        raise TypeError(
            f"{e} is a rounded number; write it as Rational in a claim, so that it means the same everywhere"
        )
    if isinstance(e, sympy.Pow):
        return _power(compiled(e.base), e.exp)
    parts = [compiled(x) for x in e.args]
    if isinstance(e, sympy.Max | sympy.Min):
        fold = arrays.maximum if isinstance(e, sympy.Max) else arrays.minimum
        return lambda binding, literal: reduce(fold, [_boxed(f(binding, literal)) for f in parts])
    try:
        operation = _OPERATIONS[type(e)]
    except KeyError:
        raise TypeError(f"a claim cannot contain {type(e).__name__}: {e}; measure it and give it a Quantity") from None
    return lambda binding, literal: operation(*[f(binding, literal) for f in parts])


def _boxed(x: Any) -> Any:
    return x if isinstance(x, np.ndarray) or arrays.is_exact(x) else np.asarray(x, dtype=float)


def _sum(*terms: Any) -> Any:
    return reduce(lambda x, y: x + y, terms)


def _product(*factors: Any) -> Any:
    return reduce(lambda x, y: x * y, factors)


_OPERATIONS: dict[Any, Callable[..., Any]] = {
    sympy.Add: _sum,
    sympy.Mul: _product,
    sympy.exp: arrays.exp,
    sympy.log: arrays.log,
    sympy.Abs: abs,
}


def _power(base: Value, exponent: Any) -> Value:
    if exponent == sympy.Rational(1, 2):
        return lambda binding, literal: arrays.sqrt(base(binding, literal))
    if exponent == sympy.Rational(-1, 2):
        return lambda binding, literal: 1 / arrays.sqrt(base(binding, literal))
    if isinstance(exponent, sympy.Integer):
        n = int(exponent)
        return lambda binding, literal: _whole_power(base(binding, literal), n)
    power = compiled(exponent)
    return lambda binding, literal: _raise(base(binding, literal), power(binding, literal))


def _whole_power(base: Any, n: int) -> Any:
    if n < 0:
        return 1 / _whole_power(base, -n)
    # A ball that reaches zero has no power in python-flint, only products.
    return reduce(operator.mul, [base] * n) if 1 < n < 4 and arrays.is_exact(base) else base**n


def _raise(base: Any, exponent: Any) -> Any:
    whole = _whole(exponent)
    if whole is not None:
        return _whole_power(base, whole)
    if arrays.is_exact(base) or arrays.is_exact(exponent):
        return arrays.exp(exponent * arrays.log(base))
    return base**exponent


def _whole(x: Any) -> int | None:
    """`x` as an int where it is one: rationals and balls are raised to whole powers without logarithms."""
    if isinstance(x, np.ndarray):
        return None
    if type(x).__name__ in ("fmpq", "Fraction"):
        denominator = x.q if hasattr(x, "q") else x.denominator
        return int(x.p if hasattr(x, "p") else x.numerator) if denominator == 1 else None
    return int(x) if isinstance(x, int) else None
