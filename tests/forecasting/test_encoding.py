"""SeriesEncoding: inputs, targets, scales and forecasts in the unit of the series."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from series_encodings import encode, encode_theta, read
from sklearn.base import clone

from sklearn_rnn import RNNForecaster
from sklearn_rnn.forecasting._encoding import cast_numbers, take_median

RNG = np.random.default_rng(0)
TWO = RNG.normal(size=(40, 2)) * [2, 50] + [3, -70]
NAN = np.nan


def test_sizes_of_inputs_and_outputs():
    encoding = encode([TWO], [RNG.normal(size=(40, 3))], horizon=2, lag=4)
    assert (encoding.n_channels, encoding.n_exog, encoding.context) == (2, 3, 9)
    assert encoding.n_inputs == 2 + 3 * 2
    assert encoding.forecast_shape == (2, 2, 1)
    quantiles = replace(encoding, quantiles=(0.1, 0.5, 0.9), tells_missing=True)
    assert quantiles.n_inputs == 4 + 3 * 2
    assert quantiles.n_outputs == 2 * 2 * 3


def test_the_season_of_an_encoding_may_be_the_lag_of_differences():
    """The naive forecast of a model of differences has their lag as its season."""
    assert encode([TWO]).season == 1
    assert encode([TWO], lag=12).season == 12
    assert encode([TWO], lag=1, found_season=7).season == 7
    assert encode_theta([TWO], seasons=(4, 12)).season == 4


def test_missing_values_are_marked_if_any_value_is_missing():
    gaps = TWO.copy()
    gaps[7, 1] = NAN
    encoding = encode([TWO, gaps], scaling=None)
    assert encoding.tells_missing
    assert not encode([TWO]).tells_missing
    (inputs, targets), _ = encoding.make_examples([gaps, TWO], None)
    assert_array_equal(inputs[7], [gaps[7, 0], gaps[6, 1], 0, 1])
    assert_array_equal(targets[6], [gaps[7, 0], NAN])


def test_targets_are_the_next_steps():
    values = np.arange(12.0)[:, None] ** 2
    encoding = encode([values], horizon=2, scaling=None)
    ((inputs, targets),) = encoding.make_examples([values], None)
    assert_array_equal(inputs, values[:10])
    assert_array_equal(targets, np.column_stack([values[1:11], values[2:]]))


def test_differences_and_residuals_are_targets():
    values = np.arange(12.0)[:, None] ** 2
    changes = np.diff(values, axis=0)
    encoding = encode([values], lag=1, scaling=None)
    ((inputs, targets),) = encoding.make_examples([values], None)
    assert_array_equal(inputs, changes[:-1])
    assert_array_equal(targets, changes[1:])
    encoding = encode([values], residual=True, scaling=None)
    ((inputs, targets),) = encoding.make_examples([values], None)
    assert_array_equal(inputs, values[:-1])
    assert_array_equal(targets, changes)


def test_exogenous_variables_of_the_next_steps_are_inputs():
    exog = np.column_stack([np.arange(40.0), np.ones(40)])
    encoding = encode([TWO], [exog], horizon=2, lag=1)
    ((inputs, _),) = encoding.make_examples([TWO], [exog])
    assert inputs.shape == (37, 2 + 4)
    ahead = inputs[:, 2:].reshape(37, 2, 2) * encoding.exog_scale + encoding.exog_mean
    assert_allclose(ahead[:, 0, 0], np.arange(2, 39))
    assert_allclose(ahead[:, 1], exog[3:])


@pytest.mark.parametrize("lag", [0, 1, 2, 5])
@pytest.mark.parametrize("residual", [False, True])
def test_decoding_undoes_the_encoding_of_targets(lag, residual):
    encoding = encode([TWO], horizon=3, lag=lag, residual=residual)
    ((_, targets),) = encoding.make_examples([TWO], None)
    for step in (0, 11):
        end = step + lag + 1
        state = read(encoding.baseline, TWO[:end])
        forecasts = encoding.decode(targets[[step]], state)
        assert_allclose(forecasts[0, ..., 0], TWO[end : end + 3])


def test_quantiles_do_not_cross_and_have_a_median():
    encoding = encode([TWO], quantiles=(0.1, 0.5, 0.9), scaling=None)
    outputs = np.array([[3.0, 1, 2, 6, 5, 4]])
    forecasts = encoding.decode(outputs, read(encoding.baseline, TWO[:1]))
    assert_array_equal(forecasts, [[[[1, 2, 3], [4, 5, 6]]]])
    assert_array_equal(take_median(forecasts), [[[2, 5]]])
    assert_array_equal(take_median(forecasts[..., :1]), [[[1, 4]]])


def test_numbers_too_large_for_the_network_raise_an_error():
    numbers = np.array([1.0, np.nan, 1e39])
    assert cast_numbers(numbers, np.float64) is numbers
    with pytest.raises(ValueError, match="X or exog are too large for float32"):
        cast_numbers(numbers, np.float32)
    series = np.sin(np.arange(40.0))
    model = RNNForecaster(
        window=4, hidden_size=2, max_epochs=1, precision="float32", intervals=None
    )
    with pytest.raises(ValueError, match="too large for float32"):
        clone(model).set_params(scaling=False).fit(series * 1e100)
    model.fit(series, exog=series)
    with pytest.raises(ValueError, match="too large for float32"):
        model.predict(exog=[1e100])
