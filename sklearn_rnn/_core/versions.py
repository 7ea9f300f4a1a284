"""The version of this package in the state of pickled estimators."""

import re
from typing import Any

import sklearn.exceptions
from sklearn.base import BaseEstimator

from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._version import __version__

KEY = "_sklearn_rnn_version"
UNKNOWN = "of unknown version"


def is_newer(version: str) -> bool:
    """Return whether the numbers of a version, such as "1.2", are above this one's."""
    return _read_numbers(version) > _read_numbers(__version__)


def _read_numbers(version: str) -> list[int]:
    found = re.match(r"\d{1,9}(\.\d{1,9})*", version)
    if found is None:
        raise ValueError(f"{version!r:.60} is not a version.")
    return [int(number) for number in found[0].split(".")]


class InconsistentVersionWarning(sklearn.exceptions.InconsistentVersionWarning):
    """Warning raised when an estimator was pickled by another version of sklearn_rnn.

    Parameters
    ----------
    estimator_name : str
        Name of the class of the estimator.
    original : str
        Version that pickled the estimator.
    """

    def __init__(self, estimator_name: str, original: str) -> None:
        super().__init__(
            estimator_name=estimator_name,
            current_sklearn_version=sklearn.__version__,
            original_sklearn_version=sklearn.__version__,
        )
        self.current_version, self.original_version = __version__, original
        self.args = (estimator_name, original)  # so that the warning can be pickled

    def __str__(self) -> str:
        return (
            f"{self.estimator_name} was saved by sklearn_rnn {self.original_version} "
            f"and is loaded by sklearn_rnn {self.current_version}. It may not work or "
            "may predict differently. Install the version that saved it, or fit it "
            "again."
        )


class VersionedEstimator(BaseEstimator):
    """A base whose pickled state has a version, as in scikit-learn."""

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), KEY: __version__}

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        original = state.pop(KEY, UNKNOWN)
        if original != __version__:
            warn_user(InconsistentVersionWarning(type(self).__name__, original))
        super().__setstate__(state)
