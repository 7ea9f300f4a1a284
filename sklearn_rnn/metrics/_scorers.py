"""Scorers of forecasters, for searches and cross-validation."""

from sklearn.utils.metadata_routing import MetadataRequest

from sklearn_rnn._core.scalars import check_integer, check_number
from sklearn_rnn._core.sklearn_private import _routing_enabled
from sklearn_rnn.metrics._backtests import METRICS, check_metric, score_backtest

DEFAULTS = {
    "horizon": None,
    "season": 1,
    "stride": 1,
    "start": None,
    "coverage": 0.9,
}


def forecast_scorer(
    metric, *, horizon=None, season=1, stride=1, start=None, coverage=0.9
):
    """Make a scorer of forecasters for ``scoring=``, which needs no y.

    The scorer backtests the fitted forecaster in the test part of a fold and returns
    minus one of the errors of :func:`score_backtest`, so that greater is better.

    Parameters
    ----------
    metric : {"mae", "rmse", "smape", "mase", "pinball", "interval_score"}
        The error. "mase" divides the errors of each series and channel by the mean
        absolute error of the seasonal naive forecast in the test part, because a scorer
        does not see the training part. "pinball" and "interval_score" judge prediction
        intervals.
    horizon : int, default=None
        Number of steps forecast from each origin; None means the forecaster's.
    season : int, default=1
        Number of steps of a season, for "mase".
    stride : int, default=1
        Number of steps from one origin to the next.
    start : int, default=None
        Number of steps of the test part that are known at its first origin; a negative
        number counts from its end. None is what the forecaster needs, which differs
        between forecasters: set it to compare them on the same steps, for example to
        the ``window`` of :class:`~sklearn_rnn.model_selection.WindowSplit`.
    coverage : float in (0, 1), default=0.9
        Coverage of the prediction intervals, for "pinball" and "interval_score".

    Returns
    -------
    scorer : callable
        ``scorer(forecaster, X, y=None, exog=None)`` returns a float.

    Raises
    ------
    ValueError
        If a parameter is not valid.

    See Also
    --------
    score_backtest : All scores of a backtest.

    Notes
    -----
    Exogenous variables reach the scorer by metadata routing, after
    ``scorer.set_score_request(exog=True)``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.model_selection import TimeSeriesSplit, cross_val_score
    >>> from sklearn_rnn import SeasonalNaiveForecaster
    >>> from sklearn_rnn.metrics import forecast_scorer
    >>> series = np.sin(np.arange(120) * np.pi / 6) + np.arange(120) / 100
    >>> scorer = forecast_scorer("mae", horizon=12)
    >>> model = SeasonalNaiveForecaster(season=12)
    >>> cross_val_score(model, series, cv=TimeSeriesSplit(3), scoring=scorer).round(2)
    array([-0.12, -0.12, -0.12])
    """
    options = {"horizon": horizon, "season": season, "stride": stride}
    options |= {"start": start, "coverage": coverage}
    return ForecastScorer(metric, **options)


class ForecastScorer:
    """What :func:`forecast_scorer` returns."""

    def __init__(self, metric, **options):
        check_metric(metric, tuple(m for m in METRICS if m not in ("coverage", "crps")))
        if options["horizon"] is not None:
            check_integer("horizon", options["horizon"], minimum=1)
        check_integer("season", options["season"], minimum=1)
        check_integer("stride", options["stride"], minimum=1)
        check_number("coverage", options["coverage"], above=0, below=1)
        self._metric, self._options = metric, options
        self._exog_request = None

    def __call__(self, estimator, X, y=None, *, exog=None):
        """Minus the error of forecasts from origins in X; y is ignored."""
        if not hasattr(estimator, "backtest"):
            raise TypeError(
                f"{type(estimator).__name__} has no method backtest, which "
                f"{self!r} needs. Use it for an RNNForecaster or a "
                "SeasonalNaiveForecaster."
            )
        options, metric = dict(self._options), self._metric
        season, coverage = options.pop("season"), options.pop("coverage")
        if metric not in ("pinball", "interval_score"):
            coverage = None
        frame = estimator.backtest(X, coverage=coverage, exog=exog, **options)
        y_train = X if metric == "mase" else None
        scores = score_backtest(frame, metrics=metric, y_train=y_train, season=season)
        return -float(scores[metric])

    def set_score_request(self, *, exog):
        """Request exogenous variables, as estimators do.

        Parameters
        ----------
        exog : bool, str or None
            Whether to pass them on, or the name under which they are given.

        Returns
        -------
        self : object
            The scorer.
        """
        if not _routing_enabled():
            raise RuntimeError(
                "metadata routing is off. Call "
                "sklearn.set_config(enable_metadata_routing=True) first."
            )
        self._exog_request = exog
        return self

    def get_metadata_routing(self):
        """The metadata that this scorer requests.

        Returns
        -------
        routing : MetadataRequest
            With a request for ``exog``.
        """
        request = MetadataRequest(owner=self)
        request.score.add_request(param="exog", alias=self._exog_request)
        return request

    def __repr__(self):
        given = [f"{k}={v!r}" for k, v in self._options.items() if v != DEFAULTS[k]]
        return f"forecast_scorer({', '.join([repr(self._metric), *given])})"
