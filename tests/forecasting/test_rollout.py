"""Roll-outs with the state of a network equal reading the whole past again."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from series_encodings import encode, encode_theta, read

from sklearn_rnn._nn.builders import build_network
from sklearn_rnn.forecasting import _rollout
from sklearn_rnn.forecasting._encoding import take_median
from sklearn_rnn.forecasting._rollout import (
    SeriesNetwork,
    check_finite,
    concatenate_states,
    group_by_length,
    take_ahead,
)

RNG = np.random.default_rng(0)
TWO = RNG.normal(size=(30, 2))
EXOG = RNG.normal(size=(45, 3))
SETTINGS = [
    {},
    {"horizon": 3},
    {"lag": 2},
    {"lag": 2, "horizon": 3, "residual": True},
    {"exog": True},
    {"exog": True, "horizon": 3, "lag": 1},
    {"quantiles": (0.1, 0.5, 0.9), "horizon": 2},
    {"bounds": (-0.05, 0.02), "horizon": 2},
]


def network(*, exog=False, **settings):
    """An untrained network of series with two channels."""
    make = encode_theta if "seasons" in settings else encode
    encoding = make([TWO], [EXOG] if exog else None, **settings)
    generator = torch.Generator().manual_seed(0)
    module = build_network(
        "gru",
        encoding.n_inputs,
        4,
        encoding.n_outputs,
        generator=generator,
        dtype=torch.float64,
        pooling=None,
    )
    return SeriesNetwork(encoding, module, np.dtype(np.float64))


def forecast_anew(net, values, horizon, exog=None):
    """Forecast (horizon, C, Q) with the module, reading all again for each block."""
    encoding, h = net.encoding, net.encoding.horizon
    blocks = []
    while len(blocks) * h < horizon:
        ahead = None
        if exog is not None:
            places = np.arange(encoding.lag, len(values))[:, None] + np.arange(1, h + 1)
            ahead = exog[places]
        ((x, _),) = encoding.baseline.encode([values])
        inputs = encoding.make_inputs(x, np.zeros_like(x), ahead)
        with torch.inference_mode():
            states = net.module.stack(torch.from_numpy(inputs[:, None]))[0]
            outputs = net.module.head(states[-1]).numpy()
        blocks.append(encoding.decode(outputs, read(encoding.baseline, values))[0])
        values = np.concatenate([values, take_median(blocks[-1])])
    return np.concatenate(blocks)[:horizon]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_forecasts_are_fed_back(settings):
    net = network(**settings)
    exog = EXOG if "exog" in settings else None
    state = net.read([TWO], None if exog is None else [exog[:30]])
    ahead = None if exog is None else exog[None, 30:39]  # whole blocks
    forecasts = net.forecast(state, 7, ahead)
    assert_allclose(forecasts[0], forecast_anew(net, TWO, 7, exog), rtol=1e-9)
    assert_array_equal(net.forecast(state, 7, ahead), forecasts)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_reading_in_two_parts_equals_reading_at_once(settings):
    net = network(**settings)
    exog = "exog" in settings
    cuts = [slice(0, 12), slice(12, 13), slice(13, 30)]
    state = None
    for cut in cuts:
        state = net.read([TWO[cut]], [EXOG[cut]] if exog else None, state)
    whole = net.read([TWO], [EXOG[:30]] if exog else None)
    ahead = EXOG[None, 30:36] if exog else None
    assert_array_equal(net.forecast(state, 5, ahead), net.forecast(whole, 5, ahead))


def test_values_wait_until_the_exog_ahead_is_available():
    assert network(horizon=3).read([TWO], None).waiting.shape == (1, 1, 2)
    state = network(horizon=3, exog=True).read([TWO], [EXOG[:30]])
    assert_array_equal(state.waiting[0], TWO[-3:])
    assert_array_equal(state.exog[0], EXOG[27:30])
    assert len(state) == 1


def test_series_of_different_lengths_are_read_independently():
    net = network(lag=1)
    values = [TWO, TWO[:9], TWO[5:], TWO[1:10]]
    together = net.forecast(net.read(values, None), 4)
    for series, forecast in zip(values, together, strict=True):
        alone = net.forecast(net.read([series], None), 4)[0]
        assert_allclose(forecast, alone, rtol=1e-12)


def test_states_are_taken_and_concatenated():
    net = network(exog=True)
    state = net.read([TWO, TWO[::-1], -TWO], [EXOG[:30], EXOG[1:31], EXOG[2:32]])
    places = [np.array([2, 0]), np.array([1])]
    again = concatenate_states([state.take(rows) for rows in places], places)
    for name, array in state.fed.items():
        assert_array_equal(again.fed[name], array)
    assert_array_equal(again.waiting, state.waiting)
    assert_array_equal(again.exog, state.exog)


def test_samples_are_fed_back_in_place_of_forecasts():
    net = network()
    state = net.read([TWO, TWO[:20]], None)
    samples = net.forecast(state, 3, sampler=lambda f: f[..., 0] + 1, repeats=2)
    assert samples.shape == (4, 3, 2, 1)
    assert_array_equal(samples[:2], samples[2:])
    first = net.forecast(state, 1)[:, 0, :, 0] + 1
    assert_array_equal(samples[:2, 0, :, 0], first)
    longer = np.concatenate([TWO, first[:1]])
    expected = net.forecast(net.read([longer], None), 1)[0, 0, :, 0] + 1
    assert_allclose(samples[0, 1, :, 0], expected, rtol=1e-9)


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("rows_at_once", [4096, 3])
def test_rolling_errors_are_truth_minus_forecast(settings, rows_at_once, monkeypatch):
    monkeypatch.setattr(_rollout, "ROWS_AT_ONCE", rows_at_once)
    net, exog = network(**settings), "exog" in settings
    given = [TWO, -TWO], [EXOG[:30], EXOG[:30]] if exog else None, 20, 7
    ((places, errors),) = net.compute_rolling_errors(*given)
    assert_array_equal(places, [0, 1])
    ((_, some),) = net.compute_rolling_errors(*given, stride=4)
    assert_array_equal(some, errors[::4])
    assert errors.shape == (9, 2, 7, 2)
    leads, h = np.arange(1, 8), net.encoding.horizon
    last_read = -(-leads // h) * h if exog else leads  # blocks read exog to their end
    for origin in range(20, 29):
        known = origin + last_read < 30
        assert_array_equal(
            np.isfinite(errors[origin - 20]), np.broadcast_to(known[:, None], (2, 7, 2))
        )
        for k, values in enumerate((TWO, -TWO)):
            forecasts = forecast_anew(
                net, values[: origin + 1], 7, EXOG if exog else None
            )[: known.sum()]
            truth = values[origin + 1 : origin + 1 + known.sum()]
            expected = truth - take_median(forecasts)
            assert_allclose(errors[origin - 20, k, known], expected, rtol=1e-9)


def test_the_score_is_minus_the_error_of_complete_forecasts():
    net = network(horizon=2, lag=1)
    missed = []
    for origin in range(5, 28):  # after a window and a step to take differences
        forecast = take_median(forecast_anew(net, TWO[: origin + 1], 2))
        missed.append(np.abs(TWO[origin + 1 : origin + 3] - forecast))
    assert_allclose(net.score([TWO], None), -np.mean(missed), rtol=1e-9)


@pytest.mark.parametrize("T", [26, 29])
def test_no_error_depends_on_exogenous_variables_after_the_series(T):
    net = network(exog=True, horizon=3)
    ((_, short),) = net.compute_rolling_errors([TWO[:T]], [EXOG[:T]], 15, 8)
    ((_, longer),) = net.compute_rolling_errors([TWO], [EXOG[:30]], 15, 8)
    known = np.isfinite(short)
    assert 0.3 < known.mean() < 1
    assert_allclose(short[known], longer[: len(short)][known], rtol=1e-9)


def test_a_score_without_observed_values_raises_an_error():
    net = network()
    values = TWO.copy()
    values[5:] = np.nan
    with pytest.raises(ValueError, match=r"X cannot be scored.*after step 4"):
        net.score([values], None)
    values[9] = 1
    assert np.isfinite(net.score([values], None))


def test_a_forecast_that_is_not_finite_raises_an_error():
    net = network()
    check_finite(np.zeros(3))
    for number in (np.nan, np.inf):
        with pytest.raises(ValueError, match=r"not a finite number.*unit used in fit"):
            check_finite(np.array([0, number]))
    with torch.no_grad():
        net.module.head.bias.fill_(np.inf)
    with np.errstate(invalid="ignore"):
        with pytest.raises(ValueError, match="not a finite number"):
            net.forecast(net.read([TWO], None), 3)
        with pytest.raises(ValueError, match="not a finite number"):
            net.score([TWO], None)


def test_exogenous_rows_ahead_follow_a_step():
    exog = np.arange(5.0).reshape(1, 5, 1)
    assert_array_equal(take_ahead(exog, 1, 2)[0, :, 0], [2, 3])
    assert take_ahead(None, 3, 3) is None


def test_series_are_grouped_by_length():
    groups = list(group_by_length([TWO, TWO[:9], -TWO], [EXOG, EXOG[:9], -EXOG]))
    assert [rows.tolist() for rows, _, _ in groups] == [[1], [0, 2]]
    assert_array_equal(groups[1][1], np.stack([TWO, -TWO]))
    assert_array_equal(groups[1][2], np.stack([EXOG, -EXOG]))


# ---------------------------------------------------------------- the stepper


def test_forecasts_are_nan_until_there_is_a_difference():
    stepper = network(lag=2).new_stepper(1)
    finite = [np.isfinite(stepper.feed(TWO[[t]])).all() for t in range(4)]
    assert finite == [False, False, True, True]


def test_missing_values_are_read_as_the_last_one():
    gaps = TWO[:8].copy()
    gaps[5, 0] = np.nan
    filled = gaps.copy()
    filled[5, 0] = gaps[4, 0]
    net = network()
    answers = []
    for values in (gaps, filled):
        stepper = net.new_stepper(1)
        answers.append([stepper.feed(value[None]) for value in values])
    assert_array_equal(*answers)


def test_streams_that_begin_late_do_not_affect_the_others():
    stepper, alone = network(lag=1).new_stepper(1), network(lag=1).new_stepper(1)
    for t in range(4):
        stepper.feed(TWO[[t]])
    stepper.resize(2)
    answers = [stepper.feed(TWO[[4 + t, t]]) for t in range(3)]
    expected = [alone.feed(TWO[[t]]) for t in range(7)]
    for t in range(3):
        assert_allclose(answers[t][1], expected[t][0], rtol=1e-12)
        assert_allclose(answers[t][0], expected[4 + t][0], rtol=1e-12)


def test_states_are_saved_restored_put_and_branched():
    stepper = network(lag=1).new_stepper(2)
    for t in range(5):
        stepper.feed(TWO[[t, t + 10]])
    saved, branch = stepper.state, stepper.branch()
    swapped = stepper.branch(np.array([1, 0]))
    expected = stepper.feed(TWO[[5, 15]])
    assert_array_equal(branch.feed(TWO[[5, 15]]), expected)
    assert_allclose(swapped.feed(TWO[[15, 5]]), expected[::-1], rtol=1e-12)
    stepper.restore(saved)
    assert_array_equal(stepper.feed(TWO[[5, 15]]), expected)
    stepper.put(stepper.beginning, np.array([1]))
    assert stepper.state["n_values"].tolist() == [6, 0]
    assert np.isnan(stepper.feed(TWO[[6, 0]])[1]).all()
    assert stepper.n_streams == 2


def test_forecasts_fed_back_change_only_the_level():
    net = network(seasons=(4,))
    state = net.read([TWO], None)
    forecasts = net.forecast(state, 6)[0, ..., 0]
    stepper = net.new_stepper(1)
    stepper.restore(state.fed)
    first = stepper.feed(state.waiting[:, 0])[..., 0]
    learned = stepper.state
    for row in first[0]:
        second = stepper.feed(row[None], observed=False)[..., 0]
    assert_array_equal(forecasts, np.concatenate([first[0], second[0]]))
    for name in ("errors", "line", "season_4"):
        assert_array_equal(stepper.state[name], learned[name])
    assert not np.array_equal(stepper.state["levels"], learned["levels"])


def test_series_are_read_and_forecast_on_one_thread(monkeypatch):
    net, seen = network(), []
    monkeypatch.setattr(
        _rollout, "limit_step_threads", lambda work: seen.append(work) or nullcontext()
    )
    net.forecast(net.read([np.arange(9.0)[:, None]] * 3, None), 2)
    list(net.compute_rolling_errors([np.arange(9.0)[:, None]] * 3, None, 4, 2))
    assert len(seen) == 3 and len(set(seen)) == 1
