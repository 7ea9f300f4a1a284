"""Threads that predict during refits get predictions of one fit, never a mixture."""

import sys
import threading

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

import sklearn_rnn
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
from sklearn_rnn._core.drafts import commit

N_THREADS = 8
QUICK = {"hidden_size": 3, "max_epochs": 1, "random_state": 0}
RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4, 2))
BITS = RNG.integers(0, 2, (6, 16))
SERIES = np.sin(np.arange(60.0))
TEXTS = [["the cat sat on the mat. a dog"] * 4, ["no, it is a fox! (is it?)"] * 4]
QUERY = ["the fox sat on it"]
LABELS = [np.arange(12) % 2, np.array(["a", "b", "c"])[np.arange(12) % 3]]

# an estimator, the arguments of two fits, and calls that both can answer
CASES = {
    "classifier": (
        RNNClassifier(**QUICK),
        [(X, LABELS[0]), (X * 2 + 1, LABELS[1])],
        {"predict": (X,), "predict_proba": (X,)},
    ),
    "regressor": (
        RNNRegressor(**QUICK),
        [(X, X.sum((1, 2))), (X * 2 + 1, X.mean((1, 2)))],
        {"predict": (X,)},
    ),
    "forecaster": (
        RNNForecaster(**QUICK, window=8, horizon=2),
        [(SERIES,), (SERIES[::-1] * 3 + 5,)],
        {"predict": (SERIES,), "score": (SERIES,)},
    ),
    "seasonal": (
        SeasonalNaiveForecaster(season=6, horizon=4),
        [(SERIES,), (SERIES[::-1] * 3 + 5,)],
        {"predict": (), "predict_interval": (SERIES,)},
    ),
    "generator": (
        SequenceGenerator(**QUICK),
        [(TEXTS[0],), (TEXTS[1],)],
        {"predict_proba": ("it",), "score": (["it is it"],), "predict": ("it",)},
    ),
    "translator": (
        SequenceTranslator(**QUICK),
        [(["abc", "acb"], ["bc", "cb"]), (["cab", "bca"], ["xx", "yx"])],
        {"predict": (["abc"],), "predict_n_best": (["abc"],)},
    ),
    "hopfield": (
        HopfieldDenoiser("pseudo_inverse", random_state=0),
        [(BITS[:3],), (BITS[3:],)],
        {"predict": (BITS,), "transform": (BITS,), "energy": (BITS,)},
    ),
    "hopfield, temperature": (
        HopfieldDenoiser("pseudo_inverse", temperature=3, random_state=0),
        [(BITS[:3],), (BITS[3:],)],
        {"predict": (BITS,)},
    ),
    "boltzmann": (
        BoltzmannMachine(3, max_epochs=1, random_state=0),
        [(BITS[:, :6],), (1 - BITS[:3, :6],)],
        {"score_samples": (BITS[:, :6],), "sample": (2,), "transform": (BITS[:, :6],)},
    ),
    "boltzmann, gaussian": (
        BoltzmannMachine(3, visible="gaussian", max_epochs=1, random_state=0),
        [(X[:, 0],), (X[:, 1] * 5 + 3,)],
        {"score_samples": (X[:, 0],), "sample": (2,)},
    ),
    "characters": (
        CharVectorizer(),
        [(TEXTS[0],), (TEXTS[1],)],
        {
            "transform": (QUERY,),
            "inverse_transform": ([[4, 5, 6]],),
            "to_onehot": QUERY,
            "get_feature_names_out": (),
        },
    ),
    "words": (
        WordVectorizer(),
        [(TEXTS[0],), (TEXTS[1],)],
        {"transform": (QUERY,), "inverse_transform": ([[4, 5, 6]],)},
    ),
    "statistics": (
        TextStatisticsVectorizer(),
        [(TEXTS[0],), (TEXTS[1],)],
        {"transform": (QUERY * 5,)},
    ),
    "images": (
        ImageFlattener(),
        [(BITS.reshape(6, 4, 4),), (BITS.reshape(6, 2, 8),)],
        {"inverse_transform": (BITS,), "get_feature_names_out": ()},
    ),
    "stepwise": (
        StepwiseTransformer(StandardScaler()),
        [(X,), (X * 2 + 1,)],
        {"transform": (X,), "inverse_transform": (X,)},
    ),
    "scaler": (
        SeriesScaler(add_statistics=True, input_size=1),
        [(X[:, :, 0],), (X,)],
        {"get_feature_names_out": ()},
    ),
}


def test_every_estimator_has_a_case():
    names = {type(case[0]).__name__ for case in CASES.values()}
    public = {
        name
        for name in sklearn_rnn.__all__
        if hasattr(getattr(sklearn_rnn, name), "fit")
    }
    assert public <= names


def answer(model, method, arguments):
    """Return the result of a method in a form that can be compared bit for bit."""
    return flatten(getattr(model, method)(*arguments))


def flatten(found):
    """Convert nested arrays and texts to bytes and texts."""
    if hasattr(found, "toarray"):
        found = found.toarray()
    if isinstance(found, (list, tuple)):
        return tuple(map(flatten, found))
    array = np.asarray(found)
    is_plain = array.dtype != object
    return array.shape, array.tobytes() if is_plain else tuple(map(str, array.flat))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("n_calls", [6, pytest.param(125, marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", CASES)
def test_answers_during_refits_are_those_of_one_fit(case, n_calls):
    estimator, data, calls = CASES[case]
    fitted = [clone(estimator).fit(*one) for one in data]
    allowed = {
        name: {answer(model, name, arguments) for model in fitted}
        for name, arguments in calls.items()
    }
    for answers in allowed.values():
        assert len(answers) == 2  # so that a mixture would be noticed
    shared, mixed, going = clone(estimator).fit(*data[0]), [], threading.Event()

    def predict():
        for k in range(n_calls):
            name = list(calls)[k % len(calls)]
            try:
                if answer(shared, name, calls[name]) not in allowed[name]:
                    mixed.append(name)
            except Exception as error:
                mixed.append(repr(error))

    def refit():
        k = 0
        while not going.is_set():
            k += 1
            if k % 50 == 1:
                shared.fit(*data[k % 2])
            else:  # as the last act of a fit, which is where answers could be mixed
                commit(fitted[k % 2], shared)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        refitting = threading.Thread(target=refit)
        threads = [threading.Thread(target=predict) for _ in range(N_THREADS)]
        for thread in (refitting, *threads):
            thread.start()
        for thread in threads:
            thread.join()
        going.set()
        refitting.join()
    finally:
        sys.setswitchinterval(before)
    assert mixed == []


def test_a_fit_of_images_that_fails_leaves_no_trace():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"a": ["x", "y"], "b": ["z", "w"]})
    flattener = ImageFlattener()
    with pytest.raises(ValueError, match="cannot be read as numbers"):
        flattener.fit(frame)
    assert vars(flattener) == {}
    flattener.fit(BITS.reshape(6, 4, 4))
    before = dict(vars(flattener))
    with pytest.raises(ValueError, match="cannot be read as numbers"):
        flattener.fit(frame)
    assert vars(flattener) == before
