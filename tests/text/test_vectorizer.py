"""Common behavior of CharVectorizer and WordVectorizer."""

import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import InvalidParameterError
from text_examples import CODES, assert_tokens

from sklearn_rnn import CharVectorizer, WordVectorizer
from sklearn_rnn.text import _vectorizer


def test_tokens_get_codes_from_4_in_the_order_of_their_code_points(Vectorizer, texts):
    vectorizer = Vectorizer().fit(texts)
    assert vectorizer.vocabulary_ == {"a": 4, "b": 5, "c": 6}
    assert list(vectorizer.vocabulary_) == ["a", "b", "c"]
    assert vectorizer.vocabulary_size_ == 7


def test_documents_are_padded_on_the_right(Vectorizer, texts):
    assert_tokens(Vectorizer().fit(texts).transform(texts), CODES, 7)


def test_padding_reaches_the_longest_of_the_given_documents(Vectorizer, texts):
    assert_tokens(Vectorizer().fit(texts).transform(texts[1:]), [[5, 4], [5, 0]], 7)


def test_vocabulary_does_not_depend_on_the_order_of_documents(Vectorizer, texts):
    forwards, backwards = Vectorizer().fit(texts), Vectorizer().fit(texts[::-1])
    assert list(forwards.vocabulary_) == list(backwards.vocabulary_)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"min_df": 2},
        {"max_df": 0.5, "handle_unknown": "ignore"},
        {"min_count": 2},
        {"max_features": 1},
        {"vocabulary": ["b", "c"]},
        {"max_length": 2, "truncation": "left"},
        {"boundaries": True, "max_length": 4},
        {"min_df": 2, "handle_unknown": "ignore", "boundaries": True},
    ],
    ids=str,
)
def test_fit_then_transform_equals_fit_transform(Vectorizer, texts, params):
    apart = Vectorizer(**params).fit(texts).transform(texts)
    together = Vectorizer(**params).fit_transform(texts)
    assert_tokens(together, apart, apart.vocabulary_size)


def test_fit_gives_the_vectorizer_itself_and_ignores_y(Vectorizer, texts):
    vectorizer = Vectorizer()
    assert vectorizer.fit(texts, [1, 2, 3]) is vectorizer
    assert_tokens(vectorizer.fit_transform(texts, [1, 2, 3]), CODES, 7)


def test_refitting_replaces_the_vocabulary(Vectorizer, text_of):
    vectorizer = Vectorizer().fit([text_of("xyz")])
    assert_tokens(vectorizer.fit_transform([text_of("ab")]), [[4, 5]], 6)
    assert vectorizer.vocabulary_ == {"a": 4, "b": 5}


@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_generator_is_read_once(Vectorizer, texts, method):
    reads = []

    def documents():
        for text in texts:
            reads.append(text)
            yield text

    vectorizer = Vectorizer()
    getattr(vectorizer, method)(documents())
    assert reads == texts
    assert_tokens(vectorizer.transform(iter(texts)), CODES, 7)


def test_no_documents_give_no_rows(Vectorizer, texts):
    tokens = Vectorizer().fit(texts).transform([])
    assert_tokens(tokens, np.empty((0, 1)), 7)


def test_empty_document_becomes_one_unknown_code(Vectorizer, text_of):
    tokens = Vectorizer().fit_transform(["", text_of("ab"), "", ""])
    assert_tokens(tokens, [[1, 0], [4, 5], [1, 0], [1, 0]], 6)


@pytest.mark.parametrize("blank", ["", []])
def test_only_empty_documents_become_unknown_codes(Vectorizer, texts, blank):
    tokens = Vectorizer().fit(texts).transform([blank, blank])
    assert_tokens(tokens, [[1], [1]], 7)


def test_lowercase_merges_upper_and_lower_case(Vectorizer):
    assert list(Vectorizer(lowercase=True).fit(["A", "a"]).vocabulary_) == ["a"]
    assert list(Vectorizer(lowercase=False).fit(["A", "a"]).vocabulary_) == ["A", "a"]


@pytest.mark.parametrize(
    ("strip_accents", "expected"),
    [
        (None, ["a", "é", "я"]),
        ("unicode", ["a", "e", "я"]),
        ("ascii", ["a", "e"]),
        (lambda text: text.replace("я", "r"), ["a", "r", "é"]),
    ],
    ids=["None", "unicode", "ascii", "callable"],
)
def test_accents_are_stripped_as_specified(Vectorizer, strip_accents, expected):
    vectorizer = Vectorizer(strip_accents=strip_accents).fit(["a", "é", "я"])
    assert list(vectorizer.vocabulary_) == expected


def test_preprocessor_replaces_lowercase_and_strip_accents(Vectorizer):
    vectorizer = Vectorizer(
        lowercase=True, strip_accents="unicode", preprocessor=lambda text: text[1:]
    )
    assert list(vectorizer.fit(["xÉ", "yA"]).vocabulary_) == ["A", "É"]


def test_preprocessor_receives_decoded_text(Vectorizer):
    vectorizer = Vectorizer(encoding="latin-1", preprocessor=str.upper)
    assert list(vectorizer.fit([b"\xe9"]).vocabulary_) == ["É"]


def test_tokenizer_splits_the_preprocessed_text(Vectorizer):
    vectorizer = Vectorizer(lowercase=True, tokenizer=lambda text: text.split("-"))
    tokens = vectorizer.fit_transform(["Be-to", "to"])
    assert_tokens(tokens, [[4, 5], [5, 0]], 6)
    assert vectorizer.vocabulary_ == {"be": 4, "to": 5}


DF_LETTERS = ["aab", "abc", "abcd", "ae"]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({}, "abcde"),
        ({"min_df": 1}, "abcde"),
        ({"min_df": 2}, "abc"),
        ({"min_df": 3}, "ab"),
        ({"min_df": 0.5}, "abc"),
        ({"min_df": 0.51}, "ab"),
        ({"min_df": 1.0}, "a"),
        ({"min_df": 0.0}, "abcde"),
        ({"max_df": 1.0}, "abcde"),
        ({"max_df": 0.75}, "bcde"),
        ({"max_df": 0.74}, "cde"),
        ({"max_df": 3}, "bcde"),
        ({"max_df": 1}, "de"),
        ({"max_df": 100}, "abcde"),
        ({"min_df": 2, "max_df": 0.5}, "c"),
        ({"min_count": 1}, "abcde"),
        ({"min_count": 2}, "abc"),
        ({"min_count": 3}, "ab"),
        ({"min_count": 4}, "a"),
        ({"min_count": 2, "min_df": 3}, "ab"),
        ({"min_count": 3, "min_df": 2}, "ab"),
        ({"min_count": 2, "max_df": 0.75}, "bc"),
        ({"min_count": 2, "max_features": 2}, "ab"),
        ({"min_count": 3, "max_features": 1, "max_df": 3}, "b"),
        ({"max_features": 1}, "a"),
        ({"max_features": 3}, "abc"),
        ({"max_features": 100}, "abcde"),
        ({"max_features": 2, "max_df": 3}, "bc"),
    ],
    ids=str,
)
def test_rare_and_frequent_tokens_are_left_out(Vectorizer, text_of, params, expected):
    vectorizer = Vectorizer(**params).fit([text_of(letters) for letters in DF_LETTERS])
    assert list(vectorizer.vocabulary_) == list(expected)


@pytest.mark.parametrize("limit", ["min_df", "max_df"])
@pytest.mark.parametrize("count", [7, 14, 28, 29, 55, 57, 58])
def test_the_fraction_of_documents_is_exact(Vectorizer, limit, count):
    documents = [["b", "a"]] * count + [["a"]] * (100 - count)
    if limit == "max_df":
        documents[0] = [*documents[0], "c"]
    vectorizer = Vectorizer(**{limit: count / 100}).fit(documents)
    assert "b" in vectorizer.vocabulary_


def test_max_features_counts_occurrences_and_not_documents(Vectorizer, text_of):
    vectorizer = Vectorizer(max_features=1).fit(
        [text_of("aaaa"), text_of("b"), text_of("b")]
    )
    assert list(vectorizer.vocabulary_) == ["a"]


def test_min_count_counts_occurrences_in_all_documents(Vectorizer, text_of):
    vectorizer = Vectorizer(min_count=3)
    vectorizer.fit([text_of("aaa"), text_of("bb"), text_of("bc"), text_of("c")])
    assert list(vectorizer.vocabulary_) == ["a", "b"]


@pytest.mark.parametrize(
    "params", [{"min_df": 3, "max_df": 2}, {"min_df": 0.8, "max_df": 0.5}], ids=str
)
def test_max_df_below_min_df_is_an_error(Vectorizer, texts, params):
    with pytest.raises(ValueError, match="fewer documents than min_df"):
        Vectorizer(**params).fit(texts)


@pytest.mark.parametrize(
    ("documents", "params"),
    [([], {}), ([""], {}), ([[]], {}), ([["a"], ["b"]], {"min_df": 2})],
)
def test_empty_vocabulary_is_an_error(Vectorizer, documents, params):
    with pytest.raises(ValueError, match="empty vocabulary"):
        Vectorizer(**params).fit(documents)


@pytest.mark.parametrize("max_df", [1.0, 5])
def test_the_error_for_a_large_min_df_suggests_min_count(Vectorizer, text_of, max_df):
    message = "set min_df=1: it counts documents, and there are only 1. Set min_count"
    with pytest.raises(ValueError, match=f"empty vocabulary.*{message}"):
        Vectorizer(min_df=2, max_df=max_df).fit([text_of("abab")])


def test_min_count_that_leaves_no_token_is_an_error(Vectorizer, text_of):
    with pytest.raises(ValueError, match=r"empty vocabulary.* min_count .* relax"):
        Vectorizer(min_count=3).fit([text_of("ab"), text_of("ba")])


@pytest.mark.parametrize(
    "make",
    [list, tuple, iter, np.array, dict.fromkeys],
    ids=["list", "tuple", "iterator", "array", "dict"],
)
def test_given_vocabulary_keeps_its_order(Vectorizer, texts, make):
    vectorizer = Vectorizer(vocabulary=make(["c", "a", "z"]))
    tokens = vectorizer.fit_transform(texts)
    assert_tokens(tokens, [[4, 5, 1], [1, 5, 0], [1, 0, 0]], 7)
    assert vectorizer.vocabulary_ == {"c": 4, "a": 5, "z": 6}


def test_vocabulary_of_another_vectorizer_gives_the_same_codes(Vectorizer, text_of):
    first = Vectorizer().fit([text_of("dbca")])
    second = Vectorizer(vocabulary=first.vocabulary_).fit([text_of("a")])
    assert second.vocabulary_ == {"a": 4, "b": 5, "c": 6, "d": 7}


def test_vocabulary_given_as_a_set_is_sorted(Vectorizer, texts):
    letters = {chr(code) for code in range(ord("a"), ord("z") + 1)}
    vectorizer = Vectorizer(vocabulary=letters).fit(texts)
    assert list(vectorizer.vocabulary_) == list("abcdefghijklmnopqrstuvwxyz")


def test_given_vocabulary_is_not_pruned(Vectorizer, texts):
    pruning = {"min_df": 2, "min_count": 2, "max_features": 1}
    vectorizer = Vectorizer(vocabulary=["z", "c"], **pruning).fit(texts)
    assert vectorizer.vocabulary_ == {"z": 4, "c": 5}


@pytest.mark.parametrize(
    ("vocabulary", "error", "message"),
    [
        (["a", "b", "a"], ValueError, r"contains tokens more than once: \['a'\]"),
        ([], ValueError, "at least one token, got \\[\\]"),
        ("abc", ValueError, "at least one token, got 'abc'"),
        (["a", 1], TypeError, "contains 1 of type int at position 1; expected str"),
        ([b"a"], TypeError, "contains b'a' of type bytes at position 0"),
        (["a", None], TypeError, "contains None of type NoneType at position 1"),
    ],
    ids=["twice", "empty", "str", "int", "bytes", "None"],
)
def test_invalid_vocabulary_is_an_error(Vectorizer, texts, vocabulary, error, message):
    with pytest.raises(error, match=message):
        Vectorizer(vocabulary=vocabulary).fit(texts)


def test_unknown_token_gets_code_1(Vectorizer, texts, text_of):
    tokens = Vectorizer(handle_unknown="unk").fit(texts).transform([text_of("axb")])
    assert_tokens(tokens, [[4, 1, 5]], 7)


def test_unknown_token_can_be_left_out(Vectorizer, texts, text_of):
    vectorizer = Vectorizer(handle_unknown="ignore").fit(texts)
    tokens = vectorizer.transform([text_of("axb"), text_of("xyx"), text_of("ca")])
    assert_tokens(tokens, [[4, 5], [1, 0], [6, 4]], 7)


def test_unknown_token_can_raise(Vectorizer, texts, text_of):
    vectorizer = Vectorizer(handle_unknown="error").fit(texts)
    with pytest.raises(ValueError, match="document 1 contains the token 'x', which is"):
        vectorizer.transform([text_of("ab"), text_of("bxy")])


def test_known_tokens_do_not_raise(Vectorizer, texts):
    vectorizer = Vectorizer(handle_unknown="error")
    assert_tokens(vectorizer.fit_transform(texts), CODES, 7)


@pytest.mark.parametrize(
    ("handle_unknown", "expected"),
    [("unk", [[1, 4, 5], [5, 4, 0], [5, 0, 0]]), ("ignore", [[4, 5], [5, 4], [5, 0]])],
)
def test_pruned_tokens_are_unknown_while_fitting(
    Vectorizer, texts, handle_unknown, expected
):
    vectorizer = Vectorizer(min_df=2, handle_unknown=handle_unknown)
    assert_tokens(vectorizer.fit_transform(texts), expected, 6)
    assert vectorizer.vocabulary_ == {"a": 4, "b": 5}


def test_document_of_pruned_tokens_only_becomes_one_unknown_code(Vectorizer, text_of):
    vectorizer = Vectorizer(min_df=2, handle_unknown="ignore")
    tokens = vectorizer.fit_transform([text_of("xyz"), text_of("ab"), text_of("ab")])
    assert_tokens(tokens, [[1, 0], [4, 5], [4, 5]], 6)


def test_pruned_token_raises_in_fit_transform(Vectorizer, text_of):
    vectorizer = Vectorizer(min_df=2, handle_unknown="error")
    with pytest.raises(ValueError, match="document 1 contains the token 'x'"):
        vectorizer.fit_transform([text_of("ab"), text_of("abxy")])


def test_token_outside_the_given_vocabulary_raises_when_encoded(Vectorizer, texts):
    vectorizer = Vectorizer(vocabulary=["a", "b"], handle_unknown="error")
    with pytest.raises(ValueError, match="document 0 contains the token 'c'"):
        vectorizer.fit(texts).transform(texts)


@pytest.mark.parametrize(
    ("truncation", "expected"),
    [("right", [[6, 4], [5, 4], [5, 0]]), ("left", [[4, 5], [5, 4], [5, 0]])],
)
def test_long_documents_are_cut_on_one_side(Vectorizer, texts, truncation, expected):
    vectorizer = Vectorizer(max_length=2, truncation=truncation)
    assert_tokens(vectorizer.fit_transform(texts), expected, 7)


@pytest.mark.parametrize("truncation", ["right", "left"])
def test_empty_documents_survive_cutting(Vectorizer, texts, truncation):
    vectorizer = Vectorizer(max_length=1, truncation=truncation).fit(texts)
    tokens = vectorizer.transform(["", texts[2], ""])
    assert_tokens(tokens, [[1], [5], [1]], 7)


def test_max_length_does_not_pad_short_documents(Vectorizer, texts):
    assert_tokens(Vectorizer(max_length=50).fit_transform(texts), CODES, 7)


def test_ignored_tokens_do_not_count_towards_max_length(Vectorizer, texts, text_of):
    vectorizer = Vectorizer(max_length=2, handle_unknown="ignore").fit(texts)
    assert_tokens(vectorizer.transform([text_of("xxabc")]), [[4, 5]], 7)


def test_max_length_does_not_hide_tokens_from_the_vocabulary(Vectorizer, texts):
    assert list(Vectorizer(max_length=1).fit(texts).vocabulary_) == ["a", "b", "c"]


def test_boundaries_enclose_every_document(Vectorizer, texts):
    tokens = Vectorizer(boundaries=True).fit_transform([*texts, ""])
    expected = [[2, 6, 4, 5, 3], [2, 5, 4, 3, 0], [2, 5, 3, 0, 0], [2, 3, 0, 0, 0]]
    assert_tokens(tokens, expected, 7)


def test_boundaries_enclose_only_empty_documents(Vectorizer, texts):
    vectorizer = Vectorizer(boundaries=True).fit(texts)
    assert_tokens(vectorizer.transform(["", ""]), [[2, 3], [2, 3]], 7)


@pytest.mark.parametrize(
    ("truncation", "expected"),
    [("right", [[2, 6, 4, 3], [2, 5, 3, 0]]), ("left", [[2, 4, 5, 3], [2, 5, 3, 0]])],
)
def test_boundaries_count_towards_max_length(Vectorizer, texts, truncation, expected):
    vectorizer = Vectorizer(boundaries=True, max_length=4, truncation=truncation)
    assert_tokens(vectorizer.fit(texts).transform([texts[0], texts[2]]), expected, 7)


@pytest.mark.parametrize("max_length", [1, 2])
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_max_length_must_allow_a_token_between_boundaries(
    Vectorizer, texts, max_length, method
):
    vectorizer = Vectorizer(boundaries=True, max_length=max_length)
    with pytest.raises(ValueError, match="at least 3 codes"):
        getattr(vectorizer, method)(texts)


def test_smallest_max_length_with_boundaries_leaves_one_token(Vectorizer, texts):
    tokens = Vectorizer(boundaries=True, max_length=3).fit_transform(texts)
    assert_tokens(tokens, [[2, 6, 3], [2, 5, 3], [2, 5, 3]], 7)


def test_unknown_token_is_restored_as_the_replacement_character(
    Vectorizer, texts, text_of
):
    vectorizer = Vectorizer().fit(texts)
    tokens = vectorizer.transform([text_of("axb"), ""])
    assert vectorizer.inverse_transform(tokens) == [text_of("a\ufffdb"), "\ufffd"]


def test_reserved_codes_other_than_unknown_are_not_restored(Vectorizer, texts, text_of):
    vectorizer = Vectorizer().fit(texts)
    codes = [[2, 4, 5, 3, 0], [0, 6, 0, 4, 0], [0, 0, 0, 0, 0], [2, 3, 0, 0, 0]]
    assert vectorizer.inverse_transform(codes) == [text_of("ab"), text_of("ca"), "", ""]


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
def test_plain_integers_are_decoded_to_text(Vectorizer, texts, text_of, dtype):
    codes = np.array(CODES, dtype=dtype)
    expected = [text_of("cab"), text_of("ba"), text_of("b")]
    assert Vectorizer().fit(texts).inverse_transform(codes) == expected


def test_inverse_of_a_code_outside_the_vocabulary_is_an_error(Vectorizer, texts):
    with pytest.raises(ValueError, match=r"codes must lie in 0\.\.6"):
        Vectorizer().fit(texts).inverse_transform([[4, 7]])


def test_inverse_of_numbers_is_an_error(Vectorizer, texts):
    with pytest.raises(TypeError, match="codes must be integers"):
        Vectorizer().fit(texts).inverse_transform([[4.0, 5.0]])


def test_onehot_has_a_1_in_the_column_of_each_code(Vectorizer, texts, text_of):
    onehot = Vectorizer().fit(texts).to_onehot(text_of("bxa"))
    expected = [[0, 0, 0, 0, 0, 1, 0], [0, 1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 0, 0]]
    assert_array_equal(onehot.toarray(), expected)
    assert onehot.format == "csr"
    assert onehot.nnz == 3


def test_onehot_shows_boundaries_and_cuts(Vectorizer, texts):
    vectorizer = Vectorizer(boundaries=True, max_length=3).fit(texts)
    expected = np.eye(7)[[2, 6, 3]]
    assert_array_equal(vectorizer.to_onehot(texts[0]).toarray(), expected)


@pytest.mark.parametrize("document", [["b", "a"], ("b", "a")])
def test_onehot_of_split_tokens(Vectorizer, texts, document):
    onehot = Vectorizer().fit(texts).to_onehot(document)
    assert_array_equal(onehot.toarray(), np.eye(7)[[5, 4]])


def test_feature_names_are_the_columns_of_onehot(Vectorizer, texts):
    names = Vectorizer().fit(texts).get_feature_names_out()
    assert names.tolist() == ["<pad>", "<unk>", "<start>", "<end>", "a", "b", "c"]


def test_feature_names_follow_the_given_vocabulary(Vectorizer, texts):
    names = Vectorizer(vocabulary=["c", "a"]).fit(texts).get_feature_names_out()
    assert names[4:].tolist() == ["c", "a"]


def test_expensive_padding_raises_a_warning_that_suggests_max_length(
    Vectorizer, texts, text_of, monkeypatch
):
    vectorizer = Vectorizer().fit(texts)
    documents = [text_of("a"), text_of("ab" * 5), text_of("c")]
    monkeypatch.setattr(_vectorizer, "PADDED_BYTES_WITHOUT_WARNING", 4 * 3 * 10 - 1)
    message = "padding 3 documents to the longest one of 10 .* 12 tokens.* max_length"
    with pytest.warns(UserWarning, match=message) as caught:
        tokens = vectorizer.transform(documents)
    assert caught[0].filename == __file__
    assert_array_equal(tokens[0], [4] + [0] * 9)


def test_cheap_padding_does_not_warn(Vectorizer, texts, text_of, monkeypatch):
    vectorizer = Vectorizer().fit(texts)
    monkeypatch.setattr(_vectorizer, "PADDED_BYTES_WITHOUT_WARNING", 4 * 2 * 10)
    tokens = vectorizer.transform([text_of("a"), text_of("ab" * 5)])
    assert_array_equal(tokens[0], [4] + [0] * 9)


def test_max_length_prevents_the_warning(Vectorizer, texts, text_of, monkeypatch):
    monkeypatch.setattr(_vectorizer, "PADDED_BYTES_WITHOUT_WARNING", 4 * 2 * 3)
    vectorizer = Vectorizer(max_length=3).fit(texts)
    tokens = vectorizer.transform([text_of("a"), text_of("ab" * 5)])
    assert_tokens(tokens, [[4, 0, 0], [4, 5, 4]], 7)


@pytest.mark.parametrize(
    "call",
    [
        lambda vectorizer: vectorizer.transform(["a"]),
        lambda vectorizer: vectorizer.inverse_transform([[4]]),
        lambda vectorizer: vectorizer.to_onehot("a"),
        lambda vectorizer: vectorizer.get_feature_names_out(),
    ],
    ids=["transform", "inverse_transform", "to_onehot", "get_feature_names_out"],
)
@pytest.mark.parametrize("vocabulary", [None, ["a"]])
def test_unfitted_vectorizer_raises_not_fitted_error(Vectorizer, vocabulary, call):
    with pytest.raises(NotFittedError):
        call(Vectorizer(vocabulary=vocabulary))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("input", "url"),
        ("encoding", None),
        ("decode_error", "loud"),
        ("lowercase", "yes"),
        ("strip_accents", "latin"),
        ("preprocessor", "lower"),
        ("tokenizer", "split"),
        ("min_df", 1.5),
        ("min_df", -1),
        ("max_df", 1.5),
        ("max_df", -0.1),
        ("min_count", 0),
        ("min_count", 0.5),
        ("max_features", 0),
        ("vocabulary", 3),
        ("handle_unknown", "skip"),
        ("max_length", 0),
        ("max_length", 2.0),
        ("truncation", "middle"),
        ("boundaries", None),
    ],
)
@pytest.mark.parametrize("method", ["fit", "fit_transform"])
def test_invalid_parameter_is_named(Vectorizer, texts, method, name, value):
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of"):
        getattr(Vectorizer(**{name: value}), method)(texts)


NOT_DEFAULT = {
    "input": "file",
    "encoding": "latin-1",
    "decode_error": "ignore",
    "strip_accents": "ascii",
    "preprocessor": str.strip,
    "tokenizer": str.split,
    "min_df": 2,
    "max_df": 0.5,
    "min_count": 2,
    "max_features": 9,
    "vocabulary": ["b", "a"],
    "handle_unknown": "error",
    "max_length": 7,
    "truncation": "left",
    "boundaries": True,
}
OF_EACH = {
    CharVectorizer: {"lowercase": True},
    WordVectorizer: {
        "lowercase": False,
        "token_pattern": "a",
        "stop_words": ["x"],
        "detokenizer": " ".join,
    },
}


def test_clone_keeps_every_parameter(Vectorizer):
    params = NOT_DEFAULT | OF_EACH[Vectorizer]
    default = Vectorizer().get_params()
    assert params.keys() == default.keys()
    assert all(params[name] != default[name] for name in params)
    assert clone(Vectorizer(**params)).get_params() == params


def test_parameters_are_keyword_only(Vectorizer):
    with pytest.raises(TypeError, match="positional"):
        Vectorizer("content")


def test_fitting_changes_no_parameter_and_no_document(Vectorizer):
    vocabulary, documents = ["b", "a"], [["a", "b", "x"], "b"]
    vectorizer = Vectorizer(vocabulary=vocabulary, boundaries=True, max_length=4)
    before = dict(vectorizer.get_params())
    vectorizer.fit_transform(documents)
    assert vectorizer.get_params() == before
    assert vectorizer.vocabulary is vocabulary
    assert vocabulary == ["b", "a"]
    assert documents == [["a", "b", "x"], "b"]


def test_transform_changes_no_attribute(Vectorizer, texts, text_of):
    vectorizer = Vectorizer(handle_unknown="ignore").fit(texts)
    before = joblib.hash(vectorizer)
    vectorizer.transform([text_of("xyz")])
    vectorizer.to_onehot(text_of("ax"))
    assert joblib.hash(vectorizer) == before


def test_pickled_vectorizer_gives_the_same_codes(Vectorizer, texts):
    vectorizer = pickle.loads(pickle.dumps(Vectorizer().fit(texts)))
    assert_tokens(vectorizer.transform(texts), CODES, 7)
    assert vectorizer.inverse_transform(CODES) == texts


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_set_output_does_not_affect_codes(Vectorizer, texts, container):
    vectorizer = Vectorizer().set_output(transform=container)
    assert_tokens(vectorizer.fit_transform(texts), CODES, 7)
    assert_tokens(vectorizer.transform(texts), CODES, 7)


def test_global_output_setting_does_not_affect_codes(Vectorizer, texts):
    with sklearn.config_context(transform_output="pandas"):
        assert_tokens(Vectorizer().fit_transform(texts), CODES, 7)


def test_output_setting_of_a_pipeline_does_not_affect_codes(Vectorizer, texts):
    pipeline = make_pipeline(Vectorizer()).set_output(transform="pandas")
    assert_tokens(pipeline.fit_transform(texts), CODES, 7)


@pytest.fixture
def frame(texts):
    return pd.DataFrame({"text": texts, "age": [1.0, 2.0, 3.0]}, index=[5, 3, 4])


def test_column_transformer_of_one_text_column_gives_codes(Vectorizer, frame):
    columns = ColumnTransformer([("text", Vectorizer(), "text")])
    assert_tokens(columns.fit_transform(frame), CODES, 7)
    assert_tokens(columns.transform(frame[1:]), [[5, 4], [5, 0]], 7)


@pytest.mark.parametrize("reverse", [False, True])
def test_column_transformer_does_not_join_codes_and_numbers(Vectorizer, frame, reverse):
    parts = [("text", Vectorizer(), "text"), ("age", StandardScaler(), ["age"])]
    columns = ColumnTransformer(parts[::-1] if reverse else parts)
    with pytest.raises(TypeError, match="Codes are labels, not quantities"):
        columns.fit_transform(frame)


def test_column_transformer_does_not_join_two_vocabularies(Vectorizer, frame, text_of):
    frame["more"] = [text_of("ab"), text_of("a"), text_of("b")]
    parts = [("text", Vectorizer(), "text"), ("more", Vectorizer(), "more")]
    with pytest.raises(TypeError, match=r"got vocabulary sizes \[6, 7\]"):
        ColumnTransformer(parts).fit_transform(frame)


def test_columns_of_codes_have_no_names(Vectorizer, frame):
    columns = ColumnTransformer([("text", Vectorizer(), "text")]).fit(frame)
    with pytest.raises(ValueError, match="columns of codes are time steps"):
        columns.get_feature_names_out()
    columns.set_output(transform="pandas")
    with pytest.raises(ValueError, match=r'set_output\(transform="default"\)'):
        columns.transform(frame)


def test_tags_declare_text_as_input(Vectorizer):
    tags = sklearn.utils.get_tags(Vectorizer())
    assert tags.input_tags.string
    assert not tags.input_tags.two_d_array
    assert not tags.target_tags.required


@pytest.mark.parametrize("vectorizer", [CharVectorizer(), WordVectorizer()], ids=repr)
def test_a_failed_fit_does_not_change_the_vectorizer(vectorizer):
    vectorizer.fit(["a b"])
    before = dict(vars(vectorizer))
    vectorizer.set_params(handle_unknown="error", vocabulary=["z"])
    with pytest.raises(ValueError, match="not in the vocabulary"):
        vectorizer.fit_transform(["a b"])
    vectorizer.set_params(handle_unknown="unk", vocabulary=None)
    with pytest.raises(TypeError, match="document 1"):
        vectorizer.fit(["z", None])
    assert vars(vectorizer) == before


def test_tokens_that_fit_pruned_are_errors_in_transform():
    vectorizer = WordVectorizer(min_df=2, handle_unknown="error").fit(["a", "b a"])
    assert list(vectorizer.vocabulary_) == ["a"]
    with pytest.raises(ValueError, match="'b', which is not in the vocabulary"):
        vectorizer.transform(["b a"])


def test_a_vocabulary_as_a_dict_keeps_its_codes():
    counts = {"zebra": 2, "apple": 0, "mango": 1}
    expected = {"apple": 4, "mango": 5, "zebra": 6}
    vectorizer = WordVectorizer(vocabulary=counts).fit(["a zebra"])
    assert vectorizer.vocabulary_ == expected
    again = WordVectorizer(vocabulary={"zebra": 6, "apple": 4, "mango": 5})
    assert again.fit(["a"]).vocabulary_ == expected


@pytest.mark.parametrize("codes", [(0, 2), (0, 0), (1, 2), (5, 6), ("a", "b")])
def test_a_dict_with_other_numbers_is_an_error(codes):
    vocabulary = dict(zip("ab", codes, strict=True))
    with pytest.raises(ValueError, match="from 0, like the vocabulary_ of a Count"):
        CharVectorizer(vocabulary=vocabulary).fit(["ab"])


def test_ties_do_not_depend_on_the_order_of_documents(Vectorizer, texts):
    texts = ["c", "a", "b"]
    forwards = Vectorizer(max_features=2).fit(texts)
    backwards = Vectorizer(max_features=2).fit(texts[::-1])
    assert list(forwards.vocabulary_) == list(backwards.vocabulary_) == ["a", "b"]


def test_an_upper_case_vocabulary_under_lowercase_warns():
    with pytest.warns(UserWarning, match="upper-case tokens, \\['Whale'\\]"):
        WordVectorizer(vocabulary=["Whale", "sea"]).fit(["Whale"])
    WordVectorizer(vocabulary=["Whale"], lowercase=False).fit(["Whale"])


def test_inconsistent_stop_words_warn():
    with pytest.warns(UserWarning, match="to the tokens .*'don'"):
        WordVectorizer(stop_words=["don't"]).fit(["a b"])
    WordVectorizer(stop_words=["don", "'", "t"]).fit(["a b"])
    WordVectorizer(stop_words="english").fit(["a b whale"])
