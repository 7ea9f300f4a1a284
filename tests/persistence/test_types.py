"""Estimators of the fixed list are saved and loaded with all of their state."""

import inspect
import pkgutil
import warnings
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
import torch
from model_values import copy_value, same
from sklearn.base import BaseEstimator, clone
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

import sklearn_rnn
from sklearn_rnn.persistence._errors import ModelFileError
from sklearn_rnn.persistence._types import (
    CALLABLES,
    CLASSES,
    ESTIMATORS,
    OBJECTS,
    OWN_ESTIMATORS,
    TUPLES,
    TypeTable,
    list_fields,
)

TABLES = {
    "estimators": ESTIMATORS,
    "objects": OBJECTS,
    "tuples": TUPLES,
    "classes": CLASSES,
    "callables": CALLABLES,
}
rng = np.random.default_rng(0)
NUMBERS = rng.normal(size=(30, 4)).round(2)
LABELS = np.repeat(["a", "b"], 15)
TEXTS = ["one two", "two three one", "three"] * 10
CATEGORIES = np.array([["a", "x"], ["b", "y"], ["a", "z"]] * 10, dtype=object)
DICTS = [{"a": 1.0, "b": 2.0}, {"b": 3.0}] * 15

# Parameters and data of estimators that do not accept the defaults.
PARAMETERS = {
    "ColumnTransformer": {"transformers": [("scale", StandardScaler(), [0, 2])]},
    "FeatureHasher": {"n_features": 8},
    "FeatureUnion": {"transformer_list": [("scale", StandardScaler())]},
    "HashingVectorizer": {"n_features": 8},
    "IterativeImputer": {"max_iter": 2, "random_state": 0},
    "MultiOutputClassifier": {"estimator": LogisticRegression()},
    "MultiOutputRegressor": {"estimator": Ridge()},
    "NMF": {"n_components": 2, "init": "nndsvd"},
    "Nystroem": {"n_components": 3, "random_state": 0},
    "Pipeline": {"steps": [("scale", StandardScaler())]},
    "QuantileTransformer": {"n_quantiles": 9},
    "RFE": {"estimator": Ridge()},
    **{name: {"alpha": 0.99} for name in ("SelectFdr", "SelectFpr", "SelectFwe")},
    "SelectFromModel": {"estimator": Ridge()},
    "SelectKBest": {"k": 2},
    "SequentialFeatureSelector": {"estimator": Ridge(), "n_features_to_select": 2},
    "TransformedTargetRegressor": {
        "regressor": Ridge(),
        "func": np.sinh,
        "inverse_func": np.arcsinh,
    },
    "GaussianRandomProjection": {"n_components": 2, "random_state": 0},
    "SparseRandomProjection": {"n_components": 2, "random_state": 0},
}
REGRESSORS = (
    *("Regressor", "Ridge", "Lasso", "ElasticNet", "RFE", "Selector", "FromModel"),
    *("LinearRegression", "SVR"),
)


def data_for(name):
    """Return X and y for an estimator of scikit-learn."""
    if "Vectorizer" in name and name != "DictVectorizer":
        return TEXTS, LABELS
    if name in ("DictVectorizer", "FeatureHasher"):
        return DICTS, LABELS
    if name in ("OneHotEncoder", "OrdinalEncoder", "TargetEncoder"):
        return CATEGORIES, LABELS
    if name in ("LabelEncoder", "LabelBinarizer"):
        return LABELS, None
    if name == "MultiLabelBinarizer":
        return [["a", "b"], ["b"]], None
    X = NUMBERS
    if "Imputer" in name or name == "MissingIndicator":
        X = np.where(NUMBERS > 1, np.nan, NUMBERS)
    if name in ("NMF", "AdditiveChi2Sampler", "SkewedChi2Sampler") or name.endswith(
        "NB"
    ):
        X = np.abs(NUMBERS)
    if name == "KernelCenterer":
        X = NUMBERS @ NUMBERS.T
    if name.startswith("MultiOutput"):
        y = np.stack([LABELS, LABELS[::-1]], 1)
        return X, y if "Classifier" in name else NUMBERS[:, :2]
    is_regressor = any(one in name for one in REGRESSORS) and "Classif" not in name
    return X, NUMBERS[:, 0] if is_regressor else LABELS


def apply(model, X):
    """Return what a fitted model answers for X."""
    method = "transform" if hasattr(model, "transform") else "predict"
    answer = getattr(model, method)(X)
    return answer.toarray() if hasattr(answer, "toarray") else answer


@pytest.mark.parametrize(
    "short", [name for name in ESTIMATORS.paths if name.startswith("sklearn.")]
)
def test_fitted_estimators_of_scikit_learn_are_restored(short):
    name = short.split(".")[-1]
    model = ESTIMATORS.find(short)(**PARAMETERS.get(name, {}))
    X, y = data_for(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = model.fit(X) if y is None else model.fit(X, y)
    restored = copy_value(model)
    assert same(restored, model)
    expected = apply(model, X)
    np.testing.assert_array_equal(apply(restored, X), expected)
    assert repr(clone(restored)) == repr(clone(model))


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_name_is_imported_and_found_again(table):
    for name in table.paths:
        assert table.find_name(table.find(name)) == name


def test_every_estimator_of_this_package_is_listed():
    found = set()
    for info in pkgutil.iter_modules(sklearn_rnn.__path__):
        if info.name.startswith("_") or not info.ispkg:
            continue
        package = import_module(f"sklearn_rnn.{info.name}")
        for name in package.__all__:
            one = getattr(package, name)
            if inspect.isclass(one) and issubclass(one, BaseEstimator):
                found.add((f"sklearn_rnn.{info.name}", name))
    listed = {(module, n) for module, names in OWN_ESTIMATORS.items() for n in names}
    assert listed == found


def test_all_optimizers_of_torch_are_listed():
    optimizers = {
        name
        for name, one in vars(torch.optim).items()
        if isinstance(one, type) and one is not torch.optim.Optimizer
    }
    assert {f"torch.optim.{name}" for name in optimizers} <= CLASSES.paths.keys()


def test_columns_that_are_selected_by_type():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3, 4], "c": ["x", "y"]})
    selector = make_column_selector(dtype_include=np.number)
    model = ColumnTransformer([("numbers", StandardScaler(), selector)])
    model = model.set_output(transform="pandas").fit(frame)
    restored = copy_value(model)
    assert restored.transform(frame).equals(model.transform(frame))
    assert restored.transformers[0][2].dtype_include is np.number


def test_names_contain_no_private_modules():
    assert "sklearn.impute.SimpleImputer" in ESTIMATORS
    assert "RNNClassifier" in ESTIMATORS and "FeatureScaling" in OBJECTS
    assert "sklearn.impute._ImputerTriplet" in TUPLES
    names = [name for table in TABLES.values() for name in table.paths]
    assert not [name for name in names if "._" in name.replace("._Imp", "")]


def test_names_that_are_not_listed_are_an_error():
    for name in ("os.system", None, ["RNNClassifier"], "sklearn.tree.ExtraTree"):
        with pytest.raises(ModelFileError, match="not in the list of types"):
            ESTIMATORS.find(name)
    assert ESTIMATORS.find_name(dict) is None
    assert CLASSES.find_name(type("int", (), {"__module__": "builtins"})) is None


def test_a_class_that_moved_keeps_its_name():
    before = TypeTable({"sklearn_rnn._data.scaling": ("FeatureScaling",)})
    after = TypeTable({"sklearn_rnn._data.elsewhere": ("FeatureScaling",)})
    assert list(before.paths) == list(after.paths)


def test_fields_of_dataclasses_and_other_classes():
    encoding = OBJECTS.find("InputEncoding")
    assert list_fields(encoding) == (["dtype", "scaling", "patch_size"], ["dtype"])
    names, required = list_fields(OBJECTS.find("TokenCodec"))
    assert names == required == ["names", "code_of", "classes"]
