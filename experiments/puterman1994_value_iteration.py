"""How loose are the bounds on the error of value iteration?

Measured from v_0 = 0 and compared with three bounds: from the first step, from the last step, and half the width of
MacQueen's enclosure, whose middle is the better estimate.  The book prints the bounds, not this figure.
`mdplab run puterman1994_value_iteration`
"""

from itertools import islice

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import optimum
from mdplab.instances import families
from mdplab.report.figures import BLUE, GREEN, PURPLE, STYLE, VERMILION
from mdplab.solvers import enclosures, value_iteration
from theorems.puterman1994 import aposteriori_error, apriori_error

SIZES = {"garnet": {"S": 20, "A": 4, "b": 3}, "riverswim": {"S": 20}}
SWEEP = {"family": list(SIZES), "discount": [0.9, 0.99]}
MODELS, STEPS = 30, 500
CURVES = {
    "error": ("error of $v_k$", BLUE, "-"),
    "apriori": ("bound by the first step", VERMILION, "--"),
    "aposteriori": ("bound by the last step", PURPLE, "--"),
    "width": ("half the enclosure", GREEN, "--"),
    "middle": ("error of the enclosure's middle", "black", ":"),
}


def measure(family: str, discount: float, rng: np.random.Generator) -> xr.Dataset:
    """Errors and bounds of v_k for k = 1, ..., STEPS on a batch of models, in units of reward."""
    mdp = families.by_name[family](rng, MODELS, discount=discount, **SIZES[family])
    best, start = optimum(mdp), 0 * mdp.r[..., 0]
    first = [(error, bound) for _, error, bound in islice(apriori_error.trace(mdp, start, up_to=STEPS), 1, None)]
    last = [bound for _, _, bound in aposteriori_error.trace(mdp, start, up_to=STEPS - 1)]
    bounds = [(low, high) for low, high in islice(enclosures(mdp, value_iteration(mdp, start)), STEPS)]
    curves = {
        "error": [error for error, _ in first],
        "apriori": [bound for _, bound in first],
        "aposteriori": last,
        "width": [(high - low).max(axis=-1) / 2 for low, high in bounds],
        "middle": [abs((low + high) / 2 - best.v).max(axis=-1) for low, high in bounds],
    }
    # Below the certificate of v* an error says nothing.
    floor = (best.high - best.low).max(axis=-1)
    data = {name: (("k", "model"), np.maximum(np.stack(curve), floor)) for name, curve in curves.items()}
    return xr.Dataset(data, coords={"k": np.arange(1, STEPS + 1)})


def figure(data: xr.Dataset) -> plt.Figure:
    """A row for each discount factor, a column for each family: medians over the models, and all errors as a band."""
    shape = (data.sizes["discount"], data.sizes["family"])
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(*shape, figsize=(7.6, 5.6), sharex="row", sharey="row", layout="constrained")
        for (i, j), ax in np.ndenumerate(axes):
            panel = data.isel(discount=i, family=j)
            for name, (label, colour, dashes) in CURVES.items():
                ax.semilogy(data.k, panel[name].median("model"), dashes, color=colour, label=label)
            ax.fill_between(data.k, panel.error.min("model"), panel.error.max("model"), color=BLUE, alpha=0.15, lw=0)
            ax.set_title(rf"{data.family.values[j]}, $\gamma = {data.discount.values[i]}$", fontsize=10, loc="left")
            ax.set_xlim(0, STEPS * (0.4 if data.discount.values[i] < 0.95 else 1))
            ax.set_ylim(1e-9, None)
        for ax in axes[-1]:
            ax.set_xlabel("backups $k$")
        fig.supylabel(r"$\| \cdot - v^\star \|_\infty$, in units of reward", fontsize=10)
        fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return fig
