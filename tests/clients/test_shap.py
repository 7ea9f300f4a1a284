"""SHAP: explanations of tables and of texts."""

import numpy as np
import shap
from sklearn.pipeline import make_pipeline

from sklearn_rnn import CharVectorizer, RNNClassifier


def model():
    return RNNClassifier(hidden_size=8, max_epochs=10, random_state=0)


def test_values_of_a_table_add_up(table, y):
    fitted = model().fit(table, y)
    explainer = shap.PermutationExplainer(fitted.predict_proba, table[:20], seed=0)
    values = explainer(table[:3])
    total = values.base_values + values.values.sum(axis=1)
    np.testing.assert_allclose(total, fitted.predict_proba(table[:3]), atol=1e-3)


def test_values_of_an_array_through_a_reshaping_function(padded, y):
    fitted, flat = model().fit(padded, y), padded.reshape(80, -1)

    def predict(rows):
        return fitted.predict_proba(rows.reshape(-1, 6, 2))[:, 1]

    values = shap.KernelExplainer(predict, flat[:10]).shap_values(
        flat[:1], nsamples=50, silent=True
    )
    assert np.shape(values) == (1, 12)


def test_values_of_texts(texts, y):
    fitted = make_pipeline(CharVectorizer(), model()).fit(texts, y)
    explainer = shap.Explainer(
        lambda X: fitted.predict_proba([str(x) or " " for x in X])[:, 1],
        shap.maskers.Text(r"."),
        seed=0,
    )
    assert len(explainer(texts[:1], max_evals=60).values[0]) > 0


def test_the_guide(run_guide):
    assert run_guide("SHAP") == ["(6,", "2)"]
