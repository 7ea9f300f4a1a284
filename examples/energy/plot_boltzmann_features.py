"""
Boltzmann features before a logistic regression
===============================================

The hidden units of a restricted Boltzmann machine are features that nobody designed. A
linear classifier reads shifted digits off them far better than off the pixels.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.ndimage import shift
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline

from sklearn_rnn import BoltzmannMachine

# %%
# Digits, and the same moved by a pixel
# -------------------------------------
# A linear classifier finds them hard, since a pixel means something else after a move.
# Gray values from 0 to 1 are taken as probabilities, by ``binarize=None``.

X, y = load_digits(return_X_y=True)
images = X.reshape(-1, 8, 8) / 16
moves = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
X = np.concatenate([shift(images, (0, *move), order=0) for move in moves])
X, y = X.reshape(-1, 64).astype(np.float32), np.tile(y, len(moves))
X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=0)

# %%
# With the machine and without
# ----------------------------

machine = BoltzmannMachine(
    100, binarize=None, max_epochs=60, ais_steps=0, random_state=0
)
classifier = LogisticRegression(C=1000, max_iter=1000)
with_features = make_pipeline(machine, classifier).fit(X, y)
print(f"hidden units: {with_features.score(X_test, y_test):.3f} of new digits right")
classifier.fit(X, y)
print(f"raw pixels:   {classifier.score(X_test, y_test):.3f} of new digits right")

# %%
# What the hidden units look for
# ------------------------------
# Each image is the weights of one unit to the pixels: strokes, and gaps between them.

machine = with_features[0]
fig, axes = plt.subplots(6, 10, figsize=(8, 5), layout="constrained")
most = np.abs(machine.components_).max()
for weights, ax in zip(machine.components_, axes.flat, strict=False):
    image = ax.imshow(weights.reshape(8, 8), cmap="RdBu", vmin=-most / 2, vmax=most / 2)
    ax.set(xticks=[], yticks=[])
fig.colorbar(image, ax=axes, label="weight", extend="both", shrink=0.8)
plt.show()
