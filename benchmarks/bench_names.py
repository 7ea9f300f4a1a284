"""Names by characters: 18,000 to train, 4,500 held out.

The settings were confirmed on a validation part of the training names (--choose), the
defaults stand beside them.
"""

import sys
import time

from _common import environment
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from sklearn_rnn import CharVectorizer, RNNClassifier
from sklearn_rnn.datasets import load_names

SETTINGS = {
    "defaults": {},
    "bidirectional, dropout": {
        "bidirectional": True,
        "hidden_size": 128,
        "dropout": 0.5,
        "max_epochs": 15,
        "learning_rate_schedule": "cosine",
    },
}


def main():
    print(environment())
    names = load_names()
    X, X_test, y, y_test = train_test_split(
        names.data, names.target, test_size=4500, stratify=names.target, random_state=0
    )
    if "--choose" in sys.argv:
        X, X_test, y, y_test = train_test_split(
            X, y, test_size=0.2, stratify=y, random_state=0
        )
    print(f"{len(X)} to train, {len(X_test)} held out")
    models = {
        "character 1-3-gram SVM": make_pipeline(
            TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 3), sublinear_tf=True),
            LinearSVC(),
        )
    }
    for name, settings in SETTINGS.items():
        models[name] = make_pipeline(
            CharVectorizer(), RNNClassifier(**settings, random_state=0)
        )
    for name, model in models.items():
        started = time.perf_counter()
        accuracy = model.fit(X, y).score(X_test, y_test)
        took = time.perf_counter() - started
        print(f"{name:24} accuracy {accuracy:.4f}  {took:6.1f} s", flush=True)


if __name__ == "__main__":
    main()
