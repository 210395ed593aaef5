"""Li, Lan and Zhao (2022), First-order Policy Optimization for Robust Markov Decision Process."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from mdplab import arrays
from mdplab.arrays import largest, log_softmax, one_hot, smallest, sup, total
from mdplab.exact.robust import kernel_visits, robust_optimum, worst_action_values, worst_case
from mdplab.instances import logits, numbers
from mdplab.instances.robust import robust_mdps
from mdplab.solvers import robust_mirror_descent
from mdplab.theorem import Assumption, Quantity, as_printed, for_all, positive_start, theorem

# ---------------------------------------------------------------------------------------------------------- the letters

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
k = Quantity("k", "updates so far", integer=True)
η = Quantity(r"\eta", "step size", accuracy="exact")
v_k = Quantity("v_k(s)", "worst cost of the k-th policy")
v_next = Quantity("v_{k+1}(s)", "worst cost of the next one")
loss = Quantity(r"\lVert v_k - v^* \rVert_\infty", "what the k-th policy costs too much")
loss_next = Quantity(r"\lVert v_{k+1} - v^* \rVert_\infty", "what the next one does")
surprise = Quantity(r"\kappa_k", "largest −log π_k of a greedy action", accuracy="absolute")

models = robust_mdps("L1Ball", "Segments", sizes=((3, 2),))
started = robust_mdps("L1Ball", "Segments", positive_start=True, sizes=((3, 2),))
positive_discount = Assumption(r"\gamma > 0", "the discount is positive", lambda mdp: mdp.discount > 0)


def greedy_of(q):
    """One-hot of the first best action; balls by their middle."""
    middle = arrays.floats(q) if arrays.is_exact(q) else q
    return one_hot(np.asarray(middle).argmin(axis=-1), q.shape[-1], q)


with as_printed():
    steps = {
        "monotone": v_next <= v_k,
        "contracts": loss_next <= γ * loss + surprise / η,
    }
    contracts_for_free = loss_next <= γ * loss
    contracts_twice = loss_next <= γ**2 * loss + surprise / (10 * η)


@theorem(
    steps,
    cite="li2022",
    at="monotonicity as a lemma; the contraction derived",
    source="derived",
    judge=for_all(k, up_to=3, exactly_up_to=1),
    on={"mdp": models, "θ": logits, "step": numbers("1/10", 100)},
    near_misses={
        "without the surprise": contracts_for_free,
        "a tenth of the surprise": contracts_twice,
    },
    note="Monotonicity as a public set of notes quotes it.",
)
def monotone_and_contracting(mdp, θ, step, *, solver=robust_mirror_descent):
    """A mirror step never makes a state cost more, and comes as near to the optimum as policy iteration but for κ/η.

    π_{k+1} ∝ π_k exp(−η q_k), q_k the worst-case action values, κ_k the largest −log π_k of a greedy action.
    """
    best = robust_optimum(mdp).v
    for it, after in pairwise(solver(mdp, θ, step_size=step)):
        yield {
            k: it.k,
            γ: mdp.discount,
            η: step,
            v_k: it.v,
            v_next: after.v,
            loss: sup(it.v - best),
            loss_next: sup(after.v - best),
            surprise: largest(-total(greedy_of(it.q) * it.log_π)),
        }


first_loss = Quantity(r"\lVert v_0 - v^* \rVert_\infty", "what the first policy costs too much")
with as_printed():
    rate = loss <= γ**k * (first_loss + 1 / (1 - γ))
    rate_without_horizon = loss <= γ**k * first_loss


def growing(mdp):
    """η_k = κ_k / γ^(2k + 2), the step of the rate with c_0 = 1; at least 1e-9, for a policy that is greedy already."""

    def step(n, log_π, q):
        κ = largest(-total(greedy_of(q) * log_π))
        least = arrays.rational_number("1/1000000000") if arrays.is_exact(κ) else 1e-9
        return arrays.maximum(κ, 0 * κ + least) / mdp.discount ** (2 * n + 2)

    return step


def constant(mdp):
    """A hundredth, always."""
    return 0 * mdp.P[..., 0, 0, 0] + (arrays.rational_number("1/100") if arrays.is_exact(mdp.P) else 0.01)


@theorem(
    rate,
    cite="li2022",
    at="linear convergence with growing steps",
    source="derived",
    judge=for_all(k, up_to=10, exactly_up_to=1),
    on={"mdp": models, "θ": logits},
    given=[positive_discount],
    near_misses={"without 1 / (1 − γ)": rate_without_horizon, "steps that do not grow": {"steps": constant}},
    uses=["li2022.monotone_and_contracting"],
)
def rpmd_rate(mdp, θ, *, steps=growing):
    """With steps κ_k / γ^(2k + 2) robust mirror descent converges linearly at the rate γ."""
    best, first = robust_optimum(mdp).v, None
    for it in robust_mirror_descent(mdp, θ, step_size=steps(mdp)):
        here = sup(it.v - best)
        first = here if first is None else first
        yield {k: it.k, γ: mdp.discount, loss: here, first_loss: first}


f_loss = Quantity("(f_k - f^*)", "what the k-th policy costs too much from the start")
f_next = Quantity("(f_{k+1} - f^*)", "what the next one does")
M = Quantity("M", "one over the smallest start probability, at least every mismatch", accuracy="relative")
before = Quantity(
    r"\mathbb E_{s \sim d^{\pi^*, u_k}_\rho} \mathrm{KL}(\pi^* \,\|\, \pi_k)(s)", "divergence of the k-th policy"
)
after_ = Quantity(
    r"\mathbb E_{s \sim d^{\pi^*, u_k}_\rho} \mathrm{KL}(\pi^* \,\|\, \pi_{k+1})(s)", "divergence of the next one"
)
with as_printed():
    one_step = f_next <= (1 - (1 - γ) / M) * f_loss + 1 / (M * η) * (before - after_)
    one_step_faster = f_next <= (1 - 1 / M) * f_loss + 1 / (M * η) * (before - after_)
    one_step_for_free = f_next <= (1 - (1 - γ) / M) * f_loss


@theorem(
    one_step,
    cite="li2022",
    at="the recursion of the linear rate",
    source="recalled",
    judge=for_all(k, up_to=12, exactly_up_to=1),
    on={"mdp": started, "θ": logits, "step": numbers("1/10", 10)},
    given=[positive_start],
    near_misses={"1 − 1/M": one_step_faster, "without divergences": one_step_for_free},
    note="As a public set of notes quotes it; for any deterministic optimal policy and any worst kernel u_k.",
)
def rpmd_onestep(mdp, θ, step):
    """One mirror step shrinks the loss by 1 − (1 − γ)/M, up to what it gains in divergence from an optimal policy."""
    best = robust_optimum(mdp)
    at_best = total(mdp.start * best.v)
    for it, after in pairwise(robust_mirror_descent(mdp, θ, step_size=step)):
        u = worst_case(mdp, it.π).kernel
        d = (1 - mdp.γ(1)) * kernel_visits(mdp, best.policy, u)
        yield {
            k: it.k,
            γ: mdp.discount,
            η: step,
            M: 1 / smallest(mdp.start),
            f_loss: total(mdp.start * it.v) - at_best,
            f_next: total(mdp.start * after.v) - at_best,
            before: -total(d * total(best.policy * it.log_π)),
            after_: -total(d * total(best.policy * after.log_π)),
        }


rise = Quantity(r"(v_{\pi'} - v_\pi)(s)", "what the other policy costs more at worst")
linear = Quantity(
    r"\tfrac{1}{1 - \gamma} \mathbb E_{s' \sim d^{\pi', u_{\pi'}}_s} \langle q_\pi, \pi' - \pi \rangle",
    "the same to first order, where the other policy goes",
)
descent = Quantity(
    r"\tfrac{1}{1 - \gamma} \mathbb E_{s' \sim d^{\pi^*, u_\pi}_s} \langle q_\pi, \pi - \pi^* \rangle",
    "first-order loss where an optimal policy goes",
)
above = Quantity(r"(v_\pi - v^*)(s)", "what the policy costs too much")
with as_printed():
    differences = {"upper": rise <= linear, "lower": descent >= above}
    differences_reversed = rise >= linear
    descent_reversed = descent <= above


def from_each(mdp, π, p):
    """Σ_t γ^t P(s_t = ·) from every state: the inverse of I − γ P_π;  (..., S, S)."""
    return np.stack([kernel_visits(mdp, π, p, one) for one in _starts(mdp)], axis=-2)


def _starts(mdp):
    rows = arrays.identity_like(mdp.P[..., 0, 0, :, None] * mdp.P[..., 0, 0, None, :])
    return [np.broadcast_to(rows[s], mdp.start.shape) for s in range(mdp.S)]


@theorem(
    differences,
    cite="li2022",
    at="the two lemmas on performance differences",
    source="recalled",
    judge=for_all(),
    on={"mdp": robust_mdps("L1Ball", sizes=((3, 2),)), "θ": logits, "other": logits},
    near_misses={"the first as a lower bound": differences_reversed, "the second as an upper bound": descent_reversed},
    note="As a public set of notes quotes them.",
)
def performance_difference(mdp, θ, other):
    """The worst kernel of one policy is not that of another: performance differences become two inequalities."""
    π, other = arrays.exp(log_softmax(θ)), arrays.exp(log_softmax(other))
    case, case_other, best = worst_case(mdp, π), worst_case(mdp, other), robust_optimum(mdp)
    q = worst_action_values(mdp, case.v)
    change = total(q * (other - π))
    lack = total(q * (π - best.policy))
    yield {
        rise: case_other.v - case.v,
        linear: total(from_each(mdp, other, case_other.kernel) * change[..., None, :]),
        descent: total(from_each(mdp, best.policy, case.kernel) * lack[..., None, :]),
        above: case.v - best.v,
    }
