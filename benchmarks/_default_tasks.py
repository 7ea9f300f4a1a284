"""The tasks of bench_defaults.py: data, default models, metrics, baselines, targets."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from _classical import (
    CharacterNgram,
    FrequentTag,
    LastValue,
    NearestExample,
    character_svm,
    minirocket,
    nearest_by_warping,
    nearest_steps,
    of_statistics,
    of_steps,
    ridge,
    tfidf,
)
from _data import (
    load_brown,
    load_co2,
    load_mnist,
    load_movie,
    load_name_split,
    load_phrases,
    load_pronunciations,
    load_series,
    load_sms,
    load_sunspots,
)
from sklearn.metrics import accuracy_score, f1_score, root_mean_squared_error
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from sklearn_rnn import (
    CharVectorizer,
    RNNClassifier,
    RNNRegressor,
    SequenceGenerator,
    SequenceTranslator,
    WordVectorizer,
)
from sklearn_rnn.metrics import bleu_score, step_accuracy_score

# The first defaults of the networks. Names that an estimator does not have are ignored.
OLD_DEFAULTS = {
    "max_epochs": 30,
    "batch_size": 32,
    "optimizer": "adamw",
    "learning_rate": 0.01,
    "learning_rate_schedule": "constant",
    "average": True,
    "dropout": 0.0,
    "gradient_clip": 1.0,
    "n_iter_no_change": 20,
    "scaling": False,
    "patch_size": 1,
}


@dataclass(frozen=True)
class Task:
    load: Callable[..., tuple]  # folder -> X, X_test, y, y_test
    model: Callable[[], Any]  # the network with default parameters
    metric: str
    baselines: dict[str, Callable[[int], Any]]  # name -> model of a seed
    goal: float | None = None
    cpu_goal: float | None = None
    target: str = ""  # description, if it is not a number
    n_train: int | None = None  # training rows, drawn for each seed
    ordered: bool = False  # split by time instead of at random
    precision: str = "float32"  # of the old default: the dtype of X
    fixed: dict[str, Any] = field(default_factory=dict)  # parameters of all columns
    needs: str | None = None  # an optional package
    seeds: int | None = None  # if the target contains its own value
    ranked: bool = True

    def split(self, folder, seed, valid, cap=2000):
        """X, X_test, y, y_test of a seed; if ``valid``, from the training part only."""
        X, X_test, y, y_test = self.load(folder)
        if self.ordered:
            if valid:
                edge = round(0.8 * len(X))
                return X[:edge], X[edge:], y[:edge], y[edge:]
            return X, X_test, y, y_test
        n_train, n_valid = self.n_train, None
        if valid:
            n_train = n_train or round((2 / 3 if len(X) < 500 else 3 / 4) * len(X))
            n_valid = min(cap, len(X) - n_train)
        if n_train is None:
            return X, X_test, y, y_test
        stratify = y if isinstance(y, np.ndarray) else None
        rows = train_test_split(
            X,
            y,
            train_size=n_train,
            test_size=n_valid,
            stratify=stratify,
            random_state=seed,
        )
        return rows if valid else (rows[0], X_test, rows[2], y_test)


# ---------------------------------------------------------------------- metrics


def answers_right(score, model, y, X_test, y_test):
    return score(y_test, model.predict(X_test))


def phoneme_error(y_true, y_pred):
    """Edit distance divided by the number of correct phonemes."""
    pairs = [(t.split(), p.split()) for t, p in zip(y_true, y_pred, strict=True)]
    return sum(edits(t, p) for t, p in pairs) / sum(len(t) for t, _ in pairs)


def edits(a, b):
    """Levenshtein distance of two sequences."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, z in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != z))
    return row[-1]


def phrase_bleu(model, y, X_test, y_test):
    """BLEU in percent; words that occur once in training are unknown on both sides."""
    words = WordVectorizer(**PHRASE_WORDS, detokenizer=" ".join).fit(y)
    reference, answers = (
        words.inverse_transform(words.transform(texts))
        for texts in (y_test, model.predict(X_test))
    )
    return bleu_score(reference, answers)


def bits(model, y, X_test, y_test):
    return model.bits_per_character(X_test)


def gap_to_share(model, y, X_test, y_test):
    """Difference of the predicted probability of unknown words and the class share."""
    shares = np.array([np.mean(y == label) for label in model.classes_])
    return float(
        np.abs(model.predict_proba(["qx1 qx2 qx3 qx4 qx5 qx6"]) - shares).max()
    )


CLASSIFICATION = {"accuracy", "step accuracy", "F1 of spam"}
METRICS = {  # name -> function, and whether more is better
    "accuracy": (partial(answers_right, accuracy_score), True),
    "step accuracy": (partial(answers_right, step_accuracy_score), True),
    "F1 of spam": (partial(answers_right, partial(f1_score, pos_label="spam")), True),
    "RMSE": (partial(answers_right, root_mean_squared_error), False),
    "phoneme error": (partial(answers_right, phoneme_error), False),
    "BLEU": (phrase_bleu, True),
    "bits per character": (bits, False),
    "gap to share": (gap_to_share, False),
}


def log_loss(model, X_test, y_test):
    """Mean log loss over sequences or steps; None for a model without probabilities.

    A label that did not occur in training has the minimum probability of 1e-7.
    """
    is_neighbors = isinstance(last_step(model), KNeighborsClassifier)  # only 0 and 1
    if is_neighbors or not hasattr(model, "predict_proba"):
        return None
    probabilities, labels = model.predict_proba(X_test), y_test
    if isinstance(y_test, list):  # labels of each step
        probabilities, labels = map(np.concatenate, (list(probabilities), labels))
    classes = model.classes_
    places = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    given = probabilities[np.arange(len(labels)), places]
    given = np.where(classes[places] == labels, given, 0)
    return float(-np.log(np.maximum(given, 1e-7)).mean())


def last_step(model):
    return model[-1] if isinstance(model, Pipeline) else model


# ---------------------------------------------------------------------- tasks

PHRASE_WORDS = {"lowercase": False, "min_count": 2}


def brown(folder):
    """Sentences with tags up to the first plus; a tenth is for testing."""
    X, y = load_brown(folder)
    y = [[tag.split("+")[0] or tag for tag in tags] for tags in y]
    return train_test_split(X, y, test_size=0.1, random_state=0)


def book(folder, n_train=60_000, n_test=30_000):
    """Moby Dick: the first characters for training, the following for testing."""
    text = (folder / "moby_dick.txt").read_bytes().decode("utf-8")
    text, rest = text[:n_train], text[n_train : n_train + n_test]
    return text, rest, text, rest


def words():
    return make_pipeline(WordVectorizer(), RNNClassifier())


def characters():
    return make_pipeline(CharVectorizer(), RNNClassifier())


def tagger():
    return make_pipeline(WordVectorizer(), RNNClassifier(return_sequences=True))


def phrases():
    vectorizer = WordVectorizer(**PHRASE_WORDS)
    return SequenceTranslator(vectorizer, vectorizer)


def speller():
    return SequenceTranslator(CharVectorizer(), WordVectorizer(lowercase=False))


def constantly(make, *arguments, **settings):
    """A baseline that does not depend on a seed."""
    return lambda seed: make(*arguments, **settings)


STATISTICS = {"statistics + logistic": constantly(of_statistics)}
STEPS = {
    "steps + logistic": constantly(of_steps),
    "1-NN of steps": constantly(nearest_steps),
}
SERIES = {"1-NN DTW": constantly(nearest_by_warping), "MiniRocket": minirocket}
WORDS = {
    "tf-idf + logistic": constantly(tfidf),
    "character SVM": constantly(character_svm, 5),
}
NAMES = {
    "tf-idf + logistic": constantly(tfidf, analyzer="char_wb", ngram_range=(1, 3)),
    "character SVM": constantly(character_svm, 3),
}
WINDOWS = {"ridge": constantly(ridge), "last value": constantly(LastValue)}
NEAREST = {"nearest text": constantly(NearestExample)}

float64 = partial(partial, dtype=np.float64)  # the dtype of NumPy and pandas
numbers = partial(Task, precision="float64")
series = partial(numbers, model=RNNClassifier, metric="accuracy")
windows = partial(
    numbers,
    model=RNNRegressor,
    metric="RMSE",
    baselines=WINDOWS,
    ordered=True,
    target="level with the best baseline, not below the old default",
)
snippets = partial(Task, load_movie, words, "accuracy", WORDS)
messages = partial(Task, load_sms, words, "F1 of spam", WORDS)
names = partial(Task, load_name_split, characters, "accuracy", NAMES)

TASKS = {
    "osu_leaf": series(
        float64(load_series, "osu_leaf"),
        baselines={**STATISTICS, **SERIES},
        goal=0.70,
        cpu_goal=6,
    ),
    "arrow_head": series(
        float64(load_series, "arrow_head"),
        baselines={**STATISTICS, **STEPS, **SERIES},
        goal=0.70,
    ),
    "japanese_vowels": series(
        float64(load_series, "japanese_vowels"),
        baselines={**STATISTICS, **SERIES},
        goal=0.975,
    ),
    "italy_power_demand": series(
        float64(load_series, "italy_power_demand"),
        baselines={**STATISTICS, **STEPS, **SERIES},
        goal=0.962,
    ),
    "mnist_5000": series(
        float64(load_mnist),
        baselines={**STEPS, "MiniRocket": minirocket},
        n_train=5000,
    ),
    "mnist": series(float64(load_mnist), baselines=STEPS, goal=0.988),
    "sms_spam_400": messages(goal=0.82, n_train=400),
    "sms_spam": messages(goal=0.95),
    "movie_snippets_1000": snippets(goal=0.645, n_train=1000),
    "movie_snippets": snippets(goal=0.775),
    "names_2000": names(goal=0.71, n_train=2000),
    "names": names(goal=0.815),
    "brown_10000": Task(
        brown,
        tagger,
        "step accuracy",
        {"most frequent tag": constantly(FrequentTag)},
        target="level with the best baseline, not below the old default",
        n_train=10_000,
    ),
    "sunspots": windows(load_sunspots),
    "co2": windows(load_co2),
    "pronunciations": Task(
        load_pronunciations,
        speller,
        "phoneme error",
        NEAREST,
        goal=0.12,
        n_train=10_000,
        fixed={"max_epochs": 6},
    ),
    "phrases_en_fr": Task(
        load_phrases,
        phrases,
        "BLEU",
        NEAREST,
        goal=22.0,
        target="within 2 BLEU of the tuned 24.0 in docs/benchmarks.md",
        needs="sacrebleu",
    ),
    "moby_dick_60k": Task(
        book,
        SequenceGenerator,
        "bits per character",
        {"n-gram": constantly(CharacterNgram)},
        ordered=True,
    ),
    "unknown_words": Task(
        load_movie,
        words,
        "gap to share",
        {"tf-idf + logistic": constantly(tfidf)},
        goal=0.15,
        target="in each of five seeds",
        n_train=100,
        seeds=5,
        ranked=False,
    ),
}
