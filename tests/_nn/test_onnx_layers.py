"""Networks in ONNX graphs, run by onnxruntime."""

import itertools

import numpy as np
import pytest
import torch
from small_networks import KINDS, LENGTHS, UsersGRU, normal, private
from torch import nn

from sklearn_rnn._nn.builders import build_network
from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._nn.onnx_graph import Graph
from sklearn_rnn._nn.onnx_layers import add_network
from sklearn_rnn._nn.standard import make_standard_network

REASON = "needs the extra onnx: pip install sklearn-rnn[onnx]"
pytest.importorskip("onnx", reason=REASON)
onnxruntime = pytest.importorskip("onnxruntime", reason=REASON)


def make_network(cell, patch_size=1, **options):
    F = 3 * patch_size
    network = build_network(cell, F, 4, 2, generator=private(), **options)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.5, generator=private(3))
    return make_standard_network(network, nn.Identity(), patch_size=patch_size)


def make_graph(network):
    graph, codes = Graph(), network.embedding is not None
    shape = ["n_sequences", "n_timesteps", *([] if codes else [3])]
    x = graph.input("X", np.int64 if codes else np.float32, shape)
    lengths = graph.input("lengths", np.int64, ["n_sequences"])
    logits = add_network(graph, network, x, lengths)
    axes = shape[:2] if network.pooling is None else shape[:1]
    graph.output("logits", logits, np.float32, [*axes, 2])
    return graph


def run(path, x, lengths=LENGTHS):
    session = onnxruntime.InferenceSession(path)
    inputs = {"X": x.numpy(), "lengths": lengths.numpy()}
    return session.run(None, inputs)[0]


@pytest.mark.parametrize(
    "cell, activation", [kind for kind in KINDS if CELLS[kind[0]].torch_layer]
)
def test_every_network_has_equal_outputs(cell, activation, tmp_path):
    x = normal(4, 5, 3, dtype=torch.float32)
    for bidirectional, n_layers, pooling in itertools.product(
        (False, True), (1, 2), ("last", "concat", None)
    ):
        network = make_network(
            cell,
            patch_size=1 if pooling is None else 2,
            activation=activation,
            bidirectional=bidirectional,
            num_layers=n_layers,
            pooling=pooling,
        )
        make_graph(network).save(tmp_path / "m.onnx", "m", {})
        expected = network(x, LENGTHS).detach().numpy()
        found = run(tmp_path / "m.onnx", x)
        if pooling is None:
            valid = np.arange(5) < LENGTHS.numpy()[:, None]
            expected, found = expected[valid], found[valid]
        np.testing.assert_allclose(found, expected, atol=1e-6)


def test_codes_are_looked_up(tmp_path):
    network = make_network("lstm", vocabulary_size=6, embedding="onehot")
    make_graph(network).save(tmp_path / "m.onnx", "m", {})
    codes = torch.randint(6, (4, 5), generator=private())
    expected = network(codes, LENGTHS).detach().numpy()
    found = run(tmp_path / "m.onnx", codes)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_padding_is_never_read(tmp_path):
    network = make_network("gru", patch_size=3)
    make_graph(network).save(tmp_path / "m.onnx", "m", {})
    x = normal(4, 7, 3, dtype=torch.float32)
    x[torch.arange(7) >= LENGTHS.unsqueeze(1)] = torch.nan
    expected = network(x, LENGTHS).detach().numpy()
    np.testing.assert_allclose(run(tmp_path / "m.onnx", x), expected, atol=1e-6)


@pytest.mark.parametrize("patch_size", [1, 3])
@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_no_sequences_have_no_outputs(cell, patch_size, tmp_path):
    network = make_network(cell, patch_size=patch_size, bidirectional=True)
    make_graph(network).save(tmp_path / "m.onnx", "m", {})
    x = normal(0, 5, 3, dtype=torch.float32)
    assert run(tmp_path / "m.onnx", x, LENGTHS[:0]).shape == (0, 2)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("pooling", ["last", "concat", None])
@pytest.mark.parametrize("cell", ["gru", "lstm"])
def test_rows_that_cannot_be_read_are_nan(cell, pooling, value, tmp_path):
    network = make_network(cell, pooling=pooling)
    make_graph(network).save(tmp_path / "m.onnx", "m", {})
    x, lengths = normal(4, 5, 3, dtype=torch.float32), torch.tensor([5, 2, 4, 0])
    expected = run(tmp_path / "m.onnx", x, lengths)
    x[2, 3, 1] = x[1, 4, 0] = value  # valid and padded
    found = run(tmp_path / "m.onnx", x, lengths)
    assert np.isnan(found[2:]).all()
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1, :2], expected[1, :2])


def test_codes_outside_the_vocabulary_are_errors(tmp_path):
    network = make_network("gru", vocabulary_size=6)
    make_graph(network).save(tmp_path / "m.onnx", "m", {})
    settings = onnxruntime.SessionOptions()
    settings.log_severity_level = 4
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", settings)
    for code in (-1, 6):
        inputs = {"X": np.array([[1, code]]), "lengths": np.array([2])}
        with pytest.raises(Exception, match="out of data bounds"):
            session.run(None, inputs)


def test_a_users_cell_has_no_operator():
    with pytest.raises(ValueError, match=r"UsersGRU has no operator.* to_torch\(\)"):
        make_graph(make_network(UsersGRU))
