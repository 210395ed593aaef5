"""The chain of the figure: its optimum, and mean gaps that another implementation found on 64 runs."""

import numpy as np
import pytest

from experiments import barakat2023_chain as experiment
from mdplab.exact import truncated_pair_visits

# Mean gaps of 64 runs after 10, 100 and 1000 trajectories, by a prototype that shares no code and no draws.
PROTOTYPE = {
    "N-VR-PG": (1.12, 0.41, 0.079),
    "inverted weights": (1.43, 0.86, 0.40),
    "same trajectory": (1.09, 0.77, 0.27),
}


def test_the_uniform_policy_and_the_best_one_by_the_numbers_of_the_prototype():
    mdp = experiment.chain()
    right = np.array([0.914, 0.915, 0.714, 0.708, 0.531])
    uniform, best = (
        experiment.F.value(truncated_pair_visits(mdp, π, experiment.H))
        for π in (np.full((5, 2), 0.5), np.stack([1 - right, right], axis=-1))
    )
    # Half a unit of the last digit that the other program prints.
    assert uniform == pytest.approx(2.4304, abs=5e-5)
    assert best == pytest.approx(experiment.BEST, abs=5e-6)


@pytest.mark.parametrize("method", PROTOTYPE)
def test_mean_gaps_agree_with_the_prototype(method):
    """Both are means of 64 independent runs of one law, so they differ by √2 standard errors; by five times that never.

    The standard error is that of our runs; with 64 of them its own error is a tenth.
    """
    data = experiment.measure(method, last=1000)
    for T, expected in zip((10, 100, 1000), PROTOTYPE[method], strict=True):
        x = data.gap.sel(trajectories=T)
        error = float(x.std("run")) / np.sqrt(x.sizes["run"] - 1)
        assert abs(float(x.mean("run")) - expected) <= 5 * np.sqrt(2) * error + 0.005  # printed to two digits


def test_long_first_steps_ruin_some_runs():
    """With α_t = 2/(t + 1) the mean gap after 300 trajectories is more than three times that with 1/(t + 1)."""
    gaps = {m: experiment.measure(m, last=300).gap.sel(trajectories=300) for m in ("N-VR-PG", "2/(t+1)")}
    assert gaps["2/(t+1)"].mean("run") > 3 * gaps["N-VR-PG"].mean("run")
