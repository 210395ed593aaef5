"""Kuba, Schroeder de Witt and Foerster (2022), Mirror Learning: drifts, and the improvement that follows from them.

The paper's text was not at hand: definitions are recalled, the drift of Lu et al. (2022) is read in their code.
"""

import numpy as np
from sympy import Abs, Min, Rational

from mdplab.arrays import (
    exp,
    expand,
    is_exact,
    log,
    maximum,
    minimum,
    namespace,
    rational,
    rational_number,
    smallest,
    softmax,
    total,
)
from mdplab.exact import advantages, divergence, values
from mdplab.instances import (
    bandits,
    changed_policies,
    discounted_mdps,
    distributions,
    numbers,
    policies,
    two_armed_bandit,
)
from mdplab.models import bandit
from mdplab.solvers import clipped_maximiser, penalised_maximiser
from mdplab.theorem import Quantity, as_printed, for_all, theorem

# -- Drifts ------------------------------------------------------------------------------------------------------------

r = Quantity("r", "ratio of the new to the old probability", accuracy="exact")
A = Quantity("A", "advantage", accuracy="exact")
kl_new = Quantity(r"r \log r - r + 1", "drift of KL(π' ‖ π)")
kl_old = Quantity(r"r - 1 - \log r", "drift of KL(π ‖ π')")
ppo = Quantity(r"\mathrm{ReLU}([r - \mathrm{clip}(r)] A)", "drift of clipping, ε = 1/5")
spo = Quantity(r"\tfrac{|A|}{2 \epsilon} (r - 1)^2", "drift of simple policy optimisation, ε = 1/5")
dpo = Quantity(r"f(r, A)", "drift of discovered policy optimisation")
α = Quantity(r"\alpha", "its width for good actions; the authors take 2", accuracy="exact")
β = Quantity(r"\beta", "its width for bad actions; the authors take 3/5", accuracy="exact")
dpo_without_relu = Quantity(r"f_0(r, A)", "the same without ReLU")
kink = Quantity(r"|A| |r - 1|", "a distance with a kink")


def hyperbolic_tangent(x):
    """tanh x."""
    return 1 - 2 / (exp(2 * x) + 1) if is_exact(x) else namespace(x).tanh(x)


def discovered(ratio, advantage, up, down):
    """f(r, A) before its ReLU, with α = `up` for good actions and β = `down` for bad ones."""
    x, y = (ratio - 1) * advantage, advantage * log(ratio)
    xp = namespace(advantage)
    good = np.asarray(advantage >= 0, dtype=bool) if is_exact(advantage) else advantage >= 0
    z, width = xp.where(good, x, y), xp.where(good, up, down)
    return z - width * hyperbolic_tangent(z / width)


def relu(x):
    """max(x, 0)."""
    return maximum(x, 0 * x)


with as_printed():
    nowhere_negative = {
        "KL(new, old) ≥ 0": kl_new >= 0,
        "KL(old, new) ≥ 0": kl_old >= 0,
        "PPO ≥ 0": ppo >= 0,
        "SPO ≥ 0": spo >= 0,
        "DPO ≥ 0": dpo >= 0,
    }
    flat_at_one = {
        "KL(new, old) flat": kl_new <= (r - 1) ** 2,
        "KL(old, new) flat": kl_old <= 2 * (r - 1) ** 2,
        "PPO flat": ppo <= 5 * Abs(A) * (r - 1) ** 2,
        "SPO flat": spo <= 5 * Abs(A) * (r - 1) ** 2,
        "DPO flat to third order": dpo <= Rational(8, 3) * Abs(A * (r - 1)) ** 3 / Min(α, β) ** 2,
    }
    dpo_fourth_order = dpo <= Abs(A * (r - 1)) ** 4 / Min(α, β) ** 3
    kink_flat = kink <= 5 * Abs(A) * (r - 1) ** 2
    kl_flatter = kl_new <= (r - 1) ** 2 / 3
    without_relu = dpo_without_relu >= 0


def at(ratio, advantage):
    """Numbers in rationals, and the authors' widths."""
    numbers_ = {"ratio": ratio, "advantage": advantage, "up": 2, "down": "3/5"}
    return {"mdp": two_armed_bandit(), **{name: rational_number(x) for name, x in numbers_.items()}}


@theorem(
    nowhere_negative | flat_at_one,
    cite="ml2022",
    at="Definition 1; Lu et al. (2022), Theorem 1",
    source="recalled",
    judge=for_all(),
    on={
        "mdp": bandits(2),
        "ratio": numbers("1/2", "3/2"),
        "advantage": numbers(-5, 5),
        "up": numbers("1/5", 5),
        "down": numbers("1/5", 5),
    },
    named={"a step down": at("3/4", 1), "a small step": at("101/100", 1)},
    near_misses={
        "a kink": kink_flat,
        "a third in place of 1": kl_flatter,
        "DPO without ReLU": without_relu,
        "DPO flat to fourth order": dpo_fourth_order,
    },
    note="Not negative, zero at r = 1, and at most a constant times (r − 1)² for r in [1/2, 3/2], so that the "
    "derivative is zero at r = 1.  About numbers; the bandit that comes first only says how many there are.",
)
def drift(mdp, ratio, advantage, up, down):
    """The penalties of TRPO, PPO, SPO and DPO are drifts: not negative, and flat at the old policy."""
    one = 0 * mdp.r[..., 0, :1] + 1
    ratio, advantage, up, down = (expand(x, 1) * one for x in (ratio, advantage, up, down))
    clip = minimum(maximum(ratio, 4 * one / 5), 6 * one / 5)
    f = discovered(ratio, advantage, up, down)
    yield {
        r: ratio,
        A: advantage,
        α: up,
        β: down,
        kl_new: ratio * log(ratio) - ratio + 1,
        kl_old: ratio - 1 - log(ratio),
        ppo: relu((ratio - clip) * advantage),
        spo: 5 * abs(advantage) * (ratio - 1) ** 2 / 2,
        dpo: relu(f),
        dpo_without_relu: f,
        kink: abs(advantage) * abs(ratio - 1),
    }


# -- Improvement -------------------------------------------------------------------------------------------------------

gain_kl = Quantity(r"V^{\pi_{\mathrm{KL}}}(s) - V^\pi(s)", "gain of the step with KL(π' ‖ π) / t")
gain_spo = Quantity(r"V^{\pi_{\mathrm{SPO}}}(s) - V^\pi(s)", "gain of the step with the squared ratio")
gain_ppo = Quantity(r"V^{\pi_{\mathrm{PPO}}}(s) - V^\pi(s)", "gain of a maximiser of the clipped objective")
drift_kl = Quantity(r"\mathfrak{D}^{\mathrm{KL}}_\pi(\pi'|s)", "KL(π' ‖ π) / t", accuracy="relative")
drift_spo = Quantity(r"\mathfrak{D}^{\mathrm{SPO}}_\pi(\pi'|s)", "Σ_a π |A| (r − 1)² / (2 ε)")
drift_ppo = Quantity(r"\mathfrak{D}^{\mathrm{PPO}}_\pi(\pi'|s)", "Σ_a π ReLU([r − clip(r)] A)")
with as_printed():
    improves = {"KL": gain_kl >= drift_kl, "SPO": gain_spo >= drift_spo, "PPO": gain_ppo >= drift_ppo}
    three_kl = gain_kl >= 3 * drift_kl
    three_spo = gain_spo >= 3 * drift_spo
    three_ppo = gain_ppo >= 3 * drift_ppo


def three_arms():
    """π = (.5, .3, .2) and rewards (1, .2, 0): the gain of a step of simple policy optimisation is twice its drift."""
    return {
        "mdp": bandit(rational([1, "1/5", 0])),
        "π": rational([["1/2", "3/10", "1/5"]]),
        "t": rational_number("1/100"),
        "clip": rational_number("1/5"),
    }


@theorem(
    improves,
    cite="ml2022",
    at="Theorem 1, monotone improvement",
    source="recalled",
    judge=for_all(),
    on={
        "mdp": discounted_mdps(rewards="any"),
        "π": policies,
        "t": numbers("1/100", 10),
        "clip": numbers("1/100", "9/10"),
    },
    named={"three arms": three_arms},
    near_misses={"three times KL": three_kl, "three times SPO": three_spo, "three times PPO": three_ppo},
    note="Also proved: a maximiser has Σ_a π' Q^π − D >= V^π in each state, and the operator of π' is monotone. "
    "Twice the drift is not refuted by bandits: for the square it is the gain itself.",
)
def mono(mdp, π, t, clip):
    """A policy that maximises Q less a drift in each state gains at least the drift, in every state."""
    Adv, v, ε = advantages(mdp, π), values(mdp, π), expand(clip, 2)
    stepped, simple = softmax(log(π) + expand(t, 2) * Adv), penalised_maximiser(π, Adv, clip)
    bold = clipped_maximiser(π, Adv, clip)
    outside = bold - minimum(maximum(bold, (1 - ε) * π), (1 + ε) * π)
    yield {
        gain_kl: values(mdp, stepped) - v,
        gain_spo: values(mdp, simple) - v,
        gain_ppo: values(mdp, bold) - v,
        drift_kl: divergence(stepped, π) / expand(t, 1),
        drift_spo: total(abs(Adv) * (simple - π) ** 2 / π) / (2 * expand(clip, 1)),
        drift_ppo: total(relu(outside * Adv)),
    }


gain = Quantity(r"V^{\pi'}(s) - V^\pi(s)", "gain of any new policy in a state")
NAMES = {
    "KL(new, old)": r"\mathrm{KL}(\pi' \Vert \pi) / t",
    "KL(old, new)": r"\mathrm{KL}(\pi \Vert \pi') / t",
    "PPO": r"\mathrm{PPO}",
    "SPO": r"\mathrm{SPO}",
    "DPO": r"\mathrm{DPO}",
}
weighted = {
    name: Quantity(rf"(w \mathfrak{{D}})(s)\ [{x}]", f"drift of {name}, times the weight of the state")
    for name, x in NAMES.items()
}
worst = {
    name: Quantity(
        rf"\min_s \left[\textstyle\sum_a \pi' A^\pi - w \mathfrak{{D}}\right]\ [{x}]",
        f"the objective with the drift of {name} in the state where it is least",
    )
    for name, x in NAMES.items()
}
γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
with as_printed():
    any_policy_gains = {name: gain >= weighted[name] + worst[name] / (1 - γ) for name in NAMES}
    without_horizon = gain >= weighted["SPO"] + worst["SPO"]
    drift_twice = gain >= 2 * weighted["SPO"] + worst["SPO"] / (1 - γ)
    drift_twice_old = gain >= 2 * weighted["KL(old, new)"] + worst["KL(old, new)"] / (1 - γ)


@theorem(
    any_policy_gains,
    cite="ml2022",
    at="Theorem 1, monotone improvement, for any policy and sampling weights",
    source="derived",
    status="sharpened",
    judge=for_all(),
    on={
        "mdp": discounted_mdps(rewards="any"),
        "π": policies,
        "new": changed_policies(positive=True),
        "ρ": distributions,
        "t": numbers("1/100", 10),
        "clip": numbers("1/100", "9/10"),
    },
    named={"three arms": lambda: three_arms() | {"new": rational([["3/5", "3/10", "1/10"]])}},
    near_misses={
        "without 1 / (1 − γ)": without_horizon,
        "twice the squared ratio": drift_twice,
        "twice KL(old, new)": drift_twice_old,
    },
    uses=["ml2022.drift"],
    note="Where the objective is nowhere below zero, its value at the old policy, each state gains its weighted drift: "
    "that is ml2022.mono, for KL(π ‖ π') and DPO too.  Proved on the card.",
)
def any_policy(mdp, π, new, ρ, t, clip):
    """Any new policy gains its drift in each state, whatever the state's weight, and the worst objective for ever."""
    Adv, ε, w = advantages(mdp, π), expand(clip, 2), ρ + 0 * mdp.r[..., 0]
    w = w + _tenth(w)  # of all states, as sampling leaves none out
    ratio = new / π
    outside = new - minimum(maximum(new, (1 - ε) * π), (1 + ε) * π)
    drifts = {
        "KL(new, old)": divergence(new, π) / expand(t, 1),
        "KL(old, new)": divergence(π, new) / expand(t, 1),
        "PPO": total(relu(outside * Adv)),
        "SPO": total(abs(Adv) * (new - π) ** 2 / π) / (2 * expand(clip, 1)),
        "DPO": total(π * relu(discovered(ratio, Adv, 0 * Adv + 2, 0 * Adv + _tenth(w) * 6))),
    }
    found = {γ: expand(mdp.discount, 1), gain: values(mdp, new) - values(mdp, π)}
    for name, D in drifts.items():
        found |= {weighted[name]: w * D, worst[name]: expand(smallest(total(new * Adv) - w * D), 1)}
    yield found


def _tenth(like):
    return rational_number("1/10") if is_exact(like) else 0.1
