"""Howard's policy iteration against the enumeration of all deterministic policies."""

from itertools import islice, pairwise, product

import numpy as np
from hypothesis import given, settings

from mdplab.arrays import rational
from mdplab.instances import families
from mdplab.instances.strategies import discounted_mdps
from mdplab.models import DiscountedMDP
from mdplab.solvers import policy_iteration


@given(discounted_mdps(rewards="any"))
@settings(max_examples=60, deadline=None)
def test_values_rise_to_the_best_of_all_policies_and_stay(every_policy, mdp):
    known = every_policy(mdp)
    run = list(islice(policy_iteration(mdp), len(known) + 1))
    for action, v in run:
        assert (v == known[tuple(action)]).all()
    for (before, v), (after, w) in pairwise(run):
        assert (w >= v).all()
        assert (w > v).any() or (after == before).all()  # it moves only to get better
    best = np.max(np.stack(list(known.values())), axis=0)
    assert (run[-1][1] == best).all()


def test_it_starts_where_it_is_told_to_and_steps_by_hand(two_states):
    """Always-second has V = (252/41, 7); Q(0, 0) = 1 + .9 (.9 V(0) + .7) is more.  Then V(0) = 163/19."""
    (first, v), (second, w) = islice(policy_iteration(two_states, np.array([1, 1])), 2)
    assert list(first) == [1, 1]
    assert (v == rational(["252/41", 7])).all()
    assert list(second) == [0, 1]
    assert (w == rational(["163/19", 7])).all()


def test_ties_keep_the_current_action():
    r, γ = rational([[1, 1, 0], [0, 2, 2]]), rational("1/2")[()]
    P = rational(np.full((2, 3, 2), 1, dtype=int)) / 2
    for start in product((0, 1), (1, 2)):
        actions = [tuple(a) for a, _ in islice(policy_iteration(DiscountedMDP(P, r, γ), np.array(start)), 4)]
        assert actions == [start] * 4


def test_ties_and_near_ties_do_not_make_it_cycle_in_float64():
    rng = np.random.default_rng(1)
    for mdp in (
        families.near_ties(rng, 40, S=5, A=4, width=1e-15),
        families.near_ties(rng, 40, S=5, A=4, width=0.0),
        families.garnet(rng, 40, S=6, A=4),
    ):
        actions = [a for a, _ in islice(policy_iteration(mdp), 40)]
        for a in actions[20:]:
            assert (a == actions[20]).all()


def test_what_it_comes_to_in_float64_is_optimal_for_the_exact_model(every_policy):
    mdp = families.garnet(np.random.default_rng(2), 12, S=3, A=3)
    *_, (action, v) = islice(policy_iteration(mdp), 15)
    for i in range(12):
        known = every_policy(mdp[i].exact())
        assert (known[tuple(action[i])] == np.max(np.stack(list(known.values())), axis=0)).all()
        # v solves a system of 3 rows whose condition number is at most (1 + γ)/(1 − γ); Gaussian elimination of a
        # diagonally dominant matrix of size n is off by at most 6 n² u (2n − 1) condition numbers, 270 · 2^-53 here.
        exact = np.array([float(x.p) / float(x.q) for x in known[tuple(action[i])]])
        assert np.abs(v[i] - exact).max() <= 270 * 2**-53 * 2 / (1 - mdp.discount[i]) * np.abs(exact).max()
