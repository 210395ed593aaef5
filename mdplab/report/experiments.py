"""Running an experiment file: measure every cell of its sweep, keep the data, then draw.

The protocol is three names: ``SWEEP`` (a dict of lists, with ``SEEDS`` beside it if there is chance),
``measure(**cell)`` or ``measure(**cell, rng)`` that returns an `xarray.Dataset`, and ``figure(data)``.  A cell that is
on disk is not measured again, so an interrupted run resumes, and a figure can be drawn anew from stored data.
"""

from __future__ import annotations

import hashlib
import inspect
import re
import zlib
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any

from mdplab.errors import MdplabError
from mdplab.theorem.collect import catalogue, files, load, nearest

Cell = dict[str, Any]


def experiment(name: str) -> ModuleType:
    """The module of a shipped experiment, or of a file of one's own; raises MdplabError with a suggestion."""
    stems = {file.stem: file for file in files(catalogue("experiments"))}
    path = Path(name) if name.endswith(".py") else stems.get(name)
    if path is None or not path.exists():
        raise MdplabError(f"{name} is not an experiment{nearest(name, stems)}; there are {', '.join(sorted(stems))}")
    module = load(path.resolve())
    for needed in ("measure", "figure"):
        if not hasattr(module, needed):
            raise MdplabError(
                f"{path} has no {needed}(); an experiment defines measure and figure, and SWEEP for its cells"
            )
    return module


def cells(module: ModuleType) -> list[Cell]:
    """All combinations of SWEEP and SEEDS, the seed last."""
    sweep = dict(getattr(module, "SWEEP", {}))
    if hasattr(module, "SEEDS"):
        sweep["seed"] = list(module.SEEDS)
    return [dict(zip(sweep, values, strict=True)) for values in product(*sweep.values())]


def run(
    module: ModuleType, folder: Path, progress: Callable[[int, int, int], None] = lambda done, of, kept: None
) -> Any:
    """Measure what is missing in `folder`, and return all data as one `xarray.Dataset`, also written to ``data.nc``.

    `progress` is called with the numbers of cells done, of all cells, and of those found on disk.
    """
    import xarray as xr

    todo, kept = cells(module), 0
    stamp = hashlib.sha256(Path(str(module.__file__)).read_bytes()).hexdigest()[:16]
    (folder / "cells").mkdir(parents=True, exist_ok=True)
    measured = []
    for done, cell in enumerate(todo):
        progress(done, len(todo), kept)
        file = folder / "cells" / f"{_slug(cell)}.nc"
        data = _kept(file, stamp)
        kept += data is not None
        if data is None:
            data = _measure(module, cell).assign_attrs(source=stamp)
            part = file.with_suffix(".part")
            data.to_netcdf(part, engine="scipy")
            part.replace(file)
        measured.append(data)
    progress(len(todo), len(todo), kept)
    stream = iter(measured)
    data = _joined(xr, [(key, list(dict.fromkeys(c[key] for c in todo))) for key in todo[0]], stream)
    data.to_netcdf(folder / "data.nc", engine="scipy")
    return data


def _measure(module: ModuleType, cell: Cell) -> Any:
    import numpy as np

    options = dict(cell)
    parameters = inspect.signature(module.measure).parameters
    if "seed" not in parameters:
        options.pop("seed", None)
    if "rng" in parameters:
        # One stream a cell, from its name: the numbers do not depend on which other cells are run.
        options["rng"] = np.random.default_rng(zlib.crc32(repr(sorted(cell.items())).encode()))
    return module.measure(**options)


def _kept(file: Path, stamp: str) -> Any:
    import xarray as xr

    if not file.exists():
        return None
    data = xr.load_dataset(file, engine="scipy")
    return data if data.attrs.get("source") == stamp else None


def _joined(xr: Any, axes: list[tuple[str, list[Any]]], stream: Iterator[Any]) -> Any:
    if not axes:
        return next(stream)
    (name, values), *rest = axes
    parts = [_joined(xr, rest, stream) for _ in values]
    return xr.concat(
        parts, dim=xr.DataArray(values, dims=name, name=name), join="outer", combine_attrs="drop_conflicts"
    )


def _slug(cell: Cell) -> str:
    return "-".join(f"{key}={re.sub('[^A-Za-z0-9.]+', '_', str(value))}" for key, value in cell.items()) or "all"
