"""The inputs of a measure: drawn, batched, picked out of a batch, made exact, written to JSON and read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from mdplab import arrays
from mdplab.errors import InstanceError
from mdplab.theorem.assumptions import called

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

    from mdplab.theorem.statement import Theorem

Inputs = dict[str, Any]


def draws(theorem: Theorem) -> SearchStrategy[Inputs]:
    """A Hypothesis strategy of all inputs, each drawn with those before it."""
    from hypothesis import strategies as st

    @st.composite
    def inputs(draw: Any) -> Inputs:
        out: Inputs = {}
        for name, domain in theorem.on.items():
            out[name] = draw(called(domain.draw, out))
        return out

    return inputs()


def batches(theorem: Theorem, size: int, seed: int) -> Iterator[tuple[str, Inputs]]:
    """Yield (family, inputs), batch shape (size,), for each family of the first parameter; none if one has no batch."""
    root, *rest = theorem.on.items()
    if any(domain.batch is None for _, domain in rest):
        return
    for n, family in enumerate(root[1].families):
        rng = np.random.default_rng([seed, n, *theorem.id.encode()])
        yield family.name, dependents(theorem, family.make(rng, size), rng)


def dependents(theorem: Theorem, first: Any, rng: np.random.Generator) -> Inputs:
    """All inputs, given a batch for the first parameter."""
    root, *rest = theorem.on.items()
    out: Inputs = {root[0]: first}
    for name, domain in rest:
        if domain.batch is None:
            raise InstanceError(f"{theorem.id}: the domain of {name} has no batches in float64")
        out[name] = called(domain.batch, out | {"rng": rng})
    return out


COPIES = 16  # values of the other inputs with which a model of the user's is tried


def on_model(theorem: Theorem, model: Any, seed: int) -> Inputs:
    """A model of the user's, `COPIES` times in float64: once with the simplest other inputs, else with random ones."""
    rng = np.random.default_rng([seed, *theorem.id.encode()])
    one = model.floats()
    out = dependents(theorem, one.map(lambda x: np.stack([np.asarray(x)] * COPIES)), rng)
    root, *rest = theorem.on.items()
    plain: Inputs = {root[0]: one}
    for name, domain in rest:
        if domain.simplest is None:
            break
        plain[name] = called(domain.simplest, plain)
        if isinstance(out[name], np.ndarray) and out[name].shape[:1] == (COPIES,):
            out[name] = out[name].copy()
            out[name][0] = arrays.floats(np.asarray(plain[name]))
    return out


def batch_shape(inputs: Mapping[str, Any]) -> tuple[int, ...]:
    """Shape of the batch, told by the first input that is a model; () without one."""
    return next((x.batch for x in inputs.values() if hasattr(x, "batch")), ())


def pick(inputs: Mapping[str, Any], index: Any) -> Inputs:
    """Part of a batch, by any index of its axis."""
    n = batch_shape(inputs)
    return {name: x[index] if _is_batched(x, n) else x for name, x in inputs.items()}


def _is_batched(x: Any, batch: tuple[int, ...]) -> bool:
    shape = x.batch if hasattr(x, "batch") else getattr(x, "shape", ())
    return bool(batch) and tuple(shape[: len(batch)]) == batch


def exact(theorem: Theorem, inputs: Mapping[str, Any]) -> Inputs:
    """The inputs of one instance in exact arithmetic: a float stands for itself, distributions sum to one."""
    return {name: _exact(theorem, name, x) for name, x in inputs.items()}


def _exact(theorem: Theorem, name: str, x: Any) -> Any:
    if hasattr(x, "exact"):
        return x.exact()
    if isinstance(x, np.ndarray | np.floating | float) and getattr(x, "dtype", np.dtype(float)).kind == "f":
        y = theorem.on[name].exact(np.asarray(x))
        return y[()] if np.ndim(x) == 0 else y
    return x


def in_floats(inputs: Mapping[str, Any]) -> Inputs:
    """The same inputs in float64."""

    def convert(x: Any) -> Any:
        if hasattr(x, "floats"):
            return x.floats()
        if isinstance(x, np.ndarray) and x.dtype == object:
            return arrays.floats(x)
        return arrays.number(x) if arrays.is_exact(x) else x

    return {name: convert(x) for name, x in inputs.items()}


def on_device(inputs: Mapping[str, Any], device: str) -> Inputs:
    """The same inputs with their arrays on the device, "cpu" or "cuda"."""
    if device == "cpu":
        return dict(inputs)
    import cupy

    def move(x: Any) -> Any:
        if hasattr(x, "map"):
            return x.map(lambda y: cupy.asarray(y) if getattr(y, "shape", ()) else y)
        return cupy.asarray(x) if isinstance(x, np.ndarray) else x

    return {name: move(x) for name, x in inputs.items()}


def to_json(x: Any) -> Any:
    """An input as JSON that a person can read and edit: rationals as texts, models by their class and fields."""
    if hasattr(x, "batch"):
        fields = {name: to_json(getattr(x, name)) for name in x.__dataclass_fields__}
        return {"class": type(x).__name__, **fields}
    if isinstance(x, Mapping):
        return {name: to_json(y) for name, y in x.items()}
    if isinstance(x, tuple):
        return {"tuple": [to_json(y) for y in x]}
    if isinstance(x, np.ndarray):
        return _nested(x) if x.ndim else to_json(x[()])
    if arrays.is_exact(x):
        return str(x)
    return x.item() if isinstance(x, np.generic) else x


def _nested(x: np.ndarray) -> list[Any]:
    return [_nested(y) if isinstance(y, np.ndarray) and y.ndim else to_json(y) for y in x]


def from_json(x: Any) -> Any:
    """The inverse of `to_json`; raises InstanceError for what it cannot read."""
    if isinstance(x, dict) and "class" in x:
        from mdplab import models

        if not hasattr(models, x["class"]):
            raise InstanceError(
                f"class is {x['class']!r}; expected one of {sorted(n for n in dir(models) if n[0].isupper())}"
            )
        return getattr(models, x["class"])(**{k: from_json(v) for k, v in x.items() if k != "class"})
    if isinstance(x, dict) and "tuple" in x:
        return tuple(from_json(y) for y in x["tuple"])
    return _array(x)


def _exact_number(x: Any) -> Any:
    """A rational, or the ball that a text such as "[2.5 +/- 1e-9]" stands for."""
    if isinstance(x, str) and x.startswith("["):
        return arrays.ball(x)
    return arrays.rational_number(Fraction(x) if isinstance(x, str) else x)


def _array(x: Any) -> Any:
    try:
        if isinstance(x, str):
            return _exact_number(x)
        if isinstance(x, list):
            flat = np.asarray(x, dtype=object).ravel()
            if all(isinstance(y, bool) for y in flat) or all(isinstance(y, int) for y in flat):
                return np.asarray(x)
            if not any(isinstance(y, str) for y in flat):
                return np.asarray(x, dtype=float)
            out = np.empty(len(flat), dtype=object)
            out[:] = [_exact_number(y) for y in flat]
            return out.reshape(np.shape(np.asarray(x, dtype=object)))
    except (TypeError, ValueError) as error:
        raise InstanceError(f"expected numbers or texts such as '1/3': {error}") from None
    return x
