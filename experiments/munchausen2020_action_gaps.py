"""How much wider does the Munchausen bonus make the gaps between actions, and how fast?

The gap between the two best actions of q_k, in the state where that of the optimum is largest, as a multiple of it,
for Munchausen value iteration at τ = 0.01 on Garnet models.  Dashes are 1 / (1 − α), the factor in the limit.
`mdplab run munchausen2020_action_gaps`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import soft_optimum
from mdplab.instances import families
from mdplab.report.figures import BLUE, GREEN, PURPLE, SHADES, STYLE, VERMILION
from mdplab.solvers import geometric, munchausen_vi

SWEEP = {"strength": [0.0, 0.5, 0.8, 0.9]}
SEEDS = range(10)
STEPS = 300
TEMPERATURE = 0.01
COLOURS = (GREEN, BLUE, PURPLE, VERMILION)


def measure(strength: float, seed: int, steps: int = STEPS) -> xr.Dataset:
    """(q_k(s, a) − q_k(s, b)) / (q*(s, a) − q*(s, b)), a and b the two best actions by the soft optimum q*."""
    rng = np.random.default_rng(seed)
    mdp = families.garnet(rng, 1, S=8, A=4, b=3, discount=0.9)[0]
    best = soft_optimum(mdp, (1 - strength) * TEMPERATURE).q
    order = np.argsort(best, axis=-1)
    gaps = np.take_along_axis(best, order[:, -1:], -1) - np.take_along_axis(best, order[:, -2:-1], -1)
    s = int(gaps.argmax())
    a, b = order[s, -1], order[s, -2]
    runs = munchausen_vi(mdp, strength=strength, temperature=TEMPERATURE, at=geometric(steps))
    found = {it.k: float((it.q[s, a] - it.q[s, b]) / gaps[s, 0]) for it in runs if it.k}
    return xr.Dataset({"ratio": ("k", list(found.values()))}, coords={"k": list(found)})


def figure(data: xr.Dataset) -> plt.Figure:
    """One colour for each α; a line is the median over models, its band holds them all."""
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(7.6, 3.6), layout="constrained")
        for strength, colour in zip(data.strength.values, COLOURS, strict=False):
            ratio = data.ratio.sel(strength=strength)
            ax.fill_between(data.k, ratio.min("seed"), ratio.max("seed"), color=SHADES[colour], alpha=0.4, lw=0)
            ax.semilogx(data.k, ratio.median("seed"), color=colour, label=rf"$\alpha = {strength:g}$")
            ax.axhline(1 / (1 - strength), ls="--", color=colour, lw=0.9)
        ax.set(ylim=(-1, 14), xlabel="updates $k$", ylabel="gap of $q_k$ over gap of $q^*$")
        ax.legend(title=r"dashed: $1 / (1 - \alpha)$", loc="upper left", bbox_to_anchor=(1, 1))
    return fig
