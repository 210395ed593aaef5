"""A second policy near a first one, and the counterexamples to bounds on how much it improves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab.arrays import Array, exact_distribution, expand, number, one_hot, rational, rational_number
from mdplab.instances.domain import Domain
from mdplab.models import DiscountedMDP

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Weights = tuple[str, ...]
_WEIGHTS: Weights = ("1/2", "1", "1/10", "1/100")


def changed_policies(*, positive: bool = False) -> Domain:
    """π' = (1 − w) π + w ω for w in {1/100, 1/10, 1/2, 1}, near a policy named π.

    Parameters
    ----------
    positive : bool
        Whether π' takes every action that π takes: then w = 1 is left out.

    Notes
    -----
    ω is any policy, or the action of the largest or of the least advantage under π in each state: what a step of policy
    improvement goes to, and the worst it could go to.
    """
    weights = tuple(w for w in _WEIGHTS if not (positive and w == "1"))

    def draw(mdp: DiscountedMDP, π: Array) -> SearchStrategy[Array]:
        from hypothesis import strategies as st

        from mdplab.instances.strategies import deterministic_policies, policies

        targets = st.one_of(
            deterministic_policies(mdp.S, mdp.A),
            policies(mdp.S, mdp.A),
            st.sampled_from([_extreme(mdp, π, 1), _extreme(mdp, π, -1)]),
        )
        mixing = st.sampled_from([rational_number(w) for w in weights])
        return st.builds(lambda w, ω: (1 - w) * π + w * ω, mixing, targets)

    def batch(rng: np.random.Generator, mdp: DiscountedMDP, π: Array) -> np.ndarray:
        from mdplab.exact import advantages

        shape = (*mdp.batch, mdp.S, mdp.A)
        A, kind = advantages(mdp, π), rng.integers(4, size=(*mdp.batch, 1, 1))
        score = np.choose(kind, [A, -A, rng.normal(size=shape), rng.normal(size=shape)])
        hot = np.eye(mdp.A)[score.argmax(axis=-1)]
        ω = np.where(kind == 3, rng.dirichlet(np.full(mdp.A, 0.5), shape[:-1]), hot)
        w = expand(rng.choice([number(rational_number(x)) for x in weights], mdp.batch), 2)
        return (1 - w) * π + w * ω

    return Domain(draw, batch, lambda mdp, π: _simplest(mdp, π, weights), exact_distribution)


def _extreme(mdp: DiscountedMDP, π: Array, sign: int) -> Array:
    from mdplab.exact import advantages

    return one_hot(np.argmax(sign * advantages(mdp, π), axis=-1), mdp.A, mdp.r)


def _simplest(mdp: DiscountedMDP, π: Array, weights: Weights) -> Array:
    w = rational_number(weights[0])
    first = rational(np.eye(mdp.A, dtype=int)[np.zeros(mdp.S, dtype=int)])
    return (1 - w) * π + w * first


def one_way_street() -> DiscountedMDP:
    """γ = 1/2; state 0 pays 1 and is never left, in state 1 the first action goes there and the second stays.

    From π(0|1) = 1/10 to π'(0|1) = 0 (`one_way_policies`) V(μ) falls from 12/11 to 1, by more than the bound with
    2 ε γ α² / (1 − γ)² and ε = max_s |Σ_a π'(a|s) A^π(s, a)| allows (:cite:`trpo2015`, proceedings, Theorem 1).
    """
    P = rational([[[1, 0], [1, 0]], [[1, 0], [0, 1]]])
    return DiscountedMDP(P, rational([[1, 1], [0, 0]]), rational_number("1/2"))


def one_way_policies() -> tuple[np.ndarray, np.ndarray]:
    """π and π' for `one_way_street`."""
    return rational([["4/5", "1/5"], ["1/10", "9/10"]]), rational([["4/5", "1/5"], [0, 1]])


def two_rooms(reward: Any = 1) -> DiscountedMDP:
    """γ = 1/2; the first action stays, the second changes the state; state 0 pays `reward`, where it also starts.

    On `two_rooms_policies` the surrogate is wrong by 4/169, 1.54 times what :cite:`trpo2015`, proceedings, Theorem 1a
    allows: too low for a reward of 1, too high for a reward of −1.
    """
    P = rational([[[1, 0], [0, 1]], [[0, 1], [1, 0]]])
    return DiscountedMDP(P, rational([[reward] * 2, [0, 0]]), rational_number("1/2"), rational([1, 0]))


def two_rooms_policies() -> tuple[np.ndarray, np.ndarray]:
    """π and π' for `two_rooms`."""
    return rational([["9/10", "1/10"], ["4/5", "1/5"]]), rational([[1, 0], ["9/10", "1/10"]])


def counterexample(mdp: DiscountedMDP, policies: tuple[np.ndarray, np.ndarray]) -> dict[str, Any]:
    """The inputs of a theorem about two policies named π and new."""
    return {"mdp": mdp, "π": policies[0], "new": policies[1]}


def two_policies(successors: Any, rewards: Any, discount: Any, start: int, old: Any, new: Any) -> dict[str, Any]:
    """Inputs (mdp, π, new): a deterministic model, and policies given by the probability of the first of two actions.

    Parameters
    ----------
    successors : nested lists of int (S, 2)
        Where each action leads.
    rewards : nested lists (S, 2)
    discount : number
    start : int
        The state in which it starts.
    old, new : lists (S,)
    """
    successors = np.asarray(successors)
    one = np.eye(len(successors), dtype=int)
    mdp = DiscountedMDP(rational(one[successors]), rational(rewards), rational_number(discount), rational(one[start]))
    first, then = rational(old), rational(new)
    return {"mdp": mdp, "π": np.stack([first, 1 - first], axis=-1), "new": np.stack([then, 1 - then], axis=-1)}
