"""Small models that several tests of solvers use."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

import numpy as np
import pytest

from mdplab.arrays import exp, log_softmax, precision, rational, solve, total
from mdplab.models import DiscountedMDP


@pytest.fixture
def two_states() -> DiscountedMDP:
    """The worked instance of the literature notes: γ = 0.9, two states, two actions, all in rationals."""
    stay = rational([["9/10", "2/10"], ["1/2", 0]])
    return DiscountedMDP(
        np.stack([stay, 1 - stay], axis=-1),
        rational([[1, 0], ["3/10", "7/10"]]),
        rational("9/10")[()],
        rational(["6/10", "4/10"]),
    )


@pytest.fixture
def logits() -> np.ndarray:
    """The policy that goes with `two_states`."""
    return rational([["2/10", "-4/10"], [1, 0]])


@pytest.fixture(scope="session")
def every_policy():
    """The values of all deterministic policies of a rational model, each by its own linear system, by their actions."""

    def enumerated(mdp: DiscountedMDP) -> dict[tuple[int, ...], np.ndarray]:
        states, one = np.arange(mdp.S), rational(np.eye(mdp.S, dtype=int))
        return {
            a: solve(one - mdp.discount * mdp.P[states, list(a)], mdp.r[states, list(a)])
            for a in product(range(mdp.A), repeat=mdp.S)
        }

    return enumerated


@pytest.fixture(scope="session")
def best_values(every_policy):
    """V* of a rational model by enumeration: the largest value in each state."""
    return lambda mdp: np.max(np.stack(list(every_policy(mdp).values())), axis=0)


@pytest.fixture
def digits():
    """`with digits(bits):` computes balls with that many bits, and puts the precision back."""

    @contextmanager
    def at(bits: int) -> Iterator[None]:
        before = precision()
        precision(bits)
        try:
            yield
        finally:
            precision(before)

    return at


@pytest.fixture
def objective():
    """V_τ(μ) of softmax θ, from its definition: μ · (I − γ P_π)^{-1} (r_π − τ Σ_a π log π)."""

    def value(mdp: DiscountedMDP, θ: np.ndarray, τ=0):
        log_π = log_softmax(θ)
        π = exp(log_π)
        P = np.einsum("sa,sat->st", π, mdp.P)
        reward = total(π * (mdp.r - τ * log_π))
        return total(mdp.start * solve(rational(np.eye(mdp.S, dtype=int)) - mdp.discount * P, reward))

    return value


@pytest.fixture
def slopes():
    """Central differences of f at x in each coordinate, step 2^-60: the error is 2^-120 times a third derivative."""

    def of(f, x: np.ndarray) -> np.ndarray:
        h, out = rational(1)[()] / 2**60, np.empty(x.shape, dtype=object)
        for i in np.ndindex(x.shape):
            e = rational(np.zeros(x.shape, dtype=int))
            e[i] = h
            out[i] = (f(x + e) - f(x - e)) / (2 * h)
        return out

    return of


@pytest.fixture
def agree():
    """Whether two arrays of balls certainly differ by at most `by`, entry by entry."""

    def close(x: np.ndarray, y: np.ndarray, by: float) -> bool:
        return all(bool(abs(d) < by) for d in np.asarray(x - y, dtype=object).flat)

    return close
