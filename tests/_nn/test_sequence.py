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

from sklearn_rnn._nn.masks import MaskGenerator, Share
from sklearn_rnn._nn.sequence import Inputs


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


POOLINGS = ["last", "mean", "max", "concat", None]


@pytest.fixture
def read_in_segments(monkeypatch):
    """Return a function that lets networks read in segments of 7 steps."""

    def shorten():
        for name in ("STEPS_PER_SEGMENT", "STEPS_PER_PREDICTED_SEGMENT"):
            monkeypatch.setattr(f"sklearn_rnn._nn.sequence.{name}", 7)
        monkeypatch.setattr("sklearn_rnn._nn.sequence.MOST_OUTPUTS_KEPT", 0)

    return shorten


def count_steps(network, found):
    """Append the number of steps of each forward pass to ``found``."""
    network.stack.register_forward_pre_hook(lambda _, x: found.append(len(x[0])))


@pytest.mark.parametrize("lengths", [None, [50, 3, 21, 7]], ids=["full", "padded"])
@pytest.mark.parametrize("pooling", POOLINGS)
@each_kind
def test_long_sequences_are_predicted_in_segments(
    cell, activation, pooling, lengths, read_in_segments
):
    network = make_network(
        cell, activation=activation, num_layers=2, pooling=pooling
    ).eval()
    lengths = None if lengths is None else torch.tensor(lengths)
    inputs, n_steps = Inputs(normal(50, 4, 3), lengths), []
    with torch.inference_mode():
        whole, pooled = network(inputs), network.read_and_pool(inputs, pooling)
        read_in_segments()
        count_steps(network, n_steps)
        close(network(inputs), whole)
        close(network.read_and_pool(inputs, pooling), pooled)
    assert n_steps == 2 * ([7] * 7 + [1])


@pytest.mark.parametrize("lengths", [None, [50, 3, 21, 7]], ids=["full", "padded"])
@pytest.mark.parametrize("pooling", POOLINGS)
@each_cell
def test_segments_have_the_gradients_of_the_whole(
    cell, pooling, lengths, read_in_segments
):
    network = make_network(cell, num_layers=2, pooling=pooling)
    lengths = None if lengths is None else torch.tensor(lengths)
    inputs, n_steps, results = Inputs(normal(50, 4, 3), lengths), [], []
    for prepare in (lambda: None, read_in_segments):
        prepare()
        network.zero_grad()
        outputs = network(inputs)
        (outputs * torch.arange(outputs.numel()).view_as(outputs)).sum().backward()
        results.append([outputs, *(p.grad.clone() for p in network.parameters())])
        count_steps(network, n_steps)
    for whole, segments in zip(*results, strict=True):
        torch.testing.assert_close(segments, whole, rtol=1e-9, atol=1e-9)
    assert n_steps == [*([7] * 7 + [1]), *([1] + [7] * 7)]  # forward and backward


def test_a_segment_is_computed_again_with_the_same_dropout(read_in_segments):
    read_in_segments()
    network = make_network("gru", num_layers=2, pooling=None, dropout=0.5)
    inputs, weight = Inputs(normal(20, 2, 3), None), network.stack.layers[0][0].bias

    def compute():
        return network(inputs, private()).square().sum()

    compute().backward()
    with torch.no_grad():
        weight[0] += 1e-6
    higher = compute()
    with torch.no_grad():
        weight[0] -= 2e-6
    slope = (higher - compute()) / 2e-6
    assert weight.grad[0].item() == pytest.approx(slope.item(), rel=1e-6)


@pytest.mark.parametrize("rank", [0, 1])
@pytest.mark.parametrize("pooling", ["concat", None])
def test_segments_of_a_share_have_the_masks_of_the_batch(
    pooling, rank, read_in_segments
):
    read_in_segments()
    network = make_network("gru", num_layers=2, pooling=pooling, dropout=0.5)
    values, lengths = normal(50, 4, 3), np.array([3, 50, 12, 9])
    columns, generator = slice(rank, None, 2), MaskGenerator().manual_seed(0)
    expected = network(Inputs(values, torch.tensor(lengths)), generator).detach()
    after = generator.get_state()
    row = np.arange(4)  # of each output
    if pooling is None:
        row = np.nonzero(np.arange(50)[:, None] < lengths)[1]
    expected = expected[torch.from_numpy(row % 2 == rank)]
    generator.manual_seed(0)
    generator.share = Share(lengths, columns, each_step=pooling is None)
    own = lengths[columns]
    inputs = Inputs(values[: own.max(), columns], torch.tensor(own))
    close(network(inputs, generator), expected)
    assert torch.equal(generator.get_state(), after)


@pytest.mark.parametrize("options", [{"bidirectional": True}, {"cell": "custom"}])
def test_what_cannot_be_read_in_segments_is_read_whole(options, read_in_segments):
    read_in_segments()
    if options.get("cell"):
        options = {"cell": lambda n, m: torch.nn.GRU(n, m, batch_first=True).double()}
    network, n_steps = make_network(**options).eval(), []
    count_steps(network, n_steps)
    with torch.no_grad():
        network(Inputs(normal(50, 2, 3), None))
    network(Inputs(normal(50, 2, 3), None))
    assert n_steps == [50, 50]


def test_batches_that_need_little_memory_are_trained_whole():
    network, n_steps = make_network(), []
    count_steps(network, n_steps)
    network(Inputs(normal(300, 2, 3), None))
    assert n_steps == [300]
