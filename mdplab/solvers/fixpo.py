"""FixPO: a penalised main phase, then fixup sweeps until no state is further from the old policy than allowed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Any, Literal

import numpy as np

from mdplab.arrays import Array, exact_distribution, floats, is_exact, namespace, softmax
from mdplab.errors import MdplabError
from mdplab.exact import advantages, divergence
from mdplab.models.discounted import DiscountedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.thinning import thinned
from mdplab.solvers.trust_region import PolicyIterate

SWEEPS = 10_000  # of the fixup phase, at most; a few are usual
ROUNDING = 1e-12  # relative; so that a policy made exact still lies within the region


def fixpo(
    mdp: DiscountedMDP,
    π: Array | None = None,
    *,
    radius: Any = 0.2,
    main_steps: int = 30,
    step_size: float = 1.5,
    multiplier_step: float = 0.05,
    fixup: Literal["each", "mean", "none"] = "each",
    at: Iterable[int] | None = None,
) -> Iterator[PolicyIterate]:
    """Yield the iterates of FixPO with every state once in its batch, without end.

    Parameters
    ----------
    mdp : DiscountedMDP
        In any arithmetic; steps are computed in float64 on the CPU and then taken to be what they are.
    π : array (..., S, A), optional
        First policy, all probabilities positive; uniform by default.
    radius : number or array (...,), optional
        ε_KL > 0: the largest divergence KL(π_k ‖ π_{k+1}) in a state, in nats.
    main_steps : int, optional
        Steps of θ and of the multiplier β in the main phase.
    step_size, multiplier_step : float, optional
        Their lengths.
    fixup : "each", "mean" or "none", optional
        Whether the fixup phase ends when each state is within the radius, as it should, or when the mean over the
        states is; or whether there is none.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `π` or `radius` has the wrong shape, if `fixup` is not known, or if ten thousand sweeps of the fixup phase do
        not end.

    Notes
    -----
    The loss is −mean(r A) + β mean KL over the states; then β follows β (ε_KL − 2 max KL) down, but not below zero.
    Plain gradient steps stand for Adam, and advantages are divided by the largest.

    References
    ----------
    :cite:`fixpo2023`.
    """
    if fixup not in ("each", "mean", "none"):
        raise MdplabError(f"fixup is {fixup!r}; expected 'each', 'mean' or 'none'")
    first = (table(mdp, "π", None) + 1) / mdp.A if π is None else table(mdp, "π", π)
    ε = np.asarray(floats(per_model(mdp, "radius", radius)))
    return thinned(_run(mdp, first, ε * (1 - ROUNDING), main_steps, step_size, multiplier_step, fixup), at)


def _run(
    mdp: DiscountedMDP, π: Array, ε: np.ndarray, main: int, step: float, multiplier_step: float, fixup: str
) -> Iterator[PolicyIterate]:
    β: Any = np.ones(mdp.batch)
    for k in count():
        yield PolicyIterate(k, π)
        old, A = floats(π), floats(advantages(mdp, π))
        A = A / np.maximum(abs(A).max(axis=(-1, -2), keepdims=True), 1e-300)
        θ = np.log(old)
        for _ in range(main):
            new = softmax(θ)
            gain = new * (A - (new * A).sum(axis=-1, keepdims=True))
            θ = θ + step / mdp.S * (gain - β[..., None, None] * (new - old))
            β = _multiplier(β, divergence(old, softmax(θ)).max(axis=-1), ε, multiplier_step)
        for sweep in count():
            new = softmax(θ)
            apart = divergence(old, new)
            far = apart.mean(axis=-1) if fixup == "mean" else apart.max(axis=-1)
            outside = far > ε
            if fixup == "none" or not outside.any():
                break
            if sweep == SWEEPS:
                raise MdplabError(f"{SWEEPS} sweeps have left KL = {far.max():g} outside the trust region")
            pull = np.where(outside, step * np.maximum(β, 1e-3) / mdp.S, 0.0)
            θ = θ - np.minimum(pull, 1.0)[..., None, None] * (new - old)
            β = np.where(outside, _multiplier(β, far, ε, multiplier_step), β)
        π = exact_distribution(new) if is_exact(π) else namespace(π).asarray(new)


def _multiplier(β: np.ndarray, far: np.ndarray, ε: np.ndarray, step: float) -> np.ndarray:
    return np.maximum(β - step * (ε - 2 * far), 0.0)
