"""What one call of a translator's prediction searches for."""

from dataclasses import dataclass
from typing import Any, Self

from sklearn_rnn._core.scalars import check_integer, check_number

# Beyond these a search would exhaust the memory, or length ** length_penalty overflow.
LARGEST_BEAM = 2**16
LARGEST_LENGTH = 2**24
LARGEST_PENALTY = 40.0


@dataclass(frozen=True)
class SearchOptions:
    """How a beam search compares hypotheses, when it ends and what it returns."""

    max_length: int  # longest target, the end included
    beam_size: int = 1  # hypotheses of each source that are followed at once
    length_penalty: float = 1.0  # score = log-probability / length ** length_penalty
    n_best: int = 1  # a source is finished as soon as its best so many are certain
    keep_attention: bool = False
    allow_unknown: bool = False

    @classmethod
    def from_call(
        cls,
        translator: Any,
        beam_size: int | None = None,
        length_penalty: float | None = None,
        max_length: int | None = None,
        *,
        n: int = 1,
        return_attention: bool = False,
    ) -> Self:
        """Options of one call: what it gives, or else the translator's parameters."""
        if beam_size is None:
            beam_size = translator.beam_size
        if length_penalty is None:
            length_penalty = translator.length_penalty
        if max_length is None:
            max_length = translator.max_length
        if max_length is None:
            longest = translator.max_length_
            max_length = longest + (longest + 1) // 2
        n_best = check_integer("n", n, minimum=1, maximum=LARGEST_BEAM)
        beam_size = check_integer(
            "beam_size", beam_size, minimum=1, maximum=LARGEST_BEAM
        )
        return cls(
            max_length=check_integer(
                "max_length", max_length, minimum=1, maximum=LARGEST_LENGTH
            ),
            beam_size=max(beam_size, n_best),
            length_penalty=check_number(
                "length_penalty", length_penalty, minimum=0, maximum=LARGEST_PENALTY
            ),
            n_best=n_best,
            keep_attention=return_attention or translator.copy_unknown,
            allow_unknown=translator.copy_unknown,
        )
