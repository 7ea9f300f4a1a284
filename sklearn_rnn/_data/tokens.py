"""TokenArray: text as codes, and what the reserved codes mean."""

from collections.abc import Callable, Iterable, Mapping
from operator import index
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike

from sklearn_rnn._core.after_import import call_after_import

PADDING, UNKNOWN, START, END = range(4)
RESERVED = ("<pad>", "<unk>", "<start>", "<end>")

# The results of these numpy functions are codes if all vocabularies are the same.
_JOINS = {np.concatenate, np.vstack, np.hstack}


class TokenArray(np.ndarray):
    """Sequences of codes, padded on the right with 0, that know their vocabulary.

    What :class:`CharVectorizer` and :class:`WordVectorizer` return, and what the
    recurrent estimators embed instead of reading it as numbers. Rows can be sliced,
    pickled, memory-mapped and sent to other processes; arithmetic and ``astype(float)``
    give plain arrays, since a code is a name and not a quantity.

    Parameters
    ----------
    codes : array-like of int of shape (n_sequences, n_timesteps)
        0 padding, 1 unknown, 2 start, 3 end, tokens from 4.
    vocabulary_size : int
        4 + number of tokens; every code is below it.

    Raises
    ------
    ValueError
        If a code is negative or not below ``vocabulary_size``, or the latter is not
        below 2**31.
    TypeError
        If codes are not integers, or are joined with columns that are not codes of a
        vocabulary of the same size.

    Examples
    --------
    >>> from sklearn_rnn import TokenArray
    >>> tokens = TokenArray([[4, 5, 0], [6, 4, 5]], vocabulary_size=7)
    >>> tokens[1:].vocabulary_size
    7
    """

    def __new__(cls, codes: ArrayLike, vocabulary_size: SupportsIndex) -> "TokenArray":
        codes, vocabulary_size = np.asarray(codes), index(vocabulary_size)
        if vocabulary_size > np.iinfo(np.int32).max:
            raise ValueError(
                f"vocabulary_size must be below 2**31, got {vocabulary_size}: codes "
                "are stored as int32."
            )
        if codes.dtype.kind not in "iu" and codes.size:
            raise TypeError(
                f"codes must be integers, got dtype {codes.dtype}. Text becomes codes "
                "through CharVectorizer or WordVectorizer."
            )
        if codes.ndim != 2:
            raise ValueError(
                "codes must have the shape (n_sequences, n_timesteps), got "
                f"{codes.ndim} dimensions."
            )
        if codes.size and not (0 <= codes.min() and codes.max() < vocabulary_size):
            raise ValueError(
                f"codes must lie in 0..{vocabulary_size - 1} for a vocabulary_size of "
                f"{vocabulary_size}, got {codes.min()}..{codes.max()}."
            )
        return _rebuild(codes.astype(np.int32, copy=False), vocabulary_size)

    @property
    def vocabulary_size(self) -> int | None:
        """4 + number of tokens, or None where numpy lost it."""
        metadata = self.dtype.metadata
        return None if metadata is None else metadata.get("vocabulary_size")

    def __repr__(self) -> str:
        listing = np.array2string(
            self.view(np.ndarray), separator=", ", prefix="TokenArray("
        )
        return f"TokenArray({listing}, vocabulary_size={self.vocabulary_size})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.view(np.ndarray), self.vocabulary_size)

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **kwargs: Any
    ) -> Any:
        plain = [_plain(x) for x in inputs]
        if "out" in kwargs:
            kwargs["out"] = tuple(_plain(x) for x in kwargs["out"])
        return getattr(ufunc, method)(*plain, **kwargs)

    def __array_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: Iterable[Any],
        kwargs: Mapping[str, Any],
    ) -> Any:
        if func not in _JOINS:
            return super().__array_function__(func, types, args, kwargs)
        return _join(func, *args, **kwargs)

    def astype(self, dtype: Any, *args: Any, **kwargs: Any) -> np.ndarray:
        """Codes as another type: a plain array, unless it is the codes' own int32."""
        plain = _plain(self).astype(dtype, *args, **kwargs)
        return _restore_codes(plain, self.vocabulary_size)


def _join(
    func: Callable[..., np.ndarray],
    /,
    tup: Iterable[Any],
    *args: Any,
    **kwargs: Any,
) -> np.ndarray:
    """What ``func`` returns for codes that have the same vocabulary, as codes."""
    parts = list(tup)
    sizes = {getattr(part, "vocabulary_size", None) for part in parts}
    # np.r_ and np.c_ cast first, and the cast loses the vocabulary.
    lost = None in sizes and any(isinstance(part, TokenArray) for part in parts)
    if len(sizes) > 1 or lost:
        raise TypeError(
            "codes can only be joined with codes of the same vocabulary, got "
            f"vocabulary sizes {sorted(sizes, key=str)} (None: not a TokenArray, or "
            "one cast to another type). Codes are names, not quantities: give text "
            "its own estimator, or turn it into bag-of-words columns to combine it "
            "with numbers."
        )
    rest = [_plain(x) for x in args]
    kwargs = {name: _plain(x) for name, x in kwargs.items()}
    joined = func([_plain(part) for part in parts], *rest, **kwargs)
    return _restore_codes(joined, sizes.pop())


def _restore_codes(plain: np.ndarray, vocabulary_size: int | None) -> np.ndarray:
    """Codes that numpy returned, as a TokenArray if they are still int32."""
    if plain.dtype != np.int32 or vocabulary_size is None:
        return plain
    return _rebuild(plain, vocabulary_size)


def _rebuild(codes: np.ndarray, vocabulary_size: int | None) -> TokenArray:
    """View int32 codes as a TokenArray.

    The size is kept in the metadata of the dtype. There it survives slicing, pickling
    and memory-mapping, and joblib's hash includes it, unlike attributes.
    """
    metadata = {"vocabulary_size": vocabulary_size}
    return codes.view(np.dtype(np.int32, metadata=metadata)).view(TokenArray)


def _plain(x: Any) -> Any:
    """``x`` as a plain array if it is a TokenArray.

    The dtype loses the vocabulary, which arithmetic would pass on.
    """
    return x.view(np.ndarray).view(np.int32) if isinstance(x, TokenArray) else x


def find_absent_codes(codes: np.ndarray, vocabulary_size: int) -> np.ndarray:
    """The codes of a vocabulary that do not occur among ``codes``."""
    return np.flatnonzero(np.bincount(codes, minlength=vocabulary_size) == 0)


def _register_with_dask(protocol: Any) -> None:
    """Let dask send the vocabulary too: it would send a plain array of the codes.

    ``protocol`` is the module ``distributed.protocol.serialize``.
    """

    @protocol.dask_serialize.register(TokenArray)
    def serialize(tokens: TokenArray) -> tuple[dict, list]:
        header, frames = protocol.dask_serialize(_plain(tokens))
        return {"codes": header, "vocabulary_size": tokens.vocabulary_size}, frames

    @protocol.dask_deserialize.register(TokenArray)
    def deserialize(header: dict, frames: list) -> TokenArray:
        load = protocol.dask_deserialize.dispatch(np.ndarray)
        return _rebuild(load(header["codes"], frames), header["vocabulary_size"])


call_after_import("distributed.protocol.serialize", _register_with_dask)
