"""What every solver keeps to: any arithmetic, batches, pure, lazy, endless.  A new solver adds a row to `SOLVERS`."""

from dataclasses import fields, is_dataclass
from itertools import islice, repeat

import array_api_strict
import numpy as np
import pytest

from mdplab import solvers
from mdplab.arrays import (
    ball,
    expand,
    floats,
    identity_like,
    namespace,
    number,
    one_hot,
    rational,
    rational_number,
    softmax,
)
from mdplab.exact import TsallisEntropy, optimum
from mdplab.exact.utilities import SmoothedLog
from mdplab.models import (
    POMDP,
    ConfoundedPOMDP,
    ConstrainedMDP,
    DiscountedMDP,
    ExitTimeMDP,
    FiniteHorizonMDP,
    RobustMDP,
    Segments,
    bandit,
)
from mdplab.solvers.drpg import entropic


def cooling(temperature):
    """Temperatures that fall: τ, 3/4 τ, 9/16 τ, ..."""
    while True:
        yield temperature
        temperature = 3 * temperature / 4


def hurried(mdp):
    """A quarter of the discount: divided by small advantages or 1 − γ, balls of large values grow too wide."""
    return DiscountedMDP(mdp.P, mdp.r, mdp.discount / 4, mdp.start)


def constrained(mdp, θ, x):
    """Utilities (θ + 2) / 4 in [0, 1] and, as the least value, x: a constraint that binds in some models."""
    least = 0 * mdp.start[..., :1] + expand(x, 1)
    return ConstrainedMDP(mdp.P, mdp.r, (θ[..., None, :, :] + 2) / 4, least, mdp.discount, mdp.start)


def leaving(mdp):
    """The last of three states is outside, and one is paid what the first action would be."""
    return ExitTimeMDP(mdp.P[..., :2, :, :], mdp.r[..., 0], 3)


def robust(mdp):
    """Rewards as costs; an adversary who may lead to the states in the opposite order instead."""
    return RobustMDP(mdp.P, mdp.r, mdp.discount, Segments(namespace(mdp.P).flip(mdp.P, axis=-1)), mdp.start)


def two_controllers(θ):
    """The first takes the first action with probability (θ + 4) / 8 in each state, the other the second."""
    xp, p = namespace(θ), (θ[..., :1] + 4) / 8
    return xp.stack([xp.concat([p, 1 - p], axis=-1), xp.concat([1 - p, p], axis=-1)], axis=-3)


def in_epochs(mdp, H):
    """The same dynamics and rewards for H decisions."""
    return FiniteHorizonMDP((mdp.P,) * (H - 1), (mdp.r,) * H, mdp.start)


def seen_through(mdp):
    """The model whose states emit observations, with the probabilities of the first action's next states."""
    return POMDP.emitting(mdp.P, mdp.P[..., 0, :], mdp.r, mdp.discount, mdp.start)


def with_memory(θ):
    """Logits of action and next memory for two memory states that differ;  (..., O, A) -> (..., O, 2, A, 2)."""
    xp = namespace(θ)
    first, second = (xp.stack([θ, y], axis=-1) for y in (-θ, θ / 2))
    return xp.stack([first, second], axis=-3)


def confounded(mdp, θ):
    """Two steps that often stay, chosen by who sees the state; observations and proxy tell all states apart."""
    stay = identity_like(mdp.P[..., 0, :])
    first = (θ[..., :1] + 3) / 6
    behaviour = namespace(θ).concat([first, 1 - first], axis=-1)
    clear, lazy = (3 * stay + mdp.P[..., 0, :]) / 4, (3 * stay[..., :, None, :] + mdp.P) / 4
    return ConfoundedPOMDP(lazy, clear, clear, mdp.r, behaviour, 2, mdp.start)


# Each solver as a function of a model, a first table (..., S, A), and one positive number for each model.
SOLVERS = {
    "value_iteration": lambda mdp, θ, x: solvers.value_iteration(mdp, θ[..., 0]),
    "enclosures": lambda mdp, θ, x: solvers.enclosures(mdp, solvers.value_iteration(mdp, θ[..., 0])),
    "policy_iteration": lambda mdp, θ, x: solvers.policy_iteration(mdp),
    "softmax_pg": lambda mdp, θ, x: solvers.softmax_pg(mdp, θ, step_size=x),
    "softmax_pg, default step, with optimum": lambda mdp, θ, x: solvers.softmax_pg(mdp, θ, optimum=optimum(mdp)),
    "entropy_pg": lambda mdp, θ, x: solvers.entropy_pg(mdp, θ, temperature=x, step_size=x),
    "entropy_pg, default step": lambda mdp, θ, x: solvers.entropy_pg(mdp, θ, temperature=x),
    "decaying_entropy_pg": lambda mdp, θ, x: solvers.decaying_entropy_pg(
        bandit(mdp.r[..., 0, :]), θ[..., :1, :], temperatures=cooling(x)
    ),
    "decaying_entropy_pg, given step": lambda mdp, θ, x: solvers.decaying_entropy_pg(
        mdp, θ, temperatures=solvers.logarithmic_temperatures(x), step_size=x
    ),
    "log_barrier_pg": lambda mdp, θ, x: solvers.log_barrier_pg(mdp, θ, strength=x, step_size=x / 4),
    "log_barrier_pg, default step, with optimum": lambda mdp, θ, x: solvers.log_barrier_pg(
        mdp, θ, strength=x, optimum=optimum(mdp)
    ),
    "projected_pg": lambda mdp, θ, x: solvers.projected_pg(mdp, (0 * θ + 1) / 2, step_size=x),
    "projected_pg, default step": lambda mdp, θ, x: solvers.projected_pg(mdp),
    "natural_pg": lambda mdp, θ, x: solvers.natural_pg(mdp, θ, step_size=x),
    "natural_pg, default step": lambda mdp, θ, x: solvers.natural_pg(mdp, θ),
    "entropy_natural_pg": lambda mdp, θ, x: solvers.entropy_natural_pg(mdp, θ, temperature=x, step_size=x / 8),
    "entropy_natural_pg, default step": lambda mdp, θ, x: solvers.entropy_natural_pg(mdp, θ, temperature=2 * x),
    "entropy_mirror_descent": lambda mdp, θ, x: solvers.entropy_mirror_descent(
        mdp, θ, temperature=x, step_sizes=solvers.averaging_steps(x)
    ),
    "mirror_descent": lambda mdp, θ, x: solvers.mirror_descent(mdp, θ, step_sizes=repeat(x)),
    "mirror_descent, geometric": lambda mdp, θ, x: solvers.mirror_descent(
        mdp, θ, step_sizes=solvers.geometric_steps(x, x + 4)
    ),
    "munchausen_vi": lambda mdp, θ, x: solvers.munchausen_vi(mdp, θ, strength=x, temperature=x),
    "mirror_descent_vi": lambda mdp, θ, x: solvers.mirror_descent_vi(mdp, θ, divergence=x, entropy=x / 2),
    "conservative_vi": lambda mdp, θ, x: solvers.conservative_vi(mdp, θ, strength=x, temperature=x),
    "conservative_vi, hard": lambda mdp, θ, x: solvers.conservative_vi(mdp, θ, strength=x),
    "tsallis_munchausen_vi": lambda mdp, θ, x: solvers.tsallis_munchausen_vi(
        mdp, θ, strength=x, temperature=x, q=rational_number(2)
    ),
    "tsallis_munchausen_vi, q = 3/2": lambda mdp, θ, x: solvers.tsallis_munchausen_vi(
        mdp, θ, strength=x, temperature=x, q=rational_number("3/2")
    ),
    "mdpo": lambda mdp, θ, x: solvers.mdpo(mdp, θ, step_sizes=repeat(x), inner_steps=2, inner_step_size=x),
    "conservative_policy_iteration": lambda mdp, θ, x: solvers.conservative_policy_iteration(mdp),
    "clipped_policy_optimization": lambda mdp, θ, x: solvers.clipped_policy_optimization(mdp, clip=x),
    "simple_policy_optimization": lambda mdp, θ, x: solvers.simple_policy_optimization(hurried(mdp), clip=x),
    "trust_region": lambda mdp, θ, x: solvers.trust_region(mdp),
    "fixpo": lambda mdp, θ, x: solvers.fixpo(mdp, radius=x),
    "frank_wolfe": lambda mdp, θ, x: solvers.frank_wolfe(mdp, SmoothedLog(x)),
    "utility_pg": lambda mdp, θ, x: solvers.utility_pg(mdp, SmoothedLog(x), θ, step_size=x / 8),
    "projected_utility_pg": lambda mdp, θ, x: solvers.projected_utility_pg(mdp, SmoothedLog(x), step_size=x / 8),
    "gradient_descent_ascent": lambda mdp, θ, x: solvers.gradient_descent_ascent(
        constrained(mdp, θ, x), θ, step_size=x, multiplier_step_size=x
    ),
    "gradient_descent_ascent, alternating": lambda mdp, θ, x: solvers.gradient_descent_ascent(
        constrained(mdp, θ, x), θ, step_size=x, multiplier_step_size=x, alternating=True
    ),
    "reload": lambda mdp, θ, x: solvers.reload(constrained(mdp, θ, x), θ, step_size=x, multiplier_step_size=x),
    "conservative_lagrangian": lambda mdp, θ, x: solvers.conservative_lagrangian(
        constrained(mdp, θ, x), θ, step_size=x, multiplier_step_size=x, conservatism=2 * x
    ),
    "npg_primal_dual": lambda mdp, θ, x: solvers.npg_primal_dual(
        constrained(hurried(mdp), θ, x), step_size=x, multiplier_step_size=x, most=x
    ),
    "rpg_primal_dual": lambda mdp, θ, x: solvers.rpg_primal_dual(
        constrained(mdp, θ, x), temperature=x / 4, step_size=x / 8, most=x
    ),
    "opg_primal_dual": lambda mdp, θ, x: solvers.opg_primal_dual(constrained(mdp, θ, x), step_size=x / 64, most=x),
    "optimistic_gradient, a game": lambda mdp, θ, x: solvers.optimistic_gradient(θ, step_size=x / 8),
    "exit_time_pg": lambda mdp, θ, x: solvers.exit_time_pg(leaving(mdp), θ[..., :2, :], step_size=x),
    "exit_time_pg, default step": lambda mdp, θ, x: solvers.exit_time_pg(leaving(mdp)),
    "hybrid_npg": lambda mdp, θ, x: solvers.hybrid_npg(mdp, softmax(θ) / 3, weight=x, step_size=x, sweeps=2),
    "hybrid_evaluation": lambda mdp, θ, x: solvers.hybrid_evaluation(mdp, softmax(θ), softmax(-θ) / 3, weight=x),
    "improper_pg": lambda mdp, θ, x: solvers.improper_pg(mdp, two_controllers(θ), step_size=x),
    "improper_pg, default step": lambda mdp, θ, x: solvers.improper_pg(mdp, two_controllers(θ), θ[..., 0, :]),
    "improper_natural_pg": lambda mdp, θ, x: solvers.improper_natural_pg(mdp, two_controllers(θ), step_size=x),
    "adaptive_pg": lambda mdp, θ, x: solvers.adaptive_pg(mdp, θ / 2, θ, slack=x),
    "dynpg": lambda mdp, θ, x: solvers.dynpg(mdp, updates=repeat(2)),
    "epoch_pg": lambda mdp, θ, x: solvers.epoch_pg(θ, mdp.start, step_sizes=expand(x, 1)),
    "simultaneous_pg": lambda mdp, θ, x: solvers.simultaneous_pg(in_epochs(mdp, 3), step_size=x),
    "dynamic_pg": lambda mdp, θ, x: solvers.dynamic_pg(in_epochs(mdp, STEPS), updates=[2] * STEPS),
    "stateful_pg": lambda mdp, θ, x: solvers.stateful_pg(seen_through(mdp), with_memory(θ), step_size=x),
    "confounded_pg": lambda mdp, θ, x: solvers.confounded_pg(confounded(mdp, θ), θ, step_size=x),
    "robust_value_iteration": lambda mdp, θ, x: solvers.robust_value_iteration(robust(mdp), θ[..., 0]),
    "robust_policy_iteration": lambda mdp, θ, x: solvers.robust_policy_iteration(robust(mdp)),
    "partial_policy_iteration": lambda mdp, θ, x: solvers.partial_policy_iteration(
        robust(hurried(mdp)), first_tolerance=x
    ),
    "robust_mirror_descent": lambda mdp, θ, x: solvers.robust_mirror_descent(robust(hurried(mdp)), θ, step_size=x),
    "robust_projected_descent": lambda mdp, θ, x: solvers.robust_projected_descent(
        robust(hurried(mdp)), step_size=x / 8
    ),
    "drpg": lambda mdp, θ, x: solvers.drpg(robust(hurried(mdp)), step_size=x / 8),
    "drpg, entropic": lambda mdp, θ, x: solvers.drpg(robust(hurried(mdp)), step_size=x / 8, outer=entropic),
    "smoothed_robust_pg": lambda mdp, θ, x: solvers.smoothed_robust_pg(
        robust(mdp), step_size=x / 64, kernel_step=x / 64, pull=(1, 1)
    ),
    "regularised_vi": lambda mdp, θ, x: solvers.regularised_vi(mdp, TsallisEntropy(x, rational_number(2)), θ[..., 0]),
}
# Float steps end before they overflow, and epochs end.
ENDLESS = [name for name in SOLVERS if name not in ("mirror_descent, geometric", "dynamic_pg")]
# Those whose iterates are float64 whatever the model: enclosures move outwards, and these two search for their step.
IN_FLOAT64 = ["enclosures", "trust_region", "fixpo"]
STEPS = 4


def instance():
    """Four models in dyadic rationals, which float64 holds exactly, each with its own γ, as a batch of shape (2, 2)."""
    rng = np.random.default_rng(11)
    P = rng.multinomial(13, [1 / 3] * 3, size=(2, 2, 3, 2)) + 1
    start = rng.multinomial(13, [1 / 3] * 3, size=(2, 2)) + 1
    mdp = DiscountedMDP(
        rational(P) / 16,
        rational(rng.integers(0, 65, (2, 2, 3, 2))) / 64,
        rational([["1/2", "7/8"], ["3/4", "1/4"]]),
        rational(start) / 16,
    )
    θ = rational(rng.integers(-16, 17, (2, 2, 3, 2))) / 8
    return mdp, θ, rational([["1/2", "1/4"], ["1/8", "3/4"]])


def balls(x):
    return np.vectorize(ball, otypes=[object])(x)


def named(iterate):
    """What an iterate holds, by name."""
    if is_dataclass(iterate):
        found = {f.name: getattr(iterate, f.name) for f in fields(iterate)}
        return {name: x for name, x in found.items() if x is not None and name not in ("k", "h", "epoch")}
    return dict(enumerate(iterate)) if isinstance(iterate, tuple) else {"v": iterate}


def trace(run):
    """The arrays of the first iterates, copied as soon as they are seen."""
    return [{n: np.array(x, copy=True) for n, x in named(iterate).items()} for iterate in islice(run, STEPS)]


@pytest.fixture(params=[n for n in SOLVERS if n not in IN_FLOAT64])
def reference(request, digits):
    """(name, iterates in 300 digits, and how far 53 bits may be off).

    The second run of balls carries 53 bits, as float64 does, and its radii add up what each operation may lose: running
    error analysis by machine.  Float64 sums and eliminates in another order and its exp and log err by up to an ulp;
    four radii leave room for that, and four roundings of one where an operation is exact in balls.
    """
    mdp, θ, x = instance()
    with digits(300):
        exact = trace(SOLVERS[request.param](mdp, θ, x))
    with digits(53):
        rough = trace(SOLVERS[request.param](mdp.map(balls), balls(θ), balls(x)))
    return request.param, exact, rough


def assert_within(iterates, exact, rough, index=()):
    assert len(iterates) == len(exact) == STEPS
    for found, centre, wide in zip(iterates, exact, rough, strict=True):
        assert found.keys() == centre.keys()
        for n in found:
            here, there, around = (np.asarray(y) for y in (found[n], centre[n][index], wide[n][index]))
            assert here.shape == there.shape, n
            for a, b, c in zip(here.flat, there.flat, around.flat, strict=True):
                if isinstance(b, int | np.integer):
                    assert a == b
                    continue
                slack = 4 * float(c.rad()) + 4 * 2**-53 * abs(number(b)) if type(c).__name__ == "arb" else 0
                assert slack < 1e-7, "an envelope so wide checks nothing"
                assert number(abs(rational(float(a))[()] - b)) <= slack, (n, float(a), b, slack)


def test_a_batch_agrees_with_balls_model_by_model(reference):
    name, exact, rough = reference
    mdp, θ, x = instance()
    assert_within(trace(SOLVERS[name](mdp.floats(), floats(θ), floats(x))), exact, rough)


def test_one_model_agrees_with_balls(reference):
    name, exact, rough = reference
    mdp, θ, x = instance()
    for i in np.ndindex(2, 2):
        assert_within(trace(SOLVERS[name](mdp[i].floats(), floats(θ[i]), float(floats(x[i])))), exact, rough, i)


def test_strict_arrays_agree_with_balls(reference):
    name, exact, rough = reference
    mdp, θ, x = (y if isinstance(y, DiscountedMDP) else floats(y) for y in instance())
    strict = mdp.floats().map(array_api_strict.asarray)
    run = SOLVERS[name](strict, array_api_strict.asarray(θ), array_api_strict.asarray(x))
    assert_within(trace(run), exact, rough)


@pytest.mark.parametrize("name", IN_FLOAT64[1:])
def test_steps_in_float64_are_the_same_for_every_kind_of_model(name):
    """Searches stop at a relative 1e-12, and a step that starts elsewhere by that ends elsewhere by little more."""
    mdp, θ, x = instance()
    exact = trace(SOLVERS[name](mdp, θ, x))
    batch = trace(SOLVERS[name](mdp.floats(), floats(θ), floats(x)))
    strict = mdp.floats().map(array_api_strict.asarray)
    other = trace(SOLVERS[name](strict, *(array_api_strict.asarray(floats(y)) for y in (θ, x))))
    for i in np.ndindex(2, 2):
        single = trace(SOLVERS[name](mdp[i].floats(), floats(θ[i]), float(floats(x[i]))))
        for a, b, c, d in zip(exact, batch, other, single, strict=True):
            for y in (b["π"][i], c["π"][i], d["π"]):
                assert np.allclose(floats(a["π"][i]), y, rtol=0, atol=1e-10)
    for it in exact:
        assert (it["π"].sum(axis=-1) == 1).all()


@pytest.mark.parametrize("name", SOLVERS)
def test_nothing_that_was_given_or_yielded_is_written_into(name):
    mdp, θ, x = instance()
    mdp, θ, x = mdp.floats(), floats(θ), floats(x)
    for y in (mdp.P, mdp.r, mdp.start, mdp.discount, θ, x):
        y.setflags(write=False)
    yielded = [named(iterate) for iterate in islice(SOLVERS[name](mdp, θ, x), STEPS)]
    for before, after in zip(trace(SOLVERS[name](mdp, θ, x)), yielded, strict=True):
        assert all(np.array_equal(before[n], after[n]) for n in before)


@pytest.mark.parametrize("name", SOLVERS)
def test_exact_inputs_are_not_written_into(name):
    mdp, θ, x = instance()
    before = [y.copy() for y in (mdp.P, mdp.r, mdp.start, mdp.discount, θ, x)]
    list(islice(SOLVERS[name](mdp, θ, x), 2))
    assert all((y == z).all() for y, z in zip((mdp.P, mdp.r, mdp.start, mdp.discount, θ, x), before, strict=True))


@pytest.mark.parametrize("name", ENDLESS)
def test_it_has_no_end(name):
    mdp, θ, x = instance()
    assert sum(1 for _ in islice(SOLVERS[name](mdp.floats(), floats(θ), floats(x)), 300)) == 300


# These have no operators of a discounted model to be caught in.
ELSEWHERE = (
    *("optimum", "exit", "game", "epoch", "simultaneous", "dynamic", "stateful", "confounded"),
    *("robust", "partial", "drpg"),
)


@pytest.mark.parametrize("name", [n for n in SOLVERS if not any(x in n for x in ELSEWHERE)])
def test_nothing_is_computed_before_it_is_asked_for(name, monkeypatch):
    mdp, θ, x = instance()
    mdp = mdp.floats()

    def too_early(*_):
        raise AssertionError("computed before the first iterate was asked for")

    for operator in ("action_values", "expected_next", "bellman", "under"):
        monkeypatch.setattr(DiscountedMDP, operator, too_early)
    run = SOLVERS[name](mdp, floats(θ), floats(x))
    with pytest.raises(AssertionError, match="before the first iterate"):
        list(islice(run, 2))


@pytest.mark.parametrize("name", ["softmax_pg", "entropy_pg", "log_barrier_pg", "natural_pg", "projected_pg"])
def test_checkpoints_show_the_same_iterates(name):
    mdp, _, x = instance()
    mdp = mdp.floats()
    solver, given = getattr(solvers, name), {"step_size": floats(x)}
    given |= {"temperature": 0.5} if name == "entropy_pg" else {"strength": 0.5} if name == "log_barrier_pg" else {}
    every = list(islice(solver(mdp, **given), 13))
    for seen in solver(mdp, at=solvers.geometric(12, per_decade=4), **given):
        assert all(np.array_equal(a, named(every[seen.k])[n]) for n, a in named(seen).items())
    assert seen.k == 12


def test_rational_models_keep_value_policy_and_projected_iteration_rational():
    mdp, θ, x = instance()
    for name in ("value_iteration", "policy_iteration", "projected_pg"):
        for iterate in trace(SOLVERS[name](mdp, θ, x)):
            assert all(type(y).__name__ in ("fmpq", "int", "int64") for a in iterate.values() for y in a.flat)


def test_policy_iteration_may_start_anywhere_in_any_array():
    mdp = instance()[0].floats()
    action = np.ones((2, 2, 3), dtype=int)
    first = next(solvers.policy_iteration(mdp.map(array_api_strict.asarray), array_api_strict.asarray(action)))
    taken = one_hot(action, 2, mdp.r)
    assert (np.asarray(first[0]) == 1).all()
    assert np.asarray(first[1]).shape == taken.shape[:-1]
