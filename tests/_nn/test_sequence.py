"""The network of classifiers and regressors, compared with numpy and known values."""

import numpy as np
import pytest
import torch
from reference_cells import read_sequence, read_stack
from small_networks import (
    LENGTHS,
    close,
    each_cell,
    each_kind,
    each_mode,
    make_network,
    normal,
    private,
)

from sklearn_rnn._nn.sequence import Inputs, pool

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


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "concat"])
@pytest.mark.parametrize("bidirectional", [False, True])
@each_cell
def test_network_equals_references_pooled_and_projected(cell, bidirectional, pooling):
    network = make_network(
        cell, num_layers=2, bidirectional=bidirectional, pooling=pooling
    )
    x = normal(5, 4, 3)
    A, a = (p.detach().numpy() for p in network.head.parameters())
    expected = []
    for j, length in enumerate(LENGTHS):
        y = read_stack(network.stack, x[:length, j].numpy())
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
    network = make_network(cell, num_layers=2, bidirectional=True, pooling=pooling)
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
    network = make_network(cell, bidirectional=True)
    x = normal(5, 4, 3)
    with torch.inference_mode():
        together = network(Inputs(x, LENGTHS))
        for j, length in enumerate(LENGTHS):
            alone = network(Inputs(x[:length, j : j + 1], None))
            close(together[j : j + 1], alone)


def test_dropout_masks_come_from_the_given_generator():
    network = make_network(num_layers=2, dropout=0.5).train()
    inputs = Inputs(normal(5, 4, 3), None)
    before = torch.get_rng_state()
    first, again, other = (network(inputs, private(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_moves_its_generator_from_batch_to_batch():
    network, generator = make_network(dropout=0.5).train(), private()
    inputs = Inputs(normal(5, 4, 3), None)
    assert not torch.equal(network(inputs, generator), network(inputs, generator))


def test_another_dropout_acts_everywhere():
    codes = torch.tensor([[4, 8], [5, 6], [0, 7]])
    options = {"vocabulary_size": 9, "embedding": 3, "num_layers": 2}
    expected = make_network(dropout=0.5, **options)(Inputs(codes, None), private(1))
    network = make_network(dropout=0.0, **options)
    network.set_dropout(0.5)
    assert torch.equal(network(Inputs(codes, None), private(1)), expected)


def test_there_is_no_dropout_in_evaluation():
    inputs = Inputs(normal(5, 4, 3), None)
    with_dropout = make_network(num_layers=2, dropout=0.5).eval()
    without = make_network(num_layers=2).train()
    generator = private()
    before = generator.get_state()
    assert torch.equal(with_dropout(inputs, generator), without(inputs))
    assert torch.equal(generator.get_state(), before)


def test_embedded_codes_answer_as_their_rows_of_the_table():
    network = make_network(vocabulary_size=9, embedding=5)
    codes = torch.tensor([[4, 8], [5, 6], [0, 7]])
    lengths = torch.tensor([2, 3])
    rows = network.embedding.weight[codes]
    answers = network(Inputs(codes, lengths))
    network.embedding = None
    assert torch.equal(answers, network(Inputs(rows, lengths)))


def test_onehot_network_has_no_table_and_looks_codes_up():
    network = make_network(vocabulary_size=9, embedding="onehot")
    codes = torch.tensor([[4, 8], [5, 6], [0, 7]])
    layer = network.stack.layers[0][0]
    y = [read_sequence(layer, np.eye(9)[codes[:, j].numpy()])[0][-1] for j in range(2)]
    A, a = (p.detach().numpy() for p in network.head.parameters())
    assert network.embedding is None
    close(network(Inputs(codes, None)), np.stack(y) @ A.T + a)


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
        full = make_network(cell, **options)(Inputs(x, None))
        network = make_network(cell, compute_dtype=torch.bfloat16, **options)
        half = network(Inputs(x, None))
    assert half.dtype == torch.float32
    assert {p.dtype for p in network.parameters()} == {torch.float32}
    assert not torch.equal(half, full)
    torch.testing.assert_close(half, full, rtol=1e-2, atol=1e-2)


@each_cell
def test_bfloat16_gradients_point_where_float32_ones_do(cell):
    grads = []
    for compute_dtype in (None, torch.bfloat16):
        network = make_network(cell, dtype=torch.float32, compute_dtype=compute_dtype)
        x = normal(6, 4, 3, dtype=torch.float32)
        network(Inputs(x, None)).square().sum().backward()
        grads.append(torch.cat([p.grad.flatten() for p in network.parameters()]))
    assert torch.cosine_similarity(*grads, dim=0) > 0.999


@pytest.mark.parametrize("pooling", ["last", "mean", "max", "concat", None])
@each_kind
def test_long_sequences_are_read_in_chunks(cell, activation, pooling, monkeypatch):
    network = make_network(
        cell, activation=activation, num_layers=2, pooling=pooling
    ).eval()
    inputs = Inputs(normal(50, 2, 3), None)
    with torch.inference_mode():
        whole, pooled = network(inputs), network.read_and_pool(inputs, pooling)
        monkeypatch.setattr("sklearn_rnn._nn.sequence.STEPS_PER_CHUNK", 7)
        lengths = []
        read = network.stack.forward
        monkeypatch.setattr(
            network.stack,
            "forward",
            lambda x, *others: lengths.append(len(x)) or read(x, *others),
        )
        close(network(inputs), whole)
        close(network.read_and_pool(inputs, pooling), pooled)
    assert lengths == 2 * ([7] * 7 + [1])


@pytest.mark.parametrize("options", [{"bidirectional": True}, {"cell": "custom"}, {}])
def test_what_cannot_be_read_in_chunks_is_read_whole(options, monkeypatch):
    monkeypatch.setattr("sklearn_rnn._nn.sequence.STEPS_PER_CHUNK", 7)
    if options.get("cell"):
        options = {"cell": lambda n, m: torch.nn.GRU(n, m, batch_first=True).double()}
    network = make_network(**options).eval()
    lengths = []
    network.stack.register_forward_pre_hook(lambda _, x: lengths.append(len(x[0])))
    with torch.set_grad_enabled(not options):  # the gradient also needs all steps
        network(Inputs(normal(50, 2, 3), None))
    assert lengths == [50]
