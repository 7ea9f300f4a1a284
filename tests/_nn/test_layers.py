"""Stacked layers and directions compared with numpy, and dropout between layers."""

import numpy as np
import pytest
import torch
from reference_cells import read_stack
from small_networks import (
    LENGTHS,
    close,
    each_cell,
    each_mode,
    make_stack,
    normal,
    private,
)

from sklearn_rnn._nn.layers import drop, look_up, reverse


@each_cell
def test_a_stack_continues_from_its_states(cell):
    stack, x = make_stack(cell, 2, 1), normal(6, 5, 3)
    with torch.inference_mode():
        whole, _ = stack(x)
        first, states = stack(x[:2])
        second, _ = stack(x[2:], states=states)
    close(torch.cat([first, second]), whole)


def test_reverse_without_lengths_flips_time():
    x = torch.tensor([[1, 4], [2, 5], [3, 6]])
    assert reverse(x, None).tolist() == [[3, 6], [2, 5], [1, 4]]


def test_reverse_with_lengths_leaves_padding_in_place():
    x = torch.tensor([[1, 4, 7], [2, 5, 8], [3, 6, 9]])
    turned = reverse(x, torch.tensor([3, 2, 1]))
    assert turned.tolist() == [[3, 5, 7], [2, 4, 8], [1, 6, 9]]


def test_reverse_twice_gives_the_input_back():
    x = normal(5, 4, 3)
    assert torch.equal(reverse(reverse(x, LENGTHS), LENGTHS), x)


@each_mode
@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("num_layers", [1, 3])
@each_cell
def test_stack_equals_composed_references(cell, num_layers, directions, mode):
    stack, x = make_stack(cell, num_layers, directions), normal(5, 4, 3)
    with mode():
        outputs, _ = stack(x)
    expected = [read_stack(stack, x[:, j].numpy()) for j in range(4)]
    close(outputs, np.stack(expected, 1))


@pytest.mark.parametrize("num_layers", [1, 2])
@each_cell
def test_bidirectional_stack_reads_only_valid_parts(cell, num_layers):
    stack, x = make_stack(cell, num_layers, 2), normal(5, 4, 3)
    outputs, _ = stack(x, LENGTHS)
    for j, length in enumerate(LENGTHS):
        expected = read_stack(stack, x[:length, j].numpy())
        close(outputs[:length, j], expected)


def test_dropout_keeps_the_mean_and_scales_what_it_keeps():
    dropped = drop(torch.ones(100_000), 0.3, True, private())
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], torch.full((int(kept.sum()),), 1 / 0.7))
    assert abs(dropped.mean() - 1) < 0.01


def test_dropout_acts_between_layers_and_before_the_head():
    ones, generator = torch.ones(4, 5, 3, dtype=torch.float64), private()
    stack = make_stack("gru", 2, 1, dropout=0.5).train()
    below, _ = stack.layers[0][0](ones)
    mask = torch.empty_like(below).bernoulli_(0.5, generator=private())
    expected, _ = stack.layers[1][0](below * mask * 2)
    close(stack(ones, generator=generator)[0], expected.detach())


def test_the_gradient_of_looked_up_rows_is_added_to_an_existing_one():
    codes = torch.tensor([[1, 3], [1, 0]])
    weight, factors = normal(5, 3).requires_grad_(), normal(2, 2, 3)
    (look_up(codes, weight) * factors).sum().backward()
    first = weight.grad.clone()
    place = weight.grad.data_ptr()
    (look_up(codes, weight) * factors).sum().backward()
    assert weight.grad.data_ptr() == place and not weight.grad.is_sparse
    close(weight.grad, 2 * first)


def test_hooks_of_an_embedding_get_a_gradient_of_all_rows():
    weight, codes = normal(5, 3).requires_grad_(), torch.tensor([[1], [1]])
    weight.grad = torch.zeros_like(weight)
    weight.register_hook(lambda gradient: gradient.clamp(-0.5, 0.5))
    look_up(codes, weight).sum().backward()
    close(weight.grad.sum(1), torch.tensor([0, 1.5, 0, 0, 0], dtype=weight.dtype))
