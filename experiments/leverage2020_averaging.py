"""Does paying for the divergence from the last policy average errors out?

Every update is wrong by a fixed table of signs ±X, plus in odd and minus in even updates, on models of 5 states.
Greedy value iteration (λ = 0) loses for ever what the last error makes it lose; with a divergence the errors cancel in
the mean, and Theorem 1's bound falls as 1/k.
`mdplab run leverage2020_averaging`
"""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import gap, optimum
from mdplab.models import DiscountedMDP
from mdplab.report.figures import BLUE, GREEN, PURPLE, SHADES, STYLE, VERMILION
from mdplab.solvers import geometric, mirror_descent_vi

SWEEP = {"cost": [0.0, 0.05, 0.5, 5.0]}
SEEDS = range(10)
STEPS = 1000
COLOURS = (VERMILION, PURPLE, BLUE, GREEN)


def instance(seed: int) -> tuple[DiscountedMDP, np.ndarray]:
    """A model of 5 states and 3 actions with γ = 9/10, rewards in [−1, 1], and a table of signs."""
    rng = np.random.default_rng(seed)
    P = rng.dirichlet(np.ones(5), (5, 3))
    r = rng.uniform(-1, 1, (5, 3))
    return DiscountedMDP(P, r, 0.9), np.sign(rng.normal(size=(5, 3)))


def measure(cost: float, seed: int, steps: int = STEPS) -> xr.Dataset:
    """v*(s) − v^{π_k}(s) in the worst state; where the cost is zero, 1e-9 makes updates greedy."""
    mdp, X = instance(seed)
    best = optimum(mdp)
    runs = mirror_descent_vi(mdp, divergence=cost or 1e-9, errors=cycle((X, -X)), at=geometric(steps))
    found = {it.k: max(float(gap(mdp, it.π, best, state)) for state in np.eye(mdp.S)) for it in runs if it.k}
    return xr.Dataset({"loss": ("k", list(found.values()))}, coords={"k": list(found)})


def figure(data: xr.Dataset) -> plt.Figure:
    """One colour for each λ; a line is the median over models, its band holds the middle half."""
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(7.6, 3.6), layout="constrained")
        for cost, colour in zip(data.cost.values, COLOURS, strict=False):
            loss = data.loss.sel(cost=cost).clip(1e-6)
            low, high = loss.quantile(0.25, "seed"), loss.quantile(0.75, "seed")
            ax.fill_between(data.k, low, high, color=SHADES[colour], alpha=0.4, lw=0)
            label = rf"$\lambda = {cost:g}$" if cost else "greedy"
            ax.loglog(data.k, loss.median("seed"), color=colour, label=label)
        ax.set(ylim=(1e-6, 20), xlabel="updates $k$", ylabel=r"$\|v^* - v^{\pi_k}\|_\infty$, reward (cut at $10^{-6}$)")
        ax.legend(title="errors $\\pm X$ in turn", loc="upper left", bbox_to_anchor=(1, 1))
    return fig
