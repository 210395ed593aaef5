"""Natural policy gradient over given controllers, exact: w(m) ← w(m) exp(η Σ_s d(s) Ã(s, m) / (1 − γ)), normalised."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax, namespace
from mdplab.exact.improper import controller_advantages, mixture
from mdplab.exact.visits import visits
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.improper_pg import ImproperIterate, weight_logits
from mdplab.solvers.inputs import per_model
from mdplab.solvers.thinning import thinned


def improper_natural_pg(
    mdp: DiscountedMDP,
    controllers: Array,
    θ: Array | None = None,
    *,
    step_size: Any,
    at: Iterable[int] | None = None,
) -> Iterator[ImproperIterate]:
    """Yield the mixtures of `controllers` (..., M, S, A) that natural gradient ascent on their weights goes through.

    Parameters and errors as for `improper_pg`; the step size η has no default.  The Fisher matrix diag w − w wᵀ of the
    weights cancels w(m) in the gradient, but not the visits: unlike for policies, they do not factor by state.

    References
    ----------
    :cite:`zaki2022`, the natural actor-critic with exact values.
    """
    η = expand(per_model(mdp, "step_size", step_size), 1)
    return thinned(_run(mdp, controllers, weight_logits(mdp, controllers, θ), η), at)


def _run(mdp: DiscountedMDP, controllers: Array, θ: Array, η: Any) -> Iterator[ImproperIterate]:
    for k in count():
        w = exp(log_softmax(θ))
        π = mixture(controllers, w)
        yield ImproperIterate(k, θ, w, π)
        gains = expand(visits(mdp, π), 1) * controller_advantages(mdp, controllers, w)
        θ = θ + η * namespace(gains).sum(gains, axis=-2)
