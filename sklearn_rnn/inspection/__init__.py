"""Explanations of fitted networks."""

from sklearn_rnn.inspection._explain_step import StepExplanation, explain_step

__all__ = ["StepExplanation", "explain_step"]
