"""Encoding of sequences for the network: standardization and patches."""

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNRegressor, WordVectorizer


def two_sensors(rng, n=400):
    """Pressure and temperature; the label is whether the temperature rose."""
    X = [
        np.c_[1013 + 8 * rng.normal(size=20), 300 + 2 * rng.normal(size=20).cumsum()]
        for _ in range(n)
    ]
    return X, np.array([x[-1, 1] > x[0, 1] for x in X])


def test_features_of_any_scale_are_learned(rng):
    X, y = two_sensors(rng)
    model = RNNClassifier(max_epochs=20, random_state=0)
    assert model.fit(X[:300], y[:300]).score(X[300:], y[300:]) > 0.85
    model.set_params(scaling=False)
    assert model.fit(X[:300], y[:300]).score(X[300:], y[300:]) < 0.7


def test_scale_and_offset_of_x_do_not_matter(rng):
    X, y = rng.normal(size=(40, 5, 2)), np.arange(40) % 2
    model = RNNClassifier("gru", 4, max_epochs=2, random_state=0)
    expected = clone(model).fit(X, y).predict_proba(X)
    other = X * [1e-8, 1e8] + [3, -1e9]
    np.testing.assert_allclose(
        clone(model).fit(other, y).predict_proba(other), expected
    )


def test_the_first_fit_decides(rng):
    X, y = rng.normal(size=(20, 6)), np.arange(20) % 2
    model = RNNClassifier("gru", 4, max_epochs=1, random_state=0)
    model.partial_fit(X, y, classes=[0, 1])
    scaling = model._inputs.scaling
    model.partial_fit(5 * X, y)
    assert model._inputs.scaling is scaling
    model.set_params(warm_start=True).fit(5 * X, y)
    assert model._inputs.scaling is scaling
    model.set_params(scaling=False)
    with pytest.raises(ValueError, match="change of scaling from True to False"):
        model.fit(X, y)


def test_held_out_rows_do_not_count(rng):
    X, y = rng.normal(size=(40, 6)), np.arange(40) % 2
    model = RNNClassifier("gru", 4, max_epochs=1, early_stopping=True, random_state=0)
    model.fit(X, y)
    found = [tuple(np.isclose(X, m).any(axis=1)) for m in model._inputs.scaling.mean]
    assert not np.any(found)
    assert model._inputs.scaling.mean != pytest.approx(X.mean())
    model.fit(X, y, X_val=X[:4] + 50, y_val=y[:4])
    assert model._inputs.scaling.mean == pytest.approx(X.mean())


def test_weights_of_rows_steps_and_classes_count(rng):
    X, y = rng.normal(size=(12, 5)), np.arange(12) % 3
    weight = rng.integers(0, 3, size=12)
    weight[:3] = 1
    model = RNNClassifier("gru", 4, max_epochs=1)
    model.fit(X, y, sample_weight=weight)
    assert model._inputs.scaling.mean == pytest.approx(
        np.average(X.mean(axis=1), weights=weight)
    )
    model.set_params(class_weight={2: 5.0}).fit(X, y)
    assert model._inputs.scaling.mean == pytest.approx(
        np.average(X.mean(axis=1), weights=np.where(y == 2, 5, 1))
    )
    steps = RNNRegressor("gru", 4, max_epochs=1, return_sequences=True)
    by_step = rng.integers(1, 4, size=X.shape).astype(float)
    steps.fit(X, X, sample_weight=by_step)
    assert steps._inputs.scaling.mean == pytest.approx(np.average(X, weights=by_step))


def test_integers_are_read_as_the_same_floats(rng):
    X, y = rng.integers(0, 256, size=(20, 6)), np.arange(20) % 2
    model = RNNClassifier("gru", 4, max_epochs=1, precision="float32", random_state=0)
    expected = model.fit(X.astype(float), y).predict_proba(X.astype(np.float32))
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    np.testing.assert_array_equal(model.fit(X, y).predict_proba(X), expected)


# ------------------------------------------------------------------------ patches


def test_long_sequences_are_read_in_patches(rng):
    X, y = rng.normal(size=(10, 260, 2)), np.arange(10) % 2
    model = RNNClassifier("gru", 4, max_epochs=1).fit(X, y)
    assert model._inputs.patch_size == 4
    assert model.module_.stack.layers[0][0].input_size == 8
    assert model.transform_sequences(X).shape == (10, 65, 4)
    assert model.predict([x[:7] for x in X]).shape == (10,)
    steps = RNNRegressor("gru", 4, max_epochs=1, return_sequences=True)
    assert steps.fit(X, X[:, :, 0])._inputs.patch_size == 1
    texts = CharVectorizer().fit_transform(["ab" * 90, "ba" * 90])
    assert model.fit(texts, [0, 1])._inputs.patch_size == 1


def test_patches_equal_steps_of_more_features(rng):
    X, y = rng.normal(size=(30, 12, 2)), np.arange(30) % 2
    model = RNNClassifier("lstm", 4, max_epochs=2, scaling=False, random_state=0)
    wide = clone(model).fit(X.reshape(30, 4, 6), y)
    patched = clone(model).set_params(patch_size=3).fit(X, y)
    np.testing.assert_array_equal(
        patched.predict_proba(X), wide.predict_proba(X.reshape(30, 4, 6))
    )


@pytest.mark.parametrize("model", [RNNClassifier, RNNRegressor])
def test_patches_need_numbers_and_one_answer(model, rng):
    model = model("gru", 4, patch_size=2)
    with pytest.raises(ValueError, match="patch_size=2 joins steps of numbers, but X"):
        model.fit(CharVectorizer().fit_transform(["ab", "ba"]), [0, 1])
    model.set_params(return_sequences=True)
    y = np.arange(24).reshape(4, 6) % 2
    with pytest.raises(ValueError, match="patch_size=2 joins steps, but return_seq"):
        model.fit(rng.normal(size=(4, 6)), y)


def test_a_state_of_other_inputs_is_refused(rng):
    X, y = rng.normal(size=(20, 6)), np.arange(20) % 2
    model = RNNClassifier("gru", 4, max_epochs=1, random_state=0).fit(X, y)
    state = model.stream().state
    model._inputs.scaling.mean[:] += 1
    with pytest.raises(ValueError, match="to another model"):
        model.stream().state = state


# -------------------------------------------------------------------------- codes


@pytest.mark.parametrize("embedding", ["auto", "onehot", 3])
def test_codes_that_never_train_start_at_zero(embedding):
    vectorizer = CharVectorizer(vocabulary=list("abcdef"))
    X = vectorizer.fit_transform(["abc", "cab", "bca", "d"])
    model = RNNClassifier("gru", 4, embedding=embedding, max_epochs=1)
    model.fit(X, [0, 1, 0, 1], sample_weight=[1, 1, 1, 0])
    embedded = model.module_.embedding
    if embedded is None:
        weights = model.module_.stack.layers[0][0].weight_ih
    else:
        weights = embedded.weight
    trained = (weights != 0).any(dim=1).tolist()
    assert trained == [code in (4, 5, 6) for code in range(10)]


def test_vectors_of_the_user_are_kept():
    X = CharVectorizer(vocabulary=list("abc")).fit_transform(["ab", "ba"])
    model = RNNClassifier(
        "gru", 4, embedding=np.ones((7, 2)), weight_decay=0, max_epochs=1
    )
    assert (model.fit(X, [0, 1]).module_.embedding.weight[6] == 1).all()


def test_words_and_letters_have_different_defaults():
    letters = CharVectorizer().fit_transform(["ab", "ba"])
    words = CharVectorizer(vocabulary=[chr(k) for k in range(97, 1200)])
    for X, dropout, epochs in [
        (letters, 0.1, 24),
        (words.fit_transform(["ab", "ba"]), 0.3, 8),
        (np.eye(2), 0.0, 24),
    ]:
        model = RNNClassifier("rnn", 2, batch_size=1, n_iter_no_change=99, tol=0)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sklearn_rnn._training.budget.N_UPDATES", 1)
            model.fit(X, [0, 1])
        assert (model.module_.dropout, model.n_iter_) == (dropout, epochs)


def test_unknown_words_have_little_influence(rng):
    words = [f"word{k}" for k in range(400)]
    texts = [" ".join(rng.choice(words, 8)) for _ in range(100)]
    y, vectorizer = np.arange(100) % 4 == 0, WordVectorizer()
    gaps = []
    for seed in range(3):
        model = RNNClassifier(random_state=seed)
        model.fit(vectorizer.fit_transform(texts), y)
        unknown = vectorizer.transform(["these are six words never seen"])
        gaps.append(abs(model.predict_proba(unknown)[0, 1] - 0.25))
    assert np.mean(gaps) < 0.15


@pytest.mark.parametrize("patch_size", [1, 3])
def test_a_first_batch_in_another_range_is_a_warning(patch_size, rng):
    X = np.stack([rng.normal(size=(20, 8)), rng.normal(100, 3, (20, 8))], 2)
    y = np.arange(20.0)
    model = RNNRegressor(hidden_size=2, patch_size=patch_size, random_state=0)
    model.partial_fit(X, y).partial_fit(X[:3], y[:3])
    X[0, 0] = 1e6  # a single one
    model.partial_fit(X, y)
    model = clone(model).partial_fit(np.zeros((1, 8, 2)), y[:1])
    with pytest.warns(UserWarning, match="feature 1 of X differs .* typical sequences"):
        model.partial_fit(X, y)
    clone(model).set_params(scaling=False).partial_fit(X, y).partial_fit(9 * X, y)


def test_a_huge_patch_size_is_an_error_and_takes_no_memory(rng):
    model = RNNRegressor(hidden_size=2, patch_size=10**9)
    with pytest.raises(ValueError, match=r"'patch_size' parameter .* range .1, 65536"):
        model.fit(rng.normal(size=(4, 6)), np.arange(4.0))


def test_another_range_is_noticed_for_patches_of_any_size():
    model = RNNRegressor(hidden_size=2).partial_fit(np.full((4, 3), 1e308), range(4))
    with pytest.warns(UserWarning, match="feature 0 of X differs much"):
        model.partial_fit(np.ones((4, 3)), range(4))
