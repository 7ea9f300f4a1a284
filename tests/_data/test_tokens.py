"""TokenArray: operations that keep or lose the vocabulary, and errors."""

import copy
import pickle
from types import SimpleNamespace

import joblib
import numpy as np
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn import TokenArray
from sklearn_rnn._data.tokens import _register_with_dask

ROWS = [[4, 5, 0], [6, 4, 5], [6, 0, 0]]


@pytest.fixture
def tokens():
    return TokenArray(ROWS, vocabulary_size=7)


def assert_tokens(actual, codes, vocabulary_size=7):
    assert type(actual) is TokenArray
    assert actual.dtype == np.int32
    assert actual.vocabulary_size == vocabulary_size
    assert_array_equal(actual.view(np.ndarray), codes)


def assert_plain(actual, values, dtype):
    assert type(actual) is np.ndarray
    assert actual.dtype == dtype
    assert_array_equal(actual, values)


@pytest.mark.parametrize(
    "codes",
    [
        ROWS,
        np.array(ROWS, dtype=np.uint8),
        np.array(ROWS, dtype=np.int64),
        np.array(ROWS, dtype=">i4"),
        np.asfortranarray(ROWS, dtype=np.int32),
        TokenArray(ROWS, vocabulary_size=9),
    ],
)
def test_any_integers_become_int32_codes(codes):
    assert_tokens(TokenArray(codes, vocabulary_size=7), ROWS)


def test_no_rows_are_allowed():
    assert_tokens(TokenArray(np.empty((0, 3)), 7), np.empty((0, 3)))


def test_highest_code_is_one_below_the_vocabulary_size():
    assert_tokens(TokenArray([[6]], vocabulary_size=7), [[6]])


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        (slice(1, None), ROWS[1:]),
        (slice(None, None, -1), ROWS[::-1]),
        ([2, 0, 2], [ROWS[2], ROWS[0], ROWS[2]]),
        (np.array([True, False, True]), [ROWS[0], ROWS[2]]),
        (slice(0, 0), np.empty((0, 3))),
        ((slice(None), slice(None, 2)), [[4, 5], [6, 4], [6, 0]]),
        (1, [6, 4, 5]),
    ],
    ids=["slice", "reversed", "fancy", "mask", "none", "columns", "row"],
)
def test_selected_rows_keep_the_vocabulary(tokens, index, expected):
    assert_tokens(tokens[index], expected)


def test_a_single_code_is_a_plain_integer(tokens):
    assert tokens[1, 0] == 6
    assert type(tokens[1, 0]) is np.int32


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, np.copy, lambda x: x.copy(), lambda x: x.astype("i4")],
    ids=["copy", "deepcopy", "np.copy", "method", "astype"],
)
def test_copies_do_not_share_memory(tokens, duplicate):
    codes = duplicate(tokens)
    codes[0, 0] = 6
    assert tokens[0, 0] == 4


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda x: x.copy(), lambda x: x.astype(np.int32)],
    ids=["copy", "deepcopy", "method", "astype"],
)
def test_copies_keep_the_vocabulary(tokens, duplicate):
    assert_tokens(duplicate(tokens), ROWS)


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_pickle_keeps_the_vocabulary(tokens, protocol):
    assert_tokens(pickle.loads(pickle.dumps(tokens, protocol)), ROWS)


def test_pickle_of_a_slice_holds_only_its_rows(tokens):
    assert_tokens(pickle.loads(pickle.dumps(tokens[::2, 1:])), [[5, 0], [0, 0]])


@pytest.mark.parametrize("mmap_mode", [None, "r", "c"])
def test_joblib_files_keep_the_vocabulary(tokens, tmp_path, mmap_mode):
    joblib.dump(tokens, tmp_path / "tokens.joblib")
    loaded = joblib.load(tmp_path / "tokens.joblib", mmap_mode=mmap_mode)
    assert_tokens(loaded, ROWS)
    assert_tokens(loaded[1:], ROWS[1:])


def test_memory_mapped_codes_stay_on_disk(tokens, tmp_path):
    joblib.dump(tokens, tmp_path / "tokens.joblib")
    loaded = joblib.load(tmp_path / "tokens.joblib", mmap_mode="r")
    assert isinstance(loaded.base, np.memmap)
    assert not loaded.flags.writeable


def test_joblib_hash_distinguishes_vocabularies(tokens):
    larger = TokenArray(ROWS, vocabulary_size=8)
    assert joblib.hash(tokens) != joblib.hash(larger)
    assert joblib.hash(tokens[1:]) != joblib.hash(larger[1:])


def test_joblib_hash_distinguishes_codes(tokens):
    assert joblib.hash(tokens) != joblib.hash(TokenArray(ROWS[::-1], 7))


@pytest.mark.parametrize(
    "same",
    [
        lambda x: x.copy(),
        lambda x: pickle.loads(pickle.dumps(x)),
        lambda x: TokenArray(np.array(ROWS, dtype=np.int64), 7),
    ],
    ids=["copy", "pickle", "anew"],
)
def test_joblib_hash_of_equal_tokens_is_equal(tokens, same):
    assert joblib.hash(tokens) == joblib.hash(same(tokens))


def test_comparisons_are_plain(tokens):
    expected = [[True, False, False], [False, True, False], [False, False, False]]
    assert_plain(tokens == 4, expected, bool)


def test_arithmetic_is_plain(tokens):
    assert_plain(tokens + 1, [[5, 6, 1], [7, 5, 6], [7, 1, 1]], np.int32)
    assert_plain(2 * tokens[1], [12, 8, 10], np.int32)
    assert_plain(tokens / 2, [[2, 2.5, 0], [3, 2, 2.5], [3, 0, 0]], float)
    assert_plain(tokens @ np.array([1, 0, 0]), [4, 6, 6], int)


def test_arithmetic_in_place_rebinds_the_name_to_a_plain_array(tokens):
    tokens += 1
    assert_plain(tokens, [[5, 6, 1], [7, 5, 6], [7, 1, 1]], np.int32)


@pytest.mark.parametrize(
    "compute",
    [
        lambda tokens: tokens + 1,
        lambda tokens: np.add(tokens, 1, out=tokens.copy()),
        lambda tokens: tokens == 4,
        lambda tokens: tokens.max(axis=0),
        lambda tokens: np.maximum.accumulate(tokens),
        lambda tokens: tokens.astype(np.int64),
        lambda tokens: np.concatenate([tokens, tokens], dtype=np.int64),
    ],
    ids=["sum", "out", "comparison", "reduction", "accumulation", "cast", "join"],
)
def test_results_hold_no_vocabulary_in_their_type(tokens, compute):
    # otherwise equal results of two vocabularies would have different hashes
    result = compute(tokens)
    assert not result.dtype.metadata
    larger = compute(TokenArray(ROWS, vocabulary_size=8))
    assert joblib.hash(result) == joblib.hash(larger)


def test_ufunc_output_into_tokens_is_plain(tokens):
    out = np.add(tokens, 1, out=tokens.copy())
    assert_plain(out, [[5, 6, 1], [7, 5, 6], [7, 1, 1]], np.int32)


def test_reductions_are_plain(tokens):
    assert_plain(tokens.sum(axis=1), [9, 15, 6], int)
    assert_plain(np.mean(tokens, axis=0), [16 / 3, 3, 5 / 3], float)
    assert_plain(tokens.max(axis=0), [6, 5, 5], np.int32)
    assert type(tokens.max()) is np.int32


@pytest.mark.parametrize("dtype", [float, np.float32, np.int64, np.uint8, bool])
def test_astype_to_another_type_is_plain(tokens, dtype):
    assert_plain(tokens.astype(dtype), np.array(ROWS, dtype=dtype), dtype)


def test_astype_obeys_its_casting_rule(tokens):
    with pytest.raises(TypeError, match="Cannot cast"):
        tokens.astype(np.int8, casting="safe")


def test_asarray_is_plain(tokens):
    assert_plain(np.asarray(tokens), ROWS, np.int32)


@pytest.mark.parametrize(
    ("join", "expected"),
    [
        (np.concatenate, [[4, 5], [6, 0], [5, 5]]),
        (np.vstack, [[4, 5], [6, 0], [5, 5]]),
        (np.hstack, None),
        (lambda parts: np.concatenate(parts, 0), [[4, 5], [6, 0], [5, 5]]),
        (lambda parts: np.vstack(tup=parts), [[4, 5], [6, 0], [5, 5]]),
    ],
    ids=["concatenate", "vstack", "hstack", "axis", "keyword"],
)
def test_joined_tokens_of_one_vocabulary_keep_it(join, expected):
    left, right = TokenArray([[4, 5], [6, 0]], 7), TokenArray([[5, 5]], 7)
    if expected is None:
        right, expected = TokenArray([[5], [4]], 7), [[4, 5, 5], [6, 0, 4]]
    assert_tokens(join([left, right]), expected)


JOINS = [
    np.concatenate,
    np.vstack,
    np.hstack,
    np.column_stack,
    np.stack,
    lambda parts: np.append(*parts, axis=1),
    lambda parts: np.c_[parts[0], parts[1]],
    lambda parts: np.r_[parts[0], parts[1]],
]
JOIN_IDS = ["concatenate", "vstack", "hstack", "column", "stack", "append", "c_", "r_"]


@pytest.mark.parametrize("join", JOINS, ids=JOIN_IDS)
def test_tokens_of_two_vocabularies_do_not_join(tokens, join):
    other = TokenArray(ROWS, vocabulary_size=8)
    with pytest.raises(TypeError, match="same vocabulary"):
        join([tokens, other])


@pytest.mark.parametrize("dtype", [float, np.int32])
@pytest.mark.parametrize("join", JOINS, ids=JOIN_IDS)
def test_tokens_do_not_join_numbers_on_either_side(tokens, join, dtype):
    numbers = np.ones((3, 3), dtype=dtype)
    with pytest.raises(TypeError, match="Codes are labels, not quantities"):
        join([tokens, numbers])
    with pytest.raises(TypeError, match="Codes are labels, not quantities"):
        join([numbers, tokens])


@pytest.mark.parametrize("dtype", [float, np.int64])
def test_join_to_another_type_is_plain(tokens, dtype):
    joined = np.concatenate([tokens[:1], tokens[2:]], dtype=dtype)
    assert_plain(joined, [ROWS[0], ROWS[2]], dtype)


def test_join_can_write_into_tokens(tokens):
    out = np.empty_like(tokens)
    assert_tokens(
        np.concatenate([tokens[1:], tokens[:1]], out=out), ROWS[1:] + ROWS[:1]
    )
    assert_array_equal(out, ROWS[1:] + ROWS[:1])


@pytest.mark.parametrize(
    ("codes", "got"),
    [([[-1, 4]], "-1..4"), ([[4, 7]], "4..7"), ([[0, 70]], "0..70")],
)
def test_codes_outside_the_vocabulary_are_refused(codes, got):
    message = f"codes must lie in 0..6 for a vocabulary_size of 7, got {got}."
    with pytest.raises(ValueError) as caught:
        TokenArray(codes, vocabulary_size=7)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "codes",
    [
        np.array([[2**63]], dtype=np.uint64),
        np.array([[2**63 + 4]], dtype=np.uint64),
        np.array([[2**40]], dtype=np.int64),
        np.array([[2**32 + 4]], dtype=np.int64),
        np.array([[-(2**32) + 4]], dtype=np.int64),
    ],
)
def test_codes_that_would_wrap_around_in_int32_are_refused(codes):
    with pytest.raises(ValueError, match=f"got {codes[0, 0]}"):
        TokenArray(codes, vocabulary_size=7)


@pytest.mark.parametrize("vocabulary_size", [2**31, 2**40])
def test_vocabulary_beyond_int32_is_refused(vocabulary_size):
    with pytest.raises(ValueError, match=rf"below 2\*\*31, got {vocabulary_size}"):
        TokenArray([[4]], vocabulary_size)


@pytest.mark.parametrize("vocabulary_size", [7.5, "7", None])
def test_vocabulary_size_is_an_integer(vocabulary_size):
    with pytest.raises(TypeError, match="interpreted as an integer"):
        TokenArray([[4]], vocabulary_size)


@pytest.mark.parametrize(
    ("codes", "dtype"),
    [([[4.0]], "float64"), ([["a"]], "<U1"), ([[True]], "bool"), ([[None]], "object")],
)
def test_codes_of_another_type_are_refused(codes, dtype):
    with pytest.raises(TypeError, match=f"must be integers, got dtype {dtype}"):
        TokenArray(codes, vocabulary_size=7)


@pytest.mark.parametrize(("codes", "ndim"), [([4, 5], 1), (4, 0), ([[[4]]], 3)])
def test_codes_of_another_number_of_dimensions_are_refused(codes, ndim):
    with pytest.raises(ValueError, match=f"got {ndim} dimensions"):
        TokenArray(codes, vocabulary_size=7)


def test_repr_shows_codes_and_vocabulary(tokens):
    assert repr(tokens[:2]) == (
        "TokenArray([[4, 5, 0],\n            [6, 4, 5]], vocabulary_size=7)"
    )


def test_repr_can_be_evaluated(tokens):
    assert_tokens(eval(repr(tokens)), ROWS)


class Dispatch:
    """The part of dask's registries of functions that is used."""

    def __init__(self):
        self.functions = {}

    def register(self, kind):
        return lambda function: self.functions.setdefault(kind, function)

    def dispatch(self, kind):
        return self.functions[kind]

    def __call__(self, x):
        return self.functions[type(x)](x)


def test_dask_is_given_the_vocabulary():
    # tests/clients has the real library
    protocol = SimpleNamespace(dask_serialize=Dispatch(), dask_deserialize=Dispatch())
    protocol.dask_serialize.register(np.ndarray)(lambda x: (x.dtype.str, [x.tobytes()]))
    protocol.dask_deserialize.register(np.ndarray)(
        lambda header, frames: np.frombuffer(frames[0], header).reshape(2, -1)
    )
    _register_with_dask(protocol)
    tokens = TokenArray([[4, 5, 0], [6, 4, 5]], vocabulary_size=9)
    header, frames = protocol.dask_serialize(tokens)
    result = protocol.dask_deserialize.dispatch(TokenArray)(header, frames)
    assert_array_equal(result, tokens)
    assert (type(result), result.vocabulary_size) == (TokenArray, 9)


def test_joblib_writes_codes_once_for_all_tasks():
    tokens = TokenArray(np.arange(4, 24).reshape(5, 4), 24)
    again = pickle.loads(pickle.dumps(tokens))
    for part in (tokens, tokens[1:4], tokens[[3, 0]], again):
        _, (codes, size) = part.__reduce__()
        assert part.__reduce__()[1][0] is codes and type(codes) is np.ndarray
        assert_array_equal(codes, np.asarray(part))
        assert size == part.vocabulary_size == 24


def test_masked_arrays_of_another_type_are_sliced():
    tokens = TokenArray(np.array([[4, 5], [6, 7]]), 8)
    masked = np.ma.masked_array(tokens, subok=True).astype(np.float32)
    part = np.flip(masked, axis=1)  # as matplotlib's imshow does
    assert part.dtype == np.float32
    assert part.tolist() == [[5, 4], [7, 6]]
