"""The network of a translator."""

import pytest
import torch
from small_networks import LENGTHS, close, each_cell, normal, private

from sklearn_rnn._nn.builders import build_translation_network
from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._nn.sequence import Inputs
from sklearn_rnn._nn.states import list_tensors


def make_network(cell="gru", **options):
    generator, dtype = private(), torch.float64
    return build_translation_network(
        cell, 3, 4, 9, generator=generator, dtype=dtype, **options
    )


def read(network, generator=None):
    codes = torch.randint(0, 9, (6, 4), generator=private(3))
    return network(Inputs(normal(5, 4, 3), LENGTHS), codes, generator)


@each_cell
def test_the_decoder_begins_with_what_the_bridge_says(cell):
    network = make_network(decoder_cell=cell, decoder_layers=2, decoder_size=6)
    inputs = Inputs(normal(5, 4, 3), None)
    memory, states = network.encode(inputs)
    names = CELLS[cell].state_names
    assert network.bridge.out_features == len(names) * 2 * 6
    summary = torch.cat([memory.outputs[:, -1, :4], memory.outputs[:, 0, 4:]], 1)
    expected = torch.tanh(network.bridge(summary)).view(4, len(names), 2, 6)
    for k, (state,) in enumerate(states):
        for i, part in enumerate(list_tensors(state)):
            close(part, expected[:, i, k].detach())


@pytest.mark.parametrize("attention", ["dot", "additive", None])
def test_targets_read_in_two_parts_are_read_as_one(attention):
    network = make_network("lstm", num_layers=2, attention=attention)
    codes = torch.randint(0, 9, (6, 4), generator=private(3))
    with torch.inference_mode():
        memory, start = network.encode(Inputs(normal(5, 4, 3), LENGTHS))
        whole, _, _ = network.decode(codes, start, memory)
        first, states, _ = network.decode(codes[:2], start, memory)
        second, _, _ = network.decode(codes[2:], states, memory)
    close(torch.cat([first, second]), whole)


def test_another_dropout_acts_everywhere():
    expected = read(make_network(num_layers=2, dropout=0.5), private(1))
    network = make_network(num_layers=2, dropout=0.0)
    network.set_dropout(0.5)
    assert network.decoder.dropout == 0.5
    assert torch.equal(read(network, private(1)), expected)
