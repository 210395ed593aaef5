"""What do seven stochastic policy gradient methods make of the same number of trajectories?

A random model of three states and two actions, γ = 0.8, trajectories of 25 steps, from the uniform policy; 64 runs.
Also what a long first step does to the normalised methods, and how the Fisher information, which the rates suppose to
be bounded below, falls on the way.  The paper's experiments are continuous control and CartPole with neural networks.
`mdplab run fatk2023_sample_complexity`
"""

from collections.abc import Iterator
from itertools import repeat

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab import solvers
from mdplab.arrays import total
from mdplab.exact import least_information, optimum, visits
from mdplab.models import DiscountedMDP
from mdplab.report.figures import BLUE, GREEN, GREY, PURPLE, STYLE, VERMILION
from mdplab.sampling import Draws
from mdplab.solvers import decreasing
from theorems.fatk2023 import with_outcome_axis

LONG = ", $\\gamma_0 = 4$"
RUNS = {
    "vanilla": (solvers.sampled_pg, lambda: decreasing(1.0, 1 / 2), GREY, "-"),
    "N-MPG": (solvers.n_mpg, lambda: decreasing(1.0, 1), GREEN, "-"),
    "N-PG-IGT": (solvers.n_pg_igt, lambda: decreasing(1.0, 1), BLUE, "-"),
    "HARPG": (solvers.harpg, lambda: decreasing(0.3, 1 / 2), VERMILION, "-"),
    "N-HARPG": (solvers.n_harpg, lambda: decreasing(1.0, 1), VERMILION, "--"),
    "STORM-PG": (solvers.storm_pg, lambda: decreasing(0.3, 1 / 3), PURPLE, "-"),
    "SRVR-PG": (solvers.srvr_pg, lambda: repeat(0.3), PURPLE, "--"),
    f"N-MPG{LONG}": (solvers.n_mpg, lambda: decreasing(4.0, 1), GREEN, "-"),
    f"N-PG-IGT{LONG}": (solvers.n_pg_igt, lambda: decreasing(4.0, 1), BLUE, "-"),
    f"N-HARPG{LONG}": (solvers.n_harpg, lambda: decreasing(4.0, 1), VERMILION, "--"),
}
SWEEP = {"run": list(RUNS)}
BUDGET, REPLICATES, HORIZON = 4000, 64, 25


def model() -> DiscountedMDP:
    """Dirichlet(1) transitions, uniform rewards, seed 7; J* − J of the uniform policy is 0.768."""
    rng = np.random.default_rng(7)
    P = rng.dirichlet(np.ones(3), size=(3, 2))
    return DiscountedMDP(P, rng.random((3, 2)), 0.8)


def gaps(mdp: DiscountedMDP, π: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """J* − J(π) for policies (m, S, A) of one model, without subtracting values."""
    return total(visits(with_outcome_axis(mdp), π) * total(π * loss))


def afforded(run: Iterator[solvers.SampledIterate], budgets: list[int]) -> Iterator[np.ndarray]:
    """The newest policy that each number of trajectories pays for, the first one being free."""
    before, todo = next(run), list(budgets)
    spent = before.trajectories
    for it in run:
        while todo and todo[0] < spent:
            yield before.π
            todo.pop(0)
        if not todo:
            return
        before, spent = it, it.trajectories


def measure(run: str, budget: int = BUDGET, replicates: int = REPLICATES) -> xr.Dataset:
    """Sub-optimality of every replicate and its least Fisher information, by trajectories spent."""
    method, steps, _, _ = RUNS[run]
    mdp, budgets = model(), [0, *solvers.geometric(budget, per_decade=12)][1:]
    best, wide = optimum(mdp), with_outcome_axis(mdp)
    iterates = method(mdp, draws=Draws(seed=1, replicate=np.arange(replicates)), horizon=HORIZON, step_sizes=steps())
    policies = list(afforded(iterates, budgets))
    return xr.Dataset(
        {
            "gap": (("spent", "replicate"), np.stack([gaps(mdp, π, best.loss) for π in policies])),
            "information": (("spent", "replicate"), np.stack([least_information(wide, π) for π in policies])),
        },
        coords={"spent": budgets},
    )


def slope(gap: xr.DataArray) -> float:
    """Of the mean gap on logarithmic axes, over the last decade."""
    mean = gap.mean("replicate").sel(spent=slice(BUDGET // 10, None))
    return float(np.polyfit(np.log(mean.spent), np.log(mean), 1)[0])


def figure(data: xr.Dataset) -> plt.Figure:
    """Mean gaps with two standard errors; the trap of a long first step, run by run; the least Fisher information."""
    with plt.rc_context(STYLE):
        fig, (left, middle, right) = plt.subplots(1, 3, figsize=(11.5, 3.8), layout="constrained")
        data = data.isel(spent=slice(1, None))
        for run, (_, _, colour, line) in RUNS.items():
            gap, information = data.gap.sel(run=run), data.information.sel(run=run)
            if run.endswith(LONG):
                name = run.removesuffix(LONG)
                middle.plot(data.spent, gap, color=colour, ls=line, lw=0.3, alpha=0.3)
                frozen = float((gap.isel(spent=-1) > 0.1).mean())
                middle.plot(data.spent, gap.mean("replicate"), color=colour, ls=line, label=f"{name}: {frozen:.0%}")
                right.plot(data.spent, information.median("replicate"), color=colour, ls=line, lw=0.7, alpha=0.6)
                continue
            mean, error = gap.mean("replicate"), gap.std("replicate") / gap.sizes["replicate"] ** 0.5
            left.plot(data.spent, mean, color=colour, ls=line, label=f"{run} ({slope(gap):.2f})")
            left.fill_between(data.spent, mean - 2 * error, mean + 2 * error, color=colour, alpha=0.15, lw=0)
            right.plot(data.spent, information.median("replicate"), color=colour, ls=line)
        left.set(ylabel=r"$J^* - J(\theta)$, mean of the runs", title="same trajectories")
        left.legend(title="slope of the last decade", fontsize=7, loc="lower left")
        middle.set(ylabel=r"$J^* - J(\theta)$, all runs", title=r"first step $\gamma_0 = 4$: at once or never")
        middle.legend(loc="lower left", title="still above 0.1 at the end")
        right.set(ylabel=r"$\mu_F^+(\theta)$, median (thin: $\gamma_0 = 4$)", title="Fisher information")
        for ax, lowest in ((left, 4e-3), (middle, 1e-6), (right, 1e-9)):
            ax.set(xscale="log", yscale="log", xlabel="trajectories")
            ax.set_ylim(bottom=lowest)
    return fig
