"""CharVectorizer, which encodes texts as sequences of characters."""

from sklearn.feature_extraction.text import CountVectorizer

from sklearn_rnn.text._vectorizer import TokenVectorizer


class CharVectorizer(TokenVectorizer):
    """Vectorizer that encodes texts as sequences of character codes.

    Each character (code point) is a token, so :meth:`inverse_transform` restores the
    text exactly if the vocabulary contains all of its characters.

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
    lowercase : bool, default=False
        Whether to convert texts to lower case before they are split.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        How accents are removed, as in
        :class:`~sklearn.feature_extraction.text.CountVectorizer`. None keeps them.
    preprocessor : callable or None, default=None
        Function from text to text that replaces ``lowercase`` and ``strip_accents``.
    tokenizer : callable or None, default=None
        Function from text to a list of tokens. None splits texts into characters.
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

    Attributes
    ----------
    vocabulary_ : dict
        Mapping from tokens to codes; the first token has code 4.
    vocabulary_size_ : int
        Number of codes: one per token, and 4 reserved codes.

    See Also
    --------
    WordVectorizer : Uses words and punctuation marks as tokens.
    RNNClassifier : Classifies sequences of codes.
    SequenceGenerator : Learns to continue texts.

    Notes
    -----
    The reserved codes are 0 for padding, 1 for unknown tokens, 2 for the start and 3
    for the end. Tokens have codes from 4 in the order of their code points. An empty
    document is encoded as one unknown code. A lone surrogate raises an error.

    Examples
    --------
    >>> from sklearn_rnn import CharVectorizer
    >>> vectorizer = CharVectorizer().fit(["abba", "cab"])
    >>> vectorizer.vocabulary_
    {'a': 4, 'b': 5, 'c': 6}
    >>> tokens = vectorizer.transform(["abc", "x"])
    >>> tokens
    TokenArray([[4, 5, 6],
                [1, 0, 0]], vocabulary_size=7)
    >>> vectorizer.inverse_transform(tokens[:1])
    ['abc']
    """

    def __init__(
        self,
        *,
        input="content",
        encoding="utf-8",
        decode_error="strict",
        lowercase=False,
        strip_accents=None,
        preprocessor=None,
        tokenizer=None,
        min_df=1,
        max_df=1.0,
        min_count=1,
        max_features=None,
        vocabulary=None,
        handle_unknown="unk",
        max_length=None,
        truncation="right",
        boundaries=False,
    ):
        self.input = input
        self.encoding = encoding
        self.decode_error = decode_error
        self.lowercase = lowercase
        self.strip_accents = strip_accents
        self.preprocessor = preprocessor
        self.tokenizer = tokenizer
        self.min_df = min_df
        self.max_df = max_df
        self.min_count = min_count
        self.max_features = max_features
        self.vocabulary = vocabulary
        self.handle_unknown = handle_unknown
        self.max_length = max_length
        self.truncation = truncation
        self.boundaries = boundaries

    def _reader(self):
        return CountVectorizer(
            input=self.input,
            encoding=self.encoding,
            decode_error=self.decode_error,
            lowercase=self.lowercase,
            strip_accents=self.strip_accents,
            preprocessor=self.preprocessor,
            tokenizer=self.tokenizer or list,
        )

    def _join(self, tokens):
        return "".join(tokens)
