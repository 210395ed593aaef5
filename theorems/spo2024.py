"""Xie et al. (2025), Simple Policy Optimization: what a squared penalty on the ratio keeps within bounds.

The paper's text was not at hand; the objective is read in the authors' code.
"""

import numpy as np
from sympy import Abs, Eq, Rational

from mdplab.arrays import expand, rational, rational_number, total
from mdplab.exact import advantages, occupancy, total_variation
from mdplab.instances import bandits, changed_policies, discounted_mdps, numbers, policies
from mdplab.models import bandit
from mdplab.solvers import penalised_maximiser
from mdplab.theorem import Quantity, as_printed, for_all, identity, theorem

ε = Quantity(r"\epsilon", "where a ratio should stop, as its distance from one", accuracy="exact")
r = Quantity("r", "ratio of the new to the old probability", accuracy="exact")
A = Quantity("A", "advantage", accuracy="exact")
sign = Quantity(r"\operatorname{sign} A", "sign of the advantage", accuracy="exact")

with as_printed():
    peak = Eq(
        r * A - Abs(A) / (2 * ε) * (r - 1) ** 2,
        A + Rational(1, 2) * ε * Abs(A) - Abs(A) / (2 * ε) * (r - (1 + ε * sign)) ** 2,
    )
    peak_twice_as_high = Eq(
        r * A - Abs(A) / (2 * ε) * (r - 1) ** 2, A + ε * Abs(A) - Abs(A) / (2 * ε) * (r - (1 + ε * sign)) ** 2
    )
    peak_twice_as_far = Eq(
        r * A - Abs(A) / (2 * ε) * (r - 1) ** 2,
        A + Rational(1, 2) * ε * Abs(A) - Abs(A) / (2 * ε) * (r - (1 + 2 * ε * sign)) ** 2,
    )


def signs(x):
    """−1, 0 or 1 in the arithmetic of x."""
    found = np.sign(np.asarray(x, dtype=float) if not hasattr(x, "p") else float(x.p))
    return rational_number(int(found)) if hasattr(x, "p") else found


@theorem(
    peak,
    cite="spo2024",
    at="Section 4, the objective",
    source="derived",
    judge=identity(),
    on={"mdp": bandits(2), "ratio": numbers(0, 3), "advantage": numbers(-5, 5), "clip": numbers("1/100", "9/10")},
    near_misses={"twice as high": peak_twice_as_high, "twice as far": peak_twice_as_far},
    note="A statement about numbers; the bandit that comes first only says how many of them there are.",
)
def point(mdp, ratio, advantage, clip):
    """For one action the objective is a parabola with its top at r = 1 + ε sign A, of height A + ε |A| / 2."""
    yield {r: ratio, A: advantage, ε: clip, sign: signs(advantage)}


mean_tv = Quantity(r"\mathbb E_{s \sim d^\pi} \mathrm{TV}(s)", "mean total variation of the two policies")
mean_ratio = Quantity(r"\mathbb E_{s \sim d^\pi, a \sim \pi} |r - 1|", "mean distance of the ratio from one")
with as_printed():
    half_of_ratio = Eq(mean_tv, Rational(1, 2) * mean_ratio)
    all_of_ratio = Eq(mean_tv, mean_ratio)


@theorem(
    half_of_ratio,
    cite="spo2024",
    at="Section 3",
    source="recalled",
    judge=identity(),
    on={"mdp": discounted_mdps(rewards="any"), "π": policies, "new": changed_policies()},
    named={"a step aside": lambda: step_aside()},
    near_misses={"without the half": all_of_ratio},
    uses=["cpo2017.thm1"],
)
def tv(mdp, π, new):
    """The mean total variation is half the mean distance of the ratio from one, so the bounds of CPO apply."""
    d = occupancy(mdp, π)
    yield {
        mean_tv: total(d * total_variation(π, new)),
        mean_ratio: total(d * total(π * abs(new / π - 1))),
    }


def step_aside():
    """A bandit; from the uniform policy to one that takes the first arm with 3/4."""
    half = rational([["1/2", "1/2"]])
    return {"mdp": bandit(rational([1, 0])), "π": half, "new": rational([["3/4", "1/4"]])}


spread = Quantity(r"\sum_a \pi(a|s) |A(s, a)| (r_a - 1)^2", "squared distance of ratios from one, by advantage")
size = Quantity(r"\sum_a \pi(a|s) |A(s, a)|", "mean size of an advantage")
with as_printed():
    rms_bound = spread <= ε**2 * size
    half_rms = spread <= ε**2 / 2 * size
    cubed = spread <= ε**3 * size


@theorem(
    rms_bound,
    cite="spo2024",
    at="the maximiser of the objective on the simplex",
    source="derived",
    judge=for_all(),
    on={"mdp": discounted_mdps(rewards="any"), "π": policies, "clip": numbers("1/100", "9/10")},
    near_misses={"half of it": half_rms, "the cube of ε": cubed},
    note="From the conditions of Karush, Kuhn and Tucker.  What does hold where |r − 1| <= ε does not.",
)
def rms(mdp, π, clip):
    """At the best policy ratios are within ε of one on average, advantages being the weights."""
    Adv = advantages(mdp, π)
    ratio = penalised_maximiser(π, Adv, clip) / π
    yield {ε: expand(clip, 1), spread: total(π * abs(Adv) * (ratio - 1) ** 2), size: total(π * abs(Adv))}


distance = Quantity(r"|r_a - 1|", "distance of a ratio from one")
with as_printed():
    pointwise = distance <= ε


def small_advantage():
    """Rewards 1, 0 and 1/2, the third taken rarely: its ratio carries what the two others leave."""
    return {
        "mdp": bandit(rational([1, 0, "1/2"])),
        "π": rational([["3/5", "3/10", "1/10"]]),
        "clip": rational_number("1/5"),
    }


@theorem(
    pointwise,
    cite="spo2024",
    at="the same, action by action",
    source="derived",
    status="refuted",
    judge=for_all(),
    on={"mdp": discounted_mdps(rewards="any"), "π": policies, "clip": numbers("1/100", "9/10")},
    named={"small advantage": small_advantage},
    note="The objective has its peak at |r − 1| = ε for each action alone; probabilities must sum to one, and actions "
    "of small advantage give way.  spo2024.rms is what holds.",
)
def every_ratio(mdp, π, clip):
    """At the best policy every ratio is within ε of one: false."""
    yield {ε: expand(clip, 2), distance: abs(penalised_maximiser(π, advantages(mdp, π), clip) / π - 1)}
