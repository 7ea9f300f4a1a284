"""Seasons of frequencies, and seasons found in values."""

import numpy as np
import pandas as pd
import pytest

from sklearn_rnn.forecasting._seasons import find_seasons, periods_of

RNG = np.random.default_rng(0)
T = np.arange(240)
OFFSET = pd.tseries.frequencies.to_offset


def noisy(x, size=0.3):
    return (x + size * RNG.normal(size=len(x)))[:, None]


@pytest.mark.parametrize(
    "frequency, periods",
    [
        ("ME", (12,)),
        ("MS", (12,)),
        ("2MS", (6,)),
        ("5MS", ()),
        ("QE", (4,)),
        ("QS-OCT", (4,)),
        ("YE", ()),
        ("W", (52,)),
        ("W-SUN", (52,)),
        ("D", (7, 365)),
        ("B", (5,)),
        ("h", (24, 168)),
        ("3h", (8, 56)),
        ("7h", (24,)),
        ("15min", (96, 672)),
        ("s", ()),
    ],
)
def test_periods_of_frequencies(frequency, periods):
    assert periods_of(OFFSET(frequency)) == periods
    step = getattr(OFFSET(frequency), "nanos", None) if frequency == "3h" else None
    if step is not None:
        assert periods_of(pd.Timedelta(step)) == periods


@pytest.mark.parametrize("step", [None, 1, 2.5])
def test_other_indices_have_no_periods(step):
    assert periods_of(step) is None


def test_only_periods_that_fit_twice_are_found():
    assert find_seasons([np.zeros((800, 1))], OFFSET("D")) == (7, 365)
    assert find_seasons([np.zeros((60, 1)), np.zeros((9, 1))], OFFSET("D")) == (7,)
    assert find_seasons([np.zeros((10, 1))], OFFSET("ME")) == ()


@pytest.mark.parametrize("m", [4, 7, 12, 24])
def test_a_period_is_found_in_values(m):
    season = np.tile(RNG.normal(size=m), 240 // m + 1)[:240]
    assert find_seasons([noisy(3 * season + 0.1 * T)], None) == (m,)
    assert find_seasons([noisy(season), noisy(-season * 1e6)], None) == (m,)
    gaps = noisy(3 * season)
    gaps[50:60] = np.nan
    assert find_seasons([gaps], None) == (m,)


def test_no_period_is_found_where_there_is_none():
    walks = [RNG.normal(size=(240, 1)).cumsum(axis=0) for _ in range(20)]
    assert sum(find_seasons([walk], None) != () for walk in walks) <= 2
    assert find_seasons([RNG.normal(size=(240, 1))], None) == ()
    assert find_seasons([np.ones((240, 1))], None) == ()
    assert find_seasons([np.ones((2, 1))], None) == ()


def test_rounding_errors_of_a_line_are_not_a_season():
    assert find_seasons([np.arange(120.0)[:, None]], None) == ()
    tiny = 1e-300 * (5 + np.sin(T * 2 * np.pi / 12))[:, None]
    assert find_seasons([tiny], None) == (12,)
