"""Judging one instance in rationals and balls, with as much precision as it takes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mdplab import arrays
from mdplab.theorem.claim import Claim, coerced
from mdplab.theorem.judges import comparison
from mdplab.theorem.judges.comparison import Outcome
from mdplab.theorem.statement import Theorem

PASSES = 4  # each with twice the bits of the one before


@dataclass
class Result:
    """What exact arithmetic, or a race over replicates, says of one claim on one instance."""

    outcomes: Counter[Outcome] = field(default_factory=Counter)
    failure: tuple[int | None, Any, Any] | None = None  # iterate, smaller side, larger side
    ratio: float = float("nan")
    ratio_at: int | None = 0
    informative: int | None = None
    balls: bool = False
    replicates: int = 0  # where a race decided, how many it took
    α: float = 0.0  # error probability of the race that refuted it
    margin: tuple[int | None, float, float] | None = None  # of a race left open: k, E[larger − smaller] from, to

    @property
    def compared(self) -> int:
        return sum(self.outcomes.values())


@contextmanager
def working_precision(bits: int) -> Iterator[None]:
    """Balls inside are computed with that many bits."""
    before = arrays.precision()
    arrays.precision(bits)
    try:
        yield
    finally:
        arrays.precision(before)


def judge_exactly(
    theorem: Theorem,
    claims: Mapping[str, Claim],
    inputs: Mapping[str, Any],
    up_to: int | None,
    slots: Mapping[str, Any] | None = None,
) -> dict[str, Result]:
    """Compare both sides of each claim at every binding up to index `up_to`; `inputs` must be exact.

    Balls widen along a trajectory by at most a constant number of bits an iterate, so the precision grows with `up_to`.
    What stays open is computed again with twice the bits.  When the difference then still contains zero but has become
    smaller by a quarter of all bits, the sides are equal as far as anybody can compute: the outcome is TOUCHES, or
    SILENT where both are zero to every digit.  Balls so wide that division by zero cannot be excluded are open too.
    """
    widths: Widths = {}
    bits = 128 + 4 * min(up_to or 0, 4000)
    for attempt in range(PASSES):
        results = {name: Result() for name in claims}
        open_now: Widths = {}
        with working_precision(bits << attempt):
            try:
                _one_pass(theorem, claims, inputs, up_to, slots or {}, widths, bits << attempt, results, open_now)
            except ArithmeticError:
                for result in results.values():
                    result.outcomes[Outcome.OPEN] += 1
            else:
                if not open_now:
                    break
        widths |= open_now  # a width once known is kept: a pass that settles one comparison may open another
    return results


Widths = dict[tuple[str, int, int], float]  # of comparisons left open: (claim, binding, entry) to bits


def _one_pass(
    theorem: Theorem,
    claims: Mapping[str, Claim],
    inputs: Mapping[str, Any],
    up_to: int | None,
    slots: Mapping[str, Any],
    widths: Widths,
    bits: int,
    results: dict[str, Result],
    open_now: Widths,
) -> None:
    for n, binding in enumerate(theorem.bindings(inputs, up_to, **slots)):
        b = coerced(binding)
        k = int(binding[theorem.index]) if theorem.index in binding else n
        trivial = theorem.trivial_bound(b) if theorem.trivial_bound else None
        for name, claim in claims.items():
            smaller, larger = np.broadcast_arrays(*(np.asarray(x, dtype=object) for x in claim.sides(b)))
            for e, (x, y) in enumerate(zip(smaller.flat, larger.flat, strict=True)):
                outcome = comparison.exactly(x, y, claim.is_identity)
                if outcome is Outcome.OPEN:
                    width, before = comparison.width(x, y), widths.get((name, n, e), np.inf)
                    if width <= before - bits / 4 and before < np.inf:
                        outcome = _settled(x, y, claim.is_identity)
                    else:
                        open_now[name, n, e] = width
                _record(results[name], outcome, k, x, y)
            if trivial is not None and results[name].informative is None and _below(larger, trivial):
                results[name].informative = k


def _settled(smaller: Any, larger: Any, identity: bool) -> Outcome:
    if comparison.both_zero(smaller, larger):
        return Outcome.SILENT
    return Outcome.HOLDS if identity else Outcome.TOUCHES


def _record(result: Result, outcome: Outcome, k: int, smaller: Any, larger: Any) -> None:
    result.outcomes[outcome] += 1
    result.balls |= arrays.is_ball(smaller) or arrays.is_ball(larger)
    if outcome is Outcome.FAILS and result.failure is None:
        result.failure = (k, smaller, larger)
    ratio = float("nan") if outcome is Outcome.SILENT else ratio_of(smaller, larger)
    if not ratio <= result.ratio and ratio == ratio:
        result.ratio, result.ratio_at = ratio, k


def ratio_of(smaller: Any, larger: Any) -> float:
    """smaller / larger as a float where both are positive, else NaN.  Divided before rounding: either may underflow."""
    if not (smaller > 0 and larger > 0):
        return float("nan")
    try:
        return arrays.number(smaller / larger)
    except OverflowError:
        return float("inf")


def _below(larger: np.ndarray, trivial: Any) -> bool:
    return any(bool(y < t) for y, t in np.broadcast(larger, np.asarray(trivial, dtype=object)))
