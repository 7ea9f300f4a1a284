"""The likeliest continuation of a text, found by a beam search."""

from typing import Any

import numpy as np

from sklearn_rnn._nn.functional import log_softmax
from sklearn_rnn._nn.steppers import Stepper
from sklearn_rnn.generation._options import DecodingOptions
from sklearn_rnn.generation._sampling import Continuation, apply_constraints


def search_continuation(
    stepper: Stepper,
    logits: np.ndarray,
    options: DecodingOptions,
    prompt: list[int],
    n_tokens: int,
    size: int,
) -> tuple[list[int], float]:
    """The likeliest continuation that a beam search finds, and its log-probability.

    It has ``n_tokens`` codes, or fewer and then the end code or a stop.
    """
    texts, scores = [Continuation(prompt)], np.zeros(1)
    finished: list[tuple[float, list[int]]] = []
    saved: Any = stepper.save()
    for n_left in range(n_tokens, 0, -1):
        logp = log_softmax(apply_constraints(logits, options, texts, n_left))
        total = (scores[:, None] + logp).ravel()
        best = np.argsort(-total, kind="stable")[: 2 * size]
        best = best[np.isfinite(total[best])]
        rows, codes = np.divmod(best, logp.shape[1])
        grown = [
            Continuation(prompt, [*texts[row].codes, int(code)])
            for row, code in zip(rows, codes, strict=True)
        ]
        over = np.array([text.is_over(options.stop) for text in grown])
        finished += [  # only among the best `size`, so that a beam of 1 is greedy
            (float(total[best[k]]), grown[k].codes) for k in np.flatnonzero(over[:size])
        ]
        going = np.flatnonzero(~over)[:size]
        texts, scores = [grown[k] for k in going], total[best[going]]
        # a text gets less likely as it grows, so no unfinished one can overtake
        if not len(going) or (finished and max(finished)[0] >= scores.max()):
            break
        if n_left > 1:
            stepper.restore(saved, rows[going])
            logits = stepper.feed(codes[going])
            saved = stepper.save()
    finished += [(float(s), t.codes) for s, t in zip(scores, texts, strict=True)]
    score, codes = max(finished, key=lambda pair: pair[0])
    return codes, score


def extend_by_beam_search(
    stepper: Stepper,
    logits: np.ndarray,
    options: DecodingOptions,
    texts: list[Continuation],
    n_tokens: int,
    size: int,
) -> None:
    """Extend every text by the continuation that :func:`search_continuation` finds."""
    saved = stepper.save()
    for k, text in enumerate(texts):
        stepper.restore(saved, np.array([k]))
        row = logits[[k]]
        text.codes[:], _ = search_continuation(
            stepper, row, options, text.prompt, n_tokens, size
        )
