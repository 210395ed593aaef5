"""Trajectories of every class: exact by enumeration, the same alone and in a batch, drawn from the law enumerated."""

from collections import Counter
from itertools import product
from math import log, sqrt

import numpy as np
import pytest

from mdplab.arrays import floats, rational, total
from mdplab.errors import MdplabError
from mdplab.exact import (
    exit_gradient,
    exit_value,
    exit_visits,
    finite_horizon,
    finite_value,
    history_gradient,
    history_value,
    identification,
    identified_value,
    truncated_pair_visits,
)
from mdplab.exact.confounded import observed_law, reach, uniform_policy
from mdplab.exact.stateful import trajectories as stateful_trajectories
from mdplab.instances import blind_twins, gambler, memory_needed, sign_reversal, tiger, two_by_two, two_witnesses, walk
from mdplab.instances.confounded import confounded
from mdplab.instances.constrained import constrained_garnet, crossing
from mdplab.instances.exit_time import random_exits
from mdplab.instances.families import garnet
from mdplab.instances.finite_horizon import of_sizes, uneven
from mdplab.instances.multi_objective import objectives_garnet, two_queues
from mdplab.instances.pomdp import emitting_pomdps
from mdplab.instances.robust import two_kernels
from mdplab.models import ConfoundedPOMDP, FiniteHorizonMDP, SparseMDP
from mdplab.sampling import (
    Draws,
    NotEnumerable,
    Outcomes,
    every_trajectory,
    geometric_rollouts,
    gpomdp,
    offline_data,
    reinforce,
    rollouts,
    seen_laws,
    stateful_rollouts,
    td_steps,
    timed_rollouts,
    trajectory_weight,
    visited_pairs,
)

FAILURE = 1e-9  # probability that a correct sampler fails a test, had the seed not been fixed


def policy(*shape, joint=1, seed=0):
    """A rational policy without symmetry, whose last `joint` axes are a distribution."""
    k = np.random.default_rng(seed).integers(1, 6, shape)
    return rational(k) / rational(k.sum(axis=tuple(range(-joint, 0)), keepdims=True))


def expected_return(found, probability):
    """Σ p Σ_h w_h R_h, over the last axis of the batch; of each payoff where there are several."""
    weights = found.weights
    if found.rewards.ndim > found.actions.ndim:
        weights, probability = weights[..., None], probability[..., None]
        return (probability * (weights * found.rewards).sum(axis=-2)).sum(axis=-2)
    return (probability * (weights * found.rewards).sum(axis=-1)).sum(axis=-1)


# -- By enumeration, in rationals -------------------------------------------------------------------------------------


def test_mean_returns_of_a_discounted_model_are_those_of_its_visits():
    mdp = two_by_two()
    π = policy(2, 2)
    found, p = every_trajectory(mdp, π, 4)
    assert p.sum() == 1
    assert expected_return(found, p) == total(truncated_pair_visits(mdp, π, 4) * mdp.r, 2)


@pytest.mark.parametrize(("model", "tables"), [(two_queues(1), "rewards"), (crossing(), "payoffs")])
def test_mean_vectors_of_returns_are_those_of_the_visits(model, tables):
    π = policy(model.S, model.A)
    found, p = every_trajectory(model, π, 2)
    assert (
        expected_return(found, p) == total(truncated_pair_visits(model.mdp, π, 2) * getattr(model, tables), 2)
    ).all()


def test_mean_returns_over_a_finite_horizon_are_its_values_from_starts_in_all_epochs():
    mdp = uneven()
    π = policy(mdp.S, mdp.A)
    found, p = every_trajectory(mdp, π, 3)
    assert expected_return(found, p) == total(mdp.start * finite_horizon.values(mdp, π))
    late = found.states[:, 0] >= 4  # the last epoch has the pairs 4 and 5
    assert (found.weights[late] == rational([1, 0, 0])).all()
    assert (found.states[late, 1:] == mdp.S).all()


def test_mean_returns_of_a_policy_that_changes_with_time_are_those_of_discounted_epochs():
    mdp, γ = two_by_two(), rational("9/10")[()]
    π = policy(3, 2, 2)
    outcomes = Outcomes()
    found = timed_rollouts(mdp, π, outcomes)
    epochs = FiniteHorizonMDP((mdp.P,) * 2, tuple(γ**h * mdp.r for h in range(3)), mdp.start)
    values = finite_horizon.values(epochs, π.reshape(6, 2))
    assert expected_return(found, outcomes.probability) == total(epochs.start * values)


def test_mean_payoffs_until_exit_are_values_and_weights_are_visits():
    mdp = walk(4, horizon=3)
    π = policy(mdp.N, mdp.S, mdp.A)
    found, p = every_trajectory(mdp, π, 3)
    assert expected_return(found, p) == exit_value(mdp, π)
    visits = (p[:, None, None] * visited_pairs(found, mdp.N * mdp.S, mdp.A)).sum(axis=(0, 2))
    assert (visits.reshape(mdp.N, mdp.S) == exit_visits(mdp, π)).all()
    ended = found.weights.sum(axis=-1).astype(int)
    for i in range(len(p)):  # what happened last is the payoff, and no place follows it
        assert found.rewards[i].sum() == mdp.payoff[found.places[i, -1]]
        assert (found.places[i, ended[i] :] == found.places[i, -1]).all()
        assert (found.states[i, : ended[i]] == np.arange(ended[i]) * mdp.S + found.places[i, : ended[i]]).all()


def test_two_plays_of_a_fair_gambler_by_hand():
    """From 1 of 3 (place 0): ruin (place 2) with 1/2; else 2 (place 1), then success (3) or back to 1, 1/4 each."""
    found, p = every_trajectory(gambler(3, horizon=2), rational([[[1], [1]]] * 2), 2)
    assert found.places.tolist() == [[0, 1, 0], [0, 1, 3], [0, 2, 2]]
    assert (p == rational(["1/4", "1/4", "1/2"])).all()
    assert (found.rewards == rational([[0, 0], [0, 1], [0, 0]])).all()
    assert (found.weights == rational([[1, 1], [1, 1], [1, 0]])).all()
    assert found.states.tolist() == [[0, 3, 4], [0, 3, 7], [0, 6, 6]]  # 2 i + x, and 4 + the place where it ends


def test_mean_returns_of_a_memoryless_policy_are_those_on_histories():
    pomdp = memory_needed()
    π = policy(pomdp.O, pomdp.A)
    found, p = every_trajectory(pomdp, π, 3)
    by_history = [π[np.arange(pomdp.O * (pomdp.A * pomdp.O) ** t) % pomdp.O] for t in range(3)]
    assert expected_return(found, p) == finite_value(pomdp, by_history)


@pytest.mark.parametrize("memory", [None, rational(["1/3", "2/3"])])
def test_mean_returns_of_a_policy_with_memory_agree_with_the_other_enumeration(memory):
    pomdp = memory_needed()
    π = policy(pomdp.O, 2, pomdp.A, 2, joint=2)
    outcomes = Outcomes(10**5)
    found = stateful_rollouts(pomdp, π, 2, outcomes, memory)
    other = stateful_trajectories(pomdp, π, 2, memory)
    assert expected_return(found, outcomes.probability) == (other["probability"] * other["reward"]).sum()
    assert outcomes.probability.sum() == 1


def test_one_bit_of_memory_remembers_the_goal():
    """Memory takes the number that is shown and names the action; reward γ for sure (see `memory_needed`)."""
    pomdp = memory_needed("9/10")
    π = np.zeros((3, 2, 2, 2), dtype=int)
    π[[0, 1], :, 0, [0, 1]] = 1
    π[2, [0, 1], [0, 1], [0, 1]] = 1
    outcomes = Outcomes()
    found = stateful_rollouts(pomdp, rational(π), 3, outcomes)
    assert ((found.weights * found.rewards).sum(axis=-1) == rational("9/10")).all()


def test_mean_returns_of_a_policy_on_histories_are_its_value():
    model = sign_reversal(2)
    π = policy(model.H, model.O, model.A)
    found, p = every_trajectory(model, π, 2)
    assert expected_return(found, p) == history_value(model, π)
    rows = 0 * reach(model, π)[:, None] * model.E[:1]
    np.add.at(rows.reshape(-1), found.states[:, :-1], p[:, None])
    assert (rows.sum(axis=-1)[1:].sum(), rows[0].sum()) == (1, 1)


@pytest.mark.parametrize("estimate", [reinforce, gpomdp, lambda found, π: gpomdp(found, π, baseline=3)])
def test_one_estimator_serves_all_classes(estimate):
    """Mean estimates are the gradients of each class, ended trajectories and constant baselines included."""
    for model, shape, gradient in (
        (uneven(), (6, 2), finite_horizon.softmax_gradient),
        (walk(4, horizon=3), (3, 3, 2), exit_gradient),
        (sign_reversal(2), (5, 2, 2), history_gradient),
    ):
        π = policy(*shape)
        found, p = every_trajectory(model, π, getattr(model, "horizon", 3))
        mean = (p[:, None, None] * estimate(found, π.reshape(-1, π.shape[-1]))).sum(axis=0)
        assert (mean.reshape(shape) == gradient(model, π)).all()


def test_values_turn_rewards_into_temporal_differences_until_the_end():
    """Σ_t w_t δ_t = R̂ − v(s_0) with v zero at the end, on every trajectory."""
    for model, π in ((uneven(), policy(6, 2)), (walk(4, horizon=3), policy(3, 3, 2))):
        found, _ = every_trajectory(model, π, 3)
        v = policy(int(np.prod(π.shape[:-1])), seed=4)
        δ = td_steps(found, v, 1)
        assert (total(found.weights * δ) == total(found.weights * found.rewards) - v[found.states[:, 0]]).all()
        assert (total(δ) == total(found.weights * δ)).all()


def test_weights_of_another_policy_are_one_where_all_is_over():
    mdp = walk(4, horizon=3)
    π, other = policy(3, 3, 2), policy(3, 3, 2, seed=1)
    found, p = every_trajectory(mdp, π, 3)
    ω = trajectory_weight(found, π.reshape(-1, 2), other.reshape(-1, 2))
    assert (p * ω).sum() == 1
    assert expected_return(found, p * ω) == exit_value(mdp, other)


uneven_sizes = confounded(np.random.default_rng(0), 1, S=2, O=3, A=3, Q=2, T=1)[0].exact()


@pytest.mark.parametrize("model", [sign_reversal(2), two_witnesses(2), blind_twins()[0], uneven_sizes])
def test_offline_data_have_the_law_of_what_is_observed(model):
    outcomes = Outcomes(10**5)
    data = offline_data(model, outcomes)
    assert outcomes.probability.sum() == 1
    for found, law in zip(seen_laws(model, data, outcomes.probability), observed_law(model), strict=True):
        assert (found.seen == law.seen).all()
        assert (found.reward == law.reward).all()
        assert found.next_seen is None or (found.next_seen == law.next_seen).all()


def test_counts_of_offline_data_estimate_the_value_of_another_policy():
    """2/5 for the first action; 0.02 is the standard deviation over seeds, the naive estimate is 0.7."""
    model = sign_reversal(1)
    identification(model).require()
    first = rational([[[1, 0], [1, 0]]])
    assert history_value(model, first) == rational("2/5")
    data = offline_data(model.floats(), Draws(0, np.arange(50_000)))
    assert abs(identified_value(model.floats(), floats(first), seen_laws(model, data)) - 0.4) < 0.1


def test_frequencies_of_a_batch_are_those_of_its_models():
    model = confounded(np.random.default_rng(0), 3)
    data = offline_data(model, Draws(0, np.arange(40), np.arange(3)[:, None]))
    together = seen_laws(model, data)
    for i in range(3):
        alone = seen_laws(model[i], offline_data(model[i], Draws(0, np.arange(40), i)))
        for one, other in zip(together, alone, strict=True):
            assert (one.seen[i] == other.seen).all()
            assert (one.reward[i] == other.reward).all()


def test_rewards_in_the_unit_interval_are_tossed_and_others_paid_as_they_are():
    model = sign_reversal(1)
    outcomes = Outcomes()
    assert set(offline_data(model, outcomes).rewards.ravel().tolist()) <= {0, 1}
    paid = ConfoundedPOMDP(model.P, model.E, model.proxy, model.r - 3, model.behaviour, 1, model.start)
    data = offline_data(paid, Outcomes())
    assert (data.rewards[:, 0] == paid.r[data.hidden[:, 0], data.actions[:, 0]]).all()


def test_a_batch_of_models_and_policies_is_enumerated_at_once():
    mdp = garnet(np.random.default_rng(0), 3, S=2, A=2, discount=0.5)
    π = np.random.default_rng(1).dirichlet(np.ones(2), (3, 4, 2))
    found, p = every_trajectory(mdp, π, 2)
    assert found.shape == p.shape
    assert p.shape[:2] == (3, 4)
    for i, j in np.ndindex(3, 4):
        expected = total(truncated_pair_visits(mdp[i], π[i, j], 2) * mdp[i].r, 2)
        assert expected_return(found, p)[i, j] == pytest.approx(expected, rel=1e-12)  # sums of 32 positive products


# -- By simulation ----------------------------------------------------------------------------------------------------


def discounted(rng, n):
    return garnet(rng, n, S=2, A=2, discount=0.9)


def emitting(rng, n):
    return emitting_pomdps(rng, n, S=2, A=2, O=2, discount=0.9)


CASES = {
    "discounted": (discounted, (2, 2), 1, lambda m, π, d: rollouts(m, π, 2, d)),
    "constrained": (
        lambda rng, n: constrained_garnet(rng, n, S=2, A=2),
        (2, 2),
        1,
        lambda m, π, d: rollouts(m, π, 2, d),
    ),
    "objectives": (lambda rng, n: objectives_garnet(rng, n, S=2, A=2), (2, 2), 1, lambda m, π, d: rollouts(m, π, 2, d)),
    "epochs": (lambda rng, n: of_sizes(rng, n, (1, 3, 2), A=2), (6, 2), 1, lambda m, π, d: rollouts(m, π, 3, d)),
    "exit": (lambda rng, n: random_exits(rng, n, N=2), (2, 2, 2), 1, lambda m, π, d: rollouts(m, π, 2, d)),
    "memoryless": (emitting, (2, 2), 1, lambda m, π, d: rollouts(m, π, 2, d)),
    "stateful": (emitting, (2, 2, 2, 2), 2, lambda m, π, d: stateful_rollouts(m, π, 1, d)),
    "histories": (confounded, (5, 2, 2), 1, lambda m, π, d: rollouts(m, π, 2, d)),
    "offline": (lambda rng, n: confounded(rng, n, T=1), (1, 2, 2), 1, lambda m, π, d: offline_data(m, d)),
}


def drawn(case, size):
    make, shape, joint, roll = CASES[case]
    rng = np.random.default_rng(5)
    return make(rng, size), floats(policy(size, *shape, joint=joint, seed=3)), roll


def parts(found):
    return {name: x for name, x in vars(found).items() if name != "weights"}


@pytest.mark.parametrize("case", CASES)
def test_a_trajectory_is_the_same_alone_and_in_a_batch(case):
    model, π, roll = drawn(case, 3)
    together = roll(model, π, Draws(7, np.arange(4), np.arange(3)[:, None]))
    for i, k in product(range(3), range(4)):
        alone = roll(model[i], π[i], Draws(7, k, i))
        for name, x in parts(together).items():
            assert (x[i, k] == getattr(alone, name)).all(), name


@pytest.mark.parametrize("case", CASES)
def test_frequencies_of_trajectories_agree_with_their_probabilities(case):
    """Hoeffding for each of K possible trajectories: off by more than sqrt(log(2 K / δ) / 2 n) in δ of all cases."""
    model, π, roll = drawn(case, 1)
    n, outcomes = 20_000, Outcomes(10**5)
    every = roll(model[0], π[0], outcomes)

    def keys(found):
        columns = [x.reshape(len(found.actions), -1) for x in parts(found).values()]
        return list(map(tuple, np.concatenate(columns, axis=1).tolist()))

    law: Counter = Counter()
    for key, p in zip(keys(every), outcomes.probability, strict=True):
        law[key] += p
    found = Counter(keys(roll(model[0], π[0], Draws(11, np.arange(n)))))
    assert set(found) <= set(law)
    bound = sqrt(log(2 * len(law) / FAILURE) / (2 * n))
    assert max(abs(found[key] / n - p) for key, p in law.items()) <= bound


def test_geometric_lengths_have_their_law():
    """P(T >= h) = γ^h within sqrt(log(2 / δ) / 2 n) for all h at once (Dvoretzky, Kiefer, Wolfowitz)."""
    mdp, n = two_by_two().floats(), 20_000
    found = geometric_rollouts(mdp, floats(policy(2, 2)), Draws(3, np.arange(n)))
    beyond = found.weights.mean(axis=0)  # of T >= h
    assert np.abs(beyond - 0.9 ** np.arange(found.H)).max() <= sqrt(log(2 / FAILURE) / (2 * n))
    assert found.weights[:, -1].max() == 1  # the longest has no padding


def test_padding_changes_no_trajectory_of_geometric_length():
    mdp = garnet(np.random.default_rng(0), 2, S=3, A=2)
    mdp = type(mdp)(mdp.P, mdp.r, np.array([0.0, 0.9]), mdp.start)
    π = floats(policy(2, 3, 2))
    together = geometric_rollouts(mdp, π, Draws(0, np.arange(50), np.arange(2)[:, None]))
    assert (together.weights[0].sum(axis=-1) == 1).all()  # γ = 0: one step
    for i, k in product(range(2), range(50)):
        alone = geometric_rollouts(mdp[i], π[i], Draws(0, k, i))
        H = alone.H
        assert (alone.weights == 1).all()
        assert together.weights[i, k].sum() == H
        assert (together.states[i, k, : H + 1] == alone.states).all()
        assert (together.rewards[i, k, :H] == alone.rewards).all()


# -- What is refused --------------------------------------------------------------------------------------------------

uniform = floats(policy(2, 2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d: rollouts(two_by_two(), uniform, 0, d), "horizon is 0; a trajectory has at least 1 step"),
        (lambda d: rollouts(two_by_two(), uniform, 2.5, d), "horizon is 2.5; expected a whole number of steps"),
        (lambda d: rollouts(two_by_two(), uniform[:1], 3, d), r"policy has shape \(1, 2\); expected \(..., 2, 2\)"),
        (lambda d: rollouts(two_by_two(), 2 * uniform, 3, d), r"policy\[0\] sums to"),
        (lambda d: rollouts(uneven(), floats(policy(6, 2)), 4, d), "horizon is 4; a trajectory has 1 to 3 steps"),
        (
            lambda d: rollouts(walk(4, horizon=3), uniform, 3, d),
            r"policy has shape \(2, 2\); expected \(..., 3, 3, 2\)",
        ),
        (lambda d: rollouts(tiger(), floats(policy(2, 3)), 2, d), "first is missing"),
        (
            lambda d: stateful_rollouts(memory_needed(), floats(policy(3, 2, 2, 1)), 2, d),
            r"expected \(..., 3, 1, 2, 1\)",
        ),
        (lambda d: rollouts(sign_reversal(1), floats(policy(1, 2, 2)), 2, d), "horizon is 2; a trajectory has 1 to 1"),
        (lambda d: timed_rollouts(two_by_two(), floats(policy(4, 3, 2)), d), r"\(4, 3, 2\); expected \(..., 4, 2, 2\)"),
        (lambda d: rollouts(two_kernels(), uniform, 2, d), "RobustMDP, which has no trajectories of its own"),
    ],
)
def test_wrong_inputs_end_in_one_sentence(call, message):
    for draws in (Draws(), Outcomes()):
        with pytest.raises(MdplabError, match=message):
            call(draws)


def test_policies_that_do_not_fit_the_batch_are_refused():
    mdp = garnet(np.random.default_rng(0), 3, S=2, A=2)
    for draws in (Draws(0, 0, np.arange(3)), Outcomes()):
        with pytest.raises(MdplabError, match="batch shape"):
            rollouts(mdp, np.stack([uniform] * 4), 2, draws)


def test_long_lists_and_random_lengths_are_not_enumerated():
    with pytest.raises(NotEnumerable, match="more than 10 trajectories"):
        rollouts(two_by_two(), policy(2, 2), 5, Outcomes(10))
    with pytest.raises(NotEnumerable, match="'length'"):
        geometric_rollouts(two_by_two(), policy(2, 2), Outcomes())


def test_a_chain_that_would_fill_the_memory_is_refused():
    model = confounded(np.random.default_rng(0), 1, T=8)[0]
    with pytest.raises(MdplabError, match="expected N²·K <= 2"):
        rollouts(model, uniform_policy(model), 8, Draws())


def test_chains_of_many_models_that_would_fill_the_memory_are_refused(monkeypatch):
    models, π = garnet(np.random.default_rng(0), 50, S=20, A=2), np.full((9, 20, 2), 0.5)
    monkeypatch.setattr("mdplab.kernels.memory", lambda: 2**25)
    with pytest.raises(MdplabError, match=r"needed for 50 chains of 181 states .* fewer models at a time"):
        timed_rollouts(models, π, Draws(0, 0, np.arange(50)))


def test_models_whose_data_say_nothing_are_refused_before_anything_is_estimated():
    with pytest.raises(MdplabError, match="the data do not determine the value"):
        identification(blind_twins()[0]).require()


def test_a_sparse_model_walks_like_the_dense_one():
    mdp = garnet(np.random.default_rng(0), 1, S=5, A=2)[0]
    π = floats(policy(5, 2))
    one, other = (rollouts(m, π, 4, Draws(0, np.arange(9))) for m in (mdp, SparseMDP.of(mdp)))
    assert (one.states == other.states).all()
    assert (one.rewards == other.rewards).all()
