"""Wu et al. (2024), Off-policy primal-dual safe reinforcement learning (CAL): the augmented Lagrangian, in tables.

The paper's propositions were not at hand; these are derived for the tabular form of its published code.  Utilities are
negative costs, so that the conservative multiplier is λ̃ = [λ − κ h]_+ with h = v_u − (1 − γ) b.
"""

from itertools import islice, product

import numpy as np
from sympy import Abs, Eq, Min, Rational

from mdplab import arrays, exact
from mdplab.arrays import expand, floats, is_exact, maximum, one_hot, rational, rational_number, total
from mdplab.instances import Domain, constrained_mdps, crossing, numbers, opposed_arms, paradox, policies
from mdplab.instances.constrained import constrained_bandits, family
from mdplab.models import ConstrainedMDP
from mdplab.solvers import conservative_lagrangian, method_of_multipliers
from mdplab.theorem import Assumption, Quantity, Without, as_printed, for_all, identity, rate, theorem

κ = Quantity(r"\kappa", "conservatism: how much of the violation is added to the multiplier", accuracy="exact")

# -- The gradient of the augmented Lagrangian --------------------------------------------------------------------------

L_two = Quantity(r"L_\kappa(\pi', \lambda)", "augmented Lagrangian at another policy")
L_one = Quantity(r"L_\kappa(\pi, \lambda)", "augmented Lagrangian")
L_three = Quantity(r"L_\kappa(\pi, \lambda')", "augmented Lagrangian at another multiplier")
gain = Quantity(
    r"\left[(v_r + \tilde\lambda v_u)^{\pi'} - (v_r + \tilde\lambda v_u)^{\pi}\right]", "gain at the frozen λ̃"
)
apart = Quantity(r"(v_u^{\pi'} - v_u^{\pi})", "difference of normalised utilities")
λ_tilde = Quantity(r"\tilde\lambda", "conservative multiplier")
λ = Quantity(r"\lambda", "multiplier", accuracy="exact")
λ_two = Quantity(r"\lambda'", "another multiplier", accuracy="exact")
with as_printed():
    tangent = {
        "concave": L_two <= L_one + gain,
        "and smooth": L_one + gain - κ / 2 * apart**2 <= L_two,
        "convex in the multiplier": L_one - (λ_tilde - λ) / κ * (λ_two - λ) <= L_three,
        "and smooth in it": L_three <= L_one - (λ_tilde - λ) / κ * (λ_two - λ) + (λ_two - λ) ** 2 / (2 * κ),
    }
    no_curvature = L_one + gain <= L_two
    linear_in_the_multiplier = L_three <= L_one - (λ_tilde - λ) / κ * (λ_two - λ)


def raised(λ, κ, h):
    """[λ − κ h]_+."""
    x = λ - κ * h
    return maximum(x, 0 * x)


def lowered(λ, κ, h):
    """[λ + κ h]_+: less of a multiplier where the constraint is violated."""
    return raised(λ, -κ, h)


def clipped_apart(λ, κ, h):
    """λ + [−κ h]_+."""
    return λ + maximum(-κ * h, 0 * h)


@theorem(
    tangent,
    cite="wu2024",
    at="the actor's and the multiplier's gradients",
    source="derived",
    judge=for_all(),
    on={
        "mdp": constrained_mdps(2, 3),
        "π": policies,
        "other": policies,
        "multiplier": numbers(0, 3),
        "other_multiplier": numbers(0, 3),
        "conservatism": numbers("1/10", 10),
    },
    named={
        "crossing": {
            "mdp": crossing(),
            "π": rational([["9/10", "1/10"]] * 2),
            "other": rational([["1/10", "9/10"]] * 2),
            "multiplier": rational_number("1/2"),
            "other_multiplier": rational_number(2),
            "conservatism": rational_number(2),
        },
    },
    near_misses={
        "convex in the policy": no_curvature,
        "linear in the multiplier": linear_in_the_multiplier,
        "the other sign of κ": {"seen": lowered},
        "clipping κh instead of the sum": {"seen": clipped_apart},
    },
    note="A concave function of the occupancy measure with this tangent and a quadratic below it has this gradient: "
    "∇_π L_κ = ∇(v_r + λ̃ v_u) with λ̃ frozen, and ∂L_κ/∂λ = −(λ̃ − λ)/κ.",
)
def al_grad(mdp, π, other, multiplier, other_multiplier, conservatism, *, seen=raised):
    """The augmented Lagrangian has the gradient of the Lagrangian at the conservative multiplier.

    L_κ = v_r − ([λ − κ h]_+² − λ²) / (2κ), touched from above by the Lagrangian at λ̃, and by a parabola from below.
    """
    scale = 1 - mdp.γ(0)
    one, two = exact.payoffs_at_start(mdp, π), exact.payoffs_at_start(mdp, other)
    h_one, h_two = (scale * (v[..., 1] - mdp.least[..., 0]) for v in (one, two))
    frozen = seen(multiplier, conservatism, h_one)

    def augmented(v, h, λ_now):
        top = raised(λ_now, conservatism, h)
        return scale * v[..., 0] - (top * top - λ_now * λ_now) / (2 * conservatism)

    yield {
        κ: conservatism,
        λ: multiplier,
        λ_two: other_multiplier,
        λ_tilde: frozen,
        L_one: augmented(one, h_one, multiplier),
        L_two: augmented(two, h_two, multiplier),
        L_three: augmented(one, h_one, other_multiplier),
        gain: scale * (two[..., 0] - one[..., 0]) + frozen * (h_two - h_one),
        apart: h_two - h_one,
    }


room = Assumption(
    r"\xi > 0",
    "some policy exceeds the constraint (Slater's condition)",
    lambda mdp: np.asarray(floats(exact.slater(mdp))) > (0 if is_exact(mdp.P) else 1e-9),
)
slack = Quantity("h", "normalised slack of the constraint")
with as_printed():
    as_in_the_code = Eq(λ_tilde, λ - Min(λ, κ * slack))


@theorem(
    as_in_the_code,
    cite="wu2024",
    at="the agent's code: rectification of the multiplier",
    source="read",
    judge=identity(),
    on={"mdp": constrained_mdps(2, 3), "π": policies, "multiplier": numbers(0, 3), "conservatism": numbers("1/10", 10)},
    named={
        "opposed arms": {
            "mdp": opposed_arms(),
            "multiplier": rational_number("1/10"),
            "conservatism": rational_number(2),
        }
    },
    near_misses={"clipping κh instead of the sum": {"seen": clipped_apart}, "the other sign of κ": {"seen": lowered}},
    note="The code subtracts min(λ, c · mean(b − Q_c)); so what the policy sees changes unless h >= 0 and λ h = 0.",
)
def rectified(mdp, π, multiplier, conservatism, *, seen=raised):
    """What the agent's code subtracts from the multiplier is min(λ, κ h), and what is left is [λ − κ h]_+."""
    h = (1 - mdp.γ(0)) * exact.slack(mdp, π)[..., 0]
    yield {κ: conservatism, λ: multiplier, slack: h, λ_tilde: seen(multiplier, conservatism, h)}


L_best = Quantity(r"L_\kappa(\pi^*, \lambda^*)", "augmented Lagrangian at the constrained optimum")
L_policy = Quantity(r"L_\kappa(\pi, \lambda^*)", "the same at another policy")
L_price = Quantity(r"L_\kappa(\pi^*, \lambda)", "the same at another multiplier")
v_best = Quantity(r"v_r^*", "optimal normalised value under the constraint")
λ_star = Quantity(r"\lambda^*", "optimal multiplier")
with as_printed():
    saddle = {
        "the policy's side": L_policy <= L_best,
        "the multiplier's side": L_best <= L_price,
        "the value": Eq(L_best, v_best),
        "the multiplier stays": Eq(λ_tilde, λ_star),
    }


@theorem(
    saddle,
    cite="wu2024",
    at="saddle points of the augmented Lagrangian",
    source="derived",
    judge=for_all(),
    on={
        "mdp": constrained_mdps(2, 3),
        "π": policies,
        "multiplier": numbers(0, 3),
        "conservatism": numbers("1/10", 10),
    },
    given=[room],
    named={"crossing": {"mdp": crossing(), "multiplier": rational_number(2), "conservatism": rational_number(1)}},
    near_misses={
        "half the multiplier": {"price": lambda found: found.multipliers[..., 0] / 2},
        "an optimal policy without the constraint": {"best_of": lambda mdp, found: exact.optimum(mdp.mdp).policy},
    },
    note="For every κ > 0: at λ* and an optimal policy h >= 0 and λ* h = 0, so that λ̃ = λ*.",
)
def same_saddle(
    mdp,
    π,
    multiplier,
    conservatism,
    *,
    price=lambda found: found.multipliers[..., 0],
    best_of=lambda mdp, found: found.policy,
):
    """The constrained optimum and its multiplier are a saddle point of the augmented Lagrangian, whatever κ is."""
    found, scale = exact.constrained_optimum(mdp), 1 - mdp.γ(0)
    λ_best, best = price(found), best_of(mdp, found)

    def augmented(policy, λ_now):
        v = exact.payoffs_at_start(mdp, policy)
        top = raised(λ_now, conservatism, scale * (v[..., 1] - mdp.least[..., 0]))
        return scale * v[..., 0] - (top * top - λ_now * λ_now) / (2 * conservatism)

    yield {
        λ_star: λ_best,
        λ_tilde: raised(λ_best, conservatism, scale * exact.slack(mdp, best)[..., 0]),
        v_best: scale * found.value,
        L_best: augmented(best, λ_best),
        L_policy: augmented(π, λ_best),
        L_price: augmented(best, multiplier),
    }


# -- On the paradox ----------------------------------------------------------------------------------------------------

a = Quantity(r"\eta (1 - \gamma)", "step of the logits' difference", accuracy="exact")
η_λ = Quantity(r"\eta_\lambda", "step of the multiplier", accuracy="exact")
D = Quantity("D", "difference of the logits", accuracy="exact")
m = Quantity("m", "multiplier minus one", accuracy="exact")
D_next = Quantity("D'", "difference of the logits after a step")
m_next = Quantity("m'", "multiplier minus one after a step")
with as_printed():
    linear = {
        "policy": Abs(D_next - (D - a * κ / 4 * D - a * m)) <= a * κ * Abs(D) ** 3 / 48,
        "multiplier": Abs(m_next - (m + η_λ / 4 * D)) <= η_λ * Abs(D) ** 3 / 48,
    }
    without_conservatism = Abs(D_next - (D - a * m)) <= a * κ * Abs(D) ** 3 / 48
    twice_the_multiplier = Abs(m_next - (m + η_λ / 2 * D)) <= η_λ * Abs(D) ** 3 / 48


def some_paradox():
    from hypothesis import strategies as st

    return st.sampled_from([0, "1/2", "9/10", "99/100"]).map(paradox)


@theorem(
    linear,
    cite="wu2024",
    at="the paradoxical model of ReLOAD, linearised",
    source="derived",
    judge=for_all(),
    on={
        "mdp": Domain(some_paradox, model=ConstrainedMDP),
        "step": numbers("1/10", 2),
        "multiplier_step": numbers("1/10", 2),
        "conservatism": numbers("1/10", 2),
        "preference": numbers(-1, 1),
        "off": numbers("-2/5", "2/5"),
    },
    named={
        "middling": {
            "mdp": paradox(),
            "step": rational_number(1),
            "multiplier_step": rational_number(1),
            "conservatism": rational_number(2),
            "preference": rational_number("1/2"),
            "off": rational_number("1/10"),
        }
    },
    near_misses={"without conservatism": without_conservatism, "twice the multiplier's step": twice_the_multiplier},
    note="σ(D) − 1/2 = D/4 up to |D|³/48; no clipping for |D| <= 1, |m| <= 2/5, κ <= 2.",
)
def linearisation(mdp, step, multiplier_step, conservatism, preference, off, *, solver=conservative_lagrangian):
    """Near its saddle point on the paradox, a step of CAL is the matrix ((1 − aκ/4, −a), (η_λ/4, 1)) to third order."""
    first = mdp.r * preference
    run = solver(
        mdp,
        first,
        0 * mdp.least + 1 + off,
        step_size=step,
        multiplier_step_size=multiplier_step,
        conservatism=conservatism,
    )
    _, after = islice(run, 2)
    yield {
        a: step * (1 - mdp.discount),
        η_λ: multiplier_step,
        κ: conservatism,
        D: preference,
        m: off,
        D_next: after.log_π[..., 0, 0] - after.log_π[..., 0, 1],
        m_next: after.multipliers[..., 0] - 1,
    }


k = Quantity("k", "updates", integer=True)
away = Quantity(
    r"\left[\sqrt{D_k^2 + (\lambda_k - 1)^2} - 10^{-10}\right]_+", "distance from the saddle point beyond 1e-10"
)
radius = Quantity(r"\rho(M)", "spectral radius of the matrix of the linearisation", accuracy="exact")
with as_printed():
    contracts = away <= radius**k
    contracts_faster = away <= radius ** (k + k / Rational(5))


conditions = Assumption(
    r"\eta_\lambda < \kappa,\ a \kappa / 2 < 4 + a \eta_\lambda / 4",
    "the conservatism is above the multiplier's step and not too large for the policy's",
    lambda mdp, step, multiplier_step, conservatism: np.asarray(
        (conservatism > multiplier_step)
        & (step * (1 - mdp.discount) * conservatism / 2 < 4 + step * (1 - mdp.discount) * multiplier_step / 4)
    ),
)


def matrix(a, η_λ, κ):
    return np.array([[1 - a * κ / 4, -a], [η_λ / 4, 1]])


def steps_of(step, multiplier_step, conservatism):
    return {
        "mdp": paradox(),
        "step": rational_number(step),
        "multiplier_step": rational_number(multiplier_step),
        "conservatism": rational_number(conservatism),
    }


@theorem(
    contracts,
    cite="wu2024",
    at="the paradoxical model of ReLOAD, last iterate",
    source="derived",
    judge=rate(k, up_to=4000),
    on={
        "mdp": Domain(some_paradox, model=ConstrainedMDP),
        "step": numbers("1/10", 10),
        "multiplier_step": numbers("1/10", 1),
        "conservatism": numbers("1/10", 10),
    },
    given=[conditions],
    named={
        "just above the step": steps_of(1, 1, "11/10"),
        "short multiplier steps": steps_of(1, "1/10", "1/5"),
        "twice the step": steps_of(1, 1, 2),
        "long policy steps": steps_of(10, 1, 3),
    },
    near_misses={
        "faster by a fifth": contracts_faster,
        "half the conservatism": {"scale": 0.5},
        "no conservatism": {"scale": 0},
        "policy steps a hundred times as long": {"step_scale": 100},
    },
    uses=["wu2024.linearisation"],
    note="κ > η_λ is what makes the determinant, 1 − aκ/4 + aη_λ/4, less than one.",
)
def convexify(mdp, step, multiplier_step, conservatism, *, scale=1, step_scale=1):
    """On the paradox the last iterate of CAL settles, asymptotically by the spectral radius of its linearisation."""
    up = step * (1 - mdp.discount)
    ρ = abs(np.linalg.eigvals(matrix(up, multiplier_step, conservatism))).max()
    D_k, λ_k = 0.5, 0.0
    for n in range(10**9):
        yield {k: n, away: max(np.hypot(D_k, λ_k - 1) - 1e-10, 0.0), radius: ρ}
        short = np.tanh(D_k / 2) / 2
        seen = max(λ_k + scale * conservatism * short, 0.0)
        D_k, λ_k = D_k + step_scale * up * (1 - seen), max(λ_k + multiplier_step * short, 0.0)


ρ = Quantity(r"\rho(M)", "spectral radius of the matrix of the linearisation", accuracy="relative")
with as_printed():
    stable_iff = (1 - ρ) * Min(κ - η_λ, 4 + a * η_λ / 4 - a * κ / 2) >= 0
    half_the_threshold = (1 - ρ) * Min(κ - η_λ / 2, 4 + a * η_λ / 4 - a * κ / 2) >= 0
    one_condition = (1 - ρ) * (κ - η_λ) >= 0


def three_steps(policy, multiplier, conservatism):
    return dict(
        zip(
            ("up", "multiplier_step", "conservatism"),
            map(rational_number, (policy, multiplier, conservatism)),
            strict=True,
        )
    )


@theorem(
    stable_iff,
    cite="wu2024",
    at="the paradoxical model of ReLOAD, stability",
    source="derived",
    judge=for_all(),
    on={"up": numbers("1/100", 10), "multiplier_step": numbers("1/10", 2), "conservatism": numbers("1/10", 10)},
    named={
        "too little": three_steps("1/10", 1, "9/10"),
        "just enough": three_steps("1/10", 1, "11/10"),
        "too much for the policy": three_steps(10, 1, 5),
        "long policy steps": three_steps(1, 1, 3),
    },
    near_misses={"half the threshold": half_the_threshold, "the first condition alone": one_condition},
    note="Jury's conditions: 1 − tr + det = aη_λ/4 > 0 anyway; det < 1 is one condition, 1 + tr + det > 0 the other.",
)
def stable(up, multiplier_step, conservatism):
    """CAL is locally stable on the paradox iff κ > η_λ and aκ/2 < 4 + aη_λ/4."""
    trace = 2 - up * conservatism / 4
    det = 1 - up * conservatism / 4 + up * multiplier_step / 4
    spread = trace * trace - 4 * det
    yield {
        a: up,
        η_λ: multiplier_step,
        κ: conservatism,
        ρ: arrays.sqrt(det) if spread < 0 else (abs(trace) + arrays.sqrt(spread)) / 2,
    }


with as_printed():
    by_logarithm = Abs(m_next - (m + η_λ / 4 * D)) <= (
        Rational(9, 50) * η_λ**2 * D**2 + Rational(3, 5) * η_λ * Abs(D) * Abs(m) + η_λ * Abs(D) ** 3 / 48
    )
    to_third_order = Abs(m_next - (m + η_λ / 4 * D)) <= η_λ * Abs(D) ** 3 / 48
    half_the_slope = Abs(m_next - (m + η_λ / 8 * D)) <= (
        Rational(9, 50) * η_λ**2 * D**2 + Rational(3, 5) * η_λ * Abs(D) * Abs(m) + η_λ * Abs(D) ** 3 / 48
    )


@theorem(
    by_logarithm,
    cite="wu2024",
    at="the agent's code: the logarithm of the multiplier",
    source="derived",
    judge=for_all(),
    on={"multiplier_step": numbers("1/10", 2), "preference": numbers(-1, 1), "off": numbers("-2/5", "2/5")},
    named={
        "small": dict(
            zip(("multiplier_step", "preference", "off"), map(rational_number, ("1/2", "1/10", "1/100")), strict=True)
        )
    },
    near_misses={"as near as the plain step": to_third_order, "half the slope": half_the_slope},
    note="The code moves log λ by η_λ λ (v_c − b), so that λ' = λ exp(η_λ λ (v_c − b)), which is never zero.",
)
def log_multiplier(multiplier_step, preference, off):
    """Learned through its logarithm, the multiplier makes the same step near λ* = 1 on the paradox, to first order."""
    over = 1 / (1 + arrays.exp(-preference)) - (rational_number("1/2") if is_exact(off) else 0.5)
    price = 1 + off
    yield {
        η_λ: multiplier_step,
        D: preference,
        m: off,
        m_next: price * arrays.exp(multiplier_step * price * over) - 1,
    }


# -- The method of multipliers -----------------------------------------------------------------------------------------

unsolved = Quantity(r"m_k", "one where the k-th round misses the optimum, else zero", accuracy="exact")
start_off = Quantity(r"\lvert \lambda_0 - \lambda^* \rvert", "distance of the first multiplier from an optimal one")
least_slack = Quantity(r"\min_\pi \lvert V_u^\pi - b \rvert", "smallest slack of a deterministic policy, zero left out")
with as_printed():
    finite = unsolved * k * κ * least_slack <= start_off
    half_as_long = unsolved * (k + 1) * κ * least_slack <= start_off / 2


def plain_ascent(dual, multiplier, *, penalty):
    """The dual subgradient method: a best policy for the plain Lagrangian, then a step of κ."""
    from mdplab.solvers import Round

    n, λ_now = 0, multiplier
    while True:
        merit = dual.heights + λ_now * dual.slopes
        best = int(np.argmax([floats(x) for x in merit]))
        value, slack = dual.heights[best], dual.slopes[best]
        yield Round(n, λ_now, value, slack)
        n, λ_now = n + 1, max(λ_now - penalty * slack, 0 * λ_now)


@theorem(
    finite,
    cite="wu2024",
    at="the inner problem solved exactly",
    source="derived",
    judge=for_all(k, up_to=12, exactly_up_to=12),
    on={
        "mdp": constrained_mdps(2, 2, families=()),
        "multiplier": numbers(0, 2),
        "penalty": numbers("1/10", 5),
    },
    given=[room],
    named={
        "crossing": {"mdp": crossing(), "multiplier": rational_number(0), "penalty": rational_number("1/10")},
        "opposed arms": {"mdp": opposed_arms(), "multiplier": rational_number(0), "penalty": rational_number("1/4")},
    },
    near_misses={"half as long": half_as_long, "plain dual ascent": {"solver": plain_ascent}},
    note="Proximal descent on a polyhedral dual (Rockafellar 1976) ends after finitely many rounds; the count is ours.",
)
def alm(mdp, multiplier, penalty, *, solver=method_of_multipliers):
    """The method of multipliers solves a constrained model after at most |λ_0 − λ*| / (κ · least slack) rounds.

    Until it does, every round moves the multiplier by κ times the slack of some policy at least.
    """
    g, best = exact.dual_function(mdp), exact.constrained_optimum(mdp)
    tolerance = 0 if is_exact(mdp.P) else 1e-6
    for it in solver(g, multiplier, penalty=penalty):
        solved = abs(it.value - best.value) <= tolerance and it.slack >= -tolerance
        yield {
            k: it.k,
            κ: penalty,
            unsolved: int(not solved),
            least_slack: g.shortest_slope,
            start_off: abs(multiplier - best.multipliers[..., 0]),
        }


# -- Noise and greed ---------------------------------------------------------------------------------------------------

believed = Quantity(r"\mathbb E[\hat Q_c(\hat a)]", "expected estimate of the cost of the action chosen")
paid = Quantity(r"\mathbb E[Q_c(\hat a)]", "its expected cost")
hoped = Quantity(r"\mathbb E[\hat Q_r(\tilde a)]", "expected estimate of the reward, were the noise on the reward")
earned = Quantity(r"\mathbb E[Q_r(\tilde a)]", "its expected reward")
with as_printed():
    optimistic = {"cost": believed <= paid, "reward": earned <= hoped}
    reward_too = hoped <= earned
NOISE = ("-3/10", 0, "3/10")
bandits = constrained_mdps(1, 3, families=(family("constrained-bandits", constrained_bandits, K=3),), discounts=(0,))


@theorem(
    optimistic,
    cite="wu2024",
    at="the underestimation of costs",
    source="derived",
    judge=for_all(),
    on={"mdp": bandits, "multiplier": numbers(0, 3)},
    named={"opposed arms": {"mdp": opposed_arms(), "multiplier": rational_number(1)}},
    near_misses={"costs sought": {"sign": -1}, "rewards underestimated too": reward_too},
    note="An action is chosen less often as the noise on its cost grows, so the noise of what is chosen is below zero.",
)
def underestimate(mdp, multiplier, *, sign=1):
    """Greedy choice among noisy estimates underestimates the cost, and overestimates the reward, of what it chooses.

    One state, Q_c = u, independent noise of −3/10, 0 or 3/10 on each estimate; the expectation is a finite sum.
    """
    Q_r, Q_c = mdp.r[..., 0, :], mdp.utilities[..., 0, 0, :]
    weight = sign * expand(multiplier, 1)
    sums = [0, 0, 0, 0]
    noises = list(product(NOISE, repeat=mdp.A))
    for noise in noises:
        ε = rational(noise) if is_exact(mdp.P) else floats(rational(noise))
        by_cost = chosen(Q_r - weight * (Q_c + ε))
        by_reward = chosen(Q_r + ε - weight * Q_c)
        found = (by_cost * (Q_c + ε), by_cost * Q_c, by_reward * (Q_r + ε), by_reward * Q_r)
        sums = [x + total(y) / len(noises) for x, y in zip(sums, found, strict=True)]
    yield dict(zip((believed, paid, hoped, earned), sums, strict=True))


def chosen(x):
    """One-hot of the largest entry, the first of equals."""
    best = np.asarray(x == expand(arrays.largest(x), 1) if x.ndim > 1 else x == arrays.largest(x), dtype=bool)
    return one_hot(best.argmax(axis=-1), x.shape[-1], x)


# -- Conservative critics ----------------------------------------------------------------------------------------------

E = 4  # members of the ensemble, as in the code
Q_true = Quantity("Q_c(s, a)", "action value of the cost")
Q_ucb = Quantity(r"\hat Q_c^{\mathrm{UCB}}(s, a)", "mean of the critics plus k standard deviations")
V_true = Quantity(r"V_c^{\pi}(\mu)", "the policy's cost")
V_ucb = Quantity(r"\mathbb E_{\mu, \pi} \hat Q_c^{\mathrm{UCB}}", "the cost that the critics make of it")
with as_printed():
    covers = {"pointwise": Q_true <= Q_ucb, "for the constraint": V_true <= V_ucb}


def _draw_critics(mdp):
    from hypothesis import strategies as st

    n = E * mdp.S * mdp.A
    entry = st.sampled_from([0, "1/2", "-1/2", -1, "1/5"])
    return st.lists(entry, min_size=n, max_size=n).map(lambda x: rational(x).reshape(E, mdp.S, mdp.A))


critics = Domain(
    _draw_critics,
    lambda rng, mdp: rng.normal(size=(*mdp.batch, E, mdp.S, mdp.A)),
    lambda mdp: rational(np.zeros((*mdp.batch, E, mdp.S, mdp.A), dtype=int)),
)
one_is_high = Assumption(
    r"\max_i \hat Q_c^i \ge Q_c",
    "in every state, for every action, some critic is not below the cost",
    lambda mdp, off: np.asarray((floats(off) >= 0).any(axis=-3).all(axis=(-2, -1))),
    lambda mdp, off: "all critics are below it somewhere",
)


def one_critic_right():
    """One critic is right and three are one too low: the bound with k = 3/2 is attained."""
    off = rational([[[0, 0]], [[-1, -1]], [[-1, -1]], [[-1, -1]]])
    return {"mdp": opposed_arms(), "off": off, "k": rational_number("3/2")}


def over_critics(x):
    return arrays.namespace(x).sum(x, axis=-3)


@theorem(
    covers,
    cite="wu2024",
    at="conservative cost critics",
    source="derived",
    judge=for_all(),
    on={"mdp": constrained_mdps(2, 3), "π": policies, "off": critics, "k": numbers("3/2", 3)},
    given=[one_is_high],
    named={"one critic is right": one_critic_right},
    near_misses={
        "the mean of the critics": {"scale": 0},
        "k = 1/2, the code's default": {"scale": Rational(1, 3)},
        "all critics may be low": Without(one_is_high),
    },
    note="For k >= (E − 1)/√E, here 3/2: no member of a sample is further above its mean (Samuelson 1968).  What is "
    "above the cost pointwise is so in the mean, so a constraint that holds for it holds.",
)
def ucb(mdp, π, off, k, *, scale=1):
    """If one of four critics is not too low, their mean plus 3/2 deviations is a cost that is safe to constrain.

    The standard deviation is the unbiased one, as in the code.
    """
    Q = -exact.payoff_action_values(mdp, π)[..., 1, :, :]
    members = Q[..., None, :, :] + off
    mean = over_critics(members) / E
    apart = members - mean[..., None, :, :]
    σ = arrays.sqrt(over_critics(apart * apart) / (E - 1))
    width = expand(k, 2) * (rational_number(scale) if is_exact(mdp.P) else float(scale))
    bound = mean + width * σ
    yield {
        Q_true: Q,
        Q_ucb: bound,
        V_true: expand(total(mdp.start * total(π * Q)), 2),
        V_ucb: expand(total(mdp.start * total(π * bound)), 2),
    }
