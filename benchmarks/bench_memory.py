"""Peak memory of fit on many texts, and of fit and predict on long sequences.

The first part fits a Pipeline of vectorizer and classifier to 100,000 generated texts
of 200 words with a vocabulary of 20,000, for one epoch, with both embeddings. A dense
one-hot encoding of the texts would take 1.6 TB. The second part predicts a sequence
with 2 features in float32, 8 bytes per step. The third part trains one epoch on 32
sequences of 100,000 steps, 12 MiB of data, as they are and with backprop_window.
"""

import resource
import subprocess
import sys
import time

import numpy as np
from _results import Table
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNClassifier, WordVectorizer

CELLS = ("lstm", "gru", "rnn")
TEXTS, WORDS, VOCABULARY = 100_000, 200, 20_000
LONG_STEPS = 100_000


def texts(rng):
    words = np.array([f"w{i}" for i in range(VOCABULARY)], dtype=object)
    for _ in range(TEXTS):
        yield " ".join(words[rng.integers(0, VOCABULARY, WORDS)])


def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def predict_long(cell, n_steps):
    rng = np.random.default_rng(0)
    model = RNNClassifier(cell, 8, max_epochs=1, patch_size=1, random_state=0)
    short = rng.normal(size=(20, 30, 2)).astype("float32")
    model.fit(short, [0, 1] * 10).predict(short)
    long = [rng.normal(size=(n_steps, 2)).astype("float32")]
    before = peak()
    model.predict(long)
    used = (peak() - before) * 2**30
    table = Table(__file__, "predict", "cell", "n_steps")
    table.add(cell=cell, n_steps=n_steps, bytes_per_step=used / n_steps)


def train_long(cell, window):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(32, LONG_STEPS, 1)).astype("float32")
    y = X[:, :, 0] > 0 if window else np.arange(32) % 2
    model = RNNClassifier(cell, 8, max_epochs=1, patch_size=1, random_state=0)
    if window:
        model.set_params(return_sequences=True, backprop_window=window)
    model.fit(X[:, :30], y[:, :30] if window else y)
    before, started = peak(), time.perf_counter()
    model.fit(X, y)
    Table(__file__, "train", "cell", "window").add(
        cell=cell,
        window=window,
        n_steps=LONG_STEPS,
        seconds=time.perf_counter() - started,
        increase=(peak() - before) * 1024,
    )


def fit_texts(embedding):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 2, TEXTS)
    imported = peak()
    model = make_pipeline(
        WordVectorizer(),
        RNNClassifier(
            "gru", 32, embedding=embedding, max_epochs=1, batch_size=256, random_state=0
        ),
    )
    model.fit(texts(rng), y)
    Table(__file__, "fit", "embedding").add(
        embedding=embedding,
        peak=peak(),
        imports=imported,
        vocabulary=model[0].vocabulary_size_,
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["train"]:
        train_long(sys.argv[2], int(sys.argv[3]))
    elif len(sys.argv) == 3:
        predict_long(sys.argv[1], int(sys.argv[2]))
    elif len(sys.argv) == 2:
        fit_texts(int(sys.argv[1]) if sys.argv[1].isdigit() else sys.argv[1])
    else:  # one process each, because the peak of a process never falls
        jobs = [["32"], ["onehot"], *([cell, "1000000"] for cell in CELLS)]
        jobs += [["train", cell, window] for cell in CELLS for window in ("0", "200")]
        for job in jobs:
            subprocess.run([sys.executable, __file__, *job], check=True)
