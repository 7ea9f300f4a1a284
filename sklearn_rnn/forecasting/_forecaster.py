"""RNNForecaster: the past of series to their future."""

from dataclasses import replace
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.callback import with_callbacks
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.device import number_type
from sklearn_rnn._core.drafts import commit, snapshot
from sklearn_rnn._core.randomness import (
    SPLIT,
    draw_seed,
    numpy_generator,
)
from sklearn_rnn._core.sklearn_private import (
    Interval,
    StrOptions,
    _check_feature_names,
    _fit_context,
)
from sklearn_rnn._core.threads import threads_for
from sklearn_rnn._data.series import (
    check_follows,
    extend_index,
    number_of_variables,
    read_exog,
    read_series,
)
from sklearn_rnn._nn.builders import build_network
from sklearn_rnn._training.estimator import NetworkEstimator
from sklearn_rnn._training.holdout import draw_holdout, split_rows
from sklearn_rnn._training.parameters import constraints_of
from sklearn_rnn.forecasting._encoding import SeriesNetwork, fit_encoding
from sklearn_rnn.forecasting._intervals import (
    Conformal,
    MaskedLoss,
    QuantileLoss,
    Quantiles,
    check_quantiles,
)
from sklearn_rnn.forecasting._stream_adapter import SeriesStreamAdapter
from sklearn_rnn.forecasting._windows import split_by_series, split_by_time, windows
from sklearn_rnn.streaming._stream import Stream

PATHS = 1000  # that quantiles of a far future are taken of

CALIBRATED_WINDOWS = 10  # conformal intervals reach so many windows ahead, at most


def check_horizon(horizon):
    """A number of steps to forecast, or a ValueError."""
    whole = isinstance(horizon, Integral) and not isinstance(horizon, bool)
    if not whole or horizon < 1:
        raise ValueError(f"horizon={horizon!r}; expected an integer of 1 or more.")
    return horizon


class RNNForecaster(NetworkEstimator):
    r"""Forecast time series with a recurrent network, to any horizon.

    The network reads a series step by step and says after each what comes next. It
    keeps its state: forecasts are fed back for those further on, and :meth:`update`
    moves on as values come in.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"} or callable, default="gru"
        Type of the recurrent cell. A callable ``cell(input_size, hidden_size)`` must
        return a torch module whose ``forward(x, state)`` returns ``(outputs, state)``.
        There, x has the shape ``(n_sequences, n_timesteps, input_size)``, outputs the
        shape ``(n_sequences, n_timesteps, hidden_size)``, and the initial state is
        None.
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
        "adamw" use ``eps=1e-6``; "sgd" uses Nesterov momentum of 0.9.
    learning_rate : float, default=0.01
        Initial learning rate. Larger values train faster, but training can diverge.
    learning_rate_schedule : str or callable, default="constant"
        How the learning rate changes over the epochs. "constant" keeps it. "plateau"
        halves it when the loss (the validation loss under early stopping) has not
        decreased for 4 epochs. "cosine" lowers it to 0 along half a cosine over
        ``max_epochs``. A callable receives the number of the epoch, counted from 0 in
        each fit, and returns a factor for ``learning_rate``.
    weight_decay : float, default=0.1
        Weight decay of the optimizer, applied to all weights. "adamw" multiplies them
        by ``1 - learning_rate * weight_decay`` in each step; the other named optimizers
        add ``weight_decay`` times the weights to the gradient. Larger values regularise
        more strongly; 0 disables weight decay.
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
    n_iter_no_change : int, default=20
        Number of consecutive epochs without an improvement of the loss by more than
        ``tol`` after which training stops.
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
        float32 otherwise. float32 is about twice as fast as float64. "bfloat16"
        computes the recurrent layers in bfloat16; data, weights and output layer stay
        in float32.
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
        The one of the epoch whose weights were kept, that of the lowest loss.
    net_ : skorch.NeuralNet
        The trained net, with ``history``.

    See Also
    --------
    RNNRegressor : Numbers from whole sequences, or from each step of them.
    sklearn_rnn.sliding_windows : Windows for it, or for any regressor.
    sklearn_rnn.model_selection.WindowSplit : Cross-validation without leaks.

    Notes
    -----
    With channels x (standardised), exogenous variables e and the recurrent state h,

    .. math::
        h_t = f(x_t, e_{t+1}, \dots, e_{t+k}, h_{t-1}), \quad
        (\hat x_{t+1}, \dots, \hat x_{t+k}) = W h_t + b

    where k is ``horizon``. Beyond it, the forecasts are read as if they had come true.
    A whole past is read from its first step, in training a window of it. Windows train
    all at once, each shifted by one step from the one before.

    A missing value is read as the last one known; if any was missing in training, the
    network is told which are. Missing values are no targets.

    Conformal intervals are the forecast plus and minus the split-conformal quantile of
    the absolute errors of as many steps ahead [1]_, taken over rolling origins. These
    depend on each other, so that the coverage is approximate. Sampled paths add errors
    drawn from the same, block by block.

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

    Further, and after more has come:

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
        *(
            name
            for name in NetworkEstimator._FIXED_ON_WARM_START
            if name != "embedding"
        ),
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
        """Learn how series go on.

        Parameters
        ----------
        X : array-like, frame, or list of them
            One series, of shape ``(n_timesteps,)`` or ``(n_timesteps, n_channels)``:
            rows are time. Several: a list of such, of any lengths, or an array
            ``(n_series, n_timesteps, n_channels)``. A missing value is NaN. The index
            of a Series or frame must be sorted and regular; forecasts continue it.
        y : None
            Ignored, for scikit-learn.
        exog : array-like or list of arrays, default=None
            Exogenous variables, known for the future too: a row for each step of X,
            ``(n_timesteps, n_variables)`` of each series.

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
            After an interrupt; the last finished epoch (or the best) is
            installed.
        """
        return self._fit(X, exog)

    def update(self, X, *, exog=None):
        """Take in what came after the past known until now, without training.

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
        """
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
            index = extend_index(draft._container.index, series.lengths[0])
            draft._container = replace(draft._container, index=index)
        commit(draft, self)
        return self

    def predict(self, X=None, *, horizon=None, exog=None):
        """Forecast what follows.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Past, of series that need not be those of ``fit``; all of it is read. None
            is the past given to ``fit`` and :meth:`update`.
        horizon : int, default=None
            Steps to forecast; None is the constructor's ``horizon``.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps forecast, and with X those of its own steps
            before them, ``(n_timesteps + horizon, n_variables)`` of each series.

        Returns
        -------
        forecast : ndarray, Series or frame
            Of one series ``(horizon,)`` or ``(horizon, n_channels)``, as X is, with the
            index continued; of several ``(n_series, horizon)`` or ``(n_series, horizon,
            n_channels)``. In the unit of X.
        """
        fitted = snapshot(self)
        container, forecasts = fitted._forecasts(X, horizon, exog)
        return container.shaped(forecasts[..., fitted._form.n_quantiles // 2])

    def predict_interval(self, X=None, *, horizon=None, coverage=0.95, exog=None):
        """Forecast what follows, and between which bounds.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Past, of series that need not be those of ``fit``; all of it is read. None
            is the past given to ``fit`` and :meth:`update`.
        horizon : int, default=None
            Steps to forecast; None is the constructor's ``horizon``.
        coverage : float in (0, 1), default=0.95
            Share of the values, one by one, that shall lie between the bounds.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps forecast, and with X those of its own steps
            before them, ``(n_timesteps + horizon, n_variables)`` of each series.

        Returns
        -------
        interval : :class:`~sklearn.utils.Bunch`
            With ``prediction``, ``lower`` and ``upper``, each like the answer of
            :meth:`predict`.

        Raises
        ------
        ValueError
            If ``intervals=None``, if too few errors are known for the coverage or the
            horizon, or if the quantiles of the coverage were not learned.
        """
        fitted = snapshot(self)
        spread = fitted._spread_or_refuse()
        if not isinstance(coverage, Real) or not 0 < coverage < 1:
            raise ValueError(f"coverage={coverage!r}; expected a number in (0, 1).")
        container, forecasts = fitted._forecasts(X, horizon, exog)
        middle = forecasts[..., fitted._form.n_quantiles // 2]
        bounds = spread.bounds(forecasts, coverage)
        if bounds is None:
            paths = fitted._paths(X, horizon, exog, PATHS, np.random.default_rng(0))[1]
            bounds = np.quantile(
                paths, [(1 - coverage) / 2, (1 + coverage) / 2], axis=0
            )
        lower, upper = bounds
        shaped = [container.shaped(part) for part in (middle, lower, upper)]
        return Bunch(prediction=shaped[0], lower=shaped[1], upper=shaped[2])

    def sample_paths(
        self, X=None, *, horizon=None, n_paths=100, exog=None, random_state=None
    ):
        """Draw what may follow, path by path.

        Each block of ``horizon`` forecasts is disturbed by an error drawn from those
        known (conformal), or drawn between the outermost quantiles, and fed back.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Past, of series that need not be those of ``fit``; all of it is read. None
            is the past given to ``fit`` and :meth:`update`.
        horizon : int, default=None
            Steps to forecast; None is the constructor's ``horizon``.
        n_paths : int, default=100
            Paths to draw for each series.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps forecast, and with X those of its own steps
            before them, ``(n_timesteps + horizon, n_variables)`` of each series.
        random_state : int, RandomState instance or None, default=None
            Decides what is drawn.

        Returns
        -------
        paths : ndarray of shape (n_paths, horizon)
            With an axis of series after the first, if there are several, and one of
            channels in the end if X has it.
        """
        fitted = snapshot(self)
        rng = np.random.default_rng(draw_seed(random_state))
        container, paths = fitted._paths(X, horizon, exog, n_paths, rng)
        paths = paths if container.has_channels else paths[..., 0]
        return paths[:, 0] if container.single else paths

    def score(self, X, y=None, *, exog=None):
        """Minus the mean absolute error of forecasts from rolling origins inside X.

        Once ``window`` steps (and those differenced) are read, ``horizon`` steps are
        forecast from each step on and compared with what came.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Series of at least ``window + horizon`` steps (and those differenced).
        y : None
            Ignored, for scikit-learn.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps of X.

        Returns
        -------
        score : float
            In the unit of X; 0 is best.
        """
        check_is_fitted(self)
        fitted = snapshot(self)
        series, exog = fitted._read(X, exog)
        form, h = fitted._form, fitted._form.horizon
        first = form.lag + form.window - 1
        fitted._check_lengths(series, form.window, h, form.lag)
        network = fitted._series_network
        errors = [
            part[: len(part) - h + 1]  # from later origins not all is known
            for part in network.rolling_errors(series.values, exog, first, h)
        ]
        return -float(np.nanmean(np.abs(np.concatenate(errors, axis=None))))

    def stream(self, n_streams=1):
        """Open a stream: series that are read step by step, as they come.

        Parameters
        ----------
        n_streams : int or None, default=1
            How many series go on together; None is for any number of them by key.

        Returns
        -------
        stream : Stream
            Begins with nothing read, and forecasts the ``horizon`` steps to come after
            each step as :meth:`predict` does after all steps so far.

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
        return Stream(SeriesStreamAdapter(snapshot(self)), n_streams)

    # ---------------------------------------------------------------- training

    @with_callbacks
    def _train(self, X, exog):
        """Read, build or continue, train, keep the outcome. Returns an interrupt."""
        continuing = hasattr(self, "net_") and self.warm_start
        if not continuing:
            self._quantiles = (0.5,)
            if self.intervals == "quantile":
                self._quantiles = check_quantiles(self.quantiles)
                self._refuse_sums_of_quantiles()
        series, exog = self._read(X, exog, reset=not continuing)
        values, seed = series.values, draw_seed(self.random_state)
        self._check_lengths(series, self.window, self.horizon, self.differencing or 0)
        if not continuing:
            self._form = self._learned_form(values, exog)
        train, valid = self._windows(self._form, values, exog), None
        if self.early_stopping:
            train, valid, cut = self._split(train, values, seed)
        self._spread, conformal = None, self.intervals == "conformal"
        if self.intervals == "quantile":
            self._spread = Quantiles(self._quantiles, self.horizon)
        if conformal and not self.early_stopping:
            self._spread = self._calibrate_on_twin(values, exog, seed)
        net = self._continued_net() if continuing else self._new_net(seed)
        interrupt = self._run(net, train, valid, seed, (X, None, None), False)
        if conformal and self.early_stopping:
            self._spread = self._calibrate(self._series_network, values, exog, cut)
        self._known = self._series_network.known(values, exog)
        self._container = replace(series, values=[])
        return interrupt

    def _refuse_sums_of_quantiles(self):
        if self.differencing is not None and self.horizon > self.differencing:
            raise ValueError(
                f"horizon={self.horizon} sums up differences at {self.differencing} "
                "step(s), and a sum of quantiles is no quantile of the sum. Set "
                f"horizon={self.differencing} (further steps are sampled), "
                'differencing=None, or intervals="conformal".'
            )

    def _learned_form(self, values, exog):
        return fit_encoding(
            values,
            exog,
            window=self.window,
            last_only=self.target == "last",
            horizon=self.horizon,
            lag=self.differencing or 0,
            residual=self.residual,
            scaling=self.scaling,
            n_quantiles=len(self._quantiles),
        )

    def _windows(self, form, values, exog):
        return windows(form, values, exog, self._number_type)

    def _split(self, train, values, seed):
        """Training and validation windows, and the step or the series that validate."""
        fraction = self.validation_fraction
        if len(values) == 1:
            return split_by_time(train, self._form, len(values[0]), fraction)
        rng, rows = numpy_generator(seed, SPLIT), np.arange(len(values))
        _, held_out = split_rows(rows, fraction, rng)
        return *split_by_series(train, self._form, values, held_out), held_out

    def _build_module(self, **options):
        form = self._form
        return build_network(
            self.cell,
            form.n_inputs,
            self.hidden_size,
            form.n_outputs,
            pooling="last" if form.last_only else None,
            **options,
        )

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

    def _calibrate_on_twin(self, values, exog, seed):
        """Errors of a twin network on the steps, or the series, it never saw."""
        rows = np.arange(len(values))
        if len(values) > 1:
            rng = numpy_generator(seed, SPLIT, 1)
            cut = draw_holdout(rows, self.calibration_fraction, rng)
            rows = np.setdiff1d(rows, cut)
            head, given = [values[i] for i in rows], exog and [exog[i] for i in rows]
        else:
            T = len(values[0])
            cut = T - int(np.ceil(self.calibration_fraction * T))
            if cut < self._shortest() or cut >= T - 1:
                return Conformal(None, self._too_short())
            head, given = [values[0][:cut]], exog and [exog[0][:cut]]
        if np.isnan(np.concatenate(head)).all(axis=0).any():
            return Conformal(None, self._too_short())
        form = replace(
            self._learned_form(head, given), tells_missing=self._form.tells_missing
        )
        quiet = snapshot(self)
        quiet.callbacks = None  # they are of the other training
        quiet._form = form
        net, plan = (
            quiet._new_net(seed),
            self._training_options(seed, None, self.max_epochs, False),
        )
        with threads_for(self._work(self.batch_size)):
            interrupt = net.train(self._windows(form, head, given), None, plan)
        if interrupt is not None:
            raise interrupt
        twin = SeriesNetwork(form, net.module_, self._number_type)
        return self._calibrate(twin, values, exog, cut)

    def _calibrate(self, network, values, exog, cut):
        """Errors of a network from the step ``cut`` on, or on the series ``cut``."""
        first = cut - 1
        if len(values) > 1:
            values, exog = [values[i] for i in cut], exog and [exog[i] for i in cut]
            first = network.form.lag + network.form.window - 1
        leads = max(len(v) for v in values) - first - 1
        leads = min(leads, max(network.form.horizon, CALIBRATED_WINDOWS * self.window))
        errors = network.rolling_errors(values, exog, first, leads)
        errors = np.concatenate([e.reshape(-1, *e.shape[2:]) for e in errors])
        return Conformal(errors, "")

    def _too_short(self):
        return (
            "the series given to fit was too short to set calibration_fraction="
            f"{self.calibration_fraction} of it aside and train on the rest, which "
            f"needs {self._shortest()} steps. Give more, or a smaller window or "
            "calibration_fraction."
        )

    def _spread_or_refuse(self):
        check_is_fitted(self)
        if self._spread is None:
            raise ValueError(
                "intervals=None leaves out what intervals and paths need. Set "
                'intervals="conformal" or "quantile" and fit again.'
            )
        return self._spread

    def _paths(self, X, horizon, exog, n_paths, rng):
        """A container, and paths (n_paths, n_series, horizon, C) drawn at random."""
        noise = self._spread_or_refuse().noise(self._form.horizon, rng)
        container, known, horizon, exog = self._forecast_request(X, horizon, exog)
        paths = self._series_network.forecasts(known, horizon, exog, noise, n_paths)
        return container, paths[..., 0].reshape(n_paths, -1, horizon, paths.shape[2])

    # ---------------------------------------------------------------- reading

    def _read(self, X, exog, *, reset=False):
        """Series of the number type of the network, and their exogenous variables."""
        series = read_series(X)
        if series.single:
            _check_feature_names(self, X, reset=reset)
        if reset:
            self.n_features_in_ = series.n_channels
            dtype = series.values[0].dtype
            self._number_type = number_type(self.precision, dtype)
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

    def _check_lengths(self, series, window, horizon, lag):
        needed = window + horizon + lag
        short = np.flatnonzero(series.lengths < needed)
        if len(short):
            raise ValueError(
                f"series {short[0]} of X has {series.lengths[short[0]]} steps; "
                f"window={window}, horizon={horizon} and differencing={lag or None} "
                f"need {needed} at least. Give longer series or a smaller window."
            )

    # ---------------------------------------------------------------- forecasting

    @property
    def _series_network(self):
        return SeriesNetwork(self._form, self.module_, self._number_type)

    def _forecast_request(self, X, horizon, exog):
        """A container, what is known, how far to forecast, and exog of these steps."""
        check_is_fitted(self)
        horizon = check_horizon(self._form.horizon if horizon is None else horizon)
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
        form = self._form
        shortest = form.window + form.lag if form.last_only else 1 + form.lag
        if self._n_exog:
            shortest = max(shortest, form.horizon)
        if series.lengths.min() < shortest:
            raise ValueError(
                f"series {series.lengths.argmin()} of X has {series.lengths.min()} "
                f"steps; a forecast needs {shortest} at least."
            )
        known = self._series_network.known(series.values, past)
        return series, known, horizon, exog and np.stack([e[-horizon:] for e in exog])

    def _forecasts(self, X, horizon, exog):
        """A container, and forecasts (n_series, horizon, C, Q)."""
        container, known, horizon, exog = self._forecast_request(X, horizon, exog)
        return container, self._series_network.forecasts(known, horizon, exog)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.target_tags.required = False
        return tags
