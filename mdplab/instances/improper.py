"""Models with given controllers to mix: two queues with one server, and two states where mixing is the worst of all."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab.arrays import exact_distribution, rational, rational_number
from mdplab.errors import InstanceError
from mdplab.instances.domain import Domain
from mdplab.models import DiscountedMDP

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# -- Named ------------------------------------------------------------------------------------------------------------


def two_queues(first: Any = "2/5", second: Any = "2/5", buffer: int = 5, discount: Any = "19/20") -> DiscountedMDP:
    """Two queues and one server that serves one job of one queue a step (after :cite:`zaki2022`).

    The state is (q_1, q_2), numbered q_1 (buffer + 1) + q_2; action i takes a job from queue i if there is one; then in
    each queue independently a job arrives with probability `first` or `second`, and is lost if the buffer is full.  The
    reward 1 − (q_1 + q_2) / (2 buffer) is that of the state before the action.  Starts empty.
    """
    λ = (rational_number(first), rational_number(second))
    if buffer < 1 or not all(0 <= x <= 1 for x in λ):
        raise InstanceError(f"first={first}, second={second}, buffer={buffer}; expected rates in [0, 1], a buffer >= 1")
    n = buffer + 1
    P, r = rational(np.zeros((n * n, 2, n * n), dtype=int)), rational(np.zeros((n * n, 2), dtype=int))
    for q in product(range(n), repeat=2):
        s = q[0] * n + q[1]
        r[s] = 1 - rational_number(f"{sum(q)}/{2 * buffer}")
        for served, arrivals in product((0, 1), product((0, 1), repeat=2)):
            left = [max(q[i] - (i == served), 0) for i in (0, 1)]
            t = [min(x + y, buffer) for x, y in zip(left, arrivals, strict=True)]
            chance = [p if y else 1 - p for p, y in zip(λ, arrivals, strict=True)]
            P[s, served, t[0] * n + t[1]] += chance[0] * chance[1]
    return DiscountedMDP(P, r, rational_number(discount), rational(np.eye(n * n, dtype=int)[0]))


def one_action_each(mdp: DiscountedMDP) -> np.ndarray:
    """For each action the controller that always takes it, in rationals;  (A, S, A).

    For `two_queues`: always serve the first, and always serve the second.
    """
    return rational(np.repeat(np.eye(mdp.A, dtype=int)[:, None, :], mdp.S, axis=1))


def stay_or_switch(second: Any = 1, discount: Any = "9/10") -> DiscountedMDP:
    """Two states; staying pays 1 in the first and `second` in the other, switching pays nothing; start uniform.

    With `stay_or_switch_controllers`, each of which stays in one state and leaves the other, weights (p, 1 − p) and
    `second` = 1 the value at the start is (1 + γ (2p − 1)²) / (2 (1 − γ)): equal weights are its minimum, with zero
    gradient.
    """
    P = rational([[[1, 0], [0, 1]], [[0, 1], [1, 0]]])
    return DiscountedMDP(P, rational([[1, 0], [second, 0]]), rational_number(discount))


def stay_or_switch_controllers() -> np.ndarray:
    """The first controller goes to the first state and stays there, the second to the second;  (2, 2, 2)."""
    return rational([[[1, 0], [0, 1]], [[0, 1], [1, 0]]])


# -- Domains ----------------------------------------------------------------------------------------------------------

MOST = 3  # controllers


def _draw_controllers(mdp: DiscountedMDP) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    from mdplab.instances import strategies

    one = st.lists(strategies.distributions(mdp.A), min_size=mdp.S, max_size=mdp.S).map(np.stack)
    return st.lists(one, min_size=2, max_size=MOST).map(np.stack)


def _some_controllers(rng: np.random.Generator, mdp: DiscountedMDP) -> np.ndarray:
    shape = (*mdp.batch, MOST, mdp.S)
    pure = np.eye(mdp.A)[rng.integers(mdp.A, size=shape)]
    return np.where(rng.random((*mdp.batch, 1, 1, 1)) < 0.5, pure, rng.dirichlet(np.full(mdp.A, 0.5), shape))


def _first_last_and_any(mdp: DiscountedMDP) -> np.ndarray:
    pure = one_action_each(mdp)
    uniform = rational(np.ones((1, mdp.S, mdp.A), dtype=int)) / mdp.A
    return np.broadcast_to(np.concatenate([pure[[0, -1]], uniform]), (*mdp.batch, MOST, mdp.S, mdp.A)).copy()


def _draw_weights(positive: bool) -> Any:
    def draw(controllers: np.ndarray) -> SearchStrategy[Any]:
        from mdplab.instances import strategies

        return strategies.distributions(controllers.shape[-3], positive=positive)

    return draw


def _some_weights(rng: np.random.Generator, controllers: np.ndarray) -> np.ndarray:
    w = rng.dirichlet(np.full(controllers.shape[-3], 0.7), controllers.shape[:-3]) + 1e-6
    return w / w.sum(axis=-1, keepdims=True)


def _some_mixtures(rng: np.random.Generator, controllers: np.ndarray) -> np.ndarray:
    M, batch = controllers.shape[-3], controllers.shape[:-3]
    pure = np.eye(M)[rng.integers(M, size=batch)]
    return np.where(rng.random((*batch, 1)) < 0.5, pure, _some_weights(rng, controllers))


def _equal_weights(controllers: np.ndarray) -> np.ndarray:
    shape = controllers.shape[:-2]
    return rational(np.ones(shape, dtype=int)) / shape[-1]


def _draw_logits(controllers: np.ndarray) -> SearchStrategy[Any]:
    from mdplab.instances import strategies

    return strategies.logits(1, controllers.shape[-3]).map(lambda θ: θ[0])


def _some_logits(rng: np.random.Generator, controllers: np.ndarray) -> np.ndarray:
    return rng.choice([0.1, 1.0, 3.0], (*controllers.shape[:-3], 1)) * rng.normal(size=controllers.shape[:-2])


# Two or three policies to mix, weights of theirs that are all positive, weights that may be zero, and their logits.
controllers = Domain(_draw_controllers, _some_controllers, _first_last_and_any, exact_distribution)
weights = Domain(_draw_weights(True), _some_weights, _equal_weights, exact_distribution)
mixtures = Domain(_draw_weights(False), _some_mixtures, _equal_weights, exact_distribution)
weight_logits = Domain(
    _draw_logits, _some_logits, lambda controllers: rational(np.zeros(controllers.shape[:-2], dtype=int))
)
