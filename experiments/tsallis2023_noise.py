"""Does MVI(q) average errors as Munchausen value iteration does?

The loss of the policies of MVI(q) on Garnet models with α = 0.9 and τ = 0.03, every update wrong by uniform noise
between −0.3 and 0.3.  With q = 1 the bonus remembers all past errors; for q > 1 it is at least −ατ/(q − 1), too short a
memory at the same temperature.
`mdplab run tsallis2023_noise`
"""

from itertools import count

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import gap, optimum
from mdplab.instances import families
from mdplab.report.figures import BLUE, GREEN, PURPLE, STYLE, VERMILION
from mdplab.solvers import geometric, tsallis_munchausen_vi

SWEEP = {"index": [1.0, 1.5, 2.0, 4.0]}
SEEDS = range(20)
STEPS = 300
DISCOUNT, STRENGTH, TEMPERATURE, NOISE = 0.95, 0.9, 0.03, 0.3
COLOURS = (BLUE, GREEN, VERMILION, PURPLE)


def measure(index: float, seed: int, steps: int = STEPS) -> xr.Dataset:
    """(1 − γ) (v*(s) − v^{π_k}(s)) in the worst state."""
    rng = np.random.default_rng(seed)
    mdp = families.garnet(rng, 1, S=8, A=4, b=3, discount=DISCOUNT)[0]
    errors = (rng.uniform(-NOISE, NOISE, (mdp.S, mdp.A)) for _ in count())
    best = optimum(mdp)
    runs = tsallis_munchausen_vi(
        mdp, strength=STRENGTH, temperature=TEMPERATURE, q=index, errors=errors, at=geometric(steps)
    )
    found = {it.k: max(float(gap(mdp, it.π, best, state)) for state in np.eye(mdp.S)) for it in runs if it.k}
    return xr.Dataset(
        {"loss": ("k", [(1 - DISCOUNT) * x for x in found.values()])},
        coords={"k": list(found)},
    )


def figure(data: xr.Dataset) -> plt.Figure:
    """One colour for each q; a line is the mean over models."""
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(7.6, 3.6), layout="constrained")
        for index, colour in zip(data["index"].values, COLOURS, strict=False):
            ax.loglog(data.k, data.loss.sel(index=index).mean("seed"), color=colour, label=f"$q = {index:g}$")
        ax.set(ylim=(1e-3, 1), xlabel="updates $k$", ylabel=r"$(1 - \gamma) \|v^* - v^{\pi_k}\|_\infty$, reward a step")
        ax.legend(title=r"$\alpha = 0.9$, $\tau = 0.03$", loc="upper left", bbox_to_anchor=(1, 1))
    return fig
