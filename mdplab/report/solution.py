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
        hard = name == "RobustMDP" and model.ambiguity.rectangular == "no"
        module = import_module("mdplab.report.not_rectangular" if hard else SOLUTIONS[name])
        return {key: to_json(x) for key, x in module.solution(model).items()}
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
    sizes = [_counted(found[key], key) for key in ("states", "actions") if key in found]
    sizes += [f"{key} {found[key]}" for key in ("horizon", "discount") if key in found]
    lines = [f"{name}: " + ", ".join(sizes)]
    low, high = found["value_at_start"]
    if low == high and isinstance(low, str):
        lines.append(f"optimal value at the start: {low} = {_float(low):.10g} (exact)")
    else:
        middle, apart = (_float(low) + _float(high)) / 2, abs(_float(high) - _float(low))
        value = "somewhere" if apart > WIDE * abs(middle) else f"{middle:.10g},"
        lines.append(f"optimal value at the start: {value} certified between {low} and {high}")
    if "low" in found and not found.get("exact"):
        width = float(np.max(floats(np.asarray(found["high"])) - floats(np.asarray(found["low"]))))
        lines.append(f"bounds of all states are at most {width:.2g} apart")
    lines += [f"{key.replace('_', ' ')}: {_short(x)}" for key, x in found.items() if key not in _KNOWN and _short(x)]
    values, policy = found.get("values") or [], found.get("policy") or []
    if "horizon" in found and len(values) == len(policy) > 0:
        later = "" if len(values) == 1 else f", the first of {len(values)} times; --json has them all"
        lines += ["", f"at time 0{later}"]
        values, policy = values[0], policy[0]
    if len(values) == len(policy) > 0 and not isinstance(values[0], list):
        head = "probabilities of the actions" if isinstance(policy[0], list) else "action"
        lines += ["", f"{'state':>8}  {'value':>16}  {head}", *_rows(values, policy)]
    return "\n".join(lines)


_KNOWN = ("states", "actions", "horizon", "discount", "exact", "value_at_start", "values", "low", "high", "policy")
ROWS, SHORT = 64, 8
WIDE = 1e-2  # bounds that are farther apart, relative to their middle, are not summed up by it


def _counted(n: int, things: str) -> str:
    return f"{n} {things.removesuffix('s') if n == 1 else things}"


def _short(x: Any) -> str:
    """One value, or a few numbers in a row; nothing for what is longer."""
    if not isinstance(x, list | dict):
        return str(x)
    flat = isinstance(x, list) and not any(isinstance(y, list | dict) for y in x)
    return f"({', '.join(_digits(y) for y in x)})" if flat and len(x) <= SHORT else ""


def _digits(x: Any) -> str:
    return x if isinstance(x, str) else f"{x:.6g}"


def _rows(values: list[Any], policy: list[Any]) -> list[str]:
    def chosen(row: Any) -> str:
        return "  ".join(map(_digits, row)) if isinstance(row, list) else str(row)

    shown = [f"{s:>8}  {_float(values[s]) + 0.0:>16.10g}  {chosen(policy[s])}" for s in range(min(len(values), ROWS))]
    return [*shown, f"... {len(values) - ROWS} more states; --json has them all"] if len(values) > ROWS else shown


def _float(x: Any) -> float:
    from fractions import Fraction

    return float(Fraction(x)) if isinstance(x, str) else float(x)
