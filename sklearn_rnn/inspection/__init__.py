"""Explanations of fitted networks."""

from sklearn_rnn.inspection._attribute import attribute
from sklearn_rnn.inspection._explain_step import StepExplanation, explain_step

__all__ = ["StepExplanation", "attribute", "explain_step"]
