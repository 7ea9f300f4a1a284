"""Reading of X: tables, numbers or codes, in fit and in prediction."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
import torch
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier
from sklearn.multiclass import OneVsOneClassifier

from sklearn_rnn import CharVectorizer, RNNClassifier
from sklearn_rnn._data.reading import SequenceReader, is_table


@pytest.fixture
def model():
    return RNNClassifier("gru", 8, max_epochs=3, random_state=0)


@pytest.fixture
def table(rng):
    X = rng.normal(size=(60, 6))
    return X, (X.sum(axis=1) > 0).astype(int)


def test_plain_integers_are_codes_where_embedding_says_so(names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    common = {"max_epochs": 2, "random_state": 0}
    of_tokens = RNNClassifier("gru", 4, embedding=6, **common).fit(tokens, y)
    plain = np.array(tokens)
    of_plain = RNNClassifier("gru", 4, embedding=6, **common).fit(plain, y)
    np.testing.assert_array_equal(
        of_plain.predict_proba(plain), of_tokens.predict_proba(tokens)
    )
    ragged = [row[row > 0] for row in plain]
    np.testing.assert_array_equal(
        of_plain.predict_proba(ragged), of_tokens.predict_proba(tokens)
    )


@pytest.mark.parametrize(
    "given, precision, computed, answered",
    [
        ("float64", "auto", torch.float64, "float64"),
        ("float32", "auto", torch.float32, "float32"),
        ("int64", "auto", torch.float32, "float32"),
        ("bool", "auto", torch.float32, "float32"),
        ("float16", "auto", torch.float32, "float32"),
        ("float32", "float64", torch.float64, "float64"),
        ("float64", "float32", torch.float32, "float32"),
        ("float64", "bfloat16", torch.float32, "float32"),
    ],
)
def test_precision(model, given, precision, computed, answered, rng):
    X = (10 * rng.normal(size=(20, 4))).astype(given)
    model.set_params(precision=precision).fit(X, [0, 1] * 10)
    assert model.module_.head.weight.dtype == computed
    assert model.predict_proba(X).dtype == answered
    assert model.predict_proba(X.astype(float)).dtype == answered


def test_input_size_reads_steps_of_several_columns(model, table):
    X, y = table
    flat = clone(model).set_params(input_size=3).fit(X, y)
    assert (flat.n_features_in_, flat.input_size_) == (6, 3)
    cube = clone(model).fit(X.reshape(60, 2, 3), y)
    np.testing.assert_array_equal(
        flat.predict_proba(X), cube.predict_proba(X.reshape(60, 2, 3))
    )


def test_other_lengths_than_in_fit_are_fine(model, table):
    X, y = table
    model.fit(list(X), y)
    assert model.predict([X[0], X[0, :1], np.tile(X[0], 50)]).shape == (3,)


def test_columns_that_input_size_does_not_divide(model, table):
    model.set_params(input_size=4)
    with pytest.raises(
        ValueError, match="6 columns, which is not a multiple of input_size=4"
    ):
        model.fit(*table)


def test_input_size_against_another_container(model, table):
    X, y = table
    with pytest.raises(ValueError, match="2 features per step, but input_size=3"):
        model.set_params(input_size=3).fit(X.reshape(60, 3, 2), y)


def test_other_features_at_predict(model, table):
    X, y = table
    model.fit(X.reshape(60, 3, 2), y)
    with pytest.raises(ValueError, match=r"3 features per step.*fitted with 2"):
        model.predict(X.reshape(60, 2, 3))
    model.fit(X, y)
    with pytest.raises(
        ValueError, match="X has 5 features, but RNNClassifier is expec"
    ):
        model.predict(X[:, :5])


def test_numbers_for_codes_and_codes_for_numbers(model, table, names):
    texts, labels = names
    tokens = CharVectorizer().fit_transform(texts)
    model.fit(tokens, labels)
    with pytest.raises(ValueError, match=r"X contains numbers, but .* fitted on codes"):
        model.predict(table[0])
    model.fit(*table)
    with pytest.raises(
        ValueError, match=r"X contains codes of a vocabulary, but .* numbers"
    ):
        model.predict(tokens)


def test_codes_of_another_vocabulary(model, names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    model.fit(tokens, y)
    other = CharVectorizer().fit_transform(["entirely different text"])
    with pytest.raises(ValueError, match=r"vocabulary of size \d+, but .* fitted with"):
        model.predict(other)


def test_a_plain_code_outside_the_vocabulary(names):
    model = RNNClassifier("gru", 4, embedding=3, max_epochs=1)
    model.fit(np.array([[4, 5], [5, 6]] * 4), [0, 1] * 4)
    with pytest.raises(ValueError, match=r"code 7, but .* 0\.\.6"):
        model.predict(np.array([[4, 7]]))
    with pytest.raises(ValueError, match=r"0\.\.2147483647, got 4\.\.4294967296"):
        model.predict(np.array([[4, 2**32]]))
    with pytest.raises(ValueError, match=r"got -1\.\.4"):
        model.predict(np.array([[4, -1]]))
    with pytest.raises(TypeError, match="embedding= reads X as codes, but X has dtype"):
        model.predict(np.array([[4.5, 1.0]]))
    with pytest.raises(ValueError, match=r"padding \(code 0\) before its end"):
        model.predict(np.array([[0, 4]]))


@pytest.mark.parametrize("scaling", [False, True])
def test_a_number_too_large_for_the_fitted_type(model, table, scaling):
    X, y = table
    model.set_params(precision="float32", scaling=scaling).fit(X, y)
    with pytest.raises(ValueError, match="too large for dtype"):
        model.predict(np.full((1, 6), 1e300))


def test_an_embedding_for_another_vocabulary_says_what_it_needs(model, names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    model.set_params(embedding=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="embedding has 3 vectors, but X has a vocab"):
        model.fit(tokens, y)


def test_feature_names_are_checked(model, table):
    X, y = table
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model.fit(frame, y)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"a": "z"}))


@pytest.mark.parametrize("fit_as", [list, np.stack])
def test_one_sequence_in_place_of_several_is_refused(model, rng, fit_as):
    X = rng.normal(size=(20, 5, 3))
    model.fit(fit_as(X), [0, 1] * 10)
    message = r"read as 5 sequences of 3 steps .* fitted with 3 .*into a list: \[X\]"
    for one in (X[0], X[0].tolist(), pd.DataFrame(X[0])):
        with pytest.raises(ValueError, match=message):
            model.predict(one)
    assert model.predict([X[0]]).shape == (1,)


@pytest.mark.parametrize("input_size", [None, 2])
def test_one_sequence_after_a_fit_on_a_table_is_refused(model, rng, input_size):
    X = rng.normal(size=(20, 8))
    model.set_params(input_size=input_size).fit(X, [0, 1] * 10)
    one = X[0].reshape(-1, input_size or 1)
    with pytest.raises(ValueError, match=r"is expecting 8 features .*into a list: \[X"):
        model.predict(one)
    assert model.predict([one]).shape == (1,)


def test_one_sequence_of_one_feature_is_a_warning(model, rng):
    X = rng.normal(size=(20, 5, 1))
    model.fit(X, [0, 1] * 10)
    with pytest.warns(UserWarning, match=r"5 sequences of one step\. .*list: \[X"):
        assert model.predict(X[0]).shape == (5,)
    assert model.predict(X[0][:1]).shape == (1,)  # without a warning


def test_one_sequence_of_input_size_features_is_a_warning(model, rng):
    X = rng.normal(size=(20, 5, 2))
    model.set_params(input_size=2).fit(X, [0, 1] * 10)
    with pytest.warns(UserWarning, match=r"5 sequences of one step\. .*list: \[X"):
        assert model.predict(X[0]).shape == (5,)


def test_one_dimension_may_be_one_sequence(model, rng):
    with pytest.raises(ValueError, match=r"got 1D array.*\(5,\).*into a list: \[X\]"):
        model.fit(np.ones(5), [0, 1, 0, 1, 0])
    X = rng.normal(size=(20, 5, 1))
    model.fit(X, [0, 1] * 10)
    with pytest.raises(ValueError, match=r"got 1D array.*\(5,\).*into a list: \[X\]"):
        model.predict(X[0, :, 0])


@pytest.mark.parametrize(
    ("input_size", "array"),
    [(None, r"np\.array\(x\)"), (2, r"np\.reshape\(x, \(-1, 2")],
)
def test_shorter_lists_than_in_fit_are_refused_with_a_remedy(model, input_size, array):
    model.set_params(input_size=input_size)
    model.fit([[1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]] * 10, [0, 1] * 10)
    message = f"X has 2 features, but RNNClassifier is expecting 4 .*{array}"
    with pytest.raises(ValueError, match=message):
        model.predict([[1.0, 2.0]])
    remedy = [np.reshape([1.0, 2.0], (-1, input_size or 1))]
    assert model.predict(remedy).shape == (1,)


@pytest.mark.parametrize("library", [pd, pl], ids=["pandas", "polars"])
def test_columns_of_sequences_that_are_frames_are_checked(model, rng, library):
    X = [library.DataFrame({"a": a, "b": -a}) for a in rng.normal(size=(8, 4))]
    model.fit(X, [0, 1] * 4)
    assert model.feature_names_in_.tolist() == ["a", "b"]
    assert len(model.predict(X)) == len(model.predict([x.to_numpy() for x in X])) == 8
    with pytest.raises(ValueError, match="same order as they were in fit"):
        model.predict([x[["b", "a"]] for x in X])
    with pytest.raises(ValueError, match=r"sequence 3 of X has the columns"):
        model.predict([*X[:3], X[3][["b", "a"]]])
    model.fit([x.to_numpy() for x in X], [0, 1] * 4)
    assert not hasattr(model, "feature_names_in_")


def test_integers_that_float32_would_round(model):
    X = 2**24 + np.arange(2)[:, None]
    model.set_params(max_epochs=1, scaling=False)
    computed = model.fit(X.repeat(2, 0), [0, 1, 0, 1])
    assert computed.module_.head.weight.dtype == torch.float64
    model.fit(X % 7, [0, 1])
    assert model.module_.head.weight.dtype == torch.float32
    with pytest.warns(UserWarning, match=r"integers that float32 rounds to 24"):
        model.predict(X)
    model.predict(X[:1])
    with pytest.warns(UserWarning, match="float64 rounds to 53 .* from X[.]$"):
        model.fit(X + 2**60, [0, 1])


def test_a_list_of_rows_of_tokens_is_read_as_tokens(model, names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    expected = clone(model).fit(tokens, y).predict_proba(tokens)
    apart = clone(model).fit(list(tokens), y)
    np.testing.assert_array_equal(apart.predict_proba(list(tokens)), expected)
    np.testing.assert_array_equal(apart.predict_proba(tokens), expected)
    with pytest.raises(TypeError, match="mixes tokens"):
        model.fit([*tokens[:-1], np.array([4, 5])], y)


def test_a_single_row_of_tokens_says_how_to_take_it(model, names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    with pytest.raises(ValueError, match=r"tokens\[i : i \+ 1\]"):
        model.fit(tokens, y).predict(tokens[0])


def test_a_code_made_negative_afterwards_is_refused(model, names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    model.fit(tokens, y)
    tokens[0, 0] = -1
    with pytest.raises(ValueError, match="contains the code -1"):
        model.predict(tokens)


def test_a_huge_code_is_refused_before_memory_is_allocated():
    model = RNNClassifier("gru", 4, embedding=3)
    with pytest.raises(ValueError, match="Number the codes without gaps"):
        model.fit(np.array([[4, 2**30], [5, 6]]), [0, 1])


@pytest.mark.parametrize("tool", [BaggingClassifier, OneVsOneClassifier])
def test_plain_arrays_of_tokens_from_meta_estimators_are_read_as_tokens(tool, names):
    """Bagging and similar tools call check_array, which returns a plain array."""
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    model = RNNClassifier("gru", 8, max_epochs=10, random_state=0)
    fitted = tool(model).fit(tokens, y)
    for part in fitted.estimators_:
        assert "embedding.weight" in part.module_.state_dict()
    assert fitted.score(tokens, y) > 0.9


def test_arithmetic_with_codes_gives_numbers(names):
    tokens = CharVectorizer().fit_transform(names[0])
    model = RNNClassifier("gru", 4, max_epochs=1).fit(tokens + 1, names[1])
    assert "embedding.weight" not in model.module_.state_dict()


# ------------------------------------------------------------------ the reader alone


class Reader(SequenceReader):
    def __init__(self, embedding="auto", input_size=None, precision="auto"):
        self.embedding, self.input_size = embedding, input_size
        self.precision = precision


def test_a_fit_remembers_what_x_was():
    reader = Reader()
    reader._read(pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]}), reset=True)
    assert (reader.n_features_in_, reader.input_size_) == (2, 1)
    assert reader.feature_names_in_.tolist() == ["a", "b"]
    reader._read([np.ones((2, 3)), np.ones((4, 3))], reset=True)
    assert reader.input_size_ == 3
    for name in ("n_features_in_", "feature_names_in_"):  # are of tables
        assert not hasattr(reader, name)


def test_reading_for_a_prediction_changes_nothing():
    reader = Reader()
    reader._read(np.ones((2, 4)), reset=True)
    before = dict(vars(reader))
    reader._read([np.ones(3), np.ones(5)], reset=False)
    assert vars(reader) == before


def test_a_table_may_follow_sequences_of_another_length():
    reader = Reader()
    reader._read([np.ones(3), np.ones(5)], reset=True)
    assert reader._read(np.ones((2, 4)), reset=False).lengths.tolist() == [4, 4]


@pytest.mark.parametrize(
    ("fitted", "precision", "dtype"),
    [
        ("float64", "auto", "float64"),
        ("float32", "auto", "float32"),
        ("int64", "auto", "float32"),
        ("float32", "float64", "float64"),
        ("float64", "bfloat16", "float32"),
    ],
)
def test_the_type_of_the_network_is_that_of_fit(fitted, precision, dtype):
    reader = Reader(precision=precision)
    for reset, given in [(True, fitted), (False, "float64"), (False, "int8")]:
        reader._read([np.ones(2, given), np.ones(3, given)], reset=reset)
        assert reader._number_type == dtype


@pytest.mark.parametrize("n_values, dtype", [(2**14, "float64"), (2**15, "float32")])
def test_many_numbers_in_float64_are_computed_in_float32(n_values, dtype):
    reader = Reader()
    padded = np.full((n_values // 64, 20, 4), np.nan)
    padded[:, :16] = 1.0
    reader._read(padded, reset=True)
    assert reader._number_type == dtype


def test_the_vocabulary_is_that_of_fit():
    reader = Reader(embedding=3)
    codes = reader._read([np.array([4, 9]), np.array([5])], reset=True)
    assert codes.vocabulary_size == 10
    assert reader._read([np.array([6])], reset=False).vocabulary_size == 10
    reader = Reader(embedding=np.zeros((20, 3)))
    codes = reader._read([np.array([4, 9]), np.array([5])], reset=True)
    assert codes.vocabulary_size == 20


@pytest.mark.parametrize(
    ("embedding", "expected"),
    [("auto", False), ("onehot", False), (8, False), (np.eye(3), True), ([[1]], True)],
)
def test_an_array_of_vectors_is_distinguished_from_other_embeddings(
    embedding, expected
):
    assert is_table(embedding) is expected
