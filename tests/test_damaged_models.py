"""Mutated model files raise ModelFileError, or hold a model whose methods work."""

import tracemalloc
import warnings

import numpy as np
import pytest
from file_mutations import mutate_bytes, mutate_parts
from sklearn.pipeline import make_pipeline

from sklearn_rnn import (
    HopfieldDenoiser,
    ModelFileError,
    RNNClassifier,
    SeasonalNaiveForecaster,
    WordVectorizer,
    load,
    save,
)

COUNTS = [200, pytest.param(5000, marks=pytest.mark.slow)]
LARGEST_MULTIPLE = 40  # of the size of a file, in memory
TEXTS = ["a b c", "b c d", "c d e"] * 4
rng = np.random.default_rng(0)
PATTERNS = rng.integers(0, 2, (2, 30))


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Contents of model files, and a function that uses each model."""
    import pandas as pd

    series = pd.Series(np.arange(24.0), pd.date_range("2020", periods=24, freq="MS"))
    reader = RNNClassifier("gru", 3, max_epochs=1, random_state=0)
    models = [
        (HopfieldDenoiser().fit(PATTERNS), lambda model: model.transform(PATTERNS)),
        (
            SeasonalNaiveForecaster(12).fit(series),
            lambda model: model.predict(),
        ),
        (
            make_pipeline(WordVectorizer(), reader).fit(TEXTS, [0, 1, 2] * 4),
            lambda model: model.predict_proba(TEXTS),
        ),
    ]
    path, found = tmp_path_factory.mktemp("models") / "model", []
    for model, use in models:
        save(model, path)
        found.append((path.read_bytes(), use))
    return found


@pytest.mark.parametrize("count", COUNTS)
def test_mutated_model_files(count, files, tmp_path):
    random, path, n_loaded = np.random.default_rng(count), tmp_path / "model", 0
    for k in range(count):
        content, use = files[k % len(files)]
        other = files[int(random.integers(len(files)))][0]
        mutate = mutate_parts if random.random() < 0.7 else mutate_bytes
        mutant = mutate(content, other, random)
        if mutant == content:
            continue
        path.write_bytes(mutant)
        tracemalloc.start()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model = load(path)
        except ModelFileError as error:
            assert str(error), k
        else:
            assert mutate is mutate_parts, k
            n_loaded += 1
            use_mutant(use, model)
        finally:
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert peak < LARGEST_MULTIPLE * len(mutant) + 4_000_000, k
    assert n_loaded < count // 2


def use_mutant(use, model):
    """Use a model, which may raise an ordinary error."""
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            use(model)
    except Exception as error:
        assert str(error) or repr(error)
