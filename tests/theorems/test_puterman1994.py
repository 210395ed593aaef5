"""What the engine cannot know about theorems/puterman1994.py: cases done by hand, in rationals with ==."""

from itertools import islice, pairwise, product

import numpy as np

from mdplab.arrays import one_hot, rational, rational_number
from mdplab.exact import optimum, values
from mdplab.instances import one_state_loop, puterman_6_2_1, two_by_two, two_state_swap
from mdplab.solvers import enclosures, policy_iteration, value_iteration
from theorems import puterman1994 as book


def q(text):
    return rational_number(text)


def test_apriori_error_is_an_equality_for_one_state():
    assert all(error == bound for _, error, bound in book.apriori_error.trace(one_state_loop()))


def test_apriori_error_by_hand():
    """Two states swap, r = (1, 0), γ = 1/2: v* = (4/3, 2/3), v_2 = (1, 1/2) and the bound is (1/4) · 2 · 1."""
    _, error, bound = list(book.apriori_error.trace(two_state_swap(), up_to=2))[2]
    assert (error, bound) == (q("1/3"), q("1/2"))


def test_the_optimal_values_of_the_books_example_are_those_of_its_closed_form():
    """Example 6.2.1 for γ = 19/20: v* = ((5 − 11γ/2) / ((1 − γ/2)(1 − γ)), −1/(1 − γ))."""
    γ = q("19/20")
    expected = [(5 - q("11/2") * γ) / ((1 - γ / 2) * (1 - γ)), -1 / (1 - γ)]
    assert list(optimum(puterman_6_2_1()).v) == expected


def test_the_enclosing_bounds_of_the_solver_are_the_printed_ones():
    mdp = two_by_two()
    γ = mdp.discount
    iterates = list(islice(value_iteration(mdp), 6))
    for (v, backup), (low, high) in zip(pairwise(iterates), enclosures(mdp, iterates), strict=True):
        assert (low == backup + γ / (1 - γ) * min(backup - v)).all()
        assert (high == backup + γ / (1 - γ) * max(backup - v)).all()


def test_two_actions_that_part_keep_the_whole_span():
    """γ = 1/2: v = (1, −1) goes to ((1/2), (−1/2)) from state 0 and 1, T0 = 0: span 2 becomes 1 = γ · 1 · 2."""
    inputs = book.span_contraction.named["two actions that part"]
    ((binding, after, bound),) = book.span_contraction.trace(**inputs)
    assert (after, bound, binding[book.α], binding[book.α_fixed]) == (1, 1, 1, 0)


def test_the_greedy_loss_is_attained_with_a_tie():
    """γ = 9/10, ε = 1: staying for ever loses 2γ/(1 − γ) = 18; the other action, equally greedy, loses nothing."""
    instance = book.sharp_greedy_loss()
    ((_, loss, bound),) = book.greedy_loss.trace(**instance)
    assert (loss, bound) == (18, 18)
    mdp, v = instance["mdp"], instance["v"]
    best = optimum(mdp)
    assert book.loss_of(mdp, book.last_greedy(mdp, v), best) == 0
    assert mdp.action_values(v)[0, 0] == mdp.action_values(v)[0, 1]


def test_the_classical_stopping_rule_promises_less_than_holds_by_a_factor_γ():
    """γ = 9/10, ε = 1, v_0 = (1, −1): the first step is (−1/10, 1/10); leaving would have paid 2γ² = 81/50."""
    _, loss, classical = next(book.stopping_rule.trace(**book.late_tie()))
    _, _, by_span = next(book.stopping_rule_by_span.trace(**book.late_tie()))
    assert (loss, classical, by_span) == (q("81/50"), q("9/5"), q("81/50"))


def test_on_the_staircase_policy_iteration_learns_one_state_a_step_as_value_iteration_does():
    """v_k(i) = γ^(i−1) for 1 <= i <= k and 0 elsewhere, from "always stop"."""
    mdp, γ = book.staircase(4), q("9/10")
    steps = zip(policy_iteration(mdp, np.zeros(5, dtype=int)), value_iteration(mdp), strict=False)
    for k, ((_, v), backups) in enumerate(islice(steps, 6)):
        assert list(v) == [γ ** (i - 1) if 1 <= i <= k else 0 for i in range(5)] == list(backups)


def test_the_staircase_is_as_slow_as_the_rate_allows():
    ratios = [error == bound for _, error, bound in book.policy_iteration_rate.trace(book.staircase(4), up_to=4)]
    assert ratios == [True, True, True, False]


def test_policy_iteration_ends_with_the_best_of_all_policies():
    mdp = two_by_two()
    all_values = [values(mdp, one_hot(np.array(a), mdp.A, mdp.r)) for a in product(range(mdp.A), repeat=mdp.S)]
    for first in np.ndindex(2, 2):
        (binding,) = book.policy_iteration_ends(mdp, one_hot(np.array(first), mdp.A, mdp.r))
        assert (binding[book.final_value] == np.max(all_values, axis=0)).all()


def test_one_state_with_the_worse_action_first_takes_as_many_policies_as_there_are():
    (binding,) = book.policy_iteration_ends(book.one_improvement(), rational([[1, 0]]))
    assert binding[book.policies_seen] == 2
