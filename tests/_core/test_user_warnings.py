"""Warnings show the line of the user's code that called the library."""

import _thread
import inspect
import threading
from types import FunctionType

import pytest
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_rnn._core.user_warnings import warn_user

X = [[0.0], [1.0], [2.0], [3.0]]


def as_internal(function):
    """The same function as if a module of the library had defined it."""
    namespace = function.__globals__ | {"__name__": "sklearn_rnn.module"}
    return FunctionType(function.__code__, namespace, argdefs=function.__defaults__)


class Warner(TransformerMixin, BaseEstimator):
    """A transformer whose fit warns."""

    def __init__(self, size=1):
        self.size = size

    @as_internal
    def fit(self, X, y=None):
        warn_user("too small")
        return self

    def transform(self, X):
        return X

    def score(self, X, y=None):
        return 0.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: Warner().fit(X),
        lambda: Warner().fit_transform(X),
        lambda: make_pipeline(Warner(), Warner()).fit(X),
        lambda: make_pipeline(Warner(), Warner()).fit_transform(X),
        lambda: GridSearchCV(Warner(), {"size": [1]}, cv=2).fit(X),
    ],
    ids=["fit", "fit_transform", "pipeline", "pipeline fit_transform", "search"],
)
def test_a_warning_shows_the_line_of_the_user(call):
    with pytest.warns(UserWarning, match="too small") as caught:
        call()
    here = __file__, call.__code__.co_firstlineno
    assert {(warning.filename, warning.lineno) for warning in caught} == {here}


def test_the_category_is_the_requested_one():
    with pytest.warns(DeprecationWarning, match="old") as caught:
        warn_user("old", DeprecationWarning)
    assert caught[0].lineno == inspect.currentframe().f_lineno - 1


def test_without_a_frame_of_the_user_the_warning_is_still_issued():
    done = threading.Event()

    @as_internal
    def warn_alone(done):
        warn_user("alone")
        done.set()

    with pytest.warns(UserWarning, match="alone") as caught:
        _thread.start_new_thread(warn_alone, (done,))
        assert done.wait(10)
    assert caught[0].filename == __file__
