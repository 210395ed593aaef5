"""The hot loops: a readable definition each, and compiled bodies that must agree with it.

A kernel is called with data, and the data chooses the body: CuPy arrays run the CUDA body, large work on NumPy float64
or random words runs the compiled CPU body, and everything else (small work, exact numbers, balls, any other array
namespace, no Numba at hand) runs the definition.  The choice looks at shapes and step counts only, never at a clock, so
that the same input gives the same bytes.  Nothing is compiled, and Numba is not imported, before a kernel needs it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, update_wrapper
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

from mdplab.arrays import on_gpu
from mdplab.errors import MdplabError, MissingExtra

# Seconds of NumPy, by a kernel's own fixed estimate, from which its compiled body is used.  Loading that body from
# Numba's cache takes about half a second and building it the first time a few: smaller work is done before they are.
WORTH_COMPILING = 0.5
SMALL = 2**24  # bytes
SHARED = 50  # runs among which `many_runs` counts the loading as shared

_runs: ContextVar[int] = ContextVar("runs", default=1)


@contextmanager
def many_runs() -> Iterator[None]:
    """Inside, kernels are called again and again: their compiled bodies serve from a fiftieth of the work on."""
    token = _runs.set(SHARED)
    try:
        yield
    finally:
        _runs.reset(token)


@dataclass(eq=False)
class Kernel:
    """A definition with compiled bodies; calling it runs the one that suits the data.

    Parameters
    ----------
    definition : function (problem, state, ...)
        `problem` holds what stays the same and lists its numbers and arrays in ``problem.arrays``; `state` is the array
        that the loop advances.
    seconds : function of the same arguments
        Estimate of what the definition takes, from shapes and step counts alone.
    cpu, cuda : str
        Modules that hold the compiled bodies, as functions with the definition's name and arguments.  Where `cuda` is
        None, CuPy arrays go through the definition.
    """

    definition: Callable[..., Any]
    seconds: Callable[..., float]
    cpu: str
    cuda: str | None

    def __call__(self, problem: Any, state: Any, *rest: Any) -> Any:
        return self.body(problem, state, *rest)(problem, state, *rest)

    def body(self, problem: Any, state: Any, *rest: Any) -> Callable[..., Any]:
        """The function that a call with these arguments runs."""
        if on_gpu(state) and self.cuda is not None:
            require_cuda()
            return self._compiled(self.cuda)
        plain = all(_is_plain(x) for x in (state, *problem.arrays))
        if plain and self.seconds(problem, state, *rest) >= WORTH_COMPILING / _runs.get() and has_numba():
            return self._compiled(self.cpu)
        return self.definition

    def _compiled(self, module: str) -> Callable[..., Any]:
        body: Callable[..., Any] = getattr(import_module(module), self.definition.__name__)
        return body


def kernel(
    *, seconds: Callable[..., float], cpu: str, cuda: str | None = None
) -> Callable[[Callable[..., Any]], Kernel]:
    """Make the definition below it a `Kernel`."""

    def wrap(definition: Callable[..., Any]) -> Kernel:
        wrapped = Kernel(definition, seconds, cpu, cuda)
        update_wrapper(wrapped, definition)
        return wrapped

    return wrap


def _is_plain(x: Any) -> bool:
    if isinstance(x, np.ndarray | np.generic):
        return x.dtype in (np.float64, np.uint64)
    return isinstance(x, int | float)


@cache
def has_numba() -> bool:
    """Whether compiled CPU bodies can run here."""
    return find_spec("numba") is not None


def cuda_available() -> bool:
    """Whether CuPy and numba-cuda are installed and see a device."""
    return _no_cuda() is None


def require_cuda() -> None:
    """Raise unless `cuda_available`.

    Raises
    ------
    MissingExtra
        CuPy or numba-cuda is not installed.
    MdplabError
        They are, but no device answers.
    """
    reason = _no_cuda()
    if reason is not None:
        raise reason


@cache
def _no_cuda() -> MdplabError | None:
    missing = [name for name in ("cupy", "numba_cuda") if find_spec(name) is None]
    if missing:
        return MissingExtra(
            f"device cuda needs CuPy and numba-cuda, not installed: {' and '.join(missing)}; "
            "pip install 'mdplab[gpu]' for CUDA 13 or 'mdplab[gpu12]' for CUDA 12"
        )
    import cupy

    if not cupy.cuda.is_available():
        return MdplabError("device cuda was asked for, but CuPy finds no CUDA device or driver here; use device cpu")
    return None


def threads() -> int:
    """How many cores this process may use; no result depends on it."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def over_cores(work: Callable[[slice], None], count: int, group: int) -> None:
    """Call `work` on slices of range(count), whole groups each, a few for every core since others may use it too."""
    workers = threads()
    size = -(-count // (4 * workers * group)) * group
    parts = [slice(i, min(i + size, count)) for i in range(0, count, size)] if size else []
    if workers == 1 or len(parts) < 2:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(work, parts))


def memory() -> int:
    """Bytes of memory that programs may still ask for; no result depends on it."""
    try:
        with open("/proc/meminfo") as info:
            return next(1024 * int(line.split()[1]) for line in info if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        try:
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (AttributeError, ValueError):  # nothing here says how much there is
            return 2**63


def require_memory(size: int, what: str, advice: str) -> None:
    """Raise MdplabError, before work starts, if `what` takes more bytes than there are; a few need no asking."""
    if size > SMALL and size > (there := memory()):
        raise MdplabError(f"{size:,} bytes are needed for {what} and {there:,} are available; {advice}")
