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
    outcomes = _outcomes(table, name)
    n, A = len(outcomes), max(map(len, outcomes))
    # States that end an episode by themselves need no terminal state of their own.
    ended = {s for s in range(n) if all(t == s and r == 0 for a in outcomes[s] for _, t, r, _ in a)}
    added = any(end and t not in ended for actions in outcomes for a in actions for _, t, _, end in a)
    P, r = np.zeros((n + added, A, n + added)), np.zeros((n + added, A))
    for s in range(n):
        for a in range(A):
            for p, t, reward, end in outcomes[s][min(a, len(outcomes[s]) - 1)]:  # fewer actions: the last one again
                P[s, a, n if end and t not in ended else t] += p
                r[s, a] += p * reward
    if added:
        P[n, :, n] = 1.0
    return DiscountedMDP(P, r, float(discount), _start(env, start, n, n + added))


def _outcomes(table: dict[Any, dict[Any, Any]], name: str) -> list[list[list[tuple[float, int, float, bool]]]]:
    """The table as lists, outcomes[s][a], every entry checked."""
    n, found = len(table), []
    if set(table) != set(range(n)):
        raise InstanceError(f"gym:{name}: P has other keys than the states 0, ..., {n - 1}")
    for s in range(n):
        if set(table[s]) != set(range(len(table[s]))):
            raise InstanceError(f"gym:{name}: P[{s}] has other keys than the actions 0, ..., {len(table[s]) - 1}")
        found.append([_checked(table[s][a], f"gym:{name}: P[{s}][{a}]", n) for a in range(len(table[s]))])
    return found


def _checked(entries: Any, where: str, n: int) -> list[tuple[float, int, float, bool]]:
    try:
        outcomes = [(float(p), int(t), float(r), bool(end)) for p, t, r, end in entries]
    except (TypeError, ValueError) as error:
        raise InstanceError(f"{where} is not a list of (probability, next state, reward, terminated)") from error
    for _, t, _, _ in outcomes:
        if not 0 <= t < n:
            raise InstanceError(f"{where} leads to state {t}; expected 0 <= state < {n}")
    return outcomes


def _start(env: Any, start: Any, n: int, S: int) -> np.ndarray:
    if start is None:
        start = getattr(env.unwrapped, "initial_state_distrib", None)
    if start is None:
        observation, _ = env.reset(seed=0)
        start = np.eye(n)[int(observation)]
    start = np.asarray(start, dtype=float)
    return np.append(start, np.zeros(S - n)) if start.shape == (n,) else start
