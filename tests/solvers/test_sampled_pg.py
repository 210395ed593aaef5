"""Policy gradient methods that sample: by hand for two updates, replicate by replicate, and in balls."""

from itertools import islice, pairwise, repeat

import numpy as np
import pytest

from mdplab import solvers
from mdplab.arrays import floats, log, norm, rational, softmax
from mdplab.errors import MdplabError
from mdplab.exact import truncated_gradient
from mdplab.instances import families, two_by_two
from mdplab.sampling import Draws, NotEnumerable, Outcomes, gpomdp, gradient_increment, hessian_vector, rollouts

METHODS = {
    name: getattr(solvers, name)
    for name in ("sampled_pg", "n_mpg", "n_pg_igt", "harpg", "n_harpg", "storm_pg", "srvr_pg")
}
H = 4


def drawn(replicates=6):
    return Draws(seed=3, replicate=np.arange(replicates))


def start(mdp, replicates=6):
    return np.random.default_rng(0).normal(size=(replicates, mdp.S, mdp.A))


def first(method, count=4, **given):
    mdp = two_by_two().floats()
    given = {"draws": drawn(), "horizon": H} | given
    return mdp, list(islice(method(mdp, start(mdp), **given), count))


def estimate(mdp, θ, round):
    π = softmax(θ)
    seen = rollouts(mdp, π, H, drawn().at(round))
    return gpomdp(seen, π), seen, π


def unit(d):
    return d / norm(d, 2)[..., None, None]


@pytest.mark.parametrize("name", METHODS)
def test_the_first_direction_is_one_estimate_and_each_run_depends_on_its_replicate_only(name):
    mdp, run = first(METHODS[name], large_batch=1) if name == "srvr_pg" else first(METHODS[name])
    assert [it.k for it in run] == [0, 1, 2, 3]
    assert np.array_equal(run[0].direction, estimate(mdp, start(mdp), 0)[0])
    one = METHODS[name](mdp, start(mdp)[4], draws=Draws(seed=3, replicate=4), horizon=H)
    if name != "srvr_pg":
        for it, alone in zip(run, one, strict=False):
            assert np.allclose(it.θ[4], alone.θ, rtol=0, atol=1e-14)


def test_vanilla_updates_add_step_times_estimate():
    mdp, run = first(solvers.sampled_pg, step_sizes=repeat(0.5))
    for before, after in pairwise(run):
        assert np.array_equal(before.direction, estimate(mdp, before.θ, before.k)[0])
        assert np.allclose(after.θ, before.θ + 0.5 * before.direction, rtol=0, atol=1e-15)


def test_momentum_and_transport_by_hand():
    for method, ahead in ((solvers.n_mpg, 0.0), (solvers.n_pg_igt, 3.0)):
        mdp, (zero, one, _, _) = first(method, step_sizes=repeat(0.5), shares=repeat(0.25))
        assert np.allclose(one.θ, zero.θ + 0.5 * unit(zero.direction), rtol=0, atol=1e-15)
        g, *_ = estimate(mdp, one.θ + ahead * (one.θ - zero.θ), 1)  # (1 − 1/4) / (1/4) = 3
        assert np.allclose(one.direction, 0.75 * zero.direction + 0.25 * g, rtol=0, atol=1e-14)


def test_hessian_aided_momentum_by_hand():
    for method, along in ((solvers.harpg, lambda d: d), (solvers.n_harpg, unit)):
        mdp, (zero, one, *_) = first(method, step_sizes=repeat(0.5), shares=repeat(0.25))
        assert np.allclose(one.θ, zero.θ + 0.5 * along(zero.direction), rtol=0, atol=1e-15)
        q = drawn().at(3).uniforms("between", 1)[:, :, None]
        π = softmax(q * one.θ + (1 - q) * zero.θ)
        v = hessian_vector(rollouts(mdp, π, H, drawn().at(3)), π, one.θ - zero.θ)
        expected = 0.75 * (zero.direction + v) + 0.25 * estimate(mdp, one.θ, 2)[0]
        assert np.allclose(one.direction, expected, rtol=0, atol=1e-14)
        assert (zero.trajectories, one.trajectories) == (1, 3)


def test_storm_by_hand():
    mdp, (zero, one, *_) = first(solvers.storm_pg, step_sizes=repeat(0.5), shares=repeat(0.25))
    g, seen, π = estimate(mdp, one.θ, 1)
    weighted = g - gradient_increment(seen, π, zero.π)
    assert np.allclose(one.direction, g + 0.75 * (zero.direction - weighted), rtol=0, atol=1e-14)


def test_restarts_take_large_batches_and_increments_small_ones():
    _, run = first(solvers.srvr_pg, count=7, epoch=3, large_batch=20, small_batch=2)
    assert [it.trajectories for it in run] == [20, 22, 24, 44, 46, 48, 68]


def test_directions_are_gradients_in_mean():
    """The mean of e_1 − (1 − η) e_0 over 20000 replicates is within five standard errors of zero."""
    mdp, η, draws = two_by_two().floats(), 0.25, Draws(seed=5, replicate=np.arange(20000))
    for method in (solvers.harpg, solvers.storm_pg):
        zero, one = islice(method(mdp, draws=draws, horizon=H, step_sizes=repeat(0.5), shares=repeat(η)), 2)
        error = [it.direction - truncated_gradient(mdp, it.π, H) for it in (zero, one)]
        rest = error[1] - (1 - η) * error[0]
        assert (abs(rest.mean(axis=0)) <= 5 * rest.std(axis=0) / len(rest) ** 0.5).all()


@pytest.mark.parametrize("name", METHODS)
def test_balls_follow_float64(name):
    mdp = two_by_two()
    given = {"large_batch": 2, "small_batch": 1, "epoch": 2} if name == "srvr_pg" else {}
    draws = Draws(seed=1, replicate=np.arange(2))
    pairs = zip(
        METHODS[name](mdp, draws=draws, horizon=3, **given),
        METHODS[name](mdp.floats(), draws=draws, horizon=3, **given),
        strict=False,
    )
    for exact, rounded in islice(pairs, 4):
        assert np.allclose(floats(exact.θ), rounded.θ, rtol=0, atol=1e-12)
        assert np.allclose(floats(exact.direction), rounded.direction, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_a_batch_of_models_runs_as_each_of_them_does(name):
    models = families.garnet(np.random.default_rng(0), 2, S=3, A=2, discount=0.5)
    draws = Draws(seed=1, replicate=np.arange(5), instance=np.array([[7], [8]]))
    given = {"horizon": 3, "at": [0, 3]}
    together = list(METHODS[name](models, draws=draws, **given))
    for i in range(2):
        alone = METHODS[name](models[i], draws=Draws(1, np.arange(5), 7 + i), **given)
        for a, b in zip(together, alone, strict=True):
            assert np.allclose(a.θ[i], b.θ, rtol=0, atol=1e-13)


def test_no_direction_no_step():
    assert (solvers.sampled.unit(np.zeros((2, 2))) == 0).all()
    assert (solvers.sampled.unit(rational(np.zeros((2, 2), dtype=int))) == 0).all()


def test_a_direction_that_may_be_zero_may_be_any():
    """log 4 − 2 log 2 is zero, but a ball around it."""
    nearly = log(rational([[4]])) - 2 * log(rational([[2]]))
    (found,) = solvers.sampled.unit(nearly).flat
    assert all(found.contains(x) for x in (-1, 0, 1))


def test_schedules_are_bounded_by_their_first_number():
    assert list(islice(solvers.decreasing(3.0, 1), 3)) == [3.0, 2.0, 1.5]


def test_what_does_not_fit_is_refused():
    mdp = two_by_two().floats()
    with pytest.raises(MdplabError, match="call for"):
        next(solvers.sampled_pg(mdp, np.zeros((5, 2, 2)), draws=drawn(), horizon=H))
    with pytest.raises(NotEnumerable):
        next(solvers.n_pg_igt(mdp, draws=Outcomes(), horizon=H))
    with pytest.raises(MdplabError, match="0 samples of each draw"):
        next(solvers.sampled_pg(mdp, draws=drawn(), horizon=H, batch=0))


@pytest.mark.parametrize("name", METHODS)
def test_more_runs_than_fit_into_memory_are_refused_before_work_starts(name):
    crowd = Draws(replicate=np.broadcast_to(0, 10**12))
    with pytest.raises(MdplabError, match=r"bytes are needed for 1000000000000 draws .* draw fewer replicates"):
        next(METHODS[name](two_by_two().floats(), draws=crowd, horizon=H))
