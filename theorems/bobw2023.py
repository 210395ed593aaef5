"""Dann, Wei and Zimmert (2023), Best of Both Worlds Policy Optimization: what is behind it, and the single state."""

from __future__ import annotations

from dataclasses import replace
from itertools import count, islice

import numpy as np
from sympy import Eq, Rational, sqrt

from mdplab.arrays import expand, log, one_hot, rational, rational_number, softmax, total
from mdplab.arrays import sqrt as root
from mdplab.exact import finite_horizon as exact
from mdplab.instances import Domain, bandits, finite_horizon_mdps, layered, logits, numbers, policies
from mdplab.models import FiniteHorizonMDP, bandit
from mdplab.sampling import Draws
from mdplab.solvers import best_of_both_worlds_po, dilated, leader
from mdplab.theorem import Quantity, as_printed, for_all, identity, in_expectation, rate, theorem

episodes = finite_horizon_mdps(everywhere=False)  # their rewards are losses here

# -- differences of values ---------------------------------------------------------------------------------------------

V_t = Quantity(r"V^{\pi_t}(x_0)", "loss of the learner's policy")
V = Quantity(r"V^{\pi}(x_0)", "loss of the comparator")
local = Quantity(r"\sum_x \mu^\pi(x) \langle \pi_t - \pi, Q^{\pi_t} \rangle", "local regrets weighted by its visits")
local_t = Quantity(r"\sum_x \mu^{\pi_t}(x) \langle \pi_t - \pi, Q^{\pi_t} \rangle", "the same by visits of the learner")

with as_printed():
    difference = Eq(V_t - V, local)
    difference_of_learner = Eq(V_t - V, local_t)


def two_steps():
    """Two epochs of two states: where one goes is chosen, and the second state of the second epoch costs."""
    P = rational([[[1, 0], ["1/3", "2/3"]], [["1/4", "3/4"], [0, 1]]])
    losses = rational([[1, 0], [0, "1/2"]]), rational([["1/5", 0], [1, "3/4"]])
    mdp = FiniteHorizonMDP((P,), losses, rational(["1/2", "1/2"]))
    π_t = rational([["1/2", "1/2"], ["1/4", "3/4"], ["1/3", "2/3"], ["4/5", "1/5"]])
    return {"mdp": mdp, "π_t": π_t, "π": rational([["9/10", "1/10"], ["2/3", "1/3"], [0, 1], ["1/10", "9/10"]])}


@theorem(
    difference,
    cite="bobw2023",
    at="performance difference, local regrets",
    source="derived",
    status="folklore",
    judge=identity(),
    on={"mdp": episodes, "π_t": policies, "π": policies},
    named={"two steps": two_steps},
    near_misses={"visits of the learner": difference_of_learner},
)
def pdl(mdp, π_t, π):
    """What a policy loses against another is what it loses in each state, weighted by the visits of the other."""
    lost = total((π_t - π) * exact.action_values(mdp, π_t))
    yield {
        V_t: total(mdp.start * exact.values(mdp, π_t)),
        V: total(mdp.start * exact.values(mdp, π)),
        local: total(exact.visits(mdp, π) * lost),
        local_t: total(exact.visits(mdp, π_t) * lost),
    }


# -- the dilated bonus -------------------------------------------------------------------------------------------------

H = Quantity("H", "number of steps", integer=True)
paid = Quantity(
    r"\sum_x \mu^\pi(x) \sum_a \left[ (\pi_t - \pi) B_t + \pi b_t + \tfrac1H \pi_t B_t \right]",
    "what local bonuses add to the regret of the comparator",
)
at_start = Quantity(r"\pi_t B_t(x_0)", "dilated bonus at the start", accuracy="relative")
V_b = Quantity(r"V^{\pi_t}(x_0; b_t)", "bonuses that the learner itself meets", accuracy="relative")
regret = Quantity(r"V^{\pi_t}(x_0) - V^{\pi}(x_0)", "regret of the episode")
excess = Quantity(
    r"\sum_x \mu^\pi(x) \sum_a \left[ (\pi_t - \pi) (Q_t - B_t) - \pi b_t - \tfrac1H \pi_t B_t \right]",
    "local regrets on Q − B beyond what is granted",
)

with as_printed():
    dilation = {
        "telescope": Eq(paid, (1 + 1 / H) * at_start),
        "growth": (1 + 1 / H) * at_start <= (1 + 1 / H) ** H * V_b,
        "three": (1 + 1 / H) * at_start <= 3 * V_b,
    }
    once = (1 + 1 / H) * at_start <= V_b
    consequence = regret <= excess + 3 * V_b
    consequence_once = regret <= excess + V_b


@theorem(
    dilation,
    cite="bobw2023",
    at="dilated bonus",
    source="derived",
    judge=identity(),
    on={"mdp": episodes, "π_t": policies, "π": policies},
    named={"two steps": two_steps},
    near_misses={"no dilation": {"factor": 1}, "one for three": once},
    note="For any bonus b ≥ 0 of states and actions; here it is the table of losses.  (1 + 1/H)^H < e < 3.",
)
def dilate(mdp, π_t, π, *, factor=None):
    """A dilated bonus pays for itself: what it adds to local regrets is at most three times what the learner meets."""
    b = mdp.rewards
    B = dilated(mdp, π_t, b, factor)
    terms = (π_t - π) * B + π * b + π_t * B / mdp.H
    yield {
        H: mdp.H,
        paid: total(exact.visits(mdp, π) * total(terms)),
        at_start: total(mdp.start * total(π_t * B)),
        V_b: total(mdp.start * exact.values(mdp, π_t)),
    }


def detour():
    """The comparator goes where the bonus is, and the learner one time in ten."""
    P = rational([[[1, 0], [0, 1]]])
    mdp = FiniteHorizonMDP((P,), (rational([[1, 1]]), rational([[0, 0], [0, 0]])))
    π_t, π = (rational([row, ["1/2", "1/2"], ["1/2", "1/2"]]) for row in (["9/10", "1/10"], [0, 1]))
    return {"mdp": mdp, "π_t": π_t, "π": π, "scale": rational_number(1)}


@theorem(
    consequence,
    cite="bobw2023",
    at="from local regrets to regret",
    source="derived",
    judge=for_all(),
    on={"mdp": episodes, "π_t": policies, "π": policies, "scale": numbers("1/10", 4)},
    named={"two steps": lambda: two_steps() | {"scale": rational_number(1)}, "detour": detour},
    near_misses={"one for three": consequence_once, "no dilation": {"factor": 1}},
    uses=["bobw2023.pdl", "bobw2023.dilate"],
    note="After Luo, Wei and Lee (2021), recalled; one episode.  The bonus is a multiple of the losses read backwards.",
)
def bonus(mdp, π_t, π, scale, *, factor=None):
    """If local regrets on Q − B are at most b and the growth of B, the regret is at most thrice the bonuses met."""
    b = expand(scale, 2) * mdp.rewards[..., ::-1, ::-1]
    B = dilated(mdp, π_t, b, factor)
    q, μ = exact.action_values(mdp, π_t), exact.visits(mdp, π)
    yield {
        regret: total(μ * total((π_t - π) * q)),
        excess: total(μ * total((π_t - π) * (q - B) - π * b - π_t * B / mdp.H)),
        V_b: total(exact.visits(mdp, π_t) * total(π_t * b)),
    }


# -- one step of the leader --------------------------------------------------------------------------------------------

η = Quantity(r"\eta", "learning rate", accuracy="exact")
NAMES = {"tsallis": "T", "shannon": "S", "log-barrier": "B"}
stability = {
    name: Quantity(
        rf"\langle w - w', \ell \rangle - D_{{{letter}}}(w', w) / \eta", f"stability term, {name}", accuracy="absolute"
    )
    for name, letter in NAMES.items()
}
POWERS = {"tsallis": r"w^{3/2}", "shannon": "w", "log-barrier": "w^2"}
second = {
    name: Quantity(rf"\sum_a {power} \ell^2", f"local second moment of the losses, {name}", accuracy="relative")
    for name, power in POWERS.items()
}
CONSTANTS = {"tsallis": Rational(1), "shannon": Rational(1, 2), "log-barrier": Rational(1, 2)}

with as_printed():
    stable = {name: stability[name] <= CONSTANTS[name] * η * second[name] for name in NAMES}
    half = {name: stability[name] <= CONSTANTS[name] / 2 * η * second[name] for name in NAMES}


def potential(w, name):
    """Ψ(w), up to a constant;  (..., A) -> (...)."""
    if name == "tsallis":
        return -2 * total(root(w))
    return total(w * log(w)) if name == "shannon" else -total(log(w))


def slope(w, name):
    """−∇Ψ(w): the losses after which the leader is at w, if η = 1;  (..., A) -> (..., A)."""
    if name == "tsallis":
        return 1 / root(w)
    return -log(w) if name == "shannon" else 1 / w


def divergence(v, w, name):
    """D_Ψ(v, w), a sum of non-negative terms;  (..., A), (..., A) -> (...)."""
    if name == "tsallis":
        change = root(v) - root(w)
        return total(change * change / root(w))
    ratio = v / w
    return total(v * log(ratio) - v + w) if name == "shannon" else total(ratio - 1 - log(ratio))


def moment(w, c, name):
    """Σ w^{3/2} c², Σ w c² or Σ w² c²."""
    weight = {"tsallis": lambda: w * root(w), "shannon": lambda: w, "log-barrier": lambda: w * w}[name]()
    return total(weight * c * c)


def stability_of(w, c, L, η, name):
    """⟨w − w', c⟩ − D(w', w) / η for w the leader after L and w' that after L + c."""
    later = leader(L + c, η, name)
    return total((w - later) * c) - divergence(later, w, name) / η


def rare_loss():
    """One of two arms, of probability 1/(1 + e³), loses a little: the bound is nearly attained."""
    return {
        "mdp": bandit(rational([1, 0])),
        "θ": rational([[0, 3]]),
        "scale": rational_number("1/10"),
        "step": rational_number("1/10"),
    }


@theorem(
    stable,
    cite="bobw2023",
    at="stability of one step",
    source="derived",
    status="folklore",
    judge=for_all(),
    on={"mdp": bandits(), "θ": logits, "scale": numbers("1/10", 10), "step": numbers("1/10", 2)},
    named={"rare loss": rare_loss},
    near_misses={f"half, {name}": claim for name, claim in half.items()} | {"gains": {"sign": -3}},
)
def stab(mdp, θ, scale, step, *, sign=1):
    """One step of the regularised leader on losses c >= 0 costs at most their local second moment, times the rate."""
    w, c = softmax(θ[..., 0, :]), sign * expand(scale, 1) * mdp.r[..., 0, :]
    found = {η: step}
    for name in NAMES:
        L = slope(w, name) / expand(step, 1)
        found |= {stability[name]: stability_of(w, c, L, step, name), second[name]: moment(w, c, name)}
    yield found


# -- a run of the leader -----------------------------------------------------------------------------------------------

t = Quantity("t", "rounds", integer=True)
regret_u = {
    name: Quantity(rf"\sum_s \langle w_s - u, \ell_s \rangle_{{{letter}}}", f"regret to u, {name}")
    for name, letter in NAMES.items()
}
penalty = {
    name: Quantity(
        rf"\sum_s (1/\eta_s - 1/\eta_{{s-1}}) (\Psi_{{{letter}}}(u) - \Psi_{{{letter}}}(w_s))", f"penalty, {name}"
    )
    for name, letter in NAMES.items()
}
stabilities = {
    name: Quantity(rf"\sum_s \mathrm{{stab}}_{{s, {letter}}}", f"stability terms, {name}")
    for name, letter in NAMES.items()
}

with as_printed():
    ftrl_claims = {name: regret_u[name] <= penalty[name] + stabilities[name] for name in NAMES}
    without_stability = {name: regret_u[name] <= penalty[name] for name in ("tsallis", "shannon")}


def importance_weighted(mdp, w, s):
    """In round s arm s mod A is played: c_s = r(a) / (w(a) + 1/10) there and zero elsewhere."""
    arm = np.full(mdp.batch, s % mdp.A)
    return one_hot(arm, mdp.A, mdp.r) * mdp.r[..., 0, :] / (w + _tenth(mdp.r))


def _tenth(like):
    return rational_number("1/10") if like.dtype == object else 0.1


@theorem(
    ftrl_claims,
    cite="bobw2023",
    at="follow the regularised leader, on every path",
    source="derived",
    status="folklore",
    judge=for_all(t, up_to=30, exactly_up_to=4),
    on={"mdp": bandits(), "θ": logits, "first": numbers("1/10", 2)},
    named={
        "one arm loses": lambda: {
            "mdp": bandit(rational([1, 0])),
            "θ": rational([[-3, 3]]),
            "first": rational_number(2),
        }
    },
    near_misses={f"no stability term, {name}": claim for name, claim in without_stability.items()},
    uses=["bobw2023.stab"],
    note="η_t = η_1 / √t and importance-weighted losses of arms played in turn; 1/η_0 = 0.",
)
def ftrl(mdp, θ, first):
    """Whatever the losses, regret is at most penalty and stability terms, on every path."""
    u, zero = softmax(θ[..., 0, :]), total(mdp.r[..., 0, :]) * 0
    L = dict.fromkeys(NAMES, mdp.r[..., 0, :] * 0)
    sums = {q: zero for found in (regret_u, penalty, stabilities) for q in found.values()}
    before = zero
    for s in count():
        rate = first / _root(s + 1, mdp.r)
        for name in NAMES:
            w = leader(L[name], rate, name)
            c = importance_weighted(mdp, w, s)
            sums[regret_u[name]] = sums[regret_u[name]] + total((w - u) * c)
            grown = (1 / rate - before) * (potential(u, name) - potential(w, name))
            sums[penalty[name]] = sums[penalty[name]] + grown
            sums[stabilities[name]] = sums[stabilities[name]] + stability_of(w, c, L[name], rate, name)
            L[name] = L[name] + c
        before = 1 / rate
        yield {t: s + 1} | sums


def _root(n, like):
    return root(rational(n))[()] if like.dtype == object else np.sqrt(n)


# -- the single state --------------------------------------------------------------------------------------------------

A = Quantity("A", "number of arms", integer=True)
T = Quantity("T", "rounds", integer=True)
pseudo = Quantity(r"\overline{R}_T", "regret to the best arm in hindsight, of mean losses", accuracy="absolute")
lowest = Quantity(r"\sum_t \min_a \ell_t - \min_a \sum_t \ell_t", "regret of who always plays the best arm")
highest = Quantity(r"\sum_t \max_a \ell_t - \min_a \sum_t \ell_t", "regret of who always plays the worst arm")

with as_printed():
    tsallis_inf = pseudo <= 4 * sqrt(A * T) + 1
    a_twentieth = pseudo <= sqrt(A * T) / 5 + 1


def arms(*losses):
    """One epoch, one state; rewards are 1 − losses."""
    return FiniteHorizonMDP((), (1 - rational([losses]),))


def _few_arms():
    from hypothesis import strategies as st

    return st.sampled_from([arms(0, 1), arms("1/4", "3/4"), arms("1/2", 1, 1), arms(1, 1)])


def _flips():
    from hypothesis import strategies as st

    return st.sampled_from([1000, 96, 32])


def tsallis_inf_policies(mdp, draws, losses):
    """FTRL with Tsallis entropy, η_t = 2/√t."""
    return best_of_both_worlds_po(mdp, draws, losses=losses, step=2.0)


def learning_from_gains(mdp, draws, losses):
    """Take 1 − c for c."""
    run = best_of_both_worlds_po(mdp, draws, losses=lambda k: 1 - losses(k), step=2.0)
    return (replace(it, losses=losses(it.k)) for it in run)


@theorem(
    tsallis_inf,
    cite="bobw2023",
    at="Theorem on adversarial losses, single state",
    source="recalled",
    judge=in_expectation({pseudo: (lowest, highest)}, index=T, up_to=128, replicates=2**9),
    on={"mdp": Domain(_few_arms, model=FiniteHorizonMDP), "flip": Domain(_flips)},
    named={
        "one good arm of three": lambda: {"mdp": arms(0, 1, 1), "flip": 1000},
        "a small gap": lambda: {"mdp": arms("3/8", "5/8"), "flip": 1000},
        "two arms, turned over": lambda: {"mdp": arms(0, 1), "flip": 48},
    },
    near_misses={
        "a twentieth of the constant": a_twentieth,
        "gains for losses": {"solver": learning_from_gains},
    },
    uses=["bobw2023.ftrl", "bobw2023.stab"],
    note="IW Tsallis-INF (Zimmert and Seldin, 2021).  Losses c become 1 − c after `flip` rounds.",
)
def single_state(mdp, flip, draws, *, solver=tsallis_inf_policies):
    """With one state and η_t = 2/√t the expected regret is at most 4 √(A T) + 1, whatever the losses."""
    c = 1 - mdp.rewards

    def losses(k):
        return c if k < flip else 1 - c

    sums, lost, least, most = 0 * c[0], 0, 0, 0
    for it in islice(solver(mdp, draws, losses), 128):
        here = it.losses[0]
        sums, lost = sums + here, lost + total(it.π[..., 0, :] * here)
        least, most = least + here.min(), most + here.max()
        if it.k + 1 in (64, 128):
            best = sums.min()
            yield {T: it.k + 1, A: mdp.A, pseudo: lost - best, lowest: least - best, highest: most - best}


# -- several states ----------------------------------------------------------------------------------------------------

T_layers = Quantity("T", "episodes", integer=True)
regret_T = Quantity(r"\overline{R}_T", "mean regret of four runs", accuracy="relative")

with as_printed():
    at_most_root = regret_T <= sqrt(T_layers)
    bounded = regret_T <= 1


def learning(mdp, draws):
    """Tsallis entropy, η_t = 1/√t, no bonus."""
    return best_of_both_worlds_po(mdp, draws)


def never_learning(mdp, draws):
    """All actions alike."""
    return best_of_both_worlds_po(mdp, draws, step=0.0)


def layers():
    """Three layers of three states, mean losses up to 1/2."""
    return layered(np.random.default_rng(81), 1)[0]


def _layers():
    from hypothesis import strategies as st

    return st.builds(layers)


@theorem(
    at_most_root,
    cite="bobw2023",
    at="Theorem, abstract: what both worlds have in common",
    source="read",
    judge=rate(T_layers, up_to=1023),
    on={"mdp": Domain(_layers, model=FiniteHorizonMDP)},
    named={"three layers": lambda: {"mdp": layers()}},
    near_misses={"bounded": bounded, "all actions alike": {"solver": never_learning}},
    note="Evidence of one model, our learning rates and the draws of seed 0.  Too short to see polylog(T).",
)
def thm(mdp, *, solver=learning):
    """Regret grows at most like √T: here with losses drawn anew in every episode, where the theorem says polylog(T)."""
    best, lost = exact.optimum(mdp), 0
    for it in solver(mdp, Draws(0, np.arange(4))):
        lost = lost + exact.gap(mdp, it.π, best).mean()
        yield {T_layers: it.k + 1, regret_T: lost}
