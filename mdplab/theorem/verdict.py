"""Verdicts: what a check found, in words that promise no more than was done."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Word = Literal["stands", "refuted", "undecided", "vacuous", "toothless"]


@dataclass(frozen=True)
class Tightness:
    """The largest ratio of smaller to larger side, where it was seen, and how the ratios of all instances spread."""

    ratio: float
    where: str
    k: int | None
    inputs: Any  # of that instance, as JSON
    quantiles: list[float] = field(default_factory=list)  # log10 of per-instance ratios at 0, 10, ..., 100 %
    histogram: list[int] = field(default_factory=list)  # of the same: 40 bins of a quarter decade, from 1e-10 to 1


@dataclass(frozen=True)
class Refutation:
    """An instance on which the claim is false, confirmed in rationals, in balls or by a race (in float64 for rates)."""

    claim: str
    where: str
    k: int | None
    smaller: str
    larger: str
    ratio: float | None
    inputs: Any  # as JSON, complete: `mdplab replay` needs nothing else
    draws: dict[str, Any] | None = None  # of a race: its seed, its error probability, the replicates it took


@dataclass(frozen=True)
class NearMiss:
    """A wrong version of the theorem and what refuted it."""

    name: str
    kind: Literal["statement", "algorithm", "assumption"]
    latex: str | None
    refuted: bool
    by: str | None = None
    refutation: Refutation | None = None


@dataclass(frozen=True)
class Verdict:
    """The result of checking one theorem.

    Attributes
    ----------
    word : "stands", "refuted", "undecided", "vacuous" or "toothless"
    reason : str
        One sentence, empty for a theorem that stands.
    as_declared : bool
        Whether this is what the theorem file declares (a theorem of status ``refuted`` must be refuted).
    level : int
        0 stated, 1 sampled in float64, 2 also no counterexample among the exact instances tried.
    instances : dict
        How many were "named", "drawn" (both exact) and "batched" (float64), and how many were "discarded" because
        they do not meet the assumptions.
    comparisons : dict
        Of both sides: "floats", "balls", "rationals" and "races" (of means, by sampling), and among them "silent" (both
        sides zero or below rounding), "touching" (equal to every digit computed), "open" (not decided).
    replayed : int
        Float64 comparisons inside their rounding error that were decided again in balls.
    replicates : int
        Drawn for the races about the theorem's own claims; each theorem's races err with probability 1e-6 together.
    margin : dict or None
        Of the first race left open: "where", "k", and the expectations of larger − smaller, "low" to "high", that its
        replicates do not exclude.
    informative : dict or None
        "first": first index at which the bound says more than the trivial one, "share" of instances where it ever does.
    smallest, worst : Refutation or None
        Only for a refuted claim.
    """

    id: str
    word: Word
    reason: str
    declared: str
    as_declared: bool
    level: int
    instances: dict[str, int]
    comparisons: dict[str, int]
    replayed: int
    replicates: int
    margin: dict[str, Any] | None
    tightness: Tightness | None
    informative: dict[str, Any] | None
    near_misses: list[NearMiss]
    smallest: Refutation | None
    worst: Refutation | None
    rates: dict[str, Any] | None
    seed: int
    profile: str
    model: str | None

    def to_json(self) -> dict[str, Any]:
        """As plain JSON: the same for the same seed on any machine, so without times."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Verdict:
        """The inverse of `to_json`."""

        def refutation(x: Any) -> Refutation | None:
            return x and Refutation(**x)

        misses = [NearMiss(**{**m, "refutation": refutation(m["refutation"])}) for m in data["near_misses"]]
        parts = {
            "tightness": data["tightness"] and Tightness(**data["tightness"]),
            "near_misses": misses,
            "smallest": refutation(data["smallest"]),
            "worst": refutation(data["worst"]),
        }
        return cls(**{**data, **parts})
