"""Where one must explore: the reward is far from the start, or noise hides which way leads to it."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import rational, rational_number
from mdplab.errors import InstanceError
from mdplab.models import DiscountedMDP, FiniteHorizonMDP

# -- Named ------------------------------------------------------------------------------------------------------------


def episodic_riverswim(S: int = 5, horizon: int = 10) -> FiniteHorizonMDP:
    """RiverSwim (:cite:`strehl2008`) over a short horizon: action 0 drifts down for sure, action 1 swims up.

    Swimming moves up with 35/100, stays with 60/100 and falls back with 5/100; 60 up, 40 stay at the lower end, 60
    stay, 40 back at the upper one.  Rewards 5/1000 for drifting at the lower end and 1 for swimming at the upper one.
    Starts at the lower end; V* = .906807 for the default size.
    """
    if S < 2:
        raise InstanceError(f"S is {S}; a river has at least 2 states")
    P, r = rational(np.zeros((S, 2, S), dtype=int)), rational(np.zeros((S, 2), dtype=int))
    for s in range(S):
        P[s, 0, max(s - 1, 0)] = rational_number(1)
        P[s, 1, max(s - 1, 0) : s + 2] = rational(["1/20", "3/5", "7/20"] if 0 < s < S - 1 else ["2/5", "3/5"])
    r[0, 0], r[-1, 1] = rational_number("1/200"), rational_number(1)
    return FiniteHorizonMDP.homogeneous(P, r, horizon, rational(np.eye(S, dtype=int)[0]))


def n_chain(N: int = 10) -> FiniteHorizonMDP:
    """N states in a row, left and right for sure, N + 9 steps from the second: 1/1000 in the first, 1 in the last.

    The way right takes N − 2 steps, so V* = 11.  After Osband, Blundell, Pritzel and Van Roy (2016).
    """
    if N < 3:
        raise InstanceError(f"N is {N}; a chain with a way to go has at least 3 states")
    s = np.arange(N)
    P = np.stack([np.eye(N, dtype=int)[np.maximum(s - 1, 0)], np.eye(N, dtype=int)[np.minimum(s + 1, N - 1)]], axis=1)
    r = rational(np.zeros((N, 2), dtype=int))
    r[0], r[-1] = rational_number("1/1000"), rational_number(1)
    return FiniteHorizonMDP.homogeneous(rational(P), r, N + 9, rational(np.eye(N, dtype=int)[1]))


def baited_lock(H: int = 10, A: int = 10) -> FiniteHorizonMDP:
    """A combination lock with bait: one action in each of two good states stays good, all others pay 1/20 and kill.

    States 0 and 1 are good, action s is right in state s and leads to either with 1/2; state 2 is dead.  The right
    action of the last epoch pays 1.  Starts in state 0; V* = 1, and the uniform policy is worth 1/20 + 19/20 A^(−H).
    """
    if min(H, A - 1) < 1:
        raise InstanceError(f"H is {H} and A is {A}; a lock has H >= 1 and A >= 2")
    right = np.arange(3)[:, None] == np.arange(A)
    right[2] = False
    P = np.where(right[..., None], rational(["1/2", "1/2", 0]), rational([0, 0, 1]))
    bait = np.where(right, rational_number(0), rational_number("1/20"))
    bait[2] = rational_number(0)
    last = np.where(right, rational_number(1), bait)
    return FiniteHorizonMDP((P,) * (H - 1), (bait,) * (H - 1) + (last,), rational([1, 0, 0]))


def two_roads(discount: Any = "9/10", toll: Any = "-3/10") -> DiscountedMDP:
    """From state 2 to a toll (1), to the end (3) or on a road of two steps (4, 5) paying 5/4 each: :cite:`klein2025`.

    States 0, 3 and 6 are ends.  Starts in 1, 2, 4 or 5.  Only state 2 has a choice, V*(2) = 5/4 γ (1 + γ); elsewhere
    all actions are alike (300 of them in state 1 and five in 4 and 5 in the paper, here three), which changes nothing
    that one sees of state 2.  What makes it hard are the rewards, of standard deviation `two_roads_noise`.
    """
    P = np.zeros((7, 3, 7), dtype=int)
    P[[0, 1, 3, 4, 5, 6], :, [0, 0, 3, 5, 6, 6]] = 1
    P[2, [0, 1, 2], [1, 3, 4]] = 1
    r = rational(np.zeros((7, 3), dtype=int))
    r[1], r[4:6] = rational_number(toll), rational_number("5/4")
    start = rational([0, "1/4", "1/4", 0, "1/4", "1/4", 0])
    return DiscountedMDP(rational(P), r, rational_number(discount), start)


def two_roads_noise() -> np.ndarray:
    """Standard deviations (7, 3) of the rewards of `two_roads`, which are normal: 10 for the toll, 5/4 on the road."""
    σ = rational(np.zeros((7, 3), dtype=int))
    σ[1], σ[4:6] = rational_number(10), rational_number("5/4")
    return σ


# -- Families ---------------------------------------------------------------------------------------------------------


def layered(rng: np.random.Generator, size: int, *, H: int = 3, S: int = 3, A: int = 2) -> FiniteHorizonMDP:
    """H layers of S states with Dirichlet(1) rows; rewards 1 less a mean loss uniform on [0, 1/2].

    Starts in the first state of the first layer.
    """
    if min(H, S, A) < 1:
        raise InstanceError(f"H={H}, S={S}, A={A}; expected numbers >= 1")
    P = tuple(rng.dirichlet(np.ones(S), (size, S, A)) for _ in range(H - 1))
    r = tuple(1 - rng.uniform(0, 0.5, (size, S, A)) for _ in range(H))
    return FiniteHorizonMDP(P, r, np.tile(np.eye(S)[0], (size, 1)))
