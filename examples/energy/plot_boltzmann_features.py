"""
Boltzmann features before a logistic regression
===============================================

The means of the hidden units of a restricted Boltzmann machine can serve as features. A
linear classifier recognizes shifted digits far better from these features than from the
pixels.
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
# Shifted digits
# --------------
# Each digit is used five times: as it is, and shifted by one pixel in each direction.
# This makes the task hard for a linear classifier, because each pixel has a different
# meaning after a shift. With ``binarize=None``, gray values from 0 to 1 are read as
# probabilities.

X, y = load_digits(return_X_y=True)
images = X.reshape(-1, 8, 8) / 16
moves = [(0, 0), (1, 0), (-1, 0), (0, 1), (0, -1)]
X = np.concatenate([shift(images, (0, *move), order=0) for move in moves])
X, y = X.reshape(-1, 64).astype(np.float32), np.tile(y, len(moves))
X, X_test, y, y_test = train_test_split(X, y, test_size=0.2, random_state=0)

# %%
# Accuracy with and without the features
# --------------------------------------
# The machine and the classifier are fitted as one pipeline.

machine = BoltzmannMachine(
    100, binarize=None, max_epochs=60, ais_steps=0, random_state=0
)
classifier = LogisticRegression(C=1000, max_iter=1000)
with_features = make_pipeline(machine, classifier).fit(X, y)
print(f"hidden units: {with_features.score(X_test, y_test):.3f} of new digits right")
classifier.fit(X, y)
print(f"raw pixels:   {classifier.score(X_test, y_test):.3f} of new digits right")

# %%
# Weights of the hidden units
# ---------------------------
# Each image shows the weights between one hidden unit and the pixels, for the 60 units
# with the largest weights. Units respond to strokes (blue) and to gaps between them
# (red).

machine = with_features[0]
fig, axes = plt.subplots(6, 10, figsize=(8, 5), layout="constrained")
norms = np.linalg.norm(machine.components_, axis=1)
largest = machine.components_[np.argsort(norms)[::-1][:60]]
limit = np.quantile(np.abs(largest), 0.99)
for weights, ax in zip(largest, axes.flat, strict=True):
    image = ax.imshow(weights.reshape(8, 8), cmap="RdBu", vmin=-limit, vmax=limit)
    ax.set(xticks=[], yticks=[])
fig.colorbar(image, ax=axes, label="weight", extend="both")
plt.show()
