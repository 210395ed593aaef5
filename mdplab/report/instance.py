"""One instance as people read it: a model as a table of its actions, other inputs as rows of numbers."""

from __future__ import annotations

from typing import Any

from mdplab.report.words import number

ROWS = 24  # of a model, in a terminal


def models(inputs: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The inputs, as in a verdict's JSON, that are models."""
    return {name: x for name, x in inputs.items() if is_model(x)}


def is_model(x: Any) -> bool:
    """Whether `x` is a discounted model, which is drawn and listed by its actions; others are shown field by field."""
    return isinstance(x, dict) and "P" in x and "r" in x and x.get("class", "DiscountedMDP") == "DiscountedMDP"


def fields(name: str, x: dict[str, Any]) -> dict[str, Any]:
    """The arrays of a model of another class by the names ``name.field``; those that it leaves out are not there."""
    return {f"{name}.{field}": y for field, y in x.items() if field != "class" and y is not None}


def text(inputs: dict[str, Any]) -> str:
    """All inputs, indented by nothing, one paragraph each."""
    return "\n".join(model(name, x) if is_model(x) else array(name, x) for name, x in inputs.items())


def summary(x: dict[str, Any]) -> str:
    """``2 states, 3 actions, discount 9/10``."""
    S, A = len(x["r"]), len(x["r"][0])
    return f"{_count(S, 'state')}, {_count(A, 'action')}, discount {number(x['discount'])}"


def model(name: str, x: dict[str, Any]) -> str:
    """A model, one line for each action of each state."""
    if len(x["r"]) == 1 and float_of(x["discount"]) == 0:
        arms = ", ".join(map(number, x["r"][0]))
        return f"{name}: bandit with {_count(len(x['r'][0]), 'arm')}, mean rewards ({arms})"
    lines = [f"{name}: {summary(x)}"]
    if x.get("start") is not None:
        lines.append(f"  start ({', '.join(map(number, x['start']))})")
    table = [("state", "action", "reward", "next state: probability")]
    for s, a, reward, nexts in transitions(x):
        table.append((str(s), str(a), number(reward), ", ".join(f"{t}: {number(p)}" for t, p in nexts)))
    shown = table[: ROWS + 1]
    widths = [max(len(row[i]) for row in shown) for i in range(3)]
    lines += ["  " + "  ".join([*(c.rjust(w) for c, w in zip(row[:3], widths, strict=True)), row[3]]) for row in shown]
    if len(table) > len(shown):
        lines.append(f"  ... {len(table) - len(shown)} more actions")
    return "\n".join(lines)


def transitions(x: dict[str, Any]) -> list[tuple[int, int, Any, list[tuple[int, Any]]]]:
    """(state, action, reward, [(next state, probability), ...] where it is positive) for each action of a model."""
    return [
        (s, a, x["r"][s][a], [(t, p) for t, p in enumerate(row) if float_of(p) > 0])
        for s, rows in enumerate(x["P"])
        for a, row in enumerate(rows)
    ]


def array(name: str, x: Any) -> str:
    """A number, or an array with one line for each row."""
    if isinstance(x, dict) and "class" in x:
        return "\n".join([f"{name}: {x['class']}", *(array(f"  {key}", y) for key, y in fields(name, x).items())])
    if isinstance(x, dict):
        return f"{name}: {x}"
    if not isinstance(x, list):
        return f"{name} = {number(x)}"
    if not x or not isinstance(x[0], list):
        return f"{name} = ({', '.join(map(number, x))})"
    cells = [[number(y) for y in row] if not isinstance(row[0], list) else [str(row)] for row in x]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    rows = ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in cells]
    lead = f"{name} = "
    return "\n".join((lead if n == 0 else " " * len(lead)) + row for n, row in enumerate(rows))


def float_of(x: Any) -> float:
    """A number of the JSON, a rational text or a float, as a float."""
    from fractions import Fraction

    return float(Fraction(x)) if isinstance(x, str) else float(x)


def _count(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"
