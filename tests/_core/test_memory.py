"""Out-of-memory errors say what was too large, and the model is unchanged."""

import gc
import subprocess
import sys

import numpy as np
import pytest
import torch

from sklearn_rnn import (
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SequenceGenerator,
    SequenceTranslator,
)
from sklearn_rnn._core.memory import explain_out_of_memory, pause_collection

X = [np.sin(np.arange(n)) for n in (5, 9, 7, 9, 6, 8)]
TEXTS = ["ab ab", "ba", "abab ba b", "bb"]
FORECASTER = {"window": 12, "baseline": None, "intervals": None}
TORCH = RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: failed")

FITS = {
    RNNClassifier: ((X, [0, 1] * 3), "up to 9 steps"),
    RNNRegressor: ((X, np.arange(6.0)), "up to 9 steps"),
    RNNForecaster: ((np.sin(np.arange(80.0)),), "up to 12 steps"),
    SequenceGenerator: ((TEXTS,), "up to 10 steps"),
    SequenceTranslator: ((TEXTS, TEXTS), "up to 19 steps"),
}


@pytest.mark.parametrize("kind", FITS)
def test_fit_names_batch_size_and_the_longest_example(kind, monkeypatch):
    data, expected = FITS[kind]
    options = FORECASTER if kind is RNNForecaster else {}
    model = kind(
        hidden_size=2, max_epochs=1, batch_size=3, random_state=0, **options
    ).fit(*data)
    before = dict(vars(model))

    def fail(*args, **kwargs):
        raise TORCH

    monkeypatch.setattr(torch.Tensor, "backward", fail)
    with pytest.raises(MemoryError, match="batch_size=3, hidden_size=2") as caught:
        model.fit(*data)
    assert expected in str(caught.value)
    assert vars(model) == before


def test_a_network_too_large_for_memory():
    model = RNNClassifier(hidden_size=2**22)
    with pytest.raises(MemoryError, match="hidden_size=4194304 and num_layers=1"):
        model.fit(X, [0, 1] * 3)
    assert not hasattr(model, "net_")


@pytest.mark.parametrize(
    "kind, place, read, expected",
    [
        (
            RNNClassifier,
            "sklearn_rnn.supervised._base.predict_batches",
            lambda model: model.predict(X),
            "6 sequence",
        ),
        (
            RNNForecaster,
            "sklearn_rnn.forecasting._rollout.read_values",
            lambda model: model.predict(np.arange(30.0)),
            "1 sequence",
        ),
        (
            SequenceGenerator,
            "sklearn_rnn.generation._language_model.read_corpus",
            lambda model: model.predict_proba(["ab"]),
            "1 sequence",
        ),
        (
            SequenceTranslator,
            "sklearn_rnn.translation._translator.beam_search",
            lambda model: model.predict(TEXTS),
            "4 sequence",
        ),
    ],
)
def test_prediction_names_the_number_and_length(
    kind, place, read, expected, monkeypatch
):
    options = FORECASTER if kind is RNNForecaster else {}
    model = kind(hidden_size=2, max_epochs=1, random_state=0, **options).fit(
        *FITS[kind][0]
    )

    def fail(*args, **kwargs):
        raise np._core._exceptions._ArrayMemoryError((9, 9), np.dtype("f8"))

    monkeypatch.setattr(place, fail)
    with pytest.raises(MemoryError, match=expected) as caught:
        read(model)
    assert "the longest of" in str(caught.value)


@pytest.mark.parametrize(
    "error", [MemoryError(), TORCH, torch.OutOfMemoryError("CUDA out of memory.")]
)
def test_every_kind_of_error_is_explained(error):
    with (
        pytest.raises(MemoryError, match="too much") as caught,
        explain_out_of_memory(lambda: "too much"),
    ):
        raise error
    assert caught.value.__cause__ is error


def test_other_errors_pass_unchanged():
    with pytest.raises(RuntimeError, match="shapes") as caught:
        with explain_out_of_memory(lambda: "too much"):
            raise RuntimeError("shapes differ")
    assert caught.type is RuntimeError


LIMITED = """
import resource
import numpy as np
from sklearn_rnn import RNNClassifier
X = np.zeros((8, 20, 1), "float32"); X[::2] = 1
model = RNNClassifier(
    hidden_size=256, batch_size=64, max_epochs=1, patch_size=1, random_state=0
)
model.fit(X, [0, 1] * 4)
before = model.predict_proba(X)
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, -1))
try:
    model.fit(np.zeros((64, 20_000, 1), "float32"), [0, 1] * 32)
except MemoryError as error:
    print(error)
    print((model.predict_proba(X) == before).all())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_a_fit_that_really_runs_out_of_memory():
    answer = subprocess.run(
        [sys.executable, "-c", LIMITED], capture_output=True, text=True, check=True
    ).stdout
    assert "batch_size=64" in answer and "20000 steps" in answer
    assert answer.endswith("True\n")


def test_a_pause_of_the_garbage_collector_ends():
    with pytest.raises(KeyError), pause_collection():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()
    gc.disable()
    try:
        with pause_collection():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
