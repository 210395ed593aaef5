"""Robust models: strategies, batched families, named examples, domains, and their form in JSON.

In JSON a robust model with costs is::

    {
      "model": "robust",
      "discount": "9/10",
      "start": ["1/2", "1/2"],
      "P": [[["1/3", "2/3"]], [[1, 0]]],
      "c": [[[1, 0]], [["1/2", 0]]],
      "ambiguity": {"set": "L1Ball", "budget": [["1/5"], ["1/10"]]}
    }

`P[s][a]` is the nominal distribution of the next state and `c[s][a][t]`, or `c[s][a]`, the cost.  "set" is the name
of a class in `mdplab.models.ambiguity`; its other entries are the arrays of that class.  Numbers are written as in
`mdplab.instances.files`; without "start" the start distribution is uniform.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab import models
from mdplab.arrays import rational, rational_number
from mdplab.errors import InstanceError
from mdplab.instances.domain import Domain, Family, check_sizes
from mdplab.models.ambiguity import AmbiguitySet
from mdplab.models.robust import RobustMDP

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

# -- families ----------------------------------------------------------------------------------------------------------


def robust_garnet(
    rng: np.random.Generator,
    size: int,
    *,
    S: int = 4,
    A: int = 3,
    b: int = 0,
    set: str = "L1Ball",
    most: float = 1.0,
    discount: float | None = None,
    least_start: float = 0.0,
) -> RobustMDP:
    """Garnet(S, A, b) with costs on transitions, uniform on [0, 1] or 0 or 1 (one model in four), budgets below `most`.

    Half of the models have nearly deterministic rows (weights to the 20th power), a quarter no budget in some pairs.
    `set` names a class of `mdplab.models.ambiguity`; sets between two kernels draw the other one in the same way.
    """
    from mdplab.instances.families import DISCOUNTS

    if set not in SETS:
        raise InstanceError(f"set is {set!r}; expected one of {', '.join(sorted(SETS))}")
    b = S if b == 0 else b
    check_sizes(S=S, A=A, b=b)
    P = _rows(rng, size, S, A, b)
    c = rng.random((size, S, A, S))
    c = np.where(rng.random((size, 1, 1, 1)) < 0.25, np.round(c), c)
    γ = rng.choice(DISCOUNTS, size) if discount is None else np.full(size, float(discount))
    start = np.where(rng.random((size, 1)) < 0.5, rng.dirichlet(np.ones(S), size), 1 / S)
    start = least_start + (1 - S * least_start) * start
    budget = most * rng.random((size, S, A)) * (rng.random((size, S, A)) > 0.25 * rng.integers(2, size=(size, 1, 1)))
    return RobustMDP(P, c, γ, SETS[set](rng, P, budget), start)


def _rows(rng: np.random.Generator, size: int, S: int, A: int, b: int) -> np.ndarray:
    P = np.zeros((size, S, A, S))
    successors = np.argsort(rng.random((size, S, A, S)), axis=-1)[..., :b]
    sharp = rng.random((size, 1, 1, 1)) < 0.5
    weights = rng.random((size, S, A, b)) ** np.where(sharp, 20, 1)
    np.put_along_axis(P, successors, weights / weights.sum(axis=-1, keepdims=True), axis=-1)
    return P


def _box(rng: np.random.Generator, P: np.ndarray, budget: np.ndarray) -> AmbiguitySet:
    κ = budget[..., None]
    return models.Box(np.maximum(P - κ, 0), np.minimum(P + κ, 1))


def _wasserstein(rng: np.random.Generator, P: np.ndarray, budget: np.ndarray) -> AmbiguitySet:
    x = np.sort(rng.random((len(P), P.shape[-1])), axis=-1)
    away = abs(x[:, :, None] - x[:, None, :]) + 0.01 * (1 - np.eye(P.shape[-1]))
    return models.WassersteinBall(budget / 2, away)


def _tilted(rng: np.random.Generator, P: np.ndarray, budget: np.ndarray) -> AmbiguitySet:
    size, S, A = P.shape[:3]
    half = np.full(size, 0.5)
    return models.TiltedKernels(
        rng.normal(size=(size, 2, S)),
        rng.uniform(0.5, 1.5, (size, 2, S, A)),
        rng.normal(size=(size, 2)),
        rng.uniform(0.6, 1.5, (size, 2)),
        half,
        half,
    )


def _other(rng: np.random.Generator, P: np.ndarray) -> np.ndarray:
    return _rows(rng, len(P), P.shape[-1], P.shape[-2], P.shape[-1])


SETS: dict[str, Callable[[np.random.Generator, np.ndarray, np.ndarray], AmbiguitySet]] = {
    "Box": _box,
    "ChiSquareBall": lambda rng, P, κ: models.ChiSquareBall(κ),
    "FiniteSet": lambda rng, P, κ: models.FiniteSet(np.stack([_other(rng, P) for _ in range(2)], axis=1)),
    "KLBall": lambda rng, P, κ: models.KLBall(κ),
    "L1Ball": lambda rng, P, κ: models.L1Ball(κ),
    "LInfBall": lambda rng, P, κ: models.LInfBall(κ),
    "Segments": lambda rng, P, κ: models.Segments(_other(rng, P)),
    "StateL1Ball": lambda rng, P, κ: models.StateL1Ball(κ.sum(axis=-1)),
    "StateSegments": lambda rng, P, κ: models.StateSegments(_other(rng, P)),
    "TiltedKernels": _tilted,
    "WassersteinBall": _wasserstein,
}

RECTANGULAR = ("Box", "L1Ball", "LInfBall", "Segments", "StateL1Ball", "StateSegments", "WassersteinBall")
BY_PAIR = tuple(name for name in RECTANGULAR if not name.startswith("State"))
BY_STATE = ("StateL1Ball", "StateSegments")
DIVERGENCES = ("KLBall", "ChiSquareBall")  # rectangular too; in exact arithmetic their answers are balls
ANY_PAIR, ANY_RECTANGULAR = (*BY_PAIR, *DIVERGENCES), (*RECTANGULAR, *DIVERGENCES)
ANY_SOLVED = (*ANY_RECTANGULAR, "FiniteSet")  # where `worst_case` finds a worst kernel
ANY_SET = tuple(SETS)


# -- named examples ----------------------------------------------------------------------------------------------------


def two_kernels(start: Any = ("97/100", "1/100", "1/100", "1/100")) -> RobustMDP:
    """Two kernels that swap the roles of the actions: descent on the worst cost can be trapped (two states, γ = 9/10).

    States s_0, s_1, good, bad; the last two absorb and bad costs 1 at every step.  By the nominal kernel action 0 goes
    s_0 → s_1 → bad and action 1 goes to good at once; by the other one the actions are exchanged.  Action 0 in s_0
    costs 2/5.  With x = π(0 | s_0) and y = π(0 | s_1) the worst cost has its minimum 0.1891... at (0, 0.99) and a
    strict local minimum 0.5770... at (1, 0.011).
    """
    good, bad = 2, 3
    first = [[1, good], [bad, good], [good, good], [bad, bad]]
    P = rational(np.eye(4, dtype=int)[np.array(first)])
    swapped = P[:, ::-1].copy()
    c = rational(np.zeros((4, 2), dtype=int))
    c[bad, :], c[0, 0] = rational_number(1), rational_number("2/5")
    return RobustMDP(P, c, rational_number("9/10"), models.FiniteSet(swapped[None]), rational(list(start)))


def trapped_policy() -> np.ndarray:
    """π for `two_kernels` at its strict local minimum, x = 1, and y near 0.0112."""
    y = trap()
    return rational([[1, 0], [y, 1 - y], [1, 0], [1, 0]])


def trap() -> Any:
    """y at which both kernels of `two_kernels` cost the same where x = 1.

    With x = 1 the nominal kernel leads s_0 to s_1 and costs 2/5 + 9 y · 9/10 from there, the other one 2/5.  From s_1
    they cost 9 y and 9 (1 − y).  Hence ρ_0 · (9/10) · 9 y + ρ_1 · 9 y = ρ_1 · 9 (1 − y).
    """
    ρ = rational(["97/100", "1/100"])
    return ρ[1] / (ρ[0] * rational_number("9/10") + 2 * ρ[1])


def best_of_two_kernels() -> np.ndarray:
    """π for `two_kernels` near its global minimum: x = 0, y = 99/100."""
    return rational([[0, 1], ["99/100", "1/100"], [1, 0], [1, 0]])


def early_stop() -> RobustMDP:
    """s_0, good, bad (absorbing, cost 1 a step), γ = 9/10: an inexact inner loop makes the first policy look best.

    From s_0 action 0 goes to bad with a probability in [0, 1], 1/2 nominally; action 1 with probability 1/2.  The least
    worst cost is 4.6 for ρ = (8/10, 1/10, 1/10).  With the kernel that never goes to bad, action 0 seems to cost 1.
    """
    half = ["0", "1/2", "1/2"]
    P = rational([[half, half], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2])
    low, high = P.copy(), P.copy()
    low[0, 0], high[0, 0] = rational([0, 0, 0]), rational([0, 1, 1])
    c = rational([[0, 0], [0, 0], [1, 1]])
    return RobustMDP(P, c, rational_number("9/10"), models.Box(low, high), rational(["8/10", "1/10", "1/10"]))


def random_is_best() -> RobustMDP:
    """One decision under a budget that two actions share: the best policy is random (3/4, 1/4) and costs 51/80.

    From state 0 the actions lead to states 1 and 2, (1/2, 1/2) and (8/10, 2/10); going to state 2 costs 1 or 3.  States
    1 and 2 absorb at no cost.  The state's budget is 3/10 (γ = 0).
    """
    stay = np.eye(3, dtype=int)
    P = rational([[[0, "1/2", "1/2"], [0, "8/10", "2/10"]], *([list(row)] * 2 for row in stay[1:])])
    c = rational(np.zeros((3, 2, 3), dtype=int))
    c[0, 0, 2], c[0, 1, 2] = rational_number(1), rational_number(3)
    κ = rational(["3/10", 0, 0])
    return RobustMDP(P, c, rational_number(0), models.StateL1Ball(κ), rational([1, 0, 0]))


# -- domains -----------------------------------------------------------------------------------------------------------


def robust_mdps(
    *sets: str,
    about: tuple[str, ...] = (),
    max_states: int = 3,
    max_actions: int = 2,
    positive_start: bool = False,
    sizes: Any = ((3, 2), (5, 3)),
) -> Domain:
    """Robust models with costs in [0, 1]: small rational ones, and batches for each of the sets and sizes.

    Parameters
    ----------
    sets : names of classes in `mdplab.models.ambiguity`
        Those that rational arithmetic can answer, rectangular ones by default; see also `DIVERGENCES`.
    about : names of such classes
        All that the theorem is about, if more than are drawn: a model of one's own may have any of them.
    max_states, max_actions : int
        Largest drawn model.
    positive_start : bool
        Whether every state has a start probability of at least 1/20.
    sizes : pairs (S, A)
        Of the families.
    """
    sets = sets or RECTANGULAR

    def draw() -> SearchStrategy[RobustMDP]:
        return robust_models(sets, max_states, max_actions, positive_start)

    found = tuple(
        Family(
            f"robust-garnet:S={S},A={A},set={name}",
            partial(robust_garnet, S=S, A=A, set=name, least_start=0.05 if positive_start else 0.0),
        )
        for name in sets
        for S, A in sizes
    )
    return Domain(draw, families=found, model=RobustMDP, excludes=partial(_another_set, about or sets))


def _another_set(sets: tuple[str, ...], mdp: RobustMDP) -> str | None:
    name, wide = type(mdp.ambiguity).__name__, {ANY_PAIR: "(s,a)-rectangular", ANY_RECTANGULAR: "rectangular"}
    if name in sets:
        return None
    wanted = f"{wide[sets]} sets of kernels" if sets in wide else f"sets of kernels of class {' or '.join(sets)}"
    return f"it is about {wanted}, and this is one of class {name}"


def robust_models(
    sets: tuple[str, ...] = RECTANGULAR, max_states: int = 3, max_actions: int = 2, positive_start: bool = False
) -> SearchStrategy[RobustMDP]:
    """A Hypothesis strategy of robust models in rationals; shrinks to one state, no cost and no budget."""
    from hypothesis import strategies as st

    from mdplab.instances import strategies

    @st.composite
    def model(draw: Any) -> RobustMDP:
        name = draw(st.sampled_from(sets))
        S, A = draw(st.integers(1, max_states)), draw(st.integers(1, max_actions))
        γ = draw(strategies.DISCOUNTS)
        rows = strategies.distributions(S, positive=name == "TiltedKernels")
        P = _nested(draw, rows, S, A)
        c = _nested(draw, strategies.UNIT_REWARDS, S, A, S)
        start = draw(strategies.distributions(S, positive=positive_start))
        return RobustMDP(P, c, γ, _drawn_set(draw, name, P, rows), start)

    return model()


def _nested(draw: Any, elements: Any, *shape: int) -> np.ndarray:
    flat = [draw(elements) for _ in range(int(np.prod(shape)))]
    out = np.empty(len(flat), dtype=object)
    if isinstance(flat[0], np.ndarray):
        return np.stack(flat).reshape(*shape, -1)
    out[:] = flat
    return out.reshape(shape)


def _drawn_set(draw: Any, name: str, P: np.ndarray, rows: Any) -> AmbiguitySet:
    from hypothesis import strategies as st

    S, A = P.shape[-1], P.shape[-2]
    budgets = st.sampled_from([rational_number(x) for x in (0, "1/5", "1/2", 1, "3/2", 2, "1/100", 3)])
    if name in ("Segments", "StateSegments"):
        return getattr(models, name)(_nested(draw, rows, S, A))
    if name == "FiniteSet":
        return models.FiniteSet(np.stack([_nested(draw, rows, S, A) for _ in range(draw(st.integers(1, 2)))]))
    if name == "StateL1Ball":
        return models.StateL1Ball(_nested(draw, budgets, S))
    if name == "TiltedKernels":
        any_number, positive = strategies_of_features()
        return models.TiltedKernels(
            _nested(draw, any_number, 2, S),
            _nested(draw, positive, 2, S, A),
            _nested(draw, any_number, 2),
            _nested(draw, positive, 2),
            rational("1/4"),
            rational("1/4"),
        )
    κ = _nested(draw, budgets, S, A)
    if name == "Box":
        one = rational_number(1)
        low = np.where(κ[..., None] < P, P - κ[..., None], 0 * P)
        high = np.where(P + κ[..., None] < one, P + κ[..., None], 0 * P + one)
        return models.Box(low, high)
    if name == "WassersteinBall":
        away = _nested(draw, st.sampled_from([rational_number(x) for x in (1, "1/2", 2, "1/3")]), S, S)
        return models.WassersteinBall(κ, away * rational(1 - np.eye(S, dtype=int)))
    return getattr(models, name)(κ)


def strategies_of_features() -> tuple[Any, Any]:
    """Strategies of a feature of a state, and of a positive one of a pair."""
    from hypothesis import strategies as st

    return (
        st.sampled_from([rational_number(x) for x in (0, 1, -1, "1/2", "-3/2")]),
        st.sampled_from([rational_number(x) for x in (1, "1/2", 2, "3/2")]),
    )


def _some_kernels(rng: np.random.Generator, mdp: RobustMDP) -> np.ndarray:
    return rng.dirichlet(np.full(mdp.S, 0.5), (*mdp.batch, mdp.S, mdp.A))


def _draw_kernels(mdp: RobustMDP) -> SearchStrategy[np.ndarray]:
    from hypothesis import strategies as st

    from mdplab.instances import strategies

    rows = st.lists(strategies.distributions(mdp.S), min_size=mdp.S * mdp.A, max_size=mdp.S * mdp.A)
    return rows.map(lambda p: np.stack(p).reshape(mdp.S, mdp.A, mdp.S))


def _exact_rows(x: Any) -> Any:
    from mdplab.arrays import exact_distribution

    return exact_distribution(x)


kernels = Domain(_draw_kernels, _some_kernels, lambda mdp: mdp.P, _exact_rows)

# -- files -------------------------------------------------------------------------------------------------------------


def from_document(document: dict[str, Any]) -> RobustMDP:
    """The robust model that a JSON document describes; see the module for the form."""
    from mdplab.instances.files import numbers_of

    chosen = document.get("ambiguity")
    names = sorted(SETS)
    if not isinstance(chosen, dict) or chosen.get("set") not in names:
        raise InstanceError(f"ambiguity is {chosen!r}; expected an object whose 'set' is one of {', '.join(names)}")
    kind = getattr(models, chosen["set"])
    arrays = {f"ambiguity.{name}": chosen.get(name) for name in kind.axes}
    if missing := [name for name, x in arrays.items() if x is None]:
        raise InstanceError(f"there is no {missing[0]!r}; a {chosen['set']} has {', '.join(kind.axes)}")
    known = {"set", *(f.name for f in fields(kind))}
    if unknown := sorted({*chosen} - known):
        raise InstanceError(f"ambiguity has {unknown[0]!r}; expected {', '.join(sorted(known))}")
    start = document.get("start", "uniform")
    flat = {key: document[key] for key in ("P", "c", "discount") if key in document} | arrays
    if start != "uniform":
        flat["start"] = start
    needed = ["P", "c", "discount", *arrays, *(["start"] if start != "uniform" else [])]
    x = numbers_of(flat, *needed)
    flags = {name: chosen[name] for name in known - {"set", *kind.axes} if name in chosen}
    ambiguity = kind(**{name: x[f"ambiguity.{name}"] for name in kind.axes}, **flags)
    return RobustMDP(x["P"], x["c"], x["discount"][()], ambiguity, x.get("start"))
