"""Policy gradient from offline confounded data: steps, replicates, refusals, and who gets better."""

import numpy as np
import pytest

from mdplab.errors import MdplabError, ModelError
from mdplab.exact import history_gradient, history_sum, history_value
from mdplab.exact.confounded import uniform_policy
from mdplab.instances import blind_twins, sign_reversal, two_witnesses
from mdplab.models import ConfoundedPOMDP
from mdplab.sampling import Draws, min_max_rewards, naive_history_rewards, offline_data, plugin_rewards
from mdplab.solvers import offline_pg, one_step_back_rewards


def data_of(model, n, replicates=3):
    return offline_data(model, Draws(0, np.arange(replicates)).samples(n))


@pytest.mark.parametrize("horizon", [1, 2])
def test_a_step_is_the_estimated_gradient(horizon):
    model = sign_reversal(horizon).floats()
    data = data_of(model, 500)
    run = offline_pg(model, data, step_size=0.5)
    first, second = next(run), next(run)
    g = plugin_rewards(model, data)
    assert np.allclose(second.θ, 0.5 * history_gradient(model, first.π, g), rtol=1e-12, atol=1e-15)
    assert first.θ.shape == (3, model.H, 2, 2)


def test_replicates_run_as_if_alone_and_memoryless_policies_are_allowed():
    model = sign_reversal(2).floats()
    data = data_of(model, 400)
    (last,) = offline_pg(model, data, np.zeros((3, 2, 2)), step_size=1.0, at=[20])
    one = offline_data(model, Draws(0, 1).samples(400))
    (alone,) = offline_pg(model, one, np.zeros((2, 2)), step_size=1.0, at=[20])
    assert np.allclose(last.θ[1], alone.θ, rtol=1e-9)
    assert last.π.shape == (3, model.H, 2, 2)


def test_estimated_gradients_improve_the_policy_and_naive_ones_make_it_worse():
    """10^5 data, T = 1, V = 1/2 at first; 3/5 is the best, 2/5 the worst; eight replicates of each."""
    model = sign_reversal(1).floats()
    data = data_of(model, 10**5, replicates=8)
    for rewards, better in ((plugin_rewards, True), (min_max_rewards, True), (naive_history_rewards, False)):
        (last,) = offline_pg(model, data, np.zeros((8, 2, 2)), step_size=2.0, rewards=rewards, at=[100])
        V = history_value(model, last.π)
        assert ((V > 0.55) == better).all()
        assert ((V < 0.45) != better).all()


def test_products_of_matrices_of_counts_estimate_the_value_too():
    """T = 2, 4·10^5 data: V = 53/50, and the naive limit 1.0411; condition numbers are below those of bridges."""
    model = sign_reversal(2).floats()
    data, π = data_of(model, 4 * 10**5, replicates=4), uniform_policy(model)
    V = history_sum(model, one_step_back_rewards(model, data), π)
    assert np.abs(V - 1.06).max() < 0.05


def test_data_that_determine_nothing_are_refused_before_work_starts():
    model = sign_reversal(1).floats()
    never = ConfoundedPOMDP(model.P, model.E, model.proxy, model.r, np.array([[1.0, 0.0], [0.1, 0.9]]), 1, model.start)
    with pytest.raises(ModelError, match="expected overlap"):
        offline_pg(never, data_of(never, 10), step_size=1)
    blind = ConfoundedPOMDP(model.P, model.E, np.full((2, 2), 0.5), model.r, model.behaviour, 1, model.start)
    with pytest.raises(ModelError, match="completeness needs rank 2"):
        offline_pg(blind, data_of(blind, 10), step_size=1)
    with pytest.raises(ModelError, match="a bridge needs rank 2"):
        offline_pg(blind_twins()[0].floats(), data_of(model, 10), step_size=1)


def test_wrong_shapes_and_too_few_data_are_refused():
    model = sign_reversal(1).floats()
    with pytest.raises(MdplabError, match="a data set each"):
        offline_pg(model, offline_data(model, Draws(0, 0)), step_size=1)
    with pytest.raises(MdplabError, match=r"θ has shape \(2, 2\)"):
        offline_pg(model, data_of(model, 10), np.zeros((2, 2)), step_size=1)
    with pytest.raises(MdplabError, match="without inverse; expected more data"):
        one_step_back_rewards(model, data_of(model, 2))
    with pytest.raises(ModelError, match="expected as many"):
        one_step_back_rewards(two_witnesses(1).floats(), data_of(two_witnesses(1).floats(), 10))
