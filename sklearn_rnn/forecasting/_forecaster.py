"""RNNForecaster: forecasts of time series from their past."""

from dataclasses import replace
from functools import partial
from numbers import Integral, Real

import numpy as np
from sklearn.callback import with_callbacks
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.device import resolve_dtype
from sklearn_rnn._core.drafts import draft, snapshot
from sklearn_rnn._core.randomness import (
    SPLIT,
    draw_seed,
    numpy_generator,
)
from sklearn_rnn._core.scalars import check_integer, check_number, is_integer
from sklearn_rnn._core.sklearn_private import (
    Interval,
    StrOptions,
    _check_feature_names,
    _fit_context,
)
from sklearn_rnn._core.threads import limit_threads
from sklearn_rnn._data.series import read_series
from sklearn_rnn._nn.builders import build_network
from sklearn_rnn._training.estimator import NetworkEstimator
from sklearn_rnn._training.parameters import constraints_of
from sklearn_rnn.forecasting._calibration import calibrate, calibrate_on_twin
from sklearn_rnn.forecasting._encoding import SeriesEncoding, fit_encoding, take_median
from sklearn_rnn.forecasting._intervals import (
    QuantileIntervals,
    check_quantiles,
)
from sklearn_rnn.forecasting._losses import (
    MaskedLoss,
    QuantileLoss,
    score_outputs,
)
from sklearn_rnn.forecasting._reading import (
    check_lengths,
    count_exog,
    read_exog,
    read_request,
)
from sklearn_rnn.forecasting._rollout import SeriesNetwork
from sklearn_rnn.forecasting._stream_adapter import SeriesStreamAdapter
from sklearn_rnn.forecasting._windows import make_windows, split_windows
from sklearn_rnn.streaming._stream import Stream


class RNNForecaster(NetworkEstimator):
    r"""Forecast time series with a recurrent network, to any horizon.

    The network reads a series step by step and forecasts the next steps after each. It
    keeps its state: forecasts are fed back to forecast later steps, and :meth:`update`
    reads new values as they arrive.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"} or callable, default="gru"
        Type of the recurrent cell. A callable ``cell(input_size, hidden_size)`` must
        return a torch module whose ``forward(x, state)`` returns ``(outputs, state)``.
        There, x has the shape ``(n_sequences, n_timesteps, input_size)``, outputs the
        shape ``(n_sequences, n_timesteps, hidden_size)``, and the initial state is
        None. An output may depend only on the steps of its own sequence up to its own
        time, because shorter sequences of a batch end in steps of zeros: a cell that
        reads later steps raises an error, and batch normalisation would learn from the
        zeros.
    hidden_size : int, default=64
        Number of units in each layer. More units make the network more expressive and
        slower to train.
    window : int, default=40
        Length of the training windows in time steps. One window starts at each step of
        a series. The window limits how far back training looks, but not how long a past
        can be given to ``predict``.
    horizon : int, default=1
        Number of steps that the network forecasts at once. ``predict`` reaches further
        by feeding forecasts back as if they had been observed.
    target : {"all", "last"}, default="all"
        Which forecasts of a window are trained: "all" trains those after each of its
        steps, "last" only those after its last step.
    differencing : int or None, default=None
        Lag of the differences that are read and forecast in place of the values: 1 for
        a random walk, the length of the period for a series with trend and season.
        Forecasts are summed up again. None reads and forecasts the values themselves.
    residual : bool, default=False
        Whether to forecast the change from the last value (or the last difference)
        instead of the value.
    scaling : bool, default=True
        Whether to standardise each channel (or its differences) and each exogenous
        variable by its mean and standard deviation in training. Forecasts are in the
        unit of X in either case.
    loss : {"squared_error", "absolute_error", "huber"}, default="squared_error"
        Loss that training minimises, computed on scaled values (see ``scaling``).
        Ignored if ``intervals="quantile"``, which has a loss of its own.
    intervals : {"conformal", "quantile"} or None, default="conformal"
        Method behind :meth:`predict_interval` and :meth:`sample_paths`. "conformal"
        uses errors of forecasts on the latest part of a single series, or on some of
        several series, made by a second network that was not trained on them. ``fit``
        trains both networks; under ``early_stopping`` the validation part is used
        instead and there is no second network. "quantile" trains the network with the
        pinball loss to predict ``quantiles`` in place of a mean. None provides neither
        intervals nor paths.
    quantiles : tuple of float, default=(0.025, 0.1, 0.5, 0.9, 0.975)
        Quantiles that the network predicts if ``intervals="quantile"``: an odd number
        of increasing levels with 0.5 in the middle.
    calibration_fraction : float in (0, 1), default=0.3
        Fraction of the steps of a single series, or of several series, on which the
        errors for ``intervals="conformal"`` are measured.
    num_layers : int, default=1
        Number of stacked recurrent layers. Each layer reads the outputs of the layer
        below it.
    activation : {"tanh", "relu"}, default="tanh"
        Activation function of the simple cell, ``cell="rnn"``. The other cells have
        fixed activation functions and ignore it.
    dropout : float in [0, 1), default=0.0
        Fraction of values that are set to zero during training, between layers and
        before the output layer. Larger values regularise more strongly; 0 disables
        dropout.
    max_epochs : int, default=30
        Maximum number of passes over the training windows. Training stops earlier if
        the loss does not improve for ``n_iter_no_change`` epochs.
    batch_size : int, default=32
        Number of windows per training step.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"} or type, default="adamw"
        Optimizer, as a name or as a subclass of ``torch.optim.Optimizer``. "adam" and
        "adamw" are the same, because ``weight_decay`` is decoupled under each
        optimizer; they use ``eps=1e-6``. "sgd" uses Nesterov momentum of 0.9.
    learning_rate : float or "auto", default="auto"
        Initial learning rate. Larger values train faster, but training can diverge.
        "auto" is 0.1 for "sgd" and 0.01 for all other optimizers.
    learning_rate_schedule : str or callable, default="constant"
        How the learning rate changes over the epochs. "constant" keeps it. "plateau"
        halves it when the loss (the validation loss under early stopping) has not
        decreased for 4 epochs. "cosine" lowers it to 0 along half a cosine over
        ``max_epochs``. A callable receives the number of the epoch, counted from 0 in
        each fit, and returns a factor for ``learning_rate``.
    weight_decay : float or "auto", default="auto"
        Weight decay. After each step, whatever the optimizer, all weights except biases
        are multiplied by ``1 - learning_rate * weight_decay``. Nothing is added to the
        gradient: for the L2 penalty of torch's optimizers, give a subclass with a
        penalty of its own. Larger values regularise more strongly; 0 disables weight
        decay. "auto" is 0.01 for "sgd" and 0.1 for all other optimizers. With a
        ``learning_rate`` above that of "auto" it is smaller in proportion.
    average : bool, default=True
        Whether to predict with a weighted average of the weights over all training
        steps instead of the weights of the last step, which fluctuate. Later steps
        count more: of t steps, step s counts in proportion to about ``(s / t) ** 3``
        (Shamir and Zhang, ICML 2013).
    gradient_clip : float or None, default=1.0
        Maximum norm of the gradient. A gradient with a larger norm is scaled down to
        this norm. None disables clipping.
    early_stopping : bool, default=False
        Whether to stop when the validation loss has not improved for
        ``n_iter_no_change`` epochs, and to keep the weights of the epoch with the
        lowest validation loss. The validation windows are set by
        ``validation_fraction``. If False, training uses all windows and stops when the
        training loss has not improved for that many epochs. A warm start compares its
        own epochs only.
    validation_fraction : float in (0, 1) or CV splitter, default=0.1
        Fraction of the series that is held out under early stopping; of a single
        series, the fraction of its time steps that is held out at its end. If this is a
        splitter, it splits the series, and its last split is used.
    n_iter_no_change : int or "auto", default="auto"
        Number of consecutive epochs without an improvement of the loss by more than
        ``tol`` after which training stops. "auto" is a quarter of the epochs, but at
        least 5.
    tol : float, default=0.0001
        Minimum decrease of the loss that counts as an improvement.
    warm_start : bool, default=False
        Whether ``fit`` continues from the weights of the previous fit, for up to
        ``max_epochs`` further epochs, instead of starting anew. The learning rate,
        ``weight_decay``, ``dropout`` and ``callbacks`` may change between fits; the
        network and the optimizer may not.
    callbacks : list of skorch callbacks or None, default=None
        Callbacks of skorch, which are copied and then called during training. They find
        losses and scores in ``net.history``; ``dataset_train`` and ``dataset_valid``
        are None. If a callback raises KeyboardInterrupt, training ends and the
        estimator is fitted. Callbacks of scikit-learn are set with ``set_callbacks``
        instead.
    device : str, default="auto"
        Torch device, such as "cpu" or "cuda:1". "auto" uses a GPU if there is one,
        otherwise the CPU.
    precision : {"auto", "float32", "float64", "bfloat16"}, default="auto"
        Floating-point type of weights and states. "auto" is float64 if X is float64 and
        has at most 16,384 values, and float32 otherwise. float32 is about twice as fast
        as float64. "bfloat16" computes the recurrent layers in bfloat16; data, weights
        and output layer stay in float32.
    random_state : int, RandomState instance or None, default=None
        Seed of the random numbers that decide the initial weights, shuffling, dropout
        and the held-out series. Pass an int for results that can be reproduced.
    verbose : int, default=0
        Whether to print one line per epoch; 0 prints nothing.

    Attributes
    ----------
    n_features_in_ : int
        Channels of a series.
    feature_names_in_ : ndarray of str
        Their names, when fitted on a frame whose columns all have string names.
    n_iter_ : int
        Epochs run.
    loss_curve_ : list of float
        Mean training loss of each epoch.
    validation_scores_ : list of float or None
        Minus the mean absolute error of standardised values on the validation part
        after each epoch, under early stopping.
    best_validation_score_ : float or None
        Score at the epoch whose weights were kept, the one with the lowest loss.
    net_ : skorch.NeuralNet
        The trained net, with ``history``.

    See Also
    --------
    RNNRegressor : Predicts numbers from whole sequences, or at each of their steps.
    sklearn_rnn.sliding_windows : Cuts windows, for RNNRegressor or any regressor.
    sklearn_rnn.model_selection.WindowSplit : Cross-validation without leaks.

    Notes
    -----
    With channels x (standardised), exogenous variables e and the recurrent state h,

    .. math::
        h_t = f(x_t, e_{t+1}, \dots, e_{t+k}, h_{t-1}), \quad
        (\hat x_{t+1}, \dots, \hat x_{t+k}) = W h_t + b

    where k is ``horizon``. To go further, the network reads its forecasts in place of
    values. For a forecast it reads the whole past, in training one window at a time.
    There is a window from each step of a series on.

    A missing value is read as the last value before it. If any value was missing in
    training, the network is also told which values are. Missing values are not targets.

    Conformal intervals are the forecast plus and minus the split-conformal quantile of
    absolute errors the same number of steps ahead [1]_, taken over rolling origins.
    These errors depend on each other, so the coverage is approximate. Sampled paths add
    blocks of errors that are drawn from the same ones.

    References
    ----------
    .. [1] V. Vovk, A. Gammerman, G. Shafer, "Algorithmic learning in a random world",
       Springer, 2005; for series: C. Xu, Y. Xie, "Conformal prediction interval for
       dynamic time-series", ICML 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNForecaster
    >>> t = np.arange(300)
    >>> series = np.sin(t / 5) + 0.5 * np.sin(t / 3)
    >>> model = RNNForecaster(hidden_size=32, horizon=12, random_state=0)
    >>> forecast = model.fit(series[:250]).predict()
    >>> bool(np.abs(forecast - series[250:262]).mean() < 0.15)
    True

    A longer forecast, and one after new values:

    >>> model.predict(horizon=50).shape
    (50,)
    >>> model.update(series[250:280]).predict(horizon=20).shape
    (20,)
    """

    _parameter_constraints = {
        **constraints_of("RNNForecaster"),
        "horizon": [Interval(Integral, 1, None, closed="left")],
        "target": [StrOptions({"all", "last"})],
        "differencing": [Interval(Integral, 1, None, closed="left"), None],
        "residual": ["boolean"],
        "scaling": ["boolean"],
        "intervals": [StrOptions({"conformal", "quantile"}), None],
        "quantiles": ["array-like"],
        "calibration_fraction": [Interval(Real, 0, 1, closed="neither")],
    }

    _FIXED_ON_WARM_START = (
        *NetworkEstimator._FIXED_ON_WARM_START,
        "horizon",
        "target",
        "differencing",
        "residual",
        "scaling",
        "intervals",
        "quantiles",
    )

    _encoding: SeriesEncoding

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
        learning_rate="auto",
        learning_rate_schedule="constant",
        weight_decay="auto",
        average=True,
        gradient_clip=1.0,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change="auto",
        tol=0.0001,
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
        """Train the network to forecast the next steps of series.

        Parameters
        ----------
        X : array-like, frame, or list of them
            One series, of shape ``(n_timesteps,)`` or ``(n_timesteps, n_channels)``:
            rows are time. Several: a list of such, of any lengths, or an array
            ``(n_series, n_timesteps, n_channels)``. A missing value is NaN. The index
            of a Series or frame must be sorted and regular; forecasts continue it.
        y : None
            Ignored, for compatibility with scikit-learn.
        exog : array-like or list of arrays, default=None
            Exogenous variables, which are known for the future too: a row for each step
            of X, ``(n_timesteps, n_variables)`` for each series.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X or exog cannot be read, if a series is shorter than ``window``,
            ``horizon`` and ``differencing`` together, or if training diverges; the
            estimator is then as it was before.
        KeyboardInterrupt
            After an interrupt; the estimator then has the weights of the last finished
            epoch (or of the best one).
        """
        return self._fit(X, exog)

    def update(self, X, *, exog=None):
        """Append new steps to the known past, without training.

        Parameters
        ----------
        X : array-like, frame, or list of them
            The steps that follow, of each series given to ``fit``.
        exog : array-like or list of arrays, default=None
            Their exogenous variables.

        Returns
        -------
        self : object
            The estimator, whose forecasts now begin after X.

        Raises
        ------
        ValueError
            If X or exog cannot be read, or if X has other series than ``fit`` was
            given, or an index that does not follow; the estimator is then as it was
            before.
        """
        check_is_fitted(self)
        with draft(self) as new:
            series, exog = new._read(X, exog)
            if len(series) != len(new._state):
                raise ValueError(
                    f"X has {len(series)} series, but the forecaster knows "
                    f"{len(new._state)}. Give the next steps of each of them."
                )
            new._container = new._container.extend(series)
            new._state = new._series_network.read(series.values, exog, new._state)
        return self

    def predict(self, X=None, *, horizon=None, exog=None):
        """Forecast the next steps.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Past, of series that need not be those of ``fit``; all of it is read. None
            is the past given to ``fit`` and :meth:`update`.
        horizon : int, default=None
            Number of steps to forecast; None means the constructor's ``horizon``.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps to forecast, and with X those of its own
            steps before them, ``(n_timesteps + horizon, n_variables)`` for each series.

        Returns
        -------
        forecast : ndarray, Series or frame
            ``(horizon,)`` or ``(horizon, n_channels)`` for a single series, as X is,
            with the index continued; ``(n_series, horizon)`` or ``(n_series, horizon,
            n_channels)`` for several. In the unit of X.
        """
        fitted = snapshot(self)
        request = fitted._read_request(X, horizon, exog)
        return request.container.to_container(take_median(request.forecast()))

    def predict_interval(self, X=None, *, horizon=None, coverage=0.95, exog=None):
        """Forecast the next steps with prediction intervals.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Past, of series that need not be those of ``fit``; all of it is read. None
            is the past given to ``fit`` and :meth:`update`.
        horizon : int, default=None
            Number of steps to forecast; None means the constructor's ``horizon``.
        coverage : float in (0, 1), default=0.95
            Share of the values that should lie between the bounds, at each step.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps to forecast, and with X those of its own
            steps before them, ``(n_timesteps + horizon, n_variables)`` for each series.

        Returns
        -------
        interval : :class:`~sklearn.utils.Bunch`
            With ``prediction``, ``lower`` and ``upper``, each in the form that
            :meth:`predict` returns.

        Raises
        ------
        ValueError
            If ``intervals=None``, if too few errors are known for the coverage or the
            horizon, or if the quantiles of the coverage were not learned.
        """
        fitted = snapshot(self)
        intervals = fitted._require_intervals()
        check_number("coverage", coverage, above=0, below=1)
        request = fitted._read_request(X, horizon, exog)
        forecasts = request.forecast()
        bounds = request.compute_bounds(intervals, forecasts, coverage)
        prediction, lower, upper = (
            request.container.to_container(part)
            for part in (take_median(forecasts), *bounds)
        )
        return Bunch(prediction=prediction, lower=lower, upper=upper)

    def sample_paths(
        self, X=None, *, horizon=None, n_paths=100, exog=None, random_state=None
    ):
        """Sample possible continuations.

        With conformal intervals, an error drawn from the known ones is added to each
        block of ``horizon`` forecasts; with quantiles, values are drawn between the
        outermost ones. The sampled values are fed back.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Past, of series that need not be those of ``fit``; all of it is read. None
            is the past given to ``fit`` and :meth:`update`.
        horizon : int, default=None
            Number of steps to forecast; None means the constructor's ``horizon``.
        n_paths : int, default=100
            Number of paths to sample for each series.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps to forecast, and with X those of its own
            steps before them, ``(n_timesteps + horizon, n_variables)`` for each series.
        random_state : int, RandomState instance or None, default=None
            Determines the samples.

        Returns
        -------
        paths : ndarray of shape (n_paths, horizon)
            For several series with an axis of series after the first, and with a last
            axis of channels if X has one.

        Raises
        ------
        ValueError
            If ``intervals=None``, or if the series given to ``fit`` was too short to
            measure errors.
        """
        fitted = snapshot(self)
        intervals = fitted._require_intervals()
        check_integer("n_paths", n_paths, minimum=1)
        rng = np.random.default_rng(draw_seed(random_state))
        request = fitted._read_request(X, horizon, exog)
        return request.container.drop_axes(request.sample(intervals, n_paths, rng))

    def score(self, X, y=None, *, exog=None):
        """Minus the mean absolute error of forecasts from rolling origins inside X.

        After the first ``window`` steps (plus ``differencing``), ``horizon`` steps are
        forecast after each step and compared with the values of X.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Series of at least ``window + horizon`` steps (plus ``differencing``).
        y : None
            Ignored, for compatibility with scikit-learn.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps of X.

        Returns
        -------
        score : float
            In the unit of X; 0 is best.

        Raises
        ------
        ValueError
            If X or exog cannot be read, or if a series is too short.
        """
        check_is_fitted(self)
        fitted = snapshot(self)
        series, exog = fitted._read(X, exog)
        encoding = fitted._encoding
        check_lengths(series.lengths, encoding.window, encoding.horizon, encoding.lag)
        return fitted._series_network.score(series.values, exog)

    def stream(self, n_streams=1):
        """Open a stream, which reads series step by step and forecasts after each.

        Parameters
        ----------
        n_streams : int or None, default=1
            Number of series that are read at once; None is for any number by key.

        Returns
        -------
        stream : Stream
            Has read nothing at first. After each step it forecasts ``horizon`` steps,
            as :meth:`predict` does after all steps so far.

        Raises
        ------
        ValueError
            If the model was fitted with exogenous variables.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_rnn import RNNForecaster
        >>> series = np.sin(np.arange(100) / 3)
        >>> model = RNNForecaster(hidden_size=4, max_epochs=2, random_state=0)
        >>> stream = model.fit(series).stream()
        >>> for value in series[:50]:
        ...     forecast = stream.predict(value)
        >>> bool(np.allclose(forecast, model.predict(series[:50])))
        True
        """
        check_is_fitted(self)
        fitted = snapshot(self)
        adapter = SeriesStreamAdapter(
            fitted._series_network, fitted._container.has_channels
        )
        return Stream(adapter, n_streams)

    # ---------------------------------------------------------------- training

    @with_callbacks
    def _train(self, X, exog):
        """Read, build or continue, train, keep the outcome. Returns an interrupt."""
        continuing = self.warm_start and hasattr(self, "net_")
        series, exog = self._read(X, exog, reset=not continuing)
        values, (seed, split_rng) = series.values, self._draw_seeds(continuing)
        lag = self.differencing or 0
        check_lengths(series.lengths, self.window, self.horizon, lag)
        if continuing:
            encoding = replace(self._encoding, window=self.window)
        else:
            encoding = self._fit_encoding(values, exog)
        self._encoding = encoding
        train, valid = make_windows(encoding, values, exog, self._number_type), None
        if self.early_stopping:
            train, valid, held_out = split_windows(
                train, encoding, values, self.validation_fraction, split_rng
            )
        self._intervals = self._prepare_intervals(values, exog, seed)
        net = self._continue_net() if continuing else self._new_net(seed)
        interrupt = self._run(net, train, valid, seed, (X, None, None))
        if self.intervals == "conformal" and self.early_stopping:
            self._intervals = calibrate(self._series_network, values, exog, held_out)
        self._state = self._series_network.read(values, exog)
        self._container = replace(series, values=[])
        return interrupt

    def _fit_encoding(self, values, exog):
        """The encoding of series, with the levels of the quantiles to learn."""
        quantiles: tuple[float, ...] = (0.5,)
        if self.intervals == "quantile":
            quantiles = check_quantiles(self.quantiles, self.horizon, self.differencing)
        return fit_encoding(
            values,
            exog,
            scaling=self.scaling,
            window=self.window,
            last_only=self.target == "last",
            horizon=self.horizon,
            lag=self.differencing or 0,
            residual=self.residual,
            quantiles=quantiles,
        )

    def _prepare_intervals(self, values, exog, seed):
        """Intervals that do not depend on the network; None if there are none yet."""
        if self.intervals == "quantile":
            return QuantileIntervals(self._encoding.quantiles, self.horizon)
        if self.intervals is None or self.early_stopping:
            return None
        return calibrate_on_twin(
            partial(self._train_twin, seed),
            values,
            exog,
            self._encoding,
            self.calibration_fraction,
            numpy_generator(seed, SPLIT, 1),
        )

    def _train_twin(self, seed, values, exog):
        """A network like that of this estimator, trained on other series."""
        encoding = replace(
            self._fit_encoding(values, exog), tells_missing=self._encoding.tells_missing
        )
        twin = snapshot(self)
        twin.callbacks = None  # they follow the training of this estimator's network
        twin._encoding = encoding
        net = twin._new_net(seed)
        windows = make_windows(encoding, values, exog, self._number_type)
        options = twin._training_options(seed, None, self.max_epochs, False)
        with limit_threads(self._count_operations(self.batch_size)):
            interrupt = net.train(windows, None, options)
        if interrupt is not None:
            raise interrupt
        return SeriesNetwork(encoding, net.module_, self._number_type)

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
        """Checked series and their exogenous variables."""
        series = self._read_series(X, reset=reset)
        n_exog = count_exog(exog) if reset else self._encoding.n_exog
        return series, read_exog(exog, n_exog, series.lengths, "the steps of X")

    def _read_series(self, X, *, reset=False):
        """Series with the channels given to fit, which ``reset`` defines."""
        series = read_series(X)
        first = X if series.single else next(iter(X))
        if reset or series.single or hasattr(first, "columns"):
            _check_feature_names(self, first, reset=reset)
        if reset:
            self.n_features_in_ = series.n_channels
            n_values = int(sum(series.lengths)) * series.n_channels
            self._number_type = resolve_dtype(
                self.precision, series.values[0].dtype, n_values
            )
        if series.n_channels != self.n_features_in_:
            raise ValueError(
                f"X has {series.n_channels} channels, but RNNForecaster was fitted "
                f"with {self.n_features_in_}. Give the same channels as in fit."
            )
        return series

    def _read_request(self, X, horizon, exog):
        """A request to forecast what follows X, or the known past if X is None."""
        check_is_fitted(self)
        series, state = self._container, self._state
        if X is not None:
            if is_integer(X):
                raise ValueError(
                    f"X is the number {X}, but it has to be a series, or None for the "
                    f"past given to fit. Did you mean horizon={X}?"
                )
            series, state = self._read_series(X), None
        return read_request(self._series_network, series, state, horizon, exog)

    @property
    def _series_network(self):
        return SeriesNetwork(self._encoding, self.module_, self._number_type)

    def _require_intervals(self):
        """The intervals that fit prepared, or a ValueError."""
        check_is_fitted(self)
        if self._intervals is None:
            raise ValueError(
                "the model was fitted with intervals=None, so it has no intervals or "
                'paths. Set intervals="conformal" or "quantile" and fit again.'
            )
        return self._intervals

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.target_tags.required = False
        return tags
