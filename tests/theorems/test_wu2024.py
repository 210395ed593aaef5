"""What the engine cannot know about theorems/wu2024.py: which steps settle, and the bound on rounds where it is met."""

import numpy as np
import pytest

from mdplab.arrays import rational_number
from mdplab.instances import opposed_arms, paradox
from theorems import wu2024 as paper


def test_the_two_conditions_are_stability():
    """Spectral radius below one against κ > η_λ and aκ/2 < 4 + aη_λ/4, off the boundary, on 3000 random steps."""
    rng = np.random.default_rng(0)
    step, multiplier_step, κ = 10 ** rng.uniform([[-1], [-1], [-1]], [[2], [1], [1]], (3, 3000))
    a = 0.1 * step
    radius = np.array([abs(np.linalg.eigvals(paper.matrix(*x))).max() for x in zip(a, multiplier_step, κ, strict=True)])
    met = paper.conditions.met_by(
        {"mdp": paradox().floats(), "step": step, "multiplier_step": multiplier_step, "conservatism": κ}
    )
    decided = abs(radius - 1) > 1e-9
    assert decided.mean() > 0.99
    assert ((radius < 1) == met)[decided].all()


@pytest.mark.parametrize(
    ("steps", "settles"),
    [
        ((1, 1, 0), False),
        ((1, 1, 0.5), False),
        ((1, 1, 0.9), False),
        ((1, 1, 1.1), True),
        ((1, 1, 2), True),
        ((1, 1, 10), True),
        ((1, 0.1, 0.05), False),
        ((1, 0.1, 0.2), True),
        ((10, 1, 3), True),
        ((100, 1, 5), False),
    ],
)
def test_steps_that_were_seen_to_settle_do_so_and_others_do_not(steps, settles):
    """After 8000 steps; those that settle contract by 0.99876 or faster, 0.99876^8000 = 5e-5."""
    run = paper.convexify.bindings(
        {"mdp": paradox().floats(), **dict(zip(("step", "multiplier_step", "conservatism"), steps, strict=True))}, 8000
    )
    late = [x[paper.away] for x in run][-500:]
    assert max(late) < 1e-3 if settles else max(late) > 0.5


def test_the_number_of_rounds_is_attained():
    """Two opposed arms, κ = 1/4, least slack 1/2: eight rounds of an eighth, and the bound is eight."""
    inputs = {"mdp": opposed_arms(), "multiplier": rational_number(0), "penalty": rational_number("1/4")}
    found = [(x[paper.k], x[paper.unsolved]) for x in paper.alm.bindings(inputs, 9)]
    assert found == [(n, int(n < 8)) for n in range(10)]


def test_noise_and_greed_by_hand():
    """Opposed arms at λ = 1: Q_r − Q_c is ±1, and noise of 3/10 on each never changes the choice."""
    binding = next(paper.underestimate.bindings({"mdp": opposed_arms(), "multiplier": rational_number(1)}))
    assert binding[paper.believed] == binding[paper.paid] == 0
    assert binding[paper.hoped] == binding[paper.earned] == 1
