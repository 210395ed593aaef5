"""How many steps in the model does a combination lock take if gradients are estimated from single trajectories?

`klein2024_lock` with sampled gradients, one trajectory an update, and the step sizes of the exact methods: steps in the
model until a run's value at the start is 0.9 for the first time; one by one, an epoch is left once it loses at most
1/(10 H) in its worst state.  Points are medians of a hundred runs and bars eight runs of ten, crosses the exact methods
if each of their updates took a trajectory: the noise costs next to nothing.  The paper's own example we have not seen.
`mdplab run klein2024_sampled_lock`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr
from matplotlib.ticker import FixedLocator, NullLocator

from experiments.klein2024_lock import ACCURACY, SCHEMES, updates_of_epochs
from mdplab.arrays import expand
from mdplab.exact import finite_horizon as exact
from mdplab.instances.finite_horizon import lock
from mdplab.models import FiniteHorizonMDP
from mdplab.report.figures import STYLE
from mdplab.sampling import Draws
from mdplab.solvers import (
    dynamic_step_sizes,
    in_front,
    sampled_epoch_pg,
    sampled_simultaneous_pg,
    simultaneous_pg,
    uniform_in_epochs,
)

SWEEP = {"H": [2, 3, 4, 5, 6]}
RUNS = 100


def measure(H: int, copies: int = RUNS) -> xr.Dataset:
    """Steps in the model of each run, of both schemes, and of the exact methods."""
    mdp, draws = lock(H).floats(), Draws(0, np.arange(copies))
    best = exact.optimum(mdp)
    together = next(x.k for x in simultaneous_pg(mdp) if exact.gap(mdp, x.π, best) <= ACCURACY)
    steps = H - np.arange(H)
    data = {
        "together": ("run", H * steps_together(mdp, best, draws)),
        "by_epoch": ("run", steps_by_epoch(mdp, draws) @ steps),
        "together_exact": float(H * together),
        "by_epoch_exact": float(updates_of_epochs(mdp, ACCURACY / H) @ steps),
    }
    return xr.Dataset(data)


def steps_together(mdp, best, draws):
    """Updates of all epochs at once until the value is near enough, for each run."""
    found = np.full(draws.shape, -1)
    for it in sampled_simultaneous_pg(mdp, draws=draws, step_size=1 / (5 * mdp.H**2)):
        found = np.where((found < 0) & (exact.gap(mdp, it.π, best) <= ACCURACY), it.k, found)
        if (found >= 0).all():
            break
    return found


def steps_by_epoch(mdp, draws):
    """Updates of each epoch until it is accurate, for each run;  (m, H)."""
    later, found, rounds = 0 * mdp.r[-1][:0], [], 0
    η, starts = dynamic_step_sizes(mdp), mdp.split(uniform_in_epochs(mdp))
    for h in reversed(range(mdp.H)):
        tail = FiniteHorizonMDP(mdp.P[h:], mdp.r[h:], starts[h])
        n, rows = np.full(draws.shape, -1), np.full((*draws.shape, *mdp.r[h].shape), 0.5)
        for it in sampled_epoch_pg(tail, later, draws=draws, step_size=η[h], first_round=rounds):
            q = exact.action_values(tail, in_front(it.π, later))[..., : tail.sizes[0], :]
            loss = (it.π * exact.losses(q, exact.greedy(q))).sum(axis=-1).max(axis=-1)
            there = (n < 0) & (loss <= ACCURACY / mdp.H)
            n, rows = np.where(there, it.k, n), np.where(expand(there, 2), it.π, rows)
            if (n >= 0).all():
                break
        later, rounds = in_front(rows, later), rounds + it.k
        found.insert(0, n)
    return np.stack(found, axis=-1)


def figure(data: xr.Dataset) -> plt.Figure:
    """Steps in the model by the number of epochs; slopes are those of straight lines through the medians."""
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(5.2, 3.8), layout="constrained")
        for name, (label, colour) in SCHEMES.items():
            low, middle, high = (data[name].quantile(p, "run") for p in (0.1, 0.5, 0.9))
            slope, level = np.polyfit(np.log(data.H), np.log(middle), 1)
            ax.errorbar(data.H, middle, [middle - low, high - middle], fmt="o", color=colour, label=label, capsize=2)
            ax.plot(data.H, np.exp(level) * data.H**slope, color=colour, lw=1)
            ax.plot(data.H, data[name + "_exact"], "x", color="black", ms=4, zorder=5)
            ax.annotate(rf"$\propto H^{{{slope:.1f}}}$", (data.H[3], middle[3]), (10, -14), textcoords="offset points")
        ax.set(xscale="log", yscale="log", xlabel="epochs $H$", ylabel="steps in the model")
        ax.xaxis.set_major_locator(FixedLocator(data.H.values))
        ax.xaxis.set_major_formatter("{x:.0f}")
        ax.xaxis.set_minor_locator(NullLocator())
        ax.legend(loc="upper left")
    return fig
