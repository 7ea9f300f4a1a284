"""Attributes of estimators in files are checked."""

import copy

import numpy as np
import pytest
from model_values import copy_value, decode, encode, same
from sklearn import config_context
from sklearn.feature_extraction import DictVectorizer, FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import (
    KBinsDiscretizer,
    MultiLabelBinarizer,
    OneHotEncoder,
    StandardScaler,
)

from sklearn_rnn import CharVectorizer, RNNClassifier, WordVectorizer
from sklearn_rnn.persistence._errors import ModelFileError
from sklearn_rnn.persistence._states import check_state


class UsersScaler(StandardScaler):
    """An estimator of a user."""


def forge_state(model, change):
    """Return the table of an estimator after a change of its attributes."""
    objects, arrays, root = encode(model)
    _, _, names, values = objects[root[0]]
    state = dict(zip(names, values, strict=True))
    change(state)
    objects[root[0]][2:] = [list(state), list(state.values())]
    return objects, arrays, root


STATES = {
    **{
        f"hidden {name} of {model}": (
            model,
            lambda s, name=name: s.update({name: "<script>"}),
            f"'{name}' in place of an attribute of its class",
        )
        for model in (RNNClassifier(), StandardScaler(), UsersScaler())
        for name in ("get_params", "_doc_link_template")
    },
    "constraints": (
        RNNClassifier(),
        lambda s: s.update(_parameter_constraints=1),
        "in place of an",
    ),
    "property": (RNNClassifier(), lambda s: s.update(module_=1), "in place of an"),
    "parameter": (StandardScaler(), lambda s: s.pop("copy"), "no parameter 'copy'"),
    "request": (
        RNNClassifier(),
        lambda s: s.update(_metadata_request=1),
        "requests of an estimator are damaged",
    ),
    "dunder": (RNNClassifier(), lambda s: s.update(__class__=1), "are damaged"),
    "no name": (RNNClassifier(), lambda s: s.update({"a b": 1}), "are damaged"),
}


@pytest.mark.parametrize(("model", "change", "message"), STATES.values(), ids=STATES)
def test_forged_attributes_are_refused(model, change, message):
    with pytest.raises(ModelFileError, match=message):
        decode(*forge_state(model, change), trusted=[UsersScaler])


def test_a_pipeline_with_a_cache_is_refused():
    forged = forge_state(
        make_pipeline(CharVectorizer()), lambda s: s.update(memory="folder")
    )
    with pytest.raises(ModelFileError, match="cache"):
        decode(*forged)


def test_parameters_of_later_versions_get_their_defaults():
    forged = forge_state(WordVectorizer(), lambda s: s.pop("detokenizer"))
    assert decode(*forged).get_params() == WordVectorizer().get_params()


def test_caches_of_subclasses_of_pipelines_are_refused():
    class UsersPipeline(Pipeline):
        pass

    with pytest.raises(ModelFileError, match="cache"):
        check_state(UsersPipeline, {"steps": [], "memory": "folder"}, listed=False)


def test_metadata_requests_are_kept():
    with config_context(enable_metadata_routing=True):
        model = RNNClassifier().set_fit_request(sample_weight=True)
    restored = copy_value(model)
    request = restored.get_metadata_routing()
    assert request.fit.requests["sample_weight"] is True
    assert restored._metadata_request.owner is restored


def one_hot(**options):
    X = np.array([[1, 5], [2, 6], [3, 5], [1, 5]])
    return OneHotEncoder(**options).fit(X)


ENCODERS = [
    one_hot(),
    one_hot(drop="first"),
    one_hot(drop="if_binary", handle_unknown="ignore"),
    one_hot(max_categories=2, handle_unknown="infrequent_if_exist"),
    one_hot(min_frequency=2, drop="first"),
    OneHotEncoder().fit([["a", 1], ["b", 2], [None, 2]]),
    OneHotEncoder().fit([[1.0], [np.nan]]),
    KBinsDiscretizer(3).fit(np.arange(12.0)[:, None]),
    CountVectorizer().fit(["one two", "two three"]),
    DictVectorizer().fit([{"a": 1, "b": "x"}]),
]


@pytest.mark.parametrize("model", ENCODERS, ids=str)
def test_valid_encoders_are_restored(model):
    restored = copy_value(model)
    assert same(restored, model)


def set_numbers(name, change):
    """Return a change of the arrays or values of an attribute."""

    def forge(state):
        state[name] = change(state[name])

    return forge


NO_CRASH = {
    "vocabulary": (
        CountVectorizer().fit(["one two"]),
        lambda s: s["vocabulary_"].update(one=10**6),
    ),
    "dicts": (
        DictVectorizer().fit([{"a": 1}]),
        lambda s: s.update(vocabulary_={"a": -1}),
    ),
    "no dict": (DictVectorizer().fit([{"a": 1}]), lambda s: s.update(vocabulary_=[0])),
    "hashes": (FeatureHasher(), lambda s: s.update(n_features=0)),
    "more hashes": (HashingVectorizer(), lambda s: s.update(n_features=2**40)),
    "labels": (
        MultiLabelBinarizer().fit([["a"]]),
        lambda s: s.update(_cached_dict={"a": 0, "b": 1}),
    ),
    "unsorted": (one_hot(), set_numbers("categories_", lambda c: [c[0][::-1], c[1]])),
    "no list": (one_hot(), lambda s: s.update(categories_=3)),
    "shorter": (one_hot(), set_numbers("categories_", lambda c: c[:1])),
    "columns": (one_hot(), set_numbers("_n_features_outs", lambda n: [1, 1])),
    "no columns": (one_hot(), lambda s: s.pop("_n_features_outs")),
    "dropped": (
        one_hot(drop="first"),
        set_numbers("_drop_idx_after_grouping", lambda d: d - 5),
    ),
    "drops": (
        one_hot(drop="first"),
        set_numbers("_drop_idx_after_grouping", lambda d: d[:1]),
    ),
    "groups": (
        one_hot(max_categories=2),
        set_numbers("_default_to_infrequent_mappings", lambda m: [m[0] - 9, m[1]]),
    ),
    "rare": (
        one_hot(max_categories=2),
        set_numbers("_infrequent_indices", lambda i: [i[0] + 99, i[1]]),
    ),
}


@pytest.mark.parametrize(("model", "change"), NO_CRASH.values(), ids=NO_CRASH)
def test_attributes_that_would_make_compiled_code_crash_are_refused(model, change):
    state = copy.deepcopy(vars(model))
    check_state(type(model), state, listed=True)
    change(state)
    with pytest.raises(ModelFileError):
        check_state(type(model), state, listed=True)
