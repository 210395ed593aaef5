"""Finite-horizon Markov decision processes: kernels, rewards and state spaces of their own in each epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from mdplab.arrays import EPS, Array, exact_distribution, floats, is_exact, largest, maximum, namespace, rational, total
from mdplab.errors import ModelError
from mdplab.models.discounted import _check_distributions, _check_finite


@dataclass(frozen=True, eq=False)
class FiniteHorizonMDP:
    """H decisions in epochs h = 0, ..., H − 1 and total reward, or a batch of such models of equal sizes.

    Parameters
    ----------
    P : tuple of H − 1 arrays (..., S_h, A, S_{h+1})
        ``P[h][..., s, a, t]`` is the probability that action a in epoch h takes state s to state t of epoch h + 1.
    r : tuple of H arrays (..., S_h, A)
        Expected rewards of each epoch; what comes after the last decision is part of the last reward.
    start : array (..., S_0) or (..., S), optional
        Where and when one starts: a distribution over the states of epoch 0, by default uniform, or over all pairs of
        an epoch and a state ("enlarged start distribution").  It is kept in the second form.

    Raises
    ------
    ModelError
        If shapes disagree, an entry is not finite, or a row of `P` or `start` is no distribution.

    Notes
    -----
    Pairs of an epoch and a state are numbered through, epoch by epoch: S = S_0 + ... + S_{H−1} of them.  Values are
    arrays (..., S), and action values, logits and policies are arrays (..., S, A), so that a time-dependent policy is
    one array; `split` cuts such an array into epochs.  The state spaces may differ from epoch to epoch.  Everything
    follows ``r``, as for `DiscountedMDP`.  Nothing is discounted.
    """

    P: tuple[Array, ...]
    r: tuple[Array, ...]
    start: Array = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "P", tuple(self.P))
        object.__setattr__(self, "r", tuple(self.r))
        if not self.r or len(self.P) != len(self.r) - 1:
            raise ModelError(f"P has {len(self.P)} kernels and r has {len(self.r)} epochs; expected H − 1 and H >= 1")
        for h, r in enumerate(self.r):
            wanted = (*self.batch, "S", self.A)
            if r.ndim < 2 or 0 in r.shape[-2:] or (*r.shape[:-2], r.shape[-1]) != (*self.batch, self.A):
                raise ModelError(f"r[{h}] has shape {tuple(r.shape)}; expected {_shape(wanted)} with S, A >= 1")
        for h, (P, (S, T)) in enumerate(zip(self.P, pairwise(self.sizes), strict=True)):
            expected = (*self.batch, S, self.A, T)
            if tuple(P.shape) != expected:
                raise ModelError(f"P[{h}] has shape {tuple(P.shape)}; expected {expected}")
        object.__setattr__(self, "start", self._full_start())
        for h in range(self.H):
            _check_finite(f"r[{h}]", self.r[h])
        for h in range(self.H - 1):
            _check_finite(f"P[{h}]", self.P[h])
            _check_distributions(f"P[{h}]", self.P[h])
        _check_finite("start", self.start)
        _check_distributions("start", self.start)

    @classmethod
    def homogeneous(cls, P: Array, r: Array, horizon: int, start: Array = None) -> FiniteHorizonMDP:
        """The same kernel P (..., S, A, S) and the same reward r (..., S, A) in each of `horizon` epochs."""
        if horizon < 1:
            raise ModelError(f"horizon is {horizon}; expected at least 1")
        return cls((P,) * (horizon - 1), (r,) * horizon, start)

    @property
    def H(self) -> int:
        """Number of epochs, that is of decisions."""
        return len(self.r)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of states in each epoch."""
        return tuple(int(r.shape[-2]) for r in self.r)

    @property
    def S(self) -> int:
        """Number of pairs of an epoch and a state."""
        return sum(self.sizes)

    @property
    def A(self) -> int:
        """Number of actions."""
        return int(self.r[0].shape[-1])

    @property
    def batch(self) -> tuple[int, ...]:
        """Shape of the batch; () for one model."""
        return tuple(self.r[0].shape[:-2])

    @property
    def rewards(self) -> Array:
        """All rewards in one array (..., S, A)."""
        return self.joined(self.r, 2)

    @property
    def reward_bound(self) -> Array:
        """R*, the largest |r| of each model, (...); one where all rewards are zero, so that one may divide by it."""
        R = largest(abs(self.rewards), 2)
        return maximum(R, indicator(R == 0, R))

    @property
    def to_go(self) -> np.ndarray:
        """H − h for each pair (h, s): how many decisions are left; (S,), integers."""
        return np.repeat(self.H - np.arange(self.H), self.sizes)

    def split(self, x: Array, axes: int = 1) -> tuple[Array, ...]:
        """Cut an array over pairs, (..., S) or with `axes` = 2 (..., S, A), into one array for each epoch."""
        ends = np.cumsum((0, *self.sizes))
        rest = (slice(None),) * (axes - 1)
        return tuple(x[(..., slice(int(a), int(b)), *rest)] for a, b in pairwise(ends))

    def joined(self, parts: Sequence[Array], axes: int = 1) -> Array:
        """The inverse of `split`."""
        return namespace(parts[0]).concat(list(parts), axis=-axes)

    def per_epoch(self, x: Array, reduce: Callable[[Array], Array] = total) -> Array:
        """`reduce` (`total`, `largest`, `smallest`) of x (..., S) over the states of each epoch;  -> (..., H)."""
        parts = [np.asarray(reduce(part)) if is_exact(x) else reduce(part) for part in self.split(x)]
        return namespace(x).stack(parts, axis=-1)

    def over_states(self, y: Array) -> Array:
        """y (..., H), one number an epoch, repeated for each of its states;  -> (..., S)."""
        return self.joined([y[..., h, None] + 0 * self.r[h][..., 0] for h in range(self.H)])

    def expected_next(self, v: Array) -> Array:
        """Σ_t P_h(t | s, a) v(h + 1, t), zero in the last epoch;  (..., S) -> (..., S, A)."""
        parts = self.split(v)
        following = [_expected(P, w) for P, w in zip(self.P, parts[1:], strict=True)]
        return self.joined([*following, 0 * (parts[-1][..., None] + self.r[-1])], 2)

    def action_values(self, v: Array) -> Array:
        """q(h, s, a) = r_h(s, a) + Σ_t P_h(t | s, a) v(h + 1, t);  (..., S) -> (..., S, A)."""
        return self.rewards + self.expected_next(v)

    @property
    def rounding(self) -> tuple[np.ndarray, np.ndarray]:
        """How far float64 may be off: (relative, for quantities free of cancellation; absolute, for differences).

        A recursion over H epochs, each a sum of at most S_h A terms of one sign, is off by less than H (S_h A + 4) u,
        and twice that for products of two such; values are at most H max |r|, gradients H² max |r|.
        """
        relative = 4 * self.H * (max(self.sizes) * self.A + 8) * EPS / 2
        size = (1 + np.asarray(floats(largest(abs(self.rewards), 2)))) * self.H**2
        return np.full(self.batch, relative), np.broadcast_to(relative * size, self.batch)

    def map(self, f: Callable[[Array], Array]) -> FiniteHorizonMDP:
        """The same model with `f` applied to each array: a change of arithmetic or device."""
        return FiniteHorizonMDP(tuple(map(f, self.P)), tuple(map(f, self.r)), f(self.start))

    def __getitem__(self, index: Any) -> FiniteHorizonMDP:
        """Part of a batch, by any index of its leading axes."""
        return self.map(lambda x: x[index])

    def starting(self, start: Array) -> FiniteHorizonMDP:
        """The same model with another start distribution, (..., S_0) or (..., S)."""
        return FiniteHorizonMDP(self.P, self.r, start)

    def exact(self) -> FiniteHorizonMDP:
        """The same model in rationals: floats stand for themselves, the largest of each row makes it sum to one."""
        if is_exact(self.start):
            return self
        rewards = tuple(rational(floats(r)) for r in self.r)
        return FiniteHorizonMDP(tuple(map(exact_distribution, self.P)), rewards, exact_distribution(self.start))

    def floats(self) -> FiniteHorizonMDP:
        """The same model in float64 on the CPU."""
        return self.map(floats)

    def _full_start(self) -> Array:
        none = [0 * r[..., 0] for r in self.r]
        start = none[0] + rational(f"1/{self.sizes[0]}")[()] if is_exact(self.r[0]) else none[0] + 1 / self.sizes[0]
        start = start if self.start is None else self.start
        allowed = [(*self.batch, self.sizes[0]), (*self.batch, self.S)]
        if tuple(start.shape) not in allowed:
            raise ModelError(f"start has shape {tuple(start.shape)}; expected {allowed[0]} or {allowed[1]}")
        return start if start.shape[-1] == self.S else self.joined([start, *none[1:]])


def _shape(sizes: Sequence[Any]) -> str:
    return "(" + ", ".join(map(str, sizes)) + ")"


def indicator(mask: Any, like: Any) -> Any:
    """One where `mask` is true, else zero, in the arithmetic of `like`."""
    if is_exact(like):
        return rational(np.asarray(mask, dtype=object).astype(int))[()]
    xp = namespace(like)
    return xp.astype(xp.asarray(mask), like.dtype)


def _expected(P: Array, v: Array) -> Array:
    S, A, T = P.shape[-3:]
    reshape = namespace(P).reshape
    found = (reshape(P, (*P.shape[:-3], S * A, T)) @ v[..., None])[..., 0]
    return reshape(found, (*found.shape[:-1], S, A))  # v may have more batch axes than the model
