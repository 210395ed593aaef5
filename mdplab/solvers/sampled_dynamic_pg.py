"""Sampled dynamic policy gradient: epochs trained one by one from the last, from trajectories (:cite:`klein2024`)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np

from mdplab.arrays import Array, softmax
from mdplab.errors import MdplabError
from mdplab.models import FiniteHorizonMDP
from mdplab.sampling import Draws, Trajectories, observed_return, rollouts, score_sum
from mdplab.sampling.chains import aligned
from mdplab.solvers.dynamic_pg import dynamic_step_sizes, uniform_in_epochs
from mdplab.solvers.sampled_simultaneous_pg import FiniteHorizonSample, moved


def first_action(trajectories: Trajectories, policy: Array) -> Array:
    """R̂ ∇ log π(a_0 | s_0), R̂ all that is paid: the score of the first action alone;  -> (..., S, A)."""
    paid = observed_return(trajectories)
    ψ = np.stack([paid, *[0 * paid] * (trajectories.H - 1)], axis=-1)
    return score_sum(trajectories, ψ, policy)


def in_front(rows: Array, later: Array) -> Array:
    """Policies `rows` (..., S_h, A) of one epoch in front of those of later ones (..., n, A), as one array."""
    lead = max(rows.ndim, later.ndim) - 2
    rows, later = aligned(rows, 2, lead), aligned(later, 2, lead)
    batch = np.broadcast_shapes(rows.shape[:-2], later.shape[:-2])
    return np.concatenate([np.broadcast_to(x, (*batch, *x.shape[-2:])) for x in (rows, later)], axis=-2)


def sampled_epoch_pg(
    mdp: FiniteHorizonMDP,
    later: Array,
    θ: Array | None = None,
    *,
    draws: Draws,
    step_size: Any,
    batch: int = 1,
    first_round: int = 0,
    estimate: Any = first_action,
) -> Iterator[FiniteHorizonSample]:
    """Yield the iterates of sampled ascent in the first epoch of a model, whose later epochs play `later`.

    Parameters
    ----------
    mdp : FiniteHorizonMDP
        That starts in its first epoch, from μ_h.
    later : array (..., S − S_0, A)
        Frozen policies of the later epochs; empty for a model of one epoch.
    θ : array (..., S_0, A), optional
        Logits, zero by default.
    step_size : number or array (...,)
    batch : int
        Trajectories for one update of one replicate.
    first_round : int
        Update k uses the draws of round `first_round` + k.
    estimate : function of (trajectories, policy)
        Of the gradient; the rows of the first epoch count.
    """
    S, θ = mdp.sizes[0], 0 * mdp.r[0] if θ is None else θ
    for k in count():
        π = softmax(θ)
        here = draws.at(first_round + k)
        policy = in_front(π, later)
        g = estimate(rollouts(mdp, policy, mdp.H, here if batch == 1 else here.samples(batch)), policy)
        g = (g if batch == 1 else g.mean(axis=-3))[..., :S, :]
        yield FiniteHorizonSample(k, θ, π, g)
        θ = moved(θ, step_size, g)


def sampled_dynamic_pg(
    mdp: FiniteHorizonMDP,
    *,
    draws: Draws,
    updates: Sequence[int],
    batches: Sequence[int],
    μ: Array | None = None,
    step_sizes: Array | None = None,
) -> Iterator[Array]:
    """Train the epochs from the last to the first, one run for each draw; yield the trained policies after each.

    Parameters
    ----------
    updates, batches : sequences of H integers
        N_h and K_h.  Those of the theorem, N_h ~ 1/ε² and K_h ~ N_h³, are beyond any computer, see the card.
    μ : array (..., S), optional
        For each epoch a distribution over its states, from which its trajectories start; uniform by default.
    step_sizes : array (..., H), optional
        η_h; by default 1 / (2 (H − h) R* √N_h), R* the model's `reward_bound`.

    Yields
    ------
    array (..., S_h + ... + S_{H−1}, A)
        Policies of the epochs that are trained by now; epochs begin without preference.
    """
    if len(updates) != mdp.H or len(batches) != mdp.H:
        raise MdplabError(f"{len(updates)} updates and {len(batches)} batches; expected {mdp.H} of each")
    η = dynamic_step_sizes(mdp) / np.sqrt(np.maximum(updates, 1)) if step_sizes is None else step_sizes
    starts = mdp.split(uniform_in_epochs(mdp) if μ is None else μ)
    later, rounds = 0 * mdp.r[-1][..., :0, :], 0
    for h in reversed(range(mdp.H)):
        tail = FiniteHorizonMDP(mdp.P[h:], mdp.r[h:], starts[h])
        run = sampled_epoch_pg(tail, later, draws=draws, step_size=η[..., h], batch=int(batches[h]), first_round=rounds)
        for it in run:
            if it.k == updates[h]:
                break
        later, rounds = in_front(it.π, later), rounds + int(updates[h])
        yield later
