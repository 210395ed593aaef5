"""What offline data make of the rewards on histories of a confounded POMDP: estimates of the value of every policy.

Each estimator returns ĝ (..., H, O, A), H over the histories as `ConfoundedPOMDP` numbers them.  The estimate of V^π is
``mdplab.exact.history_sum(model, ĝ, π)``, which is Σ ρ^π(h) π(a | o, h) ĝ(h, o, a), and that of its gradient
``mdplab.exact.history_gradient(model, π, ĝ)``: data are read once, for all policies.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdplab.arrays import Array, divided, identity_like, is_exact, solve, total, transposed
from mdplab.models.confounded import ConfoundedPOMDP
from mdplab.sampling.chains import indicator
from mdplab.sampling.offline import OfflineData, SeenLaw, seen_laws


def plugin_rewards(model: ConfoundedPOMDP, data: OfflineData, ridge: Any = 1) -> Array:
    """Counts for probabilities in the bridge equations, which are solved by (MᵀM + ridge / n_{h,a})⁻¹ Mᵀ.

    Data (..., n) -> (..., H, O, A); n_{h,a} is the number of data with history h and action a.  `model` gives the
    sizes only; whether such data determine values is for ``mdplab.exact.identification(model).require()`` to say,
    before one estimates.

    References
    ----------
    :cite:`hong2024`, in a form recalled on its card, with ridge from 1 to 3.
    """
    return bridge_rewards(seen_laws(model, data), data.size, ridge)


def min_max_rewards(model: ConfoundedPOMDP, data: OfflineData, ridge: Any = 1) -> Array:
    """The same from bridges b that attain min_b max_f E_n[(b − Y) f − f²/2] + ridge / (2n) ‖b‖².

    b may be any function of (o, h, a), f of (q, h, a), and Y is what b shall equal in conditional mean.  That is least
    squares whose equations weigh as much as the values q of the proxy occur with (h, a).
    """
    return bridge_rewards(seen_laws(model, data), data.size, ridge, weighted=True)


def naive_history_rewards(model: ConfoundedPOMDP, data: OfflineData) -> Array:
    """Data reweighted by frequencies of actions, as if (h, o) were the state: `naive_rewards` by counts."""
    return reweighted_rewards(seen_laws(model, data))


def reweighted_rewards(laws: list[SeenLaw]) -> Array:
    """The same from laws of the data; what never occurs in them counts zero."""
    parts, weight = [], laws[0].seen[..., 0, 0, 0, :1] * 0 + 1
    for law in laws:
        joint, paid = (np.swapaxes(x.sum(axis=-2), -1, -2) for x in (law.seen, law.reward))  # h, o, a
        ratio = divided(joint, total(joint)[..., None]) * weight[..., None, None]
        parts.append(divided(paid, ratio))
        weight = ratio.reshape(*ratio.shape[:-3], -1)
    return np.concatenate(parts, axis=-3)


def bridge_rewards(laws: list[SeenLaw], n: Any, ridge: Any = 1, *, weighted: bool = False) -> Array:
    """ĝ (..., H, O, A) from laws of the data, seen in n data: the bridge equations read from the first stage on.

    A bridge is linear in what the equations pay and V̂ linear in the first bridge.  Carried on, the linear forms
    u_h(q, a), which start from the law of O_1, make ĝ(h, o, a) = Σ_q u_h(q, a) E[R 1{O = o} | q, h, a].
    """
    first = laws[0].seen[..., 0, :, :, :]
    v = total(np.moveaxis(first, -1, -3), 2)[..., None, :]  # h, o
    parts = []
    for law in laws:
        inverse = regularised_inverse(law.seen, n, ridge, weighted=weighted)
        u = (v[..., :, None, None, :] @ inverse)[..., 0, :]  # h, a, q
        parts.append(np.swapaxes((u[..., None, :] @ law.reward)[..., 0, :], -1, -2))
        if law.next_seen is not None:
            v = total(np.moveaxis(u[..., None, None] * law.next_seen, -3, -1))  # h, a, o, o'
            v = np.swapaxes(v, -3, -2)
            v = v.reshape(*v.shape[:-4], -1, v.shape[-1])
    return np.concatenate(parts, axis=-3)


def regularised_inverse(seen: Array, n: Any, ridge: Any = 1, *, weighted: bool = False) -> Array:
    """B with b = B Y for the regularised bridge equations of each (h, a);  (..., N, A, Q, O) -> (..., N, A, O, Q).

    B Y = (MᵀDM + ridge / n_{h,a})⁻¹ MᵀD (Y / Pr(q, h, a)) with M = Pr(o | q, h, a); Y is in joint probabilities.

    Parameters
    ----------
    seen : array (..., N, A, Q, O)
        Pr(q, h, a, o).
    n : number
        Size of the data; n_{h,a} = n Pr(h, a).
    ridge : number >= 0
        With 0 the pseudo-inverse, of M alone, in float64.
    weighted : bool
        Whether D is the diagonal matrix of Pr(q | h, a), or that of ones.
    """
    size = total(seen)  # h, a, q
    M, share = divided(seen, size[..., None]), total(size)
    one = indicator(np.ones(size.shape, dtype=bool), seen)
    D = divided(size, share[..., None]) if weighted else one
    if is_exact(seen) or np.any(ridge):
        λ = ridge * divided(one[..., 0], n * share) + indicator(np.asarray(share == 0, dtype=bool), seen)
        gram = transposed(D[..., None] * M) @ M
        gram = gram + λ[..., None, None] * identity_like(gram)
        left = transposed(solve(gram[..., None, :, :], D[..., None] * M))
    else:
        root = np.sqrt(D)
        left = np.linalg.pinv(root[..., None] * M) * root[..., None, :]
    return divided(left, size[..., None, :])
