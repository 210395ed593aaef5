"""Judging random claims on one instance: replicates in growing portions until every race is decided."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any

import numpy as np

from mdplab.arrays import floats
from mdplab.errors import TheoremError
from mdplab.sampling.draws import Draws
from mdplab.sampling.moments import mean
from mdplab.sampling.outcomes import NotEnumerable, Outcomes
from mdplab.theorem import floating
from mdplab.theorem.claim import Claim, compiled
from mdplab.theorem.inputs import batch_shape, to_json
from mdplab.theorem.judges.comparison import Outcome, in_floats
from mdplab.theorem.judges.race import Race
from mdplab.theorem.judges.random import InExpectation, WithProbability
from mdplab.theorem.statement import Binding, Theorem

PORTION = 256  # replicates of the first portion; each later one doubles what has been drawn
LARGEST = 2**14
SILENCE = 256  # replicates on which both sides are zero, after which no more are drawn


@dataclass
class Heat:
    """The race about one claim at one iterate, and the sums of both sides over the replicates that it took.

    A race that its level decides still takes the first portion, to know how large the sides are.
    """

    k: int | None  # None where all iterates are judged jointly
    race: Race
    scale: float  # margin of the claim = scale (number in the race − level of the race)
    most: int
    taken: int = 0
    smaller: float = 0.0
    larger: float = 0.0
    silent: bool = True  # both sides zero on the first replicates, as far as float64 can tell

    @property
    def over(self) -> bool:
        """Whether it takes no more replicates."""
        decided = self.race.side is not None and self.taken > 0
        return decided or self.taken >= self.most or (self.silent and self.taken >= SILENCE)

    @property
    def means(self) -> tuple[float, float]:
        """Of the smaller and the larger side."""
        return self.smaller / self.taken, self.larger / self.taken

    def margin(self) -> tuple[float, float]:
        """Expectations of larger − smaller that are not excluded."""
        low, high = self.race.interval()
        return self.scale * (low - self.race.level), self.scale * (high - self.race.level)

    def take(self, p: Portion, n: int) -> None:
        """More replicates, as far as it needs them: row n of a portion."""
        if self.over:
            return
        end = min(p.low.shape[1], self.most - self.taken)
        self.silent &= bool(p.silent[n, : max(SILENCE - self.taken, 0)][:end].all())
        if self.race.side is None:
            self.race.take(p.low[n, :end], p.high[n, :end])
            end = self.race.taken - self.taken
        self.smaller, self.larger = _running(self.smaller, p.smaller[n, :end]), _running(self.larger, p.larger[n, :end])
        self.taken += end


def _running(before: float, x: np.ndarray) -> float:
    """`before` with the numbers added one after another: rounded alike however they are portioned."""
    return float(np.cumsum(np.concatenate([[before], x]))[-1])


@dataclass(frozen=True)
class Portion:
    """One claim on a portion of the replicates: for each iterate a level, and a number in [0, 1] for each replicate.

    Attributes
    ----------
    k : list of K indices, or of one None where all iterates are judged jointly
    level, scale : (K,)
    low, high : (K, m)
        The number, down and up to rounding; the claim says that its expectation is at least the level.
    smaller, larger : (K, m)
        Both sides; for a probability, whether the claim failed, and the probability with which it may.
    silent : (K, m)
        Whether both sides are zero, as far as float64 can tell.
    """

    k: list[int | None]
    level: np.ndarray
    scale: np.ndarray
    low: np.ndarray
    high: np.ndarray
    smaller: np.ndarray
    larger: np.ndarray
    silent: np.ndarray


def hold_races(
    theorem: Theorem,
    claims: Mapping[str, Claim],
    inputs: Mapping[str, Any],
    draws: Callable[[int, int], Draws],
    α: Callable[[str], float],
    most: Callable[[str], int],
    slots: Mapping[str, Any] | None = None,
) -> dict[str, list[Heat]]:
    """Race every claim on one instance, on the same replicates, until each is settled.

    Parameters
    ----------
    draws : function of (first, last)
        The replicates first, ..., last − 1.
    α : function of a claim's name
        Error probability of its next race.
    most : function of a claim's name
        Replicates that it may take.
    """
    heats: dict[str, list[Heat]] = {}
    first = 0
    while not (heats and all(map(settled, heats.values()))):
        longest = max(map(most, claims))
        last = min(longest, max(2 * first, PORTION), first + LARGEST)
        portions = _portions(theorem, claims, inputs, draws(first, last), slots or {})
        for name, p in portions.items():
            if name not in heats:
                heats[name] = [
                    Heat(k, Race(float(level), α(name)), float(scale), most(name))
                    for k, level, scale in zip(p.k, p.level, p.scale, strict=True)
                ]
            for n, heat in enumerate(heats[name]):
                heat.take(p, n)
        first = last
    return heats


def settled(group: list[Heat]) -> bool:
    """Whether nothing more is to be learnt of a claim: one of its iterates refutes it, or all are over."""
    return any(h.race.side == "below" for h in group) or all(h.over for h in group)


def replicates_of(theorem: Theorem, inputs: Mapping[str, Any], seed: int) -> Callable[[int, int], Draws]:
    """Replicates first, ..., last − 1 of an instance, whose number follows from the theorem's id and the inputs."""
    text = json.dumps([theorem.id, to_json(inputs)])
    number = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "little")
    return lambda first, last: Draws(seed, np.arange(first, last), number)


def pushed_forward(theorem: Theorem, last: int | None = None) -> Callable[..., Iterator[Binding]]:
    """The theorem's measure with expectations in place of random quantities, over every outcome of its one draw.

    It raises `NotEnumerable` where the outcomes are too many or the measure draws again; if `last` is given, it stops
    where it draws again after the iterate of that index.
    """
    judge = theorem.judge

    @wraps(theorem.measure)
    def expectation(**inputs: Any) -> Iterator[Binding]:
        if not isinstance(judge, InExpectation):
            raise NotEnumerable("a probability of many comparisons at once is not enumerated")
        outcomes = Outcomes()
        axis = len(batch_shape(inputs))  # where the outcomes are: before what a quantity has of axes itself
        k = -1
        try:
            for n, binding in enumerate(theorem.measure(**inputs, draws=outcomes)):
                k, p = int(binding.get(theorem.index, n)), outcomes.probability
                yield {
                    q: mean(p, x, np.ndim(x) - axis - 1) if q in judge.within and np.ndim(x) > axis else x
                    for q, x in binding.items()
                }
        except NotEnumerable:
            if last is None or k < last:
                raise

    return expectation


def _portions(
    theorem: Theorem, claims: Mapping[str, Claim], inputs: Mapping[str, Any], draws: Draws, slots: Mapping[str, Any]
) -> dict[str, Portion]:
    judge = theorem.judge
    chunk = list(theorem.bindings(inputs, judge.up_to, draws=draws, **slots))
    if not chunk:
        raise TheoremError(f"{theorem.id}: the measure yields nothing")
    k = floating.indices(theorem, chunk, 0)
    stacked = floating.stack(theorem, chunk, draws.shape, 0)
    errors = floating.errors_of(stacked, k, *floating.rounding_of(inputs))
    make = _expectation if isinstance(judge, InExpectation) else _probability
    return {name: make(theorem, claim, stacked, errors, k) for name, claim in claims.items()}


def _expectation(theorem: Theorem, claim: Claim, stacked: Binding, errors: Binding, k: np.ndarray) -> Portion:
    assert isinstance(theorem.judge, InExpectation)
    bounds = {}
    for q, ends in theorem.judge.within.items():
        if q in claim.quantities and ends is not None:
            low, high = (np.broadcast_to(compiled(end)(stacked, float), stacked[q].shape) for end in ends)
            _check_constant(theorem, f"the range of {q}", low, k)
            _check_constant(theorem, f"the range of {q}", high, k)
            _check_range(theorem, q, stacked[q], low, high, errors[q], k)
            bounds[q] = low, high
    for q in claim.quantities:
        if q not in bounds:
            _check_constant(theorem, f"{q}", stacked[q], k, "; give its range to in_expectation")
    smaller, larger, error = floating.compare(theorem, claim, stacked, errors, k)
    # The margin is affine in each random quantity, so its extremes are the sums of what each can do.
    at_low = {q: low for q, (low, _) in bounds.items()}
    base = _margin(claim, {**stacked, **at_low})
    bottom, top = base, base
    for q, (_, high) in bounds.items():
        change = _margin(claim, {**stacked, **at_low, q: high}) - base
        bottom, top = bottom + np.minimum(change, 0), top + np.maximum(change, 0)
    bottom, top = bottom[:, 0], top[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        scale = np.where(top > bottom, top - bottom, 1.0)
        number = (larger - smaller - bottom[:, None]) / scale[:, None]
        slack = error / scale[:, None]
    return Portion(
        k=[int(i) for i in k],
        level=-bottom / scale,
        scale=scale,
        low=np.clip(number - slack, 0, 1),
        high=np.clip(number + slack, 0, 1),
        smaller=smaller,
        larger=larger,
        silent=(abs(smaller) <= error) & (abs(larger) <= error),
    )


def _probability(theorem: Theorem, claim: Claim, stacked: Binding, errors: Binding, k: np.ndarray) -> Portion:
    assert isinstance(theorem.judge, WithProbability)
    smaller, larger, error = floating.compare(theorem, claim, stacked, errors, k)
    outcome = in_floats(smaller, larger, error, claim.is_identity)
    promised = np.broadcast_to(compiled(theorem.judge.probability)(stacked, float), smaller.shape)
    _check_constant(theorem, "the probability that is promised", promised, k)
    _check_constant(theorem, "the probability that is promised", promised[:, :1].T, k[:1], " or iterates")
    promised = promised[:1]
    sure, possible = (np.any(x, axis=0)[None] for x in (outcome == Outcome.FAILS, outcome >= Outcome.OPEN))
    return Portion(
        k=[None],
        level=promised[:, 0],
        scale=np.ones(1),
        low=1.0 - possible,
        high=1.0 - sure,
        smaller=1.0 * sure,
        larger=1.0 - promised,
        silent=np.all(outcome == Outcome.SILENT, axis=0)[None],
    )


def _margin(claim: Claim, binding: Binding) -> np.ndarray:
    smaller, larger = floating.sides(claim, binding)
    return np.asarray(larger - smaller)


def _check_constant(theorem: Theorem, what: str, x: np.ndarray, k: np.ndarray, remedy: str = "") -> None:
    """A race is about one level: what decides it must be the same for all replicates."""
    differs = (x != x[:, :1]).any(axis=1)
    if differs.any():
        raise TheoremError(
            f"{theorem.id}: {what} differs between replicates at iterate {k[int(differs.argmax())]}{remedy}"
        )


def _check_range(
    theorem: Theorem, q: Any, x: np.ndarray, low: np.ndarray, high: np.ndarray, error: np.ndarray, k: np.ndarray
) -> None:
    outside = (x < low - error) | (x > high + error)
    if outside.any():
        row, m = np.argwhere(outside)[0]
        raise TheoremError(
            f"{theorem.id}: {q} is {floats(x)[row, m]:.6g} at iterate {k[row]} of replicate {m}, outside its declared "
            f"range [{low[row, m]:.6g}, {high[row, m]:.6g}]"
        )
