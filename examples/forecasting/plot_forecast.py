"""
Forecasting sunspots and CO2
============================

The number of sunspots varies in cycles of nine to fourteen years. The concentration of
carbon dioxide (CO2) in the air rises from year to year and varies with the seasons.
This example sets the options of :class:`~sklearn_rnn.RNNForecaster` by hand:
differences to the year before, changes from the last value, and a range of possible
values. It shows how far ahead the two series can be forecast, and how the width of the
intervals reflects this.
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import RNNForecaster, SeasonalNaiveForecaster
from sklearn_rnn.datasets import load_co2, load_sunspots
from sklearn_rnn.display import ForecastDisplay
from sklearn_rnn.metrics import mean_absolute_scaled_error

# %%
# Trend and season: weekly CO2
# ----------------------------
# Missing weeks are NaN. With ``differencing=52``, the network reads and forecasts the
# differences to the same week of the year before. This replaces the baseline that is
# used by default, the Theta method, so ``baseline_`` is None. The last two years are
# held out.

co2 = load_co2(as_frame=True).data
known, coming = co2[:-104], co2[-104:]
model = RNNForecaster(
    hidden_size=32,
    horizon=104,
    target="last",
    differencing=52,
    loss="absolute_error",
    dropout=0.3,
    max_epochs=20,
    calibration_fraction=0.15,
    precision="float32",
    random_state=0,
).fit(known)

print("baseline:", model.baseline_)

naive = SeasonalNaiveForecaster(season=52, horizon=104).fit(known)
for name, forecaster in {"last year again": naive, "RNNForecaster": model}.items():
    error = mean_absolute_scaled_error(
        coming, forecaster.predict(), y_train=known, season=52
    )
    print(f"CO2, {name}: MASE {error:.2f}")

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
display = ForecastDisplay.from_estimator(model, known, truth=coming, n_past=156, ax=ax)
ax.set(ylabel="CO2 (parts per million)", xlabel="year")
ax.legend(loc="upper left")

# %%
# Cycles: yearly sunspots
# -----------------------
# Square roots of the yearly numbers of sunspots differ less between cycles than the
# numbers themselves. They cannot be negative, so ``bounds=(0, None)`` is set. The
# intervals come from the errors of a second network that was not trained on the last
# 30 % of the known years. They widen with the years, because the length of a cycle
# varies.

sunspots = load_sunspots(as_frame=True).data ** 0.5
known, coming = sunspots[:-36], sunspots[-36:]
model = RNNForecaster(
    hidden_size=32,
    horizon=11,
    target="last",
    residual=True,
    loss="absolute_error",
    dropout=0.3,
    bounds=(0, None),
    random_state=0,
).fit(known)

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
ForecastDisplay.from_estimator(
    model, horizon=36, coverage=0.9, truth=coming, n_past=73, ax=ax
)
ax.set(ylabel="square root of sunspots", xlabel="year")

# %%
# New values
# ----------
# ``update`` reads new values without training. Forecasts of the next year are much more
# accurate than those of many years:

one_year, paths = [], None
for year in coming.index:
    one_year.append(model.predict(horizon=1).iloc[0])
    if year == 1980:
        paths = model.sample_paths(horizon=15, n_paths=50, random_state=0)
    model.update(coming.loc[[year]])
error = np.abs(one_year - coming).mean()
naive = np.abs(np.diff(np.r_[known.iloc[-1:], coming])).mean()
print(
    f"mean error one year ahead: RNNForecaster {error:.2f}, last year again {naive:.2f}"
)

# %%
# ``sample_paths`` draws possible futures, here from the end of 1979:

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
ax.plot(np.arange(1980, 1995), paths.T, color="C0", alpha=0.2)
ax.lines[-1].set_label("sampled paths")
ax.plot(sunspots.loc[1940:1995], color="0.3", label="truth")
ax.set(ylabel="square root of sunspots", xlabel="year")
ax.legend(loc="upper left")
plt.show()
