"""Options of a search for targets, from a call or from the translator."""

from dataclasses import dataclass
from typing import Any, Self

from sklearn_rnn._core.scalars import check_integer, check_number

# Larger values would exhaust the memory, or length ** length_penalty would overflow.
LARGEST_BEAM = 2**16
LARGEST_LENGTH = 2**24
LARGEST_PENALTY = 40.0


@dataclass(frozen=True)
class SearchOptions:
    """Options of a beam search."""

    max_length: int  # maximum number of codes of a target, including the end
    beam_size: int = 1  # number of hypotheses per source that are extended
    length_penalty: float = 1.0  # score = log-probability / length ** length_penalty
    n_best: int = 1  # number of hypotheses per source that must be the best ones
    keep_attention: bool = False
    allow_unknown: bool = False  # whether unknown codes may be predicted

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
        """Take the arguments of a call, or else the parameters of the translator."""
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
