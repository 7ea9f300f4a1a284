"""The torch modules against numpy, finite differences, torch's own and hand values."""

import numpy as np
import pytest
import reference_cells
import torch
from torch import nn

from sklearn_rnn._nn.builders import build_network
from sklearn_rnn._nn.layers import (
    GATES,
    CustomLayer,
    RecurrentLayer,
    RecurrentStack,
    reverse,
)
from sklearn_rnn._nn.sequence import Inputs, drop, pool
from sklearn_rnn._nn.unrolled import UnrolledGRU, UnrolledLSTM, UnrolledSimple

KINDS = [("rnn", "tanh"), ("rnn", "relu"), ("gru", "tanh"), ("lstm", "tanh")]
CELLS = ["rnn", "gru", "lstm"]
LENGTHS = torch.tensor([5, 2, 1, 4])

each_kind = pytest.mark.parametrize("cell, activation", KINDS)
each_cell = pytest.mark.parametrize("cell", CELLS)
each_mode = pytest.mark.parametrize(
    "mode", [torch.enable_grad, torch.inference_mode], ids=["grad", "inference"]
)


def private(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=private(seed), dtype=dtype)


def make_layer(cell, F=3, H=4, *, seed=0, dtype=torch.float64, **options):
    layer = RecurrentLayer(cell, F, H, **options)
    generator = private(seed)
    for parameter in layer.parameters():
        nn.init.normal_(parameter, std=0.5, generator=generator)
    return layer.to(dtype)


def zero_state(cell, B, H=4):
    zeros = torch.zeros(B, H, dtype=torch.float64)
    return (zeros, zeros) if cell == "lstm" else zeros


def random_state(cell, B, H=4):
    h, c = normal(2, B, H, seed=9)
    return (h, c) if cell == "lstm" else h


def parts(state):
    return list(state) if isinstance(state, tuple) else [state]


def reference(layer, x, state=None):
    """Outputs (T, H) and the parts of the last state for one sequence x (T, F)."""
    weights = {
        name: p.detach().double().numpy() for name, p in layer.named_parameters()
    }
    W, U, b = weights["weight_ih"], weights["weight_hh"], weights["bias"]
    if layer.onehot:
        W = W.T
    start = state if state is not None else [np.zeros(layer.hidden_size)] * 2
    if layer.cell == "lstm":
        outputs, c = reference_cells.lstm(x, W, U, b, start[0], start[1])
        return outputs, [outputs[-1], c]
    if layer.cell == "gru":
        outputs = reference_cells.gru(x, W, U, b, weights["bias_n"], start[0])
    else:
        f = np.tanh if layer.activation == "tanh" else lambda a: np.maximum(a, 0)
        outputs = reference_cells.simple(x, W, U, b, start[0], f)
    return outputs, [outputs[-1]]


def batch_reference(layer, x, state=None):
    """The reference, one sequence of the batch x (T, B, F) after the other."""
    states = [
        [p[j].numpy() for p in parts(state)] if state is not None else None
        for j in range(x.shape[1])
    ]
    runs = [reference(layer, x[:, j].numpy(), s) for j, s in enumerate(states)]
    outputs = np.stack([run[0] for run in runs], 1)
    last = [np.stack(part) for part in zip(*(run[1] for run in runs), strict=True)]
    return outputs, last


def stack_reference(stack, x):
    """Outputs (T, H * directions) of a stack for one sequence x (T, F)."""
    for level in stack.layers:
        halves = [reference(level[0], x)[0]]
        if len(level) == 2:
            halves.append(reference(level[1], x[::-1])[0][::-1])
        x = np.concatenate(halves, 1)
    return x


def make_stack(cell, num_layers, directions, dropout=0.0):
    sizes = [3] + [4 * directions] * (num_layers - 1)
    levels = [
        [make_layer(cell, size, seed=10 * k + d) for d in range(directions)]
        for k, size in enumerate(sizes)
    ]
    return RecurrentStack(levels, dropout)


def close(actual, expected, tolerance=1e-12):
    actual = actual.detach().double().numpy()
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance)


@each_mode
@each_kind
def test_layer_equals_numpy_reference(cell, activation, mode):
    layer, x = make_layer(cell, activation=activation), normal(6, 5, 3)
    expected, expected_last = batch_reference(layer, x)
    with mode():
        outputs, last = layer(x)
    close(outputs, expected)
    for part, expected_part in zip(parts(last), expected_last, strict=True):
        close(part, expected_part)


@each_mode
@each_kind
def test_layer_continues_from_a_given_state(cell, activation, mode):
    layer, x = make_layer(cell, activation=activation), normal(6, 5, 3)
    state = random_state(cell, 5)
    with mode():
        outputs, _ = layer(x, state)
    close(outputs, batch_reference(layer, x, state)[0])


@each_mode
@each_kind
def test_onehot_layer_equals_dense_onehot_product(cell, activation, mode):
    layer = make_layer(cell, 7, activation=activation, onehot=True)
    codes = torch.randint(7, (6, 5), generator=private())
    dense = torch.from_numpy(np.eye(7)[codes.numpy()])
    with mode():
        outputs, last = layer(codes)
    expected, expected_last = batch_reference(layer, dense)
    close(outputs, expected)
    close(parts(last)[-1], expected_last[-1])


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


@each_mode
@pytest.mark.parametrize("training", [True, False])
@each_kind
def test_float32_layer_equals_numpy_reference(cell, activation, training, mode):
    layer = make_layer(cell, activation=activation, dtype=torch.float32)
    layer.train(training)
    x = normal(6, 5, 3, dtype=torch.float32)
    with mode():
        outputs, last = layer(x)
    expected, expected_last = batch_reference(layer, x.double())
    assert outputs.dtype == torch.float32
    close(outputs, expected, 1e-5)
    close(parts(last)[-1], expected_last[-1], 1e-5)


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


@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_simple_gradients_match_finite_differences(activation):
    inputs = [normal(4, 3, 2), normal(2, 2, seed=1), normal(3, 2, seed=2)]
    inputs = [tensor.requires_grad_() for tensor in inputs]

    def outputs_and_last(projected, weight, h):
        outputs = UnrolledSimple.apply(projected, weight, h, activation)
        return outputs, outputs[-1]

    assert torch.autograd.gradcheck(outputs_and_last, inputs)


def test_gru_gradients_match_finite_differences():
    inputs = [normal(4, 3, 6), normal(6, 2, seed=1), normal(2, seed=2), normal(3, 2)]
    inputs = [tensor.requires_grad_() for tensor in inputs]

    def outputs_and_last(*arguments):
        outputs = UnrolledGRU.apply(*arguments)
        return outputs, outputs[-1]

    assert torch.autograd.gradcheck(outputs_and_last, inputs)


def test_lstm_gradients_match_finite_differences():
    shapes = [(4, 3, 8), (8, 2), (3, 2), (3, 2)]
    inputs = [normal(*s, seed=k).requires_grad_() for k, s in enumerate(shapes)]

    def outputs_and_last(*arguments):
        outputs, c = UnrolledLSTM.apply(*arguments)
        return outputs, outputs[-1], c, (outputs[-1] * c).sum()

    assert torch.autograd.gradcheck(outputs_and_last, inputs)


@each_kind
def test_gradients_equal_those_of_torch_modules(cell, activation):
    layer = make_layer(cell, activation=activation)
    options = {"nonlinearity": activation} if cell == "rnn" else {}
    module = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
    theirs = module(3, 4, dtype=torch.float64, **options)
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
        outputs, last = run(x, tuple(lifted) if cell == "lstm" else lifted[0])
        loss = (outputs * normal(6, 5, 4, seed=1)).sum()
        for part, weights in zip(parts(last), normal(2, 5, 4, seed=2), strict=False):
            loss = loss + (part.reshape(5, 4) * weights).sum()
        loss.backward()
        return [x.grad, *(part.grad for part in start)]

    random_parts = parts(random_state(cell, 5))
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
    for part, expected in zip(parts(state), parts(last), strict=True):
        close(part, expected.detach())


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
    expected = [stack_reference(stack, x[:, j].numpy()) for j in range(4)]
    close(outputs, np.stack(expected, 1))


@pytest.mark.parametrize("num_layers", [1, 2])
@each_cell
def test_bidirectional_stack_reads_only_valid_parts(cell, num_layers):
    stack, x = make_stack(cell, num_layers, 2), normal(5, 4, 3)
    outputs, _ = stack(x, LENGTHS)
    for j, length in enumerate(LENGTHS):
        expected = stack_reference(stack, x[:length, j].numpy())
        close(outputs[:length, j], expected)


OUTPUTS = torch.tensor(
    [
        [[-1.0, -8.0], [-3.0, -1.0]],
        [[-5.0, -2.0], [9.0, 7.0]],
        [[-6.0, -5.0], [8.0, 6.0]],
    ]
)


@pytest.mark.parametrize(
    "how, both, expected",
    [
        ("last", False, [[-6, -5], [-3, -1]]),
        ("last", True, [[-6, -8], [-3, -1]]),
        ("mean", False, [[-4, -5], [-3, -1]]),
        ("max", False, [[-1, -2], [-3, -1]]),
        ("concat", False, [[-6, -5, -4, -5, -1, -2], [-3, -1, -3, -1, -3, -1]]),
        ("concat", True, [[-6, -8, -4, -5, -1, -2], [-3, -1, -3, -1, -3, -1]]),
    ],
)
def test_pool_reads_only_valid_steps(how, both, expected):
    assert pool(OUTPUTS, torch.tensor([3, 1]), how, both).tolist() == expected


@pytest.mark.parametrize(
    "how, both, expected",
    [
        ("last", False, [[-6, -5], [8, 6]]),
        ("last", True, [[-6, -8], [8, -1]]),
        ("mean", False, [[-4, -5], [14 / 3, 4]]),
        ("max", True, [[-1, -2], [9, 7]]),
        ("concat", True, [[-6, -8, -4, -5, -1, -2], [8, -1, 14 / 3, 4, 9, 7]]),
    ],
)
def test_pool_reads_every_step_of_full_sequences(how, both, expected):
    close(pool(OUTPUTS, None, how, both), expected, 1e-6)


def test_mean_and_max_send_no_gradient_into_padding():
    outputs = OUTPUTS.clone().requires_grad_()
    for how in ("mean", "max"):
        pool(outputs, torch.tensor([3, 1]), how, False).sum().backward()
    assert outputs.grad[1:, 1].tolist() == [[0, 0], [0, 0]]
    assert outputs.grad[0, 1].tolist() == [2, 2]


def small_network(cell="gru", seed=0, **options):
    options = {"dtype": torch.float64, **options}
    return build_network(cell, 3, 4, 2, generator=private(seed), **options)


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "concat"])
@pytest.mark.parametrize("bidirectional", [False, True])
@each_cell
def test_network_equals_references_pooled_and_projected(cell, bidirectional, pooling):
    network = small_network(
        cell, num_layers=2, bidirectional=bidirectional, pooling=pooling
    )
    x = normal(5, 4, 3)
    A, a = (p.detach().numpy() for p in network.head.parameters())
    expected = []
    for j, length in enumerate(LENGTHS):
        y = stack_reference(network.stack, x[:length, j].numpy())
        last = np.concatenate([y[-1, :4], y[0, 4:]])
        pooled = {"last": last, "mean": y.mean(0), "max": y.max(0)}
        pooled["concat"] = np.concatenate(list(pooled.values()))
        expected.append(A @ pooled[pooling] + a)
    with torch.inference_mode():
        close(network(Inputs(x, LENGTHS)), np.stack(expected))
    close(network(Inputs(x, LENGTHS)), np.stack(expected))


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "concat"])
@each_cell
def test_padding_changes_neither_answers_nor_gradients(cell, pooling):
    network = small_network(cell, num_layers=2, bidirectional=True, pooling=pooling)
    x, found = normal(5, 4, 3), []
    for extra, filling in ((0, 0.0), (0, 50.0), (7, -50.0)):
        padded = torch.full((5 + extra, 4, 3), filling, dtype=torch.float64)
        for j, length in enumerate(LENGTHS):
            padded[:length, j] = x[:length, j]
        network.zero_grad()
        answers = network(Inputs(padded, LENGTHS))
        (answers * normal(4, 2, seed=1)).sum().backward()
        found.append([answers, *(p.grad for p in network.parameters())])
    for other in found[1:]:
        for one, two in zip(found[0], other, strict=True):
            close(two, one.detach())


@each_cell
def test_a_batch_answers_as_each_sequence_alone(cell):
    network = small_network(cell, bidirectional=True)
    x = normal(5, 4, 3)
    with torch.inference_mode():
        together = network(Inputs(x, LENGTHS))
        for j, length in enumerate(LENGTHS):
            alone = network(Inputs(x[:length, j : j + 1], None))
            close(together[j : j + 1], alone)


def test_dropout_keeps_the_mean_and_scales_what_it_keeps():
    dropped = drop(torch.ones(100_000), 0.3, True, private())
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], torch.full((int(kept.sum()),), 1 / 0.7))
    assert abs(dropped.mean() - 1) < 0.01


def test_dropout_masks_come_from_the_given_generator():
    network = small_network(num_layers=2, dropout=0.5).train()
    inputs = Inputs(normal(5, 4, 3), None)
    before = torch.get_rng_state()
    first, again, other = (network(inputs, private(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_moves_its_generator_from_batch_to_batch():
    network, generator = small_network(dropout=0.5).train(), private()
    inputs = Inputs(normal(5, 4, 3), None)
    assert not torch.equal(network(inputs, generator), network(inputs, generator))


def test_dropout_acts_between_layers_and_before_the_head():
    ones, generator = torch.ones(4, 5, 3, dtype=torch.float64), private()
    stack = make_stack("gru", 2, 1, dropout=0.5).train()
    below, _ = stack.layers[0][0](ones)
    mask = torch.empty_like(below).bernoulli_(0.5, generator=private())
    expected, _ = stack.layers[1][0](below * mask * 2)
    close(stack(ones, generator=generator)[0], expected.detach())


def test_there_is_no_dropout_in_evaluation():
    inputs = Inputs(normal(5, 4, 3), None)
    with_dropout = small_network(num_layers=2, dropout=0.5).eval()
    without = small_network(num_layers=2).train()
    generator = private()
    before = generator.get_state()
    assert torch.equal(with_dropout(inputs, generator), without(inputs))
    assert torch.equal(generator.get_state(), before)


class WrappedGRU(nn.Module):
    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.gru = nn.GRU(input_size, hidden_size, batch_first=True)

    def forward(self, x, state=None):
        return self.gru(x, state)


@pytest.mark.parametrize("cell", [*CELLS, WrappedGRU])
def test_same_generator_seed_gives_the_same_weights(cell):
    options = {"num_layers": 2, "bidirectional": True}
    first, again, other = (small_network(cell, s, **options) for s in (3, 3, 4))
    for name, weight in first.named_parameters():
        assert torch.equal(weight, again.get_parameter(name))
        if weight.ndim == 2:
            assert not torch.equal(weight, other.get_parameter(name))


@pytest.mark.parametrize("cell", [*CELLS, WrappedGRU])
def test_building_leaves_the_global_generator_alone(cell):
    before = torch.get_rng_state()
    small_network(cell, num_layers=2, vocabulary_size=9)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("cell", [*CELLS, WrappedGRU])
def test_weights_do_not_depend_on_the_global_generator(cell):
    networks = []
    with torch.random.fork_rng():
        for seed in (1, 2):
            torch.manual_seed(seed)
            networks.append(small_network(cell))
    for one, two in zip(*(n.parameters() for n in networks), strict=True):
        assert torch.equal(one, two)


def test_layers_and_directions_have_weights_of_their_own():
    network = small_network("gru", num_layers=3, bidirectional=True)
    weights = [layer.weight_hh for level in network.stack.layers for layer in level]
    for k, weight in enumerate(weights):
        assert not any(torch.equal(weight, other) for other in weights[:k])


@each_cell
def test_recurrent_blocks_start_orthogonal(cell):
    network = build_network(cell, 3, 8, 2, generator=private(), num_layers=2)
    for level in network.stack.layers:
        for block in level[0].weight_hh.detach().split(8):
            close(block @ block.t(), np.eye(8), 1e-5)


@each_cell
def test_forget_gate_bias_is_one_and_every_other_bias_zero(cell):
    network = small_network(cell, num_layers=2, bidirectional=True)
    expected = [0.0] * 4 * GATES[cell]
    if cell == "lstm":
        expected[4:8] = [1.0] * 4
    for level in network.stack.layers:
        for layer in level:
            assert layer.bias.tolist() == expected
            if cell == "gru":
                assert layer.bias_n.tolist() == [0.0] * 4
    assert network.head.bias.tolist() == [0.0, 0.0]


@each_cell
def test_input_weights_start_in_glorot_bounds_gate_by_gate(cell):
    network = build_network(cell, 30, 20, 10, generator=private())
    blocks = network.stack.layers[0][0].weight_ih.detach().split(20)
    assert len(blocks) == GATES[cell]
    bound = np.sqrt(6 / (30 + 20))
    for block in blocks:
        assert 0.98 * bound < block.abs().max() <= bound
        assert block.std() == pytest.approx(bound / np.sqrt(3), rel=0.1)
    bound = np.sqrt(6 / (20 + 10))
    assert 0.95 * bound < network.head.weight.abs().max() <= bound


@pytest.mark.parametrize("embedding, size", [("auto", 64), (5, 5)])
def test_embedding_starts_with_unit_variance(embedding, size):
    network = small_network(vocabulary_size=300, embedding=embedding)
    table = network.embedding.weight.detach()
    assert table.shape == (300, size)
    assert table.mean().item() == pytest.approx(0, abs=0.1)
    assert table.std().item() == pytest.approx(1, abs=0.1)


def test_auto_embedding_of_a_small_vocabulary_is_as_wide_as_the_vocabulary():
    assert small_network(vocabulary_size=9).embedding.weight.shape == (9, 9)


def test_embedded_codes_answer_as_their_rows_of_the_table():
    network = small_network(vocabulary_size=9, embedding=5)
    codes = torch.tensor([[4, 8], [5, 6], [0, 7]])
    lengths = torch.tensor([2, 3])
    rows = network.embedding.weight[codes]
    answers = network(Inputs(codes, lengths))
    network.embedding = None
    assert torch.equal(answers, network(Inputs(rows, lengths)))


def test_pretrained_embedding_is_copied_and_trained():
    pretrained = normal(9, 5)
    kept = pretrained.clone()
    network = small_network(vocabulary_size=9, embedding=pretrained)
    assert torch.equal(network.embedding.weight, kept)
    network(Inputs(torch.tensor([[4], [5]]), None)).sum().backward()
    assert network.embedding.weight.grad[4:6].abs().min() > 0
    with torch.no_grad():
        network.embedding.weight.zero_()
    assert torch.equal(pretrained, kept)


def test_onehot_network_has_no_table_and_looks_codes_up():
    network = small_network(vocabulary_size=9, embedding="onehot")
    codes = torch.tensor([[4, 8], [5, 6], [0, 7]])
    layer = network.stack.layers[0][0]
    y = [reference(layer, np.eye(9)[codes[:, j].numpy()])[0][-1] for j in range(2)]
    A, a = (p.detach().numpy() for p in network.head.parameters())
    assert network.embedding is None
    close(network(Inputs(codes, None)), np.stack(y) @ A.T + a)


def test_callable_cell_reads_batches_first():
    network = small_network(WrappedGRU)
    x = normal(5, 4, 3)
    gru = network.stack.layers[0][0].module.gru
    _, h = gru(x.transpose(0, 1))
    assert torch.equal(network(Inputs(x, None)), network.head(h[0]))


def test_callable_cell_may_be_a_torch_module_itself():
    network = small_network(lambda F, H: nn.LSTM(F, H, batch_first=True))
    x = normal(5, 4, 3)
    _, (h, _) = network.stack.layers[0][0].module(x.transpose(0, 1))
    assert torch.equal(network(Inputs(x, None)), network.head(h[0]))


@pytest.mark.parametrize("bidirectional", [False, True])
def test_callable_cell_ignores_padding(bidirectional):
    network = small_network(WrappedGRU, num_layers=2, bidirectional=bidirectional)
    x = normal(5, 4, 3)
    with torch.inference_mode():
        together = network(Inputs(x, LENGTHS))
        for j, length in enumerate(LENGTHS):
            alone = network(Inputs(x[:length, j : j + 1], None))
            close(together[j : j + 1], alone)


class OnlyLast(WrappedGRU):
    def forward(self, x, state=None):
        outputs, state = super().forward(x, state)
        return outputs[:, -1], state


@pytest.mark.parametrize(
    "cell, shape",
    [(OnlyLast, r"\(4, 7\)"), (lambda F, H: WrappedGRU(F, 6), r"\(4, 5, 6\)")],
    ids=["last step only", "wrong width"],
)
def test_callable_cell_with_wrong_outputs_is_refused(cell, shape):
    layer = CustomLayer(cell, 3, 7).double()
    message = rf"outputs of shape {shape}; expected .* = \(4, 5, 7\)"
    with pytest.raises(ValueError, match=message):
        layer(normal(5, 4, 3))


def test_onehot_with_a_callable_cell_is_refused():
    with pytest.raises(ValueError, match=r'embedding="onehot".*callable cell'):
        small_network(WrappedGRU, vocabulary_size=9, embedding="onehot")


@each_mode
@each_kind
def test_bfloat16_answers_are_close_to_float32(cell, activation, mode):
    options = {
        "dtype": torch.float32,
        "activation": activation,
        "num_layers": 2,
        "bidirectional": True,
        "pooling": "mean",
    }
    x = normal(6, 4, 3, dtype=torch.float32)
    with mode():
        full = small_network(cell, **options)(Inputs(x, None))
        network = small_network(cell, compute_dtype=torch.bfloat16, **options)
        half = network(Inputs(x, None))
    assert half.dtype == torch.float32
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert not torch.equal(half, full)
    torch.testing.assert_close(half, full, rtol=1e-2, atol=1e-2)


@each_cell
def test_bfloat16_gradients_point_where_float32_ones_do(cell):
    grads = []
    for compute_dtype in (None, torch.bfloat16):
        network = small_network(cell, dtype=torch.float32, compute_dtype=compute_dtype)
        x = normal(6, 4, 3, dtype=torch.float32)
        network(Inputs(x, None)).square().sum().backward()
        grads.append(torch.cat([p.grad.flatten() for p in network.parameters()]))
    assert torch.cosine_similarity(*grads, dim=0) > 0.999
