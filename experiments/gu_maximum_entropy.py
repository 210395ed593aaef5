"""Where does an agent go that wants to be everywhere, and how fast do exact methods get there?

A walled grid from its lower left corner, γ = 0.95, and the entropy of the state occupancy: the uniform policy stays
near the start, the optimum evens visits out.  Frank–Wolfe with line search and softmax policy gradient, each with what
it is certified to lack.  `mdplab run gu_maximum_entropy`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import pair_visits, utility_gap, utility_optimum, utility_value
from mdplab.exact.utilities import Entropy, OfStates
from mdplab.models import DiscountedMDP
from mdplab.report.figures import BLUE, STYLE, VERMILION
from mdplab.solvers import frank_wolfe, geometric, utility_pg

PLAN = (
    "......#...",
    "......#...",
    "..........",
    "......#...",
    "......#...",
    "##.####...",
    "......#.##",
    "......#...",
    "..........",
    "......#...",
)
DISCOUNT, STEPS, STEP_SIZE = 0.95, 300, 5.0
METHODS = {"Frank–Wolfe, line search": BLUE, "softmax policy gradient": VERMILION}


def grid() -> tuple[DiscountedMDP, np.ndarray]:
    """The model of the free cells, and the index of the state of each cell (−1 for a wall)."""
    free = np.array([[c == "." for c in row] for row in PLAN])
    index = np.where(free, np.cumsum(free).reshape(free.shape) - 1, -1)
    S = int(free.sum())
    P = np.zeros((S, 4, S))
    for i, j in zip(*np.nonzero(free), strict=True):
        for a, (di, dj) in enumerate(((-1, 0), (0, 1), (1, 0), (0, -1))):
            x, y = i + di, j + dj
            inside = 0 <= x < free.shape[0] and 0 <= y < free.shape[1] and free[x, y]
            P[index[i, j], a, index[x, y] if inside else index[i, j]] = 1.0
    return DiscountedMDP(P, np.zeros((S, 4)), DISCOUNT, np.eye(S)[index[-1, 0]]), index


def measure() -> xr.Dataset:
    """Occupancies of the uniform and of the best policy on the plan, and certified gaps of three methods."""
    mdp, index = grid()
    F = OfStates(Entropy(DISCOUNT))
    best = utility_optimum(mdp, F)
    uniform = np.full(mdp.r.shape, 0.25)
    maps = [
        np.where(index < 0, np.nan, (1 - DISCOUNT) * λ.sum(axis=-1)[index]) for λ in (pair_visits(mdp, uniform), best.λ)
    ]
    steps = list(geometric(STEPS, per_decade=10))
    runs = [
        [(F.value(x.λ), x.gap) for x in frank_wolfe(mdp, F, steps="line search", at=steps)],
        [
            (utility_value(mdp, x.π, F), utility_gap(mdp, x.π, F))
            for x in utility_pg(mdp, F, step_size=STEP_SIZE, at=steps)
        ],
    ]
    value, gap = np.moveaxis(np.array(runs, dtype=float), -1, 0)
    return xr.Dataset(
        {
            "occupancy": (("policy", "row", "column"), np.stack(maps)),
            "entropy": ("policy", [float(utility_value(mdp, uniform, F)), float(best.low)]),
            "certified": float(best.high - best.low),
            "loss": (("method", "k"), float(best.high) - value),
            "gap": (("method", "k"), gap),
        },
        coords={"policy": ["uniform", "best"], "method": list(METHODS), "k": steps},
    )


def figure(data: xr.Dataset) -> plt.Figure:
    """Two maps of one scale, and losses with the gaps that certify them."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, 3, figsize=(9.4, 3.2), layout="constrained", width_ratios=[1, 1, 1.35])
        for ax, policy in zip(axes, data.policy.values, strict=False):
            panel = data.sel(policy=policy)
            image = ax.imshow(
                np.log10(panel.occupancy), cmap="viridis", vmin=-4, vmax=-0.8, extent=(0, len(PLAN[0]), len(PLAN), 0)
            )
            ax.set_facecolor("#454545")
            ax.set_xticks([])
            ax.set_yticks([])
            ax.set_title(f"{policy} policy: {float(panel.entropy):.3f} nats", fontsize=10, loc="left")
        bar = fig.colorbar(image, ax=axes[:2], location="bottom", shrink=0.6, aspect=40)
        bar.set_label(r"$\log_{10}$ of the share of discounted time")
        ax = axes[2]
        for method, colour in METHODS.items():
            curve = data.sel({"method": method})
            ax.loglog(data.k + 1, curve.loss.clip(min=1e-12), color=colour, label=method)
            ax.loglog(data.k + 1, curve.gap, "--", color=colour, lw=0.9)
        ax.set_xlabel("updates + 1")
        ax.set_title("entropy lacking (solid), certified (dashed)", fontsize=10, loc="left")
        ax.legend(loc="lower left")
    return fig
