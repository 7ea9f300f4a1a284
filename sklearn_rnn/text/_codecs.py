"""What a generator reads and writes, as codes and back: text, tokens, or codes."""

import itertools
import os
from collections.abc import Hashable

import numpy as np
from sklearn.base import clone

from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.sequences import check_codes, from_tokens
from sklearn_rnn._data.tokens import END, PADDING, RESERVED, START, UNKNOWN, TokenArray
from sklearn_rnn.text._documents import TextFile
from sklearn_rnn.text._vectorizer import TokenVectorizer

END_NAME = RESERVED[END]


def coder_for(X, vectorizer, default):
    """The coder for documents like the first of X, and X as it has to be read.

    ``default`` is the vectorizer for text where ``vectorizer`` is None.
    """
    if isinstance(X, TokenArray):
        return CodeCoder(X.vocabulary_size), X
    first, X = _peek(X)
    if vectorizer is None and _is_token_list(first):
        return TokenCoder(), X
    vectorizer = default if vectorizer is None else clone(vectorizer)
    return TextCoder(vectorizer), X


def read_documents(X, files):
    """X as an iterable of documents; a bare text is one, and so is a file."""
    if isinstance(X, TokenArray):
        return X
    bare = isinstance(X, (str, bytes, os.PathLike))
    if bare:
        X = [X]
    elif isinstance(X, (list, tuple, np.ndarray)):
        _refuse_characters(X)
    if len(getattr(X, "shape", ())) > 1 or hasattr(X, "columns"):
        raise ValueError(
            "Expected text, documents or a TokenArray, got "
            f"{type(X).__name__} of shape {X.shape}. Select the text column as a "
            "Series, or give lists of tokens."
        )
    if not hasattr(X, "__iter__"):
        raise TypeError(
            "Expected a text, an iterable of documents or a TokenArray, got "
            f"{X!r} of type {type(X).__name__}."
        )
    return (TextFile(path) for path in X) if files else X


def _refuse_characters(X):
    if len(X) > 1 and all(isinstance(x, (str, bytes)) and len(x) == 1 for x in X):
        raise ValueError(
            "X is a list of single characters, which is what a search or a split makes "
            "of one long text. Cut it into pieces first: "
            "split_text(text, n_pieces=10)."
        )


def _peek(X):
    """The first document, and all of them again."""
    iterator = iter(X)
    try:
        first = next(iterator)
    except StopIteration:
        raise ValueError(
            "X holds no document. Give a text, or a list with at least one document."
        ) from None
    return first, X if iterator is not X else itertools.chain([first], iterator)


def _is_token_list(document):
    return isinstance(document, (list, tuple, np.ndarray))


class TextCoder:
    """Text through a vectorizer."""

    def __init__(self, vectorizer):
        self.vectorizer = vectorizer
        self._own = isinstance(vectorizer, TokenVectorizer)
        if self._own and vectorizer.input != "content":
            raise ValueError(
                f"the vectorizer has input={vectorizer.input!r}, so prompts would be "
                'read as files too. Set SequenceGenerator(input="filename") instead.'
            )
        if self._own and vectorizer.max_length is not None:
            raise ValueError(
                f"the vectorizer has max_length={vectorizer.max_length}, which would "
                "hide the ends of documents. Set it to None: window= is what one "
                "training step reads."
            )

    def learn(self, documents, watch=None):
        """Lengths and codes of documents whose vocabulary is learned from them."""
        if self._own:
            lengths, flat = self.vectorizer._learn(documents, watch=watch)
            self._name(self.vectorizer.vocabulary_)
            return lengths, flat
        documents = list(documents)
        self.vectorizer.fit(documents)
        self._name(self.vectorizer.get_feature_names_out()[len(RESERVED) :])
        return self.encode(documents, watch)

    def _name(self, tokens):
        """Let ``tokens`` be what the codes from 4 stand for."""
        self.names = list(tokens)
        self.code_of = {name: k for k, name in enumerate(self.names, len(RESERVED))}

    def encode(self, documents, watch=None):
        """Lengths and codes of documents under the learned vocabulary."""
        if self._own:
            return self.vectorizer._encode(documents, watch=watch)
        documents = list(documents)
        lengths, flat = _flat(self.vectorizer.transform(documents))
        if watch is not None:  # an unknown token is hidden like what stands between
            ends = np.cumsum(lengths)
            for text, end, n in zip(documents, ends, lengths, strict=True):
                codes = flat[end - n : end].tolist()
                watch(text, [self.names[c - len(RESERVED)] for c in codes if c > END])
        return lengths, flat

    def decode(self, codes):
        """The text that ``codes`` write."""
        codes = [code for code in codes if code != END]
        if not codes:
            return ""
        tokens = TokenArray([codes], len(self.names) + len(RESERVED))
        return self.vectorizer.inverse_transform(tokens)[0]

    def is_single(self, prompt):
        """Whether ``prompt`` is one prompt rather than several."""
        return isinstance(prompt, (str, bytes))


class TokenCoder(TextCoder):
    """Documents that are lists of any hashable tokens."""

    vectorizer = None

    def __init__(self):
        self.names, self.code_of = [], {}

    def learn(self, documents, watch=None):
        rows = [_tokens_of(document, row) for row, document in enumerate(documents)]
        distinct = dict.fromkeys(itertools.chain.from_iterable(rows))
        try:
            self._name(sorted(distinct))
        except TypeError:  # of several types: as they come
            self._name(distinct)
        if not self.names:
            raise ValueError("empty vocabulary: the documents hold no tokens.")
        return self.encode(rows)

    def encode(self, documents, watch=None):
        flat, lengths = [], []
        for row, document in enumerate(documents):
            tokens = _tokens_of(document, row)
            if watch is not None:
                watch(None, tokens)
            flat += [self.code_of.get(token, UNKNOWN) for token in tokens]
            lengths.append(len(tokens))
        size = len(self.names) + len(RESERVED)
        return np.array(lengths, dtype=np.int64), np.array(flat, _smallest(size))

    def decode(self, codes):
        return [self.names[code - len(RESERVED)] for code in codes if code > END]

    def is_single(self, prompt):
        return not any(isinstance(item, (list, np.ndarray)) for item in prompt)


class CodeCoder(TextCoder):
    """Codes that a vectorizer in front of the generator made."""

    vectorizer = None

    def __init__(self, vocabulary_size):
        self._name(range(len(RESERVED), vocabulary_size))

    def learn(self, documents, watch=None):
        return self.encode(documents)

    def encode(self, documents, watch=None):
        if not isinstance(documents, TokenArray):
            raise TypeError(
                "the generator was fitted on a TokenArray; expected another one from "
                f"the same vectorizer, got {type(documents).__name__}."
            )
        size = len(self.names) + len(RESERVED)
        check_codes(from_tokens(documents), size)
        return _flat(documents)

    def decode(self, codes):
        codes = [code for code in codes if code > END]
        size = len(self.names) + len(RESERVED)
        return TokenArray(np.array([codes], dtype=np.int32), size)

    def is_single(self, prompt):
        return len(prompt) == 1


def warn_of_unknown(unknown, where):
    """Say which tokens the model does not know, if any."""
    if unknown:
        shown = ", ".join(repr(token) for token in list(unknown)[:5])
        warn_user(
            f"{where} has {sum(unknown.values())} token(s) that the model does not "
            f"know: {shown}{' ...' if len(unknown) > 5 else ''}. It cannot take them "
            "into account."
        )


def _tokens_of(document, row):
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
                f"document {row} holds the token {token!r} of type "
                f"{type(token).__name__}; expected hashable tokens, such as str, int "
                "or tuple."
            )
    return document


def _flat(tokens):
    """Lengths and codes of a TokenArray, less padding and bounds."""
    if not isinstance(tokens, TokenArray):
        raise TypeError(
            f"the vectorizer returned {type(tokens).__name__}; expected a TokenArray, "
            "as CharVectorizer and WordVectorizer return it."
        )
    codes = tokens.view(np.ndarray)
    inside = ~np.isin(codes, (PADDING, START, END))
    flat = codes[inside].astype(_smallest(tokens.vocabulary_size))
    return inside.sum(1).astype(np.int64), flat


def _smallest(size):
    return np.min_scalar_type(size)
