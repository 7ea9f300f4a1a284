"""Attributes of estimators in files are checked."""

import pytest
from model_values import copy_value, decode, encode
from sklearn import config_context
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import CharVectorizer, RNNClassifier, WordVectorizer
from sklearn_rnn.persistence._errors import ModelFileError
from sklearn_rnn.persistence._states import check_state


def forge_state(model, change):
    """Return the table of an estimator after a change of its attributes."""
    objects, arrays, root = encode(model)
    _, _, names, values = objects[root[0]]
    state = dict(zip(names, values, strict=True))
    change(state)
    objects[root[0]][2:] = [list(state), list(state.values())]
    return objects, arrays, root


STATES = {
    "method": (RNNClassifier(), lambda s: s.update(predict="x"), "place of a method"),
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
        decode(*forge_state(model, change))


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
