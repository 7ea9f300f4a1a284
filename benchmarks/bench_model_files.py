"""Model files: what 10,000 damaged or forged files do, and the time of save and load.

Three of ten files are damaged: bits are flipped, or parts are cut, inserted,
overwritten or taken from another file. The others are forged: header or arrays are
changed, and the lengths and the checksum are made valid. Each is loaded in a worker
process with limited memory. The targets are 0 for

- crashed: the process ended in load or in a prediction of the loaded model
- hung: load took more than 5 s
- ran_code: load imported another package, opened another file, or started a process
- allocated: load allocated more than 40 times the size of the file and 4 MB
- different: a file that is damaged without a valid checksum was loaded
- other_error: load raised something else than ModelFileError

A forged file may hold another valid model. ``loaded`` counts those. Their predictions
may raise an ordinary error, and ``slow`` counts those that take more than 5 s, for
example because the file asks for a forecast of 2**31 steps.
"""

import faulthandler
import json
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
import tracemalloc
import warnings
from contextlib import suppress
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch are imported

import joblib
import numpy as np
import pandas as pd
from _common import environment, interleaved
from _results import Table
from sklearn.compose import ColumnTransformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import sklearn_rnn
from sklearn_rnn import (
    BoltzmannMachine,
    ModelFileError,
    RNNClassifier,
    RNNForecaster,
    SequenceGenerator,
    SequenceTranslator,
    StepwiseTransformer,
    WordVectorizer,
)

sys.path.append(str(Path(__file__).parents[1] / "tools"))
from file_mutations import mutate_bytes, mutate_parts

N_FILES, SECONDS, REPEATS = 10_000, 5, 15
LARGEST_MULTIPLE, LARGEST_CONSTANT = 40, 4_000_000
MEMORY = 2**29  # bytes that a worker may allocate
PACKAGES = frozenset(
    [
        *("dateutil", "joblib", "numpy", "pandas", "pytz", "safetensors", "scipy"),
        *("six", "sklearn", "sklearn_rnn", "skorch", "threadpoolctl", "torch"),
    ]
)
QUICK = {"max_epochs": 1, "random_state": 0, "hidden_size": 6}
COUNTS = ("crashed", "hung", "ran_code", "allocated", "different", "other_error")


# ----------------------------------------------------------------------- models

TEXTS = ["one two three", "two three four", "three four five", "five one"] * 4
rng = np.random.default_rng(0)
STEPS = rng.normal(size=(12, 7, 2))
PATTERNS = rng.integers(0, 2, (20, 10))
MONTHS = pd.date_range("2020", periods=62, freq="MS")
WAVE = pd.Series(np.sin(np.arange(62) / 2), MONTHS)
SERIES, LATER = WAVE[:60], WAVE[60:]
FRAME = pd.DataFrame({"a": np.arange(12.0), "b": list("xyz") * 4, "c": TEXTS[:12]})


def make_table():
    return ColumnTransformer(
        [
            ("numbers", StandardScaler(), ["a"]),
            ("labels", OneHotEncoder(), ["b"]),
            ("texts", TfidfVectorizer(), "c"),
        ]
    )


def continue_training(model, *data):
    model.predict(data[0])
    return model.partial_fit(*data)


MODELS = {
    "classifier": (
        lambda: make_pipeline(
            StepwiseTransformer(StandardScaler()), RNNClassifier("gru", **QUICK)
        ).fit(STEPS, list("ab") * 6),
        lambda model: continue_training(model[-1], STEPS, list("ab") * 6),
    ),
    "tokens": (
        lambda: make_pipeline(
            WordVectorizer(), RNNClassifier("lstm", **QUICK, bidirectional=True)
        ).fit(TEXTS, [0, 1] * 8),
        lambda model: model.predict_proba(TEXTS),
    ),
    "forecaster": (
        lambda: RNNForecaster(**QUICK, horizon=3, window=6).fit(SERIES),
        lambda model: (model.predict_interval(coverage=0.8), model.update(LATER)),
    ),
    "generator": (
        lambda: SequenceGenerator(**QUICK).fit(TEXTS),
        lambda model: (model.generate("two", 5), model.score(TEXTS[:2])),
    ),
    "translator": (
        lambda: SequenceTranslator(**QUICK).fit(TEXTS, TEXTS[::-1]),
        lambda model: model.predict(TEXTS[:2]),
    ),
    "boltzmann": (
        lambda: BoltzmannMachine(4, max_epochs=1, random_state=0).fit(PATTERNS),
        lambda model: (model.score_samples(PATTERNS), model.partial_fit(PATTERNS)),
    ),
    "table": (
        lambda: make_table().fit(FRAME),
        lambda model: model.transform(FRAME),
    ),
}


# ---------------------------------------------------------------------- workers


def mutate(contents, k):
    """Return mutant ``k``, the name of its model, and whether its checksum is valid."""
    random = np.random.default_rng([k, 7])
    names = list(contents)
    name = names[k % len(names)]
    other = contents[names[int(random.integers(len(names)))]]
    is_sealed = bool(random.random() < 0.7)
    change = mutate_parts if is_sealed else mutate_bytes
    return change(contents[name], other, random), name, is_sealed


class Watch:
    """A record of imports, processes, connections and files that loading causes."""

    def __init__(self, allowed):
        self.allowed, self.found, self.is_on = allowed, [], False
        sys.addaudithook(self.hear)

    def hear(self, event, args):
        if not self.is_on:
            return
        if event == "import":
            package = args[0].split(".")[0]
            if package not in PACKAGES and package not in sys.stdlib_module_names:
                self.found.append(f"import {args[0]}")
        elif event == "open" and not self.is_allowed(args):
            self.found.append(f"open {args[0]}")
        elif event in ("os.system", "os.fork", "os.exec", "pickle.find_class") or (
            event.startswith(("subprocess.", "socket.", "ctypes.", "shutil."))
        ):
            self.found.append(event)

    def is_allowed(self, args):
        path, mode, flags = str(args[0]), args[1], args[2]
        is_read = not mode or not set(mode) & set("wax+")
        is_known = path == self.allowed or path.endswith((".pyc", ".py", ".so"))
        is_zone = "zoneinfo" in path or "tzdata" in path
        return is_read and not flags & os.O_WRONLY and (is_known or is_zone)


def work(folder, first, last):
    """Load and use the mutants of a range, and print a line after each stage."""
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    sys.stdout = io_null()  # a forged model may be verbose
    contents = {name: (folder / name).read_bytes() for name in MODELS}
    for name, (_, use) in MODELS.items():  # import what loading needs
        use(sklearn_rnn.load(folder / name))
    path = str(folder / f"mutant-{os.getpid()}")
    watch = Watch(path)
    size = int(Path("/proc/self/statm").read_text().split()[0])
    limit = size * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    for k in range(first, last):
        mutant, name, is_sealed = mutate(contents, k)
        if mutant == contents[name]:
            continue
        Path(path).write_bytes(mutant)
        report(k, "load")
        found, model = load_mutant(path, watch, len(mutant), is_sealed)
        report(k, "loaded", **found)
        if model is not None:
            report(k, "use")
            faulthandler.dump_traceback_later(SECONDS, exit=True, file=io_null())
            with suppress(Exception), joblib.parallel_config(backend="threading"):
                MODELS[name][1](model)  # a forged n_jobs would start many processes
            faulthandler.cancel_dump_traceback_later()
            report(k, "used")
    os.remove(path)


def load_mutant(path, watch, size, is_sealed):
    """Load a file, and return what was counted and the model, if any."""
    found, model = dict.fromkeys(COUNTS, 0), None
    watch.found.clear()
    tracemalloc.start()
    faulthandler.dump_traceback_later(SECONDS, exit=True, file=io_null())
    watch.is_on, text = True, ""
    try:
        model = sklearn_rnn.load(path)
    except ModelFileError as error:
        text = f"{error}"
    except BaseException as error:
        found["other_error"] = 1
        text = f"{type(error).__name__}: {error}"
    watch.is_on = False
    faulthandler.cancel_dump_traceback_later()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    found["ran_code"] = int(bool(watch.found))
    out_of_memory = "MemoryError" in text or "allocate memory" in text
    found["allocated"] = int(
        peak > LARGEST_MULTIPLE * size + LARGEST_CONSTANT or out_of_memory
    )
    found["different"] = int(model is not None and not is_sealed)
    if any(found.values()):
        print(found, watch.found, peak, size, text[:500], file=sys.stderr)
    return found | {"loaded": int(model is not None)}, model


def io_null():
    return open(os.devnull, "w")


def report(k, stage, **found):
    line = json.dumps({"k": k, "stage": stage, **found})
    print(line, file=sys.__stdout__, flush=True)


# ----------------------------------------------------------------------- tables


def count_outcomes(n_files):
    """Load all mutants in workers, which are restarted after a crash."""
    total = dict.fromkeys((*COUNTS, "loaded", "slow"), 0)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, (fit, _) in MODELS.items():
                sklearn_rnn.save(fit(), folder / name)
        first = 0
        while first < n_files:
            last = min(first + 1000, n_files)
            command = [sys.executable, __file__, str(folder), str(first), str(last)]
            with open(folder / "log", "w+") as log:
                run = subprocess.run(command, stdout=log)
                log.seek(0)
                lines = [json.loads(line) for line in log]
            for line in lines:
                for key in total:
                    total[key] += line.get(key, 0)
            first = last
            if run.returncode:
                if not lines or lines[-1]["stage"] not in ("load", "use"):
                    raise RuntimeError("a worker failed outside of load and use")
                stage, first = lines[-1]["stage"], lines[-1]["k"] + 1
                timed_out = run.returncode == 1
                print(lines[-1], "return code", run.returncode, file=sys.stderr)
                if timed_out:
                    total["hung" if stage == "load" else "slow"] += 1
                else:
                    total["crashed"] += 1
    return total


def time_formats():
    """Milliseconds of saving and loading a model of 1 MB."""
    texts = ["".join(rng.choice(list("abcdefgh"), 30)) for _ in range(64)]
    model = SequenceGenerator(hidden_size=120, max_epochs=1, random_state=0).fit(texts)
    table = Table(__file__, "time", "format")
    with tempfile.TemporaryDirectory() as name:
        paths = {
            kind: os.path.join(name, kind) for kind in ("skrnn", "pickle", "joblib")
        }

        def dump():
            with open(paths["pickle"], "wb") as file:
                pickle.dump(model, file)

        def load():
            with open(paths["pickle"], "rb") as file:
                return pickle.load(file)

        took = interleaved(
            REPEATS,
            skrnn=lambda: sklearn_rnn.save(model, paths["skrnn"]),
            pickle=dump,
            joblib=lambda: joblib.dump(model, paths["joblib"]),
        )
        loads = interleaved(
            REPEATS,
            skrnn=lambda: sklearn_rnn.load(paths["skrnn"]),
            pickle=load,
            joblib=lambda: joblib.load(paths["joblib"]),
        )
        for kind, path in paths.items():
            table.add(
                format=kind,
                megabytes=os.path.getsize(path) / 1e6,
                save_ms=took[kind] * 1e3,
                load_ms=loads[kind] * 1e3,
            )


def main():
    print(environment())
    time_formats()
    started = time.perf_counter()
    total = count_outcomes(N_FILES)
    seconds = time.perf_counter() - started
    Table(__file__, "mutations", "files").add(files=N_FILES, **total, seconds=seconds)


if __name__ == "__main__":
    if len(sys.argv) > 3:
        work(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
    else:
        main()
