"""The bundled data: what the files hold."""

import inspect
import re
import sys
import tomllib
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_array_equal

from sklearn_rnn.datasets import (
    load_co2,
    load_letters,
    load_moby_dick,
    load_names,
    load_sunspots,
    make_counting_words,
    make_embedded_reber,
    make_waves,
)
from sklearn_rnn.datasets._grammars import _is_embedded_reber

ROOT = Path(__file__).parents[2]
DATASETS = ROOT / "sklearn_rnn" / "datasets"
NATIONALITIES = [
    "Chinese",
    "Czech",
    "Dutch",
    "English",
    "French",
    "German",
    "Greek",
    "Hungarian",
    "Irish",
    "Italian",
    "Japanese",
    "Korean",
    "Portuguese",
    "Russian",
    "Vietnamese",
]


@pytest.fixture(scope="module")
def people():
    return load_names()


def test_names_come_evenly_from_15_nationalities(people):
    assert Counter(people.target.tolist()) == dict.fromkeys(NATIONALITIES, 1500)
    assert len(people.data) == 22_500


def test_target_names_are_sorted(people):
    assert people.target_names.tolist() == NATIONALITIES


def test_names_stand_beside_their_own_nationality(people):
    pairs = list(zip(people.data, people.target.tolist(), strict=True))
    assert pairs[:4] == [
        ("Lenar Gilmullin", "Russian"),
        ("Nguyễn Thị Vạn", "Vietnamese"),
        ("David Cairnes", "Irish"),
        ("Catherine Procaccia", "French"),
    ]
    assert pairs[-1] == ("Vladimir Serov", "Russian")


def test_names_are_clean_text(people):
    assert {type(name) for name in people.data} == {str}
    assert all(name and name == name.strip() for name in people.data)
    assert not any("\t" in name or "\ufffd" in name for name in people.data)


def test_no_name_is_repeated_within_a_nationality(people):
    pairs = Counter(zip(people.data, people.target.tolist(), strict=True))
    assert max(pairs.values()) == 1


def test_nationalities_are_mixed_so_that_any_part_holds_them_all(people):
    assert np.unique(people.target[:500]).tolist() == NATIONALITIES


def test_return_X_y_gives_the_same_data(people):
    X, y = load_names(return_X_y=True)
    assert X == people.data
    assert_array_equal(y, people.target)


def test_return_X_y_is_keyword_only():
    with pytest.raises(TypeError, match="positional"):
        load_names(True)


def test_each_call_gives_its_own_data(people):
    X, y = load_names(return_X_y=True)
    X[0], y[0] = "changed", "Greek"
    again = load_names()
    assert again.data[0] == "Lenar Gilmullin"
    assert again.target[0] == "Russian"


def test_description_names_the_source_and_its_licence(people):
    assert "name2nat 0.5.1" in people.DESCR
    assert "Apache License, Version 2.0" in people.DESCR
    assert "name2nat 0.5.1" in inspect.getdoc(load_names)


def test_moby_dick_is_the_whole_text_with_case_and_marks():
    book = load_moby_dick()
    assert len(book.data) == 1_190_317 and len(set(book.data)) == 83
    assert book.data.startswith("CHAPTER 1. Loomings.\n\nCall me Ishmael.")
    assert book.data.count("whale") > 1000 and "\r" not in book.data


def test_the_chapters_of_moby_dick_are_its_text():
    book = load_moby_dick()
    assert "".join(book.chapters) == book.data
    titles = [chapter.split("\n")[0] for chapter in book.chapters]
    numbers = [int(title.split()[1].rstrip(".")) for title in titles]
    assert numbers == list(range(1, 136))
    assert titles[41] == "CHAPTER 42. The Whiteness of The Whale."


def test_letters_are_the_alphabet_in_bits():
    letters = load_letters()
    assert "".join(letters.target) == "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    assert letters.data.shape == (26, 64) and set(letters.data.ravel()) == {0, 1}
    assert_array_equal(letters.images.reshape(26, 64), letters.data)
    assert letters.images[0, 3].tolist() == [1, 1, 1, 1, 1, 1, 1, 0]  # the bar of A
    X, y = load_letters(return_X_y=True)
    assert_array_equal(X, letters.data)
    assert_array_equal(y, letters.target)


def test_letter_t_stands_upright_on_its_foot():
    X, y = load_letters(return_X_y=True)
    assert X.dtype == np.uint8
    rows = [
        ".######.",
        ".######.",
        ".#.##.#.",
        "...##...",
        "...##...",
        "...##...",
        "..####..",
        "........",
    ]
    (bitmap,) = X[y == "T"]
    assert "".join(".#"[pixel] for pixel in bitmap) == "".join(rows)


def test_sunspots_are_counted_from_1700_to_2008():
    sunspots = load_sunspots()
    assert sunspots.years.tolist() == list(range(1700, 2009))
    assert sunspots.data[[0, 1, -2]].tolist() == [5.0, 11.0, 7.5]
    assert sunspots.years[sunspots.data.argmax()] == 1957
    assert sunspots.data.max() == 190.2


def test_sunspots_as_frame_are_a_series_by_year():
    series = load_sunspots(as_frame=True).data
    assert series.loc[1957] == 190.2 and series.loc[2008] == 2.9
    expected = pd.Index(range(1700, 2009), name="year")
    pd.testing.assert_index_equal(series.index, expected, exact="equiv")
    assert_array_equal(series, load_sunspots().data)


def test_sunspots_as_arrays_need_no_pandas(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert load_sunspots().data.shape == (309,)
    with pytest.raises(ImportError, match="pandas"):
        load_sunspots(as_frame=True)


@pytest.mark.parametrize(
    ("load", "source"),
    [
        (load_moby_dick, "CC0 1.0"),
        (load_letters, "public domain"),
        (load_sunspots, "public domain"),
    ],
)
def test_every_data_set_names_its_licence(load, source):
    assert source in " ".join(load().DESCR.split())
    assert source in inspect.getdoc(load)


def test_wheel_holds_all_data_and_their_licences():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (pattern,) = config["tool"]["setuptools"]["package-data"]["sklearn_rnn.datasets"]
    packed = {path.name for path in DATASETS.glob(pattern)}
    data = {"co2.csv", "letters.txt", "moby_dick.txt.gz"}
    data |= {"names.tsv.gz", "sunspots.csv"}
    licences = {f"{name.split('.')[0]}-LICENSE.txt" for name in data}
    assert packed == data | licences

    patterns = config["project"]["license-files"]
    shown = {path.name for pattern in patterns for path in ROOT.glob(pattern)}
    assert shown == {"LICENSE"} | licences


@pytest.mark.parametrize("name", ["moby_dick.txt.gz", "names.tsv.gz"])
def test_packed_data_carry_no_time_so_that_builds_repeat(name):
    header = (DATASETS / "data" / name).read_bytes()[:8]
    assert header[:3] == b"\x1f\x8b\x08"
    assert header[3:8] == bytes(5)  # no file name in the flags, modified at 0


def test_co2_is_weekly_with_gaps():
    co2 = load_co2()
    assert co2.data.shape == co2.dates.shape == (2284,)
    assert set(np.diff(co2.dates).astype(int)) == {7}
    assert np.isnan(co2.data).sum() == 59
    assert (np.nanmin(co2.data), np.nanmax(co2.data)) == (313.0, 373.9)
    assert np.isnan(co2.data[co2.dates == np.datetime64("1958-05-10")]).all()
    series = load_co2(as_frame=True).data
    assert series.index.freqstr == "W-SAT"
    assert series["1958-03-29"] == 316.1
    np.testing.assert_array_equal(series.to_numpy(), co2.data)


def test_waves_are_sums_of_two_sines():
    X = make_waves(500, 51, random_state=0)
    np.testing.assert_array_equal(X, make_waves(500, 51, random_state=0))
    assert X.shape == (500, 51, 1)
    clean = make_waves(500, 51, noise=0, random_state=0)
    assert np.abs(clean).max() <= 0.7
    noise = (X - clean).ravel()
    assert np.abs(noise).max() <= 0.05
    np.testing.assert_allclose(noise.var(), 0.01 / 12, rtol=0.02)
    # a sum of two sines of unit speed w obeys a linear recursion of order four
    series = clean[0, :, 0]
    past = np.lib.stride_tricks.sliding_window_view(series, 5)
    fitted = past[:, :4] @ np.linalg.lstsq(past[:, :4], past[:, 4], rcond=None)[0]
    np.testing.assert_allclose(fitted, past[:, 4], atol=1e-9)


def test_waves_are_those_of_the_book():
    X = make_waves(10_000, 51, random_state=42)[7000:9000]
    naive = ((X[:, -1] - X[:, -2]) ** 2).mean()
    np.testing.assert_allclose(naive, 0.020211, atol=5e-7)


def test_counting_words_have_each_letter_as_often():
    assert make_counting_words(3, 3) == ["abc", "aabbcc", "aaabbbccc"]
    words = make_counting_words(range(100, 102))
    assert words == ["a" * 100 + "b" * 100, "a" * 101 + "b" * 101]
    for wrong in (0, [0, 1], [1.5], [[1]], []):
        with pytest.raises(ValueError, match=r"'n' parameter|n=\[.*1 or more"):
            make_counting_words(wrong)
    with pytest.raises(ValueError, match="'n_letters' parameter"):
        make_counting_words(3, 27)


# Reber's grammar as an expression instead of states: L is where X and S part.
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


def test_embedded_reber_takes_every_way_of_the_grammar_equally_often():
    X = make_embedded_reber(4000, corrupted=0, random_state=0)[0]
    ways = ("TS", "TX", "PT", "PV")
    assert {word[:5] for word in X} == {f"B{kept}B{w}" for kept in "TP" for w in ways}
    second = np.mean([word[1] == "T" for word in X])
    shortest = np.mean([len(word) == 9 for word in X])  # inner BTXSE and BPVVE
    np.testing.assert_allclose([second, shortest], [1 / 2, 1 / 8 + 1 / 8], atol=0.03)
    assert max(map(len, X)) > 25


def test_letters_of_corrupted_strings_are_wrong_in_every_place():
    words, y = make_embedded_reber(3000, corrupted=1, random_state=0)
    assert not any(map(_is_embedded_reber, words)) and not y.any()
    kept = [w for w in words if re.fullmatch(rf"B[TP]{REBER}[TP]E", w)]
    assert kept and all(w[1] != w[-2] for w in kept)  # only memory tells these
    assert {word[0] for word in words} == set("BEPSTVX")


@pytest.mark.parametrize("word", ["", "B", "BTTE", "BTBTXSETEE", "BTBTXSEE", "BTBTX"])
def test_broken_strings_are_not_in_the_language(word):
    assert not _is_embedded_reber(word)
    assert _is_embedded_reber("BTBTXSETE")
