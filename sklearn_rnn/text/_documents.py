"""Reading of documents piece by piece, and splitting them into tokens."""

import os
from array import array
from dataclasses import dataclass
from functools import partial
from io import BufferedReader
from typing import cast

import numpy as np

from sklearn_rnn._data.containers import unwrap_documents
from sklearn_rnn._data.tokens import END, START

TOKEN_PATTERN = r"\w+|[^\w\s]"  # a word, or a single punctuation mark
TEXT_OR_TOKENS = "text (str or bytes), or a list of tokens"
TEXT_ONLY = "text (str or bytes). Join a list of tokens into one text"
FILE_HINT = (
    'To read files, set input="filename" in SequenceGenerator or in the vectorizer, '
    "or pass their texts: Path(name).read_text()."
)
UNDECODABLE = ", in document {}: set encoding or decode_error"
PIECE = 2**20  # number of characters or codes that are Python objects at one time


@dataclass(frozen=True)
class TextFile:
    """A document in a file, regardless of the ``input`` of the vectorizer."""

    path: str | bytes | os.PathLike


def check_container(documents):
    """Return documents, or raise an error if X does not iterate over documents."""
    documents = unwrap_documents(documents)
    if isinstance(documents, (str, bytes)):
        raise ValueError(
            "Iterable over raw text documents expected, string object received. Put a "
            "single document into a list: [text]."
        )
    if len(getattr(documents, "shape", ())) > 1 or hasattr(documents, "columns"):
        raise ValueError(
            "Expected one column of documents, got "
            f"{type(documents).__name__} of shape {getattr(documents, 'shape', '?')}. "
            "Select the text column as a Series; in a ColumnTransformer, pass its name "
            'without a list: (vectorizer, "text").'
        )
    if not hasattr(documents, "__iter__"):
        raise TypeError(
            f"Expected an iterable of documents, got {documents!r} of type "
            f"{type(documents).__name__}."
        )
    return documents


def read_tokens(documents, reader, watch=None):
    """Yield one iterator per document, over lists of the tokens of its pieces.

    ``reader`` is a CountVectorizer, whose decoding, preprocessing and tokenizing are
    used. A list or tuple is a document that is already split into tokens. Error
    messages contain the row of a document. ``watch`` is called with the text and the
    tokens of each piece; the text is None if the document is a list of tokens.
    """
    documents = check_container(documents)
    preprocess, tokenize = reader.build_preprocessor(), reader.build_tokenizer()
    stop_words = reader.get_stop_words() or frozenset()
    cut = _choose_cut(reader)

    def split_pieces(texts, document):
        for text in texts:
            tokens = document if text is None else tokenize(preprocess(text))
            if stop_words:
                tokens = [token for token in tokens if token not in stop_words]
            if watch is not None:
                watch(text, tokens)
            yield tokens

    for row, document in enumerate(documents):
        if isinstance(document, (list, tuple)):
            check_tokens(document, row)
            texts = [None]
        else:
            texts = _read_pieces(document, row, reader, TEXT_OR_TOKENS, cut)
        yield split_pieces(texts, document)


def read_texts(documents, reader):
    """Yield each document as one text. Error messages contain the row of a document.

    ``reader`` is a CountVectorizer, whose decoding is used.
    """
    documents = check_container(documents)
    for row, document in enumerate(documents):
        yield "".join(_read_pieces(document, row, reader, TEXT_ONLY, None))


def _read_pieces(document, row, reader, expected, cut):
    """Read the text of a document in pieces that end where ``cut`` allows it.

    If ``cut`` is None, the text is one piece.
    """
    if reader.input == "filename" and not isinstance(document, TextFile):
        if not isinstance(document, (str, bytes, os.PathLike)):
            raise TypeError(
                f"document {row} is {document!r} of type {type(document).__name__}; "
                'input="filename" expects names of files. Set input="content" for '
                "texts."
            )
        document = TextFile(document)
    if isinstance(document, TextFile):
        chunks = _file_chunks(document.path, row, reader, PIECE if cut else -1)
    else:
        text = _decode_document(document, row, reader, expected)
        if cut is None or len(text) <= PIECE:
            _check_encodable(text, row)
            return [text]
        chunks = (text[i : i + PIECE] for i in range(0, len(text), PIECE))
    return _cut_pieces(_check_chunks(chunks, row), cut)


def _decode_document(document, row, reader, expected):
    if reader.input == "content" and not isinstance(document, (str, bytes)):
        is_path = isinstance(document, os.PathLike)
        hint = FILE_HINT if is_path else 'Fill missing text with "".'
        raise TypeError(
            f"document {row} is {document!r} of type {type(document).__name__}; "
            f"expected {expected}. {hint}"
        )
    if reader.input == "file" and not hasattr(document, "read"):
        raise TypeError(
            f"document {row} is {document!r:.60} of type {type(document).__name__}; "
            'input="file" expects open files. Set input="content" for texts.'
        )
    try:
        return reader.decode(document)
    except UnicodeDecodeError as error:
        error.reason += UNDECODABLE.format(row)
        raise


def _file_chunks(path, row, reader, size):
    """Yield the text of a file, ``size`` characters at a time, or all at once if -1."""
    encoding, errors = reader.encoding, reader.decode_error
    # newline="" does not translate line ends
    with open(path, encoding=encoding, errors=errors, newline="") as file:
        try:
            yield from iter(partial(file.read, size), "")
        except UnicodeDecodeError as error:  # give positions in the file, not a buffer
            buffer = cast(BufferedReader, file.buffer)
            before = buffer.tell() - len(error.object)
            buffer.seek(0)
            error.object = buffer.read()
            error.start, error.end = before + error.start, before + error.end
            error.reason += UNDECODABLE.format(row)
            raise


def _check_chunks(chunks, row):
    """Yield the chunks of a text, or raise an error for a lone surrogate."""
    position = 0
    for chunk in chunks:
        _check_encodable(chunk, row, position)
        position += len(chunk)
        yield chunk


def _choose_cut(reader):
    """Choose a function that finds where a text can be cut without changing its tokens.

    It returns the number of characters before the cut, whose tokens do not depend on
    later text. It is None if tokens may depend on all later text.
    """
    if reader.preprocessor is not None or callable(reader.strip_accents):
        return None
    if reader.tokenizer is list and not (reader.lowercase or reader.strip_accents):
        return len
    # final sigmas, combining marks and words depend on text up to the next space only
    words = reader.tokenizer is None and reader.token_pattern == TOKEN_PATTERN
    return _last_space if words or reader.tokenizer is list else None


def _last_space(text):
    """Return the position of the last space or line end, or 0 if there is none."""
    # strip_accents="ascii" removes other white space, which joins words
    return max(text.rfind(" "), text.rfind("\n"), 0)


def _cut_pieces(chunks, cut):
    """Yield the text of all chunks in pieces that end where ``cut`` allows it."""
    held: list[str] = []
    for chunk in chunks:
        end = cut(held[-1]) if held else 0
        if end:
            last = held.pop()
            yield "".join([*held, last[:end]])
            held = [last[end:]]
        held.append(chunk)
    yield "".join(held)


def check_tokens(tokens, row):
    """Raise an error for tokens that are not str."""
    for token in tokens:
        if not isinstance(token, str):
            raise TypeError(
                f"document {row} contains the token {token!r} of type "
                f"{type(token).__name__}; expected str."
            )
        _check_encodable(token, row)


def _check_encodable(text, row, before=0):
    """Raise an error for lone surrogates, which no file or model format can store.

    ``before`` is the number of characters of the document before the text.
    """
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"document {row} has the lone surrogate {text[error.start]!r} at position "
            f"{before + error.start}. The text was decoded incorrectly: read it again "
            "with the correct encoding, or repair it with "
            'text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").'
        ) from None


class CodeStream:
    """Concatenated codes of documents, stored in as few bytes as possible."""

    def __init__(self):
        self._pieces, self._fresh = [], array("i")
        self._n_codes, self._ends = 0, array("q")

    @property
    def n_documents(self):
        return len(self._ends)

    def extend(self, codes):
        """Add a list of codes to the current document."""
        self._fresh.extend(codes)
        self._n_codes += len(codes)
        if len(self._fresh) >= PIECE:
            self._flush()

    def end_document(self):
        """End the current document; later codes belong to the next one."""
        self._ends.append(self._n_codes)

    def counts(self, n_codes):
        """Count each of the codes below ``n_codes``."""
        self._flush()
        found = (np.bincount(piece, minlength=n_codes) for piece in self._pieces)
        return sum(found, np.zeros(n_codes, dtype=np.int64))

    def replace(self, table):
        """Replace each code by ``table[code]``."""
        self._flush()
        # piece by piece, because numpy converts indices to 8 bytes per code
        for i, piece in enumerate(self._pieces):
            self._pieces[i] = table[piece]

    def arrays(self):
        """Return the lengths of the documents and all codes."""
        self._flush()
        lengths = np.diff(np.array(self._ends, dtype=np.int64), prepend=0)
        return lengths, np.concatenate([np.empty(0, np.uint8), *self._pieces])

    def _flush(self):
        if self._fresh:
            fresh = np.frombuffer(self._fresh, dtype=np.intc)
            self._pieces.append(fresh.astype(np.min_scalar_type(fresh.max())))
            self._fresh = array("i")


def cut(lengths, flat, max_length, side):
    """Cut documents to at most ``max_length`` codes by removing codes on ``side``."""
    kept = np.minimum(lengths, min(max_length, lengths.max(initial=0)))
    ends = np.cumsum(lengths)
    first = ends - lengths if side == "right" else ends - kept
    index = np.arange(kept.sum()) + np.repeat(first - (np.cumsum(kept) - kept), kept)
    return kept, flat[index]


def add_boundaries(lengths, flat):
    """Put a start code before and an end code after each document."""
    lengths = lengths + 2
    ends = np.cumsum(lengths)
    codes = np.empty(lengths.sum(), dtype=np.int32)
    inside = np.ones(len(codes), dtype=bool)
    inside[ends - lengths] = inside[ends - 1] = False
    codes[ends - lengths], codes[ends - 1], codes[inside] = START, END, flat
    return lengths, codes
