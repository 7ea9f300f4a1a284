"""How Sphinx builds the documentation: ``make docs``."""

import os
import re
import sys
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import page_code

import sklearn_rnn

project = "sklearn_rnn"
copyright = "the sklearn_rnn developers"
version = release = sklearn_rnn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
templates_path = ["_templates"]
nitpicky = True
nitpick_ignore_regex = [
    # types in prose, and names of libraries whose inventories need the internet
    (r"py:class", r"(?!sklearn_rnn).*"),
    (r"py:(obj|meth|func|exc|attr|mod)", r"(?!sklearn_rnn).*"),
]

myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]  # the gallery's sorting keys are functions

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "reset_argv": lambda gallery_conf, script_vars: [],
    "capture_repr": ("_repr_html_",),  # no lists of matplotlib objects
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,  # their page loads scripts from elsewhere
    "subsection_order": [
        f"../examples/{group}"
        for group in (
            *("classification", "forecasting", "generation"),
            *("translation", "energy"),
        )
    ],
    "within_subsection_order": "FileNameSortKey",
}

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_rnn"
smartquotes = False  # default="gru" is code
html_sidebars = {
    page: []  # no pages below them to list
    for page in ("install", "which_estimator", "coming_from", "benchmarks", "changes")
}
html_theme_options = {
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_show_sourcelink = False


def without_foreign_labels(app, what, name, obj, options, lines):
    """Inherited docstrings refer to scikit-learn's own pages: keep the text only."""
    if not getattr(obj, "__module__", "").startswith("sklearn_rnn"):
        text = re.sub(
            r":(?:ref|term):`([^`<]*?)\s*(?:<[^`]*>)?`", r"\1", "\n".join(lines)
        )
        lines[:] = text.split("\n")


def draw_figures(app):
    """Draw the figures that the pages show."""
    for page in page_code.PAGES:
        page_code.draw_figures(page)


def setup(app):
    """Called by Sphinx."""
    app.connect("builder-inited", draw_figures)
    app.connect("autodoc-process-docstring", without_foreign_labels, priority=900)
