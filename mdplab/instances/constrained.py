"""Constrained models: small rational draws, batched families, named examples and their form in JSON.

A `.json` file holds one model::

    {
      "model": "constrained",
      "discount": "9/10",
      "start": ["1", "0"],
      "P": [[["0", "1"], ["1", "0"]], [["0", "1"], ["1", "0"]]],
      "r": [[1, 0], [1, 0]],
      "utilities": [[[-1, 0], [-1, 0]]],
      "least": [-5]
    }

`utilities[i][s][a]` are the one-step utilities of constraint i and `least[i]` is the least discounted sum allowed, in
the unit of values.  A cost of at most d is the negative utility of at least −d.  `start` may be left out: uniform.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab.arrays import is_exact, rational, rational_number, total
from mdplab.errors import InstanceError
from mdplab.instances import families as models
from mdplab.instances.domain import Domain, Family, check_sizes
from mdplab.models import ConstrainedMDP, DiscountedMDP

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# -- Named examples ----------------------------------------------------------------------------------------------------


def paradox(discount: Any = "9/10") -> ConstrainedMDP:
    """The paradoxical model of :cite:`moskovitz2023`: reward is cost, and at most half of the most may be collected.

    From both states action 0 leads to state 1 and pays 1, action 1 leads to state 0 and pays nothing; start in state 0.
    At the multiplier λ* = 1 every policy is optimal for the Lagrangian, so that ascent and descent chase each other.
    """
    γ = rational_number(discount)
    P, r = rational([[[0, 1], [1, 0]]] * 2), rational([[1, 0]] * 2)
    return ConstrainedMDP(P, r, -r[None], rational([-1]) / (2 * (1 - γ)), γ, rational([1, 0]))


def opposed_arms(discount: Any = 0, least: Any = "1/2") -> ConstrainedMDP:
    """One state, r = (1, 0) and u = (0, 1): what the reward gains the utility loses, λ* = 1 where the bound binds."""
    r, u = rational([[1, 0]]), rational([[[0, 1]]])
    return ConstrainedMDP(rational([[[1], [1]]]), r, u, rational([least]), rational_number(discount))


def two_constraints() -> ConstrainedMDP:
    """Two states, two utilities: staying in state 0 pays, and time in state 1 and the second action are demanded."""
    P = rational([[["9/10", "1/10"], ["1/5", "4/5"]], [["1/2", "1/2"], [0, 1]]])
    u = rational([[[0, 0], [1, 1]], [[0, 1], [0, 1]]])
    return ConstrainedMDP(
        P, rational([[1, 0], ["3/10", "7/10"]]), u, rational([4, 3]), rational_number("9/10"), rational(["3/5", "2/5"])
    )


def crossing() -> ConstrainedMDP:
    """Two states and actions without symmetry, one constraint that binds: `two_by_two` with the utility 1 − r."""
    P = rational([[["9/10", "1/10"], ["1/5", "4/5"]], [["1/2", "1/2"], [0, 1]]])
    r = rational([[1, 0], ["3/10", "7/10"]])
    return ConstrainedMDP(P, r, (1 - r)[None], rational([4]), rational_number("9/10"), rational(["3/5", "2/5"]))


# -- Families ----------------------------------------------------------------------------------------------------------

SHARES = (0.5, 0.9, 0.99)


def constrained_by(
    rng: np.random.Generator,
    mdp: DiscountedMDP,
    *,
    constraints: int = 1,
    opposed: bool = False,
    share: float | None = None,
) -> ConstrainedMDP:
    """A batch of models with constraints that some policy meets with room to spare.

    Utilities are uniform on [0, 1], or 1 − r for the first constraint where `opposed`.  A single constraint asks for
    `share` of the most that can be had (1/2, 9/10 or 99/100 where not given), several for 9/10 of what the uniform
    policy gets.
    """
    from mdplab.exact import optimum, values

    u = rng.random((*mdp.batch, constraints, mdp.S, mdp.A))
    if opposed:
        u[..., 0, :, :] = 1 - mdp.r

    def worth(i: int) -> Any:
        one = DiscountedMDP(mdp.P, u[..., i, :, :], mdp.discount, mdp.start)
        v = optimum(one).v if constraints == 1 else values(one, np.full_like(mdp.r, 1 / mdp.A))
        return total(mdp.start * v)

    shares = np.full(mdp.batch, share or 0.9) if share or constraints > 1 else rng.choice(SHARES, mdp.batch)
    least = np.stack([shares * worth(i) for i in range(constraints)], axis=-1)
    return ConstrainedMDP(mdp.P, mdp.r, u, least, mdp.discount, mdp.start)


def constrained_garnet(
    rng: np.random.Generator,
    size: int,
    *,
    S: int = 3,
    A: int = 2,
    constraints: int = 1,
    opposed: bool = False,
    share: float | None = None,
    discount: float | None = None,
) -> ConstrainedMDP:
    """Garnet models with constraints, see `constrained_by`."""
    check_sizes(constraints=constraints)
    mdp = models.garnet(rng, size, S=S, A=A, discount=discount)
    return constrained_by(rng, mdp, constraints=constraints, opposed=opposed, share=share)


def constrained_bandits(rng: np.random.Generator, size: int, *, K: int = 3) -> ConstrainedMDP:
    """One-state models with K arms, γ = 0, and one constraint."""
    return constrained_by(rng, models.bandits(rng, size, K=K))


def garnet_family(**options: Any) -> Family:
    """`constrained_garnet` with options."""
    return family("constrained-garnet", constrained_garnet, **options)


def family(name: str, make: Any, **options: Any) -> Family:
    """The family `make` with options, named as `find_model` would have it."""
    text = ",".join(f"{key}={value}" for key, value in options.items())
    return Family(f"{name}:{text}" if text else name, partial(make, **options))


ONE_CONSTRAINT = (
    garnet_family(S=2, A=2, opposed=True),
    garnet_family(S=3, A=3),
    family("constrained-bandits", constrained_bandits, K=3),
)
TWO_CONSTRAINTS = (garnet_family(S=3, A=2, constraints=2),)

# -- Draws -------------------------------------------------------------------------------------------------------------


def _draws(max_states: int, max_actions: int, constraints: tuple[int, ...], discounts: Any) -> SearchStrategy[Any]:
    from hypothesis import strategies as st

    from mdplab.exact import optimum, values
    from mdplab.instances import strategies

    shares = st.sampled_from([rational_number(x) for x in ("1/2", "9/10", 0, "99/100", "1/4")])

    @st.composite
    def cmdps(draw: Any) -> ConstrainedMDP:
        mdp = draw(strategies.discounted_mdps(max_states, max_actions))
        if discounts is not None:
            γ = rational_number(draw(st.sampled_from(discounts)))
            mdp = DiscountedMDP(mdp.P, mdp.r, γ, mdp.start)
        wanted = draw(st.sampled_from(constraints))
        opposed, share = draw(st.booleans()), draw(shares)
        u, least = [], []
        for i in range(wanted):
            if i == 0 and opposed:
                u.append(1 - mdp.r)
            else:
                numbers = [draw(strategies.UNIT_REWARDS) for _ in range(mdp.S * mdp.A)]
                u.append(rational(numbers).reshape(mdp.S, mdp.A))
            one = DiscountedMDP(mdp.P, u[i], mdp.discount, mdp.start)
            v = optimum(one).v if wanted == 1 else values(one, rational(np.ones(u[i].shape, dtype=int)) / mdp.A)
            worth = (mdp.start * v).sum()
            least.append(share * worth if worth > 0 else rational_number(-1))
        return ConstrainedMDP(mdp.P, mdp.r, np.stack(u), rational(least), mdp.discount, mdp.start)

    return cmdps()


def constrained_mdps(
    max_states: int = 3,
    max_actions: int = 3,
    *,
    constraints: tuple[int, ...] = (1,),
    families: tuple[Family, ...] | None = None,
    discounts: tuple[Any, ...] | None = None,
) -> Domain:
    """Constrained models with rewards and utilities in [0, 1] and room in the constraints.

    Parameters
    ----------
    max_states, max_actions : int
        Largest drawn model.
    constraints : tuple of int
        How many constraints a drawn model may have.
    families : tuple of Family, optional
        Instead of the usual ones, which have one constraint, or also two where `constraints` says so.
    discounts : tuple of numbers or texts, optional
        What γ of a drawn model may be, instead of anything up to 199/200.
    """
    usual = ONE_CONSTRAINT + (TWO_CONSTRAINTS if max(constraints) > 1 else ())
    return Domain(
        lambda: _draws(max_states, max_actions, constraints, discounts),
        families=usual if families is None else families,
        model=ConstrainedMDP,
        excludes=_several if max(constraints) == 1 else None,
    )


def _several(cmdp: ConstrainedMDP) -> str | None:
    return None if cmdp.I == 1 else f"it is about models with one constraint, and this one has {cmdp.I}"


# -- Files -------------------------------------------------------------------------------------------------------------


def from_document(document: dict[str, Any]) -> ConstrainedMDP:
    """The model that a JSON document describes; see the module for the form.

    Raises
    ------
    InstanceError
        If an entry is missing, ragged or not made of numbers.
    ModelError
        If the arrays do not make a model.
    """
    from mdplab.instances.files import numbers_of

    names = ["P", "r", "utilities", "least", "discount", *(["start"] if "start" in document else [])]
    x = numbers_of(document, *names)
    for name, axes in (("P", 3), ("r", 2), ("utilities", 3), ("least", 1), ("discount", 0)):
        if x[name].ndim != axes:
            raise InstanceError(f"{name} has {x[name].ndim} axes; expected {axes}")
    discount: Any = x["discount"][()] if is_exact(x["P"]) else float(x["discount"])
    return ConstrainedMDP(x["P"], x["r"], x["utilities"], x["least"], discount, x.get("start"))
