"""Does policy gradient for a share repurchase need to know the day?

Four shares within eight days, on grids: `mdplab solve share-repurchase` (the paper's application, tabular; its own
parameters could not be read).  Left: how far exact policy gradient, with logits for each day or shared by all days, is
below the optimum.  Right: on day 4 with two shares, the probability to buy, after the ascent; one half where one hardly
ever comes, and hatched where the optimal policy buys.
`mdplab run hamd2023_repurchase`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import exit_gap, exit_optimum
from mdplab.instances import share_repurchase
from mdplab.report.figures import BLUE, GREY, STYLE, VERMILION
from mdplab.solvers import exit_time_pg, geometric

COLOURS = {"each day": BLUE, "all days alike": VERMILION}
SWEEP = {"logits": list(COLOURS)}
UPDATES, DAY, SHARES = 3000, 4, 2


def measure(logits: str, updates: int = UPDATES) -> xr.Dataset:
    """Gap along the ascent with step 1, and what is bought on one day with two shares, learned and optimal."""
    mdp = share_repurchase().floats()
    best, k, gap = exit_optimum(mdp), [], []
    first = np.zeros((mdp.N, mdp.S, mdp.A) if logits == "each day" else (mdp.S, mdp.A))
    for it in exit_time_pg(mdp, first, step_size=1.0, at=geometric(updates)):
        k.append(it.k)
        gap.append(float(exit_gap(mdp, it.π, best)))
    now = slice(25 * SHARES, 25 * (SHARES + 1))
    return xr.Dataset(
        {
            "gap": ("k", gap),
            "buys": (("price", "average"), it.π[DAY, now, 1].reshape(5, 5)),
            "best": (("price", "average"), best.action[DAY, now].reshape(5, 5)),
        },
        coords={"k": k, "price": range(5), "average": range(5)},
    )


def figure(data: xr.Dataset) -> plt.Figure:
    """The gap by the number of updates; the probability to buy by price and average, for both sorts of logits."""
    with plt.rc_context(STYLE):
        fig, (left, *maps) = plt.subplots(1, 3, figsize=(10.2, 3.4), width_ratios=(1.5, 1, 1), layout="constrained")
        for (logits, colour), ax in zip(COLOURS.items(), maps, strict=True):
            panel = data.sel(logits=logits)
            left.loglog(panel.k + 1, panel.gap, color=colour, label=logits)
            shown = ax.pcolormesh(panel.average, panel.price, panel.buys, cmap="Blues", vmin=0, vmax=1)
            for price, average in np.argwhere(np.asarray(panel.best) == 1):
                corner = (average - 0.5, price - 0.5)
                ax.add_patch(plt.Rectangle(corner, 1, 1, fill=False, hatch="///", lw=0, edgecolor=GREY))
            ax.set(xlabel="average price", title=f"logits for {logits}")
            ax.title.set(fontsize=10)
        left.set(xlabel="updates + 1", ylabel="expected payoff below the optimum")
        left.legend(title="logits for")
        maps[0].set_ylabel("price")
        fig.colorbar(shown, ax=maps, label="probability to buy")
    return fig
