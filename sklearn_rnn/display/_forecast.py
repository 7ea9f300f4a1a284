"""A forecast with its interval, after the past of its series."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.scalars import check_integer, is_integer
from sklearn_rnn._data.series import read_series, unwrap_panel
from sklearn_rnn._data.series_index import continue_index
from sklearn_rnn.display._axes import (
    axes_for,
    draw_band,
    draw_legend,
    draw_line,
    format_times,
    number_places,
    times_of,
)
from sklearn_rnn.inspection._models import find_forecaster


class ForecastDisplay:
    """A forecast with its interval, after the recent past of the series.

    Create it with :meth:`from_estimator`.

    Parameters
    ----------
    prediction : array-like of shape (horizon,), or Series
        Forecast values.
    past : array-like of shape (n_timesteps,), or Series; default=None
        Values before the forecast.
    lower, upper : array-like of shape (horizon,), or Series; default=None
        Bounds of the interval.
    truth : array-like of shape (n_truth,), or Series; default=None
        Observed values after ``past``. Those of a Series are drawn at its index.
    coverage : float or None, default=None
        Nominal coverage of the interval, for the legend.
    first_step : int, default=0
        Number of the first time step of ``past``, if it has no index.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the lines.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : dict of str to matplotlib Line2D
        Lines with the keys "past", "truth" and "forecast". A single value is drawn as a
        marker.
    band_ : matplotlib artist or None
        Area between the bounds, or a vertical bar for a single step; None without an
        interval.

    See Also
    --------
    BacktestDisplay : Forecasts from many origins and the observed values.
    SequenceDisplay : States and predictions of a network step by step.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNForecaster
    >>> from sklearn_rnn.display import ForecastDisplay
    >>> series = np.sin(np.arange(200) / 4)
    >>> model = RNNForecaster(hidden_size=8, max_epochs=2, random_state=0)
    >>> display = ForecastDisplay.from_estimator(
    ...     model.fit(series[:160]), horizon=12, truth=series[160:172]
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
        first_step=0,
    ):
        self.prediction = prediction
        self.past = past
        self.lower = lower
        self.upper = upper
        self.truth = truth
        self.coverage = coverage
        self.first_step = first_step

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
        series=None,
        n_past=100,
        ax=None,
        **line_kw,
    ):
        """Forecast a series and draw the forecast.

        Parameters
        ----------
        estimator : RNNForecaster or SeasonalNaiveForecaster
            Fitted forecaster, or a search over one.
        X : array-like, Series or frame, default=None
            Past after which the forecast begins. None takes the past given to ``fit``
            and ``update``, of which the forecaster keeps the last 100 steps for this
            display.
        horizon : int, default=None
            Number of steps to forecast; None takes the ``horizon`` of the forecaster.
        coverage : float or None, default=0.95
            Coverage of the interval. With None, or for a forecaster with
            ``intervals=None``, no interval is drawn.
        exog : array-like, default=None
            Exogenous variables, as in ``predict`` of the forecaster.
        truth : array-like, Series or frame, default=None
            Observed values after the past, to compare with.
        channel : int, default=0
            Number of the channel to draw, counted from 0.
        series : int, default=None
            Number of the series to draw, counted from 0. Required if there are several
            series.
        n_past : int or None, default=100
            Number of time steps of the past to draw, counted back from its end. None
            draws all available steps, 0 draws none.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot`` of the forecast.

        Returns
        -------
        display : ForecastDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator is not a forecaster.
        ValueError
            If there are several series and ``series`` is None, or if ``series`` or
            ``channel`` does not exist.
        """
        estimator = find_forecaster(estimator)
        check_is_fitted(estimator)
        if n_past is not None:
            check_integer("n_past", n_past, minimum=0, or_none="all steps")
        place, past, n_known = _find_past(estimator, X, series)
        if coverage is None or getattr(estimator, "intervals", "conformal") is None:
            prediction = estimator.predict(X, horizon=horizon, exog=exog)
            found, coverage = {"prediction": prediction}, None
        else:
            found = estimator.predict_interval(
                X, horizon=horizon, coverage=coverage, exog=exog
            )
        if place is not None:
            found = {name: part[place] for name, part in found.items()}
        found = {name: take_channel(part, channel) for name, part in found.items()}
        past = take_channel(past, channel)
        past = past if n_past is None else past[len(past) - min(n_past, len(past)) :]
        truth = None if truth is None else take_channel(truth, channel)
        first_step = n_known - len(past)
        display = cls(
            **found, past=past, truth=truth, coverage=coverage, first_step=first_step
        )
        return display.plot(ax=ax, **line_kw)

    def plot(self, *, ax=None, **line_kw):
        """Draw the past, the truth, the forecast and its interval.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot`` of the forecast.

        Returns
        -------
        display : ForecastDisplay
            The display.

        Raises
        ------
        ValueError
            If there is no forecast, or if there is only one of its bounds.
        """
        if not len(self.prediction):
            raise ValueError("prediction is empty. Pass one value or more.")
        if (self.lower is None) != (self.upper is None):
            raise ValueError("pass both lower and upper, or neither of them.")
        self.ax_, self.figure_ = axes_for(self, ax)
        times = self._find_times()
        self.lines_ = {}
        for name, values, kw in (
            ("past", self.past, {"color": "0.3"}),
            ("truth", self.truth, {"color": "0.3", "linestyle": ":"}),
            ("forecast", self.prediction, {"color": "C0"} | line_kw),
        ):
            if values is not None and len(values):
                kw = {"label": name} | kw
                self.lines_[name] = draw_line(self.ax_, times[name], values, **kw)
        self.band_ = None
        if self.lower is not None:
            label = None if self.coverage is None else f"{self.coverage:.0%} interval"
            self.band_ = draw_band(
                self.ax_,
                times["forecast"],
                self.lower,
                self.upper,
                color=self.lines_["forecast"].get_color(),
                label=label,
            )
        format_times(self.ax_, times["forecast"])
        series_name = getattr(self.prediction, "name", None)
        self.ax_.set(
            xlabel="time step" if times["numbered"] else "",
            ylabel="" if series_name is None else str(series_name),
        )
        self.ax_.yaxis.label.set_parse_math(False)
        if times["numbered"]:
            number_places(self.ax_.xaxis)
        draw_legend(self.ax_, above=ax is None)
        return self

    def _find_times(self):
        """The x coordinates of each line: those of the index, or numbers of steps."""
        times = {
            name: _own_times(values)
            for name, values in (
                ("past", self.past),
                ("forecast", self.prediction),
                ("truth", self.truth),
            )
        }
        n_past = 0 if self.past is None else len(self.past)
        n_truth = 0 if self.truth is None else len(self.truth)
        numbered = times["forecast"] is None or (n_past and times["past"] is None)
        if numbered:
            begin = self.first_step + n_past
            times["past"] = np.arange(self.first_step, begin)
            times["forecast"] = np.arange(begin, begin + len(self.prediction))
            times["truth"] = np.arange(begin, begin + n_truth)
        elif times["truth"] is None and n_truth:
            index = self.prediction.index
            extra = max(n_truth - len(index), 0)
            index = index.append(continue_index(index, extra)) if extra else index
            times["truth"] = times_of(index[:n_truth])
        return times | {"numbered": numbered}


def _find_past(estimator, X, series):
    """The place of the series in a container, its past and its number of steps.

    The place is None if the series is given alone.
    """
    if X is None:
        recent = estimator._recent
        single, n_series = recent.series.single, len(recent.n_steps)
        i = _choose(series, single, n_series)
        place = None if single else i
        return place, recent.to_container(i), int(recent.n_steps[i])
    found = read_series(X)
    i = _choose(series, found.single, len(found))
    n_steps = len(found.values[i])
    own = X if found.single else list(unwrap_panel(X))[i]
    own = own if hasattr(own, "iloc") else np.asarray(own)[:n_steps]  # no padding
    return None if found.single else i, own, n_steps


def _choose(series, single, n_series):
    """The number of the series to draw."""
    if series is None:
        if not single and n_series > 1:
            raise ValueError(
                f"there are {n_series} series. Choose one with series=, or draw the "
                "series one by one."
            )
        return 0
    if not is_integer(series, 0, n_series - 1):
        raise ValueError(
            f"series={series!r}, but there are {n_series} series, numbered from 0."
        )
    return series


def take_channel(values, channel):
    """One channel of (T,) or (T, C) values; a frame gives a Series."""
    is_pandas = hasattr(values, "iloc")
    values = values if is_pandas else np.asarray(values)
    if values.ndim == 1:
        return values
    if values.ndim != 2:
        raise ValueError(
            "expected one series of shape (n_timesteps,) or (n_timesteps, n_channels), "
            f"got an array of {values.ndim} dimensions. Draw series one by one."
        )
    if not is_integer(channel, 0, values.shape[1] - 1):
        raise ValueError(
            f"channel={channel!r}, but there are {values.shape[1]} channels, numbered "
            "from 0."
        )
    return values.iloc[:, channel] if is_pandas else values[:, channel]


def _own_times(values):
    """The index of a Series as times; None if there is none that can be drawn."""
    return times_of(values.index) if hasattr(values, "iloc") else None
