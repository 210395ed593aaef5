"""pytest collects theorem files: one item for the claim, one for each near miss.

``pytest my_paper.py`` works anywhere; for a folder, set ``python_files = ["test_*.py", "theorems/*.py"]``.
The verdict's JSON is in each item's user properties, so it survives workers and JUnit files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mdplab.theorem.verdict import Verdict


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mdplab", "theorems")
    group.addoption("--mdplab-profile", default="quick", choices=["quick", "default", "full"], help="work per theorem")
    group.addoption("--mdplab-seed", default=0, type=int, help="seed of all draws")


def pytest_pycollect_makeitem(collector: Any, name: str, obj: object) -> Any:
    # By name, so that a test run without theorems does not import the engine.
    if type(obj).__name__ != "Theorem" or not type(obj).__module__.startswith("mdplab."):
        return None
    if obj.file != Path(collector.path).resolve():  # type: ignore[attr-defined]
        return []  # imported from another theorem file, and collected there
    return TheoremCollector.from_parent(collector, name=name, theorem=obj)


class TheoremCollector(pytest.Collector):
    """The items of one theorem; the check runs once, when the first of them does."""

    def __init__(self, theorem: Any, **options: Any) -> None:
        super().__init__(**options)
        self.theorem = theorem

    def collect(self) -> Iterator[pytest.Item]:
        yield TheoremItem.from_parent(self, name="claim", near_miss=None)
        for name in self.theorem.near_misses:
            yield TheoremItem.from_parent(self, name=f"rejects[{name}]", near_miss=name)

    @cached_property
    def verdict(self) -> Verdict:
        from mdplab.theorem import check

        option = self.config.getoption
        return check(self.theorem, profile=option("--mdplab-profile"), seed=option("--mdplab-seed"))


class NotAsDeclared(Exception):
    """The theorem's verdict, or a near miss that survives."""


class TheoremItem(pytest.Item):
    """The claim of a theorem, or one of its near misses."""

    parent: TheoremCollector

    def __init__(self, near_miss: str | None, **options: Any) -> None:
        super().__init__(**options)
        self.near_miss = near_miss

    def runtest(self) -> None:
        verdict = self.parent.verdict
        if self.near_miss is None:
            self.user_properties.append(("mdplab", json.dumps(verdict.to_json())))
            declared = verdict.as_declared or verdict.word == "toothless"  # teeth have items of their own
            if not declared or (verdict.word == "toothless" and not verdict.near_misses):
                raise NotAsDeclared
        elif verdict.declared != "refuted" and not _miss(verdict, self.near_miss).refuted:
            raise NotAsDeclared

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """The mathematics in place of a traceback."""
        if not isinstance(excinfo.value, NotAsDeclared):
            return super().repr_failure(excinfo, style)
        from mdplab.report.terminal import details
        from mdplab.theorem.replay import save

        theorem, verdict = self.parent.theorem, self.parent.verdict
        if self.near_miss is not None:
            return f"near miss {self.near_miss!r} of {theorem.id} was not refuted"
        files = save(Path("counterexamples"), theorem, verdict) if verdict.smallest else []
        commands = [f"mdplab replay {file}" for file in files]
        return "\n".join([details(theorem, verdict), *commands])

    def reportinfo(self) -> tuple[Path, int | None, str]:
        return self.path, None, f"{self.parent.theorem.id} {self.name}"


def _miss(verdict: Verdict, name: str) -> Any:
    return next(miss for miss in verdict.near_misses if miss.name == name)
