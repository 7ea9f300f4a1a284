"""Checks of what a forecaster is given, and requests for forecasts."""

from dataclasses import dataclass

import numpy as np

from sklearn_rnn._core.scalars import check_integer
from sklearn_rnn._data.series import SeriesSet, read_series
from sklearn_rnn.forecasting._encoding import SeriesEncoding
from sklearn_rnn.forecasting._intervals import Bounds, Intervals
from sklearn_rnn.forecasting._rollout import SeriesNetwork, SeriesState

SAMPLED_PATHS = 1000  # from which quantiles of later steps are taken


@dataclass(frozen=True)
class ForecastRequest:
    """The past of n series, and what is asked about the steps after it."""

    network: SeriesNetwork
    container: SeriesSet
    state: SeriesState
    horizon: int
    exog: np.ndarray | None  # (n, horizon, K) of the steps to forecast

    def forecast(self) -> np.ndarray:
        """Forecasts (n, horizon, C, Q)."""
        return self.network.forecast(self.state, self.horizon, self.exog)

    def sample(
        self, intervals: Intervals, n_paths: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Sampled paths (n_paths, n, horizon, C)."""
        sampler = intervals.make_sampler(self.network.encoding.horizon, rng)
        paths = self.network.forecast(
            self.state, self.horizon, self.exog, sampler, n_paths
        )
        return paths[..., 0].reshape(n_paths, -1, *paths.shape[1:3])

    def compute_bounds(
        self, intervals: Intervals, forecasts: np.ndarray, coverage: float
    ) -> Bounds:
        """Bounds (n, horizon, C), lower and upper, of forecasts (n, horizon, C, Q).

        They are taken from sampled paths if no quantiles were learned so far ahead.
        """
        bounds = intervals.compute_bounds(forecasts, coverage)
        if bounds is None:
            paths = self.sample(intervals, SAMPLED_PATHS, np.random.default_rng(0))
            tails = [(1 - coverage) / 2, (1 + coverage) / 2]
            bounds = tuple(np.quantile(paths, tails, axis=0))
        return bounds


def read_request(
    network: SeriesNetwork, series: SeriesSet, state: SeriesState | None, horizon, exog
) -> ForecastRequest:
    """A request to forecast the steps after series; ``horizon`` None is the network's.

    ``state`` is what the network knows of the series; if None, their values are read.
    """
    encoding = network.encoding
    horizon = encoding.horizon if horizon is None else horizon
    horizon = check_integer("horizon", horizon, minimum=1)
    if state is not None:
        nothing = np.zeros(len(state), dtype=int)
        _, ahead = read_exog_ahead(exog, encoding.n_exog, nothing, horizon)
        return ForecastRequest(network, series, state, horizon, ahead)
    check_past(series.lengths, encoding)
    past, ahead = read_exog_ahead(exog, encoding.n_exog, series.lengths, horizon)
    state = network.read(series.values, past)
    return ForecastRequest(network, series, state, horizon, ahead)


def check_lengths(lengths: np.ndarray, window: int, horizon: int, lag: int) -> None:
    """Raise a ValueError if a series cannot hold a window and what follows it."""
    needed = window + horizon + lag
    short = np.flatnonzero(lengths < needed)
    if len(short):
        raise ValueError(
            f"series {short[0]} of X has {lengths[short[0]]} steps; "
            f"window={window}, horizon={horizon} and differencing={lag or None} "
            f"need {needed} at least. Give longer series or a smaller window."
        )


def check_past(lengths: np.ndarray, encoding: SeriesEncoding) -> None:
    """Raise a ValueError if a past is too short for a forecast."""
    needed = encoding.context if encoding.last_only else 1 + encoding.lag
    if encoding.n_exog:
        needed = max(needed, encoding.horizon)
    if lengths.min() < needed:
        raise ValueError(
            f"series {lengths.argmin()} of X has {lengths.min()} steps; a forecast "
            f"needs {needed} at least. Give a longer past."
        )


def count_exog(exog) -> int:
    """Exogenous variables per step; 0 without any."""
    return 0 if exog is None else read_series(exog, "exog").n_channels


def read_exog(
    exog, n_exog: int, lengths: np.ndarray, steps: str
) -> list[np.ndarray] | None:
    """Exogenous variables (T_i, K) of series of ``lengths`` steps; None without any.

    ``steps`` says in an error which steps these are.
    """
    if exog is None:
        if n_exog:
            raise ValueError(
                f"exog is missing: RNNForecaster was fitted with {n_exog} exogenous "
                f"variable(s). Give their values at {steps}."
            )
        return None
    if not n_exog:
        raise ValueError(
            "exog was given, but RNNForecaster was fitted without. Fit with exog, or "
            "leave it out."
        )
    arrays = read_series(exog, "exog").values
    if len(arrays) != len(lengths):
        raise ValueError(
            f"exog has {len(arrays)} series, but X has {len(lengths)}. Give exogenous "
            "variables for each series."
        )
    for i, (array, length) in enumerate(zip(arrays, lengths, strict=True)):
        if array.shape != (length, n_exog):
            raise ValueError(
                f"exog of series {i} has the shape {array.shape}, expected "
                f"{(int(length), n_exog)}: a row for each of {steps}, and a column for "
                "each variable given to fit."
            )
        if np.isnan(array).any():
            raise ValueError(
                f"exog of series {i} contains NaN at step "
                f"{np.isnan(array).any(axis=1).argmax()}. Exogenous variables must be "
                f"known at {steps}."
            )
    return arrays


def read_exog_ahead(
    exog, n_exog: int, lengths: np.ndarray, horizon: int
) -> tuple[list[np.ndarray] | None, np.ndarray | None]:
    """Exogenous variables of pasts of ``lengths`` steps, and of the steps after them.

    The former are (T_i, K), the latter (n, horizon, K).
    """
    steps = f"the steps to forecast (horizon={horizon})"
    if lengths.any():
        steps = f"the steps of X and {steps}"
    arrays = read_exog(exog, n_exog, lengths + horizon, steps)
    if arrays is None:
        return None, None
    past, ahead = [a[:-horizon] for a in arrays], [a[-horizon:] for a in arrays]
    return past, np.stack(ahead)
