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
    """Adapter of a forecaster to streams, which read values step by step.

    ``has_channels`` determines whether forecasts have an axis for channels.
    """

    rows_are_steps = True

    def __init__(self, network: SeriesNetwork, has_channels: bool) -> None:
        if network.encoding.n_exog:
            raise ValueError(
                "this RNNForecaster was fitted with exogenous variables, whose future "
                "values a stream cannot read. Use update(X, exog=...) and "
                "predict(exog=...) instead."
            )
        self.module = network.module
        self._network, self._has_channels = network, has_channels
        self._n_channels = network.encoding.n_channels
        self.encoding = digest([network.encoding, has_channels])

    def start(self) -> ForecastStepper:
        """Return a stepper of one stream that has not read any step."""
        return self._network.new_stepper(1)

    def step(self, x, n: int) -> np.ndarray | None:
        """Read values (n, C), one step of ``n`` streams; None if x is a chunk."""
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
                f"NaN and pass numbers below {LARGEST:.0e}. The streams are unchanged."
            )
        low, high = self._network.encoding.bounds
        outside = (x < low) | (x > high)
        if outside.any():
            raise ValueError(
                f"x contains the value {x[outside][0]}, which is outside "
                f"bounds=({low}, {high}): stream {outside.any(axis=1).argmax()} of "
                f"{n}. Mark wrong values as NaN. The streams are unchanged."
            )
        return x

    def chunk(self, x, n: int) -> Sequences:
        """Read the values of several steps of ``n`` streams."""
        rows = []
        for k, row in enumerate(number_rows(x, n, self._n_channels)):
            steps = self.step(row, len(row))
            if steps is None:
                raise ValueError(
                    f"the chunk of stream {k} holds arrays, expected numbers."
                )
            rows.append(steps)
        lengths = np.array([len(row) for row in rows])
        refuse_empty(lengths)
        return Sequences(np.concatenate(rows), np.cumsum(lengths) - lengths, lengths)

    def predict(self, outputs: np.ndarray) -> np.ndarray:
        """Return point forecasts (n, h, C), or (n, h), of outputs (n, h, C, Q)."""
        forecasts = take_median(outputs)
        return forecasts if self._has_channels else forecasts[..., 0]
