"""Checking a random claim: like any other where the outcomes can be listed, elsewhere by races over replicates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mdplab.sampling.outcomes import NotEnumerable
from mdplab.theorem import inputs as inp
from mdplab.theorem.check import Check
from mdplab.theorem.claim import Claim
from mdplab.theorem.exactly import Result, ratio_of
from mdplab.theorem.inputs import Inputs
from mdplab.theorem.judges.comparison import Outcome
from mdplab.theorem.sampled import Heat, hold_races, pushed_forward, replicates_of
from mdplab.theorem.search import search
from mdplab.theorem.statement import Theorem

ALPHA = 1e-6  # that any race about one claim errs, all its instances and iterates together
FEWER = 0.25  # of the replicates that the claim itself may take: what a near miss may take on one instance
SEARCHES = 24  # drawn instances that are raced for one near miss, at most


@dataclass
class RandomCheck(Check):
    """The same order of work; expectations take the place of random quantities, or races that of comparisons."""

    random: Theorem = field(init=False)
    raced: dict[str, int] = field(default_factory=dict)  # how many races about each claim began
    done: set[str] = field(default_factory=set)  # named instances that were raced

    def __post_init__(self) -> None:
        self.random = self.theorem
        self.theorem = replace(self.random, measure=pushed_forward(self.random))

    def judged(
        self, claims: Mapping[str, Claim], inputs: Inputs, up_to: int | None, slots: Mapping[str, Any] | None = None
    ) -> dict[str, Result]:
        """What enumeration, or else a race, says of the claims on one exact instance."""
        try:
            return super().judged(claims, inputs, up_to, slots)
        except NotEnumerable:
            return self.race(claims, inp.in_floats(inputs), slots)

    def on_named(self, name: str) -> None:
        before = sum(self.raced.values())
        super().on_named(name)
        if sum(self.raced.values()) > before:
            self.done.add(f"named instance {name}")

    def on_batch(self, where: str, inputs: Inputs) -> None:
        """All of a batch by enumeration in float64, or the first few models of it by races."""
        try:
            return super().on_batch(where, inputs)
        except NotEnumerable:
            pass
        if not inp.batch_shape(inputs):
            if not self.raced:
                self.on_instance(where, inputs)
            return None
        count = min(self.profile.races, inp.batch_shape(inputs)[0])
        self.found.instances["batched"] -= inp.batch_shape(inputs)[0] - count
        for i in range(count):
            self.progress(f"{where} #{i}")
            self.on_instance(f"{where} #{i}", inp.in_floats(inp.pick(inputs, i)))
        return None

    def on_instance(self, where: str, inputs: Inputs) -> None:
        """Races about the claims, and about the near misses that are not refuted yet, on one model."""
        self.absorb_exact(self.race(self.statements(), inputs), inputs, where)
        for miss, slots in self.wrong_algorithms():
            self.absorb_miss_exact(miss, self.race(self.random.claims, inputs, slots), inputs, where)

    def on_draws(self) -> None:
        profile = self.profile
        if self.raced:
            self.profile = replace(profile, draws=profile.draws // 4)
        super().on_draws()
        self.profile = profile

    def hunt(self, name: str) -> None:
        profile = self.profile
        if self.raced:
            self.profile = replace(profile, searches=min(profile.searches, SEARCHES))
        super().hunt(name)
        self.profile = profile

    def shrink(self) -> None:
        def test(inputs: Inputs) -> tuple[bool, float]:
            results = self.judged(self.random.claims, inputs, self.random.judge.exactly_up_to)  # type: ignore[union-attr]
            for name, result in results.items():
                if result.failure:
                    self.found.failures.append(self.refutation(name, result, inputs, "search"))
            return any(r.failure for r in results.values()), max(r.ratio for r in results.values())

        search(self.theorem, self.admits, test, SEARCHES, self.seed, shrink=True)

    def race(
        self, claims: Mapping[str, Claim], inputs: Inputs, slots: Mapping[str, Any] | None = None
    ) -> dict[str, Result]:
        """The outcome of the races about the claims on one model in float64."""
        budget = int(self.random.judge.replicates * self.profile.replicates)  # type: ignore[union-attr]
        slot = "" if slots is None else ",".join(sorted(slots))

        def most(name: str) -> int:
            own = name in self.random.claims and slots is None
            return max(1, budget if own else int(FEWER * budget))

        def α(name: str) -> float:
            key = f"{name}|{slot}"
            self.raced[key] = i = self.raced.get(key, 0) + 1
            return ALPHA / (i * (i + 1))  # these add up to ALPHA, however many races there will be

        draws = replicates_of(self.random, inputs, self.seed)
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
            result.failure = (h.k, *h.means)
        if h.race.side is None and not h.silent and result.margin is None:
            result.margin = (h.k, *h.margin())
        if h.race.level > 0 and result.informative is None:
            result.informative = h.k
        ratio = ratio_of(*h.means)
        if not ratio <= result.ratio and ratio == ratio and not h.silent:
            result.ratio, result.ratio_at = ratio, h.k
    return result


def _outcome(heat: Heat) -> Outcome:
    if heat.race.side is None:
        return Outcome.SILENT if heat.silent else Outcome.OPEN
    return Outcome.HOLDS if heat.race.side == "above" else Outcome.FAILS
