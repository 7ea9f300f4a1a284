"""Reading documents in any container or file, as a whole or in pieces."""

import gzip
import io
import tracemalloc

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from text_examples import CODES, assert_tokens

from sklearn_rnn import (
    CharVectorizer,
    TextStatisticsVectorizer,
    TokenArray,
    WordVectorizer,
)
from sklearn_rnn.text import _documents
from sklearn_rnn.text._documents import CodeStream, TextFile, add_boundaries, cut

# ------------------------------------------------------------------ containers


@pytest.mark.parametrize(
    "container",
    [tuple, np.array, lambda x: np.array(x, dtype=object), pd.Series, iter],
    ids=["tuple", "str array", "object array", "Series", "iterator"],
)
def test_any_column_of_documents_gives_the_same_result(Vectorizer, texts, container):
    assert_tokens(Vectorizer().fit_transform(container(texts)), CODES, 7)


def test_series_index_does_not_matter(Vectorizer, texts):
    series = pd.Series(texts, index=[7, 7, 1])
    assert_tokens(Vectorizer().fit_transform(series), CODES, 7)


def test_polars_column_of_documents_gives_the_same_result(Vectorizer, texts):
    polars = pytest.importorskip("polars")
    assert_tokens(Vectorizer().fit_transform(polars.Series(texts)), CODES, 7)


def test_lists_are_documents_already_split_into_tokens(Vectorizer):
    documents = [["New York", "is"], ("is",)]
    vectorizer = Vectorizer(lowercase=True)
    assert_tokens(vectorizer.fit_transform(documents), [[4, 5], [5, 0]], 6)
    assert vectorizer.vocabulary_ == {"New York": 4, "is": 5}


def test_split_documents_and_texts_can_be_mixed(Vectorizer, text_of):
    documents = [["b", "a"], text_of("ab")]
    assert_tokens(Vectorizer().fit_transform(documents), [[5, 4], [4, 5]], 6)


def test_bytes_are_decoded(Vectorizer):
    vectorizer = Vectorizer(encoding="latin-1")
    assert list(vectorizer.fit([b"\xe9", "a"]).vocabulary_) == ["a", "é"]
    assert list(Vectorizer().fit(["é".encode()]).vocabulary_) == ["é"]


@pytest.mark.parametrize(
    ("decode_error", "expected"),
    [("ignore", [[4, 5]]), ("replace", [[4, 1, 5]])],
)
def test_undecodable_bytes_are_treated_as_decode_error_says(
    Vectorizer, decode_error, expected
):
    vectorizer = Vectorizer(
        decode_error=decode_error, vocabulary=["a", "b"], tokenizer=list
    )
    assert_tokens(vectorizer.fit_transform([b"a\xffb"]), expected, 6)


def test_the_error_for_undecodable_bytes_gives_the_row_and_the_remedy(Vectorizer):
    message = "document 1: set encoding or decode_error"
    with pytest.raises(UnicodeDecodeError, match=message):
        Vectorizer().fit([b"a", b"a\xff"])


def test_open_files_are_read(Vectorizer, texts):
    files = [io.StringIO(texts[0]), io.BytesIO(texts[1].encode()), io.StringIO("b")]
    assert_tokens(Vectorizer(input="file").fit_transform(files), CODES, 7)


@pytest.fixture
def paths(tmp_path, text_of):
    letters = ["éab", "ba", "b"]
    paths = [tmp_path / f"{row}.txt" for row in range(3)]
    for path, word in zip(paths, letters, strict=True):
        path.write_text(text_of(word), encoding="utf-16")
    return paths


@pytest.mark.parametrize("kind", [str, lambda path: path], ids=["str", "Path"])
def test_named_files_are_read(Vectorizer, paths, kind):
    vectorizer = Vectorizer(input="filename", encoding="utf-16")
    assert_tokens(vectorizer.fit_transform(map(kind, paths)), CODES, 7)
    assert vectorizer.vocabulary_ == {"a": 4, "b": 5, "é": 6}


def test_compressed_files_are_read_once_opened(Vectorizer, tmp_path, texts):
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(texts[0].encode()))
    with gzip.open(path) as file:
        assert_tokens(Vectorizer(input="file").fit_transform([file]), [[6, 4, 5]], 7)


def test_missing_file_is_named(Vectorizer, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.txt"):
        Vectorizer(input="filename").fit([tmp_path / "nowhere.txt"])


# ------------------------------------------------------------------ invalid documents


def test_single_file_name_must_be_in_a_list(Vectorizer):
    with pytest.raises(ValueError, match=r"into a list: \[text\]"):
        Vectorizer(input="filename").fit("text.txt")


@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
@pytest.mark.parametrize("text", ["abc", b"abc", np.str_("abc")])
def test_single_text_must_be_in_a_list(Vectorizer, texts, method, text):
    vectorizer = Vectorizer().fit(texts)
    with pytest.raises(ValueError, match=r"single document into a list: \[text\]"):
        getattr(vectorizer, method)(text)


@pytest.mark.parametrize(
    ("document", "shown"),
    [
        (None, "None of type NoneType"),
        (float("nan"), "nan of type float"),
        (pd.NA, "<NA> of type NAType"),
        (7, "7 of type int"),
        (np.float64(1), "float64"),
        ({"a": 1}, "of type dict"),
        (np.array(["a"]), "of type ndarray"),
    ],
    ids=["None", "nan", "NA", "int", "float64", "dict", "array"],
)
@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
def test_the_error_gives_the_row_of_a_document_that_is_not_a_text(
    Vectorizer, texts, method, document, shown
):
    vectorizer = Vectorizer().fit(texts)
    with pytest.raises(TypeError) as caught:
        getattr(vectorizer, method)([texts[0], document])
    assert str(caught.value).startswith("document 1 is ")
    assert shown in str(caught.value)
    assert 'Fill missing text with "".' in str(caught.value)


@pytest.mark.parametrize("missing", [None, float("nan")])
def test_the_error_gives_the_row_of_a_missing_text_in_a_series(Vectorizer, missing):
    with pytest.raises(TypeError, match="document 2 is "):
        Vectorizer().fit(pd.Series(["a", "b", missing], index=[9, 8, 7]))


@pytest.mark.parametrize(("token", "kind"), [(1, "int"), (b"a", "bytes"), (None, "")])
def test_split_document_with_a_token_that_is_not_str_is_an_error(
    Vectorizer, token, kind
):
    with pytest.raises(TypeError, match=f"document 1 contains .* type {kind}"):
        Vectorizer().fit([["a"], ["a", token]])


@pytest.mark.parametrize(
    "document", ["a\ud800", ["a", "a\ud800"]], ids=["text", "tokens"]
)
def test_the_error_gives_the_row_and_position_of_a_lone_surrogate(Vectorizer, document):
    message = r"document 1 has the lone surrogate '\\ud800' at position 1"
    with pytest.raises(ValueError, match=message):
        Vectorizer().fit(["a", document])


def test_surrogate_remedy_of_the_message_works(Vectorizer):
    broken = "a\ud83d\ude00"
    with pytest.raises(ValueError, match=r'"surrogatepass"\)\.decode\("utf-16"'):
        Vectorizer().fit([broken])
    mended = broken.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert list(Vectorizer(tokenizer=list).fit([mended]).vocabulary_) == ["a", "😀"]


@pytest.mark.parametrize(
    ("documents", "kind"),
    [
        (pd.DataFrame({"text": ["a"], "more": ["b"]}), "DataFrame"),
        (np.array([["a", "b"]]), "ndarray"),
        (TokenArray([[4]], 5), "TokenArray"),
    ],
    ids=["two columns", "array", "tokens"],
)
@pytest.mark.parametrize("method", ["fit", "fit_transform", "transform"])
def test_the_error_for_tables_gives_the_remedy(
    Vectorizer, texts, method, documents, kind
):
    vectorizer = Vectorizer().fit(texts)
    message = rf'got {kind} of shape .*without a list: \(vectorizer, "text"\)'
    with pytest.raises(ValueError, match=message):
        getattr(vectorizer, method)(documents)


def test_a_frame_without_a_shape_is_an_error(Vectorizer):
    class Frame(dict):
        columns = ("text",)

    with pytest.raises(ValueError, match=r"got Frame of shape \?"):
        Vectorizer().fit(Frame(text=["a"]))


@pytest.mark.parametrize("documents", [None, 3, 2.5])
def test_objects_without_documents_are_errors(Vectorizer, documents):
    with pytest.raises(TypeError, match="Expected an iterable of documents"):
        Vectorizer().fit(documents)


# ------------------------------------------------------------------ piece by piece


# A cut in the wrong place would change a final sigma, a mark that belongs to the
# letter before it, a line end of two characters, or a space that ASCII does not have.
TEXT = (
    "ΟΔΟΣ ΟΔΟΣΑ cafe\u0301s a\u0323\u0307b, \u0301x\r\ny\rz  don't stop\u2028now "
    "averyverylongwordwithoutend 😀 e\u0301\u0301\n\n \tend"
)


DOCUMENTS = [TEXT, "", "a", TEXT[::-1]]


@pytest.fixture(params=[1, 2, 3, 7, 20])
def piece(request, monkeypatch):
    """Set the number of characters per piece."""
    monkeypatch.setattr(_documents, "PIECE", request.param)
    return request.param


@pytest.fixture
def pieces_of_4(monkeypatch):
    monkeypatch.setattr(_documents, "PIECE", 4)


@pytest.fixture
def write(tmp_path):
    def write(content):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.txt"
        path.write_bytes(content)
        return path

    return write


def pairs(text):
    return [text[i : i + 2] for i in range(0, len(text), 2)]


VECTORIZERS = {
    "characters": CharVectorizer(),
    "lower characters": CharVectorizer(lowercase=True),
    "no accents": CharVectorizer(strip_accents="unicode"),
    "lower ASCII": CharVectorizer(strip_accents="ascii", lowercase=True),
    "own accents": CharVectorizer(strip_accents=lambda text: text[::-1]),
    "own preprocessor": CharVectorizer(preprocessor=lambda text: text[1:]),
    "own tokenizer": CharVectorizer(tokenizer=pairs),
    "words": WordVectorizer(),
    "words without accents": WordVectorizer(strip_accents="unicode"),
    "ASCII words": WordVectorizer(strip_accents="ascii"),
    "own pattern": WordVectorizer(token_pattern=r"\w+ \w+"),
    "pruned words": WordVectorizer(
        stop_words=["now", "y"], min_count=2, handle_unknown="ignore"
    ),
}


@pytest.fixture(params=VECTORIZERS)
def vectorizer(request):
    return clone(VECTORIZERS[request.param])


@pytest.fixture
def whole(vectorizer):
    """Vocabulary and codes of documents that are read as a whole."""
    return vocabulary_and_codes(clone(vectorizer), DOCUMENTS)


def vocabulary_and_codes(vectorizer, documents):
    tokens = vectorizer.fit_transform(documents)
    assert_array_equal(vectorizer.transform(documents), tokens)
    return list(vectorizer.vocabulary_), tokens.tolist()


def test_reading_in_pieces_does_not_change_codes(whole, vectorizer, piece):
    assert vocabulary_and_codes(vectorizer, DOCUMENTS) == whole


def test_files_read_in_pieces_give_the_codes_of_their_text(
    whole, vectorizer, piece, write
):
    paths = [write(text.encode()) for text in DOCUMENTS]
    files = [TextFile(path) for path in paths]
    assert vocabulary_and_codes(vectorizer, files) == whole
    vectorizer.set_params(input="filename")
    assert vocabulary_and_codes(vectorizer, paths) == whole


def watched(method, documents):
    seen = []
    method(documents, watch=lambda text, tokens: seen.append((text, tokens)))
    return seen


def test_characters_are_cut_anywhere_and_watched(pieces_of_4):
    seen = [("abcd", list("abcd")), ("e fg", list("e fg")), ("h", ["h"]), ("", [])]
    vectorizer = CharVectorizer()
    assert watched(vectorizer._learn, ["abcde fgh", ""]) == seen
    assert watched(vectorizer._encode, ["abcde fgh", ""]) == seen


@pytest.mark.parametrize(
    "vectorizer", [CharVectorizer(lowercase=True), WordVectorizer()], ids=str
)
def test_preprocessed_characters_and_words_are_cut_before_a_space(
    vectorizer, pieces_of_4
):
    seen = watched(vectorizer._learn, ["Ab cdEfghijk lm\nn o  p"])
    assert [text for text, _ in seen] == ["Ab", " cdEfghijk lm", "\nn o", "  p"]


@pytest.mark.parametrize(
    "params",
    [
        {"tokenizer": str.split},
        {"preprocessor": str.upper},
        {"strip_accents": str.upper},
        {"token_pattern": r"\w+"},
    ],
    ids=str,
)
def test_custom_functions_receive_the_whole_text(params, pieces_of_4, write):
    text = "one two three"
    for document in (text, TextFile(write(text.encode()))):
        [(seen, tokens)] = watched(WordVectorizer(**params)._learn, [document])
        assert seen == text
        assert len(tokens) == 3


def test_watch_is_called_without_stop_words():
    vectorizer = WordVectorizer(stop_words=["is"])
    assert watched(vectorizer._learn, ["It is"]) == [("It is", ["it"])]


def test_watch_receives_no_text_for_lists_of_tokens():
    assert watched(CharVectorizer()._learn, [["b", "a"]]) == [(None, ["b", "a"])]


def test_watch_is_called_with_a_given_vocabulary():
    vectorizer = CharVectorizer(vocabulary=["a"])
    assert watched(vectorizer._learn, ["ab"]) == [("ab", ["a", "b"])]


def test_document_frequency_counts_documents_and_not_pieces(pieces_of_4):
    vectorizer = CharVectorizer(min_df=2).fit(["aaaaaaaab", "b", "ccccc"])
    assert list(vectorizer.vocabulary_) == ["b"]


@pytest.mark.parametrize("input", ["content", "file", "filename"])
def test_a_text_file_is_read_with_any_input(input, write):
    file = TextFile(write("é".encode("latin-1")))
    vectorizer = CharVectorizer(input=input, encoding="latin-1").fit([file])
    assert list(vectorizer.vocabulary_) == ["é"]


def test_files_keep_their_line_ends(write):
    path = write(b"a\r\nb\rc\n")
    vectorizer = CharVectorizer(input="filename")
    tokens = vectorizer.fit_transform([path])
    assert vectorizer.inverse_transform(tokens) == ["a\r\nb\rc\n"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig", "gbk", "utf-7"])
@pytest.mark.parametrize("errors", ["ignore", "replace"])
def test_undecodable_files_are_read_like_their_bytes(rng, write, encoding, errors):
    params = {"encoding": encoding, "decode_error": errors}
    content = "é一".encode(encoding, "ignore") * 5000 + rng.bytes(30_000)
    from_bytes = CharVectorizer(**params)
    tokens = from_bytes.fit_transform([content])
    from_file = CharVectorizer(input="filename", **params)
    assert_array_equal(from_file.fit_transform([write(content)]), tokens)
    assert from_file.vocabulary_ == from_bytes.vocabulary_


@pytest.mark.parametrize("position", [2, 9_000, 100_000])
def test_the_error_for_an_undecodable_file_gives_the_position(
    write, position, monkeypatch
):
    monkeypatch.setattr(_documents, "PIECE", 1000)
    content = b"a" * position + b"\xff" + b"a" * 20_000
    with pytest.raises(UnicodeDecodeError) as of_bytes:
        CharVectorizer().fit([b"a", content])
    with pytest.raises(UnicodeDecodeError) as of_file:
        CharVectorizer(input="filename").fit([write(b"a"), write(content)])
    message = str(of_file.value)
    assert f"byte 0xff in position {position}: invalid start byte, in docu" in message
    assert message.endswith("document 1: set encoding or decode_error")
    assert message == str(of_bytes.value)


def test_the_position_of_a_lone_surrogate_refers_to_the_whole_document(pieces_of_4):
    with pytest.raises(ValueError, match=r"document 1 .* at position 9\."):
        CharVectorizer().fit(["a", "abcdefghi\ud800"])


@pytest.mark.parametrize("fitted", [False, True])
def test_the_error_for_an_unknown_token_in_a_later_piece_gives_the_row(
    fitted, pieces_of_4
):
    documents = ["", "abababab", "", "abababxy", "a"]
    vectorizer = CharVectorizer(min_df=2, handle_unknown="error")
    call = vectorizer.fit(documents).transform if fitted else vectorizer.fit_transform
    with pytest.raises(ValueError, match="document 3 contains the token 'x'"):
        call(documents)


def test_pruned_tokens_are_ignored_between_empty_documents(pieces_of_4):
    vectorizer = CharVectorizer(min_df=2, handle_unknown="ignore")
    lengths, flat = vectorizer._learn(["", "xaxbxxxa", "", "yz", "ab", ""])
    assert_array_equal(lengths, [0, 3, 0, 0, 2, 0])
    assert_array_equal(flat, [4, 5, 4, 4, 5])


@pytest.mark.parametrize(
    ("n_tokens", "dtype"), [(252, np.uint8), (253, np.uint16), (70_000, np.uint32)]
)
def test_codes_take_the_smallest_integers(n_tokens, dtype):
    # from 2**16, to exclude surrogates
    documents = ["".join(map(chr, range(2**16, 2**16 + n_tokens)))]
    vectorizer = CharVectorizer()
    for lengths, flat in (vectorizer._learn(documents), vectorizer._encode(documents)):
        assert flat.dtype == dtype
        assert_array_equal(flat, np.arange(4, 4 + n_tokens))
        assert_array_equal(lengths, [n_tokens])


def test_pieces_of_a_stream_are_joined_in_the_widest_type(pieces_of_4):
    stream = CodeStream()
    for codes in ([1, 2], [3, 4, 300], [], [255] * 5):
        stream.extend(codes)
        stream.end_document()
    assert_array_equal(stream.counts(301)[[1, 2, 3, 4, 255, 300]], [1, 1, 1, 1, 5, 1])
    lengths, flat = stream.arrays()
    assert flat.dtype == np.uint16
    assert_array_equal(flat, [1, 2, 3, 4, 300, *[255] * 5])
    assert_array_equal(lengths, [2, 3, 0, 5])


def test_a_stream_without_documents_is_empty():
    lengths, flat = CodeStream().arrays()
    assert len(lengths) == len(flat) == 0


def test_a_long_file_takes_little_more_memory_than_its_codes(write, monkeypatch):
    monkeypatch.setattr(_documents, "PIECE", 2**14)
    size = 2**20
    path = write(b"to be or not to " * (size // 16))
    tracemalloc.start()
    try:
        _, flat = CharVectorizer()._learn([TextFile(path)])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert flat.nbytes == size
    assert peak < 3 * size  # the pieces and their concatenation


def test_statistics_of_files_are_those_of_their_text(write, pieces_of_4):
    text = "Call me Ishmael. Some years ago.\r\n"
    from_text = TextStatisticsVectorizer().fit_transform([text])
    from_file = TextStatisticsVectorizer(input="filename")
    assert_array_equal(from_file.fit_transform([write(text.encode())]), from_text)


# ------------------------------------------------------------------ codes of documents

LENGTHS = np.array([3, 0, 1, 2])
FLAT = np.array([4, 5, 6, 7, 8, 9], dtype=np.uint8)


@pytest.mark.parametrize(
    ("side", "expected"), [("right", [4, 5, 7, 8, 9]), ("left", [5, 6, 7, 8, 9])]
)
def test_codes_beyond_the_length_are_cut_off_on_one_side(side, expected):
    lengths, flat = cut(LENGTHS, FLAT, 2, side)
    assert_array_equal(lengths, [2, 0, 1, 2])
    assert_array_equal(flat, expected)


@pytest.mark.parametrize("side", ["right", "left"])
def test_short_documents_are_not_cut(side):
    lengths, flat = cut(LENGTHS, FLAT, 3, side)
    assert_array_equal(lengths, LENGTHS)
    assert_array_equal(flat, FLAT)


def test_every_document_gets_a_start_and_an_end():
    lengths, flat = add_boundaries(LENGTHS, FLAT)
    assert_array_equal(lengths, [5, 2, 3, 4])
    assert_array_equal(flat, [2, 4, 5, 6, 3, 2, 3, 2, 7, 3, 2, 8, 9, 3])


def test_any_length_may_be_kept():
    lengths, codes = cut(np.array([2, 0]), np.array([4, 5]), 2**63, "left")
    assert lengths.tolist() == [2, 0] and codes.tolist() == [4, 5]


@pytest.mark.parametrize("name", [3, None])
def test_other_objects_than_file_names_are_an_error(name):
    vectorizer = CharVectorizer(input="filename")
    with pytest.raises(TypeError, match=r"document 0 is .* expects names of files"):
        vectorizer.fit([name])
