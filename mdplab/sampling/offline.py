"""Data of a confounded model: what a behaviour policy that sees the hidden state leaves behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import Array, divided
from mdplab.models.confounded import ConfoundedPOMDP
from mdplab.sampling.chains import entries, indicator, no_moves, zeros
from mdplab.sampling.draws import Draws
from mdplab.sampling.outcomes import Outcomes
from mdplab.sampling.rollouts import walk


@dataclass(frozen=True, eq=False)
class OfflineData:
    """O_0 and (O_t, A_t, R_t) for t = 1, ..., T, batched over leading axes.

    Attributes
    ----------
    proxy : int array (...,)
        O_0, seen before anything happens.
    observations, actions : int array (..., T)
    rewards : array (..., T)
    hidden : int array (..., T + 1)
        The states of the model; no estimator may use them.
    """

    proxy: Any
    observations: Any
    actions: Any
    rewards: Array
    hidden: Any

    @property
    def size(self) -> int:
        """Number of trajectories that count as one data set: the length of the last batch axis."""
        return int(self.proxy.shape[-1])

    def histories(self, O: int, A: int) -> np.ndarray:  # noqa: E741
        """Number, among the histories of its stage, of what was seen before each step;  (..., T)."""
        h = [0 * self.proxy]
        for t in range(self.actions.shape[-1] - 1):
            h.append((h[-1] * O + self.observations[..., t]) * A + self.actions[..., t])
        return np.stack(h, axis=-1)


@dataclass(frozen=True, eq=False)
class SeenLaw:
    """Frequencies of what is observed around one action, with the fields that `mdplab.exact.bridges` asks of a law.

    Attributes
    ----------
    seen, reward : array (..., N, A, Q, O)
        Share of data with this history, action, proxy and observation, and their rewards summed over all data.
    next_seen : array (..., N, A, Q, O, O), or None at the last stage
        Share by the next observation too.
    """

    seen: Array
    reward: Array
    next_seen: Array | None


def seen_laws(model: ConfoundedPOMDP, data: OfflineData, probability: Array | None = None) -> list[SeenLaw]:
    """The law of the data by counting over the last batch axis, stage by stage; `model` gives the sizes only.

    With the `probability` (..., n) of `Outcomes` in place of 1/n it is the exact law.  As `laws` of
    `mdplab.exact.identified_value` it makes the estimate of a target policy's value by counts; ask
    ``mdplab.exact.identification(model).require()`` first, for without overlap or with proxies of deficient rank the
    equations have no or too many solutions.
    """
    A, O, Q = model.A, model.O, model.Q  # noqa: E741
    p, laws, histories = _shares(data, probability), [], data.histories(O, A)
    for t in range(model.horizon):
        sizes = ((O * A) ** t, A, Q, O)
        index = (histories[..., t], data.actions[..., t], data.proxy, data.observations[..., t])
        last = t + 1 == model.horizon
        following = None if last else _summed(p, (*sizes, O), (*index, data.observations[..., t + 1]))
        laws.append(SeenLaw(_summed(p, sizes, index), _summed(p * data.rewards[..., t], sizes, index), following))
    return laws


@dataclass(frozen=True, eq=False)
class SeenOneStep:
    """Frequencies of one stage given the observation before, with the fields of the exact `OneStepLaw`.

    Attributes
    ----------
    seen, reward : array (..., A, O, Q)
        Share of data with this observation, and their mean rewards, among those with this action and proxy.
    onwards : array (..., A, O, O, Q), or None at the last stage
    marginal : array (..., Q)
    """

    seen: Array
    reward: Array
    onwards: Array | None
    marginal: Array


def one_step_counts(
    model: ConfoundedPOMDP, data: OfflineData, probability: Array | None = None
) -> tuple[Array, list[SeenOneStep]]:
    """(frequencies of O_1 (..., O), those of each stage): `mdplab.exact.one_step_back.one_step_laws` by counting."""
    A, O, p, laws = model.A, model.O, _shares(data, probability), []  # noqa: E741
    proxy, Q = data.proxy, model.Q
    for t in range(model.horizon):
        a, o = data.actions[..., t], data.observations[..., t]
        among = _summed(p, (A, Q), (a, proxy))
        last = t + 1 == model.horizon
        counted = [_summed(x, (A, O, Q), (a, o, proxy)) for x in (p, p * data.rewards[..., t])]
        seen, reward = (divided(x, among[..., None, :]) for x in counted)
        following = None if last else _summed(p, (A, O, O, Q), (a, o, data.observations[..., t + 1], proxy))
        onwards = None if following is None else divided(following, among[..., None, None, :])
        laws.append(SeenOneStep(seen, reward, onwards, _summed(p, (Q,), (proxy,))))
        proxy, Q = o, O
    return _summed(p, (O,), (data.observations[..., 0],)), laws


def _shares(data: OfflineData, probability: Array | None) -> Array:
    if probability is not None:
        return probability
    return indicator(np.ones(data.proxy.shape, dtype=bool), data.rewards) / data.size


def _summed(x: Array, sizes: tuple[int, ...], index: tuple[np.ndarray, ...]) -> Array:
    """x (..., n) summed over n into cells of shape `sizes`, by index;  -> (..., *sizes)."""
    out = zeros((*x.shape[:-1], *sizes), x)
    where = [i[..., None] for i in np.indices(x.shape[:-1])]
    np.add.at(out, (*where, *index), x)
    return out


def offline_data(model: ConfoundedPOMDP, draws: Draws | Outcomes) -> OfflineData:
    """One trajectory of the behaviour policy for each draw; every trajectory for `Outcomes`.

    A reward is 0 or 1 with mean r(S_t, A_t) in models with 0 <= r <= 1, and r(S_t, A_t) itself in others.  Whether such
    data determine the value of a target policy is for `mdplab.exact.identification` to say, before one estimates.
    """
    S, A, O, Q, batch = model.S, model.A, model.O, model.Q, model.batch  # noqa: E741
    small = np.asarray((model.r >= 0) & (model.r <= 1), dtype=bool).all(axis=(-1, -2), keepdims=True)
    one = indicator(np.ones((), dtype=bool), model.r)
    chance, paid = np.where(small, model.r, one), np.where(small, one, model.r)
    # States of the chain are (q, s, o), where q never changes; its actions (a, ρ) pay where ρ = 1.
    n = Q * S * O
    start = np.moveaxis(model.proxy, -1, -2)[..., None] * (model.start[..., None] * model.E)[..., None, :, :]
    kernel = no_moves(batch, n, 2 * A, model.P).reshape(*batch, Q, S, O, A, 2, Q, S, O)
    reached = model.P[..., None] * model.E[..., None, None, :, :]  # s, a, t, o'
    for q in range(Q):
        kernel[..., q, :, :, :, :, q, :, :] = reached[..., :, None, :, None, :, :]
    chosen = model.behaviour[..., None] * np.stack([one - chance, chance], axis=-1)  # s, a, ρ
    policy = np.broadcast_to(chosen[..., None, :, None, :, :], (*batch, Q, S, O, A, 2))
    nodes, moves = walk(
        start.reshape(*batch, n),
        kernel.reshape(*batch, n, 2 * A, n),
        policy.reshape(*batch, n, 2 * A),
        model.horizon,
        draws,
    )
    proxy, hidden, observed = np.unravel_index(nodes, (Q, S, O))
    actions, ρ = np.divmod(moves, 2)
    rewards = indicator(ρ == 1, model.r) * entries(paid, 2, hidden[..., :-1], actions)
    return OfflineData(proxy[..., 0], observed[..., :-1], actions, rewards, hidden)
