"""
Forecasting many series
=======================

A shop records the monthly sales of 40 products. Some bring in thousands of euros,
others millions, and some were introduced later than others. One
:class:`~sklearn_rnn.RNNForecaster` is trained on all series together: a global model.
What it learns from one series helps to forecast the others, and it can forecast a
product that was not in the training data.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.model_selection import cross_val_score

from sklearn_rnn import RNNForecaster, SeasonalNaiveForecaster
from sklearn_rnn.display import ForecastDisplay
from sklearn_rnn.metrics import forecast_scorer, score_backtest
from sklearn_rnn.model_selection import SeriesPanel, WindowSplit

# %%
# The series
# ----------
# They are generated here: a level, a trend, a season that all products share, and noise
# that persists for some months. Each product has its own scale, from a thousand to ten
# million euros per month, its own amount of noise, and its own first month.

END = pd.Period("2024-12", "M")


def make_sales(n_products, random_state):
    """Monthly sales, as one Series per product."""
    rng = np.random.default_rng(random_state)
    series = []
    for i in range(n_products):
        n_months = rng.integers(100, 157)
        months = pd.period_range(end=END, periods=n_months, freq="M")
        month = months.month.to_numpy()
        season = 0.3 * np.cos((month - 12) * np.pi / 6) + 0.2 * (month == 12)
        trend = rng.normal(scale=0.04) * np.arange(n_months) / 12
        noise = np.zeros(n_months)
        for t in range(1, n_months):
            noise[t] = 0.7 * noise[t - 1] + rng.normal()
        noise_level = rng.choice([0.02, 0.05, 0.1])
        level = rng.uniform(np.log(1), np.log(10_000))
        sales = np.exp(level + trend + season + noise_level * noise)
        name = f"product {i}, noise {noise_level:.0%}"
        series.append(pd.Series(sales, index=months, name=name))
    return series


sales = make_sales(41, random_state=0)
sales, new_product = sales[:-1], sales[-1]
known = [s[:-12] for s in sales]
held_out = [s[-12:] for s in sales]
lengths = [len(s) for s in known]
means = [s.mean() for s in known]
print(f"{len(known)} products with {min(lengths)} to {max(lengths)} known months each")
print(f"mean sales: {min(means):.0f} to {max(means):.0f} thousand euros per month")

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
for s in known:
    ax.plot(s.index.to_timestamp(), s, linewidth=0.8)
ax.set(yscale="log", ylabel="thousand euros", title="Sales of 40 products")

# %%
# One model
# ---------
# A list of Series is given to ``fit`` as it is; nothing has to be scaled, padded or cut
# to the same length. ``predict`` returns a list in the same order, in which each
# forecast continues the index of its series.

model = RNNForecaster(hidden_size=16, horizon=12, bounds=(0, None), random_state=0).fit(
    known
)
forecasts = model.predict()
print("a", type(forecasts).__name__, "of", len(forecasts), "Series; the first:")
print(forecasts[0].head(3).round(2))

# %%
# The season was found from the monthly index. ``skill_`` is 1 - the error on held-out
# months divided by that of the seasonal naive forecast.

print("season:", model.seasons_, "transform:", model.transform_)
print(f"skill relative to the seasonal naive forecast: {model.skill_:.2f}")

# %%
# Comparison with a baseline
# --------------------------
# The last year is forecast from the months before it. MASE divides the errors of each
# series by those of the seasonal naive forecast in its known months, so that products
# of any scale have the same weight. A mean of errors in euros would depend mainly on
# the few largest products.

naive = SeasonalNaiveForecaster(season=12, horizon=12).fit(known)
frames = {
    name: forecaster.backtest(sales, start=-12, coverage=0.9)
    for name, forecaster in {"naive": naive, "global model": model}.items()
}
frame = pd.concat([frame.assign(model=name) for name, frame in frames.items()])
scores = score_backtest(frame, by="model", y_train=known, season=12, coverage=0.9)
print(scores[["mae", "mase", "smape", "coverage"]].round(2))

# %%
# The next figure shows this for each product. Below the diagonal, the global model is
# better.

by_product = score_backtest(
    frame, by=["series", "model"], metrics="mase", y_train=known, season=12
)["mase"].unstack()
print("better than naive:", (by_product["global model"] < by_product["naive"]).sum())

fig, ax = plt.subplots(figsize=(4.5, 4.5), layout="constrained")
ax.scatter(by_product["naive"], by_product["global model"], s=20)
ax.axline((0, 0), slope=1, color="0.6", linestyle="--")
ax.set(
    xlabel="MASE of the seasonal naive forecast",
    ylabel="MASE of the global model",
    title="One point per product",
    aspect="equal",
)

# %%
# Intervals of each series
# ------------------------
# The width of an interval follows the errors of its own series: products that sell
# steadily get narrow intervals, others wide ones.

fig, axes = plt.subplots(1, 3, figsize=(11, 3.5), layout="constrained")
for noise, ax in zip(("2%", "5%", "10%"), axes, strict=True):
    i = next(i for i, s in enumerate(known) if s.name.endswith(f"noise {noise}"))
    ForecastDisplay.from_estimator(
        model, series=i, coverage=0.9, truth=held_out[i], n_past=36, ax=ax
    )
    ax.set(title=known[i].name, ylabel="thousand euros")
    ax.get_legend().remove()
fig.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4)

# %%
# A new product
# -------------
# The past of a series that was not in ``fit`` is given to ``predict``. Nothing is
# trained: scale, season and trend are estimated from this past, here three years, as is
# the width of the intervals.

past, truth = new_product[-48:-12], new_product[-12:]
interval = model.predict_interval(past, coverage=0.9)
inside = (truth >= interval.lower) & (truth <= interval.upper)
print(f"{inside.sum()} of 12 months inside the 90 % interval")

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
ForecastDisplay.from_estimator(model, past, coverage=0.9, truth=truth, ax=ax)
ax.set(title="A new product with three years of sales", ylabel="thousand euros")

# %%
# Cross-validation by time
# ------------------------
# The rows of a list are series, so cross-validation would hold out whole products. The
# rows of a ``SeriesPanel`` are time steps: each fold trains on the months before a date
# and is scored on the months after it. ``WindowSplit`` adds the ``window`` steps before
# the test months, which the forecast of the first one needs. ``forecast_scorer`` makes
# a scorer that needs no y, also for searches; with ``start=-12`` it judges the last
# twelve months of each part. To save time, the network is trained for 4 epochs only.

quick = RNNForecaster(
    hidden_size=16, horizon=12, max_epochs=4, intervals=None, random_state=0
)
panel = SeriesPanel(known)
print(panel)
for name, forecaster in {"naive": naive, "network": quick}.items():
    mase = -cross_val_score(
        forecaster,
        panel,
        cv=WindowSplit(3, window=40, horizon=12, test_size=12),
        scoring=forecast_scorer("mase", season=12, start=-12),
    )
    print(f"{name:7} MASE in 2021, 2022, 2023:", mase.round(2))
plt.show()
