"""Streams of RNNForecaster."""

import numpy as np

from sklearn_rnn._data.sequences import Sequences, refuse_empty
from sklearn_rnn.streaming._reading import (
    number_rows,
    number_step,
)


class SeriesStreamAdapter:
    """Of a fitted RNNForecaster, whose stepper reads values as they come."""

    first_codes = ()
    each_step = False
    rows_are_steps = True

    def __init__(self, model):
        if model._n_exog:
            raise ValueError(
                "this RNNForecaster was fitted with exogenous variables of the steps "
                "ahead, which a stream does not take. Use update(X, exog=...) and "
                "predict(exog=...)."
            )
        self.module, self._network = model.module_, model._series_network
        self._size = model.n_features_in_
        self._has_channels = model._container.has_channels

    def start(self):
        return self._network.stepper(1)

    def step(self, x, n):
        x = number_step(x, n, self._size)
        if x is None:
            return None
        if np.isinf(x).any():
            raise ValueError(
                f"x contains infinity: stream {np.isinf(x).any(axis=1).argmax()} of "
                f"{n}. Mark missing values as NaN; the streams have not moved."
            )
        return x.astype(np.float64, copy=False)

    def chunk(self, x, n):
        rows = [self.step(row, len(row)) for row in number_rows(x, n, self._size)]
        lengths = np.array([len(row) for row in rows])
        refuse_empty(lengths)
        return Sequences(np.concatenate(rows), np.cumsum(lengths) - lengths, lengths)

    def predict(self, outputs):
        forecasts = outputs[..., outputs.shape[-1] // 2]  # (n, horizon, C)
        return forecasts if self._has_channels else forecasts[..., 0]
