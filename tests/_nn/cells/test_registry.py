"""The registry of cells."""

import re

from small_networks import each_cell

from sklearn_rnn import RNNClassifier, SequenceTranslator
from sklearn_rnn._nn.cells.registry import CELLS


def test_the_cells_and_their_order():
    assert list(CELLS)[:3] == ["rnn", "lstm", "gru"]


@each_cell
def test_a_cell_declares_all_required_attributes(cell):
    layer = CELLS[cell](3, 4)
    assert layer.name == cell
    assert layer.weight_hh.shape == (4 * layer.n_gates, 4)
    assert layer.state_names[0] == "hidden"
    for symbol in ("h_t ", "x_t", "h_{t-1}"):
        assert symbol in layer.equations
    assert len(re.findall(r"\\tanh|\\sigma|ReLU", layer.equations)) >= layer.n_gates


def test_parameters_accept_exactly_these_names():
    for model, name in [
        (RNNClassifier, "cell"),
        (SequenceTranslator, "cell"),
        (SequenceTranslator, "decoder_cell"),
    ]:
        options = model._parameter_constraints[name][0]
        assert options.options == set(CELLS)
