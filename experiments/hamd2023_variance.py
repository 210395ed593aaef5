"""Which estimator of the gradient until exit is worth its critic?

A walk on 0, ..., 4 with two actions, up with probability 1/4 or 3/4, paid 1/2 at the lower and 1 at the upper exit, at
most five decisions.  Along exact gradient ascent: the variance of one sampled path's estimate, summed over the logits,
for the four forms that have the gradient as their mean.  Computed by all paths, nothing is sampled.
`mdplab run hamd2023_variance`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import baseline_weights, critic_weights, difference_weights, payoff_weights, score_moments
from mdplab.instances import walk
from mdplab.report.figures import BLUE, GREEN, STYLE, VERMILION
from mdplab.solvers import exit_time_pg, geometric

FORMS = {
    r"payoff $g(X_\tau)$": (payoff_weights, VERMILION, "-"),
    r"critic $V(i+1, X_{i+1})$": (critic_weights, VERMILION, "--"),
    r"baseline $g(X_\tau) - V(i, X_i)$": (baseline_weights, BLUE, "-"),
    r"differences $V(i+1, X_{i+1}) - V(i, X_i)$": (difference_weights, BLUE, "--"),
}
SWEEP = {"form": list(FORMS)}
UPDATES, HORIZON = 1000, 5


def measure(form: str, updates: int = UPDATES) -> xr.Dataset:
    """Variance of one path's estimate and the value, at checkpoints of the ascent with step 1."""
    mdp, k, variance, value = walk(4, horizon=HORIZON).floats(), [], [], []
    for it in exit_time_pg(mdp, step_size=1.0, at=geometric(updates, per_decade=6)):
        mean, square = score_moments(mdp, it.π, FORMS[form][0])
        k.append(it.k)
        variance.append(float(square - (mean * mean).sum()))
        value.append(float(it.value))
    return xr.Dataset({"variance": ("k", variance), "value": ("k", value)}, coords={"k": k})


def figure(data: xr.Dataset) -> plt.Figure:
    """Variance of the four forms along the ascent, and the value."""
    with plt.rc_context(STYLE):
        fig, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6), width_ratios=(2, 1), layout="constrained")
        for form, (_, colour, line) in FORMS.items():
            panel = data.sel(form=form)
            left.loglog(panel.k + 1, panel.variance, line, color=colour, label=form)
        left.set(xlabel="updates + 1", ylabel="variance of one path's estimate")
        left.legend()
        right.semilogx(data.k + 1, np.asarray(data.value.isel(form=0)), color=GREEN)
        right.set(xlabel="updates + 1", ylabel="expected payoff")
    return fig
