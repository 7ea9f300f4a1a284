"""RNNClassifier: labels, probabilities, weights of classes and rows, input errors."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, KFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.utils._param_validation import InvalidParameterError

from sklearn_rnn import CharVectorizer, RNNClassifier, TokenArray, WordVectorizer


@pytest.fixture
def model():
    return RNNClassifier("gru", 8, max_epochs=3, random_state=0)


@pytest.fixture
def table(rng):
    X = rng.normal(size=(60, 6))
    return X, (X.sum(axis=1) > 0).astype(int)


# ------------------------------------------------------------------ targets


@pytest.mark.parametrize(
    "labels", [["no", "yes"], [False, True], [-1, 1], [2.0, 5.0], [0, 7]], ids=str
)
def test_labels_of_any_type_come_back(model, table, labels):
    X, y = table
    y = np.array(labels)[y]
    model.set_params(max_epochs=40).fit(X, y)
    assert model.predict(X).dtype == y.dtype
    assert model.classes_.tolist() == sorted(labels)
    assert model.score(X, y) > 0.9


def test_probabilities_sum_to_one_and_agree_with_predict(model, rng):
    X = [rng.normal(size=n) for n in rng.integers(2, 9, size=30)]
    y = np.array(["a", "b", "c"] * 10)
    model.fit(X, y)
    proba = model.predict_proba(X)
    assert proba.shape == (30, 3)
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(model.predict(X), model.classes_[proba.argmax(1)])
    np.testing.assert_array_equal(model.predict_log_proba(X), np.log(proba))


def test_indicator_matrix_is_learned_label_by_label(rng):
    X = rng.normal(size=(150, 5, 2))
    y = (X.sum(axis=1) > 0).astype(int)
    model = RNNClassifier("gru", 16, max_epochs=40, random_state=0).fit(
        X[:100], y[:100]
    )
    predicted = model.predict(X[100:])
    assert ((predicted == y[100:]).mean(axis=0) > 0.85).all()
    proba = model.predict_proba(X[100:])
    np.testing.assert_array_equal(predicted, proba > 0.5)
    assert model.classes_.tolist() == [0, 1]


def test_class_weight_moves_the_answers(rng):
    X = rng.normal(size=(200, 4))
    y = (rng.random(200) < 0.2).astype(int)
    common = {"max_epochs": 15, "random_state": 0}
    plain = RNNClassifier("gru", 8, **common).fit(X, y).predict(X).mean()
    balanced = RNNClassifier("gru", 8, class_weight="balanced", **common).fit(X, y)
    heavy = RNNClassifier("gru", 8, class_weight={0: 1, 1: 100}, **common).fit(X, y)
    assert plain < 0.25
    assert 0.25 < balanced.predict(X).mean() < 0.75
    assert heavy.predict(X).mean() > 0.9


def test_class_weight_is_sample_weight_by_class(model, table):
    X, y = table
    by_class = clone(model).set_params(class_weight={0: 1.0, 1: 3.0}).fit(X, y)
    by_row = clone(model).fit(X, y, sample_weight=np.where(y == 1, 3.0, 1.0))
    np.testing.assert_allclose(by_class.predict_proba(X), by_row.predict_proba(X))


def test_labels_of_an_indicator_matrix_have_class_weights(rng):
    X, y = rng.normal(size=(90, 4)), (rng.random((90, 2)) < 0.5).astype(int)
    weights = [{0: 1, 1: 30}, {0: 30, 1: 1}]
    model = RNNClassifier("gru", 4, class_weight=weights, max_epochs=20).fit(X, y)
    plain = RNNClassifier("gru", 4, max_epochs=20).fit(X, y)
    assert not np.allclose(model.predict_proba(X), plain.predict_proba(X))


def test_rows_of_weight_zero_count_for_nothing(model, table):
    X, y = table
    y = y.copy()
    y[:3] = 9
    weight = np.ones(60)
    weight[:3] = 0
    with_them = clone(model).fit(X, y, sample_weight=weight)
    assert with_them.classes_.tolist() == [0, 1]
    without = clone(model).set_params(batch_size=64).fit(X[3:], y[3:])
    with_them.set_params(batch_size=64).fit(X, y, sample_weight=weight)
    np.testing.assert_allclose(
        with_them.predict_proba(X), without.predict_proba(X), rtol=1e-8
    )


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
    assert model[-1].n_features_in_ == 1


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
    other = RNNClassifier("gru", 4, max_epochs=1).fit(dense, y)
    ours, theirs = onehot.module_.state_dict(), other.module_.state_dict()
    for name in theirs:
        value = ours[name].T if name.endswith("weight_ih") else ours[name]
        theirs[name].copy_(value)
    np.testing.assert_allclose(
        onehot.predict_proba(tokens), other.predict_proba(dense), rtol=1e-5
    )


def test_plain_integers_are_codes_where_embedding_says_so(names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    common = {"max_epochs": 2, "random_state": 0}
    of_tokens = RNNClassifier("gru", 4, embedding=6, **common).fit(tokens, y)
    plain = np.array(tokens)
    of_plain = RNNClassifier("gru", 4, embedding=6, **common).fit(plain, y)
    np.testing.assert_array_equal(
        of_plain.predict_proba(plain), of_tokens.predict_proba(tokens)
    )
    ragged = [row[row > 0] for row in plain]
    np.testing.assert_array_equal(
        of_plain.predict_proba(ragged), of_tokens.predict_proba(tokens)
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


# ------------------------------------------------------------------ number types


@pytest.mark.parametrize(
    "given, precision, computed, answered",
    [
        ("float64", "auto", torch.float64, "float64"),
        ("float32", "auto", torch.float32, "float32"),
        ("int64", "auto", torch.float32, "float32"),
        ("bool", "auto", torch.float32, "float32"),
        ("float16", "auto", torch.float32, "float32"),
        ("float32", "float64", torch.float64, "float64"),
        ("float64", "float32", torch.float32, "float32"),
        ("float64", "bfloat16", torch.float32, "float32"),
    ],
)
def test_precision(model, given, precision, computed, answered, rng):
    X = (10 * rng.normal(size=(20, 4))).astype(given)
    model.set_params(precision=precision).fit(X, [0, 1] * 10)
    assert model.module_.head.weight.dtype == computed
    assert model.predict_proba(X).dtype == answered
    assert model.predict_proba(X.astype(float)).dtype == answered


def test_input_length_accepts_that_length_only(model, table):
    X, y = table
    model.set_params(input_length=6).fit(X, y)
    with pytest.raises(
        ValueError, match=r"sequence 1 of X has 5 steps.*input_length=6"
    ):
        model.predict([X[0], X[1, :5]])
    with pytest.raises(ValueError, match="input_length=7"):
        model.set_params(input_length=7).fit(X, y)


def test_input_size_reads_steps_of_several_columns(model, table):
    X, y = table
    flat = clone(model).set_params(input_size=3).fit(X, y)
    assert (flat.n_features_in_, flat.input_size_) == (6, 3)
    cube = clone(model).fit(X.reshape(60, 2, 3), y)
    np.testing.assert_array_equal(
        flat.predict_proba(X), cube.predict_proba(X.reshape(60, 2, 3))
    )


def test_other_lengths_than_in_fit_are_fine(model, table):
    X, y = table
    model.fit(list(X), y)
    assert model.predict([X[0], X[0, :1], np.tile(X[0], 50)]).shape == (3,)


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
        "sequence 59 of X has 3 features per step, sequence 0 has 2",
    ),
    "y None": (lambda X, y: (X, None), "requires y to be passed"),
    "y NaN": (lambda X, y: (X, bad_y(y, 4, np.nan)), "Input y contains NaN"),
    "y infinite": (lambda X, y: (X, bad_y(y, 4, np.inf)), "Input y contains infinity"),
    "one class": (lambda X, y: (X, np.ones(60)), r"at least 2 classes, got 1 class"),
    "y continuous": (lambda X, y: (X, X[:, 0]), "Unknown label type: continuous"),
    "several multiclass columns": (
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


def test_columns_that_input_size_does_not_divide(model, table):
    model.set_params(input_size=4)
    with pytest.raises(ValueError, match="6 columns, which input_size=4"):
        model.fit(*table)


def test_input_size_against_another_container(model, table):
    X, y = table
    with pytest.raises(ValueError, match="2 features per step, but input_size=3"):
        model.set_params(input_size=3).fit(X.reshape(60, 3, 2), y)


def test_other_features_at_predict(model, table):
    X, y = table
    model.fit(X.reshape(60, 3, 2), y)
    with pytest.raises(ValueError, match=r"3 features per step.*fitted with 2"):
        model.predict(X.reshape(60, 2, 3))
    model.fit(X, y)
    with pytest.raises(
        ValueError, match="X has 5 features, but RNNClassifier is expec"
    ):
        model.predict(X[:, :5])


def test_numbers_for_codes_and_codes_for_numbers(model, table, names):
    texts, labels = names
    tokens = CharVectorizer().fit_transform(texts)
    model.fit(tokens, labels)
    with pytest.raises(ValueError, match=r"X holds numbers, but .* fitted on codes"):
        model.predict(table[0])
    model.fit(*table)
    with pytest.raises(
        ValueError, match=r"X holds codes of a vocabulary, but .* numbers"
    ):
        model.predict(tokens)


def test_codes_of_another_vocabulary(model, names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    model.fit(tokens, y)
    other = CharVectorizer().fit_transform(["entirely different text"])
    with pytest.raises(ValueError, match=r"vocabulary of size \d+, but .* fitted with"):
        model.predict(other)


def test_a_plain_code_outside_the_vocabulary(names):
    model = RNNClassifier("gru", 4, embedding=3, max_epochs=1)
    model.fit(np.array([[4, 5], [5, 6]] * 4), [0, 1] * 4)
    with pytest.raises(ValueError, match=r"code 7, but .* 0\.\.6"):
        model.predict(np.array([[4, 7]]))
    with pytest.raises(ValueError, match=r"0\.\.2147483647, got 4\.\.4294967296"):
        model.predict(np.array([[4, 2**32]]))
    with pytest.raises(ValueError, match=r"got -1\.\.4"):
        model.predict(np.array([[4, -1]]))
    with pytest.raises(TypeError, match="embedding= reads X as codes, but X has dtype"):
        model.predict(np.array([[4.5, 1.0]]))
    with pytest.raises(ValueError, match=r"padding \(code 0\) before its end"):
        model.predict(np.array([[0, 4]]))


def test_a_number_too_large_for_the_fitted_type(model, table):
    X, y = table
    model.set_params(precision="float32").fit(X, y)
    with pytest.raises(ValueError, match="too large for dtype"):
        model.predict(np.full((1, 6), 1e300))


def test_only_zero_weights(model, table):
    with pytest.raises(ValueError, match="at least one non-zero"):
        model.fit(*table, sample_weight=np.zeros(60))


def test_negative_weights(model, table):
    with pytest.raises(ValueError, match="Negative values in data"):
        model.fit(*table, sample_weight=-np.ones(60))


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


@pytest.mark.parametrize(
    "weight, message",
    [
        ({0: 1, 1: -0.9}, "negative or not finite"),
        ({0: np.nan, 1: 1}, "negative or not finite"),
        ({0: 0, 1: 0}, "leaves no class of y any weight"),
    ],
    ids=["negative", "nan", "zero"],
)
def test_class_weights_that_mean_nothing(model, table, weight, message):
    with pytest.raises(ValueError, match=message):
        model.set_params(class_weight=weight).fit(*table)


def test_a_class_of_weight_zero_is_not_learned_from(model, table):
    X, y = table
    model.set_params(batch_size=64, early_stopping=True, max_epochs=40)
    model.set_params(class_weight={0: 0, 1: 2.0}).fit(X, y)
    assert (model.predict(X) == 1).all()


def test_huge_weights_weigh_as_small_ones(model, table):
    X, y = table
    small = clone(model).fit(X, y, sample_weight=np.ones(60)).predict_proba(X)
    huge = clone(model).fit(X, y, sample_weight=np.full(60, 1e308)).predict_proba(X)
    np.testing.assert_allclose(huge, small)


def test_an_embedding_for_another_vocabulary_says_what_it_needs(model, names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    model.set_params(embedding=np.zeros((3, 2)))
    with pytest.raises(ValueError, match="embedding has 3 vectors, but X has a vocab"):
        model.fit(tokens, y)


def test_a_device_that_is_not_there(model, table):
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


def test_feature_names_are_checked(model, table):
    X, y = table
    frame = pd.DataFrame(X, columns=list("abcdef"))
    model.fit(frame, y)
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame.rename(columns={"a": "z"}))


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
def test_a_cell_that_keeps_no_contract_is_told_so(model, table, cell, message):
    with pytest.raises(TypeError, match=message):
        model.set_params(cell=cell).fit(*table)
    assert vars(model) == model.get_params()


def test_rows_of_tokens_taken_apart_are_still_tokens(model, names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    expected = clone(model).fit(tokens, y).predict_proba(tokens)
    apart = clone(model).fit(list(tokens), y)
    np.testing.assert_array_equal(apart.predict_proba(list(tokens)), expected)
    np.testing.assert_array_equal(apart.predict_proba(tokens), expected)
    with pytest.raises(TypeError, match="mixes tokens"):
        model.fit([*tokens[:-1], np.array([4, 5])], y)


def test_a_single_row_of_tokens_says_how_to_take_it(model, names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    with pytest.raises(ValueError, match=r"tokens\[i : i \+ 1\]"):
        model.fit(tokens, y).predict(tokens[0])


def test_a_code_made_negative_afterwards_is_refused(model, names):
    texts, y = names
    tokens = CharVectorizer().fit_transform(texts)
    model.fit(tokens, y)
    tokens[0, 0] = -1
    with pytest.raises(ValueError, match="holds the code -1"):
        model.predict(tokens)


def test_a_stray_huge_code_is_refused_before_memory_is_asked_for():
    model = RNNClassifier("gru", 4, embedding=3)
    with pytest.raises(ValueError, match="Number the codes without gaps"):
        model.fit(np.array([[4, 2**30], [5, 6]]), [0, 1])


def test_one_long_sequence_of_codes_costs_no_rectangle():
    codes = [np.array([4, 5])] * 4000 + [np.full(200_000, 4)]
    from sklearn_rnn._data import sequences as _sequences

    read = _sequences.as_codes(_sequences.from_ragged(codes))
    assert read.values.size == 208_000
    assert read.lengths.tolist() == [2] * 4000 + [200_000]
