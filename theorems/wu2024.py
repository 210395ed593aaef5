"""Wu et al. (2024), Off-policy primal-dual safe reinforcement learning (CAL): the augmented Lagrangian, in tables.

The paper's propositions were not at hand; these are derived for the tabular form of its published code.  Utilities are
negative costs, so that the conservative multiplier is λ̃ = [λ − κ h]_+ with h = v_u − (1 − γ) b.
"""

from itertools import islice, product

import numpy as np
from sympy import Abs, Rational

from mdplab import arrays, exact
from mdplab.arrays import expand, floats, is_exact, maximum, one_hot, rational, rational_number, total
from mdplab.instances import Domain, constrained_mdps, crossing, numbers, opposed_arms, paradox, policies
from mdplab.instances.constrained import constrained_bandits, family
from mdplab.models import ConstrainedMDP
from mdplab.solvers import conservative_lagrangian, method_of_multipliers
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, rate, theorem

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


# -- The method of multipliers -----------------------------------------------------------------------------------------

unsolved = Quantity(r"m_k", "one where the k-th round misses the optimum, else zero", accuracy="exact")
start_off = Quantity(r"\lvert \lambda_0 - \lambda^* \rvert", "distance of the first multiplier from an optimal one")
least_slack = Quantity(r"\min_\pi \lvert V_u^\pi - b \rvert", "smallest slack of a deterministic policy, zero left out")
with as_printed():
    finite = unsolved * k * κ * least_slack <= start_off
    half_as_long = unsolved * (k + 1) * κ * least_slack <= start_off / 2

room = Assumption(
    r"\xi > 0",
    "some policy exceeds the constraint (Slater's condition)",
    lambda mdp: np.asarray(floats(exact.slater(mdp))) > (0 if is_exact(mdp.P) else 1e-9),
)


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
