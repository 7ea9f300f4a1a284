"""Quality and time of training in bfloat16 beside float32, with three seeds each.

    python benchmarks/bench_bfloat16.py --data FOLDER [--jobs mnist snippets moby_dick]

mnist      rows of 3,000 images, an LSTM of 128 units: accuracy on 2,000 test images
snippets   2,000 film reviews as words, an LSTM of 128 units: accuracy on the test part
moby_dick  100,000 characters, an LSTM of 128 units: bits per held-out character

The two number types take turns on one thread. The time ratio is that of the sums. It is
below 1 only on processors that multiply in bfloat16.
"""

import argparse
import time

import numpy as np
import torch
from _common import data_folder, environment
from _data import load_mnist, load_movie
from _results import Table
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNClassifier, SequenceGenerator, WordVectorizer

SEEDS = range(3)


def mnist(folder):
    X, X_test, y, y_test = load_mnist(folder)
    model = RNNClassifier("lstm", 128, max_epochs=6, batch_size=64)
    return model, (X[:3000], y[:3000]), lambda m: m.score(X_test[:2000], y_test[:2000])


def snippets(folder):
    X, X_test, y, y_test = load_movie(folder)
    model = make_pipeline(
        WordVectorizer(min_count=2),
        RNNClassifier("lstm", 128, max_epochs=5, dropout=0.3, batch_size=64),
    )
    return model, (X[:2000], y[:2000]), lambda m: m.score(X_test, y_test)


def moby_dick(folder):
    text = (folder / "moby_dick.txt").read_bytes().decode("utf-8")
    model = SequenceGenerator(hidden_size=128, max_epochs=4, learning_rate=0.01)
    test = text[-20_000:]
    return model, (text[:100_000],), lambda m: m.bits_per_character(test)


JOBS = {job.__name__: job for job in (mnist, snippets, moby_dick)}


def compare(name, folder):
    """Train with both number types in turns, and record scores and times."""
    model, data, score = JOBS[name](folder)
    prefix = "rnnclassifier__" if name == "snippets" else ""
    scores, seconds = ({"float32": [], "bfloat16": []} for _ in range(2))
    for seed in SEEDS:
        for precision in scores:
            given = {"precision": precision, "random_state": seed, "device": "cpu"}
            model.set_params(**{prefix + key: value for key, value in given.items()})
            started = time.perf_counter()
            model.fit(*data)
            seconds[precision].append(time.perf_counter() - started)
            scores[precision].append(score(model))
    Table(__file__, "quality", "data").add(
        data=name,
        score="bits per character" if name == "moby_dick" else "accuracy",
        float32=np.mean(scores["float32"]),
        float32_sd=np.std(scores["float32"], ddof=1),
        bfloat16=np.mean(scores["bfloat16"]),
        bfloat16_sd=np.std(scores["bfloat16"], ddof=1),
        difference=np.mean(np.subtract(scores["bfloat16"], scores["float32"])),
        seconds=sum(seconds["float32"]),
        ratio=sum(seconds["bfloat16"]) / sum(seconds["float32"]),
    )


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    jobs = parser.parse_known_args()[0].jobs
    folder = data_folder()
    if folder is None:
        return
    torch.set_num_threads(1)
    print(environment())
    for name in jobs:
        compare(name, folder)


if __name__ == "__main__":
    main()
