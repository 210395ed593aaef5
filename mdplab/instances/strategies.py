"""Hypothesis strategies: small models in rationals that shrink to readable ones.

Loaded on use only, because Hypothesis takes a while to import.  Everything is drawn where it is used (a reward next to
its transition row, one small integer for each number), so that the shrinker can simplify one thing at a time.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from hypothesis import strategies as st

from mdplab.arrays import rational, rational_number
from mdplab.models import DiscountedMDP, bandit

Draw = Any
Rationals = st.SearchStrategy[np.ndarray]


def _numbers(*texts: str | int) -> tuple[Any, ...]:
    return tuple(rational_number(text) for text in texts)


# The order is the order of shrinking: the plainest first.
DISCOUNTS = st.sampled_from(
    _numbers(0, "1/2", "9/10", *(f"{k}/20" for k in range(1, 20) if k not in (10, 18)), "99/100", "199/200")
)
UNIT_REWARDS = st.sampled_from(_numbers(0, 1, "1/2", "1/4", "3/4", "1/3", "2/3", "99/100", "1/100"))
# Integers shrink better than a list of them does: towards zero, and positive before negative.
REWARDS = st.integers(-4, 4).map(rational_number) | st.sampled_from(_numbers("1/2", "-1/2", "99/100", 10, -10, 100))
_HALF = rational_number("1/2")


def _array(numbers: list[Any], *shape: int) -> np.ndarray:
    out = np.empty(len(numbers), dtype=object)
    out[:] = numbers
    return out.reshape(shape)


def _listed(elements: st.SearchStrategy[Any], n: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(elements, min_size=n, max_size=n)


def _cuts(whole: int, n: int, least: int) -> Iterator[tuple[int, ...]]:
    """All ways to cut `whole` into n integers of at least `least`."""
    if n == 1:
        yield from [(whole,)] * (whole >= least)
        return
    for first in range(whole - least * (n - 1), least - 1, -1):
        yield from ((first, *rest) for rest in _cuts(whole - first, n - 1, least))


@cache
def _distributions(n: int, positive: bool = False) -> tuple[tuple[Any, ...], ...]:
    """Distributions over n outcomes that are integer cuts of a small denominator, by denominator."""
    denominators = {d + n * positive for d in (1, 2, 3, 4)} | {n} | ({10} if n <= 3 else set())
    cuts = [cut for d in sorted(denominators) for cut in _cuts(d, n, int(positive))]
    # Almost deterministic: the other outcomes have a hundredth each, or only one of them does.
    cuts += [tuple(100 - n + 1 if t == s else 1 for t in range(n)) for s in range(n)]
    if not positive:
        cuts += [tuple({s: 99, t: 1}.get(i, 0) for i in range(n)) for s in range(n) for t in range(n) if s != t]
    exact = {tuple(Fraction(k, sum(cut)) for k in cut): None for cut in cuts}  # a set that keeps the order
    return tuple(tuple(map(rational_number, p)) for p in exact)


@cache
def _rows(n: int, s: int) -> st.SearchStrategy[tuple[Any, ...]]:
    # The simplest row stays where it is.
    return st.sampled_from(sorted(_distributions(n), key=lambda p: p[s] != 1))


@cache
def distributions(n: int, *, positive: bool = False) -> Rationals:
    """A distribution (n,) in rationals of small denominator; shrinks to the uniform one.

    Unless `positive`, some probabilities may be zero.
    """
    plainest_first = sorted(_distributions(n, positive), key=lambda p: len(set(p)) > 1)
    return st.sampled_from(plainest_first).map(lambda p: _array(list(p), n))


@st.composite
def discounted_mdps(
    draw: Draw, max_states: int = 3, max_actions: int = 3, rewards: str = "unit", positive_start: bool = False
) -> DiscountedMDP:
    """A model in rationals with at most `max_states` states and `max_actions` actions.

    `rewards` is "unit" (all in [0, 1]) or "any"; with `positive_start` every state has a positive start probability.
    Shrinks to one state, one action, no reward and γ = 0.
    """
    S, A = draw(st.integers(1, max_states)), draw(st.integers(1, max_actions))
    γ = draw(DISCOUNTS)
    P, r = [], []
    for s in range(S):
        for _ in range(A):
            r.append(draw(UNIT_REWARDS if rewards == "unit" else REWARDS))
            P += draw(_rows(S, s))
    start = draw(distributions(S, positive=positive_start))
    return DiscountedMDP(_array(P, S, A, S), _array(r, S, A), γ, start)


@st.composite
def bandits(draw: Draw, max_arms: int = 4, unique_best: bool = False) -> DiscountedMDP:
    """A one-state model with γ = 0, two to `max_arms` arms and mean rewards in [0, 1]."""
    K = draw(st.integers(2, max_arms))
    r = draw(_listed(UNIT_REWARDS, K))
    if unique_best and r.count(max(r)) > 1:
        # The last best arm stays; a tie is broken without another draw, so that it shrinks to (0, 1) or (1, 0).
        best = max(i for i in range(K) if r[i] == max(r))
        r = (
            [x if i == best else x * _HALF for i, x in enumerate(r)]
            if max(r)
            else [rational_number(i == 0) for i in range(K)]
        )
    return bandit(_array(r, K))


def values(S: int) -> Rationals:
    """A value function (S,) in rationals; shrinks to zero."""
    return _listed(REWARDS, S).map(lambda v: _array(v, S))


def logits(S: int, A: int) -> Rationals:
    """Softmax parameters (S, A), halves between −6 and 6; shrinks to zero."""
    halves = _listed(st.integers(-12, 12), S * A)
    return halves.map(lambda θ: _array([k * _HALF for k in θ], S, A))


def policies(S: int, A: int) -> Rationals:
    """A policy (S, A) in rationals that takes every action with positive probability; shrinks to the uniform one."""
    rows = _listed(distributions(A, positive=True), S)
    return rows.map(np.stack)


def deterministic_policies(S: int, A: int) -> Rationals:
    """A deterministic policy (S, A), one-hot in rationals; shrinks to the first action everywhere."""
    actions = _listed(st.integers(0, A - 1), S)
    return actions.map(lambda a: rational(np.eye(A, dtype=int)[a]))


def numbers(low: Any, high: Any) -> st.SearchStrategy[Any]:
    """A rational between `low` and `high`, both included; shrinks to the plainest one."""
    return st.sampled_from(plain_numbers(low, high))


@cache
def plain_numbers(low: Any, high: Any) -> list[Any]:
    """Rationals that cover [low, high] evenly, and by orders of magnitude where low > 0; the plainest first."""
    low, high = Fraction(str(low)), Fraction(str(high))
    found = {low, high} | {low + (high - low) * Fraction(k, 20) for k in range(21)}
    found |= {Fraction(x) for x in (0, 1, -1, 2, Fraction(1, 2))}
    if low > 0:
        scales = [Fraction(10) ** e for e in range(-12, 13)]
        found |= {m * scale for m in (1, 2, 5) for scale in scales}
    inside = [x for x in found if low <= x <= high]
    return [rational_number(x) for x in sorted(inside, key=lambda x: (x.denominator + abs(x.numerator), x < 0, x))]
