"""Methods for general utilities and for several returns that sample: each step against its formula."""

from dataclasses import fields
from itertools import islice, pairwise, repeat

import numpy as np
import pytest

from mdplab import solvers
from mdplab.arrays import floats, norm, rational
from mdplab.errors import MdplabError
from mdplab.exact import action_values, rewarded, utility_value
from mdplab.exact.scalarisations import Reciprocals
from mdplab.exact.utilities import OfReturns, SmoothedLog
from mdplab.instances import two_by_two
from mdplab.instances.multi_objective import two_queues
from mdplab.sampling import Draws, Outcomes, gpomdp, off_policy, paid, rollouts, visited_pairs

MDP, F, H = two_by_two().floats(), SmoothedLog(0.25), 4
QUEUES, f = two_queues(1).floats(), Reciprocals(1.0)
EACH = np.eye(4).reshape(2, 2, 4)  # a feature for each pair
RUNS = {
    "n_vr_pg": lambda draws: solvers.n_vr_pg(MDP, F, draws=draws, horizon=H),
    "tsivr_pg": lambda draws: solvers.tsivr_pg(
        MDP, F, draws=draws, horizon=H, step_size=0.1, epoch=3, large_batch=4, small_batch=2
    ),
    "variational_pg": lambda draws: solvers.variational_pg(MDP, F, draws=draws, horizon=H, step_size=0.1, batch=3),
    "utility_reinforce": lambda draws: solvers.utility_reinforce(MDP, F, draws=draws, horizon=H, batch=2),
    "fitted_occupancy_pg": lambda draws: solvers.fitted_occupancy_pg(MDP, F, EACH, draws=draws, horizon=H, batch=2),
    "mo_pg": lambda draws: solvers.mo_pg(QUEUES, f, draws=draws, horizon=H, returns_batch=2, batch=3),
    "mo_tsivr_pg": lambda draws: solvers.mo_tsivr_pg(
        QUEUES, f, draws=draws, horizon=H, step_size=0.1, epoch=3, large_batch=4, small_batch=2
    ),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_replicate_does_not_depend_on_which_others_are_run(name):
    many, one = (list(islice(RUNS[name](Draws(7, np.arange(n, 5))), 5)) for n in (0, 3))
    for a, b in zip(many, one, strict=True):
        for field in fields(a):
            x, y = getattr(a, field.name), getattr(b, field.name)
            assert np.array_equal(x[3:], y) if np.ndim(x) else x == y, field.name


@pytest.mark.parametrize("name", RUNS)
def test_outcomes_of_a_whole_run_are_not_enumerated(name):
    with pytest.raises(MdplabError, match="draws at every iterate"):
        next(RUNS[name](Outcomes()))


def test_n_vr_pg_by_its_formulas():
    """The first three iterates, with gradients clipped at 0 and rewards that lag."""
    draws, η = Draws(1, np.arange(3)), 2 / 3
    zero, one, two = islice(solvers.n_vr_pg(MDP, F, draws=draws, horizon=H), 3)
    τ = [rollouts(MDP, it.π, H, draws.at(it.k)) for it in (zero, one, two)]
    assert np.array_equal(zero.λ, visited_pairs(τ[0], 2, 2))
    r0 = F.gradient(zero.λ)
    assert np.allclose(one.λ, visited_pairs(τ[1], 2, 2))  # η_1 = 1: the past does not count
    assert np.allclose(one.direction, gpomdp(paid(τ[1], r0), one.π))
    back = off_policy(τ[2], two.π, one.π, whole=True)
    assert np.allclose(two.λ, visited_pairs(τ[2], 2, 2) + (1 - η) * (one.λ - visited_pairs(back, 2, 2)))
    g, before = gpomdp(paid(τ[2], F.gradient(one.λ)), two.π), gpomdp(paid(back, r0), one.π)
    assert np.allclose(two.direction, g + (1 - η) * (one.direction - before))
    assert np.allclose(norm(one.θ - zero.θ, 2), 1)
    assert np.allclose(norm(two.θ - one.θ, 2), 1 / 2)


@pytest.mark.parametrize("radius", [0.05, None])
def test_truncated_steps_are_no_longer_than_the_radius(radius):
    run = solvers.tsivr_pg(MDP, F, draws=Draws(2, np.arange(6)), horizon=H, step_size=0.5, radius=radius)
    lengths = [norm(b.θ - a.θ, 2) for a, b in islice(pairwise(run), 20)]
    assert np.max(lengths) <= (radius or 1 / (2 * H)) + 1e-15
    short = solvers.tsivr_pg(MDP, F, draws=Draws(2, np.arange(6)), horizon=H, step_size=1e-4, radius=radius)
    for a, b in islice(pairwise(short), 5):
        assert np.allclose(b.θ - a.θ, 1e-4 * a.direction, rtol=0, atol=1e-12)


def test_an_epoch_begins_with_a_mean_over_a_large_batch_and_goes_on_with_increments():
    draws = Draws(3, np.arange(2))
    run = islice(RUNS["tsivr_pg"](draws), 4)
    first, second, _, fourth = run
    τ = rollouts(MDP, first.π, H, draws.at(0).samples(4))
    assert np.allclose(first.λ, visited_pairs(τ, 2, 2).mean(axis=1))
    τ = rollouts(MDP, second.π, H, draws.at(1).samples(2))
    change = visited_pairs(τ, 2, 2) - visited_pairs(off_policy(τ, second.π, first.π), 2, 2)
    assert np.allclose(second.λ, first.λ + change.mean(axis=1))
    assert [it.trajectories for it in (first, second, fourth)] == [4, 6, 12]


def test_shadow_action_values_are_those_of_the_shadow_reward():
    rng = np.random.default_rng(0)
    π, z = rng.dirichlet([1, 1], (3, 2)), rng.normal(size=(3, 2, 2))
    q = solvers.shadow_action_values(MDP, π, z)
    for i in range(3):
        assert np.allclose(q[i], action_values(rewarded(MDP, z[i]), π[i]))


def test_features_for_each_pair_give_back_the_visits_exactly_and_fewer_project():
    """One feature that is one everywhere: the mean over pairs, weighted by ρ = (1/4, 3/4)."""
    λ, ρ = rational([["1/2", 1], [2, "1/3"]]), rational(["1/4", "3/4"])
    each = rational(np.eye(4, dtype=int).reshape(2, 2, 4))
    assert (solvers.fitted_occupancy(λ, each, ρ) == λ).all()
    constant = solvers.fitted_occupancy(λ, rational([[[1], [1]], [[1], [1]]]), ρ)
    assert (constant == (λ[0].sum() + 3 * λ[1].sum()) / 8).all()
    stacked = solvers.fitted_occupancy(np.stack([floats(λ)] * 3), floats(each), floats(ρ))
    assert np.allclose(stacked, floats(λ))


def test_with_a_feature_for_each_pair_the_fitted_occupancy_is_that_of_the_batch():
    draws = Draws(4, np.arange(3))
    fitted, plain = (next(RUNS[n](draws)) for n in ("fitted_occupancy_pg", "utility_reinforce"))
    τ = rollouts(MDP, fitted.π, H, draws.at(1).samples(2))
    assert np.allclose(fitted.λ, visited_pairs(τ, 2, 2).mean(axis=1))
    assert np.allclose(fitted.direction, plain.direction)


def test_mo_tsivr_pg_keeps_the_returns_of_the_occupancy_that_tsivr_pg_would():
    """J_j = R λ_j on the same trajectories, as long as nothing is clipped."""
    draws = Draws(5, np.arange(4))
    F = OfReturns(QUEUES.rewards, f)
    run = islice(RUNS["mo_tsivr_pg"](draws), 3)
    λ = before = None
    for it in run:
        τ = rollouts(QUEUES, it.π, H, draws.at(2 * it.k).samples(2 if it.k else 4))
        seen = visited_pairs(τ, QUEUES.S, 2)
        if before is not None:
            seen = seen - visited_pairs(off_policy(τ, it.π, before), QUEUES.S, 2)
        λ = seen.mean(axis=1) + (0 if λ is None else λ)
        before = it.π
        # rewards of the queues are expectations, so that trajectories pay what pairs do
        assert np.allclose(it.J, np.maximum(F.returns(λ), 0))
        λ = λ if (F.returns(λ) >= 0).all() else pytest.skip("clipped")


@pytest.mark.parametrize("name", ["n_vr_pg", "tsivr_pg", "variational_pg", "utility_reinforce"])
def test_utilities_rise(name):
    options = {"step_size": 0.3} if name in ("tsivr_pg", "variational_pg") else {}
    if name == "utility_reinforce":
        options = {"step_sizes": repeat(0.3), "batch": 20}
    if name == "n_vr_pg":
        options = {"step_sizes": repeat(0.05)}  # α H <= 1
    θ = np.array([[-2.0, 2.0], [2.0, -2.0]])
    run = getattr(solvers, name)(MDP, F, θ, draws=Draws(6, np.arange(16)), horizon=20, at=[0, 150], **options)
    first, last = (utility_value(MDP, it.π, F).mean() for it in islice(run, 2))
    assert last > first + 0.3


def test_scalarised_returns_rise():
    for run in (
        solvers.mo_pg(QUEUES, f, draws=Draws(6, np.arange(8)), horizon=20, step_sizes=repeat(1.0), at=[0, 60]),
        solvers.mo_tsivr_pg(QUEUES, f, draws=Draws(6, np.arange(8)), horizon=20, step_size=1.0, at=[0, 60]),
    ):
        F = OfReturns(QUEUES.rewards, f)
        first, last = (utility_value(QUEUES.mdp, it.π, F).mean() for it in islice(run, 2))
        assert last > first
