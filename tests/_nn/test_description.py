"""Networks as plain data."""

import json

import numpy as np
import pytest
import torch
from small_networks import UsersGRU, each_kind, private
from torch import nn

from sklearn_rnn._nn.builders import (
    build_language_network,
    build_network,
    build_translation_network,
)
from sklearn_rnn._nn.description import (
    build_described,
    describe_network,
    list_arrays,
    set_arrays,
)
from sklearn_rnn._nn.sequence import Inputs

CODES = torch.tensor([[4, 5, 6], [7, 4, 1]])  # (T, B)
VALUES = torch.arange(24.0).view(4, 2, 3).sin()  # (T, B, F)


def rebuild(network, cell="gru"):
    """Describe a network, and build it again from JSON and copies of its arrays."""
    description = json.loads(json.dumps(describe_network(network)))
    arrays = {name: array.copy() for name, array in list_arrays(network).items()}
    return build_described(description, arrays, cell)


def compute(network, *inputs):
    with torch.inference_mode():
        result = network.eval()(*inputs)
    return result[0] if isinstance(result, tuple) else result


def assert_same(network, *inputs, cell="gru"):
    other = rebuild(network, cell)
    assert torch.equal(compute(other, *inputs), compute(network, *inputs))
    assert describe_network(other) == describe_network(network)


@each_kind
@pytest.mark.parametrize("pooling", ["last", "mean", "max", "concat", None])
def test_networks_of_numbers(cell, activation, pooling):
    network = build_network(
        cell,
        3,
        4,
        2,
        generator=private(),
        activation=activation,
        num_layers=2,
        bidirectional=True,
        pooling=pooling,
        dropout=0.25,
    )
    assert_same(network, Inputs(VALUES, torch.tensor([4, 2])))


@pytest.mark.parametrize("embedding", ["onehot", 5])
@pytest.mark.parametrize("compute_dtype", [None, torch.bfloat16])
def test_networks_of_codes(embedding, compute_dtype):
    options = {"generator": private(), "embedding": embedding}
    options |= {"compute_dtype": compute_dtype}
    network = build_network("lstm", 1, 4, 2, vocabulary_size=9, **options)
    assert_same(network, Inputs(CODES, None))
    assert_same(build_language_network("lstm", 9, 4, **options), CODES)


@pytest.mark.parametrize("embedding", [4, 3])
def test_tied_weights_stay_tied(embedding):
    network = build_language_network(
        "gru", 9, 4, generator=private(), embedding=embedding, tie_weights=True
    )
    assert "head.weight" not in list_arrays(network)
    other = rebuild(network)
    assert other.head.weight is other.embedding.weight
    assert_same(network, CODES)


@pytest.mark.parametrize("attention", ["dot", "additive", None])
@pytest.mark.parametrize("vocabulary_size", [None, 9])
def test_translation_networks(attention, vocabulary_size):
    network = build_translation_network(
        "lstm",
        3,
        4,
        8,
        generator=private(),
        decoder_cell="rnn",
        decoder_size=5,
        decoder_layers=2,
        attention=attention,
        reverse_source=True,
        source_vocabulary_size=vocabulary_size,
    )
    inputs = Inputs(CODES[:, :2] if vocabulary_size else VALUES, None)
    assert_same(network, inputs, CODES[:, :2])


def test_a_users_cell_is_built_again():
    network = build_network(UsersGRU, 3, 4, 2, generator=private(), num_layers=2)
    with torch.inference_mode():
        network(Inputs(VALUES, None))  # finds the axes of the state
    before = torch.random.get_rng_state()
    assert_same(network, Inputs(VALUES, None), cell=UsersGRU)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_float64_is_kept():
    network = build_network("gru", 3, 4, 2, generator=private(), dtype=torch.float64)
    assert_same(network, Inputs(VALUES.double(), None))


def test_arrays_share_the_memory_of_the_network():
    layer = nn.Linear(2, 3)
    list_arrays(layer)["weight"][:] = 5
    assert (layer.weight == 5).all()


def tamper(**changes):
    network = build_network("gru", 3, 4, 2, generator=private(), num_layers=2)
    description, arrays = describe_network(network), dict(list_arrays(network))
    for name, value in changes.items():
        if "__" in name:
            arrays[name.replace("__", ".")] = value
        else:
            description[name] = value
    return description, arrays, "gru"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"pooling": "sum"}, "pooling='sum'"),
        ({"network": "other"}, "other"),
        ({"compute_dtype": "int8"}, "'int8' is not a type of a network"),
        ({"head__weight": np.ones((2, 5), "f")}, r"head.weight has the shape \(2, 5\)"),
        ({"head__weight": np.ones(4, "f")}, "head.weight has the shape"),
        ({"head__bias": np.ones(3, "f")}, r"head.bias has the shape \(3,\)"),
        ({"head__more": np.ones(3, "f")}, "the network has the weights"),
        ({"stack__layers__0__0__bias": np.ones(1, "f")}, "bias has the shape"),
        (
            {"stack__layers__0__0__weight_ih": np.ones((2, 3), "f")},
            "weight_ih has the shape",
        ),
        (
            {"stack__layers__1__0__weight_ih": np.ones((12, 3), "f")},
            "layers of level 1 do not fit",
        ),
        ({"stack__layers__1__0__weight_hh": np.ones((12, 5), "f")}, "weight_hh has"),
        ({"embedding__weight": np.ones((9, 2), "f")}, "the embedding does not fit"),
    ],
)
def test_arrays_that_do_not_fit_are_rejected(changes, message):
    build_described(*tamper())
    with pytest.raises((ValueError, LookupError), match=message):
        build_described(*tamper(**changes))


def test_a_users_cell_must_be_given():
    network = build_network(UsersGRU, 3, 4, 2, generator=private())
    with pytest.raises(ValueError, match="layers of a user's cell"):
        rebuild(network, cell="gru")


def test_setting_arrays_checks_names():
    with pytest.raises(ValueError, match="the network has the weights"):
        set_arrays(nn.Linear(2, 3), {"weight": np.ones((3, 2), "f")})
