"""RNNClassifier: text, embeddings, searches, partial fits and invalid input."""

import numpy as np
import pytest
import torch
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_rnn import CharVectorizer, RNNClassifier, TokenArray, WordVectorizer


@pytest.fixture
def model():
    return RNNClassifier("gru", 8, max_epochs=3, random_state=0)


# ------------------------------------------------------------------ classes


def test_a_class_missing_from_a_fold_gets_a_column_of_zeros(table):
    X, y = table
    y = np.sort(np.arange(60) % 3)
    model = RNNClassifier("gru", 4, max_epochs=1, random_state=0)
    with pytest.warns(RuntimeWarning, match="Number of classes in training fold"):
        proba = cross_val_predict(model, X, y, cv=KFold(3), method="predict_proba")
    assert proba.shape == (60, 3)
    assert (proba[:20, 0] == 0).all()


def test_partial_fit_takes_classes_that_come_later(model, table):
    X, y = table
    model.partial_fit(X[y == 0], y[y == 0], classes=[0, 1])
    model.partial_fit(X[y == 1], y[y == 1])
    assert model.predict_proba(X).shape == (60, 2)


# ------------------------------------------------------------------ text


def test_text_of_unequal_length_goes_through_a_pipeline(names):
    texts, y = names
    model = make_pipeline(
        CharVectorizer(), RNNClassifier("gru", 12, max_epochs=30, random_state=0)
    ).fit(texts, y)
    assert model.score(texts, y) == 1
    assert model.predict(["nanna", "oto"]).tolist() == [1, 0]
    assert model[-1].input_size_ == 1


@pytest.mark.parametrize("embedding", ["auto", "onehot", 5])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
def test_every_embedding_learns_words(embedding, cell):
    texts = ["good film", "bad film", "what a good one", "what a bad one"] * 8
    y = ["+", "-"] * 16
    model = make_pipeline(
        WordVectorizer(),
        RNNClassifier(cell, 8, embedding=embedding, max_epochs=30, random_state=0),
    ).fit(texts, y)
    assert model.score(texts, y) == 1
    assert model.predict(["what a good film"]).tolist() == ["+"]


def test_onehot_equals_reading_the_dense_matrix(names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    onehot = RNNClassifier("gru", 4, embedding="onehot", max_epochs=1).fit(tokens, y)
    dense = np.eye(tokens.vocabulary_size)[np.asarray(tokens)]
    dense[np.asarray(tokens) == 0] = np.nan
    other = RNNClassifier("gru", 4, max_epochs=1, scaling=False).fit(dense, y)
    ours, theirs = onehot.module_.state_dict(), other.module_.state_dict()
    for name in theirs:
        value = ours[name].T if name.endswith("weight_ih") else ours[name]
        theirs[name].copy_(value)
    np.testing.assert_allclose(
        onehot.predict_proba(tokens), other.predict_proba(dense), rtol=1e-5
    )


def test_pretrained_vectors_are_the_start(names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    vectors = np.random.default_rng(0).normal(size=(tokens.vocabulary_size, 3))
    model = RNNClassifier(
        "gru", 4, embedding=vectors, learning_rate=1e-30, weight_decay=0, max_epochs=1
    ).fit(tokens, y)
    np.testing.assert_allclose(
        model.module_.embedding.weight.detach().numpy(), vectors, rtol=1e-6
    )


def test_a_search_picks_cell_and_size_of_a_pipeline(names):
    texts, y = names
    pipeline = make_pipeline(CharVectorizer(), RNNClassifier(max_epochs=5))
    search = GridSearchCV(
        pipeline,
        {
            "rnnclassifier__cell": ["rnn", "lstm", "gru"],
            "rnnclassifier__hidden_size": [4, 12],
        },
        cv=2,
        error_score="raise",
    ).fit(texts, y)
    assert len(search.cv_results_["params"]) == 6
    assert (
        search.predict(texts).tolist() == search.best_estimator_.predict(texts).tolist()
    )


# ------------------------------------------------------------------ bad input


def bad_y(y, place, value):
    y = np.array(y, dtype=float)
    y[place] = value
    return y


BAD_FITS = {
    "no rows": (lambda X, y: (X[:0], y[:0]), "0 sample"),
    "no rows in a list": (lambda X, y: ([], []), "0 sample|Expected 2D"),
    "other length": (lambda X, y: (X, y[:-1]), "inconsistent numbers of samples"),
    "other length, ragged": (
        lambda X, y: (list(X), y[:-1]),
        "inconsistent numbers of samples",
    ),
    "no steps": (
        lambda X, y: ([*X[:-1], np.empty(0)], y),
        "sequence 59 of X has no steps",
    ),
    "NaN": (
        lambda X, y: (np.where(X == X[3, 2], np.nan, X), y),
        "Input X contains NaN",
    ),
    "NaN, ragged": (
        lambda X, y: ([*X[:-1], np.array([1, np.nan, 2])], y),
        "Input X contains NaN: sequence 59, step 1",
    ),
    "NaN inside 3-D": (
        lambda X, y: (np.where(X == X[3, 2], np.nan, X)[:, :, None], y),
        "Input X contains NaN: sequence 3, step 2",
    ),
    "infinity, ragged": (
        lambda X, y: ([*X[:-1], np.array([1, np.inf])], y),
        "Input X contains infinity: sequence 59",
    ),
    "complex": (lambda X, y: (X + 1j, y), "Complex data not supported"),
    "complex, ragged": (lambda X, y: (list(X + 1j), y), "Complex data not supported"),
    "text": (lambda X, y: (["some text"] * 60, y), "CharVectorizer"),
    "text, ragged": (lambda X, y: ([*X[:-1], "text"], y), "sequence 59 of X is text"),
    "objects": (
        lambda X, y: ([*X[:-1], np.array([1, {"a": 2}], dtype=object)], y),
        "sequence 59 of X cannot be read as numbers",
    ),
    "other features": (
        lambda X, y: ([*X[:-1].reshape(59, 3, 2), X[-1].reshape(2, 3)], y),
        "sequence 59 of X has 3 features per step, but sequence 0 has 2",
    ),
    "y None": (lambda X, y: (X, None), "requires y to be passed"),
    "y NaN": (lambda X, y: (X, bad_y(y, 4, np.nan)), "Input y contains NaN"),
    "y infinite": (lambda X, y: (X, bad_y(y, 4, np.inf)), "Input y contains infinity"),
    "one class": (lambda X, y: (X, np.ones(60)), r"at least 2 classes, got 1 class"),
    "y continuous": (lambda X, y: (X, X[:, 0]), "Unknown label type: continuous"),
    "several columns of classes": (
        lambda X, y: (X, np.stack([y, y + 1], 1)),
        "MultiOutputClassifier",
    ),
}


@pytest.mark.parametrize("fault", BAD_FITS)
def test_bad_input_to_fit_raises_and_leaves_nothing_half_fitted(model, table, fault):
    make, message = BAD_FITS[fault]
    with pytest.raises(ValueError, match=message):
        model.fit(*make(*table))
    assert vars(model) == model.get_params()


@pytest.mark.parametrize("fault", BAD_FITS)
def test_bad_input_to_a_second_fit_keeps_the_first(model, table, fault):
    make, message = BAD_FITS[fault]
    model.fit(*table)
    before, proba = dict(vars(model)), model.predict_proba(table[0])
    with pytest.raises(ValueError, match=message):
        model.fit(*make(*table))
    assert vars(model) == before
    np.testing.assert_array_equal(model.predict_proba(table[0]), proba)


BAD_PARAMETERS = [
    ("cell", "lstmm"),
    ("hidden_size", 0),
    ("hidden_size", 2.5),
    ("num_layers", 0),
    ("activation", "sigmoid"),
    ("dropout", 1.0),
    ("pooling", "sum"),
    ("embedding", 0),
    ("learning_rate", -0.1),
    ("learning_rate", 0),
    ("learning_rate_schedule", "linear"),
    ("max_epochs", 0),
    ("batch_size", 0),
    ("optimizer", "lbfgs"),
    ("weight_decay", -1),
    ("gradient_clip", 0),
    ("validation_fraction", 1.0),
    ("class_weight", "heavy"),
    ("precision", "float16"),
    ("random_state", "zero"),
]


@pytest.mark.parametrize("name, value", BAD_PARAMETERS, ids=str)
def test_bad_parameter_is_named_with_its_value(model, table, name, value):
    model.set_params(**{name: value})
    with pytest.raises(
        InvalidParameterError, match=f"'{name}' parameter.*Got"
    ) as error:
        model.fit(*table)
    assert repr(value) in str(error.value)


def test_partial_fit_needs_classes_first_and_knows_them_after(model, table):
    X, y = table
    with pytest.raises(ValueError, match="classes must be passed"):
        model.partial_fit(X, y)
    model.partial_fit(X, y, classes=[0, 1])
    with pytest.raises(ValueError, match=r"classes \[2\], which are not among"):
        model.partial_fit(X, y + 1)
    with pytest.raises(ValueError, match="balanced"):
        model.set_params(class_weight="balanced").partial_fit(X, y)


def test_partial_fit_refuses_other_classes_later(model, table):
    X, y = table
    model.partial_fit(X, y, classes=[0, 1]).partial_fit(X, y, classes=[1, 0])
    with pytest.raises(ValueError, match="not the same as on the first call"):
        model.partial_fit(X, y, classes=[0, 1, 2])


def test_a_missing_device_is_refused(model, table):
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU, so the device is there")
    with pytest.raises(ValueError, match="device='cuda' cannot be used here"):
        model.set_params(device="cuda").fit(*table)


def test_fit_on_a_gpu(model, table):
    if not torch.cuda.is_available():
        pytest.skip("no GPU on this machine")
    X, y = table
    model.set_params(device="cuda").fit(X, y)
    assert model.predict(X).shape == (60,)


def test_tokens_slice_through_cross_validation(names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    assert isinstance(tokens, TokenArray)
    model = RNNClassifier("gru", 8, max_epochs=15, random_state=0)
    predicted = cross_val_predict(model, tokens, y, cv=4)
    assert (predicted == y).mean() > 0.9


@pytest.mark.parametrize(
    "cell, message",
    [
        (lambda i, h: 3, "returned 3; expected a torch.nn.Module"),
        (torch.nn.Linear, "forward returned|positional argument"),
    ],
    ids=["no module", "no tuple"],
)
def test_a_cell_that_breaks_the_interface_is_refused(model, table, cell, message):
    with pytest.raises(TypeError, match=message):
        model.set_params(cell=cell).fit(*table)
    assert vars(model) == model.get_params()


def test_labels_of_another_kind_than_in_fit_are_not_scored(rng):
    X = rng.normal(size=(6, 4))
    model = RNNClassifier(hidden_size=2, max_epochs=1).fit(X, [0, 1] * 3)
    with pytest.raises(ValueError, match="y is an indicator matrix, but"):
        model.score(X, np.eye(6, 3, dtype=int) + np.eye(6, 3, 1, dtype=int))
