"""Warnings that show the line of the user's code that caused them."""

import inspect
import warnings
from types import FrameType

# Packages whose frames may lie between the user's call and the warning. joblib is one
# of them because Pipeline fits its steps through joblib's cache.
INTERNAL_PACKAGES = {"joblib", "sklearn", "sklearn_rnn"}


def warn_user(message: str | Warning, category: type[Warning] = UserWarning) -> None:
    """Warn at the innermost line outside the internal packages.

    A fixed ``stacklevel`` would be correct for one call path only, because an estimator
    can be fitted directly, by ``fit_transform``, in a Pipeline or in a search.
    """
    frame, stacklevel = inspect.currentframe(), 1
    while frame is not None and _is_internal(frame) and frame.f_back is not None:
        frame, stacklevel = frame.f_back, stacklevel + 1
    warnings.warn(message, category, stacklevel=stacklevel)


def _is_internal(frame: FrameType) -> bool:
    """Return whether a frame belongs to one of the internal packages."""
    package = frame.f_globals.get("__name__", "").partition(".")[0]
    return package in INTERNAL_PACKAGES
