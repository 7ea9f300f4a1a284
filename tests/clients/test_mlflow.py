"""MLflow: logged and loaded models."""

import mlflow
import pytest
from numpy.testing import assert_array_equal
from sklearn.pipeline import make_pipeline
from skops import io

from sklearn_rnn import CharVectorizer, RNNClassifier


@pytest.fixture(autouse=True)
def store(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
    mlflow.set_tracking_uri((tmp_path / "runs").as_uri())


def save_options(model, form):
    if form == "cloudpickle":
        return {"serialization_format": "cloudpickle"}
    types = io.get_untrusted_types(data=io.dumps(model))
    return {"serialization_format": "skops", "skops_trusted_types": types}


@pytest.mark.parametrize("form", ["cloudpickle", "skops"])
@pytest.mark.parametrize("container", ["ragged", "texts"])
def test_a_model_that_was_logged_predicts_the_same(
    form, container, request, y, tmp_path
):
    X = request.getfixturevalue(container)
    model = RNNClassifier(hidden_size=8, max_epochs=3, random_state=0)
    if container == "texts":
        model = make_pipeline(CharVectorizer(), model)
    model.fit(X, y)
    path = tmp_path / "model"
    mlflow.sklearn.save_model(model, path, **save_options(model, form))
    again = mlflow.sklearn.load_model(str(path))
    assert_array_equal(again.predict_proba(X), model.predict_proba(X))


def test_the_guide(run_guide):
    assert run_guide("MLflow") == ["True", "True"]
