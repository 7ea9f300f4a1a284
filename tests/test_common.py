"""scikit-learn's estimator checks, on tables and, adapted, on other containers."""

import warnings

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.exceptions import SkipTestWarning
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import (
    estimator_checks_generator,
    parametrize_with_checks,
)
from sklearn.utils.validation import validate_data

from sklearn_rnn import (
    BoltzmannMachine,
    CharVectorizer,
    HopfieldDenoiser,
    ImageFlattener,
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SeasonalNaiveForecaster,
    SequenceGenerator,
    SequenceTranslator,
    SeriesScaler,
    StepwiseTransformer,
    TextStatisticsVectorizer,
    WordVectorizer,
)

PINNED = sklearn.__version__ == "1.9.1"

IMPOSSIBLE = {
    "check_sample_weight_equivalence_on_dense_data": (
        "a row given twice can stand on both sides of the validation split, a row of "
        "weight 2 only on one"
    )
}

VARIANTS = [
    {"max_epochs": 30, **variant}
    for variant in (
        {"max_epochs": "auto"},
        {"cell": "rnn", "activation": "relu"},
        # at 0.01 its training amplifies rounding until states differ by 7e-9, which is
        # more than scikit-learn tolerates between a row of weight 2 and two rows
        {"cell": "rnn", "learning_rate": 0.005},
        {"cell": "lstm"},
        {"bidirectional": True},
        {"early_stopping": True},
        {"patch_size": 3, "scaling": False},
    )
]


LETTERS = [chr(ord("A") + k) for k in range(40)]


class Adapted:
    """An adapter that validates a table, and reads its rows as another container."""

    def _read(self, X, *, reset):
        table = validate_data(self, X, reset=reset, dtype="numeric")
        names = ("n_features_in_", "feature_names_in_")
        told = {name: vars(self)[name] for name in names if name in vars(self)}
        sequences = super()._read(self._repack(table), reset=reset)
        vars(self).update(told)
        return sequences


class Array3D(Adapted):
    def _repack(self, table):
        return table[:, :, None]


class Ragged(Adapted):
    def _repack(self, table):
        return list(table)


class Text(Adapted):
    """An adapter that converts each number to a letter."""

    def _repack(self, table):
        places = np.clip(np.round(np.asarray(table, float) * 4) + 20, 0, 39).astype(int)
        texts = ["".join(row) for row in np.array(LETTERS)[places]]
        return CharVectorizer(vocabulary=LETTERS).fit_transform(texts)


class ArrayClassifier(Array3D, RNNClassifier):
    pass


class ArrayRegressor(Array3D, RNNRegressor):
    pass


class RaggedClassifier(Ragged, RNNClassifier):
    pass


class RaggedRegressor(Ragged, RNNRegressor):
    pass


class TextClassifier(Text, RNNClassifier):
    pass


class TextRegressor(Text, RNNRegressor):
    pass


# The default number of epochs makes the checks three times as slow.
ESTIMATORS = [
    *(RNNClassifier(**variant) for variant in VARIANTS),
    *(RNNRegressor(**{**variant, "max_epochs": 30}) for variant in VARIANTS),
]

ADAPTED = [
    # with the default dropout of tokens, rows of weight 2 are not two rows
    adapted(precision="float64", max_epochs=30, dropout=0)
    for adapted in (
        ArrayClassifier,
        ArrayRegressor,
        RaggedClassifier,
        RaggedRegressor,
        TextClassifier,
        TextRegressor,
    )
]


# ------------------------------------------------------------ networks of patterns

PATTERNS = [
    *(
        HopfieldDenoiser(rule)
        for rule in ("hebb", "storkey", "pseudo_inverse", "perceptron", "dense")
    ),
    HopfieldDenoiser(thresholds="learned", update="synchronous", temperature=0.5),
    BoltzmannMachine(),
    BoltzmannMachine(gradient="pcd", positive_phase="gibbs", early_stopping=True),
    BoltzmannMachine(4, connections="full", max_epochs=3),
    BoltzmannMachine(12, connections="full", max_epochs=2, ais_steps=10),
    BoltzmannMachine(visible="gaussian", ais_steps=50),
    ImageFlattener(),
    SeriesScaler(),
    SeriesScaler(add_statistics=True),
]
# the checks store as many patterns of few features as it takes
full_memory = pytest.mark.filterwarnings("ignore::sklearn_rnn.energy.CapacityWarning")
unreached_margin = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning"
)


def patterns_failures(estimator):
    """The check calls inverse_transform with X alone (if SCIPY_ARRAY_API is set)."""
    if isinstance(estimator, SeriesScaler) and not estimator.add_statistics:
        return {"check_array_api_input": "the statistics of the sequences are needed"}
    return {}


@parametrize_with_checks(PATTERNS, expected_failed_checks=patterns_failures)
@full_memory
@unreached_margin
def test_scikit_learn_check_of_networks_of_patterns(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", PATTERNS, ids=repr)
def test_as_many_checks_run_on_networks_of_patterns(estimator):
    """47 at 1.9.1, those of a transformer."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SkipTestWarning)
        n_checks = len(list(estimator_checks_generator(estimator)))
    assert n_checks == 47 if PINNED else n_checks >= 47


# Checks that scikit-learn has, but does not run by itself.
NEVER_YIELDED = [
    estimator_checks.check_dataframe_column_names_consistency,
    estimator_checks.check_get_feature_names_out_error,
    estimator_checks.check_global_output_transform_pandas,
    estimator_checks.check_global_set_output_transform_polars,
    estimator_checks.check_inplace_ensure_writeable,
    estimator_checks.check_param_validation,
    estimator_checks.check_set_output_transform,
    estimator_checks.check_set_output_transform_pandas,
    estimator_checks.check_set_output_transform_polars,
    estimator_checks.check_transformer_get_feature_names_out,
    estimator_checks.check_transformer_get_feature_names_out_pandas,
]


@pytest.mark.parametrize("check", NEVER_YIELDED, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    "estimator", [HopfieldDenoiser(), BoltzmannMachine(), ImageFlattener()], ids=repr
)
@full_memory
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")
def test_check_of_networks_of_patterns_that_is_never_yielded(estimator, check):
    check(type(estimator).__name__, estimator)


# ------------------------------------------------------------- recurrent estimators


# Checks of what was learned, and of two trainings that have to agree to the end. The
# others accept any fit, of which they make many.
OF_WHOLE_TRAININGS = {
    "check_class_weight_classifiers",
    "check_classifiers_classes",
    "check_classifiers_train",
    "check_fit_idempotent",
    "check_regressors_train",
    "check_sample_weight_equivalence_on_dense_data",
}
FEW_EPOCHS = 6


def expected_failures(estimator):
    return IMPOSSIBLE if estimator.early_stopping else {}


@parametrize_with_checks(
    [*ESTIMATORS, *ADAPTED],
    expected_failed_checks=expected_failures,
    xfail_strict=True,
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_scikit_learn_check(estimator, check):
    if check.func.__name__ not in OF_WHOLE_TRAININGS:
        estimator = clone(estimator).set_params(max_epochs=FEW_EPOCHS)
    check(estimator)


def test_checks_of_whole_trainings_are_among_those_that_run():
    both = (RNNClassifier(), RNNRegressor())
    checks = [check for one in both for _, check in estimator_checks_generator(one)]
    assert {check.func.__name__ for check in checks} >= OF_WHOLE_TRAININGS


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [RNNClassifier(), RNNRegressor()], ids=repr)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_the_default_number_of_epochs_passes_every_check(estimator):
    estimator_checks.check_estimator(estimator, on_skip=None)


@pytest.mark.parametrize("estimator", [*ESTIMATORS, *ADAPTED], ids=repr)
def test_as_many_checks_run_as_scikit_learn_has(estimator):
    """73 and 66 at 1.9.1: 63 and 59, those for multilabel and multi-output, and 6 for
    transformers."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SkipTestWarning)
        n_checks = len(list(estimator_checks_generator(estimator)))
    least = 73 if isinstance(estimator, RNNClassifier) else 66
    assert n_checks == least if PINNED else n_checks >= least


@pytest.mark.parametrize("check", NEVER_YIELDED, ids=lambda check: check.__name__)
@pytest.mark.parametrize(
    "estimator", [RNNClassifier(max_epochs=2), RNNRegressor(max_epochs=2)], ids=repr
)
@pytest.mark.filterwarnings("ignore:X (does not have valid|has) feature names")
def test_check_that_scikit_learn_has_but_never_yields(estimator, check):
    check(type(estimator).__name__, estimator)


# Those that take no table get what scikit-learn checks without data; the rest of their
# checks are those of sklearn_rnn.conformance.
WITHOUT_DATA = [
    estimator_checks.check_do_not_raise_errors_in_init_or_set_params,
    estimator_checks.check_estimator_cloneable,
    estimator_checks.check_estimator_repr,
    estimator_checks.check_get_feature_names_out_error,
    estimator_checks.check_get_params_invariance,
    estimator_checks.check_mixin_order,
    estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_param_validation,
    estimator_checks.check_parameters_default_constructible,
    estimator_checks.check_set_params,
    estimator_checks.check_valid_tag_types,
]
TEXT_ONLY = [
    estimator_checks.check_estimator_tags_renamed,
    estimator_checks.check_estimators_unfitted,
]
VECTORIZERS = [CharVectorizer(), WordVectorizer(), TextStatisticsVectorizer()]


def checks_without_data():
    estimators = [
        *VECTORIZERS,
        StepwiseTransformer(StandardScaler()),
        SequenceGenerator(),
        RNNForecaster(),
        SeasonalNaiveForecaster(),
        SequenceTranslator(),
    ]
    for estimator in estimators:
        for check in WITHOUT_DATA:
            names_features = check is estimator_checks.check_get_feature_names_out_error
            if hasattr(estimator, "get_feature_names_out") or not names_features:
                name = f"{type(estimator).__name__}-{check.__name__}"
                yield pytest.param(estimator, check, id=name)


@pytest.mark.parametrize(("estimator", "check"), list(checks_without_data()))
def test_check_without_data(estimator, check):
    check(type(estimator).__name__, estimator)


@pytest.mark.parametrize("check", TEXT_ONLY, ids=lambda check: check.__name__)
@pytest.mark.parametrize("estimator", [*VECTORIZERS, SequenceGenerator()], ids=repr)
def test_check_of_vectorizers_without_data(estimator, check):
    check(type(estimator).__name__, estimator)
