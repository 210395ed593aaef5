"""Does natural policy gradient feel where an episode starts, as softmax policy gradient does?

Deterministic models whose start distribution gives all states but one the same small probability; gaps are those of a
uniform start.  Policy gradient learns a state as slowly as it is started from, natural policy gradient does not look at
the start, and Theorem 5.3 bounds its gap by 2 / ((1 − γ)² T).  The paper states this (Section 5.3) and has no figure.
`mdplab run akm2021_npg_dimension_free`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import gap, optimum
from mdplab.instances import families
from mdplab.report.figures import BLUE, SHADES, STYLE, VERMILION
from mdplab.solvers import geometric, natural_pg, softmax_pg

SWEEP = {"least": [0.25, 1e-2, 1e-4], "algorithm": ["natural", "plain"]}
SEEDS = range(8)
STEPS = 30_000
DISCOUNT = 0.5
ALGORITHMS = {"natural": ("natural policy gradient", BLUE), "plain": ("softmax policy gradient", VERMILION)}


def measure(least: float, algorithm: str, seed: int, steps: int = STEPS) -> xr.Dataset:
    """V*(ρ) − V(ρ) at checkpoints T, ρ uniform, and the bound of Theorem 5.3 for η = (1 − γ)² log A."""
    mdp = families.deterministic(np.random.default_rng(seed), 1, S=4, A=3, discount=DISCOUNT)
    mdp = mdp.starting(np.array([[1 - 3 * least, least, least, least]]))
    best, everywhere = optimum(mdp), np.full((1, mdp.S), 1 / mdp.S)
    solver = {"natural": natural_pg, "plain": softmax_pg}[algorithm]
    # The natural gradient is at the optimum, to every digit of float64, long before the plain one.
    last = min(steps, 1000) if algorithm == "natural" else steps
    gaps = {it.k: float(gap(mdp, it.π, best, everywhere)[0]) for it in solver(mdp, at=geometric(last)) if it.k}
    T = np.array(list(geometric(steps))[1:])
    data = {"gap": ("T", [gaps.get(int(k), np.nan) for k in T]), "bound": ("T", 2 / ((1 - DISCOUNT) ** 2 * T))}
    return xr.Dataset(data, coords={"T": T})


def figure(data: xr.Dataset) -> plt.Figure:
    """A panel for each start distribution; a line is the median over models, its band holds them all."""
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(1, data.sizes["least"], figsize=(8.4, 3.3), sharey=True, layout="constrained")
        for ax, least in zip(np.atleast_1d(axes), data.least.values, strict=True):
            panel = data.sel(least=least)
            for algorithm, (label, colour) in ALGORITHMS.items():
                gaps = panel.gap.sel(algorithm=algorithm).dropna("T").clip(min=1e-12)
                ax.fill_between(gaps["T"], gaps.min("seed"), gaps.max("seed"), color=SHADES[colour], alpha=0.4, lw=0)
                ax.loglog(gaps["T"], gaps.median("seed"), color=colour, label=label)
            bound = panel.bound.isel(algorithm=0, seed=0)
            ax.loglog(bound["T"], bound, "--", color=SHADES[BLUE], label=r"$2 / ((1 - \gamma)^2 T)$")
            ax.set(ylim=(1e-9, 20), xlabel="updates $T$")
            ax.set_title(rf"$\min_s \mu(s) = {least:g}$", fontsize=10, loc="left")
        np.atleast_1d(axes)[0].set_ylabel(r"$V^*(\rho) - V^{(T)}(\rho)$, in units of reward")
        fig.legend(*np.atleast_1d(axes)[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return fig
