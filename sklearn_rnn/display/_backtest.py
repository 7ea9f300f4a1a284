"""Forecasts from many origins and the observed values."""

import numpy as np

from sklearn_rnn._core.scalars import check_integer
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


class BacktestDisplay:
    """Forecasts of a backtest and the observed values.

    Parameters
    ----------
    frame : DataFrame
        Result of ``backtest`` of a forecaster. If it has the columns ``lower`` and
        ``upper``, the intervals are drawn as well.
    coverage : float or None, default=None
        Nominal coverage of the intervals, for the legend. None takes the one that
        ``backtest`` stored in ``frame.attrs``.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes with the lines.
    figure_ : matplotlib Figure
        Figure that contains the axes.
    lines_ : dict of str to matplotlib Line2D
        Lines with the keys "truth" and "forecast". Forecasts from different origins are
        separated by NaN. A forecast of a single step is drawn as a marker.
    band_ : matplotlib artist or None
        Area between the bounds; None without intervals.

    See Also
    --------
    ForecastDisplay : One forecast after the past of its series.
    sklearn_rnn.metrics.score_backtest : Scores of a backtest.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import SeasonalNaiveForecaster
    >>> from sklearn_rnn.display import BacktestDisplay
    >>> series = np.sin(np.arange(200) * np.pi / 6) + np.arange(200) / 100
    >>> model = SeasonalNaiveForecaster(season=12).fit(series[:100])
    >>> frame = model.backtest(series, horizon=12, start=100, coverage=0.9)
    >>> display = BacktestDisplay(frame).plot()
    >>> display = BacktestDisplay(frame).plot(lead=12)
    """

    def __init__(self, frame, *, coverage=None):
        self.frame = frame
        self.coverage = coverage

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        horizon=None,
        start=None,
        refit=False,
        coverage=0.95,
        exog=None,
        series=None,
        channel=None,
        ax=None,
        **line_kw,
    ):
        """Backtest a forecaster and draw forecasts that follow each other.

        Parameters
        ----------
        estimator : RNNForecaster or SeasonalNaiveForecaster
            Forecaster, or a fitted search over one. It must be fitted unless ``refit``
            is True.
        X : array-like, frame, or list of them
            Series to forecast, with the observed values.
        horizon : int, default=None
            Number of steps to forecast from each origin, and number of steps between
            origins; None takes the ``horizon`` of the forecaster.
        start : int, default=None
            Number of time steps before the first forecast; a negative number counts
            from the end. None is the smallest number that the forecaster needs.
        refit : bool, default=False
            Whether to fit a clone to the steps up to each origin.
        coverage : float or None, default=0.95
            Coverage of the intervals. With None, or for a forecaster with
            ``intervals=None``, no intervals are drawn.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps of X.
        series : int, default=None
            Number of the series to draw if there are several; None draws the first.
        channel : int or str, default=None
            Channel to draw, as in the column ``channel`` of the backtest; None draws
            the first.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot`` of the forecasts.

        Returns
        -------
        display : BacktestDisplay
            The display.

        Raises
        ------
        TypeError
            If the estimator is not a forecaster.
        """
        estimator = find_forecaster(estimator)
        if getattr(estimator, "intervals", "conformal") is None:
            coverage = None
        frame = estimator.backtest(
            X,
            horizon=horizon,
            stride=estimator.horizon if horizon is None else horizon,
            start=start,
            refit=refit,
            coverage=coverage,
            exog=exog,
        )
        display = cls(frame)
        return display.plot(series=series, channel=channel, ax=ax, **line_kw)

    def plot(self, *, series=None, channel=None, lead=None, ax=None, **line_kw):
        """Draw the observed values, forecasts and intervals of one series.

        Parameters
        ----------
        series : int, default=None
            Number of the series to draw; None draws the first of the frame.
        channel : int or str, default=None
            Channel to draw; None draws the first of the frame.
        lead : int, default=None
            Number of steps ahead. If given, only the forecasts this number of steps
            ahead are drawn, from all origins. None draws whole forecasts that do not
            overlap: from the first origin, and then from each origin after the end of
            the forecast drawn before.
        ax : matplotlib Axes or None, default=None
            Axes to draw on; None makes a new figure.
        **line_kw : dict
            Passed to matplotlib's ``plot`` of the forecasts.

        Returns
        -------
        display : BacktestDisplay
            The display.

        Raises
        ------
        ValueError
            If the frame has no rows, or if it does not have a required column or the
            chosen series, channel or lead.
        """
        part, title = _select_series(self.frame, series, channel)
        truth = part.drop_duplicates("time").sort_values("time")
        places = truth.set_index("time").index
        times = times_of(places)
        is_numbered = times is None or times.dtype.kind != "M"
        if times is None:
            times = np.arange(len(places))
        part, label = _select_forecasts(part, lead)
        at, starts = times[places.get_indexer(part["time"])], _find_starts(part)
        rows = {  # with NaN between forecasts
            name: np.insert(part[name].to_numpy(dtype=float), starts, np.nan)
            for name in ("forecast", "lower", "upper")
            if name in part.columns
        }
        at = np.insert(at, starts, at[starts])
        self.ax_, self.figure_ = axes_for(self, ax)
        kw = {"color": "0.3", "label": "truth"}
        self.lines_ = {"truth": draw_line(self.ax_, times, truth["truth"], **kw)}
        kw = {"color": "C0", "label": label} | line_kw
        self.lines_["forecast"] = draw_line(self.ax_, at, rows["forecast"], **kw)
        self.band_ = None
        if "lower" in rows and "upper" in rows:
            coverage = self.coverage
            if coverage is None:
                coverage = self.frame.attrs.get("coverage")
            self.band_ = draw_band(
                self.ax_,
                at,
                rows["lower"],
                rows["upper"],
                color=self.lines_["forecast"].get_color(),
                label="interval" if coverage is None else f"{coverage:.0%} interval",
            )
        format_times(self.ax_, times)
        self.ax_.set_xlabel("time step" if is_numbered else "")
        if times.dtype.kind in "iu":
            number_places(self.ax_.xaxis)
        draw_legend(self.ax_, above=ax is None, title=title)
        return self


def _select_series(frame, series, channel):
    """The rows of one series and channel, and a title that names them."""
    for name in ("series", "origin", "lead", "time", "truth", "forecast"):
        if name not in getattr(frame, "columns", ()):
            raise ValueError(
                f"the frame has no column {name!r}. Pass the result of backtest."
            )
    if not len(frame):
        raise ValueError("the frame has no rows. Pass a backtest with forecasts.")
    part, names = frame, []
    for column, chosen in (("series", series), ("channel", channel)):
        known = part[column].unique().tolist() if column in part.columns else [0]
        chosen = known[0] if chosen is None else chosen
        if chosen not in known:
            listed = ", ".join(map(repr, known[:10]))
            raise ValueError(
                f"{column}={chosen!r} is not in the frame. Choose from {listed}"
                f"{', ...' if len(known) > 10 else ''}."
            )
        if column in part.columns:
            part = part[part[column] == chosen]
        if len(known) > 1:
            names.append(f"{column} {chosen}")
    if part.duplicated(["origin", "lead"]).any():
        raise ValueError(
            "the frame holds several forecasts of one origin and lead. Draw the "
            "backtests of several forecasters one by one."
        )
    return part, ", ".join(names)


def _select_forecasts(part, lead):
    """The forecasts to draw, in the order of time, and their label."""
    if lead is None and part["lead"].max() > 1:
        taken, end = [], None
        for origin, forecast in part.groupby("origin"):
            if end is None or forecast["time"].min() > end:
                taken.append(origin)
                end = forecast["time"].max()
        part = part[part["origin"].isin(taken)]
        return part.sort_values(["origin", "lead"]), "forecast"
    lead = 1 if lead is None else check_integer("lead", lead, minimum=1)
    if lead > part["lead"].max():
        raise ValueError(
            f"lead={lead}, but the frame holds forecasts of up to "
            f"{part['lead'].max()} steps ahead."
        )
    part = part[part["lead"] == lead].sort_values("time").assign(origin=0)
    return part, f"forecast {lead} step{'s' if lead > 1 else ''} ahead"


def _find_starts(part):
    """Rows at which the forecasts from the second and later origins begin."""
    origins = part["origin"].to_numpy()
    return 1 + np.flatnonzero(origins[1:] != origins[:-1])
