"""The error of model files."""

import pytest

import sklearn_rnn
from sklearn_rnn.persistence._errors import ModelFileError, require


def test_a_condition_that_is_false_is_an_error():
    require([0], "never shown")
    with pytest.raises(ModelFileError, match=r"^the list is empty$"):
        require([], "the list is empty")


def test_the_error_is_public_and_a_value_error():
    assert sklearn_rnn.ModelFileError is ModelFileError
    assert issubclass(ModelFileError, ValueError)
