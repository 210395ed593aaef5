"""Is the rate 1 − ητ of natural policy gradient with entropy the right one, and how far above is its bound?

The error of the soft action values on Garnet models for steps η that are a fraction of (1 − γ) / τ, with the bound
C₁ γ (1 − ητ)^t of Theorem 1.  The bound must hold from every start; near the optimum errors fall as
(1 − ητ/(1 − γ))^(2t), because the value is flat there.  The paper's Figure 1 shows a bandit, not models
of 10 states as here.
`mdplab run cen2022_linear_rate`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.instances import families
from mdplab.report.figures import BLUE, GREEN, PURPLE, SHADES, STYLE, VERMILION
from theorems.cen2022 import thm1

SWEEP = {"share": [1.0, 0.5, 0.2, 0.05]}
SEEDS = range(6)
STEPS = 400
DISCOUNT, TEMPERATURE = 0.9, 0.1
COLOURS = (BLUE, GREEN, VERMILION, PURPLE)


def measure(share: float, seed: int, steps: int = STEPS) -> xr.Dataset:
    """‖Q*_τ − Q^(t+1)‖_∞ and its bound for t = 0, ..., steps, from random logits of a standard deviation of 3."""
    rng = np.random.default_rng(seed)
    mdp = families.garnet(rng, 1, S=10, A=4, b=3, discount=DISCOUNT)
    θ = 3 * rng.normal(size=(1, 10, 4))
    trace = thm1.trace(mdp, np.array([TEMPERATURE]), np.array([share]), θ, up_to=steps)
    error, bound = np.array([(smaller[0], larger[0]) for _, smaller, larger in trace]).T
    return xr.Dataset({"error": ("t", error), "bound": ("t", bound)}, coords={"t": np.arange(len(error))})


def figure(data: xr.Dataset) -> plt.Figure:
    """One colour for each step; a line is the median over models, its band holds them all, dashes are the bound."""
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(7.6, 3.6), layout="constrained")
        for share, colour in zip(data.share.values, COLOURS, strict=False):
            panel = data.sel(share=share)
            ax.fill_between(
                panel.t, panel.error.min("seed"), panel.error.max("seed"), color=SHADES[colour], alpha=0.4, lw=0
            )
            label = r"(1 - \gamma) / \tau"
            label = rf"$\eta = {label}$" if share == 1 else rf"$\eta = {share:g}\,{label}$"
            ax.semilogy(panel.t, panel.error.median("seed"), color=colour, label=label)
            ax.semilogy(panel.t, panel.bound.median("seed"), "--", color=colour, lw=0.9)
        ax.set(
            ylim=(1e-13, 1e3),
            xlabel="updates $t$",
            ylabel=r"$\|Q^*_\tau - Q^{(t+1)}_\tau\|_\infty$, reward",
        )
        ax.legend(title="dashed: $C_1 \\gamma (1 - \\eta\\tau)^t$", loc="upper left", bbox_to_anchor=(1, 1))
    return fig
