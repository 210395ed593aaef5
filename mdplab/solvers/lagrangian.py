"""Ascent in the policy and descent in the multipliers of the Lagrangian: plain, alternating, or optimistic (ReLOAD)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mdplab.arrays import Array, exp, expand, log_softmax
from mdplab.models import ConstrainedMDP
from mdplab.solvers.inputs import per_model, table
from mdplab.solvers.primal_dual import PrimalDualIterate, evaluated, first_multipliers, positive_part
from mdplab.solvers.thinning import thinned


@dataclass(frozen=True)
class Play:
    """How the two players move.

    Parameters
    ----------
    policy, multipliers : int
        Weight of the last change of the gradient in each player's step: 0 is plain, 1 optimistic.
    alternating : bool
        Whether the multipliers answer the policy just made, not the one before.
    """

    policy: int = 0
    multipliers: int = 0
    alternating: bool = False


PLAIN, ALTERNATING, OPTIMISTIC = Play(), Play(alternating=True), Play(1, 1)


def gradient_descent_ascent(
    cmdp: ConstrainedMDP,
    log_π: Array | None = None,
    multipliers: Array | None = None,
    *,
    step_size: Any,
    multiplier_step_size: Any,
    alternating: bool = False,
    at: Iterable[int] | None = None,
) -> Iterator[PrimalDualIterate]:
    """Yield the iterates of natural policy ascent and projected multiplier descent on the Lagrangian, without end.

    z_{k+1} = z_k + η (1 − γ) Q^{π_k}_{r + λ_k u},  λ_{k+1} = [λ_k − η_λ (1 − γ)(V_u^{π_k}(μ) − b)]_+.

    Parameters
    ----------
    log_π : array (..., S, A), optional
        First policy, or its logits; uniform by default.
    multipliers : array (..., I), optional
        λ_0 >= 0; zero by default.
    step_size, multiplier_step_size : number or array (...,)
        η and η_λ, on values normalised by 1 − γ.
    alternating : bool
        Whether λ_{k+1} answers π_{k+1} rather than π_k.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    MdplabError
        If `log_π`, `multipliers` or a step size has the wrong shape.

    Notes
    -----
    The last iterate circles around the saddle point; averages of occupancy measures converge.
    """
    play = ALTERNATING if alternating else PLAIN
    return descent_ascent(cmdp, log_π, multipliers, play, step_size, multiplier_step_size, at)


def reload(
    cmdp: ConstrainedMDP,
    log_π: Array | None = None,
    multipliers: Array | None = None,
    *,
    step_size: Any,
    multiplier_step_size: Any,
    at: Iterable[int] | None = None,
) -> Iterator[PrimalDualIterate]:
    """Yield the iterates of ReLOAD, whose last iterate converges: both players count the last change twice.

    z_{k+1} = z_k + η (2 q_k − q_{k−1}) with q_k = (1 − γ) Q^{π_k}_{r + λ_k u}, likewise for λ; the first step is plain.

    Parameters and errors are those of `gradient_descent_ascent`.

    References
    ----------
    :cite:`moskovitz2023`.
    """
    return descent_ascent(cmdp, log_π, multipliers, OPTIMISTIC, step_size, multiplier_step_size, at)


def descent_ascent(
    cmdp: ConstrainedMDP,
    log_π: Array | None,
    multipliers: Array | None,
    play: Play,
    step_size: Any,
    multiplier_step_size: Any,
    at: Iterable[int] | None = None,
) -> Iterator[PrimalDualIterate]:
    """Yield the iterates of any `play`; `gradient_descent_ascent` and `reload` are three of them."""
    η = per_model(cmdp.mdp, "step_size", step_size)
    η_λ = per_model(cmdp.mdp, "multiplier_step_size", multiplier_step_size)
    z, λ = log_softmax(table(cmdp.mdp, "log_π", log_π)), first_multipliers(cmdp, multipliers)
    return thinned(_run(cmdp, z, λ, play, expand(η, 2), expand(η_λ, 1)), at)


def _run(cmdp: ConstrainedMDP, z: Array, λ: Array, play: Play, η: Any, η_λ: Any) -> Iterator[PrimalDualIterate]:
    k, q_before, h_before, scale = 0, None, None, 1 - cmdp.γ(1)
    while True:
        π = exp(z)
        q, value, slack = evaluated(cmdp, π, λ)
        q, h = expand(scale, 1) * q, scale * slack
        yield PrimalDualIterate(k, z, π, λ, value, slack)
        ascent = q if q_before is None else q + play.policy * (q - q_before)
        descent = h if h_before is None else h + play.multipliers * (h - h_before)
        z = log_softmax(z + η * ascent)
        if play.alternating:
            descent = scale * evaluated(cmdp, exp(z), λ)[2]
        λ = positive_part(λ - η_λ * descent)
        k, q_before, h_before = k + 1, q, h
