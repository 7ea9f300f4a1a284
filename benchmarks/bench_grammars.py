"""Counting and remembering: words of formal languages, read symbol by symbol.

``--jobs anbn anbncn reber`` selects parts. Networks of a counting language predict
after each symbol which symbols, including the end, may follow. They are trained on the
words up to a^99 b^99 (a^49 b^49 c^49). A network reaches n if it accepts every word up
to n and rejects those with one letter more or less. Settings were chosen with other
seeds than those reported.
"""

import argparse
import time
from functools import cache

import numpy as np
import torch
from _common import environment
from _results import Table
from sklearn.pipeline import make_pipeline

from sklearn_rnn import CharVectorizer, RNNClassifier
from sklearn_rnn.datasets import make_counting_words, make_embedded_reber

SEEDS = range(5)
LONGEST = 2000  # longer words are not tested

COUNTING = {
    "hidden_size": 10,
    "return_sequences": True,
    "max_epochs": 600,
    "batch_size": 8,
    "learning_rate_schedule": "cosine",
    "weight_decay": 0.0,
    "n_iter_no_change": 600,
    "scaling": False,
    "precision": "float32",
}
SCALE = 20.0  # scale of the one-hot symbols: gates saturate, so that counters are exact


def symbols(word, n_letters):
    """A word as scaled one-hot rows (T, n_letters)."""
    codes = np.frombuffer(word.encode(), dtype=np.uint8) - ord("a")
    return SCALE * np.eye(n_letters, dtype=np.float32)[codes]


def followers(word, n_letters):
    """Mask of the symbols that may follow each symbol, (T, n_letters + 1), end last."""
    n, may = len(word) // n_letters, np.zeros((len(word), n_letters + 1), dtype=int)
    for t in range(len(word)):
        letter, count = divmod(t, n)
        if letter == 0:
            may[t, :2] = 1  # another a, or the first b
        elif count + 1 < n:
            may[t, letter] = 1
        else:
            may[t, letter + 1] = 1
    return may


def accepts(word, answers):
    """Whether the network accepts each symbol and finally the end."""
    codes = np.frombuffer(word.encode(), dtype=np.uint8) - ord("a")
    if codes[0] != 0:  # the first symbol is not predicted
        return False
    allowed = answers[np.arange(len(word) - 1), codes[1:]].all()
    return bool(allowed and answers[len(word) - 1, -1])


def neighbors(word, n_letters):
    """Words with one letter more or less."""
    letters = [chr(ord("a") + k) for k in range(n_letters)]
    return [word.replace(x, new, 1) for x in letters for new in ("", 2 * x)]


def reach(model, n_letters):
    """The largest n up to which all words are accepted and their neighbors rejected."""
    for n, word in enumerate(make_counting_words(LONGEST, n_letters), start=1):
        words = [word, *neighbors(word, n_letters)]
        answers = model.predict([symbols(word, n_letters) for word in words])
        right, *wrong = map(accepts, words, answers)
        if not right or any(wrong):
            return n - 1
    return LONGEST


def train_and_reach(cell, n_letters, longest, seed):
    """The reach of a network that was trained on the words up to the longest."""
    words = make_counting_words(longest, n_letters)
    X = [symbols(word, n_letters) for word in words]
    y = [followers(word, n_letters) for word in words]
    model = RNNClassifier(cell, random_state=seed, **COUNTING).fit(X, y)
    return reach(model, n_letters)


def bench_counting(n_letters, longest):
    name = " ".join(f"{chr(ord('a') + k)}^n" for k in range(n_letters))
    print(f"\n{name}, trained on n <= {longest}")
    table = Table(__file__, "counting", "n_letters", "cell")
    for cell in ("lstm", "gru", "rnn"):
        started = time.perf_counter()
        found = [train_and_reach(cell, n_letters, longest, seed) for seed in SEEDS]
        seconds = (time.perf_counter() - started) / len(SEEDS)
        table.add(
            n_letters=n_letters,
            cell=cell,
            best=max(found),
            median=int(np.median(found)),
            seconds=seconds,
            all=found,
        )


@cache
def load_reber():
    """Strings and labels: 20,000 for training, and 1,000 others for the test."""
    X, y = make_embedded_reber(20_000, random_state=0)
    seen = set(X)
    X_test, y_test = make_embedded_reber(20_000, random_state=1)
    unseen = dict(zip(X_test, y_test, strict=True))
    unseen = [(w, label) for w, label in unseen.items() if w not in seen]
    rng = np.random.default_rng(0)
    unseen = [unseen[i] for i in rng.permutation(len(unseen))[:1000]]
    X_test, y_test = zip(*unseen, strict=True)
    return X, X_test, y, y_test


def judge_reber(seed):
    """Accuracy on strings that were not seen, and seconds of the training."""
    X, X_test, y, y_test = load_reber()
    classifier = RNNClassifier("gru", 30, max_epochs=20, random_state=seed)
    started = time.perf_counter()
    model = make_pipeline(CharVectorizer(), classifier).fit(X, y)
    seconds = time.perf_counter() - started
    return {"accuracy": model.score(X_test, y_test), "seconds": seconds}


def bench_reber():
    _, X_test, _, y_test = load_reber()
    print(
        f"\nembedded Reber grammar: GRU of 30 units, {len(X_test)} unseen strings, of "
        f"which {np.mean(y_test):.0%} are legal"
    )
    table = Table(__file__, "reber", "seed")
    for seed in SEEDS:
        table.add(seed=seed, **judge_reber(seed))


JOBS = {
    "anbn": lambda: bench_counting(2, 99),
    "anbncn": lambda: bench_counting(3, 49),
    "reber": bench_reber,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    torch.set_num_threads(1)
    print(environment())
    for job in parser.parse_known_args()[0].jobs:
        JOBS[job]()
