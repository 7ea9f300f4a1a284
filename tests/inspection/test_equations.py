"""Terms of equations are replaced by numbers, in text and LaTeX."""

import numpy as np
import pytest

from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn.inspection._equations import (
    format_latex,
    format_text,
    replace_terms,
    split_equations,
    write_number,
    write_vector,
)

TERMS = {"b": np.array([0.5, -1]), "W x_t": np.ones(2), "h_t": np.zeros(2)}
EQUATION = r"h_t &= \tanh(W x_t + b)"


def test_longer_terms_are_replaced_first():
    terms = {"b": "1", "b_n": "2", "b'_n": "3", "n_t": "4", "U_n h_{t-1}": "5"}
    assert replace_terms(r"\tanh(b + b_n + b'_n) + U_n h_{t-1} n_t", terms) == (
        r"\tanh(1 + 2 + 3) + 5 4"
    )


@pytest.mark.parametrize("cell", list(CELLS))
def test_no_term_is_left(cell):
    layer = CELLS[cell](2, 3)
    for left, right in split_equations(layer.write_equations()):
        assert left.endswith("_t")
        names = layer.list_terms(np.zeros((1, 2)), [np.zeros((1, 3))] * 2)
        rest = replace_terms(right, dict.fromkeys(names, ""))
        for symbol in (r"\sigma", r"\tanh", r"\odot"):
            rest = rest.replace(symbol, "")
        assert set(rest) <= set("1()+- ")


def test_text_contains_equation_numbers_and_result():
    assert format_text(EQUATION, TERMS, 1).splitlines() == [
        "h[t] = tanh(W x[t] + b)",
        "     = tanh([1.0 1.0] + [0.5 -1.0])",
        "     = [0.0 0.0]",
    ]


def test_latex_contains_columns_of_numbers():
    latex = format_latex(EQUATION, TERMS, 1)
    assert latex.startswith("\\begin{aligned}\nh_t &= \\tanh(W x_t + b)")
    assert r"\begin{bmatrix} 0.5 \\ -1.0 \end{bmatrix}\right)" in latex


def test_zero_has_no_sign():
    assert write_number(-0.0001, 3) == "0.000"


def test_large_numbers_have_an_exponent():
    assert write_number(-1.5e30, 2) == "-1.50e+30"
    assert write_vector([-0.04, 2], 1) == "[0.0 2.0]"
