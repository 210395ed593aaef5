"""The numbers of the figure of trade-offs, and that it draws."""

import numpy as np
import pytest

from experiments import morl_coverage as experiment


@pytest.fixture(scope="module")
def dive():
    return experiment.measure("deep sea")


def test_weights_find_two_of_five_divers(dive):
    assert len(dive.front.dropna("point")) == 5
    assert len(dive.coverage.dropna("point")) == 2


def test_the_volumes_of_the_dive_by_hand(dive):
    """Treasures 1, 2γ, 3γ², 5γ³, 8γ⁴ after times 1, 1+γ, ...; the hull adds what lies below its one edge."""
    γ = 0.9
    x = [c * γ**i for i, c in enumerate((1, 2, 3, 5, 8))]
    y = [-sum(γ**j for j in range(i + 1)) for i in range(5)]
    staircase = sum((y[i] + 10) * (x[i] - (x[i - 1] if i else 0)) for i in range(5))
    assert float(dive.volume) == pytest.approx(staircase)
    hull = x[0] * (y[0] + 10) + (x[4] - x[0]) * (y[0] + y[4] + 20) / 2
    assert float(dive.volume_of_hull) == pytest.approx(hull)


def test_the_fairest_is_a_vertex_of_the_queues():
    queues = experiment.measure("two queues")
    assert np.nanmin(abs(queues.coverage - queues.fair).sum("objective")) <= 1e-6


def test_the_figure_draws():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import xarray as xr

    cells = [experiment.measure(name).expand_dims(model=[name]) for name in experiment.SWEEP["model"]]
    plt.close(experiment.figure(xr.concat(cells, "model")))
