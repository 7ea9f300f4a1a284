"""Checks of the attributes of estimators in files."""

import inspect
from collections.abc import Mapping
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import MetadataRequest

from sklearn_rnn.persistence._errors import require


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
    if listed:
        for name in state.keys() - parameters.keys():
            require(
                not callable(getattr(cls, name, None)),
                f"{cls.__name__} has an attribute {name!r} in place of a method.",
            )
    if issubclass(cls, Pipeline):
        is_cached = state.get("memory") is not None
        require(not is_cached, "a Pipeline has a cache, which is not loaded.")


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
