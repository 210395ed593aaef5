"""Kumar et al. (2023), Policy Gradient for Rectangular Robust Markov Decision Processes."""

from __future__ import annotations

import numpy as np
from sympy import Eq

from mdplab.arrays import expand, identity_like, norm, smallest, solve, sup, total, transposed
from mdplab.instances import discounted_mdps, numbers, policies, values
from mdplab.instances.robust import kernels
from mdplab.theorem import Quantity, as_printed, identity, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
d_worst = Quantity(r"d^{\mathrm{worst}}_\mu(s)", "visits under the kernel P − βu")
d_μ = Quantity(r"d_\mu(s)", "nominal visits from μ")
d_u = Quantity(r"d_u(s)", "nominal visits from the signed measure u")
μβ = Quantity(r"\langle d_\mu, \beta^\pi \rangle", "budget met on nominal visits from μ")
uβ = Quantity(r"\langle d_u, \beta^\pi \rangle", "the same from u")
with as_printed():
    rank_one = Eq(d_worst, d_μ - γ * μβ / (1 + γ * uβ) * d_u)
    printed = Eq(d_worst, d_μ - γ * uβ / (1 + γ * uβ) * d_u)


def measured(mdp, π, v, budget):
    """u is v without its mean, at most 1 in size; β(s, a) = budget · (1 + r(s, a))."""
    P, _ = mdp.under(π)
    u = v - expand(total(v) / mdp.S, 1)
    size = sup(u)
    u = u / expand(size + np.asarray(size == 0) * 1, 1)
    β = total(π * (1 + mdp.r)) * expand(budget, 1)
    I = identity_like(P)  # noqa: E741
    M, worst = I - mdp.γ(2) * P, I - mdp.γ(2) * (P - β[..., :, None] * u[..., None, :])
    visits, signed = solve(transposed(M), mdp.start), solve(transposed(M), u)
    yield {
        γ: mdp.discount,
        d_worst: solve(transposed(worst), mdp.start),
        d_μ: visits,
        d_u: signed,
        μβ: total(visits * β),
        uβ: total(signed * β),
    }


on = {"mdp": discounted_mdps(), "π": policies, "v": values, "budget": numbers("1/1000", "1/100")}


@theorem(
    rank_one,
    cite="kumar2023",
    at="visits under the worst kernel of an Lp ball",
    source="derived",
    status="corrected",
    judge=identity(),
    on=on,
    near_misses={"as printed": printed},
    note="Rewards. Any u that sums to zero; the worst kernel has the u of the robust value. "
    "Sherman and Morrison's formula.",
)
def worst_visits(mdp, π, v, budget):
    """A kernel that a multiple of one signed measure perturbs in every row changes visits by a multiple of one vector.

    For rectangular Lp balls of signed rows the worst kernel is of this form.
    """
    yield from measured(mdp, π, v, budget)


def leaning():
    """Two states without symmetry."""
    from mdplab.arrays import rational
    from mdplab.instances import two_by_two

    half = rational([["1/2", "1/2"]] * 2)
    return {"mdp": two_by_two(), "π": half, "v": rational([1, 0]), "budget": rational("1/100")[()]}


@theorem(
    printed,
    cite="kumar2023",
    at="visits under the worst kernel, as a public notebook prints them",
    source="recalled",
    status="refuted",
    judge=identity(),
    on=on,
    named={"two states": leaning},
    note="The notebook has ⟨d_u, β⟩ in the numerator too; whether the paper does is not known to us.",
)
def worst_visits_as_printed(mdp, π, v, budget):
    """The same with the wrong measure in the numerator: false already on two states."""
    yield from measured(mdp, π, v, budget)


# ------------------------------------------------------------------------------------------------- The worst kernel

v_worst = Quantity(r"v^{\pi, P - \beta u}(s)", "value under the kernel P − βu")
v_robust = Quantity("v(s)", "robust value: what a robust backup leaves as it is")
v_other = Quantity(r"v^{\pi, P + \delta}(s)", "value under another kernel of the ball")
with as_printed():
    worst_kernel_claims = {"attained": Eq(v_worst, v_robust), "worst": v_robust <= v_other}
    worst_is_best = v_other <= v_robust


def length(x):
    """Euclidean norm of rows, and one for rows of zeros, which may be divided by."""
    size = norm(x, 1)
    return size, np.where(np.asarray(total(x * x) == 0, dtype=bool), 0 * size + 1, size)


def centred(v):
    """(v − ω) / ‖v − ω‖₂, ω the mean of v."""
    away = v - expand(total(v) / v.shape[-1], 1)
    return away / expand(length(away)[1], 1)


def half_centred(v):
    """Half of it: not all of the budget."""
    return centred(v) / 2


@theorem(
    worst_kernel_claims,
    cite="kumar2023",
    at="worst kernel of an L2 ball",
    source="derived",
    judge=identity(),
    on={"mdp": discounted_mdps(), "π": policies, "v": values, "share": numbers("1/10", 1), "other": kernels},
    near_misses={
        "half of the budget": {"direction": half_centred},
        "an adversary who is kind": {"direction": lambda v: -centred(v)},
        "best in place of worst": worst_is_best,
    },
    note="Rewards; p = 2; β at most the smallest transition probability, so that kernels stay kernels. Rewards are "
    "shifted so that the v drawn is the robust value.",
)
def worst_kernel(mdp, π, v, share, other, *, direction=centred):
    """P − βu is worst among the kernels P + δ with Σδ = 0 and ‖δ‖₂ <= β, u the centred and normalised robust value.

    The robust backup is r + γ (P v − β ‖v − ω‖₂) with ω the mean of v.
    """
    P, r = mdp.under(π)
    β = share * smallest(mdp.P, 3)
    size, _ = length(v - expand(total(v) / mdp.S, 1))
    backup = r + mdp.γ(1) * (total(P * v[..., None, :]) - expand(β * size, 1))
    δ = other - mdp.P
    δ = δ / expand(length(δ)[1], 1) * expand(β, 3)

    def value_under(change):
        kernel = total(transposed(π[..., None] * (mdp.P + change)))
        return solve(identity_like(P) - mdp.γ(2) * kernel, r + v - backup)

    worst = -expand(β, 3) * direction(v)[..., None, None, :] + 0 * mdp.P
    yield {v_worst: value_under(worst), v_robust: v, v_other: value_under(δ)}
