"""Do offline data open a lock that sampled policy gradients never open, and do useless data leave one shut?

A lock pays 1 for the right action in every step, and bait pays 1/20 at once (`baited_lock`).  On the left ten steps and
ten actions, data of the policy that opens it with one action in ten at random; on the right three steps and four
actions, data of a policy that takes the bait.  Natural policy gradient, η = 4, 32 trajectories an update, 200 offline
ones, the critic fitted to data and returns (hybrid), to returns, or to data alone; exact action values for comparison.
The paper's figure is of a lock of 50 steps with continuous actions.  `mdplab run hac2023_lock`
"""

from itertools import islice

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.arrays import softmax
from mdplab.exact import finite_horizon as exact
from mdplab.instances import baited_lock
from mdplab.report.figures import BLUE, GREEN, GREY, SHADES, STYLE, VERMILION
from mdplab.sampling import Draws, rollouts
from mdplab.solvers import Experience, sampled_hybrid_npg
from theorems.hac2023 import near_optimal

SWEEP = {"data": ["good", "bad"], "critic": ["hybrid", "returns", "data", "exact"]}
SEEDS = range(1)
UPDATES = 40
RUNS = 8
TRAJECTORIES = 200
STEP = 4.0
COLOURS = {"hybrid": BLUE, "returns": VERMILION, "data": GREEN, "exact": GREY}
LOCKS = {
    "good": (baited_lock, "ten steps, data of a policy that opens"),
    "bad": (lambda: baited_lock(3, 4), "three steps, data of a policy that does not"),
}
STYLES = {
    "hybrid": {"lw": 4, "alpha": 0.6},
    "returns": {},
    "data": {"ls": ":", "lw": 2},
    "exact": {"ls": "--", "lw": 1},
}
LABELS = {
    "hybrid": "data and returns",
    "returns": "returns alone",
    "data": "data alone",
    "exact": "exact action values",
}


def measure(data: str, critic: str, seed: int, updates: int = UPDATES) -> xr.Dataset:
    """Values of the policies of each run, by dynamic programming."""
    mdp, draws = LOCKS[data][0]().floats(), Draws(seed, np.arange(RUNS))
    if critic == "exact":
        values = list(islice(exactly(mdp), updates + 1))
    else:
        offline = None if critic == "returns" else collected(mdp, data, seed)
        run = sampled_hybrid_npg(mdp, draws, offline, weight=float(critic != "data"), step_size=STEP)
        values = [exact.values(mdp, it.π)[..., 0] for it in islice(run, updates + 1)]
    return xr.Dataset({"value": (("k", "run"), values)}, coords={"k": np.arange(updates + 1)})


def exactly(mdp):
    """Values at the start along natural policy gradient that knows all action values, repeated for each run."""
    θ = 0 * mdp.rewards
    while True:
        π = softmax(θ)
        yield np.full(RUNS, exact.values(mdp, π)[0])
        θ = θ + STEP * exact.action_values(mdp, π)


def collected(mdp, data: str, seed: int) -> Experience:
    """Counts of the offline data of each run; their draws are of another seed."""
    behaviour = near_optimal(mdp, 1 / mdp.H) if data == "good" else np.roll(near_optimal(mdp, 0.0), 1, axis=-1)
    draws = Draws(1000 + seed, np.arange(RUNS))
    offline = Experience(mdp, draws)
    for i in range(TRAJECTORIES):
        offline.count(rollouts(mdp, behaviour, mdp.H, draws.at(i)))
    return offline


def figure(data: xr.Dataset) -> plt.Figure:
    """A panel for each kind of data; a line is the mean over runs, its band holds them all."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True, layout="constrained")
        for ax, kind in zip(axes, data.data.values, strict=True):
            for critic, colour in COLOURS.items():
                value = data.value.sel(data=kind, critic=critic).isel(seed=0)
                ax.fill_between(data.k, value.min("run"), value.max("run"), color=SHADES[colour], alpha=0.2, lw=0)
                ax.plot(data.k, value.mean("run"), color=colour, label=LABELS[critic], **STYLES[critic])
            ax.set_title(LOCKS[str(kind)][1], fontsize=10, loc="left")
            ax.set_xlabel("updates")
        axes[0].set_ylabel("value of the policy")
        axes[0].set_ylim(0, 1.03)
        fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=4)
    return fig
