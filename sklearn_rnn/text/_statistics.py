"""TextStatisticsVectorizer: a text as one row of summary numbers."""

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

# A match never begins inside a run of marks: that keeps it linear in any text.
SENTENCE_END = re.compile(
    r"""(?<![.!?…؟۔։])[.!?…؟۔։]+["'”’»)\]]*(?=\s|\Z)  # white space has to follow
    |[。！？｡।॥]+["'”’»)\]」』）]*                       # or need not
    |\n[^\S\n]*\n                                     # a blank line""",
    re.VERBOSE,
)
LETTER_OR_DIGIT = re.compile(r"\w")


class Document(NamedTuple):
    """What is counted of a text."""

    n_characters: int
    word_lengths: list[int]  # in characters
    sentences: list[list[str]]  # the words of each sentence that has any
    tags: list[str]  # parts of speech, one a token


EMPTY = Document(0, [], [], [])


def split_sentences(text):
    """The sentences of a text, each with the marks that end it."""
    ends = [match.end() for match in SENTENCE_END.finditer(text)]
    return [text[start:end] for start, end in pairwise([0, *ends, len(text)])]


def ratio(numerator, denominator):
    """The quotient; 0 if there is nothing to divide by."""
    return numerator / denominator if denominator else 0.0


# ------------------------------------------- the groups of statistics, in their order


def counts(document, learned):
    return {
        "n_words": len(document.word_lengths),
        "n_characters": document.n_characters,
        "n_sentences": len(document.sentences),
    }


def lengths(document, learned):
    n_words = len(document.word_lengths)
    return {
        "mean_word_length": ratio(sum(document.word_lengths), n_words),
        "max_word_length": max(document.word_lengths, default=0),
        "mean_sentence_length": ratio(n_words, len(document.sentences)),
        "max_sentence_length": max(map(len, document.sentences), default=0),
    }


def common(document, learned):
    words = chain.from_iterable(document.sentences)
    n_common = sum(word in learned.common_words_ for word in words)
    n_uncommon = len(document.word_lengths) - n_common
    return {"common_uncommon_ratio": n_common / max(n_uncommon, 1)}


def types(document, learned):
    n_types = len(set(chain.from_iterable(document.sentences)))
    return {"type_token_ratio": ratio(n_types, len(document.word_lengths))}


def graph(document, learned):
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
        "graph_mean_degree": ratio(2 * n_edges, n_nodes),
        "graph_density": ratio(2 * n_edges, n_nodes * (n_nodes - 1)),
    }


def pos(document, learned):
    found = Counter(document.tags)
    return {f"pos_{tag}": found[tag] for tag in learned.pos_tags_}


GROUPS = {
    "counts": counts,
    "lengths": lengths,
    "common": common,
    "types": types,
    "graph": graph,
    "pos": pos,
}


class TextStatisticsVectorizer(
    CallbackSupportMixin, TransformerMixin, ValidatedEstimator
):
    """Encode each text as one row of summary numbers, instead of a sequence.

    How long a text, its words and its sentences are, how varied and how rare the words,
    and how they neighbour each other: numbers for any classifier, best after
    :class:`~sklearn.preprocessing.StandardScaler`, and beside the bag of words of
    :class:`~sklearn.feature_extraction.text.CountVectorizer` in a
    :class:`~sklearn.pipeline.FeatureUnion`.

    Parameters
    ----------
    statistics : "all" or list of str, default="all"
        Which groups of statistics to compute, of "counts", "lengths", "common",
        "types", "graph" and "pos"; see Notes. "all" has "pos" only with a
        ``pos_tagger``. Columns come in the order of Notes.
    common_fraction : float, default=0.1
        The share of the training vocabulary, its most frequent words, that is
        common; above 0, at most 1.
    pos_tagger : callable or None, default=None
        From the list of tokens of a sentence, punctuation included, to a list of one
        pair (token, part of speech) for each, as ``nltk.pos_tag``.
    sentence_tokenizer : callable or None, default=None
        From text to a list of sentences, as ``nltk.sent_tokenize``, in place of the
        rule in Notes.
    input : {"content", "file", "filename"}, default="content"
        What ``fit`` and ``transform`` are given: texts, open files, or file names.
    encoding : str, default="utf-8"
        How bytes and files are decoded.
    decode_error : {"strict", "ignore", "replace"}, default="strict"
        What to do with bytes that are not of that encoding.
    lowercase : bool, default=True
        Take words that differ only in case for the same word. Sentences are split and
        parts of speech tagged with the case as written.
    tokenizer : callable or None, default=None
        From a sentence to a list of tokens, in place of ``token_pattern``.
    token_pattern : str, default=r"\\w+|[^\\w\\s]"
        Regular expression of a token: by default a word or a punctuation mark.

    Attributes
    ----------
    common_words_ : dict
        From each common word to how often the training documents have it, most
        frequent first.
    pos_tags_ : list of str
        The parts of speech in the training documents, sorted; empty if none are
        tagged.

    See Also
    --------
    WordVectorizer : Keeps the order of the words, for recurrent networks.
    sklearn.feature_extraction.text.CountVectorizer : Bag of words.

    Notes
    -----
    A token with a letter, a digit or an underscore is a word; other tokens, such as
    punctuation, are only tagged. A character is a code point.

    A sentence ends with a run of the marks ``. ! ? … ؟ ۔ ։`` and closing quotes or
    brackets if white space or the end of the text follows; with a run of
    ``。 ！ ？ ｡ । ॥`` whatever follows; and at a blank line. It counts if it holds a
    word. So "3.14" ends no sentence, but an abbreviation such as "Dr." does: give a
    ``sentence_tokenizer`` where that matters. Scripts without spaces between words, or
    whose vowel signs are combining marks, need a ``tokenizer``.

    For a document of :math:`W` words, :math:`V` of them distinct, and :math:`S`
    sentences, the groups and their columns are

    counts
        ``n_words`` :math:`W`, ``n_characters`` (of the whole text, with white space
        and punctuation), ``n_sentences`` :math:`S`.
    lengths
        ``mean_word_length`` and ``max_word_length`` in characters,
        ``mean_sentence_length`` :math:`W / S` and ``max_sentence_length`` in words.
    common
        ``common_uncommon_ratio`` :math:`C / \\max(W - C, 1)`, where :math:`C` words are
        among ``common_words_``; words unknown to the training data are uncommon. The
        maximum keeps a document without uncommon words finite, as if it had one. Of
        equally frequent words those that sort first are common.
    types
        ``type_token_ratio`` :math:`V / W`. It falls with the length of a text.
    graph
        Of the undirected graph without loops whose :math:`V` nodes are the distinct
        words and whose :math:`E` edges join different words that stand next to each
        other in a sentence, once or more often, punctuation between them left out
        [1]_: ``graph_n_edges`` :math:`E`, ``graph_mean_degree`` :math:`2 E / V`,
        ``graph_density`` :math:`2 E / (V (V - 1))`, the share of possible edges.
    pos
        ``pos_<tag>``, the number of tokens of each of ``pos_tags_``. Tags that the
        training data do not have are not counted.

    A quotient with nothing to divide by is 0, so that an empty document is a row of
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

    __single_column_transformer__ = True  # tells skrub to give it a column of a table

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
        """Learn which words are common and which parts of speech there are.

        Parameters
        ----------
        X : iterable of str or bytes
            Documents. Read once, so a generator will do.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted vectorizer.

        Raises
        ------
        ValueError
            If no document holds a word.
        """
        with draft(self) as new:
            new._learn(new._read(X))
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    @wrap_as_task
    def fit_transform(self, X, y=None):
        """Learn and compute the statistics of the same documents, reading them once.

        Parameters
        ----------
        X : iterable of str or bytes
            Documents, as in :meth:`fit`.
        y : None
            Ignored.

        Returns
        -------
        statistics : ndarray of float64 of shape (n_documents, n_statistics)
            One row a document.
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
            One row a document.
        """
        check_is_fitted(self)
        return self._to_array(self._read(X))

    @on_snapshot
    def get_feature_names_out(self, input_features=None):
        """Names of the statistics.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        names : ndarray of str of shape (n_statistics,)
            Names of the columns, as in Notes.
        """
        check_is_fitted(self)
        return np.array(list(self._measure(EMPTY)), dtype=object)

    def _groups(self):
        """The names of the chosen groups, in the order of their columns."""
        if self.statistics == "all":
            return [name for name in GROUPS if name != "pos" or self.pos_tagger]
        if not self.statistics or any(x not in list(GROUPS) for x in self.statistics):
            raise ValueError(
                f'statistics must be "all" or a list of some of {list(GROUPS)}, got '
                f"{self.statistics!r}."
            )
        if "pos" in self.statistics and self.pos_tagger is None:
            raise ValueError(
                'statistics has "pos", but pos_tagger is None: set it to a callable '
                "such as nltk.pos_tag."
            )
        return [name for name in GROUPS if name in self.statistics]

    def _read(self, X):
        """Yield what is counted of each document."""
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
                    document.tags.extend(_tags(tag(tokens), len(tokens), row))
            yield document

    def _learn(self, documents):
        frequency, tags = Counter(), set()
        for document in documents:
            frequency.update(chain.from_iterable(document.sentences))
            tags.update(document.tags)
        if not frequency:
            raise ValueError(
                "empty vocabulary: the documents hold no words, so that none are "
                "common. Give text."
            )
        # rounded, since 0.07 * 100 > 7
        n_common = math.ceil(round(self.common_fraction * len(frequency), 6))
        by_frequency = sorted(frequency.items(), key=lambda item: (-item[1], item[0]))
        self.common_words_ = dict(by_frequency[:n_common])
        self.pos_tags_ = sorted(tags)

    def _measure(self, document):
        """From the name to the value of each statistic of a document."""
        measured = {}
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


def _tags(tagged, n_tokens, row):
    if not isinstance(tagged, (list, tuple)) or len(tagged) != n_tokens:
        raise ValueError(
            f"pos_tagger returned {tagged!r} for a sentence of {n_tokens} tokens of "
            f"document {row}; expected a list of one pair (token, tag) a token."
        )
    for pair in tagged:
        match pair:
            case (_, str(tag)):
                yield tag
            case _:
                raise TypeError(
                    f"pos_tagger returned {pair!r} for a token of document {row}; "
                    "expected a pair (token, tag) of str. A tagger without a tag for "
                    "some tokens needs a backoff."
                )
