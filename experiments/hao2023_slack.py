"""What does a second task gain, and the first one lose, if actions that lose at most ε may be taken?

Softmax policy gradient for an additional reward over safe actions, on Garnet models: the value of the additional reward
along the run, and where the policy ends for each slack ε, between leaving the first task alone and forgetting it.  The
paper could not be read.  `mdplab run hao2023_slack`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import gap, optimum
from mdplab.instances import families
from mdplab.models import DiscountedMDP
from mdplab.report.figures import BLUE, GREEN, STYLE, VERMILION
from mdplab.solvers import adaptive_pg, geometric

SWEEP = {"slack": [0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]}
DISCOUNT, MODELS, UPDATES = 0.9, 40, 3000
SHOWN = {0.1: BLUE, 0.3: GREEN, 1.0: VERMILION}


def measure(slack: float, models: int = MODELS, updates: int = UPDATES) -> xr.Dataset:
    """Loss of the original task, and gain of the additional one as a share of all that could be gained."""
    rng = np.random.default_rng(2023)
    mdp = families.by_name["garnet"](rng, models, S=6, A=4, discount=DISCOUNT)
    extra = rng.uniform(-1, 1, mdp.r.shape)
    other = DiscountedMDP(mdp.P, extra, mdp.discount, mdp.start)
    best, most = optimum(mdp), optimum(other)
    possible = gap(other, np.eye(mdp.A)[np.asarray(best.action)], most)
    possible = np.where(possible > 0, possible, np.nan)  # one policy may be best for both
    k = np.array(list(geometric(updates)))
    run = adaptive_pg(mdp, extra, slack=slack, at=geometric(updates))
    lost, gained = zip(*[(gap(mdp, it.π, best), 1 - gap(other, it.π, most) / possible) for it in run], strict=True)
    return xr.Dataset(
        {"lost": (("k", "model"), np.array(lost)), "gained": (("k", "model"), np.array(gained))},
        coords={"k": k, "model": np.arange(models)},
    )


def figure(data: xr.Dataset) -> plt.Figure:
    """Left: the additional reward along the runs.  Right: what both tasks have in the end, and what is promised."""
    with plt.rc_context(STYLE):
        fig, (left, right) = plt.subplots(1, 2, figsize=(8.2, 3.6), layout="constrained")
        for slack, colour in SHOWN.items():
            gained = data.gained.sel(slack=slack)
            low, high = gained.quantile([0.25, 0.75], "model")
            left.semilogx(data.k + 1, gained.median("model"), color=colour, label=rf"$\epsilon = {slack}$")
            left.fill_between(data.k + 1, low, high, color=colour, alpha=0.12, lw=0)
        left.set(xlabel="updates + 1", ylabel=r"additional task: share of the possible gain")
        left.legend(loc="upper left")
        last = data.isel(k=-1).sel(slack=data.slack > 0)
        for y, colour, label in (
            (last.gained, BLUE, "gained, of the possible gain"),
            (last.lost * (1 - DISCOUNT), VERMILION, "lost of the original task, a step"),
        ):
            low, high = y.quantile([0.25, 0.75], "model")
            right.semilogx(last.slack, y.median("model"), "o-", color=colour, ms=3, label=label)
            right.fill_between(last.slack, low, high, color=colour, alpha=0.12, lw=0)
        right.semilogx(last.slack, last.slack.clip(max=1), "k:", label=r"promised: at most $\epsilon$ a step")
        right.set(xlabel=r"slack $\epsilon$, in units of value", ylim=(-0.02, 1.05))
        right.legend(loc="upper left")
    return fig
