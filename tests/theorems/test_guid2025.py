"""What the engine cannot know of theorems/guid2025.py: an agent torn between two actions, by hand."""

import flint
import numpy as np
import pytest

from mdplab.exact.scalarisations import Reciprocals
from mdplab.instances.multi_objective import torn
from mdplab.sampling import Draws, Outcomes, mean
from mdplab.solvers import mo_tsivr_pg
from theorems import guid2025


def trace(theorem):
    instance = theorem.instance(guid2025.turned)
    (binding,) = theorem(**instance)
    return binding


def shares():
    """From equal shares by (1, −1) / 10: p = 1 / (1 + e^{−1/5})."""
    p = 1 / (1 + flint.arb("-0.2").exp())
    return p, 1 - p


def test_the_inverted_increment_by_hand():
    """1/ω has factors 2 π(a): E R̂_{i,1/ω} = Σ γ^t m^t 2 π_i², m = 2 (p² + q²), and J_i = (1 + 1/2 + 1/4) π_i.

    What is off in i is 7/4 π_i − 2 π_i² (1 + m/2 + m²/4) + 7/4 (π_i − 1/2).
    """
    b = trace(guid2025.wrong_sign)
    m = 2 * sum(x * x for x in shares())
    off = [abs(x * 7 / 4 - 2 * x * x * (1 + m / 2 + m * m / 4) + (x - 1 / flint.arb(2)) * 7 / 4) for x in shares()]
    assert b[guid2025.off_sign].overlaps(off[0].max(off[1]))
    assert b[guid2025.distance].overlaps(flint.arb(2).sqrt() / 10)


def test_the_variance_of_an_increment_by_hand():
    """ω has factors 1 / (2 π(a)); R̂ − R̂_ω of each objective over all eight trajectories of three steps."""
    p, q = shares()
    means, squares = [0, 0], 0
    for actions in np.ndindex(2, 2, 2):
        probability = ω = weight = flint.arb(1)
        seen = [flint.arb(0), flint.arb(0)]
        for a in actions:
            share = q if a else p
            probability, ω = probability * share, ω / (2 * share)
            seen[a] += weight * (1 - ω)
            weight = weight / 2
        means = [x + probability * y for x, y in zip(means, seen, strict=True)]
        squares += probability * sum(y * y for y in seen)
    b = trace(guid2025.increment)
    assert b[guid2025.variance].overlaps(squares - sum(x * x for x in means))


def test_the_code_as_read_is_refuted_on_the_agent_that_turned():
    """The mean error moves by J_{H,i}(θ_{j−1}) − E R̂_{i,1/ω} = 7/8 − 2 π_i² (1 + m/2 + m²/4), −0.189 for i = 1."""
    outcomes = Outcomes()
    (b,) = guid2025.as_coded(**guid2025.as_coded.instance(guid2025.turned), draws=outcomes)
    off = mean(outcomes.probability, b[guid2025.tracked], 1) - b[guid2025.tracked_before]
    m = 2 * sum(x * x for x in shares())
    for found, x in zip(off, shares(), strict=True):
        assert found.overlaps(flint.arb(7) / 8 - 2 * x * x * (1 + m / 2 + m * m / 4))


def test_the_error_at_the_start_of_an_epoch_is_the_variance_of_a_large_batch():
    """γ = 0: a pull of one of two arms, J_0 the shares of N = 16 pulls, E‖J_0 − J‖² = 2 · (1/4) / 16."""
    mdp = torn(0).floats()
    it = next(
        mo_tsivr_pg(mdp, Reciprocals(1.0), draws=Draws(0, np.arange(4000)), horizon=1, step_size=1, large_batch=16)
    )
    assert ((it.J - 0.5) ** 2).sum(axis=-1).mean() == pytest.approx(1 / 32, rel=0.1)
