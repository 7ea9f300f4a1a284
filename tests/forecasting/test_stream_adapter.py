"""SeriesStreamAdapter: streams of a forecaster."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import RNNForecaster, open_stream

RNG = np.random.default_rng(0)
WAVE = np.sin(np.arange(160) / 4)
NOISY = WAVE + 0.1 * RNG.normal(size=160)
TWO = np.column_stack([NOISY, np.cos(np.arange(160) / 7)])


def forecaster(**params):
    given = {"hidden_size": 8, "window": 12, "max_epochs": 4, "batch_size": 16}
    given |= {"intervals": None, "random_state": 0}
    return RNNForecaster(**given | params)


@pytest.mark.parametrize("params", [{}, {"differencing": 3, "horizon": 2}])
@pytest.mark.parametrize("X", [NOISY, NOISY[:, None], TWO])
def test_a_stream_makes_the_forecasts_of_predict(X, params):
    model = forecaster(**params).fit(X)
    stream = model.stream()
    for t in range(40):
        answer = stream.predict(X[t])
        if t in (5, 39):
            assert_allclose(answer[0], model.predict(X[: t + 1]), rtol=1e-9)
    chunk = model.stream().predict(X[:40].reshape(1, 40, -1))
    assert_allclose(chunk, answer, rtol=1e-9)


def test_streams_by_key_can_begin_at_any_step():
    model = forecaster(differencing=3).fit(NOISY)
    stream = model.stream(n_streams=None)
    for t in range(20):
        answers = stream.predict(
            {"early": NOISY[t]} | ({"late": WAVE[t]} if t >= 6 else {})
        )
    assert_allclose(answers["early"], model.predict(NOISY[:20]), rtol=1e-9)
    assert_allclose(answers["late"], model.predict(WAVE[6:20]), rtol=1e-9)
    copy = stream.copy()
    saved = stream.state
    stream.predict({"late": 5.0})
    stream.state = saved
    follow = {"early": NOISY[20], "late": WAVE[20]}
    for one, other in zip(
        stream.predict(follow).values(), copy.predict(follow).values(), strict=True
    ):
        assert_array_equal(one, other)


def test_a_stream_reads_missing_values_and_waits_for_differences():
    model = forecaster(differencing=3).fit(NOISY)
    stream = model.stream()
    answers = [stream.predict(x) for x in (0.1, np.nan, 0.3, 0.2)]
    assert [np.isnan(a).all() for a in answers] == [True, True, True, False]
    expected = model.predict(np.array([0.1, np.nan, 0.3, 0.2]))
    assert_allclose(answers[-1][0], expected)
    before = stream.state
    with pytest.raises(ValueError, match="infinity: stream 0"):
        stream.predict(np.inf)
    for name, array in stream.state.items():
        assert_array_equal(array, before[name])


def test_a_stream_of_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), forecaster()).fit(TWO)
    stream = open_stream(pipeline)
    for x in TWO[:30]:
        answer = stream.predict(x)
    assert_allclose(answer[0], pipeline.predict(TWO[:30]), rtol=1e-9)


def test_a_model_with_exog_cannot_be_streamed():
    model = forecaster(max_epochs=1).fit(NOISY, exog=NOISY)
    with pytest.raises(ValueError, match="exogenous variables"):
        model.stream()


def test_a_chunk_of_arrays_instead_of_numbers_is_an_error():
    stream = forecaster(max_epochs=1).fit(NOISY).stream()
    chunk = np.empty((1, 2, 1), dtype=object)
    chunk[0, 0, 0], chunk[0, 1, 0] = np.ones(2), np.ones(3)
    with pytest.raises(ValueError, match="the chunk of stream 0 holds arrays"):
        stream.predict(chunk)
