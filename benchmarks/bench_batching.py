"""Effect of batches of similar length on scores and training time.

Ten tasks, seeds 0 to 4, one thread. Only the training batches differ: "random" batches
(padded to the longest sequence of each), "sorted" batches (rows of 50 batches are
sorted by length, with a short batch at the end), and those of fit. The score is
accuracy, or R2. The time is CPU time, which is less affected by other processes. Needs
movie_snippets.tsv, names_by_nationality.tsv and japanese_vowels.npz in the data folder.
"""

import csv
import time
from unittest import mock

import numpy as np
import torch
from _common import data_folder, environment
from _results import Table

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNRegressor, WordVectorizer
from sklearn_rnn._training.batching import training_batches

PLACE = "sklearn_rnn._training.sequence_net.training_batches"
SEEDS = range(5)


def random_batches(rows, lengths, batch_size, rng):
    rows = rng.permutation(rows)
    return np.split(rows, range(batch_size, len(rows), batch_size))


def sorted_batches(rows, lengths, batch_size, rng):
    rows, chunk = rng.permutation(rows), 50 * batch_size
    parts = np.split(rows, range(chunk, len(rows), chunk))
    rows = np.concatenate([p[np.argsort(lengths[p], kind="stable")] for p in parts])
    batches = np.split(rows, range(batch_size, len(rows), batch_size))
    return [batches[i] for i in rng.permutation(len(batches))]


METHODS = {"random": random_batches, "sorted": sorted_batches, "fit": training_batches}


def draw_series(n, rng):
    """Sequences of 5 to 40 steps of noise."""
    return [rng.normal(size=(length, 1)) for length in rng.integers(5, 41, size=n)]


def make_task(model, n_train, label, per_step=False):
    """A task on noise; ``label`` computes the target of a sequence."""

    def draw(seed):
        rng = np.random.default_rng(seed)
        X = draw_series(n_train + 500, rng)
        y = [label(x[:, 0]) for x in X]
        y = y if per_step else np.array(y)
        return model, X[:n_train], y[:n_train], X[n_train:], y[n_train:]

    return draw


def draw_outlier(seed):
    """33 sequences, of which the longest has the wrong label."""
    rng = np.random.default_rng(seed)
    X = draw_series(533, rng)
    y = np.array([x.mean() > 0 for x in X])
    longest = np.argmax([len(x) for x in X[:33]])
    y[longest] = not y[longest]
    return RNNClassifier(), X[:33], y[:33], X[33:], y[33:]


def choose(model, X, y, n_train, n_test):
    """A task with other rows for each seed."""

    def draw(seed):
        rows = np.random.default_rng(seed).permutation(len(y))
        train, test = rows[:n_train], rows[n_train : n_train + n_test]
        take = X.__getitem__ if not isinstance(X, list) else lambda r: [X[i] for i in r]
        return model, take(train), y[train], take(test), y[test]

    return draw


def read_tsv(path):
    with path.open(encoding="utf-8") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def list_tasks(folder):
    names = read_tsv(folder / "names_by_nationality.tsv")
    movies = read_tsv(folder / "movie_snippets.tsv")
    vowels = np.load(folder / "japanese_vowels.npz")
    X_vowels = [
        x
        for part in ("train", "test")
        for x in np.split(
            vowels[f"values_{part}"], np.cumsum(vowels[f"lengths_{part}"])[:-1]
        )
    ]
    y_vowels = np.concatenate([vowels["y_train"], vowels["y_test"]])
    codes = CharVectorizer().fit_transform([row["name"] for row in names])
    nationality = np.array([row["nationality"] for row in names])
    words = WordVectorizer().fit_transform([row["text"] for row in movies])
    likes = np.array([float(row["score"]) > 0 for row in movies])
    few, fewer = {"max_epochs": 10}, {"max_epochs": 5}
    return {
        "sum, 300": make_task(RNNRegressor(**few), 300, np.sum),
        "sum / 3 + length / 10, 300": make_task(
            RNNRegressor(**few), 300, lambda x: x.sum() / 3 + len(x) / 10
        ),
        "length > 30, 330": make_task(RNNClassifier(**few), 330, lambda x: len(x) > 30),
        "longest mislabeled, 33": draw_outlier,
        "vowels, 270": choose(RNNClassifier(**few), X_vowels, y_vowels, 270, 370),
        "sum, 1,200": make_task(RNNRegressor(**fewer), 1200, np.sum),
        "length > 30, 1,200": make_task(
            RNNClassifier(**fewer), 1200, lambda x: len(x) > 30
        ),
        "running sum, 1,200": make_task(
            RNNRegressor(return_sequences=True, **fewer), 1200, np.cumsum, per_step=True
        ),
        "names, 2,000": choose(
            RNNClassifier(max_epochs=3), codes, nationality, 2000, 2000
        ),
        "film reviews, 3,000": choose(
            RNNClassifier(max_epochs=2), words, likes, 3000, 2000
        ),
    }


def main():
    folder = data_folder()
    if folder is None:
        return
    torch.set_num_threads(1)
    print(environment())
    table = Table(__file__, "quality", "task")
    differences = []
    for task, draw in list_tasks(folder).items():
        scores, seconds = compare(draw)
        difference = scores[:, 2] - scores[:, 0]
        differences.append(difference.mean())
        error = difference.std(ddof=1) / len(SEEDS) ** 0.5
        random, in_order, fit = np.median(seconds, axis=0)
        table.add(
            task=task,
            **dict(zip(METHODS, scores.mean(axis=0).tolist(), strict=True)),
            difference=difference.mean(),
            error=error,
            time_random=fit / random,
            time_sorted=fit / in_order,
        )
    print(f"mean difference to random batches: {np.mean(differences):+.4f}")


def compare(draw):
    """Scores and seconds of each seed and method; the methods take turns."""
    scores = np.empty((len(SEEDS), len(METHODS)))
    seconds = np.empty_like(scores)
    for seed in SEEDS:
        model, X, y, X_test, y_test = draw(seed)
        model.set_params(random_state=seed)
        for k, method in enumerate(METHODS.values()):
            with mock.patch(PLACE, method):
                started = time.process_time()
                model.fit(X, y)
                seconds[seed, k] = time.process_time() - started
            scores[seed, k] = model.score(X_test, y_test)
    return scores, seconds


if __name__ == "__main__":
    main()
