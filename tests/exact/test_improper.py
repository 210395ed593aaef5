"""Mixtures of controllers: closed forms, differences in extended precision, enumeration."""

import numpy as np
import pytest
from flint import arb, ctx

from mdplab.arrays import exp, floats, log_softmax, rational, rational_number, total
from mdplab.exact import (
    controller_advantages,
    improper_derivatives,
    improper_gradient,
    mixture,
    optimum,
    values,
)
from mdplab.instances import one_action_each, stay_or_switch, stay_or_switch_controllers, two_by_two, two_queues

CONTROLLERS = rational([[["1/2", "1/2"], [1, 0]], [["1/5", "4/5"], ["3/10", "7/10"]], [[0, 1], ["2/3", "1/3"]]])


def weights(θ):
    return exp(log_softmax(θ))


def test_the_value_of_two_controllers_that_stay_in_one_state_each_is_a_parabola():
    """(1 + γ (2p − 1)²) / (2 (1 − γ)): solved by hand for the sum and the difference of the two values."""
    γ = rational_number("9/10")
    mdp, K = stay_or_switch(1, γ), stay_or_switch_controllers()
    for p in map(rational_number, (0, "1/3", "1/2", "4/5", 1)):
        π = mixture(K, rational([p, 1 - p]))
        assert total(mdp.start * values(mdp, π)) == (1 + γ * (2 * p - 1) ** 2) / (2 * (1 - γ))


def test_derivatives_are_those_of_differences_in_balls():
    """Central differences with h = 10⁻³⁰ in 400 bits: their error is of order h², far below 1e-20."""
    mdp, θ, u = two_by_two(), rational(["1/5", "-1/2", 1]), rational([1, "-1/3", "1/2"])
    before, ctx.prec = ctx.prec, 400
    try:
        h = rational_number("1/1000000000000000000000000000000")
        at = {x: total(mdp.start * values(mdp, mixture(CONTROLLERS, weights(θ + x * h * u)))) for x in (-1, 0, 1)}
        first, second = (at[1] - at[-1]) / (2 * h), (at[1] - 2 * at[0] + at[-1]) / (h * h)
        _, v1, v2 = improper_derivatives(mdp, CONTROLLERS, weights(θ), u)
        along = total(improper_gradient(mdp, CONTROLLERS, weights(θ)) * u)
        for found, expected in ((total(mdp.start * v1), first), (total(mdp.start * v2), second), (along, first)):
            assert abs(found - expected) < arb("1e-20")
    finally:
        ctx.prec = before


def test_the_gradient_of_the_sheet():
    """γ = 9/10, staying pays 1 and 8/10, θ = (7/10, 0): ±1.62943."""
    mdp, K = stay_or_switch("4/5").floats(), floats(stay_or_switch_controllers())
    g = improper_gradient(mdp, K, weights(np.array([0.7, 0.0])))
    assert [round(float(x), 5) for x in g] == [1.62943, -1.62943]


def test_mean_advantages_weighted_are_zero_in_every_state():
    mdp, w = two_by_two(), rational(["1/2", "1/3", "1/6"])
    assert (total(controller_advantages(mdp, CONTROLLERS, w) * w) == 0).all()


@pytest.mark.parametrize(
    ("rates", "first", "second", "best_weight", "best_mixture", "best_policy"),
    [
        (("2/5", "2/5"), 12.2326, 12.2326, 0.50, 15.0696, 17.4333),
        (("3/10", "2/5"), 12.4226, 12.9205, 0.44, 16.0677, 18.0572),
        (("1/5", "3/5"), 11.7944, 13.6233, 0.27, 15.6003, 17.6662),
    ],
)
def test_queues_have_the_values_of_another_program(rates, first, second, best_weight, best_mixture, best_policy):
    mdp = two_queues(*rates).floats()
    K, w = floats(one_action_each(mdp)), np.linspace(0, 1, 101)
    v = values(mdp, np.stack([mixture(K, np.array([x, 1 - x])) for x in w]))[:, 0]
    assert [v[-1], v[0], v.max(), optimum(mdp).v[0]] == pytest.approx(
        [first, second, best_mixture, best_policy],
        abs=6e-5,  # printed with four digits
    )
    assert w[v.argmax()] == pytest.approx(best_weight, abs=0.006)


def test_a_batch_of_mixtures_is_its_members():
    mdp = two_by_two().floats()
    K, w = floats(CONTROLLERS), np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    batch = mdp.map(lambda x: np.stack([x] * 2) if np.ndim(x) else x)
    both = improper_gradient(batch, np.stack([K] * 2), w)
    for i in range(2):
        # The same operations in another order of summation: a few roundings of numbers below ten.
        assert both[i] == pytest.approx(improper_gradient(mdp, K, w[i]), abs=1e-14)
