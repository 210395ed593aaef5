"""Does the rate of one epoch hold without the number of states, as a proof in the follow-up paper needs it?

One epoch, S identical states, rewards (1, 0), uniform start, no preference at first: c = 1/2, so that the bound on
J* − J(θ_n) is 16 S / n, and 16 / n without the number of states.  In the sup norm 16 S / n is all that is claimed.
`mdplab run klein2024_identical_states`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.instances.finite_horizon import twin_states
from mdplab.report.figures import BLUE, GREEN, SHADES, STYLE, VERMILION
from theorems.klein2024 import n, rate_dyn

SWEEP = {"S": [4, 20, 100]}
STEPS = 40_000
COLOURS = dict(zip(SWEEP["S"], (GREEN, BLUE, VERMILION), strict=True))


def measure(S: int) -> xr.Dataset:
    """The sub-optimality and its bound for n = 1, ..., STEPS on a logarithmic grid."""
    trace = list(rate_dyn.trace(twin_states(S).floats(), up_to=STEPS))
    data = {"loss": [float(x[0]) for _, x, _ in trace], "bound": [float(y[0]) for _, _, y in trace]}
    return xr.Dataset({name: ("n", y) for name, y in data.items()}, coords={"n": [int(b[n]) for b, _, _ in trace]})


def figure(data: xr.Dataset) -> plt.Figure:
    """Losses as lines, the bounds dashed, and the one bound without S, which all losses should obey if it were true."""
    with plt.rc_context(STYLE):
        fig, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
        for S in data.S.values:
            panel, colour = data.sel(S=S), COLOURS[int(S)]
            ax.loglog(data.n, panel.loss, color=colour, label=f"$S = {S}$")
            ax.loglog(data.n, panel.bound, "--", color=SHADES[colour], lw=1, label="its bound")
        ax.loglog(data.n, 16 / data.n, "k:", label="without $S$: refuted")
        ax.set_ylim(1e-4, 10)
        ax.set_xlim(1, np.max(data.n))
        ax.set_xlabel("iterate $n$")
        ax.set_ylabel(r"$J^\star - J(\theta^{(n)})$, in units of reward")
        fig.legend(*ax.get_legend_handles_labels(), loc="outside upper left", ncols=4)
    return fig
