"""Checking a theorem: named instances, families, draws, then its near misses; the verdict says what came of it."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np

from mdplab.arrays import number
from mdplab.errors import MdplabError, TheoremError
from mdplab.kernels import many_runs
from mdplab.theorem import inputs as inp
from mdplab.theorem.assumptions import Without
from mdplab.theorem.claim import Claim
from mdplab.theorem.exactly import Result, judge_exactly, ratio_of
from mdplab.theorem.floating import Curves, iter_first, run_in_floats
from mdplab.theorem.inputs import Inputs
from mdplab.theorem.judges import Rate, Witness
from mdplab.theorem.judges.comparison import Outcome
from mdplab.theorem.search import search
from mdplab.theorem.statement import Theorem
from mdplab.theorem.verdict import NearMiss, Refutation, Tightness, Verdict, Word


@dataclass(frozen=True)
class Profile:
    """How much work a check does.

    Attributes
    ----------
    batch : int
        Models of each family.
    draws : int
        Exact instances drawn for the claim.
    searches : int
        Exact instances drawn, at most, for each near miss that nothing else has refuted.
    replays : int
        Work of deciding float64 comparisons again in balls, at most, in multiply-adds of balls.
    races : int
        Models of each family on which a random claim is raced.
    replicates : float
        Replicates of one instance at most, as a multiple of what the theorem's judge says.
    """

    name: str
    batch: int
    draws: int
    searches: int
    replays: int
    races: int
    replicates: float


PROFILES = {
    "quick": Profile("quick", 16, 15, 600, 1_000_000, 1, 0.5),
    "default": Profile("default", 64, 20, 600, 8_000_000, 3, 1.0),
    "full": Profile("full", 256, 200, 2000, 20_000_000, 8, 4.0),
}
ONE_REPLAY = 1_000_000  # the longest single replay, in the same unit


@dataclass
class Findings:
    """What has been seen so far of the claims of one theorem."""

    instances: Counter[str] = field(default_factory=Counter)
    comparisons: Counter[str] = field(default_factory=Counter)
    replayed: int = 0
    ratios: list[float] = field(default_factory=list)
    best: Tightness | None = None
    informative: list[int | None] = field(default_factory=list)
    failures: list[Refutation] = field(default_factory=list)
    shrunk: bool = False
    rates: list[np.ndarray] = field(default_factory=list)
    attained: bool = False
    replicates: int = 0
    margin: dict[str, Any] | None = None
    refusal: str | None = None  # what was said instead of measuring on the user's model


@dataclass
class Check:
    """One check under way: the theorem, what is asked, and what was found."""

    theorem: Theorem
    profile: Profile
    seed: int
    device: str = "cpu"
    model: tuple[str, Any] | None = None
    found: Findings = field(default_factory=Findings)
    misses: dict[str, NearMiss] = field(default_factory=dict)
    progress: Callable[[str], None] = lambda step: None

    # -- the order of work ---------------------------------------------------------------------------------------------

    def run(self) -> Verdict:
        """Do all of it."""
        self.misses = {name: _unrefuted(name, miss) for name, miss in self.theorem.near_misses.items()}
        if self.model is not None:
            try:
                self.on_model(*self.model)
            except MdplabError as error:  # about this model; other theorems may have more to say of it
                self.found.refusal = str(error)
            return self.verdict()
        self.progress("named instances")
        for name in self.theorem.named:
            self.on_named(name)
        if isinstance(self.theorem.judge, Witness):
            return self.verdict()
        for family, inputs in inp.batches(self.theorem, self.profile.batch, self.seed):
            self.progress(family)
            self.on_family(family, inputs)
        if not isinstance(self.theorem.judge, Rate):
            self.progress("draws")
            self.on_draws()
            for name in self.theorem.near_misses:
                if not self.misses[name].refuted:
                    self.progress(f"near miss: {name}")
                    self.hunt(name)
            if self.found.failures and not self.found.shrunk and self.theorem.status != "refuted":
                self.progress("shrinking")
                self.shrink()
        return self.verdict()

    # -- instances -----------------------------------------------------------------------------------------------------

    def on_named(self, name: str) -> None:
        """A named instance: exactly for the first iterates, in float64 for all."""
        theorem, where = self.theorem, f"named instance {name}"
        inputs = inp.exact(theorem, theorem.instance(theorem.named[name]))
        if not self.admits(inputs):
            failed = next(a for a in theorem.given if not a.met_by(inputs).all())
            raise TheoremError(f"{theorem.id}: {where} does not meet the assumptions: {failed.failure(inputs)}")
        self.found.instances["named"] += 1
        judge = theorem.judge
        if not isinstance(judge, Rate):
            up_to = judge.up_to if isinstance(judge, Witness) else judge.exactly_up_to
            claims = self.statements(open_only=not isinstance(judge, Witness))
            self.absorb_exact(self.judged(claims, inputs, up_to), inputs, where)
            for miss, slots in self.wrong_algorithms():
                self.absorb_miss_exact(miss, self.judged(theorem.claims, inputs, up_to, slots), inputs, where)
        if not isinstance(judge, Witness):
            self.on_batch(where, inp.in_floats(inputs))

    def on_family(self, family: str, inputs: Inputs) -> None:
        """A batch in float64, as far as it meets the assumptions."""
        met = self.met(inputs)
        count = int(met.sum())
        self.found.instances["discarded"] += met.size - count
        if count:
            inputs = inputs if met.all() else inp.pick(inputs, met)
            self.found.instances["batched"] += count
            self.on_batch(family, inp.on_device(inputs, self.device))

    def on_batch(self, where: str, inputs: Inputs) -> None:
        theorem = self.theorem
        up_to = cast(Any, theorem.judge).up_to
        curves = run_in_floats(theorem, self.statements(), inputs, up_to)
        self.absorb_floats(curves, inputs, where)
        for miss, slots in self.wrong_algorithms():
            self.absorb_miss_floats(
                miss, run_in_floats(theorem, theorem.claims, inputs, up_to, slots), inputs, where, slots
            )

    def on_draws(self) -> None:
        """Small exact instances from Hypothesis; a refutation is shrunk on the spot."""
        theorem, count = self.theorem, 0

        def test(inputs: Inputs) -> tuple[bool, float]:
            nonlocal count
            count += 1
            results = self.judged(self.statements(), inputs, cast(Any, theorem.judge).exactly_up_to)
            self.absorb_exact(results, inputs, f"draw {count}")
            own = [results[name] for name in theorem.claims]
            return any(r.failure for r in own), max((_score(r) for r in own), default=math.nan)

        smallest, discarded = search(theorem, self.admits, test, self.profile.draws, self.seed, shrink=True)
        self.found.instances["drawn"] += count
        self.found.instances["discarded"] += discarded
        if smallest is not None:
            self.found.shrunk = True

    def on_model(self, name: str, model: Any) -> None:
        """One model of the user's, in float64, with several values of the other inputs; doubts are replayed exactly."""
        inputs = inp.on_model(self.theorem, model, self.seed)
        met = self.met(inputs)
        inputs = inp.pick(inputs, met)
        self.found.instances["batched"] += int(met.sum())
        self.found.instances["discarded"] += int((~met).sum())
        self.misses = {}
        self.on_batch(name, inp.on_device(inputs, self.device))

    def hunt(self, name: str) -> None:
        """Search for an instance that refutes a near miss: families first for dropped assumptions, then draws."""
        theorem, miss = self.theorem, self.theorem.near_misses[name]
        slots = dict(miss) if isinstance(miss, Mapping) else {}
        claims = {name: miss} if isinstance(miss, Claim) else dict(theorem.claims)
        admits = self.admits
        if isinstance(miss, Without):
            dropped = miss.assumption

            def admits(inputs: Inputs) -> bool:
                others = [a for a in theorem.given if a is not dropped]
                return not dropped.met_by(inputs).all() and all(a.met_by(inputs).all() for a in others)

            for family, inputs in inp.batches(theorem, self.profile.batch, self.seed):
                violating = ~dropped.met_by(inputs) & self.met(inputs, without=dropped)
                if violating.any():
                    part = inp.pick(inputs, violating)
                    curves = run_in_floats(theorem, claims, part, cast(Any, theorem.judge).up_to)
                    self.absorb_miss_floats(name, curves, part, family, {})
                if self.misses[name].refuted:
                    return

        def test(inputs: Inputs) -> tuple[bool, float]:
            results = self.judged(claims, inputs, cast(Any, theorem.judge).exactly_up_to, slots)
            self.absorb_miss_exact(name, results, inputs, "search")
            return any(r.failure for r in results.values()), max(_score(r) for r in results.values())

        search(theorem, admits, test, self.profile.searches, self.seed, shrink=False)

    def shrink(self) -> None:
        """Look for a small instance that is refuted as a batched one was: float64 points, exact arithmetic confirms."""
        theorem = self.theorem
        k = max((f.k or 0) for f in self.found.failures)

        def test(inputs: Inputs) -> tuple[bool, float]:
            curves = run_in_floats(theorem, theorem.claims, inp.in_floats(inputs), k).values()
            suspect = any((c.outcome >= Outcome.OPEN).any() for c in curves)
            with np.errstate(divide="ignore"):
                nearness = max(float(np.nan_to_num(np.log(c.ratio), nan=-np.inf).max()) for c in curves)
            if suspect:
                results = judge_exactly(theorem, theorem.claims, inputs, k)
                for name, result in results.items():
                    if result.failure:
                        self.found.failures.append(self.refutation(name, result, inputs, "search"))
                        return True, nearness
            return False, nearness

        search(theorem, self.admits, test, 4 * self.profile.searches, self.seed, shrink=True)

    def judged(
        self, claims: Mapping[str, Claim], inputs: Inputs, up_to: int | None, slots: Mapping[str, Any] | None = None
    ) -> dict[str, Result]:
        """What exact arithmetic says of the claims on one exact instance."""
        return judge_exactly(self.theorem, claims, inputs, up_to, slots)

    # -- claims --------------------------------------------------------------------------------------------------------

    def statements(self, open_only: bool = True) -> dict[str, Claim]:
        """The claims, and the near misses that are wrong statements and not refuted yet."""
        wrong = {
            name: miss
            for name, miss in self.theorem.near_misses.items()
            if isinstance(miss, Claim) and name in self.misses and not (open_only and self.misses[name].refuted)
        }
        return {**self.theorem.claims, **wrong}

    def wrong_algorithms(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Near misses that replace a slot of the measure and are not refuted yet."""
        for name, miss in self.theorem.near_misses.items():
            if isinstance(miss, Mapping) and name in self.misses and not self.misses[name].refuted:
                yield name, miss

    def met(self, inputs: Inputs, without: Any = None) -> np.ndarray:
        """Which instances of the batch meet all assumptions."""
        out = np.ones(inp.batch_shape(inputs), dtype=bool)
        for assumption in self.theorem.given:
            if assumption is not without:
                out = out & assumption.met_by(inputs)
        return out

    def admits(self, inputs: Inputs) -> bool:
        return bool(self.met(inputs).all())

    # -- what was seen -------------------------------------------------------------------------------------------------

    def absorb_exact(self, results: Mapping[str, Result], inputs: Inputs, where: str) -> None:
        found, judge = self.found, self.theorem.judge
        for name, result in results.items():
            if name not in self.theorem.claims:
                self.absorb_miss_exact(name, {name: result}, inputs, where)
                continue
            found.comparisons[_arithmetic(result)] += result.compared
            found.replicates += result.replicates
            if result.margin is not None and found.margin is None:
                found.margin = dict(zip(("where", "k", "low", "high"), (where, *result.margin), strict=True))
            for outcome, word in ((Outcome.SILENT, "silent"), (Outcome.TOUCHES, "touching"), (Outcome.OPEN, "open")):
                found.comparisons[word] += result.outcomes[outcome]
            self.absorb_ratio(name, result.ratio, where, result.ratio_at, inputs)
            if result.replicates or (self.theorem.trivial is not None and not math.isnan(result.ratio)):
                found.informative.append(result.informative)
            if isinstance(judge, Witness):
                found.attained |= bool(result.outcomes[Outcome.HOLDS] + result.outcomes[Outcome.TOUCHES])
            if result.failure:
                found.failures.append(self.refutation(name, result, inputs, where))

    def absorb_miss_exact(self, name: str, results: Mapping[str, Result], inputs: Inputs, where: str) -> None:
        if isinstance(self.theorem.judge, Witness):
            attained = any(r.outcomes[Outcome.HOLDS] + r.outcomes[Outcome.TOUCHES] for r in results.values())
            before = self.misses[name]
            self.misses[name] = replace(
                before, refuted=not attained and (before.refuted or before.by is None), by=where
            )
            return
        for claim, result in results.items():
            if result.failure and not self.misses[name].refuted:
                failure = self.refutation(claim if claim in self.theorem.claims else "", result, inputs, where)
                self.misses[name] = replace(self.misses[name], refuted=True, by=where, refutation=failure)

    def absorb_floats(self, curves: Mapping[str, Curves], inputs: Inputs, where: str) -> None:
        judge = self.theorem.judge
        for name, c in curves.items():
            if name not in self.theorem.claims:
                self.absorb_miss_floats(name, {name: c}, inputs, where, {})
                continue
            self.found.comparisons["floats"] += c.comparisons
            self.found.comparisons["silent"] += int((c.outcome == Outcome.SILENT).sum())
            self.absorb_ratios(name, c, inputs, where)
            if self.theorem.trivial is not None:
                first = np.where(c.informative.any(axis=0), c.k[c.informative.argmax(axis=0)], -1)
                self.found.informative += [None if k < 0 else int(k) for k in first]
            if isinstance(judge, Rate):
                slopes = judge.slopes(c.k, c.ratio)
                self.found.rates.append(slopes)
                for i in np.flatnonzero(~judge.stands(slopes)):
                    self.found.failures.append(_growth(name, c, int(i), inputs, where))
            else:
                self.replay(name, c, inputs, where)

    def absorb_miss_floats(
        self, name: str, curves: Mapping[str, Curves], inputs: Inputs, where: str, slots: Mapping[str, Any]
    ) -> None:
        """Confirm the earliest suspected refutations of a near miss in exact arithmetic."""
        judge = self.theorem.judge
        for claim, c in curves.items():
            if isinstance(judge, Rate):
                wrong = np.flatnonzero(~judge.stands(judge.slopes(c.k, c.ratio)))
                if len(wrong) and not self.misses[name].refuted:
                    failure = _growth("", c, int(wrong[0]), inputs, where)
                    self.misses[name] = replace(self.misses[name], refuted=True, by=failure.where, refutation=failure)
                continue
            key = claim if claim in self.theorem.claims else name
            target = self.theorem.claims.get(claim) or cast(Claim, self.theorem.near_misses[name])
            suspects = sorted(iter_first(c.outcome == Outcome.FAILS), key=lambda x: (c.k[x[1]], x[0]))
            for i, row in suspects[:3]:
                one, label = _one(self.theorem, inputs, i, where)
                if self.misses[name].refuted or _work(one, int(c.k[row])) > ONE_REPLAY:
                    continue
                results = judge_exactly(self.theorem, {key: target}, one, self.horizon(c, row), slots)
                self.absorb_miss_exact(name, results, one, label)

    def replay(self, name: str, c: Curves, inputs: Inputs, where: str) -> None:
        """Decide again, exactly, what float64 could not: suspected failures first, within the budget of work."""
        failing, doubtful = c.outcome == Outcome.FAILS, c.outcome == Outcome.OPEN
        suspects = [*iter_first(failing)] + [(i, row) for i, row in _last(doubtful) if not failing[:, i].any()]
        for i, row in suspects:
            one, label = _one(self.theorem, inputs, i, where)
            work = _work(one, int(c.k[row]))
            in_doubt = int(doubtful[:, i].sum() + failing[:, i].sum())
            if work > ONE_REPLAY or self.profile.replays < self.found.comparisons["replay work"] + work:
                self.found.comparisons["open"] += in_doubt
                continue
            self.found.comparisons["replay work"] += work
            self.found.replayed += in_doubt
            result = judge_exactly(self.theorem, {name: self.theorem.claims[name]}, one, self.horizon(c, row))[name]
            self.absorb_ratio(name, result.ratio, label, result.ratio_at, one)
            self.found.comparisons["touching"] += result.outcomes[Outcome.TOUCHES]
            self.found.comparisons["open"] += result.outcomes[Outcome.OPEN]
            if result.failure:
                self.found.failures.append(self.refutation(name, result, one, label))
                return  # one confirmed failure of a family is enough; the search makes it small

    def refutation(self, claim: str, result: Result, inputs: Inputs, where: str) -> Refutation:
        """The record of a failure on one instance."""
        assert result.failure is not None
        k, smaller, larger = result.failure
        ratio = ratio_of(smaller, larger)
        draws = None
        if result.replicates:
            draws = {"seed": self.seed, "replicates": result.replicates, "alpha": result.α}
        shown = None if math.isnan(ratio) else ratio
        return Refutation(claim, where, k, _digits(smaller), _digits(larger), shown, inp.to_json(inputs), draws)

    def horizon(self, c: Curves, row: int) -> int | None:
        return None if self.theorem.index is None else int(c.k[row])

    def absorb_ratio(self, name: str, ratio: float, where: str, k: int | None, inputs: Inputs) -> None:
        if self.theorem.claims[name].is_identity or math.isnan(ratio):
            return
        self.found.ratios.append(ratio)
        if self.found.best is None or ratio > self.found.best.ratio:
            index = None if self.theorem.index is None else k
            self.found.best = Tightness(ratio, where, index, inp.to_json(inputs))

    def absorb_ratios(self, name: str, c: Curves, inputs: Inputs, where: str) -> None:
        ratio = np.where(c.outcome >= Outcome.OPEN, np.nan, c.ratio)  # replays have the last word on those
        if self.theorem.claims[name].is_identity or np.isnan(ratio).all():
            return
        tops = np.nan_to_num(ratio, nan=-1.0).max(axis=0)
        best = int(tops.argmax())
        row = int(np.nan_to_num(ratio[:, best], nan=-1.0).argmax())
        one, label = _one(self.theorem, inputs, best, where, exact=False)
        self.found.ratios += [float(x) for i, x in enumerate(tops) if x >= 0 and i != best]
        self.absorb_ratio(name, float(tops[best]), label, int(c.k[row]), one)

    # -- the verdict ---------------------------------------------------------------------------------------------------

    def verdict(self) -> Verdict:
        found, theorem = self.found, self.theorem
        word, reason = self.word()
        declared = "refuted" if theorem.status == "refuted" else "stands"
        comparisons = {
            x: int(found.comparisons[x])
            for x in ("floats", "balls", "rationals", "races", "silent", "touching", "open")
        }
        exact = comparisons["balls"] + comparisons["rationals"] > 0
        return Verdict(
            id=theorem.id,
            word=word,
            reason=reason,
            declared=declared,
            # One model need not refute a false statement; that is no news about the statement.
            as_declared=word == declared or (word == "stands" and self.model is not None),
            level=2 if exact else 1,
            instances={x: int(found.instances[x]) for x in ("named", "drawn", "batched", "discarded")},
            comparisons=comparisons,
            replayed=found.replayed,
            replicates=found.replicates,
            margin=found.margin,
            tightness=_spread(found),
            informative=_informative(found, theorem),
            near_misses=list(self.misses.values()),
            smallest=min(found.failures, key=_size, default=None),
            worst=max(found.failures, key=lambda f: f.ratio or 0.0, default=None),
            rates=_rates(found),
            seed=self.seed,
            profile=self.profile.name,
            model=self.model[0] if self.model else None,
        )

    def word(self) -> tuple[Word, str]:
        """The verdict's word and its reason."""
        found, theorem = self.found, self.theorem
        decided = sum(found.comparisons[x] for x in ("floats", "balls", "rationals", "races"))
        bounded = theorem.trivial is not None or bool(found.informative)
        if found.refusal is not None:
            return "undecided", found.refusal
        if isinstance(theorem.judge, Witness):
            if not found.attained:
                return "refuted", "no named instance attains it"
        elif found.failures:
            f = min(found.failures, key=_size)
            at = "" if f.k is None or theorem.index is None else f" at {theorem.index} = {f.k}"
            mean = "" if f.draws is None else f", as means of {f.draws['replicates']} replicates"
            return "refuted", f"{f.smaller} <= {f.larger} is false{at} ({f.where}{mean})"
        elif decided == 0:
            return "vacuous", f"none of {found.instances['discarded']} instances meets the assumptions"
        elif decided <= found.comparisons["silent"]:
            return "vacuous", "both sides were zero, or below rounding, everywhere"
        elif bounded and not any(k is not None for k in found.informative) and self.model is None:
            return "vacuous", "the bound is never below the trivial one"
        elif found.margin is not None:
            m = found.margin
            at = "" if m["k"] is None or theorem.index is None else f" at {theorem.index} = {m['k']}"
            what = "probability to hold, less the promised one," if m["k"] is None else "mean of larger − smaller"
            return "undecided", (
                f"{found.comparisons['open']} races are open; on {m['where']}{at} the {what} lies "
                f"in [{m['low']:.3g}, {m['high']:.3g}]"
            )
        elif found.comparisons["open"]:
            return "undecided", f"{found.comparisons['open']} comparisons are too close for the arithmetic used"
        alive = [miss.name for miss in self.misses.values() if not miss.refuted]
        if self.model is None and not self.misses:
            return "toothless", "it has no near misses"
        if alive:
            return "toothless", f"not refuted: {', '.join(alive)}"
        return "stands", ""


def check(
    theorem: Theorem,
    *,
    profile: str = "default",
    seed: int = 0,
    device: str = "cpu",
    model: tuple[str, Any] | None = None,
    progress: Callable[[str], None] | None = None,
) -> Verdict:
    """Check one theorem.

    Parameters
    ----------
    profile : "quick", "default" or "full"
    seed : int
        The same seed gives the same verdict, byte for byte, whatever threads, workers or device.
    device : "cpu" or "cuda"
        Where families are run.
    model : (name, model), optional
        Check on this model alone, in place of the theorem's own instances; near misses are left out.
    progress : function of str, optional
        Called with what is being done.

    Raises
    ------
    TheoremError
        If the measure misses a quantity, yields NaN or a wrong shape; names theorem, quantity and iterate.
    """
    if profile not in PROFILES:
        raise MdplabError(f"profile is {profile!r}; expected one of {sorted(PROFILES)}")
    from mdplab.theorem.random_check import RandomCheck

    kind = RandomCheck if theorem.is_random else Check
    with many_runs():
        return kind(theorem, PROFILES[profile], seed, device, model, progress=progress or (lambda step: None)).run()


def applies(theorem: Theorem, model: Any) -> str | None:
    """None if the theorem can be checked on the model, else the sentence that says why not."""
    root, *rest = theorem.on
    wanted, excludes = theorem.on[root].model, theorem.on[root].excludes
    if wanted is not None and not isinstance(model, wanted):
        return f"it is about models of class {wanted.__name__}, and this is one of class {type(model).__name__}"
    if excludes is not None and (why := excludes(model)):
        return why
    if not theorem.on[root].families or any(theorem.on[name].batch is None for name in rest):
        return "its instances are not models in float64"
    if isinstance(theorem.judge, Witness):
        return "it is about its named instances"
    inputs = inp.on_model(theorem, model, 0)
    met = [assumption.met_by(inputs) for assumption in theorem.given]
    if np.all(met, axis=0).any():
        return None
    return next(a for a, m in zip(theorem.given, met, strict=True) if not m.all()).failure(inputs)


def _unrefuted(name: str, miss: Any) -> NearMiss:
    if isinstance(miss, Claim):
        return NearMiss(name, "statement", miss.latex, False)
    if isinstance(miss, Without):
        return NearMiss(name, "assumption", miss.assumption.latex, False)
    return NearMiss(name, "algorithm", None, False)


def _score(result: Result) -> float:
    return math.log(result.ratio) if result.ratio > 0 and math.isfinite(result.ratio) else math.nan


def _one(theorem: Theorem, inputs: Inputs, i: int, where: str, exact: bool = True) -> tuple[Inputs, str]:
    """Instance i of a batch on the CPU, in exact arithmetic if asked, and what to call it."""
    one = inp.in_floats(inp.pick(inputs, i) if inp.batch_shape(inputs) else inputs)
    label = f"{where} #{i}" if inp.batch_shape(inputs) else where
    return (inp.exact(theorem, one) if exact else one), label


def _work(inputs: Inputs, k: int) -> int:
    """Multiply-adds of one replay up to iterate k, roughly: a transition matrix, a factorisation, action values."""
    size = next(((x.S, x.A) for x in inputs.values() if hasattr(x, "S")), (1, 1))
    return (k + 1) * (2 * size[0] ** 2 * size[1] + size[0] ** 3)


def _last(mask: np.ndarray) -> Iterator[tuple[int, int]]:
    for i, row in iter_first(mask[::-1]):
        yield i, len(mask) - 1 - row


def _arithmetic(result: Result) -> str:
    return "races" if result.replicates else "balls" if result.balls else "rationals"


def _growth(claim: str, c: Curves, i: int, inputs: Inputs, where: str) -> Refutation:
    one, label = _one(None, inputs, i, where, exact=False)  # type: ignore[arg-type]
    last = float(c.ratio[-1, i])
    return Refutation(
        claim, label, int(c.k[-1]), f"{c.smaller[-1, i]:.6g}", f"{c.larger[-1, i]:.6g}", last, inp.to_json(one)
    )


def _size(refutation: Refutation) -> int:
    return len(json.dumps(refutation.inputs))


def _digits(x: Any) -> str:
    text = x.str(12, radius=False) if hasattr(x, "rad") else str(x)
    return text if len(text) <= 40 else f"{number(x):.12g}"


def _spread(found: Findings) -> Tightness | None:
    if found.best is None:
        return None
    logs = np.log10(np.clip([r for r in found.ratios if r > 0] or [found.best.ratio or 1e-300], 1e-300, None))
    edges = np.linspace(-10, 0, 41)
    counts = np.histogram(np.clip(logs, -10, 0), edges)[0]
    quantiles = np.quantile(logs, np.linspace(0, 1, 11))
    return replace(found.best, quantiles=[round(float(q), 6) for q in quantiles], histogram=[int(c) for c in counts])


def _informative(found: Findings, theorem: Theorem) -> dict[str, Any] | None:
    if not found.informative:
        return None
    firsts = [k for k in found.informative if k is not None]
    share = round(len(firsts) / len(found.informative), 6)
    first = min(firsts, default=None)
    return {"first": first if theorem.index is not None else None, "share": share}


def _rates(found: Findings) -> dict[str, Any] | None:
    if not found.rates:
        return None
    last = np.concatenate([s[-1] for s in found.rates])
    last = last[np.isfinite(last)]
    if not last.size:
        return None
    return {
        "growth of the ratio": {
            q: round(float(np.quantile(last, p)), 4) for q, p in (("min", 0), ("median", 0.5), ("max", 1))
        }
    }
