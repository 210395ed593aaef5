"""Finding theorem files, as pytest finds tests: by path, and by name in the shipped catalogue."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import ModuleType

from mdplab.errors import MdplabError, TheoremError
from mdplab.theorem.statement import Theorem


def catalogue(folder: str) -> Path:
    """The shipped folder of "theorems", "experiments" or "papers": beside the package in a checkout, else inside it."""
    package = Path(__file__).resolve().parents[1]
    installed, checkout = package / "catalogue" / folder, package.parent / folder
    return installed if installed.is_dir() else checkout


@cache
def _importable(folder: str) -> None:
    """Let shipped files import each other as ``theorems.mei2020``, wherever the catalogue lies."""
    if folder not in sys.modules:
        spec = importlib.util.find_spec(folder)  # somebody's own folder of that name is looked into first
        sys.modules[folder] = ModuleType(folder)
        sys.modules[folder].__path__ = list((spec and spec.submodule_search_locations) or [])
    package = sys.modules[folder]
    package.__path__ = [*getattr(package, "__path__", []), str(catalogue(folder))]


@cache
def load(path: Path) -> ModuleType:
    """The module of one theorem or experiment file; executed once, also when it was imported by name before."""
    for module in list(sys.modules.values()):
        if (file := getattr(module, "__file__", None)) and Path(file).resolve() == path:
            return module
    name = (
        f"{path.parent.name}.{path.stem}" if path.parent in map(catalogue, ("theorems", "experiments")) else path.stem
    )
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise MdplabError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(name, module)
    for folder in ("theorems", "experiments"):
        _importable(folder)
    try:
        spec.loader.exec_module(module)
    except MdplabError:
        raise
    except Exception as error:
        sys.modules.pop(name, None)
        raise TheoremError(f"{path} cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def theorems_in(path: Path) -> list[Theorem]:
    """The theorems that a file defines, in its order; those it imports belong to other files."""
    found = [x for x in vars(load(path.resolve())).values() if isinstance(x, Theorem)]
    return [x for x in found if x.file == path.resolve()]


def shipped() -> dict[str, list[Theorem]]:
    """Paper key to theorems, for the whole catalogue."""
    return {path.stem: theorems_in(path) for path in files(catalogue("theorems"))}


def files(folder: Path) -> list[Path]:
    """Python files of a folder, sorted; private ones and tests are left out."""
    return sorted(p for p in folder.glob("*.py") if not p.name.startswith(("_", "test_")))


def collect(targets: Iterable[str]) -> list[Theorem]:
    """The theorems that the words name: paths of files or folders, papers (``mei2020``), ids (``mei2020.thm4``).

    No words mean the whole shipped catalogue.  Raises MdplabError with a suggestion for an unknown word.
    """
    targets = list(targets)
    if not targets:
        return [x for group in shipped().values() for x in group]
    found: dict[str, Theorem] = {}
    for word in targets:
        for x in _named(word):
            found.setdefault(f"{x.file}:{x.id}", x)
    return list(found.values())


def _named(word: str) -> list[Theorem]:
    path = Path(word)
    if path.suffix == ".py" or path.is_dir():
        if not path.exists():
            raise MdplabError(f"{word} does not exist; expected a theorem file or a folder of them")
        found = [x for file in (files(path) if path.is_dir() else [path]) for x in theorems_in(file)]
        if not found:
            raise MdplabError(f"{word} defines no theorem; expected functions decorated with @theorem")
        return found
    paper, _, name = word.partition(".")
    stems = {file.stem: file for file in files(catalogue("theorems"))}
    if paper in stems:
        group = theorems_in(stems[paper])
        chosen = [x for x in group if not name or x.id == word]
        if chosen:
            return chosen
        return _unknown(word, [x.id for x in group])
    return _unknown(word, [*stems, *(x.id for x in collect([]))])


def _unknown(word: str, known: list[str]) -> list[Theorem]:
    hint = nearest(word, known)
    raise MdplabError(f"{word} is not a theorem, a paper or a theorem file{hint}; `mdplab list theorems` shows all")


def nearest(word: str, known: Iterable[str]) -> str:
    """A question in brackets with the known word most like it, or nothing."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.4)
    return f" (did you mean {near[0]}?)" if near else ""


def find(word: str) -> Theorem:
    """The one theorem with that id; raises MdplabError if the word names none or several."""
    found = collect([word])
    if len(found) != 1:
        raise MdplabError(f"{word} names {len(found)} theorems; expected one id such as {found[0].id}")
    return found[0]
