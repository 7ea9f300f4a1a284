"""Fit time compared with stock skorch on the names: same network and settings.

skorch uses its own loop, ``DataLoader`` and history. The module consists of torch's
layers and has the shape of the one that ``RNNClassifier`` builds. Names are padded to
the longest of all names, or by a ``collate_fn`` to the longest of each batch.
"""

import copy
import sys

import numpy as np
import torch
from _common import environment, interleaved
from _results import Table
from skorch import NeuralNetClassifier
from torch import nn
from torch.nn.utils.rnn import pad_sequence

from sklearn_rnn import CharVectorizer, RNNClassifier
from sklearn_rnn.datasets import load_names

EPOCHS, REPEATS = 2, 3


class Network(nn.Module):
    """The network of the estimator, written with torch's layers."""

    def __init__(self, cell, n_codes, n_embedding, units, n_classes):
        super().__init__()
        layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.embedding = nn.Embedding(n_codes, n_embedding)
        self.recurrent = layer(n_embedding, units, batch_first=True)
        self.head = nn.Linear(3 * units, n_classes)

    def forward(self, codes):
        outputs = self.recurrent(self.embedding(codes))[0]  # (B, T, H)
        is_valid = (codes != 0)[..., None]
        lengths = is_valid.sum(1)  # (B, 1)
        last = outputs[torch.arange(len(codes)), lengths[:, 0] - 1]
        mean = (outputs * is_valid).sum(1) / lengths
        highest = outputs.masked_fill(~is_valid, -torch.inf).amax(1)
        return self.head(torch.cat([last, mean, highest], 1))


def collate(rows):
    """Pad a batch to its longest name."""
    names, labels = zip(*rows, strict=True)
    padded = pad_sequence([name[name != 0] for name in names], batch_first=True)
    return padded, torch.tensor(labels)


def main():
    torch.set_num_threads(1)
    print(environment())
    names, labels = load_names(return_X_y=True)
    tokens = CharVectorizer().fit_transform(names[:18000])
    labels = labels[:18000]
    print(f"{len(tokens)} names, longest {tokens.shape[1]} characters, {EPOCHS} epochs")
    table = Table(__file__, "fit", "cell")
    for cell in sys.argv[1:] or ["rnn", "lstm", "gru"]:
        table.add(cell=cell, **compare(cell, tokens, labels))


def compare(cell, tokens, labels):
    """Seconds of each way, and the ratios of ``fit`` to the others."""
    model = RNNClassifier(cell, max_epochs=EPOCHS, dropout=0, random_state=0)
    codes = torch.from_numpy(np.array(tokens, dtype=np.int64, subok=False))
    classes, targets = np.unique(labels, return_inverse=True)
    sizes = tokens.vocabulary_size, 64, model.hidden_size, len(classes)

    def stock(**options):
        return NeuralNetClassifier(
            Network(cell, *sizes),
            criterion=nn.CrossEntropyLoss,
            optimizer=torch.optim.AdamW,
            optimizer__weight_decay=0.1,
            lr=0.01,
            batch_size=model.batch_size,
            max_epochs=EPOCHS,
            train_split=None,
            iterator_train__shuffle=True,
            verbose=0,
            **options,
        ).fit(codes, torch.from_numpy(targets))

    seconds = interleaved(
        REPEATS,
        stock=stock,
        batched=lambda: stock(iterator_train__collate_fn=collate),
        fit=lambda: copy.deepcopy(model).fit(tokens, labels),
    )
    return {
        **seconds,
        "ratio": seconds["fit"] / seconds["stock"],
        "ratio_batched": seconds["fit"] / seconds["batched"],
    }


if __name__ == "__main__":
    main()
