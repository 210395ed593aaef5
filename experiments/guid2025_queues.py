"""When does variance reduction pay for several objectives, and what does the inverted weight of the public code cost?

Two queues of capacity 3 with arrivals (0.3, 0.6), γ = 0.95, 60 steps, f = −Σ 1/(J_i + 1).  Left, the mean square error
of the tracked returns along ten steps of three lengths, of which the shortest is 1/(2 H).  Right, the gap to the best
policy against trajectories, with steps of 0.2 at most.  The paper has learning curves for larger queues.
`mdplab run guid2025_queues`
"""

from dataclasses import replace
from itertools import islice, repeat

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.arrays import floats
from mdplab.exact import coverage_set, truncated_pair_visits, utility_optimum
from mdplab.exact.scalarisations import Reciprocals
from mdplab.exact.utilities import OfReturns
from mdplab.instances.multi_objective import two_queues
from mdplab.report.figures import BLUE, GREEN, GREY, STYLE, VERMILION
from mdplab.sampling import Draws, off_policy, prefix_weights
from mdplab.solvers import mo_pg, mo_tsivr_pg

H, f = 60, Reciprocals(1.0)
LENGTHS = [0.008, 0.05, 0.2]
SWEEP = {"part": [*(f"tracking {δ}" for δ in LENGTHS), "MO-PG", "MO-TSIVR-PG", "inverted weights"]}
TRAJECTORIES = 10_000
TRACKED, RUNS = 400, 32
CHECKPOINTS = np.unique(np.geomspace(100, TRAJECTORIES, 30).astype(int))


def queues():
    """The model of the figure, in float64."""
    return two_queues(3, ("3/10", "3/5"), "19/20").floats()


def inverted(trajectory, behaviour, target):
    """Weights of prefixes the wrong way up, as in the public code."""
    return replace(trajectory, weights=trajectory.weights / prefix_weights(trajectory, behaviour, target))


def returns_of(mdp, π):
    """J_H;  (..., S, A) -> (..., M)."""
    return OfReturns(mdp.rewards, f).returns(truncated_pair_visits(mdp.mdp, π, H))


def tracking(δ: float, weigh) -> np.ndarray:
    """Mean square error of J_j for j = 0, ..., 10, all steps of length δ, N = 100 and B = 10."""
    mdp = queues()
    run = mo_tsivr_pg(
        mdp, f, draws=Draws(2025, np.arange(TRACKED)), horizon=H, step_size=1e6, radius=δ, epoch=11, large_batch=100,
        small_batch=10, weigh=weigh,
    )  # fmt: skip
    return np.array([((it.J - returns_of(mdp, it.π)) ** 2).sum(axis=-1).mean() for it in islice(run, 11)])


def learning(part: str) -> tuple[np.ndarray, np.ndarray]:
    """Gap (checkpoint, run) and mean returns (checkpoint, objective) of the policies."""
    mdp, out, used = queues(), [], 0
    F = OfReturns(mdp.rewards, f)
    best = float(utility_optimum(mdp.mdp, F).low)
    options = {"draws": Draws(2025, np.arange(RUNS)), "horizon": H}
    if part == "MO-PG":
        run = mo_pg(mdp, f, step_sizes=repeat(2.0), **options)
    else:
        weigh = inverted if part == "inverted weights" else off_policy
        sizes = {"step_size": 2.0, "radius": 0.2, "epoch": 6, "large_batch": 25, "small_batch": 5}
        run = mo_tsivr_pg(mdp, f, weigh=weigh, **sizes, **options)
    for it in run:
        while len(out) < len(CHECKPOINTS) and used <= CHECKPOINTS[len(out)] < it.trajectories:
            out.append(F.returns(truncated_pair_visits(mdp.mdp, it.π, 400)))
        used = it.trajectories
        if len(out) == len(CHECKPOINTS):
            break
    J = np.array(out)
    return best - f.value(J), J.mean(axis=1)


def measure(part: str) -> xr.Dataset:
    """Errors of tracked returns, with right and inverted weights, or gaps and returns of runs; the rest is empty."""
    out = xr.Dataset(
        {
            "right": ("step", np.full(11, np.nan)),
            "wrong": ("step", np.full(11, np.nan)),
            "gap": (("trajectories", "run"), np.full((len(CHECKPOINTS), RUNS), np.nan)),
            "returns": (("trajectories", "objective"), np.full((len(CHECKPOINTS), 2), np.nan)),
        },
        coords={"step": np.arange(11), "trajectories": CHECKPOINTS},
    )
    if part.startswith("tracking"):
        δ = float(part.split()[1])
        out["right"][:], out["wrong"][:] = tracking(δ, off_policy), tracking(δ, inverted)
    else:
        out["gap"][:], out["returns"][:] = learning(part)
    return out


def figure(data: xr.Dataset) -> plt.Figure:
    """The errors along an epoch; the gaps, means with two standard errors; and the way through the plane of returns."""
    with plt.rc_context(STYLE):
        fig, (left, middle, right) = plt.subplots(1, 3, figsize=(11.4, 3.4), layout="constrained")
        for δ, colour in zip(LENGTHS, (BLUE, GREEN, VERMILION), strict=True):
            panel = data.sel(part=f"tracking {δ}")
            left.semilogy(data.step, panel.right, color=colour, label=rf"$\delta = {δ}$")
            left.semilogy(data.step, panel.wrong, ":", color=colour)
        left.set(xlabel="updates since the large batch", ylabel=r"$\mathbb{E}\,\|J_j - J_H(\theta_j)\|^2$")
        left.set_title("tracked returns (dotted: inverted weights)", fontsize=10, loc="left")
        left.legend()
        edge = floats(coverage_set(two_queues(3, ("3/10", "3/5"), "19/20")))
        right.plot(*edge.T, "o-", ms=3, color=GREY, lw=1, label="coverage set")
        for part, colour in (("MO-PG", BLUE), ("MO-TSIVR-PG", GREEN), ("inverted weights", VERMILION)):
            panel = data.sel(part=part)
            mean, error = panel.gap.mean("run"), panel.gap.std("run") / np.sqrt(RUNS)
            middle.loglog(data.trajectories, mean, color=colour, label=part)
            middle.fill_between(data.trajectories, mean - 2 * error, mean + 2 * error, color=colour, alpha=0.12, lw=0)
            right.plot(*panel.returns.values.T, ".-", color=colour, ms=3, lw=1)
        middle.set(xlabel="trajectories", ylabel=r"$f^\star - f(J)$")
        middle.set_title(r"learning, steps up to $\delta = 0.2$", fontsize=10, loc="left")
        middle.legend()
        x, y = data.returns.sel(part="MO-PG").values.T
        right.set(xlim=(x.min() - 0.15, edge[:, 0].max() + 0.1), ylim=(y.min() - 0.3, edge[:, 1].max() + 0.2))
        right.set(xlabel="services of queue 1, discounted", ylabel="services of queue 2, discounted")
        right.set_title("mean returns on the way", fontsize=10, loc="left")
        right.legend(loc="upper right")
    return fig
