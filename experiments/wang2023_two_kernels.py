"""Where is robust policy gradient trapped when the set of kernels is not rectangular?

The worst cost of `two_kernels` over all its policies, as contours, and projected descent with an exact worst kernel
from nine policies: some end at a strict local minimum that costs three times the least.  The paper claims convergence
for every compact set; Kitamura et al. (2026) refute that.  `mdplab run wang2023_two_kernels`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact.robust import worst_case
from mdplab.instances import two_kernels
from mdplab.report.figures import BLUE, GREY, STYLE, VERMILION
from mdplab.solvers import drpg, geometric

SWEEP = {"start": ["nearly all in s0", "uniform"]}
STARTS = {"nearly all in s0": ("97/100", "1/100", "1/100", "1/100"), "uniform": ("1/4",) * 4}
FIRST = [(x, y) for x in (0.3, 0.7, 0.9) for y in (0.1, 0.5, 0.9)]
STEPS, CELLS = 1000, 81


def policies(x, y):
    """π(0 | s_0) = x and π(0 | s_1) = y, anything elsewhere;  (...) -> (..., 4, 2)."""
    x, y = np.broadcast_arrays(x, y)
    first = np.stack([x, y, 1 + 0 * x, 1 + 0 * x], axis=-1)
    return np.stack([first, 1 - first], axis=-1)


def measure(start: str) -> xr.Dataset:
    """Worst costs on a grid of policies, and the paths of descent with step 0.05 / √(k + 1)."""
    mdp = two_kernels(STARTS[start]).floats()
    grid = np.linspace(0, 1, CELLS)
    π = policies(*np.meshgrid(grid, grid, indexing="ij"))
    cost = worst_case(mdp, π).cost
    at = list(geometric(STEPS))
    paths = np.empty((len(FIRST), len(at), 2))
    for i, (x, y) in enumerate(FIRST):
        run = drpg(mdp, policies(x, y), step_size=lambda k: 0.05 / (k + 1) ** 0.5, at=at)
        paths[i] = [[it.π[0, 0], it.π[1, 0]] for it in run]
    return xr.Dataset(
        {"cost": (("x", "y"), cost), "path": (("run", "step", "coordinate"), paths)},
        coords={"x": grid, "y": grid, "step": at},
    )


def figure(data: xr.Dataset) -> plt.Figure:
    """A column for each start distribution; blue paths end near the least cost of the grid, red ones do not."""
    starts = list(data.start.values)
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, len(starts), figsize=(7.6, 4.0), layout="constrained")
        for ax, start in zip(np.atleast_1d(axes), starts, strict=True):
            panel = data.sel(start=start)
            drawn = ax.contourf(panel.x, panel.y, panel.cost.T, levels=24, cmap="Greys")
            ax.contour(panel.x, panel.y, panel.cost.T, levels=24, colors="white", linewidths=0.3)
            best = np.unravel_index(int(panel.cost.values.argmin()), panel.cost.shape)
            least = (float(panel.x[best[0]]), float(panel.y[best[1]]))
            for run in range(panel.sizes["run"]):
                x, y = panel.path[run, :, 0], panel.path[run, :, 1]
                reached = abs(float(x[-1]) - least[0]) < 0.2 and abs(float(y[-1]) - least[1]) < 0.2
                colour = BLUE if reached else VERMILION
                ax.plot(x, y, color=colour, lw=1.2)
                ax.plot(x[:1], y[:1], "o", color=colour, ms=3)
                ax.plot(x[-1:], y[-1:], "s", color=colour, ms=4, clip_on=False, zorder=5)
            ax.plot(*least, "*", color=BLUE, ms=11, mec="white", clip_on=False, zorder=6)
            ax.set_title(f"start: {start}", fontsize=10, loc="left")
            ax.set_xlabel(r"$\pi(0 \mid s_0)$")
            fig.colorbar(drawn, ax=ax, label=r"worst cost $\Phi(\pi)$" if start == starts[-1] else None)
        np.atleast_1d(axes)[0].set_ylabel(r"$\pi(0 \mid s_1)$")
        signs = [("*", BLUE, "least worst cost"), ("o", GREY, "first policy"), ("s", GREY, "last policy")]
        signs += [("_", BLUE, "descent that arrives"), ("_", VERMILION, "descent that is trapped, or slow")]
        handles = [plt.Line2D([], [], ls="", marker=mark, color=colour, label=label) for mark, colour, label in signs]
        fig.legend(handles=handles, loc="outside upper left", ncols=5, handletextpad=0.2, columnspacing=1.2)
    return fig
