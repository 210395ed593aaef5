"""Verdicts in a terminal: a line for each theorem as it is done, then what is behind it, in plain text."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mdplab.report import instance, listing, mathematics, words
from mdplab.report.papers import card
from mdplab.theorem.assumptions import Without
from mdplab.theorem.check import PROFILES
from mdplab.theorem.claim import Claim
from mdplab.theorem.judges import InExpectation, Rate, WithProbability, Witness
from mdplab.theorem.statement import Theorem
from mdplab.theorem.verdict import NearMiss, Refutation, Verdict

if TYPE_CHECKING:
    from rich.text import Text

WIDTH = 80  # of prose and formulas
ONE_LINE = 108  # from here on the theorem's words stand in its line, else in a line below
_COLOURS = {"stands": "green", "refuted": "red", "undecided": "yellow", "vacuous": "magenta", "toothless": "yellow"}
ID = 28  # columns for the ids of theorems
_COLUMNS = (("theorem", ID), ("verdict", 9), ("tried", -6), ("tight", -8), ("from", -6), ("misses", -6), ("time", -6))


# -- one line a theorem ------------------------------------------------------------------------------------------------


def header(width: int | None = WIDTH, longest: int = ID) -> Text:
    """The head of the lines that `row` makes."""
    from rich.text import Text

    line = "  " + "".join(_aligned([name for name, _ in _COLUMNS], longest))
    return Text(line + ("  statement" if width is None or width >= ONE_LINE else ""), style="dim")


def row(theorem: Theorem, verdict: Verdict, seconds: float, width: int | None = WIDTH, longest: int = ID) -> Text:
    """The line of one theorem; in narrow terminals its words come in a second line.

    Its columns: whether the verdict is as declared, the verdict, instances tried, the largest ratio of the two sides,
    the first iterate at which the bound says more than the trivial one, near misses refuted, time.

    Parameters
    ----------
    width : int or None
        Columns of the terminal; None if the output goes elsewhere: then nothing is cut.
    longest : int
        Columns to keep for the ids, so that the lines of several theorems stand under each other.
    """
    from rich.text import Text

    cells = (
        theorem.id,
        verdict.word,
        str(words.tried(verdict)),
        words.tightness(theorem, verdict),
        words.first_informative(verdict),
        words.refuted_misses(verdict),
        words.duration(seconds),
    )
    colour = "green" if verdict.as_declared else f"bold {_COLOURS[verdict.word]}"
    out = Text("✓ " if verdict.as_declared else "✗ ", style=colour)
    for cell, (name, _) in zip(_aligned(cells, longest), _COLUMNS, strict=True):
        out.append(cell, style=colour if name == "verdict" else "dim" if name == "time" else "")
    title = theorem.title.rstrip(".")
    if width is None:
        out.append(f"  {title}")
    elif width >= ONE_LINE:
        out.append("  " + _cut(title, width - out.cell_len - 2))
    else:
        out.append("\n    " + _cut(title, width - 4), style="dim")
    return out


def budget(theorems: Sequence[Theorem], profile: str) -> str:
    """What a profile does at most; of random theorems too, if there are any."""
    p = PROFILES[profile]
    text = f"{profile}: families of {p.batch:,} models, {p.draws:,} draws, {p.searches:,} searches for each near miss"
    most = [x.judge.replicates for x in theorems if isinstance(x.judge, InExpectation | WithProbability)]
    if not most:
        return text
    return f"{text}; {p.races} models of each family raced, on up to {max(most) * p.replicates:,.0f} replicates each"


def summary(results: Sequence[tuple[Theorem, Verdict, float]]) -> str:
    """One sentence on all, with what was done for it."""
    verdicts = [verdict for _, verdict, _ in results]
    if not verdicts:
        return "no theorem was checked"
    counts = ", ".join(words.tally((v.word, v.as_declared) for v in verdicts))
    exact = sum(v.comparisons["balls"] + v.comparisons["rationals"] for v in verdicts)
    raced = sum(v.comparisons["races"] for v in verdicts)
    compared = sum(v.comparisons["floats"] for v in verdicts) + exact + raced
    of_these = f"{exact:,} exact" + (f", {raced:,} by races" if raced else "")
    misses = [miss.refuted for v in verdicts for miss in v.near_misses]
    of = f"{len(verdicts)} theorem" + "s" * (len(verdicts) > 1)
    lines = [
        f"{of}: {counts}",
        f"{sum(map(words.tried, verdicts)):,} instances, {compared:,} comparisons ({of_these}), "
        f"{sum(misses)} of {len(misses)} near misses refuted, {words.duration(sum(s for *_, s in results))} of work",
    ]
    return "\n".join(lines)


def _aligned(cells: Sequence[str], longest: int) -> list[str]:
    """The cells padded to their columns; what is too long takes blanks from those after it."""
    out: list[str] = []
    at = end = 0
    for cell, size in zip(cells, (longest, *(size for _, size in _COLUMNS[1:])), strict=True):
        end += abs(size) + 1
        text = cell.rjust(end - 1 - at) if size < 0 else cell
        text = text if not out or text.startswith(" ") else f" {text}"
        text = text.ljust(end - 1 - at) if size > 0 else text
        out.append(text)
        at += len(text)
    return out


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: max(width - 1, 0)].rstrip() + "…"


# -- what is behind it -------------------------------------------------------------------------------------------------


def details(theorem: Theorem, verdict: Verdict, width: int = WIDTH) -> str:
    """What was claimed, what came of it, and the counterexample if there is one."""
    parts = [
        f"{theorem.id}  {verdict.word}" + (f": {verdict.reason}" if verdict.reason else ""),
        _indented(theorem.title),
        _statements(theorem, width),
    ]
    if verdict.comparisons["races"]:
        parts.append(_indented(_races(verdict)))
    parts += _counterexamples(theorem, verdict)
    if verdict.near_misses:
        parts.append(_indented("\n".join(["near misses", *(_miss(theorem, miss) for miss in verdict.near_misses)])))
    return "\n\n".join(parts) + "\n"


def show(theorem: Theorem, width: int = WIDTH) -> str:
    """A theorem as it is written: statement, letters, assumptions, source, how it is judged, near misses."""
    title = _wrapped(theorem.title, width)
    parts = [f"{theorem.id}\n{title}", _statements(theorem, width)]
    if theorem.description:
        parts.append("\n\n".join(_wrapped(x, width) for x in theorem.description.split("\n\n")))
    parts.append(_table("where", [(mathematics.plain(q.name), q.meaning) for q in words.letters(theorem)], width))
    if theorem.given:
        rows = [(mathematics.plain(a.latex), a.words) for a in theorem.given]
        parts.append(_table("assuming", rows, width))
    if theorem.trivial is not None:
        parts.append(f"any reason gives\n  {mathematics.line(theorem.trivial)}")
    if ranges := _ranges(theorem):
        parts.append(_table("on every outcome", ranges, width))
    parts.append(_table("source", _source(theorem), width))
    parts.append(_table("checked", _judging(theorem), width))
    parts.append("near misses, each of which must be refuted\n" + _near_misses(theorem, width))
    return "\n\n".join(parts)


def replayed(again: Any) -> str:
    """What a saved counterexample says when it is judged again."""
    theorem, result = again.theorem, again.result
    name = theorem.id if again.near_miss is None else f"{theorem.id}, near miss {again.near_miss!r}"
    identity = again.claim.is_identity
    lines = [name, "", _indented(mathematics.pretty(again.claim.relation, WIDTH - 2)), ""]
    from mdplab.theorem.inputs import to_json

    lines += [_indented(instance.text(to_json(again.inputs))), ""]
    sampled = again.draws and f", {words.means(result.replicates, again.draws['seed'])}"
    if result.failure is None and sampled:
        lines.append(f"not refuted by the race on the same replicates{sampled}")
    elif result.failure is None:
        upto = "" if again.k is None else f" up to {_at(theorem, again.k)}"
        lines.append(f"not refuted: {result.compared} exact comparisons hold{upto}")
    else:
        k, smaller, larger = result.failure
        numbers = words.falsehood(theorem, _digits(smaller), _digits(larger), identity)
        lines.append(f"refuted{words.at(theorem, k)}: {numbers}{sampled or ''}")
    return "\n".join(lines)


def _statements(theorem: Theorem, width: int) -> str:
    parts = []
    for name, claim in theorem.claims.items():
        formula = mathematics.pretty(claim.relation, width - 4)
        parts.append((f"  ({name})\n" if name else "") + _indented(formula, "    "))
    return "\n\n".join(parts)


def _races(verdict: Verdict) -> str:
    """How much was drawn, and how many races it left open."""
    raced, opened = verdict.comparisons["races"], verdict.comparisons["open"]
    line = f"{raced:,} races on {verdict.replicates:,} replicates"
    return f"{line}; {opened:,} are open, which more replicates may decide: --full" if opened else line


def _counterexamples(theorem: Theorem, verdict: Verdict) -> list[str]:
    if verdict.smallest is None:
        return []
    parts = [_indented("smallest counterexample\n" + _refutation(theorem, verdict.smallest))]
    worst = verdict.worst
    if worst is not None and worst != verdict.smallest:
        parts.append(_indented("worst counterexample\n" + _refutation(theorem, worst)))
    return parts


def _refutation(theorem: Theorem, found: Refutation) -> str:
    claim = theorem.claims.get(found.claim)
    part = f"({found.claim}) " if found.claim else ""
    numbers = words.falsehood(theorem, found.smaller, found.larger, claim is not None and claim.is_identity)
    times = f", {words.number(found.ratio)} times as much" if found.ratio is not None else ""
    lines = [f"  {part}{numbers}{words.at(theorem, found.k)}{times} ({found.where})"]
    lines += [f"  {words.replicates(found)}"] if found.draws else []
    return "\n".join([*lines, _indented(instance.text(found.inputs), "    ")])


def _miss(theorem: Theorem, miss: NearMiss) -> str:
    if not miss.refuted:
        return f"  ✗ {miss.name} ({words.MISS[miss.kind]}): not refuted"
    found = miss.refutation
    numbers = "" if found is None else ", {} against {}".format(*words.told_apart(found.smaller, found.larger))
    drawn = f", {words.replicates(found)}" if found is not None and found.draws else ""
    return f"  ✓ {miss.name} ({words.MISS[miss.kind]}): {miss.by}{numbers}{drawn}"


def _source(theorem: Theorem) -> list[tuple[str, str]]:
    paper = card(theorem.cite)
    rows = [("", f"{paper['title']}, {authors(paper)} ({paper['year']})")] if paper else []
    rows += [
        ("", f"{theorem.cite}, {theorem.at}"),
        ("", words.SOURCE[theorem.source]),
        ("", words.STATUS[theorem.status]),
    ]
    rows += [("note", theorem.note)] if theorem.note else []
    rows += [("uses", ", ".join(theorem.uses))] if theorem.uses else []
    rows += [("proof", theorem.formal)] if theorem.formal else []
    return rows


def authors(paper: dict[str, Any]) -> str:
    """``Puterman``, ``Mei and Dai``, ``Agarwal, Kakade, Lee and Mahajan``: as they sign, in the card's order."""
    names = list(map(str, paper["authors"]))
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _judging(theorem: Theorem) -> list[tuple[str, str]]:
    judge, k = theorem.judge, theorem.index
    if isinstance(judge, Witness):
        rows = [("", "as a claim that some named instance satisfies it, exactly")]
    elif isinstance(judge, Rate):
        rows = [("", f"as an order of growth, in float64 up to {_at(theorem, judge.up_to)}; evidence, never a proof")]
    elif theorem.is_random:
        rows = [("", f"as {words.kind(theorem)}"), ("", _racing(theorem))]
    elif k is None:
        rows = [("", "at one point of each instance, exactly and in float64")]
    else:
        text = f"at every iterate, exactly up to {_at(theorem, judge.exactly_up_to)}, in float64 up to {judge.up_to}"
        rows = [("", text)]
    best = listing.evidence(theorem)
    rows.append(("evidence", f"level {best} at most: {words.attainable(theorem, best)}"))
    rows.append(("inputs", ", ".join(theorem.on)))
    families = [f.name for domain in theorem.on.values() for f in domain.families]
    if theorem.named:
        rows.append(("named", ", ".join(theorem.named)))
    if families and not isinstance(judge, Witness):
        rows.append(("families", "; ".join(families)))
    return rows


def _racing(theorem: Theorem) -> str:
    """How a random claim is decided."""
    judge = theorem.judge
    assert isinstance(judge, InExpectation | WithProbability)
    race = f"by races of at most {judge.replicates:,} replicates of an instance"
    if listing.evidence(theorem) == 1:
        return race
    upto = f" up to {_at(theorem, judge.exactly_up_to)}" if theorem.index is not None else ""
    listed = f"over all outcomes of the draw, exactly{upto} and in float64"
    return f"{listed}; where they are too many, {race}" if judge.can_be_raced else listed


def _ranges(theorem: Theorem) -> list[tuple[str, str]]:
    """Between which bounds each random quantity lies, where the judge was told."""
    within = theorem.judge.within if isinstance(theorem.judge, InExpectation) else {}
    return [
        (mathematics.plain(q.name), f"from {mathematics.line(ends[0])} to {mathematics.line(ends[1])}")
        for q, ends in within.items()
        if ends is not None
    ]


def _near_misses(theorem: Theorem, width: int) -> str:
    lines = []
    for name, miss in theorem.near_misses.items():
        lines.append(f"  {name}")
        if isinstance(miss, Claim):
            lines.append(_indented(mathematics.pretty(miss.relation, width - 6), "      "))
        elif isinstance(miss, Without):
            lines.append(f"      without: {miss.assumption.words}")
        else:
            lines += [f"      {slot} = {getattr(x, '__name__', x)}" for slot, x in miss.items()]
    return "\n".join(lines) or "  none"


def _table(head: str, rows: list[tuple[str, str]], width: int) -> str:
    left = max((len(a) for a, _ in rows if len(a) <= 26), default=0)
    lines = [head]
    for a, b in rows:
        lead = f"  {a.ljust(left)}  " if left else "  "
        if len(a) > left:
            lines, lead = [*lines, f"  {a}"], " " * (left + 4)
        lines.append(
            textwrap.fill(b, width, initial_indent=lead, subsequent_indent=" " * len(lead), break_on_hyphens=False)
        )
    return "\n".join(lines)


def _at(theorem: Theorem, k: int) -> str:
    return f"{mathematics.plain(theorem.index.name)} = {k}" if theorem.index is not None else str(k)


def _digits(x: Any) -> str:
    return x.str(16, radius=False) if hasattr(x, "rad") else str(x)


def _wrapped(text: str, width: int) -> str:
    return textwrap.fill(" ".join(text.split()), width)


def _indented(text: str, by: str = "  ") -> str:
    return textwrap.indent(text, by)
