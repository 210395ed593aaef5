"""What does λ buy in generalised advantage estimation: how are bias and variance traded if values are wrong?

Exact bias (baseline taken off), standard deviation and root mean square error, without sampling, for guesses V^π + e
with e of three sizes.  The paper shows learning curves instead.  `mdplab run gae2016_bias_and_variance`
"""

import matplotlib.pyplot as plt
import numpy as np
import xarray as xr

from mdplab.exact import advantages, gae_mean, gae_variance, values
from mdplab.instances import families
from mdplab.report.figures import BLUE, GREEN, STYLE, VERMILION

SWEEP = {"discount": [0.9, 0.99], "error": [0.0, 0.3, 1.0]}
MODELS = 40
TRACES = np.linspace(0, 1, 41)
CURVES = {"bias": ("bias", VERMILION), "deviation": ("standard deviation", BLUE), "error_in_all": ("both", GREEN)}


def measure(discount: float, error: float) -> xr.Dataset:
    """Root mean squares over states and actions, in units of reward."""
    rng = np.random.default_rng(2016)
    mdp = families.garnet(rng, MODELS, S=8, A=3, b=3, discount=discount)
    π = np.full_like(mdp.r, 1 / mdp.A)
    off = error * rng.normal(size=(MODELS, mdp.S))
    v, A = values(mdp, π) + off, advantages(mdp, π)
    bias = [((gae_mean(mdp, π, v, λ) + off[..., None] - A) ** 2).mean(axis=(-1, -2)) for λ in TRACES]
    variance = [gae_variance(mdp, π, v, λ).mean(axis=(-1, -2)) for λ in TRACES]
    squares = {"bias": np.stack(bias), "deviation": np.stack(variance)}
    squares["error_in_all"] = squares["bias"] + squares["deviation"]
    data = {name: (("trace", "model"), np.sqrt(np.maximum(x, 0))) for name, x in squares.items()}
    return xr.Dataset(data, coords={"trace": TRACES})


def figure(data: xr.Dataset) -> plt.Figure:
    """A row for each discount factor, a column for each size of error; bands hold half of the models."""
    shape = (data.sizes["discount"], data.sizes["error"])
    with plt.rc_context(STYLE):
        fig, axes = plt.subplots(*shape, figsize=(7.6, 4.8), sharex=True, sharey="row", layout="constrained")
        for (i, j), ax in np.ndenumerate(axes):
            panel = data.isel(discount=i, error=j)
            for name, (label, colour) in CURVES.items():
                ax.plot(data.trace, panel[name].median("model"), color=colour, label=label)
                low, high = panel[name].quantile([0.25, 0.75], "model")
                ax.fill_between(data.trace, low, high, color=colour, alpha=0.12, lw=0)
            γ, e = data.discount.values[i], data.error.values[j]
            ax.set_title(rf"$\gamma = {γ}$, error of $\hat V$: {e:g}", fontsize=10, loc="left")
        for ax in axes[:, 0]:
            ax.set_ylim(0, None)
        for ax in axes[-1]:
            ax.set_xlabel(r"$\lambda$")
        fig.supylabel(r"root mean square, in units of reward", fontsize=10)
        fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3)
    return fig
