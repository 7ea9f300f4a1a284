"""Time of predict for one sequence, compared with the torch module alone.

One sequence of 40 steps of 8 features, 64 units, one thread. The second table is the
time of one text in a pipeline of a CharVectorizer and a classifier.

``--device cuda`` predicts 20,000 sequences of 100 steps with 256 units instead, from an
array in the memory of the CPU to probabilities there.
"""

import numpy as np
import torch
from _common import chosen_device, environment, interleaved
from _results import Table
from sklearn.pipeline import make_pipeline
from torch import nn

from sklearn_rnn import CharVectorizer, RNNClassifier

CALLS = 200


def on_gpu(device, n=20_000, n_steps=100, n_features=16, units=256):
    """Many sequences, in batches of the same size on both sides."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, n_steps, n_features)).astype(np.float32)
    y = rng.integers(0, 3, n)
    table = Table(__file__, "many", "cell")
    for cell in ("lstm", "gru"):
        layer = {"lstm": nn.LSTM, "gru": nn.GRU}[cell]
        recurrent = layer(n_features, units, batch_first=True).to(device)
        head = nn.Linear(units, 3).to(device)
        model = RNNClassifier(
            cell, units, pooling="last", max_epochs=1, device=device, batch_size=512
        )
        model.fit(X[:512], y[:512])

        @torch.inference_mode()
        def bare(recurrent=recurrent, head=head):
            parts = [
                torch.softmax(head(recurrent(x.to(device))[0][:, -1]), 1)
                for x in torch.from_numpy(X).split(512)
            ]
            return torch.cat(parts).cpu().numpy()

        took = interleaved(5, bare=bare, predict=lambda: model.predict_proba(X))  # noqa: B023
        table.add(
            cell=cell,
            sequences=n,
            **took,
            ratio=took["predict"] / took["bare"],
        )


def main():
    torch.set_num_threads(1)
    print(environment())
    if chosen_device() != "cpu":
        on_gpu(chosen_device())
        return
    rng = np.random.default_rng(0)
    X = rng.normal(size=(64, 40, 8)).astype(np.float32)
    one, one_table = X[:1], X[:1].reshape(1, -1)
    y = rng.integers(0, 3, 64)
    table = Table(__file__, "microseconds", "cell")
    for cell in ("rnn", "lstm", "gru"):
        layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell]
        recurrent, head = layer(8, 64, batch_first=True), nn.Linear(64, 3)
        tensor = torch.from_numpy(one)
        model = RNNClassifier(cell, pooling="last", max_epochs=1, device="cpu")
        model.fit(X, y)
        flat = RNNClassifier(
            cell, pooling="last", max_epochs=1, input_size=8, device="cpu"
        )
        flat.fit(X.reshape(64, -1), y)

        def bare(recurrent=recurrent, head=head, tensor=tensor):
            with torch.inference_mode():
                for _ in range(CALLS):
                    head(recurrent(tensor)[0][:, -1]).argmax(1)

        took = interleaved(
            9,
            bare=bare,
            predict=lambda: [model.predict(one) for _ in range(CALLS)],  # noqa: B023
            table=lambda: [flat.predict(one_table) for _ in range(CALLS)],  # noqa: B023
        )
        micro = {name: 1e6 * seconds / CALLS for name, seconds in took.items()}
        table.add(
            cell=cell,
            **micro,
            ratio=micro["predict"] / micro["bare"],
            ratio_table=micro["table"] / micro["bare"],
        )
    predict_texts(rng)


def predict_texts(rng):
    """Time of predict for one text of 12 characters, by cell."""
    texts = ["".join(rng.choice(list("abcdefghijklmnop"), 12)) for _ in range(64)]
    y = rng.integers(0, 3, 64)
    table = Table(__file__, "pipeline", "cell")
    for cell in ("rnn", "lstm", "gru"):
        pipe = make_pipeline(CharVectorizer(), RNNClassifier(cell, max_epochs=1))
        pipe.fit(texts, y)
        took = interleaved(
            9,
            pipe=lambda: [pipe.predict(texts[:1]) for _ in range(CALLS)],  # noqa: B023
        )
        table.add(cell=cell, milliseconds=1e3 * took["pipe"] / CALLS)


if __name__ == "__main__":
    main()
