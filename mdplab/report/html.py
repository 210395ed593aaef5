"""Verdicts as a static site: one page a theorem, an overview of all; no script and no network needed to read it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from mdplab import __version__
from mdplab.report import curves, figures, graphs, instance, words
from mdplab.report.mathematics import mathml
from mdplab.report.papers import card
from mdplab.report.terminal import authors
from mdplab.theorem.assumptions import Without
from mdplab.theorem.claim import Claim
from mdplab.theorem.judges import Rate, Witness
from mdplab.theorem.random_check import ALPHA
from mdplab.theorem.replay import record
from mdplab.theorem.statement import Theorem
from mdplab.theorem.verdict import NearMiss, Refutation, Verdict

if TYPE_CHECKING:
    import jinja2
    import xarray as xr

Result = tuple[Theorem, Verdict]
# Colours in a figure that stand for those of the page, which has two sets of them, for light and for dark.
INK, PAPER = "#0b0c0d", "#fbfcfd"


def write_site(
    folder: Path,
    results: Sequence[Result],
    *,
    model: tuple[str, Any] | None = None,
    progress: Callable[[str], None] = lambda id: None,
) -> Path:
    """Write the site into `folder` and return its first page.

    Beside the pages come, in ``data``, each verdict as JSON and the figure with its numbers (SVG, netCDF, CSV), and in
    ``counterexamples`` a file to replay for everything that was refuted.

    Parameters
    ----------
    model : (name, model), optional
        The model that the theorems were checked on, if they were checked on one.
    progress : function of str, optional
        Called with the id of each theorem before its page is made.
    """
    folder = Path(folder)
    for name in ("data", "counterexamples"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    templates = _templates()
    pages = [_Page(theorem, verdict, folder, model) for theorem, verdict in results]
    groups = _grouped(pages)
    order = [page for group in groups for page in group["pages"]]
    common = {"version": __version__, "run": _run(results)}
    for n, page in enumerate(order):
        progress(page.theorem.id)
        around = {"before": order[n - 1] if n else None, "after": order[n + 1] if n + 1 < len(order) else None}
        text = templates.get_template("theorem.html").render(page=page, **page.content(), **around, **common)
        (folder / page.file).write_text(text, encoding="utf-8")
    index = folder / "index.html"
    overview = templates.get_template("index.html").render(groups=groups, **_overview(results), **common)
    index.write_text(overview, encoding="utf-8")
    return index


def _templates() -> jinja2.Environment:
    import jinja2

    templates = jinja2.Environment(
        loader=jinja2.PackageLoader("mdplab.report", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters["power"] = _power
    return templates


def _power(text: str) -> Any:
    """``10^-3.2`` with a raised exponent."""
    from markupsafe import Markup, escape

    found = re.fullmatch(r"(≈?)10\^([+-])([\d.]+)", text)
    if found is None:
        return escape(text)
    sign = found[2].replace("-", "−").replace("+", "")
    return Markup("{}10<sup>{}{}</sup>").format(found[1], sign, found[3])


# -- the overview ------------------------------------------------------------------------------------------------------


def _grouped(pages: list[_Page]) -> list[dict[str, Any]]:
    """The pages by paper, in the order of the years."""
    keys = dict.fromkeys(page.theorem.cite for page in pages)
    groups = [{"paper": paper(key), "pages": [p for p in pages if p.theorem.cite == key]} for key in keys]
    return sorted(groups, key=lambda g: (str(g["paper"]["year"]) or "9999", g["paper"]["key"]))


def paper(key: str) -> dict[str, Any]:
    """What a page says of a paper: its card, or its key alone where it has none."""
    found = card(key)
    if not found:
        return {"key": key, "title": key, "authors": "", "year": "", "link": None, "where": ""}
    arxiv, doi = found.get("arxiv"), found.get("doi")
    link = f"https://arxiv.org/abs/{arxiv}" if arxiv else f"https://doi.org/{doi}" if doi else None
    where = f"arXiv {arxiv}" if arxiv else f"doi {doi}" if doi else ""
    return {**found, "key": key, "authors": authors(found), "link": link, "where": where}


def _overview(results: Sequence[Result]) -> dict[str, Any]:
    verdicts = [verdict for _, verdict in results]
    compared = [v.comparisons for v in verdicts]
    misses = [miss.refuted for v in verdicts for miss in v.near_misses]
    return {
        "tally": words.tally((v.word, v.as_declared) for v in verdicts),
        "all_well": all(v.as_declared for v in verdicts),
        "count": len(verdicts),
        "papers": len({theorem.cite for theorem, _ in results}),
        "instances": sum(map(words.tried, verdicts)),
        "comparisons": sum(c["floats"] + c["balls"] + c["rationals"] + c["races"] for c in compared),
        "exact": sum(c["balls"] + c["rationals"] for c in compared),
        "races": sum(c["races"] for c in compared),
        "replicates": sum(v.replicates for v in verdicts),
        "misses": (sum(misses), len(misses)),
    }


def _run(results: Sequence[Result]) -> dict[str, Any]:
    first = results[0][1] if results else None
    return {"seed": first and first.seed, "profile": first and first.profile, "model": first and first.model}


# -- one theorem -------------------------------------------------------------------------------------------------------


class _Page:
    """What the templates show of one theorem."""

    def __init__(self, theorem: Theorem, verdict: Verdict, folder: Path, model: tuple[str, Any] | None) -> None:
        self.theorem, self.verdict, self.folder, self.model = theorem, verdict, folder, model
        self.id = theorem.id
        self.file = f"{quote(theorem.id, safe='.')}.html"
        self.title = theorem.title.rstrip(".")
        self.paper = paper(theorem.cite)
        self.word = verdict.word
        self.state = "well" if verdict.as_declared else "ill"
        self.label = "refuted, as declared" if verdict.as_declared and self.word == "refuted" else self.word
        self.tightness = words.tightness(theorem, verdict)
        self.informative = words.first_informative(verdict)
        self.misses = words.refuted_misses(verdict)
        self.statements = [(name, mathml(claim.latex, block=True)) for name, claim in theorem.claims.items()]
        spread = verdict.tightness.histogram if verdict.tightness and self.tightness not in "=-" else []
        self.spark = _bars(spread)

    def content(self) -> dict[str, Any]:
        """All that takes time; it also writes the files that the page links to."""
        theorem, verdict = self.theorem, self.verdict
        _write_json(self.folder / "data" / f"{self.id}.json", verdict.to_json())
        return {
            "theorem": theorem,
            "verdict": verdict,
            "description": [text for text in theorem.description.split("\n\n") if text],
            "meaning": self.meaning(),
            "kind": words.kind(theorem),
            "status": words.STATUS[theorem.status],
            "source": words.SOURCE[theorem.source],
            "level": words.level(theorem, verdict),
            "given": [(mathml(a.latex), a.words) for a in theorem.given],
            "letters": [(mathml(q.name), q.meaning) for q in words.letters(theorem)],
            "trivial": None if theorem.trivial is None else mathml(_latex(theorem.trivial)),
            "index": None if theorem.index is None else mathml(theorem.index.name),
            "is_rate": isinstance(theorem.judge, Rate),
            "raced": bool(verdict.comparisons["races"]),
            "α": f"10<sup>−{-math.log10(ALPHA):.0f}</sup>",
            "tried": words.tried(verdict),
            "number": words.number,
            "ratio": words.ratio,
            "note": theorem.note,
            "figure": self.figure(),
            "near_misses": [self.near_miss(n, miss) for n, miss in enumerate(verdict.near_misses)],
            "worst": self.worst(),
            "counterexamples": self.counterexamples(),
            "judging": self.judging(),
        }

    def meaning(self) -> str:
        """A sentence or two on the verdict's word."""
        reason = self.verdict.reason
        if self.word in ("stands", "refuted") or not reason:
            return words.WORDS[self.word]
        return f"{words.WORDS[self.word]} {reason[:1].upper()}{reason[1:]}."

    def figure(self) -> dict[str, Any] | None:
        """The figure for the page, with files of it and its data beside."""
        theorem = self.theorem
        samples = (
            curves.representatives(theorem, self.verdict, self.verdict.seed)
            if self.model is None
            else curves.on_model(theorem, *self.model, self.verdict.seed)
        )
        if not samples:
            return None
        data = curves.measure(theorem, samples, seed=self.verdict.seed)
        stem = self.folder / "data" / f"{self.id}.svg"
        written = figures.save(figures.draw(data), data, stem)
        drawn = bool(data.attrs["index_latex"]) and not data.attrs["identity"]
        return {
            "svg": page_svg(data, f"Figure of {self.title}"),
            "files": [(path.suffix[1:], f"data/{quote(path.name)}") for path in written],
            "along": drawn,
            "identity": bool(data.attrs["identity"]),
            "measured": data.attrs["line"] if theorem.is_random else "what is measured",
            "bars": f", bars: {data.attrs['points']}" if data.attrs["points"] else "",
            "probable": bool(data.attrs["probability"]),
            "band": bool((data.role == "family").sum() > 1) and drawn,
            "worst": any(s.role in ("worst", "counterexample") for s in samples),
        }

    def near_miss(self, n: int, miss: NearMiss) -> dict[str, Any]:
        original = self.theorem.near_misses.get(miss.name)
        identity = isinstance(original, Claim) and original.is_identity
        if not isinstance(original, Claim):
            identity = words.is_identity(self.theorem)
        slots = original if isinstance(original, dict) else {}
        return {
            "name": miss.name,
            "kind": words.MISS[miss.kind],
            "refuted": miss.refuted,
            "formula": mathml(original.latex, block=True) if isinstance(original, Claim) else None,
            "assumption": original.assumption.words if isinstance(original, Without) else None,
            "slots": [(slot, getattr(x, "__name__", str(x))) for slot, x in slots.items()],
            "by": miss.by,
            "numbers": miss.refutation and self.numbers(miss.refutation, identity),
            "replay": miss.refutation and self.replay(miss.refutation, f"near-miss-{n + 1}", miss.name),
        }

    def numbers(self, found: Refutation, identity: bool) -> dict[str, Any]:
        return {
            "text": words.falsehood(self.theorem, found.smaller, found.larger, identity),
            "k": found.k if words.at(self.theorem, found.k) else None,
            "means": words.replicates(found),
        }

    def replay(self, found: Refutation, name: str, near_miss: str | None = None) -> str | None:
        """Write the file that replays it; None where only float64 has judged it."""
        if isinstance(self.theorem.judge, Rate):
            return None
        file = f"counterexamples/{self.id}.{name}.json"
        _write_json(self.folder / file, record(self.theorem, found, near_miss))
        return file

    def worst(self) -> dict[str, Any] | None:
        """The tightest instance, where the theorem is a bound that stands."""
        found = self.verdict.tightness
        if found is None or self.tightness in "=-" or self.verdict.smallest is not None:
            return None
        at = str(found.k) if words.at(self.theorem, found.k) else ""
        return {"where": found.where, "k": at, "ratio": self.tightness, **_shown(found.inputs)}

    def counterexamples(self) -> list[dict[str, Any]]:
        out = []
        smallest, worst = self.verdict.smallest, self.verdict.worst
        for name, found in (("smallest", smallest), ("worst", worst if worst != smallest else None)):
            if found is not None:
                claim = self.theorem.claims.get(found.claim)
                out.append(
                    {
                        "name": name,
                        "part": found.claim,
                        "where": found.where,
                        "ratio": found.ratio and words.ratio(found.ratio),
                        "replay": self.replay(found, name),
                        **self.numbers(found, claim is not None and claim.is_identity),
                        **_shown(found.inputs),
                    }
                )
        return out

    def judging(self) -> list[tuple[str, str]]:
        """Rows of the last table: what was done."""
        verdict, theorem = self.verdict, self.theorem
        counts, compared = verdict.instances, verdict.comparisons
        families = [f.name for domain in theorem.on.values() for f in domain.families]
        rows = [
            ("Instances", _listed(counts, {"named": "named", "drawn": "drawn", "batched": "in batches"})),
            ("left out", f"{counts['discarded']:,} that do not meet the assumptions" if counts["discarded"] else ""),
            ("Comparisons", _listed(compared, JUDGED_IN)),
            ("replicates", f"{verdict.replicates:,}, drawn until the races were decided" if verdict.replicates else ""),
            ("of these", _listed(compared, {"silent": "of zero with zero", "touching": "equal", "open": "undecided"})),
            ("replayed", f"{verdict.replayed:,} of float64 again in balls" if verdict.replayed else ""),
            ("Named", ", ".join(theorem.named) if verdict.model is None else ""),
            (
                "Families",
                "; ".join(families) if verdict.model is None and not isinstance(theorem.judge, Witness) else "",
            ),
            ("Model", verdict.model or ""),
            ("Uses", ", ".join(theorem.uses)),
            ("Formal proof", theorem.formal or ""),
            ("Seed", f"{verdict.seed}, profile {verdict.profile}"),
        ]
        return [(name, text) for name, text in rows if text]


JUDGED_IN = {"floats": "in float64", "balls": "in balls", "rationals": "in rationals", "races": "by races"}


def _listed(counts: dict[str, int], names: dict[str, str]) -> str:
    return ", ".join(f"{counts[key]:,} {name}" for key, name in names.items() if counts[key])


def _latex(x: Any) -> str:
    import sympy

    return sympy.latex(x, order="none")


def _write_json(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


# -- instances ---------------------------------------------------------------------------------------------------------


def _shown(inputs: dict[str, Any]) -> dict[str, Any]:
    """The models of an instance as drawings and tables, everything else as rows of numbers."""
    models, others = [], []
    for name, x in inputs.items():
        if instance.is_model(x):
            models.append(_model(name, x))
        elif isinstance(x, dict) and "class" in x:
            others += [(key, _rows(y)) for key, y in instance.fields(name, x).items()]
        else:
            others.append((name, _rows(x)))
    return {"models": models, "others": others}


def _model(name: str, x: dict[str, Any]) -> dict[str, Any]:
    table = [
        (s, a, graphs.short(r), [(t, graphs.short(p), round(instance.float_of(p), 4)) for t, p in nexts])
        for s, a, r, nexts in instance.transitions(x)
    ]
    optimal = _optimal(x)
    return {
        "name": name,
        "summary": instance.summary(x),
        "drawing": graphs.model(x, optimal),
        "states": len(x["r"]),
        "start": [graphs.short(p) for p in x["start"]] if x.get("start") is not None else None,
        "table": table[:ROWS],
        "more": max(len(table) - ROWS, 0),
        "optimal": optimal,
    }


ROWS = 40  # of a model, on a page


def _optimal(x: dict[str, Any]) -> list[int]:
    from mdplab.exact import optimum
    from mdplab.theorem.inputs import from_json

    return [int(a) for a in optimum(from_json(x)).action]


def _rows(x: Any) -> list[list[str]]:
    if not isinstance(x, list):
        return [[graphs.short(x) if isinstance(x, int | float | str) else str(x)]]
    if x and isinstance(x[0], list):
        return [[graphs.short(y) if not isinstance(y, list) else str(y) for y in row] for row in x]
    return [[graphs.short(y) for y in x]]


# -- drawings ----------------------------------------------------------------------------------------------------------


def page_svg(data: xr.Dataset, words: str) -> str:
    """The figure as SVG for the inside of a page, in whose colours it is drawn."""
    from html import escape

    from matplotlib import rc_context

    with rc_context(figures.STYLE):
        figure = figures.draw(data, ink=INK, paper=PAPER)
        out = StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = out.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = svg.replace(INK, "currentColor").replace(PAPER, "var(--paper)")
    for name in ("BLUE", "VERMILION", "GREEN", "PURPLE", "GREY"):
        colour = getattr(figures, name)
        svg = svg.replace(colour, f"var(--{name.lower()})")
        svg = svg.replace(figures.SHADES[colour], f"var(--{name.lower()}-shade)")
    return re.sub(r"<svg ", f'<svg role="img" aria-label="{escape(words)}" class="figure" ', svg, count=1)


def _bars(counts: list[int]) -> list[tuple[float, float]]:
    """(left edge, height) of the bars of a histogram of log10 ratios, both as parts of one; empty ones are left out."""
    top = max(counts, default=0)
    return [(i / len(counts), max(c / top, 0.015)) for i, c in enumerate(counts) if c]
