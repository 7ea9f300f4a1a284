"""Codecs that encode and decode texts, lists of tokens and TokenArrays."""

import itertools
import os
import re
from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Any, cast

import numpy as np
from sklearn.base import clone

from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.containers import unwrap_documents
from sklearn_rnn._data.ragged import object_array
from sklearn_rnn._data.sequences import (
    check_codes,
    check_vocabulary_size,
    from_tokens,
)
from sklearn_rnn._data.tokens import END, PADDING, RESERVED, START, UNKNOWN, TokenArray
from sklearn_rnn.text._documents import FILE_HINT, TextFile
from sklearn_rnn.text._vectorizer import TokenVectorizer

END_NAME = RESERVED[END]
TEXT_FILE_NAME = re.compile(r"\S+\.(txt|md|rst|tex|csv|tsv|json|html?|xml)")


def make_codec(X, vectorizer, default):
    """Make a codec for documents like the first one of X.

    Returns the codec and an iterable of all documents of X. ``default`` is the
    vectorizer of texts if ``vectorizer`` is None.
    """
    if isinstance(X, TokenArray):
        return CodeCodec(check_vocabulary_size(X.vocabulary_size)), X
    first, X = _peek(X)
    if vectorizer is None and _is_token_list(first):
        return TokenCodec(), X
    vectorizer = default if vectorizer is None else clone(vectorizer)
    return TextCodec(vectorizer), X


def read_documents(X, files, name="X"):
    """Return X as an iterable of documents; a single text or file name is a document.

    The type of a document does not depend on the other documents.
    """
    X = unwrap_documents(X, name)
    if isinstance(X, TokenArray):
        return X
    if not files:
        _warn_of_file_names(X)
    if is_single_text(X):
        X = [X]
    if len(getattr(X, "shape", ())) > 1 or hasattr(X, "columns"):
        raise ValueError(
            "Expected a text, an iterable of documents or a TokenArray, got "
            f"{type(X).__name__} of shape {X.shape}. Select the text column as a "
            "Series, or pass lists of tokens."
        )
    if not hasattr(X, "__iter__"):
        raise TypeError(
            "Expected a text, an iterable of documents or a TokenArray, got "
            f"{X!r} of type {type(X).__name__}."
        )
    return (TextFile(path) for path in X) if files else X


def is_single_text(X):
    """Return whether X is a single text or file name that is not in a list.

    The end of such a text is arbitrary, and is therefore not learned.
    """
    return isinstance(X, (str, bytes, os.PathLike))


def _warn_of_file_names(X):
    """Warn if texts look like names of files, whose letters would be learned."""
    if not isinstance(X, (str, list, tuple)) or not X:
        return
    names = [X] if isinstance(X, str) else X[:3]
    if all(isinstance(name, str) and _is_file_name(name) for name in names):
        warn_user(f"X looks like a file name, not like text: {names[0]!r}. {FILE_HINT}")


def _is_file_name(text):
    """Return whether a text is the name of a file, or looks like one."""
    if len(text) > 255 or "\n" in text:
        return False
    return TEXT_FILE_NAME.fullmatch(text) is not None or os.path.isfile(text)


def check_not_characters(X):
    """Raise an error if X is a text that was split into its characters.

    If there is no white space, X may consist of short documents, so this only warns.
    """
    if not isinstance(X, (list, tuple, np.ndarray)):
        return
    if len(X) > 1 and all(isinstance(x, (str, bytes)) and len(x) == 1 for x in X):
        if not any(x.isspace() for x in X):
            warn_user(
                f"X contains {len(X)} documents of a single character each. If X is "
                "one long text, pass it as one str, or cut it into pieces: "
                "split_text(text, n_pieces=10)."
            )
            return
        raise ValueError(
            "X is a list of single characters. Cross-validation and searches split a "
            "single text into its characters. Cut the text into pieces first: "
            "split_text(text, n_pieces=10)."
        )


def _peek(X):
    """Return the first document, and an iterable of all documents."""
    iterator = iter(X)
    try:
        first = next(iterator)
    except StopIteration:
        raise ValueError(
            "X contains no document. Pass a text, or a list with at least one document."
        ) from None
    return first, X if iterator is not X else itertools.chain([first], iterator)


def _is_token_list(document):
    return isinstance(document, (list, tuple, np.ndarray))


class Codec(ABC):
    """Base class of codecs, which encode documents and decode codes.

    ``names`` are the tokens of the codes from 4, ``code_of`` maps them to codes, and
    ``classes`` contains the end and the tokens.
    """

    vectorizer: Any = None
    end_name: Hashable = END_NAME

    def _set_names(self, names):
        """Set the tokens of the codes from 4."""
        self.names = list(names)
        self.code_of = {name: k for k, name in enumerate(self.names, len(RESERVED))}
        self.classes = np.empty(len(self.names) + 1, dtype=object)
        self.classes[:] = [self.end_name, *self.names]

    @property
    def vocabulary_size(self):
        """Number of codes: the reserved codes and one code per token."""
        return len(RESERVED) + len(self.names)

    @abstractmethod
    def fit_encode(self, documents, watch=None):
        """Learn the vocabulary of documents, and return their lengths and codes.

        ``watch(text, tokens)`` is called for each piece of a document that is read.
        """

    @abstractmethod
    def encode(self, documents, watch=None):
        """Return the lengths and codes of documents with the learned vocabulary."""

    @abstractmethod
    def decode(self, codes):
        """Return the document with these codes."""

    def decode_all(self, all_codes):
        """Return the documents with these codes as one array."""
        return object_array(self.decode(codes) for codes in all_codes)

    @abstractmethod
    def is_single(self, prompt):
        """Return whether ``prompt`` is a single prompt rather than several prompts."""

    def list_prompts(self, prompt):
        """Return one or several prompts as documents."""
        return [prompt] if self.is_single(prompt) else list(prompt)

    @abstractmethod
    def restore_prompt(self, recorded):
        """Return the prompt of a transcript, where it is a text or a list of codes."""


class TextCodec(Codec):
    """Codec of texts, which a vectorizer splits into tokens."""

    def __init__(self, vectorizer):
        self.vectorizer = vectorizer
        self._is_token_vectorizer = isinstance(vectorizer, TokenVectorizer)
        if self._is_token_vectorizer and vectorizer.input != "content":
            raise ValueError(
                f"the vectorizer has input={vectorizer.input!r}, so prompts would also "
                'be read as files. Set SequenceGenerator(input="filename") instead.'
            )
        if self._is_token_vectorizer and vectorizer.max_length is not None:
            raise ValueError(
                f"the vectorizer has max_length={vectorizer.max_length}, which would "
                "cut off the ends of documents. Set it to None. To change the number "
                "of time steps per training window, set the parameter window of "
                "SequenceGenerator."
            )

    def fit_encode(self, documents, watch=None):
        if self._is_token_vectorizer:
            lengths, flat = self.vectorizer._learn(documents, watch=watch)
            self._set_names(self.vectorizer.vocabulary_)
            return lengths, flat
        documents = list(documents)
        self.vectorizer.fit(documents)
        self._set_names(self.vectorizer.get_feature_names_out()[len(RESERVED) :])
        return self.encode(documents, watch)

    def encode(self, documents, watch=None):
        if self._is_token_vectorizer:
            return self.vectorizer._encode(documents, watch=watch)
        documents = list(documents)
        lengths, flat = _flatten(self.vectorizer.transform(documents))
        if watch is not None:  # the text of unknown tokens is not available
            ends = np.cumsum(lengths)
            for text, end, n in zip(documents, ends, lengths, strict=True):
                codes = flat[end - n : end].tolist()
                watch(text, [self.names[c - len(RESERVED)] for c in codes if c > END])
        return lengths, flat

    def decode(self, codes):
        codes = [code for code in codes if code != END]
        if not codes:
            return ""
        tokens = TokenArray([codes], self.vocabulary_size)
        return self.vectorizer.inverse_transform(tokens)[0]

    def is_single(self, prompt):
        return isinstance(prompt, (str, bytes))

    def restore_prompt(self, recorded):
        return recorded


class TokenCodec(Codec):
    """Codec of documents that are lists of hashable tokens."""

    def __init__(self):
        self._set_names([])

    def fit_encode(self, documents, watch=None):
        rows = [_check_tokens(document, row) for row, document in enumerate(documents)]
        distinct = dict.fromkeys(itertools.chain.from_iterable(rows))
        try:
            self._set_names(sorted(distinct))
        except TypeError:  # tokens of several types keep their order
            self._set_names(distinct)
        if not self.names:
            raise ValueError(
                "empty vocabulary: the documents contain no tokens. Pass at least one "
                "document with a token."
            )
        return self.encode(rows)

    def encode(self, documents, watch=None):
        flat, lengths = [], []
        for row, document in enumerate(documents):
            tokens = _check_tokens(document, row)
            if watch is not None:
                watch(None, tokens)
            flat += [self.code_of.get(token, UNKNOWN) for token in tokens]
            lengths.append(len(tokens))
        dtype = np.min_scalar_type(self.vocabulary_size)
        return np.array(lengths, dtype=np.int64), np.array(flat, dtype)

    def decode(self, codes):
        return [self.names[code - len(RESERVED)] for code in codes if code > END]

    def is_single(self, prompt):
        if any(isinstance(item, (list, np.ndarray)) for item in prompt):
            return False
        # a tuple is a token, unless no token of the vocabulary is a tuple
        has_tuples = any(isinstance(name, tuple) for name in self.names)
        if has_tuples or not self.names or not len(prompt):
            return True
        return not all(isinstance(item, tuple) for item in prompt)

    def list_prompts(self, prompt):
        return [list(prompt)] if self.is_single(prompt) else list(prompt)

    def restore_prompt(self, recorded):
        """Return the tokens of codes, where an unknown token is "<unk>"."""
        return [
            RESERVED[UNKNOWN] if code == UNKNOWN else self.names[code - len(RESERVED)]
            for code in recorded
        ]


class CodeCodec(Codec):
    """Codec of TokenArrays, the results of a vectorizer that the user applied."""

    end_name = END

    def __init__(self, vocabulary_size):
        self._set_names(range(len(RESERVED), vocabulary_size))

    def fit_encode(self, documents, watch=None):
        return self.encode(documents)

    def encode(self, documents, watch=None):
        if not isinstance(documents, TokenArray):
            raise TypeError(
                "the model was fitted on a TokenArray; expected a TokenArray of the "
                f"same vectorizer, got {type(documents).__name__}."
            )
        check_codes(from_tokens(documents), self.vocabulary_size)
        return _flatten(documents)

    def decode(self, codes):
        codes = [code for code in codes if code > END]
        return TokenArray(np.array([codes], dtype=np.int32), self.vocabulary_size)

    def decode_all(self, all_codes):
        rows = [[code for code in codes if code != END] for codes in all_codes]
        table = np.zeros((len(rows), max(1, *map(len, rows))), dtype=np.int32)
        for padded, row in zip(table, rows, strict=True):
            padded[: len(row)] = row
        return TokenArray(table, self.vocabulary_size)

    def is_single(self, prompt):
        return len(prompt) == 1

    def list_prompts(self, prompt):
        return prompt

    def restore_prompt(self, recorded):
        return TokenArray([recorded], self.vocabulary_size)


def count_spaces(codec):
    """Return the number of characters between tokens: 0 for characters, else 1."""
    if codec.vectorizer is None:
        return 1
    # a pair of words, because punctuation marks are attached to each other
    word = next((name for name in codec.names if str(name).isalnum()), codec.names[0])
    pair = codec.decode([codec.code_of[word]] * 2)
    return len(pair) - 2 * len(str(word))


def _check_tokens(document, row):
    """Check that a document is a list of hashable tokens, and return it."""
    if isinstance(document, np.ndarray) and document.ndim == 1:
        document = document.tolist()
    if not isinstance(document, (list, tuple)):
        raise TypeError(
            f"document {row} is {document!r} of type {type(document).__name__}; "
            "expected a list of tokens, like the first document."
        )
    for token in document:
        if not isinstance(token, Hashable) or token is None or token != token:
            raise TypeError(
                f"document {row} contains the token {token!r} of type "
                f"{type(token).__name__}; expected hashable tokens, such as str, int "
                "or tuple."
            )
    return document


def _flatten(tokens):
    """Return the lengths and codes of a TokenArray without padding, start and end.

    A row with a single unknown code, or only with a start and an end, is empty.
    """
    if not isinstance(tokens, TokenArray):
        raise TypeError(
            f"the vectorizer returned {type(tokens).__name__}; expected a TokenArray, "
            "as returned by CharVectorizer and WordVectorizer."
        )
    codes = tokens.view(np.ndarray)
    inside = ~np.isin(codes, (PADDING, START, END))
    is_empty = (codes[:, :1] == UNKNOWN).all(1) & (codes[:, 1:] == PADDING).all(1)
    inside[is_empty] = False
    size = cast(int, tokens.vocabulary_size)
    flat = codes[inside].astype(np.min_scalar_type(size))
    return inside.sum(1).astype(np.int64), flat
