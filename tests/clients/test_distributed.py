"""Dask: tokens keep their vocabulary when they are sent to workers and back."""

import subprocess
import sys

import distributed
import joblib
import numpy as np
import pytest
from distributed.protocol import deserialize, serialize
from numpy.testing import assert_array_equal
from sklearn.model_selection import GridSearchCV

from sklearn_rnn import CharVectorizer, RNNClassifier, TokenArray
from sklearn_rnn.datasets import load_names


@pytest.fixture(scope="module")
def names():
    X, y = load_names(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(X))[:200]
    tokens = CharVectorizer().fit_transform([X[row] for row in rows])
    return tokens, np.asarray(y)[rows]


@pytest.fixture(scope="module")
def client():
    with distributed.Client(
        n_workers=2, threads_per_worker=1, dashboard_address=None
    ) as client:
        yield client


@pytest.mark.parametrize("part", [np.s_[:], np.s_[3:9], np.s_[::2, :4], np.s_[0]])
def test_a_round_trip_keeps_the_vocabulary(names, part):
    tokens = names[0][part]
    again = deserialize(*serialize(tokens))
    assert type(again) is TokenArray
    assert again.vocabulary_size == names[0].vocabulary_size
    assert_array_equal(again, tokens)


@pytest.mark.parametrize(
    "imports",
    [
        "import distributed\nfrom sklearn_rnn import TokenArray",
        "from sklearn_rnn import TokenArray\nimport distributed",
        "from sklearn_rnn import TokenArray\nt = TokenArray([[4]], 9)\n"
        "import distributed",
    ],
    ids=["before", "after", "after an array"],
)
def test_the_order_of_imports_does_not_matter(imports):
    code = (
        f"{imports}\nfrom distributed.protocol import deserialize, serialize\n"
        "print(deserialize(*serialize(TokenArray([[4]], 9))).vocabulary_size)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout.strip() == "9", run.stderr


def test_workers_receive_and_return_tokens(client, names):
    sent = client.scatter(names[0], hash=False)
    sizes = client.submit(lambda tokens: tokens.vocabulary_size, sent).result()
    assert sizes == names[0].vocabulary_size
    back = client.submit(lambda tokens: tokens[:5], sent).result()
    assert (type(back), back.vocabulary_size) == (TokenArray, sizes)


@pytest.mark.parametrize("scatter", [False, True])
def test_a_search_gives_the_local_scores(client, names, scatter):
    search = GridSearchCV(
        RNNClassifier(max_epochs=2, random_state=0),
        {"cell": ["rnn", "gru"], "hidden_size": [8, 64]},
        cv=2,
    )
    local = search.fit(*names).cv_results_["mean_test_score"]
    options = {"scatter": [names[0]]} if scatter else {}
    with joblib.parallel_backend("dask", **options):
        remote = search.fit(*names).cv_results_["mean_test_score"]
    assert_array_equal(remote, local)


def test_the_guide(run_guide):
    assert run_guide("Dask") == ["True", "True"]
