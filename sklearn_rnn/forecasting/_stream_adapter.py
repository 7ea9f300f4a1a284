"""Streams of RNNForecaster."""

import numpy as np

from sklearn_rnn._core.fingerprints import digest
from sklearn_rnn._data.sequences import Sequences, refuse_empty
from sklearn_rnn._data.series import LARGEST
from sklearn_rnn.forecasting._encoding import take_median
from sklearn_rnn.forecasting._rollout import ForecastStepper, SeriesNetwork
from sklearn_rnn.streaming._adapter import StreamAdapter
from sklearn_rnn.streaming._reading import number_rows, number_step


class SeriesStreamAdapter(StreamAdapter):
    """Streams of a forecaster, which read values step by step.

    ``has_channels`` says whether forecasts have an axis for channels.
    """

    rows_are_steps = True

    def __init__(self, network: SeriesNetwork, has_channels: bool) -> None:
        if network.encoding.n_exog:
            raise ValueError(
                "this RNNForecaster was fitted with exogenous variables of the steps "
                "ahead, which a stream does not accept. Use update(X, exog=...) and "
                "predict(exog=...)."
            )
        self.module = network.module
        self._network, self._has_channels = network, has_channels
        self._n_channels = network.encoding.n_channels
        self.encoding = digest([network.encoding, has_channels])

    def start(self) -> ForecastStepper:
        """A stepper of one stream that has read nothing."""
        return self._network.new_stepper(1)

    def step(self, x, n: int) -> np.ndarray | None:
        """Values (n, C), one step of ``n`` streams; None if x is a chunk."""
        x = number_step(x, n, self._n_channels)
        if x is None:
            return None
        x = x.astype(np.float64, copy=False)
        large = np.abs(x) > LARGEST  # infinity, too
        if large.any():
            stream, channel = np.argwhere(large)[0]
            value = x[stream, channel]
            problem = "infinity" if np.isinf(value) else f"the value {value:.3g}"
            raise ValueError(
                f"x contains {problem}: stream {stream} of {n}. Mark missing values as "
                f"NaN and give numbers below {LARGEST:.0e}; the streams have not moved."
            )
        low, high = self._network.encoding.bounds
        outside = (x < low) | (x > high)
        if outside.any():
            raise ValueError(
                f"x contains the value {x[outside][0]}, which is outside "
                f"bounds=({low}, {high}): stream {outside.any(axis=1).argmax()} of "
                f"{n}. Mark wrong values as NaN; the streams have not moved."
            )
        return x

    def chunk(self, x, n: int) -> Sequences:
        """Values of several steps of ``n`` streams."""
        rows = number_rows(x, n, self._n_channels)
        rows = [self.step(row, len(row)) for row in rows]
        lengths = np.array([len(row) for row in rows])
        refuse_empty(lengths)
        return Sequences(np.concatenate(rows), np.cumsum(lengths) - lengths, lengths)

    def predict(self, outputs: np.ndarray) -> np.ndarray:
        """Forecasts (n, h, C), or (n, h), from those of the stepper (n, h, C, Q)."""
        forecasts = take_median(outputs)
        return forecasts if self._has_channels else forecasts[..., 0]
