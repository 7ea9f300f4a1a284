"""Check of streams, which read a sequence step by step."""

from unittest import SkipTest

import numpy as np

from sklearn_rnn.conformance._examples import answers_each_step, example, targets
from sklearn_rnn.conformance._harness import assert_same, fit_copy, rows_of

STREAM_METHODS = ("predict", "predict_proba")
N_STREAMED = 3


def check_stream(name, estimator, container="ragged"):
    """Check that predictions of ``stream()`` equal those for the whole sequence."""
    X = example(container)
    model = fit_copy(estimator, X, targets(estimator, container))
    for method in STREAM_METHODS:
        if not callable(getattr(model, method, None)):
            continue
        expected = rows_of(getattr(model, method)(X[:N_STREAMED]))
        actual = [
            _read_stepwise(name, model, method, x, row)
            for x, row in zip(X[:N_STREAMED], expected, strict=True)
        ]
        assert_same({method: actual}, {method: expected}, "in a stream")


def _read_stepwise(name, model, method, x, expected):
    """Return predictions of a new stream, in the shape of those for the sequence."""
    try:
        stream = model.stream()
    except ValueError as error:
        raise SkipTest(f"{name} does not support streams: {error}") from None
    given = [np.asarray(getattr(stream, method)(step)) for step in x]
    answer = np.stack(given) if answers_each_step(model) else given[-1]
    assert answer.size == expected.size, (
        f"{method} of a stream returns shape {given[-1].shape} for a step"
    )
    return answer.reshape(expected.shape)
