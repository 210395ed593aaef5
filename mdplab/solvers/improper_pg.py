"""Softmax policy gradient over given controllers, exact: θ_{k+1} = θ_k + η ∇V^{w_k}(μ), w = softmax(θ)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax
from mdplab.errors import MdplabError
from mdplab.exact.improper import improper_gradient, mixture
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True, eq=False)
class ImproperIterate:
    """The k-th mixture of a run: updates so far, logits and weights (..., M), and the policy (..., S, A)."""

    k: int
    θ: Array
    w: Array
    π: Array


def improper_pg(
    mdp: DiscountedMDP,
    controllers: Array,
    θ: Array | None = None,
    *,
    step_size: Any = None,
    at: Iterable[int] | None = None,
) -> Iterator[ImproperIterate]:
    """Yield the mixtures of `controllers` that gradient ascent on the logits of their weights goes through.

    Parameters
    ----------
    mdp : DiscountedMDP
    controllers : array (..., M, S, A)
        Policies K_m; at every step one of them is drawn, with weights w(m) that no state changes.
    θ : array (..., M), optional
        First logits of the weights; zero by default.
    step_size : number or array (...,)
        η; by default (1 − γ)² / (7γ² + 4γ + 5), which is made for rewards in [0, 1].
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If an array or number has the wrong shape, or `at` does not increase from a number >= 0.

    References
    ----------
    :cite:`zaki2022`, the algorithm with a gradient oracle.
    """
    θ = weight_logits(mdp, controllers, θ)
    γ = mdp.discount
    η = (1 - γ) ** 2 / (7 * γ**2 + 4 * γ + 5) if step_size is None else step_size
    return thinned(_run(mdp, controllers, θ, expand(per_model(mdp, "step_size", η), 1)), at)


def weight_logits(mdp: DiscountedMDP, controllers: Array, θ: Array | None) -> Array:
    """`θ` (..., M), or zeros where there is none; raises MdplabError where shapes do not fit together."""
    if controllers.ndim < 3 or (*controllers.shape[:-3], *controllers.shape[-2:]) != tuple(mdp.r.shape):
        *batch, S, A = mdp.r.shape
        found = f"controllers have shape {tuple(controllers.shape)}"
        raise MdplabError(f"{found}; expected ({''.join(f'{n}, ' for n in batch)}M, {S}, {A})")
    θ = 0 * controllers[..., 0, 0] if θ is None else θ
    if tuple(θ.shape) != tuple(controllers.shape[:-2]):
        raise MdplabError(f"θ has shape {tuple(θ.shape)}; expected one number a controller, {controllers.shape[:-2]}")
    return θ


def _run(mdp: DiscountedMDP, controllers: Array, θ: Array, η: Any) -> Iterator[ImproperIterate]:
    for k in count():
        w = exp(log_softmax(θ))
        yield ImproperIterate(k, θ, w, mixture(controllers, w))
        θ = θ + η * improper_gradient(mdp, controllers, w)
