"""What `mdplab solve` says of a model, for every class that has a name."""

from dataclasses import replace

import numpy as np
import pytest

from mdplab.errors import MdplabError
from mdplab.exact.robust import enclosing_box, tilted_kernel, worst_case
from mdplab.instances import find_model, robust_garnet, two_kernels
from mdplab.instances.find import EXAMPLES
from mdplab.report.solution import solve, text


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_is_solved_between_bounds(name):
    found = solve(find_model(name))
    said = text(name, found)
    assert said.startswith(f"{name}: ")
    assert "optimal value at the start" in said
    assert not any(sign in said for sign in "[]{}'")  # numbers, not Python


def test_a_constrained_model_is_said_with_its_prices_and_a_random_policy():
    """The paradox: λ* = 1, at most 5 of 10; state 1 always takes the reward, so state 0 does 1 in 11 times."""
    lines = text("paradox", solve(find_model("paradox"))).splitlines()
    assert lines[0] == "paradox: 2 states, 2 actions, discount 9/10"
    assert "multipliers: (1)" in lines
    assert lines[-2].split() == ["0", "0", "1/11", "10/11"]


def test_models_with_times_show_the_first_one():
    said = text("walk", solve(find_model("walk")))
    assert "horizon 4" in said.splitlines()[0]
    assert "at time 0, the first of 4 times; --json has them all" in said
    assert "discount" not in said


def test_two_kernels_are_solved_between_bounds_that_need_not_meet():
    """Who knows the kernel pays for a start in state bad only, 10/100; who does not can have 0.18899, or be trapped."""
    found = solve(two_kernels())
    low, high = found["value_at_start"]
    assert low == pytest.approx(0.1, abs=1e-12)
    assert 0.1889 < high < 0.1891
    assert "somewhere certified between" in text("two-kernels", found)


def test_a_box_holds_every_parametric_kernel():
    rng = np.random.default_rng(0)
    mdp = robust_garnet(rng, 1, S=4, A=2, set="TiltedKernels", discount=0.9)[0]
    box, u = enclosing_box(mdp), mdp.ambiguity
    for _ in range(200):
        aside = [budget * rng.dirichlet(np.ones(2)) * rng.choice([-1, 1], 2) for budget in (u.θ_budget, u.λ_budget)]
        p = tilted_kernel(mdp, u.θ_centre + aside[0], u.λ_centre + aside[1])
        assert (box.low <= p).all()
        assert (p <= box.high).all()
    low, high = solve(mdp)["value_at_start"]
    for _ in range(20):
        π = rng.dirichlet(np.ones(2), 4)
        assert worst_case(mdp.with_ambiguity(box), π).cost >= low
    assert high <= worst_case(mdp.with_ambiguity(box), np.full((4, 2), 0.5)).cost + 1e-9


def test_features_that_vanish_are_refused():
    mdp = robust_garnet(np.random.default_rng(0), 1, S=2, A=1, set="TiltedKernels", discount=0.9)[0]
    vanishing = mdp.with_ambiguity(replace(mdp.ambiguity, λ_budget=np.asarray(9.0)))
    with pytest.raises(MdplabError, match="is zero for some λ of the ball"):
        solve(vanishing)
