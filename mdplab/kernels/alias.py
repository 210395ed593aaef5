"""Many walks of one chain by alias tables: one random word a step makes the action and the next state together.

A table has a row for each state and a last one for the start.  A row shares the probabilities of its outcomes out to
K equal cells so that each cell holds two outcomes at most (:cite:`walker1977`).  The upper word of K times the random
word is the cell; the lower word, below the cell's threshold or not, says which of its two outcomes is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import Array
from mdplab.errors import MdplabError
from mdplab.kernels import kernel
from mdplab.kernels.inversion import empty
from mdplab.kernels.philox import Stream, product, words

BITS = 62  # a row is shared out in 2^61 to 2^62 units
LOW, HALF = np.uint64(2**32 - 1), np.uint64(32)


@dataclass(frozen=True, eq=False)
class Names:
    """What the columns of rows of probabilities are called: ``outcomes`` (n,) uint64, a · 2^shift + s."""

    outcomes: np.ndarray
    shift: int
    arrays: tuple[Array, ...] = ()


@dataclass(frozen=True, eq=False)
class Tables:
    """Alias tables, one for each policy.

    ``entries`` (T, S + 1, K, 2) uint64: a threshold, and two outcomes a · 2^shift + s, the one below the threshold in
    the lower 32 bits.  Table i uses the first ``cells[i]`` of the K cells of each row.
    """

    entries: Array
    cells: Array
    names: Names

    def map(self, f: Callable[[Array], Array]) -> Tables:
        """The same tables with `f` applied to the arrays."""
        return Tables(f(self.entries), f(self.cells), self.names)


def names(S: int, A: int) -> Names:
    """Columns a · S + s of a row are actions a with next states s."""
    shift = max(1, (S - 1).bit_length())
    if A << shift > 2**32:
        raise MdplabError(f"{S} states and {A} actions make more than 2^32 outcomes of a step, which no table holds")
    outcomes = np.arange(A, dtype=np.uint64)[:, None] << np.uint64(shift) | np.arange(S, dtype=np.uint64)
    return Names(outcomes.reshape(-1), shift)


def _seconds_of_tables(names: Names, p: Array) -> float:
    return p.shape[2] * (2e-5 + 1.1e-7 * p.shape[0] * p.shape[1])


@kernel(seconds=_seconds_of_tables, cpu="mdplab.kernels.alias_compiled")
def tables(names: Names, p: Array) -> Tables:
    """Alias tables for the distributions p (T, rows, n), in integers and hence the same everywhere.

    What the rounded probabilities of a row lack of one goes to its largest; outcomes of probability 0 are never drawn.
    """
    order = np.argsort(p <= 0, axis=-1, kind="stable")
    cells = (p > 0).sum(axis=-1).max(axis=-1)[:, None, None]  # of each row of a table; what is unlikely may share them
    order = order[..., : cells.max()]
    b = BITS - np.ceil(np.log2(cells)).astype(np.int64)  # a cell holds 2^b units
    full = np.left_shift(1, b)
    units = np.rint(np.take_along_axis(p, order, -1) * (cells * full)).astype(np.int64)
    largest = units.argmax(axis=-1)[..., None]
    lack = cells * full - units.sum(axis=-1, keepdims=True)
    np.put_along_axis(units, largest, np.take_along_axis(units, largest, -1) + lack, -1)
    used = np.arange(units.shape[-1]) < cells
    other = _share(units, np.broadcast_to(full, units.shape), used)
    called = names.outcomes[order]
    both = called | np.take_along_axis(called, other, -1) << HALF
    thresholds = units.astype(np.uint64) << (64 - b).astype(np.uint64)  # 2^64 becomes 0: a full cell is its own other
    entries = np.stack([thresholds, both], axis=-1) * used[..., None].astype(np.uint64)
    return Tables(entries, cells[:, 0, 0].astype(np.uint64), names)


def _share(units: np.ndarray, full: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Fill cells that lack units, from the left, from the first that has more, which may then lack some itself.

    Overwrites `units` (T, rows, K) with what of its own outcome each cell keeps and returns where the rest is from.
    """
    K = units.shape[-1]
    other = np.broadcast_to(np.arange(K), units.shape).reshape(-1, K).copy()
    flat, full = units.reshape(-1, K), full.reshape(-1, K)[:, 0]
    lacks = flat < full[:, None]
    kind = np.where(np.broadcast_to(used, units.shape).reshape(-1, K), ~lacks, 2)
    order, lacking = np.argsort(kind, axis=-1, kind="stable"), (kind == 0).sum(axis=-1)
    row, begun, giver = np.arange(len(flat)), np.ones_like(lacking), lacking.copy()
    taker, going = order[:, 0], lacking > 0
    while going.any():
        give = order[row, np.minimum(giver, K - 1)]
        other[row, taker] = np.where(going, give, other[row, taker])
        flat[row, give] -= np.where(going, full - flat[row, taker], 0)
        emptied = flat[row, give] < full
        going &= emptied | (begun < lacking)
        taker = np.where(emptied, give, order[row, np.minimum(begun, K - 1)])
        begun, giver = begun + ~emptied, giver + emptied
    units[...] = flat.reshape(units.shape)
    return other.reshape(units.shape)


@dataclass(frozen=True, eq=False)
class ManyWalks:
    """What N walks of H steps follow: the tables, which of them each walk uses (N,), and the key (2,) of its words."""

    tables: Tables
    chosen: np.ndarray
    key: np.ndarray
    horizon: int

    @property
    def arrays(self) -> tuple[Array, ...]:
        """Everything in here that is computed with."""
        return (self.tables.entries, self.tables.cells)


def integers(tables: Tables) -> Any:
    """The type of states and actions: int16 if it holds all s · A + a, else int32."""
    return np.int16 if len(tables.names.outcomes) <= 2**15 else np.int32


def _seconds(walks: ManyWalks, counters: Array) -> float:
    return walks.horizon * (5e-5 + 1e-7 * len(counters))


@kernel(seconds=_seconds, cpu="mdplab.kernels.alias_compiled", cuda="mdplab.kernels.alias_cuda")
def many_walks(walks: ManyWalks, counters: Array) -> tuple[Array, Array]:
    """States (N, H + 1) and actions (N, H) for counters (N, 3).  Word h + 1 of a draw makes a_h and s_{h+1}."""
    tables, i, N, H = walks.tables, walks.chosen, len(counters), walks.horizon
    states, actions = empty(N, H, integers(tables))
    w = words(Stream(walks.key, H + 1), counters)
    s = np.full(N, tables.entries.shape[1] - 1)  # the row of the start
    for h in range(H + 1):
        cell, rest = product(tables.cells[i], w[:, h])
        threshold, both = np.moveaxis(tables.entries[i, s, cell], -1, 0)
        outcome = np.where(rest < threshold, both & LOW, both >> HALF).astype(np.int64)
        s = states[:, h] = outcome & ((1 << tables.names.shift) - 1)
        if h:
            actions[:, h - 1] = outcome >> tables.names.shift
    return states, actions
