"""What a generator has to beat, and whether it has learned its book by heart."""

import numpy as np

from sklearn_rnn.generation._ngram import WittenBell


def character_ngrams(training_text, test_text, n_symbols, orders=range(2, 7)):
    """Bits a character of the test text by order: so many characters of context."""
    return {
        order: -WittenBell(order)
        .fit([training_text], n_symbols)
        .log2_probabilities(test_text)
        .mean()
        for order in orders
    }


def best_character_ngram(training_text, test_text, n_symbols):
    """The best order and its bits a character."""
    bits = character_ngrams(training_text, test_text, n_symbols)
    best = min(bits, key=bits.get)
    return best, bits[best]


def bigram_perplexity(training_documents, test_documents, n_symbols):
    """Perplexity a token of an interpolated bigram model.

    Documents are lists of tokens or codes; give unknown ones as one token, and the end
    as a token where it counts.
    """
    model = WittenBell(order=1).fit(training_documents, n_symbols)
    n_tokens = sum(map(len, test_documents))
    return 2 ** (model.code_lengths(test_documents).sum() / n_tokens)


def longest_copied_span(training_text, generated_text):
    """Length and text of the longest part of the generated text in the training text.

    Numbers every window of a length by its content: windows of 1, 2, 4, ... characters
    while the texts share one, then adds the powers of two downwards. Each of the about
    2 log2(length) rounds is a sort of both texts together: no hashing, no chance.
    """
    start = len(training_text) + 1  # of the generated text, behind a mark of its own
    both = [*map(ord, training_text), -1, *map(ord, generated_text)]
    windows = np.unique(both, return_inverse=True)[1]
    powers, length = [], 1
    while _shared(windows, start).any():
        powers.append(windows)
        windows = _joined(windows, windows, length)
        length *= 2
    if not powers:
        return 0, ""
    windows, length = powers[-1], length // 2
    for power in range(len(powers) - 2, -1, -1):
        longer = _joined(windows, powers[power], length)
        if _shared(longer, start).any():
            windows, length = longer, length + 2**power
    place = _shared(windows, start).argmax()
    return length, generated_text[place : place + length]


def _shared(windows, start):
    """Which windows of the generated text are in the training text too."""
    there = np.zeros(windows.max(initial=0) + 1, dtype=bool)
    there[windows[:start]] = True
    return there[windows[start:]]


def _joined(windows, others, length):
    """Numbers of longer windows: one of ``length`` and, right behind it, another."""
    n = max(0, min(len(windows), len(others) - length))
    pairs = windows[:n] * (others.max(initial=0) + 1) + others[length : length + n]
    return np.unique(pairs, return_inverse=True)[1]
