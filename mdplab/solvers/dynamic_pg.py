"""Softmax policy gradient over a finite horizon, exact gradients: all epochs at once, or one by one from the end.

`simultaneous_pg` and `dynamic_pg` of :cite:`klein2024`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab.arrays import (
    Array,
    exp,
    expand,
    is_exact,
    log_softmax,
    minimum,
    namespace,
    one_hot,
    smallest,
    total,
)
from mdplab.errors import MdplabError
from mdplab.exact import finite_horizon as exact
from mdplab.exact.values import centred
from mdplab.models import FiniteHorizonMDP
from mdplab.models.finite_horizon import indicator
from mdplab.solvers.softmax_pg import Iterate
from mdplab.solvers.thinning import thinned

if TYPE_CHECKING:
    from mdplab.exact import Optimum


def simultaneous_pg(
    mdp: FiniteHorizonMDP,
    θ: Array | None = None,
    *,
    step_size: Any = None,
    at: Iterable[int] | None = None,
    optimum: Optimum | None = None,
) -> Iterator[Iterate]:
    """Yield the iterates of gradient ascent on J(θ) = Σ start(h, s) V_h(s) in the logits of all epochs at once.

    Parameters
    ----------
    θ : array (..., S, A), optional
        Logits over all pairs of an epoch and a state; zero by default.
    step_size : number or array (...,), optional
        η; by default 1 / (5 H² R*), R* the model's `reward_bound`.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.
    optimum : Optimum, optional
        Of the same model (`mdplab.exact.finite_horizon.optimum`); with it iterates carry `least` and `total_gap`.

    Raises
    ------
    MdplabError
        If `θ` or `step_size` has the wrong shape, or `at` does not increase.
    """
    θ = mdp.rewards * 0 if θ is None else θ
    η = 1 / (5 * mdp.H**2 * mdp.reward_bound) if step_size is None else step_size
    _check(mdp, θ)
    if getattr(η, "shape", ()) not in ((), mdp.batch):
        raise MdplabError(f"step_size has shape {tuple(η.shape)}; expected one number or shape {mdp.batch}")
    return thinned(_ascent(mdp, θ, η, optimum), at)


def _ascent(mdp: FiniteHorizonMDP, θ: Array, η: Any, optimum: Optimum | None) -> Iterator[Iterate]:
    k, least, total_gap = 0, None, None
    while True:
        log_π = log_softmax(θ)
        π = exp(log_π)
        if optimum is not None:
            here, loses = smallest(total(π * optimum.policy)), exact.gap(mdp, π, optimum)
            least = here if least is None else minimum(least, here)
            total_gap = loses if total_gap is None else total_gap + loses
        yield Iterate(k, θ, log_π, π, least, total_gap)
        θ = θ + expand(η, 2) * exact.softmax_gradient(mdp, π)
        k += 1


@dataclass(frozen=True, eq=False)
class EpochIterate:
    """The k-th policy of a run in one epoch, or in several that do not touch each other.

    Parameters
    ----------
    k : int
        Updates so far.
    θ, log_π, π : array (..., S, A)
        Logits, log-probabilities and probabilities.
    least : array (..., S)
        min over the iterates 0, ..., k of π(a | s), a the best action of the state, the lowest of equals.
    """

    k: int
    θ: Array
    log_π: Array
    π: Array
    least: Array


def epoch_pg(
    q: Array, μ: Array, θ: Array | None = None, *, step_sizes: Any, at: Iterable[int] | None = None
) -> Iterator[EpochIterate]:
    """Yield the iterates of gradient ascent on Σ_s μ(s) Σ_a π(a | s) q(s, a), a contextual bandit.

    Parameters
    ----------
    q : array (..., S, A)
        What an action is worth; in the dynamic scheme Q_h with later epochs frozen.
    μ : array (..., S)
        Weights of the states.
    θ : array (..., S, A), optional
        Logits to begin with; zero by default, from where the best action never becomes unlikelier.
    step_sizes : number or array that broadcasts with μ
        η, one for each state: states and epochs do not touch each other here, so that several epochs may run together.
    at : increasing iterable of int, optional
        Iteration numbers to yield at; every one by default.
    """
    best = one_hot(exact.greedy(q), q.shape[-1], q)
    return thinned(_bandit_ascent(q, expand(μ * step_sizes, 1), q * 0 if θ is None else θ, best), at)


def _bandit_ascent(q: Array, weights: Array, θ: Array, best: Array) -> Iterator[EpochIterate]:
    k, least = 0, None
    while True:
        log_π = log_softmax(θ)
        π = exp(log_π)
        here = total(π * best)
        least = here if least is None else minimum(least, here)
        yield EpochIterate(k, θ, log_π, π, least)
        θ = θ + weights * π * centred(q, π)
        k += 1


@dataclass(frozen=True, eq=False)
class Trained:
    """The scheme after it has trained epoch `epoch`.

    Parameters
    ----------
    epoch : int
        h, the epoch just trained; the later ones have been before.
    π : array (..., S, A)
        The policy: trained rows from h on, the rows to begin with before.
    q : array (..., S_h, A)
        Q_h under the trained policies of later epochs, on which epoch h was trained.
    least : array (..., S_h)
        The smallest probability that the best action of a state had on the way.
    """

    epoch: int
    π: Array
    q: Array
    least: Array


def dynamic_pg(
    mdp: FiniteHorizonMDP,
    θ: Array | None = None,
    *,
    updates: Any,
    μ: Array | None = None,
    step_sizes: Any = None,
) -> Iterator[Trained]:
    """Train the epochs one after another from the last to the first, later ones frozen; yield after each.

    Parameters
    ----------
    θ : array (..., S, A), optional
        Logits to begin with, zero by default.
    updates : integers (..., H)
        N_h, how many updates each epoch gets.
    μ : array (..., S), optional
        For each epoch a distribution over its states, from which its objective starts; uniform by default.
    step_sizes : array (..., H), optional
        η_h; by default 1 / (2 (H − h) R*), R* the model's `reward_bound`.

    Raises
    ------
    MdplabError
        If `θ` or `updates` has the wrong shape.

    Notes
    -----
    What the policies of earlier epochs are does not matter for an epoch: training goes backward in time, as dynamic
    programming does, and each epoch is a contextual bandit.
    """
    θ = mdp.rewards * 0 if θ is None else θ
    _check(mdp, θ)
    updates = np.asarray(updates)
    if updates.shape not in ((mdp.H,), (*mdp.batch, mdp.H)):
        raise MdplabError(f"updates has shape {updates.shape}; expected {(mdp.H,)} or {(*mdp.batch, mdp.H)}")
    η = dynamic_step_sizes(mdp) if step_sizes is None else step_sizes
    μ = uniform_in_epochs(mdp) if μ is None else μ
    return _backward(mdp, mdp.split(θ, 2), updates, mdp.split(μ), η)


def dynamic_step_sizes(mdp: FiniteHorizonMDP) -> Array:
    """1 / (2 (H − h) R*) for each epoch;  (..., H)."""
    R = mdp.reward_bound
    steps = [np.asarray(1 / (2 * (mdp.H - h) * R)) if is_exact(R) else 1 / (2 * (mdp.H - h) * R) for h in range(mdp.H)]
    return namespace(mdp.start).stack(steps, axis=-1)


def uniform_in_epochs(mdp: FiniteHorizonMDP) -> Array:
    """1 / S_h for each state of epoch h;  (..., S)."""
    return mdp.joined([(0 * r[..., 0] + 1) / r.shape[-2] for r in mdp.r])


def _backward(
    mdp: FiniteHorizonMDP, θ: tuple[Array, ...], updates: np.ndarray, μ: tuple[Array, ...], η: Array
) -> Iterator[Trained]:
    rows = [exp(log_softmax(x)) for x in θ]
    for h in reversed(range(mdp.H)):
        q = mdp.split(exact.action_values(mdp, mdp.joined(rows, 2)), 2)[h]
        last = train_epoch(q, μ[h], θ[h], step_size=η[..., h], updates=updates[..., h])
        rows[h] = last.π
        yield Trained(h, mdp.joined(rows, 2), q, last.least)


def train_epoch(q: Array, μ: Array, θ: Array | None = None, *, step_size: Any, updates: Any) -> EpochIterate:
    """The iterate of `epoch_pg` after `updates` (...) updates, with a step size (...) for each model.

    Models that have had theirs wait for the others with weight zero.
    """
    k, least, updates = 0, None, np.asarray(updates)
    for n in np.unique(updates):
        going = expand(indicator(updates > k, q), 1) if updates.ndim else 1
        state = next(epoch_pg(q, μ, θ, step_sizes=going * expand(step_size, 1), at=[int(n) - k]))
        least = state.least if least is None else minimum(least, state.least)
        θ, k = state.θ, int(n)
    return EpochIterate(k, state.θ, state.log_π, state.π, least)


def _check(mdp: FiniteHorizonMDP, θ: Array) -> None:
    expected = (*mdp.batch, mdp.S, mdp.A)
    if tuple(θ.shape) != expected:
        raise MdplabError(f"θ has shape {tuple(θ.shape)}; logits of this model have shape {expected}")
