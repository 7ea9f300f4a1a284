"""The baselines of forecasts as torch modules, which torch can export.

They compute what the classes of :mod:`_values` and :mod:`_theta` compute with numpy.
Shapes: n series, N = n * C channels of them, T steps, h steps that are forecast at
once, C channels, Q quantiles (1 for a point forecast), G variants of smoothing a
season, A smoothing constants of the level.
"""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_rnn._nn.standard import to_buffer
from sklearn_rnn.forecasting._theta import (
    FORGETTING,
    LARGEST_LOG,
    LEAST_NOISE,
    LEVEL_SMOOTHING,
    OUTLIER,
    SEASON_PREFERRED,
    SEASON_SMOOTHING,
    SLOPE_SHARE,
    ThetaBaseline,
)
from sklearn_rnn.forecasting._values import StandardizedValues

State = dict[str, Tensor]


class BaselineReader(nn.Module, ABC):
    """A baseline that reads series step by step."""

    fill: Tensor
    rows_per_series: int  # rows of the state

    def __init__(self, baseline: Any) -> None:
        super().__init__()
        self.horizon, self.lag = baseline.horizon, baseline.lag
        self.shrinkage = baseline.shrinkage
        self.register_buffer("fill", to_buffer(baseline.fill))

    @abstractmethod
    def begin(self, n: int) -> State:
        """Return the state before the first step of n series."""

    @abstractmethod
    def advance(self, state: State, values: Tensor) -> tuple[State, Tensor]:
        """Return the state after values (n, C), and the features (n, F) of the step."""

    @abstractmethod
    def decode(self, state: State, outputs: Tensor) -> Tensor:
        """Turn outputs (n, h, C, Q) into forecasts in the unit of the series."""

    def forward(self, x: Tensor, valid: Tensor) -> tuple[State, Tensor]:
        """Read the ``valid`` (n, T) steps of x (n, T, C).

        Returns the state after the last valid step of each series, and features
        (n, T, F).
        """

        state, series = self.begin(x.shape[0]), (x.transpose(0, 1), valid.t())
        if torch.compiler.is_exporting():
            from torch._higher_order_ops.scan import scan  # for any number of steps

            state, features = scan(
                lambda before, inputs: self.step(before, *inputs), state, series
            )
        else:
            steps = []
            for inputs in zip(*series, strict=True):
                state, features = self.step(state, *inputs)
                steps.append(features)
            features = torch.stack(steps)
        return state, features.transpose(0, 1)

    def step(self, state: State, values: Tensor, valid: Tensor) -> tuple[State, Tensor]:
        """Read values (n, C); only ``valid`` (n,) series advance."""
        new, features = self.advance(state, values)
        rows = valid.unsqueeze(1).expand(-1, self.rows_per_series).reshape(-1)
        after = {
            name: select(expand_as(rows, part), part, state[name])
            for name, part in new.items()
        }
        return after, features.clone()

    def shrink(self, outputs: Tensor) -> Tensor:
        """Shrink the median of outputs (..., Q), and shift the quantiles with it."""
        if self.shrinkage is None:
            return outputs
        median = outputs[..., outputs.shape[-1] // 2].unsqueeze(-1)
        return outputs - (1 - self.shrinkage) * median


class ValuesReader(BaselineReader):
    """The features and forecasts of :class:`StandardizedValues`."""

    mean: Tensor | None
    scale: Tensor | None
    rows_per_series = 1

    def __init__(self, baseline: StandardizedValues) -> None:
        super().__init__(baseline)
        self.residual = baseline.residual
        known = baseline.mean is not None and baseline.scale is not None
        for name in ("mean", "scale"):
            numbers = getattr(baseline, name)
            self.register_buffer(name, to_buffer(numbers) if known else None)

    def begin(self, n: int) -> State:
        C = len(self.fill)
        state = {
            "recent_values": self.fill.expand(n, self.lag + 1, C).clone(),
            "n_values": torch.zeros(n, dtype=torch.int64, device=self.fill.device),
        }
        if self.mean is None:
            state["moments"] = self.fill.new_zeros(n, 3, C)
        return state

    def advance(self, state: State, values: Tensor) -> tuple[State, Tensor]:
        missing, recent = values.isnan(), state["recent_values"]
        current = torch.where(missing, recent[:, min(self.lag, 1)], values)
        recent = torch.cat([recent[:, 1:], current.unsqueeze(1)], 1)
        new = {"recent_values": recent, "n_values": state["n_values"] + 1}
        latest = recent[:, -1] - recent[:, 0] if self.lag else current
        if self.mean is None:
            counts = ~missing & (new["n_values"] > self.lag).unsqueeze(1)
            new["moments"] = _update_moments(state["moments"], latest, counts)
        mean, scale = self._statistics(new)
        return new, (latest - mean) / scale

    def decode(self, state: State, outputs: Tensor) -> Tensor:
        recent, (origin, scale) = state["recent_values"], self._statistics(state)
        outputs = self.shrink(outputs)
        if self.residual:
            origin = recent[:, -1] - recent[:, 0] if self.lag else recent[:, -1]
        origin, scale = (part.unsqueeze(-2).unsqueeze(-1) for part in (origin, scale))
        values = outputs * scale + origin
        if not self.lag:
            return values
        n_blocks = -(-self.horizon // self.lag)
        missing = n_blocks * self.lag - self.horizon
        values = nn.functional.pad(values, (0, 0, 0, 0, 0, missing))
        blocks = values.unflatten(1, (n_blocks, self.lag)).cumsum(1)
        blocks = blocks + recent[:, None, 1:, :, None]
        return blocks.flatten(1, 2)[:, : self.horizon]

    def _statistics(self, state: State) -> tuple[Tensor, Tensor]:
        """Return the mean and scale, (C,) or (n, C)."""
        if self.mean is not None and self.scale is not None:
            return self.mean, self.scale
        number, mean, squares = state["moments"].unbind(1)
        scale = take_root(squares / number.clamp(min=1))
        return mean, torch.where(scale > 1e-12 * mean.abs(), scale, 1.0)


def _update_moments(moments: Tensor, x: Tensor, counts: Tensor) -> Tensor:
    """Update number, mean and sum of squared deviations (n, 3, C) with x (n, C)."""
    number, mean, squares = moments.unbind(1)
    number = number + counts
    step = torch.where(counts, x - mean, 0) / number.clamp(min=1)
    squares = squares + torch.where(counts, (x - mean) * (x - mean - step), 0)
    return torch.stack([number, mean + step, squares], 1)


class ThetaReader(BaselineReader):
    """The features and forecasts of :class:`ThetaBaseline`."""

    alpha: Tensor
    gamma: Tensor

    def __init__(self, baseline: ThetaBaseline) -> None:
        super().__init__(baseline)
        self.rows_per_series = len(baseline.fill)
        self.seasons, self.logarithm = baseline.seasons, baseline.logarithm
        self.G = baseline.n_variants
        self.register_buffer("alpha", to_buffer(LEVEL_SMOOTHING))
        self.register_buffer("gamma", to_buffer(SEASON_SMOOTHING[: self.G]))
        for m in self.seasons:
            self.register_buffer(f"weights_{m}", to_buffer(make_weights(m)))
        self._shapes = {
            name: (array.shape[2:], array.dtype)
            for name, array in baseline.begin().items()
        }

    def begin(self, n: int) -> State:
        N, device = n * self.rows_per_series, self.fill.device
        kinds = {"i": torch.int64, "b": torch.bool, "f": self.fill.dtype}
        return {
            name: torch.zeros(N, *shape, dtype=kinds[dtype.kind], device=device)
            for name, (shape, dtype) in self._shapes.items()
        }

    def advance(self, state: State, values: Tensor) -> tuple[State, Tensor]:
        n = values.shape[0]
        z = values.reshape(-1)
        learns, started = ~z.isnan(), state["age"] > 0
        expected = self._extrapolate(state, 1)[:, 0]
        expected = torch.where(started, expected, self.fill.repeat(n))
        z = torch.where(learns, z.log() if self.logarithm else z, expected)
        counts, new = started | learns, dict(state)
        d = z.unsqueeze(1).expand(-1, self.G)
        for m in self.seasons:
            d = self._remove_season(new, m, d, learns, counts)
        d = d.unsqueeze(2)  # (N, G, 1)
        drift = torch.where(learns.view(-1, 1, 1), 0, self._drifts(state))
        levels = new["levels"] + drift
        errors = torch.where(started.view(-1, 1, 1), d - levels, 0)
        followed = levels + self.alpha * errors
        new["levels"] = torch.where(started.view(-1, 1, 1), followed, d)
        new["n_values"] = state["n_values"] + 1
        new["age"] = state["age"] + counts
        _learn(new, d[..., 0], errors, learns, started)
        features = self._features(new, d, errors, learns)  # (N, 4)
        return new, features.reshape(n, self.rows_per_series * features.shape[1])

    def decode(self, state: State, outputs: Tensor) -> Tensor:
        n, C = outputs.shape[0], self.rows_per_series
        started = (state["age"] > 0).unsqueeze(1)
        fill = self.fill.repeat(n).unsqueeze(1)
        forecasts = torch.where(started, self._extrapolate(state, self.horizon), fill)
        forecasts = forecasts.view(n, C, self.horizon, 1).transpose(1, 2)
        scale = _scales(state, _choose(state)).view(n, 1, C, 1)
        values = forecasts + self.shrink(outputs) * scale
        return values.clamp(max=LARGEST_LOG).exp() if self.logarithm else values

    def _extrapolate(self, state: State, horizon: int) -> Tensor:
        """Extrapolate level, slope and seasons: (N, horizon)."""
        chosen = _choose(state)
        ahead = torch.arange(horizon, device=chosen.device)
        level, drift = (
            _take(part, chosen).unsqueeze(1)
            for part in (state["levels"], self._drifts(state))
        )
        forecasts = level + drift * (ahead + 1)
        variant = chosen // len(self.alpha)
        for m in self.seasons:
            season = self._seasonal(state, m, state["age"].unsqueeze(1) + ahead)
            index = variant.view(-1, 1, 1).expand(-1, horizon, 1)
            forecasts = forecasts + season.gather(2, index).squeeze(2)
        return forecasts

    # -------------------------------------------------------------------- season

    def _remove_season(
        self, state: State, m: int, d: Tensor, learns: Tensor, counts: Tensor
    ) -> Tensor:
        """Update the season of period m in ``state``; return values d without it."""
        before = state[f"known_{m}"]
        self._update_season(state, m, d, learns, counts)
        self._restart_levels(state, m, state[f"known_{m}"] & ~before)
        return d - self._seasonal(state, m, state["age"].unsqueeze(1))[:, 0]

    def _update_season(
        self, state: State, m: int, x: Tensor, learns: Tensor, counts: Tensor
    ) -> None:
        t, half = state["age"], m // 2
        recent = torch.cat([state[f"recent_{m}"][:, 1:], x.unsqueeze(1)], 1)
        recent = torch.where(counts.view(-1, 1, 1), recent, state[f"recent_{m}"])
        average = (recent * getattr(self, f"weights_{m}").view(1, -1, 1)).sum(1)
        deviation = recent[:, m - half] - average
        phase, seen = (t - half) % m, (t - m).clamp(min=0) // m
        season, within = state[f"season_{m}"], state[f"within_{m}"]
        index = phase.view(-1, 1, 1).expand(-1, 1, self.G)
        surprise = deviation - season.gather(1, index).squeeze(1)
        known = learns & (t >= m)
        surprise = _clip_outliers(surprise, season[..., 1], within, t, m)
        weight = torch.maximum(1 / (seen.unsqueeze(1) + 1).to(x.dtype), self.gamma)
        change = torch.where(known.unsqueeze(1), weight * surprise, 0)
        here = torch.arange(m, device=t.device) == phase.unsqueeze(1)
        season = season + here.unsqueeze(2) * change.unsqueeze(1)
        noise = surprise[:, 1] ** 2 * seen / (seen + 1)
        within = within + torch.where(known, noise, 0)
        strength = _season_strength(season[..., 1], within, t + 1)
        state[f"recent_{m}"], state[f"season_{m}"] = recent, season
        state[f"within_{m}"] = within
        state[f"strength_{m}"] = torch.where(known, strength, state[f"strength_{m}"])
        state[f"known_{m}"] = state[f"known_{m}"] | (known & (t + 1 >= 2 * m))

    def _restart_levels(self, state: State, m: int, begins: Tensor) -> None:
        """Smooth the levels of rows (N,) whose season becomes available again."""
        device = begins.device
        steps = state["age"].unsqueeze(1) + torch.arange(-m, 0, device=device)
        d = state[f"recent_{m}"][:, :-1] - self._seasonal(state, m, steps)
        # exponential smoothing of m values, with the first one as the initial level
        age = torch.arange(m - 1, -1, -1, device=device).unsqueeze(1)
        weights = self.alpha * (1 - self.alpha) ** age  # (m, A)
        weights = torch.cat([weights[:1] / self.alpha, weights[1:]])
        level = torch.einsum("nmg,ma->nga", d, weights)
        variant = torch.arange(self.G, device=device).view(1, -1, 1)
        seasonal = begins.view(-1, 1, 1) & (variant > 0)
        state["levels"] = torch.where(seasonal, level, state["levels"])
        without = SEASON_PREFERRED * state["errors"][:, :1]
        state["errors"] = torch.where(seasonal, without, state["errors"])

    def _seasonal(self, state: State, m: int, steps: Tensor) -> Tensor:
        """Return the season (N, k, G) at ``steps`` (N, k); 0 for the first variant."""
        season = state[f"season_{m}"]
        season = (season - season.mean(1, keepdim=True)) * state[f"strength_{m}"].view(
            -1, 1, 1
        )
        used = torch.arange(self.G, device=steps.device) > 0
        index = (steps % m).unsqueeze(2).expand(-1, -1, self.G)
        return (season * used).gather(1, index)

    # ------------------------------------------------------------ level and slope

    def _drifts(self, state: State) -> Tensor:
        """Return the expected change of the level per step, (N, G, A)."""
        slopes = _slopes(state).unsqueeze(2)
        n = state["times"][:, 0].clamp(min=2).view(-1, 1, 1)
        mean_error = state["errors"] / state["n_errors"].clamp(min=1).view(-1, 1, 1)
        variance = torch.pi / 2 * mean_error**2 * (self.alpha**2 / n + 12 / n**3)
        flat = slopes == 0
        share = (1 - variance / torch.where(flat, 1, slopes) ** 2).clamp(min=0)
        return SLOPE_SHARE * slopes * torch.where(flat, 0, share)

    def _features(
        self, state: State, d: Tensor, errors: Tensor, known: Tensor
    ) -> Tensor:
        """Return features (N, 4): error, deviation from the level, slope, z-score."""
        chosen = _choose(state)
        variant = (chosen // len(self.alpha)).unsqueeze(1)
        d = d[..., 0].gather(1, variant)[:, 0]
        slope = _slopes(state).gather(1, variant)[:, 0]
        index = variant.unsqueeze(2).expand(-1, 1, 2)
        mean, squares = state["spread"].gather(1, index)[:, 0].unbind(1)
        scale = _scales(state, chosen)
        deviation = take_root(squares / state["times"][:, 0].clamp(min=1))
        scale, deviation = (
            torch.where(part > 0, part, torch.inf) for part in (scale, deviation)
        )
        features = [
            _take(errors, chosen) / scale,
            (d - _take(state["levels"], chosen)) / scale,
            slope / scale,
            (d - mean) / deviation,
        ]
        return torch.where(known.unsqueeze(1), torch.stack(features, 1), 0)


def make_weights(m: int) -> np.ndarray:
    """Return the weights of a centered moving average of m steps, (m + 1,)."""
    weights = np.full(m + 1, 1 / m)
    weights[0] = weights[0] / 2 if m % 2 == 0 else 0
    weights[-1] = weights[-1] / 2 if m % 2 == 0 else weights[-1]
    return weights


def _clip_outliers(
    surprise: Tensor, season: Tensor, within: Tensor, n_steps: Tensor, m: int
) -> Tensor:
    """Limit deviations (N, G) from a season (N, m) to a multiple of the noise."""
    noise = take_root(within / (n_steps - 2 * m).clamp(min=1))
    noise = torch.maximum(noise, LEAST_NOISE * take_root(compute_variance(season, 0)))
    limited = (n_steps >= 3 * m) & (noise > 0)
    limit = torch.where(limited, OUTLIER * noise, torch.inf).unsqueeze(1)
    return torch.minimum(torch.maximum(surprise, -limit), limit)


def _season_strength(season: Tensor, within: Tensor, n_steps: Tensor) -> Tensor:
    """Compute shrinkage factors (N,) of seasons (N, m) estimated from ``n_steps``."""
    m = season.shape[1]
    complete = n_steps // m - 1
    between = compute_variance(season, 1) * complete.clamp(min=1)
    noise = within / (n_steps - 2 * m).clamp(min=1)
    varies = between > 0
    strength = (1 - noise / torch.where(varies, between, 1)).clamp(min=0)
    strength = torch.where(varies, torch.where(noise > 0, strength, 1), 0)
    few = (complete >= 1).to(strength.dtype)
    return torch.where(complete < 2, few, strength)


def _learn(
    state: State, d: Tensor, errors: Tensor, learns: Tensor, started: Tensor
) -> None:
    """Update the errors, the line and the spread after values d (N, G)."""
    learning, scored = learns.view(-1, 1, 1), learns & started
    state["errors"] = torch.where(
        scored.view(-1, 1, 1),
        FORGETTING * state["errors"] + errors.abs(),
        state["errors"],
    )
    state["n_errors"] = torch.where(
        scored, FORGETTING * state["n_errors"] + 1, state["n_errors"]
    )
    t = state["age"] - 1.0
    t = t.to(d.dtype)
    times = torch.stack([torch.ones_like(t), t, t * t], 1)
    state["times"] = state["times"] + torch.where(learns.unsqueeze(1), times, 0)
    line = torch.stack([d, t.unsqueeze(1) * d], 2)
    state["line"] = state["line"] + torch.where(learning, line, 0)
    mean, squares = state["spread"].unbind(2)
    step = (d - mean) / state["times"][:, :1].clamp(min=1)
    spread = torch.stack([mean + step, squares + (d - mean) * (d - mean - step)], 2)
    state["spread"] = torch.where(learning, spread, state["spread"])


def _slopes(state: State) -> Tensor:
    """Return the slopes (N, G) of lines fitted to all values."""
    n, t, tt = (part.unsqueeze(1) for part in state["times"].unbind(1))
    d, td = state["line"].unbind(2)
    enough = n >= 3
    slopes = (n * td - t * d) / torch.where(enough, n * tt - t * t, 1)
    return torch.where(enough, slopes, 0)


def _choose(state: State) -> Tensor:
    """Return flat indices (N,) of variants and constants with the smallest errors."""
    return state["errors"].flatten(1).argmin(1)


def _take(array: Tensor, chosen: Tensor) -> Tensor:
    """Take the chosen entries (N,) of an array (N, G, A)."""
    return array.flatten(1).gather(1, chosen.unsqueeze(1)).squeeze(1)


def _scales(state: State, chosen: Tensor) -> Tensor:
    """Return the mean absolute error one step ahead, (N,); 0 without any error."""
    return _take(state["errors"], chosen) / state["n_errors"].clamp(min=1)


def make_reader(baseline: StandardizedValues | ThetaBaseline) -> BaselineReader:
    """Return the torch module of a baseline."""
    if isinstance(baseline, ThetaBaseline):
        return ThetaReader(baseline)
    return ValuesReader(baseline)


def take_root(x: Tensor) -> Tensor:
    """Return the square root, with a derivative of 0 instead of infinity at 0."""
    is_zero = x == 0
    return torch.where(is_zero, 0, torch.where(is_zero, 1, x).sqrt())


def compute_variance(x: Tensor, correction: int) -> Tensor:
    """Compute variances of rows (N, m), without torch's warning if there are none."""
    squares = (x - x.mean(1, keepdim=True)).square()
    return squares.sum(1) / (x.shape[1] - correction)


def select(rows: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Return ``new`` where ``rows`` is True, and ``old`` elsewhere."""
    if new.dtype == torch.bool:  # which onnxruntime cannot select
        return (rows & new) | (~rows & old)
    return torch.where(rows, new, old)


def expand_as(rows: Tensor, like: Tensor) -> Tensor:
    """Add axes to ``rows`` (N,), so that it is broadcast to ``like`` (N, ...)."""
    return rows.view(-1, *[1] * (like.ndim - 1))
