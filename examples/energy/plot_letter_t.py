"""
A letter recalled from its upper half
=====================================

A Hopfield network stores five letters as bitmaps. Then it is shown a T of which the
lower half has been replaced by coin flips. Which rule of learning brings the T back?
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
# A pattern is a row of 64 pixels, 0 or 1. Inside, the network has units of -1 and +1.

data, target = load_letters(return_X_y=True)
names = np.array(list("JLMQT"))
letters = data[[list(target).index(name) for name in names]].astype(float)
rng = np.random.default_rng(0)


def with_coin_flips(rows):
    """The bottom four of eight rows of pixels, replaced."""
    corrupted = rows.copy()
    corrupted[:, 32:] = rng.integers(0, 2, (len(rows), 32))
    return corrupted


# %%
# Hebb's rule
# -----------
# Pixels that are alike in a letter attract each other. The letters L, J, Q and M share
# many pixels, and crosstalk between them makes valleys of the energy where no letter
# was stored.

hebb = HopfieldDenoiser("hebb", random_state=0).fit(letters, names)
T = np.repeat(letters[names == "T"], 100, axis=0)
corrupted = with_coin_flips(T)
recalled = hebb.recall(corrupted)
exact = (recalled.patterns == T).all(axis=1)
print(f"hebb: {exact.sum()} of 100 recalled exactly")

shown = [np.flatnonzero(exact)[0], np.flatnonzero(~exact)[0]]
HopfieldDisplay.from_estimator(hebb, corrupted[shown])

# %%
# Each update of a unit lowers the energy or leaves it, so that the network must come to
# rest: in the valley of the T, or in another one.

EnergyDisplay.from_estimator(hebb, corrupted[:20], color="tab:blue", alpha=0.4)

# %%
# The rule as a parameter
# -----------------------
# The five rules are one parameter, so that a search can choose. The network learns from
# the clean letters, and is judged by corrupted ones: a predefined split.

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
# Draws that the search has not seen:

best = HopfieldDenoiser(**search.best_params_, random_state=0).fit(letters, names)
corrupted = with_coin_flips(T)
exact = (best.transform(corrupted) == T).all(axis=1)
print(f"{best.rule}: {exact.sum()} of 100 recalled exactly")
HopfieldDisplay.from_estimator(best, corrupted[:2])

# %%
# Known pixels
# ------------
# If it is known that the upper half is right, clamping keeps it as it is. Hebb's rule
# gains from that most.

known = np.arange(64) < 32
clamped = hebb.recall(corrupted, known)
free = hebb.recall(corrupted)
for name, result in (("free", free), ("clamped", clamped)):
    exact = (result.patterns == T).all(axis=1)
    print(f"hebb, {name}: {exact.sum()} of 100 recalled exactly")

# %%
# Chance
# ------
# At a temperature above 0 units turn on by chance, and a state may leave a shallow
# valley. Cooling down slowly, the network ends in a deep one.

for temperature in (0.0, 0.3):
    memory = HopfieldDenoiser("pseudo_inverse", temperature=temperature, random_state=0)
    exact = (memory.fit(letters).transform(corrupted) == T).all(axis=1)
    print(f"temperature {temperature}: {exact.sum()} of 100 recalled exactly")

plt.show()
