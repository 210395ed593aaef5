"""Batched families of random models: pure functions (rng, size, options) of one batched float64 model each.

The same seed, size and options give the same bytes.  Where no `discount` is given each model draws its own γ from
`DISCOUNTS`; where no `start` is given half of the models start uniformly and half with Dirichlet(1) weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mdplab.errors import InstanceError
from mdplab.instances.domain import check_sizes
from mdplab.instances.finite_horizon import epochs
from mdplab.instances.robust import robust_garnet
from mdplab.models import DiscountedMDP
from mdplab.models import bandit as _bandit

DISCOUNTS = (0.0, 0.3, 0.5, 0.6, 0.9, 0.97, 0.99)


def garnet(
    rng: np.random.Generator, size: int, *, S: int = 5, A: int = 3, b: int = 0, discount: float | None = None
) -> DiscountedMDP:
    """Garnet(S, A, b): each pair has `b` successors chosen at random (0 for all S), reached with Dirichlet(1) weights.

    Rewards are uniform on [0, 1] in three models out of four and 0 or 1 in the fourth (:cite:`archibald1995`).
    """
    check_sizes(S=S, A=A)
    b = S if b == 0 else b
    if not 1 <= b <= S:
        raise InstanceError(
            f"a Garnet model with S={S} states has b={b} successors; expected 1 <= b <= S, or 0 for all"
        )
    P = np.zeros((size, S, A, S))
    successors = np.argsort(rng.random((size, S, A, S)), axis=-1)[..., :b]
    np.put_along_axis(P, successors, rng.dirichlet(np.ones(b), (size, S, A)), axis=-1)
    return _model(rng, P, _rewards(rng, size, S, A), discount)


def sparse(
    rng: np.random.Generator, size: int, *, S: int = 5, A: int = 3, discount: float | None = None
) -> DiscountedMDP:
    """Rows drawn from Dirichlet(1/10): nearly all mass on one or two successors, the rest tiny but positive."""
    check_sizes(S=S, A=A)
    P = rng.dirichlet(np.full(S, 0.1), (size, S, A))
    return _model(rng, P, _rewards(rng, size, S, A), discount)


def deterministic(
    rng: np.random.Generator, size: int, *, S: int = 5, A: int = 3, noise: float = 0.0, discount: float | None = None
) -> DiscountedMDP:
    """Each action leads to one state; with probability `noise` to a uniformly chosen one instead."""
    check_sizes(S=S, A=A)
    P = np.eye(S)[rng.integers(S, size=(size, S, A))]
    return _model(rng, (1 - noise) * P + noise / S, _rewards(rng, size, S, A), discount)


def near_ties(
    rng: np.random.Generator, size: int, *, S: int = 4, A: int = 3, width: float = 1e-3, discount: float | None = None
) -> DiscountedMDP:
    """All rewards within `width` of one half, and transitions that matter as little: optimal actions nearly tie."""
    check_sizes(S=S, A=A)
    shared = rng.dirichlet(np.ones(S), (size, S, 1))
    P = (1 - width) * shared + width * rng.dirichlet(np.ones(S), (size, S, A))
    return _model(rng, P, 0.5 + width * rng.uniform(-1, 1, (size, S, A)), discount)


def tiny_start(
    rng: np.random.Generator, size: int, *, S: int = 3, A: int = 2, least: float = 1e-3, discount: float | None = None
) -> DiscountedMDP:
    """Garnet models in which all states but one have start probability `least`."""
    mdp = garnet(rng, size, S=S, A=A, discount=discount)
    likely = np.eye(S)[rng.integers(S, size=size)]
    return mdp.starting(least + (1 - S * least) * likely)


def one_start(
    rng: np.random.Generator, size: int, *, S: int = 4, A: int = 3, b: int = 2, discount: float | None = None
) -> DiscountedMDP:
    """Garnet models that start in state 0: other states have start probability zero and some cannot be reached."""
    return garnet(rng, size, S=S, A=A, b=min(b, S), discount=discount).starting(np.tile(np.eye(S)[0], (size, 1)))


def chain(
    rng: np.random.Generator, size: int, *, S: int = 5, slip: float | None = None, discount: float | None = None
) -> DiscountedMDP:
    """The chain of :cite:`strens2000`: action 0 goes on, action 1 goes back to the start for a small reward.

    Reward 1 for going on at the end, where going on means to stay, and a fifth for going back.  With probability `slip`
    (one for each model, up to 0.3, where not given) an action does what the other should.
    """
    check_sizes(S=S)
    p = rng.uniform(0, 0.3, (size, 1, 1)) if slip is None else np.full((size, 1, 1), slip)
    on, back = np.eye(S)[np.minimum(np.arange(S) + 1, S - 1)], np.eye(S)[np.zeros(S, dtype=int)]
    P = np.stack([(1 - p) * on + p * back, (1 - p) * back + p * on], axis=-2)
    gain_on, gain_back = (np.arange(S) == S - 1) * 1.0, np.full(S, 0.2)
    p = p[..., 0]
    r = np.stack([(1 - p) * gain_on + p * gain_back, (1 - p) * gain_back + p * gain_on], axis=-1)
    return _model(rng, P, r, discount)


def riverswim(
    rng: np.random.Generator, size: int, *, S: int = 6, current: float | None = None, discount: float | None = None
) -> DiscountedMDP:
    """RiverSwim (:cite:`strehl2008`): action 0 drifts down the river for sure, action 1 swims against the current.

    Swimming moves up with 3/10, stays with 6/10 and falls back with `current` = 1/10 (drawn from [0, 0.4] for each
    model where not given, and taken off staying); rewards 5/10000 at the lower end and 1 at the upper end.
    """
    check_sizes(S=S)
    c = rng.uniform(0, 0.4, (size, 1, 1)) if current is None else np.full((size, 1, 1), current)
    stay, down, up = (
        np.eye(S),
        np.eye(S)[np.maximum(np.arange(S) - 1, 0)],
        np.eye(S)[np.minimum(np.arange(S) + 1, S - 1)],
    )
    swim = 0.3 * up + (0.7 - c) * stay + c * down
    swim[:, -1] = 0.3 * stay[-1] + 0.7 * down[-1]  # the upper end has a current of its own
    P = np.stack([np.broadcast_to(down, swim.shape), swim], axis=-2)
    r = np.zeros((size, S, 2))
    r[:, 0, 0], r[:, -1, 1] = 5e-4, 0.3 if S > 1 else 1.0
    return _model(rng, P, r, discount)


def grid(
    rng: np.random.Generator,
    size: int,
    *,
    rows: int = 3,
    columns: int = 3,
    walls: float = 0.2,
    slip: float | None = None,
    discount: float | None = None,
) -> DiscountedMDP:
    """Grid worlds with random walls, one goal, and actions north, east, south, west.

    A move into a wall or off the grid stays.  With probability `slip` (drawn from {0, 0.1, 0.3} where not given) the
    move goes to either side of the chosen direction, as often left as right.  Entering the goal pays 1 and ends there
    (an absorbing state without reward).  A wall is a state too: it cannot be reached and leads nowhere.
    """
    check_sizes(rows=rows, columns=columns)
    S = rows * columns
    wall = rng.random((size, S)) < walls
    goal = rng.integers(S, size=size)
    wall[np.arange(size), goal] = False
    p = rng.choice([0.0, 0.1, 0.3], (size, 1, 1, 1)) if slip is None else np.full((size, 1, 1, 1), slip)
    move = np.eye(S)[_moves(wall, rows, columns)]
    P = (1 - p) * move + p / 2 * (np.roll(move, 1, axis=-2) + np.roll(move, -1, axis=-2))
    P[np.arange(size), goal] = np.eye(S)[goal][:, None]
    r = np.take_along_axis(P, goal[:, None, None, None], axis=-1)[..., 0]
    r[np.arange(size), goal] = 0.0
    return _model(rng, P, r, discount)


def _moves(wall: np.ndarray, rows: int, columns: int) -> np.ndarray:
    i, j = np.divmod(np.arange(rows * columns), columns)
    to = [
        np.clip(i + di, 0, rows - 1) * columns + np.clip(j + dj, 0, columns - 1)
        for di, dj in ((-1, 0), (0, 1), (1, 0), (0, -1))
    ]
    target = np.stack(to, axis=-1)
    here = np.arange(rows * columns)[:, None]
    blocked = wall[:, target] | wall[:, :, None]
    return np.where(blocked, here, target)


def bandits(rng: np.random.Generator, size: int, *, K: int = 3, rewards: str = "uniform") -> DiscountedMDP:
    """One-state problems with `K` arms and γ = 0; mean `rewards` are "uniform", "binary" (0 or 1) or "near-ties"."""
    check_sizes(K=K)
    if rewards not in ("uniform", "binary", "near-ties"):
        raise InstanceError(f"rewards is {rewards!r}; expected 'uniform', 'binary' or 'near-ties'")
    if rewards == "binary":
        return _bandit(rng.integers(2, size=(size, K)).astype(float))
    u = rng.random((size, K))
    return _bandit(u if rewards == "uniform" else 0.5 + 1e-3 * (2 * u - 1))


def _rewards(rng: np.random.Generator, size: int, S: int, A: int) -> np.ndarray:
    r = rng.random((size, S, A))
    binary = rng.random((size, 1, 1)) < 0.25
    return np.where(binary, np.round(r), r)


def _model(rng: np.random.Generator, P: np.ndarray, r: np.ndarray, discount: float | None) -> DiscountedMDP:
    size, S = r.shape[:2]
    γ = rng.choice(DISCOUNTS, size) if discount is None else np.full(size, float(discount))
    uneven = rng.random((size, 1)) < 0.5
    start = np.where(uneven, rng.dirichlet(np.ones(S), size), 1 / S)
    return DiscountedMDP(P, r, γ, start)


by_name: dict[str, Callable[..., Any]] = {
    "bandits": bandits,
    "chain": chain,
    "deterministic": deterministic,
    "epochs": epochs,
    "garnet": garnet,
    "grid": grid,
    "near-ties": near_ties,
    "one-start": one_start,
    "riverswim": riverswim,
    "robust-garnet": robust_garnet,
    "sparse": sparse,
    "tiny-start": tiny_start,
}
