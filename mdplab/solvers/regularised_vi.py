"""Regularised value iteration: the Bellman operator with a regulariser, applied until the caller has seen enough."""

from __future__ import annotations

from collections.abc import Iterator

from mdplab.arrays import Array
from mdplab.exact import Regulariser, regularised_bellman
from mdplab.models.discounted import DiscountedMDP


def regularised_vi(mdp: DiscountedMDP, regulariser: Regulariser, v0: Array | None = None) -> Iterator[Array]:
    """Yield v_0, v_1 = T_Ω v_0, v_2 = T_Ω v_1, ... without end, (T_Ω v)(s) = max_π ⟨π, q(s, ·)⟩ − Ω(π).

    Parameters
    ----------
    mdp : DiscountedMDP
    regulariser : TsallisEntropy or TsallisDivergence
        Ω; the greedy policy of an iterate v is ``regulariser.greedy(mdp.action_values(v)).π``.
    v0 : array (..., S), optional
        First values, in the unit of the reward; zero by default.

    References
    ----------
    :cite:`geist2019`, with exact evaluation of one step.
    """
    v = 0 * mdp.r[..., 0] if v0 is None else v0
    while True:
        yield v
        v = regularised_bellman(mdp, regulariser, v)
