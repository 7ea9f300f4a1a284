"""Delayed steps of Adam for the rows of an embedding that batches do not read."""

import numpy as np
import pytest
import skorch
import torch
from network_weights import weights
from torch.nn.utils import parametrize

from sklearn_rnn import RNNClassifier
from sklearn_rnn._nn import compiled
from sklearn_rnn._nn.compiled import find_numba
from sklearn_rnn._training import sequence_net
from sklearn_rnn._training.delayed import DelayedRows
from sklearn_rnn._training.flat import step_kernel
from sklearn_rnn.text import CharVectorizer

pytestmark = pytest.mark.skipif(
    find_numba() is None, reason="numba, of the extra fast, is not installed"
)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_delayed_steps_give_the_bits_of_steps_of_all_rows(dtype):
    generator = torch.Generator().manual_seed(0)
    tensors = [torch.zeros(40, 17, dtype=dtype) for _ in range(5)]
    tensors[0].normal_(generator=generator)
    expected = [tensor.clone() for tensor in tensors]
    delayed = DelayedRows(*tensors)
    for n_steps in (70, 3):
        for t in range(1, 1 + n_steps):
            codes = torch.randint(t % 39 + 1, (3, 2), generator=generator)
            delayed.read(codes)
            rows = codes.unique()
            assert torch.equal(tensors[0][rows], expected[0][rows])
            gradient = torch.randn(len(rows), 17, generator=generator, dtype=dtype)
            for other in (tensors, expected):
                other[1].index_copy_(0, rows, gradient)
            rate, root = 0.01 / (1 - 0.9**t), (1 - 0.999**t) ** -0.5
            numbers = [rate, 0.1, 0.001, root, 1e-6, 0.999, 4 / (t + 3)]
            scalars = np.array(numbers, expected[0].numpy().dtype)
            delayed.step(scalars)
            step_kernel(*[tensor.view(-1).numpy() for tensor in expected], scalars)
            expected[1].zero_()
        delayed.finish()
        for found, other in zip(tensors, expected, strict=True):
            assert torch.equal(found, other)


class Idle(skorch.callbacks.Callback):
    """A callback, with which no step is delayed."""


TEXTS = ["recurrent", "network", "layers", "read", "words", "of", "any", "length"]
SETTINGS = {"hidden_size": 4, "max_epochs": 3, "batch_size": 5, "embedding": 8}
SETTINGS |= {"gradient_clip": 0.3, "random_state": 0, "early_stopping": True}


@pytest.fixture
def count(monkeypatch):
    """A list with one element per delayed step, also of small embeddings."""
    monkeypatch.setattr(sequence_net, "LEAST_WEIGHTS", 1)
    used, step = [], DelayedRows.step
    monkeypatch.setattr(
        DelayedRows, "step", lambda *args: (used.append(1), step(*args))
    )
    return used


@pytest.fixture
def data():
    return CharVectorizer().fit_transform(TEXTS * 3), [0, 1] * 12


def test_a_fit_with_delayed_steps_is_the_same(count, data):
    models = []
    for callbacks in (None, [Idle()]):
        model = RNNClassifier("gru", callbacks=callbacks, **SETTINGS).fit(*data)
        models.append(model.set_params(warm_start=True).fit(*data))
        assert len(count) == 30  # only without callbacks
    for ours, theirs in zip(*map(weights, models), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)
    assert models[0].loss_curve_ == pytest.approx(models[1].loss_curve_, rel=1e-5)


def test_callbacks_that_only_print_change_no_bits(count, data):
    silent = skorch.callbacks.PrintLog(sink=lambda text: None)
    model, other = (
        RNNClassifier("gru", callbacks=callbacks, **SETTINGS).fit(*data)
        for callbacks in (None, [silent])
    )
    assert len(count) == 30
    for ours, theirs in zip(weights(model), weights(other), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_all_steps_of_a_training_are_computed_by_the_same_code(
    count, data, monkeypatch
):
    expected = weights(RNNClassifier("gru", **SETTINGS).fit(*data))
    read = DelayedRows.read

    def disable(*args):
        monkeypatch.setattr(compiled, "_is_enabled", len(count) % 2)
        return read(*args)

    monkeypatch.setattr(DelayedRows, "read", disable)
    found = weights(RNNClassifier("gru", **SETTINGS).fit(*data))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-6)


class Tanh(torch.nn.Module):
    """A parametrization."""

    def forward(self, weight):
        return weight.tanh()


@pytest.mark.parametrize(
    "change",
    [
        lambda module: module.head.register_forward_hook(lambda *args: None),
        lambda module: module.stack.register_full_backward_pre_hook(lambda *args: None),
        lambda module: parametrize.register_parametrization(
            module.embedding, "weight", Tanh()
        ),
    ],
)
def test_steps_are_not_delayed_if_other_functions_use_the_network(count, data, change):
    model = RNNClassifier("gru", warm_start=True, **SETTINGS).fit(*data)
    change(model.net_.module_)
    count.clear()
    model.fit(*data)
    assert not count
