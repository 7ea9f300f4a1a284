"""
Forecasting a seasonal series
=============================

The monthly concentration of carbon dioxide in the air rises from year to year and
varies with the seasons. This example fits :class:`~sklearn_rnn.RNNForecaster` with
default settings, shows what it found in the series, and compares its forecasts with
those of :class:`~sklearn_rnn.SeasonalNaiveForecaster`.
"""

import matplotlib.pyplot as plt
import pandas as pd

from sklearn_rnn import RNNForecaster, SeasonalNaiveForecaster
from sklearn_rnn.datasets import load_co2
from sklearn_rnn.display import BacktestDisplay, ForecastDisplay
from sklearn_rnn.metrics import score_backtest

# %%
# The series
# ----------
# The data are weekly. Monthly means have a regular index with a frequency ("MS", month
# start), which tells the forecaster that a year has 12 steps. Five months without any
# measurement are NaN; no filling is needed. The last ten years are held out.

co2 = load_co2(as_frame=True).data.resample("MS").mean()
co2 = co2.rename("CO2 (parts per million)").rename_axis("month")
known, held_out = co2[:-120], co2[-120:]
print(len(known), "months known,", known.isna().sum(), "of them missing")
print(len(held_out), "months held out")

fig, ax = plt.subplots(figsize=(9, 3.5), layout="constrained")
ax.plot(known, color="0.3", label="known")
ax.plot(held_out, color="C1", label="held out")
ax.set(ylabel=co2.name, title="Carbon dioxide at Mauna Loa")
ax.legend(loc="upper left")

# %%
# Default settings
# ----------------
# ``horizon`` is the number of steps to forecast. It is the only parameter that has to
# be set. A small network is sufficient for a few hundred values and trains faster.

model = RNNForecaster(hidden_size=16, horizon=12, random_state=0).fit(known)
print(model.predict().head(3).round(1))

# %%
# By default, the network does not forecast the values themselves. It corrects the
# forecast of a baseline, the Theta method, whose season, level and trend are estimated
# from the series. ``fit`` chooses the baseline and its options by their errors, and
# stores the choice in attributes:

for name, meaning in {
    "baseline_": "forecast that the network corrects",
    "seasons_": "periods of its seasons, in steps",
    "transform_": "transform before the baseline",
    "shrinkage_": "factor of the corrections, 0 (none) to 1 (full)",
    "skill_": "1 - own error / error of the seasonal naive forecast",
}.items():
    value = getattr(model, name)
    value = round(value, 2) if isinstance(value, float) else value
    print(f"{name:11} {value!s:6} {meaning}")

# %%
# ``shrinkage_`` and ``skill_`` are measured on the last 30 % of the known months, with
# a second network that was not trained on them. If ``skill_`` is negative, the seasonal
# naive forecast is better and ``fit`` warns.

# %%
# A forecast with intervals
# -------------------------
# Two years are forecast, twice the ``horizon`` of the network: for the second year, it
# reads its forecasts of the first. The seasonal naive forecast repeats the last year:
# it misses the trend, and its intervals are wide.

naive = SeasonalNaiveForecaster(season=12, horizon=12).fit(known)

fig, axes = plt.subplots(2, 1, figsize=(9, 6), sharex=True, layout="constrained")
for ax, forecaster in zip(axes, (naive, model), strict=True):
    ForecastDisplay.from_estimator(
        forecaster, horizon=24, coverage=0.9, truth=held_out[:24], n_past=48, ax=ax
    )
    ax.set_title(type(forecaster).__name__)
    ax.legend(loc="upper left")
axes[0].sharey(axes[1])

# %%
# A backtest
# ----------
# A single forecast says little. ``backtest`` (see :doc:`/guide/intervals`) forecasts
# from each month of the held-out years, given all months before it. The network is not
# trained again. ``start`` is the number of months that ``fit`` has seen. The result has
# one row per origin and lead.

frames = {
    name: forecaster.backtest(co2, start=len(known), coverage=0.9)
    for name, forecaster in {"naive": naive, "network": model}.items()
}
print(frames["network"].head(3).to_string(float_format="{:.1f}".format))

# %%
# ``score_backtest`` computes the scores of such a frame. Frames of several forecasters
# can be concatenated with a column that tells them apart. MASE is the error in units of
# the seasonal naive forecast's error in the known months.

frame = pd.concat([frame.assign(model=name) for name, frame in frames.items()])
scores = score_backtest(frame, by="model", y_train=known, season=12, coverage=0.9)
print(scores[["mae", "smape", "mase", "interval_score", "coverage"]].round(2))

# %%
# The same by lead: the seasonal naive forecast is a year old at each lead, while the
# network's errors grow with the lead.

by_lead = score_backtest(frame, by=["lead", "model"], metrics="mae")["mae"].unstack()
fig, ax = plt.subplots(figsize=(6, 3.5), layout="constrained")
by_lead.plot(ax=ax, marker="o")
ax.set(
    xlabel="months ahead",
    ylabel="mean absolute error (ppm)",
    xticks=range(1, 13),
    ylim=(0, None),
)

# %%
# ``BacktestDisplay`` draws forecasts and the truth: whole forecasts, one after the
# other, or those of a single lead from all origins.

fig, axes = plt.subplots(2, 1, figsize=(9, 6), sharex=True, layout="constrained")
display = BacktestDisplay(frames["network"])
for ax, lead in zip(axes, (None, 12), strict=True):
    display.plot(lead=lead, ax=ax)
    ax.set(ylabel="CO2 (ppm)")
    ax.legend(loc="upper left")
axes[0].set_title("A forecast each year")
axes[1].set_title("Twelve months ahead, from each month")
plt.show()

# sphinx_gallery_thumbnail_number = 2
