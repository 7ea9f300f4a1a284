"""
Digits completed from their upper half
======================================

A Boltzmann machine learns how handwritten digits look. Shown the upper half of a new
one, it draws lower halves that go with it; an associative memory recalls the one it
knows best.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_rnn import BoltzmannMachine, HopfieldDenoiser

# %%
# Pixels of 0 and 1
# -----------------

X, y = load_digits(return_X_y=True)
X = (X > 7).astype(float)
X, X_test, y, y_test = train_test_split(X, y, test_size=200, random_state=0)

machine = BoltzmannMachine(200, max_epochs=100, random_state=0).fit(X)
independent = np.clip(X.mean(axis=0), 1e-3, 1 - 1e-3)
baseline = np.log(np.where(X_test == 1, independent, 1 - independent)).sum(axis=1)
print(f"log-likelihood of new digits: {machine.score(X_test):.1f} nats")
print(f"with independent pixels:      {baseline.mean():.1f} nats")

# %%
# Lower halves by chance
# ----------------------
# `clamp` holds values that stay, and NaN where units are free. The free ones are
# sampled given the others: here eight times, and their mean is a prediction.

clamp = X_test.copy()
clamp[:, 32:] = np.nan
samples = [
    machine.sample(len(clamp), clamp=clamp, n_gibbs_steps=200, random_state=seed)
    for seed in range(8)
]

# %%
# A memory of all digits
# ----------------------
# The dense network stores the patterns themselves, each once; clamping keeps the upper
# half.

memory = HopfieldDenoiser("dense", update="synchronous").fit(np.unique(X, axis=0))
start = np.where(np.isnan(clamp), 0, clamp)
recalled = memory.recall(start, clamp=~np.isnan(clamp[0])).patterns

mean = np.mean(samples, axis=0)
guesses = {
    "mean digit": np.tile(X.mean(axis=0), (len(X_test), 1)),
    "one sample": samples[0],
    "mean of samples": mean,
    "memory": recalled,
}
for name, guess in guesses.items():
    wrong = ((guess > 0.5) != X_test)[:, 32:].mean()
    print(f"{name:16} {wrong:.3f} of the lower pixels wrong")

# %%
# From top to bottom: what is shown, two samples, their mean, what the memory recalls,
# and the digit.

rows = [start, samples[0], samples[1], mean, recalled, X_test]
fig, axes = plt.subplots(len(rows), 10, figsize=(8, 5), layout="constrained")
names = ["given", "sample", "sample", "mean", "recalled", "digit"]
for name, images, line in zip(names, rows, axes, strict=True):
    line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    for digit, ax in enumerate(line):
        image = images[np.flatnonzero(y_test == digit)[0]]
        ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
plt.show()
