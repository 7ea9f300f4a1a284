"""Faults that the fuzzer detects in a call."""

import threading
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_rnn.conformance._fuzz_guards import (
    find_fault_of_error,
    find_foreign_warning,
    holds_nan,
    is_changed,
    is_finite,
    limit_time,
    read_global_state,
    remember_input,
)


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (ValueError("X has 3 features"), None),
        (TypeError("the 'size' parameter"), None),
        (MemoryError("row 3"), None),
        (ValueError("setting an element"), "does not name"),
        (
            ValueError("Found array with dim 3 while fitting data"),
            "does not name",
        ),
        (NotFittedError("Call 'fit' first."), None),
        (KeyError("X"), "raised KeyError"),
        (FileNotFoundError(2, "No such file", "X.txt"), "raised FileNotFoundError"),
    ],
)
def test_errors_are_judged_by_kind_and_message(error, fault):
    found = find_fault_of_error(error, ["size", "X"])
    assert found is None if fault is None else fault in found


def test_methods_that_read_files_may_raise_errors_with_file_names():
    missing = FileNotFoundError(2, "No such file", "notes.txt")
    assert find_fault_of_error(missing, [], reads_files=True) is None
    assert find_fault_of_error(OSError("no"), [], reads_files=True) is not None


def test_warnings_of_users_pass_and_those_of_libraries_do_not():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("epochs are few", UserWarning, stacklevel=1)
        assert find_foreign_warning(caught) is None
        np.array([1e300]).astype(np.float32)
    assert "overflow" in find_foreign_warning(caught)


def test_finite_data_is_recognized():
    assert (
        is_finite([np.ones(2), [1, 2]]) and is_finite(["text"]) and is_finite([10**400])
    )
    for X in ([np.ones(2), [np.nan]], None, object(), np.array([np.inf]), [None]):
        assert not is_finite(X)
    assert holds_nan([[1.0], np.array([np.nan])]) and not holds_nan(["a", 1.0])


def test_changes_of_input_are_detected():
    for X, change in (
        (np.zeros(3), lambda X: X.fill(1)),
        (pd.DataFrame({"a": [1, 2]}), lambda X: X.insert(0, "b", 1)),
        ([1, 2], lambda X: X.append(3)),
    ):
        before = remember_input(X)
        assert not is_changed(X, before)
        change(X)
        assert is_changed(X, before)
    assert not is_changed(iter([1]), remember_input(iter([1])))


def test_other_threads_have_no_limit():
    with limit_time(10):
        pass
    done = []

    def run():
        with limit_time(1e-3):
            done.append(True)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert done


def test_global_state_names_what_changed():
    before, generator = read_global_state(), np.random.get_state()
    np.random.random_sample()
    after = read_global_state()
    np.random.set_state(generator)
    assert [name for name in before if before[name] != after[name]] == [
        "random generator of numpy"
    ]
