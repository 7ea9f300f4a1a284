"""Conversion of the steps and chunks of streams to numbers or codes."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_array_equal
from scipy import sparse
from stream_models import QUICK, F, N, T, V, close, fitted, same_state
from torch.nn.utils.rnn import pack_sequence

from sklearn_rnn import RNNRegressor, TokenArray
from sklearn_rnn.streaming._reading import (
    code_rows,
    code_step,
    number_rows,
    number_step,
)


def test_padding_of_a_chunk_is_not_read(rng):
    codes = rng.integers(1, V, size=(3, 6))
    lengths = [2, 6, 4]
    for row, length in zip(codes, lengths, strict=True):
        row[length:] = 0
    codes = TokenArray(codes, V)
    for settings in ({}, {"return_sequences": True}):
        model = RNNRegressor(**QUICK, **settings)
        y = rng.normal(size=(3, 6) if settings else 3)
        model.fit(codes, y)
        stream = model.stream(3)
        first = stream.predict(codes)
        assert stream.state["n_steps"].tolist() == lengths
        for found, whole in zip(first, model.predict(codes), strict=True):
            close(found, whole)
        more = stream.predict(codes[:, :2])
        whole = [[*row[:n], *row[:2]] for row, n in zip(codes, lengths, strict=True)]
        for k, row in enumerate(whole):
            answer = model.predict(TokenArray([row], V))[0]
            close(more[k], answer[-2:] if settings else answer)


def test_steps_in_every_shape(one_feature, model, X):
    model_1, X_1 = one_feature
    expected = model_1.predict(X_1[:, :2])
    for shape in [(N, 1), (N,)]:
        stream = model_1.stream(N)
        stream.predict(X_1[:, 0].reshape(shape))
        close(stream.predict(X_1[:, 1].reshape(shape).tolist()), expected)
    for shape in [(1, 1), (1,), ()]:
        stream = model_1.stream()
        stream.predict(X_1[0, 0].reshape(shape))
        close(stream.predict(X_1[0, 1].reshape(shape)), expected[:1])
    close(model_1.stream().predict(0.25), model_1.predict([[0.25]]))
    close(model.stream().predict_proba(X[0, 0]), model.predict_proba(X[:1, :1]))
    integers = np.arange(N)
    close(model_1.stream(N).predict(integers), model_1.predict(integers[:, None, None]))


BAD_STEPS = {
    "NaN": (np.full((2, F), np.nan), "x contains NaN"),
    "too large": (np.full((2, F), 1e300), "too large for dtype..float32"),
    "features": (np.zeros((2, F + 1)), r"shape \(2, 4\) for 2 stream.s. of 3 feature"),
    "streams": (np.zeros((3, F)), r"shape \(3, 3\) for 2 stream.s. of 3 feature"),
    "flat": (np.zeros(2 * F), r"expected \(2, 3\), or \(2, n_timesteps, 3\)"),
    "text": (["a", "b"], "expected real numbers.*Convert text to sequences"),
    "complex": (np.zeros((2, F), complex), "dtype complex128"),
    "objects": ([[{}] * F] * 2, "cannot be read as numbers"),
    "chunk of others": (np.zeros((3, 2, F)), "chunks for 3 streams, expected 2"),
    "chunk's features": (np.zeros((2, 2, F + 1)), "X has 4 features per step"),
    "chunk of NaN": (np.full((2, 2, F), np.inf), "sequence 0, step 0"),
    "no steps": (np.zeros((2, 0, F)), "sequence 0 of X has no steps"),
    "keys": ({"a": np.zeros(F)}, "keys were given"),
}


@pytest.mark.parametrize("bad", BAD_STEPS)
def test_a_bad_step_moves_nothing(bad, X):
    model = fitted(X)
    stream = model.stream(2)
    stream.predict(X[:2, 0])
    before = stream.state
    x, message = BAD_STEPS[bad]
    with pytest.raises(ValueError, match=message):
        stream.predict(x)
    same_state(stream.state, before)


BAD_CODES = {
    "padding": ([0, 4], "contains the code 0"),
    "unknown": (
        [4, V],
        f"contains the code {V}; expected codes of the vocabulary, 1..11",
    ),
    "numbers": ([1.5, 2.5], "fitted on codes; expected integers"),
    "text": (["a", "b"], "Convert text to sequences"),
    "streams": ([4, 5, 6], "3 codes for 2 stream"),
    "chunk": ([[4, 5], [6, V]], r"codes must lie in 0\.\.11"),
    "other vocabulary": (TokenArray([[4], [5]], V + 1), "vocabulary of size 13"),
    "no steps": (TokenArray([[4, 5], [0, 0]], V), "sequence 1 of X has no steps"),
}


@pytest.mark.parametrize("bad", BAD_CODES)
def test_a_bad_code_leaves_the_state_unchanged(bad, rng):
    model = fitted(TokenArray(rng.integers(1, V, size=(N, T)), V))
    stream = model.stream(2)
    stream.predict([4, 5])
    before = stream.state
    x, message = BAD_CODES[bad]
    with pytest.raises(ValueError, match=message):
        stream.predict(x)
    same_state(stream.state, before)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        ({"a": np.zeros(F), "b": np.zeros(F + 1)}, ValueError, "features|shape"),
        ({"a": np.zeros(F), "b": np.full(F, np.nan)}, ValueError, "stream 1 of 2"),
        ({"a": np.zeros((2, F)), "c": np.zeros((2, 2, F))}, ValueError, "shape"),
        ({("tuple",): np.zeros(F)}, TypeError, "expected str or int"),
        ({True: np.zeros(F)}, TypeError, "expected str or int"),
        (np.zeros((1, F)), ValueError, "sequences of this stream have keys"),
    ],
)
def test_bad_steps_by_key_move_nothing(x, error, message, model, X):
    stream = model.stream(None)
    stream.predict({"a": X[0, 0]})
    before = stream.state
    with pytest.raises(error, match=message):
        stream.predict(x)
    same_state(stream.state, before)


# -------------------------------------------------- readers alone


@pytest.mark.parametrize(
    ("x", "n", "size", "expected"),
    [
        ([[1, 2], [3, 4]], 2, 2, [[1, 2], [3, 4]]),
        ([1, 2], 2, 1, [[1], [2]]),
        ([1, 2], 1, 2, [[1, 2]]),
        (5, 1, 1, [[5]]),
        (np.array([[1, "2.5"]], dtype=object), 1, 2, [[1, 2.5]]),
    ],
)
def test_a_step_of_numbers_has_a_row_per_stream(x, n, size, expected):
    assert number_step(x, n, size).tolist() == expected


@pytest.mark.parametrize(
    "x", [np.zeros((2, 3, 1)), [np.zeros((2, 1)), np.zeros((3, 1))], [[[1]], [[2]]]]
)
def test_a_chunk_of_numbers_is_no_step(x):
    assert number_step(x, 2, 1) is None


def test_a_chunk_of_numbers_is_a_cube_or_one_table_per_stream():
    cube = np.zeros((2, 3, 4))
    assert number_rows(cube, 2, 4) is cube
    rows = number_rows([np.zeros((3, 4)), np.zeros(4), [[0] * 4]], 3, 4)
    assert [row.shape for row in rows] == [(3, 4), (1, 4), (1, 4)]
    with pytest.raises(ValueError, match=r"chunk of stream 1 has the shape \(3,\)"):
        number_rows([np.zeros(4), np.zeros(3)], 2, 4)


@pytest.mark.parametrize("x", [[5, 6], np.array([5, 6], np.uint8)])
def test_a_step_of_codes_has_one_per_stream(x):
    assert code_step(x, 2, V).tolist() == [5, 6]
    assert code_step(7, 1, V).tolist() == [7]


@pytest.mark.parametrize("x", [[[5, 6], [7, 8]], [[5], [6, 7]]])
def test_a_chunk_of_codes_is_no_step(x):
    assert code_step(x, 2, V) is None


@pytest.mark.parametrize("code", [0, -1, V])
def test_a_code_without_a_token_is_named(code):
    with pytest.raises(ValueError, match=f"the code {code}; .* vocabulary, 1..{V - 1}"):
        code_step([5, code], 2, V)


def test_a_chunk_of_codes_is_a_token_array_or_one_per_stream():
    tokens = TokenArray([[5, 6], [7, 0]], V)
    assert code_rows(tokens, 2, V) is tokens
    assert code_rows(tokens[0], 1, V).tolist() == [[5, 6]]
    plain = code_rows(np.array([[5, 6], [7, 0]]), 2, V)
    assert isinstance(plain, TokenArray) and plain.tolist() == tokens.tolist()
    rows = code_rows([[5, 6], tokens[1:], 7], 3, V)
    assert all(isinstance(row, TokenArray) for row in rows)
    assert [row.tolist() for row in rows] == [[5, 6], [7, 0], [7]]
    with pytest.raises(ValueError, match="chunks for 2 streams, expected 3"):
        code_rows(tokens, 3, V)


@pytest.mark.parametrize("kind", ["jagged", "packed", "arrow", "frame", "sparse"])
def test_chunks_in_containers_of_other_libraries(kind, rng):
    rows = [rng.normal(size=(3 + k, 2)) for k in range(3)]
    model = RNNRegressor(**QUICK).fit(rows, np.arange(3.0))
    tensors = [torch.tensor(row) for row in rows]
    column = np.empty(3, dtype=object)
    column[:] = rows
    given = {
        "jagged": lambda: torch.nested.nested_tensor(tensors, layout=torch.jagged),
        "packed": lambda: pack_sequence(tensors, enforce_sorted=False),
        "arrow": lambda: pytest.importorskip("pyarrow").array(
            map(np.ndarray.tolist, rows)
        ),
        "frame": lambda: pd.DataFrame({"x": column}),
        "sparse": lambda: [sparse.csr_array(row) for row in rows],
    }[kind]()
    found = model.stream(3).predict(given)
    for one, expected in zip(found, model.stream(3).predict(rows), strict=True):
        assert_array_equal(one, expected)


def test_a_sparse_matrix_is_an_error():
    with pytest.raises(ValueError, match=r"Sparse data .*x\.toarray\(\)"):
        number_step(sparse.csr_array((1, 2)), 1, 2)


def test_objects_that_are_not_numbers_are_an_error():
    with pytest.raises(ValueError, match="x cannot be read as numbers"):
        number_step(np.array([["a"]], dtype=object), 1, 1)
