"""Atomic fits: a fit changes an estimator completely or not at all."""

from numbers import Integral, Real

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone

from sklearn_rnn import BoltzmannMachine, CharVectorizer, RNNClassifier, RNNForecaster
from sklearn_rnn._core.drafts import commit, draft, on_snapshot, snapshot
from sklearn_rnn._core.sklearn_private import Interval, InvalidParameterError


class Estimator:
    def __init__(self, **attributes):
        vars(self).update(attributes)


class Unconstructible(Estimator):
    def __init__(self):
        raise AssertionError("a copy calls no constructor")


@pytest.fixture
def estimator():
    return Estimator(size=3, net_=["old"])


def test_a_snapshot_has_the_class_and_shares_the_attributes(estimator):
    copy = snapshot(estimator)
    assert type(copy) is Estimator and copy is not estimator
    assert vars(copy) == vars(estimator)
    assert copy.net_ is estimator.net_


def test_a_snapshot_calls_no_constructor():
    original = object.__new__(Unconstructible)
    original.size = 3
    assert snapshot(original).size == 3


def test_a_snapshot_and_its_original_are_independent(estimator):
    copy = snapshot(estimator)
    estimator.net_, estimator.scores_ = ["new"], [0.5]
    assert vars(copy) == {"size": 3, "net_": ["old"]}
    copy.size = 4
    assert estimator.size == 3


def test_a_commit_leaves_nothing_of_the_former_state(estimator):
    estimator.feature_names_in_ = ["a", "b"]
    new = Estimator(size=3, net_=["new"], scores_=[0.5])
    commit(new, estimator)
    assert vars(estimator) == {"size": 3, "net_": ["new"], "scores_": [0.5]}


def test_a_commit_is_one_assignment(estimator):
    before = vars(estimator)
    commit(Estimator(net_=["new"]), estimator)
    assert before == {"size": 3, "net_": ["old"]}  # a thread may be reading it
    assert vars(estimator) == {"net_": ["new"]}


def test_a_method_on_a_snapshot_ignores_a_fit_in_the_meantime(estimator):
    class Reader(Estimator):
        @on_snapshot
        def read(self, between, times=1):
            """Read twice."""
            first = self.net_
            between()
            return [first, self.net_] * times

    reader = Reader(net_="old")
    found = reader.read(lambda: commit(Estimator(net_="new"), reader), times=2)
    assert found == ["old", "old"] * 2 and reader.net_ == "new"
    assert Reader.read.__doc__ == "Read twice."


def test_a_draft_is_committed_when_its_block_ends(estimator):
    with draft(estimator) as new:
        assert type(new) is Estimator and new is not estimator
        new.net_ = ["new"]
        new.scores_ = [0.5]
        assert vars(estimator) == {"size": 3, "net_": ["old"]}
    assert vars(estimator) == {"size": 3, "net_": ["new"], "scores_": [0.5]}


def test_attributes_deleted_in_a_draft_are_deleted(estimator):
    with draft(estimator) as new:
        del new.net_
        assert estimator.net_ == ["old"]
    assert vars(estimator) == {"size": 3}


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failed_draft_changes_nothing_and_raises_its_error(error, estimator):
    with pytest.raises(error, match="while fitting"), draft(estimator) as new:
        new.net_ = ["half"]
        del new.size
        raise error("while fitting")
    assert vars(estimator) == {"size": 3, "net_": ["old"]}


# ------------------------------------------------------------ parameters of numpy


class Sized(BaseEstimator):
    _parameter_constraints = {
        "size": [Interval(Integral, 1, None, closed="left"), None],
        "rate": [Interval(Real, 0, None, closed="left")],
        "flag": ["boolean"],
    }

    def __init__(self, size=None, rate=0.1, flag=True):
        self.size = size
        self.rate = rate
        self.flag = flag


@pytest.mark.parametrize("size", [np.int8(3), np.uint8(3), None])
def test_a_draft_computes_with_plain_numbers_and_keeps_the_parameters(size):
    rate, flag = np.float16(0.5), np.bool_(True)
    estimator = Sized(size, rate, flag)
    with draft(estimator) as new:
        expected = size if size is None else int(size)
        assert type(new.size) is type(expected) and new.size == expected
        assert type(new.rate) is float and new.flag is True
        new.fitted_ = new.size
    assert estimator.size is size and estimator.fitted_ == expected
    assert estimator.rate is rate and estimator.flag is flag


@pytest.mark.parametrize(
    ("model", "sizes", "X"),
    [
        (RNNClassifier(max_epochs=1), ["hidden_size", "num_layers", "batch_size"], 0),
        (RNNForecaster(hidden_size=2, max_epochs=1), ["horizon", "window"], 1),
        (BoltzmannMachine(max_epochs=1), ["n_hidden", "batch_size"], 0),
        (CharVectorizer(), ["max_length"], 2),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.filterwarnings("ignore:window=")
def test_estimators_take_small_integers_of_numpy(model, sizes, X):
    X, size = [np.eye(6), np.arange(40.0) % 7, ["an owl", "a hat"]][X], np.int8(3)
    given = dict.fromkeys(sizes, size)
    fitted = clone(model).set_params(**given).fit(X, np.arange(len(X)) % 2)
    assert all(value is size for value in map(vars(fitted).get, sizes))


def test_huge_sizes_are_refused_before_anything_is_built():
    for given in ({"num_layers": 10**9}, {"hidden_size": 2**62}):
        with pytest.raises(InvalidParameterError, match="in the range"):
            RNNClassifier(**given).fit(np.eye(4), [0, 1, 0, 1])
