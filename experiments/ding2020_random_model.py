"""Does natural policy gradient primal-dual meet a constraint on average, or with its last iterate too?

The paper's random model: twenty states, ten actions, γ = 8/10, V_u >= 3 binds (`random_model` of its theorem file).
Its script makes steps of 1 for logits and multiplier from sampled advantages and plots running averages over 300
updates; here everything is exact.  Rows: the script's steps, and those of Theorem 1 for a thousand updates.  Left the
reward, right the utility, each minus its value at the optimum: the k-th policy and the average of the first k.
`mdplab run ding2020_random_model`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import constrained_optimum, slater
from mdplab.report.figures import BLUE, GREY, STYLE, VERMILION
from mdplab.solvers import npg_primal_dual
from theorems.ding2020 import random_model

UPDATES = 1000
SWEEP = {"steps": ["the script's", "Theorem 1"]}


def measure(steps: str, updates: int = UPDATES) -> xr.Dataset:
    """Reward and utility of every iterate and of the averages so far, minus optimal reward and bound."""
    mdp = random_model()
    best, k = constrained_optimum(mdp), np.arange(1, updates + 1)
    if steps == "Theorem 1":
        given = {
            "step_size": 2 * np.log(mdp.A),
            "multiplier_step_size": 2 * (1 - mdp.discount) / np.sqrt(updates),
            "most": 2 / ((1 - mdp.discount) * float(slater(mdp))),
        }
    else:
        given = {"step_size": 1 - mdp.discount, "multiplier_step_size": 1.0, "most": 100.0}
    run = list(zip(k, npg_primal_dual(mdp, **given), strict=False))
    found = {
        "reward": np.array([float(it.value - best.value) for _, it in run]),
        "utility": np.array([float(it.slack[0]) for _, it in run]),
        "multiplier": np.array([float(it.multipliers[0]) for _, it in run]),
    }
    averages = {f"average_{name}": np.cumsum(found[name]) / k for name in ("reward", "utility")}
    return xr.Dataset({name: ("k", x) for name, x in (found | averages).items()}, coords={"k": k})


def figure(data: xr.Dataset) -> plt.Figure:
    """A row for each choice of steps; single iterates in grey, averages in colour."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(2, 2, figsize=(8.4, 4.8), sharex=True, layout="constrained")
        for row, steps in zip(axes, SWEEP["steps"], strict=True):
            panel = data.sel(steps=steps)
            for ax, name, colour in zip(row, ("reward", "utility"), (BLUE, VERMILION), strict=True):
                ax.plot(panel.k, panel[name], color=GREY, lw=0.8, label="the k-th policy")
                ax.plot(panel.k, panel[f"average_{name}"], color=colour, label="average so far")
                ax.axhline(0, color="black", lw=0.6)
                ax.set_xscale("log")
            row[0].set_ylabel(f"steps: {steps}")
        axes[0, 0].set_title(r"reward: $V_r - V_r^*$", fontsize=10, loc="left")
        axes[0, 1].set_title(r"utility: $V_u - b$", fontsize=10, loc="left")
        for ax in axes[1]:
            ax.set_xlabel("updates $k$")
        for ax in axes[0]:
            ax.legend()
    return fig
