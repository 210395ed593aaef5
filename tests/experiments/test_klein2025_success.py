"""The success probabilities of DynPG and of vanilla policy gradient are those that another program found."""

import numpy as np
import pytest

from experiments import klein2025_success

THEIRS, OURS, COMPARISONS = 2000, 500, 24


@pytest.mark.parametrize(
    ("discount", "scheme", "theirs"),
    [
        (0.99, "vanilla", (0.17, 0.59, 0.72, 0.75, 0.77, 0.79)),
        (0.99, "DynPG", (0.24, 0.72, 0.84, 0.91, 0.96, 0.97)),
        (0.9, "vanilla", (0.24, 0.68, 0.73, 0.75, 0.77, 0.78)),
        (0.9, "DynPG", (0.29, 0.74, 0.89, 0.93, 0.97, 0.99)),
    ],
)
def test_success_after_so_many_interactions(discount, scheme, theirs):
    """Two shares of one probability, of 2000 and of 500 runs, differ by more than the band once in a thousand tests.

    Hoeffding for the difference of two means, all 24 comparisons together; theirs are rounded to hundredths.
    """
    data = klein2025_success.measure(discount, scheme, copies=OURS)
    ours = np.asarray(data.success.sel(interactions=[200, 400, 600, 800, 1000, 1200]))
    band = np.sqrt(np.log(2 * COMPARISONS / 1e-3) / 2 * (1 / THEIRS + 1 / OURS)) + 0.005
    assert band < 0.13
    assert abs(ours - theirs).max() <= band
