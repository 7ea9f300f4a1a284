"""Copies of networks as modules of torch's standard layers."""

import itertools

import numpy as np
import pytest
import torch
from small_networks import KINDS, LENGTHS, UsersGRU, close, normal, private
from torch import nn

from sklearn_rnn._nn.builders import build_language_network, build_network
from sklearn_rnn._nn.sequence import Inputs
from sklearn_rnn._nn.standard import (
    Standardize,
    Unstandardize,
    join_steps,
    make_standard_language_network,
    make_standard_network,
    split_onehot,
)

POOLINGS = ("last", "mean", "max", "concat", None)


def make_network(cell="gru", **options):
    options = {"dtype": torch.float64, **options}
    network = build_network(cell, 3, 4, 2, generator=private(), **options).eval()
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.5, generator=private(3))
    return network


def assert_equal_outputs(network, x, lengths=LENGTHS):
    standard = make_standard_network(network, nn.Identity())
    with torch.inference_mode():
        expected = network(Inputs(x.transpose(0, 1), lengths))
        found = standard(x, lengths)
    if network.pooling is None:
        steps = torch.arange(x.shape[1]).unsqueeze(1)
        found = found.transpose(0, 1)[steps < lengths]
    close(found, expected.numpy())
    return standard


@pytest.mark.parametrize("cell, activation", KINDS)
def test_every_network_has_equal_outputs(cell, activation):
    x = normal(4, 5, 3)
    x[1, 2:] = torch.nan
    for bidirectional, n_layers, pooling in itertools.product(
        (False, True), (1, 2), POOLINGS
    ):
        assert_equal_outputs(
            make_network(
                cell,
                activation=activation,
                bidirectional=bidirectional,
                num_layers=n_layers,
                pooling=pooling,
            ),
            x.nan_to_num(),
        )


@pytest.mark.parametrize("vocabulary_size", [6, 40])  # below and above the gates
@pytest.mark.parametrize("embedding", ["auto", "onehot"])
@pytest.mark.parametrize("bidirectional", [False, True])
def test_codes_are_looked_up(vocabulary_size, embedding, bidirectional):
    network = make_network(
        vocabulary_size=vocabulary_size,
        embedding=embedding,
        bidirectional=bidirectional,
    )
    codes = torch.randint(vocabulary_size, (4, 5), generator=private())
    standard = assert_equal_outputs(network, codes)
    assert isinstance(standard.embedding, nn.Embedding)


def test_onehot_codes_use_the_smaller_table():
    for n_codes, shape in ((3, (3, 3)), (9, (9, 4))):
        weights = normal(4, n_codes)
        embedding, (inputs,) = split_onehot([weights])
        assert embedding.weight.shape == shape
        close(embedding.weight @ inputs.t(), weights.t().numpy())


@pytest.mark.parametrize("cell", ["lstm", UsersGRU])
@pytest.mark.parametrize("options", [{}, {"tie_weights": True}, {"embedding": 7}])
def test_a_language_network_continues_from_its_state(cell, options):
    network = build_language_network(
        cell, 9, 4, generator=private(), num_layers=2, **options
    ).eval()
    standard = make_standard_language_network(network)
    codes = torch.randint(9, (4, 5), generator=private())
    with torch.inference_mode():
        first, state = standard(codes[:, :3])
        second, _ = standard(codes[:, 3:], state)
        expected, _ = network(codes.t())
    close(torch.cat([first, second], 1).transpose(0, 1), expected.numpy(), 1e-6)


def test_layers_are_those_of_torch():
    standard = make_standard_network(make_network("lstm", num_layers=2), nn.Identity())
    kinds = [type(part) for part in standard.modules() if not list(part.children())]
    assert kinds == [nn.LSTM, nn.Linear, nn.Identity]
    assert standard.recurrence.levels[0][0].num_layers == 2
    assert not standard.training


def test_tied_weights_stay_tied():
    network = build_language_network(
        "gru", 9, 4, generator=private(), embedding=4, tie_weights=True
    )
    standard = make_standard_language_network(network)
    assert standard.embedding.weight is standard.head.weight


def test_a_copy_shares_no_weight_and_leaves_the_global_generator_alone():
    network, before = make_network(UsersGRU), torch.random.get_rng_state()
    for module in (network, make_network("gru")):
        standard = make_standard_network(module, nn.Identity())
        theirs = {part.data_ptr() for part in module.parameters()}
        assert not theirs & {part.data_ptr() for part in standard.parameters()}
    assert torch.equal(torch.random.get_rng_state(), before)


def test_bfloat16_is_not_copied():
    network = make_network(dtype=torch.float32, compute_dtype=torch.bfloat16)
    standard = make_standard_network(network, nn.Identity())
    x = normal(4, 5, 3, dtype=torch.float32)
    with torch.inference_mode():
        found = standard(x, LENGTHS)
        expected = network(Inputs(x.transpose(0, 1), LENGTHS))
    close(found, expected.float().numpy(), 3e-2)


def test_numbers_are_standardized_in_float64():
    x = torch.tensor([[[1e6 + 1.0]], [[1e6 + 3.0]]], dtype=torch.float32)
    scaling = Standardize(np.array([1e6 + 2.0]), np.array([0.5]))
    close(scaling(x).flatten(), [-2, 2])
    output = Unstandardize(np.array([1e6]), np.array([0.5]), torch.float64, True)
    close(output(torch.tensor([[1.0], [2.0]])), [1e6 + 0.5, 1e6 + 1.0])


def test_steps_are_joined_to_patches_filled_with_zeros():
    x = torch.arange(1.0, 11).view(1, 5, 2)
    joined, lengths = join_steps(x, torch.tensor([5]), 3)
    close(joined, [[[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 0, 0]]])
    assert lengths.tolist() == [2]


def test_padding_is_never_read():
    standard = make_standard_network(make_network(), nn.Identity(), patch_size=1)
    x = normal(4, 5, 3)
    expected = standard(x, LENGTHS)
    x[1, 2:] = torch.nan
    close(standard(x, LENGTHS), expected.detach().numpy())


def test_other_shapes_are_errors():
    standard = make_standard_network(make_network(), nn.Identity())
    with pytest.raises(ValueError, match=r"shape \(2, 6\); expected \(n_sequences, n_"):
        standard(normal(2, 6))
    with pytest.raises(ValueError, match="X has 1 features per step, but the model"):
        standard(normal(4, 5, 1))
    of_codes = make_standard_network(make_network(vocabulary_size=6), nn.Identity())
    with pytest.raises(ValueError, match="expected codes"):
        of_codes(normal(4, 5, 3))
    with pytest.raises(TypeError, match=r"type torch.float64; expected codes of an"):
        of_codes(normal(4, 5).abs())


@pytest.mark.parametrize("patch_size", [1, 3])
def test_impossible_lengths_are_errors(patch_size):
    network = make_standard_network(
        make_network(bidirectional=True), nn.Identity(), patch_size=patch_size
    )
    x = normal(2, 4, 3 // patch_size)
    close(network(x, [4, 4]), network(x).detach().numpy())
    for lengths in ([4, 0], [4, 5], [-1, 4]):
        with pytest.raises(ValueError, match="but X has 4 time steps, and at least 1"):
            network(x, torch.tensor(lengths))
    for lengths in ([4], [[4, 4]], [4, 4, 4], [4.0, 4.0]):
        with pytest.raises(ValueError, match=r"expected integers of shape \(2,\)"):
            network(x, torch.tensor(lengths))
    with pytest.raises(ValueError, match="X has 0 time steps"):
        network(x[:, :0])
    assert network(x[:0]).shape == (0, 2)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_values_that_are_not_finite_have_no_prediction(cell, value):
    network = make_standard_network(make_network(cell), nn.Softmax(-1))
    x = normal(3, 5, 3)
    expected = network(x)
    x[1, 2, 0] = value
    found = network(x)
    assert found[1].isnan().all()
    assert torch.equal(found[::2], expected[::2])


def test_modes_and_default_device_of_the_user_are_ignored():
    network, x = make_network("lstm"), normal(2, 5, 3).requires_grad_()
    with torch.inference_mode(), torch.device("meta"):
        standard = make_standard_network(network, nn.Identity())
    standard(x).sum().backward()
    assert x.grad.abs().sum() > 0


DYNAMIC = torch.export.Dim.DYNAMIC

of_torch_itself = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@of_torch_itself
def test_torch_export_accepts_any_number_of_sequences_and_steps():
    network = make_network("gru", bidirectional=True, dtype=torch.float32)
    standard = make_standard_network(network, nn.Softmax(-1), patch_size=3)
    exported = torch.export.export(
        standard,
        (normal(4, 5, 1, dtype=torch.float32), LENGTHS),
        dynamic_shapes=({0: DYNAMIC, 1: DYNAMIC}, {0: DYNAMIC}),
    ).module()
    for n_steps in (1, 3, 10, 11):
        x = normal(3, n_steps, 1, dtype=torch.float32)
        lengths = torch.tensor([n_steps, 1, (n_steps + 1) // 2])
        close(exported(x, lengths), standard(x, lengths).detach().numpy(), 1e-6)


@of_torch_itself
@pytest.mark.slow
@pytest.mark.parametrize("cell, activation", KINDS)
def test_every_layer_is_exported(cell, activation):
    network = make_network(
        cell, activation=activation, num_layers=2, dtype=torch.float32
    )
    standard = make_standard_network(network, nn.Identity())
    exported = torch.export.export(
        standard,
        (normal(4, 5, 3, dtype=torch.float32), LENGTHS),
        dynamic_shapes=({0: DYNAMIC, 1: DYNAMIC}, {0: DYNAMIC}),
    ).module()
    x, lengths = normal(3, 9, 3, dtype=torch.float32), torch.tensor([9, 1, 4])
    close(exported(x, lengths), standard(x, lengths).detach().numpy(), 1e-6)
