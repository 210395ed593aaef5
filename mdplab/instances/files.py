"""Models in files: `.npz` for float64 of any size, `.json` for small ones that people read and edit.

A `.npz` file holds the arrays `P`, `r`, `discount` and, if not uniform, `start`, as `DiscountedMDP` names them; a batch
of models is one file.  For the other classes a text `model` says which (the words are those of JSON, below); the arrays
are named as the fields of the class, `P[0]`, `P[1]`, ... where it has one for each epoch, and those of a set of kernels
`ambiguity.set`, `ambiguity.budget`, and so on.

A `.json` file holds one model::

    {
      "model": "discounted",
      "discount": "9/10",
      "start": ["1/2", "1/2"],
      "P": [[["1/3", "2/3"], [0, 1]],
            [[1, 0]]],
      "r": [[1, 0],
            ["1/2"]],
      "state_names": ["here", "there"]
    }

* A number is an integer, a decimal, or a text such as "1/3" or "0.25".  If every number is an integer or a text the
  model is exact, in rationals; one decimal without quotes makes all of it float64.
* `P[s][a]` is the distribution of the next state and `r[s][a]` the expected reward.  States may have different numbers
  of actions: a state with fewer repeats its last one.  Values, optimal values and attainable occupancies stay as they
  are, and since the lowest of equal actions is taken, a solver's policy names real actions.
* `start` is a distribution, "uniform" (so too if it is left out), or one state by its index or its name.
* `state_names` is optional, and so is "model", here "discounted".

Other values of "model" name the other model classes; the module of a class in this package documents its form.
"""

from __future__ import annotations

import json
import re
import zipfile
import zlib
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from mdplab.arrays import floats, is_ball, is_exact, on_gpu, rational
from mdplab.errors import InstanceError, ModelError
from mdplab.instances.parts import assembled, flat, kind_of, parts
from mdplab.models import DiscountedMDP

# Other model classes in JSON: the module that reads them has `from_document(document)`.
READERS: dict[str, str] = {
    "confounded": "mdplab.instances.confounded",
    "constrained": "mdplab.instances.constrained",
    "exit_time": "mdplab.instances.exit_time",
    "finite_horizon": "mdplab.instances.finite_horizon",
    "multi_objective": "mdplab.instances.multi_objective",
    "pomdp": "mdplab.instances.pomdp",
    "robust": "mdplab.instances.robust",
}

_NUMBER = 'expected a number or a text such as "1/3"'


def load_model(path: str | Path) -> Any:
    """The model in a `.npz`, `.json` or `.pomdp` file.

    Raises
    ------
    InstanceError
        If there is no such file, or it does not hold a model; the message names file, array, index and value.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise InstanceError(f"{path}: there is no such file")
    if path.suffix.lower() == ".pomdp":
        return import_module("mdplab.instances.cassandra").load(path)
    if path.suffix not in (".npz", ".json"):
        raise InstanceError(f"{path}: a model's file ends in .npz, .json or .pomdp, not in {path.suffix!r}")
    try:
        return _load_npz(path) if path.suffix == ".npz" else _from_document(_document(path))
    except (InstanceError, ModelError) as error:
        raise InstanceError(f"{path}: {error}") from error


def save_model(mdp: Any, path: str | Path, state_names: list[str] | None = None) -> None:
    """Write a model to a `.npz` file (float64, any batch) or a `.json` file (one model); a POMDP to a `.pomdp` file.

    `load_model` returns every number as it was, and with it the arithmetic.

    Raises
    ------
    InstanceError
        If the format cannot hold the model.
    """
    path = Path(path).expanduser()
    if path.suffix == ".npz":
        kind, arrays = kind_of(mdp), flat(parts(mdp))
        if any(is_exact(x) for x in arrays.values()):
            raise InstanceError(f"{path}: .npz holds float64; write exact models to .json, or take mdp.floats() first")
        marked = {} if kind == "discounted" else {"model": np.asarray(kind)}
        on_cpu = {name: np.asarray(x) if isinstance(x, str | bool | int) else floats(x) for name, x in arrays.items()}
        np.savez_compressed(path, **marked, **on_cpu)  # type: ignore[arg-type]
    elif path.suffix == ".json":
        path.write_text(to_json(mdp, state_names) + "\n", encoding="utf-8")
    elif path.suffix.lower() == ".pomdp" and type(mdp).__name__ == "POMDP":
        import_module("mdplab.instances.cassandra").write_pomdp(mdp, path, state_names)
    else:
        raise InstanceError(f"{path}: a model's file ends in .npz or .json, not in {path.suffix!r}")


def to_json(mdp: Any, state_names: list[str] | None = None) -> str:
    """The JSON text of one model, one state a line; rationals as texts, float64 so that it reads back the same."""
    if mdp.batch:
        raise InstanceError(f"JSON holds one model, not a batch of shape {mdp.batch}; write .npz, or take mdp[index]")
    kind, named = kind_of(mdp), parts(mdp)
    if any(is_ball(x) for x in flat(named).values()):
        raise InstanceError("JSON holds rationals or float64; balls have no text that reads back the same")
    first = [name for name in ("discount", "horizon", "start") if name in named]
    order = [*first, *(name for name in named if name not in first)]
    lines = [f'"model": "{kind}"', *(f'"{name}": {_shown(named[name])}' for name in order)]
    if state_names is not None:
        _check_names(state_names, mdp.S)
        lines.append(f'"state_names": {json.dumps(state_names, ensure_ascii=False)}')
    return "{\n  " + ",\n  ".join(lines) + "\n}"


def from_json(text: str) -> Any:
    """The model that a JSON text describes; see the module for the form."""
    return _from_document(_parsed(text))


def state_names(path: str | Path) -> list[str] | None:
    """The names of the states in a `.json` or `.pomdp` file, or None where it has none."""
    if Path(path).suffix.lower() == ".pomdp":
        return list(import_module("mdplab.instances.cassandra").read_pomdp(path).states)
    return _document(Path(path).expanduser()).get("state_names")


def _load_npz(path: Path) -> Any:
    try:
        with zipfile.ZipFile(path):  # np.load would take other formats of its own too
            pass
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    except (OSError, EOFError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        raise InstanceError(f"not a .npz file of plain arrays ({error})") from error
    if "model" in arrays:
        return assembled(str(arrays.pop("model")), arrays)
    for name in ("P", "r", "discount"):
        if name not in arrays:
            found = ", ".join(sorted(arrays)) or "nothing"
            raise InstanceError(f"there is no array {name!r}; found {found}, expected P, r, discount and perhaps start")
    for name, x in arrays.items():
        if name in ("P", "r", "discount", "start") and x.dtype.kind not in "fiu":
            raise InstanceError(f"{name} holds {x.dtype}; expected real numbers")
    P, r, discount = (np.asarray(arrays[name], dtype=float) for name in ("P", "r", "discount"))
    start = np.asarray(arrays["start"], dtype=float) if "start" in arrays else None
    return DiscountedMDP(P, r, float(discount) if discount.ndim == 0 else discount, start)


def _document(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InstanceError(f"not a text in UTF-8 ({error.reason} at byte {error.start})") from error
    return _parsed(text)


def _parsed(text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InstanceError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from error
    except (ValueError, RecursionError) as error:  # an integer of thousands of digits, lists a thousand deep
        raise InstanceError(f"not a model: {error}") from error
    if not isinstance(document, dict):
        raise InstanceError(f"the file holds a {type(document).__name__}; expected an object with P, r and discount")
    return document


def numbers_of(document: dict[str, Any], *names: str) -> dict[str, np.ndarray]:
    """The named entries as arrays: rationals, or float64 as soon as one number of them is a decimal.

    Raises InstanceError, naming entry and index, for one that is missing, ragged or not made of numbers.
    """
    for name in names:
        if name not in document:
            raise InstanceError(f"there is no {name!r}; found {', '.join(map(repr, document)) or 'nothing'}")
        _check_rectangular(name, document[name])
    decimal = any(isinstance(x, float) for name in names for x in _leaves(document[name]))
    return {name: (_floats if decimal else _rationals)(name, document[name]) for name in names}


def _check_rectangular(name: str, x: Any) -> None:
    if isinstance(x, list):
        shapes = [_shape(y) for y in x]
        for i, y in enumerate(x):
            _check_rectangular(f"{name}[{i}]", y)
            if shapes[i] != shapes[0]:
                raise InstanceError(
                    f"{name}[{i}] has shape {shapes[i]} and {name}[0] has {shapes[0]}; expected the same"
                )


def _shape(x: Any) -> tuple[int, ...]:
    return (len(x), *_shape(x[0])) if isinstance(x, list) and x else (0,) if isinstance(x, list) else ()


def _from_document(document: dict[str, Any]) -> Any:
    kind = document.get("model", "discounted")
    if kind in READERS:
        return import_module(READERS[kind]).from_document(document)
    if kind != "discounted":
        raise InstanceError(f"model is {kind!r}; expected one of {', '.join(sorted(['discounted', *READERS]))}")
    for name in ("P", "r", "discount"):
        if name not in document:
            raise InstanceError(f"there is no {name!r}; found {', '.join(map(repr, document)) or 'nothing'}")
    P, r = _padded(document["P"], document["r"])
    S = len(r)
    names = document.get("state_names")
    if names is not None:
        _check_names(names, S)
    start = _start(document.get("start", "uniform"), S, names)
    everything = [document["discount"], *_leaves(P), *_leaves(r), *(start or [])]
    convert = _floats if any(isinstance(x, float) for x in everything) else _rationals
    return DiscountedMDP(
        convert("P", P),
        convert("r", r),
        convert("discount", document["discount"])[()],
        start and convert("start", start),
    )


def _padded(P: Any, r: Any) -> tuple[list[Any], list[Any]]:
    """P and r as rectangular nested lists: each state repeats its last action until all have as many."""
    S = len(_list("P", P))
    if len(_list("r", r)) != S:
        raise InstanceError(f"r has {len(r)} states and P has {S}; expected as many")
    for s in range(S):
        actions = len(_list(f"P[{s}]", P[s]))
        if len(_list(f"r[{s}]", r[s])) != actions:
            raise InstanceError(f"r[{s}] has {len(r[s])} actions and P[{s}] has {actions}; expected as many")
        for a in range(actions):
            if len(_list(f"P[{s}, {a}]", P[s][a])) != S:
                raise InstanceError(f"P[{s}, {a}] has {len(P[s][a])} entries; expected one for each of {S} states")
    A = max(map(len, r))
    return [row + row[-1:] * (A - len(row)) for row in P], [row + row[-1:] * (A - len(row)) for row in r]


def _list(name: str, x: Any) -> list[Any]:
    if not isinstance(x, list) or not x:
        found = "an empty list" if x == [] else json.dumps(x)
        raise InstanceError(f"{name} is {found}; expected a list")
    return x


def _start(start: Any, S: int, names: list[str] | None) -> list[Any] | None:
    """The start distribution as a list, or None for the uniform one."""
    if isinstance(start, list):
        if len(start) != S:
            raise InstanceError(f"start has {len(start)} entries; expected one for each of {S} states")
        return start
    if start == "uniform":
        return None
    state = state_index(start, S, names)
    return [int(s == state) for s in range(S)]


def state_index(state: Any, S: int, names: list[str] | None = None) -> int:
    """The index of a state given by its index (a number or its text) or by its name."""
    if names and state in names:
        return names.index(state)
    if (isinstance(state, int) and not isinstance(state, bool)) or (isinstance(state, str) and state.isdecimal()):
        if 0 <= int(state) < S:
            return int(state)
        raise InstanceError(f"start is state {state}; expected 0 <= state < {S}")
    by_name = ", the name of a state" if names else ""
    raise InstanceError(f"start is {state!r}; expected a distribution, 'uniform', the index of a state{by_name}")


def _check_names(names: Any, S: int) -> None:
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or len(names) != S:
        raise InstanceError(f"state_names is {names!r}; expected a list of {S} texts, one for each state")
    if len(set(names)) < S:
        twice = next(name for name in names if names.count(name) > 1)
        raise InstanceError(f"state_names has {twice!r} more than once; expected different names")


def _leaves(x: Any) -> list[Any]:
    return [leaf for y in x for leaf in _leaves(y)] if isinstance(x, list) else [x]


def _fraction(name: str, x: Any) -> Fraction | float:
    if isinstance(x, bool) or not isinstance(x, int | float | str):
        raise InstanceError(f"{name} is {json.dumps(x)}; {_NUMBER}")
    if isinstance(x, float):
        return x
    try:
        if isinstance(x, str) and re.search(r"e[+-]?\d{4}", x, re.IGNORECASE):
            raise ValueError("an exponent so large would fill the memory")
        return Fraction(x)
    except (ValueError, ZeroDivisionError) as error:
        raise InstanceError(f"{name} is {json.dumps(x, ensure_ascii=False)}; {_NUMBER}") from error


def _converted(name: str, x: Any) -> np.ndarray:
    flat = np.asarray(x, dtype=object)
    out = np.empty(flat.shape, dtype=object)
    for index in np.ndindex(flat.shape):
        out[index] = _fraction(f"{name}{list(index)}" if index else name, flat[index])
    return out


def _rationals(name: str, x: Any) -> np.ndarray:
    return rational(_converted(name, x))


def _floats(name: str, x: Any) -> np.ndarray:
    return _converted(name, x).astype(float)


def _entry(x: Any) -> int | float | str:
    if not is_exact(x):
        return float(x)
    text = str(x)
    return text if "/" in text else int(text)


def _text(x: Any) -> str:
    if isinstance(x, np.ndarray):
        return json.dumps(_nested(x))
    return json.dumps(_entry(x))


def _shown(x: Any) -> str:
    """One part of a model; an array of two axes or more gets a line for each entry of its first one."""
    if isinstance(x, dict):
        return "{" + ", ".join(f'"{name}": {_shown(y)}' for name, y in x.items()) + "}"
    if isinstance(x, tuple):
        return "[" + ", ".join(map(_shown, x)) + "]"
    if isinstance(x, str | bool | int):
        return json.dumps(x)
    x = x if is_exact(x) or not on_gpu(x) else x.get()
    return _rows(x) if getattr(x, "ndim", 0) > 1 else _text(x)


def _nested(x: Any) -> Any:
    return [_nested(y) for y in x] if isinstance(x, np.ndarray) and x.ndim else _entry(x)


def _rows(x: np.ndarray) -> str:
    return "[\n    " + ",\n    ".join(_text(row) for row in x) + "\n  ]"
