"""What the engine cannot know about theorems/lmc2024.py: one step by hand, the chain itself, regret on RiverSwim."""

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import rational, rational_number
from mdplab.errors import MdplabError
from mdplab.exact import finite_horizon as exact
from mdplab.instances import episodic_riverswim
from mdplab.models import bandit
from mdplab.sampling import Draws, NotEnumerable, Outcomes
from mdplab.solvers import best_of_both_worlds_po, by_law, by_steps, langevin_law, lmc_lsvi, low_switching_po, posterior
from mdplab.solvers.lmc_lsvi import Chain
from theorems import lmc2024 as paper


def test_one_episode_by_hand():
    """One feature, seen once with target 1: Λ = 2, ŵ = 1/2, η = 1/8, A = 1/2; three steps from 0."""
    found = next(paper.law(bandit(rational([1])), rational([0]), rational_number(1)))
    assert found[paper.mean_steps].tolist() == [rational_number("7/16")]
    # Each step halves the deviation, quarters the variance and adds 2η = 1/4: 1/4 (1 + 1/4 + 1/16).
    assert found[paper.covariance_steps].tolist() == [[rational_number("21/64")]]


def test_steps_one_by_one_have_the_law_in_closed_form():
    """Mean and variance of 40,000 chains of two pairs, within five standard errors."""
    n, curvature = 40_000, np.array([[2.0, 5.0]])
    chain = Chain(curvature, np.array([[0.5, -1.0]]), 1 / 20, 6, 0.7)
    rng, w = np.random.default_rng(0), np.array([[1.0, 1.0]])
    mean, variance = langevin_law(w, chain)
    for sampler in (by_steps, by_law):
        found = sampler(np.broadcast_to(w, (n, 1, 2)), chain, lambda j: rng.normal(size=(n, 1, 2)))
        assert (abs(found.mean(axis=0) - mean) < 5 * np.sqrt(variance / n)).all()
        assert (abs(found.var(axis=0) / variance - 1) < 5 * np.sqrt(2 / n)).all()


def test_many_steps_forget_where_the_chain_was():
    chain = Chain(np.array([[4.0, 9.0]]), np.array([[0.3, 0.4]]), 1 / 36, 10_000, 1.0)
    mean, variance = langevin_law(np.array([[100.0, -100.0]]), chain)
    A = 1 - 2 * chain.curvature / 36
    assert abs(mean - chain.centre).max() < 1e-12
    assert abs(variance * chain.curvature * (1 + A) - 1).max() < 1e-12


# Cumulative regret after 500 episodes, mean of two runs of an independent program.
LEARNERS = {
    "noise 1": ({"noise": 1.0}, 389),
    "noise 2": ({"noise": 2.0}, 429),
    "noise 1/5": ({"noise": 0.2}, 295),
    "noise 2, one step": ({"noise": 2.0, "steps": 1}, 440),
    "posterior": ({"noise": 1.5, "sampler": posterior}, 425),
    "greedy, 5 % random": ({"noise": 0.0, "sampler": posterior, "random": 0.05}, 429),
}


@pytest.mark.parametrize("name", LEARNERS)
def test_regret_on_riverswim_is_that_of_another_program(name):
    """The difference of a mean of 2 and one of 8 has standard error σ √(1/2 + 1/8), σ from our 8 runs.

    Theirs and ours are different draws: Student's t with 7 degrees of freedom, at 10⁻³ two-sided 5.41; half a unit for
    their rounding.
    """
    options, printed = LEARNERS[name]
    mdp = episodic_riverswim().floats()
    best = exact.optimum(mdp)
    run = lmc_lsvi(mdp, Draws(0, np.arange(8)), episodes=4000, **options)
    regret = sum(exact.gap(mdp, it.π, best) for it in islice(run, 500))
    assert abs(regret.mean() - printed) <= 5.41 * regret.std(ddof=1) * np.sqrt(1 / 2 + 1 / 8) + 0.5


def test_replicates_do_not_depend_on_those_beside_them():
    mdp = episodic_riverswim(3, 4).floats()
    both, one = (list(islice(lmc_lsvi(mdp, Draws(0, r)), 6))[-1].π for r in (np.arange(3), np.array([2])))
    assert (both[2] == one[0]).all()


def test_a_learner_is_not_enumerated():
    with pytest.raises(NotEnumerable, match="draws in every episode"):
        next(lmc_lsvi(episodic_riverswim(3, 4).floats(), Outcomes()))


@pytest.mark.parametrize("method", [lmc_lsvi, low_switching_po, best_of_both_worlds_po])
def test_more_learners_than_fit_into_memory_are_refused_before_work_starts(method):
    crowd = Draws(replicate=np.broadcast_to(0, 10**12))
    with pytest.raises(MdplabError, match="draw fewer replicates at a time"):
        next(method(episodic_riverswim(), crowd))
