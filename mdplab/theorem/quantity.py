"""The letters of a statement, and statements kept as they are printed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Literal

import sympy

Accuracy = Literal["absolute", "relative", "exact"]


class Quantity(sympy.Symbol):
    """A constant of the model or a number that is measured: a symbol with a name in LaTeX and a meaning.

    Parameters
    ----------
    latex : str
        How the paper writes it; also its name in JSON and in error messages.
    meaning : str
        One phrase for the glossary.
    integer : bool
        Whether it counts something (an iterate, states, arms); an index of iterates is such a quantity.
    accuracy : "absolute", "relative" or "exact"
        How float64 gets it.  ``relative``: every digit counts even when it is tiny (a gap in performance-difference
        form).  ``absolute``: it comes from a difference of values and is right up to the rounding of those.
        ``exact``: a parameter, right to the last bit or two.  Integers are exact.
    """

    meaning: str
    accuracy: Accuracy

    def __new__(
        cls, latex: str, meaning: str = "", *, integer: bool = False, accuracy: Accuracy = "absolute"
    ) -> Quantity:
        self = sympy.Symbol.__xnew__(cls, latex, real=True, integer=True if integer else None)
        self.meaning, self.accuracy = meaning, "exact" if integer else accuracy
        return self

    def _latex(self, printer: Any) -> str:
        return self.name  # SymPy would take underscores and carets apart

    def __getnewargs_ex__(self) -> Any:
        return ((self.name, self.meaning), {"integer": bool(self.is_integer), "accuracy": self.accuracy})


def as_printed() -> AbstractContextManager[Any]:
    """Keep the layout of relations written inside: nothing is sorted, cancelled or merged.

    Examples
    --------
    >>> with as_printed():
    ...     claim = error <= γ**k / (1 - γ) * step
    """
    return sympy.evaluate(False)
