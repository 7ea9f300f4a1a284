"""iter_batches: sequences from Parquet files."""

import itertools
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sklearn_rnn import RNNRegressor
from sklearn_rnn.datasets import iter_batches

NESTED = pd.DataFrame(
    {
        "a": [[1.0, 2.0], [3.0], [4.0, 5.0, 6.0], [7.0], [8.0]],
        "b": [[9, 8], [7], [6, 5, 4], [3], [2]],
        "pairs": [[[1, 2], [3, 4]], [[5, 6]], [[7, 8]] * 3, [[9, 0]], [[1, 1]]],
        "u": [1, 2, 3, 4, 5],
        "v": [1.5, 2.5, 3.5, 4.5, 5.5],
        "y": list("xyxyx"),
        "steps": [[0, 1], [1], [1, 0, 1], [0], [0]],
    }
)
LONG = pd.DataFrame(
    {"id": [1, 1, 2, 3, 3, 3], "x": [1.0, 2, 3, 4, 5, 6], "y": [0, 0, 1, 5, 5, 5]}
)


def write(folder, frame, parts=1, **options):
    edges = np.linspace(0, len(frame), parts + 1).astype(int)
    for k, (start, stop) in enumerate(itertools.pairwise(edges)):
        part = frame[start:stop]
        part.to_parquet(folder / f"{k}.parquet", index=False, **options)
    return folder


def as_lists(X):
    return [np.asarray(x).tolist() for x in X]


@pytest.mark.parametrize("parts", [1, 2, 4])
@pytest.mark.parametrize("batch_size", [1, 2, 3, 9])
def test_batches_are_full_whatever_the_files(tmp_path, parts, batch_size):
    write(tmp_path, NESTED, parts, row_group_size=2)
    batches = list(iter_batches(tmp_path, "a", "y", batch_size=batch_size))
    sizes = [len(X) for X, _ in batches]
    assert sizes[:-1] == [batch_size] * (len(sizes) - 1) and sum(sizes) == 5
    assert as_lists(x for X, _ in batches for x in X) == NESTED["a"].tolist()
    assert [label for _, y in batches for label in y] == list("xyxyx")


def test_columns_are_features_steps_or_lists_of_features(tmp_path):
    write(tmp_path, NESTED)
    (X,) = iter_batches(tmp_path, ["a", "b"])
    assert as_lists(X[:2]) == [[[1, 9], [2, 8]], [[3, 7]]]
    (X,) = iter_batches(tmp_path, "pairs")
    assert as_lists(X) == NESTED["pairs"].tolist()
    ((X, y),) = iter_batches(tmp_path, ["u", "v"], "steps")
    np.testing.assert_array_equal(X, NESTED[["u", "v"]])
    assert as_lists(y) == NESTED["steps"].tolist()
    ((X, y),) = iter_batches(tmp_path, "a", ["u", "v"])
    np.testing.assert_array_equal(y, NESTED[["u", "v"]])


@pytest.mark.parametrize("rows", [1, 2, 100])
def test_rows_of_an_id_are_one_sequence(tmp_path, monkeypatch, rows):
    monkeypatch.setattr("sklearn_rnn.datasets._parquet.ROWS_PER_READ", rows)
    write(tmp_path, LONG)
    batches = list(iter_batches(tmp_path, target="y", by="id", batch_size=2))
    assert [as_lists(X) for X, _ in batches] == [
        [[[1], [2]], [[3]]],
        [[[4], [5], [6]]],
    ]
    assert [y.tolist() for _, y in batches] == [[0, 1], [5]]


def test_files_are_read_in_the_order_that_is_asked_for(tmp_path):
    write(tmp_path, LONG, parts=6)
    (tmp_path / "a.parquet").mkdir()  # Spark writes folders with such names
    files = [tmp_path / "3.parquet", str(tmp_path / "1.parquet")]
    assert [X.ravel().tolist() for X in iter_batches(files, "x")] == [[4, 2]]
    options = {"values": "x", "shuffle": True, "batch_size": 6}
    (X,) = iter_batches(tmp_path, random_state=0, **options)
    (again,) = iter_batches(tmp_path, random_state=0, **options)
    (other,) = iter_batches(tmp_path, random_state=1, **options)
    assert sorted(X.ravel()) == [1, 2, 3, 4, 5, 6]
    np.testing.assert_array_equal(X, again)
    assert (X != other).any()


def test_batches_train_a_model(tmp_path):
    write(tmp_path, NESTED, parts=2)
    model = RNNRegressor("gru", 2, random_state=0)
    for X, y in iter_batches(tmp_path, "a", "v", batch_size=2):
        model.partial_fit(X, y)
    assert model.n_iter_ == 3


@pytest.mark.parametrize(
    ("change", "options", "error", "match"),
    [
        ({}, {"values": "z"}, ValueError, "no column 'z'"),
        ({}, {"values": ["a", "u"]}, TypeError, "lists in some of the columns"),
        ({}, {"values": "y"}, TypeError, "expected numbers"),
        ({"a": [None] * 5}, {"values": "a"}, ValueError, "'a' of .* has missing"),
        ({"b": [[1]] * 5}, {"values": ["a", "b"]}, ValueError, "2 numbers .* and 1 in"),
        (
            {"a": [[[1]], [[1, 2]]] * 2 + [[[1]]]},
            {"values": "a"},
            ValueError,
            "1 and of",
        ),
        ({"u": [1, 1, 2, 1, 1]}, {"values": "v", "by": "u"}, ValueError, "not sorted"),
        (
            {"u": [1, 1, 2, 2, 3]},
            {"values": "v", "by": "u", "target": "y"},
            ValueError,
            "is x and y for u=1",
        ),
        ({}, {"values": "a", "by": "u"}, TypeError, "'a' .* one value per row"),
        (
            {},
            {"values": "u", "by": "v", "target": "steps"},
            TypeError,
            "'steps' .* one value per row",
        ),
        ({}, {"values": "a", "target": ["u", "steps"]}, TypeError, "single column"),
        ({}, {"batch_size": 0}, ValueError, "batch_size == 0"),
    ],
)
def test_mistakes_are_named(tmp_path, change, options, error, match):
    write(tmp_path, NESTED.assign(**change))
    with pytest.raises(error, match=match):
        list(iter_batches(tmp_path, **options))


@pytest.mark.parametrize("rows", [1, 100])
def test_an_id_at_the_edges_of_two_files_is_an_error(tmp_path, monkeypatch, rows):
    monkeypatch.setattr("sklearn_rnn.datasets._parquet.ROWS_PER_READ", rows)
    for k, ids in enumerate([[1, 2], [3, 4], [2, 2]]):
        frame = pd.DataFrame({"id": ids, "x": [1.0, 2.0]})
        frame.to_parquet(tmp_path / f"{k}.parquet")
    files = sorted(tmp_path.iterdir())
    assert len(list(iter_batches([*files[:2], files[0]], by="id", batch_size=1))) == 6
    with pytest.raises(ValueError, match=r"id=2 is in two files, .*0.par.* and .*2.pa"):
        list(iter_batches(files, by="id"))
    with pytest.raises(ValueError, match="id=2 is in two files"):
        list(iter_batches(files[::-1], by="id"))


def test_ids_are_not_nan(tmp_path):
    pq.write_table(pa.table({"id": [1.0, np.nan], "x": [1, 2]}), tmp_path / "a.parquet")
    with pytest.raises(ValueError, match=r"'id' of .* NaN"):
        list(iter_batches(tmp_path, by="id"))


@pytest.mark.parametrize("column", ["x", "y"])
@pytest.mark.parametrize("batch_size", [2, 3])
def test_files_have_the_same_types(tmp_path, column, batch_size):
    table = {"x": [1.0, 2.0], "y": [0, 1]}
    pq.write_table(pa.table(table), tmp_path / "a.parquet")
    other = {"x": [[1.0], [2.0]], "y": ["p", "q"]}
    table[column] = other[column]
    pq.write_table(pa.table(table), tmp_path / "b.parquet")
    with pytest.raises(
        TypeError, match=r"b.parquet has .* but .*a.parquet has numbers"
    ):
        list(iter_batches(tmp_path, "x", "y", batch_size=batch_size))


def test_nested_lists_may_be_empty(tmp_path):
    nested = pa.list_(pa.list_(pa.float64()))
    for rows in ([[], []], [[[]], [[]]]):
        table = pa.table({"x": pa.array(rows, nested)})
        pq.write_table(table, tmp_path / "a.parquet")
        (X,) = iter_batches(tmp_path)
        with pytest.raises(ValueError, match=r"at least one (step|feature)"):
            RNNRegressor().fit(X, [0, 1])


def test_missing_files_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="contains no file"):
        iter_batches(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"x.parquet' does not exist"):
        iter_batches(tmp_path / "x.parquet")


def test_pyarrow_is_needed(tmp_path, monkeypatch):
    write(tmp_path, LONG)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match="pip install pyarrow"):
        iter_batches(tmp_path)
