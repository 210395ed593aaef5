"""Does one learner do well in both worlds, when losses are drawn anew and when an adversary turns them over?

Three layers of three states, two actions, mean losses on [0, 1/2] at random (`layered`).  Losses are 0 or 1 with these
means; the adversary exchanges the means m and 1/2 − m at every power of two.  Regret is against the best policy in
hindsight of the mean losses, by dynamic programming.  The paper has no figure that we know of.
`mdplab run bobw2023_two_worlds`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import finite_horizon as exact
from mdplab.instances import layered
from mdplab.models import FiniteHorizonMDP
from mdplab.report.figures import BLUE, GREEN, GREY, PURPLE, SHADES, STYLE, VERMILION
from mdplab.sampling import Draws
from mdplab.solvers import best_of_both_worlds_po, geometric

SWEEP = {"world": ["drawn anew", "turned over"], "learner": ["tsallis", "tsallis, bonus", "shannon", "log-barrier"]}
SEEDS = range(1)
EPISODES = 8000
RUNS = 16
COLOURS = {"tsallis": BLUE, "tsallis, bonus": GREEN, "shannon": VERMILION, "log-barrier": PURPLE}


def measure(world: str, learner: str, seed: int, episodes: int = EPISODES) -> xr.Dataset:
    """Regret of each run after T episodes, for T at checkpoints."""
    mdp = layered(np.random.default_rng(81), 1)[0]
    means = 1 - mdp.rewards

    def losses(k: int) -> np.ndarray:
        turned = world == "turned over" and int(np.log2(k + 1)) % 2 == 1
        return 0.5 - means if turned else means

    regulariser, _, bonus = learner.partition(", ")
    draws = Draws(seed, np.arange(RUNS))
    run = best_of_both_worlds_po(mdp, draws, losses=losses, regulariser=regulariser, bonus=0.05 if bonus else 0.0)
    at, found = set(list(geometric(episodes))[1:]), {}
    lost, summed = np.zeros(RUNS), np.zeros_like(means)
    for it in run:
        μ = exact.visits(mdp, it.π)
        lost += (μ * (it.π * it.losses).sum(axis=-1)).sum(axis=-1)
        summed = summed + it.losses
        if it.k + 1 in at:
            found[it.k + 1] = lost - least(mdp, summed)
        if it.k + 1 == episodes:
            break
    return xr.Dataset({"regret": (("T", "run"), list(found.values()))}, coords={"T": list(found)})


def least(mdp: FiniteHorizonMDP, losses: np.ndarray) -> float:
    """What the best policy loses, for losses (S, A) of all episodes together."""
    best = exact.optimum(FiniteHorizonMDP(mdp.P, mdp.split(-losses, 2), mdp.start))
    return -float(mdp.start @ best.v)


def figure(data: xr.Dataset) -> plt.Figure:
    """A panel for each world; a line is the mean over runs, its band two standard errors."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.4), layout="constrained")
        for ax, world in zip(axes, data.world.values, strict=True):
            for learner in data.learner.values:
                regret = data.regret.sel(world=world, learner=learner).isel(seed=0)
                mean, error = regret.mean("run"), 2 * regret.std("run") / np.sqrt(regret.sizes["run"])
                colour = COLOURS[learner]
                ax.fill_between(data["T"], mean - error, mean + error, color=SHADES[colour], alpha=0.25, lw=0)
                ax.plot(data["T"], mean, color=colour, label=LABELS[learner])
            ax.plot(data["T"], np.sqrt(data["T"]), "--", color=GREY, label=r"$\sqrt{T}$")
            ax.set_title(f"losses {world}", fontsize=10, loc="left")
            ax.set_xlabel("episodes $T$")
        axes[0].set_ylabel("regret, in units of loss")
        fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=5)
    return fig


LABELS = {
    "tsallis": "Tsallis",
    "tsallis, bonus": "Tsallis, dilated bonus",
    "shannon": "Shannon",
    "log-barrier": "log-barrier",
}
