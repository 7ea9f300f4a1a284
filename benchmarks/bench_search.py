"""GridSearchCV with two jobs against one job: time and scores.

Each row is a search over cell and hidden size, with the estimator's own threads limited
by joblib. ``start`` is the time to start the processes, which happens once per program.
``tasks`` is the time that two processes take at best: that of all fits of the search
with one job, assigned to the processes in the order in which they are started.
"""

import argparse
import time
from heapq import heappop, heappush

import numpy as np
from _common import environment, interleaved
from _results import Table
from joblib import Parallel, delayed
from joblib.externals.loky import get_reusable_executor
from sklearn.model_selection import GridSearchCV

from sklearn_rnn import CharVectorizer, RNNClassifier
from sklearn_rnn.datasets import load_names


def load_data(n_rows):
    names, labels = load_names(return_X_y=True)
    rows = np.random.default_rng(0).permutation(len(names))[:n_rows]
    tokens = CharVectorizer().fit_transform([names[row] for row in rows])
    rng = np.random.default_rng(1)
    X = rng.normal(size=(n_rows, 40, 8)).astype(np.float32)
    numbers = X, X[:, 20:].mean(axis=(1, 2)) > 0
    return {"names": (tokens, np.asarray(labels)[rows]), "numbers": numbers}


def measure_start():
    """Seconds to start two processes, which import the package."""
    get_reusable_executor().shutdown(wait=True)
    started = time.perf_counter()
    Parallel(2)(delayed(repr)(RNNClassifier()) for _ in range(2))
    return time.perf_counter() - started


def simulate(seconds, n_jobs):
    """Seconds until all tasks end, each started as soon as a process is free."""
    ends = [0.0] * n_jobs
    for task in seconds:
        heappush(ends, heappop(ends) + task)
    return max(ends)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=3000)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    print(environment())
    table = Table(__file__, "jobs", "data")
    for name, (X, y) in load_data(arguments.rows).items():
        searches = {
            n_jobs: GridSearchCV(
                RNNClassifier(max_epochs=6, random_state=0),
                {"cell": ["gru", "lstm"], "hidden_size": [32, 64]},
                cv=3,
                refit=False,
                n_jobs=n_jobs,
            )
            for n_jobs in (1, 2)
        }
        start = measure_start()
        took = interleaved(
            arguments.repeats,
            one=lambda: searches[1].fit(X, y),  # noqa: B023
            two=lambda: searches[2].fit(X, y),  # noqa: B023
        )
        results = [search.cv_results_ for search in searches.values()]
        scores = [found["mean_test_score"] for found in results]
        mean = results[0]["mean_fit_time"] + results[0]["mean_score_time"]
        table.add(
            data=name,
            fits=3 * len(mean),
            start=start,
            **took,
            ratio=took["two"] / took["one"],
            tasks=simulate(np.repeat(mean, 3), 2),
            equal=bool((scores[0] == scores[1]).all()),
        )


if __name__ == "__main__":
    main()
