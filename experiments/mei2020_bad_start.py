"""How long can softmax policy gradient be drawn to the wrong arm, and does the bound of Theorem 2 know?

Figure 1 of the paper: r = (1, 9/10, 1/10), step size 2/5, once from π_1 = (0.05, 0.01, 0.94), once with the first two
exchanged.  The paper draws the paths in the simplex; here are the same numbers over time, with the theorem's bound.
`mdplab run mei2020_bad_start`
"""

from itertools import islice

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.arrays import floats
from mdplab.exact import optimum
from mdplab.instances import bad_start, good_start, slow_bandit
from mdplab.report.figures import BLUE, GREEN, SHADES, STYLE, VERMILION
from mdplab.solvers import softmax_pg

STARTS = {"good": good_start, "bad": bad_start}
SWEEP = {"start": list(STARTS)}
STEPS = 10_000
ARMS = {"best arm, $r = 1$": BLUE, "second, $r = 0.9$": VERMILION, "third, $r = 0.1$": GREEN}


def measure(start: str, steps: int = STEPS) -> xr.Dataset:
    """Probabilities of the arms, sub-optimality and its bound 5 / (c_t² t) for t = 1, ..., steps."""
    mdp = slow_bandit().floats()
    best, θ = optimum(mdp), np.log(floats(STARTS[start]()))
    π = np.stack([it.π[0] for it in islice(softmax_pg(mdp, θ, step_size=0.4), steps)])
    t = np.arange(1, steps + 1)
    c = np.minimum.accumulate(π @ best.policy[0])
    data = {"probability": (("t", "arm"), π), "gap": ("t", π @ best.loss[0]), "bound": ("t", 5 / (c**2 * t))}
    return xr.Dataset(data, coords={"t": t, "arm": [1, 2, 3]})


def crossing(data: xr.Dataset) -> int:
    """The first t at which the best arm is likelier than the second."""
    first, second = data.probability.sel(arm=1), data.probability.sel(arm=2)
    return int(data.t[int((first > second).argmax("t"))])


def figure(data: xr.Dataset) -> plt.Figure:
    """A column for each start: probabilities of the arms above, sub-optimality and bound below."""
    with plt.rc_context(STYLE):
        size = (2, data.sizes["start"])
        fig, axes = plt.subplots(*size, figsize=(7.6, 5.0), sharex=True, sharey="row", layout="constrained")
        for column, start in zip(axes.T, data.start.values, strict=True):
            panel = data.sel(start=start)
            for arm, (label, colour) in zip(panel.arm, ARMS.items(), strict=True):
                column[0].semilogx(panel.t, panel.probability.sel(arm=arm), color=colour, label=label)
            if crossing(panel) > 1:
                column[0].axvline(crossing(panel), color="0.6", lw=0.8, ls=":")
            column[1].loglog(panel.t, panel.gap, color=BLUE, label=r"$(\pi^* - \pi_{\theta_t})^\top r$")
            column[1].loglog(panel.t, panel.bound, "--", color=SHADES[BLUE], label=r"$5 / (c_t^2 t)$")
            π = ", ".join(f"{float(p):.2f}" for p in panel.probability.isel(t=0))
            column[0].set_title(rf"{start} start, $\pi_1 = ({π})$", fontsize=10, loc="left")
            column[1].set_xlabel("iterates $t$")
        axes[0, 0].set_ylabel("probability")
        axes[1, 0].set_ylabel("reward lost at a pull")
        axes[0, 1].legend(loc="center left")
        axes[1, 1].legend(loc="lower left")
    return fig
