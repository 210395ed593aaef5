"""Vieillard, Kozuno, Scherrer, Pietquin, Munos, Geist (2020), Leverage the Average: KL regularisation averages errors.

MD-VI(λ, τ) pays λ a nat of divergence from the last policy and is paid τ a nat of entropy; ε_k is the error of its k-th
update.
"""

from itertools import count

from sympy import Eq

from mdplab.arrays import exp, expand, log, log_softmax, maximum, rational, rational_number, sup, total
from mdplab.exact import optimum, soft_action_values, soft_optimum, visits_from_each
from mdplab.instances import discounted_mdps, logits, numbers, two_by_two
from mdplab.models import DiscountedMDP
from mdplab.solvers import mirror_descent_vi
from mdplab.theorem import Quantity, as_printed, for_all, identity, theorem

γ = Quantity(r"\gamma", "discount factor", accuracy="exact")
λ = Quantity(r"\lambda", "what a nat of divergence from the last policy costs", accuracy="exact")
τ = Quantity(r"\tau", "temperature: what a nat of entropy is worth", accuracy="exact")
β = Quantity(r"\beta", "λ / (λ + τ), how much of the past is kept", accuracy="exact")
k = Quantity("k", "number of updates", integer=True)


def errors(X):
    """ε_1, ε_2, ... without end: a table X, of changing size and sign, its actions exchanged every other time."""
    for j in count(1):
        yield (X if j % 2 else X[..., ::-1]) * _share(X, j * j % 7 - 3)


def _share(X, n):
    return rational_number(n) / 10 if X.dtype == object else n / 10


def loss_everywhere(mdp, π, best):
    """v*(s) − v^π(s), by the performance-difference identity from every state;  (..., S, A) -> (..., S)."""
    return (visits_from_each(mdp, π) @ total(π * best.loss)[..., None])[..., 0]


# -- Divergence alone --------------------------------------------------------------------------------------------------

loss = Quantity(
    r"\lVert q_\star - q_{\pi_k} \rVert_\infty", "what the k-th policy loses after one action", accuracy="relative"
)
mean_error = Quantity(r"\lVert E_{k-1} / k \rVert_\infty", "mean of the errors made so far")
v_max = Quantity(
    r"v^\lambda_{\max}", "(1 + λ log A) / (1 − γ), or the largest action value met if errors drove it higher"
)
with as_printed():
    averages = loss <= 2 / (1 - γ) * mean_error + 4 / (1 - γ) * (v_max / k)
    half_of_v = loss <= 2 / (1 - γ) * mean_error + v_max / (2 * k)
    as_square = loss <= 2 / (1 - γ) * mean_error + 4 / (1 - γ) * (v_max / k**2)
    errors_only = loss <= 2 / (1 - γ) * mean_error


def slow_escape():
    """Two states: the first action pays a little for ever in the first, the second leads where there is more."""
    P = rational([[[1, 0], [0, 1]], [[0, 1], [0, 1]]])
    mdp = DiscountedMDP(P, rational([["1/2", 0], [1, 1]]), rational_number("9/10"))
    return {"mdp": mdp, "cost": rational_number(10)}


def no_hurry():
    """One state that stays, two actions, and a divergence so dear that policies hardly move."""
    mdp = DiscountedMDP(rational([[[1], [1]]]), rational([[1, 0]]), rational_number("9/10"))
    return {"mdp": mdp, "cost": rational_number(10)}


CHECKPOINTS = (*range(13), 15, 20, 30, 40, 60, 80, 100, 150, 200)


@theorem(
    averages,
    cite="leverage2020",
    at="Theorem 1",
    source="recalled",
    judge=for_all(k, up_to=200, exactly_up_to=6),
    on={"mdp": discounted_mdps(), "cost": numbers("1/100", 10), "X": logits},
    named={"slow escape": slow_escape, "no hurry": no_hurry},
    near_misses={
        "half of v_max / k": half_of_v,
        "as the square of k": as_square,
        "the errors alone": errors_only,
    },
    trivial=1 / (1 - γ),
    note="π_k depends on the errors ε_1, ..., ε_{k−1} only.  The constants are recalled.",
)
def thm1(mdp, cost, X):
    """With the divergence alone a policy suffers from the mean of all past errors, not from their sum of sizes."""
    best = optimum(mdp)
    bound = (1 + cost * log_actions(mdp)) / (1 - mdp.discount)
    constants = {γ: mdp.discount, λ: cost}
    made, last, met, noise = 0 * mdp.r, 0 * mdp.r, 0 * bound, errors(X)
    for it in mirror_descent_vi(mdp, divergence=cost, errors=errors(X)):
        if it.k:
            made, last = made + last, next(noise)
            if it.k > CHECKPOINTS[-1]:
                return
            if it.k in CHECKPOINTS:
                lost = mdp.discount * sup(mdp.expected_next(loss_everywhere(mdp, it.π, best)), 2)
                here = {k: it.k, loss: lost, mean_error: sup(made, 2) / it.k, v_max: maximum(bound, met)}
                yield constants | here
        met = maximum(met, sup(it.q, 2))


# -- Divergence and entropy --------------------------------------------------------------------------------------------

log_policy = Quantity(r"\tau \ln \pi_{k+1}(a \mid s)", "log-policy, in units of value")
log_softmax_of_mean = Quantity(
    r"\tau \ln \mathrm{softmax}(h_k / \tau)(a \mid s)", "the same for the softmax of averaged action values"
)
deviation = Quantity(r"\Delta_k(s, a)", "h_k − T_{π_k} h_{k−1}: what keeps h from following its operator")
next_deviation = Quantity(r"\Delta_{k+1}(s, a)", "the same after the next update")
next_ε = Quantity(r"\epsilon_{k+1}(s, a)", "error of the next update")
with as_printed():
    averaged = {
        "policy": Eq(log_policy, log_softmax_of_mean),
        "deviation": Eq(next_deviation, β * deviation + (1 - β) * next_ε),
    }
    forgets = Eq(next_deviation, (1 - β) * next_ε)
    remembers_all = Eq(next_deviation, deviation + (1 - β) * next_ε)


def share_of_past(λ, τ):
    """β = λ / (λ + τ)."""
    return λ / (λ + τ)


def share_of_present(λ, τ):
    """τ / (λ + τ)."""
    return τ / (λ + τ)


def log_actions(mdp):
    """log A in the arithmetic of the model."""
    return log(0 * mdp.discount + mdp.A)


def soft_evaluation(mdp, log_π, h, temperature):
    """T_π h = r + γ P (⟨π, h⟩ + τ H(π)), one step of evaluating a policy whose entropy counts."""
    return mdp.action_values(total(exp(log_π) * (h - expand(temperature, 2) * log_π)))


def averages_of(mdp, cost, temperature, X, share):
    """Yield (iterate, h_{k−1}, h_k): action values averaged with weights that decay by β, starting from h_{−1} = 0."""
    kept = expand(share(cost, temperature), 2)
    before = 0 * mdp.r
    for it in mirror_descent_vi(mdp, divergence=cost, entropy=temperature, errors=errors(X)):
        h = kept * before + (1 - kept) * it.q
        yield it, before, h
        before = h


def some_errors():
    """Two states, two actions, λ = 1, τ = 1/2."""
    half = rational_number("1/2")
    X = rational([[1, -1], ["1/2", 2]])
    return {"mdp": two_by_two(), "cost": rational_number(1), "temperature": half, "X": X}


WITH_ENTROPY = {
    "mdp": discounted_mdps(),
    "cost": numbers("1/20", 2),
    "temperature": numbers("1/10", 2),
    "X": logits,
}


@theorem(
    averaged,
    cite="leverage2020",
    at="the proof of Theorem 2",
    source="derived",
    judge=identity(k, up_to=20, exactly_up_to=3),
    on=WITH_ENTROPY,
    named={"two by two": some_errors},
    near_misses={
        "nothing is remembered": forgets,
        "nothing is forgotten": remembers_all,
        "the weights exchanged": {"share": share_of_present},
    },
    note="The weight of the past is β = λ / (λ + τ); the first average is (1 − β) q_0.  Proved on the card.",
)
def thm2_average(mdp, cost, temperature, X, *, share=share_of_past):
    """With entropy too, policies are greedy for a moving average of action values, and errors enter it averaged."""
    nat, constants = expand(temperature, 2), {β: share(cost, temperature)}
    runs, noise = averages_of(mdp, cost, temperature, X, share), errors(X)
    _, before, h = next(runs)
    Δ = h - soft_evaluation(mdp, log_softmax(0 * h), before, temperature)
    for it, before, h in runs:
        Δ_next = h - soft_evaluation(mdp, it.log_π, before, temperature)
        yield constants | {
            k: it.k - 1,
            log_policy: nat * it.log_π,
            log_softmax_of_mean: nat * log_softmax(before / nat),
            deviation: Δ,
            next_deviation: Δ_next,
            next_ε: next(noise),
        }
        Δ = Δ_next


soft_loss = Quantity(
    r"\lVert q^\tau_\star - q^\tau_{\pi_{k+1}} \rVert_\infty", "what the policy loses, entropy counted"
)
first_error = Quantity(r"\lVert h_0 - q^\tau_\star \rVert_\infty", "error of the first average")
made = Quantity(
    r"\sum_{j=1}^{k} \gamma^{k-j} \left( \lVert E^\beta_j \rVert_\infty + \beta^j d_0 \right)",
    "discounted sum of averaged errors, and of what is left of the start",
)
latest = Quantity(r"\lVert E^\beta_k \rVert_\infty", "average of the errors so far")
with as_printed():
    suffers = soft_loss <= 2 * γ / (1 - γ) * (γ**k * first_error + made)
    suffers_one_step = soft_loss <= 2 * γ * (1 - γ) * (γ**k * first_error + made)
    suffers_start_only = soft_loss <= 2 * γ / (1 - γ) * (γ**k * first_error)
    suffers_latest = soft_loss <= 2 * γ / (1 - γ) * latest


@theorem(
    suffers,
    cite="leverage2020",
    at="Theorem 2",
    source="derived",
    judge=for_all(k, up_to=60, exactly_up_to=4),
    on=WITH_ENTROPY,
    named={"two by two": some_errors},
    near_misses={
        "without the errors": suffers_start_only,
        "the latest average alone": suffers_latest,
        "with 1 − γ in place of 1 / (1 − γ)": suffers_one_step,
    },
    uses=["leverage2020.thm2_average"],
    note="In the paper's shape, derived: its own display was not read.  Without 1 / (1 − γ) it was not refuted.",
)
def thm2(mdp, cost, temperature, X):
    """With entropy too, a policy suffers from moving averages of errors, discounted by age."""
    best = soft_optimum(mdp, temperature)
    share = share_of_past(cost, temperature)
    weight, left, noise = expand(share, 2), 1 + 0 * share, errors(X)
    constants = {γ: mdp.discount}
    E, total_made = 0 * mdp.r, 0 * share * mdp.discount
    for it, _, h in averages_of(mdp, cost, temperature, X, share_of_past):
        if it.k == 0:
            constants[first_error] = sup(h - best.q, 2)
            start = sup(h - mdp.r - expand(mdp.discount * temperature * log_actions(mdp), 2), 2)
        else:
            lost = sup(best.q - soft_action_values(mdp, it.log_π, temperature), 2)
            yield constants | {k: it.k - 1, soft_loss: lost, made: total_made, latest: sup(E, 2)}
            E, left = weight * E + (1 - weight) * next(noise), left * share
            total_made = mdp.discount * total_made + sup(E, 2) + left * start
