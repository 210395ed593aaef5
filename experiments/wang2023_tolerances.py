"""What does a tolerance that shrinks save the inner loop?

The comparison of the journal version on the Garnet models of `wang2023_garnet`: projected ascent in the kernel, from
the kernel of the step before, to a fixed tolerance or to one that shrinks by γ with every outer step.  Excess worst
cost of the iterates, and the time that each run has taken; times are those of one machine, and no test compares
them.  The program stops when kernels move little; here the worst cost is known, and an ascent ends as soon as the
tolerance is met.  `mdplab run wang2023_tolerances`
"""

from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from experiments.wang2023_garnet import garnet
from mdplab.exact.robust import kernel_cost_gradient, kernel_values, robust_optimum, worst_case
from mdplab.report.figures import BLUE, GREEN, STYLE, VERMILION
from mdplab.solvers import drpg
from mdplab.solvers.kernel_projection import project_to_set

SWEEP = {"inner": ["shrinking", "fixed at 1e-2", "fixed at 1"]}
COLOURS = {"shrinking": BLUE, "fixed at 1e-2": VERMILION, "fixed at 1": GREEN}
MODELS, STEPS, OUTER_STEP, INNER_STEP, MOST = 5, 40, 0.1, 0.2, 100


class CountingAscent:
    """Projected ascent from the kernel before until the cost is within the tolerance of the worst; counts its steps."""

    def __init__(self) -> None:
        self.steps = 0

    def __call__(self, mdp, π, p, tolerance):
        worst = float(worst_case(mdp, π).cost)
        for _ in range(MOST):
            if worst - float(mdp.start @ kernel_values(mdp, π, p)) <= tolerance:
                break
            p = project_to_set(mdp, p + INNER_STEP * kernel_cost_gradient(mdp, π, p))
            self.steps += 1
        return p


def measure(inner: str) -> xr.Dataset:
    """Excess worst cost, ascent steps and seconds after each outer step of every model."""
    gaps, steps, seconds = (np.empty((MODELS, STEPS)) for _ in range(3))
    for i in range(MODELS):
        mdp, π = garnet(i, 5, 6, 3)
        best, ascent = float(mdp.start @ robust_optimum(mdp).v), CountingAscent()
        allowed = None if inner == "shrinking" else float(inner.split()[-1])
        run = drpg(
            mdp,
            π,
            step_size=OUTER_STEP,
            inner=ascent,
            tolerances=lambda t, allowed=allowed: 0.95**t * STEPS**0.5 if allowed is None else allowed,
        )
        begin = perf_counter()
        for t, it in zip(range(STEPS), run, strict=False):
            seconds[i, t], steps[i, t] = perf_counter() - begin, ascent.steps
            gaps[i, t] = float(worst_case(mdp, it.π).cost) - best
    names = {"gap": gaps, "steps": steps, "seconds": seconds}
    return xr.Dataset({key: (("model", "t"), x) for key, x in names.items()}, coords={"t": np.arange(STEPS)})


def figure(data: xr.Dataset) -> plt.Figure:
    """Left the excess, medians over the models; right the time so far, with the band of all of them."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.3), layout="constrained")
        for inner in data.inner.values:
            panel, colour = data.sel(inner=inner), COLOURS[str(inner)]
            gap = panel.gap.median("model")
            axes[0].semilogy(panel.t, gap.where(gap > 0), color=colour, label=f"{inner} ({total_steps(panel)})")
            axes[1].semilogy(panel.t, panel.seconds.median("model"), color=colour)
            axes[1].fill_between(
                panel.t, panel.seconds.min("model"), panel.seconds.max("model"), color=colour, alpha=0.15, lw=0
            )
        axes[0].set_ylim(bottom=1e-3)
        for ax in axes:
            ax.set_xlabel("outer step $t$")
        axes[0].set_ylabel(r"$\Phi(\pi_t) - \Phi^*$, in units of cost")
        axes[1].set_ylabel("seconds so far")
        axes[0].legend(title="inner tolerance (ascent steps a run)")
    return fig


def total_steps(panel: xr.Dataset) -> str:
    """The median over the models of all ascent steps of a run."""
    return f"{float(panel.steps.isel(t=-1).median('model')):g}"
