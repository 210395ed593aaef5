"""How much faster is Polyak's step size than a constant one, and what does it risk?

Softmax policy gradient with exact gradients on random bandits with three to five arms, from the uniform policy and from
random logits: constant steps, Polyak's without a cap for two c, and one with a cap.  From the uniform policy Polyak
steps are linear where constant ones are not; from random logits some runs jump to a second best arm and stay there.
`mdplab run li2024_step_sizes`
"""

from itertools import islice

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import gap, optimum
from mdplab.models import bandit
from mdplab.report.figures import BLUE, GREEN, GREY, PURPLE, STYLE, VERMILION
from mdplab.solvers import geometric, polyak_pg, softmax_pg

SWEEP = {"start": ["uniform", "random"], "arms": [3, 4, 5]}
METHODS = {
    "constant, 2/5": ({"step_size": 0.4}, GREY),
    "constant, 2/β": ({"step_size": 6 * 3**0.5}, GREEN),
    "Polyak, c = 1": ({"c": 1}, BLUE),
    "Polyak, c = 2": ({"c": 2}, PURPLE),
    "Polyak, c = 1, at most 100": ({"c": 1, "cap": 100}, VERMILION),
}
COPIES, UPDATES, POLYAK_UPDATES, SPREAD = 100, 4000, 251, 3.0  # uncapped Polyak runs rest by then


def measure(start: str, arms: int, copies: int = COPIES, updates: int = UPDATES) -> xr.Dataset:
    """Sub-optimality after each number of updates, for `copies` bandits."""
    rng = np.random.default_rng([5, arms])
    mdp = bandit(rng.random((copies, arms)))
    θ = SPREAD * rng.normal(size=(copies, 1, arms)) * (start == "random")
    best, k = optimum(mdp), np.array(list(geometric(updates)))
    gaps = []
    for options, _ in METHODS.values():
        if "step_size" in options:
            run = softmax_pg(mdp, θ, at=geometric(updates), **options)
        else:
            run = polyak_pg(mdp, θ, at=(n for n in k if n <= POLYAK_UPDATES), best=best, **options)
        found = [gap(mdp, it.π, best) for it in islice(run, len(k))]
        gaps.append(found + [np.full(copies, np.nan)] * (len(k) - len(found)))
    return xr.Dataset(
        {"gap": (("rule", "k", "copy"), np.array(gaps))},
        coords={"rule": list(METHODS), "k": k, "copy": np.arange(copies)},
    )


def figure(data: xr.Dataset) -> plt.Figure:
    """Left: medians and extremes from the uniform policy.  Right: the share of runs from random logits on their way."""
    with plt.rc_context(STYLE):
        fig, (left, right) = plt.subplots(1, 2, figsize=(8.4, 3.6), layout="constrained")
        for rule, (_, colour) in METHODS.items():
            gaps = data.gap.sel(rule=rule).stack(run=("arms", "copy")).dropna("k")
            even, uneven = gaps.sel(start="uniform").clip(1e-16), gaps.sel(start="random")
            left.fill_between(even.k + 1, even.min("run"), even.max("run"), color=colour, alpha=0.15, lw=0)
            left.loglog(even.k + 1, even.median("run"), color=colour, label=rule)
            right.loglog(uneven.k + 1, (uneven > 1e-3).mean("run").clip(1e-3), color=colour)
        left.set(xlabel="updates + 1", ylabel="sub-optimality", ylim=(1e-15, 2))
        left.set_title("uniform start: median, and all runs", fontsize=10, loc="left")
        right.set(xlabel="updates + 1", ylabel=r"share of runs with $\delta > 10^{-3}$", ylim=(5e-2, 1.2))
        right.set_title(r"random start, $\theta \sim N(0, 9)$", fontsize=10, loc="left")
        fig.legend(*left.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return fig
