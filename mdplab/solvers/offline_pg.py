"""Policy gradient from offline data of a confounded POMDP, with an estimate of the gradient (:cite:`hong2024`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

import numpy as np

from mdplab.arrays import Array
from mdplab.errors import MdplabError, ModelError
from mdplab.exact.confounded import history_gradient, identification
from mdplab.exact.one_step_back import proxy_weights, weighted_rewards
from mdplab.models import ConfoundedPOMDP
from mdplab.sampling import OfflineData, one_step_counts, plugin_rewards
from mdplab.solvers.confounded_pg import HistoryIterate, ascent
from mdplab.solvers.thinning import thinned


def offline_pg(
    model: ConfoundedPOMDP,
    data: OfflineData,
    θ: Array | None = None,
    *,
    step_size: Any,
    rewards: Callable[[ConfoundedPOMDP, OfflineData], Array] = plugin_rewards,
    at: Iterable[int] | None = None,
) -> Iterator[HistoryIterate]:
    """Yield the iterates θ_{k+1} = θ_k + η ∇V̂ from θ_0 = `θ`, zero by default; the data are read once.

    Parameters
    ----------
    model : ConfoundedPOMDP
        That of the data.  It gives sizes, and says whether the data can determine values; its numbers are not used.
    data : OfflineData (..., n)
        A data set for each replicate.
    θ : array (..., H, O, A) or (..., O, A)
        Logits for every history, or for the observation alone: a memoryless policy.  By default for every history.
    step_size : number or array (...,)
    rewards : function of model and data
        The estimate: `plugin_rewards` (ridge 1), `min_max_rewards`, `naive_history_rewards`, `one_step_back_rewards`.
    at : increasing iterable of int
        Iteration numbers to yield at; every one by default.

    Raises
    ------
    ModelError
        If data of this model do not determine the value: no overlap, or proxies of deficient rank.
    MdplabError
        If there are no data, `θ` has the wrong shape, or `at` does not increase.
    """
    identification(model).require()
    if data.proxy.ndim == 0 or data.size == 0:
        raise MdplabError(f"the data have shape {data.proxy.shape}; expected (..., n) with n >= 1, a data set each")
    g = rewards(model, data)
    θ = 0 * g if θ is None else θ
    full, by_observation = tuple(g.shape), (*g.shape[:-3], *g.shape[-2:])
    if tuple(θ.shape) not in (full, by_observation):
        raise MdplabError(f"θ has shape {tuple(θ.shape)}; these data call for {full} or {by_observation}")
    run = ascent(model, θ, step_size, lambda model, π: history_gradient(model, π, g), remembers=tuple(θ.shape) == full)
    return thinned(run, at)


def one_step_back_rewards(model: ConfoundedPOMDP, data: OfflineData) -> Array:
    """Counts for probabilities in the matrix products of :cite:`tennenholtz2020`, not regularised;  -> (..., H, O, A).

    Raises
    ------
    ModelError
        If states, observations and values of the proxy are not equally many.
    MdplabError
        If a matrix of counts has no inverse.
    """
    if not model.S == model.O == model.Q:
        raise ModelError(
            f"there are {model.S} states, {model.O} observations and {model.Q} values of the proxy; expected as many"
        )
    start, counted = one_step_counts(model, data)
    laws = cast(Any, counted)  # the same fields
    try:
        return weighted_rewards(model, laws, proxy_weights(start, laws))
    except (np.linalg.LinAlgError, ZeroDivisionError):
        raise MdplabError(
            f"{data.size} data leave a matrix of counts without inverse; expected more data, or plugin_rewards"
        ) from None
