"""Vieillard, Pietquin, Geist (2020), Munchausen Reinforcement Learning: a scaled log-policy added to the reward."""

from itertools import count

from sympy import Eq
from sympy import log as ln

from mdplab.arrays import expand, rational, rational_number, sup
from mdplab.exact import optimum, soft_optimum
from mdplab.instances import discounted_mdps, logits, numbers, two_by_two, two_by_two_logits
from mdplab.models import DiscountedMDP
from mdplab.solvers import conservative_vi, mirror_descent_vi, munchausen_vi
from mdplab.theorem import Quantity, as_printed, for_all, identity, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
α = Quantity(r"\alpha", "share of the log-policy that is added to the reward", accuracy="exact")
τ = Quantity(r"\tau", "temperature: what a nat of entropy is worth", accuracy="exact")
A = Quantity("A", "number of actions", integer=True)
k = Quantity("k", "number of updates", integer=True)

SHARES = numbers("1/20", 1)
START = {"mdp": discounted_mdps(), "q0": logits, "strength": SHARES, "temperature": numbers("1/10", 2)}


def small_errors(X):
    """ε_1, ε_2, ... without end: an error X, of changing size and sign, its actions exchanged every other time."""
    for j in count(1):
        share = rational_number(j * j % 7 - 3) / 10
        turned = X if j % 2 else X[..., ::-1]
        yield turned * (share if X.dtype == object else float(j * j % 7 - 3) / 10)


def lopsided(**more):
    """Two states, two actions, α = 1/2 and τ = 1/2."""
    half = rational_number("1/2")
    start = {"mdp": two_by_two(), "q0": two_by_two_logits(), "strength": half, "temperature": half}
    return start | more


def with_errors():
    return lopsided(X=rational([[1, -1], ["1/2", 2]]))


# -- Mirror descent in disguise ----------------------------------------------------------------------------------------

q_shifted = Quantity(r"q_k(s, a) - \alpha\tau \ln \pi_k(a \mid s)", "action values without the bonus of the last step")
q_added = Quantity(r"q_k(s, a) + \alpha\tau \ln \pi_k(a \mid s)", "action values with the bonus twice")
q_mirror = Quantity("q'_k(s, a)", "action values of mirror descent value iteration")
log_policy = Quantity(r"\tau \ln \pi_k(a \mid s)", "log-policy of Munchausen value iteration, in units of value")
log_policy_mirror = Quantity(r"\tau \ln \pi'_k(a \mid s)", "log-policy of mirror descent value iteration")
with as_printed():
    equivalent = {"action values": Eq(q_shifted, q_mirror), "policies": Eq(log_policy, log_policy_mirror)}
    added = Eq(q_added, q_mirror)


def remaining_entropy(α, τ):
    """(1 − α) τ: what the bonus leaves of the temperature."""
    return (1 - α) * τ


def whole_entropy(α, τ):
    """τ."""
    return τ


@theorem(
    equivalent,
    cite="munchausen2020",
    at="Theorem 1",
    judge=identity(k, up_to=12, exactly_up_to=3),
    on=START | {"X": logits},
    named={"two by two": with_errors},
    near_misses={"all of the temperature kept": {"entropy": whole_entropy}, "the bonus added once more": added},
    note="Read in notes on the paper, with the same errors in both recursions; also proved.  Locator from memory.",
)
def equivalence(mdp, q0, strength, temperature, X, *, entropy=remaining_entropy):
    """Munchausen value iteration is mirror descent with a divergence worth ατ and an entropy worth (1 − α)τ."""
    share, nat = expand(strength, 2), expand(temperature, 2)
    runs = munchausen_vi(mdp, q0, strength=strength, temperature=temperature, errors=small_errors(X))
    first, bonus = next(runs), share * nat
    mirror = mirror_descent_vi(
        mdp,
        first.q - bonus * first.log_π,
        divergence=strength * temperature,
        entropy=entropy(strength, temperature),
        errors=small_errors(X),
    )
    next(mirror)
    for here, there in zip(runs, mirror, strict=False):
        yield {
            k: here.k,
            q_shifted: here.q - bonus * here.log_π,
            q_added: here.q + bonus * here.log_π,
            q_mirror: there.q,
            log_policy: nat * here.log_π,
            log_policy_mirror: nat * there.log_π,
        }


q_munchausen = Quantity("q_k(s, a)", "action values of Munchausen value iteration")
q_conservative = Quantity("q^{CVI}_k(s, a)", "action values of conservative value iteration")
with as_printed():
    conservative_too = Eq(q_munchausen, q_conservative)


def whole(x):
    """x."""
    return x


def one_half(x):
    """x / 2."""
    return x / 2


@theorem(
    conservative_too,
    cite="munchausen2020",
    at="related work",
    source="derived",
    judge=identity(k, up_to=12, exactly_up_to=3),
    on=START | {"X": logits},
    named={"two by two": with_errors},
    near_misses={"the maximum for the soft one": {"soft": False}, "half of the strength": {"share": one_half}},
    note="As τ log softmax(q / τ) = q − m(q), with m the soft maximum.",
)
def conservative(mdp, q0, strength, temperature, X, *, soft=True, share=whole):
    """Munchausen value iteration is conservative value iteration: the bonus is α times the soft advantage."""
    runs = munchausen_vi(mdp, q0, strength=strength, temperature=temperature, errors=small_errors(X))
    other = conservative_vi(
        mdp, q0, strength=share(strength), temperature=temperature if soft else None, errors=small_errors(X)
    )
    for here, there in zip(runs, other, strict=False):
        yield {k: here.k, q_munchausen: here.q, q_conservative: there.q}


# -- The limit of low temperature --------------------------------------------------------------------------------------

apart = Quantity(
    r"\lVert q_k - q^{AL}_k \rVert_\infty", "distance of the action values from those of advantage learning"
)
with as_printed():
    near = apart <= (α + γ) / (1 - γ) * τ * ln(A)
    near_by_one_step = apart <= (α + γ) * τ * ln(A)
    near_by_square = apart <= (α + γ) / (1 - γ) * τ**2 * ln(A)


def long_memory():
    """One state that stays, two equal actions, γ = 9/10, α = 1: every soft maximum is τ log 2 above."""
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, 1]]), rational_number("9/10"))
    return {"mdp": mdp, "strength": rational_number(1), "temperature": rational_number("1/10")}


@theorem(
    near,
    cite="munchausen2020",
    at="the limit τ → 0",
    source="derived",
    status="sharpened",
    judge=for_all(k, up_to=60, exactly_up_to=4),
    on=START | {"X": logits},
    named={"equal actions": long_memory, "two by two": with_errors},
    near_misses={"the error of one step": near_by_one_step, "the square of the temperature": near_by_square},
    uses=["munchausen2020.conservative"],
    note="The limit was read, without rate or proof; the constant is ours, with its proof on the card.",
)
def al_limit(mdp, q0, strength, temperature, X):
    """As the temperature falls, Munchausen value iteration becomes advantage learning, evenly over all iterates."""
    runs = munchausen_vi(mdp, q0, strength=strength, temperature=temperature, errors=small_errors(X))
    hard = conservative_vi(mdp, q0, strength=strength, errors=small_errors(X))
    constants = {γ: mdp.discount, α: strength, τ: temperature, A: mdp.A}
    for here, there in zip(runs, hard, strict=False):
        yield constants | {k: here.k, apart: sup(here.q - there.q, 2)}


# -- Action gaps -------------------------------------------------------------------------------------------------------

gap_error = Quantity(
    r"\lVert \Delta q_k - \tfrac{1}{1 - \alpha} \Delta q^\star \rVert_\infty",
    "how far differences between actions are from 1 / (1 − α) times those of the optimum",
)
twice_gap_error = Quantity(
    r"\lVert \Delta q_k - \tfrac{1 + \alpha}{1 - \alpha} \Delta q^\star \rVert_\infty",
    "the same with the factor (1 + α) / (1 − α)",
)
plain_gap_error = Quantity(r"\lVert \Delta q_k - \Delta q^\star \rVert_\infty", "the same without a factor")
first_error = Quantity(r"\lVert (1 - \alpha) q_0 - q^\star \rVert_\infty", "error of the first action values")
first_change = Quantity(r"\lVert (1 - \alpha) q_0 - r \rVert_\infty", "their distance from the reward")
mixed = Quantity(
    r"\sum_{j=1}^{k} \gamma^{k-j} \alpha^j", "how much of the first action values is left", accuracy="relative"
)
with as_printed():
    rest = 2 / (1 - α) * (γ**k * first_error + mixed * first_change)
    gaps = gap_error <= rest
    gaps_twice = twice_gap_error <= rest
    gaps_plain = plain_gap_error <= rest
    gaps_at_rate_γ = gap_error <= 2 / (1 - α) * (γ**k * first_error)


def differences(q):
    """q(s, a) − q(s, b) for all pairs of actions;  (..., S, A) -> (..., S, A, A)."""
    return q[..., :, None] - q[..., None, :]


def gap_quantities(mdp, iterates, best, strength):
    """What both theorems on action gaps measure along their iterates."""
    share = expand(strength, 2)
    optimal, left, power, last = differences(best), 0 * strength, 1 + 0 * strength, 0
    for it in iterates:
        if it.k == 0:
            kept = (1 - share) * it.q
            first = {first_error: sup(kept - best, 2), first_change: sup(kept - mdp.r, 2)}
        for _ in range(it.k - last):
            power = power * strength
            left = mdp.discount * left + power
        last = it.k
        actual, factor = differences(it.q), expand(1 / (1 - strength), 3)
        yield first | {
            k: it.k,
            γ: mdp.discount,
            α: strength,
            mixed: left + 0 * mdp.discount,
            gap_error: sup(actual - factor * optimal, 3),
            twice_gap_error: sup(actual - factor * (1 + expand(strength, 3)) * optimal, 3),
            plain_gap_error: sup(actual - optimal, 3),
        }


CHECKPOINTS = (0, 1, 2, 3, 4, 5, 10, 20, 40, 70, 100)
BELOW_ONE = START | {"strength": numbers("1/20", "19/20")}


@theorem(
    gaps,
    cite="munchausen2020",
    at="Theorem 2",
    source="derived",
    status="sharpened",
    judge=for_all(k, up_to=100, exactly_up_to=5),
    on=BELOW_ONE,
    named={"two by two": lopsided, "near one": lambda: lopsided(strength=rational_number("4/5"))},
    near_misses={
        "factor (1 + α) / (1 − α)": gaps_twice,
        "no factor": gaps_plain,
        "rate γ alone": gaps_at_rate_γ,
    },
    uses=["munchausen2020.conservative"],
    note="The optimum is the soft one at temperature (1 − α)τ.  The limit is the paper's, the rate ours; see the card.",
)
def gap(mdp, q0, strength, temperature):
    """The bonus widens the gaps between actions to 1 / (1 − α) times those of the soft optimum at (1 − α)τ."""
    best = soft_optimum(mdp, (1 - strength) * temperature)
    runs = munchausen_vi(mdp, q0, strength=strength, temperature=temperature, at=CHECKPOINTS)
    yield from gap_quantities(mdp, runs, best.q, strength)


@theorem(
    gaps,
    cite="munchausen2020",
    at="Theorem 2, in the limit τ → 0",
    source="derived",
    status="sharpened",
    judge=for_all(k, up_to=100, exactly_up_to=5),
    on={name: x for name, x in BELOW_ONE.items() if name != "temperature"},
    named={"two by two": {name: x for name, x in lopsided().items() if name != "temperature"}},
    near_misses={
        "factor (1 + α) / (1 − α)": gaps_twice,
        "no factor": gaps_plain,
        "rate γ alone": gaps_at_rate_γ,
    },
    note="Proved with `gap`: on the card the maximum may be hard or soft.",
)
def al_gap(mdp, q0, strength):
    """Advantage learning widens the gaps between actions to 1 / (1 − α) times the optimal ones."""
    runs = conservative_vi(mdp, q0, strength=strength, at=CHECKPOINTS)
    yield from gap_quantities(mdp, runs, optimum(mdp).q, strength)
