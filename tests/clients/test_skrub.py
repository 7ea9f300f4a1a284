"""skrub: tables with a column of texts."""

import numpy as np
import pandas as pd
import pytest
import skrub
from sklearn.compose import make_column_transformer
from sklearn.pipeline import make_pipeline

from sklearn_rnn import CharVectorizer, RNNClassifier
from sklearn_rnn.text import TextStatisticsVectorizer


@pytest.fixture
def frame(texts, table):
    frame = pd.DataFrame(table).add_prefix("step ")
    frame["text"] = texts
    return frame


def test_a_vectorized_table_is_a_table(frame, y):
    model = RNNClassifier(hidden_size=8, max_epochs=10, random_state=0)
    pipeline = skrub.tabular_pipeline(model).fit(frame.drop(columns="text"), y)
    assert pipeline.score(frame.drop(columns="text"), y) > 0.8


def test_statistics_of_texts_become_columns(frame):
    vectorizer = skrub.TableVectorizer(
        cardinality_threshold=2, high_cardinality=TextStatisticsVectorizer()
    )
    result = vectorizer.fit_transform(frame)
    assert result.shape == (
        80,
        6 + len(TextStatisticsVectorizer().fit(frame["text"]).get_feature_names_out()),
    )
    assert np.isfinite(result.to_numpy(dtype=float)).all()
    assert (
        skrub.ApplyToCols(TextStatisticsVectorizer(), cols="text")
        .fit_transform(frame)
        .shape
        == result.shape
    )


def test_codes_of_texts_in_a_separate_pipeline(frame, y):
    model = RNNClassifier(hidden_size=8, max_epochs=20, random_state=0)
    columns = make_column_transformer((CharVectorizer(), "text"))
    assert make_pipeline(columns, model).fit(frame, y).score(frame, y) > 0.8
    with pytest.raises((TypeError, ValueError)):
        skrub.ApplyToCols(CharVectorizer(), cols="text").fit_transform(frame)


def test_the_guide(run_guide):
    assert run_guide("skrub") == ["60"]
