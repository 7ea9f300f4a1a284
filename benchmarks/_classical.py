"""Simple classical models as estimators, which networks are compared with.

MiniRocket and dynamic time warping need aeon; without it they raise ImportError.
"""

from collections import Counter
from functools import cache

import numpy as np
from _baselines import best_character_ngram, character_ngrams
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifierCV, RidgeCV
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import LinearSVC

# ---------------------------------------------------------------------- series


def moments(sequences):
    """Mean and standard deviation of each feature over the steps: (n, 2 F)."""
    return np.array([np.concatenate([x.mean(0), x.std(0)]) for x in sequences])


def summary_statistics(sequences):
    """Moments and quantiles of the values and of their differences, per feature."""
    rows = []
    for x in sequences:
        parts = [[x[0], x[-1]]]
        for values in (x, np.diff(x, axis=0)):
            quantiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 1], axis=0)
            parts += [[values.mean(0), values.std(0)], quantiles]
        rows.append(np.concatenate(parts).ravel())
    return np.array(rows)


def flat(sequences):
    """Sequences of equal length as rows of a table."""
    return np.stack(sequences).reshape(len(sequences), -1)


def equally_long(sequences):
    """Array (n, F, T) for aeon; ragged sequences are interpolated to 32 steps."""
    lengths = {len(x) for x in sequences}
    if len(lengths) == 1:
        return np.stack(sequences).transpose(0, 2, 1)
    places = np.linspace(0, 1, 32)
    return np.array(
        [
            [np.interp(places, np.linspace(0, 1, len(x)), channel) for channel in x.T]
            for x in sequences
        ]
    )


def of_statistics():
    return make_pipeline(
        FunctionTransformer(summary_statistics),
        StandardScaler(),
        LogisticRegression(max_iter=2000),
    )


def of_steps():
    return make_pipeline(
        FunctionTransformer(flat), StandardScaler(), LogisticRegression(max_iter=500)
    )


def nearest_steps():
    return make_pipeline(FunctionTransformer(flat), KNeighborsClassifier(1))


def ridge():
    return make_pipeline(FunctionTransformer(flat), RidgeCV(np.logspace(-3, 3, 13)))


class LastValue(DummyRegressor):
    """Predicts the last value of the window as the next one."""

    def predict(self, X):
        return np.asarray(X)[:, -1, 0]


def minirocket(seed):
    convolutions, _ = load_aeon()
    return make_pipeline(
        FunctionTransformer(equally_long),
        convolutions(random_state=seed),
        StandardScaler(with_mean=False, copy=False),
        RidgeClassifierCV(np.logspace(-3, 3, 10)),
    )


class NearestByWarping(ClassifierMixin, BaseEstimator):
    """Nearest neighbor under dynamic time warping without a band."""

    def fit(self, X, y):
        self.examples_, self.y_ = [x.T.astype(float) for x in X], np.asarray(y)
        return self

    def predict(self, X):
        _, distances = load_aeon()
        queries = [x.T.astype(float) for x in X]
        nearest = distances(queries, self.examples_, method="dtw").argmin(axis=1)
        return self.y_[nearest]


def nearest_by_warping():
    load_aeon()  # exclude compilation from all times
    return NearestByWarping()


@cache
def load_aeon():
    """Import MiniRocket and the distances of aeon, and compile them by a first call."""
    from aeon.distances import pairwise_distance
    from aeon.transformations.collection.convolution_based import MiniRocket

    for n_features in (1, 2):
        X = np.random.default_rng(0).normal(size=(4, n_features, 12))
        MiniRocket(n_kernels=84, random_state=0).fit_transform(X)
        pairwise_distance(list(X), list(X), method="dtw")
    return MiniRocket, pairwise_distance


# ---------------------------------------------------------------------- text


def tfidf(**settings):
    return make_pipeline(TfidfVectorizer(**settings), LogisticRegression(max_iter=1000))


def character_svm(largest):
    vectorizer = TfidfVectorizer(
        analyzer="char_wb", ngram_range=(1, largest), sublinear_tf=True
    )
    return make_pipeline(vectorizer, LinearSVC())


class FrequentTag(BaseEstimator):
    """Predicts the most frequent tag of each word.

    For unknown words it predicts the most frequent tag among the rare words (at most
    five occurrences) that share the longest known suffix of up to five characters and
    the case of the first letter.
    """

    def fit(self, X, y):
        words, endings = {}, {}
        for sentence, tags in zip(X, y, strict=True):
            for word, tag in zip(sentence, tags, strict=True):
                words.setdefault(word, Counter())[tag] += 1
        for word, counts in words.items():
            if counts.total() <= 5:
                for ending in self._endings(word):
                    endings.setdefault(ending, Counter()).update(counts)
        self.words_, self.endings_ = (
            {key: counts.most_common(1)[0][0] for key, counts in table.items()}
            for table in (words, endings)
        )
        return self

    def predict(self, X):
        return [[self._tag(word) for word in sentence] for sentence in X]

    def _tag(self, word):
        if word in self.words_:
            return self.words_[word]
        found = (self.endings_.get(ending) for ending in self._endings(word))
        return next((tag for tag in found if tag is not None), "nn")

    @staticmethod
    def _endings(word):
        for length in range(min(5, len(word)), -1, -1):
            yield word[:1].isupper(), word[len(word) - length :].lower()


class NearestExample(BaseEstimator):
    """Predicts the target of the training text with the most similar n-grams."""

    def fit(self, X, y):
        self.vectorizer_ = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4))
        rows = self.vectorizer_.fit_transform(X)
        self.index_ = NearestNeighbors(n_neighbors=1, metric="cosine").fit(rows)
        self.y_ = list(y)
        return self

    def predict(self, X):
        rows = self.vectorizer_.transform(X)
        nearest = self.index_.kneighbors(rows, return_distance=False)[:, 0]
        return [self.y_[i] for i in nearest]


class CharacterNgram(BaseEstimator):
    """Witten-Bell n-gram model whose order is chosen on the last tenth of the text."""

    def fit(self, X, y=None):
        edge = round(0.9 * len(X))
        self.order_, _ = best_character_ngram(X[:edge], X[edge:], 0x110000)
        self.text_ = X
        return self

    def bits_per_character(self, X):
        return character_ngrams(self.text_, X, 0x110000, [self.order_])[self.order_]
