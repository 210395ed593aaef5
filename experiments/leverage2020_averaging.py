"""Does paying for the divergence from the last policy average errors out?

Every update is wrong by a fixed table of signs ±X, plus in odd and minus in even updates, on models of 5 states.
Greedy value iteration (λ = 0) loses for ever what the last error makes it lose; with a divergence the errors cancel in
the mean, and Theorem 1's bound falls as 1/k.
`mdplab run leverage2020_averaging`
"""

from itertools import cycle, islice

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import gap, optimum
from mdplab.models import DiscountedMDP
from mdplab.report.figures import BLUE, GREEN, PURPLE, SHADES, STYLE, VERMILION
from mdplab.solvers import mirror_descent_vi

SWEEP = {"cost": [0.0, 0.05, 0.5, 5.0]}
SEEDS = range(10)
STEPS = 600
COLOURS = (VERMILION, PURPLE, BLUE, GREEN)


def instance(seed: int) -> tuple[DiscountedMDP, np.ndarray]:
    """A model of 5 states and 3 actions with γ = 9/10, rewards in [−1, 1], and a table of signs."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.ones(5), (5, 3))
    r = rng.uniform(-1, 1, (5, 3))
    return DiscountedMDP(P, r, 0.9), np.sign(rng.normal(size=(5, 3)))


def measure(cost: float, seed: int, steps: int = STEPS) -> xr.Dataset:
    """The larger loss of π_k and π_{k+1} in the worst state, k odd; λ = 0 is greedy but for a temperature of 1e-9."""
    mdp, X = instance(seed)
    best = optimum(mdp)
    runs = mirror_descent_vi(mdp, divergence=cost, entropy=0 if cost else 1e-9, errors=cycle((X, -X)))
    losses = [max(float(gap(mdp, it.π, best, state)) for state in np.eye(mdp.S)) for it in islice(runs, 1, steps + 1)]
    return xr.Dataset({"loss": ("k", np.reshape(losses, (-1, 2)).max(axis=1))}, coords={"k": np.arange(1, steps, 2)})


def figure(data: xr.Dataset) -> plt.Figure:
    """One colour for each λ; a thick line is the mean over models, thin ones are the models."""
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(7.6, 3.6), layout="constrained")
        for cost, colour in zip(data.cost.values, COLOURS, strict=False):
            loss = data.loss.sel(cost=cost)
            ax.loglog(data.k, loss.T if loss.dims[0] == "seed" else loss, color=SHADES[colour], lw=0.5, alpha=0.6)
            label = rf"$\lambda = {cost:g}$" if cost else "greedy"
            ax.loglog(data.k, loss.mean("seed"), color=colour, label=label)
        ax.set(ylim=(1e-4, 20), xlabel="updates $k$", ylabel=r"$\|v^* - v^{\pi_k}\|_\infty$, reward")
        ax.legend(title="errors $\\pm X$ in turn", loc="upper left", bbox_to_anchor=(1, 1))
    return fig
