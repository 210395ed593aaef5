"""The solution of a model of any class: the optimal value between certified bounds, and an optimal policy."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np

from mdplab.arrays import floats, is_exact, total
from mdplab.errors import MdplabError
from mdplab.exact import optimum
from mdplab.theorem.inputs import to_json

# Model classes other than DiscountedMDP: the module that has `solution(model)`, returning the same keys as far as they
# make sense, and more of its own.
SOLUTIONS: dict[str, str] = {
    "ConfoundedPOMDP": "mdplab.exact.confounded",
    "ConstrainedMDP": "mdplab.exact.constrained_optimum",
    "ExitTimeMDP": "mdplab.exact.exit_time",
    "FiniteHorizonMDP": "mdplab.exact.finite_horizon",
    "MultiObjectiveMDP": "mdplab.exact.coverage",
    "POMDP": "mdplab.exact.pomdp",
    "RobustMDP": "mdplab.exact.robust.solution",
}


def solve(model: Any) -> dict[str, Any]:
    """Optimal values with bounds, an optimal policy and the value at the start, as JSON; rationals stay exact texts."""
    name = type(model).__name__
    if name in SOLUTIONS:
        return {key: to_json(x) for key, x in import_module(SOLUTIONS[name]).solution(model).items()}
    if name not in ("DiscountedMDP", "SparseMDP"):
        raise MdplabError(f"models of class {name} cannot be solved; expected DiscountedMDP or {', '.join(SOLUTIONS)}")
    return _discounted(model)


def _discounted(mdp: Any) -> dict[str, Any]:
    best = optimum(mdp)
    at_start = [total(mdp.start * bound) for bound in (best.low, best.high)]
    return {
        "states": mdp.S,
        "actions": mdp.A,
        "discount": to_json(mdp.discount),
        "exact": is_exact(best.v),
        "value_at_start": [to_json(x) for x in at_start],
        "values": to_json(best.v),
        "low": to_json(best.low),
        "high": to_json(best.high),
        "policy": [int(a) for a in np.asarray(best.action)],
    }


def text(name: str, found: dict[str, Any]) -> str:
    """The same for people: a line for the start, then a line a state where there are values and actions by state."""
    sizes = [f"{found[key]} {key}" for key in ("states", "actions", "horizon") if key in found]
    lines = [", ".join([f"{name}: {sizes[0]}" if sizes else name, *sizes[1:], f"discount {found.get('discount', 1)}"])]
    low, high = found["value_at_start"]
    if low == high and isinstance(low, str):
        lines.append(f"optimal value at the start: {low} = {_float(low):.10g} (exact)")
    else:
        middle = (_float(low) + _float(high)) / 2
        lines.append(f"optimal value at the start: {middle:.10g}, certified between {low} and {high}")
    if "low" in found and not found.get("exact"):
        width = float(np.max(floats(np.asarray(found["high"])) - floats(np.asarray(found["low"]))))
        lines.append(f"bounds of all states are at most {width:.2g} apart")
    lines += [
        f"{key}: {value}" for key, value in found.items() if key not in _KNOWN and not isinstance(value, list | dict)
    ]
    if _by_state(found):
        lines += ["", f"{'state':>8}  {'value':>16}  action", *_rows(found)]
    return "\n".join(lines)


_KNOWN = ("states", "actions", "horizon", "discount", "exact", "value_at_start")
ROWS = 64


def _by_state(found: dict[str, Any]) -> bool:
    values, policy = found.get("values") or [], found.get("policy") or []
    return bool(values) and bool(policy) and not isinstance(values[0], list) and len(values) == len(policy)


def _rows(found: dict[str, Any]) -> list[str]:
    values, policy = found["values"], found["policy"]
    shown = [f"{s:>8}  {_float(values[s]) + 0.0:>16.10g}  {policy[s]}" for s in range(min(len(values), ROWS))]
    return [*shown, f"... {len(values) - ROWS} more states; --json has them all"] if len(values) > ROWS else shown


def _float(x: Any) -> float:
    from fractions import Fraction

    return float(Fraction(x)) if isinstance(x, str) else float(x)
