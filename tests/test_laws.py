"""The laws of the design, for all recurrent estimators and cells and energy models."""

import contextlib
import pickle
import random
import re
import threading

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone

from sklearn_rnn import (
    BoltzmannMachine,
    HopfieldDenoiser,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SequenceGenerator,
    SequenceTranslator,
    TokenArray,
    open_stream,
)


class UsersCell(torch.nn.Module):
    """A torch GRU as a user-defined cell."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.gru = torch.nn.GRU(input_size, hidden_size, batch_first=True)

    def forward(self, x, state):
        return self.gru(x, state)


class CellWithDropout(torch.nn.Module):
    """A cell that draws from torch's global generator during training."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.lstm = torch.nn.LSTM(
            input_size, hidden_size, num_layers=2, batch_first=True, dropout=0.5
        )

    def forward(self, x, state):
        return self.lstm(x, state)


SETTINGS = {
    "rnn": {"cell": "rnn"},
    "relu": {"cell": "rnn", "activation": "relu"},
    "lstm": {"cell": "lstm"},
    "gru": {"cell": "gru"},
    "callable": {"cell": UsersCell},
    "callable with dropout": {"cell": CellWithDropout},
    "deep both ways": {"cell": "lstm", "num_layers": 2, "bidirectional": True},
    "last": {"pooling": "last"},
    "mean": {"pooling": "mean"},
    "max": {"pooling": "max"},
    "dropout": {"num_layers": 2, "dropout": 0.5},
    "patches": {"patch_size": 3},
    "patches both ways": {"patch_size": 2, "bidirectional": True},
    "unscaled": {"scaling": False},
}


@pytest.fixture(params=SETTINGS, ids=str)
def settings(request):
    return {"hidden_size": 6, "max_epochs": 2, "random_state": 0, "batch_size": 8} | (
        SETTINGS[request.param]
    )


def by_step(settings):
    """Return settings for tokens and for predictions at each step: no patches."""
    return settings | {"patch_size": "auto"}


FITTED = {}  # by class and settings; tests do not change these models


@pytest.fixture(params=[RNNClassifier, RNNRegressor], ids=["classifier", "regressor"])
def fitted(request, settings, ragged):
    X, y = ragged
    y = y if request.param is RNNClassifier else X_sums(X)
    key = request.param, str(settings)
    if key not in FITTED:
        FITTED[key] = request.param(**settings).fit(X, y)
    return FITTED[key]


def X_sums(X):
    return np.array([x.sum() for x in X])


def answers(model, X):
    return model.predict_proba(X) if hasattr(model, "classes_") else model.predict(X)


def weights(model):
    return {name: value.numpy() for name, value in model.module_.state_dict().items()}


def assert_same_bits(model, other):
    for name, value in weights(model).items():
        np.testing.assert_array_equal(value, weights(other)[name], err_msg=name)


# ------------------------------------------------------------------ 1. one answer


def test_a_sequence_alone_gets_the_answer_it_gets_in_a_batch(fitted, ragged):
    X, _ = ragged
    together = answers(fitted, X)
    alone = np.concatenate([answers(fitted, [x]) for x in X])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-5)


def test_order_changes_no_bit(fitted, ragged):
    X, _ = ragged
    order = np.random.default_rng(1).permutation(len(X))
    shuffled = answers(fitted, [X[i] for i in order])
    np.testing.assert_array_equal(shuffled, answers(fitted, X)[order])


def test_padding_changes_nothing(fitted, ragged):
    X, _ = ragged
    padded = np.full((len(X), 30, 2), np.nan)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    expected = answers(fitted, X)
    np.testing.assert_allclose(answers(fitted, padded), expected, rtol=1e-5, atol=1e-5)


def test_every_container_gets_the_same_bits(settings):
    rng = np.random.default_rng(3)
    table = rng.normal(size=(20, 7))
    y = np.where(table.sum(axis=1) > 0, "up", "down")
    objects = np.empty(20, dtype=object)
    objects[:] = list(table)
    containers = {
        "table": table,
        "lists": table.tolist(),
        "3-D": table[:, :, None],
        "Fortran 3-D": np.asfortranarray(table[:, :, None]),
        "list of arrays": list(table),
        "list of columns": list(table[:, :, None]),
        "object array": objects,
        "Series": pd.Series(list(table)),
        "polars Series": pl.Series(table.tolist()),
        "pandas": pd.DataFrame(table),
        "tensor": torch.from_numpy(table),
        "tensors": list(torch.from_numpy(table)),
    }
    model = RNNClassifier(**settings).fit(containers.pop("table"), y)
    expected = model.predict_proba(table)
    for name, X in containers.items():
        again = RNNClassifier(**settings).fit(X, y)
        assert_same_bits(again, model)
        np.testing.assert_array_equal(again.predict_proba(X), expected, err_msg=name)
        np.testing.assert_array_equal(again.predict_proba(list(table)), expected)


def test_polars_frame_is_a_table(settings):
    rng = np.random.default_rng(3)
    table = rng.normal(size=(20, 4))
    y = table.sum(axis=1)
    frame = pl.DataFrame(table, schema=["a", "b", "c", "d"])
    model = RNNRegressor(**settings).fit(frame, y)
    np.testing.assert_array_equal(model.predict(frame), model.predict(list(table)))
    assert model.feature_names_in_.tolist() == ["a", "b", "c", "d"]


def test_columns_of_padding_change_no_token_answer(settings):
    rng = np.random.default_rng(0)
    codes = rng.integers(4, 9, size=(12, 6)) * (
        np.arange(6) < 4 + np.arange(12)[:, None] % 3
    )
    tokens = TokenArray(codes, 9)
    model = RNNClassifier(**by_step(settings)).fit(tokens, [0, 1] * 6)
    wider = TokenArray(np.pad(codes, ((0, 0), (0, 5))), 9)
    np.testing.assert_array_equal(
        model.predict_proba(wider), model.predict_proba(tokens)
    )


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_bfloat16_answers_are_near_those_of_a_batch(cell, ragged):
    X, y = ragged
    model = RNNClassifier(
        cell, 8, precision="bfloat16", max_epochs=3, random_state=0
    ).fit(X, y)
    together = model.predict_proba(X)
    alone = np.concatenate([model.predict_proba([x]) for x in X])
    np.testing.assert_allclose(alone, together, atol=1e-2)
    assert together.dtype == np.float32


def test_long_prediction_is_bounded_and_in_order(fitted, ragged, monkeypatch):
    X, _ = ragged
    expected = answers(fitted, X)
    monkeypatch.setattr("sklearn_rnn._training.batching.STEPS_PER_PREDICTION_BATCH", 20)
    np.testing.assert_allclose(answers(fitted, X), expected, rtol=1e-5, atol=1e-6)


# ------------------------------------------------------------------ 3. same seed


def test_same_seed_gives_the_same_bits(fitted, ragged):
    X, y = ragged
    y = y if hasattr(fitted, "classes_") else X_sums(X)
    again = clone(fitted).fit(X, y)
    assert_same_bits(fitted, again)


def test_another_seed_gives_other_weights(fitted, ragged):
    X, y = ragged
    y = y if hasattr(fitted, "classes_") else X_sums(X)
    other = clone(fitted).set_params(random_state=1).fit(X, y)
    again, once = (clone(fitted).set_params(random_state=None).fit(X, y) for _ in "ab")
    head = "head.weight"
    assert not np.array_equal(weights(fitted)[head], weights(other)[head])
    assert not np.array_equal(weights(again)[head], weights(once)[head])


def test_global_generators_stay_untouched(fitted, ragged):
    X, y = ragged
    y = y if hasattr(fitted, "classes_") else X_sums(X)
    before = torch.get_rng_state(), np.random.get_state()[1], random.getstate()
    clone(fitted).set_params(random_state=None, early_stopping=True).fit(X, y)
    fitted.predict(X)
    after = torch.get_rng_state(), np.random.get_state()[1], random.getstate()
    assert torch.equal(before[0], after[0])
    np.testing.assert_array_equal(before[1], after[1])
    assert before[2] == after[2]


def test_fits_in_parallel_threads_give_the_bits_of_serial_ones(settings, ragged):
    X, y = ragged
    models = [
        RNNClassifier(**settings).set_params(random_state=k % 2) for k in range(8)
    ]
    threads = [threading.Thread(target=model.fit, args=(X, y)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in (0, 1):
        serial = RNNClassifier(**settings).set_params(random_state=k).fit(X, y)
        for model in models[k::2]:
            assert_same_bits(model, serial)


def test_a_network_whose_steps_use_one_thread_does_not_depend_on_their_number(ragged):
    before, models = torch.get_num_threads(), []
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            model = RNNClassifier("gru", 64, max_epochs=1, random_state=0)
            models.append(model.fit(*ragged))
    finally:
        torch.set_num_threads(before)
    assert_same_bits(*models)


def test_threads_that_predict_while_another_fits_see_old_or_new(ragged):
    X, y = ragged
    model = RNNClassifier("gru", 6, max_epochs=3, random_state=0).fit(X, y)
    old = model.predict_proba(X)
    new = clone(model).set_params(random_state=1).fit(X, y).predict_proba(X)
    seen, stop = [], threading.Event()

    def watch():
        while not stop.is_set():
            seen.append(model.predict_proba(X))

    thread = threading.Thread(target=watch)
    thread.start()
    model.set_params(random_state=1).fit(X, y)
    stop.set()
    thread.join()
    for proba in seen:
        assert np.array_equal(proba, old) or np.array_equal(proba, new)
    np.testing.assert_array_equal(model.predict_proba(X), new)


TEXTS = ["anna ate", "otto ran"] * 6
SMALL = {"hidden_size": 4, "max_epochs": 2, "random_state": 0}


def read_by_stream(model, x):
    stream = open_stream(model)
    return np.concatenate([stream.predict_proba(step[None]) for step in x])


def write(model):
    text = model.generate("an", 6, random_state=0)
    return [text, model.score(TEXTS), model.session("an").suggest()]


# Each network with a fit, and with everything that computes with the fitted network.
COMPUTATIONS = {
    "classifier": (
        RNNClassifier(dropout=0.3, **SMALL),
        lambda m, X, y: m.fit(X, y),
        lambda m, X: [m.predict_proba(X), m.transform(X), read_by_stream(m, X[0])],
    ),
    "callable": (
        RNNClassifier(UsersCell, optimizer="rmsprop", **SMALL),
        lambda m, X, y: m.fit(X, y),
        lambda m, X: [m.predict_proba(X), read_by_stream(m, X[0])],
    ),
    "regressor": (
        RNNRegressor("lstm", early_stopping=True, **SMALL),
        lambda m, X, y: m.fit(X, X_sums(X)),
        lambda m, X: [m.predict(X)],
    ),
    "forecaster": (
        RNNForecaster(window=8, precision="float32", **SMALL),
        lambda m, X, y: m.fit(np.sin(np.arange(60.0))),
        lambda m, X: [
            m.predict(horizon=3),
            m.predict_interval(horizon=1, coverage=0.5).lower,
            open_stream(m).predict([[1.0]]),
        ],
    ),
    "generator": (
        SequenceGenerator(window=8, **SMALL),
        lambda m, X, y: m.fit(TEXTS),
        lambda m, X: write(m),
    ),
    "translator": (
        SequenceTranslator(teacher_forcing=0.6, attention="additive", **SMALL),
        lambda m, X, y: m.fit(TEXTS, [text[::-1] for text in TEXTS]),
        lambda m, X: [m.predict(TEXTS), m.predict_n_best(TEXTS[:2], n=2)],
    ),
}


@contextlib.contextmanager
def default_dtype():
    torch.set_default_dtype(torch.float64)
    try:
        yield
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)


@contextlib.contextmanager
def default_device():
    torch.set_default_device("meta")
    try:
        yield
        assert torch.get_default_device() == torch.device("meta")
    finally:
        torch.set_default_device(None)


@pytest.mark.filterwarnings("ignore::sklearn_rnn.forecasting.ForecastSkillWarning")
@pytest.mark.parametrize("name", COMPUTATIONS)
def test_settings_of_torch_change_no_result(name, ragged):
    X, y = ragged
    X = [x.astype(np.float32) for x in X]
    model, fit, compute = COMPUTATIONS[name]
    expected = pickle.dumps(compute(fit(clone(model), X, y), X))
    for setting in (default_dtype, default_device, torch.inference_mode, torch.no_grad):
        with setting():
            fitted = fit(clone(model), X, y)
            assert pickle.dumps(compute(fitted, X)) == expected, setting
        assert pickle.dumps(compute(fitted, X)) == expected, setting


# ------------------------------------------------------- 4. init stores, fit decides


def test_no_input_and_no_parameter_is_changed(settings, ragged):
    X, y = ragged
    copies, y_copy = [x.copy() for x in X], y.copy()
    vectors = np.ones((9, 3))
    model = RNNClassifier(**by_step(settings), embedding=vectors)
    given = model.get_params()
    codes = TokenArray(np.arange(4, 8)[:, None] + [[0, 1]], 9)
    model.fit(codes, [0, 0, 1, 1])
    np.testing.assert_array_equal(vectors, np.ones((9, 3)))
    assert all(model.get_params()[name] is value for name, value in given.items())
    RNNClassifier(**settings).fit(X, y)
    for x, copy in zip(X, copies, strict=True):
        np.testing.assert_array_equal(x, copy)
    np.testing.assert_array_equal(y, y_copy)


def test_fit_writes_no_file(fitted, ragged, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    X, y = ragged
    clone(fitted).fit(X, y if hasattr(fitted, "classes_") else X_sums(X))
    assert list(tmp_path.iterdir()) == []


def test_a_second_fit_ignores_the_first(fitted, ragged):
    X, y = ragged
    y = y if hasattr(fitted, "classes_") else X_sums(X)
    other = np.random.default_rng(5).normal(size=(20, 6))
    labels = np.array(["a", "b"] * 10) if hasattr(fitted, "classes_") else other[:, 0]
    model = clone(fitted).fit(pd.DataFrame(other).add_prefix("c"), labels)
    model.fit(X, y)
    assert not hasattr(model, "feature_names_in_")
    assert not hasattr(model, "n_features_in_")
    assert model.input_size_ == 2
    assert_same_bits(model, fitted)


def test_pickle_keeps_every_answer(fitted, ragged):
    X, _ = ragged
    again = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(answers(again, X), answers(fitted, X))


def test_pickle_holds_the_weights_once(ragged):
    X, y = ragged
    model = RNNClassifier("gru", 128, max_epochs=1, optimizer="sgd", average=False).fit(
        X, y
    )
    n_bytes = sum(value.nbytes for value in weights(model).values())
    assert len(pickle.dumps(model)) < 2.6 * n_bytes  # weights and their momentum


# ------------------------------------------------------- 5. no hidden hold-out


def test_every_row_trains_without_early_stopping(settings, ragged):
    X, y = ragged
    whole = RNNClassifier(**settings).fit(X, y)
    for left_out in (0, len(X) - 1):
        rows = [i for i in range(len(X)) if i != left_out]
        part = RNNClassifier(**settings).fit([X[i] for i in rows], y[rows])
        assert not np.array_equal(
            weights(whole)["head.weight"], weights(part)["head.weight"]
        )
    assert whole.validation_scores_ is None


# ------------------------------------------------ all of them, for answers at each step


@pytest.fixture(params=[RNNClassifier, RNNRegressor], ids=["classifier", "regressor"])
def stepping(request, settings, ragged):
    X, _ = ragged
    y = [x[:, 0].cumsum() for x in X]
    if request.param is RNNClassifier:
        y = [row > 0 for row in y]
    model = request.param(**by_step(settings), return_sequences=True)
    return model.fit(X, y), X, y


def test_steps_get_one_answer_in_any_batch_order_and_padding(stepping):
    model, X, _ = stepping
    together = np.concatenate(answers(model, X))
    alone = np.concatenate([answers(model, [x])[0] for x in X])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-5)
    turned = np.concatenate(answers(model, X[::-1])[::-1])
    np.testing.assert_array_equal(turned, together)
    padded = np.full((len(X), 30, 2), np.nan)
    for row, x in zip(padded, X, strict=True):
        row[: len(x)] = x
    found = answers(model, padded)
    valid = np.concatenate([row[: len(x)] for row, x in zip(found, X, strict=True)])
    np.testing.assert_allclose(valid, together, rtol=1e-5, atol=1e-5)


def test_steps_are_learned_to_the_same_bits_and_by_every_row(stepping):
    model, X, y = stepping
    assert_same_bits(clone(model).fit(X, y), model)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(
        np.concatenate(answers(again, X)), np.concatenate(answers(model, X))
    )
    part = clone(model).fit(X[:-1], y[:-1])
    assert not np.array_equal(weights(part)["head.bias"], weights(model)["head.bias"])


# ------------------------------------------------------ all of them, for forecasters

SERIES = [2 + np.sin(np.arange(n) / 3 + n) for n in (30, 30, 41, 57)]
FORECASTERS = {
    "rnn": {"cell": "rnn"},
    "lstm": {"cell": "lstm", "num_layers": 2},
    "callable": {"cell": UsersCell},
    "blocks of differences": {"horizon": 3, "differencing": 2},
    "last": {"target": "last", "residual": True, "dropout": 0.5},
    "quantiles": {"intervals": "quantile"},
    "theta": {"baseline": "theta", "season": 6, "horizon": 3},
    "theta of logarithms": {"season": (4, 6), "transform": "log"},
    "quantiles about theta": {"season": 6, "intervals": "quantile"},
    "standardized": {"baseline": None, "scaling": "global"},
    "scaled by series": {"scaling": "series", "horizon": 2},
}
untrained = pytest.mark.filterwarnings(
    "ignore::sklearn_rnn.forecasting._skill.ForecastSkillWarning"
)


@pytest.fixture(params=FORECASTERS, ids=str)
def forecaster(request):
    given = {"hidden_size": 6, "window": 9, "max_epochs": 2, "random_state": 0}
    return RNNForecaster(**given | FORECASTERS[request.param])


@untrained
def test_a_series_gets_one_forecast_in_any_batch_and_container(forecaster):
    forecaster.fit(SERIES)
    together = forecaster.predict(SERIES, horizon=5)
    turned = forecaster.predict(SERIES[::-1], horizon=5)[::-1]
    np.testing.assert_allclose(turned, together, rtol=1e-9)
    for series, expected in zip(SERIES, together, strict=True):
        for X in (series, series.tolist(), pd.Series(series), torch.from_numpy(series)):
            alone = np.asarray(forecaster.predict(X, horizon=5))
            np.testing.assert_allclose(alone, expected, rtol=1e-7, atol=1e-9)
        column = forecaster.predict(series[None, :, None], horizon=5)
        np.testing.assert_allclose(column[0, :, 0], expected, rtol=1e-7, atol=1e-9)


@untrained
def test_a_stream_of_a_series_gets_the_forecast_of_the_whole(forecaster):
    stream = forecaster.fit(SERIES).stream()
    for t, value in enumerate(SERIES[3]):
        found = stream.predict(value)
        if t % 19 == 18:
            expected = forecaster.predict(SERIES[3][: t + 1])
            np.testing.assert_allclose(found[0], expected, rtol=1e-5)


@untrained
@pytest.mark.parametrize(
    "forecaster", ["lstm", "callable", "last", "quantiles about theta"], indirect=True
)
def test_forecasters_fitted_in_threads_get_the_bits_of_serial_fits(forecaster):
    before = np.random.get_state()[1].copy(), torch.get_rng_state(), random.getstate()
    models = [clone(forecaster).set_params(random_state=k % 2) for k in range(4)]
    threads = [threading.Thread(target=model.fit, args=(SERIES,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in (0, 1):
        serial = clone(forecaster).set_params(random_state=k).fit(SERIES)
        for model in models[k::2]:
            assert_same_bits(model, serial)
            np.testing.assert_array_equal(
                model.predict(horizon=4), serial.predict(horizon=4)
            )
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])
    assert random.getstate() == before[2]


@untrained
def test_forecasters_change_no_parameter_and_refits_ignore_earlier_fits(forecaster):
    given = forecaster.get_params()
    expected = forecaster.fit(SERIES).predict(horizon=4)
    assert all(forecaster.get_params()[name] is value for name, value in given.items())
    two = pd.DataFrame({"a": SERIES[3], "b": SERIES[3][::-1]})
    again = clone(forecaster).fit(two).fit(SERIES)
    assert not hasattr(again, "feature_names_in_")
    np.testing.assert_array_equal(again.predict(horizon=4), expected)
    kept = pickle.loads(pickle.dumps(again))
    np.testing.assert_array_equal(kept.predict(horizon=4), expected)


@untrained
def test_forecasters_learn_from_every_series(forecaster):
    whole = weights(clone(forecaster).fit(SERIES))["head.bias"]
    for left_out in (0, 3):
        rows = [series for k, series in enumerate(SERIES) if k != left_out]
        part = weights(clone(forecaster).fit(rows))["head.bias"]
        assert not np.array_equal(part, whole)


# ----------------------------------------------- all of them, for networks of patterns

PATTERN_NETWORKS = {
    "hopfield": HopfieldDenoiser("storkey", random_state=0),
    "hopfield by chance": HopfieldDenoiser("dense", temperature=0.5, random_state=0),
    "restricted": BoltzmannMachine(12, max_epochs=3, ais_steps=20, random_state=0),
    "full": BoltzmannMachine(
        12, connections="full", max_epochs=3, ais_steps=20, random_state=0
    ),
    "gaussian": BoltzmannMachine(
        12, visible="gaussian", max_epochs=3, ais_steps=20, random_state=0
    ),
}


@pytest.fixture(params=PATTERN_NETWORKS, ids=str)
def network(request):
    return clone(PATTERN_NETWORKS[request.param])


@pytest.fixture
def patterns(rng):
    return rng.choice([0.0, 1.0], (6, 40))


def test_a_pattern_gets_the_same_answer_alone_in_a_batch_and_in_any_order(
    network, patterns, rng
):
    X = rng.choice([0.0, 1.0], (30, 40))
    together = network.fit(patterns).transform(X)
    alone = np.concatenate([network.transform(row[None]) for row in X])
    np.testing.assert_allclose(alone, together, rtol=1e-9)
    order = rng.permutation(30)
    np.testing.assert_array_equal(network.transform(X[order]), together[order])


def test_patterns_of_any_container_get_the_same_bits(network, patterns):
    expected = clone(network).fit(patterns).transform(patterns)
    for X in (
        patterns.tolist(),
        np.asfortranarray(patterns),
        pd.DataFrame(patterns),
        pl.DataFrame(patterns),
        torch.from_numpy(patterns),
        patterns.astype(np.int8),
    ):
        found = clone(network).fit(X).transform(X)
        np.testing.assert_array_equal(np.asarray(found), expected)


def test_networks_of_patterns_fitted_in_threads_get_the_bits_of_serial_fits(
    network, patterns
):
    before = np.random.get_state()[1].copy(), torch.get_rng_state(), random.getstate()
    models = [clone(network).set_params(random_state=k % 2) for k in range(6)]
    threads = [threading.Thread(target=model.fit, args=(patterns,)) for model in models]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k in (0, 1):
        serial = clone(network).set_params(random_state=k).fit(patterns)
        expected = serial.transform(patterns)
        for model in models[k::2]:
            np.testing.assert_array_equal(model.transform(patterns), expected)
    np.testing.assert_array_equal(np.random.get_state()[1], before[0])
    assert torch.equal(torch.get_rng_state(), before[1])
    assert random.getstate() == before[2]


def test_networks_of_patterns_change_no_parameter_and_refits_ignore_earlier_fits(
    network, patterns
):
    given = network.get_params()
    expected = network.fit(patterns).transform(patterns)
    assert all(network.get_params()[name] is value for name, value in given.items())
    frame = pd.DataFrame(1 - patterns[:3, :20]).add_prefix("c")
    again = clone(network).fit(frame).fit(patterns)
    assert not hasattr(again, "feature_names_in_")
    np.testing.assert_array_equal(again.transform(patterns), expected)
    kept = pickle.loads(pickle.dumps(again))
    np.testing.assert_array_equal(kept.transform(patterns), expected)


def test_networks_of_patterns_learn_from_every_row(network, patterns):
    X = np.where(np.eye(40)[:6] > 0, 1 - patterns, patterns)
    whole = clone(network).fit(patterns).transform(X)
    for left_out in (0, 5):
        part = clone(network).fit(np.delete(patterns, left_out, axis=0)).transform(X)
        assert not np.array_equal(part, whole)


# ------------------------------------------------------- 6. never silently wrong

PREDICTIONS = {
    "classifier": lambda m, X: m.predict_proba(X),
    "regressor": lambda m, X: m.predict(X),
    "forecaster": lambda m, X: m.predict(horizon=5),
    "generator": lambda m, X: m.score(TEXTS),
    "translator": lambda m, X: [m.score(TEXTS, TEXTS), len(m.predict(TEXTS))],
    "Boltzmann": lambda m, X: m.score_samples(X),
}
POWERS = (3, 6, 10, 15, 20, 25, 30, 38, 50, 77, 100, 154, 200, 300)
RATES = [
    *[pytest.param(rate, 2, id=f"{rate:g}") for rate in (1e3, 1e20, 1e100, 1e300)],
    *[
        pytest.param(10.0**k, epochs, id=f"1e{k}-{epochs}", marks=pytest.mark.slow)
        for k in POWERS
        for epochs in (1, 2, 3)
    ],
]


@untrained
@pytest.mark.parametrize("name", PREDICTIONS)
@pytest.mark.parametrize("rate, epochs", RATES)
def test_no_learning_rate_gives_a_model_that_predicts_nan(name, rate, epochs, ragged):
    X, y = ragged
    X = [x.astype(np.float32) for x in X]
    if name == "Boltzmann":
        X = np.random.default_rng(0).choice([0.0, 1.0], (8, 20))
        model = BoltzmannMachine(6, ais_steps=20, random_state=0)
    else:
        model = clone(COMPUTATIONS[name][0])
    model.set_params(learning_rate=rate, max_epochs=epochs)
    fit = COMPUTATIONS[name][1] if name in COMPUTATIONS else lambda m, X, y: m.fit(X)
    try:
        fit(model, X, y)
    except ValueError as error:
        assert re.search("(?i)diverged in epoch .*Decrease learning_rate", str(error))
    else:
        assert np.isfinite(PREDICTIONS[name](model, X)).all()


STATES_GROW = {"cell": "rnn", "activation": "relu", "hidden_size": 4, "random_state": 0}
LONG = {
    "numbers": [np.ones((3000, 1)), np.ones((2, 1))],
    "texts": ["ab" * 1500],
    "series": np.ones(3000),
}


def feed_steps(model, X):
    """Feed a stream step by step; after an error, its state must be unchanged."""
    stream = model.stream()
    for n, x in enumerate(X[0]):
        try:
            stream.predict(x)
        except ValueError:
            assert stream.state["n_steps"][0] == n
            raise


@pytest.mark.parametrize(
    "model, data, answer",
    [
        *[
            (RNNClassifier(**STATES_GROW), "numbers", answer)
            for answer in (
                lambda m, X: m.predict(X),
                lambda m, X: m.predict_proba(X),
                lambda m, X: m.predict_log_proba(X),
                lambda m, X: m.transform(X),
                lambda m, X: m.transform_sequences(X),
                lambda m, X: m.score(X, [0, 1]),
                lambda m, X: m.stream().predict(X[:1]),
                feed_steps,
            )
        ],
        (RNNRegressor(**STATES_GROW), "numbers", lambda m, X: m.predict(X)),
        *[
            (SequenceGenerator(window=4, **STATES_GROW), "texts", answer)
            for answer in (
                lambda m, X: m.predict(X),
                lambda m, X: m.transform(X),
                lambda m, X: m.score(X),
                lambda m, X: m.score_tokens(X),
                lambda m, X: m.stream().predict(X[0]),
                lambda m, X: m.generate("a", 3000, banned=["<end>"], random_state=0),
                lambda m, X: m.generate("a", 3000, banned=["<end>"], beam_size=1),
                lambda m, X: m.session(X[0]),
            )
        ],
        (SequenceTranslator(**STATES_GROW), "texts", lambda m, X: m.predict(X)),
        (RNNForecaster(window=4, **STATES_GROW), "series", lambda m, X: m.predict(X)),
    ],
)
def test_states_that_overflow_are_an_error_in_every_prediction(model, data, answer):
    model = clone(model).set_params(max_epochs=1)
    if data == "numbers":
        model.fit([np.ones((3, 1)), np.zeros((2, 1))] * 2, [0, 1, 0, 1])
    elif data == "texts" and isinstance(model, SequenceTranslator):
        model.fit(["ab", "ba"], ["a", "b"])
    elif data == "texts":
        model.fit(["abab", "ba"])
    else:
        model.fit(np.sin(np.arange(30.0)))
    with torch.no_grad():
        for weights in model.module_.parameters():
            weights.abs_().add_(0.5)
    with pytest.raises(
        ValueError, match=r"output of the network.* is not a finite num"
    ):
        answer(model, LONG[data])
