"""Both sides of a theorem along its iterates, on a few instances, as data that can be kept and drawn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np

from mdplab import __version__
from mdplab.arrays import EPS
from mdplab.errors import MdplabError
from mdplab.report.words import is_identity, kind
from mdplab.theorem import inputs as inp
from mdplab.theorem.claim import Claim
from mdplab.theorem.floating import Curves, run_in_floats
from mdplab.theorem.inputs import Inputs
from mdplab.theorem.judges import Witness
from mdplab.theorem.statement import Theorem
from mdplab.theorem.verdict import Verdict

if TYPE_CHECKING:
    import xarray as xr

Role = Literal["worst", "counterexample", "named", "family", "model"]
FAMILY = 16  # models of a family


@dataclass(frozen=True, eq=False)
class Sample:
    """One instance, or a batch of them, to be shown under one name."""

    label: str
    role: Role
    inputs: Inputs


def on_model(theorem: Theorem, name: str, model: Any, seed: int = 0) -> list[Sample]:
    """A model of the user's with the simplest other inputs: one curve, the first on which `check` tries it."""
    return [Sample(name, "model", inp.pick(inp.on_model(theorem, model, seed), 0))]


def representatives(theorem: Theorem, verdict: Verdict | None = None, seed: int = 0) -> list[Sample]:
    """The worst instance that the verdict knows, named instances, and a family: all of them where there is no index."""
    first = [] if verdict is None else _worst(verdict)
    taken = {sample.label for sample in first}
    room = 3 if theorem.index is None else 2 - len(first)
    named = [
        Sample(name, "named", inp.in_floats(inp.exact(theorem, theorem.instance(value))))
        for name, value in theorem.named.items()
        if name not in taken
    ]
    chosen = [*first, *named[: max(room, 1)]]
    if isinstance(theorem.judge, Witness):
        return [*first, *named]
    batches = (_admitted(theorem, name, inputs) for name, inputs in inp.batches(theorem, FAMILY, seed))
    whole = [sample for sample in batches if sample is not None]
    return [*chosen, *(whole if theorem.index is None else islice(whole, 1))]


def _worst(verdict: Verdict) -> list[Sample]:
    found = [("counterexample", verdict.worst or verdict.smallest), ("worst", verdict.tightness)]
    for role, x in found:
        if x is not None:
            inputs = inp.in_floats({name: inp.from_json(y) for name, y in x.inputs.items()})
            label = x.where.removeprefix("named instance ")
            return [Sample(label, cast(Role, role), inputs)]
    return []


def _admitted(theorem: Theorem, name: str, inputs: Inputs) -> Sample | None:
    met = np.ones(inp.batch_shape(inputs), dtype=bool)
    for assumption in theorem.given:
        met &= assumption.met_by(inputs)
    return Sample(name, "family", inp.pick(inputs, met)) if met.any() else None


def measure(theorem: Theorem, samples: Sequence[Sample], up_to: int | None = None) -> xr.Dataset:
    """Both sides of each claim in float64, at the entry that is worst for the claim.

    Returns
    -------
    Dataset
        ``left`` and ``right`` (claim, k, instance): the sides as they are printed; ``ratio`` of the smaller to the
        larger one; ``floor``: what float64 cannot tell from zero on the left; ``trivial`` (k, instance): the bound that
        holds for any reason; ``informative``: whether the bound is below that one.  NaN where an instance has no such
        iterate.  Coordinates: the index, ``instance`` (its name) and ``role``.

    Raises
    ------
    MdplabError
        If there is no sample.
    """
    import xarray as xr

    if not samples:
        raise MdplabError(f"{theorem.id} has no instance that can be drawn; expected named ones or families")
    limit = getattr(theorem.judge, "up_to", None) if up_to is None else up_to
    parts = [_one(theorem, sample, limit) for sample in samples]
    data = parts[0] if len(parts) == 1 else xr.concat(parts, dim="instance", join="outer", combine_attrs="override")
    return data.assign_attrs(_attributes(theorem))


def _one(theorem: Theorem, sample: Sample, up_to: int | None) -> xr.Dataset:
    import xarray as xr

    extra = _Extra(theorem, sample.inputs)
    curves = run_in_floats(replace(theorem, measure=extra.measure), theorem.claims, sample.inputs, up_to)
    first = next(iter(curves.values()))
    n = first.smaller.shape[1]
    axes = ("claim", "k", "instance")

    def stacked(f: Any) -> tuple[tuple[str, ...], np.ndarray]:
        return axes, np.stack([f(theorem.claims[name], c) for name, c in curves.items()])

    return xr.Dataset(
        {
            "left": stacked(lambda claim, c: c.larger if claim.flipped else c.smaller),
            "right": stacked(lambda claim, c: c.smaller if claim.flipped else c.larger),
            "ratio": stacked(lambda claim, c: c.ratio),
            "informative": stacked(lambda claim, c: c.informative.astype(float)),
            "floor": (axes, np.stack([_table(extra.floors[name], first, n) for name in curves])),
            "trivial": (axes[1:], _table(extra.trivial, first, n)),
        },
        coords={
            "claim": list(curves),
            "k": first.k.astype(float),
            "instance": [sample.label if n == 1 else f"{sample.label} #{i}" for i in range(n)],
            "role": ("instance", [sample.role] * n),
            "sample": ("instance", [sample.label] * n),
        },
    )


class _Extra:
    """What a figure needs of the stream beside both sides: the trivial bound, and rounding on the left."""

    def __init__(self, theorem: Theorem, inputs: Inputs) -> None:
        self.theorem, self.batch = theorem, inp.batch_shape(inputs)
        model = next((x for x in inputs.values() if hasattr(x, "rounding")), None)
        self.rounding = (64 * EPS, 64 * EPS) if model is None else model.rounding
        self.trivial: list[np.ndarray] = []
        self.floors: dict[str, list[np.ndarray]] = {name: [] for name in theorem.claims}

        @wraps(theorem.measure)
        def measure(*args: Any, **kwargs: Any) -> Iterator[Any]:
            for n, binding in enumerate(theorem.measure(*args, **kwargs)):
                self.see(n, binding)
                yield binding

        self.measure = measure

    def see(self, n: int, binding: Any) -> None:
        binding = _padded(binding)
        trivial = np.nan if self.theorem.trivial_bound is None else self.theorem.trivial_bound(binding)
        self.trivial.append(self.flat(trivial))
        for name, claim in self.theorem.claims.items():
            self.floors[name].append(self.flat(self.floor(claim, binding, 1 + n)))

    def floor(self, claim: Claim, binding: Any, steps: int) -> Any:
        """How far rounding may move the left side; quantities that are right to the last digits move it by nothing."""
        side = int(claim.flipped)
        here, moved = claim.sides(binding)[side], 0.0
        for q in claim.relation.lhs.free_symbols:
            if getattr(q, "accuracy", "absolute") == "absolute":
                x = np.asarray(binding[q], dtype=float)
                relative, absolute = (np.reshape(e, np.shape(e) + (1,) * (x.ndim - np.ndim(e))) for e in self.rounding)
                there = claim.sides({**binding, q: x + steps * (absolute + relative * abs(x))})[side]
                moved = moved + abs(there - here)
        return moved

    def flat(self, x: Any) -> np.ndarray:
        """(n,): the largest entry of each instance."""
        x = np.asarray(x, dtype=float)
        x = np.broadcast_to(x, (*self.batch, *x.shape[len(self.batch) :]))
        return x.reshape(*self.batch, -1).max(axis=-1).reshape(-1)


def _padded(binding: Any) -> dict[Any, np.ndarray]:
    """The numbers with as many trailing axes as it takes for all to broadcast, batch axes first."""
    floats = {q: np.asarray(x, dtype=float) for q, x in binding.items()}
    axes = max(x.ndim for x in floats.values())
    return {q: x.reshape((*x.shape, *(1,) * (axes - x.ndim))) for q, x in floats.items()}


def _table(rows: list[np.ndarray], curves: Curves, n: int) -> np.ndarray:
    # The stream is asked for one binding more than the last index, to see that it is the last.
    return np.stack([np.broadcast_to(row, n) for row in rows[: len(curves.k)]])


def _attributes(theorem: Theorem) -> dict[str, Any]:
    import sympy

    def latex(x: Any) -> str:
        return sympy.latex(x, order="none")

    claims = list(theorem.claims.values())
    return {
        "theorem": theorem.id,
        "title": theorem.title,
        "source": f"{theorem.cite}, {theorem.at}",
        "kind": kind(theorem),
        "identity": int(is_identity(theorem)),
        "flipped": [int(claim.flipped) for claim in claims],
        "left_latex": "\n".join(latex(claim.relation.lhs) for claim in claims),
        "right_latex": "\n".join(latex(claim.relation.rhs) for claim in claims),
        "trivial_latex": "" if theorem.trivial is None else latex(theorem.trivial),
        "index_latex": "" if theorem.index is None else theorem.index.name,
        "index_meaning": "" if theorem.index is None else theorem.index.meaning,
        "mdplab": __version__,
    }
