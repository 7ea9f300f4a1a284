"""TokenArray, which contains text as codes, and the reserved codes."""

from collections.abc import Callable, Iterable, Mapping
from operator import index
from typing import Any, SupportsIndex

import numpy as np
from numpy.typing import ArrayLike

from sklearn_rnn._core.after_import import call_after_import

PADDING, UNKNOWN, START, END = range(4)
RESERVED = ("<pad>", "<unk>", "<start>", "<end>")

# The results of these numpy functions are codes if all arguments have one vocabulary.
_JOINS = {np.concatenate, np.vstack, np.hstack}


class TokenArray(np.ndarray):
    """Sequences of codes, padded on the right with 0, with the size of the vocabulary.

    :class:`CharVectorizer` and :class:`WordVectorizer` return such arrays. Recurrent
    estimators embed the codes instead of reading them as numbers. Rows can be sliced,
    pickled, memory-mapped and sent to other processes. Arithmetic and
    ``astype(float)`` return plain arrays, because codes are labels and not quantities.

    Parameters
    ----------
    codes : array-like of int of shape (n_sequences, n_timesteps)
        Codes of the tokens. 0 is padding, 1 an unknown token, 2 the start and 3 the end
        of a sequence; tokens have codes from 4.
    vocabulary_size : int
        Number of tokens plus 4. Every code is smaller.

    Raises
    ------
    ValueError
        If a code is negative or not below ``vocabulary_size``, or if
        ``vocabulary_size`` is not below 2**31.
    TypeError
        If codes are not integers, or are joined with arrays that are not codes of a
        vocabulary of the same size.

    See Also
    --------
    CharVectorizer : Converts text to codes of characters.
    WordVectorizer : Converts text to codes of words.

    Examples
    --------
    >>> from sklearn_rnn import TokenArray
    >>> tokens = TokenArray([[4, 5, 0], [6, 4, 5]], vocabulary_size=7)
    >>> tokens[1:].vocabulary_size
    7
    """

    _codes: np.ndarray  # the array of which this one is a view

    def __new__(cls, codes: ArrayLike, vocabulary_size: SupportsIndex) -> "TokenArray":
        codes, vocabulary_size = np.asarray(codes), index(vocabulary_size)
        if vocabulary_size > np.iinfo(np.int32).max:
            raise ValueError(
                f"vocabulary_size must be below 2**31, got {vocabulary_size}: codes "
                "are stored as int32."
            )
        if codes.dtype.kind not in "iu" and codes.size:
            raise TypeError(
                f"codes must be integers, got dtype {codes.dtype}. Convert text to "
                "codes with CharVectorizer or WordVectorizer."
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
        """Number of tokens plus 4; None if a numpy function did not keep it."""
        metadata = self.dtype.metadata
        return None if metadata is None else metadata.get("vocabulary_size")

    def __repr__(self) -> str:
        listing = np.array2string(
            self.view(np.ndarray), separator=", ", prefix="TokenArray("
        )
        return f"TokenArray({listing}, vocabulary_size={self.vocabulary_size})"

    def __getitem__(self, key: Any) -> Any:
        part = _plain(self)[key]
        is_array = isinstance(part, np.ndarray)
        return _restore_codes(part, self.vocabulary_size) if is_array else part

    def __reduce__(self) -> tuple[Any, ...]:
        # joblib writes an array for its workers once, if it is the same object in all
        # tasks.
        plain, kept = self.view(np.ndarray), vars(self).get("_codes")
        if kept is not None and _locate(kept) == _locate(plain):
            plain = kept
        return _rebuild, (plain, self.vocabulary_size)

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
        """Cast the codes to another data type.

        Parameters
        ----------
        dtype : dtype
            Data type of the result.
        *args, **kwargs : object
            Further arguments of ``numpy.ndarray.astype``.

        Returns
        -------
        codes : TokenArray or ndarray
            A TokenArray if the data type is int32, otherwise a plain array.
        """
        plain = _plain(self).astype(dtype, *args, **kwargs)
        return _restore_codes(plain, self.vocabulary_size)


def _join(
    func: Callable[..., np.ndarray],
    /,
    tup: Iterable[Any],
    *args: Any,
    **kwargs: Any,
) -> np.ndarray:
    """Apply ``func`` to codes of one vocabulary, and return codes."""
    parts = list(tup)
    sizes = {getattr(part, "vocabulary_size", None) for part in parts}
    # np.r_ and np.c_ cast first, and the cast loses the vocabulary.
    lost = None in sizes and any(isinstance(part, TokenArray) for part in parts)
    if len(sizes) > 1 or lost:
        raise TypeError(
            "codes can only be joined with codes of the same vocabulary, got "
            f"vocabulary sizes {sorted(sizes, key=str)} (None: not a TokenArray, or "
            "one cast to another type). Codes are labels, not quantities: fit a "
            "separate estimator for text, or convert it to bag-of-words columns to "
            "combine it with numbers."
        )
    rest = [_plain(x) for x in args]
    kwargs = {name: _plain(x) for name, x in kwargs.items()}
    joined = func([_plain(part) for part in parts], *rest, **kwargs)
    return _restore_codes(joined, sizes.pop())


def _restore_codes(plain: np.ndarray, vocabulary_size: int | None) -> np.ndarray:
    """Return an array from numpy as a TokenArray, if it is still int32."""
    if plain.dtype != np.int32 or vocabulary_size is None:
        return plain
    return _rebuild(plain, vocabulary_size)


def _rebuild(codes: np.ndarray, vocabulary_size: int | None) -> TokenArray:
    """View int32 codes as a TokenArray.

    The size is stored in the metadata of the dtype. Unlike an attribute, it is kept
    there by slicing, pickling and memory-mapping, and joblib's hash includes it.
    """
    metadata = {"vocabulary_size": vocabulary_size}
    tokens = codes.view(np.dtype(np.int32, metadata=metadata)).view(TokenArray)
    tokens._codes = codes
    return tokens


def _locate(x: np.ndarray) -> tuple[Any, ...]:
    """Return the place of the elements of an array in memory."""
    return x.ctypes.data, x.shape, x.strides


def _plain(x: Any) -> Any:
    """Return ``x`` as a plain array if it is a TokenArray.

    The vocabulary is removed from the dtype; arithmetic would otherwise keep it. In a
    masked array that was cast, a TokenArray has another type.
    """
    if not isinstance(x, TokenArray):
        return x
    plain = x.view(np.ndarray)
    return plain.view(np.int32) if plain.dtype == np.int32 else plain


def find_absent_codes(codes: np.ndarray, vocabulary_size: int) -> np.ndarray:
    """Return the codes of a vocabulary that do not occur in ``codes``."""
    return np.flatnonzero(np.bincount(codes, minlength=vocabulary_size) == 0)


def _register_with_dask(protocol: Any) -> None:
    """Let dask send the vocabulary with the codes, instead of a plain array.

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
