"""Sequences to sequences: sums, dates and interface phrases; time to decode.

``--jobs sums dates phrases decoding`` picks parts. ``phrases`` needs phrases_en_fr.tsv
in the data folder; BLEU and chrF need sacrebleu.
"""

import argparse
import csv
import time

import numpy as np
import torch
from _common import data_folder, environment
from sklearn.model_selection import train_test_split

from sklearn_rnn import SequenceTranslator, WordVectorizer

MONTHS = (
    "January February March April May June July August September October November "
    "December"
).split()

SUMS = {
    "cell": "lstm",
    "max_epochs": 30,
    "batch_size": 64,
    "learning_rate": 0.005,
    "learning_rate_schedule": "cosine",
}
DATES = {"max_epochs": 20, "learning_rate": 0.005, "learning_rate_schedule": "cosine"}
PHRASES = {
    "max_epochs": 12,
    "hidden_size": 128,
    "embedding": 128,
    "dropout": 0.4,
    "learning_rate": 0.004,
    "learning_rate_schedule": "cosine",
}


def characters_right(y, answers):
    """Share of characters, of the longer of right and said, that agree in place."""
    pairs = list(zip(y, answers, strict=True))
    right = sum(sum(a == b for a, b in zip(t, s, strict=False)) for t, s in pairs)
    return right / sum(max(len(t), len(s)) for t, s in pairs)


def judged(model, X, y):
    answers = model.predict(X)
    whole = np.mean([t == s for t, s in zip(y, answers, strict=True)])
    return f"characters {characters_right(y, answers):.4f}, whole {whole:.4f}"


# ---------------------------------------------------------------- sums and dates


def sums(n, seed):
    """Different sums of numbers of up to three digits, as of the Keras example."""
    rng, pairs = np.random.default_rng(seed), {}
    while len(pairs) < n:
        a, b = (int(rng.integers(10 ** rng.integers(1, 4))) for _ in range(2))
        key = tuple(sorted((a, b)))
        pairs.setdefault(key, (f"{a}+{b}", str(a + b)))
    return zip(*pairs.values(), strict=True)


def bench_sums(seed=0):
    X, y = map(list, sums(55_000, seed))
    print("\nsums of three digits: 50,000 pairs to learn from, 5,000 unseen ones")
    started = time.perf_counter()
    model = SequenceTranslator(random_state=0, **SUMS).fit(X[:50_000], y[:50_000])
    seconds = time.perf_counter() - started
    said = judged(model, X[50_000:], y[50_000:])
    print(f"{said} after {model.n_iter_} epochs, {seconds:.0f} s", flush=True)


def dates(n, seed):
    rng = np.random.default_rng(seed)
    days = np.datetime64("0001-01-01") + rng.integers(3_652_059, size=n)
    X, y = [], []
    for day in days.tolist():
        X.append(f"{MONTHS[day.month - 1]} {day.day:02}, {day.year}")
        y.append(day.isoformat())
    return X, y


def bench_dates(seed=42):
    X, y = dates(12_000, seed)
    print("\ndates in words to ISO: 10,000 pairs, 2,000 unseen ones")
    started = time.perf_counter()
    model = SequenceTranslator(random_state=0, **DATES).fit(X[:10_000], y[:10_000])
    seconds = time.perf_counter() - started
    said = judged(model, X[10_000:], y[10_000:])
    print(f"{said} after {model.n_iter_} epochs, {seconds:.0f} s", flush=True)


# ---------------------------------------------------------------- phrases


def phrases(folder):
    with open(folder / "phrases_en_fr.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))[1:]
    X, y = zip(*(row for row in rows if len(row) == 2 and all(row)), strict=True)
    return train_test_split(X, y, train_size=10_000, random_state=0)


def bench_phrases(validate=False):
    folder = data_folder()
    if folder is None:
        return
    X, X_test, y, y_test = phrases(folder)
    if validate:
        X, X_test, y, y_test = train_test_split(X, y, test_size=1000, random_state=1)
    print(f"\nEnglish to French: {len(X)} phrases, {len(X_test)} held out")
    words = WordVectorizer(lowercase=False, min_count=2)
    reference = words.fit(y).inverse_transform(words.transform(y_test))
    for attention in (None, "dot", "additive"):
        model = SequenceTranslator(
            words, words, attention=attention, random_state=0, **PHRASES
        )
        started = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - started
        answers = model.predict(X_test, beam_size=4)
        figures = [f"exact {model.score(X_test, y_test):.4f}"]
        try:
            import sacrebleu
        except ImportError:
            figures.append("BLEU and chrF skipped: sacrebleu is not installed")
        else:
            said = list(map(str, answers)), [list(map(str, reference))]
            figures.append(f"BLEU {sacrebleu.corpus_bleu(*said).score:.1f}")
            figures.append(f"chrF {sacrebleu.corpus_chrf(*said).score:.1f}")
        print(f"{attention!s:9} {', '.join(figures)}; {seconds:.0f} s", flush=True)


# ---------------------------------------------------------------- time


def bench_decoding():
    X, y = dates(3_000, 1)
    model = SequenceTranslator(max_epochs=6, random_state=0).fit(X, y)
    X, _ = dates(1_000, 2)
    print("\ndecoding 1,000 dates: all at once against one by one")
    for beam_size in (1, 4):
        model.set_params(beam_size=beam_size)
        started = time.perf_counter()
        together = model.predict(X)
        middle = time.perf_counter()
        alone = [model.predict([x])[0] for x in X]
        ended = time.perf_counter()
        ratio = (ended - middle) / (middle - started)
        same = np.mean(together == np.array(alone))
        print(f"beam {beam_size}: {ratio:.1f} times as fast, {same:.1%} the same")


JOBS = {
    "sums": bench_sums,
    "dates": bench_dates,
    "phrases": bench_phrases,
    "decoding": bench_decoding,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    torch.set_num_threads(1)
    print(environment())
    for job in parser.parse_known_args()[0].jobs:
        JOBS[job]()
