"""Checks and a fuzzer for estimators of sequences, text and series.

They complement scikit-learn's ``check_estimator``, which tests estimators with tables
only. They run on any estimator. Which checks apply is determined from its tags, its
methods and small fits. No check refers to the estimators of this package.
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
