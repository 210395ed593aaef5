"""Philox gives the words of NumPy's generator of that name, in every body."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mdplab import kernels
from mdplab.kernels.philox import Stream, philox, product, uniform, words

MOST = 2**64 - 1


def some(seed: int, *shape: int) -> np.ndarray:
    """Random words and, first, the extreme ones."""
    x = np.random.default_rng(seed).integers(0, 2**64, shape, dtype=np.uint64)
    x.reshape(-1)[:3] = MOST, 0, 1
    return x


def of_numpy(key: np.ndarray, counter: np.ndarray, count: int) -> np.ndarray:
    """NumPy counts up before it makes a block, hence from one less."""
    before = (sum(int(x) << 64 * i for i, x in enumerate(counter)) - 1) % 2**256
    state = np.array([before >> 64 * i & MOST for i in range(4)], dtype=np.uint64)
    return np.random.Philox(counter=state, key=key).random_raw(count)


KEYS = [np.array(key, dtype=np.uint64) for key in [(0, 0), (MOST, MOST), (1, 2**63 + 12345)]]


@pytest.mark.parametrize("key", KEYS)
def test_blocks_are_those_of_numpy(key: np.ndarray) -> None:
    counters = some(0, 50, 4)
    blocks = philox(counters, key)
    for counter, block in zip(counters, blocks, strict=True):
        assert (block == of_numpy(key, counter, 4)).all()


def compiled(stream: Stream, counters: np.ndarray) -> np.ndarray:
    pytest.importorskip("numba")
    from mdplab.kernels import philox_compiled

    return philox_compiled.words(stream, counters)


@pytest.mark.parametrize("count", [1, 3, 4, 5, 9])
@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("run", [words.definition, compiled], ids=["definition", "compiled"])
def test_the_lowest_word_of_the_counter_numbers_the_blocks(run, key, count) -> None:
    counters = some(1, 20, 3)
    found = run(Stream(key, count), counters)
    assert found.shape == (20, count)
    for counter, row in zip(counters, found, strict=True):
        assert (row == of_numpy(key, np.array([0, *counter], dtype=np.uint64), count)).all()


def test_uniforms_are_those_of_numpy() -> None:
    key = KEYS[2]
    generator = np.random.Generator(np.random.Philox(counter=np.full(4, MOST, dtype=np.uint64), key=key))
    assert (uniform(words(Stream(key, 8), np.zeros((1, 3), dtype=np.uint64)))[0] == generator.random(8)).all()


def test_products_of_words_are_those_of_integers() -> None:
    x, y = some(2, 100), np.roll(some(3, 100), 1)
    high, low = product(x, y)
    for a, b, up, down in zip(*(z.tolist() for z in (x, y, high, low)), strict=True):
        assert (up << 64) + down == a * b


SIMULATED = """
import numpy as np
from numba import cuda
from mdplab.kernels.philox_cuda import block, product, round_keys

@cuda.jit
def run(counters, keys, out, x, products):
    n = cuda.grid(1)
    if n < out.shape[0]:
        words = block(counters[n, 0], counters[n, 1], counters[n, 2], counters[n, 3], keys)
        for i in range(4):
            out[n, i] = words[i]
        products[n, 0], products[n, 1] = product(x[n, 0], x[n, 1])

with np.load({given!r}) as given:
    counters, key, x = given["counters"], given["key"], given["x"]
out, products = np.zeros_like(counters), np.zeros_like(x)
run[2, 32](counters, round_keys(key), out, x, products)
np.savez({found!r}, out=out, products=products)
"""


def test_the_device_function_on_the_simulator_is_the_definition(tmp_path: Path) -> None:
    pytest.importorskip("numba")
    given, found = str(tmp_path / "given.npz"), str(tmp_path / "found.npz")
    counters, key, x = some(4, 40, 4), KEYS[2], some(5, 40, 2)
    np.savez(given, counters=counters, key=key, x=x)
    simulate(SIMULATED.format(given=given, found=found))
    with np.load(found) as made:
        assert (made["out"] == philox(counters, key)).all()
        assert (made["products"] == np.stack(product(x[:, 0], x[:, 1]), axis=-1)).all()


def simulate(code: str) -> None:
    """Run the code under Numba's CUDA simulator, which replaces `numba.cuda` in a whole process."""
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(Path(kernels.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_eight_blocks_side_by_side_are_eight_blocks() -> None:
    numba = pytest.importorskip("numba")
    from mdplab.kernels.philox_compiled import eight_blocks

    run = numba.njit(lambda b, counters, key, words: eight_blocks(b, counters, 0, key, words, 8))
    for key in KEYS:
        counters, made = some(6, 8, 3), np.zeros((4, 8), dtype=np.uint64)
        run(np.uint64(5), np.ascontiguousarray(counters.T).reshape(-1), key, made.reshape(-1))
        whole = np.concatenate([np.full((8, 1), 5, dtype=np.uint64), counters], axis=1)
        assert (philox(whole, key) == made.T).all()
