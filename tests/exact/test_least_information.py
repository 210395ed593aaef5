"""The second eigenvalue of a row's Fisher information against LAPACK, by hand, and in balls."""

import flint
import numpy as np
import pytest

from mdplab.arrays import floats, rational, rational_number
from mdplab.exact import fisher
from mdplab.exact.least_information import least_information, second_eigenvalue


@pytest.mark.parametrize("A", [2, 3, 4, 7])
def test_it_is_the_second_of_the_eigenvalues(A):
    π = np.random.default_rng(A).dirichlet(np.ones(A), 50)
    blocks = np.eye(A) * π[:, None] - π[:, :, None] * π[:, None, :]
    # LAPACK's eigenvalues of a matrix of norm at most 1 err by some A u.
    assert abs(second_eigenvalue(π) - np.linalg.eigvalsh(blocks)[:, 1]).max() <= 1e-14
    enclosed = second_eigenvalue(rational(π))
    assert abs(floats(enclosed) - second_eigenvalue(π)).max() <= 1e-15


def test_uniform_rows_have_their_entry():
    """diag(1/3) − 1/9 has eigenvalues 0, 1/3, 1/3."""
    row = rational([["1/3"] * 3])
    assert second_eigenvalue(row)[0].overlaps(flint.arb(rational_number("1/3")))
    assert abs(second_eigenvalue(floats(row)) - 1 / 3) <= 1e-16


def test_by_hand():
    """π = (1/4, 1/4, 1/2): (1, −1, 0) has eigenvalue 1/4; the trace 5/8 leaves 3/8 for the third."""
    assert second_eigenvalue(np.array([0.25, 0.25, 0.5])) == pytest.approx(0.25, rel=1e-15)
    assert second_eigenvalue(rational([["1/4", "3/4"]]))[0] == rational_number("3/8")


def test_tiny_ones_keep_their_digits():
    """π = (ε, 2ε, 1 − 3ε): x between ε and 2ε with 1/(ε − x) ε + 2ε/(2ε − x) + 1 = 0."""
    ε = 1e-30
    x = second_eigenvalue(np.array([ε, 2 * ε, 1.0])) / ε
    assert 1 / (1 - x) + 2 / (2 - x) + 1 == pytest.approx(0, abs=1e-12)


def test_it_is_the_least_of_the_blocks(draw):
    mdp = draw(0, (4,))
    π = np.random.default_rng(0).dirichlet(np.ones(3), (4, 4))
    expected = np.linalg.eigvalsh(fisher(mdp, π))[..., 1].min(axis=-1)
    assert abs(least_information(mdp, π) - expected).max() <= 1e-14
