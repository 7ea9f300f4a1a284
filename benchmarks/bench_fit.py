"""Fit time compared with hand-written loops: same batches, threads and number type.

    python benchmarks/bench_fit.py [--jobs fit sizes parts keras] [--threads 1]
        [--cells rnn lstm gru] [--units 32 64 128] [--data FOLDER]

fit    64 units, float32 and float64, and the loop without clipping
sizes  32 to 512 units, float32
parts  share of the time of fit outside of the recurrent layers, on three data sets
keras  the same network and number of epochs in Keras on TensorFlow, if it is installed

40 steps of 8 features, 1,024 sequences, batches of 32, 2 epochs, except in parts. The
loop clips the gradient and uses Torch's fused Adam.

``--device cuda`` compares larger networks with the kernels of cuDNN. The loop keeps all
data on the GPU and does not wait for it in an epoch.
"""

import argparse
import os
import statistics
import time

import numpy as np
import torch
from _common import chosen_device, data_folder, environment, interleaved
from _data import load_movie, load_name_split, load_series
from _results import Table
from torch import nn

from sklearn_rnn import CharVectorizer, RNNClassifier, WordVectorizer
from sklearn_rnn._nn.layers import RecurrentStack

EPOCHS, BATCH, HIDDEN = 2, 32, 64


class Handwritten(nn.Module):
    def __init__(self, cell, n_features, n_classes, units):
        super().__init__()
        layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.recurrent = layer(n_features, units, batch_first=True)
        self.head = nn.Linear(units, n_classes)

    def forward(self, x):
        return self.head(self.recurrent(x)[0][:, -1])


def handwritten_loop(
    cell, X, y, clip=True, units=HIDDEN, batch_size=BATCH, epochs=EPOCHS
):
    device = chosen_device()
    torch.manual_seed(0)
    X, y = torch.from_numpy(X).to(device), torch.from_numpy(y).to(device)
    model = Handwritten(cell, X.shape[2], int(y.max()) + 1, units).to(device, X.dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003, fused=True)
    for _ in range(epochs):
        for rows in torch.randperm(len(X), device=device).split(batch_size):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(X[rows]), y[rows])
            loss.backward()
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    return model


# Units, sequences, steps, features, batch size and epochs of fits on a GPU.
GPU_SIZES = [
    (64, 2048, 40, 8, 32, 3),
    (256, 4096, 100, 16, 128, 5),
    (1024, 4096, 100, 64, 256, 4),
]


def on_gpu(device):
    """Fits of several sizes on a GPU, with full and with padded sequences."""
    rng = np.random.default_rng(0)
    table = Table(__file__, "fit", "cell", "units")
    for units, n, steps, features, batch_size, epochs in GPU_SIZES:
        X = rng.normal(size=(n, steps, features)).astype(np.float32)
        y = rng.integers(0, 3, n)
        for cell in ("lstm", "gru"):
            options = {
                "hidden_size": units,
                "batch_size": batch_size,
                "max_epochs": epochs,
                "device": device,
                "pooling": "last",
                "random_state": 0,
            }
            model = RNNClassifier(cell, **options)
            sizes = (units, batch_size, epochs)
            took = interleaved(
                3,
                loop=lambda: handwritten_loop(cell, X, y, True, *sizes),  # noqa: B023
                fit=lambda: model.fit(X, y),  # noqa: B023
            )
            table.add(
                cell=cell,
                units=units,
                batches=epochs * -(-n // batch_size),
                **took,
                ratio=took["fit"] / took["loop"],
            )


def make_data(dtype=np.float32):
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 1024)
    return rng.normal(size=(1024, 40, 8)).astype(dtype), y


def make_model(cell, units=HIDDEN, precision="float32"):
    return RNNClassifier(
        cell,
        units,
        pooling="last",
        max_epochs=EPOCHS,
        batch_size=BATCH,
        precision=precision,
        device="cpu",
        random_state=0,
    )


def fit(options):
    """64 units, in both number types, with and without clipping."""
    table = Table(__file__, "fit", "cell", "dtype")
    for dtype in (np.float32, np.float64):
        X, y = make_data(dtype)
        for cell in options.cells:
            model = make_model(cell, precision=np.dtype(dtype).name)
            took = interleaved(
                7,
                loop=lambda: handwritten_loop(cell, X, y),  # noqa: B023
                unclipped=lambda: handwritten_loop(cell, X, y, clip=False),  # noqa: B023
                fit=lambda: model.fit(X, y),  # noqa: B023
            )
            ratio = took["fit"] / took["loop"]
            table.add(cell=cell, dtype=np.dtype(dtype).name, **took, ratio=ratio)


def sizes(options):
    """Numbers of units, in float32."""
    table = Table(__file__, "sizes", "cell", "units", "threads")
    X, y = make_data()
    for units in options.units:
        for cell in options.cells:
            model = make_model(cell, units)
            took = interleaved(
                5,
                loop=lambda: handwritten_loop(cell, X, y, units=units),  # noqa: B023
                fit=lambda: model.fit(X, y),  # noqa: B023
            )
            about = {"cell": cell, "units": units, "threads": options.threads}
            table.add(**about, **took, ratio=took["fit"] / took["loop"])


def keras(options):
    """The same network and number of epochs in Keras on TensorFlow."""
    os.environ.update(KERAS_BACKEND="tensorflow", TF_CPP_MIN_LOG_LEVEL="3")
    try:
        import tensorflow
        from keras import Sequential, layers, optimizers
    except ImportError:
        print("skipped Keras: install tensorflow-cpu")
        return
    tensorflow.config.threading.set_intra_op_parallelism_threads(options.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(1)
    kinds = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}
    table = Table(__file__, "keras", "cell", "units", "threads")
    X, y = make_data()
    for units in options.units:
        for cell in options.cells:
            head = layers.Dense(3, activation="softmax")
            network = Sequential([layers.Input(X.shape[1:]), kinds[cell](units), head])
            network.compile(
                loss="sparse_categorical_crossentropy",
                optimizer=optimizers.Adam(0.003, global_clipnorm=1.0),
            )
            train = {"batch_size": BATCH, "epochs": EPOCHS, "verbose": 0}
            model = make_model(cell, units)
            took = interleaved(  # the first call, which compiles, is not measured
                5,
                keras=lambda: network.fit(X, y, **train),  # noqa: B023
                fit=lambda: model.fit(X, y),  # noqa: B023
            )
            about = {"cell": cell, "units": units, "threads": options.threads}
            table.add(**about, **took, ratio=took["fit"] / took["keras"])


def parts(options):
    """Share of the time of a default fit outside of the recurrent layers.

    The recurrent layers are run alone, forward and backward, on the inputs that they
    get in an epoch. Seconds are CPU time per epoch, without the set-up of a fit.
    """
    folder = data_folder()
    if folder is None:
        return
    table = Table(__file__, "parts", "data", "cell")
    for name, (X, y) in list_data(folder).items():
        for cell in options.cells:
            spent = [measure_parts(cell, X, y) for _ in range(5)]
            epoch, layers = (
                statistics.median(part) for part in zip(*spent, strict=True)
            )
            rest = statistics.median(1 - layer / whole for whole, layer in spent)
            table.add(data=name, cell=cell, epoch=epoch, layers=layers, rest=rest)


def list_data(folder):
    """The first 4,000 training rows of three data sets."""
    names, _, nationality, _ = load_name_split(folder)
    texts, _, praise, _ = load_movie(folder)
    vowels, _, speakers, _ = load_series("japanese_vowels", folder)
    return {
        "names": (CharVectorizer().fit_transform(names[:4000]), nationality[:4000]),
        "movie_snippets": (WordVectorizer().fit_transform(texts)[:4000], praise[:4000]),
        "japanese_vowels": (vowels, speakers),
    }


def measure_parts(cell, X, y):
    """CPU seconds of an epoch, and of the recurrent layers alone in the same epoch."""
    calls, forward = [], RecurrentStack.forward

    def record(stack, x, lengths=None, states=None, generator=None):
        if stack.training:
            calls.append((x.detach(), lengths))
        return forward(stack, x, lengths, states, generator)

    model = RNNClassifier(cell, max_epochs=1, random_state=0, warm_start=True).fit(X, y)
    one = measure(lambda: model.fit(X, y))
    epoch = (measure(lambda: model.set_params(max_epochs=4).fit(X, y)) - one) / 3
    model.max_epochs = 1
    RecurrentStack.forward = record
    try:
        model.fit(X, y)
    finally:
        RecurrentStack.forward = forward
    stack = model.module_.stack.train()
    needs_gradient = model.module_.embedding is not None
    inputs = [(x.requires_grad_(needs_gradient), lengths) for x, lengths in calls]
    gradients = [torch.randn_like(stack(*pair)[0]) for pair in inputs]

    def run_layers():
        for pair, gradient in zip(inputs, gradients, strict=True):
            stack.zero_grad()
            stack(*pair)[0].backward(gradient)

    return epoch, measure(run_layers)


def measure(job):
    started = time.process_time()
    job()
    return time.process_time() - started


JOBS = {job.__name__: job for job in (fit, sizes, parts, keras)}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", nargs="*", choices=JOBS, default=list(JOBS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cells", nargs="*", default=["rnn", "lstm", "gru"])
    parser.add_argument("--units", nargs="*", type=int, default=[32, 64, 128, 256, 512])
    options, _ = parser.parse_known_args()
    torch.set_num_threads(options.threads)
    print(environment())
    if chosen_device() != "cpu":
        on_gpu(chosen_device())
        return
    for name in options.jobs:
        JOBS[name](options)


if __name__ == "__main__":
    main()
