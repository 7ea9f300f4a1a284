"""Choice between the Theta method and standardized values."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose
from series_encodings import encode, encode_theta, read

from sklearn_rnn import RNNForecaster
from sklearn_rnn.forecasting._baselines import (
    _choose_theta,
    fit_baseline,
    measure_error,
    refit_encoding,
)
from sklearn_rnn.forecasting._theta import ThetaBaseline
from sklearn_rnn.forecasting._values import StandardizedValues, fit_values

RNG = np.random.default_rng(0)
T = np.arange(120)
WAVE = np.sin(T / 3)[:, None]
NOISE = RNG.normal(size=(120, 1))
WALK = RNG.normal(size=(120, 1)).cumsum(axis=0)
SEASON = (np.sin(T * 2 * np.pi / 12) + 0.1 * RNG.normal(size=120))[:, None]


def choose(values, **given):
    return fit_baseline(RNNForecaster(horizon=8, **given), values, None)


def find(values, seasons):
    """Return the seasons that are kept."""
    return _choose_theta(values, 8, seasons, False, "auto")[0].seasons


def test_values_that_return_to_their_mean_are_standardized():
    assert isinstance(choose([NOISE]), StandardizedValues)
    assert isinstance(choose([WAVE], season=None), StandardizedValues)
    assert choose([WAVE]).seasons == (19,)
    assert isinstance(choose([WALK]), ThetaBaseline)
    assert isinstance(choose([WALK], baseline=None), StandardizedValues)
    assert isinstance(choose([WAVE], baseline="theta"), ThetaBaseline)


def test_seasons_are_kept_if_they_reduce_the_error():
    assert find([SEASON], (12,)) == (12,)
    assert find([WALK], (12,)) == ()
    assert choose([SEASON + 0.02 * T[:, None]]).seasons == (12,)
    assert choose([WALK], season=12).seasons == (12,)
    assert choose([WALK], season=(12, 5)).seasons == (5, 12)
    assert choose([SEASON + T[:, None]], season=None).seasons == ()


def test_logarithms_are_chosen_for_proportional_growth():
    growth = np.exp(0.05 * T + 0.1 * RNG.normal(size=120))[:, None]
    assert choose([growth]).logarithm
    assert not choose([WALK + 100 * T[:, None] + 1]).logarithm
    assert not choose([growth - growth.min()]).logarithm  # there is a 0
    assert not choose([growth], transform=None).logarithm
    assert choose([WALK + 100], transform="log").logarithm
    fill = choose([growth]).fill
    assert_allclose(fill, np.log(growth).mean(axis=0))


def test_the_error_is_measured_in_the_second_half():
    baseline = ThetaBaseline(3, (), False, WALK.mean(axis=0))
    errors = []
    for t in range(60, 119):
        ahead = baseline.forecast(read(baseline, WALK[: t + 1]))[0][0, :, 0]
        truth = WALK[t + 1 : t + 4, 0]
        errors += list(np.abs(ahead[: len(truth)] - truth))
    expected = np.mean(errors) / np.abs(np.diff(WALK[:, 0])).mean()
    assert_allclose(measure_error(baseline, [WALK]), expected)
    two = measure_error(baseline, [WALK, 1e4 * SEASON[:70]])
    assert_allclose(two**2, expected * measure_error(baseline, [SEASON[:70]]))


def test_missing_and_constant_series_are_left_out_of_the_error():
    several = [WALK, np.full((30, 1), np.nan), np.ones((30, 1))]
    baseline = fit_values([WALK], horizon=3, lag=0, residual=False, scaling="global")
    assert measure_error(baseline, several) == measure_error(baseline, several[:1])
    assert measure_error(baseline, several[1:]) == np.inf
    choose(several[1:])


def test_a_channel_without_values_raises_an_error():
    missing = np.full((120, 1), np.nan)
    with pytest.raises(ValueError, match="channel 1 of X has only missing"):
        choose([np.hstack([WALK, missing])])
    choose([np.hstack([WALK, missing]), np.hstack([WALK, WALK])])


@pytest.mark.parametrize(
    "settings",
    [
        {"differencing": 12, "season": 12},
        {"residual": True, "transform": "log"},
        {"scaling": None, "baseline": "theta"},
        {"baseline": None, "season": (7,)},
    ],
)
def test_contradictory_parameters_raise_an_error(settings):
    with pytest.raises(
        ValueError, match=r"a setting of the Theta method, which is not"
    ):
        choose([WALK], **settings)


@pytest.mark.parametrize("season", [1, 0, (1,), (12, 12), (2.5,), "12"])
def test_seasons_are_different_numbers_of_steps(season):
    with pytest.raises(ValueError, match="season must be 'auto', None, an integer"):
        choose([WALK], season=season)


def test_a_season_longer_than_half_of_the_series_is_reported():
    with pytest.warns(UserWarning, match="a season of 61 steps .* has 120 steps"):
        choose([WALK, WALK[:50]], season=(7, 61))
    assert choose([WALK, WALK[:50]], season=(7, 60)).seasons == (7, 60)


@pytest.mark.parametrize(
    "settings", [{"differencing": 2}, {"residual": True}, {"scaling": True}]
)
def test_scaling_residual_and_differencing_disable_the_theta_method(settings):
    baseline = choose([WALK], **settings)
    assert isinstance(baseline, StandardizedValues)
    assert baseline.scaling == "global"


def test_each_of_several_series_has_its_own_scale():
    waves = [WAVE, WAVE[5:] * 1e3 + 7]
    assert choose(waves, baseline=None).scaling == "series"
    assert choose([WAVE], baseline=None).scaling == "global"
    assert choose(waves, scaling=False).scaling is None


def test_a_baseline_is_fitted_again_to_other_series():
    encoding = encode([WAVE], window=9)
    again = refit_encoding(encoding, [WAVE * 3], None)
    assert_allclose(again.baseline.scale, 3 * encoding.baseline.scale)
    assert again.window == 9
    theta = encode_theta([WALK])
    assert refit_encoding(theta, [WAVE], None).baseline is theta.baseline


def test_the_mean_is_a_baseline():
    auto, alone = choose([NOISE]), choose([NOISE], baseline=None)
    assert (auto.shrinkage, alone.shrinkage) == (1, None)
    state = read(auto, NOISE)
    half = replace(auto, shrinkage=0.5)
    outputs = RNG.normal(size=(1, 8, 1, 3))
    whole, shrunk = (b.decode(state, np.sort(outputs)) for b in (auto, half))
    middle = 0.5 * (whole[..., 1] + NOISE.mean())
    assert_allclose(shrunk[..., 1], middle)
    assert_allclose(np.diff(shrunk), np.diff(whole))
    with pytest.raises(ValueError, match='baseline="mean" cannot be combined'):
        choose([WALK], baseline="mean", residual=True)


def test_the_error_of_the_mean_uses_the_past_of_each_step():
    """The mean of all steps would contain the steps to forecast."""
    walk = np.random.default_rng(26).normal(size=(30, 1)).cumsum(axis=0)
    theta, of_all = choose([walk], baseline="theta"), choose([walk], baseline="mean")
    assert measure_error(of_all, [walk]) < measure_error(theta, [walk])
    assert isinstance(choose([walk]), ThetaBaseline)


@pytest.mark.parametrize("scaling", [None, False])
def test_the_mean_needs_a_scaling(scaling):
    """Without scaling the mean would be 0."""
    with pytest.raises(ValueError, match='baseline="mean" needs the mean of the ser'):
        choose([WALK], baseline="mean", scaling=scaling)


def test_fewer_seasons_are_preferred_if_errors_are_equal():
    constant = np.tile([1.0, 2.0], 60)[:, None] * 0 + 3
    assert find([constant], (2, 12)) == ()
