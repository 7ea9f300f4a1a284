"""Forecasts of seasonal series with default settings, compared with other methods.

    python benchmarks/bench_seasonal.py --data FOLDER [--jobs monthly,quarterly,single]
        [--seeds 0,1,2] [--valid] [--peers]

monthly, quarterly   one RNNForecaster for all series of a sample of the M3 competition
single               four classic series, the last two seasons

All parameters except the horizon have their default values; the frequency is given by
the index of the series. ``--valid`` forecasts the steps before those of the test part
(single: one season). Theta and AutoETS are those of statsforecast and run if it is
installed; ``--peers`` adds the LSTM and GRU of neuralforecast with default settings.
"""

import argparse
import gzip
import json
import logging
import time
import warnings
from importlib.util import find_spec
from statistics import median

import numpy as np
import pandas as pd
from _common import data_folder, environment
from _results import Table
from threadpoolctl import threadpool_limits

from sklearn_rnn import RNNForecaster, SeasonalNaiveForecaster
from sklearn_rnn.metrics import (
    mean_absolute_scaled_error,
    symmetric_mean_absolute_percentage_error,
)

FREQUENCIES = {12: "MS", 4: "QS"}


def load(folder, job, valid):
    """Past and future values of the series of a job, and their season."""
    if job == "single":
        with open(folder / "seasonal_series.json") as file:
            found = json.load(file)
        parts = [(s["values"], 2 * s["season"], s["season"]) for s in found.values()]
    else:
        with gzip.open(folder / "m3_sample.json.gz") as file:
            found = json.load(file)[job]
        season = {"monthly": 12, "quarterly": 4}[job]
        found = list(found.values()) if isinstance(found, dict) else found
        parts = [(s["x"] + s["xx"], s["h"], season) for s in found]
    pasts, futures = [], []
    for values, h, season in parts:
        if valid:
            values, h = values[: len(values) - h], h if job != "single" else season
        index = pd.date_range("1980", periods=len(values), freq=FREQUENCIES[season])
        series = pd.Series(np.array(values, dtype=float), index)
        pasts.append(series.iloc[:-h])
        futures.append(series.iloc[-h:].to_numpy())
    return pasts, futures, [season for *_, season in parts]


# ---------------------------------------------------------------- forecasts


def by_rnn(pasts, futures, seasons, seed):
    h = len(futures[0])
    model = RNNForecaster(horizon=h, random_state=seed)
    model.fit(pasts if len(pasts) > 1 else pasts[0])
    forecasts = model.predict()
    print(
        f"    seasons_ {model.seasons_}, transform_ {model.transform_}, "
        f"shrinkage_ {model.shrinkage_}, skill_ {model.skill_}"
    )
    return forecasts if len(pasts) > 1 else [forecasts]


def by_naive(pasts, futures, seasons, seed):
    return [
        SeasonalNaiveForecaster(season, horizon=len(y)).fit(x).predict()
        for x, y, season in zip(pasts, futures, seasons, strict=True)
    ]


def by_naive2(pasts, futures, seasons, seed):
    """Naive2 of the M competitions: the last value of deseasonalized series."""
    return [
        naive2(x.to_numpy(), m, len(y))
        for x, y, m in zip(pasts, futures, seasons, strict=True)
    ]


def naive2(x, m, h):
    n, centered = len(x), x - x.mean()
    r = [
        centered[k:] @ centered[: n - k] / (centered @ centered)
        for k in range(1, m + 1)
    ]
    limit = 1.645 * np.sqrt((1 + 2 * np.square(r[:-1]).sum()) / n)
    factors = np.ones(m)
    if n >= 3 * m and abs(r[-1]) > limit:
        weights = np.array([0.5, *[1] * (m - 1), 0.5]) / m
        ratios = x[m // 2 : n - m // 2] / np.convolve(x, weights, "valid")
        phases = np.arange(m // 2, n - m // 2) % m
        factors = np.array([ratios[phases == p].mean() for p in range(m)])
        factors *= m / factors.sum()
    ahead = factors[np.arange(n, n + h) % m]
    return x[-1] / factors[(n - 1) % m] * ahead


def by_statsforecast(name):
    def forecast(pasts, futures, seasons, seed):
        import statsforecast.models

        make = getattr(statsforecast.models, name)
        return [
            make(season_length=m).forecast(y=x.to_numpy(), h=len(y))["mean"]
            for x, y, m in zip(pasts, futures, seasons, strict=True)
        ]

    return forecast


def by_neuralforecast(name):
    def forecast(pasts, futures, seasons, seed):
        import neuralforecast.models
        from neuralforecast import NeuralForecast

        logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
        model = getattr(neuralforecast.models, name)(
            h=len(futures[0]),
            random_seed=seed,
            start_padding_enabled=True,  # some series are shorter than its input
            accelerator="cpu",
            enable_progress_bar=False,
            logger=False,
            enable_checkpointing=False,
        )
        frame = pd.concat(
            pd.DataFrame({"unique_id": i, "ds": x.index, "y": x.to_numpy()})
            for i, x in enumerate(pasts)
        )
        runner = NeuralForecast([model], freq=FREQUENCIES[seasons[0]])
        runner.fit(frame)
        found = runner.predict()
        return [part[name].to_numpy() for _, part in found.groupby("unique_id")]

    return forecast


# ---------------------------------------------------------------- scores


def run(forecast, data, seeds):
    """Scores over all series, as medians over the seeds, and MASE of each series."""
    smape, mase, seconds = [], [], []
    for seed in seeds:
        started = time.process_time()
        forecasts = forecast(*data, seed)
        seconds.append(time.process_time() - started)
        parts = list(zip(data[1], forecasts, data[0], data[2], strict=True))
        smape.append(
            [symmetric_mean_absolute_percentage_error(y, f) for y, f, *_ in parts]
        )
        mase.append(
            [
                mean_absolute_scaled_error(
                    y, np.asarray(f), y_train=x.to_numpy(), season=m
                )
                for y, f, x, m in parts
            ]
        )
    totals = np.mean(smape, axis=1), np.mean(mase, axis=1)
    scores = {
        "smape": median(totals[0]),
        "smape_lowest": min(totals[0]),
        "smape_highest": max(totals[0]),
        "mase": median(totals[1]),
        "cpu": median(seconds),
    }
    return scores, np.median(mase, axis=0)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data")
    parser.add_argument("--jobs", default="monthly,quarterly,single")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--valid", action="store_true")
    parser.add_argument("--peers", action="store_true")
    options = parser.parse_args()
    folder = data_folder()
    if folder is None:
        return
    print(environment())
    warnings.simplefilter("ignore")
    seeds = [int(seed) for seed in options.seeds.split(",")]
    models = {
        "seasonal naive": (by_naive, [0]),
        "Naive2": (by_naive2, [0]),
        "RNNForecaster": (by_rnn, seeds),
    }
    if find_spec("statsforecast"):
        models |= {n: (by_statsforecast(n), [0]) for n in ("Theta", "AutoETS")}
    for job in options.jobs.split(","):
        part = f"{job}_validation" if options.valid else job
        table = Table(__file__, part, "model")
        data = load(folder, job, options.valid)
        if job == "single":
            names = ("nottem", "UKgas", "ldeaths", "JohnsonJohnson")
            for model, (forecast, its_seeds) in models.items():
                mase = [
                    run(forecast, [[column[k]] for column in data], its_seeds)[1][0]
                    for k in range(len(names))
                ]
                scores = dict(zip(names, mase, strict=True))
                table.add(model=model, **scores, mean=np.mean(mase))
            continue
        for model, (forecast, its_seeds) in models.items():
            table.add(model=model, **run(forecast, data, its_seeds)[0])
        if options.peers and find_spec("neuralforecast"):
            for name in ("LSTM", "GRU"):
                scores = run(by_neuralforecast(name), data, seeds[:1])[0]
                table.add(model=f"neuralforecast {name}", **scores)


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
