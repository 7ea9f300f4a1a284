"""A Sphinx extension that writes formulas as MathML, which browsers render themselves.

The pages need no script and no other host for their formulas, so that they can be read
without an internet connection, and screen readers can read the formulas.
"""

from typing import Any

from docutils import nodes
from latex2mathml.converter import convert


def to_mathml(latex: str, display: str = "inline") -> str:
    """MathML of a formula; several lines are aligned at their "&"."""
    if r"\\" in latex and r"\begin" not in latex:
        latex = rf"\begin{{align*}}{latex}\end{{align*}}"
    return convert(latex, display=display)


def visit_math(self: Any, node: nodes.math) -> None:
    """Write a formula within a sentence."""
    self.body.append(to_mathml(node.astext()))
    raise nodes.SkipNode


def visit_displayed_math(self: Any, node: nodes.math_block) -> None:
    """Write a formula between paragraphs."""
    formula = to_mathml(node.astext(), "block")
    self.body.append(f'<div class="math">{formula}</div>\n')
    raise nodes.SkipNode


def setup(app: Any) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_html_math_renderer(
        "mathml", (visit_math, None), (visit_displayed_math, None)
    )
    app.config.html_math_renderer = "mathml"
    return {"parallel_read_safe": True, "parallel_write_safe": True}
