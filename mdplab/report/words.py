"""The short texts that a line in a terminal and a page in a browser share."""

from __future__ import annotations

import math
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from mdplab.report.mathematics import line, plain
from mdplab.theorem.judges import InExpectation, Rate, WithProbability, Witness
from mdplab.theorem.quantity import Quantity
from mdplab.theorem.random_check import ALPHA
from mdplab.theorem.statement import Theorem
from mdplab.theorem.verdict import Refutation, Verdict

STATUS = {
    "as_stated": "checked as it is stated there",
    "corrected": "corrected here: it is stated otherwise there",
    "sharpened": "sharper than what is stated there",
    "folklore": "folklore",
    "conjectured": "conjectured",
    "refuted": "declared false, and kept with its counterexample",
}
SOURCE = {
    "read": "the statement was read in the source",
    "recalled": "the statement is recalled, not copied, from the source",
    "derived": "the statement was derived here",
}
LEVEL = {
    0: "stated, not checked",
    1: "sampled in float64, with a derived slack for rounding",
    2: "no counterexample among exact instances, nor among batches in float64",
}
REFUTED = {
    0: "stated, not checked",
    1: "the counterexample is seen in float64, with a derived slack for rounding",
    2: "the counterexample is confirmed in exact arithmetic",
}
RACED = f"sampled, decided by a race with error probability 1e{math.log10(ALPHA):.0f}"
LISTED = {
    1: "all outcomes of the draw were listed, in float64 with a derived slack for rounding",
    2: "no counterexample among instances all of whose outcomes were listed, exactly and in float64",
}
WORDS = {
    "stands": "No instance refutes it, and every near miss is refuted.",
    "refuted": "There is a counterexample.",
    "undecided": "Nothing refutes it, but not all is decided.",
    "vacuous": "It says nothing on the instances tried.",
    "toothless": "Nothing refutes it, but a wrong version of it is not refuted either.",
}
MISS = {"statement": "wrong statement", "algorithm": "wrong algorithm", "assumption": "assumption dropped"}


def kind(theorem: Theorem) -> str:
    """What the theorem claims, in a phrase."""
    if isinstance(theorem.judge, Rate):
        return "an order of growth"
    if isinstance(theorem.judge, Witness):
        return "that an instance exists"
    what = "an identity" if is_identity(theorem) else "a bound"
    if isinstance(theorem.judge, InExpectation):
        what = f"{what} in expectation"
    if isinstance(theorem.judge, WithProbability):
        jointly = "" if theorem.index is None else ", for all iterates at once"
        return f"{what} with probability {line(theorem.judge.probability)}{jointly}"
    return what if theorem.index is None else f"{what} at every iterate"


def level(theorem: Theorem, verdict: Verdict) -> str:
    """What the verdict's level of evidence means."""
    if verdict.word == "refuted":
        found = verdict.smallest
        return RACED if found is not None and found.draws is not None else REFUTED[verdict.level]
    if not theorem.is_random or verdict.level not in LISTED:
        return LEVEL[verdict.level]
    if not verdict.comparisons["races"]:
        return LISTED[verdict.level]
    return RACED if verdict.level == 1 else f"{LISTED[2]}; where they were too many, {RACED}"


def attainable(theorem: Theorem, level: int) -> str:
    """What the highest level that the theorem can reach means."""
    if not theorem.is_random:
        return LEVEL[level]
    return RACED if level == 1 else LISTED[2]


def replicates(found: Refutation) -> str:
    """On what the numbers of a raced refutation rest; empty for others."""
    if found.draws is None:
        return ""
    return means(found.draws["replicates"], found.draws["seed"])


def means(replicates: int, seed: int) -> str:
    return f"means of {replicates:,} replicate{'s' * (replicates != 1)} of seed {seed}"


def falsehood(theorem: Theorem, smaller: Any, larger: Any, identity: bool) -> str:
    """The numbers that refute a claim; of one about a probability, how often it failed and how often it may."""
    if isinstance(theorem.judge, WithProbability):
        return f"fails with frequency {comparison(smaller, larger, identity=False)}"
    return comparison(smaller, larger, identity)


def at(theorem: Theorem, k: int | None) -> str:
    """`` at t = 3``; empty for statements about one point, or about all iterates at once."""
    if theorem.index is None or k is None or isinstance(theorem.judge, WithProbability):
        return ""
    return f" at {plain(theorem.index.name)} = {k}"


def is_identity(theorem: Theorem) -> bool:
    return all(claim.is_identity for claim in theorem.claims.values())


def letters(theorem: Theorem) -> list[Quantity]:
    """The letters of the claims, in the order in which one meets them reading."""
    text = " ".join(theorem.latex.values())
    return sorted(theorem.quantities, key=lambda q: (text.find(q.name), q.name))


def tried(verdict: Verdict) -> int:
    """Instances that were judged."""
    return sum(verdict.instances[x] for x in ("named", "drawn", "batched"))


def ratio(x: float) -> str:
    """A ratio of sides: ``1.000`` only where it is one to twelve digits, ``0.853``, ``10^-3.2`` or ``10^+2.1``."""
    if abs(x - 1) < 1e-12:
        return "1.000"
    if 0.0995 <= x < 1:
        return f"{math.floor(x * 1000) / 1000:.3f}"
    if 1 < x < 100:
        return f"{x:.4g}"
    return f"10^{math.log10(x):+.1f}" if x > 1 else f"10^{math.log10(x):.1f}" if x > 0 else "0"


def tightness(theorem: Theorem, verdict: Verdict) -> str:
    """How near the two sides come, ``≈`` where only means are known; ``=`` for an identity, ``-`` without meaning."""
    if is_identity(theorem):
        return "="
    if verdict.tightness is None or isinstance(theorem.judge, Witness):
        return "-"
    sampled = verdict.level == 1 and verdict.comparisons["races"]
    return ("≈" if sampled else "") + ratio(verdict.tightness.ratio)


def first_informative(verdict: Verdict) -> str:
    """First index at which the bound says more than what holds for any reason; ``-`` where nobody says what that is."""
    found = verdict.informative
    if found is None:
        return "-"
    if not found["share"]:
        return "never"
    return "always" if found["first"] is None else str(found["first"])


def refuted_misses(verdict: Verdict) -> str:
    """``4/4``: near misses refuted, of all."""
    if not verdict.near_misses:
        return "-"
    return f"{sum(miss.refuted for miss in verdict.near_misses)}/{len(verdict.near_misses)}"


def duration(seconds: float) -> str:
    """``0.8 s``, ``12 s``, ``3:05``, ``1:02:03``."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes, s = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{s:02}" if hours else f"{minutes}:{s:02}"


def tally(pairs: Iterable[tuple[str, bool]]) -> list[str]:
    """From (word, as declared): ``58 stand``, ``2 refuted as declared``, ``1 vacuous``; the good ones first."""
    pairs = list(pairs)
    out = []
    for word, said in (("stands", "stand"), ("refuted", "refuted as declared")):
        if n := pairs.count((word, True)):
            out.append(f"{n} {said if n > 1 or word == 'refuted' else word}")
    for word in ("refuted", "undecided", "vacuous", "toothless", "stands"):
        if n := pairs.count((word, False)):
            out.append(f"{n} {word}" + (", though declared refuted" if word == "stands" else ""))
    return out


def comparison(smaller: Any, larger: Any, identity: bool, holds: bool = False) -> str:
    """``10 > 9`` for a refuted inequality, ``1 ≠ 2`` for a refuted identity."""
    sign = ("=" if identity else "≤") if holds else ("≠" if identity else ">")
    left, right = told_apart(smaller, larger)
    return f"{left} {sign} {right}"


def told_apart(x: Any, y: Any) -> tuple[str, str]:
    """Two different numbers with as few digits, from six on, as it takes to see which is larger."""
    for digits in range(6, 17):
        left, right = (number(z, digits) for z in (x, y))
        if left != right:
            return left, right
    return str(x), str(y)


def number(x: Any, digits: int = 6) -> str:
    """A number of a verdict's JSON: short exact texts stay as they are; the rest gets a few digits."""
    if isinstance(x, str):
        if "." not in x and ("/" not in x or len(x) <= 13):
            return x
        try:
            x = float(Fraction(x))
        except (ValueError, ZeroDivisionError):
            return x
    if isinstance(x, bool) or not isinstance(x, int | float):
        return str(x)
    if isinstance(x, int):
        return str(x)
    if x == int(x) and abs(x) < 1e6:
        return str(int(x))
    return f"{x:.{digits}g}"
