"""Time of a step of a stream, compared with torch's LSTM that keeps its state.

Torch's layer and its cell compute a step of 128 units on one thread, without checks of
the input. ``ratio`` compares with the layer, and ``ratio_cell`` with the cell.

``--device cuda`` streams models that were fitted on a GPU. A stream computes on the CPU
in any case; torch's LSTM runs on the GPU.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch are imported

import numpy as np
import torch
from _common import chosen_device, environment, interleaved
from _results import Table

from sklearn_rnn import RNNRegressor

UNITS, STEPS, REPEATS = 128, 200, 15


def fitted(cell="lstm", pooling="last"):
    X = np.random.default_rng(0).normal(size=(32, 5, 1)).astype(np.float32)
    model = RNNRegressor(cell, UNITS, pooling=pooling, max_epochs=1, random_state=0)
    model.set_params(device=chosen_device())
    return model.fit(X, X.sum(axis=(1, 2)))


def by_torch():
    """A step of nn.LSTM and nn.Linear under inference_mode that keeps the state."""
    device = chosen_device()
    lstm = torch.nn.LSTM(1, UNITS, batch_first=True).eval().to(device)
    head = torch.nn.Linear(UNITS, 1).eval().to(device)
    state = None

    def step(value):
        nonlocal state
        with torch.inference_mode():
            outputs, state = lstm(torch.tensor([[[value]]], device=device), state)
            return head(outputs[:, -1]).item()

    return step


def by_cell():
    """A step of nn.LSTMCell and nn.Linear under inference_mode."""
    cell = torch.nn.LSTMCell(1, UNITS).eval()
    head = torch.nn.Linear(UNITS, 1).eval()
    state = None

    def step(value):
        nonlocal state
        with torch.inference_mode():
            state = cell(torch.tensor([[value]]), state)
            return head(state[0]).item()

    return step


def one_by_one(stream):
    return lambda value: stream.predict(np.array([[value]], dtype=np.float32))[0]


def by_key(stream, n):
    return lambda value: stream.predict({f"sensor-{k}": value for k in range(n)})


def main():
    torch.set_num_threads(1)
    print(environment())
    jobs = {
        "nn.LSTM and nn.Linear": by_torch(),
        "nn.LSTMCell and nn.Linear": by_cell(),
        "lstm": one_by_one(fitted().stream()),
        "lstm, pooling concat": one_by_one(fitted(pooling="concat").stream()),
        "gru": one_by_one(fitted("gru").stream()),
        "lstm, 100 keys": by_key(fitted().stream(n_streams=None), 100),
    }
    values = np.random.default_rng(1).normal(size=STEPS).tolist()
    took = interleaved(
        REPEATS,
        **{
            name: lambda step=step: [step(value) for value in values]
            for name, step in jobs.items()
        },
    )
    layer, cell = took["nn.LSTM and nn.Linear"], took["nn.LSTMCell and nn.Linear"]
    table = Table(__file__, "step", "job")
    for name, seconds in took.items():
        micro = 1e6 * seconds / STEPS
        ratios = {"ratio": seconds / layer, "ratio_cell": seconds / cell}
        table.add(job=name, microseconds=micro, **ratios)


if __name__ == "__main__":
    main()
