"""Finite-horizon models: named examples, batched families, strategies, domains, and their form in JSON.

In a `.json` file either all epochs, whose numbers of states may differ::

    {"model": "finite_horizon",
     "P": [P_0, ..., P_{H-2}],
     "r": [r_0, ..., r_{H-1}],
     "start": ["1/2", "1/2"]}

with `P_h[s][a]` a distribution over the states of epoch h + 1 and `r_h[s][a]` a reward; or one kernel and reward for
all epochs, with the number of these::

    {"model": "finite_horizon", "horizon": 4, "P": [[[1, 0], [0, 1]], [[0, 1], [0, 1]]], "r": [[0, 0], [1, 0]]}

`start` may be left out (uniform over the states of epoch 0), and may be over all pairs of an epoch and a state.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab.arrays import rational, rational_number
from mdplab.errors import InstanceError
from mdplab.instances.domain import Domain, Family, check_sizes
from mdplab.models import FiniteHorizonMDP

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


# -- Named ------------------------------------------------------------------------------------------------------------


def lock(H: int = 4, spread: Any = 0) -> FiniteHorizonMDP:
    """A combination lock: only the first action in every one of `H` epochs leads to the reward 1 of the last.

    State 0 is alive and state 1 dead, at two actions.  Starts alive; with `spread` ε > 0 each of the other pairs of an
    epoch and a state has ε times the weight of that start.  The value of a policy is the product of its probabilities
    of the first action.
    """
    check_sizes(H=H)
    P = rational([[[1, 0], [0, 1]], [[0, 1], [0, 1]]])
    none, prize = rational([[0, 0], [0, 0]]), rational([[1, 0], [0, 0]])
    weights = rational([1] + [rational_number(spread)] * (2 * H - 1))
    return FiniteHorizonMDP((P,) * (H - 1), (none,) * (H - 1) + (prize,), weights / weights.sum())


def late_choice(A: int = 4, sure: Any = "1/2") -> FiniteHorizonMDP:
    """Two epochs: what is best in the first depends on whether the second will be played well.

    The first of `A` actions leads to a state where the first action pays 1 and the others nothing, all other actions to
    a state where every action pays `sure` < 1.  Against a second epoch without preference the latter is better if
    `sure` > 1/A; V_0* = 1.
    """
    ways = np.minimum(np.arange(A), 1)
    last = np.stack([rational((ways == 0).astype(int)), rational([sure] * A)])
    return FiniteHorizonMDP((rational(np.eye(2, dtype=int)[ways][None]),), (0 * last[:1], last))


def twin_states(S: int = 3) -> FiniteHorizonMDP:
    """One epoch with `S` identical states and rewards (1, 0): all gradients are as small as 1 / S, their sum is not."""
    return FiniteHorizonMDP((), (rational([[1, 0]] * S),))


def uneven() -> FiniteHorizonMDP:
    """Three epochs of one, three and two states without any symmetry, two actions, rewards in [0, 1]."""
    first = rational([[["1/2", "3/10", "1/5"], [0, "1/4", "3/4"]]])
    second = rational([[["1/3", "2/3"], [1, 0]], [["1/2", "1/2"], ["1/5", "4/5"]], [[0, 1], ["9/10", "1/10"]]])
    r = (
        rational([["1/5", 0]]),
        rational([[0, "1/2"], ["3/10", 1], ["1/4", "1/10"]]),
        rational([[1, "1/4"], [0, "3/5"]]),
    )
    return FiniteHorizonMDP((first, second), r, rational(["1/4", "1/8", "1/8", "1/6", "1/6", "1/6"]))


# -- Families ---------------------------------------------------------------------------------------------------------


def epochs(
    rng: np.random.Generator,
    size: int,
    *,
    H: int = 3,
    S: int = 3,
    A: int = 3,
    rows: str = "dirichlet",
    same: bool = False,
    everywhere: bool = True,
) -> FiniteHorizonMDP:
    """Random models with `H` epochs of `S` states and `A` actions, rewards in [0, 1] or, in every third model, 0 or 1.

    `rows` of the kernels are Dirichlet(0.3) weights or "deterministic"; with `same`, kernel and reward are the same in
    all epochs.  The start is `everywhere`: positive on all pairs of an epoch and a state, else on those of epoch 0.
    """
    check_sizes(H=H)
    return of_sizes(rng, size, (S,) * H, A=A, rows=rows, same=same, everywhere=everywhere)


def of_sizes(
    rng: np.random.Generator,
    size: int,
    sizes: tuple[int, ...],
    *,
    A: int = 3,
    rows: str = "dirichlet",
    same: bool = False,
    everywhere: bool = True,
) -> FiniteHorizonMDP:
    """As `epochs`, with `sizes` states in the epochs, one number each."""
    if min(*sizes, A, 1) < 1 or rows not in ("dirichlet", "deterministic"):
        raise InstanceError(
            f"sizes {sizes}, A={A}, rows={rows!r}; expected numbers >= 1, 'dirichlet' or 'deterministic'"
        )

    def kernel(S: int, T: int) -> np.ndarray:
        if rows == "deterministic":
            return np.eye(T)[rng.integers(T, size=(size, S, A))]
        return rng.dirichlet(np.full(T, 0.3), (size, S, A))

    def reward(S: int) -> np.ndarray:
        r = rng.random((size, S, A))
        return np.where(binary, np.round(r), r)

    H = len(sizes)
    binary = (np.arange(size) % 3 == 2)[:, None, None]
    if same:
        P, r = (kernel(sizes[0], sizes[0]),) * (H - 1), (reward(sizes[0]),) * H
    else:
        P, r = tuple(kernel(S, T) for S, T in pairwise(sizes)), tuple(map(reward, sizes))
    n = sum(sizes) if everywhere else sizes[0]
    weights = rng.dirichlet(np.ones(n), size)
    return FiniteHorizonMDP(P, r, 0.1 / n + 0.9 * weights if everywhere else weights)


def _family(sizes: tuple[int, ...], **options: Any) -> Family:
    words = ",".join([f"sizes={'+'.join(map(str, sizes))}", *(f"{key}={value}" for key, value in options.items())])
    return Family(f"epochs:{words}", partial(_made, sizes=sizes, **options))


def _made(rng: np.random.Generator, size: int, **options: Any) -> FiniteHorizonMDP:
    return of_sizes(rng, size, options.pop("sizes"), **options)


FAMILIES = (
    _family((2,), A=2),
    _family((2, 2), A=3),
    _family((3, 3, 3), A=2),
    _family((1, 3, 2, 4), A=3),
    _family((3, 3, 3), A=4, rows="deterministic"),
    _family((2, 2, 2, 2, 2), A=2, same=True),
)


SMALL_FAMILIES = (_family((2,), A=2), _family((2, 2), A=2), _family((1, 3, 2), A=2))


def _stretched(family: Family) -> Family:
    """The family with rewards scaled by orders of magnitude, differently for each model."""

    def make(rng: np.random.Generator, size: int) -> FiniteHorizonMDP:
        mdp = family.make(rng, size)
        scale = 10.0 ** rng.integers(-1, 2, (size, 1, 1))
        return FiniteHorizonMDP(mdp.P, tuple(scale * r for r in mdp.r), mdp.start)

    return Family(f"{family.name}, any scale", make)


# -- Domains ----------------------------------------------------------------------------------------------------------


def finite_horizon_mdps(
    max_epochs: int = 3,
    max_states: int = 2,
    max_actions: int = 3,
    *,
    everywhere: bool = True,
    families: tuple[Family, ...] | None = None,
) -> Domain:
    """Finite-horizon models with rewards >= 0: small rational ones, and batches with up to five epochs.

    Parameters
    ----------
    max_epochs, max_states, max_actions : int
        Largest drawn model; numbers of states are drawn for each epoch.
    everywhere : bool
        Whether every pair of an epoch and a state has positive start probability; else one starts in epoch 0.
    families : tuple of Family, optional
        Instead of the usual ones.
    """
    if families is None:
        families = tuple(map(_stretched, FAMILIES))
        if not everywhere:
            families = tuple(_at_first(family) for family in families)

    def draw() -> SearchStrategy[FiniteHorizonMDP]:
        return drawn(max_epochs, max_states, max_actions, everywhere)

    return Domain(draw, families=families, model=FiniteHorizonMDP, excludes=_several if max_epochs == 1 else None)


def _several(mdp: FiniteHorizonMDP) -> str | None:
    return None if mdp.H == 1 else f"it is about models of one epoch, and this one has {mdp.H}"


def _at_first(family: Family) -> Family:
    def make(rng: np.random.Generator, size: int) -> FiniteHorizonMDP:
        mdp = family.make(rng, size)
        first = mdp.split(mdp.start)[0]
        return mdp.starting(first / first.sum(axis=-1, keepdims=True))

    return Family(f"{family.name}, from the first epoch", make)


def drawn(
    max_epochs: int = 3, max_states: int = 2, max_actions: int = 3, everywhere: bool = True
) -> SearchStrategy[FiniteHorizonMDP]:
    """A Hypothesis strategy of small rational models with rewards >= 0; shrinks to one epoch, state and action."""
    from hypothesis import strategies as st

    from mdplab.instances import strategies

    bounds = st.sampled_from([rational_number(x) for x in (1, 3, "1/10")])

    @st.composite
    def models(draw: Any) -> FiniteHorizonMDP:
        H, A = draw(st.integers(1, max_epochs)), draw(st.integers(1, max_actions))
        sizes = [draw(st.integers(1, max_states)) for _ in range(H)]
        R = draw(bounds)
        P = tuple(
            np.stack([np.stack([draw(strategies.distributions(T)) for _ in range(A)]) for _ in range(S)])
            for S, T in pairwise(sizes)
        )
        r = tuple(
            np.array([[R * draw(strategies.UNIT_REWARDS) for _ in range(A)] for _ in range(S)], dtype=object)
            for S in sizes
        )
        start = draw(strategies.distributions(sum(sizes) if everywhere else sizes[0], positive=everywhere))
        return FiniteHorizonMDP(P, r, start)

    return models()


def _draw_distributions(mdp: FiniteHorizonMDP) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    from mdplab.instances import strategies

    return st.tuples(*(strategies.distributions(S, positive=True) for S in mdp.sizes)).map(np.concatenate)


def _some_distributions(rng: np.random.Generator, mdp: FiniteHorizonMDP) -> np.ndarray:
    parts = [0.1 / S + 0.9 * rng.dirichlet(np.ones(S), mdp.batch) for S in mdp.sizes]
    return np.concatenate(parts, axis=-1)


def uniform_by_epoch(mdp: FiniteHorizonMDP) -> np.ndarray:
    """1 / S_h for each state of epoch h, in rationals;  (..., S)."""
    parts = [np.broadcast_to(rational(np.ones(S, dtype=int)) / S, (*mdp.batch, S)) for S in mdp.sizes]
    return np.concatenate(parts, axis=-1)


# For each epoch a positive distribution over its states: what the dynamic scheme starts its epochs from.
epoch_distributions = Domain(_draw_distributions, _some_distributions, uniform_by_epoch)


def _draw_uniform(mdp: FiniteHorizonMDP) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    return st.just(uniform_by_epoch(mdp))


# The same where the number of updates grows with 1 / μ, so that exact runs stay short.
uniform_in_draws = Domain(_draw_uniform, _some_distributions, uniform_by_epoch)


# -- Files ------------------------------------------------------------------------------------------------------------


def from_document(document: dict[str, Any]) -> FiniteHorizonMDP:
    """The model of a JSON document; see the module for its form."""
    from mdplab.instances.files import numbers_of

    starts = ["start"] if "start" in document else []
    if "horizon" in document:
        horizon = document["horizon"]
        if not isinstance(horizon, int) or isinstance(horizon, bool):
            raise InstanceError(f"horizon is {horizon!r}; expected an integer of at least 1")
        found = numbers_of(document, "P", "r", *starts)
        return FiniteHorizonMDP.homogeneous(found["P"], found["r"], horizon, found.get("start"))
    for name in ("P", "r"):
        if not isinstance(document.get(name), list):
            raise InstanceError(f"{name} is {document.get(name)!r}; expected a list with one entry for each epoch")
    parts = {f"{name}[{h}]": x for name in ("P", "r") for h, x in enumerate(document[name])}
    found = numbers_of(parts | {name: document[name] for name in starts}, *parts, *starts)
    P, r = (tuple(found[f"{name}[{h}]"] for h in range(len(document[name]))) for name in ("P", "r"))
    return FiniteHorizonMDP(P, r, found.get("start"))
