"""Copies of translation networks as modules of torch's standard layers."""

import pytest
import torch
from small_networks import LENGTHS, close, each_cell, normal, private

from sklearn_rnn._nn.builders import build_translation_network
from sklearn_rnn._nn.sequence import Inputs
from sklearn_rnn._nn.standard_translation import make_standard_translation_network

CODES = torch.randint(0, 9, (4, 6), generator=private(3))


def make_network(cell="gru", **options):
    return build_translation_network(
        cell, 3, 4, 9, generator=private(), dtype=torch.float64, **options
    ).eval()


@each_cell
@pytest.mark.parametrize("attention", ["dot", "additive", None])
@pytest.mark.parametrize("reverse_source", [False, True])
def test_every_network_has_equal_outputs(cell, attention, reverse_source):
    network = make_network(
        cell,
        attention=attention,
        reverse_source=reverse_source,
        bidirectional=attention is not None,
        num_layers=2,
        decoder_size=5,
        decoder_layers=1 if attention == "dot" else 2,
    )
    standard, x = make_standard_translation_network(network), normal(4, 5, 3)
    with torch.inference_mode():
        expected = network(Inputs(x.transpose(0, 1), LENGTHS), CODES.t())
        close(standard(x, CODES, LENGTHS).transpose(0, 1), expected)


def test_codes_are_embedded():
    network = make_network(source_vocabulary_size=7)
    x = torch.randint(7, (4, 5), generator=private())
    with torch.inference_mode():
        expected = network(Inputs(x.t(), None), CODES.t())
        found = make_standard_translation_network(network)(x, CODES)
    close(found.transpose(0, 1), expected)


def test_targets_read_in_two_parts_are_read_as_one():
    network = make_network("lstm", num_layers=2, reverse_source=True)
    standard, x = make_standard_translation_network(network), normal(4, 5, 3)
    with torch.inference_mode():
        memory, state = standard.encode(x, LENGTHS)
        first, state, _ = standard.decode(CODES[:, :2], state, memory, LENGTHS)
        second, _, weights = standard.decode(CODES[:, 2:], state, memory, LENGTHS)
        theirs, start = network.encode(Inputs(x.transpose(0, 1), LENGTHS))
        expected, _, their_weights = network.decode(CODES.t(), start, theirs)
    close(torch.cat([first, second], 1).transpose(0, 1), expected)
    close(weights, their_weights[:, 2:])


@pytest.mark.parametrize("reverse_source", [False, True])
def test_padding_is_never_read(reverse_source):
    network = make_standard_translation_network(
        make_network(attention="dot", reverse_source=reverse_source)
    )
    x = normal(4, 5, 3)
    expected = network(x, CODES, LENGTHS).detach().numpy()
    x[torch.arange(5) >= LENGTHS.unsqueeze(1)] = torch.nan
    close(network(x, CODES, LENGTHS), expected)


def test_other_shapes_are_errors():
    network = make_standard_translation_network(make_network())
    with pytest.raises(ValueError, match="X has 1 features per step"):
        network(normal(4, 5, 1), CODES)
    with pytest.raises(ValueError, match="but X has 5 time steps"):
        network(normal(4, 5, 3), CODES, LENGTHS + 1)
    with pytest.raises(TypeError, match=r"codes has the type torch\.float32"):
        network(normal(4, 5, 3), CODES.float())
