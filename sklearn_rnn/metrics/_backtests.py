"""Scores of backtests, from the frames that ``backtest`` of a forecaster returns."""

import numpy as np

from sklearn_rnn._core.scalars import check_integer, check_number
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.series import read_series
from sklearn_rnn.metrics._forecast_errors import (
    interval_coverage,
    mean_absolute_error,
    mean_interval_score,
    mean_pinball_loss,
    root_mean_squared_error,
    symmetric_mean_absolute_percentage_error,
)
from sklearn_rnn.metrics._forecasts import compute_naive_error

POINT_METRICS = {
    "mae": mean_absolute_error,
    "rmse": root_mean_squared_error,
    "smape": symmetric_mean_absolute_percentage_error,
}
INTERVAL_METRICS = ("pinball", "interval_score", "coverage")
METRICS = (*POINT_METRICS, "mase", *INTERVAL_METRICS, "crps")


def score_backtest(
    frame, *, metrics=None, by=None, y_train=None, season=1, coverage=None
):
    """Compute scores of a backtest, overall or by lead, series or any other column.

    Parameters
    ----------
    frame : DataFrame
        Frame that ``backtest`` of a forecaster returned, a part of it, or several of
        them concatenated with a column that distinguishes them. Rows with missing truth
        are left out.
    metrics : str or list of str, default=None
        Any of "mae", "rmse", "smape", "mase", "pinball" (mean of the pinball losses of
        lower bound, forecast as the median, and upper bound), "interval_score",
        "coverage" and "crps" (of sampled paths). None computes all metrics for which
        the frame has the columns, and "mase" if ``y_train`` is given.
    by : str or list of str, default=None
        Columns of the frame to group by, such as "lead", "series" or
        ["series", "lead"]. Scores are computed for each group. None scores all rows
        together.
    y_train : array-like, frame, or list of them, default=None
        Series before the forecasts, for "mase": the X given to ``fit``, with one series
        for each series of the backtest. The errors of each series and channel are
        divided by the mean absolute error of the seasonal naive forecast in it.
    season : int, default=1
        Length of the seasonal period in steps, for "mase".
    coverage : float in (0, 1), default=None
        Nominal coverage of the bounds, for "pinball" and "interval_score". None reads
        it from ``frame.attrs``, where ``backtest`` has stored it.

    Returns
    -------
    scores : Series or DataFrame
        A Series with one entry per metric if ``by`` is None, else a frame with one row
        per group and one column per metric.

    Raises
    ------
    ValueError
        If a column is missing, if all truth is missing, if there is no metric of a
        given name, or if ``y_train`` or ``coverage`` is needed and missing.

    Warns
    -----
    UserWarning
        If all truth of a group is missing; its scores are then NaN.

    See Also
    --------
    forecast_scorer : Makes a scorer of one metric, for searches.
    sklearn_rnn.display.BacktestDisplay : Draws the frame.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import SeasonalNaiveForecaster
    >>> from sklearn_rnn.metrics import score_backtest
    >>> series = np.array([1.0, 5.0, 2.0, 4.0, 1.0, 6.0, 2.0, 5.0])
    >>> model = SeasonalNaiveForecaster(season=2).fit(series[:4])
    >>> frame = model.backtest(series, horizon=2, start=4)
    >>> score_backtest(frame, y_train=series[:4], season=2).round(2).to_dict()
    {'mae': 1.33, 'rmse': 1.41, 'smape': 49.7, 'mase': 1.33}
    >>> score_backtest(frame, by="lead").index.tolist()
    [1, 2]
    """
    metrics = _resolve_metrics(metrics, frame, y_train)
    if coverage is None:
        coverage = frame.attrs.get("coverage")
    if {"pinball", "interval_score"} & set(metrics):
        if coverage is None:
            raise ValueError(
                "the nominal coverage of the bounds is missing in frame.attrs. Pass "
                "the coverage of the backtest as coverage=."
            )
        check_number("coverage", coverage, above=0, below=1)
    if "mase" in metrics:
        frame = frame.assign(scale=_measure_scales(frame, y_train, season))
    if not frame["truth"].notna().any():
        raise ValueError(
            'the column "truth" has only missing values, so there is nothing to score.'
        )
    return _score_groups(frame, metrics, by, coverage)


def _score_groups(frame, metrics, by, coverage):
    """Compute scores of the whole frame, or of groups ``by`` columns."""
    import pandas as pd

    if by is None:
        return pd.Series({m: _score(m, frame, coverage) for m in metrics})
    columns = [by] if isinstance(by, str) else list(by)
    _check_columns(frame, columns)
    groups = frame.groupby(by if isinstance(by, str) else columns, observed=True)
    rows, unknown = {}, 0
    for group, part in groups:
        known = part["truth"].notna().any()
        unknown += not known
        rows[group] = [_score(m, part, coverage) if known else np.nan for m in metrics]
    if unknown:
        warn_user(
            f"{unknown} of {len(rows)} groups have only missing values in the column "
            '"truth". Their scores are NaN.'
        )
    index = groups.size().index
    return pd.DataFrame(list(rows.values()), index=index, columns=list(metrics))


def _resolve_metrics(metrics, frame, y_train):
    """Return the names of the metrics to compute, after checking the columns."""
    _check_columns(frame, ["truth", "forecast"])
    if metrics is None:
        metrics = list(POINT_METRICS)
        metrics += ["mase"] * (y_train is not None)
        metrics += INTERVAL_METRICS if {"lower", "upper"} <= set(frame.columns) else ()
        metrics += ["crps"] * ("crps" in frame.columns)
    metrics = [metrics] if isinstance(metrics, str) else list(metrics)
    for name in metrics:
        check_metric(name)
    if "mase" in metrics:
        _check_columns(frame, ["series"])
        if y_train is None:
            raise ValueError(
                '"mase" needs y_train, because it divides errors by those of the naive '
                "forecast in training. Pass the series given to fit as y_train."
            )
    if set(INTERVAL_METRICS) & set(metrics):
        _check_columns(frame, ["lower", "upper"], "Pass coverage= to backtest.")
    if "crps" in metrics:
        _check_columns(frame, ["crps"], "Pass n_paths= to backtest.")
    return metrics


def check_metric(name, known=METRICS):
    """Raise a ValueError if there is no metric of this name."""
    if name not in known:
        raise ValueError(
            f"{name!r} is not a metric of forecasts. Choose from {', '.join(known)}."
        )


def _check_columns(frame, columns, advice="Pass what backtest returned."):
    """Raise a ValueError if a frame lacks columns."""
    missing = [name for name in columns if name not in getattr(frame, "columns", ())]
    if missing:
        raise ValueError(f"the frame has no column {missing[0]!r}. {advice}")


def _score(metric, frame, coverage):
    """Compute one metric over the rows of a frame."""
    truth = frame["truth"]
    if metric in POINT_METRICS:
        return POINT_METRICS[metric](truth, frame["forecast"])
    if metric == "mase":
        scale = frame["scale"]
        return mean_absolute_error(truth / scale, frame["forecast"] / scale)
    if metric == "crps":
        return float(frame["crps"].mean())
    lower, upper = frame["lower"], frame["upper"]
    if metric == "coverage":
        return interval_coverage(truth, lower, upper)
    if metric == "interval_score":
        return mean_interval_score(truth, lower, upper, coverage=coverage)
    tail = (1 - coverage) / 2
    levels = zip((lower, frame["forecast"], upper), (tail, 0.5, 1 - tail), strict=True)
    return float(np.mean([mean_pinball_loss(truth, q, alpha=a) for q, a in levels]))


def _measure_scales(frame, y_train, season):
    """Compute the error of the seasonal naive forecast, for each row of the frame."""
    check_integer("season", season, minimum=1)
    series = read_series(y_train, "y_train")
    number = frame["series"].to_numpy()
    if number.max() >= len(series):
        raise ValueError(
            f"y_train has {len(series)} series, but the frame has series "
            f"{number.max()}. Pass one for each series of the backtest."
        )
    channel = np.zeros(len(frame), dtype=int)
    if "channel" in frame.columns:
        first = y_train if series.single else next(iter(y_train))
        names = list(getattr(first, "columns", range(series.n_channels)))
        places = frame["channel"].map({name: k for k, name in enumerate(names)})
        if places.isna().any():
            raise ValueError(
                f"y_train has the channels {names}, but the frame has the channel "
                f"{frame['channel'][places.isna()].iloc[0]!r}."
            )
        channel = places.to_numpy(dtype=int)
    elif series.n_channels > 1:
        raise ValueError(
            f"y_train has {series.n_channels} channels, but the frame has no column "
            "'channel'. Pass the training part of the series of the backtest."
        )
    scales = np.full((len(series), series.n_channels), np.nan)
    for i in np.unique(number):
        name = f"series {i} of y_train"
        scales[i] = compute_naive_error(series.values[i], season, name)
    return scales[number, channel]
