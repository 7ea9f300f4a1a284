"""Arrays in files: what is read is the same as in memory, and only what is used."""

import tracemalloc

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_rnn import RNNClassifier, RNNRegressor
from sklearn_rnn._data.mapped import MappedSteps, is_mapped
from sklearn_rnn._data.ragged import concatenate_ranges, split_ranges


def save(folder, array, name="X"):
    """Return an array that stays in a file."""
    np.save(folder / f"{name}.npy", array)
    return np.load(folder / f"{name}.npy", mmap_mode="r")


def test_views_of_files_are_recognized(tmp_path):
    X = save(tmp_path, np.ones((4, 3)))
    assert is_mapped(X) and is_mapped(np.asarray(X)[1:].reshape(-1))
    assert not is_mapped(X[[0, 1]])
    assert not is_mapped(np.ones(3)) and not is_mapped([1.0])


def test_mapped_steps_are_those_of_the_concatenated_arrays():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(n, 2)) for n in (3, 1, 4)]
    whole, steps = np.concatenate(arrays), MappedSteps(arrays, np.negative, "float32")
    assert (steps.shape, len(steps), steps.ndim) == ((8, 2), 8, 2)
    for start in range(8):
        for stop in range(start + 1, 9):
            part = steps[start:stop]
            np.testing.assert_array_equal(part, -whole[start:stop].astype("float32"))
            assert part.dtype == steps.dtype == np.float32
    for places in ([0, 1, 2, 5], [7, 0, 3], [4]):
        places = np.array(places)
        np.testing.assert_array_equal(steps[places], -whole[places].astype("float32"))


def test_ranges_are_split_in_chunks():
    first, lengths = np.array([5, 0, 9]), np.array([3, 1, 4])
    parts = list(split_ranges(first, lengths, 3))
    assert [len(part) for part in parts] == [3, 3, 2]
    np.testing.assert_array_equal(
        np.concatenate(parts), concatenate_ranges(first, lengths)
    )


# ------------------------------------------------------------------ estimators


def make_containers(folder, X):
    padded = X.copy()
    padded[::3, -2:] = np.nan
    return {
        "table": (X[:, :, 0], save(folder, X[:, :, 0], "table")),
        "array": (X, save(folder, X)),
        "padded": (padded, save(folder, padded, "padded")),
        "float64": (X.astype("float64"), save(folder, X.astype("float64"), "wide")),
        "list": (list(X), [save(folder, x, f"row{i}") for i, x in enumerate(X)]),
    }


@pytest.mark.parametrize(
    "options", [{}, {"scaling": False}, {"patch_size": 3}], ids=str
)
def test_arrays_in_files_give_the_bits_of_those_in_memory(tmp_path, options):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 10, 2)).astype("float32") + 1
    y = X.mean(axis=(1, 2)) > 1
    model = RNNClassifier("gru", 4, max_epochs=2, random_state=0, precision="float32")
    model.set_params(early_stopping=True, **options)
    for name, (memory, file) in make_containers(tmp_path, X).items():
        expected = clone(model).fit(memory, y)
        fitted = clone(model).fit(file, y)
        proba = expected.predict_proba(memory)
        np.testing.assert_array_equal(fitted.predict_proba(file), proba, err_msg=name)
        again = expected.partial_fit(memory[:20], y[:20])
        np.testing.assert_array_equal(
            fitted.partial_fit(file[:20], y[:20]).predict_proba(file),
            again.predict_proba(memory),
        )


def test_mistakes_in_files_are_found(tmp_path, monkeypatch):
    monkeypatch.setattr("sklearn_rnn._data.sequences.VALUES_PER_CHUNK", 7)
    X = np.zeros((9, 4, 2))
    X[6, 1, 1] = np.nan
    with pytest.raises(ValueError, match="NaN: sequence 6, step 1"):
        RNNRegressor().fit(save(tmp_path, X), range(9))
    X[6, 1, 1] = 1e300
    with pytest.raises(ValueError, match="sequence 6, step 1"):
        RNNRegressor(precision="float32", scaling=False).fit(
            save(tmp_path, X), range(9)
        )


def test_checkpoints_of_arrays_in_files_are_used(tmp_path):
    X = np.random.default_rng(0).normal(size=(20, 5, 1)).astype("float32")
    model = RNNRegressor("rnn", 2, max_epochs=2, random_state=0)
    model.set_params(checkpoint=tmp_path / "checkpoints").fit(
        save(tmp_path, X), range(20)
    )
    assert list((tmp_path / "checkpoints").iterdir())


def test_fit_and_predict_hold_only_a_batch_in_memory(tmp_path):
    n = 8_000
    X = np.random.default_rng(0).normal(size=(n, 100, 2)).astype("float32")
    size, X = X.nbytes, save(tmp_path, X)
    y = np.arange(n) % 2
    model = RNNClassifier("rnn", 2, max_epochs=1, batch_size=200, random_state=0)
    model.fit(X[:100], y[:100]).predict(X[:100])  # imports
    for use in (lambda: model.fit(X, y), lambda: model.predict(X)):
        tracemalloc.start()
        use()
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < size / 2
