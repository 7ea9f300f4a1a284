"""Models whose files are kept as fixtures, and what each of them predicts.

``python tools/write_model_files.py`` writes the files.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler
from stream_models import UsersGRU

from sklearn_rnn import (
    BoltzmannMachine,
    CharVectorizer,
    HopfieldDenoiser,
    ImageFlattener,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SeasonalNaiveForecaster,
    SequenceGenerator,
    SequenceTranslator,
    SeriesScaler,
    StepwiseTransformer,
    TextStatisticsVectorizer,
    WordVectorizer,
)

FILES = Path(__file__).parent / "persistence" / "files"
TRUSTED = [UsersGRU]  # the only class of a user in these models

QUICK = {"hidden_size": 3, "max_epochs": 1, "random_state": 0, "batch_size": 8}


def make_steps():
    """Return sequences of two features and several lengths."""
    phases = np.arange(9)[:, None] + np.arange(2)
    return [np.sin(phases[: 5 + k % 4] * (1 + k / 9)) for k in range(12)]


STEPS = make_steps()
LABELS = ["up", "down", "flat"] * 4
STEP_LABELS = [np.where(x[:, 0] > 0, "high", "low") for x in STEPS]
TEXTS = ["the cat sat", "the dog ran", "a cat ran, the dog sat"] * 4
PAIRS = ["1 2", "2 3", "3 1"] * 4, ["2 1", "3 2", "1 3"] * 4
PATTERNS = (np.add.outer(np.arange(3) * 5, np.arange(20) * 3) % 7 < 3).astype(int)
BITS = (np.multiply.outer(np.arange(1, 25), np.arange(1, 9)) % 5 < 2).astype(int)
MONTHS = pd.date_range("2020-01", periods=60, freq="MS")
WAVE = pd.Series(np.sin(np.arange(60) / 2) + np.arange(60) / 30, MONTHS, name="wave")
FRAME = pd.DataFrame(
    {
        "x": np.arange(12.0),
        "kind": pd.Series(["a", "b", "c"] * 4, dtype=object),
        "text": pd.Series(TEXTS, dtype=object),
    }
)
ROWS = np.sin(np.multiply.outer(np.arange(1, 13), np.arange(1, 4)))


def make_table():
    """Return a transformer of the columns of FRAME."""
    return ColumnTransformer(
        [
            ("x", FunctionTransformer(np.log1p), ["x"]),
            ("kind", OneHotEncoder(), ["kind"]),
            ("text", TfidfVectorizer(), "text"),
        ]
    )


def use_classifier(model, X=STEPS):
    return model.predict_proba(X), model.predict(X), model.classes_


def use_supervised(model, X=STEPS):
    return model.predict(X), model.transform(X)


def use_steps(model):
    return np.concatenate(model.predict_proba(STEPS)), np.concatenate(
        model.predict(STEPS)
    )


def use_generator(model, documents=TEXTS, prompt="the "):
    return (
        model.perplexity(documents[:3]),
        model.generate(prompt, 6, random_state=0),
        model.generate(prompt, 6, beam_size=2),
    )


def use_translator(model):
    sources = PAIRS[0][:3]
    return model.predict(sources), model.predict(sources, beam_size=2)


def use_forecaster(model, later=None):
    answers = [model.predict(), *model.predict_interval(coverage=0.6)]
    answers.append(model.sample_paths(n_paths=2, random_state=0))
    if later is not None:
        model.update(later)
        answers.append(model.predict())
    return answers


def use_naive(model):
    return model.predict(), *model.predict_interval(coverage=0.6)


def use_boltzmann(model, X=BITS):
    return (
        model.transform(X),
        model.score_samples(X),
        model.sample(3, random_state=0),
    )


def use_transform(X):
    return lambda model: model.transform(X)


def fit(model, *data, **options):
    return lambda: model.fit(*data, **options)


# The name of each file, how its model is made, and what it answers.
MODELS = {
    "classifier": (fit(RNNClassifier("gru", **QUICK), STEPS, LABELS), use_classifier),
    "classifier-lstm": (
        fit(
            RNNClassifier(
                *("lstm",), **QUICK, bidirectional=True, num_layers=2, pooling="last"
            ),
            *(STEPS, [[0, 1], [1, 1], [1, 0]] * 4),
        ),
        use_classifier,
    ),
    "classifier-tokens": (
        fit(
            make_pipeline(
                WordVectorizer(), RNNClassifier("rnn", **QUICK, embedding="onehot")
            ),
            *(TEXTS, LABELS),
        ),
        lambda model: use_classifier(model, TEXTS),
    ),
    "classifier-embedding": (
        fit(
            make_pipeline(
                CharVectorizer(),
                RNNClassifier(**QUICK, embedding=4, class_weight="balanced"),
            ),
            *(TEXTS, [0, 1, 1] * 4),
        ),
        lambda model: use_classifier(model, TEXTS),
    ),
    "classifier-steps": (
        fit(RNNClassifier(**QUICK, return_sequences=True), STEPS, STEP_LABELS),
        use_steps,
    ),
    "classifier-cell": (
        fit(RNNClassifier(UsersGRU, **QUICK), STEPS, LABELS),
        use_classifier,
    ),
    "regressor": (
        fit(
            RNNRegressor(**QUICK, patch_size=2, early_stopping=True),
            *(STEPS, np.array([[x[0, 0], x[-1, 1]] for x in STEPS])),
        ),
        use_supervised,
    ),
    "generator": (
        fit(SequenceGenerator(**QUICK, window=8), TEXTS),
        use_generator,
    ),
    "generator-words": (
        fit(
            SequenceGenerator(
                vectorizer=WordVectorizer(lowercase=False), window=8, **QUICK
            ),
            TEXTS,
        ),
        use_generator,
    ),
    "generator-lists": (
        fit(SequenceGenerator(**QUICK, window=8), [["do", "re", "mi", "do"]] * 6),
        lambda model: use_generator(model, [["do", "re", "mi"]] * 3, ["do"]),
    ),
    "translator": (
        fit(SequenceTranslator(**QUICK, embedding=4), *PAIRS),
        use_translator,
    ),
    "translator-plain": (
        fit(
            SequenceTranslator(
                cell="lstm", **QUICK, embedding=4, attention=None, reverse_source=True
            ),
            *PAIRS,
        ),
        use_translator,
    ),
    "forecaster": (
        fit(RNNForecaster(**QUICK, horizon=3, window=6, season=12), WAVE[:57]),
        lambda model: use_forecaster(model, WAVE[57:]),
    ),
    "forecaster-quantiles": (
        fit(
            RNNForecaster(
                *("lstm",),
                **QUICK,
                horizon=2,
                window=6,
                calendar="auto",
                intervals="quantile",
                baseline="theta",
                quantiles=(0.2, 0.5, 0.8),
            ),
            [WAVE[:40], WAVE[5:]],
        ),
        use_forecaster,
    ),
    "forecaster-table": (
        fit(
            RNNForecaster(**QUICK, horizon=2, window=6, intervals=None, baseline=None),
            np.stack([WAVE, WAVE**2], axis=1),
        ),
        lambda model: model.predict(),
    ),
    "seasonal-naive": (fit(SeasonalNaiveForecaster(12), WAVE), use_naive),
    "hopfield": (
        fit(HopfieldDenoiser("pseudo_inverse", random_state=0), PATTERNS, list("abc")),
        lambda model: (model.transform(PATTERNS), model.predict(PATTERNS)),
    ),
    "hopfield-dense": (
        fit(HopfieldDenoiser("dense", random_state=0), PATTERNS),
        lambda model: (model.transform(PATTERNS), model.energy(PATTERNS)),
    ),
    "boltzmann": (
        fit(BoltzmannMachine(4, max_epochs=2, random_state=0), BITS),
        use_boltzmann,
    ),
    "boltzmann-gaussian": (
        fit(
            BoltzmannMachine(
                *(3,), visible="gaussian", max_epochs=1, random_state=0, ais_steps=5
            ),
            ROWS,
        ),
        lambda model: use_boltzmann(model, ROWS),
    ),
    "char-vectorizer": (fit(CharVectorizer(), TEXTS), use_transform(TEXTS)),
    "word-vectorizer": (
        fit(WordVectorizer(boundaries=True, tokenizer=str.split), TEXTS),
        use_transform(TEXTS),
    ),
    "text-statistics": (fit(TextStatisticsVectorizer(), TEXTS), use_transform(TEXTS)),
    "image-flattener": (
        fit(ImageFlattener(), PATTERNS.reshape(3, 4, 5)),
        use_transform(PATTERNS.reshape(3, 4, 5)),
    ),
    "series-scaler": (
        fit(SeriesScaler(add_statistics=True), STEPS),
        lambda model: np.concatenate(model.transform(STEPS)),
    ),
    "stepwise": (
        fit(StepwiseTransformer(StandardScaler()), STEPS),
        lambda model: np.concatenate(model.transform(STEPS)),
    ),
    "table": (
        fit(make_pipeline(make_table(), LogisticRegression()), FRAME, LABELS),
        lambda model: (model.predict_proba(FRAME), model.predict(FRAME)),
    ),
    "unfitted": (
        lambda: RNNForecaster("lstm", baseline="theta", quantiles=(0.1, 0.5, 0.9)),
        lambda model: repr(model),
    ),
}


def list_answers(name, model):
    """Return what a model answers, as a list of arrays."""
    answers = MODELS[name][1](model)
    if not isinstance(answers, (tuple, list)):
        answers = (answers,)
    arrays = (np.asarray(one) for one in answers)
    return [one.astype("U") if one.dtype == object else one for one in arrays]
