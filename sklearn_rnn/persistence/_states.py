"""Checks of the attributes of estimators in files."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRequest

from sklearn_rnn.persistence._errors import ModelFileError, require


def check_state(cls: Any, state: dict[str, Any], listed: bool) -> None:
    """Check the attributes of an estimator, and add parameters that are missing.

    An earlier version may have had fewer parameters.
    """
    own = cls.__module__.startswith("sklearn_rnn.")
    parameters: Mapping[str, Any] = inspect.signature(cls).parameters if listed else {}
    for name, parameter in parameters.items():
        if own and parameter.default is not parameter.empty:
            state.setdefault(name, parameter.default)
        require(name in state, f"{cls.__name__} has no parameter {name!r}.")
    for name in state.keys() - parameters.keys():
        # A state that hides, for example, the template of links in the HTML
        # representation would run code in the notebook that displays the model.
        if hasattr(cls if listed else BaseEstimator, name):
            raise ModelFileError(
                f"{cls.__name__} has a value {name!r} in place of an attribute of its "
                "class."
            )
    for name, check in CHECKS.items():
        if name in {base.__name__ for base in cls.__mro__}:
            check(state)
    if issubclass(cls, Pipeline):
        is_cached = state.get("memory") is not None
        require(not is_cached, "a Pipeline has a cache, which is not loaded.")


# ------------------------------------------ attributes on which compiled code relies


def _check_vocabulary(state: dict[str, Any], name: str = "vocabulary_") -> None:
    """Check that the tokens of a vocabulary have the numbers 0, 1, 2, ...

    They become the columns of sparse matrices, which are not checked again.
    """
    vocabulary = state.get(name)
    if vocabulary is None:
        return
    require(isinstance(vocabulary, dict), "a vocabulary is damaged.")
    columns = vocabulary.values()
    require(
        all(isinstance(one, (int, np.integer)) for one in columns)
        and sorted(columns) == list(range(len(vocabulary))),
        "a vocabulary does not number its tokens.",
    )


def _check_labels(state: dict[str, Any]) -> None:
    """Check the columns of the labels of a MultiLabelBinarizer."""
    _check_vocabulary(state, "_cached_dict")
    if state.get("_cached_dict") is not None:
        n_labels = len(state["_cached_dict"])
        require(len(state.get("classes_", ())) == n_labels, "labels are damaged.")


def _check_hasher(state: dict[str, Any]) -> None:
    """Check the number of features, by which hashes are divided."""
    n = state["n_features"]
    is_valid = isinstance(n, (int, np.integer)) and 1 <= n < 2**31
    require(is_valid, f"n_features={n!r:.60} is not valid.")


def _check_categories(state: dict[str, Any]) -> None:
    """Check that the columns of a OneHotEncoder are those of its categories."""
    if "categories_" not in state and "_n_features_outs" not in state:
        return
    categories: Any = state.get("categories_")
    n_outputs: Any = state.get("_n_features_outs")
    require(
        type(categories) is list
        and type(n_outputs) is list
        and len(categories) == len(n_outputs)
        and all(type(one) is np.ndarray and one.ndim == 1 for one in categories),
        "the categories of an encoder are damaged.",
    )
    none: Any = [None] * len(categories)
    is_grouped = state.get("_infrequent_enabled", False)
    groups: Any = state.get("_default_to_infrequent_mappings") if is_grouped else none
    rare: Any = state.get("_infrequent_indices") if is_grouped else none
    dropped = state.get("_drop_idx_after_grouping")
    dropped = none if dropped is None else dropped
    for parts in (groups, rare, dropped):
        is_complete = parts is not None and len(parts) == len(categories)
        require(is_complete, "the categories of an encoder are damaged.")
    rows = zip(categories, n_outputs, groups, rare, dropped, strict=True)
    for values, n, group, few, drop in rows:
        require(_is_sorted(values), "the categories of an encoder are not sorted.")
        size = len(values)
        if group is not None or few is not None:
            require(
                _lies_below(group, size, size) and _lies_below(few, None, size),
                "the rare categories of an encoder are damaged.",
            )
            size = int(group.max(initial=-1)) + 1
        if drop is not None:
            is_valid = isinstance(drop, (int, np.integer)) and 0 <= drop < size
            require(is_valid, "the dropped categories of an encoder are damaged.")
            size -= 1
        is_valid = isinstance(n, (int, np.integer)) and n == size
        require(is_valid, "the number of columns of an encoder is damaged.")


def _is_sorted(values: np.ndarray) -> bool:
    """Return whether numbers increase; only the last one may be NaN."""
    if values.dtype.kind not in "biufc":
        return True  # looked up in a dict
    if len(values) and np.isnan(values[-1]):
        values = values[:-1]
    return bool((values[1:] > values[:-1]).all() and not np.isnan(values).any())


def _lies_below(numbers: Any, length: int | None, limit: int) -> bool:
    """Return whether these are integers from 0 on, below a limit."""
    return (
        type(numbers) is np.ndarray
        and numbers.ndim == 1
        and numbers.dtype.kind == "i"
        and len(numbers) == (len(numbers) if length is None else length)
        and bool(((numbers >= 0) & (numbers < limit)).all())
    )


CHECKS: dict[str, Callable[[dict[str, Any]], None]] = {
    "CountVectorizer": _check_vocabulary,
    "DictVectorizer": _check_vocabulary,
    "FeatureHasher": _check_hasher,
    "HashingVectorizer": _check_hasher,
    "MultiLabelBinarizer": _check_labels,
    "OneHotEncoder": _check_categories,
}


def restore_request(model: Any, request: Any) -> MetadataRequest:
    """Return the metadata that the methods of an estimator request."""
    restored = MetadataRequest(owner=model)
    require(
        type(request) is dict and request.keys() <= vars(restored).keys() - {"owner"},
        "the metadata requests of an estimator are damaged.",
    )
    for method, aliases in request.items():
        require(type(aliases) is dict, "a metadata request is damaged.")
        for name, alias in aliases.items():
            getattr(restored, method).add_request(param=name, alias=alias)
    return restored
