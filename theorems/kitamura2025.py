"""Kitamura et al. (2024, arXiv 2408.16286), near-optimal policies of robust constrained problems."""

from __future__ import annotations

from mdplab.arrays import floats, is_exact, smallest
from mdplab.exact.robust import policy_cost_gradient, worst_case
from mdplab.instances.robust import best_of_two_kernels, two_kernels
from mdplab.theorem import Quantity, as_printed, for_all, positive_start, theorem
from theorems.wang2023 import advantage_of_deviating, only, trapped

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
D = Quantity("D", "one over the smallest start probability, at least every mismatch", accuracy="relative")
gap = Quantity(r"\Delta(\pi) - \min \Delta", "how much more than necessary the worst constraint is exceeded")
deviation = Quantity(
    r"\max_{\pi'} \langle \pi - \pi', g \rangle", "what the best deviation gains by one subgradient g of Δ at π"
)
with as_printed():
    dominated = gap <= D / (1 - γ) * deviation


@theorem(
    dominated,
    cite="kitamura2025",
    at="Theorem 4, for finite sets of kernels",
    source="recalled",
    status="refuted",
    judge=for_all(),
    on={"mdp": only(two_kernels), "π": only(lambda: trapped()["π"])},
    given=[positive_start],
    named={"two kernels": trapped},
    note="As a public set of notes quotes it; one cost, bound zero. Found false by us, on the instance of wang2023.",
)
def thm4(mdp, π):
    """The largest excess over costs and kernels of a finite set is dominated by each of its subgradients: false.

    A subgradient is a mixture of gradients under worst kernels; at the trap one of them vanishes on the policies.
    """
    reference = best_of_two_kernels() if is_exact(mdp.P) else floats(best_of_two_kernels())
    g, h = (policy_cost_gradient(mdp, π, p) for p in (mdp.P, mdp.ambiguity.others[..., 0, :, :, :]))
    tilts = [x[..., 1, 0] - x[..., 1, 1] for x in (g, h)]
    w = tilts[1] / (tilts[1] - tilts[0])
    yield {
        γ: mdp.discount,
        D: 1 / smallest(mdp.start),
        gap: worst_case(mdp, π).cost - worst_case(mdp, reference).cost,
        deviation: advantage_of_deviating(π, w * g + (1 - w) * h),
    }
