"""Checks of transformers that return values for every step."""

from inspect import signature
from unittest import SkipTest

import numpy as np

from sklearn_rnn.conformance._checks_numbers import skip_unless_padding
from sklearn_rnn.conformance._examples import (
    LENGTHS,
    example,
    pad,
    sequences,
    targets,
)
from sklearn_rnn.conformance._harness import assert_same, fit_copy


def transform_example(name, model, X):
    """Return the output of transform; skip the check if it is one row per sequence."""
    result = model.transform(X)
    if getattr(result, "ndim", 3) == 2:
        raise SkipTest(f"{name}.transform returns one row per sequence, not per step")
    return result


def check_transform_keeps_steps(name, estimator, container="ragged"):
    """Check that sequences keep their number of steps and arrays remain arrays."""
    X = example(container)
    result = transform_example(
        name, fit_copy(estimator, X, targets(estimator, container)), X
    )
    lengths = [len(x) for x in result]
    assert lengths == [len(x) for x in X], (
        f"{name}.transform changes the lengths to {lengths}"
    )
    if container == "3d":
        assert getattr(result, "ndim", None) == 3, (
            f"{name}.transform turns a 3-D array into {type(result)}"
        )


def check_transform_keeps_padding(name, estimator):
    """Check that padding remains NaN and no step of a sequence becomes NaN."""
    array, y = pad(sequences(), max(LENGTHS) + 1), targets(estimator)
    skip_unless_padding(name, estimator, array, y)
    result = transform_example(name, fit_copy(estimator, array, y), array)
    padding = np.isnan(array).all(axis=2)
    assert result.shape[:2] == padding.shape, (
        f"{name}.transform changes the shape to {result.shape}"
    )
    assert np.isnan(result[padding]).all(), (
        f"{name}.transform turns padding into numbers"
    )
    assert not np.isnan(result[~padding]).any(), (
        f"{name}.transform turns steps into NaN"
    )


def check_inverse_transform(name, estimator, container="ragged"):
    """Check that ``inverse_transform`` restores sequences to 1e-5 of their scale."""
    X = example(container)
    model = fit_copy(estimator, X, targets(estimator, container))
    transformed = transform_example(name, model, X)
    try:
        back = model.inverse_transform(transformed)
    except ValueError as error:
        further = list(signature(model.inverse_transform).parameters)[1:]
        if not further:
            raise
        what = f"{name}.inverse_transform needs {' or '.join(further)}"
        raise SkipTest(f"{what}: {error}") from None
    assert_same({"both": list(back)}, {"both": list(X)}, "after transform and inverse")
