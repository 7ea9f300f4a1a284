"""
Which part of a series decided?
===============================

A classifier of sensor recordings says that a machine is defective, but not why.
:func:`~sklearn_rnn.inspection.attribute` computes how much each time step contributed
to a prediction, and :func:`~sklearn_rnn.inspection.permutation_importance` which
features and which parts of the time matter in all recordings. In the generated
recordings, the correct answers are known.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_rnn import RNNClassifier
from sklearn_rnn.display import AttributionDisplay
from sklearn_rnn.inspection import attribute, permutation_importance

# %%
# Recordings with a short defect
# ------------------------------
# The vibration and the temperature of a machine are recorded for 60 steps. In a
# defective machine, the vibration is faster for 8 steps. A defect occurs in the second
# half of a recording only. The temperature, of which the mean is subtracted, drifts in
# all machines alike.

N, T, WIDTH = 800, 60, 8
rng = np.random.default_rng(0)
steps = np.arange(T)
phase = rng.uniform(0, 2 * np.pi, size=(N, 1))
defective = rng.random(N) < 0.5
begin = rng.integers(30, T - WIDTH, size=N)
during = (steps >= begin[:, None]) & (steps < begin[:, None] + WIDTH)
speed = np.where(defective[:, None] & during, 1.5, 0.4)
vibration = np.sin(phase + speed.cumsum(axis=1)) + 0.1 * rng.normal(size=(N, T))
temperature = 0.2 * rng.normal(size=(N, T)).cumsum(axis=1)
X = np.stack([vibration, temperature], axis=2)
y = np.where(defective, "defective", "intact")
X, X_test, y, y_test, _, begin_test = train_test_split(
    X, y, begin, test_size=250, random_state=0
)
model = RNNClassifier("gru", 32, max_epochs=40, random_state=0).fit(X, y)
print(f"accuracy on new recordings: {model.score(X_test, y_test):.2f}")

# %%
# One recording
# -------------
# Integrated gradients attribute the log-odds of the prediction to each feature of each
# step. The steps of the defect have the largest attributions.

right = model.predict(X_test) == y_test
row = int(np.flatnonzero(right & (y_test == "defective"))[0])
display = AttributionDisplay.from_estimator(
    model, X_test[row], feature_names=["vibration", "temperature"]
)
for ax in display.axes_:
    for place in (begin_test[row], begin_test[row] + WIDTH):
        ax.axvline(place - 0.5, color="black", linestyle=":")

# %%
# The attributions of a sequence add up to the difference between its output and that of
# the baseline, here a recording with the mean of each feature. ``gap`` is the remaining
# error.

result = attribute(model, X_test[[row]])
total = result.outputs[0] - result.baseline_outputs[0]
print(f"sum of the attributions: {result.attributions.sum():.3f}, total: {total:.3f}")
print(f"completeness gap: {result.gap[0]:.0e} of {result.n_evaluations[0]} gradients")

# %%
# All defective recordings
# ------------------------
# In how many recordings is the defect found? The 8 successive steps with the largest
# sum of attributions are compared with the true place.

rows = np.flatnonzero(right & (y_test == "defective"))[:25]
by_step = attribute(model, X_test[rows], target="defective").attributions.sum(axis=2)
window = np.ones(WIDTH)
found = [np.convolve(one, window, mode="valid").argmax() for one in by_step]
distance = np.abs(found - begin_test[rows])
print(f"found within 4 steps: {np.mean(distance <= 4):.0%}")

order = np.argsort(begin_test[rows])
fig, ax = plt.subplots(figsize=(7, 4), layout="constrained")
limit = np.quantile(np.abs(by_step), 0.99)
image = ax.imshow(by_step[order], cmap="RdBu_r", vmin=-limit, vmax=limit, aspect="auto")
ax.step(begin_test[rows][order] - 0.5, np.arange(len(rows)), "k", lw=0.8)
ax.set(xlabel="step", ylabel="recording, by the beginning of the defect (line)")
fig.colorbar(image, ax=ax, label="attribution to the log-odds of defective")

# %%
# Features and time in all recordings
# -----------------------------------
# Permutation importance measures how much the accuracy decreases if a feature, or a
# block of time, is taken from another recording.

by_feature = permutation_importance(model, X_test, y_test, random_state=0)
by_block = permutation_importance(
    model, X_test, y_test, by="blocks", n_blocks=6, random_state=0
)
fig, (left, right) = plt.subplots(
    1, 2, figsize=(8, 3), sharey=True, layout="constrained"
)
left.bar(
    ["vibration", "temperature"],
    by_feature.importances_mean,
    yerr=by_feature.importances_std,
)
left.set_ylabel("decrease of the accuracy")
right.bar(
    T * by_block.edges[:-1],
    by_block.importances_mean,
    width=9,
    align="edge",
    yerr=by_block.importances_std,
)
right.set_xlabel("step")
