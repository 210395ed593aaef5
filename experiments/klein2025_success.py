"""How soon does DynPG find the road that pays, from single trajectories, and does vanilla policy gradient?

The paper's experiment: success probability, over many runs, that the policy in training has been within 1/100 of the
optimum, averaged over the start states, by the number of interactions.  Rewards are normal; step sizes and numbers of
updates are the paper's.  Where it has 300, 5 and 5 actions that differ in nothing there are three here: only the choice
at the crossroads counts, and its law is the same.  `mdplab run klein2025_success`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab import exact
from mdplab.instances import two_roads, two_roads_noise
from mdplab.report.figures import BLUE, STYLE, VERMILION
from mdplab.sampling import Draws
from mdplab.solvers import reinforce_to_go, sampled_dynpg

SWEEP = {"discount": [0.9, 0.99], "scheme": ["DynPG", "vanilla"]}
RUNS, LONGEST, CLOSE = 2000, 1200, 0.01
COLOURS = {"DynPG": BLUE, "vanilla": VERMILION}


def runs(scheme: str, discount: float, draws: Draws):
    """The model, and iterates of many runs of one method, with `interactions`."""
    mdp, σ = two_roads(discount=discount).floats(), two_roads_noise().astype(float)
    if scheme == "DynPG":
        return mdp, sampled_dynpg(mdp, draws=draws, noise=σ)
    step = 2 * (1 - discount) / (1 - discount**6)
    return mdp, reinforce_to_go(mdp, draws=draws, step_size=step, horizon=3, noise=σ)  # after three steps all is over


def measure(discount: float, scheme: str, copies: int = RUNS, seed: int = 0) -> xr.Dataset:
    """Share of runs that have been close to the optimum within so many interactions."""
    mdp, iterates = runs(scheme, discount, Draws(seed, np.arange(copies)))
    best, hit = exact.optimum(mdp), np.full(copies, np.inf)
    for it in iterates:
        there = np.isinf(hit) & (exact.gap(mdp, it.π, best) <= CLOSE)
        hit[there] = it.interactions[there]
        if it.interactions.min() > LONGEST:
            break
    seen = np.arange(0, LONGEST + 1, 10)
    share = (hit <= seen[:, None]).mean(axis=1)
    return xr.Dataset({"success": ("interactions", share)}, coords={"interactions": seen})


def figure(data: xr.Dataset) -> plt.Figure:
    """A panel for each discount factor; each band holds its whole curve of probabilities with confidence 99 %."""
    margin = np.sqrt(np.log(2 / 0.01) / (2 * RUNS))  # Dvoretzky, Kiefer and Wolfowitz
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, data.sizes["discount"], figsize=(7.6, 3.4), sharey=True, layout="constrained")
        for ax, γ in zip(axes, data.discount.values, strict=True):
            for scheme, colour in COLOURS.items():
                p = np.asarray(data.success.sel(discount=γ, scheme=scheme))
                ax.plot(data.interactions, p, color=colour, label=scheme)
                ax.fill_between(
                    data.interactions, (p - margin).clip(0), (p + margin).clip(0, 1), color=colour, alpha=0.15, lw=0
                )
            ax.set_title(rf"$\gamma = {γ}$", fontsize=10, loc="left")
            ax.set(xlabel="interactions", ylim=(0, 1))
        axes[0].set_ylabel("share of runs within 1/100 of the optimum")
        axes[0].legend(loc="lower right")
    return fig
