"""Units that track a property are found, and chance is not mistaken for one."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNForecaster, SequenceGenerator
from sklearn_rnn.inspection import find_units
from sklearn_rnn.inspection._units import (
    correlate,
    divide_steps,
    list_targets,
    score_units,
)

RNG = np.random.default_rng(0)
TEXT = 'ab "cd" e ' * 30


def inside(text):
    return [text[: k + 1].count('"') % 2 == 1 for k in range(len(text))]


@pytest.fixture(scope="module")
def generator():
    model = SequenceGenerator(hidden_size=12, max_epochs=12, random_state=0)
    return model.fit(TEXT)


def test_a_unit_that_tracks_quotation_marks(generator):
    found = find_units(generator, TEXT, inside)
    assert found.n_steps == len(TEXT) and len(found.frame) == 24
    assert found.score > 0.2
    best = found.frame.iloc[0]
    assert best["score"] >= found.frame["score"].iloc[1]
    assert set(found.frame["state"]) == {"hidden", "cell"}
    assert found.frame["n_best"].sum() == 5
    given = find_units(generator, [TEXT], [inside(TEXT)])
    assert given.frame.equals(found.frame)


def test_states_are_those_of_the_model(generator):
    stream = generator.stream()
    numbers = []
    for character in TEXT[:40]:
        stream.predict(character)
        numbers.append(stream.state["cell_0"][0, 3])
    found = find_units(generator, TEXT[:40], np.array(numbers)).frame
    best = found.iloc[0]
    assert (best["state"], best["unit"]) == ("cell", 3)
    assert best["score"] == pytest.approx(1, abs=1e-5)
    assert best["correlation"] == pytest.approx(1, abs=1e-5)


def test_chance_has_a_score_of_about_zero():
    states = RNG.normal(size=(200, 300)).astype(np.float32)
    numbers = RNG.normal(size=200)
    found = score_units(states, numbers, divide_steps([200], 5))
    assert np.abs(found.correlation).max() > 0.15
    assert abs(found.honest) < 0.15


def test_the_sign_is_that_of_the_other_parts():
    numbers = RNG.normal(size=100)
    parts = divide_steps([100], 2)
    states = np.column_stack([-numbers, np.where(parts == 0, numbers, -numbers)])
    found = score_units(states, numbers, parts)
    assert_allclose(found.score, [1, -1])
    assert_allclose(found.correlation[0], -1)


def test_labels_of_sequences_and_classes():
    X = RNG.normal(size=(30, 5, 2))
    y = np.array(["a", "b", "c"] * 10)
    model = RNNClassifier(
        hidden_size=3, bidirectional=True, max_epochs=1, random_state=0
    ).fit(X, y)
    found = find_units(model, X, y, cv=3)
    assert set(found.frame["value"]) == {"a", "b", "c"}
    assert set(found.frame["direction"]) == {"forward", "backward"}
    assert len(found.frame) == 3 * 6 and found.n_steps == 150
    by_call = find_units(model, X, lambda x: x[:, 0], cv=3)
    by_array = find_units(model, X, X[..., 0], cv=3)
    assert by_call.frame.equals(by_array.frame)


def test_pipelines_of_text():
    texts = ["anna", "Otto", "nora", "otto"] * 3
    model = make_pipeline(
        CharVectorizer(), RNNClassifier("rnn", 3, max_epochs=1, random_state=0)
    ).fit(texts, [0, 1] * 6)
    found = find_units(model, texts, lambda text: [c in "ao" for c in text.lower()])
    assert len(found.frame) == 3 and found.n_steps == 48


def test_forecasters():
    series = np.sin(np.arange(80) / 3)
    model = RNNForecaster(
        hidden_size=3, max_epochs=1, differencing=2, intervals=None, random_state=0
    ).fit(series)
    found = find_units(model, series, np.gradient(series))
    assert found.n_steps == 78


def test_sequences_stay_whole():
    assert_array_equal(divide_steps([2, 3, 1], 3), [0, 0, 1, 1, 1, 2])
    assert_array_equal(divide_steps([6], 3), [0, 0, 1, 1, 2, 2])


def test_a_unit_that_does_not_vary_correlates_with_nothing():
    found = correlate(np.array([[1.0, 1], [1, 2], [1, 3]]), np.array([1.0, 2, 3]))
    assert_allclose(found, [0, 1])


def test_padding_has_no_property():
    X = RNG.normal(size=(10, 6, 2))
    X[::2, 4:] = np.nan
    model = RNNClassifier(hidden_size=2, max_epochs=1, random_state=0)
    model.fit(X, X[:, 0, 0] > 0)
    expected = find_units(model, X, [x[: 4 + 2 * (i % 2), 0] for i, x in enumerate(X)])
    assert find_units(model, X, X[:, :, 0]).frame.equals(expected.frame)
    assert find_units(model, X, lambda x: x[:, 0]).frame.equals(expected.frame)
    tokens = CharVectorizer().fit_transform(["otto", "an"] * 5)
    model.fit(tokens, [0, 1] * 5)
    found = find_units(model, tokens, lambda codes: codes == codes[0])
    assert found.n_steps == 30


def test_rows_of_a_frame_have_properties():
    frame = pd.DataFrame(RNG.normal(size=(6, 6)), columns=list("abcdef"))
    model = RNNClassifier(hidden_size=2, max_epochs=1, random_state=0)
    model.fit(frame, frame["a"] > 0)
    expected = find_units(model, frame, frame.to_numpy()).frame
    assert find_units(model, frame, lambda row: row).frame.equals(expected)


def test_two_labels_are_compared_once():
    ((value, numbers),) = list_targets(np.array(["no", "yes", "no"]))
    assert value is None
    assert_array_equal(numbers, [0, 1, 0])


@pytest.mark.parametrize(
    ("property", "message"),
    [
        ([1, 2], r"shape \(2,\) for sequence 0, which has 300 steps"),
        ([[1], [2]], "has 2 entries for 1 sequences"),
        (lambda text: 1, "one value; expected one per step"),
        (np.ones(300), r"property is .*1.* at all steps"),
        (np.where(np.arange(300), 1.0, np.nan), "NaN or infinity"),
        (np.arange(300) == 1, "varies in none of the parts"),
    ],
)
def test_properties_that_do_not_fit_are_errors(generator, property, message):
    with pytest.raises(ValueError, match=message):
        find_units(generator, TEXT, property)


def test_other_errors(generator):
    with pytest.raises(ValueError, match="cv=1"):
        find_units(generator, TEXT, inside, cv=1)
    with pytest.raises(ValueError, match="X contains no steps"):
        find_units(generator, [""], [[]])
    X = RNG.normal(size=(10, 8))
    model = RNNClassifier(hidden_size=2, patch_size=2, max_epochs=1, random_state=0)
    with pytest.raises(ValueError, match="patches of 2 steps"):
        find_units(model.fit(X, X[:, 0] > 0), X, X)
