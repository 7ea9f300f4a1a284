"""Errors about misspelt options suggest the right one, in every estimator."""

import numpy as np
import pytest
from sklearn.model_selection import KFold

import sklearn_rnn
from sklearn_rnn._core.sklearn_private import InvalidParameterError, StrOptions
from sklearn_rnn._core.validation import suggest_option

CELLS = [StrOptions({"rnn", "lstm", "gru"}), callable]


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("LSTM", " Did you mean 'lstm'?"),
        ("ltsm", " Did you mean 'lstm'?"),
        ("transformer", ""),
        (3, ""),
    ],
)
def test_suggested_option(value, hint):
    assert suggest_option(value, CELLS) == hint


def string_options():
    """List class, parameter and option for every option of every estimator."""
    for name in sklearn_rnn.__all__:
        cls = getattr(sklearn_rnn, name)
        for parameter, rules in getattr(cls, "_parameter_constraints", {}).items():
            for rule in rules:
                if isinstance(rule, StrOptions):
                    option = sorted(rule.options)[0]
                    yield pytest.param(cls, parameter, option, id=f"{name}-{parameter}")


@pytest.mark.parametrize(("cls", "parameter", "option"), list(string_options()))
def test_every_option_of_every_estimator_is_suggested(cls, parameter, option):
    estimator = cls(**{parameter: option.upper()})
    message = f"The '{parameter}' parameter of .* Did you mean '{option}'"
    with pytest.raises(InvalidParameterError, match=message):
        estimator.fit(np.ones((3, 3)))


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (
            sklearn_rnn.RNNClassifier(early_stopping=True, validation_fraction=KFold),
            r"'validation_fraction' parameter of RNNClassifier must be an object, got "
            r"the class KFold. Create one: validation_fraction=KFold\(...\)",
        ),
        (
            sklearn_rnn.SequenceGenerator(sklearn_rnn.WordVectorizer),
            r"Create one: vectorizer=WordVectorizer\(...\)",
        ),
    ],
    ids=["splitter", "vectorizer"],
)
def test_a_class_in_place_of_an_object_is_refused(estimator, message):
    with pytest.raises(InvalidParameterError, match=message):
        estimator.fit(np.ones((20, 3, 1)), np.arange(20) % 2)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        ("SequenceTranslator", "beam_size"),
        ("SequenceTranslator", "length_penalty"),
        ("RNNClassifier", "hidden_size"),
        ("RNNForecaster", "horizon"),
        ("BoltzmannMachine", "n_hidden"),
        ("CharVectorizer", "max_length"),
    ],
)
def test_a_bool_is_not_accepted_as_a_number(name, parameter):
    estimator = getattr(sklearn_rnn, name)(**{parameter: True})
    message = f"'{parameter}' parameter of {name} must be a number, got True"
    with pytest.raises(InvalidParameterError, match=message):
        estimator.fit(np.ones((3, 3)))


def test_other_errors_stay_as_they_are():
    with pytest.raises(InvalidParameterError, match=r"Got 0 instead\.$"):
        sklearn_rnn.HopfieldDenoiser(max_iter=0).fit(np.ones((3, 3)))


@pytest.mark.parametrize("given", [{"precision": {}}, {"embedding": {}}])
def test_a_dict_is_neither_an_option_nor_an_array(given):
    (name,) = given
    with pytest.raises(InvalidParameterError, match=f"The '{name}' parameter of RNNC"):
        sklearn_rnn.RNNClassifier(**given).fit([[1.0, 2.0]], [0])
