"""Containers of sequences, and errors for those that cannot be read."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from scipy import sparse

from sklearn_rnn._data.sequences import (
    Sequences,
    as_codes,
    cast,
    check_codes,
    find_kind,
    from_array,
    from_ragged,
    from_table,
    from_tokens,
)
from sklearn_rnn._data.tokens import TokenArray

NAN, INF = np.nan, np.inf


def objects(*items):
    array = np.empty(len(items), dtype=object)
    array[:] = items
    return array


def name_of(X):
    return f"{type(X).__name__} of {type(next(iter(X))).__name__}"


def read(sequences):
    """Return the valid steps of each sequence as lists."""
    return [
        sequences.values[start : start + length].tolist()
        for start, length in zip(sequences.starts, sequences.lengths, strict=True)
    ]


ONE, TWO = np.array([1.0, 2.0, 3.0]), np.array([4.0])
WIDE, WIDER = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0]])

TABLES = {
    "2-D array": np.zeros((2, 3)),
    "pandas frame": pd.DataFrame({"a": [1, 2], "b": [3, 4]}),
    "polars frame": pl.DataFrame({"a": [1, 2], "b": [3, 4]}),
    "frame of one column": pd.DataFrame({"a": [1, 2]}),
    "equal lists": [[1, 2], [3, 4]],
    "equal tuples": ((1, 2), (3, 4)),
    "2-D tensor": torch.zeros(2, 3),
    "sparse matrix": sparse.csr_array(np.eye(2)),
    "empty list": [],
    "list of numbers": [1, 2],
    "1-D array": np.arange(3),
    "1-D tensor": torch.arange(3),
    "empty array": np.empty(0),
    "number": 3,
}
ARRAYS = {
    "array": np.zeros((2, 3, 1)),
    "tensor": torch.zeros(2, 3, 1),
    "empty": np.zeros((0, 3, 1)),
}
RAGGED = {
    "unequal lists": [[1, 2], [3]],
    "equal 1-D arrays": [ONE, ONE],
    "unequal 1-D arrays": [ONE, TWO],
    "2-D arrays": [WIDE, WIDER],
    "tuple of arrays": (WIDE, WIDER),
    "nested lists": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]],
    "1-D tensors": [torch.zeros(2), torch.zeros(2)],
    "2-D tensors": [torch.zeros(2, 3), torch.zeros(4, 3)],
    "one array": [ONE],
    "empty list inside": [[], [1]],
    "number inside": [[1, 2], 3],
    "object array": objects(ONE, TWO),
    "object array of equal 2-D arrays": objects(WIDE, WIDE),
    "object array of lists": objects([1, 2], [3, 4]),
    "pandas Series": pd.Series([ONE, TWO]),
    "pandas Series without label 0": pd.Series([ONE, TWO], index=[7, 3]),
    "pandas Series of 2-D arrays": pd.Series([WIDE, WIDE]),
    "pandas Series of lists": pd.Series([[1, 2], [3, 4]]),
    "polars Series of lists": pl.Series([[1, 2], [3]]),
    "polars Series of arrays": pl.Series([[1, 2]], dtype=pl.Array(pl.Int64, 2)),
    "polars Series of objects": pl.Series([WIDE, WIDER], dtype=pl.Object),
}
KINDS = [
    pytest.param(X, kind, id=f"{kind}: {name}")
    for kind, containers in (("table", TABLES), ("array", ARRAYS), ("ragged", RAGGED))
    for name, X in containers.items()
]


@pytest.mark.parametrize("X, kind", KINDS)
def test_kind_of_container(X, kind):
    assert find_kind(X) == kind


def test_kind_of_tokens():
    assert find_kind(TokenArray([[4, 5], [6, 0]], 7)) == "tokens"
    assert find_kind(TokenArray([[4, 5], [6, 0]], 7)[:1]) == "tokens"


@pytest.mark.parametrize(
    "X",
    [
        ["some text", "more"],
        [b"bytes"],
        np.array(["some text"]),
        objects("some text", "more"),
        pd.Series(["some text"]),
        pl.Series(["some text"]),
    ],
    ids=["list", "bytes", "array", "object array", "pandas", "polars"],
)
def test_text_is_refused_with_a_hint_to_vectorizers(X):
    with pytest.raises(ValueError, match=r"X contains text: b?'.*make_pipeline\(Char"):
        find_kind(X)


def test_long_text_is_quoted_only_in_part():
    with pytest.raises(ValueError, match="X contains text: 'aaaa") as error:
        find_kind(["a" * 1000])
    assert "a" * 41 not in str(error.value)


def test_table_of_single_features():
    sequences = from_table(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    assert read(sequences) == [[[1], [2], [3]], [[4], [5], [6]]]
    assert sequences.starts.tolist() == [0, 3]
    assert sequences.lengths.tolist() == [3, 3]
    assert sequences.vocabulary_size is None
    assert (len(sequences), sequences.input_size) == (2, 1)


def test_table_of_several_features_per_step():
    sequences = from_table(np.array([[1, 2, 3, 4], [5, 6, 7, 8]]), input_size=2)
    assert read(sequences) == [[[1, 2], [3, 4]], [[5, 6], [7, 8]]]
    assert sequences.starts.tolist() == [0, 2]
    assert sequences.input_size == 2


def test_table_that_features_do_not_divide_is_refused():
    with pytest.raises(
        ValueError, match="X has 5 columns, which is not a multiple of input_size=2"
    ):
        from_table(np.zeros((3, 5)), input_size=2)


def from_file(X, tmp_path):
    np.save(tmp_path / "X.npy", X)
    return np.load(tmp_path / "X.npy", mmap_mode="r")


LAYOUTS = {
    "fortran": lambda X, _: np.asfortranarray(X),
    "negative strides": lambda X, _: X[::-1, ::-1].copy()[::-1, ::-1],
    "every other row": lambda X, _: np.repeat(X, 2, axis=0)[::2],
    "read-only file": from_file,
    "big endian": lambda X, _: X.astype(">f8"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("reader", [from_table, from_array])
def test_memory_layout_does_not_matter(reader, layout, tmp_path):
    X = np.arange(12.0).reshape((2, 6) if reader is from_table else (2, 3, 2))
    sequences = reader(LAYOUTS[layout](X, tmp_path))
    assert read(sequences) == X.reshape(2, -1, sequences.input_size).tolist()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_layout_of_single_sequences_does_not_matter(layout, tmp_path):
    X = np.arange(12.0).reshape(6, 2)
    sequences = from_ragged([WIDE, LAYOUTS[layout](X, tmp_path)])
    assert read(sequences) == [WIDE.tolist(), X.tolist()]


def test_array_is_read_time_before_features():
    sequences = from_array(np.arange(12).reshape(2, 3, 2))
    expected = [[[0, 1], [2, 3], [4, 5]], [[6, 7], [8, 9], [10, 11]]]
    assert read(sequences) == expected
    assert sequences.starts.tolist() == [0, 3]
    assert sequences.values.dtype.kind == "i"


def test_a_contiguous_array_is_not_copied():
    X = np.arange(12.0).reshape(2, 3, 2)
    assert np.shares_memory(from_array(X).values, X)
    table = X.reshape(2, 6)
    assert np.shares_memory(from_table(table, input_size=2).values, table)


def test_trailing_steps_of_nan_are_padding():
    X = np.array(
        [
            [[1.0, 2.0], [NAN, NAN], [NAN, NAN]],
            [[3.0, 4.0], [5.0, 6.0], [7.0, 8.0]],
            [[9.0, 9.0], [8.0, 8.0], [NAN, NAN]],
        ]
    )
    kept = X.copy()
    sequences = from_array(X)
    assert sequences.lengths.tolist() == [1, 3, 2]
    assert sequences.starts.tolist() == [0, 3, 6]
    assert read(sequences)[0] == [[1, 2]]
    assert read(sequences)[2] == [[9, 9], [8, 8]]
    np.testing.assert_array_equal(X, kept)


@pytest.mark.parametrize(
    "row, what, step",
    [
        ([[1, 1], [NAN, NAN], [2, 2]], "NaN", 1),
        ([[NAN, 1], [2, 2], [NAN, NAN]], "NaN", 0),
        ([[1, 1], [2, 2], [NAN, 3]], "NaN", 2),
        ([[1, 1], [2, INF], [NAN, NAN]], "infinity", 1),
        ([[-INF, 1], [2, 2], [3, 3]], "infinity", 0),
    ],
)
def test_array_with_values_that_are_not_finite_is_refused(row, what, step):
    X = np.array([np.ones((3, 2)), row])
    message = rf"Input X contains {what}: sequence 1, step {step}\."
    with pytest.raises(ValueError, match=message):
        from_array(X)


def test_the_first_value_that_is_not_finite_is_named():
    X = [[1.0, INF, NAN], [NAN, -INF]]
    with pytest.raises(ValueError, match=r"contains infinity: sequence 0, step 1\."):
        from_ragged(X)


@pytest.mark.parametrize(
    "X", [np.array([[[1.0], [2.0]], [[NAN], [NAN]]]), np.empty((2, 0, 1))]
)
def test_array_with_an_empty_sequence_is_refused(X):
    with pytest.raises(ValueError, match=r"sequence [01] of X has no steps"):
        from_array(X)


def test_all_empty_sequences_are_counted():
    X = np.array([[[1.0]], [[NAN]], [[2.0]], [[NAN]]])
    with pytest.raises(ValueError, match=r"sequence 1 of X .* \(2 of 4 sequences"):
        from_array(X)


@pytest.mark.parametrize(
    "X, message",
    [
        (np.zeros((0, 3, 1)), r"0 sample\(s\)"),
        (np.zeros((2, 3, 0)), r"0 feature\(s\) \(shape=\(2, 3, 0\)\)"),
        (np.full((1, 1, 1), 1j), "Complex data not supported"),
        (np.array([[["a"]]]), "strings"),
    ],
    ids=["no sequence", "no feature", "complex", "text"],
)
def test_array_that_cannot_be_read_is_refused(X, message):
    with pytest.raises(ValueError, match=message):
        from_array(X)


@pytest.mark.parametrize(
    "X",
    [
        [ONE, TWO],
        [[1, 2, 3], [4]],
        (ONE, [4]),
        [torch.tensor([1.0, 2, 3]), torch.tensor([4])],
        objects(ONE, TWO),
        objects([1, 2, 3], (4,)),
        [objects(1, 2.0, np.int8(3)), TWO],
        [ONE[:, None], TWO],
        pd.Series([ONE, TWO], index=[7, 3]),
        pd.Series([[1, 2, 3], [4]]),
        [pd.Series([1, 2, 3], index=[9, 8, 7]), pd.Series([4])],
        pl.Series([[1, 2, 3], [4]]),
        pl.Series([ONE, TWO]),
        pl.Series([ONE, TWO], dtype=pl.Object),
    ],
    ids=name_of,
)
def test_sequences_of_single_features(X):
    sequences = from_ragged(X)
    assert read(sequences) == [[[1], [2], [3]], [[4]]]
    assert sequences.starts.tolist() == [0, 3]
    assert sequences.lengths.tolist() == [3, 1]


@pytest.mark.parametrize(
    "X",
    [
        [WIDE, WIDER],
        [WIDE.tolist(), WIDER.tolist()],
        [torch.tensor(WIDE), torch.tensor(WIDER)],
        objects(WIDE, WIDER),
        [objects(*WIDE), objects(*WIDER)],
        [pd.DataFrame(WIDE), pd.DataFrame(WIDER)],
        [pl.DataFrame(WIDE), pl.DataFrame(WIDER)],
        pd.Series([WIDE, WIDER]),
        pl.Series([WIDE, WIDER], dtype=pl.Object),
        pl.Series([WIDE.tolist(), WIDER.tolist()]),
    ],
    ids=name_of,
)
def test_sequences_of_several_features(X):
    sequences = from_ragged(X)
    assert read(sequences) == [[[1, 2], [3, 4]], [[5, 6]]]
    assert sequences.starts.tolist() == [0, 2]
    assert sequences.lengths.tolist() == [2, 1]
    assert sequences.input_size == 2


@pytest.mark.parametrize(
    "types, expected",
    [
        ((np.float32, np.float32), np.float32),
        ((np.float32, np.float64), np.float64),
        ((np.int32, np.float32), np.float64),
        ((np.int8, np.int32), np.int32),
        ((np.bool_, np.bool_), np.bool_),
    ],
)
def test_ragged_takes_the_result_type_of_its_elements(types, expected):
    sequences = from_ragged([np.ones(2, types[0]), np.ones(3, types[1])])
    assert sequences.values.dtype == expected


@pytest.mark.parametrize(
    "X",
    [
        [np.full(4, 6e4, dtype=np.float16)],
        [np.full(4, 3e38, dtype=np.float32)],
        [np.full(4, 1.7e308)],
    ],
    ids=["float16", "float32", "float64"],
)
def test_large_numbers_whose_sum_overflows_are_read(X):
    assert read(from_ragged(X)) == [X[0][:, None].tolist()]


GOOD = np.array([1.0, 2.0])


UNREADABLE = {
    "empty list": ([], r"sequence 1 of X has no steps \(1 of 2 sequences"),
    "empty array": (np.empty((0, 3)), "sequence 1 of X has no steps"),
    "NaN": ([1.0, NAN], r"contains NaN: sequence 1, step 1\."),
    "None": ([1.0, None], r"contains NaN: sequence 1, step 1\."),
    "infinity": ([INF, 1.0], r"contains infinity: sequence 1, step 0\."),
    "both infinities": ([-INF, INF], r"contains infinity: sequence 1, step 0\."),
    "complex": ([1j], r"Complex data not supported: sequence 1 of X\."),
    "text": ("some text", r"sequence 1 of X is text: 'some text'\. .*CharVectorizer"),
    "texts": (
        ["a", "b"],
        r"sequence 1 of X cannot be read as numbers .*CharVectorizer",
    ),
    "text inside": (
        [1.0, "b"],
        r"sequence 1 of X cannot be read as numbers .*CharVectorizer",
    ),
    "unequal rows": ([[1, 2], [3]], "sequence 1 of X cannot be read as numbers"),
    "unequal arrays": (objects(ONE, TWO), "sequence 1 of X cannot be read as numbers"),
    "complex object": (objects(1j), "sequence 1 of X cannot be read as numbers"),
    "NA": ([pd.NA], "sequence 1 of X cannot be read as numbers"),
    "number": (5, r"sequence 1 of X is 5 of type int; expected an array of shape"),
    "nothing": (None, "sequence 1 of X is None of type NoneType"),
    "dict": ({"a": 1}, "sequence 1 of X is {'a': 1} of type dict"),
    "numpy number": (np.float64(5), r"sequence 1 of X has the shape \(\); expected"),
    "3-D array": (np.zeros((2, 2, 2)), r"sequence 1 of X has the shape \(2, 2, 2\)"),
    "no feature": (np.zeros((2, 0)), r"sequence 1 of X has the shape \(2, 0\)"),
    "other features": (
        WIDE,
        "sequence 1 of X has 2 features per step, but sequence 0 has 1",
    ),
    "dates": (
        np.array(["2020-01-01"], dtype="M8[D]"),
        "sequence 1 of X has dtype datetime",
    ),
}


@pytest.mark.parametrize("bad, message", UNREADABLE.values(), ids=UNREADABLE)
def test_a_sequence_that_cannot_be_read_is_named(bad, message):
    with pytest.raises(ValueError, match=message):
        from_ragged([GOOD, bad])


def test_an_empty_list_among_wide_sequences_is_called_empty():
    with pytest.raises(ValueError, match="sequence 1 of X has no steps"):
        from_ragged([WIDE, []])


def test_rows_of_a_series_are_named_by_position():
    X = pd.Series([GOOD, np.array([NAN])], index=[70, 30])
    with pytest.raises(ValueError, match="sequence 1, step 0"):
        from_ragged(X)


def test_tokens_are_read_without_their_padding_or_a_copy():
    tokens = TokenArray([[4, 5, 6], [7, 0, 0], [1, 2, 0]], 8)
    sequences = from_tokens(tokens)
    assert read(sequences) == [[4, 5, 6], [7], [1, 2]]
    assert sequences.starts.tolist() == [0, 3, 6]
    assert sequences.lengths.tolist() == [3, 1, 2]
    assert (sequences.vocabulary_size, sequences.input_size) == (8, 1)
    assert type(sequences.values) is np.ndarray
    assert np.shares_memory(sequences.values, tokens)


def test_sliced_and_reversed_tokens_are_read():
    tokens = TokenArray([[4, 5, 6], [7, 0, 0], [1, 2, 0]], 8)
    assert read(from_tokens(tokens[::-2])) == [[1, 2], [4, 5, 6]]
    assert read(from_tokens(TokenArray(np.asfortranarray(tokens), 8)))[2] == [1, 2]


@pytest.mark.parametrize("row", [[4, 0, 5], [0, 4, 5], [0, 0, 4]])
def test_tokens_with_padding_inside_are_refused(row):
    message = r"sequence 1 of X has padding \(code 0\) before its end"
    with pytest.raises(ValueError, match=message):
        from_tokens(TokenArray([[4, 5, 6], row], 8))


def test_tokens_of_padding_only_are_refused():
    with pytest.raises(ValueError, match="sequence 1 of X has no steps"):
        from_tokens(TokenArray([[4, 0], [0, 0]], 8))


@pytest.mark.parametrize(
    "shape, message", [((0, 3), r"0 sample\(s\)"), ((2, 0), "sequence 0 of X has no")]
)
def test_tokens_without_any_code_are_refused(shape, message):
    with pytest.raises(ValueError, match=message):
        from_tokens(TokenArray(np.empty(shape, dtype=np.int32), 8))


@pytest.mark.parametrize("dtype", [np.int8, np.uint16, np.int64, np.uint64])
def test_integers_become_codes(dtype):
    table = from_table(np.array([[4, 5, 6], [7, 0, 0]], dtype=dtype))
    sequences = as_codes(table)
    assert read(sequences) == [[4, 5, 6], [7]]
    assert sequences.vocabulary_size == 8
    assert sequences.values.dtype == np.int32
    assert as_codes(table, vocabulary_size=20).vocabulary_size == 20


def test_ragged_integers_become_codes():
    sequences = as_codes(from_ragged([np.array([4]), np.array([5, 6, 1]), [7, 0]]))
    assert read(sequences) == [[4], [5, 6, 1], [7]]
    assert sequences.vocabulary_size == 8


def test_codes_of_an_array_with_one_feature_per_step():
    assert read(as_codes(from_array(np.array([[[4], [0]], [[5], [6]]])))) == [
        [4],
        [5, 6],
    ]


def test_tokens_stay_codes():
    sequences = from_tokens(TokenArray([[4, 5]], 8))
    assert as_codes(sequences, 20) is sequences


@pytest.mark.parametrize(
    "X, size, message",
    [
        (np.ones((2, 4)), 1, r"dtype float64 and 1 feature\(s\) per step"),
        (np.ones((2, 4), bool), 1, "dtype bool"),
        (np.ones((2, 4), int), 2, r"dtype int64 and 2 feature\(s\) per step"),
    ],
    ids=["float", "bool", "two features"],
)
def test_what_cannot_be_codes_is_refused(X, size, message):
    with pytest.raises(TypeError, match=f"embedding= reads X as codes.*{message}"):
        as_codes(from_table(X, size))


@pytest.mark.parametrize(
    "X, span",
    [
        (np.array([[4, -1]]), "-1..4"),
        (np.array([[4, 2**31]]), f"4..{2**31}"),
        (np.array([[4, 2**64 - 1]], dtype=np.uint64), f"4..{2**64 - 1}"),
    ],
    ids=["negative", "beyond int32", "beyond int64"],
)
def test_codes_out_of_range_are_refused(X, span):
    with pytest.raises(ValueError, match=rf"lie in 0\.\.2147483647, got {span}\."):
        as_codes(from_table(X))


@pytest.mark.parametrize("reader", [from_table, from_ragged])
def test_integer_codes_with_padding_inside_are_refused(reader):
    with pytest.raises(ValueError, match=r"sequence 1 of X has padding \(code 0\)"):
        as_codes(reader(np.array([[4, 5], [0, 5]])))


def test_codes_of_the_fitted_vocabulary_are_accepted():
    check_codes(from_tokens(TokenArray([[4, 7]], 8)), 8)
    check_codes(Sequences(np.array([7]), np.array([0]), np.array([1])), 8)


def test_another_vocabulary_is_refused():
    sequences = from_tokens(TokenArray([[4, 5]], 9))
    with pytest.raises(ValueError, match=r"vocabulary of size 9, .* fitted with 8"):
        check_codes(sequences, 8)


def test_a_code_beyond_the_vocabulary_is_refused():
    sequences = as_codes(from_table(np.array([[4, 8]])), vocabulary_size=8)
    with pytest.raises(ValueError, match=r"code 8, .* only the codes 0\.\.7\."):
        check_codes(sequences, 8)


def test_cast_changes_the_number_type():
    sequences = cast(from_ragged([[1, 2], [3]]), np.float32)
    assert sequences.values.dtype == np.float32
    assert read(sequences) == [[[1], [2]], [[3]]]


def test_cast_leaves_codes_and_fitting_numbers_as_they_are():
    tokens, numbers = from_tokens(TokenArray([[4, 5]], 8)), from_ragged([ONE])
    assert cast(tokens, np.float32) is tokens
    assert cast(numbers, np.float64) is numbers


def test_cast_ignores_padding():
    X = np.array([[[1.0], [NAN]], [[2.0], [3.0]]])
    assert read(cast(from_array(X), np.float32)) == [[[1]], [[2], [3]]]


@pytest.mark.parametrize("value", [1e39, -1e300])
def test_a_number_too_large_for_float32_is_refused(value):
    sequences = from_ragged([[1.0], [2.0, 3.0, value]])
    message = r"too large for dtype\('float32'\): sequence 1, step 2\. .*precision="
    with pytest.raises(ValueError, match=message):
        cast(sequences, np.float32)


def test_the_largest_float32_is_accepted():
    largest = float(np.finfo(np.float32).max)
    sequences = cast(from_ragged([[largest, largest]]), np.float32)
    assert read(sequences) == [[[largest], [largest]]]


def test_one_long_sequence_of_codes_needs_no_padded_array():
    codes = [np.array([4, 5])] * 4000 + [np.full(200_000, 4)]
    sequences = as_codes(from_ragged(codes))
    assert sequences.values.size == 208_000
    assert sequences.lengths.tolist() == [2] * 4000 + [200_000]
