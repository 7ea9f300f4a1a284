"""Exercises of textbooks, papers and tutorials with their published numbers.

``--jobs sums dates ...`` selects rows; MNIST needs the data folder.
Settings were chosen on other seeds or on a part of the training data. Each test part
was scored once. The page docs/textbooks.md describes the exercises.
"""

import argparse
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from _common import data_folder, environment
from _data import load_mnist
from _results import Table
from bench_accuracy import MNIST, plain
from bench_boltzmann import judge_digits
from bench_forecast import judge_waves
from bench_grammars import SEEDS, judge_reber, train_and_reach
from bench_hopfield import bit_errors
from bench_translator import DATES, SUMS, dates, judge, sums
from sklearn.exceptions import ConvergenceWarning
from torch import nn

from sklearn_rnn import RNNRegressor, SequenceGenerator
from sklearn_rnn.energy import CapacityWarning

GERON = "https://github.com/ageron/handson-ml2/blob/master/"
WAVES = f"[Géron, chapter 15]({GERON}15_processing_sequences_using_rnns_and_cnns.ipynb)"
TEXTS = f"[Géron, chapter 16]({GERON}16_nlp_with_rnns_and_attention.ipynb)"
KERAS = "[Keras example](https://keras.io/examples/nlp/addition_rnn/)"
# numbers of these: the reach of the published weights, computed with our criterion
WEISS = "[Weiss et al.](https://github.com/tech-srl/counting_dimensions)"
FASTAI = (
    "[Howard and Gugger, chapter 12]"
    "(https://github.com/fastai/fastbook/blob/master/12_nlp_dive.ipynb)"
)
IMAGES = "[MNIST-Classify](https://github.com/lh9171338/MNIST-Classify)"
HOCHREITER = (
    "[Hochreiter and Schmidhuber, table 7](https://doi.org/10.1162/neco.1997.9.8.1735)"
)
HERTZ = "Hertz et al., table 2.1"
DIGITS = (
    "[scikit-learn 1.0](https://scikit-learn.org/1.0/auto_examples/neural_networks/"
    "plot_rbm_logistic_classification.html)"
)

# ---------------------------------------------------------------- numbers in English

ONES = (
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
    "fifteen sixteen seventeen eighteen nineteen"
).split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()

PLAIN = {
    "hidden_size": 64,
    "num_layers": 2,
    "window": 16,
    "batch_size": 64,
    "learning_rate": 0.01,
    "learning_rate_schedule": "cosine",
    "max_epochs": 15,
}
REGULARIZED = PLAIN | {"weight_decay": 0.1, "dropout": 0.1}


def spell(n):
    """The words of a number below 10,000; none for 0."""
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if n >= size:
            return [*spell(n // size), name, *spell(n % size)]
    if n >= 20:
        return [TENS[n // 10 - 2], *spell(n % 10)]
    return [ONES[n - 1]] if n else []


def human_numbers():
    """Words of the numbers 1 to 9,999 with points between them, in two parts.

    8,000 is left out, as in fastai's data; four of five windows are for training.
    """
    numbers = [n for n in range(1, 10_000) if n != 8000]
    tokens = [token for n in numbers for token in (*spell(n), ".")][:-1]
    edge = (len(tokens) - 17 + 16) // 16 * 4 // 5 * 16  # windows of 16 words
    return tokens[:edge], tokens[edge:]


def next_word_accuracy(model, words, n_streams=64):
    """Share of next words that are right in 64 parts, each read from its beginning."""
    length = len(words) // n_streams // 16 * 16
    parts = [words[k * length : (k + 1) * length + 1] for k in range(n_streams)]
    stream, *steps = model.stream(n_streams), *map(list, zip(*parts, strict=True))
    hits = [
        stream.predict([[word] for word in now]) == np.array(wanted, dtype=object)
        for now, wanted in pairwise(steps)
    ]
    return np.mean(hits)


def run_numbers(settings):
    train, valid = human_numbers()
    model = SequenceGenerator(random_state=0, **settings).fit([train])
    return next_word_accuracy(model, valid)


# ---------------------------------------------------------------- the adding problem


def make_remembering_lstm(input_size, hidden_size):
    """LSTM whose gates keep the states for 1 to 109 steps at the start of training.

    The biases are those of C. Tallec and Y. Ollivier, "Can recurrent neural networks
    warp time?", ICLR 2018, evenly spaced instead of random.
    """
    lstm = nn.LSTM(input_size, hidden_size, batch_first=True)
    bias = torch.linspace(1, 109, hidden_size).log()
    with torch.no_grad():
        lstm.bias_hh_l0.zero_()
        for gate, values in enumerate((-bias, bias, 0 * bias, 0 * bias)):  # i, f, g, o
            lstm.bias_ih_l0[gate * hidden_size : (gate + 1) * hidden_size] = values
    return lstm


ADDING = {
    "cell": make_remembering_lstm,
    "hidden_size": 32,
    "pooling": "last",
    "dropout": 0.0,
    "weight_decay": 0.0,
    "batch_size": 20,
    "max_epochs": 20,
    "n_iter_no_change": 20,
    "learning_rate": 0.01,
    "learning_rate_schedule": "cosine",
    "scaling": False,
}


def adding_problem(n_sequences, rng, shortest=100):
    """Pairs of a value and a marker, and the scaled sum of the two marked values."""
    X, y = [], []
    for _ in range(n_sequences):
        length = rng.integers(shortest, shortest + shortest // 10 + 1)
        first, second = rng.integers(10), rng.integers(shortest // 2)
        while second == first:
            second = rng.integers(shortest // 2)
        pairs = np.zeros((length, 2), dtype=np.float32)
        pairs[:, 0] = rng.uniform(-1, 1, length)
        pairs[[0, -1], 1] = -1
        pairs[[first, second], 1] = 1
        pairs[0, 0] *= pairs[0, 1] != 1  # a marked first value is 0
        X.append(pairs)
        y.append(0.5 + (pairs[first, 0] + pairs[second, 0]) / 4)
    return X, np.array(y)


def run_adding(seed=0):
    rng = np.random.default_rng(seed)
    model = RNNRegressor(random_state=seed, **ADDING).fit(*adding_problem(3700, rng))
    X_test, y_test = adding_problem(2560, rng)
    errors = np.abs(model.predict(X_test) - y_test)
    print(f"mean absolute error {errors.mean():.4f}")
    return int((errors > 0.04).sum())


# ---------------------------------------------------------------- other exercises


def run_sums():
    pairs = map(list, sums(55_000, seed=0))
    return judge(*pairs, 50_000, SUMS | {"max_epochs": 10})["characters"]


def run_dates():
    return judge(*dates(12_000, seed=42), 10_000, DATES)["characters"]


def run_counting(cell, n_letters, longest):
    """The greatest reach of five networks."""
    found = [train_and_reach(cell, n_letters, longest, seed) for seed in SEEDS]
    print(f"reach of each network: {found}")
    return max(found)


def run_mnist(cell, max_epochs):
    X, X_test, y, y_test = load_mnist(data_folder())
    model = plain(cell=cell, hidden_size=64, **MNIST | {"max_epochs": max_epochs})(0)
    return model.fit(X, y).score(X_test, y_test)


# ---------------------------------------------------------------- rows


@dataclass(frozen=True)
class Exercise:
    """A row of the table; ``run`` returns the measured number."""

    name: str
    measure: str
    published: float
    source: str
    run: Callable[[], float]
    greater_is_better: bool = True


EXERCISES = {
    "sums": Exercise("Addition", "characters right", 0.99, KERAS, run_sums),
    "dates": Exercise("Dates", "characters right", 1.0, TEXTS, run_dates),
    "anbn_lstm": Exercise(
        "a^n b^n, LSTM", "largest n", 461, WEISS, lambda: run_counting("lstm", 2, 99)
    ),
    "anbn_gru": Exercise(
        "a^n b^n, GRU", "largest n", 39, WEISS, lambda: run_counting("gru", 2, 99)
    ),
    "anbncn_lstm": Exercise(
        "a^n b^n c^n, LSTM", "largest n", 57, WEISS, lambda: run_counting("lstm", 3, 49)
    ),
    "anbncn_gru": Exercise(
        "a^n b^n c^n, GRU", "largest n", 37, WEISS, lambda: run_counting("gru", 3, 49)
    ),
    "reber": Exercise(
        "Embedded Reber grammar",
        "accuracy",
        1.0,
        TEXTS,
        lambda: judge_reber(0)["accuracy"],
    ),
    "wave_1": Exercise(
        "Waves, one step",
        "mean squared error",
        0.0026,
        WAVES,
        lambda: judge_waves(1, 0)[0],
        greater_is_better=False,
    ),
    "wave_10": Exercise(
        "Waves, ten steps",
        "mean squared error",
        0.0085,
        WAVES,
        lambda: judge_waves(10, 0)[0],
        greater_is_better=False,
    ),
    "numbers": Exercise(
        "Human numbers, LSTM",
        "next words right",
        0.758,
        FASTAI,
        lambda: run_numbers(PLAIN),
    ),
    "numbers_regularized": Exercise(
        "Human numbers, regularized",
        "next words right",
        0.869,
        FASTAI,
        lambda: run_numbers(REGULARIZED),
    ),
    "mnist_lstm": Exercise(
        "MNIST by rows, LSTM", "accuracy", 0.985, IMAGES, lambda: run_mnist("lstm", 6)
    ),
    "mnist_gru": Exercise(
        "MNIST by rows, GRU", "accuracy", 0.989, IMAGES, lambda: run_mnist("gru", 10)
    ),
    "adding": Exercise(
        "Adding problem",
        "wrong answers of 2,560",
        1,
        HOCHREITER,
        run_adding,
        greater_is_better=False,
    ),
    "crosstalk": Exercise(
        "Hopfield network, load 0.138",
        "share of wrong bits",
        0.0036,
        HERTZ,
        lambda: np.mean(bit_errors(0.138, 1000, 30, np.random.default_rng(0))),
        greater_is_better=False,
    ),
    "digits": Exercise(
        "Digits, Boltzmann features",
        "accuracy",
        0.94,
        DIGITS,
        lambda: judge_digits("BoltzmannMachine")["test"],
    ),
}
NEED_DATA = "mnist_lstm", "mnist_gru"


def run(exercise):
    """One row of the table, with the processor time of one thread."""
    started = time.process_time()
    measured = exercise.run()
    sign = 1 if exercise.greater_is_better else -1
    return {
        "exercise": exercise.name,
        "measure": exercise.measure,
        "source": exercise.source,
        "published": exercise.published,
        "measured": measured,
        "met": "yes" if sign * (measured - exercise.published) >= 0 else "no",
        "seconds": time.process_time() - started,
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", nargs="+", choices=EXERCISES, default=list(EXERCISES))
    jobs = parser.parse_known_args()[0].jobs
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", CapacityWarning)
    warnings.simplefilter("ignore", ConvergenceWarning)  # of logistic regression
    print(environment())
    table = Table(__file__, "published", "exercise")
    for job in jobs:
        if job not in NEED_DATA or data_folder() is not None:
            table.add(**run(EXERCISES[job]))


if __name__ == "__main__":
    main()
