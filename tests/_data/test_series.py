"""Containers of series, and forecasts in the container that was read."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from scipy import sparse

from sklearn_rnn._data.series import SeriesSet, read_series

ONE = np.arange(6.0)
TWO = np.column_stack([ONE, 10 * ONE])
DAYS = pd.date_range("2020", periods=6, freq="D")


@pytest.mark.parametrize(
    ("X", "shapes", "single", "has_channels"),
    [
        (ONE, [(6, 1)], True, False),
        (ONE.tolist(), [(6, 1)], True, False),
        (TWO, [(6, 2)], True, True),
        (ONE[:, None], [(6, 1)], True, True),
        (pd.Series(ONE), [(6, 1)], True, False),
        (pd.DataFrame(TWO), [(6, 2)], True, True),
        ([ONE, ONE[:4]], [(6, 1), (4, 1)], False, False),
        ([TWO, TWO[:4]], [(6, 2), (4, 2)], False, True),
        (np.stack([TWO, TWO]), [(6, 2), (6, 2)], False, True),
        (pd.Series([ONE, ONE[:4]], index=["a", "b"]), [(6, 1), (4, 1)], False, False),
        ([ONE], [(6, 1)], False, False),
    ],
)
def test_containers_are_read(X, shapes, single, has_channels):
    series = read_series(X)
    assert [v.shape for v in series.values] == shapes
    assert (series.single, series.has_channels) == (single, has_channels)
    assert len(series) == len(shapes)
    assert series.n_channels == shapes[0][1]
    assert_array_equal(series.lengths, [length for length, _ in shapes])
    assert_array_equal(series.values[0][:, 0], ONE)


def test_floats_keep_their_type_and_other_numbers_become_float64():
    assert read_series(ONE.astype(np.float32)).values[0].dtype == np.float32
    assert read_series([1, 2, 3]).values[0].dtype == np.float64
    assert read_series(np.array(["1", "2.5"])).values[0][1, 0] == 2.5
    mixed = read_series([ONE.astype(np.float32), ONE])
    assert {v.dtype for v in mixed.values} == {np.dtype(np.float64)}


def test_missing_values_stay():
    assert np.isnan(read_series([1.0, np.nan]).values[0][1, 0])


@pytest.mark.parametrize(
    ("X", "message"),
    [
        ([[1.0, "a"]] * 20, "series 0 of X cannot be read as numbers"),
        (np.array([1.0, np.inf] * 20), "X contains infinity at step 1"),
        (np.ones((2, 3, 4, 5)), r"series 0 of X has the shape \(3, 4, 5\)"),
        (np.ones((0, 2)), r"X has the shape \(0, 2\)"),
        ({"a": ONE, "b": ONE}, r"X is a dict.* list\(X.values\(\)\)"),
        (np.ones(20) * 1j, "Complex data not supported"),
        (np.array(["2020-01-01"], dtype="M8[D]"), "dtype datetime64"),
        ([np.ones((20, 1)), np.ones((20, 2))], "series 1 of X has 2 channels"),
        (pd.Series(ONE, index=DAYS[::-1]), "index of X is not sorted"),
        (
            [pd.Series(ONE, index=DAYS), pd.Series(ONE, index=DAYS[::-1])],
            "index of series 1 of X is not sorted: 2020-01-05 00:00:00 follows 2020",
        ),
        (
            [pd.DataFrame(TWO, index=DAYS).drop(index=DAYS[2])],
            "index of series 0 of X is not regular: 2020-01-04 .* follows 2020-01-02",
        ),
        (
            [pd.DataFrame(TWO, columns=list(c)) for c in ("ab", "ba")],
            r"series 1 of X has the columns \['b', 'a'\]",
        ),
    ],
)
def test_data_other_than_series_are_refused(X, message):
    with pytest.raises(ValueError, match=message):
        read_series(X)


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="exog contains infinity"):
        read_series([1.0, np.inf], "exog")


# ---------------------------------------------------------------- answers

FORECASTS = np.arange(12.0).reshape(2, 3, 2)  # (n_series, n_steps, C)


@pytest.mark.parametrize(
    ("X", "forecasts", "expected"),
    [
        ([TWO, TWO], FORECASTS, FORECASTS),
        ([ONE, ONE], FORECASTS[..., :1], FORECASTS[..., 0]),
        (TWO, FORECASTS[:1], FORECASTS[0]),
        (ONE, FORECASTS[:1, :, :1], FORECASTS[0, :, 0]),
    ],
)
def test_axes_that_the_container_lacked_are_dropped(X, forecasts, expected):
    series = read_series(X)
    assert_array_equal(series.to_container(forecasts), expected)
    assert_array_equal(series.drop_axes(forecasts[None])[0], expected)


def test_series_and_frames_are_continued():
    later = pd.date_range("2020-01-07", periods=3, freq="D")
    series = read_series(pd.Series(ONE, index=DAYS, name="load"))
    answer = series.to_container(FORECASTS[:1, :, :1])
    expected = pd.Series(FORECASTS[0, :, 0], index=later, name="load")
    pd.testing.assert_series_equal(answer, expected)
    series = read_series(pd.DataFrame(TWO, index=DAYS, columns=["a", "b"]))
    answer = series.to_container(FORECASTS[:1])
    expected = pd.DataFrame(FORECASTS[0], index=later, columns=["a", "b"])
    pd.testing.assert_frame_equal(answer, expected)


def test_several_series_and_frames_are_continued():
    later = pd.date_range("2020-01-07", periods=3, freq="D")
    short = pd.Series(ONE[:4], index=DAYS[:4], name="b")
    answers = read_series([pd.Series(ONE, index=DAYS, name="a"), short]).to_container(
        FORECASTS[..., :1]
    )
    expected = pd.Series(FORECASTS[0, :, 0], index=later, name="a")
    pd.testing.assert_series_equal(answers[0], expected)
    expected = pd.Series(FORECASTS[1, :, 0], index=later - pd.Timedelta("2D"), name="b")
    pd.testing.assert_series_equal(answers[1], expected, check_freq=False)
    frame = pd.DataFrame(TWO, index=DAYS, columns=["a", "b"])
    answers = read_series([frame, frame]).to_container(FORECASTS)
    expected = pd.DataFrame(FORECASTS[1], index=later, columns=["a", "b"])
    pd.testing.assert_frame_equal(answers[1], expected)


def test_among_series_an_array_gets_an_array():
    answers = read_series([pd.Series(ONE, index=DAYS), ONE]).to_container(
        FORECASTS[..., :1]
    )
    assert answers[0].index[0] == pd.Timestamp("2020-01-07")
    assert_array_equal(answers[1], FORECASTS[1, :, 0])


def test_a_container_is_extended_by_what_follows():
    series = read_series(pd.Series(ONE, index=DAYS))
    later = read_series(pd.Series(ONE[:2], index=DAYS[:2] + pd.Timedelta("6D")))
    longer = series.extend(later)
    assert isinstance(longer, SeriesSet)
    assert longer.indices[0][-1] == pd.Timestamp("2020-01-08")
    assert series.indices[0][-1] == pd.Timestamp("2020-01-06")
    placed = read_series(ONE).place_after(longer)
    assert placed.indices[0][0] == pd.Timestamp("2020-01-09")
    assert longer.extend(placed).indices[0][-1] == pd.Timestamp("2020-01-14")
    for refuses in (longer.extend, lambda x: x.place_after(longer)):
        with pytest.raises(ValueError, match=r"^X begins at 2020-01-07"):
            refuses(later)
    plain = read_series(ONE)
    assert plain.extend(later).indices == [None]


def test_a_polars_frame_is_one_series_with_channels():
    polars = pytest.importorskip("polars")
    series = read_series(polars.DataFrame({"a": [1.0, 2, 3], "b": [4.0, 5, 6]}))
    assert series.single and series.has_channels
    assert_array_equal(series.values[0], [[1, 4], [2, 5], [3, 6]])


def test_each_series_has_to_follow_its_own():
    series = read_series([pd.Series(ONE, index=DAYS), pd.Series(ONE[:3], DAYS[:3])])
    later = [pd.Series([1.0], index=DAYS[-1:] + pd.Timedelta("1D"))] * 2
    with pytest.raises(ValueError, match=r"series 1 of X begins at 2020-01-07.*01-04"):
        read_series(later, step=series.common_step).place_after(series)
    later[1] = pd.Series([1.0], index=DAYS[3:4])
    placed = read_series(later, step=series.common_step).place_after(series)
    assert series.extend(placed).indices[1][-1] == DAYS[3]


# ---------------------------------------------------------------- padding


def test_steps_of_nan_at_the_end_of_a_3d_array_are_padding():
    gaps = TWO.copy()
    gaps[2] = np.nan  # a missing step
    gaps[5, 0] = np.nan  # a missing value at the end
    padded = np.full((3, 8, 2), np.nan)
    padded[0, :6], padded[1, :4], padded[2, 3:] = gaps, TWO[:4], 1
    values = read_series(padded).values
    for array, expected in zip(values, [gaps, TWO[:4], padded[2]], strict=True):
        assert_array_equal(array, expected)
    with pytest.raises(
        ValueError, match="series 1 of exog has no steps: all its values are"
    ):
        read_series(np.where([[[False]], [[True]]], np.nan, [TWO, TWO]), "exog")


def test_nan_at_the_end_of_other_containers_is_missing():
    gaps = np.append(ONE, np.nan)
    for X in (gaps, [gaps, ONE], pd.Series(gaps)):
        assert read_series(X).lengths[0] == 7


# ---------------------------------------------------------------- large values


@pytest.mark.parametrize("value", [1e300, -1e151])
def test_values_whose_squares_overflow_are_refused(value):
    with pytest.raises(ValueError, match=r"series 1 of X contains the value -?1e.* 3"):
        read_series([ONE, np.where(ONE == 3, value, ONE)])
    read_series(np.array([3e38], dtype=np.float32))
    read_series([1e150, -1e150])


@pytest.mark.parametrize("dtype", [np.float16, np.longdouble, ">f8"])
def test_unusual_floats_become_usual_ones(dtype):
    (values,) = read_series(TWO.astype(dtype)).values
    assert values.dtype == np.float64
    assert_array_equal(values, TWO)


def test_missing_integers_of_pandas_are_missing_values():
    frame = pd.DataFrame({"a": pd.array([1, None, 3]), "b": pd.array([4, 5, 6])})
    (values,) = read_series(frame).values
    assert_array_equal(values, [[1, 4], [np.nan, 5], [3, 6]])


def test_sparse_series_are_an_error():
    with pytest.raises(TypeError, match=r"Sparse data .*X\.toarray\(\)"):
        read_series(sparse.csr_array(TWO))
