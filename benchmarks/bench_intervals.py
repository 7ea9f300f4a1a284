"""Coverage and interval score of prediction intervals, compared with ideal intervals.

``--jobs ideal walks panel paths`` selects parts. The interval score (Gneiting and
Raftery, 2007) is the width plus 2 / (1 - coverage) times the distance of a value
outside; smaller is better. It is divided by the score of the interval that is computed
from the true process.

* ideal: errors of ideal forecasts of simulated processes, without a network
* walks: random walks of 300 steps, a network of 8 units, windows of 20
* panel: 60 series with scales from 1 to 1e6 and three levels of noise
* paths: sampled paths of a random walk
"""

import argparse
import warnings

import numpy as np
import torch
from _common import environment
from _results import Table
from scipy.stats import norm

from sklearn_rnn import RNNForecaster
from sklearn_rnn.forecasting._error_sizes import learn_sizes

COVERAGE = 0.9
LEADS = np.array([1, 10, 40, 80, 88])
Z = norm.ppf((1 + COVERAGE) / 2)
# The interval score of the ideal interval of a standard normal variable.
IDEAL = 2 * Z + 4 / (1 - COVERAGE) * (norm.pdf(Z) - Z * norm.sf(Z))


def show(table, name, misses, radii, sizes):
    """Coverage and relative interval score of forecast errors (runs, leads)."""
    misses, radii = np.broadcast_arrays(np.abs(misses), radii)
    covered = (misses <= radii).mean(axis=0)
    beyond = np.maximum(misses - radii, 0)
    scores = (2 * radii + 2 / (1 - COVERAGE) * beyond).mean(axis=0) / (IDEAL * sizes)
    widths = np.median(radii, axis=0) / (Z * sizes)
    parts = zip(LEADS, covered, scores, widths, strict=True)
    cells = {f"lead_{k}": [round(x, 3) for x in values] for k, *values in parts}
    table.add(process=name, **cells)


# ---------------------------------------------------------------- without a network

PROCESSES = {
    "white noise": lambda i: 1.0 * (i == 0),
    "AR(1) .7": lambda i: 0.7**i,
    "AR(1) .97": lambda i: 0.97**i,
    "random walk": lambda i: np.ones(len(i)),
    "seasonal walk, 12": lambda i: 1.0 * (i % 12 == 0),
}


def bench_ideal(n_steps=90, n_runs=1000):
    table = Table(__file__, "ideal", "process")
    for name, weights in PROCESSES.items():
        psi = weights(np.arange(n_steps))
        rng = np.random.default_rng(1)
        misses, radii = [], []
        for _ in range(n_runs):
            shocks = rng.normal(size=2 * n_steps)
            errors = np.full((n_steps + 1, n_steps), np.nan)
            for k in range(n_steps):
                known = np.convolve(shocks, psi[: k + 1])[k : k + n_steps + 1]
                errors[: len(known), k] = known
            origins = np.arange(n_steps)
            past = np.where(
                origins[:, None] + origins < n_steps, errors[:n_steps], np.nan
            )
            owners = np.zeros(n_steps, dtype=int)
            found = learn_sizes(past[..., None], owners, np.ones((1, 1)))
            radius = found.compute_radii(n_steps, COVERAGE, found.own)[0, :, 0]
            misses.append(errors[-1, LEADS - 1])
            radii.append(radius[LEADS - 1])
        sizes = np.sqrt(np.cumsum(psi**2))[LEADS - 1]
        show(table, name, np.array(misses), np.array(radii), sizes)


# ---------------------------------------------------------------- random walks


def bench_walks():
    for settings in ({}, {"differencing": 1, "max_epochs": 30}):
        show_walks(settings)


def show_walks(settings, n_seeds=25, n_steps=300):
    table = Table(__file__, "walks", "process")
    misses, radii, ideal = [], [], []
    for seed in range(n_seeds):
        rng = np.random.default_rng(seed)
        walk = rng.normal(size=n_steps).cumsum()
        # many futures of the same past
        futures = walk[-1] + rng.normal(size=(200, LEADS[-1])).cumsum(axis=1)
        model = RNNForecaster(
            hidden_size=8, window=20, random_state=seed, **settings
        ).fit(walk)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # few independent errors
            found = model.predict_interval(horizon=LEADS[-1], coverage=COVERAGE)
        misses.append((futures - found.prediction)[:, LEADS - 1])
        ideal.append((futures - walk[-1])[:, LEADS - 1])
        radius = (found.upper - found.prediction)[LEADS - 1]
        radii.append(np.broadcast_to(radius, misses[-1].shape))
    sizes = np.sqrt(LEADS)
    given = ", ".join(f"{k}={v}" for k, v in settings.items()) or "defaults"
    misses, radii = np.concatenate(misses), np.concatenate(radii)
    show(table, f"RNNForecaster, {given}", misses, radii, sizes)
    show(table, "the true process", np.concatenate(ideal), Z * sizes, sizes)


# ---------------------------------------------------------------- a panel


def make_panel(seed, n_steps, scales, n_series=60):
    """Seasonal series, their scale and their noise (n_series,)."""
    rng = np.random.default_rng(seed)
    scale = np.resize(np.repeat(scales, 3), n_series)
    noise = np.resize([0.1, 1.0, 5.0], n_series)
    t = np.arange(n_steps)
    phase = rng.uniform(0, 12, size=(n_series, 1))
    season = 10 + 3 * np.sin(2 * np.pi * (t + phase) / 12)
    X = season + noise[:, None] * rng.normal(size=season.shape)
    return scale[:, None] * X, scale, noise


def bench_panel():
    for scales in ((1,), (1, 1e2, 1e4, 1e6)):
        bench_scales(scales)


def bench_scales(scales, n_seeds=3, horizon=12):
    table = Table(__file__, "panel", "noise", "largest_scale")
    models = {}
    for noise_level in (0.1, 1.0, 5.0):
        row = {"noise": noise_level, "largest_scale": max(scales)}
        for given in ("fit", "X", "new"):
            hits, widths = [], []
            for seed in range(n_seeds):
                X, scale, noise = make_panel(seed, 200 + horizon, scales)
                model = models.get(seed)
                if model is None:
                    model = RNNForecaster(
                        hidden_size=16,
                        window=24,
                        horizon=12,
                        batch_size=128,
                        random_state=seed,
                    ).fit([x[:-horizon, None] for x in X])
                    models[seed] = model
                if given == "new":
                    X, scale, noise = make_panel(100 + seed, 200 + horizon, scales)
                past = None if given == "fit" else [x[:-horizon, None] for x in X]
                found = model.predict_interval(past, horizon=horizon, coverage=COVERAGE)
                lower, upper = found.lower[..., 0], found.upper[..., 0]
                truth, rows = X[:, -horizon:], noise == noise_level
                hits.append(((truth >= lower) & (truth <= upper))[rows])
                widths.append(((upper - lower) / 2 / (scale * noise)[:, None])[rows])
            row |= {given: np.mean(hits), f"{given}_width": np.mean(widths)}
        table.add(**row)


# ---------------------------------------------------------------- paths


def bench_paths(horizon=12):
    rng = np.random.default_rng(0)
    walk = rng.normal(size=3000).cumsum()
    table = Table(__file__, "paths", "process")
    names = ("process", "sd_increments", "correlation", "sd_mean")
    known = ("the true process", 1.0, np.sqrt(11 / 12), 2.14)
    table.add(**dict(zip(names, known, strict=True)))
    for intervals in ("conformal", "quantile"):
        model = RNNForecaster(
            hidden_size=4,
            horizon=horizon,
            residual=True,
            intervals=intervals,
            random_state=0,
        ).fit(walk)
        paths = model.sample_paths(n_paths=4000, random_state=0)
        table.add(
            process=intervals,
            sd_increments=np.diff(paths, axis=1).std(),
            correlation=np.corrcoef(paths[:, -1], paths[:, -2])[0, 1],
            sd_mean=paths.mean(axis=1).std(),
        )


JOBS = {
    "ideal": bench_ideal,
    "walks": bench_walks,
    "panel": bench_panel,
    "paths": bench_paths,
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--jobs", nargs="+", choices=JOBS, default=list(JOBS))
    torch.set_num_threads(1)
    print(environment())
    for job in parser.parse_known_args()[0].jobs:
        JOBS[job]()
