"""Bai, Agarwal and Aggarwal (2022), Joint Optimization of Concave Scalarized Multi-Objective RL: the exact gradient.

J(θ) is the vector of expected returns of M objectives; the aim is f(J(θ)) for concave f, not the expectation of f.
"""

from sympy import Eq

from mdplab.arrays import namespace, one_hot, softmax, total, transposed
from mdplab.exact import objective_values, pair_visits, pair_visits_by_logits, returns, softmax_gradient
from mdplab.exact.scalarisations import Logarithms, Reciprocals, SmoothWorst
from mdplab.exact.utilities import OfReturns
from mdplab.instances import logits, numbers
from mdplab.instances.multi_objective import multi_objective_mdps, torn, two_queues
from mdplab.models import DiscountedMDP
from mdplab.theorem import Quantity, as_printed, identity, theorem

slope = Quantity(
    r"\frac{\partial f(J(\theta))}{\partial \theta(s,a)}", "derivative of the scalarised return by a logit"
)
summed = Quantity(
    r"\sum_i \partial_i f(J(\theta)) \frac{\partial J_i(\theta)}{\partial \theta(s,a)}",
    "gradients of the objectives, weighted",
)
scalar = Quantity(
    r"\frac{\partial}{\partial \theta(s,a)} \mathbb{E} \sum_t \gamma^t \langle c, r(s_t, a_t) \rangle "
    r"\Big|_{c = \nabla f(J(\theta))}",
    "policy gradient for the reward that the weights c make, held fixed",
)
with as_printed():
    by_objectives = Eq(slope, summed)
    by_one_reward = Eq(summed, scalar)


def at_returns(mdp, π, f):
    """Σ_i ∂_i f(J) ∇J_i."""
    weights = f.gradient(returns(mdp, π))
    parts = softmax_gradient(_each(mdp), π[..., None, :, :])
    return _weighted(weights, parts)


def state_by_state(mdp, π, f):
    """The gradient of Σ_s ρ(s) f(V(s)), where f is applied in each state of the start."""
    v, out = objective_values(mdp, π), 0
    each = _each(mdp)
    for s in range(mdp.S):
        start = one_hot(namespace(v).full(v[..., 0].shape, s, dtype=int), mdp.S, mdp.P)
        parts = softmax_gradient(each, π[..., None, :, :], start)
        out = out + mdp.start[..., s, None, None] * _weighted(f.gradient(v[..., s]), parts)
    return out


def at_normalised_returns(mdp, π, f):
    """Weights taken at (1 − γ) J."""
    weights = f.gradient((1 - mdp.γ(1)) * returns(mdp, π))
    return _weighted(weights, softmax_gradient(_each(mdp), π[..., None, :, :]))


def _each(mdp):
    """The objectives as a batch of models."""
    xp, shape = namespace(mdp.P), (*mdp.batch, mdp.M)
    discount = mdp.γ(1) + 0 * mdp.rewards[..., 0, 0]
    P = xp.broadcast_to(mdp.P[..., None, :, :, :], (*shape, *mdp.P.shape[-3:]))
    return DiscountedMDP(P, mdp.rewards, discount, xp.broadcast_to(mdp.start[..., None, :], (*shape, mdp.S)))


def _weighted(weights, parts):
    return total(namespace(parts).moveaxis(weights[..., None, None] * parts, -3, -1))


def scalarisations(offset):
    """−Σ 1/(x + offset), Σ log(x + offset) and a smooth minimum."""
    yield Reciprocals(offset)
    yield Logarithms(-offset[..., None] if getattr(offset, "shape", ()) else -offset)
    yield SmoothWorst(offset)


@theorem(
    {"by objectives": by_objectives, "by one reward": by_one_reward},
    cite="bai2022",
    at="Section 3, gradient of the scalarised objective",
    source="derived",
    judge=identity(),
    on={"mdp": multi_objective_mdps(), "θ": logits, "offset": numbers("1/4", 1)},
    named={"torn": {"mdp": torn()}, "two queues": {"mdp": two_queues(1)}},
    near_misses={
        "f in each state of the start": {"gradient": state_by_state},
        "weights at normalised returns": {"gradient": at_normalised_returns},
    },
    note="The left side goes through the Jacobian of occupancies.",
)
def chain(mdp, θ, offset, *, gradient=at_returns):
    """The gradient of a scalarised return is the policy gradient for one reward, with weights ∂f at the returns."""
    π = softmax(θ)
    λ, jacobian = pair_visits(mdp.mdp, π), transposed(pair_visits_by_logits(mdp.mdp, π))
    reshape = namespace(λ).reshape
    for f in scalarisations(offset):
        F = OfReturns(mdp.rewards, f)
        along = (jacobian @ reshape(F.gradient(λ), (*mdp.batch, -1))[..., None])[..., 0]
        yield {
            slope: reshape(along, λ.shape),
            summed: gradient(mdp, π, f),
            scalar: softmax_gradient(mdp.weighted(f.gradient(returns(mdp, π))), π),
        }
