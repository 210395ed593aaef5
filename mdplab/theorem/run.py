"""Checking many theorems: side by side in worker processes, each verdict kept as soon as it is there."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mdplab.theorem.check import check
from mdplab.theorem.collect import theorems_in
from mdplab.theorem.statement import Theorem
from mdplab.theorem.verdict import Verdict


@dataclass(frozen=True)
class Settings:
    """What a verdict depends on beside the theorem and the library; see `check`."""

    profile: str = "default"
    seed: int = 0
    device: str = "cpu"
    model: tuple[str, Any] | None = None

    def __str__(self) -> str:
        from mdplab.theorem.inputs import to_json

        return json.dumps(
            [self.profile, self.seed, self.device, self.model and [self.model[0], to_json(self.model[1])]]
        )


class Journal:
    """The verdicts of a run under way, on disk; they outlive an interruption and go when the run is complete."""

    def __init__(self, theorems: Sequence[Theorem], settings: Settings) -> None:
        digest = hashlib.sha256(str(settings).encode())
        package = Path(__file__).resolve().parents[1]
        for file in sorted({*package.rglob("*.py"), *(x.file for x in theorems)}):
            digest.update(file.read_bytes())
        digest.update(" ".join(x.id for x in theorems).encode())
        self.folder = cache_folder() / "verify" / digest.hexdigest()[:24]

    def kept(self) -> dict[str, tuple[Verdict, float]]:
        """Verdicts and seconds by id."""
        out = {}
        for file in sorted(self.folder.glob("*.json")):
            data = json.loads(file.read_text())
            out[data["verdict"]["id"]] = (Verdict.from_json(data["verdict"]), data["seconds"])
        return out

    def keep(self, verdict: Verdict, seconds: float) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{verdict.id}.json"
        part = file.with_suffix(".part")
        part.write_text(json.dumps({"verdict": verdict.to_json(), "seconds": seconds}))
        part.replace(file)  # a file is whole or absent

    def close(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def cache_folder() -> Path:
    """Where unfinished work is kept: $MDPLAB_CACHE, else the user's cache folder."""
    if folder := os.environ.get("MDPLAB_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mdplab"


def verify(
    theorems: Sequence[Theorem],
    settings: Settings,
    workers: int | None = None,
    progress: Callable[[str, str], None] = lambda theorem, step: None,
) -> Iterator[tuple[Theorem, Verdict, float]]:
    """Yield (theorem, verdict, seconds) as they are finished; verdicts of an interrupted run come first.

    `workers` defaults to the number of cores.  Which worker does what changes no verdict.
    """
    # Hypothesis keeps notes on source files; they do not belong into the folder in which somebody verifies.
    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(cache_folder() / "hypothesis"))
    journal = Journal(theorems, settings)
    kept = journal.kept()
    for x in theorems:
        if x.id in kept:
            yield (x, *kept[x.id])
    rest = [x for x in theorems if x.id not in kept]
    workers = min(workers or os.cpu_count() or 1, len(rest))
    for x, verdict, seconds in (_in_turn if workers <= 1 else _side_by_side)(rest, settings, workers, progress):
        journal.keep(verdict, seconds)
        yield x, verdict, seconds
    journal.close()


def _in_turn(
    theorems: Sequence[Theorem], settings: Settings, workers: int, progress: Callable[[str, str], None]
) -> Iterator[tuple[Theorem, Verdict, float]]:
    for x in theorems:
        begin = time.perf_counter()
        verdict = check(x, **vars(settings), progress=lambda step, x=x: progress(x.id, step))  # type: ignore[misc]
        yield x, verdict, time.perf_counter() - begin


def _side_by_side(
    theorems: Sequence[Theorem], settings: Settings, workers: int, progress: Callable[[str, str], None]
) -> Iterator[tuple[Theorem, Verdict, float]]:
    context = _workers_context()
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_quiet_worker) as pool:
        jobs = {pool.submit(_job, x.file, x.id, settings): x for x in theorems}
        progress("", f"{len(jobs)} theorems on {workers} workers")
        try:
            for done in as_completed(jobs):
                yield (jobs[done], *done.result())
        except BaseException:
            processes = list((pool._processes or {}).values())  # the pool forgets them when it is shut down
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.terminate()
            raise


def _workers_context() -> Any:
    # Not forks of this process: one in which threads have run may hang.  Where the system has it, a clean server
    # process imports the engine once and is forked for each worker; elsewhere each worker starts from nothing.
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "mdplab.exact", "mdplab.solvers", "hypothesis.strategies"])
    return context


def _quiet_worker() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    os.environ["NUMBA_NUM_THREADS"] = "1"  # the cores are shared among workers


def _job(file: Path, id: str, settings: Settings) -> tuple[Verdict, float]:
    theorem = next(x for x in theorems_in(file) if x.id == id)
    begin = time.perf_counter()
    return check(theorem, **vars(settings)), time.perf_counter() - begin
