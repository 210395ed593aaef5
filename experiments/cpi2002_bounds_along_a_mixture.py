"""How much of a policy's true improvement do the guaranteed bounds see, on the way to the greedy policy?

True value, surrogate and the lower bounds of Kakade and Langford, Achiam et al. and Schulman et al. along the mixtures
π_α = (1 − α) π + α π^g.  None of the papers draws it.  `mdplab run cpi2002_bounds_along_a_mixture`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import improvement, surrogate_gain
from mdplab.instances import families
from mdplab.report.figures import BLUE, GREEN, PURPLE, STYLE, VERMILION
from mdplab.solvers import greedy
from theorems import cpi2002, cpo2017, trpo2015

SWEEP = {"family": ["garnet", "chain"], "discount": [0.5, 0.9]}
SIZES = {"garnet": {"S": 6, "A": 3}, "chain": {"S": 6}}
MODELS = 40
SHARES = np.geomspace(1e-4, 1, 81)
CURVES = {
    "truth": ("true gain", "black", "-"),
    "surrogate": ("surrogate", BLUE, "-"),
    "mixture": ("Kakade and Langford (2002)", GREEN, "--"),
    "largest": ("Schulman et al. (2015)", VERMILION, "--"),
    "mean": ("Achiam et al. (2017)", PURPLE, ":"),
}


def measure(family: str, discount: float) -> xr.Dataset:
    """Gains and their lower bounds on a batch of models, from the uniform policy; each in units of its largest gain."""
    mdp = families.by_name[family](np.random.default_rng(2002), MODELS, discount=discount, **SIZES[family])
    π = np.full_like(mdp.r, 1 / mdp.A)
    target = greedy(mdp, π)
    curves: dict[str, list[np.ndarray]] = {name: [] for name in CURVES}
    for α in SHARES:
        new, promised = (1 - α) * π + α * target, surrogate_gain(mdp, π, (1 - α) * π + α * target)
        curves["truth"].append(improvement(mdp, π, new))
        curves["surrogate"].append(promised)
        penalties = {
            "mixture": cpi2002.thm.trace(mdp, π, target, np.full(MODELS, α)),
            "mean": cpo2017.thm1.trace(mdp, π, new),
            "largest": trpo2015.thm1.trace(mdp, π, new),
        }
        for name, trace in penalties.items():
            (_, _, penalty), *_ = trace
            curves[name].append(promised - penalty)
    scale = np.max(curves["truth"], axis=0)
    data = {name: (("share", "model"), np.stack(curve) / scale) for name, curve in curves.items()}
    return xr.Dataset(data, coords={"share": SHARES})


def figure(data: xr.Dataset) -> plt.Figure:
    """A row for each discount factor, a column for each family: medians, and half of the models as a band."""
    shape = (data.sizes["discount"], data.sizes["family"])
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(*shape, figsize=(7.6, 5.6), sharex=True, sharey=True, layout="constrained")
        for (i, j), ax in np.ndenumerate(axes):
            panel = data.isel(discount=i, family=j)
            for name, (label, colour, dashes) in CURVES.items():
                ax.plot(data.share, panel[name].median("model"), dashes, color=colour, label=label)
                low, high = panel[name].quantile([0.25, 0.75], "model")
                ax.fill_between(data.share, low, high, color=colour, alpha=0.12, lw=0)
            ax.set_xscale("log")
            ax.set_yscale("symlog", linthresh=1e-4, linscale=0.5)
            ax.set_ylim(-1e-3, 2)
            ax.axhline(0, color="black", lw=0.5)
            ax.set_title(rf"{data.family.values[j]}, $\gamma = {data.discount.values[i]}$", fontsize=10, loc="left")
        for ax in axes[-1]:
            ax.set_xlabel(r"share $\alpha$ of the greedy policy")
        fig.supylabel(r"$\eta(\pi_\alpha) - \eta(\pi)$, in units of its largest value", fontsize=10)
        fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return fig
