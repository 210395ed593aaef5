"""Compiled walks are bit for bit those of the definitions, alone or in company; alias tables have the law of P."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from mdplab import kernels
from mdplab.kernels import alias, inversion
from mdplab.kernels.alias import ManyWalks, Tables
from mdplab.kernels.inversion import Walks

KEY = np.array([2**63 + 5, 77], dtype=np.uint64)
SIZES = [(1, 1), (1, 3), (2, 1), (2, 2), (3, 4), (7, 2), (20, 5), (33, 3)]


def rows(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random distributions, a third of their entries zero."""
    p = rng.random(shape) ** 4 * (rng.random(shape) < 2 / 3)
    p[..., 0] += p.sum(axis=-1) == 0
    return p / p.sum(axis=-1, keepdims=True)


def counters(N: int) -> np.ndarray:
    x = np.zeros((N, 3), dtype=np.uint64)
    x[:, 1] = np.arange(N)
    return x


def walks(S: int, A: int, N: int, H: int) -> tuple[Walks, np.ndarray]:
    """Three models, a policy of its own for each walk."""
    rng = np.random.default_rng([S, A])
    chosen = np.stack([np.arange(N) % 2, np.arange(N) % 3, np.arange(N)])
    chains = Walks(rows(rng, 2, S), rows(rng, 3, S, A, S), chosen, KEY, counters(N), H)
    return chains, rows(rng, N, S, A)


def many(S: int, A: int, N: int, H: int) -> tuple[ManyWalks, np.ndarray]:
    """Two policies with tables of different width."""
    rng = np.random.default_rng([S, A])
    p = np.zeros((2, S + 1, A, S))
    p[:, :S] = rows(rng, 2, S, A)[..., None] * rows(rng, S, A, S)
    p[1, :S] *= np.arange(A)[:, None] == A - 1  # the second takes the last action
    p[1, :S, A - 1, S - 1] += 1 - p[1, :S].sum(axis=(-1, -2))
    p[:, S, 0] = rows(rng, S)
    table = alias.tables.definition(alias.names(S, A), p.reshape(2, S + 1, A * S))
    return ManyWalks(table, np.arange(N) // 3 % 2, KEY, H), counters(N)


def compiled(kind: str):
    pytest.importorskip("numba")
    from mdplab.kernels import alias_compiled, inversion_compiled

    return {"walk": inversion_compiled.walk, "many": alias_compiled.many_walks, "tables": alias_compiled.tables}[kind]


def same(x: tuple[np.ndarray, ...], y: tuple[np.ndarray, ...]) -> bool:
    return all(a.dtype == b.dtype and a.tobytes() == b.tobytes() for a, b in zip(x, y, strict=True))


@pytest.mark.parametrize("N", [1, 7, 8, 21])
@pytest.mark.parametrize(("S", "A"), SIZES)
def test_compiled_walks_by_inversion_are_the_definition(S: int, A: int, N: int) -> None:
    for H in (1, 2, 3, 12):
        assert same(compiled("walk")(*walks(S, A, N, H)), inversion.walk.definition(*walks(S, A, N, H)))


@pytest.mark.parametrize("N", [1, 7, 8, 21])
@pytest.mark.parametrize(("S", "A"), SIZES)
def test_compiled_walks_by_tables_are_the_definition(S: int, A: int, N: int) -> None:
    for H in (1, 3, 4, 12):
        assert same(compiled("many")(*many(S, A, N, H)), alias.many_walks.definition(*many(S, A, N, H)))


def test_compiled_walks_turn_at_the_very_word_where_the_definition_does() -> None:
    """A walk that stands exactly on a cumulative probability: u = c goes on to the next index."""
    chains, policies = walks(3, 2, 1000, 1)
    u = kernels.philox.uniform(kernels.philox.words(kernels.philox.Stream(KEY, 3), chains.counters))
    for n in range(0, 1000, 2):
        first = u[n, 1] if n % 4 else np.nextafter(u[n, 1], 1)
        policies[n] = first, 1 - first
    found = compiled("walk")(chains, policies)
    assert same(found, inversion.walk.definition(chains, policies))
    assert (found[1][::4, 0] == 0).all()
    assert (found[1][2::4, 0] == 1).all()


@pytest.mark.parametrize("kind", ["walk", "many"])
def test_no_walk_depends_on_others_nor_on_threads_nor_on_the_horizon(kind: str, monkeypatch) -> None:
    run, N, H = compiled(kind), 100, 15
    given = (walks if kind == "walk" else many)(5, 3, N, H)
    states, actions = run(*given)
    for threads in (1, 2, 5):
        monkeypatch.setattr("mdplab.kernels.threads", lambda threads=threads: threads)
        assert same(run(*given), (states, actions))
    for part in (slice(0, 1), slice(37, 42), slice(3, 99)):
        if kind == "walk":
            chains, policies = given
            few = Walks(chains.start, chains.P, chains.chosen[:, part], KEY, chains.counters[part], 6), policies
        else:
            few = ManyWalks(given[0].tables, given[0].chosen[part], KEY, 6), given[1][part]
        fewer = run(*few)
        assert (fewer[0] == states[part, :7]).all()
        assert (fewer[1] == actions[part, :6]).all()


# --- alias tables


def distributions(rng: np.random.Generator, S: int, A: int) -> np.ndarray:
    p = rows(rng, 3, S + 1, A * S)
    p[0, :S] = rng.dirichlet(np.full(A * S, 0.05), S)  # probabilities down to 1e-300
    return p


def law(table: Tables, i: int, row: int) -> dict[int, Fraction]:
    """The probability of each outcome of a row of table i, exactly: words times K are spread evenly over the cells."""
    K, out = int(table.cells[i]), {}
    for k in range(K):
        threshold, both = (int(x) for x in table.entries[i, row, k])
        low, high = both & (2**32 - 1), both >> 32
        # Words of cell k whose rest is below the threshold: K · word in [k 2^64, k 2^64 + threshold).
        begin, turn, end = (-(-x // K) for x in (k << 64, (k << 64) + threshold, (k + 1) << 64))
        out[low] = out.get(low, 0) + Fraction(turn - begin, 2**64)
        out[high] = out.get(high, 0) + Fraction(end - turn, 2**64)
    return out


@pytest.mark.parametrize(("S", "A"), SIZES)
def test_tables_have_the_law_of_the_probabilities(S: int, A: int) -> None:
    """A probability p rounds to p u and to half a unit of 2^-61 at most, u = 2^-53; the largest takes what all these
    and the row itself lack of one; words are spread over the cells up to K 2^-64.  Zero stays zero."""
    names, p = alias.names(S, A), distributions(np.random.default_rng([S, A]), S, A)
    table, u = alias.tables.definition(names, p), Fraction(1, 2**53)
    for i, row in np.ndindex(p.shape[:2]):
        found = law(table, i, row)
        assert sum(found.values()) == 1
        exact = dict(zip(names.outcomes.tolist(), map(Fraction, p[i, row]), strict=True))
        top, lack = max(exact, key=exact.__getitem__), abs(1 - sum(exact.values()))
        small = int(table.cells[i]) * Fraction(1, 2**60)
        for name, x in exact.items():
            assert abs(found.get(name, 0) - x) <= (lack + u + small if name == top else x * u + small)
            assert x or not found.get(name, 0)
        assert lack <= 8 * u  # rows as sums in float64 leave them


@pytest.mark.parametrize(("S", "A"), SIZES)
def test_compiled_tables_are_the_definition(S: int, A: int) -> None:
    names, p = alias.names(S, A), distributions(np.random.default_rng([S, A]), S, A)
    theirs, ours = alias.tables.definition(names, p), compiled("tables")(names, p)
    assert same((theirs.entries, theirs.cells), (ours.entries, ours.cells))


def test_a_table_does_not_depend_on_the_tables_beside_it() -> None:
    names, p = alias.names(4, 3), distributions(np.random.default_rng(0), 4, 3)
    p[1, :, 6:] = 0
    p[1] /= p[1].sum(axis=-1, keepdims=True)
    together = alias.tables.definition(names, p)
    for i in range(3):
        alone = alias.tables.definition(names, p[i : i + 1])
        K = int(alone.cells[0])
        assert together.cells[i] == K
        assert (together.entries[i, :, :K] == alone.entries[0]).all()


# --- CUDA

SIMULATED = """
import sys
import numpy as np
from mdplab.kernels import alias_cuda, inversion_cuda
sys.path.insert(0, {here!r})
from test_walks import many, walks
out = {{}}
for S, A in {sizes!r}:
    for H in (1, 2, 6):
        out[f"walk {{S}} {{A}} {{H}}"] = np.hstack(inversion_cuda.walk(*walks(S, A, 9, H)))
        out[f"many {{S}} {{A}} {{H}}"] = np.hstack(alias_cuda.many_walks(*many(S, A, 9, H)))
np.savez({file!r}, **out)
"""


def test_the_cuda_bodies_on_the_simulator_are_the_definitions(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    sizes, file = [(1, 1), (3, 4), (5, 2)], str(tmp_path / "simulated.npz")
    code = SIMULATED.format(here=str(Path(__file__).parent), sizes=sizes, file=file)
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(Path(kernels.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    with np.load(file) as simulated:
        for S, A in sizes:
            for H in (1, 2, 6):
                walk, tables = (
                    inversion.walk.definition(*walks(S, A, 9, H)),
                    alias.many_walks.definition(*many(S, A, 9, H)),
                )
                assert (simulated[f"walk {S} {A} {H}"] == np.hstack(walk)).all()
                assert (simulated[f"many {S} {A} {H}"] == np.hstack(tables)).all()


def test_compiled_walks_by_tables_turn_at_the_very_rest_where_the_definition_does() -> None:
    """Rests that are their thresholds, or just below: the upper halves, which the compiled walks read, are the same."""
    turned = 0
    for more in (0, 1, 2**31):
        given, counted = many(20, 5, 200, 3)
        tables, w = given.tables, kernels.philox.words(kernels.philox.Stream(KEY, 1), counted)[:, 0]
        cell, rest = kernels.philox.product(tables.cells[given.chosen], w)
        tables.entries[given.chosen, 20, cell, 0] = rest + np.uint64(more)
        found = compiled("many")(given, counted)
        assert same(found, alias.many_walks.definition(given, counted))
        turned += (found[0] != compiled("many")(*many(20, 5, 200, 3))[0]).sum()
    assert turned
