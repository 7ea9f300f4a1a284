"""Options that determine how the next token is chosen, with tokens as codes."""

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from textwrap import indent
from typing import Any, Self, TypeVar

import numpy as np

from sklearn_rnn._core.scalars import check_integer, check_number
from sklearn_rnn._data.tokens import END, UNKNOWN
from sklearn_rnn.generation._copies import CopyLimit
from sklearn_rnn.text._codecs import Codec

Mask = Callable[[list[int], np.ndarray], np.ndarray]  # codes, logits (V,) -> logits
Method = TypeVar("Method", bound=Callable[..., Any])

# Logits are multiplied by the penalty and must stay finite.
LARGEST_PENALTY = 1000.0

DOCUMENTATION = """\
temperature : float, default=1.0
    Divisor of the logits before sampling. Values below 1 make likely tokens even
    likelier, values above 1 make the distribution more uniform; 0 always chooses the
    likeliest token.
top_k : int or None, default=None
    Number of likeliest tokens among which to sample. None does not limit them.
top_p : float in (0, 1] or None, default=None
    Probability mass of the likeliest tokens among which to sample: the fewest tokens
    that together have at least this probability. None does not limit them.
repetition_penalty : float, default=1.0
    Factor between 0.001 and 1000 by which logits are penalized. Values above 1 make
    tokens that the text already contains less likely, values below 1 more likely.
stop : str, list of str or None, default=None
    Texts (or tokens) after which generation stops. They are part of the result. While
    required tokens are missing, generation continues after them.
banned : token, list of tokens or None, default=None
    Tokens that are never generated; "<end>" is the end of the text.
required : token, list of tokens or None, default=None
    Tokens that must be generated, in any order; a token that is listed twice must
    be generated twice. The text cannot end before it contains all of them. If some are
    still missing near the end, they are forced in the last steps. "<end>" requires that
    the text ends within ``n_tokens``, after all other required tokens and not at a
    ``stop``.
max_copy : int or None, default=None
    Maximum number of successive tokens (characters or words) that are copied from the
    training text. Tokens that would copy more are not generated. The tokens of the
    prompt count as well, and unknown tokens end a copy. Requires ``keep_text=True``.
    None does not limit copies.
mask : callable or None, default=None
    Function ``mask(tokens, logits) -> logits``. It is called with the tokens of the
    text so far and the logits of the next token in the order of ``classes_``. Minus
    infinity forbids a token, even a required one. An error is raised if no token is
    left to choose."""


def document_options(method: Method) -> Method:
    """Replace the line ``{decoding_options}`` of a docstring by ``DOCUMENTATION``."""

    def fill(line: re.Match[str]) -> str:
        return indent(DOCUMENTATION, line[1])

    if method.__doc__:  # python -OO removes docstrings
        method.__doc__ = re.sub(
            r"^( *)\{decoding_options\}$", fill, method.__doc__, flags=re.MULTILINE
        )
    return method


@dataclass(frozen=True)
class DecodingOptions:
    """Options that determine how the next code is chosen. ``temperature=0`` is greedy.

    ``mask`` is called with the codes of a text so far and the logits (V,) of the next
    code, and returns logits. The codes in ``required`` are forced when no other steps
    are left for them. ``classes`` are the names of the codes from the end code on, for
    error messages.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0
    banned: tuple[int, ...] = ()
    required: tuple[int, ...] = ()
    stop: tuple[tuple[int, ...], ...] = ()
    mask: Mask | None = None
    copies: CopyLimit | None = None
    classes: np.ndarray | None = field(default=None, compare=False)

    @classmethod
    def from_user(
        cls,
        codec: Codec,
        *,
        temperature: float,
        top_k: int | None,
        top_p: float | None,
        repetition_penalty: float,
        stop: Any,
        banned: Any,
        required: Any,
        mask: Callable[..., Any] | None,
        copies: CopyLimit | None = None,
    ) -> Self:
        """Check the options of a user, and encode their tokens by ``codec``."""
        check_number("temperature", temperature, minimum=0)
        if top_k is not None:
            top_k = check_integer("top_k", top_k, minimum=1)
        if top_p is not None:
            check_number("top_p", top_p, above=0, maximum=1)
        check_number(
            "repetition_penalty",
            repetition_penalty,
            minimum=1 / LARGEST_PENALTY,
            maximum=LARGEST_PENALTY,
        )
        required_codes = find_codes(codec, required, "required")
        banned_codes = find_codes(codec, banned, "banned")
        if set(required_codes) & set(banned_codes):
            raise ValueError(
                "required and banned contain the same token. Remove it from one of "
                "them."
            )
        if required_codes.count(END) > 1:
            raise ValueError(
                f"required contains {codec.classes[0]!r} more than once, but a text "
                "ends only once. List it once."
            )
        return cls(
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            repetition_penalty=repetition_penalty,
            banned=banned_codes,
            required=required_codes,
            stop=() if stop is None else _encode_stops(codec, stop),
            mask=None if mask is None else _wrap_mask(mask, codec.classes),
            copies=copies,
            classes=codec.classes,
        )

    def check_n_tokens(self, n_tokens: int) -> None:
        """Raise an error unless the required tokens fit into ``n_tokens`` steps."""
        check_integer("n_tokens", n_tokens, minimum=0)
        if len(self.required) > n_tokens:
            raise ValueError(
                f"n_tokens={n_tokens} is too few for the {len(self.required)} required "
                "tokens. Increase n_tokens."
            )

    def check_beam_size(self, beam_size: int) -> None:
        """Raise an error for an invalid beam size or an option of sampling."""
        check_integer("beam_size", beam_size, minimum=1, maximum=2**16)
        if (self.temperature, self.top_k, self.top_p) != (1.0, None, None):
            raise ValueError(
                "temperature, top_k and top_p have no effect if beam_size is given, "
                "because a beam search does not sample. Leave them at their defaults, "
                "or set beam_size=None."
            )


def is_token(codec: Codec, token: Any) -> bool:
    """Return whether the model can generate a token."""
    try:
        hash(token)
    except TypeError:
        return False
    return token == codec.classes[0] or token in codec.code_of


def find_code(codec: Codec, token: Any, where: str) -> int:
    """Return the code of a token that the model can generate."""
    if not is_token(codec, token):
        raise ValueError(
            f"{where} contains {token!r}, which is not a token of this model. classes_ "
            f"lists the {len(codec.classes)} tokens that it can generate, among them "
            f"{codec.classes[:6].tolist()}."
        )
    return END if token == codec.classes[0] else codec.code_of[token]


def find_codes(codec: Codec, tokens: Any, where: str) -> tuple[int, ...]:
    """Return the codes of one token or of several tokens; no codes for None."""
    if tokens is None:
        return ()
    return tuple(find_code(codec, token, where) for token in _list_tokens(tokens))


def encode_phrase(codec: Codec, phrase: Any, where: str) -> tuple[int, ...]:
    """Return the codes of a token, a list of tokens, or a text of several tokens."""
    is_text = isinstance(phrase, str) and codec.vectorizer is not None
    if not is_text or is_token(codec, phrase):
        return find_codes(codec, phrase, where)
    tokens: list[Hashable] = []
    try:
        _, codes = codec.encode([phrase], lambda text, found: tokens.extend(found))
    except ValueError:  # of a vectorizer with handle_unknown="error"
        codes = np.array([], dtype=int)
    unknown = [token for token in tokens if token not in codec.code_of]
    if unknown or not len(codes) or UNKNOWN in codes:
        reason = "it contains no token"
        if unknown:
            reason = f"it contains {unknown[0]!r}, which is not a token of this model"
        raise ValueError(
            f"{where}={phrase!r} cannot be generated: {reason}. classes_ lists the "
            "tokens that the model can generate."
        )
    return tuple(int(code) for code in codes)


def _list_tokens(tokens: Any) -> Iterable[Any]:
    """Return one token or several as an iterable. A text or a tuple is one token."""
    if isinstance(tokens, np.ndarray) and tokens.ndim == 0:
        tokens = tokens.item()
    is_one = isinstance(tokens, (str, bytes, tuple)) or not isinstance(tokens, Iterable)
    return [tokens] if is_one else tokens


def _encode_stops(codec: Codec, stop: Any) -> tuple[tuple[int, ...], ...]:
    """Return the codes of each text (or list of tokens) at which generation stops."""
    is_list = isinstance(stop, tuple) and not is_token(codec, stop)
    stops = stop if is_list else _list_tokens(stop)
    found = tuple(encode_phrase(codec, part, "stop") for part in stops)
    if not all(found):
        raise ValueError("stop contains an empty list of tokens. Remove it.")
    return found


def _wrap_mask(mask: Callable[..., Any], classes: np.ndarray) -> Mask:
    """Convert a user's function of tokens and logits to one of codes and all logits."""
    if not callable(mask):
        raise TypeError(
            f"mask must be a function of tokens and logits, got {mask!r} of type "
            f"{type(mask).__name__}."
        )

    def apply(codes: list[int], logits: np.ndarray) -> np.ndarray:
        tokens = [classes[code - END] for code in codes if code >= END]
        masked = np.asarray(mask(tokens, logits[END:].copy()), dtype=logits.dtype)
        if masked.shape != classes.shape or np.isnan(masked).any():
            raise ValueError(
                f"mask returned an array of shape {masked.shape}; expected logits "
                f"of shape {classes.shape} in the order of classes_, without NaN. Use "
                "minus infinity to forbid a token."
            )
        if np.isposinf(masked).any():
            raise ValueError(
                f"mask returned plus infinity for {classes[masked.argmax()]!r}; "
                "expected finite logits, or minus infinity to forbid a token. To force "
                "a token, forbid all others."
            )
        logits[END:] = masked
        return logits

    return apply
