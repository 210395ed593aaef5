"""How fast does double-loop robust policy gradient approach robust value iteration?

The paper's Garnet experiment: excess of DRPG over the converged robust value, 200 outer steps with exact inner loops.
Bands hold 90 % of the models.  `mdplab run wang2023_garnet`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact.robust import robust_optimum
from mdplab.models import L1Ball, RobustMDP
from mdplab.report.figures import BLUE, STYLE, VERMILION
from mdplab.solvers import drpg

SWEEP = {"size": ["5,6,3", "10,6,3"]}
STEP = {"5,6,3": 0.05, "10,6,3": 0.01}
MODELS, STEPS = 10, 200


def garnet(seed: int, S: int, A: int, b: int) -> tuple[RobustMDP, np.ndarray]:
    """One model and first policy as the authors' program draws them: ρ, c, P, κ, π."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(0, 5, S)
    c = rng.uniform(0, 5, (S, A, S))
    P = np.zeros((S, A, S))
    for s, a in np.ndindex(S, A):
        P[s, a, rng.choice(S, b, replace=False)] = rng.uniform(0, 5, b)
    κ, π = rng.uniform(0.1, 0.5, (S, A)), rng.uniform(0.1, 0.5, (S, A))
    P, π = P / P.sum(axis=-1, keepdims=True), π / π.sum(axis=-1, keepdims=True)
    return RobustMDP(P, c, 0.95, L1Ball(κ), start / start.sum()), π


def measure(size: str) -> xr.Dataset:
    """Excess cost of each iterate, in units of cost (transitions cost up to 5)."""
    gaps = np.empty((MODELS, STEPS))
    for i in range(MODELS):
        mdp, π = garnet(i, *map(int, size.split(",")))
        best = float(mdp.start @ robust_optimum(mdp).v)
        gaps[i] = [float(it.cost) - best for it in drpg(mdp, π, step_size=STEP[size], at=range(STEPS))]
    return xr.Dataset({"gap": (("model", "step"), gaps)}, coords={"step": np.arange(STEPS)})


def figure(data: xr.Dataset) -> plt.Figure:
    """One curve a size: the mean, with the band from 5 to 95 %."""
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
        for size, colour in zip(data["size"].values, (BLUE, VERMILION), strict=True):
            gap = data.gap.sel(size=size)
            label = rf"$\mathcal{{G}}({size})$, step {STEP[str(size)]}"
            ax.semilogy(gap.step, gap.mean("model"), color=colour, label=label)
            ax.fill_between(
                gap.step, *gap.quantile([0.05, 0.95], "model").clip(min=1e-6), color=colour, alpha=0.15, lw=0
            )
        ax.set_xlabel("outer step")
        ax.set_ylabel(r"$J(\pi_t, p_t) - \Phi^*$, in units of cost")
        ax.legend()
    return fig
