"""Fit time compared with a hand-written torch loop: same batches, threads and dtype.

64 units, 40 steps of 8 features, 1,024 sequences, batches of 32, 2 epochs, one thread.
Both sides clip the gradient and use Adam; the loop is also timed without clipping.

``--device cuda`` compares larger networks with the kernels of cuDNN. The loop keeps all
data on the GPU and uses the fused Adam. It does not wait for the GPU in an epoch.
"""

import numpy as np
import torch
from _common import chosen_device, environment, interleaved
from _results import Table
from torch import nn

from sklearn_rnn import RNNClassifier

EPOCHS, BATCH, HIDDEN = 2, 32, 64


class Handwritten(nn.Module):
    def __init__(self, cell, n_features, n_classes, hidden_size):
        super().__init__()
        layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.recurrent = layer(n_features, hidden_size, batch_first=True)
        self.head = nn.Linear(hidden_size, n_classes)

    def forward(self, x):
        return self.head(self.recurrent(x)[0][:, -1])


def handwritten_loop(
    cell, X, y, clip, hidden_size=HIDDEN, batch_size=BATCH, epochs=EPOCHS
):
    device = chosen_device()
    torch.manual_seed(0)
    X, y = torch.from_numpy(X).to(device), torch.from_numpy(y).to(device)
    model = Handwritten(cell, X.shape[2], int(y.max()) + 1, hidden_size)
    model.to(device, X.dtype)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=0.003, fused=True if device == "cuda" else None
    )
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


def main():
    torch.set_num_threads(1)
    print(environment())
    if chosen_device() != "cpu":
        on_gpu(chosen_device())
        return
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 1024)
    table = Table(__file__, "fit", "cell", "dtype")
    for dtype in (np.float32, np.float64):
        X = rng.normal(size=(1024, 40, 8)).astype(dtype)
        for cell in ("rnn", "lstm", "gru"):
            model = RNNClassifier(
                cell,
                HIDDEN,
                pooling="last",
                max_epochs=EPOCHS,
                batch_size=BATCH,
                precision=np.dtype(dtype).name,
                device="cpu",
                random_state=0,
            )
            took = interleaved(
                7,
                loop=lambda: handwritten_loop(cell, X, y, True),  # noqa: B023
                unclipped=lambda: handwritten_loop(cell, X, y, False),  # noqa: B023
                fit=lambda: model.fit(X, y),  # noqa: B023
            )
            table.add(
                cell=cell,
                dtype=np.dtype(dtype).name,
                **took,
                ratio=took["fit"] / took["loop"],
            )


if __name__ == "__main__":
    main()
