"""TokenArray: text as codes, and what the reserved codes mean."""

from operator import index

import numpy as np

PADDING, UNKNOWN, START, END = range(4)
RESERVED = ("<pad>", "<unk>", "<start>", "<end>")

# numpy functions through which codes stay codes, if all vocabularies agree
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

    def __new__(cls, codes, vocabulary_size):
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
    def vocabulary_size(self):
        """4 + number of tokens, or None where numpy lost it."""
        metadata = self.dtype.metadata
        return None if metadata is None else metadata.get("vocabulary_size")

    def __repr__(self):
        listing = np.array2string(
            self.view(np.ndarray), separator=", ", prefix="TokenArray("
        )
        return f"TokenArray({listing}, vocabulary_size={self.vocabulary_size})"

    def __reduce__(self):
        return _rebuild, (self.view(np.ndarray), self.vocabulary_size)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [_plain(x) for x in inputs]
        if "out" in kwargs:
            kwargs["out"] = tuple(_plain(x) for x in kwargs["out"])
        return getattr(ufunc, method)(*plain, **kwargs)

    def __array_function__(self, func, types, args, kwargs):
        if func not in _JOINS:
            return super().__array_function__(func, types, args, kwargs)
        return _join(func, *args, **kwargs)

    def astype(self, dtype, *args, **kwargs):
        """Codes as another type: a plain array, unless it is the codes' own int32."""
        plain = _plain(self).astype(dtype, *args, **kwargs)
        return _codes_again(plain, self.vocabulary_size)


def _join(func, /, tup, *args, **kwargs):
    parts = list(tup)
    sizes = {getattr(part, "vocabulary_size", None) for part in parts}
    # np.r_ and np.c_ cast first, and the cast loses the vocabulary
    lost = None in sizes and any(isinstance(part, TokenArray) for part in parts)
    if len(sizes) > 1 or lost:
        raise TypeError(
            "codes can only be joined with codes of the same vocabulary, got "
            f"vocabulary sizes {sorted(sizes, key=str)} (None: not a TokenArray, or "
            "one cast to another type). Codes are names, not quantities: give text "
            "its own estimator, or bag-of-words columns if it has to stand beside "
            "numbers."
        )
    rest = [_plain(x) for x in args]
    kwargs = {name: _plain(x) for name, x in kwargs.items()}
    joined = func([_plain(part) for part in parts], *rest, **kwargs)
    return _codes_again(joined, sizes.pop())


def _codes_again(plain, vocabulary_size):
    """Codes that numpy gave back: a TokenArray only while they are int32."""
    if plain.dtype != np.int32 or vocabulary_size is None:
        return plain
    return _rebuild(plain, vocabulary_size)


def _rebuild(codes, vocabulary_size):
    """View int32 codes as a TokenArray.

    The size travels in the dtype's metadata: numpy keeps it through slicing, pickling
    and memory-mapping, and joblib's hash, which does not see attributes, sees it.
    """
    metadata = {"vocabulary_size": vocabulary_size}
    return codes.view(np.dtype(np.int32, metadata=metadata)).view(TokenArray)


def _plain(x):
    # without the vocabulary in its dtype, which arithmetic would hand on
    return x.view(np.ndarray).view(np.int32) if isinstance(x, TokenArray) else x
