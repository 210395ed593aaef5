"""Tomar, Shani, Efroni and Ghavamzadeh (2020), Mirror Descent Policy Optimization.

The objectives are read in the authors' code, the paper's text was not at hand; rates with constants are derived.
"""

from itertools import count, islice

from sympy import Eq

from mdplab.arrays import exp, expand, log, log_softmax, rational_number, softmax, total
from mdplab.exact import advantages, divergence, gap, occupancy, optimum, soft_action_values, softmax_gradient
from mdplab.instances import (
    changed_policies,
    discounted_mdps,
    distributions,
    logits,
    numbers,
    policies,
    two_by_two,
    two_by_two_logits,
)
from mdplab.solvers import entropy_natural_pg, mdpo, mirror_descent
from mdplab.theorem import Quantity, as_printed, for_all, identity, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
t = Quantity(r"t_k", "step size of the update", accuracy="exact")
η = Quantity(r"\eta", "step size of the gradient steps inside an update", accuracy="exact")
k = Quantity("k", "number of updates", integer=True)

# -- One update --------------------------------------------------------------------------------------------------------

change = Quantity(
    r"\log \pi_{k+1}(a|s) - \log \pi_k(a|s)",
    "change of the logarithm of the policy, its mean over the actions taken off",
)
slope = Quantity(
    r"\frac{\partial V^{\pi_\theta}(\mu)}{\partial \theta(s, a)}", "derivative of the value at the start in one logit"
)
with as_printed():
    policy_gradient = Eq(change, η * (1 - γ) * slope)
    without_horizon = Eq(change, η * slope)
    divided = Eq(change, η * (1 - γ) * slope / t)


def steps_inside(m):
    """The solver with m gradient steps in each update."""

    def run(mdp, θ, **options):
        return mdpo(mdp, θ, inner_steps=m, **options)

    return run


one_step_inside = steps_inside(1)


@theorem(
    policy_gradient,
    cite="mdpo2020",
    at="Section 4.1, on-policy MDPO",
    source="derived",
    judge=identity(),
    on={"mdp": discounted_mdps(), "θ": logits, "t_k": numbers("1/10", 1), "step": numbers("1/10", 1)},
    named={"two by two": {"mdp": two_by_two(), "θ": two_by_two_logits()}},
    near_misses={
        "without (1 − γ)": without_horizon,
        "divided by t": divided,
        "two steps inside": {"solver": steps_inside(2)},
    },
    note="The divergence has no slope at the old policy: with one step inside, whatever t, nothing of mirror descent "
    "is left.  The same holds for TRPO, PPO, SPO and DPO (ml2022.drift).",
)
def first_step(mdp, θ, t_k, step, *, solver=one_step_inside):
    """The first gradient step of an update is a step of policy gradient."""
    old, new = islice(solver(mdp, θ, step_sizes=[t_k], inner_step_size=step), 2)
    moved, gradient = new.log_π - old.log_π, softmax_gradient(mdp, old.π)
    yield {
        γ: expand(mdp.discount, 2),
        η: expand(step, 2),
        t: expand(t_k, 2),
        change: moved - total(moved)[..., None] / mdp.A,
        slope: gradient,
    }


objective = Quantity(
    r"\sum_a \pi(a|s) A^{\pi_k}(s, a) - \tfrac{1}{t_k} \mathrm{KL}(\pi \Vert \pi_k)", "proximal objective"
)
best = Quantity(r"\tfrac{1}{t_k} \log \sum_a \pi_k(a|s) e^{t_k A^{\pi_k}(s, a)}", "its maximum")
away = Quantity(r"\mathrm{KL}(\pi \Vert \pi_{k+1})", "divergence of the maximiser from a policy")
with as_printed():
    three_points = Eq(objective, best - away / t)
    without_divergence = Eq(objective, best)
    without_t = Eq(objective, best - away)


@theorem(
    three_points,
    cite="mdpo2020",
    at="Equation 9, the exact update",
    source="derived",
    judge=identity(),
    on={"mdp": discounted_mdps(), "π": policies, "new": changed_policies(), "t_k": numbers("1/10", 5)},
    near_misses={"without the divergence": without_divergence, "the divergence not divided by t": without_t},
    note="So π_{k+1} ∝ π_k exp(t_k A) is the one maximiser.",
)
def exact_update(mdp, π, new, t_k):
    """The proximal objective of any policy falls short of the maximum by its divergence from π_k exp(t_k A)."""
    A = advantages(mdp, π)
    weights = total(π * exp(expand(t_k, 2) * A))
    yield {
        t: expand(t_k, 1),
        objective: total(new * A) - divergence(new, π) / expand(t_k, 1),
        best: log(weights) / expand(t_k, 1),
        away: divergence(new, softmax(log(π) + expand(t_k, 2) * A)),
    }


new_log = Quantity(r"\log \pi_{k+1}(a|s)", "logarithm of the policy that natural policy gradient with entropy comes to")
off_policy = Quantity(
    r"\log \frac{\pi_k(a|s)^{1 - \lambda t} e^{t Q_\lambda(s, a)}}{Z(s)}", "the exact update of off-policy MDPO"
)
plain_power = Quantity(
    r"\log \frac{\pi_k(a|s) e^{t Q_\lambda(s, a)}}{Z(s)}", "the same without the decay of the old policy"
)
with as_printed():
    same_update = Eq(new_log, off_policy)
    no_decay = Eq(new_log, plain_power)


@theorem(
    same_update,
    cite="mdpo2020",
    at="Section 4.2, off-policy MDPO",
    source="derived",
    judge=identity(),
    on={"mdp": discounted_mdps(), "θ": logits, "λ_": numbers("1/10", 1), "share": numbers("1/20", 1)},
    named={"two by two": {"mdp": two_by_two(), "θ": two_by_two_logits()}},
    near_misses={"without the decay": no_decay, "a step twice as long": {"factor": 2}},
    note="t = η / (1 − γ) and λ = τ; here t = share / λ, the longest step being 1 / λ.",
)
def soft(mdp, θ, λ_, share, *, factor=1):
    """The exact update of off-policy MDPO with entropy is natural policy gradient with entropy."""
    log_π, t_ = log_softmax(θ), expand(share / λ_, 2)
    _, then = islice(entropy_natural_pg(mdp, θ, temperature=λ_, step_size=share / λ_ * (1 - mdp.discount)), 2)
    q = soft_action_values(mdp, log_π, λ_)
    yield {
        new_log: then.log_π,
        off_policy: log_softmax((1 - expand(λ_, 2) * t_) * log_π + factor * t_ * q),
        plain_power: log_softmax(log_π + t_ * q),
    }


# -- Steps that shrink -------------------------------------------------------------------------------------------------

δ = Quantity(r"\delta_k(\rho)", "what the k-th policy loses from ρ", accuracy="relative")
δ_0 = Quantity(
    r"\delta_0(d^{\pi^\star}_\rho)", "what the first policy loses from where the optimal one goes", accuracy="relative"
)
D_0 = Quantity("D_0", "divergence of the first policy from an optimal one, where that one goes", accuracy="relative")
t_0 = Quantity("t_0", "first step size", accuracy="exact")
steps_so_far = Quantity(r"\sum_{j \le k} t_j", "sum of step sizes", accuracy="relative")
with as_printed():
    shrinking = δ <= (D_0 + t_0 * δ_0) / ((1 - γ) * steps_so_far)
    without_first_gap = δ <= D_0 / ((1 - γ) * steps_so_far)
    without_divergence_at_all = δ <= t_0 * δ_0 / ((1 - γ) * steps_so_far)
    horizon_less = δ <= (D_0 + t_0 * δ_0) / steps_so_far


def one_over_root(first):
    """t_0 / √(k + 1) as rationals near enough: t_0 / 2^⌈log₂(k + 1) / 2⌉ falls as fast."""
    for n in count():
        yield first / 2 ** ((n.bit_length() + 1) // 2)


@theorem(
    shrinking,
    cite="mdpo2020",
    at="Section 3; Shani et al. (2020), with explicit constants",
    source="derived",
    judge=for_all(k, up_to=100, exactly_up_to=3),
    on={"mdp": discounted_mdps(), "θ": logits, "ρ": distributions, "first": numbers("1/100", 10)},
    named={
        "a short step": {"mdp": two_by_two(), "θ": two_by_two_logits(), "first": rational_number("1/100")},
        "two by two": {"mdp": two_by_two(), "θ": two_by_two_logits(), "first": rational_number(1)},
    },
    near_misses={
        "without the first gap": without_first_gap,
        "without the divergence": without_divergence_at_all,
        "without 1 / (1 − γ)": horizon_less,
    },
    trivial=1 / (1 - γ),
    uses=["xiao2022.const"],
    note="For any steps that do not grow; here they fall as 1/√k, so the bound does too.",
)
def decreasing(mdp, θ, ρ, first):
    """With steps that do not grow, mirror descent loses at most a constant over their sum."""
    target = optimum(mdp)
    d, log_π = occupancy(mdp, target.policy, ρ), log_softmax(θ)
    constants = {γ: mdp.discount, t_0: first, D_0: -total(d * total(target.policy * log_π))}
    so_far = 0 * first
    for x, length in zip(
        mirror_descent(mdp, log_π, step_sizes=one_over_root(first)), one_over_root(first), strict=False
    ):
        if x.k == 0:
            constants[δ_0] = gap(mdp, x.π, target, d)
        so_far = so_far + length
        if x.k < 12 or x.k % 10 == 0:
            yield constants | {k: x.k, δ: gap(mdp, x.π, target, ρ), steps_so_far: so_far}
