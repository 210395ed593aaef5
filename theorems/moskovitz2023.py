"""Moskovitz et al. (2023), ReLOAD: optimistic ascent and descent, whose last iterate converges under constraints.

The paper's theorem was not at hand: what stands here is its example and what follows from it, see the card.
"""

import numpy as np
from sympy import Abs, Eq, Rational, sqrt

from mdplab import arrays, exact
from mdplab.arrays import expand, maximum, rational_number
from mdplab.instances import Domain, Family, constrained_mdps, numbers, paradox
from mdplab.instances.constrained import garnet_family
from mdplab.models import ConstrainedMDP
from mdplab.solvers import geometric
from mdplab.solvers.lagrangian import ALTERNATING, OPTIMISTIC, PLAIN, Play, descent_ascent
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, identity, rate, theorem

k = Quantity("k", "steps", integer=True)
η = Quantity(r"\eta", "step size", accuracy="exact")

# -- The bilinear game min_x max_y x y ---------------------------------------------------------------------------------

E = Quantity(r"\left(x_k^2 + y_k^2\right)", "squared distance from the saddle point", accuracy="relative")
E_next = Quantity(r"\left(x_{k+1}^2 + y_{k+1}^2\right)", "the same one step later", accuracy="relative")
C = Quantity(r"\left(x_k^2 - \eta x_k y_k + y_k^2\right)", "what alternating steps conserve")
C_first = Quantity(r"\left(x_0^2 - \eta x_0 y_0 + y_0^2\right)", "the same at the start")
D = Quantity(r"\left(x_k^2 + \eta x_k y_k + y_k^2\right)", "the same with the other sign")
D_first = Quantity(r"\left(x_0^2 + \eta x_0 y_0 + y_0^2\right)", "that at the start")
bilinear_inputs = {"x": numbers(-2, 2), "y": numbers(-2, 2), "step": numbers("1/20", 1)}
corner = {"x": rational_number(1), "y": rational_number("1/2"), "step": rational_number("1/2")}


def simultaneous(x, y, η):
    """Both players step at once."""
    return x - η * y, y + η * x


def alternating(x, y, η):
    """The second player answers the step of the first."""
    x = x - η * y
    return x, y + η * x


with as_printed():
    grows = Eq(E_next, (1 + η**2) * E)
    grows_not = Eq(E_next, E)
    conserved = Eq(C, C_first)
    conserved_otherwise = Eq(D, D_first)


@theorem(
    grows,
    cite="moskovitz2023",
    at="background: the bilinear game, simultaneous steps",
    source="derived",
    status="folklore",
    judge=identity(k, up_to=20),
    on=bilinear_inputs,
    named={"corner": corner},
    near_misses={"neither grows nor shrinks": grows_not, "alternating steps": {"step_of": alternating}},
)
def bilinear_simultaneous(x, y, step, *, step_of=simultaneous):
    """On x y simultaneous descent and ascent moves away from the saddle point, by √(1 + η²) a step."""
    n = 0
    while True:
        after = step_of(x, y, step)
        yield {k: n, η: step, E: x * x + y * y, E_next: after[0] * after[0] + after[1] * after[1]}
        (x, y), n = after, n + 1


@theorem(
    conserved,
    cite="moskovitz2023",
    at="background: the bilinear game, alternating steps",
    source="derived",
    status="folklore",
    judge=identity(k, up_to=20),
    on=bilinear_inputs,
    named={"corner": corner},
    near_misses={"with the other sign": conserved_otherwise, "simultaneous steps": {"step_of": simultaneous}},
)
def bilinear_alternating(x, y, step, *, step_of=alternating):
    """On x y alternating descent and ascent stays on an ellipse for ever."""
    n, first = 0, (x * x - step * x * y + y * y, x * x + step * x * y + y * y)
    while True:
        yield {
            k: n,
            C: x * x - step * x * y + y * y,
            C_first: first[0],
            D: x * x + step * x * y + y * y,
            D_first: first[1],
        }
        (x, y), n = step_of(x, y, step), n + 1


distance = Quantity(r"\sqrt{x_k^2 + y_k^2}", "distance from the saddle point", accuracy="relative")
factor = Quantity(r"\lvert \lambda(\eta) \rvert", "largest modulus of an eigenvalue", accuracy="exact")
with as_printed():
    contracts = distance <= factor**k
    contracts_faster = distance <= factor ** (k + k / Rational(20))


def modulus(η):
    """|λ| of optimistic steps: λ² − (1 + 2iη) λ + iη = 0;  η != 1/2, where the root is double."""
    if η < 0.5:
        return np.sqrt((1 + np.sqrt(1 - 4 * η * η)) / 2)
    return np.sqrt(1 + (2 * η + np.sqrt(4 * η * η - 1)) ** 2) / 2


@theorem(
    contracts,
    cite="moskovitz2023",
    at="background: the bilinear game, optimistic steps",
    source="derived",
    status="folklore",
    judge=rate(k, up_to=2000),
    on=bilinear_inputs,
    named={
        "short steps": {**corner, "step": rational_number("1/20")},
        "middling steps": {**corner, "step": rational_number("1/5")},
        "steps above one half": {**corner, "step": rational_number("11/20")},
    },
    near_misses={"faster by a twentieth": contracts_faster, "without optimism": {"optimism": 0}},
    note="|λ|² is (1 + √(1 − 4η²)) / 2 up to η = 1/2 and (1 + (2η + √(4η² − 1))²) / 4 beyond; below one iff η < 1/√3.",
)
def bilinear_optimistic(x, y, step, *, optimism=1):
    """On x y optimistic descent and ascent contracts, asymptotically by |λ(η)| a step, for η < 1/√3."""
    before = (x, y)
    η_now = float(step)
    for n in range(10**9):
        yield {k: n, distance: np.sqrt(x * x + y * y), factor: modulus(η_now)}
        u, v = x + optimism * (x - before[0]), y + optimism * (y - before[1])
        before, (x, y) = (x, y), (x - η_now * v, y + η_now * u)


root_squared = Quantity(
    r"\lvert \lambda(\eta) \rvert^2", "largest squared modulus of an eigenvalue", accuracy="relative"
)
short_formula = Quantity(
    r"\left[\tfrac{1 + \sqrt{1 - 4 \eta^2}}{2}\ (\eta \le \tfrac12),"
    r"\ \tfrac{1 + (2 \eta + \sqrt{4 \eta^2 - 1})^2}{4}\right]",
    "the same in closed form",
    accuracy="relative",
)
with as_printed():
    eigenvalues = {
        "closed form": Eq(root_squared, short_formula),
        "below one up to 1/√3": (1 - root_squared) * (1 - 3 * η**2) >= 0,
    }
    below_one_up_to_a_half = (1 - root_squared) * (1 - 4 * η**2) >= 0
    below_one_up_to_one = (1 - root_squared) * (1 - η**2) >= 0


def first_branch(η):
    """(1 + √(1 − 4η²)) / 2, and beyond η = 1/2 its real part."""
    inside = 1 - 4 * η * η
    return (1 + arrays.sqrt(max(inside, 0 * inside))) / 2


def both_branches(η):
    """|λ|² in closed form."""
    return first_branch(η) if 2 * η <= 1 else (1 + (2 * η + arrays.sqrt(4 * η * η - 1)) ** 2) / 4


@theorem(
    eigenvalues,
    cite="moskovitz2023",
    at="background: the bilinear game, eigenvalues of optimistic steps",
    source="derived",
    status="folklore",
    judge=for_all(),
    on={"step": numbers("1/20", 2)},
    named={
        "a fifth": {"step": rational_number("1/5")},
        "a half": {"step": rational_number("1/2")},
        "between a half and 1/√3": {"step": rational_number("11/20")},
        "above 1/√3": {"step": rational_number("3/5")},
    },
    near_misses={
        "up to a half only": below_one_up_to_a_half,
        "up to one": below_one_up_to_one,
        "one formula for all steps": {"formula": first_branch},
    },
    note="Roots of λ² − (1 + 2iη) λ + iη, found as complex numbers, against real formulas.",
)
def optimistic_factor(step, *, formula=both_branches):
    """Optimistic steps on x y contract asymptotically iff η < 1/√3, by a modulus in closed form.

    As (1 + 2iη)² − 4iη = 1 − 4η², the roots are (1 + 2iη ± s)/2 with s real up to η = 1/2 and imaginary beyond.
    """
    square = 1 - 4 * step * step
    s = arrays.sqrt(abs(square))
    real, imaginary = (1 + s, 2 * step) if square >= 0 else (1 + 0 * s, 2 * step + s)
    yield {η: step, root_squared: (real * real + imaginary * imaginary) / 4, short_formula: formula(step)}


# -- The paradox: reward is cost ---------------------------------------------------------------------------------------


def paradoxes(rng, size):
    """The paradox with discount factors of many sizes, as one batch."""
    one = paradox("1/2").floats()
    γ = rng.choice([0.0, 0.3, 0.5, 0.8, 0.9, 0.97], size)
    least = -0.5 / (1 - γ)
    P, r, u, start = (np.broadcast_to(x, (size, *x.shape)).copy() for x in (one.P, one.r, one.utilities, one.start))
    return ConstrainedMDP(P, r, u, least[:, None], γ, start)


def some_paradox():
    from hypothesis import strategies as st

    return st.sampled_from([0, "1/2", "9/10", "3/4", "99/100"]).map(paradox)


is_paradox = Assumption(
    r"P, r, u, b \text{ are those of the paradox}",
    "two states and actions, the reward is the cost, and half of the most may be collected",
    lambda mdp: _is_paradox(mdp),
    lambda mdp: "it is another model",
)


def _is_paradox(mdp):
    """Whether a model is `paradox(γ)`, from any start."""
    if (mdp.S, mdp.A, mdp.I) != (2, 2, 1):
        return np.zeros(mdp.batch, dtype=bool)
    one = paradox().floats()
    same = [
        (arrays.floats(getattr(mdp, name)) == getattr(one, name)).reshape(*mdp.batch, -1).all(axis=-1)
        for name in ("P", "r", "utilities")
    ]
    half = abs(arrays.floats((1 - mdp.γ(1)) * mdp.least)[..., 0] + 0.5) < 1e-9
    return np.all([*same, half], axis=0)


paradox_models = Domain(some_paradox, families=(Family("paradoxes", paradoxes),), model=ConstrainedMDP)
v = {
    name: Quantity(rf"v^{{\mathrm{{{name}}}}}_k", f"normalised value of the {name} solver's policy")
    for name in ("plain", "alternating", "optimistic")
}
σ_D = {
    name: Quantity(rf"\sigma(D^{{\mathrm{{{name}}}}}_k)", f"the {name} recursion in one logit and one multiplier")
    for name in v
}
PLAYS = {"plain": PLAIN, "alternating": ALTERNATING, "optimistic": OPTIMISTIC}
with as_printed():
    reduces = {f"{name} steps": Eq(v[name], σ_D[name]) for name in v}


def sigmoid(x):
    return 1 / (1 + arrays.exp(-x))


def half_of(x):
    """One half in the arithmetic of x."""
    return rational_number("1/2") if arrays.is_exact(x) else 0.5


def two_numbers(D, μ, a, η_μ, play):
    """(D_k, μ_k): D' = D + a (1 − μ), μ' = [μ + η_μ (σ(D) − 1/2)]_+, with optimism or alternation;  a = η (1 − γ)."""
    up_before = down_before = None
    while True:
        yield D, μ
        up, down = 1 - μ, sigmoid(D) - half_of(D)
        D_next = D + a * (up if up_before is None else up + play.policy * (up - up_before))
        push = down if down_before is None else down + play.multipliers * (down - down_before)
        if play.alternating:
            push = sigmoid(D_next) - half_of(D)
        μ_next = μ + η_μ * push
        D, μ, up_before, down_before = D_next, maximum(μ_next, 0 * μ_next), up, down


def normalised(mdp, step):
    return step * (1 - mdp.discount)


def unnormalised(mdp, step):
    return step


def normalised_twice(mdp, step):
    return step * (1 - mdp.discount) ** 2


@theorem(
    reduces,
    cite="moskovitz2023",
    at="the paradoxical constrained model",
    source="derived",
    judge=identity(k, up_to=24, exactly_up_to=4),
    on={
        "mdp": paradox_models,
        "step": numbers("1/10", 1),
        "multiplier_step": numbers("1/10", 1),
        "preference": numbers(-1, 1),
        "first": numbers(0, 2),
    },
    given=[is_paradox],
    named={
        "as printed": {
            "mdp": paradox(),
            "step": rational_number(1),
            "multiplier_step": rational_number(1),
            "preference": rational_number(0),
            "first": rational_number(0),
        }
    },
    near_misses={
        "steps that are not normalised": {"ascent": unnormalised},
        "steps normalised twice": {"ascent": normalised_twice},
    },
    note="The model is read from the paper; the reduction is ours.",
)
def reduction(mdp, step, multiplier_step, preference, first, *, ascent=normalised):
    """From any start that prefers an action equally in both states, the paradox is a game of two numbers.

    The value is the share of time with reward, v = σ(D) for the difference D of the logits.
    """
    both = mdp.r * expand(preference + 0 * mdp.discount, 2)  # (D, 0) in both states, as r is (1, 0)
    λ = expand(first + 0 * mdp.discount, 1) + 0 * mdp.least
    runs = {
        name: (
            descent_ascent(mdp, both, λ, play, step, multiplier_step),
            two_numbers(preference + 0 * mdp.discount, λ[..., 0], ascent(mdp, step), multiplier_step, play),
        )
        for name, play in PLAYS.items()
    }
    n = 0
    while True:
        out = {k: n}
        for name, (full, short) in runs.items():
            out[v[name]] = (1 - mdp.discount) * next(full).value
            out[σ_D[name]] = sigmoid(next(short)[0])
        yield out
        n += 1


E_k = Quantity(r"E_k", "η_μ D²/4 + η (1 − γ) (μ − 1)², the squared distance from the saddle point", accuracy="relative")
E_after = Quantity(r"E_{k+1}", "the same one step later", accuracy="relative")
σ2 = Quantity(r"\sigma^2", "η (1 − γ) η_μ / 4", accuracy="exact")
rest = Quantity(
    r"\epsilon", "η_μ |D|³ / 48, by how much η_μ (σ(D) − 1/2) may differ from η_μ D / 4", accuracy="relative"
)
lever = Quantity(r"\lvert \mu - 1 + \eta_\mu D / 4 \rvert", "the next multiplier minus one, linearised")
up_step = Quantity(r"\eta (1 - \gamma)", "step of the logits' difference", accuracy="exact")
with as_printed():
    grows_locally = Abs(E_after - (1 + σ2) * E_k) <= up_step * rest * (2 * lever + rest)
    stays_locally = Abs(E_after - E_k) <= up_step * rest * (2 * lever + rest)
    grows_twice = Abs(E_after - (1 + 2 * σ2) * E_k) <= up_step * rest * (2 * lever + rest)


def answered(D, μ, a, η_μ):
    """Alternating: the multiplier sees the policy after its step."""
    D = D + a * (1 - μ)
    return D, μ + η_μ * (sigmoid(D) - half_of(D))


def at_once(D, μ, a, η_μ):
    """Simultaneous steps."""
    return D + a * (1 - μ), μ + η_μ * (sigmoid(D) - half_of(D))


@theorem(
    grows_locally,
    cite="moskovitz2023",
    at="the paradoxical constrained model, one step of the baseline",
    source="derived",
    judge=for_all(),
    on={
        "a": numbers("1/100", 1),
        "multiplier_step": numbers("1/10", 1),
        "preference": numbers(-1, 1),
        "first": numbers("1/2", "3/2"),
    },
    named={
        "near the saddle point": {
            "a": rational_number("1/10"),
            "multiplier_step": rational_number(1),
            "preference": rational_number("1/10"),
            "first": rational_number("11/10"),
        }
    },
    near_misses={
        "it neither grows nor shrinks": stays_locally,
        "it grows twice as fast": grows_twice,
        "alternating steps": {"step_of": answered},
    },
    uses=["moskovitz2023.reduction", "moskovitz2023.bilinear_simultaneous"],
    note="The multiplier stays positive here, so that nothing is clipped; |σ(D) − 1/2 − D/4| <= |D|³/48.",
)
def spirals(a, multiplier_step, preference, first, *, step_of=at_once):
    """On the paradox plain steps multiply the squared distance from the saddle point by 1 + σ², to third order."""
    D_next, μ_next = step_of(preference, first, a, multiplier_step)

    def squared(D, μ):
        return multiplier_step * D * D / 4 + a * (μ - 1) * (μ - 1)

    yield {
        up_step: a,
        σ2: a * multiplier_step / 4,
        E_k: squared(preference, first),
        E_after: squared(D_next, μ_next),
        rest: multiplier_step * abs(preference) ** 3 / 48,
        lever: abs(first - 1 + multiplier_step * preference / 4),
    }


off = Quantity(r"\sqrt{\eta_\mu D_k^2 / 4 + \eta (1 - \gamma) (\mu_k - 1)^2}", "distance from the saddle point")
contraction = Quantity(
    r"\lvert \lambda(\sigma) \rvert", "modulus of the bilinear game at σ² = η(1 − γ)η_μ/4", accuracy="exact"
)
with as_printed():
    settles_at = off <= contraction**k
    settles_faster = off <= contraction ** (k + k / Rational(20))


def paradox_with(discount, step, multiplier_step):
    return {
        "mdp": paradox(discount),
        "step": rational_number(step),
        "multiplier_step": rational_number(multiplier_step),
    }


@theorem(
    settles_at,
    cite="moskovitz2023",
    at="the paradoxical constrained model, last iterate of ReLOAD",
    source="derived",
    judge=rate(k, up_to=1500),
    on={
        "mdp": Domain(some_paradox, model=ConstrainedMDP),
        "step": numbers("1/10", 1),
        "multiplier_step": numbers("1/10", 1),
    },
    named={
        "as printed": paradox_with("9/10", 1, 1),
        "a short horizon": paradox_with("1/2", "1/2", "1/4"),
        "a longer horizon": paradox_with("19/20", 2, 1),
    },
    near_misses={
        "faster by a twentieth": settles_faster,
        "optimism in the policy only": {"play": Play(1, 0)},
        "optimism in the multiplier only": {"play": Play(0, 1)},
        "optimism in neither": {"play": PLAIN},
        "delayed gradients": {"play": Play(-1, -1)},
        "alternating steps": {"play": ALTERNATING},
    },
    uses=["moskovitz2023.reduction", "moskovitz2023.bilinear_optimistic"],
    note="Evidence: the local factor of the linearised game, seen along whole runs from z = 0, μ = 0.",
)
def settles(mdp, step, multiplier_step, *, play=OPTIMISTIC):
    """On the paradox the last iterate of ReLOAD converges, asymptotically by |λ(σ)| a step."""
    a, zero = step * (1 - mdp.discount), 0.0 * step
    for n, (D_k, μ_k) in enumerate(two_numbers(zero, zero, a, multiplier_step, play)):
        away = np.sqrt(multiplier_step * D_k**2 / 4 + a * (μ_k - 1) ** 2)
        yield {k: n, off: away, contraction: modulus(np.sqrt(a * multiplier_step / 4))}


swing = Quantity(
    r"\max_{k - 1000 < j \le k} \lvert v_j - \tfrac12 \rvert", "largest distance of late values from the optimum"
)
swing_alternating = Quantity(
    r"\max_{k - 1000 < j \le k} \lvert v^{\mathrm{alt}}_j - \tfrac12 \rvert", "the same for alternating steps"
)
with as_printed():
    keeps_away = {"plain": swing >= Rational(15, 100), "alternating": swing_alternating >= Rational(15, 100)}
    keeps_further_away = swing >= Rational(1, 4)


def only_the_paradox():
    from hypothesis import strategies as st

    return st.just(paradox())


the_paradox = Domain(only_the_paradox, model=ConstrainedMDP)


@theorem(
    keeps_away,
    cite="moskovitz2023",
    at="the paradoxical constrained model, last iterate of the baseline",
    source="derived",
    judge=for_all(k, up_to=20000, exactly_up_to=0),
    on={"mdp": the_paradox, "step": numbers(1, 1), "multiplier_step": numbers(1, 1)},
    named={
        "steps of one": paradox_with("9/10", 1, 1),
        "shorter steps": paradox_with("9/10", "3/10", "3/10"),
        "short steps": paradox_with("9/10", "1/10", "1/10"),
    },
    near_misses={"optimistic steps": {"plays": (OPTIMISTIC, ALTERNATING)}, "further away": keeps_further_away},
    uses=["moskovitz2023.reduction"],
    note="Seen up to k = 20000 from z = 0, μ = 0; no proof.",
)
def circles(mdp, step, multiplier_step, *, plays=(PLAIN, ALTERNATING)):
    """On the paradox the last iterate of descent and ascent circles, plain or alternating: v keeps 0.15 away."""
    zero, late = 0 * step, None
    runs = [two_numbers(zero, zero, step * (1 - mdp.discount), multiplier_step, play) for play in plays]
    for n, states in enumerate(zip(*runs, strict=True)):
        apart = [abs(sigmoid(D_k) - half_of(D_k)) for D_k, _ in states]
        late = apart if late is None else [maximum(x, y) for x, y in zip(late, apart, strict=True)]
        if n and n % 1000 == 0:
            yield {k: n, swing: late[0], swing_alternating: late[1]}
            late = None


v_best = Quantity(r"v^{\mathrm{best}}_k", "normalised value of the k-th best response")
with as_printed():
    extreme = Eq(v_best**2, v_best)
    always_most = Eq(v_best, 1)


def best_response(mdp, λ):
    """An optimal deterministic policy for the Lagrangian."""
    return exact.optimum(mdp.rewarded(mdp.mixed(λ))).policy


def half_and_half(mdp, λ):
    """The uniform policy, which is a best response at λ = 1 only."""
    return 0 * mdp.r + (rational_number("1/2") if arrays.is_exact(mdp.r) else 0.5)


@theorem(
    extreme,
    cite="moskovitz2023",
    at="the paradoxical constrained model, best responses",
    source="derived",
    judge=identity(k, up_to=100, exactly_up_to=40),
    on={"mdp": Domain(some_paradox, families=(Family("paradoxes", paradoxes),), model=ConstrainedMDP)},
    given=[is_paradox],
    named={"as printed": paradox},
    near_misses={"always the most": always_most, "the uniform policy": {"response": half_and_half}},
    note="With steps η_k = 1/10 each, the multiplier hovers around one and the value jumps.",
)
def best_responses(mdp, *, response=best_response):
    """On the paradox a best response to the multiplier collects all or nothing, never the optimal half."""
    λ, n, scale = 0 * mdp.least + (rational_number("3/4") if arrays.is_exact(mdp.r) else 0.75), 0, 1 - mdp.γ(1)
    step = rational_number("1/10") if arrays.is_exact(mdp.r) else 0.1
    while True:
        π = response(mdp, λ)
        yield {k: n, v_best: (1 - mdp.γ(0)) * exact.payoffs_at_start(mdp, π)[..., 0]}
        h = scale * exact.slack(mdp, π)
        λ, n = maximum(λ - step * h, 0 * λ), n + 1


# -- Other models ------------------------------------------------------------------------------------------------------

steep = Assumption(
    r"\min_{\pi} (1 - \gamma) \lvert V_u^\pi - b \rvert \ge 1/20",
    "every deterministic policy misses or exceeds the constraint by a twentieth",
    lambda mdp: np.asarray(arrays.floats((1 - mdp.γ(0)) * exact.dual_function(mdp).shortest_slope)) >= 0.05,
)
short = Assumption(
    r"\sigma^2 = 125 (1 - \gamma)^3 / 4 < 1/3",
    "the steps, 125 (1 − γ)² and 1, are short enough for the paradox with this discount",
    lambda mdp: np.asarray(arrays.floats(375 * (1 - mdp.γ(0)) ** 3 < 4), dtype=bool),
)
error = Quantity(
    r"\max\left(\lvert V_r^{\pi_k} - V_r^* \rvert, b - V_u^{\pi_k}\right) - 10^{-8}",
    "error of the last iterate beyond what counts as solved",
)
with as_printed():
    last_iterate = error <= 1 / sqrt(k + 1)


@theorem(
    last_iterate,
    cite="moskovitz2023",
    at="the main claim of the abstract",
    source="derived",
    judge=rate(k, up_to=2048),
    on={"mdp": constrained_mdps(families=(garnet_family(S=2, A=2, opposed=True, share=0.9, discount=0.8),))},
    given=[steep, short],
    near_misses={
        "without optimism": {"play": PLAIN},
        "alternating": {"play": ALTERNATING},
        "steps ten times as long": {"steps": (1250.0, 10.0)},
    },
    note="Evidence on random models; the observed decay is geometric.  The paper's own theorem was not at hand.",
)
def random_models(mdp, *, play=OPTIMISTIC, steps=(125.0, 1.0)):
    """On random models the last iterate of ReLOAD keeps improving, and that of plain steps does not."""
    best = exact.dual_function(mdp).least
    first, second = steps
    for it in descent_ascent(mdp, None, None, play, first * (1 - mdp.γ(0)) ** 2, second, at=geometric()):
        wrong = maximum(abs(it.value - best), -it.slack[..., 0])
        yield {k: it.k, error: maximum(wrong - 1e-8, 0 * wrong)}
