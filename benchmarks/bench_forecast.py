"""Forecasts of generated waves, sunspots and CO2 compared with simple methods.

``--jobs waves series intervals`` selects parts. Settings were chosen on other waves,
and on the years and weeks before those that are held out here: the last 36 years and
the last 104 weeks. Holt-Winters is that of statsmodels, if it is installed.
"""

import argparse
import time
import warnings

import numpy as np
import torch
from _common import environment
from _results import Table
from sklearn.linear_model import LinearRegression
from sklearn.utils import Bunch

from sklearn_rnn import RNNForecaster
from sklearn_rnn.datasets import load_co2, load_sunspots, make_waves
from sklearn_rnn.metrics import mean_absolute_scaled_error

SEEDS = range(5)

WAVES = {
    "cell": "gru",
    "hidden_size": 64,
    "window": 50,
    "intervals": None,
    "weight_decay": 0.0,
    "learning_rate_schedule": "cosine",
    "scaling": "global",
}
WAVES_OF = {1: {"max_epochs": 20}, 10: {"max_epochs": 30, "hidden_size": 96}}

SERIES = {
    "baseline": None,
    "max_epochs": 30,
    "hidden_size": 32,
    "dropout": 0.3,
    "loss": "absolute_error",
    "target": "last",
    "precision": "float32",
}
# steps held out, the season, and settings of the network
SERIES_OF = {
    "sunspots": (
        36,
        11,
        {"horizon": 11, "residual": True, "window": 33},
    ),
    "co2": (
        104,
        52,
        {"horizon": 104, "differencing": 52},
    ),
}


def spread(values, name="median"):
    """Median, best and worst of the errors of several seeds."""
    return {name: np.median(values), "best": min(values), "worst": max(values)}


# ---------------------------------------------------------------- generated waves


def split_waves(horizon):
    """Training series, and the past and the future of the test series."""
    train = make_waves(7000, 50 + horizon, random_state=42).astype(np.float32)
    test = make_waves(2000, 50 + horizon, random_state=44).astype(np.float32)
    return train, test[:, :50], test[:, 50:, 0]


def judge_waves(horizon, seed):
    """Mean squared error of a network, and seconds of its training."""
    train, past, truth = split_waves(horizon)
    settings = WAVES | WAVES_OF[horizon]
    started = time.perf_counter()
    model = RNNForecaster(horizon=horizon, random_state=seed, **settings).fit(train)
    seconds = time.perf_counter() - started
    return np.mean((model.predict(past)[..., 0] - truth) ** 2), seconds


def bench_waves():
    for horizon in WAVES_OF:
        train, past, truth = split_waves(horizon)
        flat, past = train[:, :, 0], past[:, :, 0]
        linear = LinearRegression().fit(flat[:, :50], flat[:, 50:])
        table = Table(__file__, "waves", "model", "horizon")
        for name, answer in (
            ("naive", np.repeat(past[:, -1:], horizon, axis=1)),
            ("least squares", linear.predict(past)),
        ):
            error = np.mean((answer - truth) ** 2)
            table.add(model=name, horizon=horizon, **spread([error]))
        outcomes = [judge_waves(horizon, seed) for seed in SEEDS]
        errors, seconds = zip(*outcomes, strict=True)
        table.add(model="RNNForecaster", horizon=horizon, **spread(errors))
        table.add(model="noise floor", horizon=horizon, **spread([0.01 / 12]))
        print(f"{np.median(seconds):.0f} s per fit")


# ---------------------------------------------------------------- sunspots and CO2


def series_of(name):
    """A series, the number of steps held out, its season, and a forecaster for it."""
    n_ahead, season, given = SERIES_OF[name]
    series = load_sunspots().data if name == "sunspots" else load_co2().data

    def new(**more):
        model = RNNForecaster(**SERIES | given | more)
        return Rooted(model) if name == "sunspots" else model

    return series, n_ahead, season, new


def without_gaps(series):
    known = np.flatnonzero(~np.isnan(series))
    return np.interp(np.arange(len(series)), known, series[known])


class Rooted:
    """Forecasts the square roots of counts and squares the forecasts."""

    def __init__(self, model):
        self.model = model

    def fit(self, series):
        self.model.fit(np.sqrt(series))
        return self

    def predict(self, series, horizon):
        return _squared(self.model.predict(np.sqrt(series), horizon=horizon))

    def predict_interval(self, series, horizon):
        found = self.model.predict_interval(np.sqrt(series), horizon=horizon)
        return Bunch(**{name: _squared(values) for name, values in found.items()})


def _squared(values):
    return np.maximum(values, 0) ** 2


def holt_winters(series, season, horizon):
    try:
        from statsmodels.tsa.holtwinters import ExponentialSmoothing
    except ImportError:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = ExponentialSmoothing(
            without_gaps(series), trend="add", seasonal="add", seasonal_periods=season
        ).fit()
    return fitted.forecast(horizon)


def bench_series():
    for name in SERIES_OF:
        series, horizon, season, new = series_of(name)
        train, test = series[:-horizon], series[-horizon:]

        def judged(answer, train=train, test=test, season=season):
            mae = np.nanmean(np.abs(answer - test))
            mase = mean_absolute_scaled_error(
                test, answer, y_train=train, season=season
            )
            return mae, mase

        table = Table(__file__, "series", "series", "model")
        all_origins = rolling(series, horizon, season, new)

        def show(model, scores, name=name, table=table, all_origins=all_origins):
            maes, mases = np.transpose(scores)
            mase, every = np.median(mases), all_origins.get(model)
            row = spread(maes) | {"mase": mase, "all_origins": every}
            table.add(series=name, model=model, **row)

        naive = np.resize(without_gaps(train)[-season:], horizon)
        show("seasonal naive", [judged(naive)])
        smooth = holt_winters(train, season, horizon)
        if smooth is None:
            print("Holt-Winters     skipped: statsmodels is not installed")
        else:
            show("Holt-Winters", [judged(smooth)])
        scores = []
        for seed in SEEDS:
            model = new(intervals=None, random_state=seed).fit(train)
            scores.append(judged(model.predict(train, horizon=horizon)))
        show("RNNForecaster", scores)
        scores = []
        for seed in SEEDS[:3]:
            model = RNNForecaster(horizon=horizon, random_state=seed).fit(train)
            scores.append(judged(model.predict()))
        show("RNNForecaster, defaults", scores)


def rolling(series, horizon, season, new):
    """Mean absolute errors of all forecasts from all origins in the held-out part."""
    whole, begin = without_gaps(series), len(series) - horizon
    model = new(intervals=None, random_state=0).fit(series[:begin])
    errors = {"seasonal naive": [], "Holt-Winters": [], "RNNForecaster": []}
    for origin in range(begin, len(series)):
        past, truth = series[:origin], series[origin:]
        answers = {
            "seasonal naive": np.resize(whole[origin - season : origin], len(truth)),
            "RNNForecaster": model.predict(past, horizon=len(truth)),
        }
        if season < 20:  # for the weeks this would take minutes
            answers["Holt-Winters"] = holt_winters(past, season, len(truth))
        for name, answer in answers.items():
            if answer is not None:
                errors[name].append(np.abs(answer - truth))
    return {
        name: np.nanmean(np.concatenate(found))
        for name, found in errors.items()
        if found
    }


def bench_intervals():
    """The held-out part and the two parts before it, each with a separate training."""
    table = Table(__file__, "intervals", "series", "part")
    pooled = []
    for name in SERIES_OF:
        series, horizon, _, new = series_of(name)
        for block in (2, 1, 0):
            end = len(series) - block * horizon
            begin, hits, widths = end - horizon, [], []
            for seed in SEEDS:
                model = new(random_state=seed).fit(series[:begin])
                for origin in range(begin, end, 4):
                    truth = series[origin:end]
                    found = model.predict_interval(series[:origin], horizon=len(truth))
                    hit = (truth >= found.lower) & (truth <= found.upper)
                    hits.append(hit[~np.isnan(truth)])
                    widths.append(np.mean(found.upper - found.lower))
            covered = np.concatenate(hits)
            table.add(
                series=name,
                part=("last", "last but one", "last but two")[block],
                coverage=covered.mean(),
                n=len(covered),
                width=np.mean(widths),
            )
            pooled.append(covered)
    print(f"pooled: {np.concatenate(pooled).mean():.4f}")
    print(f"mean of the six: {np.mean([covered.mean() for covered in pooled]):.4f}")


JOBS = {"waves": bench_waves, "series": bench_series, "intervals": bench_intervals}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    torch.set_num_threads(1)
    print(environment())
    for job in parser.parse_known_args()[0].jobs:
        JOBS[job]()
