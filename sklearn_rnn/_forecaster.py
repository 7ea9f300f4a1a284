"""RNNForecaster: the past of series to their future."""

from dataclasses import replace
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import _fit_context
from sklearn.callback import with_callbacks
from sklearn.utils import Bunch
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_feature_names, check_is_fitted

from sklearn_rnn._base import NetworkEstimator
from sklearn_rnn._device import number_types, threads_for
from sklearn_rnn._forecasting import SeriesNetwork, learned_form
from sklearn_rnn._intervals import (
    LOSSES,
    MaskedLoss,
    QuantileLoss,
    at_levels,
    checked_quantiles,
    conformal_radii,
)
from sklearn_rnn._nn import build_network
from sklearn_rnn._random import (
    SPLIT,
    WEIGHTS,
    draw_seed,
    numpy_generator,
    torch_generator,
)
from sklearn_rnn._series import (
    check_follows,
    extended,
    number_of_variables,
    read_exog,
    read_series,
)
from sklearn_rnn._snapshot import hand_over, snapshot
from sklearn_rnn._training import Plan
from sklearn_rnn._validation import drawn_rows, split_rows
from sklearn_rnn._windowing import split_by_series, split_by_time, windows

PATHS = 1000  # that quantiles of a far future are taken of

CALIBRATED_WINDOWS = 10  # conformal intervals reach so many windows ahead, at most


class RNNForecaster(NetworkEstimator):
    _parameter_constraints = {
        **NetworkEstimator._parameter_constraints,
        "window": [Interval(Integral, 1, None, closed="left")],
        "horizon": [Interval(Integral, 1, None, closed="left")],
        "target": [StrOptions({"all", "last"})],
        "differencing": [Interval(Integral, 1, None, closed="left"), None],
        "residual": ["boolean"],
        "scaling": ["boolean"],
        "loss": [StrOptions(set(LOSSES))],
        "intervals": [StrOptions({"conformal", "quantile"}), None],
        "quantiles": ["array-like"],
        "calibration_fraction": [Interval(Real, 0, 1, closed="neither")],
    }

    _LASTING = (
        *(name for name in NetworkEstimator._LASTING if name != "embedding"),
        "horizon",
        "target",
        "differencing",
        "residual",
        "scaling",
        "intervals",
    )

    def __init__(
        self,
        cell="gru",
        hidden_size=64,
        *,
        window=40,
        horizon=1,
        target="all",
        differencing=None,
        residual=False,
        scaling=True,
        loss="squared_error",
        intervals="conformal",
        quantiles=(0.025, 0.1, 0.5, 0.9, 0.975),
        calibration_fraction=0.3,
        num_layers=1,
        activation="tanh",
        dropout=0.0,
        max_epochs=30,
        batch_size=32,
        optimizer="adamw",
        learning_rate=0.01,
        learning_rate_schedule="constant",
        weight_decay=0.1,
        average=True,
        gradient_clip=1.0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=20,
        tol=1e-4,
        warm_start=False,
        callbacks=None,
        device="auto",
        precision="auto",
        random_state=None,
        verbose=0,
    ):
        self.cell = cell
        self.hidden_size = hidden_size
        self.window = window
        self.horizon = horizon
        self.target = target
        self.differencing = differencing
        self.residual = residual
        self.scaling = scaling
        self.loss = loss
        self.intervals = intervals
        self.quantiles = quantiles
        self.calibration_fraction = calibration_fraction
        self.num_layers = num_layers
        self.activation = activation
        self.dropout = dropout
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.weight_decay = weight_decay
        self.average = average
        self.gradient_clip = gradient_clip
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.device = device
        self.precision = precision
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, *, exog=None):
        return self._fit(X, exog)

    def update(self, X, *, exog=None):
        check_is_fitted(self)
        draft = snapshot(self)
        series, exog = draft._read(X, exog)
        if len(series) != len(draft._known.rows):
            raise ValueError(
                f"X has {len(series)} series, but the forecaster knows "
                f"{len(draft._known.rows)}. Give what follows each of them."
            )
        if series.index is not None and draft._container.index is not None:
            check_follows(series.index, draft._container.index, "X")
        draft._known = draft._series_network.known(series.values, exog, draft._known)
        if draft._container.index is not None:
            index = extended(draft._container.index, series.lengths[0])
            draft._container = replace(draft._container, index=index)
        hand_over(draft, self)
        return self

    def predict(self, X=None, *, horizon=None, exog=None):
        fitted = snapshot(self)
        container, forecasts = fitted._forecasts(X, horizon, exog)
        return container.shaped(forecasts[..., fitted._form.n_quantiles // 2])

    def predict_interval(self, X=None, *, horizon=None, coverage=0.95, exog=None):
        fitted = snapshot(self)
        check_is_fitted(fitted)
        if not isinstance(coverage, Real) or not 0 < coverage < 1:
            raise ValueError(f"coverage={coverage!r}; expected a number in (0, 1).")
        if fitted.intervals is None:
            raise ValueError(
                "intervals=None leaves out what intervals need. Set "
                'intervals="conformal" or "quantile" and fit again.'
            )
        container, forecasts = fitted._forecasts(X, horizon, exog)
        middle = forecasts[..., fitted._form.n_quantiles // 2]
        if fitted.intervals == "conformal":
            radii = fitted._radii(middle.shape[1], coverage)
            lower, upper = middle - radii, middle + radii
        elif middle.shape[1] <= fitted._form.horizon:
            low, high = fitted._quantile_places(coverage)
            lower, upper = forecasts[..., low], forecasts[..., high]
        else:
            paths = fitted._paths(X, horizon, exog, PATHS, np.random.default_rng(0))[1]
            tails = (1 - coverage) / 2, (1 + coverage) / 2
            lower, upper = np.quantile(paths, tails, axis=0)
        shaped = [container.shaped(part) for part in (middle, lower, upper)]
        return Bunch(prediction=shaped[0], lower=shaped[1], upper=shaped[2])

    def sample_paths(
        self, X=None, *, horizon=None, n_paths=100, exog=None, random_state=None
    ):
        fitted = snapshot(self)
        check_is_fitted(fitted)
        if fitted.intervals is None:
            raise ValueError(
                "intervals=None leaves out what sampling needs. Set "
                'intervals="conformal" or "quantile" and fit again.'
            )
        rng = np.random.default_rng(draw_seed(random_state))
        container, paths = fitted._paths(X, horizon, exog, n_paths, rng)
        paths = paths if container.has_channels else paths[..., 0]
        return paths[:, 0] if container.single else paths

    def score(self, X, y=None, *, exog=None):
        check_is_fitted(self)
        fitted = snapshot(self)
        series, exog = fitted._read(X, exog)
        first = fitted._form.lag + fitted.window - 1
        fitted._check_lengths(series, "X")
        h = fitted._form.horizon
        network = fitted._series_network
        errors = [
            part[: len(part) - h + 1]  # from later origins not all is known
            for part in network.rolling_errors(series.values, exog, first, h)
        ]
        return -float(np.nanmean(np.abs(np.concatenate(errors, axis=None))))

    # ---------------------------------------------------------------- training

    @with_callbacks
    def _train(self, X, exog):
        """Read, build or continue, train, keep the outcome. Returns an interrupt."""
        continuing = hasattr(self, "net_") and self.warm_start
        if not continuing:
            wanted = self.intervals == "quantile"
            self._quantiles = checked_quantiles(self.quantiles) if wanted else (0.5,)
        series, exog = self._read(X, exog, reset=not continuing)
        values, seed = series.values, draw_seed(self.random_state)
        if not continuing:
            self._form = self._learned_form(values, exog)
        self._check_lengths(series, "X")
        train, valid = self._windows(self._form, values, exog), None
        if self.early_stopping:
            train, valid, cut = self._split(train, values, seed)
        conformal = self.intervals == "conformal"
        if conformal and not self.early_stopping:
            self._errors = self._errors_of_twin(values, exog, seed)
        net = self._continued_net() if continuing else self._new_net(self._form, seed)
        interrupt = self._run(net, train, valid, seed, (X, None, None), False)
        if conformal and self.early_stopping:
            self._errors = self._errors_after(self._series_network, values, exog, cut)
        self._known = self._series_network.known(values, exog)
        self._container = replace(series, values=[])
        return interrupt

    def _learned_form(self, values, exog):
        return learned_form(
            values,
            exog,
            horizon=self.horizon,
            lag=self.differencing or 0,
            residual=self.residual,
            scaling=self.scaling,
            n_quantiles=len(self._quantiles),
        )

    def _windows(self, form, values, exog):
        last_only = self.target == "last"
        return windows(form, values, exog, self.window, last_only, self._number_type)

    def _split(self, train, values, seed):
        """Training and validation windows, and the step or the series that validate."""
        fraction = self.validation_fraction
        if len(values) == 1:
            return split_by_time(train, self._form, len(values[0]), fraction)
        rng, rows = numpy_generator(seed, SPLIT), np.arange(len(values))
        if hasattr(fraction, "split"):
            _, held_out = split_rows(rows, fraction, rows, None, rng)
        else:
            held_out = drawn_rows(rows, fraction, rng)
        return *split_by_series(train, self._form, values, held_out), held_out

    def _new_net(self, form, seed):
        number, compute = number_types(self.precision, self._number_type)
        module = build_network(
            self.cell,
            form.n_inputs,
            self.hidden_size,
            form.n_outputs,
            generator=torch_generator(seed, WEIGHTS),
            dtype=getattr(torch, np.dtype(number).name),
            compute_dtype=compute if compute is torch.bfloat16 else None,
            num_layers=self.num_layers,
            activation=self.activation,
            dropout=self.dropout,
            pooling=None if self.target == "all" else "last",
        )
        return self._wrapped(module, self._criterion())

    def _criterion(self):
        if self.intervals == "quantile":
            return QuantileLoss(self._quantiles)
        return MaskedLoss(self.loss)

    def _score_outputs(self, outputs, targets, weights):
        """Minus the mean absolute error of standardised values."""
        outputs = outputs.reshape(*targets.shape, -1)[..., self._form.n_quantiles // 2]
        missed = (outputs - targets).abs().nan_to_num()
        known = (~torch.isnan(targets)).to(missed.dtype)
        if weights is not None:
            missed, known = missed * weights[:, None], known * weights[:, None]
        return -float(missed.sum() / known.sum())

    # ---------------------------------------------------------------- intervals

    def _errors_of_twin(self, values, exog, seed):
        """Errors of a twin network on what it was not trained on, or None if short.

        (origins, leads, C), of the last part of the only series or of some series.
        """
        if len(values) > 1:
            rng = numpy_generator(seed, SPLIT, 1)
            rows = np.arange(len(values))
            cut = drawn_rows(rows, self.calibration_fraction, rng)
            head = [values[i] for i in np.setdiff1d(rows, cut)]
            given = exog and [exog[i] for i in np.setdiff1d(rows, cut)]
        else:
            T = len(values[0])
            cut = T - int(np.ceil(self.calibration_fraction * T))
            if cut < self._shortest() or cut >= T - 1:
                return None
            head, given = [values[0][:cut]], exog and [exog[0][:cut]]
        form = self._learned_form(head, given)
        form = replace(form, tells_missing=self._form.tells_missing)
        net = self._new_net(form, seed)
        plan = Plan(
            epochs=self.max_epochs,
            batch_size=self.batch_size,
            seed=seed,
            schedule=self.learning_rate_schedule,
            gradient_clip=self.gradient_clip,
            patience=self.n_iter_no_change,
            tol=self.tol,
        )
        with threads_for(self._work(self.batch_size)):
            interrupt = net.train(self._windows(form, head, given), None, plan)
        if interrupt is not None:
            raise interrupt
        twin = SeriesNetwork(form, net.module_, self._number_type)
        return self._errors_after(twin, values, exog, cut)

    def _errors_after(self, network, values, exog, cut):
        """Errors at leads (origins, leads, C) from the step ``cut``, or of series."""
        if len(values) > 1:
            values, exog = [values[i] for i in cut], exog and [exog[i] for i in cut]
            first = network.form.lag + self.window - 1
        else:
            first = cut - 1
        leads = max(len(v) for v in values) - first - 1
        leads = min(leads, max(network.form.horizon, CALIBRATED_WINDOWS * self.window))
        errors = network.rolling_errors(values, exog, first, leads)
        return np.concatenate([e.reshape(-1, *e.shape[2:]) for e in errors])

    def _radii(self, horizon, coverage):
        if self._errors is None:
            raise ValueError(
                "the series given to fit was too short to set "
                f"calibration_fraction={self.calibration_fraction} of it aside and "
                f"train on the rest, which needs {self._shortest()} steps. Give more, "
                "or a smaller window or calibration_fraction."
            )
        if horizon > self._errors.shape[1]:
            raise ValueError(
                f"horizon={horizon}, but errors are known for "
                f"{self._errors.shape[1]} steps ahead. Fit a longer series or a larger "
                "calibration_fraction."
            )
        return conformal_radii(self._errors[:, :horizon], coverage)

    def _quantile_places(self, coverage):
        tails = np.array([(1 - coverage) / 2, (1 + coverage) / 2])
        distances = np.abs(np.array(self._quantiles)[:, None] - tails)
        if distances.min(axis=0).max() > 1e-6:
            raise ValueError(
                f"coverage={coverage} lies between the quantiles {tails.tolist()}, but "
                f"the network learned {list(self._quantiles)}. Name them in quantiles= "
                "and fit again."
            )
        return distances.argmin(axis=0)

    def _paths(self, X, horizon, exog, n_paths, rng):
        """A container, and paths (n_paths, n_series, horizon, C) drawn at random."""
        container, known, horizon, exog = self._asked(X, horizon, exog)
        if self.intervals == "conformal":
            self._radii(1, 0.5)
            errors = self._errors[:, : self._form.horizon]
            errors = errors[~np.isnan(errors).any(axis=(1, 2))]

            def noise(forecasts):
                return (
                    forecasts[..., 0]
                    + errors[rng.integers(len(errors), size=len(forecasts))]
                )
        else:
            levels = np.array(self._quantiles)

            def noise(forecasts):
                level = rng.uniform(levels[0], levels[-1], size=forecasts.shape[:-1])
                return at_levels(forecasts, levels, level)

        n = len(known.rows)
        paths = self._series_network.forecasts(known, horizon, exog, noise, n_paths)
        return container, paths[..., 0].reshape(n_paths, n, horizon, -1)

    # ---------------------------------------------------------------- reading

    def _read(self, X, exog, *, reset=False):
        """Series of the number type of the network, and their exogenous variables."""
        series = read_series(X)
        if series.single:
            _check_feature_names(self, X, reset=reset)
        if reset:
            self.n_features_in_ = series.n_channels
            number, _ = number_types(self.precision, series.values[0].dtype)
            self._number_type = np.dtype(number)
            if not series.single and hasattr(self, "feature_names_in_"):
                del self.feature_names_in_
        if series.n_channels != self.n_features_in_:
            raise ValueError(
                f"X has {series.n_channels} channels, but RNNForecaster was fitted "
                f"with {self.n_features_in_}."
            )
        if reset:
            self._n_exog = number_of_variables(exog)
        return series, read_exog(exog, self._n_exog, series.lengths, "X")

    def _shortest(self):
        """Steps of the shortest series that holds a window and what follows it."""
        return self.window + (self.differencing or 0) + self.horizon

    def _check_lengths(self, series, name):
        short = np.flatnonzero(series.lengths < self._shortest())
        if len(short):
            raise ValueError(
                f"series {short[0]} of {name} has {series.lengths[short[0]]} steps; "
                f"window={self.window}, horizon={self.horizon} and differencing="
                f"{self.differencing} need {self._shortest()} at least. Give longer "
                "series or a smaller window."
            )

    # ---------------------------------------------------------------- forecasting

    @property
    def _series_network(self):
        return SeriesNetwork(self._form, self.module_, self._number_type)

    def _asked(self, X, horizon, exog):
        """A container, what is known, how far to forecast, and exog of these steps."""
        check_is_fitted(self)
        horizon = self._form.horizon if horizon is None else horizon
        if (
            not isinstance(horizon, Integral)
            or isinstance(horizon, bool)
            or horizon < 1
        ):
            raise ValueError(f"horizon={horizon!r}; expected an integer of 1 or more.")
        if X is None:
            container, known = self._container, self._known
            lengths = np.full(len(known.rows), horizon)
            exog = read_exog(exog, self._n_exog, lengths, f"horizon={horizon}")
            return container, known, horizon, exog and np.stack(exog)
        series = read_series(X)
        lengths = series.lengths + horizon
        exog = read_exog(
            exog, self._n_exog, lengths, f"X and of the {horizon} after it"
        )
        past = exog and [e[:-horizon] for e in exog]
        series, past = self._read(X, past)
        shortest = self.window if self.target == "last" else 1 + self._form.lag
        if self._n_exog:
            shortest = max(shortest, self._form.horizon)
        if series.lengths.min() < shortest:
            raise ValueError(
                f"series {series.lengths.argmin()} of X has {series.lengths.min()} "
                f"steps; a forecast needs {shortest} at least."
            )
        known = self._series_network.known(series.values, past)
        return series, known, horizon, exog and np.stack([e[-horizon:] for e in exog])

    def _forecasts(self, X, horizon, exog):
        """A container, and forecasts (n_series, horizon, C, Q)."""
        container, known, horizon, exog = self._asked(X, horizon, exog)
        return container, self._series_network.forecasts(known, horizon, exog)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.target_tags.required = False
        return tags
