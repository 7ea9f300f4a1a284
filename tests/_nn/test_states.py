"""Nested states: tensors, names and fingerprints of networks."""

from typing import NamedTuple

import numpy as np
import pytest
import torch
from small_networks import UsersGRU, each_cell, make_layer, make_network, normal
from torch import nn

from sklearn_rnn._nn.cells.custom import CustomLayer
from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._nn.states import (
    find_layout,
    find_sequence_axis,
    fingerprint_network,
    join_states,
    list_tensors,
    map_states,
    nest_state,
    rebuild_state,
)


class Pair(NamedTuple):
    hidden: torch.Tensor
    other: list


def test_states_are_mapped_wherever_they_are():
    states = [[(torch.ones(2, 3), torch.ones(2, 3))], [torch.ones(2, 3)]]
    doubled = map_states(states, lambda state: 2 * state)
    assert isinstance(doubled[0][0], tuple)
    assert doubled[0][0][1].sum() == doubled[1][0].sum() == 12


def test_a_state_keeps_its_nesting():
    state = Pair(torch.zeros(2), [None, torch.zeros(3)])
    rebuilt = rebuild_state(state, iter([torch.ones(2), torch.ones(3)]))
    assert isinstance(rebuilt, Pair) and rebuilt.other[0] is None
    assert [len(part) for part in list_tensors(rebuilt)] == [2, 3]


def test_states_are_joined_tensor_by_tensor():
    h, c = torch.zeros(1, 3), torch.ones(2, 3)
    joined = join_states([(h, h), (c, c)], torch.cat)
    assert joined[0].tolist() == joined[1].tolist() == [[0] * 3, [1] * 3, [1] * 3]


def test_one_tensor_is_a_state_and_two_are_a_tuple():
    one, two = normal(2, 3)
    assert nest_state([one]) is one
    assert nest_state([one, two]) == (one, two)


def test_what_is_no_tensor_is_refused():
    with pytest.raises(TypeError, match="state contains 'x' of type str"):
        list_tensors((torch.ones(1), "x"))


def test_the_axis_of_sequences_is_the_one_that_grows():
    assert find_sequence_axis(torch.zeros(1, 2, 4), torch.zeros(1, 3, 4)) == 1
    with pytest.raises(ValueError, match=r"the shape \(4,\) for 2 sequences"):
        find_sequence_axis(torch.zeros(4), torch.zeros(4))


@each_cell
def test_states_are_called_by_the_names_of_the_cell(cell):
    layer = make_layer(cell)
    layout = find_layout(layer, 2, None)
    assert layout.names == [f"{name}_2" for name in CELLS[cell].state_names]
    _, state = layer(normal(6, 5, 3))
    arrays = layout.to_arrays(map_states(state, torch.detach))
    assert {array.shape for array in arrays.values()} == {(5, 4)}
    again = layout.from_arrays(arrays)
    for part, same in zip(list_tensors(state), list_tensors(again), strict=True):
        assert torch.equal(part, same)
    assert all(np.all(array == 0) for array in layout.zeros.values())


def test_states_of_users_cells_are_numbered():
    layer = CustomLayer(lambda F, H: nn.LSTM(F, H, batch_first=True), 3, 4)
    layout = find_layout(layer, 1, None)
    assert layout.names == ["state_1_0", "state_1_1"]
    assert layout.zeros["state_1_0"].shape == (1, 1, 4)


def test_a_cell_that_reads_ahead_is_refused():
    class Ahead(UsersGRU):
        def forward(self, x, state=None):
            outputs, state = super().forward(x, state)
            return outputs.flip(1), state

    with pytest.raises(ValueError, match="the cell reads later steps"):
        find_layout(CustomLayer(Ahead, 3, 4), 0, None)


def test_the_fingerprint_knows_the_cell_its_weights_and_what_is_read():
    changed = [
        make_network(),
        make_network(seed=1),
        make_network("rnn"),
        make_network("rnn", activation="relu"),
        make_network(pooling="mean"),
        make_network(compute_dtype=torch.bfloat16),
    ]
    assert len({fingerprint_network(network) for network in changed}) == len(changed)
    assert fingerprint_network(make_network()) == fingerprint_network(changed[0])


def test_the_fingerprint_tells_cells_of_equal_weights_apart():
    network = make_network()
    before = fingerprint_network(network)
    layer = network.stack.layers[0][0]
    layer.__class__ = type("Other", (type(layer),), {"name": "other"})
    assert fingerprint_network(network) != before
