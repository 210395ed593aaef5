"""Sums over visits of pairs, their scores and sums to go agree with their definitions, which rationals confirm."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path as File

import numpy as np
import pytest

from mdplab import kernels
from mdplab.arrays import EPS
from mdplab.kernels import pairs
from mdplab.kernels.pairs import Path, Policies, Visits, Weights


def trajectories(N: int, H: int, S: int, A: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """States, of which some are beyond the last one, actions, and a number for each step."""
    rng = np.random.default_rng([N, H, S, A])
    return rng.integers(0, S + 2, (N, H + 1)), rng.integers(0, A, (N, H)), rng.normal(size=(N, H))


def compiled():
    pytest.importorskip("numba")
    from mdplab.kernels import pairs_compiled

    return pairs_compiled


SIZES = [(1, 1, 1, 1), (5, 3, 2, 2), (4, 50, 3, 9), (17, 20, 20, 5)]
INTEGERS = [np.int64, np.int32, np.uint8]


@pytest.mark.parametrize("integer", INTEGERS)
@pytest.mark.parametrize("size", SIZES)
def test_compiled_sums_are_the_definition_bit_for_bit(size: tuple[int, ...], integer: type) -> None:
    states, actions, ψ = trajectories(*size)
    visits = Visits(states.astype(integer), actions.astype(integer), *size[2:])
    assert compiled().sums(visits, ψ).tobytes() == pairs.sums.definition(visits, ψ).tobytes()


def test_sums_by_hand() -> None:
    """s = 0, 1, 0, then 2, where all is over; a = 1, 0, 1, 0."""
    visits = Visits(np.array([[0, 1, 0, 2]]), np.array([[1, 0, 1, 0]]), 2, 2)
    third = np.array([[Fraction(1, 3), Fraction(2, 3), Fraction(1, 2), Fraction(7)]])
    assert pairs.sums(visits, third)[0].tolist() == [[0, Fraction(5, 6)], [Fraction(2, 3), 0]]


@pytest.mark.parametrize("size", SIZES)
def test_compiled_scores_are_the_definition(size: tuple[int, ...]) -> None:
    (N, _, S, A), (states, actions, ψ) = size, trajectories(*size)
    policy = np.random.default_rng(0).dirichlet(np.ones(A), (2, S))
    policies = Policies(Path(states, actions, np.arange(N) % 2), policy)
    found, expected = compiled().scores(policies, ψ), pairs.scores.definition(policies, ψ)
    # Sums of A terms in another order, once multiplied by a probability: A roundings of Σ |ψ|.
    assert (abs(found - expected) <= A * EPS * abs(ψ).sum(axis=-1)[:, None, None]).all()
    assert (abs(expected.sum(axis=-1)) <= 4 * A * EPS * abs(ψ).sum(axis=-1)[:, None]).all()  # Σ_a ∇π = 0


@pytest.mark.parametrize("size", SIZES)
def test_compiled_sums_to_go_are_the_definition_bit_for_bit(size: tuple[int, ...]) -> None:
    N, H = size[:2]
    r = trajectories(*size)[2]
    weights = Weights(np.random.default_rng(0).random((2, H)), np.arange(N) % 2)
    found = compiled().to_go(weights, r)
    assert found.tobytes() == pairs.to_go.definition(weights, r).tobytes()
    assert (found[:, -1] == weights.w[weights.chosen, -1] * r[:, -1]).all()


@pytest.mark.parametrize("size", SIZES)
def test_compiled_values_are_the_definition(size: tuple[int, ...]) -> None:
    (N, _, S, A), (states, actions, _) = size, trajectories(*size)
    path = Path(states % S, actions, np.arange(N) % 3)
    x = np.random.default_rng(0).normal(size=(3, S, A))
    assert (compiled().values(path, x) == pairs.values.definition(path, x)).all()


SIMULATED = """
import sys
import numpy as np
from mdplab.kernels import pairs_cuda
from mdplab.kernels.pairs import Path, Visits
sys.path.insert(0, {here!r})
from test_pairs import trajectories
states, actions, psi = trajectories(5, 7, 3, 2)
x = np.arange(12.0).reshape(2, 3, 2)
values = pairs_cuda.values(Path(states % 3, actions, np.arange(5) % 2), x)
np.savez({file!r}, sums=pairs_cuda.sums(Visits(states, actions, 3, 2), psi), values=values)
"""


def test_the_cuda_bodies_on_the_simulator_are_the_definitions(tmp_path: File) -> None:
    pytest.importorskip("numba")
    file = str(tmp_path / "simulated.npz")
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", SIMULATED.format(here=str(File(__file__).parent), file=file)],
        env=os.environ | {"NUMBA_ENABLE_CUDASIM": "1", "PYTHONPATH": str(File(kernels.__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    states, actions, ψ = trajectories(5, 7, 3, 2)
    with np.load(file) as simulated:
        assert (simulated["sums"] == pairs.sums.definition(Visits(states, actions, 3, 2), ψ)).all()
        x = np.arange(12.0).reshape(2, 3, 2)
        path = Path(states % 3, actions, np.arange(5) % 2)
        assert (simulated["values"] == pairs.values.definition(path, x)).all()
