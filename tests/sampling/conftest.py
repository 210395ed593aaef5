"""Models whose trajectories can all be listed, in rationals."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from mdplab.arrays import rational
from mdplab.models import DiscountedMDP


@dataclass(frozen=True)
class Case:
    """A model, a policy that acts, another policy, another reward, and a number of steps."""

    mdp: DiscountedMDP
    π: np.ndarray
    other: np.ndarray
    r: np.ndarray
    H: int


def listed(seed: int, S: int, A: int, H: int, discount: str, least: int = 1) -> Case:
    """Probabilities in eighths, with `least` eighths for each action; rewards −4, ..., 4."""
    rng = np.random.default_rng(seed)

    def rows(*shape: int, n: int, least: int = 0) -> np.ndarray:
        return rational(rng.multinomial(8 - n * least, rng.dirichlet(np.ones(n), size=shape)) + least) / 8

    mdp = DiscountedMDP(
        rows(S, A, n=S), rational(rng.integers(-4, 5, size=(S, A))), rational(discount)[()], rows(n=S, least=1)
    )
    return Case(
        mdp, rows(S, n=A, least=least), rows(S, n=A, least=least), rational(rng.integers(-4, 5, size=(S, A))), H
    )


CASES = {
    "two states": listed(7, 2, 2, 4, "9/10"),
    "three states": listed(9, 3, 2, 3, "1/2"),
    "three actions": listed(5, 2, 3, 3, "99/100"),
}


@pytest.fixture(params=CASES.values(), ids=CASES)
def case(request: Any) -> Case:
    return request.param


@pytest.fixture
def some_case() -> Callable[..., Case]:
    return listed
