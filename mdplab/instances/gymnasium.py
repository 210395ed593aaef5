"""Gymnasium environments that carry their transition table, as models."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from mdplab.errors import InstanceError
from mdplab.models import DiscountedMDP

# Versions that newer releases of Gymnasium refuse, with the version that has the same table by default.
_SAME_TABLE = {"CliffWalking-v0": "CliffWalking-v1", "Taxi-v3": "Taxi-v4"}


def from_gymnasium(env: Any, discount: Any, start: Any = None) -> DiscountedMDP:
    """The model behind an environment with a table ``P[s][a] = [(probability, next state, reward, terminated), ...]``.

    Parameters
    ----------
    env : gymnasium.Env or str
        An environment, or the id of one to make and close again.
    discount : number in [0, 1)
        γ; an environment has none of its own.
    start : array (S,), optional
        By default the environment's `initial_state_distrib`, and where it has none the state that `reset` returns
        under seed 0; any terminal state that is added has start probability zero.

    Returns
    -------
    DiscountedMDP
        In float64.  An episode that ends earns nothing afterwards: a transition marked as terminated leads to its next
        state if that state never leaves itself and never pays, else to one terminal state added after the others.
        Time limits are not part of the table and are ignored.

    Raises
    ------
    InstanceError
        If the id is unknown, the environment cannot be made or has no table, or the table is not one.
    """
    if not isinstance(env, str):
        return _model(env, getattr(env.spec, "id", None) or type(env.unwrapped).__name__, discount, start)
    made = _make(env)
    try:
        return _model(made, env, discount, start)
    finally:
        made.close()


def _make(name: str) -> Any:
    import gymnasium

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a name without its version means the newest, or has a newer one
        for known in (name, _SAME_TABLE.get(name)):
            try:
                if known is not None:
                    return gymnasium.make(known)
            except gymnasium.error.Error as error:
                reason = str(error)
            except Exception as error:  # an environment's own constructor may raise anything
                reason = f"{type(error).__name__}: {error}"
    raise InstanceError(f"gym:{name} cannot be made: {reason}")


def _model(env: Any, name: str, discount: Any, start: Any) -> DiscountedMDP:
    table = getattr(env.unwrapped, "P", None)
    if not isinstance(table, dict) or not all(isinstance(actions, dict) and actions for actions in table.values()):
        raise InstanceError(
            f"gym:{name} has no transition table; expected env.unwrapped.P[s][a] to be a list of "
            "(probability, next state, reward, terminated)"
        )
    n = len(table)
    A = max(len(actions) for actions in table.values())
    # States that end an episode by themselves need no terminal state of their own.
    ended = {s for s in table if all(t == s and not r for a in table[s].values() for _, t, r, _ in a)}
    added = any(end and t not in ended for s in table for a in table[s].values() for _, t, _, end in a)
    P, r = np.zeros((n + added, A, n + added)), np.zeros((n + added, A))
    for s in range(n):
        for a in range(A):
            # A state with fewer actions repeats its last one.
            for p, t, reward, end in _outcomes(table, name, s, min(a, len(table[s]) - 1)):
                P[s, a, n if end and t not in ended else t] += p
                r[s, a] += p * reward
    if added:
        P[n, :, n] = 1.0
    return DiscountedMDP(P, r, float(discount), _start(env, start, n, n + added))


def _outcomes(table: dict[Any, Any], name: str, s: int, a: int) -> list[tuple[float, int, float, bool]]:
    try:
        outcomes = [(float(p), int(t), float(r), bool(end)) for p, t, r, end in table[s][a]]
    except (KeyError, TypeError, ValueError) as error:
        raise InstanceError(
            f"gym:{name}: P[{s}][{a}] is not a list of (probability, next state, reward, terminated)"
        ) from error
    for _, t, _, _ in outcomes:
        if not 0 <= t < len(table):
            raise InstanceError(f"gym:{name}: P[{s}][{a}] leads to state {t}; expected 0 <= state < {len(table)}")
    return outcomes


def _start(env: Any, start: Any, n: int, S: int) -> np.ndarray:
    if start is None:
        start = getattr(env.unwrapped, "initial_state_distrib", None)
    if start is None:
        observation, _ = env.reset(seed=0)
        start = np.eye(n)[int(observation)]
    start = np.asarray(start, dtype=float)
    return np.append(start, np.zeros(S - n)) if start.shape == (n,) else start
