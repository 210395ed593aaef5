"""The bandit update with decaying entropy, against the paper's formula written out."""

from itertools import islice, repeat

import numpy as np
import pytest

from mdplab.arrays import floats, log_softmax, rational, rational_number
from mdplab.models import bandit
from mdplab.solvers import decaying_entropy_pg, entropy_pg, logarithmic_temperatures


def test_updates_are_those_of_the_paper_written_out():
    """θ ← τ/τ' (θ + H(π) (r − τ log π) / τ), H(π) = diag π − π π^T, τ_t = α Δ / log t from t = 2."""
    r, scale = np.array([0.9, 0.7, 0.1]), 0.4
    θ, τ = np.zeros(3), [scale / np.log(t) for t in range(2, 12)]
    run = decaying_entropy_pg(bandit(r), temperatures=logarithmic_temperatures(scale))
    for k, x in zip(range(9), run, strict=False):
        # Nine steps of a map whose slope is at most τ/τ' <= 1.6 each, 30 roundings a step, numbers of at most 10.
        assert np.abs(x.θ[0] - θ).max() <= 9 * 30 * 10 * np.log(11) / np.log(2) * 2**-53
        assert x.temperature == pytest.approx(τ[k], rel=2**-51)
        π = np.exp(θ) / np.exp(θ).sum()
        H = np.diag(π) - np.outer(π, π)
        θ = τ[k] / τ[k + 1] * (θ + H @ (r - τ[k] * np.log(π)) / τ[k])


def test_a_constant_temperature_is_the_regularised_gradient_itself(two_states, logits, digits):
    with digits(200):
        τ, η = rational_number("1/3"), rational_number("1/7")
        decaying = decaying_entropy_pg(two_states, logits, temperatures=repeat(τ), step_size=η)
        for x, y in islice(zip(decaying, entropy_pg(two_states, logits, temperature=τ, step_size=η), strict=True), 4):
            assert all(a.overlaps(b) for a, b in zip(x.log_π.flat, y.log_π.flat, strict=True))
            assert max(float(a.rad()) for a in x.log_π.flat) < 1e-40


def test_the_optimal_arm_wins_as_the_temperature_falls():
    r = np.array([0.9, 0.5, 0.1])
    probabilities = [
        x.π[0, 0]
        for x in decaying_entropy_pg(bandit(r), temperatures=logarithmic_temperatures(0.4), at=[10, 100, 1000])
    ]
    assert probabilities[0] < probabilities[1] < probabilities[2]
    # τ → 0 with the policy near softmax(r / τ): odds of the second arm about t^(−Δ/scale) = 1/t.
    assert 1 - probabilities[2] < 0.01


def test_it_ends_with_its_temperatures():
    mdp = bandit(rational([1, 0]))
    temperatures = rational(["1/2", "1/3", "1/4"])
    assert [x.k for x in decaying_entropy_pg(mdp, temperatures=temperatures)] == [0, 1]


def test_logarithmic_temperatures_start_with_the_logarithm_of_two():
    exact = list(islice(logarithmic_temperatures(rational_number("1/2")), 5))
    assert [floats(x) for x in exact] == pytest.approx([0.5 / np.log(t) for t in (2, 3, 4, 5, 6)], rel=2**-51)
    batch = next(logarithmic_temperatures(np.array([1.0, 2.0])))
    assert batch == pytest.approx(np.array([1.0, 2.0]) / np.log(2), rel=2**-51)


def test_the_policy_does_not_depend_on_a_shift_of_the_logits(digits):
    mdp = bandit(rational(["9/10", "1/10"]))
    with digits(200):
        plain, shifted = (
            next(decaying_entropy_pg(mdp, θ, temperatures=rational([1, "1/2", "1/3"]), at=[1]))
            for θ in (rational([[1, 2]]), rational([[4, 5]]))
        )
        assert all(a.overlaps(b) for a, b in zip(plain.log_π.flat, shifted.log_π.flat, strict=True))
        assert all(a.overlaps(b) for a, b in zip(log_softmax(plain.θ).flat, plain.log_π.flat, strict=True))
