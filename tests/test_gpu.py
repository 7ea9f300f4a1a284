"""All networks on a GPU: fit, predict, streams, generation, files and checkpoints.

In float64, results are compared with those on the CPU. In float32, cuDNN trains in the
TensorFloat-32 format, which has three digits, so that the weights differ.
"""

import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from skorch.callbacks import Callback
from stream_models import UsersGRU

from sklearn_rnn import (
    CharVectorizer,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SequenceGenerator,
    SequenceTranslator,
    open_stream,
)
from sklearn_rnn.persistence import load, save

DEVICE = "cuda"
pytestmark = [
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    pytest.mark.filterwarnings("ignore::sklearn_rnn.forecasting.ForecastSkillWarning"),
]

RNG = np.random.default_rng(0)
SERIES = [RNG.normal(size=(length, 3)) for length in RNG.integers(2, 15, 60)]
SUMS = np.array([x.sum() for x in SERIES])
RUNNING = [x.sum(1).cumsum() for x in SERIES]
LABELS = np.where(SUMS > 0, "up", "down")
TEXTS = ["anna", "hannah", "nana", "ada", "otto", "bobo", "toto", "lotto"] * 8
PROSE = "the cat sat on the mat and the dog sat on the cat. " * 40
WORDS = [*map("".join, RNG.choice(list("abc"), (64, 4)))]
TURNED = [word[::-1] for word in WORDS]
WAVE = np.sin(np.arange(160) / 3) + RNG.normal(size=160) / 10

EXACT = {"hidden_size": 8, "precision": "float64", "random_state": 0}
SMALL = {**EXACT, "max_epochs": 3, "batch_size": 16}


def read_tokens():
    return CharVectorizer().fit_transform(TEXTS), np.arange(64) % 8 < 4


MODELS = {
    "gru": (RNNClassifier("gru", **SMALL), SERIES, LABELS),
    "lstm": (RNNClassifier("lstm", **SMALL, bidirectional=True), SERIES, LABELS),
    "rnn": (RNNClassifier("rnn", **SMALL, num_layers=2), SERIES, LABELS),
    "user's cell": (RNNRegressor(UsersGRU, **SMALL), SERIES, SUMS),
    "mean": (RNNRegressor("lstm", **SMALL, pooling="mean"), SERIES, SUMS),
    "each step": (
        RNNRegressor("gru", **SMALL, return_sequences=True),
        SERIES,
        RUNNING,
    ),
    "embedding": (RNNClassifier("gru", **SMALL, dropout=0.0), *read_tokens()),
    "one-hot": (
        RNNClassifier("lstm", **SMALL, dropout=0.0, embedding="onehot"),
        *read_tokens(),
    ),
    "early stopping": (
        RNNClassifier("gru", **SMALL, early_stopping=True),
        SERIES,
        LABELS,
    ),
    "forecaster": (RNNForecaster(**SMALL, window=12), WAVE, None),
}
each_model = pytest.mark.parametrize("name", MODELS)


def fit(name, device=DEVICE, **options):
    model, X, y = MODELS[name]
    model = type(model)(**{**model.get_params(), "device": device, **options})
    return model.fit(X) if y is None else model.fit(X, y)


def predict(model, name):
    if isinstance(model, RNNForecaster):
        return model.predict(horizon=5)
    X = MODELS[name][1]
    found = model.predict_proba(X) if hasattr(model, "predict_proba") else None
    found = model.predict(X) if found is None else found
    return np.concatenate(found) if found.dtype == object else found


@each_model
def test_a_fit_gives_what_it_gives_on_the_cpu(name):
    ours, theirs = fit(name), fit(name, "cpu")
    assert next(ours.module_.parameters()).device.type == DEVICE
    assert_allclose(predict(ours, name), predict(theirs, name), rtol=1e-6, atol=1e-9)
    assert_allclose(
        ours.net_.history[:, "train_loss"],
        theirs.net_.history[:, "train_loss"],
        rtol=1e-6,
    )


@each_model
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_same_seed_gives_the_same_bits(name, precision):
    first, second = (fit(name, precision=precision, dropout=0.2) for _ in range(2))
    for ours, theirs in zip(
        first.module_.parameters(), second.module_.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("name", ["gru", "lstm", "rnn", "embedding", "one-hot"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_sequence_alone_gets_the_answer_it_gets_in_a_batch(name, precision):
    model, X = fit(name, precision=precision), MODELS[name][1]
    whole = model.predict_proba(X)
    alone = np.concatenate([model.predict_proba(X[k : k + 1]) for k in range(12)])
    assert_allclose(alone, whole[:12], rtol=1e-5)


@pytest.mark.parametrize("name", ["gru", "rnn", "each step"])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_stepping_equals_reading(name, precision):
    model = fit(name, precision=precision)
    stream = open_stream(model)
    for step in SERIES[0]:
        answer = stream.predict(step[None])
    expected = model.predict(SERIES[:1])
    expected = expected[0][-1:] if name == "each step" else expected
    if name == "each step":
        digits = 1e-5 if precision == "float32" else 1e-9
        assert_allclose(answer, expected, rtol=digits, atol=digits * np.std(SUMS))
    else:
        assert_array_equal(answer, expected)


def test_bfloat16_learns():
    model = fit("gru", precision="bfloat16", max_epochs=30)
    assert model.score(SERIES, LABELS) > 0.85


@each_model
def test_a_warm_start_and_partial_fit_continue(name):
    _, X, y = MODELS[name]
    ours = fit(name, warm_start=True)
    other = fit(name, "cpu", warm_start=True)
    for each in (ours, other):
        each.fit(X) if y is None else each.fit(X, y)
        if hasattr(each, "partial_fit"):
            each.partial_fit(X) if y is None else each.partial_fit(X, y)
    assert_allclose(predict(ours, name), predict(other, name), rtol=1e-5, atol=1e-8)


CHECK = """
import pickle, sys, warnings
import numpy as np
import torch
from sklearn_rnn.persistence import load
sys.path.insert(0, sys.argv[2])
from test_gpu import predict
assert not torch.cuda.is_available()
warnings.simplefilter("ignore")
folder, name = sys.argv[1], sys.argv[3]
pickled = pickle.loads(open(folder + "/model.pickle", "rb").read())
for model in (pickled, load(folder + "/model.rnn")):
    assert next(model.module_.parameters()).device.type == "cpu"
    expected = np.load(folder + "/expected.npy")
    np.testing.assert_allclose(predict(model, name), expected, rtol=1e-7, atol=1e-10)
"""


@pytest.mark.parametrize("name", ["gru", "one-hot", "forecaster"])
def test_a_model_moves_to_a_machine_without_a_gpu(name, tmp_path):
    model = fit(name)
    expected = predict(model, name)
    np.save(tmp_path / "expected.npy", expected)
    (tmp_path / "model.pickle").write_bytes(pickle.dumps(model))
    save(model, tmp_path / "model.rnn")
    for again in (
        pickle.loads(pickle.dumps(model)),
        load(tmp_path / "model.rnn"),
    ):
        assert next(again.module_.parameters()).device.type == DEVICE
        assert_array_equal(predict(again, name), expected)
    subprocess.run(
        [sys.executable, "-c", CHECK, str(tmp_path), os.path.dirname(__file__), name],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
        check=True,
    )


@pytest.mark.parametrize("name", ["gru", "one-hot"])
def test_a_checkpoint_continues(name, tmp_path):
    whole = fit(name, max_epochs=4)
    fit(name, max_epochs=2, checkpoint=tmp_path)
    continued = fit(name, max_epochs=4, checkpoint=tmp_path)
    assert_array_equal(predict(continued, name), predict(whole, name))


def test_a_generator_writes_and_scores():
    models = [
        SequenceGenerator(**EXACT, max_epochs=3, window=20, device=device).fit(PROSE)
        for device in (DEVICE, "cpu")
    ]
    scores = [model.bits_per_character(PROSE) for model in models]
    assert_allclose(*scores, rtol=1e-6)
    for options in ({"temperature": 0.7}, {"beam_size": 3}):
        written = [
            model.generate(["the ", "a"], 30, random_state=0, **options)
            for model in models
        ]
        assert written[0] == written[1]
    stream = open_stream(models[0])
    assert stream is not None
    models[0].partial_fit(PROSE)


def test_a_translator_learns():
    models = [
        SequenceTranslator(
            hidden_size=32,
            max_epochs=40,
            random_state=0,
            precision=precision,
            device=device,
        ).fit(WORDS, TURNED)
        for device, precision in [(DEVICE, "float32"), (DEVICE, "float64")]
    ]
    assert all(model.score(WORDS, TURNED) > 0.8 for model in models)


def test_a_forecaster_predicts_intervals_and_streams():
    models = [
        RNNForecaster(**SMALL, window=12, device=device).fit(WAVE)
        for device in (DEVICE, "cpu")
    ]
    interval = models[0].predict_interval(horizon=4)
    assert (interval.lower < interval.upper).all()
    for answers in zip(
        *(
            (
                model.predict_interval(horizon=4).upper,
                model.sample_paths(horizon=4, n_paths=3, random_state=0),
                [model.stream().predict(value) for value in WAVE[:3]],
            )
            for model in models
        ),
        strict=True,
    ):
        assert_allclose(*answers, rtol=1e-6)


def test_a_training_that_diverges_is_an_error():
    model = RNNRegressor(
        "gru", 8, max_epochs=3, device=DEVICE, learning_rate=1e30, weight_decay=1.0
    )
    with pytest.raises(ValueError, match="training diverged in epoch"):
        model.fit(SERIES, SUMS)


def count_waits(fit_model):
    """Count how often a fit waits for the GPU."""
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            fit_model()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    return sum("synchronizing CUDA" in str(warning.message) for warning in caught)


def fit_sequences(batch_size, **options):
    RNNClassifier("gru", 8, max_epochs=2, batch_size=batch_size, **options).fit(
        SERIES, LABELS
    )


def fit_generator(batch_size):
    SequenceGenerator(
        hidden_size=8, max_epochs=2, batch_size=batch_size, window=10, device=DEVICE
    ).fit(TEXTS)


def fit_translator(batch_size):
    SequenceTranslator(
        hidden_size=8, max_epochs=2, batch_size=batch_size, device=DEVICE
    ).fit(WORDS, TURNED)


class Reader(Callback):
    """A callback, which may read the loss of each batch."""


@pytest.mark.parametrize("fit_model", [fit_sequences, fit_generator, fit_translator])
def test_a_fit_does_not_wait_for_each_batch(fit_model):
    few, many = (count_waits(lambda size=size: fit_model(size)) for size in (32, 4))
    assert few == many


def test_callbacks_read_the_loss_of_each_batch():
    few, many = (
        count_waits(lambda size=size: fit_sequences(size, callbacks=[Reader()]))
        for size in (32, 4)
    )
    assert few < many
