"""return_sequences=True: predictions at each step."""

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupShuffleSplit,
    KFold,
    cross_val_predict,
    cross_validate,
)
from sklearn.pipeline import make_pipeline

from sklearn_rnn import CharVectorizer, RNNClassifier, RNNRegressor, WordVectorizer
from sklearn_rnn._data.sequences import Sequences, from_array, from_ragged
from sklearn_rnn.supervised._step_targets import flatten, flatten_weights, unflatten

RNG = np.random.default_rng(0)
X_RAGGED = [RNG.normal(size=(T, 2)) for T in RNG.integers(3, 9, size=30)]
SUMS = [x[:, 0].cumsum() for x in X_RAGGED]  # one number per step
SIGNS = [np.where(s > 0, "up", "down") for s in SUMS]


def as_nan_padded(rows):
    """Return numbers (n, T, F) or (n, T), padded with NaN."""
    T = max(map(len, rows))
    padded = np.full((len(rows), T, *rows[0].shape[1:]), np.nan)
    for i, row in enumerate(rows):
        padded[i, : len(row)] = row
    return padded


def classifier(**params):
    given = {"hidden_size": 6, "max_epochs": 5, "batch_size": 8, "random_state": 0}
    return RNNClassifier(return_sequences=True, **given | params)


def regressor(**params):
    given = {"hidden_size": 6, "max_epochs": 5, "batch_size": 8, "random_state": 0}
    return RNNRegressor(return_sequences=True, **given | params)


# ---------------------------------------------------------------- learning


def test_a_running_sum_is_learned_at_every_step():
    model = regressor(hidden_size=16, max_epochs=150).fit(X_RAGGED, SUMS)
    assert model.score(X_RAGGED, SUMS) > 0.95
    assert [p.shape for p in model.predict(X_RAGGED)] == [s.shape for s in SUMS]


def test_labels_of_steps_are_learned():
    model = classifier(hidden_size=16, max_epochs=150).fit(X_RAGGED, SIGNS)
    assert model.score(X_RAGGED, SIGNS) > 0.95
    assert set(model.classes_) == {"up", "down"}


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("num_layers", [1, 2])
def test_an_answer_depends_on_the_steps_before_it_alone(cell, num_layers):
    model = regressor(cell=cell, num_layers=num_layers).fit(X_RAGGED, SUMS)
    whole = model.predict(X_RAGGED)
    starts = model.predict([x[:2] for x in X_RAGGED])
    for part, row in zip(starts, whole, strict=True):
        assert_allclose(part, row[:2], rtol=1e-9)


def test_bidirectional_answers_depend_on_both_sides():
    model = regressor(bidirectional=True).fit(X_RAGGED, SUMS)
    x, changed = X_RAGGED[0], X_RAGGED[0].copy()
    changed[-1] += 1
    assert model.predict([x])[0][0] != model.predict([changed])[0][0]
    alone = [model.predict([x])[0] for x in X_RAGGED]
    for one, row in zip(alone, model.predict(X_RAGGED), strict=True):
        assert_allclose(one, row, rtol=1e-9)


def test_the_loss_is_a_mean_over_valid_steps():
    model = classifier(max_epochs=1, batch_size=64, learning_rate=1e-30)
    model.fit(X_RAGGED, SIGNS)
    losses = [
        -np.log(proba[np.arange(len(y)), np.searchsorted(model.classes_, y)])
        for proba, y in zip(model.predict_proba(X_RAGGED), SIGNS, strict=True)
    ]
    assert_allclose(model.loss_curve_[0], np.concatenate(losses).mean(), rtol=1e-9)


# ---------------------------------------------------------------- containers


def test_padding_of_x_and_y_changes_nothing():
    ragged = regressor().fit(X_RAGGED, SUMS)
    padded = regressor().fit(as_nan_padded(X_RAGGED), as_nan_padded(SUMS))
    answers = padded.predict(as_nan_padded(X_RAGGED))
    assert answers.shape == (30, max(map(len, SUMS)))
    for row, expected in zip(answers, ragged.predict(X_RAGGED), strict=True):
        assert_array_equal(row[: len(expected)], expected)
        assert np.isnan(row[len(expected) :]).all()


def test_entries_of_y_at_padded_steps_are_ignored():
    X, y = as_nan_padded(X_RAGGED), as_nan_padded(SUMS)
    filled = np.nan_to_num(y, nan=1e9)
    model, other = regressor().fit(X, y), regressor().fit(X, filled)
    assert_array_equal(model.predict(X), other.predict(X))
    assert model.score(X, y) == model.score(X, filled)
    flat = np.concatenate(SUMS), np.concatenate(model.predict(X_RAGGED))
    assert_allclose(model.score(X, y), r2_score(*flat))


@pytest.mark.parametrize(
    "container", [list, lambda rows: pd.Series(rows), lambda rows: in_objects(rows)]
)
def test_rows_of_y_come_in_lists_series_and_object_arrays(container):
    expected = classifier().fit(X_RAGGED, SIGNS)
    model = classifier().fit(X_RAGGED, container([row.tolist() for row in SIGNS]))
    for row, other in zip(
        model.predict_proba(X_RAGGED), expected.predict_proba(X_RAGGED), strict=True
    ):
        assert_array_equal(row, other)


def in_objects(rows):
    array = np.empty(len(rows), dtype=object)
    for i, row in enumerate(rows):
        array[i] = row
    return array


def test_tables_give_tables():
    X = RNG.normal(size=(20, 6))
    y = X.cumsum(axis=1)
    model = regressor().fit(X, y)
    assert model.predict(X).shape == (20, 6)
    frame = regressor().fit(pd.DataFrame(X), pd.DataFrame(y))
    assert_array_equal(frame.predict(pd.DataFrame(X)), model.predict(X))
    labels = classifier().fit(X, y > 0)
    assert labels.predict(X).shape == (20, 6)
    assert labels.predict_proba(X).shape == (20, 6, 2)
    assert_allclose(labels.predict_log_proba(X), np.log(labels.predict_proba(X)))
    assert_array_equal(labels.predict(X), labels.predict_proba(X)[..., 1] > 0.5)


def test_several_numbers_per_step():
    X = RNG.normal(size=(20, 6, 2))
    model = regressor(max_epochs=1).fit(X, X.cumsum(axis=1))
    assert model.predict(X).shape == (20, 6, 2)
    assert [row.shape for row in model.predict(list(X))] == [(6, 2)] * 20


def test_several_labels_per_step():
    X = RNG.normal(size=(40, 5, 2))
    y = (X.cumsum(axis=1) > 0).astype(int)
    model = classifier(hidden_size=16, max_epochs=60).fit(X, y)
    assert model.predict(X).shape == y.shape
    right = (model.predict(X) == y).all(axis=2).mean()
    assert_allclose(model.score(X, y), right)
    assert right > 0.8


def test_a_tagger_in_a_pipeline():
    texts = ["the cat sat", "a dog ran far", "the dog sat", "a cat ran"] * 5
    tags = [["D", "N", "V", "A"][: len(text.split())] for text in texts]
    tagger = make_pipeline(WordVectorizer(), classifier(max_epochs=40))
    tagger.fit(texts, tags)
    assert tagger.predict(["the cat ran far"])[0].tolist() == ["D", "N", "V", "A"]
    assert tagger.score(texts, tags) == 1.0


def test_plain_integers_that_are_codes():
    X = RNG.integers(1, 5, size=(20, 6))
    model = classifier(embedding="onehot", max_epochs=60).fit(X, X > 2)
    assert model.score(X, X > 2) == 1.0


# ---------------------------------------------------------------- weights


def test_a_step_without_weight_does_not_train():
    y = [row.copy() for row in SUMS]
    weights = [np.ones(len(row)) for row in SUMS]
    for row, weight in zip(y, weights, strict=True):
        row[1], weight[1] = 1e6, 0
    model = regressor().fit(X_RAGGED, y, sample_weight=weights)
    other = [row.copy() for row in SUMS]
    same = regressor().fit(X_RAGGED, other, sample_weight=weights)
    assert_array_equal(
        np.concatenate(model.predict(X_RAGGED)), np.concatenate(same.predict(X_RAGGED))
    )
    assert model.score(X_RAGGED, y, weights) == model.score(X_RAGGED, other, weights)


def test_a_label_of_steps_without_weight_is_no_class():
    y = [row.astype(object) for row in SIGNS]
    weights = [np.ones(len(row)) for row in SIGNS]
    y[0][0], weights[0][0] = "sideways", 0
    y = [row.astype(str) for row in y]
    model = classifier().fit(X_RAGGED, y, sample_weight=weights)
    assert model.classes_.tolist() == ["down", "up"]


def test_a_weight_of_two_is_a_sequence_twice():
    doubled = X_RAGGED + X_RAGGED[:10], SUMS + SUMS[:10]
    weights = np.r_[np.full(10, 2.0), np.ones(20)]
    weighted = regressor(batch_size=64).fit(X_RAGGED, SUMS, sample_weight=weights)
    twice = regressor(batch_size=64).fit(*doubled)
    for row, other in zip(
        weighted.predict(X_RAGGED), twice.predict(X_RAGGED), strict=True
    ):
        assert_allclose(row, other, rtol=1e-7)


def test_weights_of_sequences_are_weights_of_their_steps():
    weights = RNG.uniform(0.5, 2, size=30)
    steps = [np.full(len(s), w) for s, w in zip(SUMS, weights, strict=True)]
    a = regressor().fit(X_RAGGED, SUMS, sample_weight=weights)
    b = regressor().fit(X_RAGGED, SUMS, sample_weight=steps)
    assert_array_equal(
        np.concatenate(a.predict(X_RAGGED)), np.concatenate(b.predict(X_RAGGED))
    )


def test_class_weights_count_steps():
    rare = [np.arange(len(x)) == 0 for x in X_RAGGED]
    noise = [np.zeros((len(x), 1)) + RNG.normal(size=(len(x), 1)) for x in X_RAGGED]
    heavy = classifier(class_weight={True: 1e3, False: 1e-3}).fit(noise, rare)
    assert np.concatenate(heavy.predict(noise)).all()


# ---------------------------------------------------------------- early stopping


@pytest.mark.parametrize("make, y", [(regressor, SUMS), (classifier, SIGNS)])
def test_early_stopping_judges_valid_steps(make, y):
    model = make(early_stopping=True, max_epochs=3)
    model.fit(X_RAGGED[:20], y[:20], X_val=X_RAGGED[20:], y_val=y[20:])
    best = int(np.argmin([row["valid_loss"] for row in model.net_.history]))
    assert model.best_validation_score_ == model.validation_scores_[best]
    assert_allclose(
        model.score(X_RAGGED[20:], y[20:]), model.best_validation_score_, rtol=1e-6
    )


def test_whole_sequences_are_held_out():
    groups = np.repeat(np.arange(10), 3)
    splitter = GroupShuffleSplit(1, test_size=0.3, random_state=0)
    model = regressor(early_stopping=True, validation_fraction=splitter)
    model.fit(X_RAGGED, SUMS, groups=groups)
    assert len(model.validation_scores_) == 5
    regressor(early_stopping=True).fit(X_RAGGED, SUMS)


# ---------------------------------------------------------------- composition


@pytest.mark.parametrize("make, y", [(regressor, SUMS), (classifier, SIGNS)])
def test_cross_validation_and_searches_score_steps(make, y):
    model = make(max_epochs=2)
    scores = cross_validate(model, X_RAGGED, y, cv=KFold(3))["test_score"]
    train, test = next(KFold(3).split(X_RAGGED))
    fitted = clone(model).fit([X_RAGGED[i] for i in train], [y[i] for i in train])
    part = [X_RAGGED[i] for i in test], [y[i] for i in test]
    assert scores[0] == fitted.score(*part)
    search = GridSearchCV(model, {"hidden_size": [3, 4]}, cv=KFold(2))
    search.fit(X_RAGGED, in_objects(y))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


def test_lists_of_lists_of_tags_go_through_a_search():
    tags = [row.tolist() for row in SIGNS]
    search = GridSearchCV(classifier(max_epochs=1), {"cell": ["gru"]}, cv=KFold(2))
    assert 0 <= search.fit(X_RAGGED, tags).best_score_ <= 1


def test_cross_val_predict_joins_ragged_answers():
    answers = cross_val_predict(regressor(), X_RAGGED, in_objects(SUMS), cv=KFold(3))
    assert answers.dtype == object
    assert [a.shape for a in answers] == [s.shape for s in SUMS]
    X, y = RNG.normal(size=(12, 5)), RNG.normal(size=(12, 5))
    assert cross_val_predict(regressor(), X, y, cv=3).shape == (12, 5)


def test_partial_fit_continues_with_the_classes_of_the_first_call():
    model = classifier()
    model.partial_fit(X_RAGGED[:5], SIGNS[:5], classes=["down", "level", "up"])
    model.partial_fit(X_RAGGED[5:], SIGNS[5:])
    assert model.n_iter_ == 2
    assert model.predict_proba(X_RAGGED[:1])[0].shape[1] == 3


def test_a_warm_start_cannot_change_whether_steps_are_answered():
    model = classifier(warm_start=True).fit(X_RAGGED, SIGNS)
    model.set_params(return_sequences=False)
    with pytest.raises(ValueError, match="return_sequences from True to False"):
        model.fit(X_RAGGED, [row[0] for row in SIGNS])


def test_the_default_is_one_prediction_per_sequence():
    y = np.array([s[-1] for s in SUMS])
    model = RNNRegressor("gru", 6, max_epochs=1, random_state=0).fit(X_RAGGED, y)
    assert model.predict(X_RAGGED).shape == (30,)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("change", [-1, 1])
def test_another_number_of_entries_than_steps_is_refused(change):
    y = [row.copy() for row in SUMS]
    y[4] = np.resize(y[4], len(y[4]) + change)
    expected = f"row 4 of y has {len(y[4])} entries, but sequence 4 .* {len(SUMS[4])} s"
    with pytest.raises(ValueError, match=expected):
        regressor().fit(X_RAGGED, y)
    model = regressor(max_epochs=1).fit(X_RAGGED, SUMS)
    with pytest.raises(ValueError, match=expected):
        model.score(X_RAGGED, y)
    X = RNG.normal(size=(6, 5))
    with pytest.raises(ValueError, match=r"row 0 of y .* sequence 0 of X has 5 steps"):
        regressor().fit(X, RNG.normal(size=(6, 5 + change)))


def test_one_entry_per_sequence_is_refused():
    with pytest.raises(ValueError, match="return_sequences=True needs one entry"):
        classifier().fit(X_RAGGED, [row[0] for row in SIGNS])


def test_other_rows_than_sequences_are_refused():
    for y in (SUMS[:-1], as_nan_padded(SUMS)[:-1]):
        with pytest.raises(ValueError, match=r"numbers of samples: \[30, 29\]"):
            regressor().fit(X_RAGGED, y)


def test_a_label_unseen_in_fit_is_named():
    y = [row.astype("U10") for row in SIGNS]
    y[3][1] = "sideways"
    model = classifier(warm_start=True).fit(X_RAGGED, SIGNS)
    with pytest.raises(ValueError, match="sideways"):
        model.fit(X_RAGGED, y)
    with pytest.raises(ValueError, match=r"X_val.*sideways"):
        classifier(early_stopping=True).fit(X_RAGGED, SIGNS, X_val=X_RAGGED, y_val=y)


def test_text_and_numbers_are_not_mixed():
    y = [*SIGNS[:-1], SUMS[-1]]
    with pytest.raises(ValueError, match="y mixes text and numbers"):
        classifier().fit(X_RAGGED, y)


def test_rows_of_other_shapes_are_refused():
    y = [*SUMS[:-1], np.c_[SUMS[-1], SUMS[-1]]]
    with pytest.raises(ValueError, match=r"row 29 of y .* \(2,\), but row 0 .* \(\)"):
        regressor().fit(X_RAGGED, y)
    with pytest.raises(ValueError, match="row 0 of y is"):
        regressor().fit(X_RAGGED, [np.ones((3, 2, 2))] * 30)


def test_nan_at_a_valid_step_is_refused():
    y = [row.copy() for row in SUMS]
    y[2][0] = np.nan
    with pytest.raises(ValueError, match="Input y contains NaN"):
        regressor().fit(X_RAGGED, y)


def test_weights_of_another_length_are_refused():
    with pytest.raises(ValueError, match="sample_weight has 7 entries for 30"):
        regressor().fit(X_RAGGED, SUMS, sample_weight=np.ones(7))
    with pytest.raises(ValueError, match="row 0 of sample_weight"):
        regressor().fit(X_RAGGED, SUMS, sample_weight=[np.ones(99)] * 30)


# ---------------------------------------------------------------- the inner form


def test_flat_and_back():
    sequences = from_ragged([np.ones(2), np.ones(3)])
    flat = flatten([[1, 2], [3, 4, 5]], sequences)
    assert_array_equal(flat, [1, 2, 3, 4, 5])
    assert [row.tolist() for row in unflatten(flat, sequences)] == [[1, 2], [3, 4, 5]]
    assert_array_equal(flatten_weights([2, 3], sequences), [2, 2, 3, 3, 3])
    equal = from_ragged([np.ones(2), np.ones(2)])
    assert unflatten(np.arange(4), equal).dtype == object
    assert_array_equal(
        unflatten(np.arange(4), from_array(np.ones((2, 2, 1)))), [[0, 1], [2, 3]]
    )


def test_labels_of_a_padded_array_are_ragged():
    X = np.array([[[1.0], [np.nan]], [[1.0], [2.0]]])
    answers = unflatten(np.array(["a", "b", "c"]), from_array(X))
    assert [row.tolist() for row in answers] == [["a"], ["b", "c"]]


def test_rows_of_y_may_be_padded_to_the_width_of_tokens():
    tokens = CharVectorizer().fit_transform(["ab", "abc"])
    model = classifier(max_epochs=1).fit(tokens, np.array([[0, 1, 9], [0, 1, 1]]))
    assert model.classes_.tolist() == [0, 1]
    assert [len(row) for row in model.predict(tokens)] == [2, 3]


def test_the_inner_form_knows_the_width_of_rectangles():
    assert from_array(np.ones((2, 3, 1))).width == 3
    assert from_ragged([np.ones(3)]).width is None
    assert isinstance(from_array(np.ones((2, 3, 1))), Sequences)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU on this machine")
def test_steps_are_answered_on_a_gpu():
    model = regressor(device="cuda").fit(X_RAGGED, SUMS)
    other = regressor(device="cpu").fit(X_RAGGED, SUMS)
    assert_allclose(model.score(X_RAGGED, SUMS), other.score(X_RAGGED, SUMS), rtol=1e-2)


def test_scores_weigh_steps():
    model = classifier(max_epochs=1).fit(X_RAGGED, SIGNS)
    weights = [RNG.uniform(size=len(row)) for row in SIGNS]
    flat = [np.concatenate(v) for v in (SIGNS, model.predict(X_RAGGED), weights)]
    assert_allclose(
        model.score(X_RAGGED, SIGNS, weights),
        accuracy_score(flat[0], flat[1], sample_weight=flat[2]),
    )


def test_a_single_number_for_all_sequences_is_an_error():
    with pytest.raises(ValueError, match=r"y is 3. return_sequences=True needs one"):
        regressor().fit(X_RAGGED, 3)
