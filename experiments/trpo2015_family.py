"""What do guarantees cost: how fast do the methods of the trust-region family improve a policy with exact values?

Sub-optimality, and the largest total variation between consecutive policies, along conservative policy iteration, TRPO
with the penalty of its theorem, FixPO, mirror descent policy optimisation, simple policy optimisation and the clipped
surrogate, all with their papers' defaults and from the uniform policy.  The step of the first two is proved never to
hurt; FixPO keeps to its trust region; nothing holds a maximiser of the clipped surrogate back.  None of the papers
draws it.  `mdplab run trpo2015_family`
"""

from itertools import islice, repeat

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import gap, optimum
from mdplab.instances import families
from mdplab.report.figures import BLUE, GREEN, GREY, PURPLE, STYLE, VERMILION
from mdplab.solvers import (
    clipped_policy_optimization,
    conservative_policy_iteration,
    fixpo,
    mdpo,
    simple_policy_optimization,
    trust_region,
)

SWEEP = {"family": ["garnet", "chain"]}
SIZES = {"garnet": {"S": 6, "A": 3}, "chain": {"S": 6}}
DISCOUNT, MODELS, UPDATES = 0.9, 20, 200
METHODS = {
    "CPI": (conservative_policy_iteration, GREY, "-"),
    "TRPO, penalty of the theorem": (trust_region, VERMILION, "-"),
    "FixPO": (fixpo, GREEN, "-"),
    "MDPO, ten inner steps": (lambda mdp: mdpo(mdp, step_sizes=repeat(1)), PURPLE, "-"),
    "SPO": (simple_policy_optimization, BLUE, "-"),
    "clipped surrogate": (clipped_policy_optimization, "black", ":"),
}


def measure(family: str, models: int = MODELS, updates: int = UPDATES) -> xr.Dataset:
    """Gaps and lengths of steps for each method, update and model."""
    mdp = families.by_name[family](np.random.default_rng(2015), models, discount=DISCOUNT, **SIZES[family])
    best, gaps, steps = optimum(mdp), [], []
    for method, _, _ in METHODS.values():
        policies = np.stack([it.π for it in islice(method(mdp), updates + 1)])
        gaps.append([gap(mdp, π, best) for π in policies])
        steps.append(abs(np.diff(policies, axis=0)).sum(axis=-1).max(axis=-1) / 2)
    steps = [np.concatenate([step, step[-1:]]) for step in steps]  # as many as gaps; the last one is not drawn
    names = ("rule", "k", "model")
    return xr.Dataset(
        {"gap": (names, np.array(gaps)), "step": (names, np.array(steps))},
        coords={"rule": list(METHODS), "k": np.arange(updates + 1), "model": np.arange(models)},
    )


def figure(data: xr.Dataset) -> plt.Figure:
    """A column for each family: gaps above, lengths of steps below; medians, and half of the models as a band."""
    with plt.rc_context(STYLE):
        shape = (2, data.sizes["family"])
        fig, axes = plt.subplots(*shape, figsize=(7.6, 5.6), sharex=True, sharey="row", layout="constrained")
        for family, column in zip(data.family.values, axes.T, strict=True):
            for name, (_, colour, dashes) in METHODS.items():
                panel = data.sel(family=family, rule=name)
                for ax, y in zip(column, (panel.gap.clip(1e-12), panel.step[:-1].clip(1e-12)), strict=True):
                    ax.loglog(y.k + 1, y.median("model"), dashes, color=colour, label=name)
                    low, high = y.quantile([0.25, 0.75], "model")
                    ax.fill_between(y.k + 1, low, high, color=colour, alpha=0.12, lw=0)
            column[0].set_title(rf"{family}, $\gamma = {DISCOUNT}$", fontsize=10, loc="left")
            column[0].set_ylim(1e-9, None)
            column[1].set_ylim(1e-9, 2)
            column[1].set_xlabel("updates + 1")
        axes[0, 0].set_ylabel("sub-optimality")
        axes[1, 0].set_ylabel("largest total variation of a step")
        fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return fig
