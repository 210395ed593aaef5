"""A theorem: a claim (data), a measure (a generator) and a judge (policy), with where it comes from."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations_with_replacement, product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import sympy

from mdplab import arrays
from mdplab.errors import TheoremError
from mdplab.instances.domain import Domain
from mdplab.sampling.draws import Draws
from mdplab.theorem.assumptions import Assumption, Without, called
from mdplab.theorem.claim import Claim, compiled
from mdplab.theorem.judges import ForAll, InExpectation, Rate, WithProbability, Witness
from mdplab.theorem.quantity import Quantity

Status = Literal["as_stated", "corrected", "sharpened", "folklore", "conjectured", "refuted"]
Source = Literal["read", "recalled", "derived"]
Judge = ForAll | Rate | Witness | InExpectation | WithProbability
NearMiss = Claim | Mapping[str, Any] | Without
Binding = dict[sympy.Symbol, Any]


@dataclass(frozen=True, eq=False)
class Theorem:
    """A statement that can be checked; made by the decorator `theorem`, never by hand.

    Attributes
    ----------
    claims : dict of str to Claim
        One entry with the empty name, or the parts (a), (b), ... of a statement.
    measure : generator function
        Takes the inputs by name, yields bindings {Quantity: number of the batch's shape}.
    """

    claims: dict[str, Claim]
    measure: Callable[..., Iterator[Binding]]
    judge: Judge
    on: dict[str, Domain]
    cite: str
    at: str
    source: Source
    status: Status
    given: tuple[Assumption, ...]
    named: dict[str, Any]
    near_misses: dict[str, NearMiss]
    trivial: Any
    uses: tuple[str, ...]
    formal: str | None
    note: str
    file: Path = field(default=Path())

    @property
    def id(self) -> str:
        """``file.function``: what the command line calls it."""
        return f"{Path(self.file).stem}.{self.measure.__name__}"

    @property
    def title(self) -> str:
        """The first line of the docstring."""
        return (inspect.getdoc(self.measure) or "").partition("\n")[0]

    @property
    def description(self) -> str:
        """The docstring after its first line."""
        return (inspect.getdoc(self.measure) or "").partition("\n")[2].strip()

    @property
    def latex(self) -> dict[str, str]:
        """LaTeX of each claim."""
        return {name: claim.latex for name, claim in self.claims.items()}

    @property
    def quantities(self) -> tuple[Quantity, ...]:
        """The glossary: every letter of the claims."""
        letters = {q for claim in self.claims.values() for q in claim.quantities}
        return tuple(sorted(letters, key=str))

    @property
    def index(self) -> Quantity | None:
        """What numbers the iterates; None for a statement about one point."""
        return getattr(self.judge, "index", None)

    @property
    def is_random(self) -> bool:
        """Whether it is about expectations or probabilities; its measure then takes `draws`."""
        return isinstance(self.judge, InExpectation | WithProbability)

    @cached_property
    def trivial_bound(self) -> Callable[[Mapping[sympy.Symbol, Any]], Any] | None:
        """The bound that holds for any reason; a claim that never says more is vacuous."""
        if self.trivial is None:
            return None
        value = compiled(self.trivial)
        return lambda b: value(b, arrays.rational_number if any(map(arrays.is_exact, b.values())) else float)

    def complete(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """`inputs` with the simplest value for every parameter not given."""
        out: dict[str, Any] = {}
        for name, domain in self.on.items():
            if name in inputs:
                out[name] = inputs[name]
            elif domain.simplest is not None:
                out[name] = _following(next(iter(out.values()), None), called(domain.simplest, out))
            else:
                raise TheoremError(f"{self.id}: no value for {name}, and its domain has no simplest one")
        return out

    def instance(self, value: Any) -> dict[str, Any]:
        """All inputs of a named instance: a function that makes it, a dict of inputs, or the first input alone."""
        value = value() if callable(value) else value
        return self.complete(value if isinstance(value, Mapping) else {next(iter(self.on)): value})

    def bindings(self, inputs: Mapping[str, Any], up_to: int | None = None, **slots: Any) -> Iterator[Binding]:
        """The measure's stream, each binding checked; stops after index `up_to`."""
        for n, binding in enumerate(self.measure(**inputs, **slots)):
            k = int(binding[self.index]) if self.index in binding else n
            if up_to is not None and k > up_to:
                return
            self._check(binding, k)
            yield binding

    def trace(self, *args: Any, up_to: int | None = None, **inputs: Any) -> Iterator[tuple[Binding, Any, Any]]:
        """Yield (binding, smaller, larger) of the first claim on one instance; other inputs take their simplest value.

        A random claim is shown on 256 replicates of seed 0, unless `draws` are given.

        >>> for binding, error, bound in apriori_error.trace(one_state_loop(), up_to=3): ...
        """
        given = dict(zip(self.on, args, strict=False)) | inputs
        claim = next(iter(self.claims.values()))
        limit = getattr(self.judge, "up_to", None) if up_to is None else up_to
        slots = {"draws": given.pop("draws", Draws(replicate=np.arange(256)))} if self.is_random else {}
        for binding in self.bindings(self.complete(given), limit, **slots):
            yield (binding, *claim.sides(binding))

    def _check(self, binding: Binding, k: int) -> None:
        for claim in self.claims.values():
            for q in claim.quantities:
                if q not in binding:
                    raise TheoremError(f"{self.id}: the measure yields no value for {q.name} at iterate {k}")
        for q, x in binding.items():
            if not arrays.is_exact(x) and bool(np.isnan(arrays.floats(x)).any()):
                raise TheoremError(f"{self.id}: {q} is not a number (NaN) at iterate {k}")

    def __call__(self, *args: Any, **kwargs: Any) -> Iterator[Binding]:
        """The measure itself: an ordinary generator to print from or to step through."""
        return self.measure(*args, **kwargs)


def theorem(
    claim: Any,
    *,
    cite: str,
    at: str,
    judge: Judge,
    on: Mapping[str, Any],
    source: Source = "read",
    status: Status = "as_stated",
    given: Iterable[Assumption] = (),
    named: Mapping[str, Any] | Iterable[Callable[[], Any]] = (),
    near_misses: Mapping[str, Any] | None = None,
    trivial: Any = None,
    uses: Iterable[str] = (),
    formal: str | None = None,
    note: str = "",
) -> Callable[[Callable[..., Iterator[Binding]]], Theorem]:
    """Make a theorem of a measuring generator.

    Parameters
    ----------
    claim : SymPy relation, or dict of them for parts (a), (b), ...
    cite, at : str
        Bibliography key, and where in that work: "Theorem 4".
    judge : `for_all`, `identity`, `rate`, `witness`, `in_expectation` or `with_probability`
        The last two are for measures that take a parameter named `draws`.
    on : dict
        What each parameter of the measure ranges over: a `Domain`, a Hypothesis strategy, or a function of earlier
        parameters that returns a strategy.
    source : "read", "recalled" or "derived"
        How the statement came here: seen word for word, from memory, or proved by us.
    status : "as_stated", "corrected", "sharpened", "folklore", "conjectured" or "refuted"
        A theorem declared ``refuted`` is kept with its counterexample and is as declared when that still refutes it.
    given : assumptions
    named : dict of name to instance, or functions that make instances
        Tried first: instances where the claim is sharp, hard cases, the counterexample of a refuted claim.
    near_misses : dict of name to relation, to dict of keyword arguments of the measure, or to `Without`
        Wrong statements, wrong algorithms and dropped assumptions; each must be refuted, else the theorem is toothless.
    trivial : SymPy expression, optional
        The bound that holds for any reason; where the claim's larger side is not below it, the claim says nothing.
    uses : ids of theorems that the proof applies
    formal : str, optional
        Link to a formal proof.
    note : str
        What a reader should know: a constant corrected, a letter that differs from the paper.
    """

    def decorate(measure: Callable[..., Iterator[Binding]]) -> Theorem:
        claims = claim if isinstance(claim, Mapping) else {"": claim}
        _check_randomness(measure, claims, judge)
        return Theorem(
            claims={name: Claim(c) for name, c in claims.items()},
            measure=measure,
            judge=judge,
            on={name: _domain(x) for name, x in on.items()},
            cite=cite,
            at=at,
            source=source,
            status=status,
            given=tuple(given),
            named=_named(named),
            near_misses={name: _near_miss(measure, name, x) for name, x in (near_misses or {}).items()},
            trivial=trivial,
            uses=tuple(uses),
            formal=formal,
            note=note,
            file=Path(inspect.getsourcefile(measure) or "").resolve(),
        )

    return decorate


def _following(first: Any, value: Any) -> Any:
    """A simplest value in the arithmetic of the first input: rational as it is made, or float64."""
    if not arrays.is_exact(value) or not hasattr(first, "exact") or first.exact() is first:
        return value
    return arrays.floats(value) if np.ndim(value) else arrays.number(value)


def _domain(x: Any) -> Domain:
    if isinstance(x, Domain):
        return x
    if callable(x) and not hasattr(x, "example"):
        return Domain(draw=x)
    return Domain(draw=lambda: x)


def _check_randomness(measure: Callable[..., Any], claims: Mapping[str, Any], judge: Judge) -> None:
    random = isinstance(judge, InExpectation | WithProbability)
    if random != ("draws" in inspect.signature(measure).parameters):
        needs = (
            "takes no parameter `draws`, which its judge needs" if random else "takes `draws`, which its judge does not"
        )
        raise TheoremError(f"{measure.__name__}: the measure {needs}")
    if isinstance(judge, InExpectation):
        for relation, (q, p) in product(claims.values(), combinations_with_replacement(judge.within, 2)):
            with sympy.evaluate(True):  # the relation itself may have been written as printed
                curvature = sympy.diff((relation.lhs - relation.rhs).doit(), q, p)
                linear = curvature == 0 or sympy.simplify(curvature) == 0
            if not linear:
                raise TheoremError(f"{measure.__name__}: {relation} is about means and not linear in {q} and {p}")


def _named(x: Any) -> dict[str, Any]:
    if isinstance(x, Mapping):
        return dict(x)
    return {f.__name__.replace("_", " "): f for f in x}


def _near_miss(measure: Callable[..., Any], name: str, x: Any) -> NearMiss:
    if isinstance(x, Mapping):
        slots = {p.name for p in inspect.signature(measure).parameters.values() if p.kind is p.KEYWORD_ONLY}
        if unknown := set(x) - slots:
            raise TheoremError(
                f"{measure.__name__}: near miss {name!r} replaces {sorted(unknown)}, but the measure's keyword-only "
                f"parameters are {sorted(slots)}"
            )
        return dict(x)
    return x if isinstance(x, Without) else Claim(x)
