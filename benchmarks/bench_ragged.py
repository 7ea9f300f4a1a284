"""Fit time on ragged text, compared with loops that pad all texts or use buckets.

Movie snippets (mean 19 words, longest 51), 64 units, embedding of 64, batches of 32,
one epoch, one thread, float32. fit uses torch's fused Adam; the bucketed loop is timed
with the plain and with the fused Adam. Needs movie_snippets.tsv in the data folder.
"""

import csv

import numpy as np
import torch
from _common import data_folder, environment, interleaved
from _results import Table
from torch import nn

from sklearn_rnn import RNNClassifier, WordVectorizer

BATCH, HIDDEN, EMBEDDING = 32, 64, 64


class Handwritten(nn.Module):
    def __init__(self, cell, vocabulary_size):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary_size, EMBEDDING)
        layer = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell]
        self.recurrent = layer(EMBEDDING, HIDDEN, batch_first=True)
        self.head = nn.Linear(HIDDEN, 2)

    def forward(self, codes, lengths):
        outputs = self.recurrent(self.embedding(codes))[0]
        return self.head(outputs[torch.arange(len(codes)), lengths - 1])


def train(cell, vocabulary_size, batches, fused=False):
    torch.manual_seed(0)
    model = Handwritten(cell, vocabulary_size)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.003, fused=fused)
    for codes, lengths, y in batches:
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(codes, lengths), y).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()


def padded_to_the_longest_of_all(codes, lengths, y):
    for rows in torch.randperm(len(codes)).split(BATCH):
        yield codes[rows], lengths[rows], y[rows]


def bucketed(codes, lengths, y):
    batches = []
    for chunk in torch.randperm(len(codes)).split(50 * BATCH):
        batches += chunk[lengths[chunk].argsort(stable=True)].split(BATCH)
    for i in torch.randperm(len(batches)):
        rows = batches[i]
        widest = int(lengths[rows].max())
        yield codes[rows, :widest], lengths[rows], y[rows]


def main():
    folder = data_folder()
    if folder is None:
        return
    torch.set_num_threads(1)
    print(environment())
    with (folder / "movie_snippets.tsv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    tokens = WordVectorizer().fit_transform([row["text"] for row in rows])
    y = np.array([float(row["score"]) > 0 for row in rows])
    lengths = np.count_nonzero(tokens, axis=1)
    print(
        f"{len(y)} snippets, mean {lengths.mean():.1f} tokens, longest {lengths.max()}"
    )
    data = [torch.from_numpy(np.array(a)).long() for a in (tokens, lengths, y)]
    size = tokens.vocabulary_size
    table = Table(__file__, "fit", "cell")
    for cell in ("rnn", "lstm", "gru"):
        model = RNNClassifier(cell, HIDDEN, pooling="last", max_epochs=1, dropout=0)
        took = interleaved(
            5,
            longest=lambda: train(cell, size, padded_to_the_longest_of_all(*data)),  # noqa: B023
            bucketed=lambda: train(cell, size, bucketed(*data)),  # noqa: B023
            fused=lambda: train(cell, size, bucketed(*data), True),  # noqa: B023
            fit=lambda: model.fit(tokens, y),  # noqa: B023
        )
        table.add(
            cell=cell,
            **took,
            ratio_longest=took["fit"] / took["longest"],
            ratio=took["fit"] / took["bucketed"],
            ratio_fused=took["fit"] / took["fused"],
        )


if __name__ == "__main__":
    main()
