"""Checks of the input of forecasters, and requests for forecasts."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from numbers import Real
from operator import attrgetter
from typing import Any

import numpy as np

from sklearn_rnn._core.scalars import check_integer
from sklearn_rnn._core.sklearn_private import _check_feature_names
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.containers import unwrap
from sklearn_rnn._data.series import SeriesSet, read_series, unwrap_panel
from sklearn_rnn.forecasting._calibration import estimate_sizes
from sklearn_rnn.forecasting._encoding import SeriesEncoding
from sklearn_rnn.forecasting._error_sizes import CalibrationErrors, ErrorSizes
from sklearn_rnn.forecasting._exog import ExogVariables, read_exog_ahead
from sklearn_rnn.forecasting._intervals import Bounds, Intervals, QuantileIntervals
from sklearn_rnn.forecasting._rollout import SeriesNetwork, SeriesState

SAMPLED_PATHS = 1000  # sampled for the quantiles of steps beyond the horizon


@dataclass(frozen=True)
class ForecastRequest:
    """The past of n series, and the number of steps to forecast after it."""

    network: SeriesNetwork
    container: SeriesSet
    state: SeriesState
    horizon: int
    exog: np.ndarray | None  # (n, whole blocks of steps to forecast, K)
    # Finds the sizes of the errors of these series in a calibration, or estimates them.
    find_sizes: Callable[[CalibrationErrors], ErrorSizes]

    def forecast(self) -> np.ndarray:
        """Forecast (n, horizon, C, Q)."""
        return self.network.forecast(self.state, self.horizon, self.exog)

    def sample(
        self, intervals: Intervals, n_paths: int, rng: np.random.Generator
    ) -> np.ndarray:
        """Sample paths (n_paths, n, horizon, C)."""
        sizes = self._sizes_for(intervals)
        sampler = intervals.make_sampler(self.network.encoding.horizon, rng, sizes)
        paths = self.network.forecast(
            self.state,
            self.horizon,
            self.exog,
            lambda forecasts: self.network.encoding.clip(sampler(forecasts)),
            n_paths,
        )
        return paths[..., 0].reshape(n_paths, -1, *paths.shape[1:3])

    def compute_bounds(
        self, intervals: Intervals, forecasts: np.ndarray, coverage: float
    ) -> Bounds:
        """Compute lower and upper bounds (n, h, C) of forecasts (n, h, C, Q).

        They are quantiles of sampled paths if there are more steps than the network
        learned quantiles for.
        """
        sizes = self._sizes_for(intervals)
        bounds = intervals.compute_bounds(forecasts, coverage, sizes)
        if bounds is None:
            paths = self.sample(intervals, SAMPLED_PATHS, np.random.default_rng(0))
            tails = [(1 - coverage) / 2, (1 + coverage) / 2]
            bounds = tuple(np.quantile(paths, tails, axis=0))
        lower, upper = (self.network.encoding.clip(bound) for bound in bounds)
        return lower, upper

    def _sizes_for(self, intervals: Intervals) -> ErrorSizes | None:
        """Return the sizes of the errors of the n series; None for quantiles."""
        if isinstance(intervals, QuantileIntervals):
            return None
        return self.find_sizes(intervals.require_errors())


def read_series_of(
    estimator: Any, X: Any, *, reset: bool = False, step: Any = None
) -> SeriesSet:
    """Read series with the channels given to fit; ``reset`` defines these channels.

    ``step`` is the time step of the indices given to fit, which is used for indices
    that are too short to show their own.
    """
    X = unwrap_panel(X)
    series = read_series(X, step=step)
    X = unwrap(unwrap_panel(X), missing=True)
    first = X if series.single else next(iter(X))
    if reset or series.single or hasattr(first, "columns"):
        _check_feature_names(estimator, first, reset=reset)
    if reset:
        estimator.n_features_in_ = series.n_channels
    if series.n_channels != estimator.n_features_in_:
        raise ValueError(
            f"X has {series.n_channels} channels, but {type(estimator).__name__} was "
            f"fitted with {estimator.n_features_in_}. Pass the same channels as in fit."
        )
    return series


def check_known(series: SeriesSet) -> None:
    """Raise a ValueError if all values of a series are missing."""
    for i, values in enumerate(series.values):
        if np.isnan(values).all():
            raise ValueError(
                f"all values of {series.describe(i)} are missing (NaN). Leave this "
                "series out."
            )


def check_no_number(X: Any) -> None:
    """Raise a ValueError if X is a number, meant as the horizon or the coverage."""
    if isinstance(X, Real):
        meant = "coverage" if 0 < float(X) < 1 else "horizon"
        raise ValueError(
            f"X is the number {X}, but must be a series, or None for the series given "
            f"to fit. Did you mean {meant}={X}?"
        )


def check_same_series(series: SeriesSet, n_known: int) -> None:
    """Raise a ValueError unless an update has as many series as fit was given."""
    if len(series) != n_known:
        raise ValueError(
            f"X has {len(series)} series, but the forecaster was fitted with "
            f"{n_known}. Pass the next steps of each of them, in the same order."
        )


def read_request(
    network: SeriesNetwork,
    series: SeriesSet,
    state: SeriesState | None,
    horizon: Any,
    exog: Any,
    variables: ExogVariables,
) -> ForecastRequest:
    """Check and read a request to forecast the steps after series.

    ``horizon`` None is the horizon of the network. ``state`` is the state of the
    network after the series; if it is None, the network reads their values.
    ``variables`` are the variables that ``exog`` must have.
    """
    encoding = network.encoding
    block = encoding.horizon
    horizon = block if horizon is None else horizon
    horizon = check_integer("horizon", horizon, minimum=1, maximum=2**24)
    if state is not None:
        check_past(state.n_steps, encoding)
        no_past = np.zeros(len(state), dtype=int)
        _, ahead = read_exog_ahead(exog, variables, series, no_past, horizon, block)
        return ForecastRequest(
            network, series, state, horizon, ahead, attrgetter("own")
        )
    check_known(series)
    check_past(series.lengths, encoding)
    past, ahead = read_exog_ahead(
        exog, variables, series, series.lengths, horizon, block
    )
    state = network.read(series.values, past)
    find_sizes = partial(estimate_sizes, network, series.values, past)
    return ForecastRequest(network, series, state, horizon, ahead, find_sizes)


def check_lengths(lengths: np.ndarray, window: int, horizon: int, lag: int) -> None:
    """Raise a ValueError if a series is too short for a window and its targets."""
    needed = window + horizon + lag
    short = np.flatnonzero(lengths < needed)
    if len(short):
        raise ValueError(
            f"series {short[0]} of X has {lengths[short[0]]} steps; "
            f"window={window}, horizon={horizon} and differencing={lag or None} "
            f"need at least {needed}. Pass longer series or set a smaller window."
        )


def fit_window(encoding: SeriesEncoding, series: SeriesSet) -> SeriesEncoding:
    """Shorten the window of an encoding to the longest series, with a warning.

    Series that are too short for training cause a warning, and a ValueError if all of
    them are.
    """
    needed, lengths = encoding.shortest, series.lengths
    longest, short = lengths.max(), np.flatnonzero(lengths < needed)
    if len(short):
        first = int(short[0])
        example = f"{series.describe(first)} has {lengths[first]} steps"
        if longest < needed:
            raise ValueError(
                f"{example}; training with horizon={encoding.horizon} and "
                f"differencing={encoding.lag or None} needs at least {needed}. Pass "
                "longer series or set a smaller horizon."
            )
        warn_user(
            f"{len(short)} of {len(series)} series are left out of training, which "
            f"needs {needed} steps for horizon={encoding.horizon}: {example}."
        )
    available = longest - encoding.lag - encoding.horizon
    if available < encoding.window:
        warn_user(
            f"window={encoding.window} and horizon={encoding.horizon} need "
            f"{encoding.context + encoding.horizon} steps, but the longest series has "
            f"{longest}: training uses windows of {available} steps."
        )
    return replace(encoding, window=min(encoding.window, int(available)))


def find_long(
    series: SeriesSet, window: int, horizon: int, lag: int, action: str
) -> np.ndarray:
    """Return the positions of the series that are long enough for a window.

    A warning says that the others are left out of the ``action``. If all series are
    too short, a ValueError is raised.
    """
    needed = window + horizon + lag
    long = np.flatnonzero(series.lengths >= needed)
    if not len(long):
        check_lengths(series.lengths, window, horizon, lag)
    n_short = len(series) - len(long)
    if n_short:
        first = int((series.lengths < needed).argmax())
        warn_user(
            f"{n_short} of {len(series)} series are left out of {action}, because they "
            f"are too short for window={window}, horizon={horizon} and "
            f"differencing={lag or None}, which need {needed} steps. The first one is "
            f"{series.describe(first)} with {series.lengths[first]}."
        )
    return long


def count_needed(encoding: SeriesEncoding) -> int:
    """Count the steps that a forecast needs to read at least."""
    needed = encoding.context if encoding.last_only else 1 + encoding.lag
    return max(needed, encoding.horizon) if encoding.n_exog else needed


def check_past(lengths: np.ndarray, encoding: SeriesEncoding) -> None:
    """Raise a ValueError if a past is too short for a forecast."""
    needed = count_needed(encoding)
    if lengths.min() < needed:
        raise ValueError(
            f"series {lengths.argmin()} of X has {lengths.min()} steps; a forecast "
            f"needs at least {needed}. Pass a longer past."
        )


def check_bounds(bounds: Any) -> tuple[float, float]:
    """Check and return the lower and upper bound of values; infinite for None."""
    if bounds is None:
        return -np.inf, np.inf
    numbers = [
        default if bound is None else bound
        for bound, default in zip(bounds, (-np.inf, np.inf), strict=False)
    ]
    if len(bounds) != 2 or not all(
        isinstance(number, Real) and not isinstance(number, (bool, np.bool_))
        for number in numbers
    ):
        raise ValueError(
            "bounds must be None or a pair of numbers or None, such as (0, None), got "
            f"{bounds!r}."
        )
    low, high = float(numbers[0]), float(numbers[1])
    if not low < high:
        raise ValueError(
            f"bounds must be in increasing order, such as (0, 1), got {bounds!r}."
        )
    return low, high


def check_within_bounds(series: SeriesSet, bounds: tuple[float, float]) -> None:
    """Raise a ValueError if a value of the series is outside the bounds."""
    low, high = bounds
    for i, values in enumerate(series.values):
        outside = (values < low) | (values > high)
        if outside.any():
            step, channel = np.argwhere(outside)[0]
            raise ValueError(
                f"{series.describe(i)} has the value {values[step, channel]} at step "
                f"{step}, which is outside bounds=({low}, {high}). Correct the value, "
                "mark it as missing (NaN), or set wider bounds."
            )
