"""Ascent on the weights of controllers: where it goes, where it stays, and what it refuses."""

from itertools import islice

import numpy as np
import pytest

from mdplab.arrays import floats, rational
from mdplab.errors import MdplabError
from mdplab.exact import values
from mdplab.instances import one_action_each, stay_or_switch, stay_or_switch_controllers, two_by_two, two_queues
from mdplab.models import bandit
from mdplab.solvers import every, improper_natural_pg, improper_pg, natural_pg


@pytest.mark.parametrize(
    ("rates", "weight"), [(("2/5", "2/5"), 0.5), (("3/10", "2/5"), 0.4397), (("1/5", "3/5"), 0.2686)]
)
def test_the_best_mixture_of_a_queue_is_found(rates, weight):
    mdp = two_queues(*rates).floats()
    run = improper_pg(mdp, floats(one_action_each(mdp)), np.array([2.0, 0.0]), step_size=0.05)
    assert next(islice(run, 300, None)).w[0] == pytest.approx(weight, abs=6e-5)


def test_equal_weights_of_two_controllers_that_cancel_never_move():
    mdp, K = stay_or_switch(), stay_or_switch_controllers()
    for it in islice(improper_pg(mdp, K), 4):
        assert all(w.contains(rational("1/2")[()]) for w in it.w)
        assert [float(x) for x in values(mdp, it.π)] == pytest.approx([5, 5], abs=1e-12)


@pytest.mark.parametrize(("θ", "first"), [((0, 0), 1), ((-0.2, 0), 1), ((-0.5, 0), 0), ((-1, 0), 0)])
def test_which_controller_wins_depends_on_the_start(θ, first):
    mdp, K = stay_or_switch("4/5").floats(), floats(stay_or_switch_controllers())
    run = improper_pg(mdp, K, np.array(θ, dtype=float), step_size=0.1, at=[600])
    assert next(run).w[0] == pytest.approx(first, abs=0.05)


def test_checkpoints_are_iterates():
    mdp, K = two_by_two().floats(), floats(one_action_each(two_by_two()))
    all_of_them = list(islice(improper_pg(mdp, K, at=every()), 6))
    some = list(improper_pg(mdp, K, at=[0, 2, 5]))
    assert [it.k for it in some] == [0, 2, 5]
    assert all((it.w == all_of_them[it.k].w).all() for it in some)


def test_shapes_are_checked():
    mdp, K = two_by_two(), one_action_each(two_by_two())
    with pytest.raises(MdplabError, match=r"controllers have shape \(2, 2\); expected \(M, 2, 2\)"):
        next(improper_pg(mdp, K[0]))
    with pytest.raises(MdplabError, match=r"θ has shape \(3,\)"):
        next(improper_pg(mdp, K, rational([0, 0, 0])))


def test_natural_steps_in_one_state_are_those_of_natural_policy_gradient_on_the_arms():
    """Controllers of rewards K r: weights are multiplied by exp(η A)."""
    mdp = bandit(np.array([1.0, 0.2, 0.6]))
    K = np.array([[[0.5, 0.5, 0.0]], [[0.0, 0.1, 0.9]]])
    arms = bandit(np.array([0.6, 0.56]))
    ours = improper_natural_pg(mdp, K, step_size=0.3)
    for x, y in islice(zip(ours, natural_pg(arms, step_size=0.3), strict=False), 10):
        assert x.w == pytest.approx(y.π[0], abs=1e-14)  # the same few operations a step, in another order


def test_natural_steps_find_the_best_mixture_of_a_queue():
    mdp = two_queues("3/10", "2/5").floats()
    run = improper_natural_pg(mdp, floats(one_action_each(mdp)), np.array([2.0, 0.0]), step_size=0.02, at=[200])
    assert next(run).w[0] == pytest.approx(0.4397, abs=1e-3)
