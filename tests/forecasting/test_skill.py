"""Measured shrinkage of corrections, and errors relative to the naive forecast."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from series_encodings import encode, encode_theta, read

from sklearn_rnn.forecasting._encoding import SeriesEncoding
from sklearn_rnn.forecasting._naive import forecast_seasonal_naive
from sklearn_rnn.forecasting._rollout import SeriesNetwork
from sklearn_rnn.forecasting._skill import (
    ForecastSkillWarning,
    compare_with_naive,
    measure_shrinkage,
    set_shrinkage,
    summarize_skill,
    warn_of_negative_skill,
)
from sklearn_rnn.forecasting._windows import HeldOut

RNG = np.random.default_rng(0)
T = np.arange(200)
# a walk whose steps repeat in part, so that the last step says where the next one goes
STEPS = RNG.normal(size=200)
for t in range(1, 200):
    STEPS[t] += 0.8 * STEPS[t - 1]
WALK = 50 + STEPS.cumsum()[:, None]
LATE = HeldOut(np.array([0]), np.array([100]))


class Corrector:
    """A stepper whose corrections are those that ``correct`` gives for each step."""

    def __init__(self, network, n_streams):
        self.network, self.n, self.t = network, n_streams, -1
        baseline = network.encoding.baseline
        self.baseline_state = {
            name: np.repeat(a, n_streams, axis=0)
            for name, a in baseline.begin().items()
        }

    def feed(self, values, exog):
        self.t += 1
        encoding = self.network.encoding
        state, _ = encoding.baseline.advance(self.baseline_state, values)
        self.baseline_state = state
        shape = self.n, *encoding.forecast_shape[:2]
        outputs = np.broadcast_to(self.network.correct(self.t, values, state), shape)
        return encoding.decode(outputs, state)


@dataclass(frozen=True)
class CorrectingNetwork:
    """A network whose corrections are given by a function."""

    encoding: SeriesEncoding
    correct: Callable

    def new_stepper(self, n_streams):
        return Corrector(self, n_streams)


def true_corrections(encoding, values):
    """Corrections (T, h, C) that make each forecast right, 0 where the truth ends."""
    ((_, targets),) = encoding.baseline.encode([values])
    after = np.zeros((1, *targets.shape[1:]))
    return np.concatenate([np.nan_to_num(targets), after])


def shrink(correct, values=WALK, held_out=LATE, **settings):
    encoding = encode_theta([values], **{"horizon": 1} | settings)
    return measure_shrinkage(
        CorrectingNetwork(encoding, correct), [values], None, held_out
    )


# ---------------------------------------------------------------- shrinkage


@pytest.mark.parametrize("horizon", [1, 4])
def test_correct_corrections_are_not_shrunk(horizon):
    encoding = encode_theta([WALK], horizon=horizon)
    right = true_corrections(encoding, WALK)
    assert_allclose(shrink(lambda t, *_: right[t], horizon=horizon), 1)
    assert_allclose(shrink(lambda t, *_: 2 * right[t], horizon=horizon), 0.5)
    assert shrink(lambda t, *_: 0.5 * right[t], horizon=horizon) == 1  # at most
    assert shrink(lambda t, *_: -right[t], horizon=horizon) == 0


def test_noise_is_shrunk_strongly_and_zero_corrections_to_zero():
    noise = np.random.default_rng(1).normal(size=(40, 200))
    found = [shrink(lambda t, *_, row=row: row[t]) for row in noise]
    assert np.mean(found) < 0.05
    assert shrink(lambda *_: 0.0) == 0


@pytest.mark.parametrize("half", [0, 1])
def test_corrections_that_fit_one_half_only_are_shrunk_strongly(half):
    right = true_corrections(encode_theta([WALK], horizon=1), WALK)
    other = np.random.default_rng(2).normal(size=200) * np.abs(right).mean()

    def correct(t, *_):
        fits = (t >= 149) == half  # origins are the steps 99 to 198
        return right[t] if fits else other[t]

    assert shrink(correct) < 0.25
    assert shrink(lambda t, *_: right[t] if (t >= 149) == half else -right[t]) == 0


def test_the_shrinkage_is_the_least_squares_factor():
    right = true_corrections(encode_theta([WALK], horizon=1), WALK)[:, 0, 0]
    given = 0.6 * right + np.random.default_rng(3).normal(size=200)
    halves = [slice(99, 149), slice(149, 199)]
    expected = [given[h] @ right[h] / (given[h] @ given[h]) for h in halves]
    assert 0 < min(expected) < max(expected) < 1
    assert_allclose(shrink(lambda t, *_: given[t]), min(expected))


@pytest.mark.parametrize("before", [0.0, 0.3])
def test_the_shrinkage_does_not_depend_on_an_earlier_one(before):
    """As after a warm start, whose network has been shrunk."""
    encoding = encode_theta([WALK], horizon=1)
    right = true_corrections(encoding, WALK)
    network = CorrectingNetwork(encoding, lambda t, *_: 2 * right[t])
    network = set_shrinkage(network, before)
    assert_allclose(measure_shrinkage(network, [WALK], None, LATE), 0.5)


def test_steps_used_for_training_do_not_affect_the_shrinkage():
    right = true_corrections(encode_theta([WALK], horizon=1), WALK)
    early = np.where(np.arange(200)[:, None, None] < 99, right, -right)
    late = np.where(np.arange(200)[:, None, None] < 99, -right, right)
    assert shrink(lambda t, *_: early[t]) == 0
    assert_allclose(shrink(lambda t, *_: late[t]), 1)


def test_logarithms_are_corrected_as_logarithms():
    encoding = encode_theta([WALK], horizon=1)
    baseline = replace(encoding.baseline, logarithm=True, fill=np.array([4.0]))
    encoding = replace(encoding, baseline=baseline)
    right = true_corrections(encoding, WALK)
    network = CorrectingNetwork(encoding, lambda t, *_: 4 * right[t])
    assert_allclose(measure_shrinkage(network, [WALK], None, LATE), 0.25)


def test_missing_values_and_constants_do_not_affect_the_shrinkage():
    gaps = WALK.copy()
    gaps[110:130] = gaps[170] = np.nan
    right = true_corrections(encode_theta([WALK], horizon=1), gaps)
    encoding = encode_theta([WALK], horizon=1)
    network = CorrectingNetwork(encoding, lambda t, *_: right[t] + (right[t] == 0) * 9)
    assert_allclose(measure_shrinkage(network, [gaps], None, LATE), 1)
    constant = np.full((200, 1), 3.0)
    assert shrink(lambda *_: 1.0, values=constant) == 0


def test_the_shrinkage_uses_the_held_out_steps_of_all_series():
    values = [WALK[:150], WALK, 9 - WALK[:150]]
    encoding = encode_theta(values, horizon=1)
    rights = [true_corrections(encoding, v) for v in values]

    def correct(t, now, state):  # 2 times too large in the two series of 150 steps
        parts = [rights[0], rights[2]] if len(now) == 2 else [rights[1]]
        factor = 2 if len(now) == 2 else 1
        return np.stack([factor * p[t] for p in parts])

    network = CorrectingNetwork(encoding, correct)
    short = HeldOut(np.array([0, 2]), np.array([90, 90]))
    assert_allclose(measure_shrinkage(network, values, None, short), 0.5)
    every = HeldOut(np.arange(3), np.array([90, 100, 90]))
    assert 0.5 < measure_shrinkage(network, values, None, every) < 1


def test_shrinking_moves_forecasts_towards_the_theta_method():
    encoding = encode_theta([WALK], horizon=2, quantiles=(0.1, 0.5, 0.9))
    network = SeriesNetwork(encoding, torch.nn.Identity(), np.dtype(np.float64))
    state = read(encoding.baseline, WALK[:50])
    outputs = np.array([[-3.0, 1, 2, -1, 0.5, 4]])
    theta, scale = encoding.baseline.forecast(state)
    full = encoding.decode(outputs, state)[0, :, 0]
    assert_allclose(full, theta[0] + scale[0] * outputs.reshape(2, 3))
    for factor in (0, 0.25, 1):
        shrunk = set_shrinkage(network, factor).encoding
        assert shrunk.baseline.shrinkage == factor
        found = shrunk.decode(outputs, state)[0, :, 0]
        assert_allclose(
            found[:, 1], theta[0, :, 0] + factor * (full[:, 1] - theta[0, :, 0])
        )
        assert_allclose(np.diff(found), np.diff(full))  # quantiles keep their distance
    assert network.encoding.baseline.shrinkage == 1


def test_without_a_baseline_nothing_is_shrunk():
    encoding = encode([WALK])
    network = SeriesNetwork(encoding, torch.nn.Identity(), np.dtype(np.float64))
    assert measure_shrinkage(network, [WALK], None, LATE) == 1
    assert set_shrinkage(network, 1.0).encoding == encoding


# ---------------------------------------------------------------- the naive forecast


@pytest.mark.parametrize("season", [1, 7])
def test_errors_are_compared_with_the_seasonal_naive_forecast(season):
    values = RNG.normal(size=(60, 2)).cumsum(axis=0)
    values[[20, 44], 0] = np.nan
    origins = np.arange(30, 59, 2)
    errors = RNG.normal(size=(len(origins), 5, 2))
    errors[3, 2, 1] = np.nan
    total = naive = 0.0
    for k, origin in enumerate(origins):
        for lead in range(5):
            for c in range(2):
                if origin + 1 + lead >= 60:
                    continue
                truth = values[origin + 1 + lead, c]
                past = values[: origin + 1, c]
                phase = past[(origin + 1 + lead) % season :: season]
                last = phase[~np.isnan(phase)][-1]
                if np.isnan(truth) or np.isnan(errors[k, lead, c]):
                    continue
                total += abs(errors[k, lead, c])
                naive += abs(truth - last)
    found = compare_with_naive(errors, values, origins, season)
    assert_allclose(found, total / naive)


def test_the_error_ratio_of_the_naive_forecast_to_itself_is_one():
    values = RNG.normal(size=(60, 1))
    origins = np.arange(20, 59)
    ahead = forecast_seasonal_naive(values, 4, 3, origins)
    padded = np.concatenate([values, np.full((3, 1), np.nan)])
    truth = np.stack([padded[o + 1 : o + 4] for o in origins])
    assert_allclose(compare_with_naive(truth - ahead, values, origins, 4), 1)
    assert_allclose(compare_with_naive((truth - ahead) / 2, values, origins, 4), 0.5)


def test_the_ratio_is_nan_without_naive_errors():
    constant, origins = np.ones((20, 1)), np.arange(10, 19)
    errors = np.ones((9, 2, 1))
    assert np.isnan(compare_with_naive(errors, constant, origins, 1))
    missing = np.full((20, 1), np.nan)
    assert np.isnan(compare_with_naive(errors, missing, origins, 1))


def test_a_negative_skill_causes_a_warning():
    message = r"naive forecast \(season=12\).*\(skill_=-0\.25\)"
    with pytest.warns(ForecastSkillWarning, match=message):
        warn_of_negative_skill(-0.25, 12)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for skill in (0.0, 0.3, None):
            warn_of_negative_skill(skill, 12)
    assert issubclass(ForecastSkillWarning, UserWarning)


def test_the_skill_is_a_geometric_mean():
    assert summarize_skill(np.array([0.5, 2.0, np.nan])) == pytest.approx(0)
    assert summarize_skill(np.array([0.25])) == pytest.approx(0.75)
    assert summarize_skill(np.array([np.nan])) is None
