"""StandardizedValues: scales from training or of each series, and differences."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from series_encodings import read

from sklearn_rnn.forecasting._values import (
    UNSETTLED_STEPS,
    fill_forward,
    fill_from_season,
    fit_values,
    look_ahead,
    measure_scale,
)

RNG = np.random.default_rng(0)
TWO = RNG.normal(size=(40, 2)) * [2, 50] + [3, -70]
NAN = np.nan


def fit(values, **settings):
    given = {"horizon": 1, "lag": 0, "residual": False, "scaling": "global"}
    return fit_values(values, **given | settings)


def test_gaps_are_filled_by_the_value_before():
    values = np.array([[NAN, 1], [2, NAN], [NAN, NAN], [5, 4]])
    expected = [[9, 1], [2, 1], [2, 1], [5, 4]]
    assert_array_equal(fill_forward(values, np.array([9.0, 8.0])), expected)
    assert fill_forward(TWO, np.zeros(2)) is TWO


def test_a_gap_is_filled_from_the_season_before():
    season = np.array([1.0, 5, 9])[np.arange(15) % 3][:, None]
    gaps = season + np.arange(15.0)[:, None]
    gaps[7:9] = NAN
    baseline = fit([gaps], lag=3, scaling=None)
    ((features, targets),) = baseline.encode([gaps])
    assert_array_equal(features[:, 0], [3, 3, 3, 3, 0, 0, 3, 6, 6, 3, 3, 3])
    # neither a missing value is a target nor a difference from one
    assert_array_equal(np.flatnonzero(np.isnan(targets[:, 0, 0])), [3, 4, 6, 7])
    state = baseline.begin()
    for t, row in enumerate(gaps):
        state, step = baseline.advance(state, row[None])
        if t >= 3:
            assert_array_equal(step, features[[t - 3]])


def test_a_constant_column_has_scale_one():
    mean, scale = measure_scale(np.array([[1, 1e9 + 0.1], [3, 1e9 + 0.1]]))
    assert_allclose(mean, [2, 1e9 + 0.1])
    assert_array_equal(scale, [1, 1])
    assert_array_equal(measure_scale(np.array([[0.0], [4.0]]))[1], [2])


@pytest.mark.parametrize("lag", [0, 1, 3])
def test_values_or_their_differences_are_standardized(lag):
    baseline = fit([TWO, TWO[:20] + 1], lag=lag)
    parts = [TWO, TWO[:20] + 1]
    if lag:
        parts = [part[lag:] - part[:-lag] for part in parts]
    expected = np.concatenate(parts)
    assert_allclose(baseline.mean, expected.mean(axis=0))
    assert_allclose(baseline.scale, expected.std(axis=0))
    ((features, _),) = baseline.encode([TWO])
    assert_allclose(features, (parts[0] - baseline.mean) / baseline.scale)
    plain = fit([TWO], lag=lag, scaling=None)
    assert_array_equal(plain.mean, [0, 0])
    assert_array_equal(plain.scale, [1, 1])


def test_steps_without_any_value_do_not_affect_the_scale():
    gaps = np.concatenate([TWO, np.full((30, 2), NAN)])
    assert_allclose(fit([gaps]).mean, TWO.mean(axis=0))
    assert_allclose(fit([gaps]).fill, TWO.mean(axis=0))


def test_look_ahead_returns_the_next_values():
    ahead = look_ahead(np.arange(5.0)[:, None], 2)[..., 0]
    assert_array_equal(ahead, [[1, 2], [2, 3], [3, 4], [4, NAN]])


# ---------------------------------------------------------------- a scale per series


@pytest.mark.parametrize("lag", [0, 2])
def test_each_series_has_the_scale_of_its_steps_so_far(lag):
    gaps = TWO.copy()
    gaps[8, 0] = NAN
    baseline = fit([TWO], lag=lag, scaling="series")
    ((features, targets),) = baseline.encode([gaps])
    x = gaps[lag:] - gaps[: len(gaps) - lag] if lag else gaps
    for t in (12, 30):
        known = fill_from_season(gaps, max(lag, 1))
        known = known[lag:] - known[: len(known) - lag] if lag else known
        known = np.where(np.isnan(gaps[lag:]), NAN, known)[: t + 1]
        mean, scale = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
        assert_allclose(features[t], (x[t] - mean) / scale)
        assert_allclose(targets[t, 0], (x[t + 1] - mean) / scale)
    assert np.isnan(targets[:UNSETTLED_STEPS]).all()


@pytest.mark.parametrize("scaling", ["global", "series", None])
@pytest.mark.parametrize("lag", [0, 3])
@pytest.mark.parametrize("residual", [False, True])
def test_reading_step_by_step_is_encoding(scaling, lag, residual):
    baseline = fit([TWO], horizon=2, lag=lag, residual=residual, scaling=scaling)
    ((features, targets),) = baseline.encode([TWO])
    state = baseline.begin()
    for t, row in enumerate(TWO[:-2]):
        state, step = baseline.advance(state, row[None])
        assert baseline.is_ready(state) == (t >= lag)
        if t >= lag + UNSETTLED_STEPS:
            assert_allclose(step[0], features[t - lag], atol=1e-12)
            decoded = baseline.decode(state, targets[t - lag][None, ..., None])
            assert_allclose(decoded[0, ..., 0], TWO[t + 1 : t + 3])


def test_forecasts_fed_back_do_not_change_a_scale():
    baseline = fit([TWO], scaling="series")
    state = read(baseline, TWO)
    later, features = baseline.advance(state, TWO[:1] * 9, observed=False)
    assert_array_equal(later["moments"], state["moments"])
    mean, scale = TWO.mean(axis=0), TWO.std(axis=0)
    assert_allclose(features[0], (TWO[0] * 9 - mean) / scale)
