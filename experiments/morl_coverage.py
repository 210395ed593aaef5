"""Which trade-offs can policies make, which of them do weights find, and where is the best compromise?

Left, a short dive for treasure (γ = 0.9): all five undominated divers, of whom weights find two; mixtures fill the edge
between these.  Right, two queues of capacity 2 and one server: the coverage set, and the fairest policy, for the
scalarisation −Σ 1/(J_i + 1).  `mdplab run morl_coverage`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.arrays import floats, rational
from mdplab.exact import all_returns, coverage_set, hull_hypervolume, hypervolume, returns, undominated, utility_optimum
from mdplab.exact.scalarisations import Reciprocals
from mdplab.exact.utilities import OfReturns
from mdplab.instances.multi_objective import deep_sea, two_queues
from mdplab.report.figures import BLUE, GREEN, GREY, STYLE, VERMILION

SWEEP = {"model": ["deep sea", "two queues"]}
MODELS = {"deep sea": deep_sea, "two queues": two_queues}
REFERENCES = {"deep sea": [0, -10], "two queues": [0, 0]}
LABELS = {
    "deep sea": ("discounted treasure", "minus discounted time"),
    "two queues": ("services of queue 1, discounted", "services of queue 2, discounted"),
}
POINTS = 600


def measure(model: str) -> xr.Dataset:
    """Returns of all deterministic policies, of the undominated, of the coverage set, and volumes."""
    exact = MODELS[model]()
    z = rational(REFERENCES[model])
    every = all_returns(exact.floats())
    every = np.unique(every.round(12), axis=0)
    front = undominated(every)
    coverage = coverage_set(exact)
    fair = np.full(2, np.nan)
    if model == "two queues":
        fair = floats(
            returns(
                exact.floats(),
                utility_optimum(exact.floats().mdp, OfReturns(exact.floats().rewards, Reciprocals(1.0))).π,
            )
        )
    return xr.Dataset(
        {
            "every": (("point", "objective"), _padded(every)),
            "front": (("point", "objective"), _padded(front)),
            "coverage": (("point", "objective"), _padded(floats(coverage))),
            "fair": ("objective", fair),
            "volume": float(hypervolume(front, np.asarray(REFERENCES[model], dtype=float))),
            "volume_of_hull": float(floats(hull_hypervolume(coverage, z))),
        }
    )


def _padded(x: np.ndarray) -> np.ndarray:
    out = np.full((POINTS, 2), np.nan)
    out[: len(x)] = x
    return out


def figure(data: xr.Dataset) -> plt.Figure:
    """A panel for each model."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, 2, figsize=(7.8, 3.6), layout="constrained")
        for ax, name in zip(axes, data.model.values, strict=True):
            panel = data.sel(model=name)
            edge, front = (panel[x].dropna("point").values for x in ("coverage", "front"))
            corner = [[panel.coverage[0, 0], REFERENCES[name][1]], [REFERENCES[name][0], edge[-1, 1]]]
            area = np.concatenate([[REFERENCES[name]], [corner[0]], edge, [corner[1]]]).astype(float)
            ax.fill(*area.T, color=BLUE, alpha=0.08, lw=0, label="dominated by some policy")
            ax.plot(*panel.every.values.T, "o", ms=2.5, color=GREY, alpha=0.6, mew=0, label="deterministic policies")
            ax.plot(*front.T, "o", ms=5.5, mfc="none", mec=VERMILION, label="undominated among them")
            ax.plot(*edge.T, "o-", ms=3.5, color=BLUE, lw=1.2, label="convex coverage set")
            if np.isfinite(panel.fair).all():
                ax.plot(*panel.fair.values, "*", ms=11, color=GREEN, label="fairest")
            ax.set_xlabel(LABELS[name][0])
            ax.set_ylabel(LABELS[name][1])
            volumes = f"{float(panel.volume):.2f}, of all policies {float(panel.volume_of_hull):.2f}"
            ax.set_title(f"{name}: hypervolume {volumes}", fontsize=10, loc="left")
        handles = {label: h for ax in axes for h, label in zip(*ax.get_legend_handles_labels(), strict=True)}
        fig.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=5, columnspacing=1.0)
    return fig
