"""What a theorem assumes, as predicates that an instance can be tested for, with their LaTeX and a witness in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from inspect import signature
from typing import Any

import numpy as np

from mdplab.arrays import floats, is_exact, largest, smallest


@dataclass(frozen=True, eq=False)
class Assumption:
    """A hypothesis of a theorem.

    Parameters
    ----------
    latex : str
        How it is printed.
    words : str
        The same in words, ending a sentence that begins "it is assumed that ...".
    holds : function of inputs, by name
        One truth value for each model of the batch, shape (...,).
    witness : function of inputs, by name, optional
        For one instance that does not satisfy it: where it fails, in words.
    """

    latex: str
    words: str
    holds: Callable[..., Any]
    witness: Callable[..., str] | None = None

    def met_by(self, inputs: Mapping[str, Any]) -> np.ndarray:
        """Truth values of the batch's shape."""
        return np.asarray(floats(called(self.holds, inputs)), dtype=bool)  # from whatever device

    def failure(self, inputs: Mapping[str, Any]) -> str:
        """One sentence on why one instance does not satisfy it."""
        where = f" ({called(self.witness, inputs)})" if self.witness else ""
        return f"it is assumed that {self.words}{where}"


@dataclass(frozen=True)
class Without:
    """The near miss that drops an assumption: the claim must be refuted on some instance that violates it."""

    assumption: Assumption


def called(f: Callable[..., Any], inputs: Mapping[str, Any]) -> Any:
    """`f` with those inputs that its parameters name."""
    return f(**{name: inputs[name] for name in signature(f).parameters if name in inputs})


def _state_without_start(mdp: Any) -> str:
    s = int(floats(mdp.start).reshape(-1, mdp.S).min(axis=0).argmin())
    return f"state {s} has start probability {float(floats(mdp.start).reshape(-1, mdp.S)[:, s].min()):g}"


def _reward_outside(mdp: Any) -> str:
    r = floats(mdp.r).reshape(-1, mdp.S, mdp.A)
    index = np.unravel_index(int(np.argmax(np.abs(r - 0.5))), r.shape)
    return f"r[{index[-2]}, {index[-1]}] is {r[index]:g}"


positive_start = Assumption(
    r"\min_s \mu(s) > 0",
    "every state has positive start probability",
    lambda mdp: smallest(mdp.start) > 0,
    _state_without_start,
)
rewards_in_unit_interval = Assumption(
    r"r(s, a) \in [0, 1]",
    "all rewards lie in [0, 1]",
    lambda mdp: (smallest(mdp.r, 2) >= 0) & (largest(mdp.r, 2) <= 1),
    _reward_outside,
)
one_state = Assumption(
    r"|\mathcal S| = 1,\ \gamma = 0",
    "the model is a bandit (one state, γ = 0)",
    lambda mdp: np.full(mdp.batch, mdp.S == 1) & (np.asarray(floats(mdp.discount)) == 0),
    lambda mdp: f"it has {mdp.S} states" if mdp.S > 1 else f"γ is {mdp.discount}",
)


def _unique(mdp: Any) -> np.ndarray:
    from mdplab.exact import optimum

    # In float64 a gap below this size cannot be told from a tie; near-ties of the families are far above it.
    gap = optimum(mdp).action_gap
    return gap > 0 if is_exact(mdp.P) else gap > 1e-6


unique_optimal_actions = Assumption(
    r"\Delta^* > 0",
    "the optimal action is unique in every state",
    _unique,
    lambda mdp: "some state has tied optimal actions",
)
