"""CharVectorizer: a text as the sequence of its characters."""

from sklearn.feature_extraction.text import CountVectorizer

from sklearn_rnn.text._vectorizer import TokenVectorizer


class CharVectorizer(TokenVectorizer):
    """Encode texts as sequences of character codes.

    Each character (code point) is a token, so that ``inverse_transform`` gives back
    exactly the text, as far as the vocabulary holds its characters.

    Parameters
    ----------
    input : {"content", "file", "filename"}, default="content"
        What ``fit`` and ``transform`` are given: texts, open files, or file names.
    encoding : str, default="utf-8"
        How bytes and files are decoded.
    decode_error : {"strict", "ignore", "replace"}, default="strict"
        What to do with bytes that are not of that encoding.
    lowercase : bool, default=False
        Lower the case of all letters first.
    strip_accents : {"ascii", "unicode"}, callable or None, default=None
        Remove accents, as :class:`~sklearn.feature_extraction.text.CountVectorizer`.
    preprocessor : callable or None, default=None
        From text to text, in place of ``lowercase`` and ``strip_accents``.
    tokenizer : callable or None, default=None
        From text to a list of tokens; by default the characters (code points).
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

    Attributes
    ----------
    vocabulary_ : dict
        From token to code; the first token has code 4.
    vocabulary_size_ : int
        4 + number of tokens: every code is below it.

    See Also
    --------
    WordVectorizer : Words and punctuation as tokens.
    RNNClassifier : Reads what this returns.

    Notes
    -----
    Codes: 0 padding, 1 unknown, 2 start, 3 end, tokens from 4 in the order of their
    code points. An empty document becomes one unknown code. A lone surrogate is
    refused.

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
