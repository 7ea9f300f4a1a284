"""Fit time compared with a hand-written torch loop: same batches, threads and dtype.

64 units, 40 steps of 8 features, 1,024 sequences, batches of 32, 2 epochs, one thread.
Both sides clip the gradient and use Adam; the loop is also timed without clipping.
"""

import numpy as np
import torch
from _common import environment, interleaved
from _results import Table
from torch import nn

from sklearn_rnn import RNNClassifier

EPOCHS, BATCH, HIDDEN = 2, 32, 64


class Handwritten(nn.Module):
    def __init__(self, cell, n_features, n_classes):
        super().__init__()
        layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.recurrent = layer(n_features, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, n_classes)

    def forward(self, x):
        return self.head(self.recurrent(x)[0][:, -1])


def handwritten_loop(cell, X, y, clip):
    torch.manual_seed(0)
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    model = Handwritten(cell, X.shape[2], int(y.max()) + 1).to(X.dtype)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003)
    for _ in range(EPOCHS):
        for rows in torch.randperm(len(X)).split(BATCH):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(X[rows]), y[rows])
            loss.backward()
            if clip:
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()


def main():
    torch.set_num_threads(1)
    print(environment())
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
