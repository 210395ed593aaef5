"""What the engine cannot know of robust dynamic programming: the numbers of the named instances, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from mdplab.arrays import rational, total
from mdplab.exact.robust import robust_bellman, worst_response
from mdplab.instances.robust import ANY_PAIR, ANY_SET, random_is_best, robust_garnet
from mdplab.models import L1Ball, LInfBall
from mdplab.theorem import check
from mdplab.theorem.check import applies
from theorems import ho2021, iyengar2005, li2022


def first(mdp, respond=worst_response):
    v = rational([0] * mdp.S)
    return total(respond(mdp, v) * mdp.targets(v))[0, 0]


def test_half_the_budget_moves():
    mdp = ho2021.one_step([["1/2", "1/2"]], [[0, 1]], ho2021.in_first_state("2/5"))
    assert first(mdp) == rational("7/10")
    assert first(mdp, ho2021.full_budget) == rational("9/10")
    assert first(mdp, ho2021.kind_adversary) == rational("3/10")


def test_states_out_of_reach_stay_out_of_reach():
    mdp = ho2021.one_step([["1/2", "1/2", 0]], [[0, 1, 5]], ho2021.in_first_state("2/5"))
    assert first(mdp) == rational("7/10")
    assert first(mdp, ho2021.anywhere) == rational("3/2")


@pytest.mark.parametrize(
    ("policy", "right", "wrong", "respond"),
    [
        (["1/5", "4/5"], "716/1000", "662/1000", ho2021.without_policy),
        (["4/5", "1/5"], "578/1000", "599/1000", ho2021.budget_for_each),
    ],
)
def test_a_shared_budget_by_hand(policy, right, wrong, respond):
    given = ho2021.shared_budget("3/10", [["6/10", "4/10"], ["3/10", "7/10"]], [[0, 1], ["2/10", "9/10"]], policy)()
    (found,) = ho2021.srect_exact(**given, v=rational([0] * 3))
    assert found[ho2021.spent][0] == rational(right)
    (mistaken,) = ho2021.srect_exact(**given, v=rational([0] * 3), respond=respond)
    assert mistaken[ho2021.spent][0] == rational(wrong)


def test_equal_weights_cost_more_than_the_saddle_point():
    mdp, v = random_is_best(), rational([0, 0, 0])
    u, π = robust_bellman(mdp, v)
    assert u[0] == rational("51/80")
    assert (π[0] == rational(["3/4", "1/4"])).all()


def test_a_robust_model_without_choice_loses_what_a_greedy_policy_can():
    (found,) = iyengar2005.greedy_loss(**iyengar2005.tie_for_the_wrong_action())
    assert found[iyengar2005.loss] == 18  # 2 γ ε / (1 − γ) with γ = 9/10 and ε = 1


@pytest.mark.parametrize("name", ANY_SET)
def test_theorems_know_which_sets_of_kernels_they_are_about(name):
    mdp = robust_garnet(np.random.default_rng(0), 1, S=2, A=2, set=name, discount=0.9)[0]
    assert (applies(ho2021.l1_exact, mdp) is None) == (name == "L1Ball")
    assert (applies(ho2021.linf_exact, mdp) is None) == (name in ("LInfBall", "Box"))
    assert (applies(ho2021.srect_exact, mdp) is None) == (name == "StateL1Ball")
    assert (applies(ho2021.robust_improvement, mdp) is None) == (name not in ("FiniteSet", "TiltedKernels"))
    assert (applies(li2022.monotone_and_contracting, mdp) is None) == (name in ANY_PAIR)
    assert (applies(iyengar2005.w1_dual, mdp) is None) == (name == "WassersteinBall")


@pytest.mark.parametrize(("theorem", "ball"), [(ho2021.l1_exact, L1Ball), (ho2021.linf_exact, LInfBall)])
def test_balls_beyond_the_support_have_the_dual_too(theorem, ball):
    mdp = robust_garnet(np.random.default_rng(1), 1, S=4, A=2, b=2, set=ball.__name__, discount=0.9)[0]
    wide = mdp.with_ambiguity(ball(mdp.ambiguity.budget, beyond_support=True))
    assert check(theorem, profile="quick", model=("wide", wide)).word == "stands"
