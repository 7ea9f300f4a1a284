"""Time of the import of the library and of the first fit in a new process.

Each network estimator is imported and fitted twice in a new process, on a few short
sequences. The difference of the two fits is the time that only the first one needs. The
classifier is also fitted with an optimizer class of torch, which imports the compiler
of torch.
"""

import statistics
import subprocess
import sys
import time

SETTINGS = {
    "RNNClassifier": {},
    "RNNRegressor": {},
    "RNNForecaster": {"window": 8},
    "SequenceGenerator": {"window": 8},
    "SequenceTranslator": {},
    "RNNClassifier of torch.optim.AdamW": {},
}
REPEATS = 3


def prepare(name):
    """An untrained estimator and small training data for it."""
    import numpy as np

    import sklearn_rnn

    kind, _, optimizer = name.partition(" of torch.optim.")
    model = getattr(sklearn_rnn, kind)(hidden_size=8, max_epochs=2, random_state=0)
    model.set_params(**SETTINGS[name])
    if optimizer:
        import torch

        model.set_params(optimizer=getattr(torch.optim, optimizer))
    texts = ["anna ate", "otto ran"] * 10
    numbers = np.random.default_rng(0).normal(size=(20, 6))
    return model, {
        "RNNClassifier": (numbers, numbers[:, 0] > 0),
        "RNNRegressor": (numbers, numbers[:, 0]),
        "RNNForecaster": (np.sin(np.arange(80.0)),),
        "SequenceGenerator": (texts,),
        "SequenceTranslator": (texts, [text[::-1] for text in texts]),
    }[kind]


def measure(name):
    """Seconds of import, first fit and second fit, and the modules of the first."""
    started = time.perf_counter()
    model, data = prepare(name)
    imported = time.perf_counter()
    n_modules = len(sys.modules)
    model.fit(*data)
    first = time.perf_counter()
    n_modules = len(sys.modules) - n_modules
    model.fit(*data)
    return imported - started, first - imported, time.perf_counter() - first, n_modules


def main():
    from _common import environment  # which imports torch
    from _results import Table

    print(environment(), f"median of {REPEATS} processes, in seconds")
    table = Table(__file__, "seconds", "estimator")
    for name in SETTINGS:
        runs = [
            subprocess.run(
                [sys.executable, __file__, name],
                check=True,
                capture_output=True,
                text=True,
            ).stdout.split()
            for _ in range(REPEATS)
        ]
        parts = zip(*[map(float, run) for run in runs], strict=True)
        load, first, second, modules = map(statistics.median, parts)
        table.add(
            estimator=name,
            load=load,
            first=first,
            second=second,
            difference=first - second,
            modules=round(modules),
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(*measure(sys.argv[1]))
    else:
        main()
