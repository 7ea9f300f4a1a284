"""
Ragged recordings of a sensor
=============================

An accelerometer at the wrist records movements of different people. Recordings differ
in length, and sensors in offset and scale. Which movement was it, for people that the
network has not met?
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import ConfusionMatrixDisplay
from sklearn.model_selection import GroupKFold, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from sklearn_rnn import RNNClassifier, StepwiseTransformer, sequences_from_frame

# %%
# The data
# --------
# They are made up here, so that nothing has to be downloaded. "lift" and "lower" have
# the same values in another order; "circle" and "turn back" begin alike.

PATHS = {
    "lift": lambda t: (np.sin(2 * np.pi * t), 0 * t, 0 * t),
    "lower": lambda t: (-np.sin(2 * np.pi * t), 0 * t, 0 * t),
    "circle": lambda t: (0 * t, np.sin(2 * np.pi * t), np.cos(2 * np.pi * t)),
    "turn back": lambda t: (0 * t, abs(np.sin(2 * np.pi * t)), np.cos(2 * np.pi * t)),
}


def recordings(n_people=12, n_each=10, random_state=0):
    """A long table: a row a tenth of a second of a recording."""
    rng = np.random.default_rng(random_state)
    parts = []
    for person in range(n_people):
        offset, scale = rng.normal(scale=0.3, size=3), rng.uniform(4, 12)
        for movement in np.repeat(list(PATHS), n_each):
            n_steps = rng.integers(12, 50)
            path = np.transpose(PATHS[movement](np.linspace(0, 1, n_steps)))
            noise = rng.normal(scale=0.5, size=(n_steps, 3))
            part = pd.DataFrame(scale * (path + offset + noise), columns=list("xyz"))
            part["time"] = 0.1 * np.arange(n_steps)
            parts.append(part.assign(person=person, movement=movement))
    return pd.concat(parts, keys=range(len(parts)), names=["recording", None])


table = recordings().reset_index("recording")
print(table.head(3))

# %%
# Such a table, a row a time step, is how measurements usually come. One call makes
# sequences of it. What is the same in all rows of a recording is a target.

X, y_and_person = sequences_from_frame(
    table,
    by="recording",
    order="time",
    values=["x", "y", "z"],
    target=["movement", "person"],
)
y, person = y_and_person[:, 0].astype(str), y_and_person[:, 1].astype(int)
print(len(X), "recordings; shapes of the first:", [x.shape for x in X[:4]])

# %%
# Scaling and folds
# -----------------
# ``StandardScaler`` alone refuses sequences. ``StepwiseTransformer`` gives it all time
# steps as rows, and gives the sequences back. ``GroupKFold`` keeps each person in one
# fold, so that the score is about people who were not there in training.

network = make_pipeline(
    StepwiseTransformer(StandardScaler()),
    RNNClassifier(hidden_size=32, max_epochs=15, random_state=0),
)
folds = GroupKFold(3)
predicted = cross_val_predict(network, X, y, groups=person, cv=folds)
print(f"recurrent network: {np.mean(predicted == y):.3f}")

# %%
# The same without order: mean, spread and extremes of each channel. Such features
# cannot tell a lift from a lower, however good the classifier is.


def without_order(sequences):
    """A table of one row a sequence."""
    return [
        np.r_[x.mean(axis=0), x.std(axis=0), x.min(axis=0), x.max(axis=0)]
        for x in sequences
    ]


baseline = make_pipeline(
    FunctionTransformer(without_order),
    StandardScaler(),
    LogisticRegression(max_iter=1000),
)
scores = cross_val_score(baseline, X, y, groups=person, cv=folds)
print(f"without order:     {scores.mean():.3f}")

# %%
# What it looks like
# ------------------

figure, axes = plt.subplots(1, 4, figsize=(12, 3), sharey=True, layout="constrained")
for ax, movement in zip(axes, PATHS, strict=True):
    for row in np.flatnonzero((y == movement) & (person == 0))[:2]:
        ax.set_prop_cycle(None)
        ax.plot(0.1 * np.arange(len(X[row])), X[row])
    ax.set(title=movement, xlabel="seconds")
axes[0].set_ylabel("m/s² (two recordings)")
axes[0].legend("xyz", loc="upper right")

figure, ax = plt.subplots(figsize=(5, 4), layout="constrained")
ConfusionMatrixDisplay.from_predictions(
    y, predicted, ax=ax, colorbar=False, cmap="Blues"
)
ax.set_title("Movements of people unseen in training")
plt.show()
