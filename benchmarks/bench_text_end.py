"""How many generated texts end early, if the end of a book is learned and if not.

A generator learns about the first 120,000 characters of Moby Dick, which are cut within
a sentence. ``fit([text])`` takes their end for the end of a document and learns it;
``fit(text)`` does not. Each then writes 100 texts of 500 characters. With the shorter
text, 32 * 58 * 64 characters, the end has a window of its own, which counts as much as
any other one.
"""

import sys

import numpy as np
from _common import environment

from sklearn_rnn import SequenceGenerator
from sklearn_rnn.datasets import load_moby_dick

N_TEXTS, LENGTH = 100, 500


def main(max_epochs=4):
    print(environment())
    book = load_moby_dick().data
    unread = book[120_000:140_000]
    prefixes = [unread[k : k + 100] for k in range(0, len(unread), 100)]
    print("characters  end      ended early  mean P(end) of unread text  bits")
    for n_characters in (120_000, 32 * 58 * 64):
        text = book[:n_characters]
        for name, X in {"learned": [text], "ignored": text}.items():
            model = SequenceGenerator(
                hidden_size=64, max_epochs=max_epochs, random_state=0
            ).fit(X)
            written = model.generate([""] * N_TEXTS, LENGTH, random_state=0)
            n_short = np.count_nonzero([len(part) < LENGTH for part in written])
            end = model.predict_proba(prefixes)[:, 0].mean()
            bits = model.bits_per_character([unread])
            print(
                f"{n_characters:10}  {name}  {n_short:11}  {end:26.1e}  {bits:.3f}",
                flush=True,
            )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
