"""Windows of series as training examples, and what is held out of training."""

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from series_encodings import encode
from sklearn.model_selection import KFold

from sklearn_rnn.forecasting._windows import (
    HeldOut,
    count_examples,
    hold_out_validation,
    make_windows,
    split_windows,
)

STEPS = np.arange(20.0)[:, None]
SEVERAL = [100 * k + np.arange(n)[:, None] for k, n in enumerate((9, 12, 10, 11.0))]
FLOAT = np.dtype(np.float64)


@pytest.fixture(autouse=True)
def no_unsettled_steps(monkeypatch):
    """Allow training on series of a few steps."""
    monkeypatch.setattr("sklearn_rnn.forecasting._encoding.UNSETTLED_STEPS", 0)


UNSCALED = {"window": 4, "horizon": 2, "scaling": None}


def windows_of(values, **settings):
    encoding = encode(values, **UNSCALED | settings)
    return make_windows(encoding, values, None, FLOAT), encoding


@pytest.mark.parametrize("last_only", [False, True])
def test_windows_are_shifted_by_one_and_have_the_next_steps_as_targets(last_only):
    examples, _ = windows_of([STEPS], last_only=last_only)
    sequences = examples.sequences
    assert len(sequences) == 20 - 4 - 2 + 1
    for row, start in enumerate(sequences.starts):
        window = sequences.values[start : start + 4, 0]
        assert_array_equal(window, STEPS[row : row + 4, 0])
        places = examples.locate_targets(np.array([row])).numpy()
        steps = window[-1:] if last_only else window
        expected = [[step + 1, step + 2] for step in steps]
        assert_array_equal(examples.targets[places].numpy(), expected)


def test_no_window_crosses_two_series():
    examples, _ = windows_of(SEVERAL, lag=1)
    sequences = examples.sequences
    assert len(sequences) == sum(len(v) - 1 - 4 - 2 + 1 for v in SEVERAL)
    assert_array_equal(np.unique(sequences.values), [1])
    examples, _ = windows_of(SEVERAL)
    for start in examples.sequences.starts:
        window = examples.sequences.values[start : start + 4, 0]
        assert_array_equal(np.diff(window), [1, 1, 1])


@pytest.mark.parametrize("lag", [0, 2])
def test_series_without_a_target_have_no_window(lag):
    """Windows and their owners are those without the short series."""
    mixed = [STEPS[:1], SEVERAL[0], STEPS[: 2 + lag], SEVERAL[1], STEPS[:2]]
    examples, encoding = windows_of(mixed, lag=lag)
    expected, _ = windows_of(SEVERAL[:2], lag=lag)
    assert_array_equal(examples.sequences.values, expected.sequences.values)
    assert_array_equal(examples.sequences.starts, expected.sequences.starts)
    assert count_examples(encoding, mixed).tolist() == [0, 7 - lag, 0, 10 - lag, 0]
    rng = np.random.default_rng(0)
    train, valid, held_out = split(examples, encoding, mixed, 0.5, rng)
    (series,) = held_out.series
    n_windows = len(mixed[series]) - lag - 2 - 4 + 1
    assert (series in (1, 3), len(valid.rows)) == (True, n_windows)
    assert len(train.rows) + len(valid.rows) == len(examples.rows)


@pytest.mark.parametrize("lag", [0, 2])
@pytest.mark.parametrize("last_only", [False, True])
def test_a_series_shorter_than_a_window_has_a_shorter_one(last_only, lag):
    mixed = [STEPS[: 3 + lag], SEVERAL[0], STEPS[: 5 + lag], SEVERAL[1]]
    examples, encoding = windows_of(mixed, lag=lag, last_only=last_only)
    sizes = [1, 7 - lag, 3, 10 - lag]
    assert count_examples(encoding, mixed).tolist() == sizes
    lengths = [1] + [4] * (4 - lag) + [3] + [4] * (7 - lag)
    assert examples.sequences.lengths.tolist() == lengths
    parts = list(encoding.make_examples(mixed, None))
    owners = np.repeat([0, 1, 2, 3], [1, 4 - lag, 1, 7 - lag])
    firsts = np.concatenate([np.arange(n) for n in (1, 4 - lag, 1, 7 - lag)])
    for row, (owner, first) in enumerate(zip(owners, firsts, strict=True)):
        inputs, targets = (a[first : first + lengths[row]] for a in parts[owner])
        start = examples.sequences.starts[row]
        found = examples.sequences.values[start : start + lengths[row]]
        assert_array_equal(found, inputs)
        places = examples.locate_targets(np.array([row])).numpy()
        expected = targets[-1:] if last_only else targets
        assert_array_equal(examples.targets[places].numpy(), expected)


def test_windows_have_the_number_type_and_the_exog_of_the_network():
    exog = [np.arange(n)[:, None] for n in (9, 12, 10, 11)]
    encoding = encode(SEVERAL, exog, window=4, scaling=None)
    examples = make_windows(encoding, SEVERAL, exog, np.dtype(np.float32))
    assert examples.sequences.values.dtype == examples.targets.numpy().dtype
    assert examples.sequences.values.dtype == np.float32
    ahead = examples.sequences.values[:8, 1] * encoding.exog_scale + encoding.exog_mean
    np.testing.assert_allclose(ahead, np.arange(1, 9), rtol=1e-5)


# ---------------------------------------------------------------- held out


def split(examples, encoding, values, fraction, rng=None):
    context = encoding.context
    held_out = hold_out_validation(values, fraction, context, encoding.horizon, rng)
    return *split_windows(examples, encoding, values, held_out), held_out


@pytest.mark.parametrize("last_only", [False, True])
@pytest.mark.parametrize("lag", [0, 1])
def test_the_last_steps_of_a_series_validate(last_only, lag):
    examples, encoding = windows_of([STEPS], last_only=last_only, lag=lag)
    train, valid, held_out = split(examples, encoding, [STEPS], 0.25)
    assert_array_equal(held_out.series, [0])
    assert_array_equal(held_out.first_steps, [15])
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
    train, valid, held_out = split(examples, encoding, SEVERAL, 0.5, rng)
    assert len(held_out.series) == 2
    assert_array_equal(held_out.first_steps, [encoding.context] * 2)

    def owners(part):
        starts = part.sequences.starts[part.rows]
        return set((part.sequences.values[starts, 0] // 100).astype(int))

    assert owners(valid) == set(held_out.series.tolist())
    assert owners(train) == {0, 1, 2, 3} - owners(valid)
    assert len(train.rows) + len(valid.rows) == len(examples.rows)


@pytest.mark.parametrize("lag", [1, 3])
def test_differenced_series_validate_whole(lag):
    values = [k * np.arange(20.0)[:, None] / lag for k in range(4)]
    examples, encoding = windows_of(values, lag=lag)
    rng = np.random.default_rng(0)
    train, valid, held_out = split(examples, encoding, values, 0.5, rng)
    for part, expected in ((valid, True), (train, False)):
        series = part.sequences.values[part.sequences.starts[part.rows], 0].round()
        assert (np.isin(series, held_out.series) == expected).all()


def test_a_splitter_splits_series():
    examples, encoding = windows_of(SEVERAL)
    *_, held_out = split(
        examples, encoding, SEVERAL, KFold(4), np.random.default_rng(0)
    )
    assert_array_equal(held_out.series, [3])


def test_impossible_splits_raise_an_error():
    examples, encoding = windows_of([STEPS])
    with pytest.raises(ValueError, match=r"splitter.* X is a single series"):
        split(examples, encoding, [STEPS], KFold(2))
    with pytest.raises(ValueError, match=r"validation on 18 of 20 steps leaves"):
        split(examples, encoding, [STEPS], 0.9)


def test_leave_out_removes_the_steps_held_out():
    held_out = HeldOut(np.array([2, 0]), np.array([6, 7]))
    rest = held_out.leave_out(SEVERAL)
    assert [len(array) for array in rest] == [7, 12, 6, 11]
    assert_array_equal(rest[2], SEVERAL[2][:6])
    whole = HeldOut(np.array([2, 0]), np.array([4, 4]), whole=True)
    assert [len(array) for array in whole.leave_out(SEVERAL)] == [12, 11]
