"""What the engine cannot know about theorems/mei2020.py: printed numbers, derivatives by differences, sharp cases."""

from itertools import islice

import flint
import numpy as np
import pytest

from mdplab import arrays
from mdplab.arrays import exp, floats, precision, rational, rational_number, softmax, sqrt, total
from mdplab.exact import entropy, occupancy, soft_optimum, soft_values, softmax_gradient, values
from mdplab.instances import forgotten_state, slow_bandit, two_armed_bandit, two_by_two, two_by_two_logits
from mdplab.models import bandit
from mdplab.theorem.exactly import coerced
from theorems import mei2020 as paper


@pytest.fixture
def wide_balls():
    """400 bits: second differences with a step of 2^-80 lose 160 of them and keep 240."""
    before = precision()
    yield precision(400)
    precision(before)


H = flint.fmpq(1, 2**80)


def close(x, y):
    """Equal up to the third-order remainder of a difference with step 2^-80, with derivatives below 2^40."""
    return abs(arrays.ball(x) - arrays.ball(y)) < flint.arb(2) ** -100


def test_lemma_1_on_i1_has_the_printed_numbers():
    mdp, π = two_by_two(), softmax(two_by_two_logits())
    np.testing.assert_allclose(floats(values(mdp, π)), [5.45179, 5.13102], atol=5e-6)
    np.testing.assert_allclose(floats(occupancy(mdp, π)), [0.52408, 0.47592], atol=5e-6)
    (binding,) = paper.lem1(mdp, π)
    np.testing.assert_allclose(floats(binding[paper.dV]), [[1.44131, -1.44131], [-0.23922, 0.23922]], atol=5e-6)


def test_the_derivative_of_lemma_1_is_the_limit_of_differences(wide_balls):
    mdp, θ = two_by_two(), two_by_two_logits()
    (binding,) = paper.lem1(mdp, softmax(θ))
    for index in np.ndindex(2, 2):
        step = 0 * θ
        step[index] = H
        up, down = (total(mdp.start * values(mdp, softmax(θ + s))) for s in (step, -step))
        assert close((up - down) / (2 * H), binding[paper.dV][index])


def test_the_derivative_of_lemma_10_is_the_limit_of_differences(wide_balls):
    mdp, θ, τ = two_by_two(), two_by_two_logits(), rational_number("1/2")
    (binding,) = paper.lem10(mdp, θ, τ)
    for index in np.ndindex(2, 2):
        step = 0 * θ
        step[index] = H
        logs = [arrays.log_softmax(θ + s) for s in (step, -step)]
        up, down = (total(mdp.start * soft_values(mdp, log_π, τ)) for log_π in logs)
        assert close((up - down) / (2 * H), binding[paper.dV_soft][index])


def test_the_curvature_of_lemma_14_is_the_limit_of_second_differences(wide_balls):
    mdp, θ, u = two_by_two(), two_by_two_logits(), rational([[1, -2], [3, "1/2"]])
    low, mid, high = (entropy(mdp, arrays.log_softmax(θ + s * u)) for s in (-H, 0 * H, H))
    assert close((low - 2 * mid + high) / (H * H), paper.entropy_bends(mdp, softmax(θ), u))


def test_lemma_26_on_i1_has_the_printed_numbers():
    inputs = {"mdp": two_by_two(), "θ": two_by_two_logits(), "ρ": two_by_two().start}
    (binding,) = paper.lem26(**inputs, temperature=rational_number("1/2"))
    scale = 5  # τ / (1 − γ)
    assert float(binding[paper.soft_loss].mid()) == pytest.approx(1.39784, abs=5e-6)
    for quantity, printed in ((paper.KL, 1.39784), (paper.KL_reversed, 1.15264), (paper.KL_elsewhere, 1.42498)):
        assert scale * float(binding[quantity].mid()) == pytest.approx(printed, abs=5e-6)


def test_the_constant_of_lemma_2_is_attained_at_one_half_plus_one_over_two_roots_of_three():
    """p(1 − p)(1 − 2p) |u|² with u = (1, −1): 1/6 · 1/√3 · 2 · 2, so 1 / (3√3) a unit of squared length."""
    root = sqrt(rational_number(3))
    p = (1 + 1 / root) / 2
    π = np.array([[p, 1 - p]], dtype=object)
    ((_, curvature, bound),) = paper.lem2_sharp.trace(two_armed_bandit(), π, rational([[1, -1]]))
    assert curvature.overlaps(2 / (3 * root))
    assert bound.overlaps(curvature)


def test_the_sharper_constant_of_lemma_2_survives_an_ascent_over_policies_and_directions():
    """More than two arms do not bend more: 0.192450... is 1 / (3√3), and rewards 0 or 1 suffice by linearity."""
    rng = np.random.default_rng(0)
    for K in (3, 4, 6):
        θ, r = 3 * rng.normal(size=(4000, K)), rng.integers(2, size=(4000, K)).astype(float)
        for scale in 0.5 ** np.arange(12):
            new = θ + scale * rng.normal(size=θ.shape)
            θ = np.where((_top(new, r) > _top(θ, r))[:, None], new, θ)
        assert _top(θ, r).max() <= 1 / (3 * np.sqrt(3)) + 1e-12
        assert _top(θ, r).max() > 0.17


def _top(θ, r):
    π = np.exp(θ - θ.max(axis=1, keepdims=True))
    π /= π.sum(axis=1, keepdims=True)
    g = π * (r - (π * r).sum(axis=1, keepdims=True))
    H = g[:, :, None] * np.eye(θ.shape[1]) - g[:, :, None] * π[:, None] - π[:, :, None] * g[:, None]
    return abs(np.linalg.eigvalsh(H)).max(axis=1)


def test_remark_1_by_hand():
    """r = (1, 0, 0), π = (2ε, 1/2 − 2ε, 1/2): the gradient is (2ε − 4ε², −ε + 4ε², −ε) and the gap 1 − 2ε."""
    mdp, π = paper.rare_best().values()
    ε = rational_number("1/100")
    by_hand = rational([2 * ε - 4 * ε**2, -ε + 4 * ε**2, -ε])
    assert (softmax_gradient(mdp, π)[0] == by_hand).all()
    (binding,) = paper.lem3(mdp, π)
    assert binding[paper.lacks] == 1 - 2 * ε
    assert binding[paper.slope].overlaps(ε * sqrt(6 - 24 * ε + 32 * ε**2))


def test_lemma_3_cannot_be_tight_but_its_sharper_form_is():
    """At the uniform policy over K arms of which one pays the ratio is √(1 − 1/K), so 1 / √2 for two arms."""
    for K in (2, 3, 7):
        π = rational([[1] * K]) / K
        (binding,) = paper.lem3(paper.best_of(K), π)
        printed, sharp = (next(iter(x.claims.values())).sides(coerced(binding)) for x in (paper.lem3, paper.lem3_sharp))
        assert printed[0] == sharp[0] == (1 - 1 / rational_number(K)) / K
        assert (printed[0] / printed[1]).overlaps(sqrt(1 - 1 / rational_number(K)))
        assert sharp[1].overlaps(arrays.ball(sharp[0]))


def test_a_tiny_lead_does_not_steepen_the_gradient():
    """r = (1, 1 − Δ), π = (p, 1 − p): gradient √2 p (1 − p) Δ and gap (1 − p) Δ, whose ratio knows no Δ."""
    for Δ in map(rational_number, ("1/2", "1/1000", "1/1000000")):
        p = rational_number("9/10")
        (binding,) = paper.lem17(bandit(rational([1, 1 - Δ])), rational([[p, 1 - p]]))
        assert binding[paper.Δ] == Δ
        assert binding[paper.lacks] == (1 - p) * Δ
        assert binding[paper.slope].overlaps(sqrt(rational_number(2)) * p * (1 - p) * Δ)


def test_theorem_2_counts_from_one():
    """Two arms, r = (1, 0), uniform: gap 1/2 at t = 1, and θ_2 = (1/10, −1/10) since 2/5 · 1/2 · 1/2 = 1/10."""
    first, second = islice(paper.thm2.trace(two_armed_bandit(), rational([[0, 0]])), 2)
    assert first[0][paper.t] == 1
    assert first[1].overlaps(arrays.ball(rational_number("1/2")))
    assert first[2].overlaps(arrays.ball(rational_number(20)))
    assert second[1].overlaps(1 / (1 + exp(rational_number("1/5"))))


def test_theorem_4_by_hand():
    """One state, γ = 1/2, r = (1, 0), uniform: V* = 2, V = 1, and 16 / ((1/2)² (1/2)⁶) = 4096."""
    mdp = paper.patient_arms()
    mdp = type(mdp)(mdp.P, mdp.r, rational_number("1/2"), mdp.start)
    (_, gap, bound), (_, gap_2, bound_2) = islice(paper.thm4.trace(mdp), 2)
    assert gap.overlaps(arrays.ball(rational_number(1)))
    assert bound.overlaps(arrays.ball(rational_number(4096)))
    # η = 1/64 and the gradient is 2 · 1/2 · 1/2 = 1/2: θ_2 = (1/128, −1/128).
    assert gap_2.overlaps(2 / (1 + exp(rational_number("1/64"))))
    assert bound_2.overlaps(arrays.ball(rational_number(2048)))  # c has not fallen below 1/2


def test_the_bound_of_theorem_4_is_what_its_single_steps_add_up_to():
    """1 / δ_t >= 1 / δ_1 + Σ, and each summand is at least (1 − γ)⁵ c² / (16 S ‖d*/μ‖²)."""
    mdp, θ = two_by_two().floats(), floats(two_by_two_logits())
    worst = 0.0
    for along, whole in islice(zip(paper.thm4_step_sharp(mdp, θ), paper.thm4_start(mdp, θ), strict=False), 11):
        assert along[paper.t] == whole[paper.t]
        summand = 31 / 256 * 0.1**3 / along[paper.weights_now]
        printed = 0.1**5 * whole[paper.c] ** 2 / (16 * 2 * whole[paper.over_start] ** 2)
        assert summand >= printed
        worst = max(worst, printed / summand)
    assert 0 < worst < 1


def test_the_smoothness_of_lemma_7_gives_the_step_of_theorem_4():
    assert paper.theorem_step(two_by_two()) == rational_number("1/8000")


def test_ties_need_one_policy_for_actions_and_visits():
    """γ = 9/10: d* goes by state 1 where μ is; 0 → 0 or 2 would have been as good, and that is where π goes."""
    inputs = paper.tied_ways()
    best = paper.exact.optimum(inputs["mdp"])
    assert best.v[0] == rational_number("1/2") + 9
    assert (best.loss[0] == 0).all()
    assert best.action[0] == 0
    (binding,) = paper.lem8(**inputs)
    wrong = paper.lem8.near_misses["a* and d* from two different optimal policies"]
    smaller, larger = wrong.sides(coerced(binding))
    assert smaller > larger
    assert float((smaller / larger).mid()) == pytest.approx(1.709, abs=5e-4)


def test_the_forgotten_state_keeps_its_logits_and_its_loss():
    mdp = forgotten_state()
    for binding in islice(paper.prop3(mdp, rational([[0, 0], [1, 2]])), 4):
        assert list(binding[paper.forgotten]) == [1, 2]


def test_lemma_11_is_an_equality_from_the_uniform_policy():
    """H(π)ζ = ζ / K there, so one update shortens ζ by exactly 1 − τη / K."""
    mdp, half = slow_bandit(), rational_number("1/2")
    (_, smaller, larger) = next(paper.lem11.trace(mdp, rational([[0, 0, 0]]), half, half))
    assert smaller.overlaps(larger)
    (binding, *_) = next(paper.lem11.trace(mdp, rational([[0, 0, 0]]), half, half))
    assert larger.overlaps((1 - half / 3) * binding[paper.ζ])


def test_a_step_of_ten_loses_soft_value():
    """r = (1, 0), τ = 1, θ = 0: θ_2 = (5/2, −5/2), worse than uniform because the optimum is at log odds 1."""
    mdp, θ = two_armed_bandit(), rational([[0, 0]])
    binding = next(iter(paper.thm6_step(mdp, θ, rational_number(1), step=lambda mdp, η: 10)))
    p = 1 / (1 + exp(rational_number(-5)))
    entropies = -p * p.log() - (1 - p) * (1 - p).log()
    half, log2 = rational_number("1/2"), flint.arb(2).log()
    assert binding[paper.soft_progress].overlaps(p + entropies - half - log2)
    assert binding[paper.soft_progress] < 0


def test_the_soft_optimum_of_two_arms_is_logistic():
    """π*_τ(1) = 1 / (1 + e^{−1/τ}), the smallest probability that Theorem 5's wrong c is made of."""
    best = soft_optimum(two_armed_bandit(), rational_number("1/2"))
    assert exp(best.log_π)[0, 1].overlaps(1 / (1 + exp(rational_number(2))))
