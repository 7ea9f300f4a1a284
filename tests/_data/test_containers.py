"""Containers of other libraries are converted, or raise errors that say what to do."""

import re
from array import array
from collections import UserList, deque

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from numpy.testing import assert_array_equal
from scipy import sparse
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from sklearn_rnn import (
    BoltzmannMachine,
    CharVectorizer,
    HopfieldDenoiser,
    ImageFlattener,
    RNNClassifier,
    RNNRegressor,
    SeasonalNaiveForecaster,
    SequenceGenerator,
    SeriesScaler,
    StepwiseTransformer,
    TextStatisticsVectorizer,
    TokenArray,
    WordVectorizer,
)
from sklearn_rnn._data.containers import unwrap, unwrap_documents
from sklearn_rnn._data.ragged import object_array
from sklearn_rnn._data.sequences import LARGEST_VOCABULARY
from sklearn_rnn.translation._sources import list_sources, unwrap_sources

RNG = np.random.default_rng(0)
N = 8
TABLE = RNG.normal(size=(N, 4))
ARRAY = RNG.normal(size=(N, 4, 2))
RAGGED = [RNG.normal(size=(k % 3 + 2, 2)) for k in range(N)]
Y = np.arange(N) % 2
TEXTS = ["an owl", "a hat", "so it is", "no"] * 2
SMALL = {"hidden_size": 3, "max_epochs": 1, "random_state": 0}

OF_TABLES = [
    RNNClassifier(**SMALL),
    RNNRegressor(**SMALL),
    HopfieldDenoiser(binarize=0.0),
    BoltzmannMachine(2, max_epochs=1, binarize=0.0, random_state=0),
    ImageFlattener(),
    SeriesScaler(),
    StepwiseTransformer(StandardScaler()),
    SeasonalNaiveForecaster(2),
]
OF_SEQUENCES = [
    model
    for model in OF_TABLES
    if not isinstance(model, (HopfieldDenoiser, BoltzmannMachine, ImageFlattener))
]
OF_TEXTS = [CharVectorizer(), WordVectorizer(), TextStatisticsVectorizer()]
of_tables = pytest.mark.parametrize("model", OF_TABLES, ids=lambda m: type(m).__name__)
of_sequences = pytest.mark.parametrize(
    "model", OF_SEQUENCES, ids=lambda m: type(m).__name__
)
of_texts = pytest.mark.parametrize("model", OF_TEXTS, ids=lambda m: type(m).__name__)
pytestmark = pytest.mark.filterwarnings(
    "ignore::sklearn.exceptions.ConvergenceWarning",
    "ignore::sklearn_rnn.energy.CapacityWarning",
)


class Measured:
    """An array of another library, such as xarray's."""

    def __init__(self, values):
        self.values, self.shape = values, values.shape

    def __array__(self, dtype=None, copy=None):
        return self.values


def assert_equal(actual, expected):
    assert type(actual) is type(expected)
    if isinstance(expected, list):
        for a, b in zip(actual, expected, strict=True):
            assert_array_equal(a, b)
    else:
        assert_array_equal(actual, expected)


def arrow(name, values):
    pa = pytest.importorskip("pyarrow")
    return {
        "list": lambda: pa.array([x[:, 0].tolist() for x in values]),
        "nested": lambda: pa.array([x.tolist() for x in values]),
        "chunks": lambda: pa.chunked_array([[x[:, 0].tolist() for x in values]]),
        "table": lambda: pa.table({"x": [x[:, 0].tolist() for x in values]}),
    }[name]()


# ------------------------------------------------------------------ what is read


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (torch.tensor(TABLE, requires_grad=True), TABLE),
        (torch.tensor(TABLE).bfloat16().double().bfloat16(), None),
        (memoryview(TABLE), TABLE),
        (np.ma.masked_array(TABLE), TABLE),
        (range(3), [0, 1, 2]),
        (deque([1, 2]), [1, 2]),
        (UserList(RAGGED), RAGGED),
        (array("d", [1.0, 2.0]), np.array([1.0, 2.0])),
        (Measured(TABLE), TABLE),
        (dict(enumerate(RAGGED)).values(), RAGGED),
        ([torch.tensor(x, requires_grad=True) for x in RAGGED], RAGGED),
        ([sparse.csr_array(x) for x in RAGGED], RAGGED),
        (
            torch.nested.nested_tensor(
                [torch.tensor(x) for x in RAGGED], layout=torch.jagged
            ),
            RAGGED,
        ),
        (
            torch.nn.utils.rnn.pack_sequence(
                [torch.tensor(x) for x in RAGGED], enforce_sorted=False
            ),
            RAGGED,
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_containers_become_arrays_and_lists(given, expected):
    if expected is None:  # numpy has no bfloat16
        expected = given.float().numpy()
    assert_equal(unwrap(given), expected)


def test_tensors_and_rows_of_arrow_are_read():
    pa = pytest.importorskip("pyarrow")
    assert_equal(unwrap(pa.Tensor.from_numpy(TABLE)), TABLE)
    assert_equal(list(unwrap(list(arrow("nested", RAGGED)))), RAGGED)


@pytest.mark.parametrize("kind", ["list", "chunks", "table"])
def test_arrow_lists_become_sequences(kind):
    found = unwrap(arrow(kind, RAGGED))
    assert found.dtype == object
    assert_equal(list(found), [x[:, 0] for x in RAGGED])


def test_arrow_lists_of_lists_become_sequences_of_steps():
    assert_equal(list(unwrap(arrow("nested", RAGGED))), RAGGED)


def test_one_column_of_sequences_is_the_column():
    column = object_array(x[:, 0] for x in RAGGED)
    assert_equal(list(unwrap(column[:, None])), list(column))
    assert_equal(list(unwrap(pd.DataFrame({"x": column}))), list(column))
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    assert unwrap(frame) is frame
    polars = pytest.importorskip("polars")
    assert_equal(
        list(unwrap(polars.DataFrame({"x": [x.tolist() for x in RAGGED]}))), RAGGED
    )


def test_ordinary_containers_are_not_copied():
    tokens = TokenArray([[4, 5]], 6)
    for X in (TABLE, ARRAY, RAGGED, tokens, TABLE.tolist(), pd.DataFrame(TABLE), None):
        assert unwrap(X) is X


@of_sequences
@pytest.mark.parametrize("kind", ["tensors", "packed", "arrow", "frame", "sparse"])
def test_every_reader_of_sequences_takes_them(model, kind):
    given = {
        "tensors": lambda: [torch.tensor(x, requires_grad=True) for x in RAGGED],
        "packed": lambda: torch.nn.utils.rnn.pack_sequence(
            [torch.tensor(x) for x in RAGGED], enforce_sorted=False
        ),
        "arrow": lambda: arrow("nested", RAGGED),
        "frame": lambda: pd.DataFrame({"x": object_array(RAGGED)}),
        "sparse": lambda: [sparse.csr_array(x) for x in RAGGED],
    }[kind]()
    if isinstance(model, SeasonalNaiveForecaster):
        model = SeasonalNaiveForecaster(1)
    ask = "transform" if not hasattr(model, "predict") else "predict"
    expected = getattr(clone(model).fit(RAGGED, Y), ask)(RAGGED)
    found = getattr(clone(model).fit(given, Y), ask)(given)
    for a, b in zip(found, expected, strict=True):
        assert_array_equal(a, b)


@of_tables
@pytest.mark.parametrize("dispatch", [False, True])
def test_tensors_are_read_with_and_without_array_api_dispatch(
    model, dispatch, monkeypatch
):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    try:
        context = sklearn.config_context(array_api_dispatch=dispatch)
        context.__enter__()
    except RuntimeError:
        pytest.skip("scipy was imported without SCIPY_ARRAY_API=1")
    try:
        X, y = torch.tensor(TABLE), torch.tensor(Y)
        model = clone(model).fit(X, y)
        ask = "predict" if hasattr(model, "predict") else "transform"
        found = getattr(model, ask)(X)
        if hasattr(model, "score") and not isinstance(model, SeasonalNaiveForecaster):
            assert np.isfinite(model.score(X, y))
        if isinstance(model, (RNNClassifier, RNNRegressor)):
            model.fit(X, y, sample_weight=torch.ones(N))
    finally:
        context.__exit__(None, None, None)
    assert_array_equal(found, getattr(clone(model).fit(TABLE, Y), ask)(TABLE))


# ------------------------------------------------------------------ what is an error


@of_tables
@pytest.mark.parametrize(
    ("X", "message"),
    [
        (dict(enumerate(TABLE)), "X is a dict"),
        ({1, 2}, "X is a set, which has no order"),
        ((x for x in TABLE), "X is a generator, which can be read only once"),
        ([{1.0, 2.0}] * N, "row 0 of X is a set"),
        (TABLE.astype("M8[s]"), "contains dates|datetime64"),
        (pd.DataFrame(TABLE.astype("M8[s]")), "Column 0 contains dates|datetime64"),
        ([[10**400, 1]] * N, "too large"),
        (torch.tensor(TABLE).to_sparse(), r"sparse tensor.*X\.to_dense\(\)"),
        (torch.empty(2, 2, device="meta"), "meta device"),
    ],
    ids="dict set generator sets dates date_frame huge sparse_tensor meta".split(),
)
def test_every_reader_of_tables_raises_explained_errors(model, X, message):
    with pytest.raises((TypeError, ValueError), match=message):
        clone(model).fit(X, Y)


@of_tables
def test_masks_are_not_ignored(model):
    mask = np.zeros(TABLE.shape, dtype=bool)
    mask[:4, 0] = True
    X = np.ma.masked_array(TABLE, mask=mask)
    if isinstance(model, (SeasonalNaiveForecaster, StepwiseTransformer)):
        filled = np.where(mask, np.nan, TABLE)  # NaN is a missing value there
        ask = "predict" if hasattr(model, "predict") else "transform"
        found, expected = (getattr(clone(model).fit(x), ask)(x) for x in (X, filled))
        assert_array_equal(found, expected)
    else:
        with pytest.raises(ValueError, match="masked values, the first at"):
            clone(model).fit(X, Y)


@of_tables
def test_none_is_missing_in_a_table(model):
    X = [[1.0, None], [2.0, 3.0]] * 4
    if isinstance(model, (SeasonalNaiveForecaster, StepwiseTransformer)):
        model.fit(X)  # they accept missing values
        return
    with pytest.raises(ValueError, match="NaN"):
        clone(model).fit(X, Y)


def test_masked_images_are_an_error():
    mask = np.zeros(ARRAY.shape, dtype=bool)
    mask[1, 2] = True
    with pytest.raises(ValueError, match="X is a masked array with 2 masked values"):
        ImageFlattener().fit(np.ma.masked_array(ARRAY, mask=mask))


def test_masked_steps_at_the_end_of_an_array_are_padding():
    mask = np.zeros(ARRAY.shape, dtype=bool)
    mask[1, 2:] = True
    X = np.ma.masked_array(ARRAY, mask=mask)
    filled = np.where(mask, np.nan, ARRAY)
    model = RNNClassifier(**SMALL)
    expected = clone(model).fit(filled, Y).predict_proba(filled)
    assert_array_equal(clone(model).fit(X, Y).predict_proba(X), expected)


@pytest.mark.parametrize(
    "model",
    [HopfieldDenoiser(), BoltzmannMachine(2), ImageFlattener()],
    ids=lambda m: type(m).__name__,
)
def test_tokens_are_not_accepted_as_patterns(model):
    with pytest.raises(TypeError, match="codes are labels, but"):
        model.fit(TokenArray([[4, 5], [5, 4]], 6))


def test_a_vocabulary_that_no_network_can_embed_is_an_error():
    X = TokenArray([[4, 5], [5, 4]], LARGEST_VOCABULARY + 1)
    for model in (RNNClassifier(**SMALL), SequenceGenerator(**SMALL)):
        with pytest.raises(ValueError, match="a vocabulary of size 16777217"):
            model.fit(X, [0, 1])


@pytest.mark.parametrize(
    "model",
    [RNNClassifier(**SMALL), RNNRegressor(**SMALL), HopfieldDenoiser(binarize=0.0)],
    ids=lambda m: type(m).__name__,
)
@pytest.mark.parametrize(
    ("y", "message"),
    [
        (set(range(N)), "y is a set"),
        (dict(enumerate(Y)), "y is a dict"),
        (np.ma.masked_array(Y, mask=Y > 0), "y is a masked array with 4 masked"),
        ((k for k in Y), "y is a generator"),
    ],
    ids=["set", "dict", "masked", "generator"],
)
def test_invalid_targets_raise_explained_errors(model, y, message):
    with pytest.raises((TypeError, ValueError), match=message):
        clone(model).fit(TABLE, y)


# ------------------------------------------------------------------ text


@of_texts
def test_dict_keys_are_accepted_as_documents(model):
    X = dict.fromkeys(TEXTS).keys()
    expected = clone(model).fit_transform(list(X))
    assert_array_equal(clone(model).fit_transform(X), expected)


@of_texts
@pytest.mark.parametrize("kind", ["frame", "array", "polars", "arrow", "table"])
def test_one_column_of_texts_is_read(model, kind):
    given = {
        "frame": lambda: pd.DataFrame({"text": TEXTS}),
        "array": lambda: np.array(TEXTS, dtype=object)[:, None],
        "polars": lambda: pytest.importorskip("polars").DataFrame({"text": TEXTS}),
        "arrow": lambda: pytest.importorskip("pyarrow").array(TEXTS),
        "table": lambda: pytest.importorskip("pyarrow").table({"text": TEXTS}),
    }[kind]()
    expected = clone(model).fit(TEXTS).transform(TEXTS)
    assert_array_equal(clone(model).fit(given).transform(given), expected)
    assert list_sources(unwrap_sources(given)) == TEXTS
    generator = SequenceGenerator(**SMALL)
    expected = clone(generator).fit(TEXTS).transform(TEXTS)
    if model is OF_TEXTS[0]:
        assert_array_equal(generator.fit(given).transform(given), expected)


@pytest.mark.parametrize(
    "model", [*OF_TEXTS, SequenceGenerator(**SMALL)], ids=lambda m: type(m).__name__
)
@pytest.mark.parametrize(
    "X",
    [dict.fromkeys(TEXTS), set(TEXTS), memoryview(b"ab"), torch.zeros(2)],
    ids=lambda X: type(X).__name__,
)
def test_invalid_documents_raise_explained_errors(model, X):
    with pytest.raises(TypeError, match=re.escape(f"X is a {type(X).__name__}")):
        clone(model).fit(X)


def test_a_single_value_is_not_accepted_as_documents():
    with pytest.raises(TypeError, match="X is a single value"):
        unwrap_documents(np.array(3))


@pytest.mark.parametrize(
    "X", [sparse.csr_array(np.eye(2)), np.zeros(2, dtype=[("a", float)])]
)
def test_tables_are_not_accepted_as_documents(X):
    with pytest.raises(TypeError, match=r"X is a .*; expected documents"):
        unwrap_documents(X)
