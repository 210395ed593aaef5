"""Sphinx settings; the catalogue pages are written from the theorem files each time."""

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from docutils import nodes
from pages import write_catalogue

from mdplab.report.mathematics import mathml

project, author, copyright = "mdplab", "The mdplab authors", "2026, The mdplab authors"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinxcontrib.bibtex",
    "sphinxcontrib.programoutput",
]
html_theme = "furo"
html_title, html_math_renderer = "mdplab", "mathml"
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "unsrt"
myst_enable_extensions = ["dollarmath"]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring, napoleon_google_docstring = True, False
napoleon_use_param, napoleon_use_rtype = False, False
suppress_warnings = ["ref.python"]  # types are prose, "array (..., S, A)", and no letter of it is a cross-reference
exclude_patterns = ["_build"]


def as_mathematics(app, what, name, obj, options, lines):
    """Docstrings are for people first: V* and |r| are mathematics there, not markup."""
    for i, line in enumerate(lines):
        parts = re.split(r"(`+[^`]*`+)", line)
        parts[::2] = [re.sub(r"(?<!^)(?<![\\*])[*|](?!\*)", lambda m: "\\" + m[0], x) for x in parts[::2]]
        bullet = re.match(r"\s*\* ", line)
        lines[i] = line[: bullet.end()] + "".join(parts)[bullet.end() :] if bullet else "".join(parts)


def mathematics(translator, node):
    """Formulas as MathML, which browsers draw without a script and without a network."""
    block = isinstance(node, nodes.math_block)
    translator.body.append(mathml(node.astext(), block=block))
    raise nodes.SkipNode


def setup(app):
    """Write the generated pages before Sphinx looks for sources."""
    write_catalogue(Path(__file__).parent / "catalogue")
    app.add_html_math_renderer("mathml", (mathematics, None), (mathematics, None))
    app.connect("autodoc-process-docstring", as_mathematics, priority=400)
