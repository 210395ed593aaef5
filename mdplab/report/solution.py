"""The solution of a model: optimal values between certified bounds, and one optimal policy."""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import floats, is_exact, total
from mdplab.exact import optimum
from mdplab.theorem.inputs import to_json


def solve(mdp: Any) -> dict[str, Any]:
    """Optimal values with bounds, an optimal policy and the value at the start, as JSON; rationals stay exact texts."""
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
    """The same for people: a line for the start, then a line a state."""
    low, high = found["value_at_start"]
    lines = [f"{name}: {found['states']} states, {found['actions']} actions, discount {found['discount']}"]
    if found["exact"]:
        lines.append(f"optimal value at the start: {low} = {_float(low):.10g} (exact)")
    else:
        middle = (low + high) / 2
        lines.append(f"optimal value at the start: {middle:.10g}, certified between {low!r} and {high!r}")
        width = float(np.max(floats(np.asarray(found["high"])) - floats(np.asarray(found["low"]))))
        lines.append(f"bounds of all states are at most {width:.2g} apart")
    lines.append("")
    lines.append(f"{'state':>8}  {'value':>16}  action")
    shown = range(min(found["states"], ROWS))
    lines += [f"{s:>8}  {_float(found['values'][s]):>16.10g}  {found['policy'][s]}" for s in shown]
    if found["states"] > ROWS:
        lines.append(f"... {found['states'] - ROWS} more states; --json has them all")
    return "\n".join(lines)


ROWS = 64


def _float(x: Any) -> float:
    from fractions import Fraction

    return float(Fraction(x)) if isinstance(x, str) else float(x)
