"""Contenders measured in turn: each in a process of its own, held to its cores, that gives one sample when asked.

A benchmark runs itself again with a contender's name; that process prints one line about the contender and then, for
each line that it reads, one with the seconds of a sample on the clock (``wall``) and of its processor time (``busy``).
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any


def timed(call: Callable[[], Any]) -> tuple[float, float]:
    """Seconds on the clock, and of processor time."""
    wall, busy = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - busy


def enough(call: Callable[[int], Any], seconds: float) -> int:
    """How many times n makes ``call(n)`` take that long; the first call may compile."""
    n, taken = 1, 0.0
    while taken < seconds / 2:
        n = max(n + 1, min(10 * n, int(n * seconds / max(taken, 1e-9)))) if taken else 1
        taken = timed(lambda n=n: call(n))[0]  # type: ignore[misc]
    return max(1, int(n * seconds / taken))


class Contender:
    """One process and its samples.

    On one core of a shared machine `processor` time may count; otherwise the clock does, and samples in which the
    process had less than nine tenths of its cores are kept apart, unless a GPU does the work.
    """

    def __init__(self, script: str, title: str, name: str, cores: int, *, processor: bool = False) -> None:
        self.title, self.cores, self.processor = title, cores, processor and cores == 1
        self.samples: list[float] = []
        self.disturbed: list[float] = []
        held = sorted(os.sched_getaffinity(0))[-cores:]
        limits = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), str(cores))
        if cores == 1:
            limits["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
        self.process = subprocess.Popen(
            [sys.executable, script, name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | limits,
            preexec_fn=lambda: os.sched_setaffinity(0, held),
        )
        self.about = self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.title}: the process ended; its message is above")
        return json.loads(line)

    def sample(self) -> None:
        """Take one more."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        answer = self._answer()
        if self.processor:
            self.samples.append(answer["busy"])
        elif answer["busy"] < 0.9 * self.cores * answer["wall"] and "GPU" not in self.title:
            self.disturbed.append(answer["wall"])
        else:
            self.samples.append(answer["wall"])


def measure(
    script: str, wanted: list[tuple[str, str, int]], rounds: int, *, processor: bool = False
) -> list[Contender]:
    """All contenders (title, name, cores), each with up to `rounds` samples that are taken in turn."""
    contenders = []
    for each in wanted:
        print(f"starting {each[0]}", file=sys.stderr)
        contenders.append(Contender(script, *each, processor=processor))
    for n in range(6 * rounds):
        wanting = [contender for contender in contenders if len(contender.samples) < rounds]
        if not wanting:
            break
        print(f"round {n + 1}: {len(wanting)} contenders want samples", file=sys.stderr)
        for contender in wanting:
            contender.sample()
    for contender in contenders:
        assert contender.process.stdin is not None
        contender.process.stdin.close()
        contender.process.wait()
    return contenders


def machine() -> str:
    """The processor's name, its vector units and the cores of this process."""
    info = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    names = [line.split(":")[1].strip() for line in info.splitlines() if line.startswith("model name")]
    families = [line.split(":")[1].strip() for line in info.splitlines() if line.startswith(("cpu family", "model\t"))]
    wide = "AVX-512" if " avx512f " in info else "AVX2" if " avx2 " in info else platform.machine()
    name = (
        f"{names[0]} (family {families[0]}, model {families[1]})" if names and len(families) > 1 else platform.machine()
    )
    return f"{name}, {wide}, {len(os.sched_getaffinity(0))} cores"


def versions(*packages: str) -> str:
    """Python and those of the packages that are installed."""

    def one(name: str) -> str:
        try:
            return f", {name} {version(name)}"
        except PackageNotFoundError:
            return ""

    return f"Python {platform.python_version()}" + "".join(map(one, packages))
