"""Sphinx settings; the catalogue pages are written from the theorem files each time."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent.parent))

from pages import write_catalogue

project, author, copyright = "mdplab", "The mdplab authors", "2026, The mdplab authors"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "sphinx.ext.napoleon",
    "sphinxcontrib.bibtex",
    "sphinxcontrib.programoutput",
]
html_theme = "furo"
html_title = "mdplab"
bibtex_bibfiles = ["references.bib"]
bibtex_default_style = "unsrt"
myst_enable_extensions = ["dollarmath"]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_numpy_docstring, napoleon_google_docstring = True, False
exclude_patterns = ["_build"]


def setup(app):
    """Write the generated pages before Sphinx looks for sources."""
    write_catalogue(Path(__file__).parent / "catalogue")
