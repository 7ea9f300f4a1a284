"""TextDisplay colors tokens, and shows any text as text."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.utils import Bunch

from sklearn_rnn import CharVectorizer, RNNClassifier, SequenceGenerator
from sklearn_rnn.display import TextDisplay
from sklearn_rnn.display._text import describe_target
from sklearn_rnn.inspection import attribute
from sklearn_rnn.inspection._gates import compute_gates

TEXTS = ["anna", "Otto"] * 6
HOSTILE = '<script>alert("1")</script>&lt;\n'


@pytest.fixture(scope="module")
def model():
    return SequenceGenerator(hidden_size=3, max_epochs=1, random_state=0).fit(TEXTS)


class Reader(HTMLParser):
    """Collects the elements and the text of HTML."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@pytest.mark.parametrize("what", ["hidden", "cell", "f"])
def test_a_unit_colors_the_characters(model, what):
    display = TextDisplay.from_estimator(model, "Otto", what=what, unit=-1)
    expected = compute_gates(model, "Otto").find(what)[:, 2]
    assert display.tokens == list("Otto")
    np.testing.assert_array_equal(display.values, expected)
    assert display.label.endswith("of unit 2")
    assert display.limits == ((0, 1) if what == "f" else None)


def test_attributions_color_the_characters():
    model = make_pipeline(
        CharVectorizer(), RNNClassifier(hidden_size=3, max_epochs=1, random_state=0)
    ).fit(TEXTS, ["a", "b"] * 6)
    result = attribute(model, TEXTS[:2], target="b")
    display = TextDisplay.from_attributions(result, 1).plot()
    assert display.label == "attribution to log-odds of 'b'"
    assert display.colorbar_.ax.get_xlabel() == display.label
    assert "".join(text.get_text() for text in display.ax_.texts) == "Otto"
    with pytest.raises(ValueError, match="numbers, not of text"):
        TextDisplay.from_attributions(Bunch(tokens=None))


def test_html_contains_text_only():
    display = TextDisplay(list(HOSTILE), np.arange(len(HOSTILE)), label="<b>")
    found = Reader(display._repr_html_())
    assert set(found.tags) == {"div", "span"}
    assert found.text.startswith(HOSTILE.replace("\n", "\u21b5\n"))
    assert "<b>" in found.text
    assert "http" not in display.to_html()


def test_values_are_tooltips_and_colors():
    html = TextDisplay(["ab", "c"], [-1, 2]).to_html()
    assert re.findall(r'title="([^"]+)"', html) == ["-1", "2"]
    assert len(set(re.findall(r"background:(#\w{6})", html))) == 2
    assert ">ab</span> <span" in html
    assert ">ab</span><span" in TextDisplay(["ab", "c"], [1, 2], separator="").to_html()


def rows_of(display):
    rows = {}
    for text in display.ax_.texts:
        rows.setdefault(text.get_position()[1], []).append(text.get_text())
    return ["".join(row) for row in rows.values()]


def test_lines_end_after_words_and_at_line_breaks():
    text = "one two three\nfour"
    display = TextDisplay(list(text), range(len(text))).plot(columns=8)
    assert rows_of(display) == ["one\u2423two\u2423", "three\u21b5", "four"]
    display = TextDisplay(list("abcdef"), range(6)).plot(columns=4)
    assert rows_of(display) == ["abcd", "ef"]
    display = TextDisplay(["one", "two", "three"], range(3)).plot(columns=7)
    assert rows_of(display) == ["onetwo", "three"]


@pytest.mark.parametrize(
    ("tokens", "values", "message"),
    [
        (["a"], [1, 2], r"shape \(2,\) for 1 tokens"),
        ([], [], "at least one token"),
        (["a"], [np.nan], "NaN or infinity"),
        (["\n"] * 500, np.ones(500), "500 lines; a figure can show 400"),
    ],
)
def test_values_that_do_not_fit_are_errors(tokens, values, message):
    with pytest.raises(ValueError, match=message):
        TextDisplay(tokens, values).plot()


def test_other_errors(model):
    with pytest.raises(ValueError, match="columns=0"):
        TextDisplay(["a"], [1]).plot(columns=0)
    with pytest.raises(ValueError, match="unit=3; expected an integer below 3"):
        TextDisplay.from_estimator(model, "anna", unit=3)
    X = np.ones((4, 3))
    numbers = RNNClassifier(hidden_size=2, max_epochs=1, random_state=0)
    with pytest.raises(ValueError, match="reads numbers, not text"):
        TextDisplay.from_estimator(numbers.fit(X, [0, 1, 0, 1]), X[0])


def test_labels_are_not_read_as_formulas():
    display = TextDisplay(["a"], [1], label="log-odds of '$_{$'").plot()
    display.figure_.canvas.draw()
    assert display.colorbar_.ax.get_xlabel() == "log-odds of '$_{$'"


def test_what_is_explained():
    def describe(output, target):
        return describe_target(Bunch(targets=[target], output=output), 0)

    assert describe("proba", "a") == "probability of 'a'"
    assert describe("prediction", 0) == "prediction"
    assert describe("prediction", 2) == "prediction 2"
    assert describe("forecast", 3) == "forecast of lead 3"
