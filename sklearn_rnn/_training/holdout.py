"""Choice of the rows that are held out for validation."""

import copy
import warnings
from typing import Any

import numpy as np
from sklearn.utils.validation import check_consistent_length


def check_validation_data(
    estimator: Any, X_val: Any, y_val: Any, sample_weight_val: Any
) -> tuple[Any, Any, Any] | None:
    """Return the validation data that were given to ``fit``, or None."""
    given = {"X_val": X_val, "y_val": y_val, "sample_weight_val": sample_weight_val}
    named = [name for name, value in given.items() if value is not None]
    if not named:
        return None
    if X_val is None or y_val is None:
        raise ValueError(
            f"fit got {' and '.join(named)}; pass both X_val and y_val, or neither."
        )
    if not estimator.early_stopping:
        raise ValueError(
            "X_val and y_val are used for early stopping only, but "
            f"early_stopping=False. Set {type(estimator).__name__}"
            "(early_stopping=True)."
        )
    if hasattr(estimator.validation_fraction, "split"):
        raise ValueError(
            "fit got X_val and y_val, but validation_fraction is a splitter "
            f"({estimator.validation_fraction!r}). Leave out X_val and y_val, or set "
            "validation_fraction to a number."
        )
    return X_val, y_val, sample_weight_val


def split_rows(
    rows: np.ndarray,
    fraction: Any,
    rng: np.random.Generator,
    *,
    y: np.ndarray | None = None,
    groups: Any = None,
    strata: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the training rows and the validation rows.

    ``fraction`` is the parameter ``validation_fraction``: either a fraction of the
    rows, stratified by ``strata`` if they are given, or a splitter, which is passed
    ``y`` and ``groups``.
    """
    if hasattr(fraction, "split"):
        return last_split(rows, fraction, rows if y is None else y, groups, rng)
    if groups is not None:
        raise ValueError(
            f"groups were passed, but validation_fraction={fraction} draws single "
            "rows. Set it to a splitter, such as GroupShuffleSplit(1, test_size=0.1)."
        )
    held_out = draw_holdout(rows, fraction, rng, strata)
    return np.setdiff1d(rows, held_out), held_out


def draw_holdout(
    rows: np.ndarray,
    fraction: float,
    rng: np.random.Generator,
    strata: np.ndarray | None = None,
    *,
    name: str = "validation_fraction",
    remedy: str = "early_stopping=False",
) -> np.ndarray:
    """Draw a fraction of ``rows`` at random, stratified by ``strata``.

    ``strata`` are classes (n,), or an indicator matrix (n, n_labels). The only row of a
    stratum is not drawn, and a warning is issued. The error message names the parameter
    ``name`` that contains the fraction, and the setting ``remedy`` without held-out
    rows.
    """
    n_valid = int(np.ceil(fraction * len(rows)))
    n_rows = len(rows)
    if strata is not None:
        rows = _leave_out_single_rows(rows, strata)
    if n_valid >= n_rows or not len(rows):
        side = "train on" if n_valid >= n_rows else "validate on"
        raise ValueError(
            f"{name}={fraction} of n_samples = {n_rows} leaves no rows to {side}. "
            f"Pass more rows, or set {remedy}."
        )
    n_valid = min(n_valid, len(rows))
    rows = rng.permutation(rows)
    if strata is not None:
        rows = rows[_order_by_strata(strata[rows])]
    places = (np.arange(n_valid) + rng.random()) * len(rows) / n_valid
    return rows[places.astype(np.int64)]


def _leave_out_single_rows(rows: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """Return the rows whose stratum has more than one row; warn if there are others."""
    if strata.ndim == 1:
        _, place, counts = np.unique(
            strata[rows], return_inverse=True, return_counts=True
        )
        is_single = counts[place] == 1
    else:
        counts = np.count_nonzero(strata[rows], axis=0)
        is_single = strata[rows][:, counts == 1].any(axis=1)
    n_single = np.count_nonzero(counts == 1)
    if n_single:
        warnings.warn(
            f"{n_single} of {len(counts)} classes have a single row each. These rows "
            "are used for training, and no validation row has these classes.",
            UserWarning,
            stacklevel=2,
        )
    return rows[~is_single]


def _order_by_strata(strata: np.ndarray) -> np.ndarray:
    """Return an order that puts rows of a class next to each other, otherwise stable.

    Rows of an indicator matrix are ordered by the rarest label, ties by the next rarest
    label, and so on. Evenly spaced rows then contain each label about in proportion
    (systematic sampling with implicit stratification).
    """
    if strata.ndim == 1:
        return np.argsort(strata, kind="stable")
    by_rarity = np.argsort(-np.count_nonzero(strata, axis=0))
    return np.lexsort(strata[:, by_rarity].T)  # the last key, the rarest, comes first


def last_split(
    rows: np.ndarray,
    splitter: Any,
    y: np.ndarray,
    groups: Any,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the training and validation rows of the last split of ``rows``.

    The last split is used because TimeSeriesSplit then validates on the latest rows. A
    splitter that would draw from numpy's global generator draws from ``rng`` instead.
    """
    splitter = copy.deepcopy(splitter)
    if getattr(splitter, "random_state", 0) is None:
        splitter.random_state = int(rng.integers(2**31))
    if groups is not None:
        check_consistent_length(y, groups)
        groups = np.asarray(groups)[rows]
    n_expected = len(getattr(splitter, "test_fold", rows))  # if a PredefinedSplit
    if n_expected != len(rows):
        raise ValueError(
            f"validation_fraction={type(splitter).__name__} has folds for {n_expected} "
            f"rows, but only {len(rows)} of n_samples = {len(y)} are split, because "
            "rows of weight 0 are removed first. Remove these rows from X, y and the "
            "folds, or pass X_val and y_val."
        )
    try:
        splits = list(splitter.split(rows, y[rows], groups))
    except ValueError as error:
        if groups is not None or "groups" not in str(error):
            raise
        raise ValueError(
            f"{error} validation_fraction={type(splitter).__name__} splits groups: "
            "pass one group per sequence with fit(X, y, groups=groups), or set a "
            "splitter of single rows, such as ShuffleSplit(1, test_size=0.1)."
        ) from error
    train, valid = splits[-1] if splits else ([], [])
    if not len(train) or not len(valid):
        raise ValueError(
            f"validation_fraction={splitter!r} left {len(train)} rows of n_samples = "
            f"{len(rows)} to train on and {len(valid)} to validate on. Use a splitter "
            "that leaves at least one row for each."
        )
    return rows[train], rows[valid]
