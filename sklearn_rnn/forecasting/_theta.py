r"""The Theta method, updated step by step: forecasts that a network corrects.

Each value is modeled as the sum of a season, a level and noise. After every step

* the season is estimated by classical decomposition of the steps so far: the mean
  deviation of each phase from a centered moving average, shrunk by ``1 - 1 / F``, where
  F is the ratio of the variance between phases to the variance within them (Miller and
  Williams, 2003). Exponential smoothing of the deviations follows a changing season.
* the level is smoothed exponentially, ``l_t = l_{t-1} + alpha (d_t - l_{t-1})``, where
  d is the value without its season.
* the forecast k steps ahead is ``l_t + k b_t`` plus the season. The Theta method takes
  half the slope of a line through all steps so far for b (Assimakopoulos and
  Nikolopoulos, 2000; Hyndman and Billah, 2003); here it is three quarters of the slope,
  shrunk by the square of its t statistic.

Several smoothing constants are evaluated in parallel, and forecasts use those with the
smallest recent errors one step ahead. All estimates depend on the past of the same
series only. The method therefore gives the same forecasts in training, in a stream and
for a new series.

Shapes: N series (each channel counts as one), G variants of smoothing a season, A
smoothing constants of the level.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sklearn_rnn.forecasting._values import UNSETTLED_STEPS, look_ahead, shrink

Arrays = dict[str, np.ndarray]

LEVEL_SMOOTHING = np.array([0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0])
# Minimum weight of the latest deviation. The first entry stands for "no season".
SEASON_SMOOTHING = np.array([1.0, 0.0, 0.15, 0.3, 0.6])
FORGETTING = 0.97  # factor by which the weight of an error decays per step
SEASON_PREFERRED = 0.99  # factor of the errors with a season when it becomes available
SLOPE_SHARE = 0.75
OUTLIER = 5  # larger deviations, in units of the noise or error, are clipped
LEAST_NOISE = 0.01  # minimum noise, as a share of the season's standard deviation

TINY = float(np.finfo(np.float64).tiny)
LARGEST_LOG = float(np.log(np.finfo(np.float64).max))
VALUES_AT_ONCE = 2**20  # maximum number of values in memory while series are encoded


@dataclass(frozen=True)
class ThetaBaseline:
    """Forecasts of the Theta method, and features for the network to correct them."""

    horizon: int
    seasons: tuple[int, ...]  # periods in steps, in increasing order
    logarithm: bool
    fill: np.ndarray  # (C,) transformed; forecast before the first observed value
    shrinkage: float = 1.0  # factor of corrections

    lag = 0
    features_per_channel = 4

    @property
    def n_variants(self) -> int:
        """Number of variants of smoothing a season, G."""
        return len(SEASON_SMOOTHING) if self.seasons else 1

    def begin(self) -> Arrays:
        """Return the state (1, C, ...) before the first step of a series."""
        shape = 1, len(self.fill), self.n_variants
        state = {
            "n_values": np.zeros(shape[:2], dtype=np.int64),  # all steps
            "age": np.zeros(shape[:2], dtype=np.int64),  # from the first value on
            "levels": np.zeros((*shape, len(LEVEL_SMOOTHING))),
            "errors": np.zeros((*shape, len(LEVEL_SMOOTHING))),
            "n_errors": np.zeros(shape[:2]),
            "times": np.zeros((*shape[:2], 3)),  # sums of 1, t and t^2
            "line": np.zeros((*shape, 2)),  # sums of d and t d
            "spread": np.zeros((*shape, 2)),  # mean of d, sum of squared deviations
        }
        for m in self.seasons:
            state[f"recent_{m}"] = np.zeros((1, shape[1], m + 1, self.n_variants))
            state[f"season_{m}"] = np.zeros((1, shape[1], m, self.n_variants))
            state[f"within_{m}"] = np.zeros(shape[:2])
            state[f"strength_{m}"] = np.zeros(shape[:2])
            state[f"known_{m}"] = np.zeros(shape[:2], dtype=bool)
        return state

    def is_ready(self, state: Arrays) -> np.ndarray:
        """Return whether forecasts are available, (n,), which is always True."""
        return np.ones(len(state["age"]), dtype=bool)

    # ------------------------------------------------------------------ reading

    def advance(
        self, state: Arrays, values: np.ndarray, observed: bool = True
    ) -> tuple[Arrays, np.ndarray]:
        """Return the state after values (n, C), and features (n, 4 C) of the step.

        A missing value is replaced by its forecast. Forecasts that are fed back are
        passed with ``observed=False``: they change the level, but no other estimate,
        and may be negative.
        """
        n, C = values.shape
        if self.logarithm and not observed:
            values = np.maximum(values, TINY)
        z = self.transform(values).reshape(-1)
        state, features = self._advance(_flatten(state), z, observed)
        return _unflatten(state, n, C), features.reshape(n, -1)

    def transform(self, values: np.ndarray) -> np.ndarray:
        """Return the values, or their logarithms, in float64."""
        values = values.astype(np.float64, copy=False)
        if not self.logarithm:
            return values
        if (values <= 0).any():
            raise ValueError(
                f"X contains {values[values <= 0].min():g}, but the model forecasts "
                "logarithms, because all values in fit were positive. Fit with "
                "transform=None to forecast the values themselves."
            )
        return np.log(values)

    def _advance(self, state: Arrays, z: np.ndarray, observed: bool):
        missing = np.isnan(z)
        started = state["age"] > 0
        bounded = self.logarithm and not observed  # forecasts near 0 have huge logs
        if bounded or missing.any():
            fill = np.tile(self.fill, len(z) // len(self.fill))
            expected = np.where(started, self._extrapolate(state, 1)[:, 0], fill)
            if bounded:
                least = expected - OUTLIER * _scales(state, _choose(state))
                z = np.maximum(z, least)
            z = np.where(missing, expected, z)
        learns = ~missing & observed
        counts = started | ~missing
        new = dict(state)
        d = self._remove_seasons(new, z, learns, counts)[..., None]  # (N, G, 1)
        drift = np.zeros(1)  # of the level, where there is no observed value
        if not learns.all():
            drift = np.where(learns[:, None, None], 0, _drifts(state))
        levels = new["levels"] + drift
        errors = np.where(started[:, None, None], d - levels, 0)
        levels = np.where(started[:, None, None], levels + LEVEL_SMOOTHING * errors, d)
        new["levels"] = levels
        new["n_values"], new["age"] = state["n_values"] + 1, state["age"] + counts
        _learn(new, d[..., 0], errors, learns, started)
        return new, _features(new, d, errors, ~missing)

    def _remove_seasons(self, state, z, learns, counts):
        """Update the seasons in ``state``; return values d (N, G) without them."""
        d = np.repeat(z[:, None], self.n_variants, axis=1)
        for m in self.seasons:
            before = state[f"known_{m}"]
            _update_season(state, m, d, learns, counts)
            begins = state[f"known_{m}"] & ~before
            if begins.any():
                _restart_levels(state, m, begins)
            d = d - _seasonal(state, m, state["age"][:, None])[:, 0]
        return d

    # ------------------------------------------------------------------ forecasting

    def forecast(self, state: Arrays) -> tuple[np.ndarray, np.ndarray]:
        """Return transformed forecasts (n, h, C) and scales (n, C) of corrections."""
        n, C = state["age"].shape
        flat = _flatten(state)
        forecasts = self._extrapolate(flat, self.horizon).reshape(n, C, -1)
        started = (state["age"] > 0)[:, :, None]
        forecasts = np.where(started, forecasts, self.fill[:, None])
        return forecasts.swapaxes(1, 2), _scales(flat, _choose(flat)).reshape(n, C)

    def _extrapolate(self, state: Arrays, horizon: int) -> np.ndarray:
        """Extrapolate level, slope and seasons: (N, horizon)."""
        chosen, ahead = _choose(state), np.arange(horizon)
        level = _take(state["levels"], chosen)
        drift = _take(_drifts(state), chosen)
        forecasts = level[:, None] + drift[:, None] * (ahead + 1)
        variant = chosen // len(LEVEL_SMOOTHING)
        for m in self.seasons:
            season = _seasonal(state, m, state["age"][:, None] + ahead)
            forecasts = forecasts + season[np.arange(len(variant)), :, variant]
        return forecasts

    def decode(self, state: Arrays, outputs: np.ndarray) -> np.ndarray:
        """Turn corrections into forecasts (n, h, C, Q) in the unit of the series."""
        forecasts, scale = self.forecast(state)
        outputs = shrink(outputs, self.shrinkage)
        values = forecasts[..., None] + outputs * scale[:, None, :, None]
        if not self.logarithm:
            return values
        return np.exp(np.minimum(values, LARGEST_LOG))

    # ------------------------------------------------------------------ training

    def encode(
        self, values: list[np.ndarray]
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield features (T, 4 C) and corrections (T - 1, h, C) of series (T, C).

        The corrections at a step are those of the forecasts made after it. They are NaN
        where the true value is missing or later than the end of the series, and for the
        first steps.
        """
        for part in self._chunks(values):
            features, forecasts, scales = self._read_all(part)
            for i, v in enumerate(part):
                T = len(v)
                truth = look_ahead(self.transform(v), self.horizon)
                with np.errstate(divide="ignore", invalid="ignore"):
                    targets = (truth - forecasts[i, : T - 1]) / scales[i, : T - 1, None]
                targets[~np.isfinite(targets)] = np.nan
                targets[:UNSETTLED_STEPS] = np.nan
                yield features[i, :T], targets

    def _chunks(self, values):
        size = max(len(v) for v in values) * len(self.fill) * (self.horizon + 5)
        n = max(1, VALUES_AT_ONCE // size)
        return (values[k : k + n] for k in range(0, len(values), n))

    def _read_all(self, values):
        """Return features (n, T, 4 C), forecasts (n, T, h, C) and scales (n, T, C)."""
        T = max(len(v) for v in values)
        padded = np.full((len(values), T, len(self.fill)), np.nan)
        for row, v in zip(padded, values, strict=True):
            row[: len(v)] = v
        state = {
            name: np.repeat(a, len(values), axis=0) for name, a in self.begin().items()
        }
        features, forecasts, scales = [], [], []
        for t in range(T):
            state, step = self.advance(state, padded[:, t])
            ahead, scale = self.forecast(state)
            features.append(step)
            forecasts.append(ahead)
            scales.append(scale)
        return tuple(np.stack(parts, 1) for parts in (features, forecasts, scales))


def _flatten(state: Arrays) -> Arrays:
    """Reshape arrays (n, C, ...) to (N, ...)."""
    return {k: a.reshape(-1, *a.shape[2:]) for k, a in state.items()}


def _unflatten(state: Arrays, n: int, C: int) -> Arrays:
    return {k: a.reshape(n, C, *a.shape[1:]) for k, a in state.items()}


# ---------------------------------------------------------------------- season


def _update_season(state, m, x, learns, counts):
    """Update the season of period m with values x (N, G).

    The deviation from the centered moving average of m steps is available half a period
    after a value.
    """
    t, half = state["age"], m // 2
    recent = np.concatenate([state[f"recent_{m}"][:, 1:], x[:, None]], axis=1)
    recent = np.where(counts[:, None, None], recent, state[f"recent_{m}"])
    weights = np.full(m + 1, 1 / m)
    weights[0] = weights[0] / 2 if m % 2 == 0 else 0
    weights[-1] = weights[-1] / 2 if m % 2 == 0 else weights[-1]
    deviation = recent[:, m - half] - np.einsum("k,nkg->ng", weights, recent)
    rows, phase, seen = np.arange(len(t)), (t - half) % m, np.maximum(t - m, 0) // m
    season, within = state[f"season_{m}"].copy(), state[f"within_{m}"]
    surprise = deviation - season[rows, phase]
    known = learns & (t >= m)
    surprise = _clip_outliers(surprise, season[..., 1], within, t, m)
    weight = np.maximum(1 / (seen[:, None] + 1), SEASON_SMOOTHING[: x.shape[1]])
    season[rows, phase] += np.where(known[:, None], weight * surprise, 0)
    within = within + np.where(known, surprise[:, 1] ** 2 * seen / (seen + 1), 0)
    strength = _season_strength(season[..., 1], within, t + 1)
    state[f"recent_{m}"], state[f"season_{m}"] = recent, season
    state[f"within_{m}"] = within
    state[f"strength_{m}"] = np.where(known, strength, state[f"strength_{m}"])
    # a season stays available, even while its strength is 0
    state[f"known_{m}"] = state[f"known_{m}"] | (known & (t + 1 >= 2 * m))


def _restart_levels(state, m, begins):
    """Recompute levels and errors of the rows (N,) whose season becomes available.

    So far the level has followed the season. It is smoothed again over the values of
    the last period, now without their season. From here on the errors decide whether
    the season is used.
    """
    steps = state["age"][:, None] + np.arange(-m, 0)
    d = state[f"recent_{m}"][:, :-1] - _seasonal(state, m, steps)
    level = np.repeat(d[:, 0, :, None], len(LEVEL_SMOOTHING), axis=2)
    for k in range(1, m):
        level = level + LEVEL_SMOOTHING * (d[:, k, :, None] - level)
    seasonal = begins[:, None, None] & (np.arange(d.shape[2]) > 0)[:, None]
    state["levels"] = np.where(seasonal, level, state["levels"])
    without = SEASON_PREFERRED * state["errors"][:, :1]
    state["errors"] = np.where(seasonal, without, state["errors"])


def _clip_outliers(surprise, season, within, n_steps, m):
    """Limit deviations (N, G) from a season (N, m) to a multiple of the noise."""
    noise = np.sqrt(within / np.maximum(n_steps - 2 * m, 1))
    noise = np.maximum(noise, LEAST_NOISE * season.std(axis=1))
    limit = np.where((n_steps >= 3 * m) & (noise > 0), OUTLIER * noise, np.inf)
    return np.clip(surprise, -limit[:, None], limit[:, None])


def _season_strength(season, within, n_steps):
    """Compute shrinkage factors (N,) of seasons (N, m) estimated from ``n_steps``."""
    m = season.shape[1]
    complete = n_steps // m - 1  # deviations of each phase
    between = season.var(axis=1, ddof=1) * np.maximum(complete, 1)
    noise = within / np.maximum(n_steps - 2 * m, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        strength = np.where(noise > 0, np.maximum(0, 1 - noise / between), 1)
    strength = np.where(between > 0, strength, 0)
    return np.where(complete < 2, complete >= 1, strength)


def _seasonal(state, m, steps):
    """Return the season (N, k, G) at ``steps`` (N, k); 0 for the first variant."""
    season = state[f"season_{m}"]
    season = season - season.mean(axis=1, keepdims=True)
    season = season * state[f"strength_{m}"][:, None, None]
    season[..., 0] = 0
    return np.take_along_axis(season, (steps % m)[:, :, None], axis=1)


# ---------------------------------------------------------------------- level and slope


def _learn(state, d, errors, learns, started):
    """Update the errors, the line and the spread after values d (N, G)."""
    learning = learns[:, None, None]
    scored = learning & started[:, None, None]
    state["errors"] = np.where(
        scored, FORGETTING * state["errors"] + np.abs(errors), state["errors"]
    )
    state["n_errors"] = np.where(
        scored[:, 0, 0], FORGETTING * state["n_errors"] + 1, state["n_errors"]
    )
    t = state["age"] - 1.0
    times = np.stack([np.ones_like(t), t, t * t], axis=1)
    state["times"] = state["times"] + np.where(learns[:, None], times, 0)
    line = np.stack([d, t[:, None] * d], axis=2)
    state["line"] = state["line"] + np.where(learning, line, 0)
    mean, squares = state["spread"][..., 0], state["spread"][..., 1]
    step = (d - mean) / np.maximum(state["times"][:, :1], 1)
    spread = np.stack([mean + step, squares + (d - mean) * (d - mean - step)], axis=2)
    state["spread"] = np.where(learning, spread, state["spread"])


def _slopes(state):
    """Return the slopes (N, G) of lines fitted to all values."""
    (n, t, tt), (d, td) = state["times"].T, np.moveaxis(state["line"], 2, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        slopes = (n[:, None] * td - t[:, None] * d) / (n * tt - t * t)[:, None]
    return np.where(n[:, None] >= 3, slopes, 0)


def _drifts(state):
    """Return the expected change of the level per step, (N, G, A)."""
    slopes = _slopes(state)[..., None]
    n = np.maximum(state["times"][:, 0], 2)[:, None, None]
    mean_error = state["errors"] / np.maximum(state["n_errors"], 1)[:, None, None]
    variance = np.pi / 2 * mean_error**2 * (LEVEL_SMOOTHING**2 / n + 12 / n**3)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.maximum(0, 1 - variance / slopes**2)
    return SLOPE_SHARE * slopes * np.where(slopes == 0, 0, share)


def _choose(state):
    """Return flat indices (N,) of variants and constants with the smallest errors."""
    return state["errors"].reshape(len(state["errors"]), -1).argmin(axis=1)


def _take(array, chosen):
    """Take the chosen entries (N,) of an array (N, G, A)."""
    return array.reshape(len(array), -1)[np.arange(len(array)), chosen]


def _scales(state, chosen):
    """Return the mean absolute error one step ahead, (N,); 0 without any error."""
    return _take(state["errors"], chosen) / np.maximum(state["n_errors"], 1)


def _features(state, d, errors, known):
    """Return features (N, 4): error, deviation from the level, slope, z-score."""
    chosen = _choose(state)
    variant = chosen // len(LEVEL_SMOOTHING)
    rows = np.arange(len(variant))
    d, scale = d[rows, variant, 0], _scales(state, chosen)
    mean, squares = state["spread"][rows, variant].T
    deviation = np.sqrt(squares / np.maximum(state["times"][:, 0], 1))
    scale, deviation = (np.where(s > 0, s, np.inf) for s in (scale, deviation))
    features = np.stack(
        [
            _take(errors, chosen) / scale,
            (d - _take(state["levels"], chosen)) / scale,
            _slopes(state)[rows, variant] / scale,
            (d - mean) / deviation,
        ],
        axis=1,
    )
    return np.where(known[:, None], features, 0)
