"""The catalogue of theorems as pages: one a paper, written from its theorem file and its card."""

import inspect
from pathlib import Path

from mdplab.report import listing
from mdplab.report.papers import card
from mdplab.theorem.collect import shipped


def write_catalogue(folder):
    """Write an index and a page for each paper, as Markdown."""
    folder.mkdir(exist_ok=True)
    groups = shipped()
    names = "\n".join(groups)
    head = "# Catalogue of theorems\n\nWritten from the theorem files; `mdplab verify` checks them all.\n\n"
    _write(folder / "index.md", f"{head}{table(groups)}\n\n```{{toctree}}\n:maxdepth: 1\n\n{names}\n```\n")
    for key, group in groups.items():
        _write(folder / f"{key}.md", page(key, group))


def _write(file, text):
    if not file.exists() or file.read_text() != text:
        file.write_text(text)


def table(groups):
    """One line a paper: how many theorems it has here, of which kinds and status."""
    rows = ["| paper | title | theorems | near misses | kept as refuted |", "| --- | --- | ---: | ---: | ---: |"]
    for key, group in groups.items():
        misses = sum(len(x.near_misses) for x in group)
        refuted = sum(x.status == "refuted" for x in group)
        rows.append(f"| [{key}]({key}.md) | {card(key).get('title', '')} | {len(group)} | {misses} | {refuted or ''} |")
    return "\n".join(rows)


def page(key, group):
    """A paper: its card, then its theorems in the order of the file."""
    about = card(key)
    authors = ", ".join(about.get("authors", []))
    head = f"*{about.get('title', key)}*, {authors} ({about.get('year', '')})."
    lines = [f"# {key}", "", head, "", about.get("text", "")]
    for x in group:
        lines += ["", *theorem(x)]
    return "\n".join(lines) + "\n"


def theorem(x):
    """One theorem as lines of Markdown."""
    lines = [f"## {x.id}", "", x.title, ""]
    for name, latex in x.latex.items():
        lines += ["$$", (f"\\text{{({name})}}\\quad " if name else "") + latex, "$$", ""]
    if x.description:
        lines += [inspect.cleandoc(x.description).replace("*", r"\*"), ""]
    lines.append(f"*{x.at}; {x.source}; {x.status.replace('_', ' ')}; {listing.kind(x)}.*")
    if x.note:
        lines += ["", x.note.replace("*", r"\*")]
    if x.given:
        lines += ["", "Assumptions: " + "; ".join(f"{a.words} (${a.latex}$)" for a in x.given) + "."]
    if x.near_misses:
        lines += ["", "Near misses, each refuted: " + "; ".join(x.near_misses) + "."]
    glossary = "; ".join(f"${q.name}$ {q.meaning}" for q in x.quantities if q.meaning)
    return [*lines, "", f"Where {glossary}."] if glossary else lines


BEGIN, END = "<!-- catalogue: written by docs/pages.py -->\n", "<!-- end of catalogue -->"


def with_catalogue(text, groups):
    """The text of a README with its table of the catalogue as it is now."""
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    count = sum(map(len, groups.values()))
    misses = sum(len(x.near_misses) for group in groups.values() for x in group)
    lines = [f"{count} theorems of {len(groups)} papers, with {misses} near misses.", "", readme_table(groups), ""]
    return head + BEGIN + "\n".join(lines) + END + tail


def readme_table(groups):
    """One line a paper, with the ids that the command line knows."""
    rows = ["| key | paper | theorems | level | kept as refuted |", "| --- | --- | ---: | ---: | ---: |"]
    for key, group in groups.items():
        about = card(key)
        levels = sorted({listing.evidence(x) for x in group}, reverse=True)
        refuted = sum(x.status == "refuted" for x in group)
        title = f"{about.get('title', key)} ({about.get('year', '')})"
        rows.append(f"| `{key}` | {title} | {len(group)} | {', '.join(map(str, levels))} | {refuted or ''} |")
    return "\n".join(rows)


if __name__ == "__main__":
    readme = Path(__file__).resolve().parents[1] / "README.md"
    readme.write_text(with_catalogue(readme.read_text(), shipped()))
