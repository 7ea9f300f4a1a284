"""imbalanced-learn: samplers of sequences, as docs/guide/other_libraries.md shows."""

import numpy as np
import pytest
from imblearn import FunctionSampler
from imblearn.ensemble import BalancedBaggingClassifier
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import make_pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.model_selection import cross_val_score
from sklearn.utils import resample

from sklearn_rnn import CharVectorizer, RNNClassifier


def model(**params):
    return RNNClassifier(hidden_size=8, max_epochs=10, random_state=0, **params)


@pytest.fixture
def rare(y):
    """Indices and labels of rows in which class 1 is rare."""
    keep = (y == 0) | (np.arange(80) % 5 == 0)
    return np.flatnonzero(keep), y[keep]


def oversample(X, y):
    """Repeat sequences of rare classes until all classes are equally frequent."""
    classes, counts = np.unique(y, return_counts=True)
    rows = np.concatenate(
        [
            resample(np.flatnonzero(y == c), n_samples=counts.max(), random_state=0)
            for c in classes
        ]
    )
    X = [X[row] for row in rows] if isinstance(X, list) else X[rows]
    return X, y[rows]


@pytest.mark.parametrize(
    "sampler", [RandomOverSampler, RandomUnderSampler, lambda: SMOTE(k_neighbors=2)]
)
def test_samplers_of_tables(sampler, table, rare):
    rows, y = rare
    pipeline = make_pipeline(sampler(), model())
    scores = cross_val_score(
        pipeline, table[rows], y, cv=3, scoring="balanced_accuracy"
    )
    assert scores.mean() > 0.8


def test_ensembles_of_tables(table, rare):
    rows, y = rare
    bagged = BalancedBaggingClassifier(model(), n_estimators=2, random_state=0)
    assert bagged.fit(table[rows], y).score(table[rows], y) > 0.8


@pytest.mark.parametrize("container", ["ragged", "array", "tokens", "text"])
def test_a_sampler_of_indices_serves_every_container(
    container, ragged, padded, texts, rare
):
    rows, y = rare
    X = {
        "ragged": [ragged[row] for row in rows],
        "array": padded[rows],
        "tokens": CharVectorizer().fit_transform([texts[row] for row in rows]),
        "text": [texts[row] for row in rows],
    }[container]
    steps = [FunctionSampler(func=oversample, validate=False)]
    steps += [CharVectorizer()] if container == "text" else []
    pipeline = make_pipeline(*steps, model()).fit(X, y)
    assert pipeline.score(X, y) > 0.8
    if container == "tokens":
        assert pipeline[-1]._vocabulary_size == X.vocabulary_size


def test_a_sampler_that_loses_the_vocabulary_raises(texts, rare):
    rows, y = rare
    X = CharVectorizer().fit_transform([texts[row] for row in rows])
    pipeline = make_pipeline(RandomOverSampler(random_state=0), model()).fit(X, y)
    with pytest.raises(ValueError, match="X contains codes of a vocabulary, but"):
        pipeline.predict(X)
    coded = make_pipeline(RandomOverSampler(random_state=0), model(embedding=8))
    assert coded.fit(X, y).score(X, y) > 0.8


def test_the_guide(run_guide):
    assert run_guide("imbalanced-learn") == ["True"]
