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
    """Make a scorer of forecasters for ``scoring=``.

    The scorer runs a backtest of the fitted forecaster in the test part of a split, and
    returns minus one of the errors of :func:`score_backtest`, so that greater is
    better. It does not need y.

    Parameters
    ----------
    metric : {"mae", "rmse", "smape", "mase", "pinball", "interval_score"}
        Name of the error. "mase" divides the errors of each series and channel by the
        mean absolute error of the seasonal naive forecast in the test part, because
        scorers do not get the training part. "pinball" and "interval_score" evaluate
        prediction intervals.
    horizon : int, default=None
        Number of steps to forecast from each origin; None means the ``horizon`` of the
        forecaster.
    season : int, default=1
        Length of the seasonal period in steps, for "mase".
    stride : int, default=1
        Number of steps from one origin to the next.
    start : int, default=None
        Number of known steps of the test part at the first origin. A negative number
        counts from its end. None means the number that the forecaster needs. This
        number depends on the forecaster, so set ``start`` to compare forecasters on the
        same steps, for example to the ``window`` of
        :class:`~sklearn_rnn.model_selection.WindowSplit`.
    coverage : float in (0, 1), default=0.9
        Nominal coverage of the prediction intervals, for "pinball" and
        "interval_score".

    Returns
    -------
    scorer : callable
        Scorer with the signature ``scorer(forecaster, X, y=None, exog=None)``, which
        returns a float.

    Raises
    ------
    ValueError
        If a parameter is not valid.

    See Also
    --------
    score_backtest : Computes all scores of a backtest.

    Notes
    -----
    To pass exogenous variables to the scorer, enable metadata routing and call
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
    """Scorer of forecasters, made by :func:`forecast_scorer`."""

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
        """Return minus the error of forecasts from origins in X; y is ignored."""
        if not hasattr(estimator, "backtest"):
            raise TypeError(
                f"{self!r} needs an estimator with a method backtest, such as "
                "RNNForecaster or SeasonalNaiveForecaster, got "
                f"{type(estimator).__name__}."
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
        """Request exogenous variables by metadata routing.

        Parameters
        ----------
        exog : bool, str or None
            Whether to pass exogenous variables to the scorer, or the name under which
            they are given.

        Returns
        -------
        self : object
            The scorer.
        """
        if not _routing_enabled():
            raise RuntimeError(
                "set_score_request needs metadata routing, which is disabled. Call "
                "sklearn.set_config(enable_metadata_routing=True) first."
            )
        self._exog_request = exog
        return self

    def get_metadata_routing(self):
        """Return the metadata that this scorer requests.

        Returns
        -------
        routing : MetadataRequest
            Request for ``exog``.
        """
        request = MetadataRequest(owner=self)
        request.score.add_request(param="exog", alias=self._exog_request)
        return request

    def __repr__(self):
        given = [f"{k}={v!r}" for k, v in self._options.items() if v != DEFAULTS[k]]
        return f"forecast_scorer({', '.join([repr(self._metric), *given])})"
