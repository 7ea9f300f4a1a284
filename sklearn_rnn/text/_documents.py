"""Documents as users have them, read one by one into lists of tokens."""

import numpy as np

from sklearn_rnn._tokens import END, START

TOKEN_PATTERN = r"\w+|[^\w\s]"  # a word, or a single mark of punctuation
TEXT_OR_TOKENS = "text (str or bytes), or a list of tokens"
TEXT_ONLY = "text (str or bytes). Join a list of tokens into one text"


def check_container(documents):
    """Refuse what iterates without error, but not over documents."""
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


def read_tokens(documents, reader):
    """Yield the tokens of each document; an unreadable one is named by its row.

    ``reader`` is a CountVectorizer, whose decoding, preprocessing and tokenising are
    used. A list or tuple is a document already split into tokens.
    """
    check_container(documents)
    preprocess, tokenize = reader.build_preprocessor(), reader.build_tokenizer()
    stop_words = reader.get_stop_words() or frozenset()
    for row, document in enumerate(documents):
        if isinstance(document, (list, tuple)):
            tokens = document
            check_tokens(tokens, row)
        else:
            text = _text_of(document, row, reader, TEXT_OR_TOKENS)
            tokens = tokenize(preprocess(text))
        if stop_words:
            tokens = [token for token in tokens if token not in stop_words]
        yield tokens


def read_texts(documents, reader):
    """Yield each document as one text; an unreadable one is named by its row.

    ``reader`` is a CountVectorizer, whose decoding is used.
    """
    check_container(documents)
    for row, document in enumerate(documents):
        yield _text_of(document, row, reader, TEXT_ONLY)


def _text_of(document, row, reader, expected):
    if reader.input == "content" and not isinstance(document, (str, bytes)):
        raise TypeError(
            f"document {row} is {document!r} of type {type(document).__name__}; "
            f'expected {expected}. Fill missing text with "".'
        )
    try:
        text = reader.decode(document)
    except UnicodeDecodeError as error:
        error.reason += f", in document {row}: set encoding or decode_error"
        raise
    _check_encodable(text, row)
    return text


def check_tokens(tokens, row):
    """Refuse tokens that are no text."""
    for token in tokens:
        if not isinstance(token, str):
            raise TypeError(
                f"document {row} holds the token {token!r} of type "
                f"{type(token).__name__}; expected str."
            )
        _check_encodable(token, row)


def _check_encodable(text, row):
    """Refuse lone surrogates, which no file and no model format can hold."""
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"document {row} has the lone surrogate {text[error.start]!r} at position "
            f"{error.start}. Such text was decoded wrongly: read it anew with its own "
            'encoding, or mend it with text.encode("utf-16", "surrogatepass")'
            '.decode("utf-16", "replace").'
        ) from None


def cut(lengths, flat, max_length, side):
    """Keep at most ``max_length`` codes of every document, cutting on ``side``."""
    kept = np.minimum(lengths, max_length)
    ends = np.cumsum(lengths)
    first = ends - lengths if side == "right" else ends - kept
    index = np.arange(kept.sum()) + np.repeat(first - (np.cumsum(kept) - kept), kept)
    return kept, flat[index]


def bounded(lengths, flat):
    """Put a start code before and an end code after every document."""
    lengths = lengths + 2
    ends = np.cumsum(lengths)
    codes = np.empty(lengths.sum(), dtype=np.int32)
    inside = np.ones(len(codes), dtype=bool)
    inside[ends - lengths] = inside[ends - 1] = False
    codes[ends - lengths], codes[ends - 1], codes[inside] = START, END, flat
    return lengths, codes
