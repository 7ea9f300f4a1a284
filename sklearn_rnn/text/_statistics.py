"""TextStatisticsVectorizer, which encodes each text as a row of statistics."""

import math
import re
from collections import Counter
from itertools import chain, pairwise
from numbers import Real
from typing import NamedTuple

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.callback import CallbackSupportMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.callbacks import wrap_as_task
from sklearn_rnn._core.drafts import draft, on_snapshot
from sklearn_rnn._core.sklearn_private import Interval, StrOptions, _fit_context
from sklearn_rnn._core.validation import ValidatedEstimator
from sklearn_rnn.text._documents import TOKEN_PATTERN, check_tokens, read_texts

# A match never begins inside a run of marks, so the search takes linear time.
SENTENCE_END = re.compile(
    r"""(?<![.!?…؟۔։])[.!?…؟۔։]+["'”’»)\]]*(?=\s|\Z)  # white space must follow
    |[。！？｡।॥]+["'”’»)\]」』）]*                       # anything may follow
    |\n[^\S\n]*\n                                     # a blank line""",
    re.VERBOSE,
)
LETTER_OR_DIGIT = re.compile(r"\w")


class Document(NamedTuple):
    """Words, sentences and tags of a text, from which statistics are computed."""

    n_characters: int
    word_lengths: list[int]  # in characters
    sentences: list[list[str]]  # words of each sentence that has a word
    tags: list[str]  # parts of speech, one per token


EMPTY = Document(0, [], [], [])


def split_sentences(text):
    """Split a text into sentences, each with the marks that end it."""
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    return [text[start:end] for start, end in pairwise([0, *ends, len(text)])]


def divide(numerator, denominator):
    """Divide two numbers; the quotient is 0 if the denominator is 0."""
    return numerator / denominator if denominator else 0.0


# ------------------------------------------- groups of statistics, in column order


def compute_counts(document, vectorizer):
    return {
        "n_words": len(document.word_lengths),
        "n_characters": document.n_characters,
        "n_sentences": len(document.sentences),
    }


def compute_lengths(document, vectorizer):
    n_words = len(document.word_lengths)
    return {
        "mean_word_length": divide(sum(document.word_lengths), n_words),
        "max_word_length": max(document.word_lengths, default=0),
        "mean_sentence_length": divide(n_words, len(document.sentences)),
        "max_sentence_length": max(map(len, document.sentences), default=0),
    }


def compute_common(document, vectorizer):
    words = chain.from_iterable(document.sentences)
    n_common = sum(word in vectorizer.common_words_ for word in words)
    n_uncommon = len(document.word_lengths) - n_common
    return {"common_uncommon_ratio": n_common / max(n_uncommon, 1)}


def compute_types(document, vectorizer):
    n_types = len(set(chain.from_iterable(document.sentences)))
    return {"type_token_ratio": divide(n_types, len(document.word_lengths))}


def compute_graph(document, vectorizer):
    n_nodes = len(set(chain.from_iterable(document.sentences)))
    n_edges = len(
        {
            (one, other) if one < other else (other, one)
            for words in document.sentences
            for one, other in pairwise(words)
            if one != other
        }
    )
    return {
        "graph_n_edges": n_edges,
        "graph_mean_degree": divide(2 * n_edges, n_nodes),
        "graph_density": divide(2 * n_edges, n_nodes * (n_nodes - 1)),
    }


def compute_pos(document, vectorizer):
    found = Counter(document.tags)
    return {f"pos_{tag}": found[tag] for tag in vectorizer.pos_tags_}


GROUPS = {
    "counts": compute_counts,
    "lengths": compute_lengths,
    "common": compute_common,
    "types": compute_types,
    "graph": compute_graph,
    "pos": compute_pos,
}


class TextStatisticsVectorizer(
    CallbackSupportMixin, TransformerMixin, ValidatedEstimator
):
    """Vectorizer that encodes each text as one row of statistics, without word order.

    The statistics are counts and lengths of words and sentences, how varied and how
    common the words are, how the words are connected, and parts of speech. They can be
    used by any estimator, usually after
    :class:`~sklearn.preprocessing.StandardScaler`, and can be combined with the bag of
    words of :class:`~sklearn.feature_extraction.text.CountVectorizer` in a
    :class:`~sklearn.pipeline.FeatureUnion`.

    Parameters
    ----------
    statistics : "all" or list of str, default="all"
        Groups of statistics to compute, among "counts", "lengths", "common", "types",
        "graph" and "pos"; see the Notes. "all" includes "pos" only if a ``pos_tagger``
        is given. The columns have the order of the Notes, not that of the list.
    common_fraction : float in (0, 1], default=0.1
        Fraction of the training vocabulary that counts as common: its most frequent
        words.
    pos_tagger : callable or None, default=None
        Function from the list of tokens of a sentence, including punctuation marks, to
        a list of one pair (token, part of speech) per token, such as ``nltk.pos_tag``.
    sentence_tokenizer : callable or None, default=None
        Function from text to a list of sentences, such as ``nltk.sent_tokenize``. None
        applies the rule in the Notes.
    input : {"content", "file", "filename"}, default="content"
        Type of the documents in ``fit`` and ``transform``: texts, open files, or names
        of files.
    encoding : str, default="utf-8"
        Encoding of bytes and files.
    decode_error : {"strict", "ignore", "replace"}, default="strict"
        How bytes that are invalid in that encoding are handled: "strict" raises an
        error, "ignore" drops them, "replace" inserts U+FFFD.
    lowercase : bool, default=True
        Whether words that differ only in case count as the same word. Sentences are
        always split and tagged in their original case.
    tokenizer : callable or None, default=None
        Function from a sentence to a list of tokens that replaces ``token_pattern``.
    token_pattern : str, default=``r"\\w+|[^\\w\\s]"``
        Regular expression of a token. By default a token is a word or a single
        punctuation mark.

    Attributes
    ----------
    common_words_ : dict
        Mapping from common words to their counts in the training documents, the most
        frequent first.
    pos_tags_ : list of str
        Sorted parts of speech of the training documents. Empty without a
        ``pos_tagger``.

    See Also
    --------
    WordVectorizer : Encodes texts as sequences of words for recurrent networks.
    sklearn.feature_extraction.text.CountVectorizer : Counts words and n-grams.

    Notes
    -----
    A token with a letter, a digit or an underscore is a word; other tokens, such as
    punctuation marks, are only tagged. A character is a code point.

    A sentence ends after one or more of the marks ``. ! ? … ؟ ۔ ։`` and closing quotes
    or brackets, if white space or the end of the text follows; after one or more of the
    marks ``。 ！ ？ ｡ । ॥``; and at a blank line. Only sentences with a word are
    counted. Hence "3.14" does not end a sentence, but an abbreviation such as "Dr."
    does: pass a ``sentence_tokenizer`` if that matters. Scripts without spaces between
    words, or whose vowel signs are combining marks, need a ``tokenizer``.

    A document has :math:`W` words, of which :math:`V` are distinct, and :math:`S`
    sentences. The groups and their columns are:

    counts
        ``n_words`` :math:`W`, ``n_characters`` (of the whole text, including white
        space and punctuation), ``n_sentences`` :math:`S`.
    lengths
        ``mean_word_length`` and ``max_word_length`` in characters,
        ``mean_sentence_length`` :math:`W / S` and ``max_sentence_length`` in words.
    common
        ``common_uncommon_ratio`` :math:`C / \\max(W - C, 1)`, where :math:`C` is the
        number of words in ``common_words_``. Words that do not occur in the training
        documents are uncommon. The maximum keeps the ratio finite if a document has no
        uncommon words. Equally frequent words become common in their sorted order.
    types
        ``type_token_ratio`` :math:`V / W`. It decreases with the length of a text.
    graph
        Statistics of the word graph [1]_. Its :math:`V` nodes are the distinct words,
        and its :math:`E` undirected edges connect different words that are neighbors
        in a sentence at least once, ignoring punctuation marks: ``graph_n_edges``
        :math:`E`, ``graph_mean_degree`` :math:`2 E / V`, ``graph_density``
        :math:`2 E / (V (V - 1))`, the fraction of possible edges.
    pos
        ``pos_<tag>``, the number of tokens with each tag in ``pos_tags_``. Tags that do
        not occur in the training documents are not counted.

    Quotients whose denominator is 0 are set to 0, so an empty document is a row of
    zeros.

    References
    ----------
    .. [1] R. Ferrer i Cancho and R. V. Solé. The small world of human language.
       Proceedings of the Royal Society B 268, 2261-2265, 2001.

    Examples
    --------
    >>> from sklearn_rnn.text import TextStatisticsVectorizer
    >>> vectorizer = TextStatisticsVectorizer(statistics=["counts", "graph"])
    >>> vectorizer.fit_transform(["To be, or not to be!", "Be. Be quick."])
    array([[ 6. , 20. ,  1. ,  4. ,  2. ,  0.66666667],
           [ 3. , 13. ,  2. ,  1. ,  1. ,  1. ]])
    >>> vectorizer.get_feature_names_out().tolist()
    ['n_words', 'n_characters', 'n_sentences',
     'graph_n_edges', 'graph_mean_degree', 'graph_density']
    """

    __single_column_transformer__ = True  # skrub passes one column of a table

    _parameter_constraints = {
        "statistics": [StrOptions({"all"}), list, tuple],
        "common_fraction": [Interval(Real, 0, 1, closed="right")],
        "pos_tagger": [callable, None],
        "sentence_tokenizer": [callable, None],
        "input": [StrOptions({"content", "file", "filename"})],
        "encoding": [str],
        "decode_error": [StrOptions({"strict", "ignore", "replace"})],
        "lowercase": ["boolean"],
        "tokenizer": [callable, None],
        "token_pattern": [str],
    }

    def __init__(
        self,
        *,
        statistics="all",
        common_fraction=0.1,
        pos_tagger=None,
        sentence_tokenizer=None,
        input="content",
        encoding="utf-8",
        decode_error="strict",
        lowercase=True,
        tokenizer=None,
        token_pattern=TOKEN_PATTERN,
    ):
        self.statistics = statistics
        self.common_fraction = common_fraction
        self.pos_tagger = pos_tagger
        self.sentence_tokenizer = sentence_tokenizer
        self.input = input
        self.encoding = encoding
        self.decode_error = decode_error
        self.lowercase = lowercase
        self.tokenizer = tokenizer
        self.token_pattern = token_pattern

    @_fit_context(prefer_skip_nested_validation=True)
    @wrap_as_task
    def fit(self, X, y=None):
        """Learn the common words and the parts of speech.

        Parameters
        ----------
        X : iterable of str or bytes
            Documents. X is iterated once, so it can be a Python generator.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted vectorizer.

        Raises
        ------
        ValueError
            If no document contains a word.
        """
        with draft(self) as new:
            new._learn(new._read(X))
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    @wrap_as_task
    def fit_transform(self, X, y=None):
        """Fit and compute the statistics of the same documents, which are read once.

        Parameters
        ----------
        X : iterable of str or bytes
            Documents, as in :meth:`fit`.
        y : None
            Ignored.

        Returns
        -------
        statistics : ndarray of float64 of shape (n_documents, n_statistics)
            One row per document.
        """
        with draft(self) as new:
            documents = list(new._read(X))
            new._learn(documents)
            statistics = new._to_array(documents)
        return statistics

    @on_snapshot
    def transform(self, X):
        """Compute the statistics of documents.

        Parameters
        ----------
        X : iterable of str or bytes
            Documents, as in :meth:`fit`.

        Returns
        -------
        statistics : ndarray of float64 of shape (n_documents, n_statistics)
            One row per document.
        """
        check_is_fitted(self)
        return self._to_array(self._read(X))

    @on_snapshot
    def get_feature_names_out(self, input_features=None):
        """Return the names of the statistics.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of str of shape (n_statistics,)
            Names of the columns, in the order listed in the Notes.
        """
        check_is_fitted(self)
        return np.array(list(self._measure(EMPTY)), dtype=object)

    def _groups(self):
        """Check ``statistics`` and return the names of the groups in column order."""
        if self.statistics == "all":
            return [name for name in GROUPS if name != "pos" or self.pos_tagger]
        if not self.statistics or any(x not in list(GROUPS) for x in self.statistics):
            raise ValueError(
                f'statistics must be "all" or a non-empty list of names among '
                f"{list(GROUPS)}, got {self.statistics!r}."
            )
        if "pos" in self.statistics and self.pos_tagger is None:
            raise ValueError(
                'statistics contains "pos", but pos_tagger is None. Set it to a '
                "function such as nltk.pos_tag."
            )
        return [name for name in GROUPS if name in self.statistics]

    def _read(self, X):
        """Yield the words, sentences and tags of each text as a ``Document``."""
        tag = self.pos_tagger if "pos" in self._groups() else None
        split = self.sentence_tokenizer or split_sentences
        fold = str.lower if self.lowercase else str
        reader = CountVectorizer(
            input=self.input,
            encoding=self.encoding,
            decode_error=self.decode_error,
            tokenizer=self.tokenizer,
            token_pattern=self.token_pattern,
        )
        tokenize = reader.build_tokenizer()
        for row, text in enumerate(read_texts(X, reader)):
            document = Document(len(text), [], [], [])
            for sentence in _check_sentences(split(text), row):
                tokens = tokenize(sentence)
                check_tokens(tokens, row)
                words = [token for token in tokens if LETTER_OR_DIGIT.search(token)]
                if words:
                    document.word_lengths.extend(map(len, words))
                    document.sentences.append(list(map(fold, words)))
                if tag and tokens:
                    document.tags.extend(_list_tags(tag(tokens), len(tokens), row))
            yield document

    def _learn(self, documents):
        frequency: Counter[str] = Counter()
        tags: set[str] = set()
        for document in documents:
            frequency.update(chain.from_iterable(document.sentences))
            tags.update(document.tags)
        if not frequency:
            raise ValueError(
                "empty vocabulary: the documents contain no words. Pass at least one "
                "document with a word."
            )
        # rounded, because 0.07 * 100 > 7
        n_common = math.ceil(round(self.common_fraction * len(frequency), 6))
        by_frequency = sorted(frequency.items(), key=lambda item: (-item[1], item[0]))
        self.common_words_ = dict(by_frequency[:n_common])
        self.pos_tags_ = sorted(tags)

    def _measure(self, document):
        """Compute the statistics of a document as a dict of names and values."""
        measured: dict[str, float] = {}
        for name in self._groups():
            measured |= GROUPS[name](document, self)
        return measured

    def _to_array(self, documents):
        n_statistics = len(self._measure(EMPTY))
        rows = (list(self._measure(document).values()) for document in documents)
        return np.fromiter(rows, dtype=np.dtype((np.float64, (n_statistics,))))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags


def _check_sentences(sentences, row):
    if not isinstance(sentences, (list, tuple)) or not all(
        isinstance(sentence, str) for sentence in sentences
    ):
        raise TypeError(
            f"sentence_tokenizer returned {sentences!r} for document {row}; expected a "
            "list of str."
        )
    return sentences


def _list_tags(tagged, n_tokens, row):
    if not isinstance(tagged, (list, tuple)) or len(tagged) != n_tokens:
        raise ValueError(
            f"pos_tagger returned {tagged!r} for a sentence of {n_tokens} tokens of "
            f"document {row}; expected a list of one pair (token, tag) per token."
        )
    for pair in tagged:
        match pair:
            case (_, str(tag)):
                yield tag
            case _:
                raise TypeError(
                    f"pos_tagger returned {pair!r} for a token of document {row}; "
                    "expected a pair (token, tag) of str. If the tagger returns None "
                    "for some tokens, add a backoff tagger to it."
                )
