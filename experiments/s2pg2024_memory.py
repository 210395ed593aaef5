"""What does one bit of memory buy, and does policy gradient find it?

Which of two goals pays is shown before the first action and must be remembered for the second.  Exact gradient for
policies that draw action and next memory state together, from small random logits.  The paper's experiments are
continuous control; this is its mechanism on five states.  `mdplab run s2pg2024_memory`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.arrays import total
from mdplab.exact import stateful_values
from mdplab.instances import memory_needed
from mdplab.report.figures import BLUE, GREEN, GREY, STYLE, VERMILION
from mdplab.solvers import geometric, stateful_pg

SWEEP = {"memory": [1, 2, 3]}
RUNS, STEPS, STEP_SIZE = 25, 1000, 1.0
COLOURS = {1: VERMILION, 2: BLUE, 3: GREEN}


def measure(memory: int, rng: np.random.Generator) -> xr.Dataset:
    """Values along many runs at once: one batch."""
    model = memory_needed().floats().map(lambda x: np.broadcast_to(x, (RUNS, *np.shape(x))))
    θ = 0.1 * rng.normal(size=(RUNS, model.O, memory, model.A, memory))
    steps = list(geometric(STEPS))
    run = stateful_pg(model, θ, step_size=STEP_SIZE, at=steps)
    values = [total(model.start * stateful_values(model, it.π)[..., 0]) for it in run]
    return xr.Dataset({"value": (("k", "run"), np.stack(values))}, coords={"k": steps})


def figure(data: xr.Dataset) -> plt.Figure:
    """All runs, thin, with their median."""
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
        for level, words in ((0.45, "best without memory"), (0.9, "best of all policies")):
            ax.axhline(level, color=GREY, lw=0.8, ls="--")
            ax.annotate(words, (1.05, level), (0, 3), textcoords="offset points", color=GREY, fontsize=8)
        for memory in data.memory.values:
            panel, colour = data.value.sel(memory=memory), COLOURS[int(memory)]
            ax.plot(data.k + 1, panel, color=colour, lw=0.4, alpha=0.25)
            label = f"{memory} memory state{'s' if memory > 1 else ''}"
            ax.plot(data.k + 1, panel.median("run"), color=colour, label=label)
        ax.set_xscale("log")
        ax.set_ylim(0.4, 0.95)
        ax.set_xlabel("updates $k + 1$")
        ax.set_ylabel(r"$J(\theta_k)$, in units of reward")
        ax.legend(loc="center left")
    return fig
