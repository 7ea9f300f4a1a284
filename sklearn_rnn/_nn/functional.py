"""Functions of numpy arrays that several estimators use."""

import numpy as np


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Compute log-probabilities in float64 along the last axis."""
    logits = logits.astype(np.float64)
    logits -= logits.max(-1, keepdims=True)
    return logits - np.log(np.exp(logits).sum(-1, keepdims=True))


def check_outputs(outputs: np.ndarray, rows: np.ndarray | None = None) -> None:
    """Raise a ValueError if an output of a network is not a finite number.

    ``rows`` (n_outputs,) are the numbers of the sequences that the outputs belong to.
    The error message names the first one.
    """
    if np.count_nonzero(np.isfinite(outputs)) == outputs.size:
        return
    where = ""
    if rows is not None:
        good = np.isfinite(outputs).reshape(len(outputs), -1).all(axis=1)
        where = f" for sequence {rows[np.argmin(good)]} of X"
    raise ValueError(
        f"the output of the network{where} is not a finite number, because its states "
        "or weights have become too large. Pass sequences with about the same length "
        "and scale as in fit, or fit again with a lower learning_rate."
    )
