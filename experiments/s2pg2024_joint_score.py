"""What does it cost not to differentiate through time?

One bit must be remembered from the first action to the second.  REINFORCE with the joint score of action and memory,
as the paper has it, and with the score of the actions alone, the memory summed out, as differentiating through the
memory gives: ten trajectories an update, a hundred runs.  Left the variance of one trajectory's estimate, at policies
that each has come to; right the values.  Trajectories of ten steps go on for eight after all is over, and the scores of
these are noise.  The joint score varies more at any one policy; on this model runs learn no slower for it.  The paper
compares bounds.  `mdplab run s2pg2024_joint_score`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.arrays import total
from mdplab.exact import stateful_values
from mdplab.instances import memory_needed
from mdplab.report.figures import BLUE, STYLE, VERMILION
from mdplab.sampling import Draws, joint_reinforce, marginal_reinforce, stateful_rollouts
from mdplab.solvers import stateful_reinforce

ESTIMATES = {"joint": (joint_reinforce, VERMILION), "marginal": (marginal_reinforce, BLUE)}
SWEEP = {"score": list(ESTIMATES), "horizon": [2, 10]}
RUNS, UPDATES, BATCH, STEP_SIZE, PATHS = 100, 300, 10, 1.0, 2000


def measure(score: str, horizon: int, copies: int = RUNS, updates: int = UPDATES) -> xr.Dataset:
    """Values of all runs and, in the first ten of them, the variance of one estimate, every tenth update."""
    model, estimate = memory_needed().floats(), ESTIMATES[score][0]
    θ = 0.5 * np.random.default_rng(2024).normal(size=(copies, model.O, 2, model.A, 2))
    found = {"k": [], "value": [], "variance": []}
    run = stateful_reinforce(
        model,
        θ,
        draws=Draws(0, np.arange(copies)),
        horizon=horizon,
        step_size=STEP_SIZE,
        batch=BATCH,
        estimate=estimate,
    )
    for it in run:
        if it.k % 10 == 0:
            found["k"].append(it.k)
            found["value"].append(total(model.start * stateful_values(model, it.π)[..., 0]))
            found["variance"].append(variance(model, it.π[:10], horizon, estimate))
        if it.k == updates:
            break
    data = {"value": (("k", "run"), np.stack(found["value"])), "variance": ("k", found["variance"])}
    return xr.Dataset(data, coords={"k": found["k"]})


def variance(model, π, horizon, estimate) -> float:
    """The median over policies of the variance of one trajectory's estimate, summed over the logits, from samples."""
    seen = stateful_rollouts(model, π, horizon, Draws(1, np.arange(len(π))).samples(PATHS))
    return float(np.median(estimate(seen, π).var(axis=1).sum(axis=(-1, -2, -3, -4))))


def figure(data: xr.Dataset) -> plt.Figure:
    """Variance to the left, values to the right; dashed for ten steps."""
    with plt.rc_context(STYLE):
        fig, (left, right) = plt.subplots(1, 2, figsize=(7.6, 3.4), layout="constrained")
        for score, (_, colour) in ESTIMATES.items():
            for horizon, line in zip(SWEEP["horizon"], ("-", "--"), strict=True):
                panel = data.sel(score=score, horizon=horizon)
                left.plot(panel.k, panel.variance, line, color=colour, label=f"{score} score, {horizon} steps")
                right.plot(panel.k, panel.value.mean("run"), line, color=colour)
        left.set(xlabel="updates", ylabel="variance of one trajectory's estimate")
        left.set_ylim(bottom=0)
        left.legend()
        right.set(xlabel="updates", ylabel="value, mean of the runs", ylim=(0.4, 0.92))
    return fig
