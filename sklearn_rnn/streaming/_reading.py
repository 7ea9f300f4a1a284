"""Conversion of the steps and chunks of streams to numbers or codes."""

from typing import Any

import numpy as np

from sklearn_rnn._data.containers import refuse_sparse, unwrap
from sklearn_rnn._data.sequences import TEXT_HINT
from sklearn_rnn._data.tokens import PADDING, TokenArray


def number_step(x: Any, n: int, size: int) -> np.ndarray | None:
    """Read x as numbers (n, size), one step of ``n`` streams; None if x is a chunk."""
    x = _as_array(x)
    if x is None or x.ndim > 2:
        return None
    if x.dtype.kind == "O":
        try:
            x = x.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"x cannot be read as numbers ({error}); expected a step of shape "
                f"{(n, size)}."
            ) from error
    if x.dtype.kind not in "biuf":
        hint = f" {TEXT_HINT}" if x.dtype.kind in "SU" else ""
        raise ValueError(f"x has dtype {x.dtype}; expected real numbers.{hint}")
    if x.shape != (n, size):
        if x.ndim > 1 or 1 not in (n, size) or x.size != n * size:
            raise ValueError(
                f"x has the shape {x.shape} for {n} stream(s) of {size} feature(s) per "
                f"step; expected {(n, size)}, or ({n}, n_timesteps, {size}) for a "
                "chunk."
            )
        x = x.reshape(n, size)
    return x


def _as_array(x: Any) -> np.ndarray | None:
    """Convert x to an array; None if x contains arrays of unequal lengths."""
    try:
        refuse_sparse(x, "x")
        x = unwrap(x, "x")
    except TypeError as error:
        raise ValueError(
            f"x cannot be read as numbers ({error}). Pass dense arrays of numbers."
        ) from error
    try:
        x = np.asarray(x)
    except ValueError:
        return None
    ragged = x.dtype.kind == "O" and any(np.ndim(part) for part in x.flat)
    return None if ragged else x


def number_rows(x: Any, n: int, size: int) -> np.ndarray | list[np.ndarray]:
    """Read a chunk of numbers as a 3-D array, or a list of (T_i, size)."""
    x = unwrap(x, "x")
    if len(x) != n:
        raise ValueError(
            f"x has chunks for {len(x)} streams, expected {n}: one per stream."
        )
    if getattr(x, "ndim", None) == 3:
        return x
    rows = [np.asarray(unwrap(row, "x")) for row in x]
    for k, row in enumerate(rows):
        if row.ndim < 2 and row.size == size:
            rows[k] = row.reshape(1, size)
        elif row.ndim != 2:
            raise ValueError(
                f"the chunk of stream {k} has the shape {row.shape}; expected "
                f"(n_timesteps, {size}), or ({size},) for one step."
            )
    return rows


def code_step(x: Any, n: int, vocabulary_size: int) -> np.ndarray | None:
    """Read x as codes (n,), one step of ``n`` streams; None if x is a chunk."""
    x = _as_array(x)
    if x is None or x.ndim > 1:
        return None
    if x.size != n:
        raise ValueError(
            f"x has {x.size} codes for {n} stream(s); expected one code per stream, or "
            f"({n}, n_timesteps) for a chunk."
        )
    if x.dtype.kind not in "iu":
        hint = f" {TEXT_HINT}" if x.dtype.kind in "SU" else ""
        raise ValueError(
            f"x has dtype {x.dtype}, but the model was fitted on codes; expected "
            f"integers.{hint}"
        )
    if x.min() <= PADDING or x.max() >= vocabulary_size:
        raise ValueError(
            f"x contains the code {x.min() if x.min() <= PADDING else x.max()}; "
            f"expected codes of the vocabulary, 1..{vocabulary_size - 1}. The code "
            f"{PADDING} is padding after the end of a chunk."
        )
    return x.reshape(n)


def code_rows(x: Any, n: int, vocabulary_size: int) -> TokenArray | list[TokenArray]:
    """Read a chunk of codes as a TokenArray, or as a list of its rows."""
    x = unwrap(x, "x")
    if isinstance(x, TokenArray) and x.ndim == 1:
        x = x.reshape(1, -1)
    if len(x) != n:
        raise ValueError(
            f"x has chunks for {len(x)} streams, expected {n}: one per stream."
        )
    if isinstance(x, TokenArray):
        return x
    if getattr(x, "ndim", None) == 2:
        return TokenArray(x, vocabulary_size)
    rows = []
    for row in x:
        if not isinstance(row, TokenArray):
            row = TokenArray(np.atleast_1d(row)[None], vocabulary_size)
        rows.append(row[0] if row.ndim == 2 and len(row) == 1 else row)
    return rows


def list_texts(x: Any) -> list:
    """Return one text or several texts as a list."""
    several = hasattr(x, "__iter__") and not isinstance(x, (str, bytes))
    return list(x) if several else [x]
