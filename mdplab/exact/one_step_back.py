"""Evaluation of confounded POMDPs by products of matrices of consecutive observations (:cite:`tennenholtz2020`)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from mdplab.arrays import Array, divided, expand, namespace, solve, total, transposed
from mdplab.errors import ModelError
from mdplab.exact.confounded import history_sum, rank
from mdplab.models import ConfoundedPOMDP


@dataclass(frozen=True, eq=False)
class OneStepLaw:
    """What the data show of one stage, the proxy being the observation before (at the first stage O_0).

    Attributes
    ----------
    seen : array (..., A, O, Q)
        Pr(O_t = o | A_t = a, proxy = q).
    reward : array (..., A, O, Q)
        E[R_t 1{O_t = o} | A_t = a, proxy = q].
    onwards : array (..., A, O, O, Q)
        Pr(O_{t+1} = o', O_t = o | A_t = a, proxy = q), indexed a, o, o', q.
    marginal : array (..., Q)
        Pr(proxy = q) under the behaviour policy.
    """

    seen: Array
    reward: Array
    onwards: Array
    marginal: Array


def one_step_laws(model: ConfoundedPOMDP, *, always_first: bool = False) -> tuple[Array, list[OneStepLaw]]:
    """(Pr(O_1 = o) (..., O), laws of the stages t = 0, ..., T − 1) under the behaviour policy.

    With `always_first` the proxy of every stage is O_0 and not the observation before.
    """
    xp, laws = namespace(model.P), []
    b, r = (transposed(x)[..., :, None, :] for x in (model.behaviour, model.r))  # a, 1, s
    P = xp.moveaxis(model.P, -2, -3)  # a, s, t
    E = model.E[..., None, :, :]
    joint = transposed(expand(model.start, 1) * model.proxy)  # q, s
    for _ in range(model.horizon):
        here = joint[..., None, :, :] * b  # a, q, s
        norm = total(here)
        seen, reward = (transposed(divided(x, norm[..., None])) for x in (here @ E, (here * r) @ E))  # a, o, q
        emitted = here[..., None, :, :] * transposed(E)[..., :, None, :]  # a, o, q, s
        arrived = (emitted @ P[..., None, :, :]) @ E[..., None, :, :]  # a, o, q, o'
        laws.append(OneStepLaw(seen, reward, transposed(divided(arrived, norm[..., None, :, None])), total(joint)))
        before = here if always_first else total(xp.moveaxis(emitted, -2, -1))  # a, q, s or a, o, s
        joint = total(xp.moveaxis(before @ P, -3, -1))
    return (model.start[..., None, :] @ model.E)[..., 0, :], laws


def proxy_weights(start: Array, laws: list[OneStepLaw]) -> list[Array]:
    """W_t over the values of the proxy, for each history and action: (..., N, A, Q), stage by stage.

    W_1 = Pr(O_1 | a_1, O_0)⁻¹ Pr(O_1) and W_t = Pr(O_t | a_t, O_{t−1})⁻¹ Pr(O_t, o_{t−1} | a_{t−1}, O_{t−2}) W_{t−1}.
    """
    xp = namespace(start)
    out = [solve(laws[0].seen, start[..., None, :] + 0 * laws[0].seen[..., 0])[..., None, :, :]]
    for law, following in pairwise(laws):
        # n, a, o, o': what W says of the next observation
        coming = (law.onwards[..., None, :, :, :, :] @ out[-1][..., :, :, None, :, None])[..., 0]
        coming = xp.moveaxis(coming, -2, -3)  # n, o, a, o'
        coming = xp.reshape(coming, (*coming.shape[:-4], -1, 1, coming.shape[-1]))
        out.append(solve(following.seen[..., None, :, :, :], coming + 0 * following.seen[..., None, :, :, 0]))
    return out


def weighted_rewards(model: ConfoundedPOMDP, laws: list[OneStepLaw], weights: list[Array]) -> Array:
    """g(h, o, a) = E[R_t 1{O_t = o} | a, proxy] W_t, to be summed by `history_sum`;  (..., H, O, A)."""
    xp = namespace(model.P)
    parts = [
        xp.moveaxis((law.reward[..., None, :, :, :] @ W[..., None])[..., 0], -1, -2)
        for law, W in zip(laws, weights, strict=True)
    ]
    return xp.concat(parts, axis=-3)


def one_step_back_value(model: ConfoundedPOMDP, π: Array) -> Array:
    """V^π from the law of the data alone, by matrices of consecutive observations;  (..., H, O, A) -> (...).

    Raises
    ------
    ModelError
        If states, observations and values of the proxy are not equally many.

    References
    ----------
    :cite:`tennenholtz2020`, Theorem 1 (as recalled on its card).
    """
    if not model.S == model.O == model.Q:
        raise ModelError(
            f"there are {model.S} states, {model.O} observations and {model.Q} values of the proxy; expected as many"
        )
    start, laws = one_step_laws(model)
    return history_sum(model, weighted_rewards(model, laws, proxy_weights(start, laws)), π)


def invertible(model: ConfoundedPOMDP, *, always_first: bool = False) -> np.ndarray:
    """Whether all matrices Pr(O_t | a, proxy) that the weights need are invertible;  (...)."""
    if not model.S == model.O == model.Q:
        return np.zeros(model.batch, dtype=bool)
    _, laws = one_step_laws(model, always_first=always_first)
    full = np.ones(model.batch, dtype=bool)
    for law in laws:
        full = full & (rank(law.seen) == model.S).all(axis=-1)
    return full
