"""StepwiseTransformer: 2-D transformers on every time step of sequences."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
import sklearn
from numpy.testing import assert_allclose, assert_array_equal
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.compose import ColumnTransformer
from sklearn.cross_decomposition import PLSRegression
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.exceptions import NotFittedError, UnsetMetadataPassedError
from sklearn.feature_selection import SelectKBest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MinMaxScaler,
    OneHotEncoder,
    OrdinalEncoder,
    StandardScaler,
    TargetEncoder,
)
from sklearn.utils import get_tags
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_rnn import CharVectorizer, RNNClassifier
from sklearn_rnn.conformance import parametrize_with_sequence_checks
from sklearn_rnn.preprocessing import StepwiseTransformer

# Three sequences of two features; all steps together have the means 4 and 20 and the
# standard deviations 2 and 10.
RAGGED = [
    np.array([[2.0, 10.0], [6.0, 30.0]]),
    np.array([[2.0, 10.0], [6.0, 30.0], [2.0, 30.0]]),
    np.array([[6.0, 10.0]]),
]
SCALED = [
    [[-1.0, -1.0], [1.0, 1.0]],
    [[-1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]],
    [[1.0, -1.0]],
]


def objects(sequences):
    array = np.empty(len(sequences), dtype=object)
    for i, x in enumerate(sequences):
        array[i] = x
    return array


def padded(sequences, n_timesteps):
    n_features = np.shape(sequences[0])[1]
    array = np.full((len(sequences), n_timesteps, n_features), np.nan)
    for row, x in zip(array, sequences, strict=True):
        row[: len(x)] = x
    return array


def frames(library, sequences=RAGGED):
    return [library.DataFrame({"a": x[:, 0], "b": x[:, 1]}) for x in sequences]


CONTAINERS = {
    "list": list,
    "tuple": tuple,
    "nested lists": lambda sequences: [x.tolist() for x in sequences],
    "object array": objects,
    "Series": lambda sequences: pd.Series(sequences, index=[7, 5, 6]),
    "pandas frames": lambda sequences: frames(pd, sequences),
    "polars frames": lambda sequences: frames(pl, sequences),
    "array of frames": lambda sequences: objects(frames(pd, sequences)),
    "3-D": lambda sequences: padded(sequences, 3),
    "3-D, wider": lambda sequences: padded(sequences, 5),
}


class Recorder(TransformerMixin, BaseEstimator):
    """Records the arguments of fit, and returns rows unchanged."""

    def fit(self, X, y=None, **params):
        self.seen_ = X, y, params
        return self

    def transform(self, X):
        return X


# ------------------------------------------------------------------- results


@pytest.mark.parametrize("container", CONTAINERS)
def test_all_valid_steps_are_scaled_by_their_common_mean_and_deviation(container):
    X = CONTAINERS[container](RAGGED)
    scaler = StepwiseTransformer(StandardScaler())
    together = scaler.fit_transform(X)
    assert_allclose(scaler.transformer_.mean_, [4, 20])
    assert_allclose(scaler.transformer_.scale_, [2, 10])
    assert scaler.n_features_in_ == 2
    for result in (together, scaler.transform(X)):
        for row, expected in zip(result, SCALED, strict=True):
            assert_array_equal(row[: len(expected)], expected)
            assert np.isnan(row[len(expected) :]).all()


@pytest.mark.parametrize("make", [list, tuple])
def test_a_list_is_returned_as_a_list_of_arrays(make):
    result = StepwiseTransformer(StandardScaler()).fit_transform(make(RAGGED))
    assert type(result) is list
    assert [type(x) for x in result] == [np.ndarray] * 3


@pytest.mark.parametrize("make", [objects, pd.Series])
def test_equally_long_objects_do_not_become_a_3d_array(make):
    X = make([np.eye(2), np.ones((2, 2))])
    result = StepwiseTransformer(StandardScaler()).fit_transform(X)
    assert result.shape == (2,) and result.dtype == object
    assert [x.shape for x in result[[1, 0]]] == [(2, 2), (2, 2)]


def test_the_transformer_never_sees_padding():
    recorder = StepwiseTransformer(Recorder()).fit(padded(RAGGED, 6))
    assert_array_equal(recorder.transformer_.seen_[0], np.concatenate(RAGGED))


def test_an_array_keeps_its_shape_and_padding():
    X = padded(RAGGED, 4)
    result = StepwiseTransformer(PCA(1)).fit_transform(X)
    assert result.shape == (3, 4, 1)
    assert_array_equal(np.isnan(result[..., 0]), np.isnan(X[..., 0]))


def test_integers_beside_padding_become_floats_and_others_stay():
    X = np.array([[[3.0], [5.0]], [[5.0], [np.nan]]])
    encoder = StepwiseTransformer(OrdinalEncoder(dtype=np.int64)).fit(X)
    assert_array_equal(encoder.transform(X), [[[0], [1]], [[1], [np.nan]]])
    assert encoder.transform(X[:1]).dtype == np.int64


def test_steps_without_feature_axis_are_returned_with_one():
    X = [np.array([1.0, 3.0]), np.array([5.0])]
    result = StepwiseTransformer(MinMaxScaler()).fit_transform(X)
    assert [x.tolist() for x in result] == [[[0.0], [0.5]], [[1.0]]]


@pytest.mark.parametrize("make", [np.array, pd.DataFrame, np.ndarray.tolist])
def test_a_table_is_read_step_by_step_and_becomes_an_array(make):
    table = np.array([[2.0, 10.0, 6.0, 30.0], [2.0, 30.0, 6.0, 10.0]])
    scaler = StepwiseTransformer(StandardScaler(), input_size=2)
    result = scaler.fit_transform(make(table))
    assert_array_equal(result, [[[-1, -1], [1, 1]], [[-1, 1], [1, -1]]])
    assert scaler.n_features_in_ == 2 and not hasattr(scaler, "feature_names_in_")
    assert_array_equal(scaler.transform(make(table[:, :2])), result[:, :1])


def test_float32_stays_float32():
    X = padded(RAGGED, 3).astype(np.float32)
    scaler = StepwiseTransformer(StandardScaler())
    assert scaler.fit_transform(X).dtype == np.float32
    X = [x.astype(np.float32) for x in RAGGED]
    assert {x.dtype for x in scaler.fit_transform(X)} == {np.dtype(np.float32)}


def test_a_transformer_that_works_in_place_does_not_change_x():
    X = np.ones((2, 3, 1)) * [[[1.0]], [[2.0]]]
    before = X.copy()
    StepwiseTransformer(StandardScaler(copy=False)).fit_transform(X)
    assert_array_equal(X, before)


def test_an_imputer_fills_values_and_not_padding():
    X = padded([[[1.0, 2.0], [np.nan, np.nan], [5.0, np.nan]], [[3.0, 4.0]]], 4)
    result = StepwiseTransformer(SimpleImputer()).fit_transform(X)
    assert_array_equal(result[0], [[1, 2], [3, 3], [5, 3], [np.nan, np.nan]])
    assert_array_equal(result[1, 0], [3, 4])
    assert np.isnan(result[1, 1:]).all()


def test_in_a_list_even_the_last_step_may_be_all_missing():
    X = [np.array([1.0, 3.0, np.nan])]
    result = StepwiseTransformer(SimpleImputer()).fit_transform(X)
    assert_array_equal(result[0], [[1], [3], [2]])


@pytest.mark.parametrize("container", ["list", "object array", "3-D"])
def test_sparse_rows_become_dense_sequences(container):
    X = CONTAINERS[container]([np.array([[4.0], [7.0]]), np.array([[7.0]])])
    encoder = StepwiseTransformer(OneHotEncoder())
    result = encoder.fit_transform(X)
    assert_array_equal(result[0][:2], [[1, 0], [0, 1]])
    assert_array_equal(result[1][:1], [[0, 1]])
    assert_array_equal(encoder.inverse_transform(result)[0][:2], [[4], [7]])


@pytest.mark.parametrize("container", ["list", "object array", "3-D, wider"])
def test_inverse_transform_restores_the_sequences(container):
    X = CONTAINERS[container](RAGGED)
    pipeline = make_pipeline(MinMaxScaler(), PCA())
    model = StepwiseTransformer(pipeline)
    back = model.inverse_transform(model.fit_transform(X))
    assert type(back) is type(X)
    for row, x in zip(back, X, strict=True):
        assert_allclose(row, x, atol=1e-12)


def test_methods_that_the_transformer_lacks_do_not_exist():
    model = StepwiseTransformer(FunctionTransformer())
    assert not hasattr(model, "partial_fit")
    assert not hasattr(model, "get_feature_names_out")
    assert not hasattr(StepwiseTransformer(OrdinalEncoder()), "partial_fit")
    assert not hasattr(StepwiseTransformer(Recorder()), "inverse_transform")


# -------------------------------------------------------------------- names and frames


@pytest.mark.parametrize("library", [pd, pl])
def test_names_of_frames_are_kept(library):
    scaler = StepwiseTransformer(StandardScaler()).fit(frames(library))
    assert scaler.feature_names_in_.tolist() == ["a", "b"]
    assert scaler.get_feature_names_out().tolist() == ["a", "b"]
    scaler.fit(RAGGED)
    assert not hasattr(scaler, "feature_names_in_")
    assert scaler.get_feature_names_out().tolist() == ["x0", "x1"]
    assert scaler.get_feature_names_out(["u", "v"]).tolist() == ["u", "v"]


@pytest.mark.parametrize("library", [pd, pl])
def test_columns_of_frames_are_chosen_by_name_and_need_not_be_numbers(library):
    X = [
        library.DataFrame({"pulse": [60.0, 80.0], "state": ["rest", "run"]}),
        library.DataFrame({"pulse": [100.0], "state": ["run"]}),
    ]
    encoder = OneHotEncoder(sparse_output=False)
    columns = ColumnTransformer(
        [("n", MinMaxScaler(), ["pulse"]), ("c", encoder, ["state"])],
        verbose_feature_names_out=False,
    )
    model = StepwiseTransformer(columns)
    result = model.fit_transform(X)
    assert [x.tolist() for x in result] == [[[0, 1, 0], [0.5, 0, 1]], [[1, 0, 1]]]
    names = ["pulse", "state_rest", "state_run"]
    assert model.get_feature_names_out().tolist() == names


@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_a_transformer_that_returns_frames_gives_ragged_frames(output):
    scaler = StepwiseTransformer(StandardScaler().set_output(transform=output))
    result = scaler.fit_transform(frames(pd))
    assert [type(x).__module__.partition(".")[0] for x in result] == [output] * 3
    assert [list(x.columns) for x in result] == [["a", "b"]] * 3
    for row, expected in zip(result, SCALED, strict=True):
        assert_array_equal(row.to_numpy(), expected)
    assert type(scaler.fit_transform(padded(RAGGED, 3))) is np.ndarray


def test_global_set_output_leaves_arrays_arrays():
    with sklearn.config_context(transform_output="pandas"):
        result = StepwiseTransformer(StandardScaler()).fit_transform(padded(RAGGED, 3))
    assert type(result) is np.ndarray


@pytest.mark.parametrize("output", ["pandas", "polars", "default"])
def test_the_output_setting_of_a_pipeline_leaves_arrays_arrays(output):
    pipeline = make_pipeline(StepwiseTransformer(StandardScaler()))
    result = pipeline.set_output(transform=output).fit_transform(padded(RAGGED, 3))
    assert type(result) is np.ndarray
    assert_array_equal(pipeline.transform(padded(RAGGED, 3)), result)


@pytest.mark.parametrize("library", [pd, pl])
@pytest.mark.parametrize(
    "other",
    [lambda frame: frame[["b", "a"]], lambda frame: frame[["a"]], np.asarray],
    ids=["reordered", "missing", "no frame"],
)
def test_frames_of_other_columns_raise_an_error(library, other):
    X = frames(library)
    X[1] = other(X[1])
    with pytest.raises(ValueError, match=r"sequence 1 of X has the columns"):
        StepwiseTransformer(StandardScaler()).fit(X)
    model = StepwiseTransformer(StandardScaler()).fit(frames(library))
    if other is not np.asarray:
        with pytest.raises(ValueError, match=r"feature names|fitted with 2\."):
            model.transform([other(frames(library)[1])])


# ------------------------------------------------------------------ learning in parts


def test_partial_fit_in_parts_learns_what_fit_learns_at_once():
    whole = StepwiseTransformer(StandardScaler()).fit(RAGGED)
    parts = StepwiseTransformer(StandardScaler())
    assert parts.partial_fit(RAGGED[:1]) is parts
    assert_allclose(parts.transformer_.mean_, [4, 20])
    parts.partial_fit(padded(RAGGED[1:], 4))
    assert_allclose(parts.transformer_.mean_, whole.transformer_.mean_)
    assert_allclose(parts.transformer_.var_, whole.transformer_.var_)
    with pytest.raises(ValueError, match=r"1 features per step.*fitted with 2"):
        parts.partial_fit([np.ones((3, 1))])


def test_a_partial_fit_that_fails_halfway_leaves_the_old_state():
    class Broken(StandardScaler):
        def partial_fit(self, X, y=None, sample_weight=None):
            super().partial_fit(X)
            if self.n_samples_seen_ > 2:
                raise ValueError("enough")
            return self

    model = StepwiseTransformer(Broken()).partial_fit(RAGGED[:1])
    with pytest.raises(ValueError, match="enough"):
        model.partial_fit(RAGGED)
    assert model.transformer_.n_samples_seen_ == 2


def test_a_fit_that_fails_leaves_the_old_state():
    model = StepwiseTransformer(StandardScaler()).fit(RAGGED)
    before = dict(vars(model))
    for bad in ([np.full((2, 3), np.inf)], [np.ones((0, 2))]):
        with pytest.raises(ValueError):
            model.fit(bad)
    model.set_params(transformer=FunctionTransformer(lambda X: X[:1]))
    with pytest.raises(ValueError, match="It must return one row"):
        model.fit_transform(frames(pd))
    before["transformer"] = model.transformer
    assert vars(model) == before


# ----------------------------------------------------------------- targets and weights


def test_weights_of_sequences_weigh_each_of_their_steps():
    weight = np.array([1.0, 0.0, 2.0])
    model = StepwiseTransformer(StandardScaler()).fit(RAGGED, sample_weight=weight)
    assert_allclose(model.transformer_.mean_, [(2 + 6 + 6 + 6) / 4, 60 / 4])
    parts = StepwiseTransformer(StandardScaler())
    parts.partial_fit(RAGGED, sample_weight=weight.tolist())
    assert_allclose(parts.transformer_.mean_, [5, 15])


@pytest.mark.parametrize("weight", [[1.0, 2.0], np.ones(6)])
def test_weights_must_be_one_per_sequence(weight):
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        StepwiseTransformer(StandardScaler()).fit(RAGGED, sample_weight=weight)


def test_a_pipeline_passes_weights_on():
    pipeline = make_pipeline(StepwiseTransformer(StandardScaler()), Recorder())
    pipeline.fit(RAGGED, stepwisetransformer__sample_weight=[1, 0, 2])
    assert_allclose(pipeline[0].transformer_.mean_, [5, 15])


def test_metadata_is_routed_when_routing_is_on():
    with sklearn.config_context(enable_metadata_routing=True):
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        model = StepwiseTransformer(scaler)
        pipeline = make_pipeline(model, Recorder())
        pipeline.fit(RAGGED, sample_weight=[1, 0, 2])
        assert_allclose(pipeline[0].transformer_.mean_, [5, 15])
        assert_allclose(model.fit(RAGGED).transformer_.mean_, [4, 20])
        undecided = StepwiseTransformer(StandardScaler())
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            undecided.fit(RAGGED, sample_weight=[1, 0, 2])


def test_metadata_that_the_transformer_does_not_know_raises_an_error():
    with pytest.raises(TypeError, match="sample_weight"):
        StepwiseTransformer(PCA(1)).fit(RAGGED, sample_weight=[1, 0, 2])


def test_each_step_gets_the_target_of_its_sequence():
    recorder = StepwiseTransformer(Recorder())
    for y in (["u", "v", "w"], np.array(["u", "v", "w"])):
        seen = recorder.fit(RAGGED, y, names=["k"]).transformer_.seen_
        assert list(seen[1]) == ["u", "u", "v", "v", "v", "w"]
        assert seen[2] == {"names": ["k"]}


@pytest.mark.parametrize("nest", [lambda selector: selector, make_pipeline])
def test_a_supervised_transformer_selects_by_the_targets_of_sequences(nest):
    model = StepwiseTransformer(nest(SelectKBest(k=1)))
    X = [np.array([[8.0, 0.1], [2.0, 0.2]]), np.array([[5.0, 0.8], [4.0, 0.9]])]
    result = model.fit_transform(X, ["low", "high"])
    assert [x.tolist() for x in result] == [[[0.1], [0.2]], [[0.8], [0.9]]]
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        model.fit(X, ["low"])


@pytest.mark.parametrize("cv", [4, KFold(4)], ids=str)
@pytest.mark.parametrize("nest", [lambda t: t, lambda t: make_pipeline(t)])
def test_target_encoders_cross_fit_over_sequences(cv, nest):
    lengths = np.tile([3, 4, 5], 8)
    X = [np.full((length, 1), i) for i, length in enumerate(lengths)]  # an id each
    y = np.random.default_rng(0).normal(size=24)
    encoder = StepwiseTransformer(nest(TargetEncoder(cv=cv)))
    codes = np.array([x.mean() for x in encoder.fit_transform(X, y)])
    assert len(np.unique(codes.round(9))) == 4  # the means of the other folds
    assert np.corrcoef(codes, y)[0, 1] < 0
    labels = (y > 0).astype(int)
    if cv == 4:
        encoder.fit_transform(X, labels)
    assert encoder.fit(X, y).transform(X)[0].shape == (3, 1)


def test_each_step_gets_all_targets_of_its_sequence():
    y = np.array([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
    model = StepwiseTransformer(PLSRegression(1)).fit(RAGGED, y)
    alone = PLSRegression(1).fit(np.concatenate(RAGGED), y[[0, 0, 1, 1, 1, 2]])
    assert_allclose(model.transformer_.coef_, alone.coef_)


def test_targets_of_many_columns_are_repeated_without_being_copied():
    y = np.arange(3 * 10**6).reshape(3, 10**6)
    recorder = StepwiseTransformer(Recorder()).fit(RAGGED, y)
    seen = recorder.transformer_.seen_[1]
    assert [row[0] for row in seen] == [0, 0, 10**6, 10**6, 10**6, 2 * 10**6]
    assert all(np.shares_memory(row, y) for row in seen)


# ----------------------------------------------------------------- errors


def test_tokens_raise_an_error():
    tokens = CharVectorizer().fit_transform(["abc", "de"])
    model = StepwiseTransformer(StandardScaler())
    for X in (tokens, list(tokens)):
        with pytest.raises(TypeError, match="categories and not numbers"):
            model.fit(X)
    model.fit(np.ones((2, 3, 1)))
    with pytest.raises(TypeError, match="categories and not numbers"):
        model.transform(tokens)


@pytest.mark.parametrize("value, what", [(np.nan, "NaN"), (np.inf, "infinity")])
@pytest.mark.parametrize("container", ["list", "3-D", "pandas frames", "polars frames"])
def test_a_value_that_the_transformer_refuses_is_named(value, what, container):
    bad = [x.copy() for x in RAGGED]
    bad[1][2, 1] = value
    message = f"contains {what} in sequence 1, step 2.*PCA does not|{what} or a v"
    X = CONTAINERS[container](bad)
    model = StepwiseTransformer(PCA(1))
    with pytest.raises(ValueError, match="sequence 1, step 2"):
        model.fit(X)
    model.fit(RAGGED if "frames" not in container else CONTAINERS[container](RAGGED))
    with pytest.raises(ValueError, match=f"(?s){message}"):
        model.transform(X)


def test_an_error_that_is_not_about_x_is_left_as_it_is():
    def refuse(X):
        raise ValueError("Input y contains NaN.")

    X = [np.array([[np.nan, 1.0]])]
    with pytest.raises(ValueError, match=r"^Input y contains NaN\.$"):
        StepwiseTransformer(FunctionTransformer(refuse)).fit(X).transform(X)
    logged = make_pipeline(FunctionTransformer(lambda X: X * np.nan), PCA(1))
    with pytest.raises(ValueError, match=r"^Input X contains NaN.\nPCA"):
        StepwiseTransformer(logged).fit(RAGGED)


@pytest.mark.parametrize(
    "X, message",
    [
        ([np.ones((2, 2)), np.ones((0, 2))], "sequence 1 of X has no steps"),
        (np.full((1, 2, 2), np.nan), "sequence 0 of X has no steps"),
        ([pd.DataFrame({"a": []})], "sequence 0 of X has no steps"),
        ([np.ones((2, 2)), np.ones((2, 3))], "sequence 1 of X has 3 features"),
        (["text", "text"], "X contains text"),
        ([np.ones((2, 2)) * 1j], "Complex data not supported"),
        ([], "minimum of 1 is required|Expected 2D array"),
        (np.ones((2, 3, 3)), "X has 3 features per step.*has input_size=2"),
        (np.ones((2, 3)), "3 columns, which is not a multiple of input_size=2"),
    ],
)
def test_invalid_sequences_raise_an_error(X, message):
    with pytest.raises(ValueError, match=message):
        StepwiseTransformer(StandardScaler(), input_size=2).fit(X)


@pytest.mark.parametrize("X", [np.ones((2, 3, 3)), [np.ones((2, 3))], np.ones((2, 3))])
def test_other_features_than_in_fit_raise_an_error(X):
    model = StepwiseTransformer(FunctionTransformer()).fit(RAGGED)
    with pytest.raises(ValueError, match=r"X has \d features per step.*fitted with 2"):
        model.transform(X)


@pytest.mark.parametrize(
    "function",
    [
        lambda X: X[1:],
        lambda X: np.repeat(X, 2, axis=0),
        lambda X: X.sum(axis=1),
        lambda X: X[:, :0],
        lambda X: X.tolist(),
        lambda X: sparse.csr_array(X[1:]),
    ],
    ids=["fewer", "more", "flat", "none left", "list", "sparse"],
)
def test_a_transformer_that_does_not_keep_rows_raises_an_error(function):
    model = StepwiseTransformer(FunctionTransformer(function)).fit(RAGGED)
    with pytest.raises(ValueError, match=r"6 time steps\. It must return one row"):
        model.transform(RAGGED)


def test_nan_that_would_be_read_as_padding_raises_an_error():
    model = StepwiseTransformer(FunctionTransformer(lambda X: X / (X > 2) - X / X))
    X = np.array([[[3.0], [4.0]], [[4.0], [0.0]]])
    with np.errstate(all="ignore"):
        with pytest.raises(ValueError, match="NaN for the last step of sequence 1"):
            model.fit_transform(X)
        assert np.isnan(model.fit_transform(list(X))[1][1, 0])


def test_transform_before_fit_raises_an_error():
    for method in ("transform", "inverse_transform", "get_feature_names_out"):
        with pytest.raises(NotFittedError):
            getattr(StepwiseTransformer(StandardScaler()), method)(RAGGED)


@pytest.mark.parametrize(
    "params", [{"transformer": "scale"}, {"transformer": LogisticRegression()}]
)
def test_invalid_parameters_raise_an_error(params):
    with pytest.raises(InvalidParameterError, match="'transformer' parameter"):
        StepwiseTransformer(**params).fit(RAGGED)
    with pytest.raises(InvalidParameterError, match="'input_size' parameter"):
        StepwiseTransformer(StandardScaler(), input_size=0).fit(RAGGED)


# -------------------------------------------------------------------------- composition


def test_the_given_transformer_is_not_fitted():
    scaler = StandardScaler()
    model = StepwiseTransformer(scaler).fit(RAGGED)
    assert model.transformer is scaler and vars(scaler) == vars(StandardScaler())
    assert not hasattr(clone(model), "transformer_")


def test_a_pickle_transforms_the_same():
    model = StepwiseTransformer(PCA(1)).fit(RAGGED)
    again = pickle.loads(pickle.dumps(model))
    for i, x in enumerate(model.transform(RAGGED)):
        assert_array_equal(again.transform(RAGGED)[i], x)


def test_tags_depend_on_the_transformer():
    tags = get_tags(StepwiseTransformer(StandardScaler())).input_tags
    assert tags.allow_nan and tags.three_d_array and not tags.two_d_array
    assert not get_tags(StepwiseTransformer(PCA())).input_tags.allow_nan
    supervised = StepwiseTransformer(LinearDiscriminantAnalysis())
    assert get_tags(supervised).target_tags.required


@pytest.fixture(scope="module")
def far_apart():
    """Make two classes that differ in a small feature next to a large one."""
    rng = np.random.default_rng(0)
    y = np.array([0, 1] * 12)
    X = [
        np.c_[1000 * rng.normal(size=length), label + rng.normal(size=length) / 9]
        for label, length in zip(y, rng.integers(2, 6, size=24), strict=True)
    ]
    return X, y


@pytest.mark.parametrize("container", ["list", "object array", "3-D, wider"])
def test_predictions_are_equal_for_every_container(far_apart, container):
    X, y = far_apart
    pipeline = make_pipeline(
        StepwiseTransformer(StandardScaler()),
        RNNClassifier("gru", 8, max_epochs=3, random_state=0),
    ).fit(X, y)
    expected = pipeline.predict_proba(X)
    other = CONTAINERS[container](X)
    assert_allclose(pipeline.predict_proba(other), expected, rtol=1e-5, atol=1e-5)
    again = clone(pipeline).fit(other, y)
    assert_allclose(again.predict_proba(other), expected, rtol=1e-5, atol=1e-5)


def test_a_search_chooses_the_parameters_of_the_inner_transformer(far_apart):
    X, y = far_apart
    pipeline = make_pipeline(
        StepwiseTransformer(StandardScaler()),
        RNNClassifier("gru", 8, scaling=False, max_epochs=25, random_state=0),
    )
    grid = {"stepwisetransformer__transformer__with_std": [False, True]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert search.best_params_ == {"stepwisetransformer__transformer__with_std": True}
    assert search.best_score_ == 1


def test_object_arrays_are_cross_validated(far_apart):
    X, y = far_apart
    pipeline = make_pipeline(
        StepwiseTransformer(StandardScaler()),
        RNNClassifier("gru", 8, max_epochs=2, random_state=0),
    )
    assert_array_equal(
        cross_val_predict(pipeline, objects(X), y, cv=2),
        cross_val_predict(pipeline, X, y, cv=2),
    )


@parametrize_with_sequence_checks(
    [StepwiseTransformer(StandardScaler()), StepwiseTransformer(PCA())],
    containers=("table", "3d", "ragged"),
)
def test_sequence_check(estimator, check):
    check(estimator)


def test_a_sparse_y_is_repeated_for_each_step(rng):
    X, y = rng.normal(size=(4, 3, 2)), np.eye(4)[:, :2]
    model = StepwiseTransformer(PLSRegression(n_components=1))
    expected = model.fit(X, y).transform(X)
    assert_array_equal(model.fit(X, sparse.csr_array(y)).transform(X), expected)
