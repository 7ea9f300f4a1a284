"""
Recalling a half-corrupted letter with a Hopfield network
=========================================================

A Hopfield network stores five letters as bitmaps. It is then given a T whose lower half
has been replaced by random pixels. This example compares five learning rules by how
often they recall the T.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import GridSearchCV, PredefinedSplit

from sklearn_rnn import HopfieldDenoiser
from sklearn_rnn.datasets import load_letters
from sklearn_rnn.display import EnergyDisplay, HopfieldDisplay

# %%
# Five letters
# ------------
# A pattern is a row of 64 pixels of 0 and 1. Internally, the states of the units are -1
# and +1.

data, target = load_letters(return_X_y=True)
names = np.array(list("JLMQT"))
letters = data[[list(target).index(name) for name in names]].astype(float)
rng = np.random.default_rng(0)


def with_coin_flips(rows):
    """Replace the lower four of the eight rows of pixels by random ones."""
    corrupted = rows.copy()
    corrupted[:, 32:] = rng.integers(0, 2, (len(rows), 32))
    return corrupted


# %%
# Hebb's rule
# -----------
# The connection between two pixels is positive if they are equal in most letters. J, L,
# M and Q share many pixels. Interference between them creates minima of the energy at
# patterns that were not stored.

hebb = HopfieldDenoiser("hebb", random_state=0).fit(letters, names)
T = np.repeat(letters[names == "T"], 100, axis=0)
corrupted = with_coin_flips(T)
recalled = hebb.recall(corrupted)
exact = (recalled.patterns == T).all(axis=1)
print(f"hebb: {exact.sum()} of 100 recalled exactly")

shown = [np.flatnonzero(exact)[0], np.flatnonzero(~exact)[0]]
HopfieldDisplay.from_estimator(hebb, corrupted[shown])

# %%
# Each update of a unit lowers the energy or leaves it unchanged. Therefore the network
# ends in a minimum: that of the T, or another one.

display = EnergyDisplay.from_estimator(hebb, corrupted[:20], color="C0", alpha=0.4)
display.ax_.set_title("Energy during the recall of 20 corrupted T")

# %%
# Choosing the rule by grid search
# --------------------------------
# The rule is a parameter, so ``GridSearchCV`` can choose it. With a predefined split,
# the network is fitted on the clean letters and scored on corrupted ones.

judges = with_coin_flips(np.repeat(letters, 200, axis=0))
X = np.vstack([letters, judges])
y = np.r_[names, np.repeat(names, 200)]
split = PredefinedSplit(np.r_[np.full(5, -1), np.zeros(1000, int)])
rules = ["hebb", "storkey", "pseudo_inverse", "perceptron", "dense"]
search = GridSearchCV(
    HopfieldDenoiser(random_state=0), {"rule": rules}, cv=split, refit=False
).fit(X, y)
for rule, score in zip(rules, search.cv_results_["mean_test_score"], strict=True):
    print(f"{rule:15} names {score:.3f} of the corrupted letters right")

# %%
# The best rule on corrupted letters that were not used in the search:

best = HopfieldDenoiser(**search.best_params_, random_state=0).fit(letters, names)
corrupted = with_coin_flips(T)
exact = (best.transform(corrupted) == T).all(axis=1)
print(f"{best.rule}: {exact.sum()} of 100 recalled exactly")
HopfieldDisplay.from_estimator(best, corrupted[:2])

# %%
# Known pixels
# ------------
# If the upper half is known to be right, clamping keeps it unchanged during recall.
# With Hebb's rule, the T is then recalled more often.

known = np.arange(64) < 32
clamped = hebb.recall(corrupted, known)
free = hebb.recall(corrupted)
for name, result in (("free", free), ("clamped", clamped)):
    exact = (result.patterns == T).all(axis=1)
    print(f"hebb, {name}: {exact.sum()} of 100 recalled exactly")

# %%
# Temperature
# -----------
# At a temperature above 0, updates are random, so that the network can leave a shallow
# minimum of the energy. The temperature falls during recall, and the network ends in a
# deeper minimum.

for temperature in (0.0, 0.3):
    memory = HopfieldDenoiser("pseudo_inverse", temperature=temperature, random_state=0)
    exact = (memory.fit(letters).transform(corrupted) == T).all(axis=1)
    print(f"temperature {temperature}: {exact.sum()} of 100 recalled exactly")

plt.show()
