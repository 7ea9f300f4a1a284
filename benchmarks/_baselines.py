"""Baselines for text generators, and a measure of copying from the training text."""

import numpy as np

from sklearn_rnn.generation._ngram import WittenBell


def character_ngrams(training_text, test_text, n_symbols, orders=range(2, 7)):
    """Bits per character of the test text, by number of characters of context."""
    return {
        order: -WittenBell(order)
        .fit([training_text], n_symbols)
        .log2_probabilities(test_text)
        .mean()
        for order in orders
    }


def best_character_ngram(training_text, test_text, n_symbols):
    """The best number of characters of context, and its bits per character."""
    bits = character_ngrams(training_text, test_text, n_symbols)
    best = min(bits, key=bits.get)
    return best, bits[best]


def bigram_perplexity(training_documents, test_documents, n_symbols):
    """Perplexity per token of an interpolated bigram model.

    Documents are lists of tokens or codes. All unknown tokens must be the same token,
    and the end must be a token if it counts.
    """
    model = WittenBell(order=1).fit(training_documents, n_symbols)
    n_tokens = sum(map(len, test_documents))
    return 2 ** (model.code_lengths(test_documents).sum() / n_tokens)


def longest_copied_span(training_text, generated_text):
    """Length and text of the longest span of the generated text in the training text.

    Every window of a length gets a number for its content. The length is doubled from 1
    while the texts share a window, and then refined by smaller powers of two. Each of
    the about 2 log2(length) rounds sorts the windows of both texts, so that the result
    is exact and deterministic.
    """
    start = len(training_text) + 1  # of the generated text, after a separator
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
    """Mask of the windows of the generated text that occur in the training text."""
    there = np.zeros(windows.max(initial=0) + 1, dtype=bool)
    there[windows[:start]] = True
    return there[windows[start:]]


def _joined(windows, others, length):
    """Numbers of windows that consist of two adjacent windows of ``length``."""
    n = max(0, min(len(windows), len(others) - length))
    pairs = windows[:n] * (others.max(initial=0) + 1) + others[length : length + n]
    return np.unique(pairs, return_inverse=True)[1]
