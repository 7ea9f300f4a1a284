"""Base class of RNNForecaster: reading, training and calibration."""

import functools
from dataclasses import replace

import numpy as np
from sklearn.callback import with_callbacks
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.device import resolve_dtype
from sklearn_rnn._core.drafts import snapshot
from sklearn_rnn._core.randomness import (
    SPLIT,
    numpy_generator,
)
from sklearn_rnn._nn.builders import build_network
from sklearn_rnn._training.budget import FEWEST_EPOCHS_OF_WINDOWS, choose_epochs
from sklearn_rnn._training.estimator import NetworkEstimator
from sklearn_rnn.forecasting._baselines import (
    describe_baseline,
    find_season,
    fit_baseline,
    refit_encoding,
)
from sklearn_rnn.forecasting._calibration import (
    Calibration,
    calibrate,
    calibrate_on_twin,
    learn_ranks,
)
from sklearn_rnn.forecasting._encoding import SeriesEncoding, fit_encoding
from sklearn_rnn.forecasting._exog import learn_exog, read_exog
from sklearn_rnn.forecasting._intervals import check_quantiles
from sklearn_rnn.forecasting._losses import (
    MaskedLoss,
    QuantileLoss,
    score_outputs,
)
from sklearn_rnn.forecasting._reading import (
    check_bounds,
    check_known,
    check_no_number,
    check_within_bounds,
    fit_window,
    read_request,
    read_series_of,
)
from sklearn_rnn.forecasting._recent import keep_recent
from sklearn_rnn.forecasting._rollout import SeriesNetwork
from sklearn_rnn.forecasting._skill import set_shrinkage, warn_of_negative_skill
from sklearn_rnn.forecasting._windows import (
    hold_out_validation,
    make_windows,
    split_windows,
)


class BaseForecaster(NetworkEstimator):
    """A network that forecasts series, without its parameters and public methods."""

    _encoding: SeriesEncoding
    _number_type: np.dtype

    @with_callbacks
    def _train(self, X, exog, *, partial=False):
        """Read the series, build or continue the network, train and calibrate it.

        A ``partial`` training is one more epoch without held-out steps; it keeps the
        baseline and the calibration of the first training. Returns the interrupt that
        ended training, or None.
        """
        continuing = hasattr(self, "net_") and (partial or self.warm_start)
        series, exog = self._read(X, exog, reset=not continuing)
        values, (seed, split_rng) = series.values, self._draw_seeds(continuing)
        held_out, train_values, train_exog = None, values, exog
        if self.early_stopping and not partial:
            context = self.window + (self.differencing or 0)
            held_out = hold_out_validation(
                values, self.validation_fraction, context, self.horizon, split_rng
            )
            train_values = held_out.leave_out(values)
            train_exog = exog and held_out.leave_out(exog)
        if continuing:
            self._encoding = replace(self._encoding, window=self.window)
        else:
            self._encoding = self._fit_encoding(
                train_values, train_exog, series.common_step
            )
        self._encoding = fit_window(self._encoding, series)
        train, valid = self._make_windows(values, exog), None
        if held_out is not None:
            train, valid = split_windows(train, self._encoding, values, held_out)
        calibration = None
        if held_out is None and not (continuing and partial):
            calibration = self._calibrate(values, exog, seed, partial)
        net = self._continue_net() if continuing else self._new_net(seed)
        interrupt = self._run(net, train, valid, seed, (X, None, None), partial)
        if held_out is not None:
            conformal = self.intervals == "conformal"
            network = self._series_network
            calibration = calibrate(network, values, exog, held_out, conformal)
        if calibration is not None:
            self._keep(calibration, values, exog)
        self._state = self._series_network.read(values, exog)
        self._container = replace(series, values=[])
        self._recent = keep_recent(series)
        return interrupt

    def _fit_encoding(self, values, exog, step):
        """Fit the encoding of series, with the levels of the quantiles to learn."""
        quantiles: tuple[float, ...] = (0.5,)
        if self.intervals == "quantile":
            quantiles = check_quantiles(self.quantiles, self.horizon, self.differencing)
        return fit_encoding(
            values,
            exog,
            fit_baseline(self, values, step),
            window=self.window,
            last_only=self.target == "last",
            quantiles=quantiles,
            bounds=check_bounds(self.bounds),
            found_season=find_season(self.season, values, step),
        )

    def _make_windows(self, values, exog):
        return make_windows(self._encoding, values, exog, self._number_type)

    def _calibrate(self, values, exog, seed, partial):
        """Calibrate forecasts with a second network, unless that is not needed."""
        conformal = self.intervals == "conformal"
        if not conformal and self._encoding.baseline.shrinkage is None:
            return Calibration()
        return calibrate_on_twin(
            functools.partial(self._train_twin, seed, partial),
            values,
            exog,
            self._encoding,
            self.calibration_fraction,
            numpy_generator(seed, SPLIT, 1),
            conformal,
            # after a single epoch, the shrinkage would be that of an untrained network
            measures_shrinkage=not partial,
        )

    def _keep(self, calibration, values, exog):
        """Store the calibration, and warn of forecasts worse than the naive one."""
        network = set_shrinkage(self._series_network, calibration.shrinkage)
        self._encoding, self._intervals = network.encoding, calibration.intervals
        self.__dict__.update(
            describe_baseline(self._encoding), skill_=calibration.skill
        )
        warn_of_negative_skill(self.skill_, self._encoding.season)
        if self.intervals == "quantile":
            self._intervals = learn_ranks(self._series_network, values, exog)

    def _train_twin(self, seed, partial, values, exog):
        """Train a network with the same settings on other series."""
        twin = snapshot(self)
        twin.callbacks = None  # they belong to the training of the main network
        twin._encoding = refit_encoding(self._encoding, values, exog)
        net, windows = twin._new_net(seed), twin._make_windows(values, exog)
        epochs = 1 if partial else self._count_epochs(windows)
        options = twin._training_options(seed, None, epochs, partial)
        interrupt = self._train_net(net, windows, None, options)
        if interrupt is not None:
            raise interrupt
        return SeriesNetwork(twin._encoding, net.module_, self._number_type)

    def _count_epochs(self, train):
        if self.max_epochs != "auto":
            return self.max_epochs
        return choose_epochs(self._count_batches(train), FEWEST_EPOCHS_OF_WINDOWS)

    def _build_module(self, **options):
        encoding = self._encoding
        return build_network(
            self.cell,
            encoding.n_inputs,
            self.hidden_size,
            encoding.n_outputs,
            pooling="last" if encoding.last_only else None,
            **options,
        )

    def _criterion(self):
        if self.intervals == "quantile":
            return QuantileLoss(self._encoding.quantiles)
        return MaskedLoss(self.loss)

    def _score_outputs(self, outputs, targets, weights):
        n_levels = len(self._encoding.quantiles)
        return score_outputs(outputs, targets, weights, n_levels)

    # ---------------------------------------------------------------- reading

    def _read(self, X, exog, *, reset=False):
        """Read and check series and their exogenous variables."""
        series = self._read_series(X, reset=reset)
        check_known(series)
        if reset:
            self._exog_variables = learn_exog(exog, series, self.calendar)
        return series, read_exog(exog, self._exog_variables, series)

    def _read_series(self, X, *, reset=False):
        """Read series with the channels given to fit; ``reset`` defines them."""
        step = None if reset else self._container.common_step
        series = read_series_of(self, X, reset=reset, step=step)
        if reset:
            n_values = int(sum(series.lengths)) * series.n_channels
            self._number_type = resolve_dtype(
                self.precision, series.values[0].dtype, n_values
            )
        bounds = check_bounds(self.bounds) if reset else self._encoding.bounds
        check_within_bounds(series, bounds)
        return series

    def _read_request(self, X, horizon, exog):
        """Read a request to forecast the steps after X; None is the stored past."""
        check_is_fitted(self)
        series, state = self._container, self._state
        if X is not None:
            check_no_number(X)
            series, state = self._read_series(X), None
        return read_request(
            self._series_network, series, state, horizon, exog, self._exog_variables
        )

    @property
    def _series_network(self):
        return SeriesNetwork(self._encoding, self.module_, self._number_type)

    def _require_intervals(self):
        """Return the intervals that fit calibrated; raise a ValueError without any."""
        check_is_fitted(self)
        if self._intervals is None:
            raise ValueError(
                "the model was fitted with intervals=None, so it provides no intervals "
                'or sampled paths. Set intervals="conformal" or "quantile" and fit '
                "again."
            )
        return self._intervals
