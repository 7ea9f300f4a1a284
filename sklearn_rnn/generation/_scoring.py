"""What a text costs beyond its tokens, so that any two generators can be compared."""

from sklearn_rnn.generation._spelling import Spelling, Tally, unseen_character_bits
from sklearn_rnn.text import CharVectorizer

INCOMPARABLE = (
    "scores would not be comparable, since the vectorizer changes text ({}). Bits a "
    "character are those of the text as given: set lowercase=False, "
    "strip_accents=None and no preprocessor; perplexity() scores such tokens."
)


class SpellingRecorder:
    """Watches the training text go by; ``spelling`` is what is learned of it.

    None if every character is a token, which needs none, or if the vectorizer changes
    text, so that its tokens cannot be found there.
    """

    def __init__(self, vectorizer):
        spelt = by_character(vectorizer) or folding(vectorizer)
        self._tally = None if spelt else Tally()

    def __call__(self, text, tokens):
        if self._tally is None or text is None:
            return
        try:
            self._tally.update(text, tokens)
        except ValueError:  # a tokenizer of the user's, say a stemmer
            self._tally = None

    def spelling(self, known):
        """The prices learned, given the tokens that the vocabulary holds."""
        return None if self._tally is None else Spelling(self._tally, known)


class HiddenTextCost:
    """Watches text go by that is scored; ``bits`` is what its tokens do not show."""

    def __init__(self, vectorizer, spelling, known):
        reason = folding(vectorizer)
        if reason or (spelling is None and not by_character(vectorizer)):
            raise ValueError(INCOMPARABLE.format(reason or "its tokens are not in it"))
        self._spelling, self._known = spelling, known
        self._tally, self._n_unknown = Tally(longest_gap=None), 0
        self.n_characters = 0

    def __call__(self, text, tokens):
        if text is None:  # tokens made by the user, who knows no text
            raise ValueError(INCOMPARABLE.format("documents are given as tokens"))
        self.n_characters += len(text)
        if self._spelling is None:
            self._n_unknown += sum(token not in self._known for token in tokens)
        else:
            self._tally.update(text, tokens)

    @property
    def bits(self):
        """The price of all that was seen."""
        if self._spelling is None:
            return self._n_unknown * unseen_character_bits(len(self._known))
        return self._spelling.bits_of(self._tally, self._known)


def by_character(vectorizer):
    """Whether the tokens are all the characters, one by one."""
    return isinstance(vectorizer, CharVectorizer) and vectorizer.tokenizer is None


def folding(vectorizer):
    """The parameter by which a vectorizer changes text, or None."""
    for name in ("lowercase", "strip_accents", "preprocessor"):
        value = getattr(vectorizer, name, None)
        if value:
            return f"{name}={value!r}"
    return None
