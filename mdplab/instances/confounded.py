"""Confounded POMDPs: named examples, batched families, strategies, domains, and their form in JSON.

In a `.json` file::

    {"model": "confounded", "horizon": 2,
     "P": ..., "E": ..., "proxy": ..., "r": ..., "behaviour": ..., "start": ...}

with the arrays of `ConfoundedPOMDP` as nested lists; `start` may be left out.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab.arrays import exact_distribution, rational
from mdplab.errors import InstanceError
from mdplab.instances.domain import Domain, Family
from mdplab.models import ConfoundedPOMDP

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


# -- Named ------------------------------------------------------------------------------------------------------------


def sign_reversal(horizon: int = 1) -> ConfoundedPOMDP:
    """Simpson's paradox as a control problem: the naive gradient points away from the true one.

    Action 1 is better in both states by 1/5, but the behaviour policy takes it mostly in the bad state.  With no
    preference the gradient by the logits of action 1 is (1/40, 1/40) for T = 1; the naive one is about (−0.05, −0.05).
    """
    return ConfoundedPOMDP(
        rational([[["4/5", "1/5"], ["9/10", "1/10"]], [["1/5", "4/5"], ["2/5", "3/5"]]]),
        rational([["7/10", "3/10"], ["3/10", "7/10"]]),
        rational([["4/5", "1/5"], ["1/5", "4/5"]]),
        rational([["4/5", 1], [0, "1/5"]]),
        rational([["9/10", "1/10"], ["1/10", "9/10"]]),
        horizon,
    )


def unconfounded(horizon: int = 1) -> ConfoundedPOMDP:
    """`sign_reversal` with a behaviour policy that does not look at the state: naive and true values agree."""
    model = sign_reversal(horizon)
    return ConfoundedPOMDP(
        model.P, model.E, model.proxy, model.r, rational([["1/2", "1/2"]] * 2), model.horizon, model.start
    )


def blind_twins() -> tuple[ConfoundedPOMDP, ConfoundedPOMDP]:
    """Two models with the same law of the data, which see and tell nothing of the state, and different values.

    In the first either action pays 1/4 in either state; in the second action 1 pays in state 0 and action
    0 in state 1, and the behaviour policy takes in each state mostly the action that pays nothing.
    """
    one, half = rational([[1], [1]]), rational([["1/2", "1/2"]] * 2)
    P = rational([[[1, 0], [1, 0]], [[0, 1], [0, 1]]])
    plain = ConfoundedPOMDP(P, one, one, rational([["1/4", "1/4"]] * 2), half, 1)
    paid = rational([[0, 1], [1, 0]])
    return plain, ConfoundedPOMDP(P, one, one, paid, rational([["3/4", "1/4"], ["1/4", "3/4"]]), 1)


def two_witnesses(horizon: int = 1) -> ConfoundedPOMDP:
    """`sign_reversal` with a third observation, which both states make: bridges are not unique any more."""
    model = sign_reversal(horizon)
    E = rational([["3/5", "1/5", "1/5"], ["1/10", "1/2", "2/5"]])
    return ConfoundedPOMDP(model.P, E, model.proxy, model.r, model.behaviour, model.horizon, model.start)


# -- Families ---------------------------------------------------------------------------------------------------------


def confounded(
    rng: np.random.Generator,
    size: int,
    *,
    S: int = 2,
    O: int = 2,  # noqa: E741
    A: int = 2,
    Q: int = 2,
    T: int = 2,
    clear: float = 0.6,
    confounding: float = 1.0,
) -> ConfoundedPOMDP:
    """Random models whose rows have weight `clear` on one outcome, another for each state, the rest Dirichlet(1).

    Weights above 1/2 make the matrices diagonally dominant, hence of full rank where O, Q >= S; the behaviour policy is
    a mixture of one that sees the state and, with weight 1 − `confounding`, one that does not.  Rewards uniform on
    [0, 1].
    """
    if min(S, O, A, Q, T) < 1 or not 0 <= clear < 1 or not 0 <= confounding <= 1:
        raise InstanceError("a confounded family has S, O, A, Q, T >= 1, 0 <= clear < 1 and 0 <= confounding <= 1")

    def rows(n: int, target: np.ndarray, *batch: int) -> np.ndarray:
        return clear * np.eye(n)[target % n] + (1 - clear) * rng.dirichlet(np.ones(n), (size, *batch))

    states = np.arange(S)
    shift = rng.integers(S, size=(size, 1, A))
    P = rows(S, states[None, :, None] + shift, S, A)
    E, proxy = rows(O, states, S), rows(Q, states, S)
    seeing, blind = rng.dirichlet(np.full(A, 2.0), (size, S)), rng.dirichlet(np.full(A, 2.0), (size, 1))
    behaviour = 0.05 / A + 0.95 * (confounding * seeing + (1 - confounding) * blind)
    start = 0.5 / S + 0.5 * rng.dirichlet(np.ones(S), size)
    return ConfoundedPOMDP(P, E, proxy, rng.random((size, S, A)), behaviour, T, start)


def _family(**options: Any) -> Family:
    text = ",".join(f"{key}={value}" for key, value in options.items())
    return Family(f"confounded:{text}", partial(confounded, **options))


SQUARE = (_family(T=1), _family(T=2), _family(S=3, O=3, Q=3, T=1), _family(A=3, T=2))
WIDE = (_family(O=3, T=2), _family(Q=3, T=2))


# -- Domains ----------------------------------------------------------------------------------------------------------


def confounded_pomdps(kind: str = "any", *, families: tuple[Family, ...] | None = None) -> Domain:
    """Confounded models: small rational ones, and families.

    Parameters
    ----------
    kind : {"any", "square", "deficient", "blind"}
        "any": at least as many observations, and values of the proxy, as states, all matrices of full rank; "square":
        just as many; "deficient": now and then fewer; "blind": about half have a behaviour policy that does not see the
        state, which are not confounded at all.
    families : tuple of Family, optional
        Instead of the usual ones.
    """
    if kind not in _FAMILIES:
        raise InstanceError(f"kind is {kind!r}; expected one of {', '.join(_FAMILIES)}")

    def draw() -> SearchStrategy[ConfoundedPOMDP]:
        return drawn(kind)

    return Domain(draw, families=_FAMILIES[kind] if families is None else families, model=ConfoundedPOMDP)


_FAMILIES = {
    "any": (*SQUARE, *WIDE),
    "square": SQUARE,
    "deficient": (*SQUARE, *WIDE),
    "blind": (_family(T=2, confounding=0.0), _family(O=3, Q=3, T=2, confounding=0.0), _family(T=2)),
}


def drawn(kind: str = "any") -> SearchStrategy[ConfoundedPOMDP]:
    """A Hypothesis strategy of small rational models, of a kind as `confounded_pomdps` has it."""
    from hypothesis import strategies as st

    from mdplab.instances import strategies

    weights = st.sampled_from([rational(x)[()] for x in ("3/5", "3/4", "9/10")])
    more = st.sampled_from({"square": [0], "deficient": [0, 1, -1]}.get(kind, [0, 1]))

    @st.composite
    def models(draw: Any) -> ConfoundedPOMDP:
        S, A, T = (draw(st.integers(1, 2)) for _ in range(3))
        O, Q = (max(1, S + draw(more)) for _ in range(2))  # noqa: E741
        blind = kind == "blind" and draw(st.booleans())

        def row(n: int, target: int) -> np.ndarray:
            λ, one = draw(weights), rational(np.eye(n, dtype=int)[target % n])
            return λ * one + (1 - λ) * draw(strategies.distributions(n, positive=True))

        P = np.stack([np.stack([row(S, s + a) for a in range(A)]) for s in range(S)])
        E, proxy = (np.stack([row(n, s) for s in range(S)]) for n in (O, Q))
        acts = [draw(strategies.distributions(A, positive=True)) for _ in range(1 if blind else S)]
        rewards = [[draw(strategies.UNIT_REWARDS) for _ in range(A)] for _ in range(S)]
        start = draw(strategies.distributions(S, positive=True))
        behaviour = np.stack(acts * S if blind else acts)
        return ConfoundedPOMDP(P, E, proxy, rational(rewards), behaviour, T, start)

    return models()


def _draw_policy(model: ConfoundedPOMDP) -> SearchStrategy[Any]:
    from mdplab.instances import strategies

    return strategies.policies(model.H * model.O, model.A).map(lambda π: π.reshape(model.H, model.O, model.A))


def _some_policies(rng: np.random.Generator, model: ConfoundedPOMDP) -> np.ndarray:
    from mdplab.arrays import softmax

    σ = rng.choice([0.0, 0.3, 1.0, 3.0], (*model.batch, 1, 1, 1))
    return np.asarray(softmax(σ * rng.normal(size=(*model.batch, model.H, model.O, model.A))))


def _uniform(model: ConfoundedPOMDP) -> np.ndarray:
    ones = rational(np.ones((model.H, model.O, model.A), dtype=int)) / model.A
    return np.broadcast_to(ones, (*model.batch, *ones.shape)).copy()


history_policies = Domain(_draw_policy, _some_policies, _uniform, exact_distribution)


# -- Files ------------------------------------------------------------------------------------------------------------


def from_document(document: dict[str, Any]) -> ConfoundedPOMDP:
    """The model of a JSON document; see the module for its form."""
    from mdplab.instances.files import numbers_of

    horizon = document.get("horizon")
    if not isinstance(horizon, int) or isinstance(horizon, bool):
        raise InstanceError(f"horizon is {horizon!r}; expected an integer of at least 1")
    names = ["P", "E", "proxy", "r", "behaviour", *(["start"] if "start" in document else [])]
    found = numbers_of(document, *names)
    return ConfoundedPOMDP(horizon=horizon, **found)
