"""
Sunspots and carbon dioxide
===========================

Two series of the textbooks: sunspots come and go in cycles of nine to fourteen years,
and carbon dioxide rises with the seasons. How far can a recurrent network see, and does
it know how far?
"""

import matplotlib.pyplot as plt
import numpy as np

from sklearn_rnn import RNNForecaster
from sklearn_rnn.datasets import load_co2, load_sunspots
from sklearn_rnn.display import ForecastDisplay
from sklearn_rnn.metrics import mean_absolute_scaled_error

# %%
# A trend and seasons
# -------------------
# Weekly carbon dioxide, with its gaps as NaN. The network reads and forecasts the
# differences to the same week of the year before. The last two years are held out.

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

naive = np.resize(known.ffill()[-52:], 104)
for name, answer in ("last year again", naive), ("RNNForecaster", model.predict()):
    error = mean_absolute_scaled_error(coming, answer, y_train=known, season=52)
    print(f"carbon dioxide, {name}: {error:.2f} of a naive forecast's error")

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
display = ForecastDisplay.from_estimator(model, known, truth=coming, ax=ax)
ax.set(xlim=known.index[[-260]].append(coming.index[[-1]]), ylim=(350, 380))
ax.set(ylabel="parts per million")
ax.legend(loc="upper left")

# %%
# Cycles
# ------
# Square roots of the yearly numbers of sunspots, which are more even in size. The
# intervals come from the errors of a twin that never saw the last third of the years
# known. They widen with the years: when the next cycle but two will come is not known.

sunspots = load_sunspots(as_frame=True).data ** 0.5
known, coming = sunspots[:-36], sunspots[-36:]
model = RNNForecaster(
    hidden_size=32,
    horizon=11,
    target="last",
    residual=True,
    loss="absolute_error",
    dropout=0.3,
    random_state=0,
).fit(known)

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
ForecastDisplay.from_estimator(
    model, known, horizon=36, coverage=0.9, truth=coming, ax=ax
)
ax.set(xlim=(1900, 2010), ylabel="square root of sunspots")

# %%
# As the years go by
# ------------------
# ``update`` takes in what came, without training. A year ahead is easy:

one_year, paths = [], None
for year in coming.index:
    one_year.append(model.predict(horizon=1).iloc[0])
    if year == 1980:
        paths = model.sample_paths(horizon=15, n_paths=50, random_state=0)
    model.update(coming.loc[[year]])
error = np.abs(one_year - coming).mean()
naive = np.abs(np.diff(np.r_[known.iloc[-1:], coming])).mean()
print(f"a year ahead: RNNForecaster {error:.2f}, last year again {naive:.2f}")

# %%
# and the years after 1979 might have gone like this:

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
ax.plot(np.arange(1980, 1995), paths.T, color="C0", alpha=0.2)
ax.plot(sunspots.loc[1940:1995], color="0.4")
ax.set(ylabel="square root of sunspots")
plt.show()
