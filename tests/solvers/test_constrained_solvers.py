"""Methods for constrained models: first steps by hand, batches like single models, float64 like balls."""

from itertools import islice

import array_api_strict
import numpy as np
import pytest

from mdplab.arrays import ball, floats, precision, rational, rational_number
from mdplab.errors import MdplabError
from mdplab.exact import constrained_optimum, dual_function, regularised_saddle, slack
from mdplab.instances import crossing, opposed_arms, paradox, two_constraints
from mdplab.instances.constrained import constrained_garnet
from mdplab.solvers import (
    conservative_lagrangian,
    geometric,
    gradient_descent_ascent,
    method_of_multipliers,
    npg_primal_dual,
    opg_primal_dual,
    reload,
    rpg_primal_dual,
)

SOLVERS = {
    "plain": lambda m, x: gradient_descent_ascent(m, step_size=x, multiplier_step_size=x),
    "alternating": lambda m, x: gradient_descent_ascent(m, step_size=x, multiplier_step_size=x, alternating=True),
    "reload": lambda m, x: reload(m, step_size=x, multiplier_step_size=x),
    "npg": lambda m, x: npg_primal_dual(m, step_size=x, multiplier_step_size=x, most=x),
    "rpg": lambda m, x: rpg_primal_dual(m, temperature=x / 4, step_size=x / 4, most=x),
    "opg": lambda m, x: opg_primal_dual(m, step_size=x / 8, most=x),
    "cal": lambda m, x: conservative_lagrangian(m, step_size=x, multiplier_step_size=x, conservatism=x),
}
SHOWN = ("π", "multipliers")


@pytest.fixture
def digits():
    before = precision()
    precision(400)
    yield
    precision(before)


def q(text):
    return rational_number(text)


def step(run, n=1):
    return next(islice(run, n, None))


def test_the_first_step_of_plain_ascent_on_the_paradox():
    """Uniform: v = 1/2 meets the bound, λ stays 0; both logits differ by η (1 − γ) · 1 = 1/10."""
    it = step(gradient_descent_ascent(paradox(), step_size=q(1), multiplier_step_size=q(1)))
    assert (it.log_π[:, 0] - it.log_π[:, 1])[0].overlaps(ball(q("1/10")))
    assert it.multipliers[0].overlaps(ball(0))


def test_the_second_step_tells_plain_optimistic_and_alternating_steps_apart():
    """γ = 0, r = (1, 0), u = (0, 1), b = 3/4, steps 1: q_0 = (1, 0), h_0 = −1/4, so λ_1 = 1/4 and D_1 = 1.

    Then D grows by 1 − λ_1 = 3/4, or by 2 · 3/4 − 1 = 1/2 with optimism.  Alternating steps have λ_1 = 3/4 − σ(−1).
    """
    arms, kinds = opposed_arms(0, "3/4"), {"step_size": q(1), "multiplier_step_size": q(1)}
    plain, optimistic = step(gradient_descent_ascent(arms, **kinds), 2), step(reload(arms, **kinds), 2)
    assert (plain.log_π[0, 0] - plain.log_π[0, 1]).overlaps(ball(q("7/4")))
    assert (optimistic.log_π[0, 0] - optimistic.log_π[0, 1]).overlaps(ball(q("3/2")))
    answer = step(gradient_descent_ascent(arms, **kinds, alternating=True))
    assert answer.multipliers[0].overlaps(q("3/4") - 1 / (1 + ball(1).exp()))


def test_the_first_step_of_natural_primal_dual_is_clipped():
    """γ = 1/2, b = 5/2 is more than there is: V_u = 1, so λ_1 = 1 · 3/2, cut to 1; D_1 = 1 / (1 − γ) · 1 = 2."""
    it = step(npg_primal_dual(opposed_arms("1/2", "5/2"), step_size=q(1), multiplier_step_size=q(1), most=q(1)))
    assert (it.log_π[0, 0] - it.log_π[0, 1]).overlaps(ball(2))
    assert it.multipliers[0].overlaps(ball(1))


def test_the_first_step_of_regularised_primal_dual():
    """γ = 0, b = 3/4: v_g = −1/4, λ_1 = η / 4; the entropy of the uniform policy has no gradient, D_1 = η."""
    run = rpg_primal_dual(opposed_arms(0, "3/4"), temperature=q("1/5"), step_size=q("1/2"), most=q(2))
    it = step(run)
    assert (it.log_π[0, 0] - it.log_π[0, 1]).overlaps(ball(q("1/2")))
    assert it.multipliers[0].overlaps(ball(q("1/8")))


def test_the_first_steps_of_optimistic_primal_dual():
    """γ = 0, η = 1/10, b = 1/2: π̂_1 = (11/20, 9/20), and looking ahead once more π_1 = (3/5, 2/5)."""
    run = opg_primal_dual(opposed_arms().floats(), step_size=0.1)
    assert np.allclose(step(run).π, [[0.6, 0.4]], rtol=0, atol=1e-15)
    plain = opg_primal_dual(opposed_arms().floats(), step_size=0.1, extrapolate=False)
    assert np.allclose(step(plain).π, [[0.55, 0.45]], rtol=0, atol=1e-15)


def test_the_multiplier_of_optimistic_primal_dual_looks_ahead_too():
    """b = 3/4: both the first step and the look ahead add η / 4 = 1/40."""
    it = step(opg_primal_dual(opposed_arms(0, "3/4").floats(), step_size=0.1))
    assert abs(it.multipliers[0] - 0.05) <= 1e-16


def test_regularised_primal_dual_rests_at_its_saddle_point():
    """The saddle point is right to 1e-11 and a step moves by η times what is wrong, times values below 100."""
    cmdp = crossing().floats()
    saddle = regularised_saddle(cmdp, 0.1, 5.0)
    run = rpg_primal_dual(
        cmdp, saddle.log_π, saddle.multiplier + 0 * cmdp.least, temperature=0.1, step_size=0.5, most=5.0
    )
    it = step(run, 20)
    assert abs(it.π - np.exp(saddle.log_π)).max() <= 1e-8
    assert abs(it.multipliers[0] - saddle.multiplier) <= 1e-8


def test_the_first_step_of_the_augmented_lagrangian():
    """γ = 1/2, b = 3/2: h = −1/4, so the policy sees λ̃ = κ / 4 = 1/2 and D_1 = (1 − 1/2) / 2, while λ_1 = 1/4."""
    run = conservative_lagrangian(
        opposed_arms("1/2", "3/2"), step_size=q(1), multiplier_step_size=q(1), conservatism=q(2)
    )
    it = step(run)
    assert (it.log_π[0, 0] - it.log_π[0, 1]).overlaps(ball(q("1/4")))
    assert it.multipliers[0].overlaps(ball(q("1/4")))


def test_the_method_of_multipliers_by_hand():
    """Two opposed arms, b = 1/2, κ = 1/4: the reward's arm until λ = 1, an eighth a round; then half and half."""
    rounds = list(islice(method_of_multipliers(dual_function(opposed_arms()), q(0), penalty=q("1/4")), 10))
    assert [it.multiplier for it in rounds] == [q(f"{min(n, 8)}/8") for n in range(10)]
    assert [it.value for it in rounds] == [1] * 8 + [q("1/2")] * 2
    assert rounds[-1].slack == 0


@pytest.mark.parametrize("name", SOLVERS)
@pytest.mark.parametrize("model", [crossing, two_constraints])
def test_float64_follows_balls(name, model, digits):
    """Six steps of short length multiply errors by a few; 1e-12 is four digits above the rounding of values of ten."""
    exact, fast = SOLVERS[name](model(), q("1/2")), SOLVERS[name](model().floats(), 0.5)
    for a, b in islice(zip(exact, fast, strict=False), 6):
        for part in SHOWN:
            assert abs(floats(getattr(a, part)) - getattr(b, part)).max() <= 1e-12


@pytest.mark.parametrize("name", SOLVERS)
def test_a_batch_is_its_models(name):
    batch = constrained_garnet(np.random.default_rng(1), 4, S=3, A=2, constraints=2, discount=0.75)
    x = np.array([0.5, 0.25, 1.0, 0.75])
    runs = [list(islice(SOLVERS[name](batch[i], float(x[i])), 5)) for i in range(4)]
    for n, it in enumerate(islice(SOLVERS[name](batch, x), 5)):
        for i in range(4):
            for part in SHOWN:
                assert np.allclose(getattr(it, part)[i], getattr(runs[i][n], part), rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", ["plain", "alternating", "reload", "npg", "cal"])
def test_strict_arrays_will_do(name):
    cmdp = two_constraints().floats()
    strict = cmdp.map(lambda x: array_api_strict.asarray(x) if getattr(x, "shape", ()) else x)
    for a, b in islice(zip(SOLVERS[name](strict, 0.5), SOLVERS[name](cmdp, 0.5), strict=False), 3):
        assert np.allclose(np.asarray(a.π), b.π, rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", SOLVERS)
def test_values_and_slacks_belong_to_the_policy_shown(name):
    cmdp = two_constraints().floats()
    it = step(SOLVERS[name](cmdp, 0.5), 3)
    assert (it.multipliers >= 0).all()
    assert np.allclose(it.π.sum(axis=-1), 1, rtol=0, atol=1e-14)
    if name != "rpg":
        assert np.allclose(it.slack, slack(cmdp, it.π), rtol=0, atol=1e-12)


def test_checkpoints_show_the_same_iterates():
    cmdp = crossing().floats()
    every = list(islice(SOLVERS["reload"](cmdp, 0.5), 13))
    for it in reload(cmdp, step_size=0.5, multiplier_step_size=0.5, at=geometric(12, per_decade=4)):
        assert (it.π == every[it.k].π).all()


def test_the_last_iterate_of_reload_solves_a_model_with_two_constraints():
    """Seen to 1e-6 after 4000 steps: linear convergence, no promise of a rate."""
    cmdp = two_constraints().floats()
    best = constrained_optimum(cmdp)
    it = step(reload(cmdp, step_size=5.0, multiplier_step_size=1.0, at=iter([4000])), 0)
    assert abs(it.value - best.value) <= 1e-6
    assert (it.slack >= -1e-6).all()


def test_wrong_shapes_are_named():
    with pytest.raises(MdplabError, match=r"multipliers has shape \(2,\); this model calls for \(1,\)"):
        next(reload(crossing(), None, rational([1, 2]), step_size=1, multiplier_step_size=1))
    with pytest.raises(MdplabError, match=r"step_size has shape \(3,\)"):
        next(reload(crossing().floats(), step_size=np.ones(3), multiplier_step_size=1.0))
