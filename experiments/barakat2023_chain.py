"""How fast do sampled methods for a nonlinear utility learn, and what do the usual mistakes cost?

A chain of five states to be visited evenly, F = Σ_s log(λ(s) + 1/8) of the first 40 steps, γ = 0.9: gap to the best
policy against trajectories.  Left, N-VR-PG, TSIVR-PG and independent batches beside two mistakes; right, N-VR-PG with
longer first steps, whose weights explode in some runs.  The paper has such curves for other models.
`mdplab run barakat2023_chain`
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.arrays import expand
from mdplab.exact import truncated_pair_visits
from mdplab.exact.utilities import OfStates, SmoothedLog
from mdplab.models import DiscountedMDP
from mdplab.report.figures import BLUE, GREEN, GREY, PURPLE, STYLE, VERMILION
from mdplab.sampling import Draws, trajectory_weight
from mdplab.solvers import n_vr_pg, tsivr_pg, utility_reinforce

H, F = 40, OfStates(SmoothedLog(0.125))
BEST = 3.698810  # where the exact gradient of the same 40 steps ends
CHECKPOINTS = np.array([1, 2, 3, 5, 7, 10, 14, 20, 30, 50, 70, 100, 140, 200, 300, 500, 700, 1000, 1400, 2000, 3000])
RUNS = 64


def chain() -> DiscountedMDP:
    """Action 1 moves right with probability 0.9, else back to the first of five states; action 0 moves left."""
    P = np.zeros((5, 2, 5))
    for s in range(5):
        P[s, 0, max(s - 1, 0)] = 1
        P[s, 1, min(s + 1, 4)] += 0.9
        P[s, 1, 0] += 0.1
    return DiscountedMDP(P, np.zeros((5, 2)), 0.9, np.eye(5)[0])


def inverted(trajectory, behaviour, target):
    """The weight of a whole trajectory the wrong way up."""
    w = trajectory_weight(trajectory, behaviour, target)
    return replace(trajectory, weights=trajectory.weights / expand(w, 1))


def falling(first: float, power: float) -> Iterator[float]:
    """first (t + 1)^−power."""
    return (first * (t + 1) ** -power for t in count())


METHODS = {
    "N-VR-PG": (BLUE, lambda mdp, o: n_vr_pg(mdp, F, **o)),
    "TSIVR-PG": (GREEN, lambda mdp, o: tsivr_pg(mdp, F, step_size=0.1, epoch=5, large_batch=25, small_batch=5, **o)),
    "independent batches": (
        PURPLE,
        lambda mdp, o: utility_reinforce(mdp, F, step_sizes=falling(0.3, 0.6), normalised=True, **o),
    ),
    "same trajectory": (
        GREY,
        lambda mdp, o: utility_reinforce(
            mdp, F, step_sizes=falling(0.3, 0.6), normalised=True, batch=1, occupancy_from="same batch", **o
        ),
    ),
    "inverted weights": (VERMILION, lambda mdp, o: n_vr_pg(mdp, F, weigh=inverted, **o)),
    "2/(t+1)": (VERMILION, lambda mdp, o: n_vr_pg(mdp, F, step_sizes=falling(2, 1), **o)),
    "(t+1)^-0.8": (PURPLE, lambda mdp, o: n_vr_pg(mdp, F, step_sizes=falling(1, 0.8), **o)),
}
PANELS = (
    ("N-VR-PG", "TSIVR-PG", "independent batches", "same trajectory", "inverted weights"),
    ("N-VR-PG", "2/(t+1)", "(t+1)^-0.8"),
)
LABELS = {"2/(t+1)": r"$\alpha_t = 2/(t+1)$", "(t+1)^-0.8": r"$\alpha_t = (t+1)^{-0.8}$"}
SWEEP = {"algorithm": list(METHODS)}


def gap(mdp: DiscountedMDP, π: np.ndarray) -> np.ndarray:
    """What a policy lacks to the best utility of 40 steps."""
    return BEST - F.value(truncated_pair_visits(mdp, π, H))


def measure(algorithm: str, last: int = 3000) -> xr.Dataset:
    """Gap of each run after so many trajectories."""
    mdp, out, used = chain(), [], 0
    options = {"draws": Draws(2023, np.arange(RUNS)), "horizon": H}
    todo = [int(T) for T in CHECKPOINTS if last >= T]
    for it in METHODS[algorithm][1](mdp, options):
        while len(out) < len(todo) and used <= todo[len(out)] < it.trajectories:
            out.append(gap(mdp, it.π))
        used = it.trajectories
        if len(out) == len(todo):
            break
    return xr.Dataset({"gap": (("trajectories", "run"), np.array(out))}, coords={"trajectories": todo})


def figure(data: xr.Dataset) -> plt.Figure:
    """Mean gaps with two standard errors; dotted on the right, medians."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, 2, figsize=(8.4, 3.5), sharey=True, layout="constrained")
        for ax, names in zip(axes, PANELS, strict=True):
            for name in names:
                colour, x = METHODS[name][0], data.gap.sel(algorithm=name)
                mean, error = x.mean("run"), x.std("run") / np.sqrt(x.sizes["run"])
                ax.plot(data.trajectories, mean, color=colour, label=LABELS.get(name, name))
                low = np.maximum(mean - 2 * error, 1e-3)
                ax.fill_between(data.trajectories, low, mean + 2 * error, color=colour, alpha=0.12, lw=0)
                if ax is axes[1]:
                    ax.plot(data.trajectories, x.median("run"), ":", color=colour, lw=1.2)
            ax.set(xscale="log", yscale="log", xlabel="trajectories")
            ax.legend(fontsize=8.5)
        axes[0].set_ylim(0.015, 4)
        axes[0].set_ylabel(r"$F^\star - F(\lambda_H)$")
        axes[0].set_title("methods and mistakes", fontsize=10, loc="left")
        axes[1].set_title("N-VR-PG, longer steps (dotted: medians)", fontsize=10, loc="left")
        axes[1].get_legend().get_texts()[0].set_text(r"$\alpha_t = 1/(t+1)$")
    return fig
