"""Softmax policy gradient with exact gradients: θ_{k+1} = θ_k + η ∇V^{π_k}(μ)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mdplab.arrays import Array, exp, log_softmax
from mdplab.errors import MdplabError
from mdplab.kernels.softmax_pg import Ascent, advance, gather, nothing_yet, visits
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.checkpoints import every

if TYPE_CHECKING:
    from mdplab.exact import Optimum


@dataclass(frozen=True, eq=False)
class Iterate:
    """The k-th policy of a run, and what all policies up to it have in common.

    Parameters
    ----------
    k : int
        Updates so far.
    θ, log_π, π : array (..., S, A)
        Logits, log-probabilities and probabilities.
    least : array (...,), optional
        min over the iterates 0, ..., k (both included, also those not handed out) and over the states s of
        π(a*(s) | s), a* the given optimal policy: c_k of :cite:`mei2020`, Lemma 9.
    total_gap : array (...,), optional
        Σ over the iterates 0, ..., k of V*(μ) − V^π(μ), in units of value; a sum of non-negative terms.
    """

    k: int
    θ: Array
    log_π: Array
    π: Array
    least: Array = None
    total_gap: Array = None


def softmax_pg(
    mdp: DiscountedMDP,
    θ: Array | None = None,
    *,
    step_size: Any = None,
    at: Iterable[int] | None = None,
    optimum: Optimum | None = None,
) -> Iterator[Iterate]:
    """Yield the iterates of softmax policy gradient from θ_0 = `θ` (..., S, A), zero by default.

    Parameters
    ----------
    step_size : number or array (...,)
        η; by default (1 − γ)³ / 8, the step of :cite:`mei2020`, Theorem 4, which is made for rewards in [0, 1].
    at : increasing iterable of int
        Iteration numbers to yield at (see `mdplab.solvers.checkpoints`); every one by default.  What lies between two
        of them runs in a compiled kernel when it is large enough to be worth it.
    optimum : Optimum
        Of the same model (see `mdplab.exact.optimum`); with it, iterates carry `least` and `total_gap`.

    Raises
    ------
    MdplabError
        If `θ` or `step_size` has the wrong shape, or `at` does not increase from a number >= 0.

    Notes
    -----
    The gradient is exact (policy-gradient theorem), taken at the model's start distribution μ:
    ∂V/∂θ(s, a) = d(s) π(a | s) A^π(s, a) with d(s) = Σ_t γ^t P(s_t = s).
    """
    θ = mdp.r * 0 if θ is None else θ
    η = (1 - mdp.discount) ** 3 / 8 if step_size is None else step_size
    if tuple(θ.shape) != tuple(mdp.r.shape):
        raise MdplabError(f"θ has shape {tuple(θ.shape)}; logits of this model have shape {tuple(mdp.r.shape)}")
    if getattr(η, "shape", ()) not in ((), mdp.batch):
        raise MdplabError(f"step_size has shape {tuple(η.shape)}; expected one number or shape {mdp.batch}")
    ascent = Ascent(mdp, η) if optimum is None else Ascent(mdp, η, optimum.action, optimum.loss)
    return _run(ascent, θ, every() if at is None else at)


def _run(ascent: Ascent, θ: Array, at: Iterable[int]) -> Iterator[Iterate]:
    k = 0
    sums = None if ascent.loss is None else nothing_yet(ascent.mdp)  # over 0, ..., k − 1
    for n in _increasing(at):
        θ, sums = advance(ascent, θ, k, n, sums)
        k, log_π = n, log_softmax(θ)
        π = exp(log_π)
        if sums is None:
            yield Iterate(k, θ, log_π, π)
        else:
            here = gather(ascent, sums, π, visits(ascent.mdp, ascent.mdp.under(π)[0]))
            yield Iterate(k, θ, log_π, π, here.least, here.total_gap)


def _increasing(at: Iterable[int]) -> Iterator[int]:
    k = -1
    for n in at:
        if n <= k:
            raise MdplabError(f"checkpoint {n} comes after {k}; expected increasing iteration numbers from 0 on")
        yield (k := n)
