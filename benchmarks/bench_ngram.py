"""Scores of n-gram models on Moby Dick, the baselines for text generators.

The models are interpolated Witten-Bell models. They are trained on the first 90 % of
the characters and score the last 10 %. Characters: all 83 with their case; a model of
order n has n characters of context. Words and punctuation marks: a bigram model over
the words that occur twice in the first part; all others are one unknown token. Needs
moby_dick.txt in the data folder.
"""

import re
import time
from collections import Counter

from _baselines import bigram_perplexity, character_ngrams
from _common import data_folder, environment
from _results import Table

from sklearn_rnn.text._documents import TOKEN_PATTERN


def main():
    folder = data_folder()
    if folder is None:
        return
    print(environment())
    text = (folder / "moby_dick.txt").read_text("utf-8")
    cut = int(0.9 * len(text))
    n_symbols = len(set(text))
    print(
        f"{len(text)} characters of {n_symbols} kinds, the last {len(text) - cut} "
        "scored"
    )
    table = Table(__file__, "characters", "order")
    for order in range(2, 7):
        started = time.perf_counter()
        bits = character_ngrams(text[:cut], text[cut:], n_symbols, [order])[order]
        table.add(order=order, bits=bits, seconds=time.perf_counter() - started)

    training, test = (
        re.findall(TOKEN_PATTERN, part) for part in (text[:cut], text[cut:])
    )
    known = {token for token, n in Counter(training).items() if n > 1}
    documents = [
        [token if token in known else None for token in part]
        for part in (training, test)
    ]
    perplexity = bigram_perplexity(documents[:1], documents[1:], len(known) + 1)
    table = Table(__file__, "words", "n_known")
    table.add(n_known=len(known), perplexity=perplexity)


if __name__ == "__main__":
    main()
