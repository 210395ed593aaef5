"""Mirror-descent policy optimisation as it is run: some gradient steps on the proximal objective of each update."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax, total
from mdplab.exact import advantages, occupancy
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.mirror_descent import MirrorIterate
from mdplab.solvers.thinning import thinned


def mdpo(
    mdp: DiscountedMDP,
    log_π: Array | None = None,
    *,
    step_sizes: Iterable[Any],
    inner_steps: int = 10,
    inner_step_size: Any = 1,
    at: Iterable[int] | None = None,
) -> Iterator[MirrorIterate]:
    """Yield the iterates of m gradient steps on E_{d^{π_k}} [Σ_a π A^{π_k} − KL(π ‖ π_k) / t_k] for each t_k.

    Parameters
    ----------
    mdp : DiscountedMDP
    log_π : array (..., S, A), optional
        First policy, or its logits; uniform by default.
    step_sizes : iterable of numbers or arrays (...,)
        t_0, t_1, ..., in the inverse unit of value; the iterates end with them.  The authors take 1 − k / K.
    inner_steps : int
        m; with infinitely many this is `mirror_descent` with step sizes t_k.
    inner_step_size : number or array (...,)
        Length of an inner step, in logits.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `log_π` or a step size has the wrong shape.

    References
    ----------
    :cite:`mdpo2020`.
    """
    η = per_model(mdp, "inner_step_size", inner_step_size)
    return thinned(_run(mdp, log_softmax(table(mdp, "log_π", log_π)), step_sizes, inner_steps, expand(η, 2)), at)


def _run(mdp: DiscountedMDP, log_π: Array, step_sizes: Iterable[Any], m: int, η: Any) -> Iterator[MirrorIterate]:
    yield MirrorIterate(0, log_π, exp(log_π))
    for k, t in enumerate(step_sizes, start=1):
        π = exp(log_π)
        A, d, t = advantages(mdp, π), occupancy(mdp, π), expand(per_model(mdp, "step_sizes", t), 2)
        log_new = log_π
        for _ in range(m):
            log_new = log_softmax(log_new + η * proximal_gradient(d, A, log_π, log_new, t))
        log_π = log_new
        yield MirrorIterate(k, log_π, exp(log_π))


def proximal_gradient(d: Array, A: Array, log_π: Array, log_new: Array, t: Any) -> Array:
    """∂/∂θ of Σ_s d(s) [Σ_a π' A − KL(π' ‖ π) / t] at π' = softmax θ;  (..., S, A)."""
    new, worth = exp(log_new), A - (log_new - log_π) / t
    return d[..., None] * new * (worth - total(new * worth)[..., None])
