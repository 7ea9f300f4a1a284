"""Initial weights: their distributions and their random generators."""

import numpy as np
import pytest
import torch
from small_networks import UsersGRU, each_cell, make_network, normal, private

from sklearn_rnn._nn.builders import build_language_network, build_network
from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._nn.sequence import Inputs


@pytest.mark.parametrize("cell", [*CELLS, UsersGRU])
def test_same_generator_seed_gives_the_same_weights(cell):
    options = {"num_layers": 2, "bidirectional": True}
    first, again, other = (make_network(cell, s, **options) for s in (3, 3, 4))
    for name, weight in first.named_parameters():
        assert torch.equal(weight, again.get_parameter(name))
        if weight.ndim == 2:
            assert not torch.equal(weight, other.get_parameter(name))


@pytest.mark.parametrize("cell", [*CELLS, UsersGRU])
def test_building_leaves_the_global_generator_alone(cell):
    before = torch.get_rng_state()
    make_network(cell, num_layers=2, vocabulary_size=9)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("cell", [*CELLS, UsersGRU])
def test_weights_do_not_depend_on_the_global_generator(cell):
    networks = []
    with torch.random.fork_rng():
        for seed in (1, 2):
            torch.manual_seed(seed)
            networks.append(make_network(cell))
    for one, two in zip(*(n.parameters() for n in networks), strict=True):
        assert torch.equal(one, two)


def test_layers_and_directions_have_separate_weights():
    network = make_network("gru", num_layers=3, bidirectional=True)
    weights = [layer.weight_hh for level in network.stack.layers for layer in level]
    for k, weight in enumerate(weights):
        assert not any(torch.equal(weight, other) for other in weights[:k])


@each_cell
def test_every_layer_is_initialized_and_the_head_has_no_bias(cell):
    network = make_network(cell, num_layers=2, bidirectional=True)
    alone = CELLS[cell](3, 4)
    alone.initialize(private())
    for level in network.stack.layers:
        for layer in level:
            assert torch.equal(layer.bias, alone.bias.double())
    assert network.head.bias.tolist() == [0.0, 0.0]


def test_the_head_starts_in_glorot_bounds():
    network = build_network("gru", 30, 20, 10, generator=private())
    bound = np.sqrt(6 / (20 + 10))
    assert 0.95 * bound < network.head.weight.abs().max() <= bound


@pytest.mark.parametrize("embedding, size", [("auto", 64), (5, 5)])
def test_embedding_starts_small(embedding, size):
    network = make_network(vocabulary_size=300, embedding=embedding)
    table = network.embedding.weight.detach()
    assert table.shape == (300, size)
    assert table.mean().item() == pytest.approx(0, abs=0.01)
    assert table.std().item() == pytest.approx(0.1, abs=0.01)


def test_auto_embedding_of_a_small_vocabulary_is_as_wide_as_the_vocabulary():
    assert make_network(vocabulary_size=9).embedding.weight.shape == (9, 9)


def test_pretrained_embedding_is_copied_and_trained():
    pretrained = normal(9, 5)
    kept = pretrained.clone()
    network = make_network(vocabulary_size=9, embedding=pretrained)
    assert torch.equal(network.embedding.weight, kept)
    network(Inputs(torch.tensor([[4], [5]]), None)).sum().backward()
    assert network.embedding.weight.grad[4:6].abs().min() > 0
    with torch.no_grad():
        network.embedding.weight.zero_()
    assert torch.equal(pretrained, kept)


def test_onehot_with_a_callable_cell_is_refused():
    with pytest.raises(ValueError, match=r'embedding="onehot".*callable cell'):
        make_network(UsersGRU, vocabulary_size=9, embedding="onehot")


def test_initial_vectors_of_neutral_codes_are_zero():
    module = build_language_network(
        "gru", 11, 8, generator=private(), neutral_codes=(0, 1)
    )
    assert not module.embedding.weight[:2].any()
    assert module.embedding.weight[2:].all()
