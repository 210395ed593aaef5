"""How fast does the error of the direction fall along a run, in theory and in simulation?

A prescribed path of steps like 1 / t around a circle in the logits of two states.  Mean square error of the directions
of N-PG-IGT, HARPG and momentum: by the exact recursions, and by 2000 replicates.  The paper prints the rates inside its
proofs, not this figure.  `mdplab run fatk2023_error_along_a_path`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.instances import two_by_two
from mdplab.report.figures import BLUE, GREEN, GREY, STYLE, VERMILION
from mdplab.sampling import Draws
from mdplab.solvers import geometric
from theorems.fatk2023 import circling, exact_errors, simulated_errors

METHODS = {"IGT": (BLUE, -4 / 5), "HARPG": (VERMILION, -1), "momentum": (GREEN, -2 / 3)}
SWEEP = {"estimate": list(METHODS), "radius": [0.4, 1.5]}
UPDATES, REPLICATES, HORIZON = 1024, 2000, 2
LAST = 128  # slopes are fitted from here on: three turns of the circle


def measure(estimate: str, radius: float, updates: int = UPDATES, replicates: int = REPLICATES) -> xr.Dataset:
    """Exact errors at every update, and at checkpoints the mean of the replicates with its standard error."""
    mdp, θ = two_by_two().floats(), circling(updates, radius)
    exact = exact_errors(mdp, θ, HORIZON)[list(METHODS).index(estimate)]
    at, seen = list(geometric(updates - 1, per_decade=8)), []
    run = simulated_errors(mdp, θ, HORIZON, estimate, Draws(seed=1, replicate=np.arange(replicates)))
    for t, squares in enumerate(run):
        if t in at:
            seen.append((squares.mean(), squares.std() / replicates**0.5))
    mean, error = np.array(seen).T
    return xr.Dataset(
        {"exact": ("t", exact), "simulated": ("at", mean), "standard_error": ("at", error)},
        coords={"t": np.arange(updates), "at": at},
    )


def slope(exact: xr.DataArray) -> float:
    """Of the exact error on logarithmic axes, over whole turns of the circle."""
    t = exact.t.values[LAST:]
    return float(np.polyfit(np.log(t + 2), np.log(exact.values[LAST:]), 1)[0])


def figure(data: xr.Dataset) -> plt.Figure:
    """Above the errors for a short and a long way between two updates, below simulation over theory."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(2, 2, figsize=(8.4, 5.2), height_ratios=(3, 1.2), sharex=True, layout="constrained")
        for radius, (above, below) in zip(data.radius.values, axes.T, strict=True):
            for estimate, (colour, expected) in METHODS.items():
                panel = data.sel(estimate=estimate, radius=radius)
                label = f"{estimate}: {slope(panel.exact):.2f}, in theory {expected:.2f}"
                above.loglog(panel.t + 1, panel.exact, color=colour, label=label)
                above.errorbar(
                    panel["at"] + 1, panel.simulated, 2 * panel.standard_error, fmt=".", color=colour, ms=4, lw=0.8
                )
                exact = panel.exact.sel(t=panel["at"].values).values
                below.errorbar(
                    panel["at"] + 1,
                    panel.simulated / exact,
                    2 * panel.standard_error / exact,
                    fmt=".",
                    color=colour,
                    ms=4,
                )
            below.axhline(1, color=GREY, lw=0.8)
            below.set(xlabel="updates $t + 1$", ylim=(0.8, 1.2))
            above.set_title(f"circle of radius {radius}")
            above.legend(loc="lower left", title="slope")
        axes[0, 0].set_ylabel(r"$\mathbb{E}\,\|d_t - \nabla J_H(\theta_t)\|^2$")
        axes[1, 0].set_ylabel("simulated / exact")
    return fig
