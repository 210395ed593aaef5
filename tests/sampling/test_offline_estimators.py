"""Estimates from offline data: the exact law gives the truth, bridges and their dual agree, few data break nothing."""

import numpy as np
import pytest

from mdplab.arrays import floats, rational, total
from mdplab.exact import history_slope, history_sum, identified_slope, identified_value, naive_rewards, true_rewards
from mdplab.exact.confounded import uniform_policy
from mdplab.exact.one_step_back import one_step_laws
from mdplab.instances import sign_reversal, two_witnesses
from mdplab.instances.confounded import confounded
from mdplab.sampling import (
    Draws,
    Outcomes,
    bridge_rewards,
    min_max_rewards,
    naive_history_rewards,
    offline_data,
    one_step_counts,
    plugin_rewards,
    regularised_inverse,
    reweighted_rewards,
    seen_laws,
)

SQUARE = [sign_reversal(1), sign_reversal(2)]


def whole_law(model):
    outcomes = Outcomes(10**5)
    data = offline_data(model, outcomes)
    return data, outcomes.probability, seen_laws(model, data, outcomes.probability)


def a_policy(model, seed=0):
    cuts = rational(np.random.default_rng(seed).integers(1, 5, (model.H, model.O, model.A)))
    return cuts / cuts.sum(axis=-1)[..., None]


@pytest.mark.parametrize("model", SQUARE)
def test_the_law_itself_without_a_ridge_gives_the_true_rewards_on_histories(model):
    laws = whole_law(model)[2]
    for weighted in (False, True):
        assert (bridge_rewards(laws, 1, 0, weighted=weighted) == true_rewards(model)).all()


@pytest.mark.parametrize("model", SQUARE)
def test_the_law_itself_reweighted_gives_the_naive_rewards(model):
    assert (reweighted_rewards(whole_law(model)[2]) == naive_rewards(model)).all()


@pytest.mark.parametrize("model", [*SQUARE, two_witnesses(2)])
@pytest.mark.parametrize("weighted", [False, True])
def test_bridges_backwards_and_linear_forms_forwards_are_one_estimate(model, weighted):
    laws, π = whole_law(model)[2], a_policy(model)
    g = bridge_rewards(laws, 10, 2, weighted=weighted)

    def solution(M, Y):
        return regularised_inverse(M, 10, 2, weighted=weighted) @ Y

    assert identified_value(model, π, laws, solution) == history_sum(model, g, π)
    assert (identified_slope(model, π, laws, solution) == history_slope(model, g, π)).all()


def test_the_ridge_by_hand():
    """One history and action: Pr(o | q) rows (1, 0) and (1/2, 1/2), q = 0 three times as frequent, n = 4, ridge 1.

    MᵀM = [[5/4, 1/4], [1/4, 1/4]], with 1/4 added det = 11/16; MᵀDM = [[13/16, 1/16], [1/16, 1/16]]; see below.
    """
    M = rational([["3/4", 0], ["1/8", "1/8"]])[None, None]
    size = rational(["3/4", "1/4"])
    plain = regularised_inverse(M, 4)[0, 0] * size
    assert (plain == rational([["8/11", "2/11"], ["-4/11", "10/11"]])).all()
    # (MᵀDM + 1/4) = [[17, 1], [1, 5]] / 16, MᵀD = [[12, 2], [0, 2]] / 16; inverse [[5, −1], [−1, 17]] · 16/84.
    weighted = regularised_inverse(M, 4, weighted=True)[0, 0] * size
    assert (weighted == rational([["60/84", "8/84"], ["-12/84", "32/84"]])).all()


@pytest.mark.parametrize("model", SQUARE)
def test_the_law_by_the_observation_before_is_that_of_the_model(model):
    data, p, _ = whole_law(model)
    found, (start, laws) = one_step_counts(model, data, p), one_step_laws(model)
    assert (found[0] == start).all()
    for mine, law in zip(found[1], laws, strict=True):
        assert (mine.seen == law.seen).all()
        assert (mine.reward == law.reward).all()
        assert (mine.marginal == law.marginal).all()
        assert mine.onwards is None or (mine.onwards == law.onwards).all()


@pytest.mark.parametrize("estimate", [plugin_rewards, min_max_rewards, naive_history_rewards])
def test_a_batch_of_data_sets_is_estimated_one_by_one(estimate):
    model = confounded(np.random.default_rng(0), 3)
    draws = Draws(0, np.arange(4), np.arange(3)[:, None]).samples(50)
    together = estimate(model, offline_data(model, draws))
    assert together.shape == (3, 4, model.H, model.O, model.A)
    alone = estimate(model[1], offline_data(model[1], Draws(0, 2, 1).samples(50)))
    assert np.abs(together[1, 2] - alone).max() < 1e-12 * np.abs(alone).max()


@pytest.mark.parametrize("n", [1, 2, 3, 7])
@pytest.mark.parametrize("ridge", [1.0, 3.0])
def test_with_a_ridge_few_data_give_a_small_estimate(n, ridge):
    """T = 1: ‖(MᵀM + λ)⁻¹Mᵀ‖ <= 1/(2 √λ), so |V̂| <= Σ_a √(n_a / ridge) ‖Y‖ / 2 with entries of Y in [0, 1]."""
    model = sign_reversal(1).floats()
    data = offline_data(model, Draws(3, np.arange(2000)).samples(n))
    V = history_sum(model, plugin_rewards(model, data, ridge), floats(uniform_policy(model)))
    counts = np.stack([(data.actions[..., 0] == a).sum(axis=-1) for a in range(model.A)], axis=-1)
    assert (np.abs(V) <= total(np.sqrt(counts / ridge)) * np.sqrt(model.Q) / 2 + 1e-12).all()


def test_without_a_ridge_an_estimate_can_be_as_large_as_data_are_many():
    """Rows of counts that nearly agree are inverted: one of 2000 data sets takes V = 1/2 for more than 5."""
    model = sign_reversal(1).floats()
    data = offline_data(model, Draws(3, np.arange(2000)).samples(60))
    V = {r: history_sum(model, plugin_rewards(model, data, r), floats(uniform_policy(model))) for r in (0, 1)}
    assert np.abs(V[0]).max() > 5
    assert np.abs(V[1]).max() < 2
