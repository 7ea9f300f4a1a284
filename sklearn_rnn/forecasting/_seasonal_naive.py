"""SeasonalNaiveForecaster: the baseline of forecasts of seasonal series."""

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
    r"""Forecast the last known value of the same season.

    The baseline that a forecast has to beat. It is used like
    :class:`~sklearn_rnn.RNNForecaster`, so both can be compared with the same code.

    Parameters
    ----------
    season : int, default=1
        Number of steps of a season, such as 12 for monthly values. 1 forecasts the last
        value (the naive forecast).
    horizon : int, default=1
        Number of steps that ``predict`` forecasts by default, and that :meth:`score`
        judges.

    Attributes
    ----------
    n_features_in_ : int
        Channels of a series.
    feature_names_in_ : ndarray of str
        Their names, when fitted on a frame whose columns all have string names.

    See Also
    --------
    RNNForecaster : Forecasts with a recurrent network.
    sklearn_rnn.metrics.mean_absolute_scaled_error : Errors in units of this forecast's.

    Notes
    -----
    With the season m, the forecast of the step t + k after the step t is

    .. math::
        \hat x_{t+k} = x_{t+k-m\lceil k/m \rceil}

    A missing value (NaN) is replaced by the last known value of the same season; a
    season that was never known is forecast by the last known value.

    Intervals are those of :class:`~sklearn_rnn.RNNForecaster` with conformal
    intervals: errors from all origins in the series given to ``fit`` are divided by
    their size in each series and channel, so that series of any scale share them
    [1]_, and intervals are widened where few errors are independent. No part of a
    series is held out, because nothing is learned from it. Sampled paths add the
    errors of one past forecast. The size of the errors of a new series is that in its
    own past; a single series in ``fit`` gives its own to all.

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
        """Remember the last season of series, and the errors of forecasts before it.

        Parameters
        ----------
        X : array-like, frame, or list of them
            One series, of shape ``(n_timesteps,)`` or ``(n_timesteps, n_channels)``:
            rows are time. Several: a list of such, of any lengths, or an array
            ``(n_series, n_timesteps, n_channels)``. A missing value is NaN, except that
            steps of NaN at the end of a series of such an array are padding. The index
            of each Series or frame must be sorted and regular; forecasts continue it.
        y : None
            Ignored, for compatibility with scikit-learn.
        exog : array-like or list of arrays, default=None
            Ignored, so that the forecaster can stand in for an RNNForecaster.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X cannot be read, if a series is shorter than ``season``, or if a channel
            has no known value; the estimator is then as it was before.
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
        """Append new steps to the known past; the intervals stay those of ``fit``.

        Parameters
        ----------
        X : array-like, frame, or list of them
            The steps that follow, of each series given to ``fit``.
        exog : array-like or list of arrays, default=None
            Ignored.

        Returns
        -------
        self : object
            The estimator, whose forecasts now begin after X.

        Raises
        ------
        ValueError
            If X cannot be read, or if X has other series than ``fit`` was given, or an
            index that does not follow; the estimator is then as it was before.
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
        X : array-like, frame, or list of them
            Past, of series that need not be those of ``fit``. None is the past given to
            ``fit`` and :meth:`update`.
        horizon : int, default=None
            Number of steps to forecast; None means the constructor's ``horizon``.
        exog : array-like or list of arrays, default=None
            Ignored.

        Returns
        -------
        forecast : ndarray, Series or frame, or list of Series or frames
            ``(horizon,)`` or ``(horizon, n_channels)`` for a single series, as X is,
            with the index continued; ``(n_series, horizon)`` or ``(n_series, horizon,
            n_channels)`` for several arrays, and for several Series or frames a list of
            them, each with its own index continued. In the unit of X.
        """
        container, pasts, _, horizon = snapshot(self)._read_request(X, horizon)
        return container.to_container(pasts.forecast(horizon))

    def predict_interval(self, X=None, *, horizon=None, coverage=0.95, exog=None):
        """Forecast the next steps with prediction intervals.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Past, of series that need not be those of ``fit``. None is the past given to
            ``fit`` and :meth:`update`.
        horizon : int, default=None
            Number of steps to forecast; None means the constructor's ``horizon``.
        coverage : float in (0, 1), default=0.95
            Share of the values that should lie between the bounds, at each step.
        exog : array-like or list of arrays, default=None
            Ignored.

        Returns
        -------
        interval : :class:`~sklearn.utils.Bunch`
            With ``prediction``, ``lower`` and ``upper``, each in the form that
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
        found = fitted._forecast(pasts, horizon, coverage, scales)
        return Bunch(
            prediction=container.to_container(found.forecast),
            lower=container.to_container(found.lower),
            upper=container.to_container(found.upper),
        )

    def sample_paths(
        self, X=None, *, horizon=None, n_paths=100, exog=None, random_state=None
    ):
        """Sample possible continuations.

        To each forecast the errors of one past forecast are added, which keeps their
        dependence from step to step.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Past, of series that need not be those of ``fit``. None is the past given to
            ``fit`` and :meth:`update`.
        horizon : int, default=None
            Number of steps to forecast; None means the constructor's ``horizon``.
        n_paths : int, default=100
            Number of paths to sample for each series.
        exog : array-like or list of arrays, default=None
            Ignored.
        random_state : int, RandomState instance or None, default=None
            Determines the samples.

        Returns
        -------
        paths : ndarray of shape (n_paths, horizon)
            For several series with an axis of series after the first, and with a last
            axis of channels if X has one.

        Raises
        ------
        ValueError
            If the series given to ``fit`` were too short to know errors of ``horizon``
            successive steps.
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
        """Minus the mean absolute error of forecasts from rolling origins inside X.

        After the first ``season`` steps, ``horizon`` steps are forecast after each step
        and compared with the values of X. To judge an RNNForecaster on the same steps,
        use :func:`~sklearn_rnn.metrics.forecast_scorer` with its ``start``.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Series of at least ``season + horizon`` steps.
        y : None
            Ignored, for compatibility with scikit-learn.
        exog : array-like or list of arrays, default=None
            Ignored.

        Returns
        -------
        score : float
            In the unit of X; 0 is best.

        Raises
        ------
        ValueError
            If X cannot be read, if a series is too short, or if no value to forecast is
            known.
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
                "X has no known value after one that is known to forecast it from."
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
        """Forecast from many origins inside series, beside the values that came.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Series with the values to compare with. Pass a series from its beginning and
            set ``start``: forecasts of steps that ``fit`` has seen are better than
            forecasts of new ones.
        horizon : int, default=None
            Number of steps to forecast from each origin; None means the constructor's
            ``horizon``. Only origins that are followed by so many steps are used.
        stride : int, default=1
            Number of steps from one origin to the next.
        start : int, default=None
            Number of steps that are known at the first origin. A negative number counts
            from the end of each series, as in ``X[:start]``. By default, ``season``.
        refit : bool, default=False
            Whether to fit a clone to the steps up to each origin. The estimator itself
            then need not be fitted and stays as it is. If False, the fitted estimator
            makes all forecasts, as ``predict`` does for the steps up to the origin.
        coverage : float in (0, 1), default=None
            Share of the values that should lie between the bounds, at each step. None
            leaves the bounds out.
        n_paths : int, default=None
            Number of paths to sample from each origin, as ``sample_paths`` does, for
            the column ``crps``. None samples none.
        exog : array-like or list of arrays, default=None
            Ignored.
        random_state : int, RandomState instance or None, default=None
            Determines the sampled paths.

        Returns
        -------
        frame : DataFrame
            One row per series, origin, lead and channel, with the columns ``series``
            (number of the series in X), ``origin`` (last known step), ``lead`` (1 to
            ``horizon``), ``time`` (step forecast), ``truth``, ``forecast``, with
            ``coverage`` also ``lower`` and ``upper``, with ``n_paths`` also ``crps``
            (continuous ranked probability score of the sampled values), and with
            several channels ``channel``. Origin and time are labels of the index of X,
            or numbers of steps from 0 if X has none. Missing values of X are NaN in
            ``truth``.

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
        sklearn_rnn.metrics.score_backtest : Scores of the frame.
        sklearn_rnn.display.BacktestDisplay : A picture of it.

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
        """Series with the channels given to fit."""
        return read_series_of(self, X, step=self._container.common_step)

    def _read_pasts(self, series):
        """The pasts of series, all of whose steps are known."""
        check_seasons(series.lengths, self._season)
        pasts = concatenate_pasts(
            [read_pasts(v, self._season, np.array([len(v)])) for v in series.values]
        )
        check_each_known(pasts)
        return pasts

    def _read_request(self, X, horizon):
        """The container, pasts and scales of series to forecast, and how many steps.

        There are no scales of the series given to fit, whose errors are known.
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
        """Intervals from the errors in the series given to fit."""
        return calibrate_naive(self._fitted_values, self._season, horizon)

    def _find_sizes(self, calibration, pasts, scales):
        """Sizes of the errors after pasts of ``scales``; those of fit for None."""
        if scales is None:
            return calibration.own
        return estimate_naive_sizes(calibration, pasts, scales, self._season)

    def _forecast(self, pasts, horizon, coverage, scales):
        """Forecasts (n, horizon, C) after pasts, with bounds of a coverage or None."""
        forecasts = pasts.forecast(horizon)
        if coverage is None:
            return RollingForecasts(forecasts)
        intervals = self._calibrate(horizon)
        sizes = self._find_sizes(intervals.require_errors(), pasts, scales)
        bounds = intervals.compute_bounds(forecasts[..., None], coverage, sizes)
        return RollingForecasts(forecasts, *bounds)

    def _sample(self, intervals, pasts, horizon, scales, n_paths, rng):
        """Paths (n_paths, n, horizon, C) after pasts."""
        sizes = self._find_sizes(intervals.require_errors(), pasts, scales)
        sampler = intervals.make_sampler(horizon, rng, sizes)
        forecasts = pasts.forecast(horizon)
        repeated = np.tile(forecasts, (n_paths, 1, 1))[..., None]
        return sampler(repeated).reshape(n_paths, *forecasts.shape)

    def _forecast_from_origins(self, series, exog, plan):
        """Forecasts for a plan of a backtest."""
        pasts, parts_of_scales = [], []
        for i, known in enumerate(plan.n_known):
            values = series.values[i]
            pasts.append(read_pasts(values, self._season, known))
            check_each_known(pasts[-1], i)
            parts_of_scales += [measure_scales([values[:n]]) for n in known]
        ends = np.cumsum([len(known) for known in plan.n_known])
        scales = np.concatenate(parts_of_scales)
        found = self._forecast(
            concatenate_pasts(pasts), plan.horizon, plan.coverage, scales
        )
        parts = {
            name: np.split(array, ends[:-1])
            for name, array in vars(found).items()
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
    """Raise a ValueError if a series cannot hold a season and what follows it."""
    short = np.flatnonzero(lengths < season + horizon)
    if len(short):
        further = f" and {horizon} steps to forecast" if horizon else ""
        raise ValueError(
            f"series {short[0]} of X has {lengths[short[0]]} steps; "
            f"season={season}{further} need {season + horizon} at least. Give longer "
            "series or a shorter season."
        )


def check_each_known(pasts, series=None):
    """Raise a ValueError if a channel of a past has no known value to repeat.

    The pasts are those of all series, or those at the origins of one ``series``.
    """
    unknown = np.isnan(pasts.latest)
    if unknown.any():
        row, channel = np.argwhere(unknown)[0]
        advice = "Leave it out." if series is None else "Set a later start."
        raise ValueError(
            f"channel {channel} of series {row if series is None else series} of X has "
            f"no value before the forecast that is not NaN. {advice}"
        )
