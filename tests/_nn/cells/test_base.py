"""Every cell compared with numpy, with torch's modules and with itself."""

import functools

import numpy as np
import pytest
import torch
from reference_cells import read_batch
from small_networks import (
    close,
    each_cell,
    each_kind,
    each_mode,
    make_layer,
    normal,
    private,
    random_state,
)
from torch import nn

from sklearn_rnn._nn.builders import build_network
from sklearn_rnn._nn.cells.base import to_array
from sklearn_rnn._nn.cells.registry import CELLS
from sklearn_rnn._nn.states import list_tensors, nest_state


@each_mode
@each_kind
def test_layer_equals_numpy_reference(cell, activation, mode):
    layer, x = make_layer(cell, activation=activation), normal(6, 5, 3)
    expected, expected_last = read_batch(layer, x)
    with mode():
        outputs, last = layer(x)
    close(outputs, expected)
    for part, expected_part in zip(list_tensors(last), expected_last, strict=True):
        close(part, expected_part)


@each_mode
@each_kind
def test_layer_continues_from_a_given_state(cell, activation, mode):
    layer, x = make_layer(cell, activation=activation), normal(6, 5, 3)
    state = random_state(cell, 5)
    with mode():
        outputs, _ = layer(x, state)
    close(outputs, read_batch(layer, x, list_tensors(state))[0])


@each_mode
@each_kind
def test_onehot_layer_equals_dense_onehot_product(cell, activation, mode):
    layer = make_layer(cell, 7, activation=activation, onehot=True)
    codes = torch.randint(7, (6, 5), generator=private())
    dense = torch.from_numpy(np.eye(7)[codes.numpy()])
    with mode():
        outputs, last = layer(codes)
    expected, expected_last = read_batch(layer, dense)
    close(outputs, expected)
    close(list_tensors(last)[-1], expected_last[-1])


@each_kind
def test_onehot_gradients_equal_dense_ones(cell, activation):
    onehot = make_layer(cell, 7, activation=activation, onehot=True)
    dense = make_layer(cell, 7, activation=activation)
    with torch.no_grad():
        for name, parameter in onehot.named_parameters():
            value = parameter.t() if name == "weight_ih" else parameter
            dense.get_parameter(name).copy_(value)
    codes = torch.tensor([[0, 6, 2], [2, 2, 1], [0, 3, 2], [5, 6, 0]])
    weights = normal(4, 3, 4, seed=1)
    (onehot(codes)[0] * weights).sum().backward()
    (dense(torch.eye(7, dtype=torch.float64)[codes])[0] * weights).sum().backward()
    for name, parameter in onehot.named_parameters():
        grad = parameter.grad.t() if name == "weight_ih" else parameter.grad
        close(grad, dense.get_parameter(name).grad)


@each_kind
def test_gradients_match_finite_differences(cell, activation):
    layer = make_layer(cell, 2, 2, activation=activation)
    named = dict(layer.named_parameters())
    start = [part.requires_grad_() for part in list_tensors(random_state(cell, 3, 2))]

    def outputs_and_last(x, *given):
        parts, weights = given[: len(start)], given[len(start) :]
        outputs, last = torch.func.functional_call(
            layer, dict(zip(named, weights, strict=True)), (x, nest_state(parts))
        )
        return outputs, *list_tensors(last)

    inputs = [normal(4, 3, 2).requires_grad_(), *start, *named.values()]
    assert torch.autograd.gradcheck(outputs_and_last, inputs)


@each_cell
@pytest.mark.parametrize("onehot", [False, True])
def test_without_gradients_the_answers_are_the_same(cell, onehot):
    layer = make_layer(cell, 7, onehot=onehot)
    x = torch.randint(7, (6, 5), generator=private()) if onehot else normal(6, 5, 7)
    expected, state = layer(x)
    with torch.no_grad():
        outputs, same_state = layer(x)
    close(outputs, expected.detach())
    for part, same in zip(list_tensors(state), list_tensors(same_state), strict=True):
        close(same, part.detach())


@each_mode
@pytest.mark.parametrize("training", [True, False])
@each_kind
def test_float32_layer_equals_numpy_reference(cell, activation, training, mode):
    layer = make_layer(cell, activation=activation, dtype=torch.float32)
    layer.train(training)
    x = normal(6, 5, 3, dtype=torch.float32)
    with mode():
        outputs, last = layer(x)
    expected, expected_last = read_batch(layer, x)
    assert outputs.dtype == torch.float32
    close(outputs, expected, 1e-5)
    close(list_tensors(last)[-1], expected_last[-1], 1e-5)


@pytest.mark.parametrize("training", [True, False])
@each_kind
def test_float32_gradients_are_close_to_float64_ones(cell, activation, training):
    grads = []
    for dtype in (torch.float32, torch.float64):
        layer = make_layer(cell, activation=activation, dtype=dtype).train(training)
        x = normal(6, 5, 3, dtype=torch.float32).to(dtype)
        (layer(x)[0] * normal(6, 5, 4, seed=1).to(dtype)).sum().backward()
        grads.append([parameter.grad for parameter in layer.parameters()])
    for single, double in zip(*grads, strict=True):
        close(single, double, 1e-4)


@pytest.mark.parametrize(
    "cell, activation, module",
    [
        ("rnn", "tanh", nn.RNN),
        ("rnn", "relu", functools.partial(nn.RNN, nonlinearity="relu")),
        ("lstm", "tanh", nn.LSTM),
        ("gru", "tanh", nn.GRU),
    ],
)
def test_gradients_equal_those_of_torch_modules(cell, activation, module):
    layer = make_layer(cell, activation=activation)
    theirs = module(3, 4, dtype=torch.float64)
    with torch.no_grad():
        theirs.weight_ih_l0.copy_(layer.weight_ih)
        theirs.weight_hh_l0.copy_(layer.weight_hh)
        theirs.bias_ih_l0.copy_(layer.bias)
        theirs.bias_hh_l0.zero_()
        if cell == "gru":
            theirs.bias_hh_l0[-4:] = layer.bias_n

    def gradients(run, lift):
        x = normal(6, 5, 3).requires_grad_()
        start = [part.clone().requires_grad_() for part in random_parts]
        lifted = [lift(part) for part in start]
        outputs, last = run(x, nest_state(lifted))
        loss = (outputs * normal(6, 5, 4, seed=1)).sum()
        for seed, part in enumerate(list_tensors(last), 2):
            loss = loss + (part.reshape(5, 4) * normal(5, 4, seed=seed)).sum()
        loss.backward()
        return [x.grad, *(part.grad for part in start)]

    random_parts = list_tensors(random_state(cell, 5))
    ours = gradients(layer, lambda part: part)
    expected = gradients(theirs, lambda part: part.unsqueeze(0))
    ours += [layer.weight_ih.grad, layer.weight_hh.grad, layer.bias.grad]
    expected += [theirs.weight_ih_l0.grad, theirs.weight_hh_l0.grad]
    expected += [theirs.bias_ih_l0.grad]
    if cell == "gru":
        ours.append(layer.bias_n.grad)
        expected.append(theirs.bias_hh_l0.grad[-4:])
    for grad, expected_grad in zip(ours, expected, strict=True):
        close(grad, expected_grad)


@each_mode
@pytest.mark.parametrize("cut", [1, 3, 5])
@each_kind
def test_two_parts_joined_by_the_state_equal_the_whole(cell, activation, cut, mode):
    layer, x = make_layer(cell, activation=activation), normal(6, 5, 3)
    with mode():
        whole, last = layer(x)
        first, state = layer(x[:cut])
        second, state = layer(x[cut:], state)
    close(torch.cat([first, second]), whole.detach())
    for part, expected in zip(list_tensors(state), list_tensors(last), strict=True):
        close(part, expected.detach())


@each_cell
def test_recurrent_blocks_start_orthogonal(cell):
    network = build_network(cell, 3, 8, 2, generator=private(), num_layers=2)
    for level in network.stack.layers:
        for block in level[0].weight_hh.detach().split(8):
            close(block @ block.t(), np.eye(8), 1e-5)


@each_cell
def test_input_weights_start_in_glorot_bounds_gate_by_gate(cell):
    network = build_network(cell, 30, 20, 10, generator=private())
    blocks = network.stack.layers[0][0].weight_ih.detach().split(20)
    assert len(blocks) == CELLS[cell].n_gates
    bound = np.sqrt(6 / (30 + 20))
    for block in blocks:
        assert 0.98 * bound < block.abs().max() <= bound
        assert block.std() == pytest.approx(bound / np.sqrt(3), rel=0.1)


@each_cell
def test_the_first_state_is_the_last_output(cell):
    outputs, last = make_layer(cell)(normal(6, 5, 3))
    assert torch.equal(list_tensors(last)[0], outputs[-1])
    assert len(list_tensors(last)) == len(CELLS[cell].state_names)


@each_kind
def test_a_numpy_step_equals_a_step_of_the_layer(cell, activation):
    layer, x = make_layer(cell, activation=activation), normal(5, 3)
    start = random_state(cell, 5)
    state = [to_array(part) for part in list_tensors(start)]
    numpy_cell = layer.numpy_cell(layer, None)
    buffers = numpy_cell.allocate(5)
    np.matmul(x.numpy(), numpy_cell.inputs, out=buffers.gates)
    buffers.gates[:] += numpy_cell.bias
    np.matmul(state[0], numpy_cell.recurrent, out=buffers.recurrent)
    state = numpy_cell.step(buffers, state)
    _, expected = layer(x.unsqueeze(0), start)
    for part, array in zip(list_tensors(expected), state, strict=True):
        close(part, array)
