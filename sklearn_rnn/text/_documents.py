"""Documents as users have them, read piece by piece into lists of tokens."""

import os
from array import array
from dataclasses import dataclass
from functools import partial

import numpy as np

from sklearn_rnn._data.containers import unwrap_documents
from sklearn_rnn._data.tokens import END, START

TOKEN_PATTERN = r"\w+|[^\w\s]"  # a word, or a single mark of punctuation
TEXT_OR_TOKENS = "text (str or bytes), or a list of tokens"
TEXT_ONLY = "text (str or bytes). Join a list of tokens into one text"
FILE_HINT = (
    'To read a file, set input="filename" in SequenceGenerator or in the vectorizer, '
    "or give its text: Path(name).read_text()."
)
UNDECODABLE = ", in document {}: set encoding or decode_error"
PIECE = 2**20  # characters, or codes, that are handled as Python objects at a time


@dataclass(frozen=True)
class TextFile:
    """A document in a file, whatever the ``input`` of the vectorizer says."""

    path: str | os.PathLike


def check_container(documents):
    """Documents, or an error for what iterates without one, but not over documents."""
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
            "Select the text column as a Series, in a ColumnTransformer by its bare "
            'name: (vectorizer, "text").'
        )
    if not hasattr(documents, "__iter__"):
        raise TypeError(
            f"Expected an iterable of documents, got {documents!r} of type "
            f"{type(documents).__name__}."
        )
    return documents


def read_tokens(documents, reader, watch=None):
    """Yield an iterator over the pieces of each document, lists of tokens.

    ``reader`` is a CountVectorizer, whose decoding, preprocessing and tokenising are
    used. A list or tuple is a document already split into tokens; an unreadable one is
    named by its row. ``watch`` is called with the text (None if there is none) and the
    tokens of every piece.
    """
    documents = check_container(documents)
    preprocess, tokenize = reader.build_preprocessor(), reader.build_tokenizer()
    stop_words = reader.get_stop_words() or frozenset()
    cut = _cut_for(reader)

    def pieces(texts, document):
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
            texts = _texts(document, row, reader, TEXT_OR_TOKENS, cut)
        yield pieces(texts, document)


def read_texts(documents, reader):
    """Yield each document as one text; an unreadable one is named by its row.

    ``reader`` is a CountVectorizer, whose decoding is used.
    """
    documents = check_container(documents)
    for row, document in enumerate(documents):
        yield "".join(_texts(document, row, reader, TEXT_ONLY, None))


def _texts(document, row, reader, expected, cut):
    """The text of a document in pieces that end where ``cut`` allows it, if it does."""
    if reader.input == "filename" and not isinstance(document, TextFile):
        if not isinstance(document, (str, bytes, os.PathLike)):
            raise TypeError(
                f"document {row} is {document!r} of type {type(document).__name__}; "
                'expected the name of a file, because of input="filename".'
            )
        document = TextFile(document)
    if isinstance(document, TextFile):
        chunks = _file_chunks(document.path, row, reader, PIECE if cut else -1)
    else:
        text = _text_of(document, row, reader, expected)
        if cut is None or len(text) <= PIECE:
            _check_encodable(text, row)
            return [text]
        chunks = (text[i : i + PIECE] for i in range(0, len(text), PIECE))
    return _recut(_encodable(chunks, row), cut)


def _text_of(document, row, reader, expected):
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
    """Yield the text of a file, ``size`` characters at a time, or all if that is -1."""
    encoding, errors = reader.encoding, reader.decode_error
    # newline="": none is translated
    with open(path, encoding=encoding, errors=errors, newline="") as file:
        try:
            yield from iter(partial(file.read, size), "")
        except UnicodeDecodeError as error:  # it saw a buffer: show it the file
            before = file.buffer.tell() - len(error.object)
            file.buffer.seek(0)
            error.object = file.buffer.read()
            error.start, error.end = before + error.start, before + error.end
            error.reason += UNDECODABLE.format(row)
            raise


def _encodable(chunks, row):
    """Yield the chunks of a text that no lone surrogate is in."""
    position = 0
    for chunk in chunks:
        _check_encodable(chunk, row, position)
        position += len(chunk)
        yield chunk


def _cut_for(reader):
    """How many characters of a text can be read before what follows is known.

    A function from text to their number; None if tokens may depend on anything that
    follows.
    """
    if reader.preprocessor is not None or callable(reader.strip_accents):
        return None
    if reader.tokenizer is list and not (reader.lowercase or reader.strip_accents):
        return len
    # the final sigma, combining marks and words: none of them goes on after a space
    words = reader.tokenizer is None and reader.token_pattern == TOKEN_PATTERN
    return _last_space if words or reader.tokenizer is list else None


def _last_space(text):
    """Where the last space or line end stands; 0 if there is none further on."""
    # of other white space, strip_accents="ascii" leaves nothing between words
    return max(text.rfind(" "), text.rfind("\n"), 0)


def _recut(chunks, cut):
    """Yield the text of all chunks in pieces that end where ``cut`` allows it."""
    held = []
    for chunk in chunks:
        end = cut(held[-1]) if held else 0
        if end:
            last = held.pop()
            yield "".join([*held, last[:end]])
            held = [last[end:]]
        held.append(chunk)
    yield "".join(held)


def check_tokens(tokens, row):
    """Refuse tokens that are no text."""
    for token in tokens:
        if not isinstance(token, str):
            raise TypeError(
                f"document {row} holds the token {token!r} of type "
                f"{type(token).__name__}; expected str."
            )
        _check_encodable(token, row)


def _check_encodable(text, row, before=0):
    """Refuse lone surrogates, which no file and no model format can hold.

    ``before`` is how many characters of the document precede the text.
    """
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"document {row} has the lone surrogate {text[error.start]!r} at position "
            f"{before + error.start}. Such text was decoded wrongly: read it anew with "
            'its own encoding, or mend it with text.encode("utf-16", "surrogatepass")'
            '.decode("utf-16", "replace").'
        ) from None


class CodeStream:
    """Codes of documents, one behind the other, in as few bytes as they need."""

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
        """What follows is of the next document."""
        self._ends.append(self._n_codes)

    def counts(self, n_codes):
        """How often each of the codes below ``n_codes`` occurs."""
        self._flush()
        found = (np.bincount(piece, minlength=n_codes) for piece in self._pieces)
        return sum(found, np.zeros(n_codes, dtype=np.int64))

    def replace(self, table):
        """Replace every code by that of ``table`` at its place."""
        self._flush()
        # piece by piece: to index, numpy makes 8 bytes of every code
        for i, piece in enumerate(self._pieces):
            self._pieces[i] = table[piece]

    def arrays(self):
        """The lengths of the documents and all codes."""
        self._flush()
        lengths = np.diff(np.array(self._ends, dtype=np.int64), prepend=0)
        return lengths, np.concatenate([np.empty(0, np.uint8), *self._pieces])

    def _flush(self):
        if self._fresh:
            fresh = np.frombuffer(self._fresh, dtype=np.intc)
            self._pieces.append(fresh.astype(np.min_scalar_type(fresh.max())))
            self._fresh = array("i")


def cut(lengths, flat, max_length, side):
    """Keep at most ``max_length`` codes of every document, cutting on ``side``."""
    kept = np.minimum(lengths, min(max_length, lengths.max(initial=0)))
    ends = np.cumsum(lengths)
    first = ends - lengths if side == "right" else ends - kept
    index = np.arange(kept.sum()) + np.repeat(first - (np.cumsum(kept) - kept), kept)
    return kept, flat[index]


def add_boundaries(lengths, flat):
    """Put a start code before and an end code after every document."""
    lengths = lengths + 2
    ends = np.cumsum(lengths)
    codes = np.empty(lengths.sum(), dtype=np.int32)
    inside = np.ones(len(codes), dtype=bool)
    inside[ends - lengths] = inside[ends - 1] = False
    codes[ends - lengths], codes[ends - 1], codes[inside] = START, END, flat
    return lengths, codes
