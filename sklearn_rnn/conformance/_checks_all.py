"""Checks that apply to every container: numbers, tokens, text and series."""

import pickle
import random
import sys
from functools import partial
from unittest import SkipTest

import joblib
import numpy as np
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import KFold, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.sklearn_private import _safe_indexing
from sklearn_rnn._data.ragged import object_array
from sklearn_rnn.conformance._examples import (
    answers_each_step,
    example,
    other_example,
    spoil_last,
    targets,
)
from sklearn_rnn.conformance._harness import (
    METHODS,
    assert_finite,
    assert_refused,
    assert_same,
    collect_answers,
    fit,
    fit_copy,
    ignore_few_epochs,
    methods_of,
    prepare,
    rows_of,
)

ABSENT = object()  # stands for an attribute that does not exist


def check_fit_and_answer(name, estimator, container="ragged"):
    """Check that fit returns the estimator and predictions are finite."""
    X, y = example(container), targets(estimator, container)
    model = prepare(estimator)
    assert fit(model, X, y) is model, f"{name}.fit does not return self"
    given = collect_answers(model, X)
    assert given, f"{name} has none of the methods {', '.join(METHODS)}"
    for method, rows in given.items():
        assert len(rows) == len(X), (
            f"{name}.{method} returns {len(rows)} rows for {len(X)} sequences"
        )
    assert_finite(given, "after a fit on ordinary sequences")
    if container == "series":  # the forecaster chooses the shape
        return
    each_step = answers_each_step(estimator)
    for row, x in zip(given.get("predict", ()), rows_of(X), strict=False):
        expected = (len(x),) if each_step else ()
        assert row.shape == expected, (
            f"{name}.predict returns shape {row.shape} for targets of shape {expected}"
        )
    for row, x in zip(given.get("predict_proba", ()), rows_of(X), strict=False):
        shape = ((len(x),) if each_step else ()) + (len(model.classes_),)
        assert row.shape == shape and np.allclose(row.sum(axis=-1), 1), (
            f"{name}.predict_proba does not return one probability per class that sum "
            f"to 1: {row}"
        )


def check_subset_invariance(name, estimator, container="ragged"):
    """Check that predictions for a sequence are the same alone and in any batch."""
    X = example(container)
    model = fit_copy(estimator, X, targets(estimator, container))
    together = collect_answers(model, X)
    for size, when in ((1, "when passed alone"), (5, "in a smaller batch")):
        parts = [
            collect_answers(
                model, _safe_indexing(X, list(range(k, min(k + size, len(X)))))
            )
            for k in range(0, len(X), size)
        ]
        joined = {m: [row for part in parts for row in part[m]] for m in together}
        assert_same(joined, together, when)


def check_order_invariance(name, estimator, container="ragged"):
    """Check that the order of the sequences does not change predictions."""
    X = example(container)
    model = fit_copy(estimator, X, targets(estimator, container))
    order = np.random.default_rng(0).permutation(len(X))
    expected = {
        m: [rows[i] for i in order] for m, rows in collect_answers(model, X).items()
    }
    shuffled = collect_answers(model, _safe_indexing(X, order.tolist()))
    assert_same(shuffled, expected, "when the sequences are shuffled")


def check_answers_keep_no_state(name, estimator, container="ragged"):
    """Check that predictions do not depend on earlier predictions."""
    X = example(container)
    model = fit_copy(estimator, X, targets(estimator, container))
    for method in methods_of(model):
        ask = getattr(model, method)
        first = {method: rows_of(ask(X))}
        ask(_safe_indexing(X, [3, 1]))
        again = {method: rows_of(ask(X))}
        assert_same(again, first, "in a second call", tolerance=0)


def check_answers_set_no_attribute(name, estimator, container="ragged"):
    """Check that predict, transform and similar methods do not change attributes."""
    X = example(container)
    model = fit_copy(estimator, X, targets(estimator, container))
    for method in methods_of(model):
        before = _attributes(model)
        getattr(model, method)(X)
        after = _attributes(model)
        changed = [
            " of ".join(key)
            for key in before.keys() | after.keys()
            if before.get(key, ABSENT) is not after.get(key, ABSENT)
        ]
        assert not changed, f"{name}.{method} sets {sorted(changed)}"


def _attributes(model):
    """Return the attributes of the model and of the estimators in its parameters."""
    inner = {k: v for k, v in model.get_params().items() if hasattr(v, "get_params")}
    owners = {"the estimator": model, **inner}
    return {
        (attr, owner): v for owner, m in owners.items() for attr, v in vars(m).items()
    }


def check_input_unchanged(name, estimator, container="ragged"):
    """Check that fit and predict do not change X or y, which may be read-only."""
    X, y = example(container), targets(estimator, container)
    collect_answers(fit_copy(estimator, X, y), X)
    assert joblib.hash((list(X), y)) == joblib.hash(
        (list(example(container)), targets(estimator, container))
    ), f"{name} changes the X or y that is passed to it"
    for part in [X, y, *X]:
        if isinstance(part, np.ndarray):
            part.setflags(write=False)
    collect_answers(fit_copy(estimator, X, y), X)


def check_parameters_unchanged(name, estimator, container="ragged"):
    """Check that fit does not change parameters or estimators in them.

    Estimators in parameters must be copied.
    """
    X = example(container)
    model = prepare(estimator)
    before = _parameters(model)
    collect_answers(fit(model, X, targets(estimator, container)), X)
    after = _parameters(model)
    changed = [key for key in before if before[key] != after.get(key)]
    assert not changed, f"{name} changes its parameters {sorted(changed)}"


def _parameters(model):
    """Hash the parameters, without the steps that a Pipeline fits in place."""
    values = model.get_params()
    if isinstance(model, Pipeline):
        steps = {"steps", *dict(model.steps)}
        values = {key: value for key, value in values.items() if key not in steps}
    return {key: _fingerprint(value) for key, value in values.items()}


def _fingerprint(value):
    try:
        return joblib.hash(value)
    except (pickle.PicklingError, AttributeError, TypeError):  # a lambda, an open file
        return id(value)


def check_pickle_and_clone(name, estimator, container="ragged"):
    """Check that a pickled copy predicts the same and a clone is not fitted."""
    X = example(container)
    model = fit_copy(estimator, X, targets(estimator, container))
    again = pickle.loads(pickle.dumps(model))
    assert_same(
        collect_answers(again, X),
        collect_answers(model, X),
        "after pickling",
        tolerance=0,
    )
    copy = clone(model)
    left = vars(copy).keys() - vars(prepare(estimator)).keys()
    assert not left, f"a clone of a fitted {name} still has {sorted(left)}"


def check_refit_forgets(name, estimator, container="ragged"):
    """Check that a second fit does not depend on a first one with other data.

    The first fit has other features or another vocabulary.
    """
    if estimator.get_params().get("warm_start"):
        raise SkipTest(f"{name} has warm_start=True: a second fit continues the first")
    X, y = example(container), targets(estimator, container)
    model = fit_copy(estimator, other_example(container), y)
    fit(model, X, y)
    once = collect_answers(fit_copy(estimator, X, y), X)
    assert_same(
        collect_answers(model, X), once, "after a fit on other data", tolerance=0
    )


def check_failed_fit_leaves_no_trace(name, estimator, container="ragged"):
    """Check that a fit that fails does not change the estimator.

    It stays unfitted, or keeps its earlier model.
    """
    X, y = example(container), targets(estimator, container)
    others, tags = other_example(container), get_tags(estimator)
    attempts = [(spoil_last(others, container), y)]
    if tags.target_tags.required and not isinstance(estimator, Pipeline):
        attempts.append((others, y[:-1]))  # not for a Pipeline: it fits steps in place
    model, unfitted = fit_copy(estimator, X, y), prepare(estimator)
    expected = collect_answers(model, X)
    for attempt in attempts:
        _try_to_fit(name, model, *attempt)
        actual = collect_answers(model, X)
        assert_same(actual, expected, "after a fit that failed", tolerance=0)
        if tags.requires_fit:
            _try_to_fit(name, unfitted, *attempt)
            assert_unfitted(unfitted, X, "after a fit that failed")


def _try_to_fit(name, model, X, y):
    """Fit on invalid data; skip the check if this succeeds."""
    try:
        fit(model, X, y)
    except Exception:  # other checks test the type of the error
        return
    raise SkipTest(f"{name}.fit accepts invalid data, which other checks report")


def assert_unfitted(model, X, when):
    """Check that every method for predictions raises NotFittedError."""
    for method in methods_of(model):
        call = partial(getattr(model, method), X)
        assert_refused(call, f"{method} {when}", errors=NotFittedError)


def check_same_seed_same_bits(name, estimator, container="ragged"):
    """Check that two fits with the same seed yield bit-identical results."""
    X, y = example(container), targets(estimator, container)
    first, second = (collect_answers(fit_copy(estimator, X, y), X) for _ in range(2))
    assert_same(second, first, "in a second fit with the same seed", tolerance=0)


def check_global_generators_untouched(name, estimator, container="ragged"):
    """Check that seeded fits and predictions do not change global generators."""
    X, y = example(container), targets(estimator, container)
    generators = _global_generators()
    states = {library: get() for library, (get, _, _) in generators.items()}
    try:
        for _, _, draw in generators.values():
            draw()  # leave a state to which an earlier fit may have set the seed
        before = {lib: joblib.hash(get()) for lib, (get, _, _) in generators.items()}
        collect_answers(fit_copy(estimator, X, y), X)
        after = {lib: joblib.hash(get()) for lib, (get, _, _) in generators.items()}
    finally:
        for library, (_, restore, _) in generators.items():
            restore(states[library])
    touched = [library for library in before if before[library] != after[library]]
    assert not touched, f"{name} uses the global generator of {', '.join(touched)}"


def _global_generators():
    """Map loaded libraries to functions that get, set and use their generators."""
    legacy = np.random
    found = {
        "random": (random.getstate, random.setstate, random.random),
        "numpy": (legacy.get_state, legacy.set_state, legacy.random_sample),
    }
    if "torch" in sys.modules:
        torch = sys.modules["torch"]

        def state():
            return torch.get_rng_state().numpy()

        def restore(state):
            torch.set_rng_state(torch.from_numpy(state))

        found["torch"] = (state, restore, lambda: torch.rand(1))
    return found


def check_unfitted_refused(name, estimator, container="ragged"):
    """Check that methods for predictions raise NotFittedError before fit."""
    model, X = prepare(estimator), example(container)
    assert_unfitted(model, X, "before fit")
    fit(model, X, targets(estimator, container))
    check_is_fitted(model)


def check_cross_validation(name, estimator, container="ragged"):
    """Check that cross_val_predict returns predictions of fits on the other folds."""
    X, y = example(container), targets(estimator, container)
    cv = KFold(3)
    expected = []
    for train, test in cv.split(X):
        model = fit_copy(estimator, _safe_indexing(X, train), _take(y, train))
        expected.extend(model.predict(_safe_indexing(X, test)))
    with ignore_few_epochs():
        answers = cross_val_predict(prepare(estimator), X, y, cv=cv)
    given = {"predict": rows_of(answers)}
    assert_same(given, {"predict": rows_of(expected)}, "in cross-validation")


def _take(y, rows):
    return None if y is None else y[rows]


def check_zero_weight_leaves_out(name, estimator, container="ragged"):
    """Check that a weight of 0 has the same effect as leaving the sequence out."""
    X, y = example(container), targets(estimator, container)
    weight = np.ones(len(y))
    weight[[0, 5, 7]] = 0
    kept = np.flatnonzero(weight)
    model = fit_copy(estimator, X, y, sample_weight=weight)
    without = fit_copy(
        estimator, _safe_indexing(X, kept), y[kept], sample_weight=weight[kept]
    )
    assert_same(
        collect_answers(model, X), collect_answers(without, X), "with rows of weight 0"
    )


def check_string_labels(name, estimator, container="ragged"):
    """Check that string labels lead to the same model and are returned as strings."""
    X = example(container)
    labels, y = np.array(["no", "yes"]), targets(estimator, container)
    named = labels[y] if y.dtype != object else object_array(labels[row] for row in y)
    model = fit_copy(estimator, X, named)
    assert list(model.classes_) == ["no", "yes"], f"classes_ is {model.classes_!r}"
    numbers = collect_answers(fit_copy(estimator, X, y), X)
    numbers["predict"] = [labels[row] for row in numbers["predict"]]
    assert_same(collect_answers(model, X), numbers, "with string labels")
