"""Named examples: one function each, in rationals, with the policies and logits that belong to them beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mdplab.arrays import log, rational, rational_number
from mdplab.errors import InstanceError
from mdplab.instances.confounded import sign_reversal, two_witnesses, unconfounded
from mdplab.instances.constrained import crossing, opposed_arms, paradox, two_constraints
from mdplab.instances.domain import check_sizes
from mdplab.instances.exit_time import gambler, share_repurchase, walk, which_exit
from mdplab.instances.exploration import baited_lock, episodic_riverswim, n_chain, two_roads
from mdplab.instances.finite_horizon import late_choice, lock, twin_states, uneven
from mdplab.instances.improper import stay_or_switch, two_queues
from mdplab.instances.multi_objective import deep_sea, torn
from mdplab.instances.multi_objective import two_queues as fair_queues
from mdplab.instances.pomdp import memory_needed, tiger
from mdplab.instances.robust import early_stop, random_is_best, two_kernels
from mdplab.instances.trust_regions import one_way_street, two_rooms
from mdplab.models import DiscountedMDP, bandit


def one_state_loop(discount: Any = "9/10", A: int = 1) -> DiscountedMDP:
    """One state, `A` equal actions, reward 1: every value is 1 / (1 − γ), and contraction bounds are equalities.

    With A >= 2 the entropy bound V* + τ log A / (1 − γ) on soft values is attained.
    """
    check_sizes(A=A)
    return DiscountedMDP(rational(np.ones((1, A, 1), dtype=int)), rational([[1] * A]), rational_number(discount))


def two_state_swap(discount: Any = "1/2") -> DiscountedMDP:
    """Two states swap at every step, r = (1, 0): V = (1, γ) / (1 − γ²)."""
    return DiscountedMDP(rational([[[0, 1]], [[1, 0]]]), rational([[1], [0]]), rational_number(discount))


def two_by_two() -> DiscountedMDP:
    """Two states and two actions without any symmetry, γ = 9/10, on which a wrong formula gives a wrong number."""
    P = rational([[["9/10", "1/10"], ["1/5", "4/5"]], [["1/2", "1/2"], [0, 1]]])
    return DiscountedMDP(P, rational([[1, 0], ["3/10", "7/10"]]), rational_number("9/10"), rational(["3/5", "2/5"]))


def two_by_two_logits() -> np.ndarray:
    """θ (2, 2) for `two_by_two`, where V^π = (5.45179..., 5.13102...)."""
    return rational([["1/5", "-2/5"], [1, 0]])


def puterman_6_2_1(discount: Any = "19/20") -> DiscountedMDP:
    """:cite:`puterman1994`, Example 6.2.1: in state 0 stay or leave (reward 5) or leave (reward 10); state 1 costs 1.

    State 1 has one action; a copy of it fills the second place.  For γ > 10/11 the first action is optimal in state 0
    and V* = ((5 − 11γ/2) / ((1 − γ/2)(1 − γ)), −1 / (1 − γ)).
    """
    P = rational([[["1/2", "1/2"], [0, 1]], [[0, 1], [0, 1]]])
    return DiscountedMDP(P, rational([[5, 10], [-1, -1]]), rational_number(discount))


def greedy_loss(discount: Any = "9/10", error: Any = 1) -> DiscountedMDP:
    """The policy that is greedy for values wrong by ε loses 2γε / (1 − γ), the most it can (:cite:`singh1994`).

    In state 0 staying pays nothing and leaving for state 1, where every action stays, pays 2γε at every step.  The two
    tie under `greedy_loss_values`, and a greedy policy that takes the first of equals stays for ever.
    """
    γ, ε = rational_number(discount), rational_number(error)
    P = rational([[[1, 0], [0, 1]], [[0, 1], [0, 1]]])
    return DiscountedMDP(P, rational([[0, 2 * γ * ε], [2 * γ * ε] * 2]), γ)


def greedy_loss_values(discount: Any = "9/10", error: Any = 1) -> np.ndarray:
    """v (2,) with ‖v − V*‖ = ε for `greedy_loss`: too much in state 0, too little in state 1."""
    γ, ε = rational_number(discount), rational_number(error)
    best = 2 * γ * ε / (1 - γ)
    return rational([best + ε, best - ε])


def long_chain(H: int = 8) -> DiscountedMDP:
    """A chain of H + 2 states, γ = H / (H + 1), whose gradients vanish exponentially in H (after :cite:`akm2021`).

    The first of four actions goes on and the three others go back, so that a policy without preference hardly ever sees
    the only reward, 1 for the first action in the last state, which then stays there.  Starts in state 0.  From the
    uniform policy, softmax policy gradient with step size 1 needs 167, 313, 643, 1409, 3230, 7662 iterations to halve
    its gap for H = 3, ..., 8: more than twice as many for each further state, though the gap itself hardly grows.
    """
    if H < 1:
        raise InstanceError(f"H is {H}; the long chain has H >= 1")
    S = H + 2
    I = np.eye(S, dtype=int)  # noqa: E741
    on, back = I[np.minimum(np.arange(S) + 1, S - 1)], I[np.maximum(np.arange(S) - 1, 0)]
    r = np.zeros((S, 4), dtype=int)
    r[-1, 0] = 1
    return DiscountedMDP(
        rational(np.stack([on, back, back, back], axis=1)), rational(r), rational_number(f"{H}/{H + 1}"), rational(I[0])
    )


def forgotten_state(discount: Any = "9/10") -> DiscountedMDP:
    """Two states that never meet, the second with start probability zero: its logits never move (:cite:`mei2020`)."""
    P = rational([[[1, 0], [1, 0]], [[0, 1], [0, 1]]])
    return DiscountedMDP(P, rational([[1, 0], [1, 0]]), rational_number(discount), rational([1, 0]))


def two_armed_bandit() -> DiscountedMDP:
    """r = (1, 0): the gradient norm bound √2 / 4 is attained at the uniform policy."""
    return bandit(rational([1, 0]))


def tied_bandit() -> DiscountedMDP:
    """r = (1, 1, 0): from `tied_bandit_logits` the first of the two best arms is abandoned."""
    return bandit(rational([1, 1, 0]))


def tied_bandit_logits() -> np.ndarray:
    """θ = (0, 1, 0) for `tied_bandit`, shape (1, 3)."""
    return rational([[0, 1, 0]])


def slow_bandit() -> DiscountedMDP:
    """The bandit of :cite:`mei2020`, Figure 1: r = (1, 9/10, 1/10).

    From `bad_start` softmax policy gradient with step size 2/5 is first drawn to the second arm and needs more than
    7000 iterations to leave it; from `good_start` a hundred iterations do.
    """
    return bandit(rational([1, "9/10", "1/10"]))


def bad_start() -> np.ndarray:
    """π = (1/100, 5/100, 94/100) for `slow_bandit`, shape (1, 3)."""
    return rational([["1/100", "1/20", "47/50"]])


def good_start() -> np.ndarray:
    """π = (5/100, 1/100, 94/100) for `slow_bandit`, shape (1, 3)."""
    return rational([["1/20", "1/100", "47/50"]])


def rare_best_arm() -> DiscountedMDP:
    """r = (1, 0, 0): at `rare_best_policy` the gap is nearly one and the gradient tiny (:cite:`mei2020`, Remark 1)."""
    return bandit(rational([1, 0, 0]))


def rare_best_policy(ε: Any = "1/100") -> np.ndarray:
    """π = (2ε, 1/2 − 2ε, 1/2) for `rare_best_arm`, shape (1, 3); the gradient's norm is at most 3ε."""
    ε = rational_number(ε)
    half = rational_number("1/2")
    return rational([[2 * ε, half - 2 * ε, half]])


by_name: dict[str, Callable[..., Any]] = {
    "bad-start-bandit": slow_bandit,
    "baited-lock": baited_lock,
    "crossing": crossing,
    "deep-sea": deep_sea,
    "early-stop": early_stop,
    "episodic-riverswim": episodic_riverswim,
    "fair-queues": fair_queues,
    "forgotten-state": forgotten_state,
    "gambler": gambler,
    "good-start-bandit": slow_bandit,
    "greedy-loss": greedy_loss,
    "late-choice": late_choice,
    "lock": lock,
    "long-chain": long_chain,
    "memory-needed": memory_needed,
    "n-chain": n_chain,
    "one-state-loop": one_state_loop,
    "one-way-street": one_way_street,
    "opposed-arms": opposed_arms,
    "paradox": paradox,
    "puterman-6.2.1": puterman_6_2_1,
    "random-is-best": random_is_best,
    "rare-best-arm": rare_best_arm,
    "share-repurchase": share_repurchase,
    "sign-reversal": sign_reversal,
    "stay-or-switch": stay_or_switch,
    "tied-bandit": tied_bandit,
    "tiger": tiger,
    "torn": torn,
    "twin-states": twin_states,
    "two-armed-bandit": two_armed_bandit,
    "two-by-two": two_by_two,
    "two-constraints": two_constraints,
    "two-kernels": two_kernels,
    "two-queues": two_queues,
    "two-roads": two_roads,
    "two-rooms": two_rooms,
    "two-state-swap": two_state_swap,
    "two-witnesses": two_witnesses,
    "unconfounded": unconfounded,
    "uneven-epochs": uneven,
    "walk": walk,
    "which-exit": which_exit,
}

# What belongs to a named example, by the name of a theorem's parameter.  log π in balls is θ where π is given.
beside: dict[str, dict[str, Callable[[], np.ndarray]]] = {
    "bad-start-bandit": {"π": bad_start, "θ": lambda: log(bad_start())},
    "good-start-bandit": {"π": good_start, "θ": lambda: log(good_start())},
    "greedy-loss": {"v": greedy_loss_values},
    "rare-best-arm": {"π": rare_best_policy, "θ": lambda: log(rare_best_policy())},
    "tied-bandit": {"θ": tied_bandit_logits},
    "two-by-two": {"θ": two_by_two_logits},
}
