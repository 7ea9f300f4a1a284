"""make_waves: sums of two sine waves and noise."""

import numpy as np

from sklearn_rnn.datasets import make_waves


def test_waves_are_sums_of_two_sines():
    X = make_waves(500, 51, random_state=0)
    np.testing.assert_array_equal(X, make_waves(500, 51, random_state=0))
    assert X.shape == (500, 51, 1)
    clean = make_waves(500, 51, noise=0, random_state=0)
    assert np.abs(clean).max() <= 0.7
    noise = (X - clean).ravel()
    assert np.abs(noise).max() <= 0.05
    np.testing.assert_allclose(noise.var(), 0.01 / 12, rtol=0.02)
    # a sum of two sine waves satisfies a linear recursion of order four
    series = clean[0, :, 0]
    past = np.lib.stride_tricks.sliding_window_view(series, 5)
    fitted = past[:, :4] @ np.linalg.lstsq(past[:, :4], past[:, 4], rcond=None)[0]
    np.testing.assert_allclose(fitted, past[:, 4], atol=1e-9)


def test_waves_equal_those_of_the_book():
    X = make_waves(10_000, 51, random_state=42)[7000:9000]
    naive = ((X[:, -1] - X[:, -2]) ** 2).mean()
    np.testing.assert_allclose(naive, 0.020211, atol=5e-7)


def test_random_state_determines_the_waves():
    rng = np.random.RandomState(0)
    first, second = (make_waves(3, 8, random_state=rng) for _ in range(2))
    np.testing.assert_array_equal(first, make_waves(3, 8, random_state=0))
    assert not np.isclose(first, second).any()
