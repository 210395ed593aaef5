"""Partially observable models: named examples, batched families, strategies, domains, and their form in JSON.

In a `.json` file::

    {"model": "pomdp", "discount": "9/10", "P": ..., "Z": ..., "r": ..., "start": ..., "first": ...}

with the arrays of `POMDP` as nested lists; `start` and `first` may be left out.  Files in
Cassandra's format are read by `mdplab.instances.cassandra`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab.arrays import exact_distribution, rational, rational_number
from mdplab.errors import InstanceError
from mdplab.instances.domain import Domain, Family
from mdplab.models import POMDP

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


# -- Named ------------------------------------------------------------------------------------------------------------


def tiger(discount: Any = "19/20", accuracy: Any = "17/20") -> POMDP:
    """The tiger problem of :cite:`kaelbling1998`: actions listen, open left, open right.

    Behind one of two doors is a tiger.  Listening costs 1 and tells the right door with probability `accuracy`; opening
    pays 10, or −100 at the tiger's door, and starts anew.
    """
    p, half = rational_number(accuracy), rational_number("1/2")
    stay, anew = rational([[1, 0], [0, 1]]), rational([["1/2", "1/2"]] * 2)
    heard = np.array([[p, 1 - p], [1 - p, p]], dtype=object)
    P = np.stack([stay, anew, anew], axis=1)
    Z = np.stack([heard, anew, anew])
    r = rational([[-1, -100, 10], [-1, 10, -100]])
    return POMDP(P, Z, r, rational_number(discount), np.array([half, half], dtype=object))


def memory_needed(discount: Any = "9/10") -> POMDP:
    """Which of two goals pays is shown once, before the first action, and must be remembered for the second.

    State 0 or 1 is shown and goes on to 2 or 3, which look alike; there the action must be the number that was shown.
    Then all is over.  A memoryless policy gets half of γ at most; one bit of memory gets γ.
    """
    P = np.zeros((5, 2, 5), dtype=int)
    P[[0, 1], :, [2, 3]] = 1
    P[2:, :, 4] = 1
    E = rational([[1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, 1], [0, 0, 1]])
    r = rational([[0, 0], [0, 0], [1, 0], [0, 1], [0, 0]])
    start = rational(["1/2", "1/2", 0, 0, 0])
    return POMDP.emitting(rational(P), E, r, rational_number(discount), start)


# -- Families ---------------------------------------------------------------------------------------------------------


def emitting_pomdps(
    rng: np.random.Generator,
    size: int,
    *,
    S: int = 3,
    A: int = 2,
    O: int = 2,  # noqa: E741
    discount: float | None = None,
) -> POMDP:
    """Dirichlet(1) transitions and emissions, rewards uniform on [−1, 1]; each state emits before one acts."""
    if min(S, A, O) < 1:
        raise InstanceError(f"a POMDP has S, A, O >= 1, not S={S}, A={A}, O={O}")
    P, E = rng.dirichlet(np.ones(S), (size, S, A)), rng.dirichlet(np.ones(O), (size, S))
    γ = rng.choice([0.0, 0.5, 0.9, 0.99], size) if discount is None else discount
    return POMDP.emitting(P, E, rng.uniform(-1, 1, (size, S, A)), γ, rng.dirichlet(np.ones(S), size))


def nearly_blind(rng: np.random.Generator, size: int, *, S: int = 3, A: int = 2, O: int = 2) -> POMDP:  # noqa: E741
    """`emitting_pomdps` whose observations hardly depend on the state."""
    model = emitting_pomdps(rng, size, S=S, A=A, O=O)
    E = 0.98 * rng.dirichlet(np.ones(O), (size, 1)) + 0.02 * model.emission
    return POMDP.emitting(model.P, E, model.r, model.discount, model.start)


def _family(name: str, make: Any, **options: Any) -> Family:
    text = ",".join(f"{key}={value}" for key, value in options.items())
    return Family(f"{name}:{text}", partial(make, **options))


FAMILIES = (
    _family("emitting", emitting_pomdps, S=2, O=2),
    _family("emitting", emitting_pomdps, S=3, O=2),
    _family("emitting", emitting_pomdps, S=2, O=3),
    _family("nearly-blind", nearly_blind, S=3, O=2),
)


# -- Domains ----------------------------------------------------------------------------------------------------------


def pomdps(*, max_states: int = 2, families: tuple[Family, ...] = FAMILIES) -> Domain:
    """Models whose states emit an observation before one acts: small rational ones, and families."""

    def draw() -> SearchStrategy[POMDP]:
        return drawn(max_states)

    return Domain(draw, families=families, model=POMDP)


def drawn(max_states: int = 2) -> SearchStrategy[POMDP]:
    """A Hypothesis strategy of small rational models; shrinks to one state, one observation and γ = 0."""
    from hypothesis import strategies as st

    from mdplab.instances import strategies

    @st.composite
    def models(draw: Any) -> POMDP:
        S, A, O = draw(st.integers(1, max_states)), draw(st.integers(1, 2)), draw(st.integers(1, 2))  # noqa: E741
        γ = draw(strategies.DISCOUNTS)
        P = np.stack([np.stack([draw(strategies.distributions(S)) for _ in range(A)]) for _ in range(S)])
        E = np.stack([draw(strategies.distributions(O)) for _ in range(S)])
        r = rational([[draw(strategies.REWARDS) for _ in range(A)] for _ in range(S)])
        return POMDP.emitting(P, E, r, γ, draw(strategies.distributions(S)))

    return models()


def stateful_policies(max_memory: int = 2) -> Domain:
    """Policies π(a, y | o, z) with up to `max_memory` memory states: arrays (..., O, Z, A, Z), positive everywhere."""

    def draw(model: POMDP) -> SearchStrategy[Any]:
        from hypothesis import strategies as st

        from mdplab.instances import strategies

        def of(Z: int) -> SearchStrategy[Any]:
            shape = (model.O, Z, model.A, Z)
            return strategies.policies(model.O * Z, model.A * Z).map(lambda π: π.reshape(shape))

        return st.integers(1, max_memory).flatmap(of)

    def batch(rng: np.random.Generator, model: POMDP) -> np.ndarray:
        from mdplab.arrays import softmax

        Z = max_memory
        σ = rng.choice([0.0, 0.3, 1.0, 2.0], (*model.batch, 1, 1, 1))
        π = softmax(σ * rng.normal(size=(*model.batch, model.O, Z, model.A * Z)))
        return np.asarray(π).reshape(*model.batch, model.O, Z, model.A, Z)

    def simplest(model: POMDP) -> np.ndarray:
        Z = max_memory
        return rational(np.ones((*model.batch, model.O, Z, model.A, Z), dtype=int)) / (model.A * Z)

    def exact(π: np.ndarray) -> np.ndarray:
        rows = exact_distribution(π.reshape(*π.shape[:-2], -1))
        return rows.reshape(π.shape)

    return Domain(draw, batch, simplest, exact)


# -- Files ------------------------------------------------------------------------------------------------------------


def from_document(document: dict[str, Any]) -> POMDP:
    """The model of a JSON document; see the module for its form."""
    from mdplab.instances.files import numbers_of

    names = ["P", "Z", "r", "discount", *(name for name in ("start", "first") if name in document)]
    found = numbers_of(document, *names)
    return POMDP(**(found | {"discount": found["discount"][()]}))
