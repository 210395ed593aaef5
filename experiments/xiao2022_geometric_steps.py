"""What do growing steps buy in policy mirror descent, and how much of it do the bounds promise?

A constant step against steps that grow by ϑ/(ϑ − 1), from the same first step and the uniform policy, each with its
bound.  The paper proves the bounds and draws no such figure.  `mdplab run xiao2022_geometric_steps`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.instances import families
from mdplab.report.figures import BLUE, SHADES, STYLE, VERMILION
from theorems.xiao2022 import const, geo, k

SWEEP = {"discount": [0.5, 0.9, 0.99], "first_step": [0.1, 1.0]}
MODELS, STEPS = 40, 300
COLOURS = {"growing": BLUE, "constant": VERMILION}


def measure(discount: float, first_step: float) -> xr.Dataset:
    """What policies lose, and the bounds, on one batch of models for all cells of the same discount."""
    mdp = families.garnet(np.random.default_rng(2022), MODELS, S=5, A=3, discount=discount)
    mdp = mdp.starting(np.full_like(mdp.start, 1 / mdp.S))
    θ, η = np.zeros_like(mdp.r), np.full(MODELS, first_step)
    traces = {
        "growing": geo.trace(mdp, θ, η, up_to=STEPS),
        "constant": const.trace(mdp, θ, mdp.start, η, up_to=STEPS),
    }
    return xr.merge([_curves(name, trace) for name, trace in traces.items()], join="inner")


def _curves(name, trace) -> xr.Dataset:
    bindings, losses, bounds = zip(*trace, strict=True)
    axes, steps = ("k", "model"), [int(binding[k]) for binding in bindings]
    both = {f"{name}_loss": (axes, np.stack(losses)), f"{name}_bound": (axes, np.stack(bounds))}
    return xr.Dataset(both, coords={"k": steps})


def figure(data: xr.Dataset) -> plt.Figure:
    """A column for each discount factor, a row for each first step; bands hold half of the models."""
    shape = (data.sizes["first_step"], data.sizes["discount"])
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(*shape, figsize=(7.6, 5.0), sharex=True, sharey=True, layout="constrained")
        for (i, j), ax in np.ndenumerate(axes):
            panel = data.isel(first_step=i, discount=j)
            for name, colour in COLOURS.items():
                loss, bound = panel[f"{name}_loss"].clip(min=1e-30), panel[f"{name}_bound"].clip(min=1e-30)
                ax.loglog(data.k, loss.median("model"), color=colour, label=f"{name} steps")
                ax.fill_between(data.k, *loss.quantile([0.25, 0.75], "model"), color=colour, alpha=0.15, lw=0)
                ax.loglog(data.k, bound.median("model"), "--", color=SHADES[colour], label=f"their bound ({name})")
            γ, η = data.discount.values[j], data.first_step.values[i]
            ax.set_title(rf"$\gamma = {γ}$, $\eta_0 = {η}$", fontsize=10, loc="left")
            ax.set_ylim(1e-14, 1e4)
        for ax in axes[-1]:
            ax.set_xlabel("updates $k$")
        fig.supylabel(r"$V^\star(\rho) - V^{\pi_k}(\rho)$, in units of reward", fontsize=10)
        fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return fig
