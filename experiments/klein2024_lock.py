"""How many updates does a combination lock take, all epochs at once or one by one, and how many does the theory allow?

A lock of H epochs: only the first of two actions, in every epoch, leads to the reward 1 of the last.  From uniform
policies with exact gradients and the step sizes of the paper until the value at the start is 0.9; one by one, each
epoch is trained until it loses at most 1/(10 H) in its worst state.  The paper's own example we have not seen.
`mdplab run klein2024_lock`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.ticker import FixedLocator, NullLocator

from mdplab.exact import finite_horizon as exact
from mdplab.instances.finite_horizon import lock
from mdplab.report.figures import BLUE, SHADES, STYLE, VERMILION
from mdplab.solvers import dynamic_step_sizes, epoch_pg, simultaneous_pg, train_epoch, uniform_in_epochs
from theorems.klein2024 import budget_without_S, printed_budget

SWEEP = {"H": [2, 3, 4, 5, 6, 7]}
ACCURACY = 0.1
SCHEMES = {"together": ("all epochs at once", VERMILION), "by_epoch": ("one by one, from the last", BLUE)}


def measure(H: int) -> xr.Dataset:
    """Updates of both schemes, steps in the model if each update saw one path, and the budgets of the theory."""
    mdp = lock(H).floats()
    best = exact.optimum(mdp)
    together = next(x.k for x in simultaneous_pg(mdp) if exact.gap(mdp, x.π, best) <= ACCURACY)
    by_epoch = updates_of_epochs(mdp, ACCURACY / H)
    left, start = H - np.arange(H), uniform_in_epochs(mdp)
    counts = {
        "together": together,
        "by_epoch": by_epoch.sum(),
        "together_steps": together * H,
        "by_epoch_steps": (by_epoch * left).sum(),
        "budget": printed_budget(mdp, start, ACCURACY / H).sum(),  # ε is this share of H R*
        "budget_without_S": budget_without_S(mdp, start, ACCURACY / H).sum(),
    }
    return xr.Dataset({name: float(x) for name, x in counts.items()})


def updates_of_epochs(mdp, accuracy):
    """How many updates each epoch takes until it loses at most `accuracy` in its worst state;  (H,)."""
    rows, found, η = list(mdp.split(np.full((mdp.S, mdp.A), 1 / mdp.A), 2)), [], dynamic_step_sizes(mdp)
    for h in reversed(range(mdp.H)):
        q, μ = mdp.split(exact.action_values(mdp, mdp.joined(rows, 2)), 2)[h], np.full(mdp.sizes[h], 1 / mdp.sizes[h])
        loss = exact.losses(q, exact.greedy(q))
        n = next(x.k for x in epoch_pg(q, μ, step_sizes=η[h]) if (x.π * loss).sum(axis=-1).max() <= accuracy)
        rows[h] = train_epoch(q, μ, step_size=η[h], updates=n).π
        found.insert(0, n)
    return np.array(found)


def figure(data: xr.Dataset) -> plt.Figure:
    """Updates on the left, steps in the model on the right; slopes are those of straight lines through the points."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, 2, figsize=(7.6, 4.0), sharex=True, layout="constrained")
        for ax, suffix, title in zip(
            axes, ("", "_steps"), ("updates", "steps in the model, a path an update"), strict=True
        ):
            for name, (label, colour) in SCHEMES.items():
                y = data[name + suffix]
                slope, level = np.polyfit(np.log(data.H), np.log(y), 1)
                ax.loglog(data.H, y, "o", color=colour, label=label)
                ax.loglog(data.H, np.exp(level) * data.H**slope, color=colour, lw=1)
                ax.annotate(rf"$\propto H^{{{slope:.1f}}}$", (data.H[3], y[3]), xytext=(8, -12), **OFFSET)
            ax.set_title(title, fontsize=10, loc="left")
            ax.set_xlabel("epochs $H$")
        axes[0].loglog(data.H, data.budget, "--", color=SHADES[BLUE], label="budget, one by one")
        axes[0].loglog(data.H, data.budget_without_S, ":", color=SHADES[BLUE], label="budget without $S$")
        for ax in axes:
            ax.xaxis.set_major_locator(FixedLocator(data.H.values))
            ax.xaxis.set_major_formatter("{x:.0f}")
            ax.xaxis.set_minor_locator(NullLocator())
        fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=2)
    return fig


OFFSET = {"textcoords": "offset points", "fontsize": 10}
