"""Meta-estimators that need a table, workarounds, and text with other columns."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, StackingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.feature_selection import SequentialFeatureSelector
from sklearn.inspection import permutation_importance
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsOneClassifier, OutputCodeClassifier
from sklearn.multioutput import ClassifierChain
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from sklearn_rnn import (
    CharVectorizer,
    RNNClassifier,
    TextStatisticsVectorizer,
    WordVectorizer,
)

Y = np.array([0, 1] * 18)


@pytest.fixture
def model():
    return RNNClassifier(
        hidden_size=4, max_epochs=8, batch_size=8, learning_rate=0.03, random_state=0
    )


@pytest.fixture
def table(rng):
    """Four columns, of which the second and the fourth rise from class 0 to class 1."""
    X = rng.normal(size=(36, 4))
    X[:, [1, 3]] += 3 * Y[:, None] - 1.5
    return X


@pytest.fixture
def ragged(rng):
    return [rng.normal(size=(rng.integers(3, 7), 2)) + 2 * label - 1 for label in Y]


@pytest.fixture
def texts(rng):
    alphabets = [list("abx"), list("cdx")]
    return ["".join(rng.choice(alphabets[k], size=rng.integers(3, 7))) for k in Y]


# ------------------------------------------------------------------ tables


def test_adaboost_weighs_the_rows_that_were_wrong(model, table):
    y = np.where(np.arange(36) % 6 == 5, 1 - Y, Y)  # some that one network gets wrong
    boosted = AdaBoostClassifier(model, n_estimators=2, random_state=0).fit(table, y)
    weight = np.full(36, 1 / 36)
    for part, vote in zip(boosted.estimators_, boosted.estimator_weights_, strict=True):
        again = clone(part).fit(table, y, sample_weight=weight)
        assert_allclose(part.predict_proba(table), again.predict_proba(table))
        wrong = again.predict(table) != y
        error = np.average(wrong, weights=weight)
        assert vote == pytest.approx(np.log((1 - error) / error))
        weight *= np.exp(vote * wrong)
        weight /= weight.sum()
    assert len(boosted.estimators_) == 2
    assert boosted.score(table, y) > 0.6


def test_bagging_fits_networks_on_drawn_rows_and_columns(model, table):
    bagged = BaggingClassifier(
        model, n_estimators=3, max_features=0.5, random_state=0
    ).fit(table, Y)
    parts = [
        part.predict_proba(table[:, columns])
        for part, columns in zip(
            bagged.estimators_, bagged.estimators_features_, strict=True
        )
    ]
    assert [part.n_features_in_ for part in bagged.estimators_] == [2, 2, 2]
    assert_allclose(bagged.predict_proba(table), np.mean(parts, axis=0))
    assert bagged.score(table, Y) > 0.8


def test_permutation_importance_finds_the_columns_that_matter(model, table):
    result = permutation_importance(
        model.fit(table, Y), table, Y, n_repeats=5, random_state=0
    )
    noise, signal = result.importances_mean[[0, 2]], result.importances_mean[[1, 3]]
    assert signal.min() > 0.05 > noise.max()


def test_sequential_selection_finds_a_column_that_matters(model, table):
    frame = pd.DataFrame(table, columns=["noise", "level", "hum", "height"])
    selector = SequentialFeatureSelector(model, n_features_to_select=1, cv=2)
    selected = selector.fit(frame, Y).get_feature_names_out().tolist()
    assert selected in (["level"], ["height"])


# ------------------------------------------------------------------ ways to a table


def tables_only(model):
    return {
        "bagging": BaggingClassifier(model, n_estimators=2, random_state=0),
        "one vs one": OneVsOneClassifier(model),
    }


@pytest.mark.parametrize("tool", ["bagging", "one vs one"])
def test_steps_laid_side_by_side_are_a_table(model, ragged, tool):
    X = np.array([x[:3] for x in ragged])  # 3-D
    flat = X.reshape(36, -1)
    with pytest.raises(ValueError, match="Found array with dim 3"):
        tables_only(model)[tool].fit(X, Y)
    fitted = tables_only(model.set_params(input_size=2))[tool].fit(flat, Y)
    assert fitted.score(flat, Y) > 0.8
    assert [part.input_size_ for part in fitted.estimators_] == [2] * len(
        fitted.estimators_
    )


@pytest.mark.parametrize("tool", ["bagging", "one vs one"])
def test_ragged_sequences_are_refused_and_found_by_row_number(model, ragged, tool):
    with pytest.raises(ValueError, match="inhomogeneous shape"):
        tables_only(model)[tool].fit(ragged, Y)
    look_up = FunctionTransformer(lambda rows: [ragged[row] for row in rows[:, 0]])
    numbers = np.arange(36)[:, None]
    fitted = tables_only(make_pipeline(look_up, model))[tool].fit(numbers, Y)
    assert fitted.score(numbers, Y) > 0.8


@pytest.mark.parametrize("tool", ["bagging", "one vs one", "boosting"])
def test_tokens_taken_for_a_table_are_embedded(model, texts, tool):
    tokens = CharVectorizer().fit_transform(texts)
    tools = tables_only(model) | {"boosting": AdaBoostClassifier(model, n_estimators=2)}
    fitted = tools[tool].fit(tokens, Y)
    for part in fitted.estimators_:
        vectors = part.module_.state_dict()["embedding.weight"]
        assert len(vectors) == tokens.vocabulary_size
    assert fitted.score(tokens, Y) > 0.8


def test_output_code_takes_ragged_sequences_as_an_object_array(model, ragged):
    objects = np.empty(36, dtype=object)
    objects[:] = ragged
    code = OutputCodeClassifier(model, code_size=2, random_state=0)
    assert code.fit(objects, Y).score(objects, Y) > 0.8


def test_classifier_chain_appends_labels_to_a_table_only(model, table, ragged, texts):
    both = np.column_stack([Y, 1 - Y])
    chain = ClassifierChain(model).fit(table, both)
    assert chain.score(table, both) > 0.7
    assert [part.n_features_in_ for part in chain.estimators_] == [4, 5]
    with pytest.raises(ValueError, match="inhomogeneous shape"):
        ClassifierChain(model).fit(ragged, both)


@pytest.mark.parametrize("container", ["ragged", "tokens"])
def test_stacking_does_not_pass_sequences_through(model, ragged, texts, container):
    tokens = CharVectorizer().fit_transform(texts)
    stack = StackingClassifier([("rnn", model)], cv=2, passthrough=True)
    if container == "tokens":
        with pytest.raises(TypeError, match="Codes are labels, not quantities"):
            stack.fit(tokens, Y)
    else:
        with pytest.raises(ValueError, match="inhomogeneous shape"):
            stack.fit(ragged, Y)


def test_permutation_importance_shuffles_no_codes(model, texts):
    """The columns of codes are positions in a text; a text in a frame is one column."""
    tokens = CharVectorizer().fit_transform(texts)
    with pytest.raises(ValueError, match="has padding"):
        permutation_importance(model.fit(tokens, Y), tokens, Y)
    frame = pd.DataFrame({"noise": texts[::-1], "text": texts})
    columns = make_column_transformer((CharVectorizer(), "text"))
    pipeline = make_pipeline(columns, model).fit(frame, Y)
    result = permutation_importance(pipeline, frame, Y, n_repeats=3, random_state=0)
    assert result.importances_mean[0] == 0 and result.importances_mean[1] > 0.2


# ------------------------------------------------------------------ columns of text


@pytest.fixture
def frame(texts, rng):
    return pd.DataFrame({"text": texts, "age": rng.normal(size=36).round(1)})


def test_text_column_alone_is_read_as_the_text(model, frame):
    columns = make_column_transformer((CharVectorizer(), "text"))
    of_frame = make_pipeline(columns, model).fit(frame, Y)
    of_texts = make_pipeline(CharVectorizer(), clone(model)).fit(frame["text"], Y)
    assert_array_equal(
        of_frame.predict_proba(frame), of_texts.predict_proba(frame["text"])
    )
    search = GridSearchCV(
        of_frame, {"columntransformer__charvectorizer__lowercase": [True, False]}, cv=2
    )
    assert search.fit(frame, Y).best_score_ > 0.8


@pytest.mark.parametrize(
    "columns",
    [
        make_column_transformer(
            (CharVectorizer(), "text"), (StandardScaler(), ["age"])
        ),
        make_column_transformer((CharVectorizer(), "text"), remainder="passthrough"),
        make_column_transformer((CharVectorizer(), "text"), remainder=StandardScaler()),
        make_column_transformer(
            (CharVectorizer(), "text"), remainder="passthrough"
        ).set_output(transform="pandas"),
        make_column_transformer(
            (CharVectorizer(), "text"), remainder="passthrough", sparse_threshold=1
        ),
    ],
    ids=["scaled", "passthrough", "remainder", "pandas", "threshold"],
)
def test_text_joined_with_numbers_is_refused(columns, model, frame):
    with pytest.raises(TypeError, match="fit a separate estimator for text"):
        make_pipeline(columns, model).fit(frame, Y)


def test_codes_joined_with_statistics_are_refused(model, texts):
    union = make_union(CharVectorizer(), TextStatisticsVectorizer())
    with pytest.raises(TypeError, match="fit a separate estimator for text"):
        make_pipeline(union, model).fit(texts, Y)


@pytest.mark.parametrize("Vectorizer", [CharVectorizer, WordVectorizer])
@pytest.mark.parametrize("output", ["pandas", "polars"])
def test_column_transformer_makes_no_frame_of_codes(Vectorizer, output, model, frame):
    columns = make_column_transformer((Vectorizer(), "text"))
    columns.set_output(transform=output)
    with pytest.raises(ValueError, match=r'set_output\(transform="default"\)'):
        make_pipeline(columns, model).fit(frame, Y)


SPARSE = [
    make_column_transformer(
        (CharVectorizer(), "text"), (OneHotEncoder(), ["age"]), sparse_threshold=1
    ),
    make_pipeline(
        FunctionTransformer(lambda frame: frame["text"]),
        make_union(CharVectorizer(), CountVectorizer(analyzer="char")),
    ),
]


@pytest.mark.parametrize("columns", SPARSE, ids=["columns", "union"])
def test_codes_joined_with_sparse_columns_are_refused(columns, model, frame):
    """scipy joins them without an error, so the network has to raise one."""
    with pytest.raises(TypeError, match="Sparse data was passed for X"):
        make_pipeline(columns, model).fit(frame, Y)
