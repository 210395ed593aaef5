"""What does a policy learn from data whose actions were chosen by someone who saw more?

Policy gradient with the gradient that bridges identify, and with the naive one that takes histories for states, on the
instance on which the two point in opposite directions.  Solid lines are true values; the dotted one is what the naive
estimate makes of its own policies.  The paper's simulations are not at hand.  `mdplab run hong2024_sign_reversal`
"""

from itertools import product

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import history_value, memoryless, naive_gradient, naive_value
from mdplab.instances import sign_reversal
from mdplab.report.figures import BLUE, GREY, STYLE, VERMILION
from mdplab.solvers import confounded_pg

SWEEP = {"horizon": [1, 2]}
STEPS, STEP_SIZE = 200, 2.0


def measure(horizon: int) -> xr.Dataset:
    """True and naive values along both runs, from the policy without preference, acting on the last observation."""
    model = sign_reversal(horizon).floats()
    steps = range(STEPS + 1)
    data = {}
    for name, gradient in (("bridges", None), ("naive", naive_gradient)):
        run = confounded_pg(model, np.zeros((model.O, model.A)), step_size=STEP_SIZE, gradient=gradient, at=steps)
        policies = [it.π for it in run]
        data[name] = ("k", [history_value(model, π) for π in policies])
        data[f"{name}_believed"] = ("k", [naive_value(model, π) for π in policies])
    tables = [np.eye(model.A)[list(choice)] for choice in product(range(model.A), repeat=model.O)]
    data["best_memoryless"] = max(history_value(model, memoryless(model, table)) for table in tables)
    return xr.Dataset(data, coords={"k": list(steps)})


def figure(data: xr.Dataset) -> plt.Figure:
    """A panel for each horizon."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, data.sizes["horizon"], figsize=(7.2, 3.0), layout="constrained")
        for i, ax in enumerate(axes):
            panel = data.isel(horizon=i)
            ax.axhline(float(panel.best_memoryless), color=GREY, lw=0.8, ls="--", label="best without memory")
            ax.plot(panel.k, panel.bridges, color=BLUE, label="gradient from bridges")
            ax.plot(panel.k, panel.naive, color=VERMILION, label="naive gradient")
            ax.plot(panel.k, panel.naive_believed, color=VERMILION, ls=":", label="what it takes its value for")
            ax.set_title(f"$T = {int(panel.horizon)}$", fontsize=10, loc="left")
            ax.set_xlabel("updates $k$")
        axes[0].set_ylabel(r"$V(\theta_k)$, in units of reward")
        fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return fig
