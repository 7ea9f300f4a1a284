"""Rules that join words and punctuation marks to a text, with English spacing."""

import unicodedata
from collections.abc import Iterable, Sequence

OPENING = frozenset("([{\u201c\u2018\u00bf\u00a1#@")
CLOSING = frozenset(",.;:!?%)]}\u201d\u2026")
HYPHENS = frozenset("-/\u2010\u2011")
APOSTROPHES = frozenset("'\u2019")
QUOTES = frozenset("\"'")
# tokens after an apostrophe within a word: it's, don't, ma'am
CLITICS = frozenset(("s", "t", "d", "m", "ll", "re", "ve", "am", "em", "hui"))
LONGEST_QUOTATION = 1000  # maximum number of tokens between quotation marks
UNKNOWN_WORD = "\ufffd"


def join_words(tokens: Iterable[str]) -> str:
    """Join tokens to a text.

    The rules are those of the Moses detokenizer [1]_ for brackets, closing marks,
    currency signs and pairs of quotation marks. They are extended to apostrophes and
    hyphens within words, and to marks within numbers and abbreviations, which are
    single tokens here.

    Parameters
    ----------
    tokens : iterable of str
        Words and punctuation marks in order.

    Returns
    -------
    text : str
        Text with spaces between the tokens where English has them.

    References
    ----------
    .. [1] P. Koehn et al., "Moses: Open source toolkit for statistical machine
       translation", ACL 2007.

    Examples
    --------
    >>> from sklearn_rnn.text._detokenize import join_words
    >>> join_words("don ' t go - - now ( really ) : it ' s $ 3 . 50 !".split())
    "don't go -- now (really): it's $3.50!"
    """
    tokens = [*tokens]
    pieces, is_glued, opened = [], True, set[str]()
    for place, token in enumerate(tokens):
        left, right = _find_sides(tokens, place, opened)
        pieces.append(token if is_glued or left else f" {token}")
        is_glued = right
    return "".join(pieces)


def _find_sides(
    tokens: Sequence[str], place: int, opened: set[str]
) -> tuple[bool, bool]:
    """Determine whether a token is attached to the previous and to the next token.

    ``opened`` contains the quotation marks that are open, and is updated.
    """
    token = tokens[place]
    before = tokens[place - 1] if place else ""
    after = tokens[place + 1] if place + 1 < len(tokens) else ""
    if _is_word(token):
        # other tokenizers split it's into it 's, and don't into do n't
        return token[0] in APOSTROPHES or token.lower() == "n't", False
    between_words = _is_word(before) and _is_word(after)
    if token in APOSTROPHES and between_words and _is_apostrophe(before, after):
        return True, True
    if token in QUOTES:
        return _find_sides_of_quote(tokens, place, opened)
    if token == "\u2019":
        return True, False
    if token in HYPHENS:
        runs = before == token, after == token  # -- is a dash
        if any(runs):
            return runs
        # the text may continue after a final hyphen
        left = between_words or (_is_word(before) and not after)
        is_sign = after.isdecimal() and not _is_word(before)
        return left, between_words or is_sign
    if token == "\u2014":
        return True, True
    if token == "\u2013":
        within = before.isdecimal() and after.isdecimal()
        return within, within
    if token[:1] in CLOSING:
        return True, token[-1] in OPENING or _is_within(token, tokens, place)
    is_currency = unicodedata.category(token[-1:] or " ") == "Sc"
    return False, token[-1:] in OPENING or (is_currency and after.isdecimal())


def _is_word(token: str) -> bool:
    """Return whether a token is a word or a number rather than a punctuation mark."""
    return token == UNKNOWN_WORD or any(c.isalnum() or c == "_" for c in token)


def _is_apostrophe(before: str, after: str) -> bool:
    """Return whether a mark between two words is an apostrophe, as in it's or l'air."""
    if after.lower() in CLITICS or before.lower().endswith("qu"):
        return True
    return len(before) == 1 and before.isalpha() and before not in "aAiI"


def _find_sides_of_quote(
    tokens: Sequence[str], place: int, opened: set[str]
) -> tuple[bool, bool]:
    """Determine the sides of a straight quotation mark, which may open or close."""
    token = tokens[place]
    before = tokens[place - 1] if place else ""
    if token in opened:
        opened.remove(token)
        return True, False
    is_plural = token == "'" and before[-1:] in ("s", "S")  # the whales' teeth
    following = tokens[place + 1 : place + 1 + LONGEST_QUOTATION]
    if is_plural or (_is_word(before) and token not in following):
        return True, False
    opened.add(token)
    return False, True


def _is_within(mark: str, tokens: Sequence[str], place: int) -> bool:
    """Return whether a mark is within a number, a time of day or an abbreviation."""
    if not place or place + 1 == len(tokens):
        return False
    before, after = tokens[place - 1], tokens[place + 1]
    if before.isdecimal() and after.isdecimal():
        return (
            mark == "."
            or (mark == "," and len(before) <= 3 and len(after) == 3)
            or (mark == ":" and len(before) <= 2 and len(after) == 2)
        )
    is_initial = mark == "." and tokens[place + 2 : place + 3] == ["."]  # e.g.
    return is_initial and all(len(x) == 1 and x.isalpha() for x in (before, after))
