"""Judging a batch in float64: fast, never the last word on a comparison that rounding could turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from mdplab.arrays import EPS, floats
from mdplab.errors import TheoremError
from mdplab.theorem.claim import Claim
from mdplab.theorem.inputs import batch_shape
from mdplab.theorem.judges import comparison
from mdplab.theorem.judges.comparison import Outcome
from mdplab.theorem.statement import Binding, Theorem

CHUNK = 64  # iterates stacked before a claim is evaluated, to spread Python's overhead


@dataclass(frozen=True)
class Curves:
    """Both sides of one claim on a batch: K iterates, n instances, at the entry that is worst for the claim.

    Attributes
    ----------
    k : (K,)
    smaller, larger, ratio : (K, n)
        `ratio` is NaN where a side is not positive or both are below rounding.
    outcome : (K, n) of `Outcome`
    informative : (K, n) of bool
        Where the larger side is below the trivial bound.
    comparisons : int
    """

    k: np.ndarray
    smaller: np.ndarray
    larger: np.ndarray
    ratio: np.ndarray
    outcome: np.ndarray
    informative: np.ndarray
    comparisons: int


def run_in_floats(
    theorem: Theorem,
    claims: Mapping[str, Claim],
    inputs: Mapping[str, Any],
    up_to: int | None,
    slots: Mapping[str, Any] | None = None,
) -> dict[str, Curves]:
    """Evaluate the claims on a batch, shape (n,) or ()."""
    batch = batch_shape(inputs)
    relative, absolute = rounding_of(inputs)
    parts: dict[str, list[Curves]] = {name: [] for name in claims}
    stream = theorem.bindings(inputs, up_to, **(slots or {}))
    begin = 0
    while chunk := list(islice(stream, CHUNK)):
        stacked = stack(theorem, chunk, batch, begin)
        k = indices(theorem, chunk, begin)
        errors = errors_of(stacked, k, relative, absolute)
        trivial = theorem.trivial_bound(stacked) if theorem.trivial_bound else None
        for name, claim in claims.items():
            parts[name].append(_curves(theorem, claim, stacked, errors, k, trivial, batch))
        begin += len(chunk)
    if begin == 0:
        raise TheoremError(f"{theorem.id}: the measure yields nothing")
    return {name: _joined(p) for name, p in parts.items()}


def rounding_of(inputs: Mapping[str, Any]) -> tuple[Any, Any]:
    """How far float64 may be off on these inputs, relative and absolute: what their model says."""
    for x in inputs.values():
        if hasattr(x, "rounding"):
            return x.rounding
    return 64 * EPS, 64 * EPS


def indices(theorem: Theorem, chunk: list[Binding], begin: int) -> np.ndarray:
    """What numbers the bindings of a chunk that begins with the binding `begin`; (K,)."""
    if theorem.index is None:
        return np.arange(begin, begin + len(chunk))
    return np.array([int(b[theorem.index]) for b in chunk])


def stack(theorem: Theorem, chunk: list[Binding], batch: tuple[int, ...], begin: int) -> Binding:
    """Each quantity as float64 (K, *batch, *entries), entries padded so that all broadcast."""
    out: Binding = {}
    for q in chunk[0]:
        rows = [floats(b[q]) for b in chunk]
        for n, x in enumerate(rows):
            if x.ndim and x.shape[: len(batch)] != batch:
                raise TheoremError(
                    f"{theorem.id}: {q} has shape {x.shape} at iterate {begin + n}; expected {batch}, "
                    "the shape of the batch, first"
                )
        out[q] = np.stack([np.broadcast_to(x, batch) if not x.ndim else x for x in rows])
    entries = max(x.ndim for x in out.values())
    return {q: x.reshape(*x.shape, *(1,) * (entries - x.ndim)) for q, x in out.items()}


def errors_of(stacked: Binding, k: np.ndarray, relative: Any, absolute: Any) -> Binding:
    """How far each quantity may be off.  Rounding made in each iterate adds up along the trajectory, hence 1 + k."""
    entries = next(iter(stacked.values())).ndim
    steps = (1.0 + k).reshape(-1, *(1,) * (entries - 1))

    def spread(x: Any) -> Any:
        x = np.asarray(x)
        return x.reshape(1, *x.shape, *(1,) * (entries - 1 - x.ndim))

    out: Binding = {}
    for q, x in stacked.items():
        accuracy = getattr(q, "accuracy", "absolute")
        if accuracy == "exact":
            out[q] = 0 * x if q.is_integer else EPS * abs(x)
        elif accuracy == "relative":
            out[q] = steps * spread(relative) * abs(x)
        else:
            with np.errstate(over="ignore"):  # an infinite error decides nothing
                out[q] = steps * (spread(absolute) + spread(relative) * abs(x))
    return out


def _curves(
    theorem: Theorem,
    claim: Claim,
    stacked: Binding,
    errors: Binding,
    k: np.ndarray,
    trivial: Any,
    batch: tuple[int, ...],
) -> Curves:
    with np.errstate(all="ignore"):
        smaller, larger, error = compare(theorem, claim, stacked, errors, k)
        outcome = comparison.in_floats(smaller, larger, error, claim.is_identity)
        ratio = np.where((smaller > 0) & (larger > 0) & (outcome != Outcome.SILENT), smaller / larger, np.nan)
    informative = np.zeros(outcome.shape, bool) if trivial is None else np.broadcast_to(larger < trivial, outcome.shape)
    flat = (len(k), int(np.prod(batch)), -1)
    smaller, larger, ratio, outcome, informative = (
        x.reshape(flat) for x in (smaller, larger, ratio, outcome, informative)
    )
    # One entry speaks for each instance: the worst outcome, and the sides where they are nearest to each other.
    worst = outcome.argmax(axis=-1)
    nearest = np.where(np.isnan(ratio).all(axis=-1), worst, np.nan_to_num(ratio, nan=-1.0).argmax(axis=-1))
    return Curves(
        k=k,
        smaller=_entry(smaller, nearest),
        larger=_entry(larger, nearest),
        ratio=_entry(ratio, nearest),
        outcome=_entry(outcome, worst),
        informative=np.asarray(informative.any(axis=-1)),
        comparisons=outcome.size,
    )


def compare(
    theorem: Theorem, claim: Claim, stacked: Binding, errors: Binding, k: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both sides, (K, ...), and how far their difference may be off when each quantity is off by its error."""
    with np.errstate(all="ignore"):
        smaller, larger = sides(claim, stacked)
        error = 16 * EPS * (abs(smaller) + abs(larger))  # of evaluating the formula itself
        for q in claim.quantities:
            s, t = sides(claim, {**stacked, q: stacked[q] + errors[q]})
            error = error + np.nan_to_num(abs((t - larger) - (s - smaller)), nan=0.0, posinf=np.inf)
    _check_numbers(theorem, smaller, larger, k)
    return smaller, larger, error


def _entry(x: np.ndarray, index: np.ndarray) -> np.ndarray:
    return np.take_along_axis(x, index[..., None], axis=-1)[..., 0]


def _check_numbers(theorem: Theorem, smaller: np.ndarray, larger: np.ndarray, k: np.ndarray) -> None:
    for side, x in (("smaller", smaller), ("larger", larger)):
        wrong = np.isnan(x).reshape(len(k), -1).any(axis=1)
        if wrong.any():
            raise TheoremError(f"{theorem.id}: the {side} side of the claim is NaN at iterate {k[wrong.argmax()]}")


def sides(claim: Claim, stacked: Binding) -> tuple[np.ndarray, np.ndarray]:
    """The smaller and the larger side, broadcast to the shape of the stacked quantities."""
    smaller, larger = claim.sides(stacked)
    shape = np.broadcast_shapes(np.shape(smaller), np.shape(larger), *(np.shape(x) for x in stacked.values()))
    return np.broadcast_to(smaller, shape), np.broadcast_to(larger, shape)


def _joined(parts: list[Curves]) -> Curves:
    names = ("k", "smaller", "larger", "ratio", "outcome", "informative")
    arrays = {name: np.concatenate([getattr(p, name) for p in parts]) for name in names}
    return Curves(**arrays, comparisons=sum(p.comparisons for p in parts))


def iter_first(mask: np.ndarray) -> Iterator[tuple[int, int]]:
    """(instance, row) of the first true entry in each column of a mask (K, n) that has one."""
    rows = mask.argmax(axis=0)
    yield from ((int(i), int(rows[i])) for i in np.flatnonzero(mask.any(axis=0)))
