"""What a machine can check about form: cards, bibliography, layers, import cost, the conventions of theorem files."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from mdplab.report.experiments import experiment
from mdplab.report.papers import cards
from mdplab.theorem.collect import catalogue, collect, files, shipped

ROOT = Path(__file__).resolve().parents[1]
LAYERS = ["arrays", "models", "kernels", "instances", "sampling", "exact", "solvers", "theorem", "report", "cli"]
# What a layer may import beside those below it: siblings of one rank, and what only types or lazy loading need.
SAME_RANK = {"exact": {"instances"}, "sampling": {"instances"}, "models": {"errors"}}


def test_every_paper_has_a_card_a_bibliography_entry_and_theorems_and_nothing_else_has():
    bibliography = set(re.findall(r"^@\w+\{([^,\s]+)", (ROOT / "docs/references.bib").read_text(), re.MULTILINE))
    assert set(cards()) == set(shipped())
    assert set(cards()) <= bibliography


@pytest.mark.parametrize("key", sorted(cards()))
def test_a_card_names_exactly_the_theorems_of_its_file_and_experiments_that_exist(key):
    card = cards()[key]
    assert card["key"] == key
    assert set(card["theorems"]) == {x.measure.__name__ for x in shipped()[key]}
    for name in card.get("experiments") or []:
        assert experiment(name)


def test_every_experiment_belongs_to_a_card():
    named = {name for card in cards().values() for name in card.get("experiments") or []}
    assert {file.stem for file in files(catalogue("experiments"))} == named


@pytest.mark.parametrize("theorem", collect([]), ids=lambda x: x.id)
def test_a_theorem_says_where_it_is_from_what_it_says_and_what_it_is_not(theorem):
    assert theorem.title
    assert theorem.at
    assert theorem.near_misses or (theorem.status == "refuted" and theorem.named)
    assert all(q.meaning for q in theorem.quantities), [q.name for q in theorem.quantities if not q.meaning]
    assert theorem.cite in cards()


def test_every_citation_in_the_library_is_in_the_bibliography():
    bibliography = set(re.findall(r"^@\w+\{([^,\s]+)", (ROOT / "docs/references.bib").read_text(), re.MULTILINE))
    cited = {
        key for file in (ROOT / "mdplab").rglob("*.py") for key in re.findall(r":cite:`([^`]+)`", file.read_text())
    }
    assert cited <= bibliography


def test_imports_run_downwards_only():
    upward = []
    for file in sorted((ROOT / "mdplab").rglob("*.py")):
        parts = file.relative_to(ROOT / "mdplab").with_suffix("").parts
        if parts[0] not in LAYERS:
            continue
        here = LAYERS.index(parts[0])
        for name in _imported_at_load(ast.parse(file.read_text())):
            layer = name.split(".")[1] if name.startswith("mdplab.") else ""
            allowed = layer not in LAYERS or LAYERS.index(layer) <= here or layer in SAME_RANK.get(parts[0], ())
            if not allowed:
                upward.append(f"{'.'.join(parts)} imports {name}")
    assert not upward


def _imported_at_load(tree):
    """Names imported when the module is loaded: neither inside functions nor for types only."""
    todo = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.ImportFrom):
            yield node.module or ""
        elif isinstance(node, ast.Import):
            yield from (x.name for x in node.names)
        todo += [x for x in ast.iter_child_nodes(node) if isinstance(x, ast.stmt)]


def test_importing_mdplab_loads_nothing_heavy():
    heavy = "('sympy', 'numba', 'scipy', 'hypothesis', 'matplotlib')"
    script = f"import sys, mdplab; print([x for x in {heavy} if x in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_models_solvers_and_truths_load_without_the_engine_and_without_a_compiler():
    script = (
        "import sys, mdplab.models, mdplab.exact, mdplab.solvers, mdplab.instances;"
        "print([x for x in ('sympy', 'numba', 'hypothesis', 'matplotlib', 'cvxpy') if x in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_table_in_the_readme_is_that_of_the_theorem_files():
    spec = importlib.util.spec_from_file_location("pages", ROOT / "docs/pages.py")
    pages = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(pages)
    readme = (ROOT / "README.md").read_text()
    assert pages.with_catalogue(readme, shipped()) == readme  # else run: python docs/pages.py
