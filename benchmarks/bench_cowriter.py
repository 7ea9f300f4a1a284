"""Co-writing pages beside Python, and generation that copies no long spans.

    python benchmarks/bench_cowriter.py [--jobs page copies] [--models FOLDER]

page    size of the page, its predictions and those of Python after 1,000 prompts, and
        tokens per second of both; needs Chromium and playwright
copies  spans of more than 20 characters in 10^6 generated characters, with and without
        max_copy=20, the slowdown of generation, and the size of the index

The models are trained on nine tenths of Moby Dick, and kept in FOLDER for later runs.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch are imported

import argparse
import copy
import shutil
import tempfile
import time
import warnings
from base64 import b64decode
from pathlib import Path

import numpy as np
from _common import environment, interleaved
from _results import Table

from sklearn_rnn import SequenceGenerator, WordVectorizer, load, save
from sklearn_rnn._nn.description import list_arrays, set_arrays
from sklearn_rnn.datasets import load_moby_dick
from sklearn_rnn.generation._copies import CopyIndex
from sklearn_rnn.generation._html import restore_arrays

WORDS = WordVectorizer(lowercase=False, max_features=9_996)  # 10,000 codes
COMMON = {"hidden_size": 128, "random_state": 0, "keep_text": True}
MODELS = {
    "characters, rnn": {"cell": "rnn", "max_epochs": 3},
    "characters, lstm": {"cell": "lstm", "max_epochs": 3},
    "characters, gru": {"cell": "gru", "max_epochs": 3},
    "words, lstm": {"cell": "lstm", "max_epochs": 2, "window": 20, "vectorizer": WORDS},
}
N_PROMPTS, MAX_COPY = 1_000, 20
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")

PREDICT = """async ([prompts]) => {
  const rows = [];
  for (const prompt of prompts) {
    const session = await app.model.start(prompt);
    const bytes = new Uint8Array(Float32Array.from(session.logProbabilities).buffer);
    rows.push(btoa(bytes.reduce((text, byte) => text + String.fromCharCode(byte), "")));
  }
  return rows;
}"""
WRITE = """async ([n]) => {
  const session = await app.model.start("It was the");
  const write = (k) => {
    while (k--) {
      if (session.isOver) session.undo();
      session.write();
    }
  };
  write(n / 10);
  const started = performance.now();
  write(n);
  return 1000 * n / (performance.now() - started);
}"""


def split_book():
    """Training part and held-out last tenth."""
    book = load_moby_dick().data
    edge = round(0.9 * len(book))
    return book[:edge], book[edge:]


def get_model(name, folder):
    """A trained model, from the folder if an earlier run trained it."""
    path = folder / f"{name.replace(', ', '-')}.skrnn"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        started = time.perf_counter()
        with warnings.catch_warnings(action="ignore"):  # rare words are kept
            save(SequenceGenerator(**COMMON, **MODELS[name]).fit(split_book()[0]), path)
        print(f"trained {name} in {time.perf_counter() - started:.0f} s", flush=True)
    return load(path)


def draw_prompts():
    """Parts of the held-out text with 5 to 200 characters, after a known word."""
    rng, (_, text) = np.random.default_rng(0), split_book()
    starts = rng.integers(0, len(text) - 200, N_PROMPTS)
    lengths = rng.integers(5, 201, N_PROMPTS)
    return [f"The {text[s : s + n]}" for s, n in zip(starts, lengths, strict=True)]


def round_weights(model):
    """A copy of a model with the weights of its page."""
    rounded = copy.deepcopy(model)
    set_arrays(rounded.module_, restore_arrays(list_arrays(rounded.module_)))
    return rounded


def compare(proba, expected):
    """Share of rows with the same ten likeliest tokens, and the largest difference."""
    tens = [np.argsort(-rows, 1, kind="stable")[:, :10] for rows in (proba, expected)]
    same = (np.sort(tens[0], 1) == np.sort(tens[1], 1)).all(1)
    return float(same.mean()), float(np.abs(proba - expected).max())


def page(folder):
    """Size, predictions and speed of pages."""
    from playwright.sync_api import sync_playwright

    table, prompts = Table(__file__, "page", "model"), draw_prompts()
    with sync_playwright() as playwright, tempfile.TemporaryDirectory() as home:
        browser = playwright.chromium.launch(
            executable_path=next(filter(None, map(shutil.which, BROWSERS)), None)
        )
        for name in MODELS:
            model, path = get_model(name, folder), Path(home, "page.html")
            model.to_html(path)
            tab = browser.new_page()
            tab.goto(path.as_uri())
            tab.wait_for_selector("#main:not([hidden])")
            found = []
            for k in range(0, N_PROMPTS, 50):
                found += tab.evaluate(PREDICT, [prompts[k : k + 50]])
            proba = np.exp([np.frombuffer(b64decode(row), "<f4") for row in found])
            n = 20_000 if name.startswith("characters") else 1_000
            speed = tab.evaluate(WRITE, [n])
            tab.close()
            with warnings.catch_warnings(action="ignore"):  # unknown words
                shipped = round_weights(model).predict_proba(prompts)
                unrounded = model.predict_proba(prompts)
            started = time.perf_counter()
            model.generate("It was the", n, banned="<end>", random_state=0)
            same, difference = compare(proba, shipped)
            same_unrounded, difference_unrounded = compare(proba, unrounded)
            table.add(
                model=name,
                codes=model.vocabulary_size_,
                megabytes=path.stat().st_size / 1e6,
                same_ten=same,
                difference=difference,
                same_ten_unrounded=same_unrounded,
                difference_unrounded=difference_unrounded,
                per_second=speed,
                python_per_second=n / (time.perf_counter() - started),
            )
        browser.close()


def copies(folder):
    """Copied spans and speed of generated characters."""
    model = get_model("characters, lstm", folder)
    started = time.perf_counter()
    index = CopyIndex(model._training_text.codes)
    seconds = time.perf_counter() - started
    size = index.codes.nbytes + index.order.nbytes
    Table(__file__, "copy_index", "characters").add(
        characters=len(index.codes),
        seconds=seconds,
        bytes_per_character=size / len(index.codes),
    )
    table = Table(__file__, "copied", "temperature")
    prompts = ["It was the"] * 500

    def write(temperature, max_copy, prompts=prompts, n=2_000):
        return model.generate(
            prompts,
            n,
            temperature=temperature,
            max_copy=max_copy,
            banned="<end>",
            random_state=0,
        )

    for temperature in (0.5, 1.0):
        row = {"temperature": temperature}
        for name, limit in (("free", None), ("limited", MAX_COPY)):
            texts = write(temperature, limit)
            spans = [model.copied_spans(text, MAX_COPY + 1) for text in texts]
            row |= {"characters": sum(map(len, texts)), name: sum(map(len, spans))}
        for n_streams, n in ((1, 4_000), (256, 200)):
            jobs = {
                key: lambda limit=limit: write(
                    temperature,  # noqa: B023
                    limit,
                    prompts[:n_streams],  # noqa: B023
                    n,  # noqa: B023
                )
                for key, limit in (("free", None), ("limited", MAX_COPY))
            }
            took = interleaved(9, **jobs)
            row[f"slowdown_{n_streams}"] = took["limited"] / took["free"] - 1
        table.add(**row)


JOBS = {job.__name__: job for job in (page, copies)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", nargs="*", choices=JOBS, default=list(JOBS))
    parser.add_argument("--models", type=Path, default=Path("build/cowriter"))
    args = parser.parse_args()
    print(environment())
    for name in args.jobs:
        JOBS[name](args.models)


if __name__ == "__main__":
    main()
