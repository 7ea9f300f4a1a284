"""Explanations of fitted networks and of their predictions."""

from sklearn_rnn.inspection._attribute import attribute
from sklearn_rnn.inspection._explain_step import StepExplanation, explain_step
from sklearn_rnn.inspection._permutation import permutation_importance
from sklearn_rnn.inspection._units import find_units

__all__ = [
    "StepExplanation",
    "attribute",
    "explain_step",
    "find_units",
    "permutation_importance",
]
