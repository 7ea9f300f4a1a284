"""Baselines in torch, compared with those in numpy."""

import itertools

import numpy as np
import pytest
import torch

from sklearn_rnn.forecasting._theta import ThetaBaseline
from sklearn_rnn.forecasting._torch_baselines import make_reader
from sklearn_rnn.forecasting._values import fit_values

T, C, H = 40, 2, 5
LENGTHS = np.array([40, 23])


def make_series(seed=0):
    """Two positive series with a season of 4 steps, an outlier and missing values."""
    rng = np.random.default_rng(seed)
    season = 3 * np.sin(np.arange(T) * np.pi / 2)[:, None]
    values = 20 + season + rng.normal(size=(2, T, C)) + 0.2 * np.arange(T)[:, None]
    values[0, 12, 0], values[1, 15, 1] = 50, 5
    for row, step, channel in ((0, 0, 1), (0, 7, 0), (0, 39, 0), (1, 9, 1), (1, 22, 0)):
        values[row, step, channel] = np.nan
    return values


def check_baseline(baseline):
    """Check features of valid steps, and forecasts from the last valid step."""
    values, reader = make_series(), make_reader(baseline)
    valid = torch.arange(T) < torch.from_numpy(LENGTHS).unsqueeze(1)
    state, features = reader(torch.from_numpy(values), valid)
    outputs = np.random.default_rng(1).normal(size=(2, H, C, 3))
    forecasts = reader.decode(state, torch.from_numpy(outputs)).numpy()
    for row, length in enumerate(LENGTHS):
        expected = baseline.begin()
        for t in range(length):
            expected, step = baseline.advance(expected, values[row : row + 1, t])
            if t >= baseline.lag:
                np.testing.assert_allclose(features[row, t], step[0], atol=1e-9)
        found = baseline.decode(expected, outputs[row : row + 1])
        np.testing.assert_allclose(forecasts[row], found[0], rtol=1e-9)


@pytest.mark.parametrize("scaling", ["global", "series", None])
def test_standardized_values(scaling):
    for lag, residual, shrinkage in itertools.product(
        (0, 1, 4, 7), (False, True), (None, 0.5)
    ):
        check_baseline(
            fit_values(
                list(make_series(2)),
                horizon=H,
                lag=lag,
                residual=residual,
                scaling=scaling,
                shrinkage=shrinkage,
            )
        )


@pytest.mark.parametrize("seasons", [(), (4,), (3, 8)])
@pytest.mark.parametrize("logarithm", [False, True])
def test_the_theta_method(seasons, logarithm):
    fill = np.log([19.0, 21.0]) if logarithm else np.array([19.0, 21.0])
    check_baseline(ThetaBaseline(H, seasons, logarithm, fill, shrinkage=0.7))


def test_values_without_logarithms_are_not_taken_as_missing():
    reader = make_reader(ThetaBaseline(H, (), True, np.zeros(1)))
    x = torch.tensor([1.0, 2.0, -1.0, 2.0], dtype=torch.float64).view(1, -1, 1)
    state, _ = reader(x, torch.ones(1, 4, dtype=torch.bool))
    outputs = torch.zeros(1, H, 1, 1, dtype=torch.float64)
    assert reader.decode(state, outputs).isnan().all()
