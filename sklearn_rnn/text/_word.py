"""WordVectorizer: a text as the sequence of its words and punctuation."""

from sklearn.feature_extraction.text import CountVectorizer

from sklearn_rnn._core.sklearn_private import StrOptions
from sklearn_rnn.text._detokenize import join_words
from sklearn_rnn.text._documents import TOKEN_PATTERN
from sklearn_rnn.text._vectorizer import TokenVectorizer


class WordVectorizer(TokenVectorizer):
    """Encode texts as sequences of word codes.

    Punctuation marks are tokens too: a network reads them in their place. For bags of
    words use scikit-learn's
    :class:`~sklearn.feature_extraction.text.CountVectorizer`.

    Parameters
    ----------
    input : {"content", "file", "filename"}, default="content"
        What ``fit`` and ``transform`` are given: texts, open files, or file names.
    encoding : str, default="utf-8"
        How bytes and files are decoded.
    decode_error : {"strict", "ignore", "replace"}, default="strict"
        What to do with bytes that are not of that encoding.
    lowercase : bool, default=True
        Lower the case of all letters first.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        Remove accents, as :class:`~sklearn.feature_extraction.text.CountVectorizer`.
    preprocessor : callable or None, default=None
        From text to text, in place of ``lowercase`` and ``strip_accents``.
    tokenizer : callable or None, default=None
        From text to a list of tokens, in place of ``token_pattern``.
    token_pattern : str, default=r"\\w+|[^\\w\\s]"
        Regular expression of a token: by default a word or a punctuation mark.
    stop_words : {"english"}, list of str or None, default=None
        Tokens to leave out.
    min_df : int or float, default=1
        Leave out tokens that fewer documents have; a float is a share of them.
    max_df : int or float, default=1.0
        Leave out tokens that more documents have; a float is a share of them.
    min_count : int, default=1
        Leave out tokens that occur fewer times in all documents together.
    max_features : int or None, default=None
        Keep only so many tokens, those that occur most often. Ties go by the order of
        code points.
    vocabulary : iterable of str, dict or None, default=None
        The tokens in the order of their codes, instead of learning them; or a dict that
        numbers them from 0, as that of a CountVectorizer, or from 4.
    handle_unknown : {"unk", "ignore", "error"}, default="unk"
        A token outside the vocabulary gets code 1, is left out, or raises.
    max_length : int or None, default=None
        The longest row, in codes; longer documents are cut.
    truncation : {"right", "left"}, default="right"
        The side on which they are cut.
    boundaries : bool, default=False
        Put the start code 2 before and the end code 3 after every document.
    detokenizer : callable or None, default=None
        From a list of tokens to text, for :meth:`inverse_transform` and for the texts
        of a :class:`SequenceGenerator` or :class:`SequenceTranslator`. None attaches
        punctuation marks to words as English text does (see Notes); if a ``tokenizer``
        is given, it puts a space between all tokens, as ``" ".join`` does.

    Attributes
    ----------
    vocabulary_ : dict
        From token to code; the first token has code 4.
    vocabulary_size_ : int
        4 + number of tokens: every code is below it.

    See Also
    --------
    CharVectorizer : Characters as tokens.
    RNNClassifier : Reads what this returns.

    Notes
    -----
    Codes: 0 padding, 1 unknown, 2 start, 3 end, tokens from 4 in the order of their
    code points. An empty document becomes one unknown code. A lone surrogate is
    refused.

    White space is no token, so text comes back by the rules of [1]_, extended to
    apostrophes and hyphens within words and to marks within numbers: "don ' t ( 3 . 5
    ) !" becomes "don't (3.5)!". What the codes do not show can come back differently:
    upper case (see ``lowercase``), line breaks, a hyphen between spaces, or the space
    that French has before a question mark.

    In scripts whose vowel signs are combining marks (Devanagari, Thai) ``\\w``
    takes the marks for punctuation: give a ``tokenizer`` that knows the script.

    References
    ----------
    .. [1] P. Koehn et al., "Moses: Open source toolkit for statistical machine
       translation", ACL 2007.

    Examples
    --------
    >>> from sklearn_rnn import WordVectorizer
    >>> vectorizer = WordVectorizer()
    >>> tokens = vectorizer.fit_transform(["Call me Ishmael.", "Call me."])
    >>> tokens
    TokenArray([[5, 7, 6, 4],
                [5, 7, 4, 0]], vocabulary_size=8)
    >>> vectorizer.inverse_transform(tokens)
    ['call me ishmael.', 'call me.']
    """

    _parameter_constraints = {
        **TokenVectorizer._parameter_constraints,
        "token_pattern": [str],
        "stop_words": [StrOptions({"english"}), list, None],
        "detokenizer": [callable, None],
    }

    def __init__(
        self,
        *,
        input="content",
        encoding="utf-8",
        decode_error="strict",
        lowercase=True,
        strip_accents=None,
        preprocessor=None,
        tokenizer=None,
        token_pattern=TOKEN_PATTERN,
        stop_words=None,
        min_df=1,
        max_df=1.0,
        min_count=1,
        max_features=None,
        vocabulary=None,
        handle_unknown="unk",
        max_length=None,
        truncation="right",
        boundaries=False,
        detokenizer=None,
    ):
        self.input = input
        self.encoding = encoding
        self.decode_error = decode_error
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.preprocessor = preprocessor
        self.tokenizer = tokenizer
        self.token_pattern = token_pattern
        self.stop_words = stop_words
        self.min_df = min_df
        self.max_df = max_df
        self.min_count = min_count
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.handle_unknown = handle_unknown
        self.max_length = max_length
        self.truncation = truncation
        self.boundaries = boundaries
        self.detokenizer = detokenizer

    def _reader(self):
        return CountVectorizer(
            input=self.input,
            encoding=self.encoding,
            decode_error=self.decode_error,
            lowercase=self.lowercase,
            strip_accents=self.strip_accents,
            preprocessor=self.preprocessor,
            tokenizer=self.tokenizer,
            token_pattern=self.token_pattern,
            stop_words=self.stop_words,
        )

    def _join(self, tokens):
        if self.detokenizer is not None:
            return self.detokenizer(tokens)
        return join_words(tokens) if self.tokenizer is None else " ".join(tokens)
