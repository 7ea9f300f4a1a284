"""
Classifying sensor recordings of unequal length
===============================================

An accelerometer at the wrist records the movements of several people. The recordings
have different lengths, and each sensor has its own offset and scale. A network
classifies the movements of people who were not in the training data.
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
# The recordings are generated, so that nothing has to be downloaded. The movements
# "lift" and "lower" contain the same values in opposite order; "circle" and "turn back"
# begin in the same way.

PATHS = {
    "lift": lambda t: (np.sin(2 * np.pi * t), 0 * t, 0 * t),
    "lower": lambda t: (-np.sin(2 * np.pi * t), 0 * t, 0 * t),
    "circle": lambda t: (0 * t, np.sin(2 * np.pi * t), np.cos(2 * np.pi * t)),
    "turn back": lambda t: (0 * t, abs(np.sin(2 * np.pi * t)), np.cos(2 * np.pi * t)),
}


def recordings(n_people=12, n_each=10, random_state=0):
    """A long table with one row per tenth of a second of each recording."""
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
# Measurements are often stored in such a table, with one row per time step.
# :func:`~sklearn_rnn.sequences_from_frame` converts it to a list of sequences. Columns
# that are constant within a recording can be targets.

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
# ``StandardScaler`` accepts tables only. :class:`~sklearn_rnn.StepwiseTransformer`
# passes it all time steps as rows and converts the result back to sequences.
# ``GroupKFold`` keeps all recordings of a person in one fold, so that the network is
# tested on people who were not in the training data.

network = make_pipeline(
    StepwiseTransformer(StandardScaler()),
    RNNClassifier(hidden_size=32, max_epochs=15, random_state=0),
)
folds = GroupKFold(3)
predicted = cross_val_predict(network, X, y, groups=person, cv=folds)
print(f"recurrent network: {np.mean(predicted == y):.3f}")

# %%
# For comparison, a logistic regression reads the mean, the standard deviation and the
# extremes of each channel. These features do not depend on the order of the values, so
# that no classifier can use them to distinguish "lift" from "lower".


def without_order(sequences):
    """Order-free features: a table with one row per sequence."""
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
# Recordings and confusion matrix
# -------------------------------
# Two recordings of the same person for each movement, and the predictions for people
# who were not in the training data:

figure, axes = plt.subplots(1, 4, figsize=(12, 3), sharey=True, layout="constrained")
for ax, movement in zip(axes, PATHS, strict=True):
    for row in np.flatnonzero((y == movement) & (person == 0))[:2]:
        ax.set_prop_cycle(None)
        ax.plot(0.1 * np.arange(len(X[row])), X[row], alpha=0.8)
    ax.set(title=movement, xlabel="time (s)")
axes[0].set_ylabel("acceleration (m/s²)")
axes[0].legend("xyz", loc="upper right")

figure, ax = plt.subplots(figsize=(5, 4), layout="constrained")
ConfusionMatrixDisplay.from_predictions(y, predicted, ax=ax, cmap="Blues")
ax.set_title("Movements of people not in training")
plt.show()
