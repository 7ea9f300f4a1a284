"""Encoding documents and decoding codes."""

import os

import numpy as np
import pytest

from sklearn_rnn import CharVectorizer, TokenArray, WordVectorizer
from sklearn_rnn.text._codecs import (
    CodeCodec,
    TextCodec,
    TokenCodec,
    check_not_characters,
    make_codec,
    read_documents,
)
from sklearn_rnn.text._documents import TextFile


def fitted(X, vectorizer=None):
    codec, documents = make_codec(X, vectorizer, CharVectorizer())
    codec.fit_encode(documents)
    return codec


def watched(codec, documents):
    """Record the arguments with which watch is called."""
    seen = []
    codec.encode(documents, lambda text, tokens: seen.append((text, list(tokens))))
    return seen


# ------------------------------------------------------------------ making a codec


@pytest.mark.parametrize(
    ("X", "vectorizer", "kind"),
    [
        (["ab", "c"], None, TextCodec),
        ([["a", "b"]], None, TokenCodec),
        ([("a", "b")], None, TokenCodec),
        ([np.array([1, 2])], None, TokenCodec),
        ([["a", "b"]], WordVectorizer(), TextCodec),
        (TokenArray([[4, 5]], 6), None, CodeCodec),
    ],
)
def test_the_first_document_determines_the_codec(X, vectorizer, kind):
    codec, documents = make_codec(X, vectorizer, CharVectorizer())
    assert type(codec) is kind and documents is X


def test_a_python_generator_is_read_from_its_first_document():
    codec, documents = make_codec((d for d in ["ab", "c"]), None, CharVectorizer())
    assert isinstance(codec, TextCodec) and list(documents) == ["ab", "c"]


def test_the_vectorizer_of_the_user_is_not_fitted():
    vectorizer = WordVectorizer()
    codec = fitted(["a cat"], vectorizer)
    assert codec.vectorizer is not vectorizer
    assert not hasattr(vectorizer, "vocabulary_")


def test_at_least_one_document_is_required():
    with pytest.raises(ValueError, match="X contains no document"):
        make_codec([], None, CharVectorizer())


@pytest.mark.parametrize(
    ("vectorizer", "message"),
    [
        (CharVectorizer(input="filename"), r'SequenceGenerator\(input="filename"\)'),
        (WordVectorizer(max_length=5), "max_length=5"),
    ],
)
def test_vectorizers_that_read_files_or_cut_documents_are_errors(vectorizer, message):
    with pytest.raises(ValueError, match=message):
        TextCodec(vectorizer)


# ------------------------------------------------------------------ documents


def test_a_single_text_or_file_name_is_one_document(tmp_path):
    assert read_documents("abc", False) == ["abc"]
    assert read_documents(b"abc", False) == [b"abc"]
    tokens = TokenArray([[4]], 5)
    assert read_documents(tokens, False) is tokens
    path = tmp_path / "a.txt"
    for X in (path, os.fspath(path), [path]):
        (document,) = read_documents(X, True)
        assert isinstance(document, TextFile)


@pytest.mark.parametrize("X", [list("t cat"), np.array(list("a\nb")), ("a", b" ")])
def test_single_characters_as_documents_are_an_error(X):
    with pytest.raises(ValueError, match=r"single characters.*split_text\("):
        check_not_characters(X)
    assert len(read_documents(X, False)) == len(X)  # its documents are not joined


def test_documents_of_one_character_raise_a_warning():
    with pytest.warns(UserWarning, match="3 documents of a single character"):
        check_not_characters(["a", "b", "a"])
    check_not_characters("a text")
    check_not_characters(["a"])
    assert read_documents(["a", "b", "a"], False) == ["a", "b", "a"]


def test_file_names_as_text_raise_a_warning(tmp_path):
    path = tmp_path / "existing"
    path.write_text("the cat")
    for X in (str(path), [str(path)], "book.txt", ["a.txt", "b.txt"]):
        with pytest.warns(UserWarning, match='a file name, .*input="filename"'):
            read_documents(X, files=False)
        assert read_documents(X, files=True)  # without a warning


@pytest.mark.parametrize("X", ["See book.txt", "a\nb.txt", ["a.txt", "b"], "x" * 500])
def test_text_that_mentions_a_file_is_text(X):
    assert len(list(read_documents(X, files=False)))


def test_the_error_for_a_path_explains_how_to_read_files(tmp_path):
    with pytest.raises(
        TypeError, match=r'set input="filename" .*Path\(name\)\.read_text'
    ):
        fitted(read_documents(tmp_path, files=False))


@pytest.mark.parametrize("X", [None, 3])
def test_other_objects_than_text_are_an_error(X):
    with pytest.raises(TypeError, match="Expected a text"):
        read_documents(X, False)


def test_tables_are_an_error():
    pd = pytest.importorskip("pandas")
    with pytest.raises(ValueError, match=r"ndarray of shape \(3, 4\)"):
        read_documents(np.zeros((3, 4)), False)
    with pytest.raises(ValueError, match="Select the text column"):
        read_documents(pd.DataFrame({"text": ["a"], "more": ["b"]}), False)


# ------------------------------------------------------------------ text


def test_texts_are_encoded_by_a_vectorizer():
    codec = fitted(["the cat", "a cat"], WordVectorizer())
    assert codec.names == ["a", "cat", "the"]
    assert codec.code_of == {"a": 4, "cat": 5, "the": 6}
    assert codec.classes.tolist() == ["<end>", "a", "cat", "the"]
    assert codec.vocabulary_size == 7
    lengths, flat = codec.encode(["the dog", "", "a cat cat"])
    assert lengths.tolist() == [2, 0, 3]
    assert flat.tolist() == [6, 1, 4, 5, 5] and flat.dtype == np.uint8
    assert codec.decode([6, 5, 3]) == "the cat"
    assert codec.decode([3]) == codec.decode([]) == ""


class FirstLetters:
    """A transformer to tokens that is not one of this package."""

    def fit(self, X):
        self.inner = CharVectorizer(boundaries=True).fit([x[:2] for x in X])

    def transform(self, X):
        return self.inner.transform([x[:2] for x in X])

    def inverse_transform(self, X):
        return self.inner.inverse_transform(X)

    def get_feature_names_out(self):
        return self.inner.get_feature_names_out()


def test_any_transformer_to_tokens_encodes_texts():
    codec = TextCodec(FirstLetters())
    lengths, flat = codec.fit_encode(x for x in ["abx", "ba"])
    assert codec.names == ["a", "b"]
    assert lengths.tolist() == [2, 2] and flat.tolist() == [4, 5, 5, 4]
    assert codec.decode([5, 4, 3]) == "ba"
    assert watched(codec, ["abx", "xa"]) == [("abx", ["a", "b"]), ("xa", ["a"])]


def test_a_transformer_must_return_tokens():
    class Numbers(FirstLetters):
        def transform(self, X):
            return np.zeros((2, 3))

    with pytest.raises(TypeError, match="vectorizer returned ndarray"):
        TextCodec(Numbers()).fit_encode(["ab"])


def test_watch_is_called_with_every_text_and_all_its_tokens():
    codec = fitted(["the cat"], WordVectorizer())
    expected = [("the dog", ["the", "dog"]), ("cat", ["cat"])]
    assert watched(codec, ["the dog", "cat"]) == expected


# ------------------------------------------------------------------ tokens


def test_tokens_are_sorted_if_possible():
    assert fitted([[64, 60], [62]]).classes.tolist() == ["<end>", 60, 62, 64]
    assert fitted([["x", 64, "x"]]).names == ["x", 64]
    codec = fitted([[("ls", "-l"), ("cd", "..")]])
    assert codec.names == [("cd", ".."), ("ls", "-l")]
    assert codec.classes.shape == (3,)


def test_tokens_are_encoded_one_by_one():
    codec = fitted([[60, 62, 64]])
    lengths, flat = codec.encode([[64, 99], [], (60,), np.array([62])])
    assert lengths.tolist() == [2, 0, 1, 1] and flat.tolist() == [6, 1, 4, 5]
    assert codec.decode([6, 4, 3]) == [64, 60]
    assert codec.vectorizer is None
    assert watched(codec, [[60, 99]]) == [(None, [60, 99])]


def test_errors_for_invalid_tokens_give_the_document():
    codec = TokenCodec()
    with pytest.raises(TypeError, match=r"document 1 contains the token \[2\]"):
        codec.fit_encode([[1, 2], [[2]]])
    for token in (None, np.nan):
        with pytest.raises(TypeError, match="hashable tokens"):
            codec.fit_encode([[token]])
    with pytest.raises(TypeError, match="document 1 is 'ab'"):
        codec.fit_encode([["a"], "ab"])
    with pytest.raises(ValueError, match="empty vocabulary"):
        codec.fit_encode([[], []])


# ------------------------------------------------------------------ codes


def test_codes_are_not_changed():
    codec = CodeCodec(7)
    assert codec.classes.tolist() == [3, 4, 5, 6]
    lengths, flat = codec.fit_encode(TokenArray([[2, 5, 1, 3], [6, 0, 0, 0]], 7))
    assert lengths.tolist() == [2, 1] and flat.tolist() == [5, 1, 6]
    decoded = codec.decode([5, 6, 3])
    assert isinstance(decoded, TokenArray) and decoded.tolist() == [[5, 6]]
    with pytest.raises(TypeError, match="expected a TokenArray"):
        codec.encode(["ab"])
    with pytest.raises(ValueError, match="vocabulary"):
        codec.encode(TokenArray([[4]], 9))


def test_an_empty_document_of_a_vectorizer_is_empty():
    documents = ["ab", "", "zb", "zz"]
    for boundaries in (False, True):
        tokens = CharVectorizer(boundaries=boundaries).fit(["ab"]).transform(documents)
        lengths, flat = CodeCodec(tokens.vocabulary_size).encode(tokens)
        assert lengths.tolist() == [2, 0, 2, 2]
        assert flat.tolist() == [4, 5, 1, 5, 1, 1]


# ------------------------------------------------------------------ prompts


@pytest.mark.parametrize(
    ("codec", "prompt", "is_single", "documents"),
    [
        (TextCodec(CharVectorizer()), "ab", True, ["ab"]),
        (TextCodec(CharVectorizer()), ("ab", "c"), False, ["ab", "c"]),
        (TokenCodec(), (60, 62), True, [[60, 62]]),
        (TokenCodec(), "", True, [[]]),
        (TokenCodec(), [[60], [62, 64]], False, [[60], [62, 64]]),
    ],
)
def test_one_prompt_or_several(codec, prompt, is_single, documents):
    assert codec.is_single(prompt) == is_single
    assert codec.list_prompts(prompt) == documents


def test_tuples_are_documents_unless_tuples_are_tokens():
    codec = fitted([(60, 62), (64,)])
    assert codec.list_prompts([(60, 62), (64,)]) == [(60, 62), (64,)]
    assert codec.list_prompts(((60, 62), (64,))) == [(60, 62), (64,)]
    chords = fitted([[(60, 64), (62, 65)]])
    assert chords.list_prompts([(60, 64), (62, 65)]) == [[(60, 64), (62, 65)]]
    assert chords.list_prompts([[(60, 64)], []]) == [[(60, 64)], []]


def test_one_row_of_codes_is_one_prompt():
    prompts = TokenArray([[4, 5], [5, 0]], 6)
    codec = CodeCodec(6)
    assert codec.is_single(prompts[:1]) and not codec.is_single(prompts)
    assert codec.list_prompts(prompts) is prompts


def test_prompts_are_restored_from_a_transcript():
    assert TextCodec(CharVectorizer()).restore_prompt("ab") == "ab"
    assert fitted([[60, 62]]).restore_prompt([5, 1]) == [62, "<unk>"]
    restored = CodeCodec(6).restore_prompt([5, 4])
    assert isinstance(restored, TokenArray) and restored.tolist() == [[5, 4]]
