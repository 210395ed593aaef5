"""What there is: theorems, papers, solvers, instances and experiments, as rows for people and for programs."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

from mdplab.errors import MdplabError
from mdplab.report.papers import cards
from mdplab.sampling.outcomes import NotEnumerable
from mdplab.theorem import Theorem
from mdplab.theorem import inputs as inp
from mdplab.theorem.collect import catalogue, collect, files, nearest, shipped
from mdplab.theorem.judges import InExpectation, Rate, WithProbability, Witness
from mdplab.theorem.sampled import pushed_forward

Row = dict[str, Any]


def rows(what: str) -> list[Row]:
    """One object for each thing; raises MdplabError with a suggestion for an unknown kind."""
    if what not in _KINDS:
        raise MdplabError(f"{what} cannot be listed{nearest(what, _KINDS)}; expected one of {', '.join(_KINDS)}")
    return _KINDS[what]()


def text(found: list[Row]) -> str:
    """The rows as columns: the first three short values of each, then its title."""
    if not found:
        return "none"
    keys = [key for key, value in found[0].items() if isinstance(value, str | int)]
    *columns, last = keys
    widths = {key: max(len(str(row[key])) for row in found) for key in columns}
    return "\n".join("  ".join([*(str(row[k]).ljust(widths[k]) for k in columns), str(row[last])]) for row in found)


def kind(theorem: Theorem) -> str:
    """What sort of claim it is, in one word."""
    if isinstance(theorem.judge, Rate):
        return "rate"
    if isinstance(theorem.judge, Witness):
        return "witness"
    if isinstance(theorem.judge, InExpectation):
        return "expectation"
    if isinstance(theorem.judge, WithProbability):
        return "probability"
    return "identity" if all(c.is_identity for c in theorem.claims.values()) else "bound"


def evidence(theorem: Theorem) -> int:
    """The level that a verdict of the theorem can reach: 1 in float64 or by races only, 2 with exact instances."""
    if isinstance(theorem.judge, Rate | WithProbability):
        return 1
    return 1 if isinstance(theorem.judge, InExpectation) and not _enumerable(theorem) else 2


def _enumerable(theorem: Theorem) -> bool:
    """Whether the outcomes can be listed as far as exact arithmetic goes, told by one instance."""
    assert isinstance(theorem.judge, InExpectation)
    if theorem.named:
        inputs = inp.in_floats(theorem.instance(next(iter(theorem.named.values()))))
    else:
        batches = [inp.pick(x, 0) for _, x in islice(inp.batches(theorem, 1, seed=0), 1)]
        if not batches:
            return False
        inputs = batches[0]
    last = theorem.judge.exactly_up_to
    expected = replace(theorem, measure=pushed_forward(theorem, last))
    try:
        return bool(list(expected.bindings(inputs, last)))
    except NotEnumerable:
        return False


def _theorems() -> list[Row]:
    return [
        {
            "id": x.id,
            "kind": kind(x),
            "status": x.status,
            "source": x.source,
            "at": x.at,
            "title": x.title,
            "paper": x.cite,
            "evidence": evidence(x),
            "latex": x.latex,
            "assumptions": [a.words for a in x.given],
            "near_misses": list(x.near_misses),
        }
        for x in collect([])
    ]


def _papers() -> list[Row]:
    count = {key: len(group) for key, group in shipped().items()}
    return [{"key": k, "year": c["year"], "theorems": count.get(k, 0), "title": c["title"]} for k, c in cards().items()]


def _solvers() -> list[Row]:
    from mdplab import solvers

    functions = [(name, x) for name, x in vars(solvers).items() if inspect.isfunction(x)]
    iterators = [(name, x) for name, x in functions if "Iterator" in str(inspect.signature(x).return_annotation)]
    found = [(name, x) for name, x in iterators if not x.__module__.endswith("checkpoints")]
    return [{"name": name, "title": _first_line(x)} for name, x in sorted(found)]


def _instances() -> list[Row]:
    from mdplab.instances.find import EXAMPLES, FAMILIES

    return [
        {"name": name, "kind": sort, "class": _returned(x), "options": _options(x), "title": _first_line(x)}
        for sort, registry in (("family", FAMILIES), ("named", EXAMPLES))
        for name, x in sorted(registry.items())
    ]


def _experiments() -> list[Row]:
    import ast

    found = []
    for file in files(catalogue("experiments")):
        doc = ast.get_docstring(ast.parse(file.read_text())) or ""
        found.append({"name": file.stem, "paper": file.stem.partition("_")[0], "title": doc.partition("\n")[0]})
    return found


def _first_line(x: Callable[..., Any]) -> str:
    return (inspect.getdoc(x) or "").partition("\n")[0]


def _returned(x: Callable[..., Any]) -> str:
    """The class of models that a function makes."""
    return str(inspect.signature(x).return_annotation)


def _options(x: Callable[..., Any]) -> str:
    from mdplab.instances.find import options_of

    return ",".join(f"{name}={p.default}" for name, p in options_of(x).items())


_KINDS: dict[str, Callable[[], list[Row]]] = {
    "theorems": _theorems,
    "papers": _papers,
    "solvers": _solvers,
    "instances": _instances,
    "experiments": _experiments,
}
