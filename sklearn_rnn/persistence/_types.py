"""The fixed list of types that model files may contain.

A file refers to a type by a short name. If a class moves to another module, only this
table changes, and earlier files can still be loaded. Nothing else is imported on behalf
of a file, except what the caller lists in ``trusted``.
"""

from dataclasses import MISSING, fields, is_dataclass
from functools import cache
from importlib import import_module
from typing import Any

from sklearn_rnn.persistence._errors import ModelFileError

# Estimators of this package, by the module that they are imported from.
OWN_ESTIMATORS = {
    "sklearn_rnn.energy": ("BoltzmannMachine", "HopfieldDenoiser"),
    "sklearn_rnn.forecasting": ("RNNForecaster", "SeasonalNaiveForecaster"),
    "sklearn_rnn.generation": ("SequenceGenerator",),
    "sklearn_rnn.preprocessing": (
        *("ImageFlattener", "SeriesScaler", "StepwiseTransformer"),
    ),
    "sklearn_rnn.supervised": ("RNNClassifier", "RNNRegressor"),
    "sklearn_rnn.text": (
        *("CharVectorizer", "TextStatisticsVectorizer", "WordVectorizer"),
    ),
    "sklearn_rnn.translation": ("SequenceTranslator",),
}

# Estimators of scikit-learn whose fitted attributes are plain values. Left out are
# those with attributes of compiled types, such as trees, and those whose compiled code
# does not check the shapes of fitted attributes.
SKLEARN_ESTIMATORS = {
    "sklearn.compose": ("ColumnTransformer", "TransformedTargetRegressor"),
    "sklearn.decomposition": (
        *("FactorAnalysis", "FastICA", "IncrementalPCA", "KernelPCA", "NMF", "PCA"),
        "TruncatedSVD",
    ),
    "sklearn.dummy": ("DummyClassifier", "DummyRegressor"),
    "sklearn.feature_extraction": ("DictVectorizer", "FeatureHasher"),
    "sklearn.feature_extraction.text": (
        *("CountVectorizer", "HashingVectorizer", "TfidfTransformer"),
        "TfidfVectorizer",
    ),
    "sklearn.feature_selection": (
        *("GenericUnivariateSelect", "RFE", "SelectFdr", "SelectFpr"),
        *("SelectFromModel", "SelectFwe", "SelectKBest", "SelectPercentile"),
        *("SequentialFeatureSelector", "VarianceThreshold"),
    ),
    "sklearn.impute": ("KNNImputer", "MissingIndicator"),
    "sklearn.impute._base": ("SimpleImputer",),
    "sklearn.impute._iterative": ("IterativeImputer",),  # not public without a switch
    "sklearn.kernel_approximation": (
        *("AdditiveChi2Sampler", "Nystroem", "PolynomialCountSketch"),
        *("RBFSampler", "SkewedChi2Sampler"),
    ),
    "sklearn.linear_model": (
        *("BayesianRidge", "ElasticNet", "Lasso", "LinearRegression"),
        *("LogisticRegression", "Ridge", "RidgeCV", "RidgeClassifier"),
        "RidgeClassifierCV",
    ),
    "sklearn.multioutput": ("MultiOutputClassifier", "MultiOutputRegressor"),
    "sklearn.naive_bayes": (
        *("BernoulliNB", "ComplementNB", "GaussianNB", "MultinomialNB"),
    ),
    "sklearn.pipeline": ("FeatureUnion", "Pipeline"),
    "sklearn.preprocessing": (
        *("Binarizer", "FunctionTransformer", "KBinsDiscretizer", "KernelCenterer"),
        *("LabelBinarizer", "LabelEncoder", "MaxAbsScaler", "MinMaxScaler"),
        *("MultiLabelBinarizer", "Normalizer", "OneHotEncoder", "OrdinalEncoder"),
        *("PolynomialFeatures", "PowerTransformer", "QuantileTransformer"),
        *("RobustScaler", "StandardScaler", "TargetEncoder"),
    ),
    "sklearn.random_projection": (
        *("GaussianRandomProjection", "SparseRandomProjection"),
    ),
    "sklearn.svm": ("LinearSVC", "LinearSVR"),
}

# Objects of this package in fitted attributes that are dataclasses. Files hold their
# fields.
DATACLASSES = {
    "sklearn_rnn._data.scaling": ("FeatureScaling",),
    "sklearn_rnn._data.series": ("SeriesSet",),
    "sklearn_rnn.energy._boltzmann_learning": ("LearningState",),
    "sklearn_rnn.energy._boltzmann_parameters": ("Machine",),
    "sklearn_rnn.energy._boltzmann_partition": ("LogPartition",),
    "sklearn_rnn.energy._boltzmann_sampling": ("Chains",),
    "sklearn_rnn.forecasting._encoding": ("SeriesEncoding",),
    "sklearn_rnn.forecasting._error_sizes": ("CalibrationErrors", "ErrorSizes"),
    "sklearn_rnn.forecasting._exog": ("ExogVariables",),
    "sklearn_rnn.forecasting._intervals": ("ConformalIntervals", "QuantileIntervals"),
    "sklearn_rnn.forecasting._naive": ("SeasonalPasts",),
    "sklearn_rnn.forecasting._recent": ("RecentPast",),
    "sklearn_rnn.forecasting._rollout": ("SeriesState",),
    "sklearn_rnn.forecasting._theta": ("ThetaBaseline",),
    "sklearn_rnn.forecasting._values": ("StandardizedValues",),
    "sklearn_rnn.generation._copies": ("TrainingText",),
    "sklearn_rnn.supervised._inputs": ("InputEncoding",),
    "sklearn_rnn.supervised._targets": ("LabelTargets", "NumberTargets"),
}

# Other objects in fitted attributes, with the names of their attributes.
CODEC = ("names", "code_of", "classes")
PLAIN_CLASSES: dict[str, dict[str, tuple[str, ...]]] = {
    "sklearn.compose._column_transformer": {
        "make_column_selector": ("pattern", "dtype_include", "dtype_exclude"),
    },
    "sklearn_rnn.generation._ngram": {
        "WittenBell": ("order", "n_symbols_", "codes_", "levels_"),
    },
    "sklearn_rnn.generation._spelling": {
        "Spelling": (
            *("saw_unknown", "_letters", "_gaps", "_totals", "_types"),
            "_gap_letters",
        ),
    },
    "sklearn_rnn.text._codecs": {
        "TextCodec": ("vectorizer", "_is_token_vectorizer", *CODEC),
        "TokenCodec": CODEC,
        "CodeCodec": CODEC,
    },
}

NAMED_TUPLES = {
    "sklearn.impute._iterative": ("_ImputerTriplet",),
    "sklearn_rnn.generation._ngram": ("Level",),
}

# Classes that occur as values, for example as the parameter dtype or optimizer.
VALUE_CLASSES = {
    "builtins": (
        *("bool", "bytes", "complex", "dict", "float", "int", "list", "object"),
        *("set", "str", "tuple"),
    ),
    "numpy": (
        *("bool", "bytes_", "complex128", "complex64", "complexfloating"),
        *("datetime64", "float16", "float32", "float64", "floating", "generic"),
        *("inexact", "int16", "int32", "int64", "int8", "integer", "number"),
        *("object_", "signedinteger", "str_", "timedelta64", "uint16", "uint32"),
        *("uint64", "uint8", "unsignedinteger"),
    ),
    "torch.optim": (
        *("ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax"),
        *("LBFGS", "Muon", "NAdam", "RAdam", "RMSprop", "Rprop", "SGD", "SparseAdam"),
    ),
}

# Functions without side effects that are common as parameters.
FUNCTIONS = {
    "builtins": ("abs", "str.lower", "str.split", "str.strip", "str.upper"),
    "numpy": (
        *("absolute", "add", "amax", "amin", "arcsinh", "arctan", "around", "asarray"),
        *("cbrt", "ceil", "clip"),
        *("concatenate", "cos", "cosh", "cumsum", "deg2rad", "diff", "divide", "exp"),
        *("exp2", "expm1", "fabs", "floor", "isfinite", "isnan", "log", "log10"),
        *("log1p", "log2", "max", "maximum", "mean", "median", "min", "minimum"),
        *("multiply", "nan_to_num", "nanmean", "nanmedian", "negative", "power"),
        *("rad2deg", "ravel", "reciprocal", "rint", "round", "sign", "sin", "sinh"),
        *("sqrt", "square", "std", "subtract", "sum", "tan", "tanh", "var"),
    ),
    "sklearn.feature_selection": (
        *("chi2", "f_classif", "f_regression", "mutual_info_classif"),
        *("mutual_info_regression", "r_regression"),
    ),
}


class TypeTable:
    """Types or functions by their short names, which are imported when first used."""

    def __init__(self, *tables: Any):
        self.paths = {
            shorten_name(module, name): (module, name)
            for table in tables
            for module, names in table.items()
            for name in names
        }
        self._names: dict[str, list[str]] = {}  # short names by their last parts
        for short, (_, name) in self.paths.items():
            self._names.setdefault(name.split(".")[-1], []).append(short)

    def __contains__(self, name: Any) -> bool:
        return isinstance(name, str) and name in self.paths

    def find(self, name: Any) -> Any:
        """Return the type with a short name."""
        if name not in self:
            raise ModelFileError(
                f"it contains the type {name!r}, which is not in the list of types "
                "that model files may contain. Install a newer sklearn_rnn if the file "
                "was saved by one."
            )
        return import_name(*self.paths[name])

    def find_name(self, value: Any) -> str | None:
        """Return the short name of a type or function, or None if it is not listed."""
        package = (getattr(value, "__module__", None) or "builtins").split(".")[0]
        for name in self._names.get(getattr(value, "__name__", ""), ()):
            module, qualified_name = self.paths[name]
            if module.split(".")[0] == package:
                if import_name(module, qualified_name) is value:
                    return name
        return None


def shorten_name(module: str, name: str) -> str:
    """Return the name by which files refer to a type.

    It does not contain private modules, and no module for types of this package.
    """
    package, *parts = module.split(".")
    if package in ("builtins", "sklearn_rnn"):
        return name
    return ".".join([package, *(p for p in parts if not p.startswith("_")), name])


@cache
def import_name(module: str, qualified_name: str) -> Any:
    """Import a type or function."""
    found: Any = import_module(module)
    for part in qualified_name.split("."):
        found = getattr(found, part)
    return found


ESTIMATORS = TypeTable(OWN_ESTIMATORS, SKLEARN_ESTIMATORS)
OBJECTS = TypeTable(DATACLASSES, PLAIN_CLASSES)
TUPLES = TypeTable(NAMED_TUPLES)
CLASSES = TypeTable(VALUE_CLASSES)
CALLABLES = TypeTable(FUNCTIONS)


def list_fields(cls: type) -> tuple[list[str], list[str]]:
    """Return the names of all fields of an internal class, and of those required."""
    if is_dataclass(cls):
        required = [
            one.name
            for one in fields(cls)
            if one.default is MISSING and one.default_factory is MISSING
        ]
        return [one.name for one in fields(cls)], required
    names = list(PLAIN_CLASSES[cls.__module__][cls.__name__])
    return names, names
