"""Searching small exact instances with Hypothesis: climb towards a violation, then shrink it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from mdplab.theorem.inputs import Inputs, draws
from mdplab.theorem.statement import Theorem

Test = Callable[
    [Inputs], tuple[bool, float]
]  # whether it refutes, and how near it comes (larger is nearer; NaN: no idea)


class _Found(Exception):
    """A refuting instance, thrown through Hypothesis so that it shrinks it."""


def search(
    theorem: Theorem, admits: Callable[[Inputs], bool], test: Test, examples: int, seed: int, shrink: bool
) -> tuple[Inputs | None, int]:
    """Draw up to `examples` instances that `admits` accepts and `test` them, until one refutes.

    Returns the refuting inputs (the simplest found, if `shrink`) and the number of draws that were discarded.
    """
    from hypothesis import HealthCheck, Phase, assume, given, settings, target
    from hypothesis import seed as seeded

    found: list[Inputs] = []
    broken: list[Exception] = []  # a mistake in a theorem file is told at once: shrinking it would take minutes
    discarded = 0

    @seeded(seed)
    @settings(
        max_examples=examples,
        database=None,
        deadline=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate, Phase.target] + [Phase.shrink] * shrink,
    )
    @given(inputs=draws(theorem))
    def attempt(inputs: Any) -> None:
        nonlocal discarded
        if broken:
            return
        if not admits(inputs):
            discarded += 1
            assume(False)
        try:
            refutes, nearness = test(inputs)
        except Exception as error:
            broken.append(error)
            return
        if refutes:
            found.append(inputs)
            raise _Found
        if math.isfinite(nearness):
            target(nearness, label="nearness")

    try:
        attempt()
    except _Found:
        return found[-1], discarded
    except Exception as error:
        if type(error).__name__ != "Unsatisfiable":
            raise
    if broken:
        raise broken[0]
    return None, discarded
