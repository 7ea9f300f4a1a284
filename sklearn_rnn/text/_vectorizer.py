"""Base class of the character and word vectorizers."""

from abc import ABCMeta, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Mapping
from itertools import chain, compress
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import TransformerMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.callbacks import wrap_as_task
from sklearn_rnn._core.drafts import draft, on_snapshot
from sklearn_rnn._core.sklearn_private import (
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
    _fit_context,
)
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._core.validation import ValidatedEstimator
from sklearn_rnn._data.containers import unwrap
from sklearn_rnn._data.tokens import END, PADDING, RESERVED, START, UNKNOWN, TokenArray
from sklearn_rnn.text._documents import CodeStream, add_boundaries, cut, read_tokens

# Padding causes a warning if the result is larger than this.
PADDED_BYTES_WITHOUT_WARNING = 2**29


class TokenVectorizer(
    CallbackSupportMixin,
    TransformerMixin,
    ValidatedEstimator,
    metaclass=ABCMeta,
    auto_wrap_output_keys=(),  # type: ignore[call-arg]  # scikit-learn has no types
):
    """Base class of CharVectorizer and WordVectorizer."""

    _parameter_constraints = {
        "input": [StrOptions({"content", "file", "filename"})],
        "encoding": [str],
        "decode_error": [StrOptions({"strict", "ignore", "replace"})],
        "lowercase": ["boolean"],
        "strip_accents": [StrOptions({"ascii", "unicode"}), None, callable],
        "preprocessor": [callable, None],
        "tokenizer": [callable, None],
        "min_df": [
            Interval(RealNotInt, 0, 1, closed="both"),
            Interval(Integral, 1, None, closed="left"),
        ],
        "max_df": [
            Interval(RealNotInt, 0, 1, closed="both"),
            Interval(Integral, 1, None, closed="left"),
        ],
        "min_count": [Interval(Integral, 1, None, closed="left")],
        "max_features": [Interval(Integral, 1, None, closed="left"), None],
        "vocabulary": [HasMethods("__iter__"), None],
        "handle_unknown": [StrOptions({"unk", "ignore", "error"})],
        "max_length": [Interval(Integral, 1, None, closed="left"), None],
        "truncation": [StrOptions({"right", "left"})],
        "boundaries": ["boolean"],
    }

    @abstractmethod
    def _reader(self):
        """Make a CountVectorizer that decodes, preprocesses and splits texts."""

    @abstractmethod
    def _join(self, tokens):
        """Join tokens to a text."""

    @_fit_context(prefer_skip_nested_validation=True)
    @wrap_as_task
    def fit(self, X, y=None):
        """Learn the vocabulary.

        Parameters
        ----------
        X : iterable of str, bytes or list of str
            Documents; a list of str is a document that is already split into tokens. X
            is iterated once, so it can be a Python generator.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted vectorizer.

        Raises
        ------
        ValueError
            If no token is left in the vocabulary, or if parameters contradict each
            other.
        TypeError
            If a document is neither a text nor a list of str, such as a missing value.
        """
        with draft(self) as new:
            new._learn(X, encode=False)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    @wrap_as_task
    def fit_transform(self, X, y=None):
        """Learn the vocabulary and encode the same documents, which are read once.

        Parameters
        ----------
        X : iterable of str, bytes or list of str
            Documents, as in :meth:`fit`.
        y : None
            Ignored.

        Returns
        -------
        tokens : TokenArray of shape (n_documents, n_timesteps)
            Codes, padded on the right with 0 to the longest document.
        """
        with draft(self) as new:
            tokens = new._to_array(*new._learn(X))
        return tokens

    @on_snapshot
    def transform(self, X):
        """Encode documents with the learned vocabulary.

        Parameters
        ----------
        X : iterable of str, bytes or list of str
            Documents, as in :meth:`fit`.

        Returns
        -------
        tokens : TokenArray of shape (n_documents, n_timesteps)
            Codes, padded on the right with 0 to the longest of these documents.

        Raises
        ------
        ValueError
            If a token is not in the vocabulary and ``handle_unknown="error"``.
        """
        check_is_fitted(self)
        return self._to_array(*self._encode(X))

    @on_snapshot
    def inverse_transform(self, X):
        """Decode codes to texts.

        Parameters
        ----------
        X : array-like of int of shape (n_documents, n_timesteps)
            Codes. Padding, start and end are left out, and an unknown token becomes
            U+FFFD.

        Returns
        -------
        documents : list of str
            One text per row.
        """
        check_is_fitted(self)
        codes = TokenArray(unwrap(X), self.vocabulary_size_).view(np.ndarray)
        names = np.array([*RESERVED, *self.vocabulary_], dtype=object)
        names[UNKNOWN] = "\ufffd"
        silent = np.isin(codes, (PADDING, START, END))
        return [
            self._join(names[row[keep]].tolist())
            for row, keep in zip(codes, ~silent, strict=True)
        ]

    @on_snapshot
    def to_onehot(self, text):
        """Encode one document as a sparse one-hot matrix.

        The matrix shows the input of a network. Networks do not build it, because
        multiplying it by a weight matrix only selects rows of this matrix.

        Parameters
        ----------
        text : str, bytes or list of str
            Document to encode.

        Returns
        -------
        onehot : scipy.sparse.csr_array of shape (n_timesteps, `vocabulary_size_`)
            One row per token, with a single 1 in the column of its code.
        """
        check_is_fitted(self)
        codes = self.transform([text]).view(np.ndarray)[0]
        shape = (len(codes), self.vocabulary_size_)
        rows = np.arange(len(codes))
        return sparse.csr_array((np.ones(len(codes)), (rows, codes)), shape=shape)

    @on_snapshot
    def get_feature_names_out(self, input_features=None):
        """Return the names of the codes, which are the columns of :meth:`to_onehot`.

        Parameters
        ----------
        input_features : None
            Must be None: the columns of :meth:`transform` are time steps, which have no
            names.

        Returns
        -------
        names : ndarray of str of shape (`vocabulary_size_`,)
            ``<pad>``, ``<unk>``, ``<start>``, ``<end>``, then the tokens.

        Raises
        ------
        ValueError
            If ``input_features`` is given, for example by a ColumnTransformer whose
            output is a data frame.
        """
        check_is_fitted(self)
        if input_features is not None:
            raise ValueError(
                "columns of codes are time steps and have no names, so the output of "
                f"{type(self).__name__} cannot become a data frame. Call "
                'set_output(transform="default") of the ColumnTransformer. '
                "get_feature_names_out() without arguments returns the names of the "
                "codes."
            )
        return np.array([*RESERVED, *self.vocabulary_], dtype=object)

    # ---------------------------------------------------------------- learning

    def _learn(self, X, encode=True, watch=None):
        """Learn the vocabulary; if ``encode``, return the documents' lengths and codes.

        The codes have the smallest unsigned integer type that contains them. ``watch``
        is passed to ``read_tokens``.
        """
        self._max_tokens()  # raises an error for a small max_length before reading
        _warn_of_stop_words(self._reader())
        if self.vocabulary is not None:
            tokens = _read_vocabulary(self.vocabulary)
            _warn_of_upper_case(tokens, self)
            self._set_vocabulary(tokens)
            if encode:
                return self._encode(X, watch)
            for _ in chain.from_iterable(read_tokens(X, self._reader(), watch)):
                pass  # only raises errors for documents that cannot be read
            return None
        provisional: defaultdict[str, int] = defaultdict()
        provisional.default_factory = provisional.__len__
        prunes = not (_keeps_rare(self.min_df) and _keeps_frequent(self.max_df))
        documents_with: Counter[int] | None = Counter() if prunes else None
        stream = CodeStream()
        for pieces in read_tokens(X, self._reader(), watch):
            here: set[int] = set()
            for tokens in pieces:
                codes = list(map(provisional.__getitem__, tokens))
                stream.extend(codes)
                if prunes:
                    here.update(codes)
            stream.end_document()
            if documents_with is not None:
                documents_with.update(here)
        tokens = list(provisional)
        keep = self._select_tokens(tokens, stream, documents_with)
        self._set_vocabulary(sorted(compress(tokens, keep)))
        if not encode:
            return None
        final = [self.vocabulary_.get(token, UNKNOWN) for token in tokens]
        stream.replace(np.array(final, np.min_scalar_type(self.vocabulary_size_ - 1)))
        lengths, flat = stream.arrays()
        if self.handle_unknown == "unk" or keep.all():
            return lengths, flat
        known = flat != UNKNOWN  # all other tokens were pruned
        owners = np.searchsorted(np.cumsum(lengths), np.flatnonzero(~known), "right")
        if self.handle_unknown == "error":
            raise _make_error(owners[0], tokens[np.argmin(keep)])  # the first one
        return lengths - np.bincount(owners, minlength=len(lengths)), flat[known]

    def _select_tokens(self, tokens, stream, documents_with):
        """Select the tokens that min_df, max_df, min_count and max_features keep."""
        n_tokens = len(tokens)
        keep = np.ones(n_tokens, dtype=bool)
        n = stream.n_documents
        low, high = _count_documents(self.min_df, n), _count_documents(self.max_df, n)
        if documents_with is not None:
            if high < low <= n:
                raise ValueError(
                    f"max_df={self.max_df} corresponds to fewer documents than "
                    f"min_df={self.min_df}. Increase max_df or decrease min_df."
                )
            df = np.array([documents_with[code] for code in range(n_tokens)])
            keep = (df >= low) & (df <= high)
        if self.min_count > 1 or self.max_features is not None:
            counts = stream.counts(n_tokens) * keep
            keep = counts >= self.min_count
            if self.max_features is not None:
                # ties are broken by code points, not by the order of the documents
                order = sorted(range(n_tokens), key=lambda k: (-counts[k], tokens[k]))
                keep[order[self.max_features :]] = False
        if keep.any():
            return keep
        remedy = "relax these parameters"
        if low > n:
            remedy = (
                f"set min_df=1: it counts documents, and there are only {n}. Set "
                "min_count instead to leave out tokens that are rare in all documents "
                "together"
            )
        raise ValueError(
            "empty vocabulary: the documents contain no tokens, or min_df, max_df, "
            f"min_count and stop_words exclude all of them. Pass text, or {remedy}."
        )

    def _set_vocabulary(self, tokens):
        self.vocabulary_ = {
            token: code for code, token in enumerate(tokens, start=len(RESERVED))
        }
        self.vocabulary_size_ = len(RESERVED) + len(self.vocabulary_)

    # ---------------------------------------------------------------- encoding

    def _encode(self, X, watch=None):
        """Return the lengths and codes of documents, as :meth:`_learn` does."""
        codes_of, stream = self.vocabulary_, CodeStream()
        for row, pieces in enumerate(read_tokens(X, self._reader(), watch)):
            for tokens in pieces:
                if self.handle_unknown == "unk":
                    codes = [codes_of.get(token, UNKNOWN) for token in tokens]
                elif self.handle_unknown == "ignore":
                    codes = [codes_of[token] for token in tokens if token in codes_of]
                else:
                    try:
                        codes = [codes_of[token] for token in tokens]
                    except KeyError as error:
                        raise _make_error(row, error.args[0]) from None
                stream.extend(codes)
            stream.end_document()
        return stream.arrays()

    def _max_tokens(self):
        """Return the maximum number of tokens per row, or None if there is no limit."""
        if self.max_length is None:
            return None
        n_tokens = self.max_length - (2 if self.boundaries else 0)
        if n_tokens < 1:
            raise ValueError(
                f"max_length={self.max_length}, but a document with a token between "
                "the start and the end code has at least 3 codes. Set max_length=3 or "
                "more."
            )
        return n_tokens

    def _to_array(self, lengths, flat):
        """Cut documents, add boundaries, and pad."""
        longest = self._max_tokens()
        if longest is not None:
            lengths, flat = cut(lengths, flat, longest, self.truncation)
        if not len(lengths):
            return TokenArray(np.empty((0, 1), dtype=np.int32), self.vocabulary_size_)
        empty = lengths == 0
        if empty.any() and not self.boundaries:
            flat = np.insert(flat, np.cumsum(lengths)[empty], UNKNOWN)
            lengths = lengths + empty
        if self.boundaries:
            lengths, flat = add_boundaries(lengths, flat)
        longest = int(lengths.max())
        size = 4 * len(lengths) * longest
        if size > PADDED_BYTES_WITHOUT_WARNING:
            warn_user(
                f"padding {len(lengths)} documents to the longest one of {longest} "
                f"tokens takes {size / 2**30:.1f} GiB, although they have only "
                f"{lengths.sum()} tokens. Set max_length to cut the longest documents."
            )
        codes = np.zeros((len(lengths), longest), dtype=np.int32)
        codes[np.arange(longest) < lengths[:, None]] = flat
        return TokenArray(codes, self.vocabulary_size_)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _read_vocabulary(vocabulary):
    """Return the tokens of the parameter ``vocabulary`` in order."""
    # a set has a different order in each process
    unordered = isinstance(vocabulary, (set, frozenset))
    tokens = sorted(vocabulary, key=str) if unordered else list(vocabulary)
    if isinstance(vocabulary, Mapping) and any(
        v is not None for v in vocabulary.values()
    ):
        tokens = _order_by_code(vocabulary)
    if isinstance(vocabulary, str) or not tokens:
        raise ValueError(
            f"vocabulary must contain at least one token, got {vocabulary!r}. Set it "
            "to a list of tokens in the order of their codes."
        )
    for row, token in enumerate(tokens):
        if not isinstance(token, str):
            raise TypeError(
                f"vocabulary contains {token!r} of type {type(token).__name__} at "
                f"position {row}; expected str."
            )
    repeated = [token for token, count in Counter(tokens).items() if count > 1]
    if repeated:
        raise ValueError(
            f"vocabulary contains tokens more than once: {repeated[:5]}. List each of "
            "them once."
        )
    return tokens


def _order_by_code(vocabulary):
    """Return the tokens of a dict in the order of their codes, from 0 or 4."""
    codes = list(vocabulary.values())
    whole = all(isinstance(code, Integral) for code in codes)
    if not whole or not any(
        sorted(codes) == list(range(first, first + len(codes)))
        for first in (0, len(RESERVED))
    ):
        raise ValueError(
            f"a vocabulary that is a dict must number its {len(codes)} tokens from 0, "
            f"like the vocabulary_ of a CountVectorizer, or from {len(RESERVED)}, like "
            "vocabulary_ of this class, without gaps or repetitions, got "
            f"{list(vocabulary.items())[:5]}. Set vocabulary to a list of tokens "
            "instead to number them in its order."
        )
    return sorted(vocabulary, key=vocabulary.__getitem__)


def _warn_of_upper_case(tokens, vectorizer):
    """Warn of upper-case tokens, which do not occur in texts in lower case."""
    if not vectorizer.lowercase or vectorizer.preprocessor is not None:
        return
    found = [token for token in tokens if token != token.lower()]
    if found:
        warn_user(
            f"the vocabulary has upper-case tokens, {found[:5]}, which are never found "
            "in texts because of lowercase=True. Convert them to lower case, or set "
            "lowercase=False."
        )


def _warn_of_stop_words(reader):
    """Warn if stop words are changed or split by the preprocessing of texts."""
    stop_words = reader.get_stop_words()
    if not stop_words:
        return
    preprocess, tokenize = reader.build_preprocessor(), reader.build_tokenizer()
    found = {token for word in stop_words for token in tokenize(preprocess(word))}
    missed = sorted(found - set(stop_words))
    if missed:
        warn_user(
            "stop_words may be inconsistent with the preprocessing, which converts "
            f"them to the tokens {missed[:5]}. These are not in stop_words. Add them."
        )


def _make_error(row, token):
    return ValueError(
        f"document {row} contains the token {token!r}, which is not in the vocabulary. "
        'Fit on text that has it, or set handle_unknown="unk" or "ignore".'
    )


def _count_documents(df, n):
    # rounded, because 0.07 * 100 > 7
    return df if _is_count(df) else round(df * n, 6)


def _is_count(df):
    return isinstance(df, Integral)


def _keeps_rare(min_df):
    return min_df == 1 if _is_count(min_df) else min_df == 0.0


def _keeps_frequent(max_df):
    return not _is_count(max_df) and max_df == 1.0
