"""Beam search for the likeliest continuation of a text.

Constraints forbid continuations but do not make the others likelier: a continuation is
scored by its log-probability under the model. As in grid beam search (Hokamp and Liu,
ACL 2017), texts compete only with texts that lack the same number of required codes.
Otherwise, texts without an unlikely required code would displace those that contain it.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from sklearn_rnn._data.tokens import END
from sklearn_rnn._nn.functional import log_softmax
from sklearn_rnn._nn.steppers import Stepper
from sklearn_rnn.generation._options import DecodingOptions
from sklearn_rnn.generation._sampling import (
    Continuation,
    find_allowed,
    raise_nothing_left,
)


def search_continuation(
    stepper: Stepper,
    logits: np.ndarray,
    options: DecodingOptions,
    prompt: list[int],
    n_tokens: int,
    size: int,
) -> tuple[list[int], float]:
    """Return the likeliest continuation that is found, and its log-probability.

    It has ``n_tokens`` codes, or fewer if it ends with the end code or a stop.
    """
    texts, scores = [Continuation(prompt)], np.zeros(1)
    finished: list[tuple[float, list[int]]] = []
    saved: Any = stepper.state
    for n_left in range(n_tokens, 0, -1):
        total = scores[:, None] + _score_codes(logits, options, texts, n_left)
        if not finished and not np.isfinite(total).any():
            raise_nothing_left(options, texts[0], n_left)
        parents, grown, grown_scores = [], [], []
        for rows, next_codes in _best_candidates(total, options, texts, 2 * size):
            n_going = 0
            for k, (row, code) in enumerate(zip(rows, next_codes, strict=True)):
                text = Continuation(prompt, [*texts[row].codes, int(code)])
                if not text.is_over(options):
                    n_going += 1
                    if n_going <= size:
                        parents.append(row)
                        grown.append(text)
                        grown_scores.append(total[row, code])
                elif k < size:  # makes a beam of size 1 greedy
                    finished.append((float(total[row, code]), text.codes))
        texts, scores = grown, np.array(grown_scores)
        # a text becomes less likely as it grows, so no unfinished one can win
        if not texts or (finished and max(finished)[0] >= scores.max()):
            break
        if n_left > 1:
            stepper.restore(saved, np.array(parents))
            logits = stepper.feed(np.array([text.codes[-1] for text in texts]))
            saved = stepper.state
    finished += [(float(s), t.codes) for s, t in zip(scores, texts, strict=True)]
    score, codes = max(finished, key=lambda pair: pair[0])
    return codes, score


def _score_codes(
    logits: np.ndarray,
    options: DecodingOptions,
    texts: list[Continuation],
    n_left: int,
) -> np.ndarray:
    """Compute log-probabilities (B, V) of the next codes; forbidden codes get -inf.

    They are those of the model, after the repetition penalty and the mask.
    """
    allowed = find_allowed(logits, options, texts, n_left)
    log_proba = np.full(logits.shape, -np.inf)
    log_proba[:, END:] = log_softmax(logits[:, END:])
    log_proba[~allowed] = -np.inf
    return log_proba


def _best_candidates(
    total: np.ndarray, options: DecodingOptions, texts: list[Continuation], n: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the texts and next codes with the best ``n`` scores in ``total`` (B, V).

    There is one pair of arrays for each number of required codes that would still be
    missing.
    """
    n_missing = np.zeros(total.shape, dtype=int)
    for row, text in zip(n_missing, texts, strict=True):
        missing = text.missing(options.required)
        row[:] = len(missing)
        row[missing] -= 1  # by 1 even if the code is missing twice
    for number in np.unique(n_missing):
        scores = np.where(n_missing == number, total, -np.inf).ravel()
        best = np.argsort(-scores, kind="stable")[:n]
        yield np.divmod(best[np.isfinite(scores[best])], total.shape[1])


def extend_by_beam_search(
    stepper: Stepper,
    logits: np.ndarray,
    options: DecodingOptions,
    texts: list[Continuation],
    n_tokens: int,
    size: int,
) -> None:
    """Extend each text by the continuation that :func:`search_continuation` finds."""
    saved = stepper.state
    for k, text in enumerate(texts):
        stepper.restore(saved, np.array([k]))
        row = logits[[k]]
        text.codes[:], _ = search_continuation(
            stepper, row, options, text.prompt, n_tokens, size
        )
