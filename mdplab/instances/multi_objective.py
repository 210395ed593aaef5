"""Models with several objectives: small rational draws, batched families, named examples and their form in JSON.

A `.json` file holds one model::

    {
      "model": "multi_objective",
      "discount": "9/10",
      "start": [1],
      "P": [[[1], [1]]],
      "rewards": [[[1, 0]], [[0, 1]]]
    }

`rewards[i][s][a]` is the expected one-step reward of objective i.  `start` may be left out: uniform.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab.arrays import is_exact, rational, rational_number
from mdplab.errors import InstanceError
from mdplab.instances import families as models
from mdplab.instances.domain import Domain, Family, check_sizes
from mdplab.models import DiscountedMDP, MultiObjectiveMDP

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# -- Named examples ----------------------------------------------------------------------------------------------------


def torn(discount: Any = "9/10") -> MultiObjectiveMDP:
    """One state, two actions that each serve one of two objectives: any split of 1 / (1 − γ) can be had by mixing."""
    P = rational([[[1], [1]]])
    return MultiObjectiveMDP(P, rational([[[1, 0]], [[0, 1]]]), rational_number(discount))


def two_queues(
    capacity: int = 2, arrivals: tuple[Any, Any] = ("3/10", "3/5"), discount: Any = "9/10"
) -> MultiObjectiveMDP:
    """Two queues and one server, after :cite:`guid2025`: objective i counts discounted services of queue i.

    In each step a customer arrives at queue i with probability `arrivals[i]`, unless the queue is full, and then the
    queue that the action names is served if anybody waits there.  State (x, y) has index x (capacity + 1) + y; starts
    empty.
    """
    if capacity < 1:
        raise InstanceError(f"capacity is {capacity}; a queue holds at least 1")
    p, n = [rational_number(x) for x in arrivals], capacity + 1
    P, rewards = rational(np.zeros((n * n, 2, n * n), dtype=int)), rational(np.zeros((2, n * n, 2), dtype=int))
    for x, y, i, j, a in np.ndindex(n, n, 2, 2, 2):
        waiting = [min(x + i, capacity), min(y + j, capacity)]
        probability = (p[0] if i else 1 - p[0]) * (p[1] if j else 1 - p[1])
        if waiting[a]:
            waiting[a] -= 1
            rewards[a, x * n + y, a] += probability
        P[x * n + y, a, waiting[0] * n + waiting[1]] += probability
    return MultiObjectiveMDP(P, rewards, rational_number(discount), rational(np.eye(n * n, dtype=int)[0]))


TREASURES = (1, 2, 3, 5, 8)


def deep_sea(discount: Any = "9/10") -> MultiObjectiveMDP:
    """A short dive: in column i = 0, ..., 4 sink to a treasure of 1, 2, 3, 5 or 8, or swim on; a move costs one.

    Objectives are treasure and (negative) time, after the deep-sea treasure of :cite:`vamplew2011`.  State 5: the end.
    """
    n = len(TREASURES)
    P, rewards = rational(np.zeros((n + 1, 2, n + 1), dtype=int)), rational(np.zeros((2, n + 1, 2), dtype=int))
    for i, treasure in enumerate(TREASURES):
        P[i, 0, n] = P[i, 1, min(i + 1, n - 1)] = rational_number(1)
        rewards[0, i, 0], rewards[1, i] = rational_number(treasure), rational([-1, -1])
    P[n, :, n] = rational_number(1)
    return MultiObjectiveMDP(P, rewards, rational_number(discount), rational(np.eye(n + 1, dtype=int)[0]))


# -- Families ----------------------------------------------------------------------------------------------------------


def objectives_by(
    rng: np.random.Generator, mdp: DiscountedMDP, *, M: int = 2, opposed: bool = False
) -> MultiObjectiveMDP:
    """A batch of models with M rewards: its own, then 1 − r where `opposed`, then uniform ones on [0, 1]."""
    check_sizes(M=M)
    rewards = rng.random((*mdp.batch, M, mdp.S, mdp.A))
    rewards[..., 0, :, :] = mdp.r
    if opposed and M > 1:
        rewards[..., 1, :, :] = 1 - mdp.r
    return MultiObjectiveMDP(mdp.P, rewards, mdp.discount, mdp.start)


def objectives_garnet(
    rng: np.random.Generator,
    size: int,
    *,
    S: int = 3,
    A: int = 2,
    M: int = 2,
    opposed: bool = False,
    discount: float | None = None,
) -> MultiObjectiveMDP:
    """Garnet models with M objectives, see `objectives_by`."""
    return objectives_by(rng, models.garnet(rng, size, S=S, A=A, discount=discount), M=M, opposed=opposed)


def objectives_chain(rng: np.random.Generator, size: int, *, S: int = 4) -> MultiObjectiveMDP:
    """Chains of :cite:`strens2000` whose two objectives are the reward for going on and the reward for going back."""
    mdp = models.chain(rng, size, S=S)
    back = np.zeros_like(mdp.r)
    back[..., 1] = 1.0
    return MultiObjectiveMDP(mdp.P, np.stack([mdp.r, back], axis=-3), mdp.discount, mdp.start)


def _family(name: str, make: Any, **options: Any) -> Family:
    text = ",".join(f"{key}={value}" for key, value in options.items())
    return Family(f"{name}:{text}" if text else name, partial(make, **options))


TWO = (
    _family("objectives-garnet", objectives_garnet, S=2, A=2, opposed=True),
    _family("objectives-garnet", objectives_garnet, S=3, A=3),
    _family("objectives-chain", objectives_chain),
)
THREE = (_family("objectives-garnet", objectives_garnet, S=3, A=2, M=3),)

# -- Draws -------------------------------------------------------------------------------------------------------------


def _draws(max_states: int, max_actions: int, objectives: tuple[int, ...]) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    from mdplab.instances import strategies

    @st.composite
    def drawn(draw: Any) -> MultiObjectiveMDP:
        mdp = draw(strategies.discounted_mdps(max_states, max_actions))
        rewards = [mdp.r]
        for _ in range(draw(st.sampled_from(objectives)) - 1):
            opposed = draw(st.booleans())
            x = [] if opposed else [draw(strategies.UNIT_REWARDS) for _ in range(mdp.r.size)]
            rewards.append(1 - mdp.r if opposed else rational(x).reshape(mdp.r.shape))
        return MultiObjectiveMDP(mdp.P, np.stack(rewards), mdp.discount, mdp.start)

    return drawn()


def multi_objective_mdps(
    max_states: int = 3,
    max_actions: int = 3,
    *,
    objectives: tuple[int, ...] = (2, 3),
    families: tuple[Family, ...] | None = None,
) -> Domain:
    """Models with several rewards in [0, 1].

    Parameters
    ----------
    max_states, max_actions : int
        Largest drawn model.
    objectives : tuple of int
        How many objectives a drawn model may have.
    families : tuple of Family, optional
        Instead of the usual ones, of two objectives, or also three where `objectives` says so.
    """
    usual = TWO + (THREE if max(objectives) > 2 else ())
    return Domain(
        lambda: _draws(max_states, max_actions, objectives),
        families=usual if families is None else families,
        model=MultiObjectiveMDP,
    )


def _drawn_weights(mdp: MultiObjectiveMDP) -> SearchStrategy[Any]:
    from mdplab.instances import strategies

    return strategies.distributions(mdp.M)


def _some_weights(rng: np.random.Generator, mdp: MultiObjectiveMDP) -> np.ndarray:
    return rng.dirichlet(np.ones(mdp.M), mdp.batch)


weights = Domain(
    _drawn_weights,
    _some_weights,
    lambda mdp: np.broadcast_to(rational(np.ones(mdp.M, dtype=int)) / mdp.M, (*mdp.batch, mdp.M)).copy(),
)

# -- Files -------------------------------------------------------------------------------------------------------------


def from_document(document: dict[str, Any]) -> MultiObjectiveMDP:
    """The model that a JSON document describes; see the module for the form.

    Raises
    ------
    InstanceError
        If an entry is missing, ragged or not made of numbers.
    ModelError
        If the arrays do not make a model.
    """
    from mdplab.instances.files import numbers_of

    names = ["P", "rewards", "discount", *(["start"] if "start" in document else [])]
    x = numbers_of(document, *names)
    for name, axes in (("P", 3), ("rewards", 3), ("discount", 0)):
        if x[name].ndim != axes:
            raise InstanceError(f"{name} has {x[name].ndim} axes; expected {axes}")
    discount: Any = x["discount"][()] if is_exact(x["P"]) else float(x["discount"])
    return MultiObjectiveMDP(x["P"], x["rewards"], discount, x.get("start"))
