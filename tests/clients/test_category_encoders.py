"""category_encoders: encoders of tables, and of the steps of sequences."""

import pandas as pd
import pytest
from category_encoders import OneHotEncoder, OrdinalEncoder, TargetEncoder
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNClassifier, StepwiseTransformer


def model():
    return RNNClassifier(hidden_size=8, max_epochs=15, random_state=0)


@pytest.mark.parametrize("Encoder", [OrdinalEncoder, OneHotEncoder, TargetEncoder])
def test_tables_of_categories(Encoder, y):
    frame = pd.DataFrame({"a": [["red", "blue"][k] for k in y], "b": ["x"] * 80})
    pipeline = make_pipeline(Encoder(cols=["a", "b"]), model()).fit(frame, y)
    assert pipeline.score(frame, y) > 0.9


def test_steps_of_sequences(y):
    X = [pd.DataFrame({"a": [["red", "blue"][k], "red"] * 2}) for k in y]
    encoder = StepwiseTransformer(OneHotEncoder(cols=["a"]))
    assert make_pipeline(encoder, model()).fit(X, y).score(X, y) > 0.9
