"""
Classifying names by nationality
================================

A recurrent network reads a name character by character and predicts its nationality. A
pipeline of a vectorizer and a classifier takes strings, and a grid search chooses the
cell and its size. If names are given on the command line, they are classified at the
end.
"""

import sys
import time

import matplotlib

matplotlib.use("agg")
import matplotlib.pyplot as plt
from sklearn.callback import ProgressBar
from sklearn.metrics import ConfusionMatrixDisplay, classification_report
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline

from sklearn_rnn import CharVectorizer, RNNClassifier
from sklearn_rnn.datasets import load_names

# %%
# The names
# ---------
# 6,000 of the 22,500 names are used for the search and 3,000 for the final test, the
# same number of each of the 15 nationalities.

started = time.perf_counter()
names = load_names()
X, X_test, y, y_test = train_test_split(
    names.data,
    names.target,
    train_size=6000,
    test_size=3000,
    stratify=names.target,
    random_state=0,
)
print(f"{len(X)} names to learn from, {len(X_test)} held out, for example {X[:3]}")

# %%
# Grid search
# -----------
# The search fits 6 candidates on 3 folds, two at a time. The progress bar of
# scikit-learn shows the search, each candidate on each fold, and the epochs of each
# network.

pipeline = Pipeline(
    [
        ("characters", CharVectorizer()),
        ("rnn", RNNClassifier(bidirectional=True, max_epochs=8, random_state=0)),
    ]
)
grid = {"rnn__cell": ["rnn", "lstm", "gru"], "rnn__hidden_size": [32, 64]}
search = GridSearchCV(pipeline, grid, cv=3, n_jobs=2)
search.set_callbacks(ProgressBar(max_propagation_depth=None)).fit(X, y)
print("\ncell  hidden size  accuracy of 3 folds")
for setting, mean, spread in zip(
    search.cv_results_["params"],
    search.cv_results_["mean_test_score"],
    search.cv_results_["std_test_score"],
    strict=True,
):
    cell, size = setting["rnn__cell"], setting["rnn__hidden_size"]
    print(f"{cell:5} {size:11}  {mean:.3f} +- {spread:.3f}")
print("best:", search.best_params_)

# %%
# Held-out names
# --------------
# The best candidate is trained again on all 6,000 names and scored on names that were
# not used for the choice.

predicted = search.predict(X_test)
print(f"\naccuracy on the held-out names: {search.score(X_test, y_test):.3f}\n")
print(classification_report(y_test, predicted))

figure, axes = plt.subplots(figsize=(9, 7), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    y_test, predicted, ax=axes, xticks_rotation=90, cmap="Blues"
)
axes.set_title("Nationality of 3,000 held-out names")

# %%
# New names
# ---------
# The fitted search classifies any string. :doc:`/tutorials/names` explains each part in
# more detail.

typed = [name for name in sys.argv[1:] if not name.startswith("-")]
for name in typed or ["Miyazaki Hayao", "Giulia Rossellini"]:
    proba = search.predict_proba([name])[0]
    likeliest = proba.argsort()[::-1][:3]
    answer = ", ".join(f"{search.classes_[k]} {proba[k]:.0%}" for k in likeliest)
    print(f"{name}: {answer}")

if typed:
    figure.savefig("demo_confusion_matrix.png", dpi=100)
    print("\npicture: demo_confusion_matrix.png")
print(f"{time.perf_counter() - started:.0f} s")
