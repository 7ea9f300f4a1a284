"""Parts of speech of the Brown corpus: a tag for each word, by a bidirectional LSTM.

Needs brown_tagged.txt.gz in the data folder. Tags are the base tags: lower case, up to
the first hyphen, without asterisks. A random tenth of the sentences is held out and
scored once; ``--validate`` scores a tenth of the others instead, on which the settings
were chosen.
"""

import argparse
import re
import time
from collections import Counter

import numpy as np
import torch
from _common import data_folder, environment
from _data import load_brown
from _results import Table
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNClassifier, WordVectorizer
from sklearn_rnn.metrics import sequence_accuracy_score, step_accuracy_score

TAGGER = {
    "hidden_size": 128,
    "bidirectional": True,
    "return_sequences": True,
    "embedding": 128,
    "dropout": 0.5,
    "max_epochs": 6,
    "learning_rate": 0.005,
    "learning_rate_schedule": "cosine",
    "weight_decay": 0.01,
    "random_state": 0,
}


class CharacterView(TransformerMixin, BaseEstimator):
    """Replaces rare and unknown words by the shape and suffix of their characters.

    A word that occurs less than ``min_count`` times becomes a class such as
    ``<Aa>-ing``, with the longest suffix that is frequent enough among such words.
    """

    def __init__(self, min_count=3):
        self.min_count = min_count

    def fit(self, X, y=None):
        counts = Counter(word for words in X for word in words)
        self.known_ = {word for word, n in counts.items() if n >= self.min_count}
        views = Counter()
        for word, n in counts.items():
            if word not in self.known_:
                views.update(dict.fromkeys(_views(word), n))
        self.views_ = {view for view, n in views.items() if n >= 10}
        return self

    def transform(self, X):
        return [
            [word if word in self.known_ else self._view(word) for word in words]
            for words in X
        ]

    def _view(self, word):
        return next((view for view in _views(word) if view in self.views_), "<rare>")


def _views(word):
    """Shapes with suffixes, from the longest suffix to none."""
    shape = re.sub(r"[a-z]+", "a", re.sub(r"[A-Z]+", "A", re.sub(r"\d+", "1", word)))
    for length in (4, 3, 2, 1, 0):
        yield f"<{shape[:6]}>-{word[len(word) - length :].lower() if length else ''}"


def most_frequent(X, y, X_test):
    """The most frequent tag of each word, and that of all words for unknown words."""
    counts = {}
    for words, tags in zip(X, y, strict=True):
        for word, tag in zip(words, tags, strict=True):
            counts.setdefault(word, Counter())[tag] += 1
    default = sum(counts.values(), Counter()).most_common(1)[0][0]
    best = {word: tags.most_common(1)[0][0] for word, tags in counts.items()}
    return [[best.get(word, default) for word in words] for words in X_test]


def bench_tagging(folder, validate, names):
    X, y = load_brown(folder)
    X, X_test, y, y_test = train_test_split(X, y, test_size=0.1, random_state=0)
    if validate:
        X, X_test, y, y_test = train_test_split(X, y, test_size=0.1, random_state=1)
    known = {word for words in X for word in words}
    unknown = [np.array([word not in known for word in words]) for words in X_test]
    taggers = {
        "words": make_pipeline(
            WordVectorizer(min_count=2), RNNClassifier("lstm", **TAGGER)
        ),
        "characters": make_pipeline(
            CharacterView(),
            WordVectorizer(lowercase=False),
            RNNClassifier("lstm", **TAGGER),
        ),
    }
    n = sum(map(len, X_test))
    share = sum(map(sum, unknown)) / n
    print(
        f"\n{len(X)} sentences, {n} tokens held out, {share:.1%} of them unknown words"
    )
    table = Table(__file__, "validation" if validate else "test", "model")
    for name in names:
        started = time.perf_counter()
        if name == "most frequent":
            answers = most_frequent(X, y, X_test)
        else:
            answers = taggers[name].fit(X, y).predict(X_test)
        seconds = time.perf_counter() - started
        of_all = step_accuracy_score(y_test, answers)
        of_unknown = step_accuracy_score(y_test, answers, sample_weight=unknown)
        whole = sequence_accuracy_score(y_test, answers)
        table.add(
            model=name,
            tokens=of_all,
            unknown_words=of_unknown,
            whole_sentences=whole,
            seconds=seconds,
        )


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--validate", action="store_true")
    given = ["most frequent", "words", "characters"]
    parser.add_argument("--models", nargs="+", choices=given, default=given)
    options = parser.parse_known_args()[0]
    torch.set_num_threads(1)
    print(environment())
    if (data := data_folder()) is not None:
        bench_tagging(data, options.validate, options.models)
