"""Checks of estimators that read sequences, beside those scikit-learn has of tables.

They run on any estimator, by its tags, its methods and small fits; none of them knows
the estimators of this package.
"""

from sklearn_rnn.conformance._api import (
    CheckResults,
    check_sequence_estimator,
    parametrize_with_sequence_checks,
    sequence_checks_generator,
)
from sklearn_rnn.conformance._fuzz import FuzzReport, fuzz_estimator

__all__ = [
    "CheckResults",
    "FuzzReport",
    "check_sequence_estimator",
    "fuzz_estimator",
    "parametrize_with_sequence_checks",
    "sequence_checks_generator",
]
