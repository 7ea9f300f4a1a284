"""Descriptions of vocabularies, from which other programs can learn to encode text."""

from collections.abc import Iterable
from typing import Any

from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.tokens import END, PADDING, START, UNKNOWN

RESERVED_CODES = {"padding": PADDING, "unknown": UNKNOWN, "start": START, "end": END}


def describe_codes(
    vocabulary_size: int, names: Iterable[Any] | None, vectorizer: Any
) -> dict[str, Any]:
    """Describe codes, as facts by name: their number, and which ones are reserved.

    If they are known, ``names`` are listed in the order of the codes, and the
    parameters of the ``vectorizer``. Functions are described by their import paths,
    with a warning.
    """
    facts: dict[str, Any] = {
        "vocabulary_size": vocabulary_size,
        "reserved_codes": RESERVED_CODES,
    }
    if names is not None:
        facts["vocabulary"] = [str(name) for name in names]
    if hasattr(vectorizer, "get_params"):
        parameters = vectorizer.get_params(deep=False)
        functions = {k: name_function(v) for k, v in parameters.items() if callable(v)}
        if functions:
            named = ", ".join(f"{k}={name}" for k, name in functions.items())
            warn_user(
                f"The file names functions of the vectorizer, but does not contain "
                f"them: {named}. Programs that read the file have to do the same as "
                "these functions."
            )
        parameters |= functions
        facts["vectorizer"] = {"class": type(vectorizer).__name__, **parameters}
    return facts


def name_function(function: Any) -> str:
    """Return "module:qualified name" of a function, or of the class of an object."""
    named = function if hasattr(function, "__qualname__") else type(function)
    module = getattr(named, "__module__", None) or "builtins"  # str.split has none
    return f"{module}:{named.__qualname__}"


def list_names(vectorizer: Any, vocabulary_size: int) -> list[Any] | None:
    """List the names of the codes of a vectorizer; None without a vectorizer.

    Raises a ValueError if its vocabulary has another size.
    """
    if vectorizer is None:
        return None
    check_is_fitted(vectorizer)
    names = list(vectorizer.get_feature_names_out())
    if len(names) != vocabulary_size:
        raise ValueError(
            f"the vectorizer has {len(names)} codes, but the model was fitted on a "
            f"vocabulary of {vocabulary_size} codes. Pass the vectorizer that made the "
            "codes in fit."
        )
    return names
