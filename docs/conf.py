"""How Sphinx builds the documentation: ``make docs``."""

import os
import re
import sys
from pathlib import Path

os.environ["MPLBACKEND"] = "agg"
sys.path.insert(0, str(Path(__file__).parents[1] / "tools"))

import page_code

import sklearn_rnn
from sklearn_rnn import SequenceGenerator, WordVectorizer
from sklearn_rnn.datasets import load_moby_dick

# Address of the repository, once it is public: the header links to it and its issues.
repository = ""

project = "sklearn_rnn"
copyright = "the sklearn_rnn developers"
version = release = sklearn_rnn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "sphinx_mathml",
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
myst_ref_domains = ["std"]  # [Text](text) is a page, not an attribute of a class
suppress_warnings = ["config.cache"]  # the gallery's sorting keys are functions

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
toc_object_entries_show_parents = "hide"  # "On this page" shows fit(), not RNN...fit()

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "download_all_examples": False,
    # API pages end with the examples that use the class or function
    "doc_module": "sklearn_rnn",
    "backreferences_dir": "generated/backreferences",
    "reference_url": {"sklearn_rnn": None},
    "reset_argv": lambda gallery_conf, script_vars: [],
    "capture_repr": ("_repr_html_",),  # no lists of matplotlib objects
    "remove_config_comments": True,
    "parallel": 2,
    "show_memory": False,
    "write_computation_times": False,  # their page loads scripts from elsewhere
    "subsection_order": [
        f"../examples/{group}"
        for group in (
            *("classification", "forecasting", "generation"),
            *("translation", "energy", "inspection"),
        )
    ],
    "within_subsection_order": "FileNameSortKey",
}

html_theme = "pydata_sphinx_theme"
html_title = "sklearn_rnn"
smartquotes = False  # default="gru" is code
html_logo = html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_context = {"default_mode": "auto"}
html_copy_source = False
html_sidebars = {
    page: []  # no pages below them to list
    for page in (
        *("install", "coming_from", "benchmarks", "textbooks", "architecture"),
        *("changes", "glossary"),
    )
}
html_theme_options = {
    "logo": {"text": "sklearn_rnn"},
    "header_links_before_dropdown": 6,
    "show_prev_next": True,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "icon_links": [
        {"name": "Repository", "url": repository, "icon": "fa-solid fa-code-branch"},
        {"name": "Issues", "url": f"{repository}/issues", "icon": "fa-solid fa-bug"},
    ]
    if repository
    else [],
}
html_show_sourcelink = False


def without_foreign_labels(app, what, name, obj, options, lines):
    """Remove references of inherited docstrings to pages of scikit-learn."""
    if not getattr(obj, "__module__", "").startswith("sklearn_rnn"):
        text = "\n".join(lines)
        text = re.sub(r"Refer to the :ref:[^.]*sphx_glr[^.]*\.py`[^.]*\.", "", text)
        text = re.sub(r":(?:ref|term):`([^`<]*?)\s*(?:<[^`]*>)?`", r"\1", text)
        lines[:] = text.split("\n")


def quote_initials(app, what, name, obj, options, lines):
    """Keep the initial of "J. L. Elman" from starting an enumerated list."""
    initial = re.compile(r"^(\s*(?:\.\. \[\w+\] )?)(?=[A-Z]\. [A-Z])")
    lines[:] = [initial.sub(r"\1\\", line) for line in lines]


def draw_figures(app):
    """Draw the figures that the pages show."""
    for page in page_code.PAGES:
        page_code.draw_figures(page)


def write_cowriter(app):
    """Train a small generator, and write the page that the guide shows."""
    path = Path(app.outdir) / "cowriter.html"
    if path.exists():
        return
    vectorizer = WordVectorizer(lowercase=False, min_count=5)
    model = SequenceGenerator(vectorizer, "gru", max_epochs=4, random_state=0)
    model.fit("".join(load_moby_dick().chapters[:45]))
    path.parent.mkdir(exist_ok=True, parents=True)
    model.to_html(path, title="Writing like Moby Dick", prompt="It was the")


def setup(app):
    """Called by Sphinx."""
    app.connect("builder-inited", draw_figures)
    app.connect("builder-inited", write_cowriter)
    app.connect("autodoc-process-docstring", without_foreign_labels, priority=900)
    app.connect("autodoc-process-docstring", quote_initials, priority=400)
