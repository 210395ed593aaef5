"""Why does the last iterate of a Lagrangian method circle, and what stops it?

The paradoxical model, where reward is cost: value and multiplier of plain, alternating and optimistic steps (ReLOAD)
and of CAL's augmented Lagrangian, from the uniform policy and multiplier zero.  The paper draws such circles for the
baseline.
`mdplab run moskovitz2023_paradox`
"""

from itertools import islice

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.instances import paradox
from mdplab.report.figures import BLUE, GREEN, PURPLE, STYLE, VERMILION
from mdplab.solvers import conservative_lagrangian, gradient_descent_ascent, reload

STEPS = 1200
SWEEP = {"step": [1.0, 0.3]}
METHODS = {
    "plain": ("plain", VERMILION, lambda cmdp, η: gradient_descent_ascent(cmdp, **_steps(η))),
    "alternating": (
        "alternating",
        PURPLE,
        lambda cmdp, η: gradient_descent_ascent(cmdp, **_steps(η), alternating=True),
    ),
    "optimistic": ("optimistic (ReLOAD)", BLUE, lambda cmdp, η: reload(cmdp, **_steps(η))),
    "conservative": (
        "augmented (CAL, κ = 3η)",
        GREEN,
        lambda cmdp, η: conservative_lagrangian(cmdp, **_steps(η), conservatism=3 * η),
    ),
}


def _steps(η: float) -> dict[str, float]:
    return {"step_size": η, "multiplier_step_size": η}


def measure(step: float) -> xr.Dataset:
    """Normalised value and multiplier of every iterate, for each method."""
    cmdp = paradox().floats()
    out = {}
    for name, (_, _, solver) in METHODS.items():
        runs = [(float(it.value) * (1 - cmdp.discount), it.multipliers[0]) for it in islice(solver(cmdp, step), STEPS)]
        v, λ = np.array(runs).T
        out[f"{name}_value"], out[f"{name}_multiplier"] = ("k", v), ("k", λ)
    return xr.Dataset(out, coords={"k": np.arange(STEPS)})


def figure(data: xr.Dataset) -> plt.Figure:
    """A row for each step size: values along the run, distances from the saddle point, and both players in a plane."""
    rows = data.sizes["step"]
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(rows, 3, figsize=(9.6, 2.9 * rows + 0.4), layout="constrained", squeeze=False)
        for i, (value, distance, plane) in enumerate(axes):
            panel = data.isel(step=i)
            for name, (label, colour, _) in METHODS.items():
                v, λ = panel[f"{name}_value"], panel[f"{name}_multiplier"]
                value.plot(panel.k, v, color=colour, lw=0.9, label=label)
                distance.semilogy(panel.k, np.hypot(v - 0.5, λ - 1).clip(1e-12), color=colour, lw=0.9)
                plane.plot(v, λ, color=colour, lw=0.7)
            mean = panel.plain_value.cumsum("k") / (panel.k + 1)
            value.plot(panel.k, mean, "k--", lw=0.9, label="mean of plain")
            value.set_xlim(0, 600)
            plane.plot(0.5, 1, "k+", ms=9, zorder=5)
            η = data.step.values[i]
            value.set_title(rf"$v_k$, $\eta = \eta_\lambda = {η:g}$", fontsize=10, loc="left")
            distance.set_title("distance from the saddle point", fontsize=10, loc="left")
            plane.set_title(r"$\lambda$ against $v$", fontsize=10, loc="left")
            plane.set_xlim(0, 1)
        for ax in axes[-1, :2]:
            ax.set_xlabel("updates $k$")
        axes[-1, 2].set_xlabel("$v$")
        fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=5)
    return fig
