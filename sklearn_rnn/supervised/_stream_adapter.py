"""Streams of RNNClassifier and RNNRegressor."""

import numpy as np

from sklearn_rnn._core.drafts import snapshot
from sklearn_rnn._core.fingerprints import digest
from sklearn_rnn._data.tokens import TokenArray
from sklearn_rnn.streaming._adapter import StreamAdapter
from sklearn_rnn.streaming._reading import (
    code_rows,
    code_step,
    number_rows,
    number_step,
)


class SequenceStreamAdapter(StreamAdapter):
    """Adapter of a fitted RNNClassifier or RNNRegressor."""

    def __init__(self, model):
        model = snapshot(model)
        name, self.module = type(model).__name__, model.module_
        if self.module.stack.bidirectional:
            raise ValueError(
                f"this {name} has bidirectional=True and needs complete sequences, but "
                "a stream has only the steps so far. Fit one with bidirectional=False."
            )
        if model.input_length is not None:
            raise ValueError(
                f"this {name} accepts only sequences of input_length="
                f"{model.input_length} steps, but a stream has any number of steps. "
                "Fit one with input_length=None."
            )
        self.each_step = self.module.pooling is None
        self._read, self._targets = model._read, model._targets
        self._inputs, self._size = model._inputs, model.input_size_
        self.patch_size = self._inputs.patch_size
        self._vocabulary_size = model._vocabulary_size
        facts = [name, self._targets, self._vocabulary_size, self._size]
        facts.append(getattr(model, "feature_names_in_", None))
        self.encoding = self._inputs.fingerprint() + digest(facts)
        self.rows_are_steps = (
            model._fitted_on_table and model.n_features_in_ == model.input_size_
        )
        if hasattr(model, "predict_proba"):
            self.predict_proba = self._targets.probabilities

    def predict(self, outputs):
        return self._targets.decode(outputs)

    def step(self, x, n):
        if isinstance(x, TokenArray):
            return None
        if self._vocabulary_size is not None:
            return code_step(x, n, self._vocabulary_size)
        x = number_step(x, n, self._size)
        if x is None:
            return None
        x = self._inputs.standardize_steps(x)
        if np.count_nonzero(np.isfinite(x)) < x.size:
            row = int(np.argmin(np.isfinite(x).all(axis=1)))
            raise ValueError(
                f"x contains NaN, infinity or a value too large for {x.dtype!r}: "
                f"stream {row} of {n}. Fill or leave out such steps; the state of the "
                "streams is unchanged."
            )
        return x

    def chunk(self, x, n):
        if self._vocabulary_size is not None:
            x = code_rows(x, n, self._vocabulary_size)
        else:
            x = number_rows(x, n, self._size)
        return self._inputs.standardize(self._read(x, reset=False))
