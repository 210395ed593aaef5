"""What a policy pays for being certain: entropies and divergences, their conjugates and the policies that are greedy.

A regulariser Ω is a convex function of π(· | s), the same in each state but for a reference policy.  Greedy with it is
argmax_π ⟨π, z⟩ − Ω(π), of value Ω*(z), the convex conjugate.  All of them are τ times a Tsallis divergence

    D_q(π ‖ μ) = ⟨π, ln_q(π / μ)⟩ = (Σ_a π^q μ^(1−q) − 1) / (q − 1),

which is the Kullback-Leibler divergence for q = 1, or −τ times the Tsallis entropy S_q(π) = −D_q(π ‖ 1), Shannon's for
q = 1.  The logarithm is that of `mdplab.exact.log_q`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mdplab.arrays import (
    Array,
    ball,
    exp,
    expand,
    floats,
    is_ball,
    is_exact,
    largest,
    log,
    log_softmax,
    maximum,
    namespace,
    number,
    rational,
    rational_number,
    smallest,
    total,
)
from mdplab.errors import MdplabError
from mdplab.exact.deformed import index_like, log_q, power


class Greedy(NamedTuple):
    """What maximises ⟨π, z⟩ − Ω(π) over the distributions π of each state.

    Parameters
    ----------
    π : array (..., S, A)
    log : array (..., S, A)
        ln_q(π / μ), or ln_q π for an entropy; accurate also where π is tiny, and −1/(q−1) where it is zero.
    ψ : array (..., S)
        The normaliser: π = μ exp_q(z / (q τ) − ψ).
    """

    π: Array
    log: Array
    ψ: Array


@dataclass(frozen=True, eq=False)
class TsallisEntropy:
    """Ω(π) = −τ S_q(π): entropy is worth τ a unit, so that the greedy policy is softmax, sparsemax or between.

    Parameters
    ----------
    temperature : number or array (...,)
        τ > 0, in the unit of the reward.
    q : number
        Entropic index, at least 1; 1 is Shannon's entropy, 2 gives sparsemax(z / (2τ)).

    References
    ----------
    :cite:`geist2019`; :cite:`tsallis2023`.
    """

    temperature: Any
    q: Any = 1

    def __post_init__(self) -> None:
        _check(self.temperature, self.q)

    def value(self, π: Array) -> Array:
        """Ω(π), between −τ S_max and 0;  (..., S, A) -> (..., S)."""
        return -_like(self.temperature, π, 1) * tsallis_entropy(π, self.q)

    def greedy(self, z: Array) -> Greedy:
        """The best policy for action values z (..., S, A)."""
        return tsallis_greedy(z, self.temperature, self.q)

    def conjugate(self, z: Array) -> Array:
        """Ω*(z) = max_π ⟨π, z⟩ − Ω(π);  (..., S, A) -> (..., S)."""
        return _attained(self, z)


@dataclass(frozen=True, eq=False)
class TsallisDivergence:
    """Ω(π) = τ D_q(π ‖ μ): leaving the policy μ costs τ a unit of divergence, Kullback and Leibler's for q = 1.

    An action that μ does not take is never taken: supports shrink.

    Parameters
    ----------
    temperature : number or array (...,)
        τ > 0, in the unit of the reward.
    reference : array (..., S, A)
        The policy μ.
    q : number
        Entropic index, at least 1.

    References
    ----------
    :cite:`tsallis2023`.
    """

    temperature: Any
    reference: Array
    q: Any = 1

    def __post_init__(self) -> None:
        _check(self.temperature, self.q)

    def value(self, π: Array) -> Array:
        """Ω(π) >= 0;  (..., S, A) -> (..., S)."""
        return _like(self.temperature, π, 1) * tsallis_divergence(π, self.reference, self.q)

    def greedy(self, z: Array) -> Greedy:
        """The best policy for action values z (..., S, A)."""
        return tsallis_greedy(z, self.temperature, self.q, self.reference)

    def conjugate(self, z: Array) -> Array:
        """Ω*(z) = max_π ⟨π, z⟩ − Ω(π);  (..., S, A) -> (..., S)."""
        return _attained(self, z)


Regulariser = TsallisEntropy | TsallisDivergence


def tsallis_entropy(π: Array, q: Any) -> Array:
    """S_q(π) = −⟨π, ln_q π⟩ = (1 − Σ_a π^q) / (q − 1) >= 0 in each state, q > 0;  (..., A) -> (...)."""
    return -total(_times_log(π, π, q))


def tsallis_divergence(π: Array, μ: Array, q: Any) -> Array:
    """D_q(π ‖ μ) = ⟨π, ln_q(π / μ)⟩ >= 0 in each state, q > 0;  (..., A) twice -> (...).

    Infinite, or for rationals and balls not defined, where π takes an action that μ does not.
    """
    if is_exact(π):
        taken = np.asarray(π != 0, dtype=bool) | np.asarray(μ != 0, dtype=bool)
        ratio = π / np.where(taken, μ, rational_number(1))
    else:
        xp = namespace(π)
        ratio = xp.where(π > 0, π / xp.where(μ > 0, μ, 1e-300), 0 * π)
    return total(_times_log(π, ratio, q))


def largest_entropy(A: int, q: Any) -> Any:
    """max S_q = (1 − A^(1−q)) / (q − 1), that of the uniform distribution over A actions; log A for q = 1."""
    return -log_q(rational(1)[()] / A, q) if is_exact(q) else float(-log_q(np.asarray(1 / A), q))


def _times_log(π: Array, x: Array, q: Any) -> Array:
    # π ln_q x, zero where x is, as then π is zero too: ln 0 is infinite for q <= 1.
    if is_exact(π):
        return π * log_q(np.where(np.asarray(x == 0, dtype=bool), rational_number(1), x), q)
    xp = namespace(π)
    taken = π > 0
    return xp.where(taken, π * log_q(xp.where(taken, x, 1 + 0 * x), q), 0 * π)


def _attained(Ω: Any, z: Array) -> Array:
    best = Ω.greedy(z)
    # With the logarithm in hand no entropy of a rounded π is needed, and errors of π count in second order only.
    return total(best.π * (z - _like(Ω.temperature, z, 2) * best.log))


def _check(τ: Any, q: Any) -> None:
    _check_index(q)
    if not is_exact(τ) and not np.all(np.asarray(_on_cpu(τ)) > 0):
        raise MdplabError(f"temperature is {τ}; expected positive numbers")


def _check_index(q: Any) -> None:
    if not q >= 1:
        raise MdplabError(f"q is {q}; greedy policies are computed for entropic indices q >= 1")


def _on_cpu(x: Any) -> Any:
    return x.get() if hasattr(x, "get") else x


def _like(τ: Any, x: Array, axes: int) -> Any:
    # τ in the arithmetic of x, ready to multiply it.
    if is_exact(x) and not is_exact(τ):
        τ = rational(τ)
        τ = τ if τ.shape else τ[()]
    return expand(τ, axes)


# -- Greedy policies ---------------------------------------------------------------------------------------------------


def tsallis_greedy(z: Array, temperature: Any, q: Any, reference: Array | None = None) -> Greedy:
    """argmax_π ⟨π, z⟩ − τ D_q(π ‖ μ), or ⟨π, z⟩ + τ S_q(π) without a reference μ, in each state.

    Parameters
    ----------
    z : array (..., S, A)
        Action values.
    temperature : number or array (...,)
        τ > 0.
    q : number
        Entropic index, at least 1.
    reference : array (..., S, A), optional
        The policy μ.

    Notes
    -----
    With y = (q−1) z / (q τ) the solution is π = μ [y − n]_+^(1/(q−1)), n such that π sums to one.  It is
    rational for q = 2 and rational input; balls otherwise enclose the true policy, and the true policies of all z and μ
    inside balls.  In float64 Newton's method runs on a convex increasing function whose root it approaches from
    above: a bisection on n loses all digits of small probabilities for large q.
    """
    _check_index(q)
    if q == 1:
        return _softmax(z, temperature, reference)
    τ = _like(temperature, z, 2)
    w = 0 * z + 1 if reference is None else reference
    q = index_like(q, z)
    y = (q - 1) / q * z / τ
    if is_exact(y) or is_exact(w):
        x, n = _exact_levels(y, w, 1 / (q - 1))
        π = w * power(x, 1 / (q - 1))
    else:
        x, n, ratio = _float_levels(y, w, q)
        π = w * ratio
        π = π / expand(total(π), 1)
    return Greedy(π, (x - 1) / (q - 1), (1 + n) / (q - 1))


def _softmax(z: Array, temperature: Any, reference: Array | None) -> Greedy:
    y = z / _like(temperature, z, 2)
    if reference is None:
        log_π = log_softmax(y)
        return Greedy(exp(log_π), log_π, (y - log_π)[..., 0])
    xp = namespace(y)
    if is_exact(y):
        shift = rational(np.nan_to_num(largest(floats(y))))
        weights = reference * exp(y - expand(shift, 1))
        mass = log(total(weights))
        norm, log_ratio = mass + shift, y - expand(shift, 1) - expand(mass, 1)
        return Greedy(weights / expand(total(weights), 1), log_ratio, norm)
    taken = reference > 0
    shift = largest(xp.where(taken, y, -xp.inf))
    below = xp.where(taken, y - expand(shift, 1), 0 * y)
    mass = xp.log(total(reference * xp.exp(below)))
    norm, log_ratio = mass + shift, y - expand(shift, 1) - expand(mass, 1)
    return Greedy(xp.where(taken, reference * xp.exp(xp.where(taken, log_ratio, 0 * y)), 0 * y), log_ratio, norm)


def _float_levels(y: Array, w: Array, q: float) -> tuple[Array, Array, Array]:
    """x = [y − n]_+, n and x^p with Σ_a w x^p = 1, p = 1 / (q − 1); float64, (..., A) -> (..., A), (...), (..., A)."""
    xp, p = namespace(y), 1 / (q - 1)
    top = largest(xp.where(w > 0, y, -xp.inf))
    y = xp.where(w > 0, y - expand(top, 1), -1e300)
    # An action is taken exactly when those above it, counted from its own level, weigh less than one.
    above = xp.maximum(y[..., None, :] - y[..., :, None], 0 * y[..., None])
    above = xp.minimum(above, 0 * above + 10 ** min(300 / p, 300.0))  # far more than one, and no overflow
    taken = (total(xp.where(w > 0, w, 0 * w)[..., None, :] * above**p) < 1) & (w > 0)
    lowest = smallest(xp.where(taken, y, 0 * y))
    d = xp.where(taken, y - expand(lowest, 1), 0 * y)
    e, x_p = _newton(xp, d, xp.where(taken, w, 0 * w), q, p)
    return xp.where(taken, d + expand(e, 1), 0 * y), top + lowest - e, xp.where(taken, x_p, 0 * y)


def _newton(xp: Any, d: Array, w: Array, q: float, p: float) -> tuple[Array, Array]:
    # e > 0 with Σ w (d + e)^p = 1, d >= 0.  For q < 2 the p-norm of d + e is convex in e; for q > 2 each term is convex
    # in u = e^p, as the (q−1)-norm of (d^p, u).  Either way Newton's method descends to the root from above.
    mass = total(w)
    if q == 2:
        e = (1 - total(w * d)) / mass
        return e, d + expand(e, 1)
    if q < 2:
        e = mass ** (-1 / p)
        while True:
            x = d + expand(e, 1)
            M = largest(x)
            scaled = x / expand(M, 1)
            s = total(w * scaled**p)
            new = e - (M * s ** (1 / p) - 1) / (s ** (1 / p - 1) * total(w * scaled ** (p - 1)))
            if not xp.any(new < e):
                return e, x**p
            e = xp.where(new < e, xp.maximum(new, 0 * e), e)
    u = 1 / mass
    while True:
        e = expand(u ** (q - 1), 1)  # may underflow where u does not
        above = xp.where(d > 0, d, 1 + 0 * d)
        x_p = xp.where(d > 0, (above + e) ** p, expand(u, 1))
        slope = xp.where(d > 0, (e / (above + e)) ** (1 - p), 1 + 0 * d)
        new = u - (total(w * x_p) - 1) / total(w * slope)
        if not xp.any(new < u):
            return e[..., 0], x_p
        u = xp.where(new < u, xp.maximum(new, 0 * u), u)


def _exact_levels(y: Array, w: Array, p: Any) -> tuple[Array, Array]:
    """The same for rationals, exactly where p = 1, and for balls, as enclosures."""
    y, w = np.broadcast_arrays(np.asarray(y, dtype=object), np.asarray(w, dtype=object))
    n = np.empty(y.shape[:-1], dtype=object)
    for i in np.ndindex(n.shape):
        n[i] = (
            _rational_root(y[i], w[i]) if p == 1 and not (is_ball(y[i]) or is_ball(w[i])) else _ball_root(y[i], w[i], p)
        )
    x = y - expand(n, 1)
    return maximum(x, 0 * x), n


def _rational_root(y: np.ndarray, w: np.ndarray) -> Any:
    rows = [(a, b) for a, b in zip(y, w, strict=True) if b != 0]
    taken = [(a, b) for a, b in rows if sum(d * (c - a) for c, d in rows if c > a) < 1]
    return (sum(a * b for a, b in taken) - 1) / sum(b for _, b in taken)


def _ball_root(y: np.ndarray, w: np.ndarray, p: Any) -> Any:
    """A ball that holds n with Σ_a w [y − n]_+^p = 1 for all y and w in the given balls."""
    import flint

    pairs = [(ball(a), ball(b)) for a, b in zip(y, w, strict=True)]
    n = _approximate_root([(a.mid(), b.mid()) for a, b in pairs if b.mid() > 0], p)

    def weight(n: Any) -> Any:
        return sum(b * power(a - n if a > n else (a - n).max(0 * n), p) for a, b in pairs)

    # n moves by at most as much as y does; that the ball holds it is seen from the two signs at its ends.
    δ = max((a.rad() for a, _ in pairs), key=number) * 2 + (abs(n) + 1) * flint.arb(2) ** (8 - flint.ctx.prec)
    for _ in range(2 * flint.ctx.prec):
        if weight(n - δ) > 1 and weight(n + δ) < 1:
            return n + δ.upper() * flint.arb(0, 1)
        δ = 4 * δ.mid()
    raise ArithmeticError("no ball of this precision holds the normaliser of the policy")


def _approximate_root(pairs: list[tuple[Any, Any]], p: Any) -> Any:
    # As in float64, at the midpoints and in the working precision; nothing here needs to be rigorous.
    import flint

    taken = [(a, b) for a, b in pairs if not sum(d * power((c - a).mid(), p) for c, d in pairs if c > a) >= 1]
    lowest = taken[0][0]
    for a, _ in taken:
        lowest = lowest.min(a).mid()
    terms = [((a - lowest).mid(), b) for a, b in taken]
    mass = sum(b for _, b in terms)
    if p == 1:
        return (lowest - (1 - sum(d * b for d, b in terms)) / mass).mid()
    tiny = flint.arb(2) ** (4 - flint.ctx.prec)
    u = (1 / mass).mid() if p < 1 else power((1 / mass).mid(), 1 / p).mid()
    for _ in range(200):
        e = power(u, 1 / p).mid() if p < 1 else u
        x = [d + e for d, _ in terms]
        s = sum(b * power(t, p) for t, (_, b) in zip(x, terms, strict=True))
        if p < 1:
            slope = sum(b * power(e / t, 1 - p) if t > 0 else b for t, (_, b) in zip(x, terms, strict=True))
            step = (s - 1) / slope
        else:
            slope = power(s, 1 / p - 1) * sum(b * power(t, p - 1) for t, (_, b) in zip(x, terms, strict=True))
            step = (power(s, 1 / p) - 1) / slope
        new = (u - step).mid()
        new = new if new > 0 else 0 * new
        if not abs(new - u) > tiny:
            break
        u = new
    return (lowest - (power(u, 1 / p) if p < 1 else u)).mid()
