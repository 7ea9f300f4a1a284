"""SeasonalNaiveForecaster: a baseline for forecasts of seasonal series."""

from dataclasses import replace
from numbers import Integral

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.drafts import draft, snapshot
from sklearn_rnn._core.randomness import draw_seed
from sklearn_rnn._core.scalars import check_integer, check_number
from sklearn_rnn._core.sklearn_private import Interval, _fit_context
from sklearn_rnn._core.validation import ValidatedEstimator
from sklearn_rnn._data.series import read_series
from sklearn_rnn.forecasting._backtest import RollingForecasts, backtest
from sklearn_rnn.forecasting._error_sizes import measure_scales
from sklearn_rnn.forecasting._naive import (
    compute_naive_errors,
    concatenate_pasts,
    read_pasts,
)
from sklearn_rnn.forecasting._naive_intervals import (
    calibrate_naive,
    estimate_naive_sizes,
)
from sklearn_rnn.forecasting._reading import (
    check_known,
    check_no_number,
    check_same_series,
    read_series_of,
)
from sklearn_rnn.forecasting._recent import keep_recent
from sklearn_rnn.metrics._forecast_errors import compute_crps


class SeasonalNaiveForecaster(ValidatedEstimator):
    r"""Forecaster that repeats the last observed value of the same season.

    This is a baseline that useful forecasts must outperform. It has the same methods as
    :class:`~sklearn_rnn.RNNForecaster`, so both can be compared with the same code.

    Parameters
    ----------
    season : int, default=1
        Length of the seasonal period in steps, such as 12 for monthly values. 1
        forecasts the last value (the naive forecast).
    horizon : int, default=1
        Number of steps that :meth:`predict` forecasts by default, and that
        :meth:`score` evaluates.

    Attributes
    ----------
    n_features_in_ : int
        Number of channels of a series.
    feature_names_in_ : ndarray of str
        Names of the channels, when fitted on a frame whose columns all have string
        names.

    See Also
    --------
    RNNForecaster : Forecasts with a recurrent network.
    sklearn_rnn.metrics.mean_absolute_scaled_error : Error relative to this forecast.

    Notes
    -----
    With the season m, the forecast of the step t + k after the step t is

    .. math::
        \hat x_{t+k} = x_{t+k-m\lceil k/m \rceil}

    A missing value (NaN) is replaced by the last observed value of the same season. If
    all values of a season are missing, the last observed value is forecast.

    Intervals are conformal, as those of :class:`~sklearn_rnn.RNNForecaster`. Errors
    from all origins in the series given to ``fit`` are divided by the size of the
    errors of each series and channel, so that series of different scales can share them
    [1]_. Intervals are wider where few errors are independent. No part of a series is
    held out, because nothing is learned from it. Sampled paths add the errors of one
    past forecast. The size of the errors of a new series is measured in its own past.
    If ``fit`` was given a single series, the size of its errors is used for any series.

    References
    ----------
    .. [1] J. Lei et al., "Distribution-free predictive inference for regression",
       Journal of the American Statistical Association 113, 2018 (section 5.2).

    Examples
    --------
    >>> from sklearn_rnn import SeasonalNaiveForecaster
    >>> model = SeasonalNaiveForecaster(season=4, horizon=6)
    >>> model.fit([1.0, 5.0, 3.0, 2.0, 2.0, 6.0, 4.0, 3.0]).predict()
    array([2., 6., 4., 3., 2., 6.])
    """

    _parameter_constraints = {
        "season": [Interval(Integral, 1, 2**24, closed="both")],
        "horizon": [Interval(Integral, 1, 2**24, closed="both")],
    }

    def __init__(self, season=1, *, horizon=1):
        self.season = season
        self.horizon = horizon

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, exog=None):
        """Store the last season of each series, and the errors of forecasts within it.

        Parameters
        ----------
        X : array-like, frame, or list of them
            One series of shape ``(n_timesteps,)`` or ``(n_timesteps, n_channels)``,
            whose rows are time steps; or several: a list of series of any lengths, or
            an array of shape ``(n_series, n_timesteps, n_channels)``. NaN is a missing
            value, except that steps of NaN at the end of a series in such an array are
            padding. The index of each Series or frame must be sorted and regular;
            forecasts continue it.
        y : None
            Ignored, for compatibility with scikit-learn.
        exog : array-like or list of arrays, default=None
            Ignored, for compatibility with RNNForecaster.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X cannot be read, if a series is shorter than ``season``, or if all
            values of a channel are missing. The estimator is then unchanged.
        """
        with draft(self) as new:
            series = read_series_of(new, X, reset=True)
            new._season = new.season
            new._container = replace(series, values=[])
            new._recent = keep_recent(series)
            new._fitted_values = series.values
            new._pasts = new._read_pasts(series)
        return self

    def update(self, X, *, exog=None):
        """Append new steps to the series; the errors behind intervals do not change.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Next steps of each series given to ``fit``. An index must continue that of
            the series without a gap.
        exog : array-like or list of arrays, default=None
            Ignored, for compatibility with RNNForecaster.

        Returns
        -------
        self : object
            The estimator, whose forecasts now begin after X.

        Raises
        ------
        ValueError
            If X cannot be read, if X has another number of series than ``fit`` was
            given, or if an index does not continue that of its series. The estimator is
            then unchanged.
        """
        check_is_fitted(self)
        with draft(self) as new:
            series = new._read_series(X)
            check_same_series(series, len(new._pasts))
            new._container = new._container.extend(series)
            new._recent = new._recent.extend(series)
            rows = np.arange(len(series))[:, None]
            new._pasts = concatenate_pasts(
                [
                    read_pasts(v, new._season, np.array([len(v)]), new._pasts.take(row))
                    for v, row in zip(series.values, rows, strict=True)
                ]
            )
        return self

    def predict(self, X=None, *, horizon=None, exog=None):
        """Forecast the next steps.

        Parameters
        ----------
        X : array-like, frame, or list of them, default=None
            Past of the series to forecast, which need not be those given to ``fit``.
            None is the past given to ``fit`` and :meth:`update`.
        horizon : int, default=None
            Number of steps to forecast; None means the constructor's ``horizon``.
        exog : array-like or list of arrays, default=None
            Ignored, for compatibility with RNNForecaster.

        Returns
        -------
        forecast : ndarray, Series or frame, or list of Series or frames
            Forecasts in the unit of X: ``(horizon,)`` or ``(horizon, n_channels)`` for
            a single series, in the container of X and with its index continued;
            ``(n_series, horizon)`` or ``(n_series, horizon, n_channels)`` for several
            arrays; a list of Series or frames, each with its own index continued, for
            several of these.

        Raises
        ------
        ValueError
            If X cannot be read or has another number of channels than in ``fit``, if a
            series is shorter than ``season``, or if all values of a channel are
            missing.
        """
        container, pasts, _, horizon = snapshot(self)._read_request(X, horizon)
        return container.to_container(pasts.forecast(horizon))

    def predict_interval(self, X=None, *, horizon=None, coverage=0.95, exog=None):
        """Forecast the next steps with prediction intervals.

        Parameters
        ----------
        X : array-like, frame, or list of them, default=None
            Past of the series to forecast, which need not be those given to ``fit``.
            None is the past given to ``fit`` and :meth:`update`.
        horizon : int, default=None
            Number of steps to forecast; None means the constructor's ``horizon``.
        coverage : float in (0, 1), default=0.95
            Fraction of the values that should lie between the bounds at each step.
        exog : array-like or list of arrays, default=None
            Ignored, for compatibility with RNNForecaster.

        Returns
        -------
        interval : :class:`~sklearn.utils.Bunch`
            Attributes ``prediction``, ``lower`` and ``upper``, each in the form that
            :meth:`predict` returns.

        Raises
        ------
        ValueError
            If the series given to ``fit`` were too short for the coverage or the
            horizon.
        """
        fitted = snapshot(self)
        check_is_fitted(self)
        check_number("coverage", coverage, above=0, below=1)
        container, pasts, scales, horizon = fitted._read_request(X, horizon)
        forecasts = fitted._forecast(pasts, horizon, coverage, scales)
        return Bunch(
            prediction=container.to_container(forecasts.forecast),
            lower=container.to_container(forecasts.lower),
            upper=container.to_container(forecasts.upper),
        )

    def sample_paths(
        self, X=None, *, horizon=None, n_paths=100, exog=None, random_state=None
    ):
        """Sample possible continuations of series.

        A path is the forecast plus the errors of one randomly drawn past forecast, so
        that the dependence between the errors of successive steps is kept.

        Parameters
        ----------
        X : array-like, frame, or list of them, default=None
            Past of the series to forecast, which need not be those given to ``fit``.
            None is the past given to ``fit`` and :meth:`update`.
        horizon : int, default=None
            Number of steps to forecast; None means the constructor's ``horizon``.
        n_paths : int, default=100
            Number of paths to sample for each series.
        exog : array-like or list of arrays, default=None
            Ignored, for compatibility with RNNForecaster.
        random_state : int, RandomState instance or None, default=None
            Seed of the samples. Pass an int for results that can be reproduced.

        Returns
        -------
        paths : ndarray of shape (n_paths, horizon)
            Sampled values in the unit of X. Several series add an axis after the first,
            ``(n_paths, n_series, horizon)``, and channels add a last axis.

        Raises
        ------
        ValueError
            If the series given to ``fit`` were too short to measure errors of
            ``horizon`` successive steps.
        """
        fitted = snapshot(self)
        check_is_fitted(self)
        check_integer("n_paths", n_paths, minimum=1)
        container, pasts, scales, horizon = fitted._read_request(X, horizon)
        rng = np.random.default_rng(draw_seed(random_state))
        intervals = fitted._calibrate(horizon)
        paths = fitted._sample(intervals, pasts, horizon, scales, n_paths, rng)
        return container.drop_axes(paths)

    def score(self, X, y=None, *, exog=None):
        """Return minus the mean absolute error of forecasts from origins inside X.

        From the end of the first ``season`` steps, ``horizon`` steps are forecast after
        each step and compared with the values of X. To evaluate an RNNForecaster on the
        same steps, use :func:`~sklearn_rnn.metrics.forecast_scorer` with ``start``.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Series of at least ``season + horizon`` steps.
        y : None
            Ignored, for compatibility with scikit-learn.
        exog : array-like or list of arrays, default=None
            Ignored, for compatibility with RNNForecaster.

        Returns
        -------
        score : float
            Minus the mean absolute error, in the unit of X; 0 is best.

        Raises
        ------
        ValueError
            If X cannot be read, if a series is too short, or if all values to be
            forecast are missing.
        """
        check_is_fitted(self)
        fitted = snapshot(self)
        series = fitted._read_series(X)
        check_known(series)
        check_seasons(series.lengths, fitted._season, fitted.horizon)
        errors = [
            compute_naive_errors(values, fitted._season, fitted.horizon)[
                : len(values) - fitted._season - fitted.horizon + 1
            ]
            for values in series.values
        ]
        errors = np.abs(np.concatenate(errors, axis=None))
        if np.isnan(errors).all():
            raise ValueError(
                "X cannot be scored, because all values that would be forecast are "
                "missing (NaN). Pass series with observed values."
            )
        return -float(np.nanmean(errors))

    def backtest(
        self,
        X,
        *,
        horizon=None,
        stride=1,
        start=None,
        refit=False,
        coverage=None,
        n_paths=None,
        exog=None,
        random_state=None,
    ):
        """Forecast from many origins inside series, and compare with the true values.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Series that are forecast. Pass each series from its beginning and set
            ``start``, because intervals are calibrated on the steps used in ``fit``.
        horizon : int, default=None
            Number of steps to forecast from each origin; None means the constructor's
            ``horizon``. Only origins that are followed by this many steps are used.
        stride : int, default=1
            Number of steps from one origin to the next.
        start : int, default=None
            Number of known steps at the first origin. A negative number counts from the
            end of each series, as in ``X[:start]``. None means ``season``.
        refit : bool, default=False
            Whether to fit a clone to the steps up to each origin. The estimator itself
            then need not be fitted and is not changed. If False, the fitted estimator
            makes all forecasts, as ``predict`` does for the steps up to the origin.
        coverage : float in (0, 1), default=None
            Fraction of the values that should lie between the bounds at each step. None
            omits the bounds.
        n_paths : int, default=None
            Number of paths to sample from each origin, as :meth:`sample_paths` does,
            for the column ``crps``. None omits the column.
        exog : array-like or list of arrays, default=None
            Ignored, for compatibility with RNNForecaster.
        random_state : int, RandomState instance or None, default=None
            Seed of the sampled paths. Pass an int for results that can be reproduced.

        Returns
        -------
        frame : DataFrame
            One row per series, origin, lead and channel, with the columns

            * ``series``: number of the series in X,
            * ``origin``: last known step,
            * ``lead``: number of steps ahead, 1 to ``horizon``,
            * ``time``: step that is forecast,
            * ``channel``: name or number, if there are several channels,
            * ``truth``: value in X, NaN if it is missing,
            * ``forecast``: forecast in the unit of X,
            * ``lower`` and ``upper``, if ``coverage`` is given,
            * ``crps``: continuous ranked probability score of the sampled values, if
              ``n_paths`` is given.

            Origin and time are labels of the index of X, or numbers of steps from 0.

        Raises
        ------
        ValueError
            If X cannot be read, if no series is long enough, or if
            ``refit=True`` would fit one series on steps after an origin of another.

        Warns
        -----
        UserWarning
            If some series are too short for any origin; they are left out.

        See Also
        --------
        sklearn_rnn.metrics.score_backtest : Computes scores of the frame.
        sklearn_rnn.display.BacktestDisplay : Draws the frame.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_rnn import SeasonalNaiveForecaster
        >>> model = SeasonalNaiveForecaster(season=3).fit([1.0, 2.0, 3.0])
        >>> model.backtest([1.0, 2.0, 3.0, 1.5, 2.5, 3.5], horizon=2)
           series  origin  lead  time  truth  forecast
        0       0       2     1     3    1.5       1.0
        1       0       2     2     4    2.5       2.0
        2       0       3     1     4    2.5       2.0
        3       0       3     2     5    3.5       3.0
        """
        fitted = snapshot(self)
        if refit:
            series, season, forecast = read_series(X), self.season, None
        else:
            check_is_fitted(self)
            series, season = fitted._read_series(X), fitted._season
            forecast = fitted._forecast_from_origins
        return backtest(
            fitted,
            X,
            None,
            forecast,
            series=series,
            horizon=self.horizon if horizon is None else horizon,
            stride=stride,
            start=start,
            coverage=coverage,
            n_paths=n_paths,
            random_state=random_state,
            first=season,
            needed=season,
        )

    # ---------------------------------------------------------------- forecasting

    def _read_series(self, X):
        """Read series with the channels given to fit."""
        return read_series_of(self, X, step=self._container.common_step)

    def _read_pasts(self, series):
        """Summarize whole series as pasts to forecast from."""
        check_seasons(series.lengths, self._season)
        pasts = concatenate_pasts(
            [read_pasts(v, self._season, np.array([len(v)])) for v in series.values]
        )
        check_each_known(pasts)
        return pasts

    def _read_request(self, X, horizon):
        """Return the container, pasts and scales of series, and the horizon.

        The scales are None for the series given to fit, whose errors were measured.
        """
        check_is_fitted(self)
        horizon = self.horizon if horizon is None else horizon
        horizon = check_integer("horizon", horizon, minimum=1, maximum=2**24)
        if X is None:
            return self._container, self._pasts, None, horizon
        check_no_number(X)
        series = self._read_series(X)
        scales = measure_scales(series.values)
        return series, self._read_pasts(series), scales, horizon

    def _calibrate(self, horizon):
        """Compute intervals from the errors in the series given to fit."""
        return calibrate_naive(self._fitted_values, self._season, horizon)

    def _find_sizes(self, calibration, pasts, scales):
        """Return the sizes of errors after pasts with ``scales``, or in fit if None."""
        if scales is None:
            return calibration.own
        return estimate_naive_sizes(calibration, pasts, scales, self._season)

    def _forecast(self, pasts, horizon, coverage, scales):
        """Forecast (n, horizon, C) after pasts, with bounds unless coverage is None."""
        forecasts = pasts.forecast(horizon)
        if coverage is None:
            return RollingForecasts(forecasts)
        intervals = self._calibrate(horizon)
        sizes = self._find_sizes(intervals.require_errors(), pasts, scales)
        bounds = intervals.compute_bounds(forecasts[..., None], coverage, sizes)
        return RollingForecasts(forecasts, *bounds)

    def _sample(self, intervals, pasts, horizon, scales, n_paths, rng):
        """Sample paths (n_paths, n, horizon, C) after pasts."""
        sizes = self._find_sizes(intervals.require_errors(), pasts, scales)
        sampler = intervals.make_sampler(horizon, rng, sizes)
        forecasts = pasts.forecast(horizon)
        repeated = np.tile(forecasts, (n_paths, 1, 1))[..., None]
        return sampler(repeated).reshape(n_paths, *forecasts.shape)

    def _forecast_from_origins(self, series, exog, plan):
        """Make the forecasts for a plan of a backtest."""
        pasts, parts_of_scales = [], []
        for i, known in enumerate(plan.n_known):
            values = series.values[i]
            pasts.append(read_pasts(values, self._season, known))
            check_each_known(pasts[-1], i)
            parts_of_scales += [measure_scales([values[:n]]) for n in known]
        ends = np.cumsum([len(known) for known in plan.n_known])
        scales = np.concatenate(parts_of_scales)
        forecasts = self._forecast(
            concatenate_pasts(pasts), plan.horizon, plan.coverage, scales
        )
        parts = {
            name: np.split(array, ends[:-1])
            for name, array in vars(forecasts).items()
            if array is not None
        }
        if plan.n_paths is not None:
            parts["crps"], rng = [], np.random.default_rng(plan.seed)
            intervals = self._calibrate(plan.horizon)
            for i, own in enumerate(np.split(scales, ends[:-1])):
                truth = plan.take_truth(series.values[i], plan.n_known[i])
                paths = self._sample(
                    intervals, pasts[i], plan.horizon, own, plan.n_paths, rng
                )
                parts["crps"].append(compute_crps(truth, paths))
        return [
            RollingForecasts(**{name: arrays[i] for name, arrays in parts.items()})
            for i in range(len(series))
        ]

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.target_tags.required = False
        return tags


def check_seasons(lengths, season, horizon=0):
    """Raise a ValueError if a series is too short for a season and the horizon."""
    short = np.flatnonzero(lengths < season + horizon)
    if len(short):
        further = f" and {horizon} steps to forecast" if horizon else ""
        raise ValueError(
            f"series {short[0]} of X has {lengths[short[0]]} steps; "
            f"season={season}{further} need at least {season + horizon}. Pass longer "
            "series or set a shorter season."
        )


def check_each_known(pasts, series=None):
    """Raise a ValueError if all values of a channel are missing in a past.

    The pasts are those of all series, or those at the origins of one ``series``.
    """
    unknown = np.isnan(pasts.latest)
    if unknown.any():
        row, channel = np.argwhere(unknown)[0]
        advice = "Leave it out." if series is None else "Set a later start."
        raise ValueError(
            f"channel {channel} of series {row if series is None else series} of X has "
            f"only missing values (NaN) before the forecast. {advice}"
        )
