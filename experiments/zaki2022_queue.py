"""Does mixing two bad controllers of a queue make a good one, and does policy gradient find the best mixture?

Two queues, one server; one controller always serves the first queue, the other always the second (after the paper's
queueing example, with buffers of five jobs and a discounted reward).  Lines: the value of a mixture by its weight, with
the best that any policy can do.  Dots: softmax policy gradient on the weights from θ = (2, 0); a long step never
settles.
`mdplab run zaki2022_queue`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.arrays import floats
from mdplab.exact import mixture, optimum, values
from mdplab.instances import one_action_each, two_queues
from mdplab.report.figures import BLUE, GREEN, GREY, STYLE, VERMILION
from mdplab.solvers import geometric, improper_pg

SWEEP = {"rates": ["2/5 2/5", "3/10 2/5", "1/5 3/5"]}
STEPS = {"0.05": (0.05, BLUE), "1": (1.0, VERMILION)}
UPDATES = 2000


def measure(rates: str, updates: int = UPDATES) -> xr.Dataset:
    """Values from empty queues: of all mixtures, of the best policy, and along the ascent for both step sizes."""
    mdp = two_queues(*rates.split()).floats()
    controllers = floats(one_action_each(mdp))
    w = np.linspace(0, 1, 101)
    mixtures = np.stack([mixture(controllers, np.array([x, 1 - x])) for x in w])
    data = {
        "value": ("w", values(mdp, mixtures)[:, 0]),
        "best": ((), optimum(mdp).v[0]),
    }
    k = np.array(list(geometric(updates)))
    weight, reached = (np.empty((len(STEPS), len(k))) for _ in range(2))
    for i, (step, _) in enumerate(STEPS.values()):
        run = improper_pg(mdp, controllers, np.array([2.0, 0.0]), step_size=step, at=geometric(updates))
        for n, it in zip(range(len(k)), run, strict=False):
            weight[i, n], reached[i, n] = it.w[0], values(mdp, it.π)[0]
    data |= {"weight": (("step", "k"), weight), "reached": (("step", "k"), reached)}
    return xr.Dataset(data, coords={"w": w, "k": k, "step": list(STEPS)})


def figure(data: xr.Dataset) -> plt.Figure:
    """Above the value by the weight; below the weight by the number of updates; a column for each pair of rates."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(2, data.sizes["rates"], figsize=(8.4, 5.2), sharey="row", layout="constrained")
        for (top, bottom), rates in zip(axes.reshape(2, -1).T, data.rates.values, strict=True):
            panel = data.sel(rates=rates)
            top.plot(panel.w, panel.value, color=GREY, label="mixtures")
            top.axhline(float(panel.best), color=GREEN, ls="--", label="best policy")
            for step, (_, colour) in STEPS.items():
                run = panel.sel(step=step)
                top.plot(run.weight, run.reached, "o", ms=3, color=colour, alpha=0.6)
                bottom.semilogx(run.k + 1, run.weight, color=colour, label=rf"$\eta = {step}$")
            first, second = (as_number(x) for x in rates.split())
            top.set_title(rf"$\lambda = ({first:g}, {second:g})$", fontsize=10, loc="left")
            top.set(xlabel="weight of “always serve queue 1”")
            bottom.set(xlabel="updates + 1", ylim=(0, 1))
            bottom.axhline(float(panel.w[int(panel.value.argmax("w"))]), color=GREY, lw=0.8)
        axes[0, 0].set_ylabel("value from empty queues")
        axes[1, 0].set_ylabel("weight of queue 1")
        handles = [h for ax in (axes[0, 0], axes[1, 0]) for h in ax.get_legend_handles_labels()[0]]
        fig.legend(handles, [h.get_label() for h in handles], loc="outside upper center", ncols=4)
    return fig


def as_number(text: str) -> float:
    """A fraction such as 2/5, or an integer."""
    top, _, bottom = text.partition("/")
    return float(top) / float(bottom or 1)
