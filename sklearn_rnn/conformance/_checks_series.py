"""Checks of forecasters: containers of series, the known past, missing values."""

import warnings
from unittest import SkipTest

import numpy as np

from sklearn_rnn._data.ragged import object_array
from sklearn_rnn.conformance._checks_numbers import BAD_ROW, skip_unless_padding
from sklearn_rnn.conformance._examples import (
    SERIES_LENGTHS,
    pad,
    series,
)
from sklearn_rnn.conformance._harness import (
    assert_finite,
    assert_refused_by_all,
    assert_same,
    assert_same_from,
    collect_answers,
    collect_flat,
    fit_copy,
    rows_of,
)

N_NEW = 5  # number of steps that follow those of fit


def check_series_containers(name, estimator):
    """Check that lists, tuples and object arrays of series are equivalent."""
    X = series()
    others = {
        "a tuple of arrays": tuple(X),
        "an object array": object_array(X),
        "a list of lists of steps": [x.tolist() for x in X],
    }
    assert_same_from(estimator, X, others, None)


def check_series_as_array(name, estimator):
    """Check that a list of series of equal length is equivalent to a 3-D array."""
    X = series(lengths=[44] * len(SERIES_LENGTHS))
    assert_same_from(estimator, X, {"a 3-D array": np.stack(X)}, None)


def check_series_padding(name, estimator):
    """Check that steps of NaN at the end of a series in a 3-D array are padding."""
    X = series()
    array = pad(X, max(SERIES_LENGTHS) + 3)
    skip_unless_padding(name, estimator, array, None)
    assert_same_from(estimator, X, {"a padded array": array}, None)


def check_one_series(name, estimator):
    """Check that a series alone is forecast as in a list of several."""
    X = series()
    model = fit_copy(estimator, X, None)
    expected = {"predict": rows_of(model.predict(X))}
    alone = {"predict": [np.asarray(model.predict(x)) for x in X]}
    assert_same(alone, expected, "when it is passed alone")


def check_one_channel(name, estimator):
    """Check that (T,) and (T, 1) arrays and lists of numbers are equivalent."""
    X = series(n_channels=1)
    others = {
        "a list of (T,) arrays": [x[:, 0] for x in X],
        "a list of lists of numbers": [x[:, 0].tolist() for x in X],
    }
    assert_same_from(estimator, X, others, None, flat=True)
    x = X[0]
    model = fit_copy(estimator, x, None)
    expected = {"predict": [model.predict(x).ravel()]}
    for what, other in (("a (T,) array", x[:, 0]), ("a list", x[:, 0].tolist())):
        for fitted, when in (
            (model, f"when X is {what}"),
            (fit_copy(estimator, other, None), f"after a fit on {what}"),
        ):
            given = {"predict": [np.asarray(fitted.predict(other)).ravel()]}
            assert_same(given, expected, when)


def check_series_frames(name, estimator):
    """Check that a frame with a DatetimeIndex is forecast like its values.

    A forecaster may use the index in fit, for example for seasons, so only forecasts of
    one fitted model are compared. Forecasts that are frames must continue the index.
    """
    X = series()
    frames = [_date(x) for x in X]
    model = fit_copy(estimator, frames, None)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*feature names", UserWarning)
        expected = collect_flat(model, X)
        assert_same(_flat(model, frames), expected, "when X is a list of frames")
        alone = model.predict(frames[0])
    first = {"predict": [np.asarray(alone).ravel()]}
    assert_same(first, {"predict": expected["predict"][:1]}, "when X is a frame")
    if hasattr(alone, "index"):
        index, known = alone.index, frames[0].index
        continued = known.union(index)
        assert len(continued) == len(known) + len(index) and index.equals(
            _dates(len(continued))[len(known) :]
        ), f"{name}.predict gives steps after {known[-1]} the index {list(index)}"


def _flat(model, frames):
    """Return forecasts of several frames, which are an array or a list, as one list."""
    return {"predict": [np.asarray(one).ravel() for one in model.predict(frames)]}


def _date(values):
    """Convert values (T, C) to a frame."""
    try:
        import pandas as pd
    except ImportError:
        raise SkipTest("pandas is not installed") from None
    columns = [f"channel {k}" for k in range(values.shape[1])]
    return pd.DataFrame(values, index=_dates(len(values)), columns=columns)


def _dates(n_steps):
    import pandas as pd

    return pd.date_range("2024-01-01", periods=n_steps, freq="D")


def check_known_past(name, estimator):
    """Check that ``predict()`` is equivalent to ``predict(X)`` with the X of fit."""
    for X, what in ((series(), "several series"), (series()[0], "one series")):
        model = fit_copy(estimator, X, None)
        known = {"predict": rows_of(model.predict())}
        assert_same(known, collect_answers(model, X), f"of {what} without X")


def check_horizon(name, estimator):
    """Check that ``predict(X, horizon=h)`` returns h steps that do not depend on h."""
    X = series()
    model = fit_copy(estimator, X, None)
    longer = rows_of(model.predict(X, horizon=7))
    assert [len(row) for row in longer] == [7] * len(X), (
        f"{name}.predict(X, horizon=7) returns {[len(row) for row in longer]} steps"
    )
    shorter = {"predict": rows_of(model.predict(X, horizon=2))}
    first = {"predict": [row[:2] for row in longer]}
    assert_same(first, shorter, "when 7 steps are forecast instead of 2")


def check_update(name, estimator):
    """Check that ``update``, at once or in parts, is equivalent to longer series."""
    X = series()
    model = fit_copy(estimator, [x[:-N_NEW] for x in X], None)
    expected = {"predict": rows_of(model.predict(X))}
    for parts in ([slice(-N_NEW, None)], [slice(-N_NEW, -2), slice(-2, None)]):
        model = fit_copy(estimator, [x[:-N_NEW] for x in X], None)
        for part in parts:
            result = model.update([x[part] for x in X])
            assert result is model, f"{name}.update does not return self"
        updated = {"predict": rows_of(model.predict())}
        assert_same(updated, expected, f"after {len(parts)} calls of update")


def check_failed_update_leaves_no_trace(name, estimator):
    """Check that an ``update`` that fails leaves the known past unchanged."""
    X = series()
    model = fit_copy(estimator, X, None)
    expected = {"predict": rows_of(model.predict())}
    new = [x[:N_NEW] for x in X]
    for what, bad in {
        "fewer series": new[:-1],
        "a last series with other channels": [*new[:-1], np.ones((N_NEW, 3))],
    }.items():
        try:
            model.update(bad)
        except (ValueError, TypeError):
            pass
        else:
            raise AssertionError(f"{name}.update accepts {what}")
        actual = {"predict": rows_of(model.predict())}
        assert_same(actual, expected, f"after update rejected {what}", tolerance=0)


def check_missing_values(name, estimator):
    """Check that a series with NaN is forecast and does not affect other series."""
    X = series()
    gaps = [x.copy() for x in X]
    gaps[BAD_ROW][[20, -1], 0] = np.nan
    model = fit_copy(estimator, X, None)
    given = collect_answers(model, gaps)
    assert_finite(given, "of which one has missing values")
    others = {method: rows[:BAD_ROW] for method, rows in given.items()}
    assert_same(
        others, collect_answers(model, X[:BAD_ROW]), "next to a series with NaN"
    )
    given = collect_answers(fit_copy(estimator, gaps, None), X)
    assert_finite(given, "after a fit with missing values")


def check_unknown_series_refused(name, estimator):
    """Check that a series that is NaN throughout raises an error with its index."""
    X = series()
    bad = [*X[:-1], np.full((44, 2), np.nan)]
    what = f"series {BAD_ROW} with only NaN"
    assert_refused_by_all(estimator, X, bad, None, what, naming=(BAD_ROW,))
