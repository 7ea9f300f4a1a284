"""Logits to tokens: greedy, by chance, or by a beam; and what constrains them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sklearn_rnn._data.tokens import END
from sklearn_rnn._nn.functional import log_softmax
from sklearn_rnn._nn.steppers import Stepper

NOTHING_LEFT = (
    "no token is left to choose: banned, required and mask exclude all of them. Allow "
    "at least one token, or the end."
)
NEVER = slice(0, END)  # padding, unknown and start: no text is written in them


@dataclass(frozen=True)
class DecodingOptions:
    """How a next code is chosen. ``temperature`` 0 is greedy.

    ``mask`` is called with the codes of a stream so far and its logits (V,), and
    returns logits. A code in ``required`` is forced when no other room is left for it.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0
    banned: tuple[int, ...] = ()
    required: tuple[int, ...] = ()
    stop: tuple[tuple[int, ...], ...] = ()
    mask: Callable[[list[int], np.ndarray], np.ndarray] | None = None


@dataclass
class Continuation:
    """What one stream has read and written."""

    prompt: list[int]
    codes: list[int] = field(default_factory=list)

    def missing(self, required: tuple[int, ...]) -> list[int]:
        """Required codes that have not been written."""
        return [code for code in required if code not in self.codes]

    def is_over(self, stop: tuple[tuple[int, ...], ...]) -> bool:
        """Whether the text has come to its end, or to a place to stop at."""
        if self.codes and self.codes[-1] == END:
            return True
        return bool(stop) and any(
            tuple(self.codes[-len(part) :]) == part for part in stop
        )


def restrict(
    logits: np.ndarray,
    how: DecodingOptions,
    texts: list[Continuation],
    n_left: int | None,
) -> np.ndarray:
    """Set ``logits`` (B, V) to minus infinity where a code must not come, in place."""
    banned = list(how.banned)
    logits[:, NEVER] = -np.inf
    if banned:
        logits[:, banned] = -np.inf
        if len(set(banned)) >= logits.shape[1] - END:
            raise ValueError(NOTHING_LEFT)
    if not (how.required or how.mask or how.repetition_penalty != 1):
        return logits
    for row, text in zip(logits, texts, strict=True):
        if how.repetition_penalty != 1:  # Keskar et al., 2019
            seen = np.unique(text.prompt + text.codes)
            factor = np.where(row[seen] > 0, 1 / how.repetition_penalty, 1)
            factor[row[seen] < 0] = how.repetition_penalty
            row[seen] *= factor
        if how.mask is not None:
            row[:] = how.mask(text.prompt + text.codes, row)
            row[NEVER] = row[banned] = -np.inf
        missing = text.missing(how.required)
        if missing:
            row[END] = -np.inf
        if missing and n_left is not None and n_left <= len(missing):
            row[:] = -np.inf
            row[missing[0]] = 0
        if not np.isfinite(row.max()):
            raise ValueError(NOTHING_LEFT)
    return logits


def sample(
    logits: np.ndarray, how: DecodingOptions, uniforms: np.ndarray
) -> np.ndarray:
    """One code (B,) a row of ``logits`` (B, V), by chance numbers (B,) in [0, 1).

    The logits are overwritten.
    """
    if how.temperature == 0:
        return logits.argmax(1)
    if how.temperature != 1:
        logits -= np.maximum.reduce(logits, axis=1, keepdims=True)
        with np.errstate(over="ignore"):  # to minus infinity, near temperature 0
            logits /= max(how.temperature, float(np.finfo(logits.dtype).tiny))
    if how.top_k is not None and how.top_k < logits.shape[1]:
        least = np.partition(logits, -how.top_k, axis=1)[:, -how.top_k, None]
        logits[logits < least] = -np.inf
    logits -= np.maximum.reduce(logits, axis=1, keepdims=True)
    weights = np.exp(logits, out=logits)
    if how.top_p is not None:
        order = np.argsort(-weights, axis=1, kind="stable")
        sums = np.take_along_axis(weights, order, 1).cumsum(1)
        n_kept = 1 + (sums < how.top_p * sums[:, -1:]).sum(1)  # Holtzman et al., 2020
        rank = np.argsort(order, axis=1, kind="stable")
        weights[rank >= n_kept[:, None]] = 0
    sums = np.add.accumulate(weights, axis=1, dtype=np.float64)
    return np.add.reduce(sums <= uniforms[:, None] * sums[:, -1:], axis=1)


def generate_tokens(
    stepper: Stepper,
    logits: np.ndarray,
    how: DecodingOptions,
    texts: list[Continuation],
    n_tokens: int | None,
    uniforms: Callable[[], np.ndarray],
) -> Iterator[list[Continuation]]:
    """Write one code more on every text, until all are over; yield them each time.

    A text that is over is stepped no further: its stream is dropped.
    """
    alive, left, going = np.arange(len(texts)), n_tokens, texts
    while going and left != 0:
        restrict(logits, how, going, left)
        codes = sample(logits, how, uniforms()[alive])
        for text, code in zip(going, codes.tolist(), strict=True):
            text.codes.append(code)
        yield texts
        left = None if left is None else left - 1
        over = [text.is_over(how.stop) for text in going]
        if any(over):
            rows = np.flatnonzero(~np.array(over))
            alive, codes, going = alive[rows], codes[rows], [going[k] for k in rows]
            if not going:
                return
            stepper.restore(stepper.save(), rows)
        if left != 0:
            logits = stepper.feed(codes)


def beam(
    stepper: Stepper,
    logits: np.ndarray,
    how: DecodingOptions,
    prompt: list[int],
    n_tokens: int,
    size: int,
) -> tuple[list[int], float]:
    """The likeliest continuation that a beam finds, and its log-probability.

    It has ``n_tokens`` codes, or fewer and then the end code or a stop.
    """
    texts, scores = [Continuation(prompt)], np.zeros(1)
    finished: list[tuple[float, list[int]]] = []
    saved: Any = stepper.save()
    for n_left in range(n_tokens, 0, -1):
        logp = log_softmax(restrict(logits, how, texts, n_left))
        total = (scores[:, None] + logp).ravel()
        best = np.argsort(-total, kind="stable")[: 2 * size]
        best = best[np.isfinite(total[best])]
        rows, codes = np.divmod(best, logp.shape[1])
        grown = [
            Continuation(prompt, [*texts[row].codes, int(code)])
            for row, code in zip(rows, codes, strict=True)
        ]
        over = np.array([text.is_over(how.stop) for text in grown])
        finished += [  # as a beam of 1 is greedy, only what is among the first ends
            (float(total[best[k]]), grown[k].codes) for k in np.flatnonzero(over[:size])
        ]
        going = np.flatnonzero(~over)[:size]
        texts, scores = [grown[k] for k in going], total[best[going]]
        # a longer text is never likelier, so nothing alive can overtake any more
        if not len(going) or (finished and max(finished)[0] >= scores.max()):
            break
        if n_left > 1:
            stepper.restore(saved, rows[going])
            logits = stepper.feed(codes[going])
            saved = stepper.save()
    finished += [(float(s), t.codes) for s, t in zip(scores, texts, strict=True)]
    score, codes = max(finished, key=lambda pair: pair[0])
    return codes, score
