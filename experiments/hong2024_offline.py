"""How many data does it take to see through confounding, and what becomes of ascent along the estimates?

Above, the error of the estimated gradient at the policy without preference, on the instance where the naive gradient
points the wrong way; below, the true value after 200 steps along each estimate.  Dotted are, above, the root mean
square that the central limit theorem says, with its exact constant, and below the value along the true gradient.  Lines
are medians over 24 data sets; bands hold the middle 80 % of two estimates; the thin line is the worst data set without
a ridge.  For T = 1 both estimates without a ridge are the same.  The paper's simulations are not at hand.
`mdplab run hong2024_offline`
"""

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import history_gradient, history_value, true_rewards
from mdplab.exact.confounded import uniform_policy
from mdplab.instances import sign_reversal
from mdplab.report.figures import BLUE, GREEN, GREY, STYLE, VERMILION
from mdplab.sampling import (
    Draws,
    Outcomes,
    bridge_rewards,
    naive_history_rewards,
    offline_data,
    plugin_rewards,
    seen_laws,
)
from mdplab.solvers import confounded_pg, offline_pg, one_step_back_rewards

SWEEP = {"horizon": [1, 2], "size": [1000, 3162, 10_000, 31_623, 100_000, 316_228]}
REPLICATES, STEPS, STEP_SIZE = 24, 200, 2.0
ESTIMATES = {
    "bridges, ridge 1": plugin_rewards,
    "bridges, no ridge": partial(plugin_rewards, ridge=0),
    "matrix products": one_step_back_rewards,
    "naive": naive_history_rewards,
}
LOOKS = {
    "bridges, ridge 1": {"color": BLUE},
    "bridges, no ridge": {"color": BLUE, "ls": "--"},
    "matrix products": {"color": GREEN},
    "naive": {"color": VERMILION},
}
BANDS = ("bridges, ridge 1", "matrix products")


def slope(model, g):
    """The gradient by the logits of a memoryless policy without preference."""
    return history_gradient(model, uniform_policy(model), g).sum(axis=-3)


def measure(horizon: int, size: int) -> xr.Dataset:
    """Errors and final values for each estimate and data set."""
    model = sign_reversal(horizon).floats()
    data = offline_data(model, Draws(0, np.arange(REPLICATES)).samples(size))
    true, error, value = slope(model, true_rewards(model)), [], []
    start = np.zeros((REPLICATES, model.O, model.A))
    for estimate in ESTIMATES.values():
        g = estimate(model, data)
        error.append(np.sqrt(((slope(model, g) - true) ** 2).sum(axis=(-1, -2))))
        run = offline_pg(model, data, start, step_size=STEP_SIZE, rewards=lambda *_, g=g: g, at=[STEPS])
        value.append(history_value(model, next(run).π))
    (best,) = confounded_pg(model, start[0], step_size=STEP_SIZE, at=[STEPS])
    return xr.Dataset(
        {
            "error": (("estimate", "replicate"), error),
            "value": (("estimate", "replicate"), value),
            "length": np.sqrt((true**2).sum()),
            "with_true_gradient": history_value(model, best.π),
            "limit": limit(horizon),
        },
        coords={"estimate": list(ESTIMATES)},
    )


def limit(horizon: int, ε: float = 1e-6) -> float:
    """√n times the error's root mean square as n → ∞: that of the estimate's derivative by the law of the data.

    By central differences in the direction of every trajectory, all of them listed.
    """
    model, outcomes = sign_reversal(horizon).floats(), Outcomes()
    data = offline_data(model, outcomes)
    p = outcomes.probability
    towards = np.eye(len(p)) - p
    up, down = (slope(model, bridge_rewards(seen_laws(model, data, p + s * towards), 1, 0)) for s in (ε, -ε))
    influence = (up - down) / (2 * ε)
    return float(np.sqrt(p @ (influence**2).sum(axis=(-1, -2))))


def figure(data: xr.Dataset) -> plt.Figure:
    """A column for each horizon."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(2, data.sizes["horizon"], figsize=(7.2, 5.2), layout="constrained", sharex=True)
        for i, (above, below) in enumerate(axes.T):
            panel = data.isel(horizon=i)
            for ax, what in ((above, panel.error), (below, panel.value)):
                for name in map(str, panel.estimate.values):
                    found = what.sel(estimate=name)
                    ax.plot(panel["size"], found.median("replicate"), label=name, **LOOKS[name])
                    if name in BANDS:
                        ends = found.quantile([0.1, 0.9], "replicate")
                        ax.fill_between(panel["size"], *ends, color=LOOKS[name]["color"], alpha=0.15, lw=0)
            worst = panel.error.sel(estimate="bridges, no ridge").max("replicate")
            above.plot(panel["size"], worst, color=BLUE, lw=0.8, ls=":", label="no ridge, worst data set")
            above.plot(panel["size"], panel.limit / np.sqrt(panel["size"]), "k:", label="central limit theorem")
            above.axhline(float(panel.length[0]), color=GREY, lw=0.8, ls="--", label="length of the true gradient")
            below.axhline(
                float(panel.with_true_gradient[0]), color="k", lw=0.8, ls=":", label="along the true gradient"
            )
            above.set(xscale="log", yscale="log")
            above.set_title(f"$T = {int(panel.horizon)}$", fontsize=10, loc="left")
            below.set_xlabel("trajectories $n$")
        axes[0, 0].set_ylabel(r"$\|\hat\nabla V - \nabla V\|_2$")
        axes[1, 0].set_ylabel(rf"true $V(\theta_{{{STEPS}}})$, in units of reward")
        handles = dict(zip(*reversed(axes[0, 0].get_legend_handles_labels()), strict=True))
        fig.legend(handles.values(), handles.keys(), loc="outside upper left", ncols=3)
    return fig
