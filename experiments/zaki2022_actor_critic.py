"""Does an actor-critic find the best mixture of "always serve queue 1" and "always serve queue 2"?

Two queues with buffers, arrival rates 2/5 each, from the weight 0.88 of the first controller, one trajectory of 60
steps an update.  It depends on where the critic begins: at 12 in every state, about what the mixtures are worth, all
runs come to the best mixture, 1/2.  At zero, states of the controller that is drawn more often are valued sooner, and
it takes all; natural steps, divided by a small weight, sometimes throw a run to the other controller.  The paper draws
no such figure.  `mdplab run zaki2022_actor_critic`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.arrays import floats
from mdplab.instances import one_action_each, two_queues
from mdplab.report.figures import BLUE, STYLE, VERMILION
from mdplab.sampling import Draws
from mdplab.solvers import improper_actor_critic

STEPS = {"plain": 0.02, "natural": 0.005}
SWEEP = {"actor": list(STEPS), "critic": [0.0, 12.0]}
RUNS, UPDATES, LENGTH = 100, 800, 60
COLOURS = dict(zip(SWEEP["critic"], (VERMILION, BLUE), strict=True))


def measure(actor: str, critic: float, copies: int = RUNS, updates: int = UPDATES) -> xr.Dataset:
    """Weight of the first controller in each run, every tenth update."""
    mdp = two_queues().floats()
    run = improper_actor_critic(
        mdp,
        floats(one_action_each(mdp)),
        np.array([2.0, 0.0]),
        draws=Draws(0, np.arange(copies)),
        horizon=LENGTH,
        step_size=STEPS[actor],
        critic_step_size=0.1,
        natural=actor == "natural",
        v=np.full(mdp.S, critic),
    )
    found = {}
    for it in run:
        if it.k % 10 == 0:
            found[it.k] = it.w[:, 0]
        if it.k == updates:
            break
    return xr.Dataset({"weight": (("k", "run"), np.stack(list(found.values())))}, coords={"k": list(found)})


def figure(data: xr.Dataset) -> plt.Figure:
    """A panel for each actor; medians, and forty runs as they are."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, data.sizes["actor"], figsize=(7.6, 3.4), sharey=True, layout="constrained")
        for ax, actor in zip(axes, data.actor.values, strict=True):
            for start, colour in COLOURS.items():
                w = data.weight.sel(actor=actor, critic=start)
                ax.plot(data.k, w.median("run"), color=colour, label=f"critic begins at {start:.0f}")
                ax.plot(data.k, w.transpose("k", "run")[:, :40], color=colour, alpha=0.15, lw=0.6)
            ax.axhline(0.5, color="black", ls=":", lw=1)
            ax.set_title(f"{actor} gradient, step {STEPS[str(actor)]}", fontsize=10, loc="left")
            ax.set(xlabel="updates", ylim=(0, 1.03))
        axes[0].set_ylabel("weight of the first controller")
        axes[0].annotate("best mixture", (data.k[-1], 0.5), (0, -24), textcoords="offset points", ha="right", va="top")
        axes[0].legend(loc="lower right")
    return fig
