"""Eight numbers in one register: the vector exponential and the layout."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from mdplab.arrays import precision

pytest.importorskip("numba")


@pytest.fixture(scope="module")
def vector_exp() -> Callable[[np.ndarray], np.ndarray]:
    from numba import njit

    from mdplab.kernels.lanes import aligned, exp, load, store

    @njit
    def run(x: np.ndarray) -> None:
        for i in range(len(x) // 8):
            store(x, i, exp(load(x, i)))

    def padded(values: np.ndarray) -> np.ndarray:
        x = aligned(-(-len(values) // 8) * 8)
        x[: len(values)] = values
        run(x)
        return x[: len(values)]

    return padded


def test_exp_is_within_one_unit_in_the_last_place(vector_exp: Callable[[np.ndarray], np.ndarray]) -> None:
    """Against 200-bit balls: near 0, over the whole range, and among subnormal results (where a unit is 2^-1074)."""
    from flint import arb

    rng = np.random.default_rng(1)
    x = np.concatenate([rng.uniform(-1, 1, 400), rng.uniform(-745, 709, 1200), rng.uniform(-745, -708, 400)])
    x = np.concatenate([x, np.arange(-40, 41) * np.log(2) / 2])  # where the reduction changes its integer
    y = vector_exp(x)
    bits = precision()
    try:
        precision(200)
        for one, result in zip(x, y, strict=True):
            error = float((arb(float(result)) - arb(float(one)).exp()).mid())
            assert abs(error) <= np.spacing(result), one
    finally:
        precision(bits)


def test_exp_at_the_ends_of_its_range(vector_exp: Callable[[np.ndarray], np.ndarray]) -> None:
    x = np.array([0.0, -0.0, -np.inf, -1e308, -746.0, 710.0, 1e308, np.inf, np.nan])
    y = vector_exp(x)
    assert y[:-1].tolist() == [1.0, 1.0, 0.0, 0.0, 0.0, np.inf, np.inf, np.inf]
    assert np.isnan(y[-1])
    assert vector_exp(np.array([-745.0]))[0] == 2.0**-1074  # e^-745 lies between a half and one and a half of it


def test_a_kernel_compiles_where_no_cache_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core.caching import CompileResultCacheImpl

    from mdplab.kernels.lanes import compiled

    def double(x: np.ndarray) -> None:
        x *= 2

    monkeypatch.setattr(CompileResultCacheImpl, "_locator_classes", [])
    x = np.ones(3)
    compiled(double)(x)
    assert (x == 2).all()


@pytest.mark.parametrize("B", [1, 7, 8, 9, 24])
def test_separate_undoes_interleave_and_padding_repeats_the_last_row(B: int) -> None:
    from mdplab.kernels.lanes import interleave, separate

    x = np.arange(3.0 * B).reshape(B, 3)
    packed = interleave(x)
    assert packed.shape == (-(-B // 8), 24)
    assert packed.ctypes.data % 64 == 0
    assert packed[0, 8] == x[0, 1]  # the lane is last: model 0, entry 1
    assert (separate(packed, B) == x).all()
    assert (separate(packed, 8 * len(packed))[B:] == x[-1]).all()
