"""Types of sources of a translator."""

import numpy as np
import pandas as pd
import pytest
import torch

from sklearn_rnn import SequenceTranslator, TokenArray
from sklearn_rnn.translation._sources import (
    find_unknown,
    holds_texts,
    list_if_iterator,
    list_sources,
    unwrap_sources,
    warn_of_new_tokens,
    warn_of_unknown_tokens,
)


@pytest.mark.parametrize(
    ("X", "expected"),
    [
        (["ab"], True),
        ("ab", True),
        ([None, "ab"], True),
        ([b"ab"], True),
        (pd.Series(["ab"]), True),
        (np.array(["ab"]), True),
        ([["a", "b"]], True),
        ([("a",), ["b"]], True),
        ([np.array(["a"])], True),
        ([], False),
        ([[1, 2]], False),
        ([[]], False),
        ([np.zeros((2, 3))], False),
        (np.array([["a", "b"]]), False),
        (pd.DataFrame({"a": [1.0]}), False),
        (TokenArray([[4]], 5), False),
        (3, False),
        ([None], False),
        (np.ma.masked_array(["a", "b"], [1, 0]), True),
        (np.ma.masked_array(["a"], [1]), False),
    ],
    ids=str,
)
def test_sources_are_texts_if_any_of_them_is_a_text(X, expected):
    assert holds_texts(X) == expected


def test_documents_are_listed():
    assert list_sources("ab") == ["ab"]
    assert list_sources([np.array(["a", "b"]), "c"]) == [["a", "b"], "c"]
    assert list_if_iterator(x for x in "ab") == ["a", "b"]
    assert list_if_iterator(X := ["a"]) is X


def test_only_a_column_of_texts_is_extracted_from_a_table():
    for X in (np.array(["a", "b"])[:, None], pd.DataFrame({"x": ["a", "b"]})):
        assert list(unwrap_sources(X)) == ["a", "b"]
    for X in (np.ones((2, 1)), pd.DataFrame({"x": [1.0]}), [np.ones(3)]):
        assert unwrap_sources(X) is X
    assert unwrap_sources(x for x in "ab") == ["a", "b"]


@pytest.mark.parametrize(
    "X",
    [
        np.arange(8.0)[:, None],
        torch.arange(8.0)[:, None],
        torch.arange(16.0, requires_grad=True).reshape(4, 2, 2),
        torch.nested.nested_tensor(
            [torch.ones(2, 2), torch.ones(3, 2)] * 2, layout=torch.jagged
        ),
        torch.nn.utils.rnn.pack_sequence([torch.ones(2, 2)] * 4),
        memoryview(np.ones((4, 3))),
    ],
    ids=lambda X: type(X).__name__,
)
def test_numbers_in_any_container_are_sources(X):
    model = SequenceTranslator(hidden_size=3, max_epochs=1, max_length=4)
    y = ["ab", "b"] * (len(unwrap_sources(X)) // 2)
    assert len(model.fit(X, y).predict(X)) == len(y)
    assert 0 <= model.score(X, y) <= 1


def test_empty_sources_are_counted_and_the_first_is_named():
    with pytest.raises(ValueError, match=r"source 1 is empty: ' ' \(2 of 4 "):
        list_sources(["a", " ", "b", ""])


def test_rows_with_unknown_codes_are_found():
    codes, starts = np.array([4, 1, 1, 0, 5, 1]), np.array([0, 2, 4])
    assert find_unknown(codes, starts).tolist() == [0, 1, 2]
    assert find_unknown(codes[:1], starts).tolist() == []


def test_new_tokens_and_mostly_unknown_tokens_raise_warnings():
    warn_of_new_tokens("y", np.array([], dtype=int))
    with pytest.warns(UserWarning, match="2 sequences of y, the first of them 3"):
        warn_of_new_tokens("y", np.array([3, 5]))
    warn_of_unknown_tokens(TokenArray([[1, 4]], 5))
    with pytest.warns(UserWarning, match="2 of the 3 tokens of X are unknown"):
        warn_of_unknown_tokens(TokenArray([[1, 4, 1]], 5))


def test_an_error_about_targets_names_y():
    model = SequenceTranslator(hidden_size=3, max_epochs=1)
    with pytest.raises(TypeError, match="y is a set"):
        model.fit(["a", "b"], {"c", "d"})
