"""tslearn: its datasets and transformers of padded arrays."""

import numpy as np
from numpy.testing import assert_allclose
from sklearn.pipeline import make_pipeline
from tslearn.preprocessing import TimeSeriesScalerMinMax
from tslearn.utils import to_time_series_dataset

from sklearn_rnn import RNNClassifier


def model():
    return RNNClassifier(hidden_size=8, max_epochs=10, random_state=0)


def test_a_dataset_is_read_like_the_ragged_list(ragged, y):
    dataset = to_time_series_dataset(ragged)
    assert np.isnan(dataset).any()
    fitted = model().fit(ragged, y)
    assert_allclose(fitted.predict_proba(dataset), fitted.predict_proba(ragged))


def test_a_scaler_before_the_network(ragged, y):
    dataset = to_time_series_dataset(ragged)
    pipeline = make_pipeline(TimeSeriesScalerMinMax(per_timeseries=False), model())
    assert pipeline.fit(dataset, y).score(dataset, y) > 0.8
