"""The rate n^(−1/2) of the gradient estimate: its exact constant, data against it, and figures of another program."""

import numpy as np
import pytest

from mdplab.exact.confounded import true_rewards
from mdplab.instances import sign_reversal
from mdplab.report.experiments import experiment
from mdplab.sampling import Draws, Outcomes, offline_data, plugin_rewards, regularised_inverse, seen_laws

offline = experiment("hong2024_offline")


def test_the_limit_is_that_of_the_influence_of_each_trajectory():
    """T = 1: the influence of (q, o', a', R) on ĝ(o, a) is b(o') − g + 1{a' = a} û_a(q) (R 1{o' = o} − b(o')).

    With û_a = p_Oᵀ M_a⁻¹ over Pr(q, a), and the gradient by the logit of action 1 is (ĝ(o, 1) − ĝ(o, 0)) / 4.
    """
    model, outcomes = sign_reversal(1).floats(), Outcomes()
    data, g = offline_data(model, outcomes), true_rewards(sign_reversal(1).floats())[0]
    p, (law,) = outcomes.probability, seen_laws(model, data, outcomes.probability)
    B = regularised_inverse(law.seen, 1, 0)[0]  # a, o', q
    b = B @ law.reward[0]  # a, o', o
    u = law.seen[0].sum(axis=(0, 1)) @ B  # a, q
    influence = np.zeros((len(p), model.O, model.A))
    for i, (q, x, action, R) in enumerate(
        zip(data.proxy, data.observations[:, 0], data.actions[:, 0], data.rewards[:, 0], strict=True)
    ):
        for o, a in np.ndindex(model.O, model.A):
            own = u[a, q] * (R * (x == o) - b[a, x, o]) if action == a else 0
            influence[i, o, a] = b[a, x, o] - g[o, a] + own
    change = (influence[..., 1] - influence[..., 0]) / 4
    assert np.abs(p @ change).max() < 1e-12
    assert offline.limit(1) == pytest.approx(np.sqrt(2 * p @ (change**2).sum(axis=-1)), rel=1e-6)


@pytest.mark.parametrize("size", [10_000, 40_000])
def test_error_times_root_n_is_flat(size):
    """128 data sets: the mean of n‖error‖² is trace Σ up to 1/8 of it, at most; six such deviations are 75 %.

    Twice as much is allowed at the upper end, for the curvature of an inverse at finite n.
    """
    model = sign_reversal(1).floats()
    g = plugin_rewards(model, offline_data(model, Draws(1, np.arange(128)).samples(size)))
    errors = offline.slope(model, g) - offline.slope(model, true_rewards(model))
    ratio = size * (errors**2).sum(axis=(-1, -2)).mean() / offline.limit(1) ** 2
    assert 1 - 0.75 < ratio < 1 + 2 * 0.75


@pytest.mark.parametrize(
    ("horizon", "size", "median"), [(1, 10**4, 0.012), (1, 10**5, 0.0028), (1, 10**6, 0.0017), (2, 10**6, 0.015)]
)
def test_medians_of_another_program_fit_the_limit(horizon, size, median):
    """Of four data sets at least: two of them under 0.016 or over 2.5 root mean squares have probability 6 · 0.013².

    The worst case is a one-dimensional error, whose modulus is so small or large with probability 0.013.
    """
    assert 0.016 < median / (offline.limit(horizon) / np.sqrt(size)) < 2.5


def test_the_limit_for_two_steps_is_thirteen_times_that_for_one():
    """1.86 and 24.35: condition numbers of the equations multiply, 9.5 and 173 at most."""
    assert offline.limit(1) == pytest.approx(1.8634, abs=1e-4)
    assert offline.limit(2) == pytest.approx(24.352, abs=1e-3)
