"""Confounded partially observable models: the data come from a policy that sees the hidden state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdplab.arrays import EPS, Array, exact_distribution, floats, is_exact, largest, on_gpu, rational
from mdplab.errors import ModelError
from mdplab.models.discounted import _check_distributions, _check_finite


@dataclass(frozen=True, eq=False)
class ConfoundedPOMDP:
    """A finite-horizon POMDP whose data come from a behaviour policy that sees the hidden state, or a batch of them.

    Parameters
    ----------
    P : array (..., S, A, S)
        ``P[..., s, a, t]`` is the probability that action a takes state s to state t.
    E : array (..., S, O)
        Emission: probability of observation o in state s, before one acts.
    proxy : array (..., S, Q)
        Probability of the proxy O_0 = q given the first state.  Given that state it is independent of all else; the
        behaviour policy does not see it.
    r : array (..., S, A)
        Expected one-step reward.
    behaviour : array (..., S, A)
        Probability that the behaviour policy takes action a in the hidden state s.
    horizon : int
        T, the number of actions; rewards are not discounted.
    start : array (..., S), optional
        Distribution of the first state; uniform by default.

    Raises
    ------
    ModelError
        If shapes disagree, an entry is not finite, a row is no distribution, or the horizon is not a positive integer.

    Notes
    -----
    Setting of :cite:`hong2024` and :cite:`tennenholtz2020`.  Target policies see observations and actions only:
    π(a | o_t, h) with h = (o_1, a_1, ..., o_{t−1}, a_{t−1}).  A policy is an array (..., H, O, A), H over all
    histories, stage after stage; `stage(t)` says which of them are those of stage t = 0, ..., T − 1, and history h of a
    stage is followed by history ``(h·O + o)·A + a`` of the next.
    """

    P: Array
    E: Array
    proxy: Array
    r: Array
    behaviour: Array
    horizon: int
    start: Array = None

    def __post_init__(self) -> None:
        if self.r.ndim < 2 or self.r.shape[-2] == 0 or self.r.shape[-1] == 0:
            raise ModelError(f"r has shape {self.r.shape}; a reward array has shape (..., S, A) with S, A >= 1")
        if isinstance(self.horizon, bool) or not isinstance(self.horizon, int | np.integer) or self.horizon < 1:
            raise ModelError(f"horizon is {self.horizon!r}; expected an integer >= 1")
        object.__setattr__(self, "horizon", int(self.horizon))
        if self.start is None:
            ones = self.r[..., 0] * 0 + 1
            object.__setattr__(self, "start", ones / self.S)
        S, A, batch = self.S, self.A, self.batch
        shapes = {"P": (S, A, S), "E": (S, None), "proxy": (S, None), "behaviour": (S, A), "start": (S,)}
        for name, shape in shapes.items():
            x = getattr(self, name)
            expected = tuple(n if n else (x.shape[-1] if x.ndim else 0) for n in shape)
            if tuple(x.shape) != (*batch, *expected) or 0 in expected:
                printed = ", ".join(str(n or "n") for n in (*batch, *shape))
                raise ModelError(f"{name} has shape {tuple(x.shape)}; expected ({printed}) with n >= 1")
        for name in ("r", *shapes):
            _check_finite(name, getattr(self, name))
            if name != "r":
                _check_distributions(name, getattr(self, name))

    @property
    def S(self) -> int:
        """Number of hidden states."""
        return int(self.r.shape[-2])

    @property
    def A(self) -> int:
        """Number of actions."""
        return int(self.r.shape[-1])

    @property
    def O(self) -> int:  # noqa: E743
        """Number of observations."""
        return int(self.E.shape[-1])

    @property
    def Q(self) -> int:
        """Number of values of the proxy."""
        return int(self.proxy.shape[-1])

    @property
    def H(self) -> int:
        """Number of histories that a policy acts on, of all stages."""
        return sum((self.O * self.A) ** t for t in range(self.horizon))

    def stage(self, t: int) -> slice:
        """Where the (O·A)^t histories of stage t = 0, ..., T − 1 stand among all of them."""
        begin = sum((self.O * self.A) ** k for k in range(t))
        return slice(begin, begin + (self.O * self.A) ** t)

    @property
    def batch(self) -> tuple[int, ...]:
        """Shape of the batch; () for one model."""
        return tuple(self.r.shape[:-2])

    @property
    def rounding(self) -> tuple[np.ndarray, np.ndarray]:
        """How far float64 may be off: (relative, for quantities free of cancellation; absolute, for differences).

        A bridge solves with M = E_0ᵀ diag(ν) [Π diag(E(·, o) π_b(a | ·)) P_a] diag(π_b(a | ·)) E, whose condition
        number is at most the product of those of its factors; the errors of the stages multiply.  Sums have at most
        n = S A O Q terms, and values are at most T max |r|.  A singular factor makes both errors infinite.
        """
        if is_exact(self.P) or on_gpu(self.P):
            return self.floats().rounding
        ratio = [_cond(self.start[..., None]), _cond(self.proxy), _cond(self.E)]
        at_once = ratio[0] * ratio[1] * ratio[2] * largest(_spread(self.behaviour))
        step = largest(_spread(self.E)) * largest(_spread(self.behaviour))
        step = step * largest(np.linalg.cond(np.moveaxis(self.P, -2, -3)))
        κ = np.ones(self.batch)
        for t in range(self.horizon):
            κ = κ * at_once * step**t
        n, u = self.S * self.A * self.O * self.Q, EPS / 2
        relative = 4 * n * self.horizon * u * np.ones(self.batch)
        size = self.horizon * (1 + largest(abs(self.r), 2))
        with np.errstate(invalid="ignore", over="ignore"):
            return relative, np.nan_to_num(relative * κ * size, nan=np.inf)

    def map(self, f: Callable[[Array], Array]) -> ConfoundedPOMDP:
        """The same model with `f` applied to each array: a change of arithmetic or device."""
        return ConfoundedPOMDP(
            f(self.P), f(self.E), f(self.proxy), f(self.r), f(self.behaviour), self.horizon, f(self.start)
        )

    def __getitem__(self, index: Any) -> ConfoundedPOMDP:
        """Part of a batch, by any index of its leading axes."""
        return self.map(lambda x: x[index])

    def starting(self, start: Array) -> ConfoundedPOMDP:
        """The same model with another start distribution (..., S)."""
        return ConfoundedPOMDP(self.P, self.E, self.proxy, self.r, self.behaviour, self.horizon, start)

    def exact(self) -> ConfoundedPOMDP:
        """The same model in rationals: floats stand for themselves, the largest of each row makes it sum to one."""
        if is_exact(self.P):
            return self
        return ConfoundedPOMDP(
            exact_distribution(self.P),
            exact_distribution(self.E),
            exact_distribution(self.proxy),
            rational(floats(self.r)),
            exact_distribution(self.behaviour),
            self.horizon,
            exact_distribution(self.start),
        )

    def floats(self) -> ConfoundedPOMDP:
        """The same model in float64 on the CPU."""
        return self.map(floats)


def _spread(x: np.ndarray) -> np.ndarray:
    """Largest over smallest entry of each column: the condition number of diag(x[:, j]);  (..., S, n) -> (..., n)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.nan_to_num(x.max(axis=-2) / x.min(axis=-2), nan=np.inf)


def _cond(x: np.ndarray) -> np.ndarray:
    """Condition number of a matrix (..., S, n) whose rank should be S; of a column, that of its diagonal matrix."""
    if x.shape[-1] == 1:
        return _spread(x)[..., 0]
    values = np.linalg.svd(x, compute_uv=False)
    with np.errstate(divide="ignore", invalid="ignore"):
        full = values[..., 0] / values[..., -1]
    return full if x.shape[-1] >= x.shape[-2] else np.full(x.shape[:-2], np.inf)
