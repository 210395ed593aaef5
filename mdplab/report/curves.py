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
from mdplab.sampling.outcomes import NotEnumerable
from mdplab.theorem import floating
from mdplab.theorem import inputs as inp
from mdplab.theorem.claim import Claim, compiled
from mdplab.theorem.floating import Curves, run_in_floats
from mdplab.theorem.inputs import Inputs
from mdplab.theorem.judges import InExpectation, WithProbability, Witness
from mdplab.theorem.sampled import pushed_forward, replicates_of
from mdplab.theorem.statement import Binding, Theorem
from mdplab.theorem.verdict import Verdict

if TYPE_CHECKING:
    import xarray as xr

Role = Literal["worst", "counterexample", "named", "family", "model"]
FAMILY = 16  # models of a family
REPLICATES = 512  # of an instance where outcomes cannot be listed
SAMPLED = 4  # models of a family that are then drawn for statements about one point; for others one
MOST = 0.9  # of the replicates, in the middle: what the band around a mean shows


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


def measure(theorem: Theorem, samples: Sequence[Sample], up_to: int | None = None, seed: int = 0) -> xr.Dataset:
    """Both sides of each claim in float64, at the entry that is worst for the claim; of random claims their means.

    Returns
    -------
    Dataset
        ``left`` and ``right`` (claim, k, instance): the sides as they are printed; ``ratio`` of the smaller to the
        larger one; ``floor``: what float64 cannot tell from zero on the left; ``trivial`` (k, instance): the bound that
        holds for any reason; ``informative``: whether the bound is below that one.  NaN where an instance has no such
        iterate.  Coordinates: the index, ``instance`` (its name) and ``role``.  Where means are over replicates, as
        the outcomes cannot be listed: ``low`` and ``high``, between which most replicates of the random side lie, and
        ``error``, the standard error of right − left; NaN elsewhere, absent for theorems that are not random.

    Raises
    ------
    MdplabError
        If there is no sample that can be drawn.
    """
    import xarray as xr

    limit = getattr(theorem.judge, "up_to", None) if up_to is None else up_to
    found = (
        _expected(theorem, sample, limit, seed) if theorem.is_random else _one(theorem, sample, limit)
        for sample in samples
    )
    parts = [data for data in found if data is not None]
    if not parts:
        raise MdplabError(f"{theorem.id} has no instance that can be drawn; expected named ones or families")
    if theorem.index is not None and any(np.isfinite(data.get("low", np.nan)).any() for data in parts):
        parts = parts[:2]  # of three bands over each other nothing is seen
    data = parts[0] if len(parts) == 1 else xr.concat(parts, dim="instance", join="outer", combine_attrs="override")
    return data.assign_attrs(_attributes(theorem), **_drawn_as(theorem, data))


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


# -- random claims -----------------------------------------------------------------------------------------------------


def _expected(theorem: Theorem, sample: Sample, up_to: int | None, seed: int) -> xr.Dataset | None:
    """Expectations over all outcomes, else means over replicates; None where neither can be had."""
    try:
        data = _one(replace(theorem, measure=pushed_forward(theorem)), sample, up_to)
        return data.assign(dict.fromkeys(("low", "high", "error"), data.left * np.nan))
    except NotEnumerable:
        return _sampled(theorem, sample, up_to, seed) if cast(Any, theorem.judge).can_be_raced else None


def _sampled(theorem: Theorem, sample: Sample, up_to: int | None, seed: int) -> xr.Dataset:
    """Means over replicates on the first few models of a batch."""
    import xarray as xr

    inputs, batch = sample.inputs, inp.batch_shape(sample.inputs)
    if not batch:
        return _replicated(theorem, inputs, up_to, seed, sample.label, sample)
    count = min(batch[0], SAMPLED if theorem.index is None else 1)
    labels = [f"{sample.label} #{i}" for i in range(count)]
    parts = [_replicated(theorem, inp.pick(inputs, i), up_to, seed, x, sample) for i, x in enumerate(labels)]
    return parts[0].assign_coords(sample=("instance", labels)) if count == 1 else xr.concat(parts, dim="instance")


def _replicated(
    theorem: Theorem, inputs: Inputs, up_to: int | None, seed: int, label: str, sample: Sample
) -> xr.Dataset:
    """Means over replicates on one instance, the same that a race would take first."""
    import xarray as xr

    draws = replicates_of(theorem, inputs, seed)(0, REPLICATES)
    chunk = list(theorem.bindings(inputs, up_to, draws=draws))
    stacked = floating.stack(theorem, chunk, draws.shape, 0)
    k = floating.indices(theorem, chunk, 0)
    errors = floating.errors_of(stacked, k, *floating.rounding_of(inputs))
    columns: dict[str, list[np.ndarray]] = {}
    for claim in theorem.claims.values():
        _, _, error = floating.compare(theorem, claim, stacked, errors, k)
        for name, x in {**_means(theorem, claim, stacked), "floor": error.max(axis=1)}.items():
            columns.setdefault(name, []).append(x)
    trivial = np.full(len(k), np.nan)
    if theorem.trivial_bound is not None:
        trivial = np.broadcast_to(theorem.trivial_bound(stacked), (len(k), REPLICATES)).mean(axis=1)
    informative = [(right < trivial).astype(float) for right in columns["right"]]
    axes = ("claim", "k", "instance")
    return xr.Dataset(
        {name: (axes, np.stack(x)[..., None]) for name, x in {**columns, "informative": informative}.items()}
        | {"trivial": (axes[1:], trivial[:, None])},
        coords={
            "claim": list(theorem.claims),
            "k": k.astype(float),
            "instance": [label],
            "role": ("instance", [sample.role]),
            "sample": ("instance", [sample.label]),
        },
        attrs={"most": promised(theorem, stacked) if isinstance(theorem.judge, WithProbability) else MOST},
    )


def _means(theorem: Theorem, claim: Claim, stacked: Binding) -> dict[str, np.ndarray]:
    """(K,): of one claim, from its sides (K, replicates)."""
    smaller, larger = floating.sides(claim, stacked)
    left, right = (larger, smaller) if claim.flipped else (smaller, larger)
    spread = right if np.ptp(right, axis=1).any() and not np.ptp(left, axis=1).any() else left
    ends: list[Any] = [(1 - MOST) / 2, (1 + MOST) / 2]
    if isinstance(theorem.judge, WithProbability):
        p = promised(theorem, stacked)
        ends = [1 - p, 1.0] if claim.flipped else [0.0, p]
    low, high = np.quantile(spread, ends, axis=1)
    s, t = smaller.mean(axis=1), larger.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((s > 0) & (t > 0), s / t, np.nan)
    return {
        "left": left.mean(axis=1),
        "right": right.mean(axis=1),
        "ratio": ratio,
        "low": low,
        "high": high,
        "error": (right - left).std(axis=1) / np.sqrt(REPLICATES),
    }


def _drawn_as(theorem: Theorem, data: xr.Dataset) -> dict[str, str]:
    """What a legend says of the measured side: of its line with a band, and of its points with bars."""
    if not theorem.is_random:
        return {"line": "measured", "points": ""}
    if not np.isfinite(data.low).any():
        return {"line": "expectation over all outcomes", "points": ""}
    p, of = data.attrs.get("most", MOST), f"of {REPLICATES} replicates"
    if isinstance(theorem.judge, InExpectation):
        return {"line": f"mean and central {100 * p:.3g} % {of}", "points": f"two standard errors {of}"}
    flipped = next(iter(theorem.claims.values())).flipped
    quantile = f"mean to {100 * (1 - p if flipped else p):.3g} % quantile {of}"
    return {"line": f"mean and {'highest' if flipped else 'lowest'} {100 * p:.3g} % {of}", "points": quantile}


def promised(theorem: Theorem, stacked: Binding) -> float:
    """The probability with which the claim is to hold, for all iterates at once."""
    value = compiled(cast(WithProbability, theorem.judge).probability)(stacked, float)
    return float(np.asarray(value).reshape(-1)[0])


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
        "probability": int(isinstance(theorem.judge, WithProbability)),
        "flipped": [int(claim.flipped) for claim in claims],
        "left_latex": "\n".join(latex(claim.relation.lhs) for claim in claims),
        "right_latex": "\n".join(latex(claim.relation.rhs) for claim in claims),
        "trivial_latex": "" if theorem.trivial is None else latex(theorem.trivial),
        "index_latex": "" if theorem.index is None else theorem.index.name,
        "index_meaning": "" if theorem.index is None else theorem.index.meaning,
        "mdplab": __version__,
    }
