"""feature_engine: transformers of tables before a network."""

import numpy as np
import pandas as pd
from feature_engine.imputation import MeanMedianImputer
from feature_engine.outliers import Winsorizer
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNClassifier


def test_imputed_and_winsorized_tables(table, y):
    frame = pd.DataFrame(table).add_prefix("step ")
    frame.iloc[::7, 2] = np.nan
    pipeline = make_pipeline(
        MeanMedianImputer(),
        Winsorizer(),
        RNNClassifier(hidden_size=8, max_epochs=10, random_state=0),
    ).fit(frame, y)
    assert pipeline.score(frame, y) > 0.8
    assert pipeline[-1].feature_names_in_.tolist() == list(frame.columns)
