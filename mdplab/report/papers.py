"""Paper cards: what a paper proves, what is checked of it and what is not."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from mdplab.errors import MdplabError
from mdplab.theorem.collect import catalogue


@cache
def cards() -> dict[str, dict[str, Any]]:
    """Front matter of every card by its key, with its prose under "text"."""
    return {path.stem: read(path) for path in sorted(catalogue("papers").glob("*.md"))}


def card(key: str) -> dict[str, Any]:
    """One card; empty if the paper has none."""
    return cards().get(key, {})


def read(path: Path) -> dict[str, Any]:
    """A card's front matter (YAML between two lines of three hyphens) and text."""
    import yaml

    parts = path.read_text().split("---\n", 2)
    if len(parts) != 3 or parts[0].strip():
        raise MdplabError(f"{path} has no front matter; a card begins with YAML between two lines of '---'")
    try:
        front = yaml.safe_load(parts[1])
    except yaml.YAMLError as error:
        raise MdplabError(f"{path}: the front matter is not YAML: {error}") from None
    for needed in ("key", "title", "authors", "year", "theorems"):
        if needed not in front:
            raise MdplabError(f"{path}: the front matter has no {needed!r}")
    return {**front, "text": parts[2].strip()}
