"""Translation of sums, dates and interface phrases; time of training and decoding.

``--jobs sums dates languages phrases decoding training`` selects parts. ``phrases``
needs phrases_en_fr.tsv in the data folder; BLEU and chrF need sacrebleu, ``languages``
needs babel.
"""

import argparse
import time

import numpy as np
import torch
from _common import data_folder, environment, interleaved
from _data import load_phrases
from _results import Table
from sklearn.model_selection import train_test_split
from torch import nn

from sklearn_rnn import SequenceTranslator, TokenArray, WordVectorizer
from sklearn_rnn.metrics import bleu_score, chrf_score, token_accuracy_score

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


def judge(X, y, n_train, settings):
    """Fit on the first pairs, and score the others."""
    started = time.perf_counter()
    model = SequenceTranslator(random_state=0, **settings).fit(X[:n_train], y[:n_train])
    seconds = time.perf_counter() - started
    truth, answers = y[n_train:], model.predict(X[n_train:])
    return {
        "characters": token_accuracy_score(truth, answers),
        "whole": np.mean([t == s for t, s in zip(truth, answers, strict=True)]),
        "n_train": n_train,
        "n_test": len(truth),
        "epochs": model.n_iter_,
        "seconds": seconds,
    }


def fit_and_judge(task, *pairs_and_settings):
    scores = judge(*pairs_and_settings)
    Table(__file__, "exact", "task").add(task=task, **scores)


# ---------------------------------------------------------------- sums and dates


def sums(n, seed):
    """Distinct sums of numbers of up to three digits, as in the Keras example."""
    rng, pairs = np.random.default_rng(seed), {}
    while len(pairs) < n:
        a, b = (int(rng.integers(10 ** rng.integers(1, 4))) for _ in range(2))
        key = tuple(sorted((a, b)))
        pairs.setdefault(key, (f"{a}+{b}", str(a + b)))
    return zip(*pairs.values(), strict=True)


def bench_sums(seed=0):
    X, y = map(list, sums(55_000, seed))
    fit_and_judge("sums of two numbers of up to three digits", X, y, 50_000, SUMS)


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
    fit_and_judge("English dates to ISO dates", X, y, 10_000, DATES)


def bench_languages():
    try:
        from babel.dates import format_date
    except ImportError:
        print("\nlanguages skipped: babel is not installed")
        return
    rng = np.random.default_rng(0)
    days = np.datetime64("1000-01-01") + rng.integers(400_000, size=22_000)
    X, y = [], []
    for day in days.tolist():
        language = rng.choice(["en", "fr", "de", "es"])
        form = rng.choice(["medium", "long", "full"])
        X.append(format_date(day, form, locale=language))
        y.append(day.isoformat())
    fit_and_judge("dates of four languages and three forms", X, y, 20_000, DATES)


# ---------------------------------------------------------------- phrases


def bench_phrases(validate=False):
    folder = data_folder()
    if folder is None:
        return
    X, X_test, y, y_test = load_phrases(folder)
    if validate:
        X, X_test, y, y_test = train_test_split(X, y, test_size=1000, random_state=1)
    print(f"\nEnglish to French: {len(X)} phrases, {len(X_test)} held out")
    words = WordVectorizer(lowercase=False, min_count=2, detokenizer=" ".join)
    reference = words.fit(y).inverse_transform(words.transform(y_test))
    table = Table(__file__, "validation" if validate else "phrases", "attention")
    for attention in (None, "dot", "additive"):
        model = SequenceTranslator(
            words, words, attention=attention, random_state=0, **PHRASES
        )
        started = time.perf_counter()
        model.fit(X, y)
        seconds = time.perf_counter() - started
        answers = model.predict(X_test, beam_size=4)
        figures = {"exact": model.score(X_test, y_test)}
        for name, score in ("bleu", bleu_score), ("chrf", chrf_score):
            try:
                figures[name] = score(reference, answers)
            except ImportError as error:
                figures[name] = None
                print(f"{name} skipped: {error}")
        table.add(attention=attention or "none", **figures, seconds=seconds)


# ---------------------------------------------------------------- time


def bench_decoding():
    X, y = dates(3_000, 1)
    model = SequenceTranslator(max_epochs=6, random_state=0).fit(X, y)
    X, _ = dates(1_000, 2)
    print("\ndecoding 1,000 dates: all at once against one by one")
    table = Table(__file__, "decoding", "beam_size")
    for beam_size in (1, 4):
        model.set_params(beam_size=beam_size)
        started = time.perf_counter()
        together = model.predict(X)
        middle = time.perf_counter()
        alone = [model.predict([x])[0] for x in X]
        ended = time.perf_counter()
        ratio = (ended - middle) / (middle - started)
        same = np.mean(together == np.array(alone))
        table.add(beam_size=beam_size, times_as_fast=ratio, same=same)


class Loop(nn.Module):
    """Network of the translator in hand-written PyTorch."""

    def __init__(self, n_source, n_target, width, H):
        super().__init__()
        self.source = nn.Embedding(n_source, width)
        self.target = nn.Embedding(n_target, width)
        self.encoder = nn.GRU(width, H, bidirectional=True)
        self.bridge, self.keys = nn.Linear(2 * H, H), nn.Linear(2 * H, H)
        self.decoder, self.combine = nn.GRU(width, H), nn.Linear(3 * H, H)
        self.head = nn.Linear(H, n_target)

    def forward(self, source, codes):
        memory, last = self.encoder(self.source(source))
        first = torch.tanh(self.bridge(torch.cat([last[0], last[1]], 1)))
        outputs, _ = self.decoder(self.target(codes), first.unsqueeze(0))
        queries, memory = outputs.transpose(0, 1), memory.transpose(0, 1)
        weights = torch.softmax(queries @ self.keys(memory).transpose(1, 2), 2)
        joined = torch.cat([queries, weights @ memory], 2)
        return self.head(torch.tanh(self.combine(joined)).transpose(0, 1))


def bench_training():
    rng = np.random.default_rng(0)
    source, target = rng.integers(4, 30, (2, 2048, 20))
    X, y = TokenArray(source, 30), TokenArray(target[:, :12], 30)
    model = SequenceTranslator(embedding=64, max_epochs=2, optimizer="adam")
    model.set_params(average=False, random_state=0)
    codes = np.full((2048, 14), 3)
    codes[:, 0], codes[:, 1:13] = 2, target[:, :12]
    tensors = torch.from_numpy(source), torch.from_numpy(codes)

    def loop():
        net = Loop(30, 30, 64, 128)
        optimizer = torch.optim.Adam(net.parameters(), 0.01, fused=True)
        for _ in range(2):
            for rows in torch.randperm(2048).split(32):
                x, codes = (part[rows].t() for part in tensors)
                logits = net(x, codes[:-1]).flatten(0, 1)
                loss = nn.functional.cross_entropy(logits, codes[1:].flatten())
                optimizer.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(net.parameters(), 1.0)
                optimizer.step()
                loss.item()

    seconds = interleaved(5, loop=loop, fit=lambda: model.fit(X, y))
    print("\ntraining, 2,048 pairs of 20 and 12 codes, GRU of 128 units, 2 epochs")
    ratio = seconds["fit"] / seconds["loop"]
    Table(__file__, "training", "cell").add(cell="gru", **seconds, ratio=ratio)


JOBS = {
    "sums": bench_sums,
    "dates": bench_dates,
    "languages": bench_languages,
    "phrases": bench_phrases,
    "decoding": bench_decoding,
    "training": bench_training,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    torch.set_num_threads(1)
    print(environment())
    for job in parser.parse_known_args()[0].jobs:
        JOBS[job]()
