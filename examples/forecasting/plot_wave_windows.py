"""
Training on windows of 40 points
================================

In the textbook way to train a recurrent network on a series, the series is cut into
windows of 40 points, each shifted by one, and the network predicts the next point after
each point of a window. The trained network reads sequences of any length.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import RNNForecaster
from sklearn_rnn.metrics import score_backtest

# %%
# A wave
# ------
# The wave has a period of 23.7 steps, an overtone and some noise. The first 500 points
# are used for training.

NOISE = 0.05
rng = np.random.default_rng(0)
phase = 2 * np.pi * np.arange(1000) / 23.7
clean = np.sin(phase) + 0.4 * np.sin(2 * phase + 1)
wave = clean + rng.normal(scale=NOISE, size=1000)
known, coming = wave[:500], wave[500:]

# %%
# Windows and targets
# -------------------
# Each window is an input sequence. The target of each of its points is the point after
# it, so the targets are the same window shifted by one. The next window starts one
# point later. :class:`~sklearn_rnn.RNNForecaster` cuts the windows itself; here they
# are cut by hand to show them. Targets are drawn slightly above the wave.

WINDOW = 40
windows = np.lib.stride_tricks.sliding_window_view(known, WINDOW)
inputs, targets = windows[:-1], windows[1:]
print("inputs", inputs.shape, "targets", targets.shape)

fig, axes = plt.subplots(3, 1, figsize=(9, 5), sharex=True, layout="constrained")
for i, ax in enumerate(axes):
    steps = np.arange(i, i + WINDOW)
    ax.plot(known[:50], color="0.85")
    ax.plot(steps, inputs[i], ".-", color="C0", label="input")
    ax.plot(steps + 1, targets[i] + 0.25, "^", color="C1", markersize=4, label="target")
    ax.set_ylabel(f"window {i}")
axes[0].legend(loc="lower left")
axes[-1].set_xlabel("time step")

# %%
# Training
# --------
# The network is a simple one of 100 units. ``target="all"`` trains one output per step.
# ``baseline=None`` turns off the Theta method, so that the network works alone, and
# ``intervals=None`` saves the training of a second network, which intervals need.

model = RNNForecaster(
    cell="rnn",
    hidden_size=100,
    window=WINDOW,
    horizon=1,
    target="all",
    baseline=None,
    intervals=None,
    max_epochs=50,
    random_state=0,
).fit(known)

fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.plot(np.arange(1, model.n_iter_ + 1), model.loss_curve_)
ax.set(
    yscale="log",
    xlabel="epoch",
    ylabel="mean squared error (standardized)",
    title="Training loss",
)

# %%
# One output per step
# -------------------
# A stream reads a sequence point by point and answers each with the forecast of the
# next one.

new = coming[:120]
stream = model.stream()
outputs = np.array([stream.predict(point) for point in new]).ravel()

fig, ax = plt.subplots(figsize=(9, 3), layout="constrained")
ax.plot(new, color="0.3", label="wave")
ax.plot(np.arange(1, 121), outputs, color="C0", label="forecast from the point before")
ax.set(xlabel="time step", ylabel="value", ylim=(-1.6, 2))
ax.legend(loc="upper right", ncols=2)

# %%
# Sequences of other lengths
# --------------------------
# The same weights are used at each step, so a sequence need not have 40 points. A list
# may contain sequences of different lengths.

sequences = [coming[:n] for n in (3, 10, 40, 200)]
for sequence, forecast in zip(sequences, model.predict(sequences), strict=True):
    truth = coming[len(sequence)]
    print(f"{len(sequence):3} points: forecast {forecast[0]:5.2f}, truth {truth:5.2f}")

# %%
# How many points does the network need? ``backtest`` forecasts from all origins in a
# sequence. Here it does so in 400 sequences that begin at different phases of the wave.
# The network starts each with an empty state. After one point it cannot know whether
# the wave rises or falls; after about ten points, the error is close to that of the
# noise, which nothing can forecast. It stays there far beyond 40 points.

LENGTH = 100
sequences = np.lib.stride_tricks.sliding_window_view(coming, LENGTH)[:400, :, None]
frame = model.backtest(sequences, start=1)
errors = score_backtest(frame, by="origin", metrics="mae")["mae"]
for n_points in (1, 2, 5, 10, 40, 99):
    print(f"after {n_points:2} points: mean error {errors[n_points - 1]:.3f}")

fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
ax.plot(errors.index + 1, errors)
ax.axhline(NOISE * np.sqrt(2 / np.pi), color="0.6", linestyle="--", label="noise")
ax.axvline(WINDOW, color="C1", linestyle=":", label="length of a window in training")
ax.set(xlabel="points read", ylabel="mean absolute error", ylim=(0, None))
ax.legend()

# %%
# Forecasting 500 steps
# ---------------------
# Beyond ``horizon``, each forecast is fed back as if it had been observed. From the end
# of the training points, the network continues the wave by itself for 500 steps. The
# form of the wave remains; a small error of the period adds up over time.

free = model.predict(horizon=500)
for begin in (0, 200, 400):
    error = np.abs(free - clean[500:])[begin : begin + 100].mean()
    print(f"steps {begin:3} to {begin + 100}: mean error {error:.3f}")

fig, axes = plt.subplots(2, 1, figsize=(9, 5), layout="constrained")
for ax, limits in zip(axes, ((450, 600), (850, 1000)), strict=True):
    ax.plot(np.arange(500), known, color="0.3", label="known")
    ax.plot(np.arange(500, 1000), coming, ":", color="0.3", label="truth")
    ax.plot(np.arange(500, 1000), free, color="C0", label="forecast")
    ax.set(xlim=limits, ylim=(-1.6, 2.2), ylabel="value")
axes[0].legend(loc="upper left", ncols=3)
axes[1].set_xlabel("time step")
plt.show()
