"""Equations in LaTeX, with their terms replaced by numbers."""

import re

LARGE = 1e7  # larger numbers are written with an exponent
SYMBOLS = {  # LaTeX to plain text
    r"\sigma": "sigmoid",
    r"\tanh": "tanh",
    r"\operatorname{ReLU}": "relu",
    r"\odot": "*",
}


def split_equations(equations):
    """The left and right sides of equations of an ``aligned`` environment."""
    for equation in equations.strip().split(r"\\"):
        left, right = equation.split("&=")
        yield left.strip(), right.strip()


def replace_terms(expression, replacements):
    """Replace the terms of an expression, longer names first."""
    names = sorted(replacements, key=len, reverse=True)
    pattern = "|".join(re.escape(name) + r"(?!\w)" for name in names)
    return re.sub(
        rf"(?<![\w'\\])(?:{pattern})", lambda m: replacements[m[0]], expression
    )


def format_text(equations, terms, decimals):
    """Each equation, its numbers and its result as plain text."""
    lines = []
    for left, right in split_equations(equations):
        numbers = {
            name: write_vector(values, decimals)
            for name, values in terms.items()
            if name != left
        }
        name = _to_plain(left)
        indent = " " * len(name)
        lines += [
            f"{name} = {_to_plain(right)}",
            f"{indent} = {_to_plain(replace_terms(right, numbers))}",
            f"{indent} = {write_vector(terms[left], decimals)}",
        ]
    return "\n".join(lines)


def format_latex(equations, terms, decimals):
    """The same as an ``aligned`` environment of LaTeX."""
    lines = []
    for left, right in split_equations(equations):
        numbers = {
            name: _write_column(values, decimals)
            for name, values in terms.items()
            if name != left
        }
        filled = replace_terms(right, numbers)
        filled = filled.replace("(", r"\left(").replace(")", r"\right)")
        lines += [
            rf"{left} &= {right}",
            rf"&= {filled}",
            rf"&= {_write_column(terms[left], decimals)}",
        ]
    body = " \\\\\n".join(lines)
    return f"\\begin{{aligned}}\n{body}\n\\end{{aligned}}"


def _to_plain(latex):
    """Plain text of an expression, with steps in brackets."""
    for before, after in SYMBOLS.items():
        latex = latex.replace(before, after)
    latex = re.sub(r"_\{(t-1)\}", r"[\1]", latex)
    return re.sub(r"_t\b", "[t]", latex)


def write_vector(values, decimals):
    """Numbers in brackets."""
    return f"[{' '.join(write_number(value, decimals) for value in values)}]"


def write_number(value, decimals):
    """A number with fixed decimals, without a minus sign of zero."""
    if abs(value) >= LARGE:
        return f"{value:.{decimals}e}"
    return f"{round(float(value), decimals) + 0.0:.{decimals}f}"


def _write_column(values, decimals):
    """A column vector in LaTeX."""
    rows = r" \\ ".join(write_number(value, decimals) for value in values)
    return rf"\begin{{bmatrix}} {rows} \end{{bmatrix}}"
