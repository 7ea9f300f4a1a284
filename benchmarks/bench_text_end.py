"""Share of generated texts that end early, with and without learning the end of a book.

A generator is trained on about the first 120,000 characters of Moby Dick, which end
within a sentence. ``fit([text])`` learns this as the end of a document, ``fit(text)``
does not. ``fit(split_text(text, 20))``, as in a search, learns 20 ends, so that
a twelfth of all spans of 500 characters contain one. Each then generates 100 texts of
500 characters. In the shorter text, 32 * 58 * 64 characters, the end is in a separate
window.
"""

import sys

import numpy as np
from _common import environment
from _results import Table

from sklearn_rnn import SequenceGenerator, split_text
from sklearn_rnn.datasets import load_moby_dick

N_TEXTS, LENGTH = 100, 500


def texts_of(book):
    """Training data for fit."""
    pieces = split_text(book, 20)
    return {"learned": [book], "ignored": book, "pieces": pieces}


def main(max_epochs=4):
    print(environment())
    book = load_moby_dick().data
    unread = book[120_000:140_000]
    prefixes = [unread[k : k + 100] for k in range(0, len(unread), 100)]
    table = Table(__file__, "ends", "n_characters", "end")
    for n_characters in (120_000, 32 * 58 * 64):
        text = book[:n_characters]
        for name, X in texts_of(text).items():
            model = SequenceGenerator(
                hidden_size=64, max_epochs=max_epochs, random_state=0
            ).fit(X)
            written = model.generate([""] * N_TEXTS, LENGTH, random_state=0)
            n_short = np.count_nonzero([len(part) < LENGTH for part in written])
            end = model.predict_proba(prefixes)[:, 0].mean()
            bits = model.bits_per_character([unread])
            table.add(
                n_characters=n_characters,
                end=name,
                ended_early=n_short,
                mean_probability=end,
                bits=bits,
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
