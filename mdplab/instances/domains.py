"""The domains that theorem files put their parameters on: ``on={"mdp": discounted_mdps(), "θ": logits, "v0": values}``.

Every other domain reads its sizes from the earlier parameter named `mdp`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab.arrays import exact_distribution, rational
from mdplab.instances import families as models
from mdplab.instances.domain import Domain, Family
from mdplab.models import DiscountedMDP

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy


def _family(name: str, **options: Any) -> Family:
    text = ",".join(f"{key}={value}" for key, value in options.items())
    return Family(f"{name}:{text}" if text else name, partial(models.by_name[name], **options))


def _default_families(positive_start: bool) -> tuple[Family, ...]:
    found = (
        _family("garnet", S=2, A=2),
        _family("garnet", S=4, A=4),
        _family("garnet", S=8, A=3, b=2),
        _family("sparse", S=3, A=5),
        _family("deterministic", S=4, A=3),
        _family("deterministic", S=3, A=2, noise=1e-3),
        _family("near-ties", S=3, A=3),
        _family("tiny-start", S=2, A=3),
        _family("chain", S=5),
        _family("riverswim", S=6),
        _family("grid", rows=2, columns=4),
    )
    return found if positive_start else (*found, _family("one-start", S=4, A=2))


def _stretched(family: Family) -> Family:
    """The family with rewards from [0, 1] moved and scaled by orders of magnitude, differently for each model."""

    def make(rng: np.random.Generator, size: int) -> DiscountedMDP:
        mdp = family.make(rng, size)
        scale, shift = 10.0 ** rng.integers(-2, 3, (size, 1, 1)), rng.uniform(-1, 1, (size, 1, 1))
        return DiscountedMDP(mdp.P, scale * (mdp.r + shift), mdp.discount, mdp.start)

    return Family(f"{family.name}, any rewards", make)


def discounted_mdps(
    max_states: int = 3,
    max_actions: int = 3,
    *,
    rewards: str = "unit",
    positive_start: bool = False,
    families: tuple[Family, ...] | None = None,
) -> Domain:
    """Discounted models: small rational ones, and batches of the usual families.

    Parameters
    ----------
    max_states, max_actions : int
        Largest drawn model; the families have sizes of their own, up to eight states and five actions.
    rewards : {"unit", "any"}
        Whether all rewards lie in [0, 1].
    positive_start : bool
        Whether every state has a positive start probability.
    families : tuple of Family, optional
        Instead of the usual ones.
    """
    if rewards not in ("unit", "any"):
        raise ValueError(f"rewards is {rewards!r}; expected 'unit' or 'any'")
    if families is None:
        families = _default_families(positive_start)
        families = families if rewards == "unit" else tuple(map(_stretched, families))

    def draw() -> SearchStrategy[DiscountedMDP]:
        from mdplab.instances import strategies

        return strategies.discounted_mdps(max_states, max_actions, rewards, positive_start)

    return Domain(draw, families=families, model=DiscountedMDP)


def bandits(max_arms: int = 4, *, unique_best: bool = False) -> Domain:
    """One-state models with γ = 0 and mean rewards in [0, 1]; with `unique_best`, one arm is better than all others."""

    def draw() -> SearchStrategy[DiscountedMDP]:
        from mdplab.instances import strategies

        return strategies.bandits(max_arms, unique_best)

    found = [
        _family("bandits", K=K, rewards=rewards) for K, rewards in _ARMS if not (unique_best and rewards == "binary")
    ]
    if unique_best:
        found.append(Family("bandits:K=5,rewards=one-best", _one_best))
    return Domain(draw, families=tuple(found), model=DiscountedMDP)


_ARMS = ((2, "uniform"), (3, "uniform"), (10, "uniform"), (5, "binary"), (3, "near-ties"))


def _one_best(rng: np.random.Generator, size: int) -> DiscountedMDP:
    from mdplab.models import bandit

    return bandit(np.eye(5)[rng.integers(5, size=size)])


def _draw(name: str, *axes: str) -> Any:
    def draw(mdp: DiscountedMDP) -> SearchStrategy[Any]:
        from mdplab.instances import strategies

        return getattr(strategies, name)(*(getattr(mdp, axis) for axis in axes))

    return draw


def _like(x: np.ndarray, mdp: DiscountedMDP) -> Any:
    return np.broadcast_to(rational(x), mdp.batch + x.shape).copy()


def _some_values(rng: np.random.Generator, mdp: DiscountedMDP) -> np.ndarray:
    # Between far below and far above the model's own values, which are at most 1 / (1 − γ) for unit rewards.
    scale = 10.0 ** rng.uniform(-1, 2, (*mdp.batch, 1))
    return scale * rng.normal(size=(*mdp.batch, mdp.S))


def _some_logits(rng: np.random.Generator, mdp: DiscountedMDP) -> np.ndarray:
    σ = rng.choice([0.0, 0.1, 1.0, 3.0, 8.0], (*mdp.batch, 1, 1))
    return σ * rng.normal(size=(*mdp.batch, mdp.S, mdp.A))


def _some_policies(rng: np.random.Generator, mdp: DiscountedMDP) -> np.ndarray:
    from mdplab.arrays import softmax

    return softmax(_some_logits(rng, mdp))


def _some_actions(rng: np.random.Generator, mdp: DiscountedMDP) -> np.ndarray:
    return np.eye(mdp.A)[rng.integers(mdp.A, size=(*mdp.batch, mdp.S))]


def _some_distributions(rng: np.random.Generator, mdp: DiscountedMDP) -> np.ndarray:
    kind = rng.integers(3, size=(*mdp.batch, 1))
    one = np.eye(mdp.S)[rng.integers(mdp.S, size=mdp.batch)]
    return np.choose(kind, [one, np.full(one.shape, 1 / mdp.S), rng.dirichlet(np.ones(mdp.S), mdp.batch)])


values = Domain(_draw("values", "S"), _some_values, lambda mdp: _like(np.zeros(mdp.S, dtype=int), mdp))
logits = Domain(_draw("logits", "S", "A"), _some_logits, lambda mdp: _like(np.zeros((mdp.S, mdp.A), dtype=int), mdp))
policies = Domain(
    _draw("policies", "S", "A"),
    _some_policies,
    lambda mdp: _like(np.ones((mdp.S, mdp.A), dtype=int), mdp) / mdp.A,
    exact_distribution,
)
deterministic_policies = Domain(
    _draw("deterministic_policies", "S", "A"),
    _some_actions,
    lambda mdp: _like(np.eye(mdp.A, dtype=int)[np.zeros(mdp.S, dtype=int)], mdp),
)
distributions = Domain(
    _draw("distributions", "S"),
    _some_distributions,
    lambda mdp: _like(np.ones(mdp.S, dtype=int), mdp) / mdp.S,
    exact_distribution,
)


def numbers(low: Any, high: Any) -> Domain:
    """One number for each model, from `low` to `high`, both included; by orders of magnitude where low > 0."""

    def draw() -> SearchStrategy[Any]:
        from mdplab.instances import strategies

        return strategies.numbers(low, high)

    def batch(rng: np.random.Generator, mdp: DiscountedMDP) -> np.ndarray:
        a, b = float(rational(low)[()]), float(rational(high)[()])
        if a > 0:
            return np.exp(rng.uniform(np.log(a), np.log(b), mdp.batch)).clip(a, b)
        return rng.uniform(a, b, mdp.batch)

    def simplest() -> Any:
        from mdplab.instances import strategies

        return strategies.plain_numbers(low, high)[0]

    return Domain(draw, batch, simplest)
