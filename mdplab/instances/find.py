"""From the name of a model, as one types it, to the model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable
from dataclasses import replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Any

import numpy as np

from mdplab.arrays import is_exact, rational, rational_number
from mdplab.errors import InstanceError, ModelError
from mdplab.instances import families, files, named
from mdplab.instances.confounded import confounded
from mdplab.instances.constrained import constrained_bandits, constrained_garnet
from mdplab.instances.exit_time import gamblers, random_exits
from mdplab.instances.exploration import layered
from mdplab.instances.multi_objective import objectives_chain, objectives_garnet
from mdplab.instances.pomdp import emitting_pomdps, nearly_blind
from mdplab.models import DiscountedMDP

# Examples and families by name, of all classes of models.
EXAMPLES: dict[str, Callable[..., Any]] = named.by_name
FAMILIES: dict[str, Callable[..., Any]] = families.by_name | {
    "confounded": confounded,
    "constrained-bandits": constrained_bandits,
    "constrained-garnet": constrained_garnet,
    "emitting": emitting_pomdps,
    "gamblers": gamblers,
    "layered": layered,
    "nearly-blind": nearly_blind,
    "objectives-chain": objectives_chain,
    "objectives-garnet": objectives_garnet,
    "random-exits": random_exits,
}

_FAMILY_DISCOUNT = Fraction(9, 10)  # where neither the name nor the caller says


def find_model(text: str, discount: float | str | None = None, start: str | int | None = None) -> Any:
    """The model that `text` names, of whichever class it is.

    Parameters
    ----------
    text : str
        One of

        * ``gym:ID``, a Gymnasium environment with a transition table, such as ``gym:FrozenLake-v1``;
        * a family with its options, such as ``garnet:S=20,A=5,seed=3`` (seed 0 unless given);
        * a named example, perhaps with options, such as ``puterman-6.2.1``, ``long-chain:H=12`` or ``paradox``;
        * the path of a file that ends in ``.npz``, ``.json`` or ``.pomdp``.
    discount : number or text, optional
        γ, instead of the model's own; needed for Gymnasium.  Families have 9/10 unless given.  A text such as "9/10"
        stays exact where the model is.
    start : str or int, optional
        "uniform", or the index of a state, instead of the model's own start distribution; in a file with state names
        also one of these.

    Raises
    ------
    InstanceError
        If there is no such model, an option is unknown, or the model is not one.
    """
    γ = None if discount is None else _discount(discount)
    if text.startswith("gym:"):
        mdp, names = _gymnasium(text.removeprefix("gym:"), γ), None
    elif text.lower().endswith((".npz", ".json", ".pomdp")):
        mdp = files.load_model(text)
        names = None if text.endswith(".npz") else files.state_names(text)
    else:
        mdp, names = _registered(text, γ), None
    try:
        mdp = mdp if γ is None else _discounted(mdp, γ)
    except ModelError as error:
        raise InstanceError(f"{text}: {error}") from error
    return mdp if start is None else mdp.starting(_start(mdp, start, names))


def _discount(x: float | str) -> Fraction:
    try:
        γ = Fraction(str(x))
    except (ValueError, ZeroDivisionError) as error:
        raise InstanceError(f"discount is {x!r}; expected a number such as 0.99 or 9/10") from error
    if not 0 <= γ < 1:
        raise InstanceError(f"discount is {x}; expected 0 <= discount < 1")
    return γ


def _discounted(mdp: Any, γ: Fraction) -> Any:
    if not hasattr(mdp, "discount"):
        raise ModelError(f"a model of class {type(mdp).__name__} has no discount; leave --discount out")
    return replace(mdp, discount=rational_number(γ) if is_exact(mdp.P) else float(γ))


def _start(mdp: Any, start: str | int, names: list[str] | None) -> Any:
    if start == "uniform":
        p = rational(np.ones(mdp.S, dtype=int)) / mdp.S if is_exact(mdp.P) else np.full(mdp.S, 1 / mdp.S)
    else:
        one = np.eye(mdp.S)[files.state_index(start, mdp.S, names)]
        p = rational(one.astype(int)) if is_exact(mdp.P) else one
    return np.broadcast_to(p, (*mdp.batch, mdp.S)).copy()


def _gymnasium(name: str, γ: Fraction | None) -> DiscountedMDP:
    from mdplab.instances.gymnasium import from_gymnasium

    if γ is None:
        raise InstanceError(f"gym:{name} has no discount of its own: add --discount, for example 0.99")
    try:
        return from_gymnasium(name, float(γ))
    except ModelError as error:
        raise InstanceError(f"gym:{name}: {error}") from error


def _registered(text: str, γ: Fraction | None) -> Any:
    name, _, rest = text.partition(":")
    options = _options(text, rest)
    if name in EXAMPLES:
        return _call(text, EXAMPLES[name], _with_discount(EXAMPLES[name], options, γ))
    if name in FAMILIES:
        seed = _number("seed", options.pop("seed", "0"), int)
        if seed < 0:
            raise InstanceError(f"{text}: seed is {seed}; expected at least 0")
        make, rng = FAMILIES[name], np.random.default_rng(seed)
        if γ is None and "discount" not in options:
            γ = _FAMILY_DISCOUNT
        return _call(text, make, _with_discount(make, options, γ), rng, 1)[0]
    raise InstanceError(
        f"there is no model {name!r}{_suggestion(name, known_names())}; expected gym:ID, a family or an example "
        "(mdplab list instances names them), or a file that ends in .npz, .json or .pomdp"
    )


def _with_discount(make: Callable[..., Any], options: dict[str, str], γ: Fraction | None) -> dict[str, str]:
    # Some examples are built from their discount, so that changing it afterwards would not do.
    takes_one = γ is not None and "discount" in inspect.signature(make).parameters
    return options | {"discount": str(γ)} if takes_one else options


def known_names() -> list[str]:
    """The names of all families and examples that `find_model` knows."""
    return sorted({*EXAMPLES, *FAMILIES})


def _options(text: str, rest: str) -> dict[str, str]:
    options = {}
    for part in rest.split(",") if rest else []:
        key, equals, value = (x.strip() for x in part.partition("="))
        if not (key and equals and value):
            raise InstanceError(f"{text}: {part!r} is not an option; expected name=value")
        if key in options:
            raise InstanceError(f"{text}: {key!r} is given more than once")
        options[key] = value
    return options


def options_of(make: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The options that a name may carry: all parameters with one value, random numbers and the batch left out."""
    parameters = inspect.signature(make).parameters
    return {
        name: p for name, p in parameters.items() if name not in ("rng", "size") and not isinstance(p.default, tuple)
    }


def _call(text: str, make: Callable[..., Any], options: dict[str, str], *given: Any) -> Any:
    known = options_of(make)
    names = sorted({*known, "seed"} if given else known)
    for key in options:
        if key not in known:
            listed = f"expected one of {', '.join(names)}" if names else "it has no options"
            raise InstanceError(f"{text}: there is no option {key!r}{_suggestion(key, names)}; {listed}")
    try:
        return make(*given, **{key: _converted(known[key], value) for key, value in options.items()})
    except (InstanceError, ModelError) as error:
        raise InstanceError(f"{text}: {error}") from error


def _converted(parameter: inspect.Parameter, value: str) -> Any:
    # Annotations are texts here: "int", "bool", "float", "float | None", "str", and "Any" for what is a rational.
    kind = str(parameter.annotation)
    if kind == "int":
        return _number(parameter.name, value, int)
    if kind == "bool":
        if value not in ("True", "False"):
            raise InstanceError(f"{parameter.name} is {value!r}; expected True or False")
        return value == "True"
    if kind.startswith("float"):
        return float(_number(parameter.name, value, Fraction))
    return value if kind == "str" else _number(parameter.name, value, Fraction)


def _number(name: str, value: str, kind: type) -> Any:
    try:
        return kind(value)
    except (ValueError, ZeroDivisionError) as error:
        expected = "an integer" if kind is int else "a number"
        raise InstanceError(f"{name} is {value!r}; expected {expected}") from error


def _suggestion(name: str, known: Iterable[str]) -> str:
    close = get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
