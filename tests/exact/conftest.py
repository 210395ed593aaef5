"""Models whose float64 arrays are exactly distributions, and derivatives by differences in balls."""

from collections.abc import Callable

import numpy as np
import pytest

from mdplab.arrays import precision
from mdplab.models import DiscountedMDP


@pytest.fixture
def draw() -> Callable[..., DiscountedMDP]:
    return draw_model


def draw_model(seed: int, batch: tuple[int, ...] = (), S: int = 4, A: int = 3, discount=0.875, b: int = 64):
    """A random model whose probabilities are multiples of 1/64 and whose rewards are multiples of 1/1024.

    Rows sum to exactly one in float64, so that `exact()` changes no number.  Small `b` makes few successors a row.
    """
    rng = np.random.default_rng(seed)
    P = rng.multinomial(b, rng.dirichlet(np.ones(S), size=(*batch, S, A))) / b
    start = rng.multinomial(64, np.ones(S) / S, size=batch) / 64
    return DiscountedMDP(P, rng.integers(0, 1025, size=(*batch, S, A)) / 1024, discount, start)


@pytest.fixture
def logits() -> Callable[..., np.ndarray]:
    return lambda seed, mdp, scale=1.0: scale * np.random.default_rng(seed).normal(size=mdp.r.shape)


@pytest.fixture
def wide_balls():
    """400 bits: differences with a step of 2^-60 lose 120 of them and keep 280."""
    before = precision()
    yield precision(400)
    precision(before)
