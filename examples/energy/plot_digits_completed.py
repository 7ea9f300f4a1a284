"""
Completing digits with a Boltzmann machine
==========================================

A Boltzmann machine learns the distribution of handwritten digits. Given the upper half
of a new digit, it samples lower halves. For comparison, a Hopfield network recalls the
stored digit that is most similar.
"""

import warnings

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_rnn import BoltzmannMachine, HopfieldDenoiser
from sklearn_rnn.energy import CapacityWarning

# %%
# Training
# --------
# The pixels are converted to 0 and 1. The log-likelihood of new digits is compared with
# that of a model in which all pixels are independent.

X, y = load_digits(return_X_y=True)
X = (X > 7).astype(float)
X, X_test, y, y_test = train_test_split(X, y, test_size=200, random_state=0)

machine = BoltzmannMachine(200, max_epochs=100, random_state=0).fit(X)
independent = np.clip(X.mean(axis=0), 1e-3, 1 - 1e-3)
baseline = np.log(np.where(X_test == 1, independent, 1 - independent)).sum(axis=1)
print(f"log-likelihood of new digits: {machine.score(X_test):.1f} nats")
print(f"with independent pixels:      {baseline.mean():.1f} nats")

# %%
# Sampled lower halves
# --------------------
# ``clamp`` contains the values of the known pixels and NaN for the others, which are
# sampled given the known ones. Here this is done eight times, and the mean of the
# samples is used as a prediction.

clamp = X_test.copy()
clamp[:, 32:] = np.nan
samples = [
    machine.sample(len(clamp), clamp=clamp, n_gibbs_steps=200, random_state=seed)
    for seed in range(8)
]

# %%
# Recall by a Hopfield network
# ----------------------------
# The dense network stores all training digits. Some of them differ in one or two pixels
# and are not stable as separate patterns, so ``fit`` issues a warning, which does not
# matter here. Clamping keeps the upper half unchanged during recall; see
# :doc:`/guide/memories`.

memory = HopfieldDenoiser("dense", update="synchronous")
with warnings.catch_warnings():
    warnings.simplefilter("ignore", CapacityWarning)
    memory.fit(np.unique(X, axis=0))
start = np.where(np.isnan(clamp), 0, clamp)
recalled = memory.recall(start, clamp=~np.isnan(clamp[0])).patterns

mean = np.mean(samples, axis=0)
guesses = {
    "mean digit": np.tile(X.mean(axis=0), (len(X_test), 1)),
    "one sample": samples[0],
    "mean of samples": mean,
    "Hopfield network": recalled,
}
for name, guess in guesses.items():
    wrong = ((guess > 0.5) != X_test)[:, 32:].mean()
    print(f"{name:16} {wrong:.3f} of the lower pixels wrong")

# %%
# One new digit of each class in each column:

rows = {
    "given": start,
    "sample": samples[0],
    "sample ": samples[1],
    "mean of 8": mean,
    "Hopfield": recalled,
    "truth": X_test,
}
fig, axes = plt.subplots(len(rows), 10, figsize=(8, 5), layout="constrained")
for (name, images), line in zip(rows.items(), axes, strict=True):
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for digit, ax in enumerate(line):
        pixels = images[np.flatnonzero(y_test == digit)[0]]
        image = ax.imshow(pixels.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
fig.colorbar(image, ax=axes, label="pixel, or mean of a pixel", shrink=0.6)
plt.show()
