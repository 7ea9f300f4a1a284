"""SeriesEncoding: inputs, targets, scales and forecasts in the unit of the series."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from sklearn_rnn.forecasting._encoding import (
    fill_forward,
    fit_encoding,
    measure_scale,
    take_median,
)

RNG = np.random.default_rng(0)
TWO = RNG.normal(size=(40, 2)) * [2, 50] + [3, -70]
NAN = np.nan


def encode(values, exog=None, **settings):
    given = {"window": 5, "last_only": False, "horizon": 1, "lag": 0}
    given |= {"residual": False, "scaling": True, "quantiles": (0.5,)}
    return fit_encoding(values, exog, **given | settings)


def test_gaps_are_filled_by_the_value_before():
    values = np.array([[NAN, 1], [2, NAN], [NAN, NAN], [5, 4]])
    expected = [[9, 1], [2, 1], [2, 1], [5, 4]]
    assert_array_equal(fill_forward(values, np.array([9.0, 8.0])), expected)
    assert fill_forward(TWO, np.zeros(2)) is TWO


def test_a_column_that_does_not_vary_has_scale_one():
    mean, scale = measure_scale(np.array([[1, 1e9 + 0.1], [3, 1e9 + 0.1]]))
    assert_allclose(mean, [2, 1e9 + 0.1])
    assert_array_equal(scale, [1, 1])
    assert_array_equal(measure_scale(np.array([[0.0], [4.0]]))[1], [2])


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_values_or_their_differences_are_standardized(lag):
    encoding = encode([TWO, TWO[:20] + 1], lag=lag)
    parts = [TWO, TWO[:20] + 1]
    if lag:
        parts = [part[lag:] - part[:-lag] for part in parts]
    expected = np.concatenate(parts)
    assert_allclose(encoding.mean, expected.mean(axis=0))
    assert_allclose(encoding.scale, expected.std(axis=0))
    standardized = (parts[0] - encoding.mean) / encoding.scale
    assert_allclose(encoding.standardize(TWO), standardized)
    plain = encode([TWO], lag=lag, scaling=False)
    assert_array_equal(plain.mean, [0, 0])
    assert_array_equal(plain.scale, [1, 1])


def test_steps_without_any_value_do_not_count_for_the_scale():
    gaps = np.concatenate([TWO, np.full((30, 2), NAN)])
    assert_allclose(encode([gaps]).mean, TWO.mean(axis=0))
    assert_allclose(encode([gaps]).fill, TWO.mean(axis=0))


def test_sizes_of_inputs_and_outputs():
    encoding = encode([TWO], [RNG.normal(size=(40, 3))], horizon=2, lag=4)
    assert (encoding.n_channels, encoding.n_exog, encoding.context) == (2, 3, 9)
    assert encoding.n_inputs == 2 + 3 * 2
    assert encoding.forecast_shape == (2, 2, 1)
    quantiles = replace(encoding, quantiles=(0.1, 0.5, 0.9), tells_missing=True)
    assert quantiles.n_inputs == 4 + 3 * 2
    assert quantiles.n_outputs == 2 * 2 * 3


def test_the_network_is_told_what_is_missing_if_anything_is():
    gaps = TWO.copy()
    gaps[7, 1] = NAN
    encoding = encode([TWO, gaps], scaling=False)
    assert encoding.tells_missing
    assert not encode([TWO]).tells_missing
    inputs, targets = encoding.make_examples(gaps, None)
    assert_array_equal(inputs[7], [gaps[7, 0], gaps[6, 1], 0, 1])
    assert_array_equal(targets[6], [gaps[7, 0], NAN])


def test_targets_are_the_next_steps():
    values = np.arange(12.0)[:, None] ** 2
    inputs, targets = encode([values], horizon=2, scaling=False).make_examples(
        values, None
    )
    assert_array_equal(inputs, values[:10])
    assert_array_equal(targets, np.column_stack([values[1:11], values[2:]]))


def test_differences_and_residuals_are_targets():
    values = np.arange(12.0)[:, None] ** 2
    changes = np.diff(values, axis=0)
    encoding = encode([values], lag=1, scaling=False)
    inputs, targets = encoding.make_examples(values, None)
    assert_array_equal(inputs, changes[:-1])
    assert_array_equal(targets, changes[1:])
    encoding = encode([values], residual=True, scaling=False)
    inputs, targets = encoding.make_examples(values, None)
    assert_array_equal(inputs, values[:-1])
    assert_array_equal(targets, changes)


def test_exogenous_variables_of_the_next_steps_are_inputs():
    exog = np.column_stack([np.arange(40.0), np.ones(40)])
    encoding = encode([TWO], [exog], horizon=2, lag=1)
    inputs, _ = encoding.make_examples(TWO, exog)
    assert inputs.shape == (37, 2 + 4)
    ahead = inputs[:, 2:].reshape(37, 2, 2) * encoding.exog_scale + encoding.exog_mean
    assert_allclose(ahead[:, 0, 0], np.arange(2, 39))
    assert_allclose(ahead[:, 1], exog[3:])


@pytest.mark.parametrize("lag", [0, 1, 2, 5])
@pytest.mark.parametrize("residual", [False, True])
def test_decoding_undoes_the_encoding_of_targets(lag, residual):
    encoding = encode([TWO], horizon=3, lag=lag, residual=residual)
    _, targets = encoding.make_examples(TWO, None)
    for step in (0, 11):
        end = step + lag + 1
        forecasts = encoding.decode(targets[[step]], TWO[None, step:end])
        assert_allclose(forecasts[0, ..., 0], TWO[end : end + 3])


def test_quantiles_do_not_cross_and_have_a_median():
    encoding = encode([TWO], quantiles=(0.1, 0.5, 0.9), scaling=False)
    outputs = np.array([[3.0, 1, 2, 6, 5, 4]])
    forecasts = encoding.decode(outputs, TWO[None, :1])
    assert_array_equal(forecasts, [[[[1, 2, 3], [4, 5, 6]]]])
    assert_array_equal(take_median(forecasts), [[[2, 5]]])
    assert_array_equal(take_median(forecasts[..., :1]), [[[1, 4]]])


def test_a_channel_without_values_is_refused():
    with pytest.raises(ValueError, match="channel 1 of X has no value"):
        encode([np.column_stack([TWO, np.full(40, NAN)])[:, [0, 2]]])
