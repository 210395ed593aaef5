"""Models of any class as named parts, and back: what `.npz` and `.json` files hold.

The parts of a model are its fields, in their order: arrays, numbers, tuples with an array for each epoch, and a set of
kernels as an object of its own arrays and switches, with the name of its class as "set".
"""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np

from mdplab import models
from mdplab.errors import InstanceError
from mdplab.models.ambiguity import AmbiguitySet

CLASSES: dict[str, type] = {
    "confounded": models.ConfoundedPOMDP,
    "constrained": models.ConstrainedMDP,
    "discounted": models.DiscountedMDP,
    "exit_time": models.ExitTimeMDP,
    "finite_horizon": models.FiniteHorizonMDP,
    "multi_objective": models.MultiObjectiveMDP,
    "pomdp": models.POMDP,
    "robust": models.RobustMDP,
}


def kind_of(model: Any) -> str:
    """The word for the class of a model; raises InstanceError for one that files do not hold."""
    for kind, cls in CLASSES.items():
        if type(model) is cls:
            return kind
    raise InstanceError(f"files hold no models of class {type(model).__name__}; expected {', '.join(CLASSES)}")


def parts(model: Any) -> dict[str, Any]:
    """The fields of a model or of a set of kernels by name; those that are None are left out."""
    found = {f.name: getattr(model, f.name) for f in fields(model)}
    return {
        name: {"set": type(x).__name__} | parts(x) if isinstance(x, AmbiguitySet) else x
        for name, x in found.items()
        if x is not None
    }


def flat(named: dict[str, Any]) -> dict[str, Any]:
    """Parts as single arrays: "P[0]" for the first of a tuple, "ambiguity.budget" for an array of a set of kernels."""
    out: dict[str, Any] = {}
    for name, x in named.items():
        if isinstance(x, dict):
            out |= {f"{name}.{inner}": y for inner, y in x.items()}
        elif isinstance(x, tuple):
            out |= {f"{name}[{i}]": y for i, y in enumerate(x)}
        else:
            out[name] = x
    return out


def assembled(kind: str, arrays: dict[str, np.ndarray]) -> Any:
    """The float64 model of a class whose `flat` parts are given; raises InstanceError for one that is missing."""
    if kind not in CLASSES:
        raise InstanceError(f"model is {kind!r}; expected one of {', '.join(CLASSES)}")
    given: dict[str, Any] = {}
    for f in fields(CLASSES[kind]):
        inner = {name.removeprefix(f"{f.name}."): x for name, x in arrays.items() if name.startswith(f"{f.name}.")}
        if f.name in arrays:
            given[f.name] = _part(f.name, arrays[f.name])
        elif f"{f.name}[0]" in arrays:
            given[f.name] = _tuple(f.name, arrays)
        elif inner:
            given[f.name] = _set(inner)
        elif kind == "finite_horizon" and f.name == "P":
            given["P"] = ()  # one epoch has no transitions
        elif f.default is not None:
            found = ", ".join(sorted(arrays))
            raise InstanceError(f"there is no array {f.name!r} for a {kind} model; found {found}")
    return CLASSES[kind](**given)


def _part(name: str, x: np.ndarray) -> Any:
    if x.dtype.kind not in "fiu":
        raise InstanceError(f"{name} holds {x.dtype}; expected real numbers")
    if name == "horizon":
        return int(x)
    y = np.asarray(x, dtype=float)
    return float(y) if y.ndim == 0 and name == "discount" else y


def _tuple(name: str, arrays: dict[str, np.ndarray]) -> tuple[Any, ...]:
    count = sum(key.startswith(f"{name}[") for key in arrays)
    for i in range(count):
        if f"{name}[{i}]" not in arrays:
            raise InstanceError(f"there is no array '{name}[{i}]', though there are {count} of them")
    return tuple(_part(f"{name}[{i}]", arrays[f"{name}[{i}]"]) for i in range(count))


def _set(inner: dict[str, np.ndarray]) -> AmbiguitySet:
    name = str(inner.get("set", ""))
    cls = getattr(models, name, None)
    if not (isinstance(cls, type) and issubclass(cls, AmbiguitySet)):
        raise InstanceError(f"ambiguity.set is {name!r}; expected the name of a class of sets of kernels")
    given: dict[str, Any] = {}
    for f in fields(cls):  # type: ignore[arg-type]
        if f.name in inner:
            x = inner[f.name]
            given[f.name] = bool(x) if x.dtype.kind == "b" else _part(f"ambiguity.{f.name}", x)
        elif f.name in cls.axes:
            raise InstanceError(f"there is no array 'ambiguity.{f.name}'; a {name} has {', '.join(cls.axes)}")
    return cls(**given)
