"""What is seen of a policy: states, actions and rewards, step by step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mdplab.arrays import Array


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Trajectories of H steps, batched over leading axes.

    Attributes
    ----------
    states : int array (..., H + 1)
        s_0, ..., s_H, the rows of the policy that acted.  Numbers beyond them say that all is over: nobody acts there,
        nothing is paid, and the value is zero.
    actions : int array (..., H)
        a_0, ..., a_{H−1}, the columns of the policy; 0 where all is over.
    rewards : array (..., H), or (..., H, M) for vector rewards
        What step h pays, not discounted.
    weights : array (H,) or (..., H)
        What a reward of step h counts for in the return: γ^h for a fixed length; 1 while h <= T, else 0, for a
        geometric length T (so that the expected return is the discounted one); 1 before the exit time, else 0.
    """

    states: Any
    actions: Any
    rewards: Array
    weights: Array

    @property
    def H(self) -> int:
        """Number of steps."""
        return int(self.actions.shape[-1])

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the batch of trajectories."""
        return tuple(self.actions.shape[:-1])
