"""Choice of codes by their logits, greedily or by sampling, under constraints."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NoReturn

import numpy as np

from sklearn_rnn._core.randomness import SAMPLING, numpy_generator
from sklearn_rnn._data.tokens import END
from sklearn_rnn._nn.compiled import Kernel, has_kernels
from sklearn_rnn._nn.steppers import Stepper
from sklearn_rnn.generation._options import DecodingOptions

NOTHING_LEFT = (
    "no token is left to choose, because banned, required, mask and max_copy exclude "
    "all of them. Allow at least one token, or the end."
)
NEVER_GENERATED = slice(0, END)  # padding, unknown and start
DRAWS_PER_BLOCK = 256  # random numbers drawn at once for each text


@dataclass
class Continuation:
    """The codes of the prompt of a text, and the codes generated after it."""

    prompt: list[int]
    codes: list[int] = field(default_factory=list)
    copy_due: int = 0  # number of codes at which CopyLimit must be asked again

    def missing(self, required: tuple[int, ...]) -> list[int]:
        """List the required codes that have not been generated, with repetitions."""
        return list((Counter(required) - Counter(self.codes)).elements())

    def is_over(self, options: DecodingOptions) -> bool:
        """Return whether the text has ended, or reached a stop with no code missing."""
        if self.codes and self.codes[-1] == END:
            return True
        is_at_stop = bool(options.stop) and any(
            tuple(self.codes[-len(part) :]) == part for part in options.stop
        )
        return is_at_stop and not self.missing(options.required)


def apply_constraints(
    logits: np.ndarray,
    options: DecodingOptions,
    texts: list[Continuation],
    n_left: int | None,
) -> np.ndarray:
    """Set ``logits`` (B, V) of forbidden codes to minus infinity, in place."""
    if options.required or options.mask or options.repetition_penalty != 1:
        logits[~find_allowed(logits, options, texts, n_left)] = -np.inf
        for row, text in zip(logits, texts, strict=True):
            if not np.isfinite(row.max()):
                raise_nothing_left(options, text, n_left)
        return logits
    logits += exclude(options.banned, logits.shape[1], logits.dtype)
    if options.copies is not None:
        for k, forbidden in options.copies.find_forbidden(texts):
            logits[k, forbidden] = -np.inf
            if not np.isfinite(logits[k].max()):
                raise ValueError(NOTHING_LEFT)
    return logits


@lru_cache
def exclude(banned: tuple[int, ...], n_codes: int, dtype: np.dtype) -> np.ndarray:
    """Return minus infinity for codes that are never generated, and 0 for others."""
    excluded = np.zeros(n_codes, dtype)
    excluded[NEVER_GENERATED] = -np.inf
    excluded[list(banned)] = -np.inf
    if not np.isfinite(excluded.max()):
        raise ValueError(NOTHING_LEFT)
    excluded.flags.writeable = False
    return excluded


def find_allowed(
    logits: np.ndarray,
    options: DecodingOptions,
    texts: list[Continuation],
    n_left: int | None,
) -> np.ndarray:
    """Find the codes (B, V) that may come next, given their logits and the steps left.

    The repetition penalty and the mask change ``logits`` in place, but the logits of
    forbidden codes stay finite.
    """
    allowed = np.ones(logits.shape, dtype=bool)
    allowed[:, NEVER_GENERATED] = allowed[:, list(options.banned)] = False
    if options.copies is not None:
        for k, forbidden in options.copies.find_forbidden(texts):
            allowed[k, forbidden] = False
    for row, is_allowed, text in zip(logits, allowed, texts, strict=True):
        if options.repetition_penalty != 1:  # Keskar et al., 2019
            seen = list({*text.prompt, *text.codes})
            factor = np.where(row[seen] > 0, 1 / options.repetition_penalty, 1)
            factor[row[seen] < 0] = options.repetition_penalty
            row[seen] *= factor
        if options.mask is not None:
            unmasked = np.where(is_allowed, row, -np.inf).astype(row.dtype)
            masked = options.mask(text.prompt + text.codes, unmasked)
            is_allowed &= masked > -np.inf
            row[is_allowed] = masked[is_allowed]
        missing = text.missing(options.required)
        if missing and missing != [END]:
            is_allowed[END] = False
        if missing and n_left is not None and n_left <= len(missing):
            is_allowed &= np.isin(np.arange(len(row)), missing)
    return allowed


def raise_nothing_left(
    options: DecodingOptions, text: Continuation, n_left: int | None
) -> NoReturn:
    """Raise the error that no code is left to choose after a text."""
    missing = text.missing(options.required)
    if options.mask is None or not missing or n_left is None or n_left > len(missing):
        raise ValueError(NOTHING_LEFT)
    names = [
        code if options.classes is None else options.classes[code - END]
        for code in sorted(set(missing), reverse=True)
    ]
    raise ValueError(
        f"the required tokens {names} are missing and only {n_left} of n_tokens are "
        "left, but mask forbids all of them here. Let mask allow them, remove them "
        "from required, or increase n_tokens."
    )


def sample(
    logits: np.ndarray, options: DecodingOptions, uniforms: np.ndarray
) -> np.ndarray:
    """Sample one code (B,) per row of ``logits`` (B, V), which are overwritten.

    ``uniforms`` (B,) are the random numbers in [0, 1) that select the codes.
    """
    if options.temperature == 0:
        return logits.argmax(1)
    if options.temperature != 1:
        logits -= np.maximum.reduce(logits, axis=1, keepdims=True)
        limits = np.finfo(logits.dtype)
        with np.errstate(over="ignore"):  # minus infinity for small temperatures
            logits /= np.clip(options.temperature, limits.tiny, limits.max)
    if options.top_k is not None and options.top_k < logits.shape[1]:
        least = np.partition(logits, -options.top_k, axis=1)[:, -options.top_k, None]
        logits[logits < least] = -np.inf
    logits -= np.maximum.reduce(logits, axis=1, keepdims=True)
    weights = np.exp(logits, out=logits)
    if options.top_p is not None:
        order = np.argsort(-weights, axis=1, kind="stable")
        sums = np.take_along_axis(weights, order, 1).cumsum(1)
        # Holtzman et al., 2020
        n_kept = 1 + (sums < options.top_p * sums[:, -1:]).sum(1)
        rank = np.argsort(order, axis=1, kind="stable")
        weights[rank >= n_kept[:, None]] = 0
    if has_kernels():
        codes = np.empty(len(weights), np.int64)
        draw_kernel(weights, uniforms, codes)
        return codes
    sums = np.add.accumulate(weights, axis=1, dtype=np.float64)
    return np.add.reduce(sums <= uniforms[:, None] * sums[:, -1:], axis=1)


@Kernel
def draw_kernel(weights: np.ndarray, uniforms: np.ndarray, codes: np.ndarray) -> None:
    """Compute into ``codes`` what :func:`sample` computes from ``weights``."""
    for b in range(len(weights)):
        total = 0.0
        for weight in weights[b]:
            total += weight
        goal, total, code = uniforms[b] * total, 0.0, -1
        while total <= goal:
            code += 1
            total += weights[b, code]
        codes[b] = code


def make_uniform_sampler(
    seed: int, texts: list[Continuation]
) -> Callable[[], np.ndarray]:
    """Make a function that returns one random number in [0, 1) per text, (n_texts,).

    Each text has a private generator, which is seeded by its prompt and the number of
    equal prompts before it. Its numbers depend neither on the other prompts nor on its
    position among them.
    """
    rngs = []
    n_before: Counter[int] = Counter()
    for text in texts:
        content = hashlib.sha256(np.array(text.prompt, dtype="<i8").tobytes())
        key = int.from_bytes(content.digest()[:8], "little")
        rngs.append(numpy_generator(seed, SAMPLING, key, n_before[key]))
        n_before[key] += 1

    def draw_blocks() -> Iterator[np.ndarray]:
        while True:
            yield from np.stack([rng.random(DRAWS_PER_BLOCK) for rng in rngs], axis=1)

    return draw_blocks().__next__


def generate_tokens(
    stepper: Stepper,
    logits: np.ndarray,
    options: DecodingOptions,
    texts: list[Continuation],
    n_tokens: int | None,
    uniforms: Callable[[], np.ndarray],
) -> Iterator[list[Continuation]]:
    """Append one code to each text until all are over; yield the texts each time.

    The network does not read further codes of a text that is over.
    """
    alive, left, going = np.arange(len(texts)), n_tokens, texts
    while going and left != 0:
        apply_constraints(logits, options, going, left)
        codes = sample(logits, options, uniforms()[alive])
        for text, code in zip(going, codes.tolist(), strict=True):
            text.codes.append(code)
        yield texts
        left = None if left is None else left - 1
        over = [text.is_over(options) for text in going]
        if any(over):
            rows = np.flatnonzero(~np.array(over))
            alive, codes, going = alive[rows], codes[rows], [going[k] for k in rows]
            if not going:
                return
            stepper.restore(stepper.state, rows)
        if left != 0:
            logits = stepper.feed(codes)
