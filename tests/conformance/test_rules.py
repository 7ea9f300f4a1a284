"""Rules that determine which checks apply, and their reasons."""

from checked_estimators import (
    Centered,
    Drift,
    Letters,
    Sums,
    failures,
    list_checks,
)
from sklearn.pipeline import make_pipeline

from sklearn_rnn import RNNForecaster
from sklearn_rnn.conformance import (
    _checks_all,
    _checks_numbers,
    _checks_series,
    _checks_streams,
    _checks_text,
    _checks_tokens,
    _checks_transformers,
    check_sequence_estimator,
)
from sklearn_rnn.conformance._rules import (
    GENERAL,
    OF_NUMBERS,
    ONCE,
    find_first_step,
    needs_transformer,
    predicts_from_past,
)
from sklearn_rnn.conformance._selection import select_checks


def test_every_check_applies_or_has_a_reason():
    every = {rule.function.__name__ for rule in (*GENERAL, *OF_NUMBERS, *ONCE)}
    for estimator in (Sums(), Letters(), Centered(), Drift()):
        checks, not_applicable = select_checks(estimator)
        ran = {check.function.__name__ for check in checks}
        assert ran | set(not_applicable) == every
        assert not {c.function.__name__ for c in checks} & set(not_applicable)
        assert all(not_applicable.values())
    modules = (
        _checks_all,
        _checks_numbers,
        _checks_series,
        _checks_streams,
        _checks_text,
        _checks_tokens,
        _checks_transformers,
    )
    assert every == {name for module in modules for name in list_checks(module)}


class ReadsOneShape(Sums):
    """Accepts 3-D arrays of the shape of fit only, such as images."""

    def read(self, X, n_features):
        if n_features not in (None, X.shape[2]) or X.ndim != 3:
            raise ValueError(f"images of {X.shape[2]} instead of {n_features} columns")
        if n_features is not None and X.shape[1] != self.n_steps_:
            raise ValueError(f"images of {X.shape[1]} instead of {self.n_steps_} rows")
        return super().read(X, n_features)

    def fit(self, X, y, sample_weight=None):
        super().fit(X, y, sample_weight)
        self.n_steps_ = X.shape[1]
        return self


def test_lengths_are_not_checked_for_images_of_one_shape():
    results = check_sequence_estimator(
        ReadsOneShape(), containers=("table", "3d"), on_fail=None
    )
    for check in ("check_other_lengths", "check_table_as_sequences"):
        assert results.not_applicable[check] == (
            "it accepts arrays of one length only (images of 3 instead of 4 rows)"
        )
    assert failures(results) == {"check_more_padding"}


def test_tags_of_a_pipeline_of_passthroughs_are_its_own():
    pipeline = make_pipeline("passthrough", "passthrough")
    assert find_first_step(pipeline) is pipeline
    inner = Sums()
    nested = make_pipeline("passthrough", make_pipeline("passthrough", inner))
    assert find_first_step(nested) is inner


def test_a_parameter_named_transform_does_not_make_a_transformer():
    assert needs_transformer(RNNForecaster(), ()) == "it is not a transformer"
    assert needs_transformer(Centered(), ()) is None


def test_forecasters_predict_without_X():
    assert predicts_from_past(RNNForecaster()) and predicts_from_past(Drift())
    assert not predicts_from_past(Sums()) and not predicts_from_past(Centered())
