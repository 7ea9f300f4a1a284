"""sequences_from_frame: conversion of long tables to sequences."""

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn import RNNClassifier
from sklearn_rnn.preprocessing import sequences_from_frame

# Two patients, rows mixed; b was seen on days 1 and 2, a on days 1, 2 and 3.
COLUMNS = {
    "id": ["b", "a", "a", "b", "a"],
    "day": [2, 3, 1, 1, 2],
    "pulse": [62.0, 73.0, 71.0, 61.0, 72.0],
    "steps": [20, 300, 100, 10, 200],
    "ill": ["no", "yes", "yes", "no", "yes"],
    "age": [31, 45, 45, 31, 45],
}
A = [[71.0, 100.0], [72.0, 200.0], [73.0, 300.0]]
B = [[61.0, 10.0], [62.0, 20.0]]


@pytest.fixture(params=[pd, pl], ids=lambda library: library.__name__)
def library(request):
    return request.param


@pytest.fixture
def df(library):
    return library.DataFrame(COLUMNS)


def with_column(df, **columns):
    """Return the frame with other columns."""
    data = {name: df[name].to_list() for name in df.columns}
    return type(df)({**data, **columns})


def lists(X):
    return [x.tolist() for x in X]


def test_rows_of_an_id_become_a_sequence_in_the_order_of_time(df):
    X = sequences_from_frame(df, by="id", order="day", values=["pulse", "steps"])
    assert type(X) is list and [type(x) for x in X] == [np.ndarray] * 2
    assert lists(X) == [A, B]


def test_the_order_of_rows_in_the_table_does_not_matter(df):
    expected = sequences_from_frame(df, "id", "day", values=["pulse", "steps"])
    for seed in range(5):
        rows = np.random.default_rng(seed).permutation(5)
        shuffled = df.iloc[rows] if isinstance(df, pd.DataFrame) else df[rows]
        X = sequences_from_frame(shuffled, "id", "day", values=["pulse", "steps"])
        assert lists(X) == lists(expected)


def test_without_order_steps_keep_the_order_of_rows(df):
    X = sequences_from_frame(df, "id", values="day")
    assert lists(X) == [[[3], [1], [2]], [[2], [1]]]


def test_many_tied_rows_stay_in_order(library):
    ids = np.random.default_rng(0).integers(0, 3, size=999)
    df = library.DataFrame({"id": ids, "row": np.arange(999)})
    for key, x in enumerate(sequences_from_frame(df, "id")):
        assert_array_equal(x[:, 0], np.flatnonzero(ids == key))


def test_all_other_columns_are_values(df):
    X = sequences_from_frame(df, "id", "day", target="ill")[0]
    assert X[1].tolist() == [[61.0, 10.0, 31.0], [62.0, 20.0, 31.0]]


def test_time_may_be_a_value_too_and_values_may_be_an_index(df):
    assert lists(sequences_from_frame(df, "id", "day", values="day"))[1] == [[1], [2]]
    names = pd.Index(["pulse", "steps"])
    assert lists(sequences_from_frame(df, "id", "day", values=names)) == [A, B]


def test_targets_and_ids_are_aligned_with_the_sequences(df):
    X, y, ids = sequences_from_frame(
        df, "id", "day", values="pulse", target="ill", return_ids=True
    )
    assert lists(X)[1] == [[61.0], [62.0]]
    assert y.tolist() == ["yes", "no"]
    assert ids.tolist() == ["a", "b"]
    X, ids = sequences_from_frame(df, "id", "day", values="pulse", return_ids=True)
    assert len(X) == 2 and ids.tolist() == ["a", "b"]


def test_several_targets_are_columns_of_y(df):
    df = with_column(df, height=[1.5, 1.8, 1.8, 1.5, 1.8])
    _, y = sequences_from_frame(df, "id", "day", values="pulse", target=["age"])
    assert y.tolist() == [[45], [31]]
    several = ["age", "height"]
    _, y = sequences_from_frame(df, "id", "day", values="pulse", target=several)
    assert y.tolist() == [[45, 1.8], [31, 1.5]]


def test_ids_that_are_numbers_are_sorted_as_numbers(library):
    df = library.DataFrame({"id": [10, 9, 10], "x": [1.0, 2.0, 3.0]})
    X, ids = sequences_from_frame(df, "id", return_ids=True)
    assert ids.tolist() == [9, 10]
    assert lists(X) == [[[2.0]], [[1.0], [3.0]]]


@pytest.mark.parametrize(
    "times",
    [
        [date(2024, 2, 1), date(2024, 10, 1), date(2023, 12, 1)],
        ["b", "c", "a"],
        [-1.5, np.inf, -np.inf],
        pd.to_datetime(["2024-02-01", "2024-10-01", "2023-12-01"]),
        pd.to_datetime(["2024-02-01", "2024-10-01", "2023-12-01"], utc=True),
        pd.to_timedelta([2, 10, 1], unit="D"),
    ],
    ids=["date", "text", "float", "datetime", "with zone", "duration"],
)
def test_times_may_have_any_sortable_type(library, times):
    df = pd.DataFrame({"id": [1, 1, 1], "time": times, "x": [2, 3, 1]})
    df = df if library is pd else pl.from_pandas(df)
    assert lists(sequences_from_frame(df, "id", "time")) == [[[1], [2], [3]]]


def test_ordered_categories_are_sorted_by_their_order(library):
    days = ["mon", "tue", "wed"]
    dtype = pd.CategoricalDtype(days, ordered=True) if library is pd else pl.Enum(days)
    day = library.Series(["wed", "mon", "tue"], dtype=dtype)
    df = library.DataFrame({"id": [1, 1, 1], "day": day, "x": [3, 1, 2]})
    assert lists(sequences_from_frame(df, "id", "day")) == [[[1], [2], [3]]]


@pytest.mark.parametrize(
    "types, expected",
    [
        (["float32", "float32"], "float32"),
        (["float32", "float64"], "float64"),
        (["int16", "int16"], "int16"),
        (["int64", "float32"], "float64"),
        (["bool", "bool"], "bool"),
        (["bool", "float32"], "float32"),
    ],
)
def test_sequences_have_the_type_that_holds_all_values(library, types, expected):
    u, v = (np.array([1, 0, 1], dtype=dtype) for dtype in types)
    df = library.DataFrame({"id": [1, 2, 1], "u": u, "v": v})
    X = sequences_from_frame(df, "id")
    assert {x.dtype for x in X} == {np.dtype(expected)}
    assert lists(X) == [[[1, 1], [1, 1]], [[0, 0]]]


@pytest.mark.parametrize(
    "column",
    [
        pd.Series([1.0, np.nan, 0.0]),
        pd.Series([1, None, 0], dtype="Float64"),
        pd.Series([1, None, 0], dtype="Int64"),
        pd.Series([1, None, 0], dtype="boolean"),
        pl.Series([1.0, np.nan, 0.0]),
        pl.Series([1.0, None, 0.0]),
        pl.Series([1, None, 0]),
        pl.Series([True, None, False]),
    ],
    ids=lambda column: f"{type(column).__module__.partition('.')[0]}-{column.dtype}",
)
def test_missing_values_become_nan(column):
    library = pd if isinstance(column, pd.Series) else pl
    df = library.DataFrame({"id": [1, 1, 1], "x": column})
    [x] = sequences_from_frame(df, "id")
    assert x.dtype == np.float64
    assert_array_equal(x, [[1], [np.nan], [0]])


@pytest.mark.parametrize("backend", ["pyarrow", "numpy_nullable"])
def test_other_backends_of_pandas_are_read(backend):
    df = pd.DataFrame(COLUMNS).convert_dtypes(dtype_backend=backend)
    values = ["pulse", "steps"]
    X, y = sequences_from_frame(df, "id", "day", values=values, target="ill")
    assert lists(X) == [A, B]
    assert y.tolist() == ["yes", "no"]


def test_polars_decimals_are_numbers():
    df = pl.DataFrame({"id": [1, 1], "x": [Decimal("1.5"), None]})
    [x] = sequences_from_frame(df, "id")
    assert x.dtype == np.float64
    assert_array_equal(x, [[1.5], [np.nan]])


def test_the_index_of_a_pandas_frame_is_ignored():
    df = pd.DataFrame(COLUMNS, index=pd.Index([3, 3, 1, 0, 0], name="id"))
    X = sequences_from_frame(df, "id", "day", values=["pulse", "steps"])
    assert lists(X) == [A, B]


def test_the_frame_is_not_changed(df):
    before = with_column(df)
    sequences_from_frame(df, "id", "day", target="ill")
    assert df.equals(before)


def test_sequences_train_a_network(df):
    X, y = sequences_from_frame(df, "id", "day", values="pulse", target="ill")
    assert RNNClassifier(max_epochs=1).fit(X, y).predict(X).shape == (2,)


# ----------------------------------------------------------------- errors


def refuses(df, message, **options):
    options = {"by": "id", "order": "day", "target": "ill", **options}
    with pytest.raises(ValueError, match=message):
        sequences_from_frame(df, **options)


def test_a_repeated_time_is_an_error_that_names_the_id(df):
    days = [2, 3, 3, 1, 2]
    refuses(with_column(df, day=days), r"id=a has two rows with day=3, .*\(1 such")


def test_two_ids_may_have_the_same_time(df):
    df = with_column(df, id=list("abcde"), day=[1] * 5)
    assert len(sequences_from_frame(df, "id", "day", values="pulse")) == 5


def test_a_varying_target_is_an_error_that_names_the_id(df):
    ill = ["no", "yes", "yes", "yes", "yes"]
    message = r"target 'ill' is yes and no for id=b\."
    refuses(with_column(df, ill=ill), message)


@pytest.mark.parametrize("column", ["id", "day", "ill"])
def test_missing_keys_and_targets_raise_an_error(df, column):
    values = [*COLUMNS[column][:3], None, None]
    message = f"column '{column}' has missing values in 2 of 5 rows, first in row 3"
    refuses(with_column(df, **{column: values}), message)


def test_nan_in_time_raises_an_error(df):
    day = [1.0, np.nan, 2.0, 3.0, 4.0]
    refuses(with_column(df, day=day), "column 'day' has missing values in 1 of 5")


def test_columns_that_are_not_numbers_are_named(df):
    df = with_column(df, when=[date(2024, 1, 1)] * 5, some=[1, 2, 3, 4, 5])
    refuses(df, r"columns \['ill', 'when'\] of df have the types", target=None)


@pytest.mark.parametrize("options", [{"by": "who"}, {"values": ["pulse", "who"]}])
def test_unknown_columns_are_named(df, options):
    refuses(df, r"df has no column 'who'; its columns are \['id', 'day'", **options)


def test_by_must_be_one_column(df):
    refuses(df, "Pass a single column name for by", by=["id", "day"])


def test_a_table_without_values_raises_an_error(df):
    refuses(df[["id", "day", "ill"]], "no columns of values besides")
    refuses(df, "no columns of values", values=[])


def test_a_table_without_rows_raises_an_error(df):
    refuses(df[:0], "minimum of 1 is required: df has no rows")


def test_columns_of_the_same_name_raise_an_error():
    df = pd.DataFrame([[1, 2, 3]], columns=["id", "x", "x"])
    refuses(df, "several columns of the same name")


@pytest.mark.parametrize(
    "df",
    [np.ones((2, 2)), COLUMNS, pd.Series([1]), pl.LazyFrame(COLUMNS)],
    ids=["array", "dict", "Series", "LazyFrame"],
)
def test_anything_but_a_frame_raises_an_error(df):
    with pytest.raises(TypeError, match="df must be a pandas or polars DataFrame, got"):
        sequences_from_frame(df, "id")


def test_the_error_for_a_lazy_frame_suggests_collect():
    with pytest.raises(TypeError, match=r"Call its collect\(\) first"):
        sequences_from_frame(pl.LazyFrame(COLUMNS), "id")
