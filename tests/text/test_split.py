"""split_text: cutting one text into pieces of about equal length."""

import re

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, KFold
from sklearn.neighbors import KernelDensity
from sklearn.pipeline import make_pipeline

from sklearn_rnn.text import TextStatisticsVectorizer, split_text


def first_cut(text):
    """Position where a text is cut into two pieces."""
    return len(split_text(text, 2)[0])


def letters(**marks):
    """40 letters, whose even cut is at 20, with marks that end at given positions."""
    text = list("a" * 40)
    for name, end in marks.items():
        text[end - 1] = {"line": "\n", "space": " ", "tab": "\t"}[name]
    return "".join(text)


@pytest.mark.parametrize("end", [18, 19, 20, 21, 22])
@pytest.mark.parametrize("mark", ["line", "space", "tab"])
def test_cut_is_after_the_end_of_a_line_or_word_within_a_tenth_of_a_piece(mark, end):
    assert first_cut(letters(**{mark: end})) == end


@pytest.mark.parametrize("end", [17, 23])
@pytest.mark.parametrize("mark", ["line", "space"])
def test_cut_is_even_if_no_line_or_word_ends_near(mark, end):
    assert first_cut(letters(**{mark: end})) == 20


def test_cut_prefers_lines_to_words():
    assert first_cut(letters(line=22, space=20)) == 22


@pytest.mark.parametrize(("ends", "nearest"), [((18, 21), 21), ((19, 22), 19)])
def test_cut_is_at_the_nearest_line(ends, nearest):
    text = list("a" * 40)
    for end in ends:
        text[end - 1] = "\n"
    assert first_cut("".join(text)) == nearest


def test_line_end_of_two_characters_is_not_split():
    assert split_text("a" * 18 + "\r\n" + "a" * 20, 2) == ["a" * 18 + "\r\n", "a" * 20]


@pytest.mark.parametrize("n_pieces", [1, 2, 3, 7, 10, 33, 250, 499, 500])
def test_pieces_contain_the_text_and_have_similar_lengths(rng, n_pieces):
    text = "".join(rng.choice(list("abcé \n"), size=500))
    pieces = split_text(text, n_pieces)
    lengths = np.array([len(piece) for piece in pieces])
    assert "".join(pieces) == text
    assert len(pieces) == n_pieces
    assert lengths.min() >= 1
    even = 500 / n_pieces
    assert np.abs(lengths - even).max() <= 0.2 * even + 1


def test_long_pieces_begin_at_lines():
    text = "".join(f"line {i}\n" for i in range(1000))
    pieces = split_text(text, np.int64(6))
    assert all(re.match(r"line \d+\n", piece) for piece in pieces)


def test_pieces_can_be_cross_validated():
    pieces = split_text("It was so. " * 40, 4)
    search = GridSearchCV(
        make_pipeline(TextStatisticsVectorizer(statistics=["counts"]), KernelDensity()),
        {"kerneldensity__bandwidth": [1.0, 10.0]},
        cv=KFold(4),
    )
    assert np.isfinite(search.fit(pieces).best_score_)


@pytest.mark.parametrize("text", [b"abc", ["a", "b"], None])
def test_other_objects_than_text_are_an_error(text):
    with pytest.raises(
        TypeError, match=r"'text' parameter of split_text must be .*str"
    ):
        split_text(text, 1)


@pytest.mark.parametrize("n_pieces", [0, -1, 2.0, "2", None])
def test_number_of_pieces_must_be_a_positive_integer(n_pieces):
    message = "'n_pieces' parameter of split_text must be an int in the range \\[1, inf"
    with pytest.raises(ValueError, match=message):
        split_text("abc", n_pieces)


@pytest.mark.parametrize(("text", "n_pieces"), [("", 1), ("ab", 3)])
def test_more_pieces_than_characters_are_an_error(text, n_pieces):
    message = f"n_pieces={n_pieces}, but the text has only {len(text)} characters"
    with pytest.raises(ValueError, match=message):
        split_text(text, n_pieces)
