"""How much does noise on the parameters lose until it has found the reward, and how much does it go on losing?

RiverSwim with five states and ten steps (`episodic_riverswim`), regret of each episode by dynamic programming.
LMC-LSVI with three sizes of its noise, and with one inner step in place of J; a posterior in closed form (RLSVI); a
bonus for rare pairs, with a new policy every episode or when some count has doubled; five actions in a hundred at
random.  The paper's own tabular figure is of other chains.  `mdplab run lmc2024_riverswim`
"""

from itertools import islice

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import finite_horizon as exact
from mdplab.instances import episodic_riverswim
from mdplab.report.figures import BLUE, GREEN, GREY, PURPLE, SHADES, STYLE, VERMILION
from mdplab.sampling import Draws
from mdplab.solvers import always, geometric, lmc_lsvi, low_switching_po, posterior

LEARNERS = {
    "langevin, 1/5": (lambda mdp, draws: lmc_lsvi(mdp, draws, noise=0.2, episodes=4000), BLUE, ":"),
    "langevin, 1": (lambda mdp, draws: lmc_lsvi(mdp, draws, noise=1.0, episodes=4000), BLUE, "-"),
    "langevin, 2": (lambda mdp, draws: lmc_lsvi(mdp, draws, noise=2.0, episodes=4000), BLUE, "--"),
    "langevin, 2, one step": (lambda mdp, draws: lmc_lsvi(mdp, draws, noise=2.0, steps=1), VERMILION, "--"),
    "posterior, 3/2": (lambda mdp, draws: lmc_lsvi(mdp, draws, noise=1.5, sampler=posterior), GREEN, "-"),
    "bonus": (lambda mdp, draws: low_switching_po(mdp, draws, due=always), PURPLE, "-"),
    "bonus, doubled counts": (lambda mdp, draws: low_switching_po(mdp, draws), PURPLE, "--"),
    "greedy, 5 % random": (
        lambda mdp, draws: lmc_lsvi(mdp, draws, noise=0.0, sampler=posterior, random=0.05),
        GREY,
        "-",
    ),
}
SWEEP = {"learner": list(LEARNERS)}
SEEDS = range(1)
EPISODES = 2000
RUNS = 8


def measure(learner: str, seed: int, episodes: int = EPISODES) -> xr.Dataset:
    """Regret of each run after K episodes, for K at checkpoints, and how often its policy was computed anew."""
    mdp = episodic_riverswim().floats()
    best, lost, found = exact.optimum(mdp), 0, {}
    at = set(geometric(episodes, per_decade=24)) | {500, 1000, 2000}
    run = LEARNERS[learner][0](mdp, Draws(seed, np.arange(RUNS)))
    for it in islice(run, episodes):
        lost = lost + exact.gap(mdp, it.π, best)
        if it.k + 1 in at:
            found[it.k + 1] = lost
    data = {"regret": (("K", "run"), list(found.values())), "updates": ("run", it.updates)}
    return xr.Dataset(data, coords={"K": list(found)})


def figure(data: xr.Dataset) -> plt.Figure:
    """A line is the mean over runs, its band two standard errors; all start along the line of no learning, V* K."""
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(6.4, 3.8), layout="constrained")
        for learner, (_, colour, style) in LEARNERS.items():
            regret = data.regret.sel(learner=learner).isel(seed=0)
            mean, error = regret.mean("run"), 2 * regret.std("run", ddof=1) / np.sqrt(regret.sizes["run"])
            ax.fill_between(data.K, mean - error, mean + error, color=SHADES[colour], alpha=0.2, lw=0)
            ax.plot(data.K, mean, style, color=colour, label=learner)
        ax.set(xlabel="episodes $K$", ylabel="regret, in units of reward", ylim=(0, None))
        fig.legend(*ax.get_legend_handles_labels(), loc="outside right upper")
    return fig
