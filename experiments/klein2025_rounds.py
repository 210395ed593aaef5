"""How many updates does a round of DynPG deserve?

The error of the values after H rounds of N updates each, exact gradients, uniform weights: first it falls like γ^H,
then it rests at what the rounds lose.  Dashed, the bound (a) with the losses measured.  The paper draws no such figure.
`mdplab run klein2025_rounds`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.instances import families
from mdplab.report.figures import BLUE, GREEN, SHADES, STYLE, VERMILION
from theorems.klein2025 import H, value_error_of_rounds

SWEEP = {"discount": [0.5, 0.9], "updates": [10, 100, 1000]}
MODELS, ROUNDS = 40, 40
COLOURS = dict(zip(SWEEP["updates"], (VERMILION, BLUE, GREEN), strict=True))


def measure(discount: float, updates: int) -> xr.Dataset:
    """Errors and bounds on one batch of models for all cells of the same discount."""
    mdp = families.garnet(np.random.default_rng(2025), MODELS, S=4, A=3, discount=discount)
    trace = list(value_error_of_rounds.trace(mdp, np.full(MODELS, float(updates)), up_to=ROUNDS))
    bindings, errors, bounds = zip(*trace, strict=True)
    data = {"error": (("H", "model"), np.stack(errors)), "bound": (("H", "model"), np.stack(bounds))}
    return xr.Dataset(data, coords={"H": [int(binding[H]) for binding in bindings]})


def figure(data: xr.Dataset) -> plt.Figure:
    """A column for each discount factor; medians over the models, and half of them in the bands."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, data.sizes["discount"], figsize=(7.6, 4.0), sharey=True, layout="constrained")
        for ax, γ in zip(axes, data.discount.values, strict=True):
            for N in data.updates.values:
                panel, colour = data.sel(discount=γ, updates=N), COLOURS[int(N)]
                ax.semilogy(data.H, panel.error.median("model"), color=colour, label=f"{N} updates a round")
                ax.fill_between(data.H, *panel.error.quantile([0.25, 0.75], "model"), color=colour, alpha=0.15, lw=0)
                ax.semilogy(data.H, panel.bound.median("model"), "--", color=SHADES[colour], label="its bound")
            ax.set_title(rf"$\gamma = {γ}$", fontsize=10, loc="left")
            ax.set_xlabel("rounds $H$")
        axes[0].set_ylabel(r"$\| V^\star - V_H \|_\infty$, in units of reward")
        fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return fig
