"""Batches of pairs, and training of the net of a translator."""

import copy
import pickle
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.model_selection import KFold

from sklearn_rnn._data.sequences import from_tokens
from sklearn_rnn._data.tokens import END, START, TokenArray
from sklearn_rnn._nn.builders import build_translation_network
from sklearn_rnn._training.corpus import make_corpus
from sklearn_rnn.translation._net import Pairs, TranslationNet

OPTIONS = {"sampling_rate": 0.25, "label_smoothing": 0.1, "stop_on": "accuracy"}
SOURCES = TokenArray(np.array([[4, 5, 6], [6, 4, 0], [5, 0, 0]] * 4), 8)
TARGETS = ([3, 2, 1] * 4, [6, 5, 4, 4, 6, 5] * 4)


def pairs():
    lengths, flat = map(np.array, TARGETS)
    sources = from_tokens(SOURCES)
    return Pairs(sources, make_corpus(lengths, flat), np.arange(len(SOURCES)))


def net(**options):
    module = build_translation_network(
        "gru",
        1,
        6,
        8,
        generator=torch.Generator().manual_seed(0),
        dtype=torch.float32,
        num_layers=1,
        bidirectional=True,
        decoder_cell=None,
        decoder_size=None,
        decoder_layers=None,
        attention="dot",
        activation="tanh",
        dropout=0.0,
        reverse_source=False,
        source_vocabulary_size=8,
        embedding="auto",
    )
    made = TranslationNet(module, torch.nn.Identity(), train_split=None, **options)
    made.initialize()
    made.dropout_generator = torch.Generator().manual_seed(0)
    return made


def batch(rows=(0, 1, 2)):
    return pairs().gather_batch(np.array(rows), torch.device("cpu"))


# ---------------------------------------------------------------- pairs


def test_a_batch_contains_codes_and_next_codes():
    inputs, codes, next_codes, valid = batch()
    assert_array_equal(inputs.values.T, np.asarray(SOURCES)[:3])
    assert_array_equal(codes.T[0], [START, 6, 5, 4])
    assert_array_equal(next_codes.T[0], [6, 5, 4, END])
    assert_array_equal(valid.sum(0), [4, 3, 2])
    assert batch([0, 3])[3] is None


@pytest.mark.parametrize("fraction", [0.25, KFold(4)], ids=["share", "splitter"])
def test_pairs_train_or_are_held_out(fraction):
    train, held_out = pairs().split(fraction, np.random.default_rng(0))
    assert len(held_out.rows) == 3
    assert sorted([*train.rows, *held_out.rows]) == list(range(12))
    assert train.targets is held_out.targets


# ---------------------------------------------------------------- options


def test_options_are_arguments_of_the_constructor():
    plain = net()
    assert (plain.sampling_rate, plain.label_smoothing) == (0, 0)
    assert plain.stop_on == "loss"
    made = net(**OPTIONS)
    assert OPTIONS.items() <= made.get_params().items()
    assert made.set_params(sampling_rate=0.5).sampling_rate == 0.5
    with pytest.raises(ValueError, match=r"unexpected argument.*sampling_rat"):
        net(sampling_rat=0.5)


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda net: pickle.loads(pickle.dumps(net))]
)
def test_options_are_copied_and_pickled(duplicate):
    made = net(**OPTIONS)
    del made.dropout_generator  # which exists only during training
    again = duplicate(made)
    assert {name: getattr(again, name) for name in OPTIONS} == OPTIONS
    for a, b in zip(again.module_.parameters(), made.module_.parameters(), strict=True):
        assert torch.equal(a, b)


# ---------------------------------------------------------------- training


def expected_nats():
    """Compute the loss of each code of three targets, pair by pair."""
    found = []
    for row in range(3):
        inputs, codes, next_codes, _ = batch([row])
        with torch.inference_mode():
            logp = torch.log_softmax(net().module_(inputs, codes).double(), dim=2)
        found += logp[range(len(codes)), 0, next_codes[:, 0]].neg().tolist()
    return found


def test_the_loss_is_the_mean_over_the_codes_of_the_targets():
    nats = expected_nats()
    loss, logits, n_codes = net()._loss((*batch(), len(nats)))
    assert n_codes == len(logits) == len(nats) == 9
    assert_allclose(loss.item(), np.mean(nats), rtol=1e-5)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
@pytest.mark.parametrize("batch_size", [1, 7])
def test_a_code_has_the_same_weight_in_batches_of_any_size(batch_size, smoothing):
    made = net(label_smoothing=smoothing)
    (whole,) = made._batches(pairs(), 12, np.random.default_rng(0))
    batches = list(made._batches(pairs(), batch_size, np.random.default_rng(0)))
    assert len({len(made._loss(part)[1]) for part in batches}) > 1
    losses = [made._loss(part)[0].item() for part in batches]
    assert_allclose(np.mean(losses), made._loss(whole)[0].item(), rtol=1e-5)


def test_label_smoothing_spreads_probability_over_all_codes():
    smooth, logits, _ = net(label_smoothing=0.2)._loss((*batch(), 9))
    uniform = -torch.log_softmax(logits, dim=1).mean()
    plain = net()._loss((*batch(), 9))[0]
    assert_allclose(smooth.item(), (0.8 * plain + 0.2 * uniform).item(), rtol=1e-5)


def test_predictions_replace_the_codes_that_the_net_reads():
    made = net(sampling_rate=1.0)
    inputs, codes, _, _ = batch()
    mixed = made._mix_in_predictions(inputs, codes)
    with torch.inference_mode():
        predicted = made.module_.eval()(inputs, codes).argmax(2)
    assert_array_equal(mixed[0], [START] * 3)
    assert_array_equal(mixed[1:], predicted[:-1])


def test_a_fraction_of_the_codes_is_replaced_by_predictions():
    made = net(sampling_rate=0.25)
    inputs, codes, _, _ = batch(list(range(0, 12, 3)) * 50)
    with torch.inference_mode():
        predicted = made.module_.eval()(inputs, codes).argmax(2)
    mixed = made._mix_in_predictions(inputs, codes)
    is_other = (predicted[:-1] != codes[1:]).numpy()
    is_replaced = (mixed[1:] != codes[1:]).numpy()
    assert is_other.any()
    assert not is_replaced[~is_other].any()
    assert_allclose(is_replaced[is_other].mean(), 0.25, atol=0.05)
    assert made.module_.training


@pytest.mark.parametrize("stop_on", ["loss", "accuracy"])
def test_validation_records_the_quantity_that_early_stopping_monitors(stop_on):
    made = net(stop_on=stop_on)
    made.module_.eval()
    made.history.new_epoch()
    made._record_validation(pairs(), SimpleNamespace(batch_size=5))
    nats = expected_nats()
    row = made.history[-1]
    assert row["valid_score"] == 0
    expected = np.mean(nats) if stop_on == "loss" else 1 - row["valid_score"]
    assert_allclose(row["valid_loss"], expected, rtol=1e-5)
