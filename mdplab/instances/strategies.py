"""Hypothesis strategies: small models in rationals that shrink to readable ones.

Loaded on use only, because Hypothesis takes a while to import.  Everything is drawn where it is used (a reward next to
its transition row, one small integer for each number), so that the shrinker can simplify one thing at a time.
"""

from __future__ import annotations

from fractions import Fraction
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
DISCOUNTS = _numbers(0, "1/2", "9/10", *(f"{k}/20" for k in range(1, 20) if k not in (10, 18)), "99/100", "199/200")
UNIT_REWARDS = _numbers(0, 1, "1/2", "1/4", "3/4", "1/3", "2/3", "99/100", "1/100")
REWARDS = _numbers(0, 1, -1, 2, -2, 3, "1/2", "-1/2", 10, -10, "99/100", 100)
_WEIGHTS = (0, 1, 2, 3, 4)
_START_WEIGHTS = (1, 2, 3, 10, 100)  # 100 makes the others rare
_HALF = rational_number("1/2")


def _shares(weights: list[int]) -> list[Any]:
    whole = sum(weights)
    return [rational_number(Fraction(w, whole)) for w in weights]


def _array(numbers: list[Any], *shape: int) -> np.ndarray:
    out = np.empty(len(numbers), dtype=object)
    out[:] = numbers
    return out.reshape(shape)


def _listed(elements: tuple[Any, ...], n: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(elements), min_size=n, max_size=n)


def distributions(n: int, *, positive: bool = False) -> Rationals:
    """A distribution (n,) in rationals of small denominator; shrinks to the uniform one.

    Unless `positive`, some probabilities may be zero.
    """
    weights = _START_WEIGHTS if positive else (*_START_WEIGHTS[:1], 0, *_START_WEIGHTS[1:])
    return _listed(weights, n).map(lambda w: _array(_shares(w if any(w) else [1] * n), n))


def _row(draw: Draw, s: int, S: int) -> list[Any]:
    # A row of zeros means that nothing happens: the simplest model stays where it is.
    weights = draw(_listed(_WEIGHTS, S))
    return _shares(weights if any(weights) else [int(t == s) for t in range(S)])


@st.composite
def discounted_mdps(
    draw: Draw, max_states: int = 3, max_actions: int = 3, rewards: str = "unit", positive_start: bool = False
) -> DiscountedMDP:
    """A model in rationals with at most `max_states` states and `max_actions` actions.

    `rewards` is "unit" (all in [0, 1]) or "any"; with `positive_start` every state has a positive start probability.
    Shrinks to one state, one action, no reward and γ = 0.
    """
    S, A = draw(st.integers(1, max_states)), draw(st.integers(1, max_actions))
    γ = draw(st.sampled_from(DISCOUNTS))
    P, r = [], []
    for s in range(S):
        for _ in range(A):
            r.append(draw(st.sampled_from(UNIT_REWARDS if rewards == "unit" else REWARDS)))
            P += _row(draw, s, S)
    start = draw(distributions(S, positive=positive_start))
    return DiscountedMDP(_array(P, S, A, S), _array(r, S, A), γ, start)


@st.composite
def bandits(draw: Draw, max_arms: int = 4, unique_best: bool = False) -> DiscountedMDP:
    """A one-state model with γ = 0, two to `max_arms` arms and mean rewards in [0, 1]."""
    K = draw(st.integers(2, max_arms))
    r = draw(_listed(UNIT_REWARDS, K))
    if unique_best and sum(x == max(r) for x in r) > 1:
        r = [x * _HALF for x in r]
        r[draw(st.integers(0, K - 1))] = rational_number(1)
    return bandit(_array(r, K))


def values(S: int) -> Rationals:
    """A value function (S,) in rationals; shrinks to zero."""
    return _listed(REWARDS, S).map(lambda v: _array(v, S))


def logits(S: int, A: int) -> Rationals:
    """Softmax parameters (S, A), halves between −6 and 6; shrinks to zero."""
    halves = st.lists(st.integers(-12, 12), min_size=S * A, max_size=S * A)
    return halves.map(lambda θ: _array([k * _HALF for k in θ], S, A))


def policies(S: int, A: int) -> Rationals:
    """A policy (S, A) in rationals that takes every action with positive probability; shrinks to the uniform one."""
    rows = st.lists(distributions(A, positive=True), min_size=S, max_size=S)
    return rows.map(np.stack)


def deterministic_policies(S: int, A: int) -> Rationals:
    """A deterministic policy (S, A), one-hot in rationals; shrinks to the first action everywhere."""
    actions = st.lists(st.integers(0, A - 1), min_size=S, max_size=S)
    return actions.map(lambda a: rational(np.eye(A, dtype=int)[a]))


def numbers(low: Any, high: Any) -> st.SearchStrategy[Any]:
    """A rational between `low` and `high`, both included; shrinks to the plainest one."""
    return st.sampled_from(plain_numbers(low, high))


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
