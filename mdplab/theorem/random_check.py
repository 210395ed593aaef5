"""Checking a random claim: like any other where the outcomes can be listed, elsewhere by races over replicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, cast

from mdplab.errors import MdplabError, TheoremError
from mdplab.sampling.draws import Draws
from mdplab.sampling.outcomes import NotEnumerable
from mdplab.theorem import inputs as inp
from mdplab.theorem.check import Check
from mdplab.theorem.claim import Claim
from mdplab.theorem.exactly import Result, judge_exactly, ratio_of
from mdplab.theorem.inputs import Inputs
from mdplab.theorem.judges import InExpectation, WithProbability
from mdplab.theorem.judges.comparison import Outcome
from mdplab.theorem.sampled import Heat, hold_races, pushed_forward, replicates_of
from mdplab.theorem.search import search
from mdplab.theorem.statement import Theorem

ALPHA = 1e-6  # that any race about a theorem's claims errs, all parts, instances and iterates together
FEWER = 0.25  # of the replicates that the claim itself may take: what a near miss may take on one instance
SEARCHES = 24  # drawn instances that are raced for the claim, or for one near miss, at most


@dataclass
class RandomCheck(Check):
    """The same order of work; expectations take the place of random quantities, or races that of comparisons."""

    random: Theorem = field(init=False)
    raced: dict[str, int] = field(default_factory=dict)  # how many races began: about the claims, and each near miss
    sampling: bool = False  # whether the instance at hand had to be raced

    def __post_init__(self) -> None:
        self.random = self.theorem
        self.theorem = replace(self.random, measure=pushed_forward(self.random))

    @property
    def judge(self) -> InExpectation | WithProbability:
        """The theorem's."""
        return cast(Any, self.random.judge)

    def judged(
        self, claims: Mapping[str, Claim], inputs: Inputs, up_to: int | None, slots: Mapping[str, Any] | None = None
    ) -> dict[str, Result]:
        """What enumeration, or else a race, says of the claims on one exact instance."""
        try:
            return judge_exactly(self.enumerated, claims, inputs, up_to, slots)
        except NotEnumerable as error:
            if not self.judge.can_be_raced:
                raise TheoremError(f"{self.theorem.id} has no ranges, so it needs enumeration: {error}") from None
        self.sampling = True
        return self.race(claims, inp.in_floats(inputs), slots)

    @cached_property
    def enumerated(self) -> Theorem:
        """The theorem about expectations, as far as exact arithmetic follows it."""
        return replace(self.random, measure=pushed_forward(self.random, self.judge.exactly_up_to))

    def on_named(self, name: str) -> None:
        self.sampling = False
        super().on_named(name)

    def on_batch(self, where: str, inputs: Inputs) -> None:
        """All of a batch by enumeration in float64, or the first few models of it by races."""
        try:
            return super().on_batch(where, inputs)
        except NotEnumerable as error:
            if self.model is not None and not self.judge.can_be_raced:
                raise MdplabError(f"it is judged over all outcomes, of which no list is made here: {error}") from None
            return self.on_samples(where, inputs)

    def on_samples(self, where: str, inputs: Inputs) -> None:
        """Races on the first few models of a batch, or on a named one, unless `judged` has held them."""
        raced = self.judge.can_be_raced
        if not inp.batch_shape(inputs):
            if raced and not self.sampling:
                self.on_instance(where, inputs)
            return
        count = min(self.profile.races * raced, inp.batch_shape(inputs)[0])
        self.found.instances["batched"] -= inp.batch_shape(inputs)[0] - count
        for i in range(count):
            self.progress(f"{where} #{i}")
            one, label = inp.in_floats(inp.pick(inputs, i)), f"{where} #{i}"
            try:  # the outcomes of all models together may be too many, those of one not
                super().on_batch(label, one)
            except NotEnumerable:
                self.on_instance(label, one)

    def on_instance(self, where: str, inputs: Inputs) -> None:
        """Races about the claims, and about the near misses that are not refuted yet, on one model."""
        self.absorb_exact(self.race(self.statements(), inputs), inputs, where)
        for miss, slots in self.wrong_algorithms():
            self.absorb_miss_exact(miss, self.race(self.random.claims, inputs, slots), inputs, where)

    def on_draws(self) -> None:
        with self.fewer(draws=min(self.profile.draws // 4, SEARCHES)):
            super().on_draws()

    def hunt(self, name: str) -> None:
        with self.fewer(searches=min(self.profile.searches, SEARCHES)):
            super().hunt(name)

    @contextmanager
    def fewer(self, **counts: int) -> Iterator[None]:
        """Inside, less is drawn if instances have to be raced."""
        profile = self.profile
        self.profile = replace(profile, **cast(Any, counts)) if self.raced else profile
        yield
        self.profile = profile

    def shrink(self) -> None:
        """Look for a small instance that is refuted as one of a family was."""

        def test(inputs: Inputs) -> tuple[bool, float]:
            results = self.judged(self.random.claims, inputs, self.judge.exactly_up_to)
            for name, result in results.items():
                if result.failure:
                    self.found.failures.append(self.refutation(name, result, inputs, "search"))
            return any(r.failure for r in results.values()), max(r.ratio for r in results.values())

        search(self.theorem, self.admits, test, SEARCHES, self.seed, shrink=True)

    def race(
        self, claims: Mapping[str, Claim], inputs: Inputs, slots: Mapping[str, Any] | None = None
    ) -> dict[str, Result]:
        """The outcome of the races about the claims on one model in float64."""
        budget = int(self.judge.replicates * self.profile.replicates)
        slot = "" if slots is None else ",".join(sorted(slots))

        def most(name: str) -> int:
            own = name in self.random.claims and slots is None
            return max(1, budget if own else int(FEWER * budget))

        def α(name: str) -> float:
            # The parts of a theorem share one budget of error; each near miss has its own.
            key = "" if name in self.random.claims and slots is None else f"{name}|{slot}"
            self.raced[key] = i = self.raced.get(key, 0) + 1
            return ALPHA / (i * (i + 1))  # these add up to ALPHA, however many races there will be

        replicates = replicates_of(self.random, inputs, self.seed)

        def draws(first: int, last: int) -> Draws:
            self.progress(f"racing, replicate {last:,} of at most {budget:,}")
            return replicates(first, last)

        heats = hold_races(self.random, claims, inputs, draws, α, most, slots)
        return {name: result_of(group) for name, group in heats.items()}


def result_of(group: list[Heat]) -> Result:
    """The races about one claim in the form in which exact judging reports.

    If the claim is refuted, the iterate where that took fewest replicates speaks for all: nothing depends on how
    far the others have come.
    """
    refuting = [h for h in group if h.race.side == "below"]
    if refuting:
        group = [min(refuting, key=lambda h: h.taken)]
    result = Result(replicates=max(h.taken for h in group), outcomes=Counter(map(_outcome, group)))
    for h in group:
        if h.race.side == "below":
            result.failure, result.α = (h.k, *h.means), h.race.α
        if h.race.side is None and not h.silent and result.margin is None:
            result.margin = (h.k, *h.margin())
        if h.race.level > 0 and result.informative is None:
            result.informative = h.k or 0
        ratio = ratio_of(*h.means)
        if not ratio <= result.ratio and ratio == ratio and not h.silent:
            result.ratio, result.ratio_at = ratio, h.k
    return result


def _outcome(heat: Heat) -> Outcome:
    if heat.race.side is None:
        return Outcome.SILENT if heat.silent else Outcome.OPEN
    return Outcome.HOLDS if heat.race.side == "above" else Outcome.FAILS
