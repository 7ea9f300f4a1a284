"""
Predicting while data arrive: remaining life of machines
========================================================

Sensors of a machine are read once per hour. After every reading, a network estimates
how many hours remain until the machine fails. This is a regression at every step. In
operation, a stream keeps the state of the network, so that each new reading takes one
step only, however long the machine has been running.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import Ridge

from sklearn_rnn import RNNRegressor
from sklearn_rnn.metrics import step_mean_absolute_error

# %%
# Machines
# --------
# The data are generated. Wear starts at a random hour and then grows faster and faster
# until the machine fails. Two sensors measure the temperature and the vibration, which
# depend on wear, on noise, and on an unknown offset of the machine. Targets are limited
# to 50 hours, because the readings of a healthy machine do not show when it will fail.

LIMIT = 50


def make_machines(n, random_state):
    """A list of readings (n_hours, 2) and a list of the hours that remain."""
    rng = np.random.default_rng(random_state)
    readings, remaining = [], []
    for _ in range(n):
        start, duration = rng.integers(20, 80), rng.integers(25, 60)
        hours = np.arange(start + duration)
        wear = np.clip((hours - start) / duration, 0, 1) ** 2
        offset = rng.normal(scale=[4, 0.5])
        noise = rng.normal(scale=[1.5, 0.3], size=(len(hours), 2))
        readings.append([60, 2] + offset + wear[:, None] * [15, 4] + noise)
        remaining.append(np.minimum(len(hours) - 1.0 - hours, LIMIT))
    return readings, remaining


X, y = make_machines(150, random_state=0)
X_test, y_test = make_machines(50, random_state=1)
print(f"{len(X)} machines of {min(map(len, X))} to {max(map(len, X))} hours")

# %%
# Regression at every step
# ------------------------
# ``return_sequences=True`` predicts one number per step, so y has one number for each
# reading. The baseline is a ridge regression that sees a single reading.

model = RNNRegressor(
    "lstm", 32, return_sequences=True, max_epochs=30, random_state=0
).fit(X, y)
single = Ridge().fit(np.concatenate(X), np.concatenate(y))
baseline = [single.predict(readings) for readings in X_test]
for name, predicted in {
    "single reading": baseline,
    "network": model.predict(X_test),
}.items():
    error = step_mean_absolute_error(y_test, predicted)
    print(f"{name:15} mean absolute error {error:.1f} hours")

# %%
# A stream
# --------
# :meth:`~sklearn_rnn.RNNRegressor.stream` opens a stream. ``n_streams=None`` keeps one
# state per key, here per machine. A machine may join at any time, and a reading that
# arrives late does not delay the others. The answers are those of ``predict`` for all
# readings so far.

machines = {"machine A": X_test[0], "machine B": X_test[4]}
stream = model.stream(n_streams=None)
estimates = {name: [] for name in machines}
for hour in range(max(map(len, machines.values()))):
    arrived = {
        name: readings[hour]
        for name, readings in machines.items()
        if hour < len(readings)
    }
    for name, answer in stream.predict(arrived).items():
        estimates[name].append(np.ravel(answer)[0])

same = np.allclose(estimates["machine A"], model.predict(X_test[:1])[0], atol=1e-3)
print("keys:", stream.keys, "- equal to predict:", same)

# %%
# The estimates approach the true number of hours once the wear becomes visible.

fig, axes = plt.subplots(2, 2, figsize=(9, 5), sharex=True, layout="constrained")
for (name, readings), column, k in zip(machines.items(), axes.T, (0, 4), strict=True):
    column[0].plot(readings[:, 0], color="C1", label="temperature (°C)")
    column[0].plot(10 * readings[:, 1], color="C2", label="vibration (0.1 mm/s)")
    column[0].set_title(name)
    column[1].plot(y_test[k], "--", color="0.4", label="true")
    column[1].plot(estimates[name], color="C0", label="estimate")
    column[1].set_xlabel("hour")
axes[0, 0].set_ylabel("reading")
axes[1, 0].set_ylabel("remaining hours")
for ax in axes[:, 0]:
    ax.legend()

# %%
# The state
# ---------
# The state of a stream can be saved to a file and loaded after a restart; see
# :doc:`/guide/streams`. ``copy`` makes an independent stream, for example to ask what
# the estimate would be if the next three readings were hotter by 10 degrees.

readings = X_test[0]
hour = len(readings) - 20
stream = model.stream()
for reading in readings[:hour]:
    stream.predict(reading)
ahead = stream.copy()
for reading in readings[hour : hour + 3]:
    usual = stream.predict(reading)
    hotter = ahead.predict(reading + np.array([10, 0]))
print(f"17 hours before the failure, the estimate is {np.ravel(usual)[0]:.0f} hours;")
print(f"if it were hotter, it would be {np.ravel(hotter)[0]:.0f} hours")
plt.show()
