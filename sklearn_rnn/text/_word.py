"""WordVectorizer, which encodes texts as sequences of words and punctuation marks."""

from sklearn.feature_extraction.text import CountVectorizer

from sklearn_rnn._core.sklearn_private import StrOptions
from sklearn_rnn.text._detokenize import join_words
from sklearn_rnn.text._documents import TOKEN_PATTERN
from sklearn_rnn.text._vectorizer import TokenVectorizer


class WordVectorizer(TokenVectorizer):
    """Vectorizer that encodes texts as sequences of word codes.

    Punctuation marks are tokens as well. For bags of words, without order, use
    :class:`~sklearn.feature_extraction.text.CountVectorizer` of scikit-learn.

    Parameters
    ----------
    input : {"content", "file", "filename"}, default="content"
        Type of the documents in ``fit`` and ``transform``: texts, open files, or names
        of files.
    encoding : str, default="utf-8"
        Encoding of bytes and files.
    decode_error : {"strict", "ignore", "replace"}, default="strict"
        How bytes that are invalid in that encoding are handled: "strict" raises an
        error, "ignore" drops them, "replace" inserts U+FFFD.
    lowercase : bool, default=True
        Whether to convert texts to lower case before they are split.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        How accents are removed, as in
        :class:`~sklearn.feature_extraction.text.CountVectorizer`. None keeps them.
    preprocessor : callable or None, default=None
        Function from text to text that replaces ``lowercase`` and ``strip_accents``.
    tokenizer : callable or None, default=None
        Function from text to a list of tokens that replaces ``token_pattern``.
    token_pattern : str, default=``r"\\w+|[^\\w\\s]"``
        Regular expression of a token. By default a token is a word or a single
        punctuation mark.
    stop_words : {"english"}, list of str or None, default=None
        Tokens to leave out, or "english" for scikit-learn's list of English words.
    min_df : int or float, default=1
        Minimum number of documents in which a token of the vocabulary occurs; a float
        is a fraction of the documents.
    max_df : int or float, default=1.0
        Maximum number of documents in which a token of the vocabulary occurs; a float
        is a fraction of the documents.
    min_count : int, default=1
        Minimum number of times that a token of the vocabulary occurs in all documents
        together.
    max_features : int or None, default=None
        Maximum number of tokens in the vocabulary. The most frequent tokens are kept;
        equally frequent tokens are kept in the order of their code points.
    vocabulary : iterable of str, dict or None, default=None
        Tokens in the order of their codes, which are then not learned; or a dict that
        numbers the tokens from 0, like the ``vocabulary_`` of a CountVectorizer, or
        from 4.
    handle_unknown : {"unk", "ignore", "error"}, default="unk"
        How tokens outside the vocabulary are handled: "unk" encodes them as 1, "ignore"
        leaves them out, "error" raises an error.
    max_length : int or None, default=None
        Maximum number of codes per document. Longer documents are truncated. None means
        no limit.
    truncation : {"right", "left"}, default="right"
        Side on which long documents are truncated.
    boundaries : bool, default=False
        Whether to add the start code 2 before and the end code 3 after each document.
    detokenizer : callable or None, default=None
        Function from a list of tokens to text. It is used by :meth:`inverse_transform`
        and for the texts of a :class:`SequenceGenerator` or
        :class:`SequenceTranslator`. None attaches punctuation marks to words as in
        English (see Notes); if a ``tokenizer`` is given, None puts a space between all
        tokens, as ``" ".join`` does.

    Attributes
    ----------
    vocabulary_ : dict
        Mapping from tokens to codes; the first token has code 4.
    vocabulary_size_ : int
        Number of codes: one per token, and 4 reserved codes.

    See Also
    --------
    CharVectorizer : Uses characters as tokens.
    RNNClassifier : Classifies sequences of codes.
    SequenceGenerator : Learns to continue texts.

    Notes
    -----
    The reserved codes are 0 for padding, 1 for unknown tokens, 2 for the start and 3
    for the end. Tokens have codes from 4 in the order of their code points. An empty
    document is encoded as one unknown code. A lone surrogate raises an error.

    White space is not encoded. Texts are restored by the rules of the Moses detokenizer
    [1]_, extended to apostrophes and hyphens within words and to marks within numbers:
    "don ' t ( 3 . 5 ) !" becomes "don't (3.5)!". Details that the codes do not contain
    may change: upper case (see ``lowercase``), line breaks, a hyphen between spaces, or
    the space before a question mark in French.

    In scripts whose vowel signs are combining marks (Devanagari, Thai), ``\\w`` does
    not match these marks, so words are split at them: pass a ``tokenizer`` for the
    script.

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
