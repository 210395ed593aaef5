"""The numbers of Figure 1 of Mei et al. (2020), and of the same run in scalars."""

import math

import pytest

from experiments import mei2020_bad_start as experiment


@pytest.fixture(scope="module")
def bad():
    return experiment.measure("bad", steps=7600)


def by_hand(π, steps):
    """Yield π_1, ..., π_steps of Update 1, from its formula, for r = (1, 0.9, 0.1) and η = 0.4."""
    r, θ = (1.0, 0.9, 0.1), [math.log(p) for p in π]
    for _ in range(steps):
        weights = [math.exp(x) for x in θ]
        π = [w / sum(weights) for w in weights]
        yield π
        mean = sum(p * x for p, x in zip(π, r, strict=True))
        θ = [x + 0.4 * p * (a - mean) for x, p, a in zip(θ, π, r, strict=True)]


def test_the_bad_start_is_left_only_after_7525_updates(bad):
    assert experiment.crossing(bad) == 7526
    assert next(t for t, π in enumerate(by_hand((0.01, 0.05, 0.94), 8000), 1) if π[0] > π[1]) == 7526


def test_the_best_arm_is_nearly_abandoned_on_the_way(bad):
    best = bad.probability.sel(arm=1)
    assert int(bad.t[int(best.argmin("t"))]) == 1954
    assert float(best.min()) == pytest.approx(0.003831, abs=5e-7)
    assert float(bad.probability.sel(arm=2).max()) == pytest.approx(0.9953, abs=5e-5)


def test_after_7000_iterations_the_policy_is_still_far_from_the_best(bad):
    """‖π* − π_7000‖_1 = 2 (1 − π(a*))."""
    assert 2 * (1 - float(bad.probability.sel(arm=1, t=7000))) == pytest.approx(1.94, abs=5e-3)


def test_a_hundred_iterations_from_the_good_start_are_enough():
    good = experiment.measure("good", steps=100)
    assert float(good.gap[-1]) == pytest.approx(0.0228, abs=5e-5)
    assert float(good.probability.sel(arm=1)[-1]) == pytest.approx(0.967, abs=5e-4)
    assert float(good.probability.sel(arm=1).min()) == pytest.approx(0.05, abs=1e-15)  # never below its first value


def test_the_bound_holds_at_every_iterate(bad):
    assert bool((bad.gap <= bad.bound).all())


def test_the_figure_draws():
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import xarray as xr

    data = xr.concat([experiment.measure(start, steps=20) for start in experiment.STARTS], dim="start")
    figure = experiment.figure(data.assign_coords(start=list(experiment.STARTS)))
    assert len(figure.axes) == 4
    plt.close(figure)
