"""Training the network of a generator, and reading texts with it."""

import numpy as np
import pytest
import torch

from sklearn_rnn._core.randomness import torch_generator
from sklearn_rnn._nn.builders import build_language_network
from sklearn_rnn._nn.language import compute_step_losses
from sklearn_rnn._training import corpus as _corpus
from sklearn_rnn._training.corpus import gather_window, make_corpus, tbptt_windows
from sklearn_rnn._training.net import make_net
from sklearn_rnn.generation import _net
from sklearn_rnn.generation._net import (
    LanguageNet,
    TextExamples,
    read_corpus,
    split_corpus,
    token_losses,
)

V = 9
LENGTHS = [7, 0, 12, 3, 7, 1]


@pytest.fixture(params=["rnn", "lstm", "gru"])
def module(request):
    return build_language_network(
        request.param, V, 6, generator=torch_generator(0, 0), num_layers=2
    ).eval()


@pytest.fixture
def corpus():
    rng = np.random.default_rng(0)
    flat = rng.integers(4, V, size=sum(LENGTHS)).astype(np.uint8)
    return make_corpus(np.array(LENGTHS), flat)


def document(corpus, row):
    start, length = corpus.starts[row], corpus.lengths[row]
    codes = corpus.codes[start : start + length + 1].astype(np.int64)
    return torch.from_numpy(codes).unsqueeze(1)


@torch.inference_mode()
def one_by_one(module, corpus):
    losses = []
    for row in range(len(corpus.lengths)):
        codes = document(corpus, row)
        logits, _ = module(codes[:-1])
        logp = torch.log_softmax(logits[:, 0], 1)
        losses.append(-logp.gather(1, codes[1:])[:, 0].numpy())
    return np.concatenate(losses)


@pytest.mark.parametrize("room", [1, 40, 2**22])
def test_documents_are_predicted_independently(module, corpus, room, monkeypatch):
    monkeypatch.setattr(_net, "MAX_LOGITS", room)
    monkeypatch.setattr(_net, "MAX_DOCUMENTS", 4)
    np.testing.assert_allclose(
        token_losses(module, corpus), one_by_one(module, corpus), rtol=1e-4, atol=1e-6
    )


def test_the_tail_of_a_document_is_predicted_from_zero_state(module, corpus):
    _, tail = corpus.part(np.array([2])).cut(5)
    codes = document(tail, 0)
    with torch.inference_mode():
        logits, _ = module(codes[:-1])
    expected = torch.nn.functional.cross_entropy(
        logits[:, 0], codes[1:, 0], reduction="none"
    )
    np.testing.assert_allclose(token_losses(module, tail), expected, rtol=1e-4)


@pytest.mark.parametrize("at_once", [3, 2**12])
def test_documents_are_read_independently(module, corpus, at_once, monkeypatch):
    monkeypatch.setattr(_net, "MAX_STEPS", at_once)
    monkeypatch.setattr(_net, "MAX_DOCUMENTS", 4)
    outputs, states = read_corpus(module, corpus)
    for row in range(len(LENGTHS)):
        with torch.inference_mode():
            expected, last = module.read(document(corpus, row)[:-1])
        np.testing.assert_allclose(outputs[row], expected[-1, 0], rtol=1e-4, atol=1e-6)
        for found, given in zip(states, last, strict=True):
            found, given = found[0], given[0]
            if not isinstance(found, tuple):
                found, given = (found,), (given,)
            for a, b in zip(found, given, strict=True):
                np.testing.assert_allclose(a[row], b[0], rtol=1e-4, atol=1e-6)


def net_around(module):
    return make_net(
        LanguageNet,
        module,
        torch.nn.Identity(),
        optimizer="sgd",
        learning_rate=0.1,
        weight_decay=0,
        average=False,
        callbacks=None,
        device=torch.device("cpu"),
    )


def test_successive_windows_are_read_like_one_sequence(module, corpus, monkeypatch):
    monkeypatch.setattr(_corpus, "WINDOWS_PER_LANE", 1)
    net = net_around(module)
    net.dropout_generator = None
    text, total, n = TextExamples(corpus, window=4), 0.0, 0
    windows = list(tbptt_windows(corpus, 4, 2, np.random.default_rng(1)))
    pieces = [w.starts[w.fresh] for w in windows]
    cut = set(np.concatenate(pieces)) - set(corpus.starts)
    for batch in net._batches(text, 2, np.random.default_rng(1)):
        loss, _, size = net._loss(batch)
        assert loss.requires_grad
        carried = net.states[-1][0]
        for state in carried if isinstance(carried, tuple) else (carried,):
            assert not state.requires_grad  # gradients end with the window
        total, n = total + loss.item() * size, n + size
    assert n == pytest.approx(corpus.n_steps)
    starts = np.sort([*corpus.starts, *cut])
    ends = np.sort([*(corpus.starts + corpus.lengths), *cut])
    parts = _corpus.Corpus(corpus.codes, starts, ends - starts)
    assert total == pytest.approx(one_by_one(module, parts).sum(), rel=1e-5)


def test_the_loss_is_the_mean_over_valid_steps(module, corpus):
    net = net_around(module)
    net.dropout_generator = None
    (window,) = list(tbptt_windows(corpus, 50, 99, np.random.default_rng(0)))
    inputs, _, valid = gather_window(corpus, window)
    assert valid.sum() < inputs.size
    batch = next(net._batches(TextExamples(corpus, 50), 99, np.random.default_rng(0)))
    loss, _, n_rows = net._loss(batch)
    assert n_rows == corpus.n_steps
    assert loss.item() == pytest.approx(one_by_one(module, corpus).mean(), rel=1e-5)


@pytest.mark.parametrize("step", [None, 3, 7], ids=["lanes", "overlap", "gaps"])
@pytest.mark.parametrize("window", [4, 5, 50])
def test_a_step_has_the_same_weight_in_windows_of_any_size(
    module, corpus, window, step, monkeypatch
):
    monkeypatch.setattr(_corpus, "WINDOWS_PER_LANE", 1)
    net = net_around(module)
    net.dropout_generator = None
    sizes, factors = [], []
    for batch in net._batches(
        TextExamples(corpus, window, step), 2, np.random.default_rng(0)
    ):
        loss, logits, _ = net._loss(batch)
        is_valid = torch.ones(logits.shape[:2], dtype=bool)
        is_valid = is_valid if batch[2] is None else batch[2]
        losses = compute_step_losses(logits, batch[1])[is_valid]
        sizes.append(len(losses))
        factors.append((loss / losses.sum()).item())
    assert len(set(sizes)) > 1
    np.testing.assert_allclose(factors, 1 / np.mean(sizes), rtol=1e-5)


class Halves:
    """A splitter that holds out the second half in its last split."""

    def split(self, X, y=None, groups=None):
        rows = np.arange(len(X))
        yield rows[len(X) // 2 :], rows[: len(X) // 2]
        yield rows[: len(X) // 2], rows[len(X) // 2 :]


def test_documents_are_held_out(corpus):
    rng = np.random.default_rng(0)
    train, valid = split_corpus(corpus, 0.3, rng)
    assert len(valid.lengths) == 2
    assert sorted([*train.starts, *valid.starts]) == corpus.starts.tolist()
    train, valid = split_corpus(corpus, Halves(), rng)
    np.testing.assert_array_equal(train.starts, corpus.starts[:3])
    np.testing.assert_array_equal(valid.starts, corpus.starts[3:])


def test_the_end_of_a_single_document_is_held_out(corpus):
    document = corpus.part(np.array([2]))
    train, valid = split_corpus(document, 0.25, np.random.default_rng(0))
    assert (train.n_steps, valid.n_steps) == (9, 4)
    assert valid.starts[0] == document.starts[0] + 9
    with pytest.raises(ValueError, match=r"0\.99 of 13 steps leaves no step"):
        split_corpus(document, 0.99, np.random.default_rng(0))
