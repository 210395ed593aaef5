"""Counterexamples as files: saved in readable JSON, judged again exactly, or on the same replicates."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mdplab import __version__
from mdplab.errors import InstanceError
from mdplab.theorem import inputs as inp
from mdplab.theorem.claim import Claim
from mdplab.theorem.collect import catalogue, theorems_in
from mdplab.theorem.exactly import Result, judge_exactly
from mdplab.theorem.inputs import Inputs
from mdplab.theorem.random_check import result_of
from mdplab.theorem.sampled import hold_races, pushed_forward, replicates_of
from mdplab.theorem.statement import Theorem
from mdplab.theorem.verdict import Refutation, Verdict


@dataclass(frozen=True)
class Replay:
    """A saved counterexample, judged again."""

    theorem: Theorem
    near_miss: str | None
    claim: Claim
    result: Result
    k: int | None
    inputs: dict[str, Any]
    draws: dict[str, Any] | None = None  # of one that a race refuted

    @property
    def refutes(self) -> bool:
        return self.result.failure is not None


def save(folder: Path, theorem: Theorem, verdict: Verdict) -> list[Path]:
    """Write the smallest and the worst counterexample of a refuted theorem; returns the files."""
    folder.mkdir(parents=True, exist_ok=True)
    out = []
    for which in ("smallest", "worst"):
        refutation = getattr(verdict, which)
        if refutation is not None:
            file = folder / f"{theorem.id}.{which}.json"
            file.write_text(json.dumps(record(theorem, refutation), indent=1, ensure_ascii=False) + "\n")
            out.append(file)
    return out


def record(theorem: Theorem, refutation: Refutation, near_miss: str | None = None) -> dict[str, Any]:
    """What a replay file holds; `inputs` may be edited by hand."""
    shipped = theorem.file.parent == catalogue("theorems")
    return {
        "mdplab": __version__,
        "theorem": theorem.id,
        "file": None if shipped else str(theorem.file),
        "near_miss": near_miss,
        **asdict(refutation),
    }


def replay(file: Path) -> Replay:
    """Judge a saved counterexample exactly; one that a race refuted, by the race on the same replicates.

    Raises InstanceError if the file does not exist, is not JSON, or misses a key.
    """
    data = _read(file)
    path = Path(data["file"]) if data.get("file") else catalogue("theorems") / f"{data['theorem'].partition('.')[0]}.py"
    if not path.exists():
        raise InstanceError(f"{file}: theorem file {path} does not exist")
    theorem = next((x for x in theorems_in(path) if x.id == data["theorem"]), None)
    if theorem is None:
        raise InstanceError(f"{file}: {path} defines no theorem {data['theorem']}")
    claim, slots = theorem.claims.get(data["claim"], next(iter(theorem.claims.values()))), {}
    if data.get("near_miss") is not None:
        miss = theorem.near_misses.get(data["near_miss"])
        claim = miss if isinstance(miss, Claim) else claim
        slots = dict(miss) if isinstance(miss, dict) else {}
    given = {name: inp.from_json(x) for name, x in data["inputs"].items()}
    inputs = theorem.complete(given)
    if data.get("draws"):
        result = _raced(theorem, claim, inp.in_floats(inputs), data["draws"], slots)
    else:
        inputs = inp.exact(theorem, inputs)
        judged = replace(theorem, measure=pushed_forward(theorem)) if theorem.is_random else theorem
        last = data["k"] if theorem.index is not None else None
        result = judge_exactly(judged, {"": claim}, inputs, last, slots)[""]
    return Replay(theorem, data.get("near_miss"), claim, result, data["k"], inputs, data.get("draws"))


def _raced(theorem: Theorem, claim: Claim, inputs: Inputs, draws: dict[str, Any], slots: Mapping[str, Any]) -> Result:
    replicates = replicates_of(theorem, inputs, draws["seed"])
    α, most = draws["alpha"], draws["replicates"]
    heats = hold_races(theorem, {"": claim}, inputs, replicates, lambda name: α, lambda name: most, slots)
    return result_of(heats[""])


def _read(file: Path) -> dict[str, Any]:
    if not file.exists():
        raise InstanceError(f"{file} does not exist; expected a saved counterexample")
    try:
        data = json.loads(file.read_text())
    except json.JSONDecodeError as error:
        raise InstanceError(f"{file} is not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    for key in ("theorem", "inputs", "claim", "k"):
        if not isinstance(data, dict) or key not in data:
            raise InstanceError(f"{file} has no key {key!r}; expected a counterexample that mdplab saved")
    return data
