"""Words of formal languages: counting and the embedded Reber grammar."""

import re

import numpy as np
import pytest

from sklearn_rnn.datasets import make_counting_words, make_embedded_reber
from sklearn_rnn.datasets._grammars import _is_embedded_reber


def test_counting_words_have_each_letter_as_often():
    assert make_counting_words(3, 3) == ["abc", "aabbcc", "aaabbbccc"]
    words = make_counting_words(range(100, 102))
    assert words == ["a" * 100 + "b" * 100, "a" * 101 + "b" * 101]
    for wrong in (0, [0, 1], [1.5], [[1]], []):
        with pytest.raises(ValueError, match=r"'n' parameter|of at least 1, got"):
            make_counting_words(wrong)
    with pytest.raises(ValueError, match="'n_letters' parameter"):
        make_counting_words(3, 27)


# Reber's grammar as a regular expression; L is the state where X and S separate.
_L = "(?:XT*VP)*(?:S|XT*VV)"
REBER = rf"B(?:TS*X{_L}|PT*V(?:V|P{_L}))E"
EMBEDDED_REBER = re.compile(rf"B([TP]){REBER}\1E")


def test_embedded_reber_strings_are_in_the_language_or_one_letter_away():
    X, y = make_embedded_reber(2000, corrupted=0.3, random_state=0)
    assert X == make_embedded_reber(2000, corrupted=0.3, random_state=0)[0]
    assert (y == 0).sum() == 600 and 200 < (y[:1000] == 0).sum() < 400
    for word, legal in zip(X, y, strict=True):
        assert bool(EMBEDDED_REBER.fullmatch(word)) == legal == _is_embedded_reber(word)
        if not legal:
            near = (
                word[:i] + letter + word[i + 1 :]
                for i in range(len(word))
                for letter in "BEPSTVX"
            )
            assert any(map(EMBEDDED_REBER.fullmatch, near))
    assert (make_embedded_reber(5, corrupted=0)[1] == 1).all()
    assert (make_embedded_reber(5, corrupted=1)[1] == 0).all()


def test_embedded_reber_chooses_all_paths_equally_often():
    X = make_embedded_reber(4000, corrupted=0, random_state=0)[0]
    ways = ("TS", "TX", "PT", "PV")
    assert {word[:5] for word in X} == {f"B{kept}B{w}" for kept in "TP" for w in ways}
    second = np.mean([word[1] == "T" for word in X])
    shortest = np.mean([len(word) == 9 for word in X])  # inner BTXSE and BPVVE
    np.testing.assert_allclose([second, shortest], [1 / 2, 1 / 8 + 1 / 8], atol=0.03)
    assert max(map(len, X)) > 25


def test_corrupted_letters_occur_at_every_position():
    words, y = make_embedded_reber(3000, corrupted=1, random_state=0)
    assert not any(map(_is_embedded_reber, words)) and not y.any()
    kept = [w for w in words if re.fullmatch(rf"B[TP]{REBER}[TP]E", w)]
    assert kept and all(w[1] != w[-2] for w in kept)  # only memory can detect these
    assert {word[0] for word in words} == set("BEPSTVX")


@pytest.mark.parametrize("word", ["", "B", "BTTE", "BTBTXSETEE", "BTBTXSEE", "BTBTX"])
def test_corrupted_strings_are_not_in_the_language(word):
    assert not _is_embedded_reber(word)
    assert _is_embedded_reber("BTBTXSETE")
