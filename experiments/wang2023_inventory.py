"""Does robust policy gradient pay when the adversary tilts the kernel of an inventory by a few parameters?

The paper's inventory with parametric kernels, after the authors' program: 8 states, 3 actions, γ = 0.95, random costs
and nominal kernels.  Worst costs along double-loop gradient descent, and along descent under the kernel in the centre
of the set, for both outer steps of the paper.  Worst kernels are sought by ascent from several parameters, which end at
different local maxima: what is drawn are lower bounds.  `mdplab run wang2023_inventory`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.arrays import total
from mdplab.exact.robust import kernel_values, tilted_kernel
from mdplab.models import RobustMDP, TiltedKernels
from mdplab.report.figures import BLUE, STYLE, VERMILION
from mdplab.solvers import drpg
from mdplab.solvers.drpg import tilted_inner

SWEEP = {"step": [0.1, 0.01], "descent": ["robust", "nominal"]}
MODELS, STEPS, EVERY = 10, 200, 10
INNER_STEP, TOLERANCE, MOST = 0.01, 1e-4, 100  # the last step of an ascent gains at most the tolerance

POSITION = [0.25, 0.5, 0.75, 1, 0.25, 0.5, 0.75, 1]
DEMAND = [1.3, -2.1, 3.4, -1, 2.5, 0.5, 1.8, -0.8]
ORDERS = [-3, -1, 5]


def features() -> tuple[np.ndarray, np.ndarray]:
    """φ (2, 8) and ψ (2, 8, 3): squared distances from two centres each, negative, as the program has them."""
    states = np.stack([POSITION, DEMAND], axis=-1)
    pairs = np.concatenate(
        [np.repeat(states[:, None], 3, axis=1), np.broadcast_to(np.array(ORDERS)[:, None], (8, 3, 1))], axis=-1
    )
    φ = [-((states - x) ** 2).sum(axis=-1) / (2 * np.sqrt(2 * np.pi)) for x in ((-1, 2), (0.3, -0.6))]
    ψ = [-((pairs - x) ** 2).sum(axis=-1) / (8 * np.sqrt(8 * np.pi)) for x in ((1.3, 2.1, 1), (-0.7, 1.5, 0.5))]
    return np.stack(φ), np.stack(ψ)


def inventory(rng: np.random.Generator, models: int = MODELS) -> RobustMDP:
    """A batch of models: costs |N(2, 2)| to two decimals, nominal weights 1, ..., 9, uniform start."""
    c = abs(rng.normal(2, 2, (models, 8, 3, 8))).round(2)
    P = rng.integers(1, 10, (models, 8, 3, 8)).astype(float)
    batch = lambda *x: np.broadcast_to(np.array(x), (models, len(x)))  # noqa: E731
    φ, ψ = (np.broadcast_to(x, (models, *x.shape)) for x in features())
    one = np.ones(models)
    tilts = TiltedKernels(φ, ψ, batch(0.4, 0.9), batch(0.7, 0.6), one, one)
    return RobustMDP(P / P.sum(axis=-1, keepdims=True), c, 0.95, tilts)


def beginnings(mdp: RobustMDP) -> list[tuple[np.ndarray, np.ndarray]]:
    """Parameters (θ, λ) to begin an ascent at: ones, as in the program, the centre, and corners of the ball of θ."""
    θ, λ = mdp.ambiguity.θ_centre, mdp.ambiguity.λ_centre
    corners = [θ + sign * np.eye(2)[i] for i in range(2) for sign in (1, -1)]
    return [(np.ones_like(θ), np.ones_like(λ)), (θ, λ), *((corner, λ) for corner in corners)]


def worst_cost(mdp: RobustMDP, π: np.ndarray) -> np.ndarray:
    """The largest cost that ascent finds."""
    found = [tilted_inner(INNER_STEP, MOST, first)(mdp, π, mdp.P, 0) for first in beginnings(mdp)]
    return np.max([total(mdp.start * kernel_values(mdp, π, p)) for p in found], axis=0)


def measure(step: float, descent: str) -> xr.Dataset:
    """Worst costs of a batch of models at every tenth iterate, in units of cost."""
    mdp = inventory(np.random.default_rng(0))
    first, centre = beginnings(mdp)[:2]
    nominal = tilted_kernel(mdp, *centre)
    inner = tilted_inner(INNER_STEP, MOST, first) if descent == "robust" else lambda *_: nominal
    at = range(0, STEPS + 1, EVERY)
    run = drpg(mdp, step_size=step, inner=inner, tolerances=lambda k: TOLERANCE / 0.05, at=at)
    worst = [worst_cost(mdp, it.π) for it in run]
    return xr.Dataset({"worst": (("k", "model"), np.stack(worst))}, coords={"k": list(at)})


def figure(data: xr.Dataset) -> plt.Figure:
    """A panel an outer step; thin lines are models, thick ones their means."""
    steps = list(data.step.values)
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, len(steps), figsize=(7.6, 3.2), sharey=True, layout="constrained")
        for ax, step in zip(np.atleast_1d(axes), steps, strict=True):
            for descent, colour in (("robust", BLUE), ("nominal", VERMILION)):
                worst = data.worst.sel(step=step, descent=descent)
                ax.plot(worst.k, worst.mean("model"), color=colour, label=f"{descent} gradient")
                ax.plot(worst.k, worst, color=colour, lw=0.4, alpha=0.3)
            ax.set_title(f"step size {step}", fontsize=10, loc="left")
            ax.set_xlabel("outer step $t$")
        np.atleast_1d(axes)[0].set_ylabel("worst cost found, in units of cost")
        np.atleast_1d(axes)[-1].legend()
    return fig
