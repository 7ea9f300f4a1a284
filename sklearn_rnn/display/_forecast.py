"""A series, its forecast, and the bounds around it."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn.display._axes import axes_for


class ForecastDisplay:
    """A forecast with its interval, after the past of the series.

    Made by :meth:`from_estimator`, as a rule.

    Parameters
    ----------
    prediction : array-like of shape (horizon,), or Series
        What is forecast.
    past : array-like of shape (n_timesteps,), or Series; default=None
        What was known.
    lower, upper : array-like of shape (horizon,), or Series; default=None
        The bounds of the interval.
    truth : array-like of shape (n_truth,), or Series; default=None
        What came.
    coverage : float or None, default=None
        Of the interval, for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the lines.
    figure_ : matplotlib Figure
        Their figure.
    lines_ : dict of str to matplotlib Line2D
        "past", "truth" and "forecast".
    band_ : matplotlib artist or None
        Between the bounds.

    See Also
    --------
    SequenceDisplay : What goes on inside a network, step by step.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNForecaster
    >>> from sklearn_rnn.display import ForecastDisplay
    >>> series = np.sin(np.arange(200) / 4)
    >>> model = RNNForecaster(hidden_size=8, max_epochs=2, random_state=0)
    >>> display = ForecastDisplay.from_estimator(
    ...     model.fit(series[:160]), series[100:160], horizon=20, truth=series[160:]
    ... )
    """

    def __init__(
        self,
        prediction,
        *,
        past=None,
        lower=None,
        upper=None,
        truth=None,
        coverage=None,
    ):
        self.prediction = prediction
        self.past = past
        self.lower = lower
        self.upper = upper
        self.truth = truth
        self.coverage = coverage

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X=None,
        *,
        horizon=None,
        coverage=0.95,
        exog=None,
        truth=None,
        channel=0,
        ax=None,
        **line_kw,
    ):
        """Forecast and draw.

        Parameters
        ----------
        estimator : RNNForecaster
            A fitted forecaster.
        X : array-like, Series or frame, default=None
            One series, whose end is where the forecast begins. None is the past that
            the forecaster knows, which is not drawn.
        horizon : int, default=None
            Steps to forecast; None is that of the forecaster.
        coverage : float or None, default=0.95
            Of the interval; None, or a forecaster with ``intervals=None``, draws none.
        exog : array-like, default=None
            Exogenous variables, as ``predict`` takes them.
        truth : array-like, Series or frame, default=None
            What came after, to compare.
        channel : int, default=0
            Which channel to draw, of a series with an axis of channels.
        ax : matplotlib Axes or None, default=None
            Where to draw; None is a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot`` of the forecast.

        Returns
        -------
        display : ForecastDisplay
            The picture.
        """
        check_is_fitted(estimator)
        if coverage is None or estimator.intervals is None:
            prediction = estimator.predict(X, horizon=horizon, exog=exog)
            found = {"prediction": prediction}
            coverage = None
        else:
            found = estimator.predict_interval(
                X, horizon=horizon, coverage=coverage, exog=exog
            )
        found = {name: _channel(part, channel) for name, part in found.items()}
        past = None if X is None else _channel(X, channel)
        truth = None if truth is None else _channel(truth, channel)
        display = cls(**found, past=past, truth=truth, coverage=coverage)
        return display.plot(ax=ax, **line_kw)

    def plot(self, *, ax=None, **line_kw):
        """Draw.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None is a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot`` of the forecast.

        Returns
        -------
        display : ForecastDisplay
            The picture.
        """
        self.ax_, self.figure_ = axes_for(self, ax)
        n_past = 0 if self.past is None else len(self.past)
        self.lines_ = {}
        for name, values, begin, kw in (
            ("past", self.past, 0, {"color": "0.4"}),
            ("truth", self.truth, n_past, {"color": "0.4", "linestyle": ":"}),
            ("forecast", self.prediction, n_past, {"color": "C0"} | line_kw),
        ):
            if values is not None:
                kw = {"label": name} | kw
                (line,) = self.ax_.plot(_times(values, begin), np.asarray(values), **kw)
                self.lines_[name] = line
        self.band_ = None
        if self.lower is not None:
            label = None if self.coverage is None else f"{self.coverage:.0%} interval"
            self.band_ = self.ax_.fill_between(
                _times(self.lower, n_past),
                np.asarray(self.lower),
                np.asarray(self.upper),
                color=self.lines_["forecast"].get_color(),
                alpha=0.2,
                linewidth=0,
                label=label,
            )
        self.ax_.legend()
        return self


def _channel(values, channel):
    """One channel of (T,) or (T, C) values; pandas stays pandas."""
    if np.ndim(values) == 1:
        return values if hasattr(values, "iloc") else np.asarray(values)
    if np.ndim(values) != 2:
        raise ValueError(
            "expected one series of shape (n_timesteps,) or (n_timesteps, n_channels), "
            f"got an array of {np.ndim(values)} dimensions. Draw series one by one."
        )
    is_frame = hasattr(values, "iloc")
    return values.iloc[:, channel] if is_frame else np.asarray(values)[:, channel]


def _times(values, begin):
    """The index of a Series, or numbers from ``begin``."""
    index = getattr(values, "index", None)
    if index is None or callable(index):
        return np.arange(begin, begin + len(values))
    return index.to_timestamp() if hasattr(index, "to_timestamp") else index
