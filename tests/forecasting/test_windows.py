"""Windows of series as training examples, and what is held out of training."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from sklearn.model_selection import KFold

from sklearn_rnn.forecasting._encoding import fit_encoding
from sklearn_rnn.forecasting._windows import make_windows, split_windows

STEPS = np.arange(20.0)[:, None]
SEVERAL = [100 * k + np.arange(n)[:, None] for k, n in enumerate((9, 12, 10, 11.0))]
FLOAT = np.dtype(np.float64)


def encode(values, **settings):
    given = {"window": 4, "last_only": False, "horizon": 2, "lag": 0}
    given |= {"residual": False, "scaling": False, "quantiles": (0.5,)}
    return fit_encoding(values, None, **given | settings)


def windows_of(values, **settings):
    encoding = encode(values, **settings)
    return make_windows(encoding, values, None, FLOAT), encoding


@pytest.mark.parametrize("last_only", [False, True])
def test_windows_are_shifted_by_one_and_know_what_follows(last_only):
    examples, _ = windows_of([STEPS], last_only=last_only)
    sequences = examples.sequences
    assert len(sequences) == 20 - 4 - 2 + 1
    for row, start in enumerate(sequences.starts):
        window = sequences.values[start : start + 4, 0]
        assert_array_equal(window, STEPS[row : row + 4, 0])
        places = examples.places(np.array([row])).numpy()
        steps = window[-1:] if last_only else window
        expected = [[step + 1, step + 2] for step in steps]
        assert_array_equal(examples.targets[places].numpy(), expected)


def test_no_window_reaches_from_one_series_to_the_next():
    examples, _ = windows_of(SEVERAL, lag=1)
    sequences = examples.sequences
    assert len(sequences) == sum(len(v) - 1 - 4 - 2 + 1 for v in SEVERAL)
    assert_array_equal(np.unique(sequences.values), [1])
    examples, _ = windows_of(SEVERAL)
    for start in examples.sequences.starts:
        window = examples.sequences.values[start : start + 4, 0]
        assert_array_equal(np.diff(window), [1, 1, 1])


def test_windows_have_the_number_type_and_the_exog_of_the_network():
    exog = [np.arange(n)[:, None] for n in (9, 12, 10, 11)]
    encoding = fit_encoding(
        SEVERAL,
        exog,
        window=4,
        last_only=False,
        horizon=1,
        lag=0,
        residual=False,
        scaling=False,
        quantiles=(0.5,),
    )
    examples = make_windows(encoding, SEVERAL, exog, np.dtype(np.float32))
    assert examples.sequences.values.dtype == examples.targets.numpy().dtype
    assert examples.sequences.values.dtype == np.float32
    ahead = examples.sequences.values[:8, 1] * encoding.exog_scale + encoding.exog_mean
    np.testing.assert_allclose(ahead, np.arange(1, 9), rtol=1e-5)


# ---------------------------------------------------------------- held out


@pytest.mark.parametrize("last_only", [False, True])
@pytest.mark.parametrize("lag", [0, 1])
def test_the_last_steps_of_a_series_validate(last_only, lag):
    examples, encoding = windows_of([STEPS], last_only=last_only, lag=lag)
    train, valid, held_out = split_windows(examples, encoding, [STEPS], 0.25, None)
    assert_array_equal(held_out.series, [0])
    assert held_out.first_step == 15
    ends = examples.sequences.starts + 4 - 1 + lag  # the last step that each reads
    assert (ends[train.rows] + 2 < 15).all()  # and both steps that follow
    assert_array_equal(ends[valid.rows], np.arange(14, 18))
    if last_only:
        assert valid.weights is None
    else:
        targets = np.arange(len(valid.weights)) + lag + 1
        assert_array_equal(valid.weights, targets >= 15)


@pytest.mark.parametrize("last_only", [False, True])
def test_whole_series_validate_if_there_are_several(last_only):
    examples, encoding = windows_of(SEVERAL, last_only=last_only)
    rng = np.random.default_rng(0)
    train, valid, held_out = split_windows(examples, encoding, SEVERAL, 0.5, rng)
    assert len(held_out.series) == 2
    assert held_out.first_step == encoding.context

    def owners(part):
        starts = part.sequences.starts[part.rows]
        return set((part.sequences.values[starts, 0] // 100).astype(int))

    assert owners(valid) == set(held_out.series.tolist())
    assert owners(train) == {0, 1, 2, 3} - owners(valid)
    assert len(train.rows) + len(valid.rows) == len(examples.rows)


@pytest.mark.parametrize("lag", [1, 3])
def test_differenced_series_validate_as_wholes(lag):
    values = [k * np.arange(20.0)[:, None] / lag for k in range(4)]
    examples, encoding = windows_of(values, lag=lag)
    rng = np.random.default_rng(0)
    train, valid, held_out = split_windows(examples, encoding, values, 0.5, rng)
    for part, expected in ((valid, True), (train, False)):
        series = part.sequences.values[part.sequences.starts[part.rows], 0].round()
        assert (np.isin(series, held_out.series) == expected).all()


def test_a_splitter_splits_series():
    examples, encoding = windows_of(SEVERAL)
    *_, held_out = split_windows(
        examples, encoding, SEVERAL, KFold(4), np.random.default_rng(0)
    )
    assert_array_equal(held_out.series, [3])


def test_splits_that_cannot_be_are_refused():
    examples, encoding = windows_of([STEPS])
    with pytest.raises(ValueError, match=r"splitter.* X is a single series"):
        split_windows(examples, encoding, [STEPS], KFold(2), None)
    with pytest.raises(ValueError, match=r"validation_fraction=0.9 of 20 steps leaves"):
        split_windows(examples, encoding, [STEPS], 0.9, None)
