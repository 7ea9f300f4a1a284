"""RNNForecaster: forecasting time series with a recurrent network."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import Bunch
from sklearn.utils.validation import check_is_fitted

from sklearn_rnn._core.drafts import draft, snapshot
from sklearn_rnn._core.randomness import (
    draw_seed,
)
from sklearn_rnn._core.scalars import check_integer, check_number
from sklearn_rnn._core.sklearn_private import (
    Interval,
    StrOptions,
    _fit_context,
)
from sklearn_rnn._training.estimator import NetworkEstimator
from sklearn_rnn._training.parameters import constraints_of
from sklearn_rnn.forecasting._base import BaseForecaster
from sklearn_rnn.forecasting._encoding import take_median
from sklearn_rnn.forecasting._exog import read_exog
from sklearn_rnn.forecasting._export import describe_model, export_onnx, export_torch
from sklearn_rnn.forecasting._origins import backtest_network
from sklearn_rnn.forecasting._reading import (
    check_same_series,
    find_long,
)
from sklearn_rnn.forecasting._stream_adapter import SeriesStreamAdapter
from sklearn_rnn.streaming._stream import Stream


class RNNForecaster(BaseForecaster):
    r"""Recurrent network that forecasts time series to any horizon.

    The network reads a series step by step and forecasts the steps that follow. To
    forecast further ahead than ``horizon``, it reads its own forecasts. New values are
    appended with :meth:`update`, without reading the series again.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"} or callable, default="gru"
        Type of the recurrent cell. A callable ``cell(input_size, hidden_size)`` must
        return a torch module whose ``forward(x, state)`` returns ``(outputs, state)``.
        Here, ``x`` has the shape ``(n_sequences, n_timesteps, input_size)``,
        ``outputs`` has the shape ``(n_sequences, n_timesteps, hidden_size)``, and the
        initial state is None. The output at a step may depend only on this step and
        earlier steps of the same sequence, because shorter sequences in a batch are
        padded with zeros. A cell that reads later steps raises an error. Batch
        normalization in a cell would include the padding in its statistics.
    hidden_size : int, default=64
        Number of units in each layer. More units make the network more expressive and
        slower to train.
    window : int, default=40
        Length of the training windows in time steps. One window starts at each step of
        a series. For a shorter series, the window is as long as the series. The window
        limits how far back training looks, but not how long a past ``predict`` can
        read.
    horizon : int, default=1
        Number of steps that the network forecasts at once. For later steps, ``predict``
        feeds forecasts back as if they had been observed.
    target : {"all", "last"}, default="all"
        Steps of a training window whose forecasts enter the loss: "all" steps, or only
        the "last" one.
    differencing : int or None, default=None
        Lag of the differences that the network reads and forecasts; forecasts are
        summed up again. Use 1 for a random walk, and the length of the period for a
        series with trend and season. None uses the values themselves.
    residual : bool, default=False
        Whether to forecast the change from the last value (or the last difference)
        instead of the value.
    baseline : {"auto", "theta", "mean"} or None, default="auto"
        Forecast that the network corrects. "theta" is the Theta method: a season and a
        smoothed level, both estimated from the past of each series, and a damped linear
        trend. "mean" is the mean of the series. Both come with a measured factor that
        shrinks the corrections (see ``shrinkage_``). None forecasts the values,
        differences or changes without a baseline. "auto" selects the baseline whose
        forecasts have the smaller error, or None if ``differencing``, ``residual`` or
        ``scaling`` is set.
    season : "auto", int, tuple of int or None, default="auto"
        Periods of the seasons of the Theta method, in steps. "auto" derives a day, a
        week and a year from the frequency of the index of X (12 for monthly data).
        Without a frequency it uses the period with the strongest autocorrelation.
        Seasons that do not reduce the error are left out. None means no season.
    transform : {"auto", "log"} or None, default="auto"
        Whether the Theta method forecasts logarithms. They suit series whose growth or
        whose season is proportional to the level. "auto" compares the errors. "log"
        needs positive values. None forecasts the values themselves.
    calendar : {"auto"} or None, default=None
        Whether to derive exogenous variables from the dates of the steps to forecast:
        "auto" adds hour, weekday and month, each if the index of X covers at least two
        days, weeks or years. A model with calendar variables cannot be streamed.
    scaling : {"auto", "series", "global"}, bool or None, default="auto"
        How values (or their differences) are standardized if the Theta method is not
        used. "series" uses the mean and standard deviation of each series up to the
        current step, "global" those of all training steps together. "auto" is "series"
        for several series and "global" for a single one. None does not standardize.
        True means "global" and False means None. The Theta method always scales by the
        errors of each series. Exogenous variables are standardized by their values in
        training. Forecasts are in the unit of X in any case.
    loss : {"squared_error", "absolute_error", "huber"}, default="squared_error"
        Loss function that training minimizes. It is computed on scaled values (see
        ``scaling``). Ignored if ``intervals="quantile"``, which uses the quantile loss.
    intervals : {"conformal", "quantile"} or None, default="conformal"
        Method of :meth:`predict_interval` and :meth:`sample_paths`. "conformal" uses
        the errors of forecasts of the last part of each series. They are made by a
        second network that was not trained on this part, so ``fit`` trains two
        networks, as it does to measure ``shrinkage_``. Under ``early_stopping`` there
        is no second network, and both are measured on the validation part. "quantile"
        trains the network with the pinball loss to predict ``quantiles`` instead of a
        mean. None provides neither intervals nor paths.
    quantiles : tuple of float, default=(0.025, 0.1, 0.5, 0.9, 0.975)
        Quantiles that the network predicts if ``intervals="quantile"``: an odd number
        of increasing levels with 0.5 in the middle.
    calibration_fraction : float in (0, 1), default=0.3
        Fraction of the steps of each series, at its end, on which ``shrinkage_`` and
        the errors for ``intervals="conformal"`` are measured. For a series that is too
        short for this, the errors of the other series are used. If all of several
        series are too short, whole series are held out, as many as make up this
        fraction.
    bounds : tuple (low, high) or None, default=None
        Smallest and largest possible value of a series; use ``(0, None)`` for counts or
        prices. Forecasts, intervals and sampled paths are clipped to this range, also
        before they are fed back. None, as a bound or for both, means no bound.
    num_layers : int, default=1
        Number of stacked recurrent layers. Each layer reads the outputs of the layer
        below it.
    activation : {"tanh", "relu"}, default="tanh"
        Activation function of the simple cell, ``cell="rnn"``. The other cells have
        fixed activation functions and ignore it.
    dropout : float in [0, 1), default=0.0
        Fraction of values that are set to zero during training, between layers and
        before the output layer. Larger values regularize more strongly; 0 disables
        dropout.
    max_epochs : int or "auto", default="auto"
        Maximum number of passes over the training windows. Training stops earlier if
        the loss does not improve for ``n_iter_no_change`` epochs. "auto" is the number
        of epochs that makes about 600 training steps, but at least 8 and at most 200.
    batch_size : int, default=32
        Number of windows per training step.
    optimizer : {"adam", "adamw", "rmsprop", "sgd"} or type, default="adamw"
        Optimizer, as a name or as a subclass of ``torch.optim.Optimizer``. "adam" and
        "adamw" are the same, because ``weight_decay`` is decoupled from the gradient
        for every optimizer; both use ``eps=1e-6``. "sgd" uses a Nesterov momentum of
        0.9.
    learning_rate : float or "auto", default="auto"
        Initial learning rate. Larger values train faster, but training can diverge.
        "auto" is 0.1 for "sgd" and 0.01 for all other optimizers.
    learning_rate_schedule : str or callable, default="constant"
        Change of the learning rate over the epochs. "constant" keeps it unchanged.
        "plateau" halves it when the loss (with early stopping, the validation loss) has
        not decreased for 4 epochs. "cosine" lowers it to 0 along half a cosine over
        ``max_epochs``. A callable receives the number of the epoch, counted from 0 in
        each fit, and returns the factor by which ``learning_rate`` is multiplied.
    weight_decay : float or "auto", default="auto"
        Weight decay. After each training step, for every optimizer, all weights except
        biases are multiplied by ``1 - learning_rate * weight_decay``. Nothing is added
        to the gradient; for an L2 penalty, pass a subclass of the optimizer that adds
        it. Larger values regularize more strongly; 0 disables weight decay. "auto" is
        0.01 for "sgd" and 0.1 for all other optimizers. If ``learning_rate`` is k times
        its "auto" value, with k > 1, the "auto" decay is divided by k.
    average : bool, default=True
        Whether to predict with a weighted average of the weights over all training
        steps. If False, the weights after the last step are used, which fluctuate from
        step to step. In the average, later steps have more weight: of t steps, step s
        has a weight proportional to about ``(s / t) ** 3`` (Shamir and Zhang, ICML
        2013).
    gradient_clip : float or None, default=1.0
        Maximum norm of the gradient. A gradient with a larger norm is scaled down to
        this norm. None disables clipping.
    early_stopping : bool, default=False
        Whether to stop when the validation loss has not improved for
        ``n_iter_no_change`` epochs, and to keep the weights of the epoch with the
        lowest validation loss. The validation windows are set by
        ``validation_fraction``. If False, training uses all windows and stops when the
        training loss has not improved for that many epochs. After a warm start, only
        the epochs of the current fit are compared.
    validation_fraction : float in (0, 1) or CV splitter, default=0.1
        Fraction of the series that is held out if ``early_stopping=True``. If X is a
        single series, this fraction of its time steps is held out at its end. If this
        is a CV splitter, it splits the series, and its last split is used.
    n_iter_no_change : int or "auto", default="auto"
        Number of consecutive epochs without an improvement of the loss by more than
        ``tol`` after which training stops. "auto" is a quarter of the maximum number of
        epochs, but at least 5.
    tol : float, default=0.0001
        Minimum decrease of the loss that counts as an improvement.
    warm_start : bool, default=False
        Whether ``fit`` continues from the weights of the previous fit, for up to
        ``max_epochs`` further epochs, instead of starting from new weights. The
        learning rate, ``weight_decay``, ``dropout`` and ``callbacks`` may change
        between fits; the network and the optimizer may not.
    callbacks : list of skorch callbacks or None, default=None
        Callbacks of skorch, which are called during training. ``fit`` uses shallow
        copies of them: the callbacks themselves are not changed, but objects that they
        refer to, such as a list or an Optuna trial, are shared. Losses and scores are
        in ``net.history``; ``dataset_train`` and ``dataset_valid`` are None. If a
        callback raises :class:`~sklearn_rnn.StopTraining`, or if skorch's EarlyStopping
        runs out of patience, training ends and the estimator is fitted. After a
        KeyboardInterrupt, the finished epochs are kept and the interrupt is raised
        again. For scikit-learn's callbacks, use ``set_callbacks``.
    checkpoint : str, path-like or None, default=None
        Folder in which ``fit`` stores the state of the training. If a fit is
        interrupted, ``fit`` with the same data and parameters continues from the last
        state that was stored, and gives the same model as an uninterrupted fit. Only
        ``max_epochs``, ``n_iter_no_change`` and parameters that do not affect the
        weights, such as ``verbose``, may be different. Requires an integer
        ``random_state``. With ``learning_rate_schedule="cosine"``, or with callbacks
        whose effect on the training is not known, nothing is stored and a warning is
        issued. The folder is created if necessary. It can be shared by all estimators
        and processes. It is limited to 2 GiB, and the states that were used least
        recently are removed; see :func:`~sklearn_rnn.clear_checkpoints`. None stores
        nothing.
    checkpoint_every : int or float, default=10.0
        Interval between two states that are stored in the folder ``checkpoint``: a
        number of epochs if it is an int, a number of seconds if it is a float. The
        state at the end of a fit that was not interrupted is always stored.
    device : str, default="auto"
        Torch device, such as "cpu" or "cuda:1". "auto" uses a GPU if one is available,
        otherwise the CPU.
    precision : {"auto", "float32", "float64", "bfloat16"}, default="auto"
        Floating-point type of weights and states. "auto" is float64 if X is float64 and
        has at most 16,384 values; otherwise it is float32. float32 is about twice as
        fast as float64. "bfloat16" computes the recurrent layers in bfloat16; data,
        weights and output layer stay in float32. On a CPU, it is faster than float32
        only if the processor has instructions for it and batches are large; a GRU or a
        simple cell also needs 128 or more units.
    random_state : int, RandomState instance or None, default=None
        Seed of the random numbers for the initial weights, shuffling, dropout and the
        choice of held-out series. Pass an int for reproducible results.
    verbose : int, default=0
        Verbosity level. 0 prints nothing; 1 or more prints one line per epoch. In a
        search, each line names the fit and the parameters that differ from their
        defaults.

    Attributes
    ----------
    n_features_in_ : int
        Number of channels of a series.
    feature_names_in_ : ndarray of str
        Names of the channels, when fitted on a frame whose columns all have string
        names.
    baseline_ : {"theta", "mean"} or None
        Forecast that the network corrects.
    seasons_ : tuple of int
        Periods of the seasons of the Theta method, in steps.
    transform_ : "log" or None
        Whether the Theta method forecasts logarithms.
    shrinkage_ : float in [0, 1] or None
        Factor of the corrections, measured with a second network on steps that it was
        not trained on. 0 means that the network did not improve on the baseline there;
        the forecasts are then those of the baseline. None without a baseline.
    skill_ : float or None
        1 minus the ratio of the mean absolute error to that of the seasonal naive
        forecast on the same steps (the geometric mean of the ratios of all series).
        Positive values mean that the forecasts are better than the seasonal naive
        forecast. Its season is the shortest of ``seasons_``, or ``differencing``, or
        else 1. None without conformal intervals.
    n_iter_ : int
        Number of epochs run.
    loss_curve_ : list of float
        Mean training loss of each epoch.
    validation_loss_curve_ : list of float or None
        Validation loss after each epoch; None without early stopping. It is NaN for
        epochs of earlier fits without validation data.
    validation_scores_ : list of float or None
        Minus the mean absolute error of standardized values on the validation part
        after each epoch; None without early stopping.
    best_epoch_ : int or None
        Epoch whose weights were kept, counted from 1. It has the lowest validation loss
        of the last fit. None without early stopping.
    best_validation_score_ : float or None
        Score at the epoch whose weights were kept, which has the lowest validation
        loss; None without early stopping.
    net_ : skorch.NeuralNet
        The trained net. Its ``history`` contains the losses and times of all epochs.

    See Also
    --------
    SeasonalNaiveForecaster : Forecasts the last observed value of the same season.
    RNNRegressor : Predicts numbers from whole sequences, or at each of their steps.
    sklearn_rnn.sliding_windows : Cuts windows, for RNNRegressor or any regressor.
    sklearn_rnn.model_selection.WindowSplit : Cross-validation without leaks.

    Notes
    -----
    **Network.** With channels x (standardized), exogenous variables e and the recurrent
    state h,

    .. math::
        h_t = f(x_t, e_{t+1}, \dots, e_{t+k}, h_{t-1}), \quad
        (\hat x_{t+1}, \dots, \hat x_{t+k}) = W h_t + b

    where k is ``horizon``. For later steps, the network reads its forecasts in place of
    values. In training it reads windows, one from each step of a series; for a forecast
    it reads the whole past.

    **Theta method.** With ``baseline="theta"``, each value is a season s plus a level
    plus noise. The season is estimated by classical decomposition of the steps so far,
    shrunk [3]_ and, if this reduces the errors, smoothed. The level l of the values d
    without their season follows :math:`l_t = l_{t-1} + \alpha (d_t - l_{t-1})`. The
    forecast is

    .. math::
        \hat x_{t+i} = s_{t+i} + l_t + i b_t + \lambda \sigma_t \hat c_{t+i}.

    The slope b is three quarters of the slope of a line through d, shrunk by the square
    of its t statistic; the Theta method [4]_ uses half the slope. The corrections c are
    the outputs of the network, and :math:`\sigma` is the mean absolute error one step
    ahead. The factor :math:`\lambda` is ``shrinkage_``: least squares yields one factor
    for each half of the held-out steps, and the smaller one is used. The inputs of the
    network are the latest error, the deviations of d from level and mean, and the
    slope. All of these depend on the past of the same series only, so series in
    ``fit``, new series and streams are treated in the same way.

    **Missing values.** A missing value is read as its forecast by the Theta method, or
    else as the value ``differencing`` steps before it (by default one step). If a value
    was missing in training, the network also has an input that marks missing values.
    Missing values, and differences from them, are not targets.

    **New series.** ``predict(X)`` reads X from its beginning, whether X continues a
    series of ``fit`` or not. Scales per series (``scaling="series"`` and the Theta
    method) are estimated from the steps of X so far. To forecast after new values of a
    series in ``fit``, therefore pass the whole series, or use :meth:`update`.

    **Conformal intervals.** The half width of an interval is the size of the errors of
    a series at this lead, times the split-conformal quantile [1]_ of all errors divided
    by their sizes. The size is the mean absolute error over rolling origins in the part
    that calibrates; each series has its own. The size for a series that was not in
    ``fit`` is estimated from the errors in its past, or, if the past is not longer than
    a window, from the mean absolute difference of successive values. A model that was
    fitted on a single series uses the sizes of that series for any X.

    Errors many steps ahead overlap, so few of them are independent. Their effective
    number is estimated from the growth of the sizes with the lead. Where it is small,
    sizes are shrunk towards a smooth curve over the leads, and quantiles of Student's t
    distribution widen the intervals. The more the curves of the series agree, the more
    they are shrunk towards a common curve. Fewer than 3 independent errors cause a
    warning. Errors of different series count as independent. A shock that affects all
    series therefore makes the coverage vary from date to date. At most 2**20 errors (4
    MiB) are kept; if there are more, only every k-th origin is used.

    **Sampled paths.** With conformal intervals, paths add blocks of ``horizon`` errors
    that were made at the same origin, in the same series if this has at least 20
    blocks. With quantiles, values are drawn from the predicted distributions, and the
    dependence between the steps of a block is that of the ranks of the true values at a
    random origin in training [2]_. Beyond the outermost quantiles, the tails are
    Gaussian.

    References
    ----------
    .. [1] V. Vovk, A. Gammerman, G. Shafer, "Algorithmic learning in a random world",
       Springer, 2005; for series: C. Xu, Y. Xie, "Conformal prediction interval for
       dynamic time-series", ICML 2021; with sizes: J. Lei et al., "Distribution-free
       predictive inference for regression", JASA, 2018, section 5.2.
    .. [2] M. Clark et al., "The Schaake shuffle", Journal of Hydrometeorology, 2004.
    .. [3] D. M. Miller, D. Williams, "Shrinkage estimators of time series seasonal
       factors and their effect on forecasting accuracy", International Journal of
       Forecasting, 2003.
    .. [4] V. Assimakopoulos, K. Nikolopoulos, "The theta model", International Journal
       of Forecasting, 2000; R. J. Hyndman, B. Billah, "Unmasking the Theta method",
       2003.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNForecaster
    >>> t = np.arange(300)
    >>> series = np.sin(t / 5) + 0.5 * np.sin(t / 3)
    >>> model = RNNForecaster(
    ...     hidden_size=32, horizon=12, max_epochs=40, random_state=0
    ... )
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
        "horizon": [Interval(Integral, 1, 2**24, closed="both")],
        "target": [StrOptions({"all", "last"})],
        "differencing": [Interval(Integral, 1, None, closed="left"), None],
        "residual": ["boolean"],
        "baseline": [StrOptions({"auto", "mean", "theta"}), None],
        "season": [
            StrOptions({"auto"}),
            Interval(Integral, 2, 2**24, closed="both"),
            tuple,
            None,
        ],
        "transform": [StrOptions({"auto", "log"}), None],
        "calendar": [StrOptions({"auto"}), None],
        "scaling": [StrOptions({"auto", "series", "global"}), "boolean", None],
        "intervals": [StrOptions({"conformal", "quantile"}), None],
        "quantiles": ["array-like"],
        "calibration_fraction": [Interval(Real, 0, 1, closed="neither")],
        "bounds": [tuple, list, None],
    }

    _FIXED_ON_WARM_START = (
        *NetworkEstimator._FIXED_ON_WARM_START,
        "horizon",
        "target",
        "differencing",
        "residual",
        "baseline",
        "season",
        "transform",
        "calendar",
        "scaling",
        "intervals",
        "quantiles",
        "bounds",
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
        baseline="auto",
        season="auto",
        transform="auto",
        calendar=None,
        scaling="auto",
        loss="squared_error",
        intervals="conformal",
        quantiles=(0.025, 0.1, 0.5, 0.9, 0.975),
        calibration_fraction=0.3,
        bounds=None,
        num_layers=1,
        activation="tanh",
        dropout=0.0,
        max_epochs="auto",
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
        checkpoint=None,
        checkpoint_every=10.0,
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
        self.baseline = baseline
        self.season = season
        self.transform = transform
        self.calendar = calendar
        self.scaling = scaling
        self.loss = loss
        self.intervals = intervals
        self.quantiles = quantiles
        self.calibration_fraction = calibration_fraction
        self.bounds = bounds
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
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
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
            One series of shape ``(n_timesteps,)`` or ``(n_timesteps, n_channels)``,
            whose rows are time steps; or several: a list of series of any lengths, or
            an array of shape ``(n_series, n_timesteps, n_channels)``. NaN is a missing
            value, except that steps of NaN at the end of a series in such an array are
            padding. The index of each Series or frame must be sorted and regular;
            forecasts continue it.
        y : None
            Ignored, for compatibility with scikit-learn.
        exog : array-like or list of arrays, default=None
            Exogenous variables, whose future values must be known when forecasting: one
            row for each step of X, ``(n_timesteps, n_variables)`` for each series. The
            index of a Series or frame must equal the index of X. Later calls must pass
            the same columns in the same order.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            If X or exog cannot be read or they do not match, if all values of a series
            are missing, if all series are too short for ``horizon`` and
            ``differencing``, if a value is outside ``bounds``, or if training diverges.
            The estimator is then unchanged.
        KeyboardInterrupt
            If training is interrupted. The estimator is then fitted with the weights of
            the last finished epoch or, with early stopping, of the best one.

        Warns
        -----
        UserWarning
            If some series are too short for training (they can still be forecast), if
            all series are shorter than ``window``, or if the series are too short for
            calibration.
        ForecastSkillWarning
            If the seasonal naive forecast had smaller errors on the held-out steps.
        """
        return self._fit(X, exog)

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, *, exog=None):
        """Continue training on new series for one epoch.

        X replaces the past that ``predict`` continues. The first call fits a new
        network, without measuring ``shrinkage_``. Later calls, also after :meth:`fit`,
        keep the baseline, ``shrinkage_`` and the errors that intervals are based on.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Series with the channels given to :meth:`fit`: the same series with
            additional steps, or other series.
        y : None
            Ignored, for compatibility with scikit-learn.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps of X. An index must equal that of X.

        Returns
        -------
        self : object
            The fitted estimator.

        Raises
        ------
        ValueError
            As for :meth:`fit`. The estimator is then unchanged.

        See Also
        --------
        update : Appends new steps to the series, without training.
        """
        return self._fit(X, exog, partial=True)

    def update(self, X, *, exog=None):
        """Append new steps to the series, without training.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Next steps of each series given to ``fit``. An index must continue that of
            the series without a gap.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps of X. An index must equal that of X.

        Returns
        -------
        self : object
            The estimator, whose forecasts now begin after X.

        Raises
        ------
        ValueError
            If X or exog cannot be read, if X has another number of series than ``fit``
            was given, or if an index does not continue that of its series. The
            estimator is then unchanged.
        """
        check_is_fitted(self)
        with draft(self) as new:
            series = new._read_series(X)
            check_same_series(series, len(new._state))
            series = series.place_after(new._container)
            exog = read_exog(exog, new._exog_variables, series)
            new._container = new._container.extend(series)
            new._recent = new._recent.extend(series)
            new._state = new._series_network.read(series.values, exog, new._state)
        return self

    def predict(self, X=None, *, horizon=None, exog=None):
        """Forecast the next steps.

        Parameters
        ----------
        X : array-like, frame, or list of them, default=None
            Past of the series to forecast, from its beginning; the series need not be
            those given to ``fit``. None is the past given to ``fit`` and
            :meth:`update`.
        horizon : int, default=None
            Number of steps to forecast; None means the constructor's ``horizon``.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps to forecast, rounded up to whole blocks: if
            the constructor's ``horizon`` is 7, a forecast of 10 steps needs 14 rows. If
            X is given, the rows of its own steps come first. An index must continue
            that of X.

        Returns
        -------
        forecast : ndarray, Series or frame, or list of Series or frames
            Forecasts in the unit of X: ``(horizon,)`` or ``(horizon, n_channels)`` for
            a single series, in the container of X and with its index continued;
            ``(n_series, horizon)`` or ``(n_series, horizon, n_channels)`` for several
            arrays; a list of Series or frames, each with its own index continued, for
            several of these. If X has too few rows to show the frequency of its index,
            that of the series in ``fit`` is used.

        Raises
        ------
        ValueError
            If X or exog cannot be read or does not match what ``fit`` was given, if a
            series is too short, or if all values of a series are missing.
        """
        fitted = snapshot(self)
        request = fitted._read_request(X, horizon, exog)
        return request.container.to_container(take_median(request.forecast()))

    def predict_interval(self, X=None, *, horizon=None, coverage=0.95, exog=None):
        """Forecast the next steps with prediction intervals.

        Parameters
        ----------
        X : array-like, frame, or list of them, default=None
            Past of the series to forecast, from its beginning; the series need not be
            those given to ``fit``. None is the past given to ``fit`` and
            :meth:`update`.
        horizon : int, default=None
            Number of steps to forecast; None means the constructor's ``horizon``.
        coverage : float in (0, 1), default=0.95
            Fraction of the values that should lie between the bounds at each step.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps to forecast, rounded up to whole blocks: if
            the constructor's ``horizon`` is 7, a forecast of 10 steps needs 14 rows. If
            X is given, the rows of its own steps come first. An index must continue
            that of X.

        Returns
        -------
        interval : :class:`~sklearn.utils.Bunch`
            Attributes ``prediction``, ``lower`` and ``upper``, each in the form that
            :meth:`predict` returns.

        Raises
        ------
        ValueError
            If the model was fitted with ``intervals=None``, if too few errors were
            measured for the coverage or the horizon, or if the network did not learn
            the quantiles of the coverage.

        Warns
        -----
        UserWarning
            If the errors at this horizon correspond to fewer than 3 independent ones.
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
        """Sample possible continuations of series.

        Each block of ``horizon`` forecasts is replaced by a sample, which is fed back.
        With conformal intervals, a sample is the forecast plus randomly drawn errors of
        past forecasts. With quantiles, it is drawn from the predicted distribution.

        Parameters
        ----------
        X : array-like, frame, or list of them, default=None
            Past of the series to forecast, from its beginning; the series need not be
            those given to ``fit``. None is the past given to ``fit`` and
            :meth:`update`.
        horizon : int, default=None
            Number of steps to forecast; None means the constructor's ``horizon``.
        n_paths : int, default=100
            Number of paths to sample for each series.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps to forecast, rounded up to whole blocks: if
            the constructor's ``horizon`` is 7, a forecast of 10 steps needs 14 rows. If
            X is given, the rows of its own steps come first. An index must continue
            that of X.
        random_state : int, RandomState instance or None, default=None
            Seed of the samples. Pass an int for results that can be reproduced.

        Returns
        -------
        paths : ndarray of shape (n_paths, horizon)
            Sampled values in the unit of X. Several series add an axis after the first,
            ``(n_paths, n_series, horizon)``, and channels add a last axis. Paths are
            arrays without an index for any X.

        Raises
        ------
        ValueError
            If the model was fitted with ``intervals=None`` or ``quantiles=(0.5,)``, or
            if the series given to ``fit`` were too short to measure errors.
        """
        fitted = snapshot(self)
        intervals = fitted._require_intervals()
        check_integer("n_paths", n_paths, minimum=1)
        rng = np.random.default_rng(draw_seed(random_state))
        request = fitted._read_request(X, horizon, exog)
        return request.container.drop_axes(request.sample(intervals, n_paths, rng))

    def score(self, X, y=None, *, exog=None):
        """Return minus the mean absolute error of forecasts from origins inside X.

        From the end of the first window (plus ``differencing``), ``horizon`` steps are
        forecast after each step and compared with the values of X.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Series of at least ``window + horizon`` steps (plus ``differencing``).
            Shorter ones of several series are left out with a warning.
        y : None
            Ignored, for compatibility with scikit-learn.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps of X. An index must equal that of X.

        Returns
        -------
        score : float
            Minus the mean absolute error, in the unit of X; 0 is best.

        Raises
        ------
        ValueError
            If X or exog cannot be read or they do not match, if all series are too
            short, or if all values to be forecast are missing.
        """
        check_is_fitted(self)
        fitted = snapshot(self)
        series, exog = fitted._read(X, exog)
        encoding = fitted._encoding
        long = find_long(
            series, encoding.window, encoding.horizon, encoding.lag, "the score"
        )
        values = [series.values[i] for i in long]
        return fitted._series_network.score(values, exog and [exog[i] for i in long])

    def backtest(
        self,
        X,
        *,
        horizon=None,
        stride=1,
        start=None,
        refit=False,
        coverage=None,
        n_paths=None,
        exog=None,
        random_state=None,
    ):
        """Forecast from many origins inside series, and compare with the true values.

        Parameters
        ----------
        X : array-like, frame, or list of them
            Series that are forecast. Pass each series from its beginning and set
            ``start``, because forecasts of steps used in ``fit`` have smaller errors
            than forecasts of new steps.
        horizon : int, default=None
            Number of steps to forecast from each origin; None means the constructor's
            ``horizon``. Only origins that are followed by this many steps are used.
        stride : int, default=1
            Number of steps from one origin to the next.
        start : int, default=None
            Number of known steps at the first origin. A negative number counts from the
            end of each series, as in ``X[:start]``. None means ``window`` (plus
            ``differencing``), and with ``refit`` the number of steps that ``fit``
            needs.
        refit : bool, default=False
            Whether to fit a clone to the steps up to each origin. The estimator itself
            then need not be fitted and is not changed. If False, the fitted estimator
            makes all forecasts, as ``predict`` does for the steps up to the origin.
        coverage : float in (0, 1), default=None
            Fraction of the values that should lie between the bounds at each step. None
            omits the bounds.
        n_paths : int, default=None
            Number of paths to sample from each origin, as :meth:`sample_paths` does,
            for the column ``crps``. None omits the column.
        exog : array-like or list of arrays, default=None
            Exogenous variables of the steps of X. They must cover whole blocks of the
            constructor's ``horizon`` after the last origin.
        random_state : int, RandomState instance or None, default=None
            Seed of the sampled paths. Pass an int for results that can be reproduced.

        Returns
        -------
        frame : DataFrame
            One row per series, origin, lead and channel, with the columns

            * ``series``: number of the series in X,
            * ``origin``: last known step,
            * ``lead``: number of steps ahead, 1 to ``horizon``,
            * ``time``: step that is forecast,
            * ``channel``: name or number, if there are several channels,
            * ``truth``: value in X, NaN if it is missing,
            * ``forecast``: forecast in the unit of X,
            * ``lower`` and ``upper``, if ``coverage`` is given,
            * ``crps``: continuous ranked probability score of the sampled values, if
              ``n_paths`` is given.

            Origin and time are labels of the index of X, or numbers of steps from 0.

        Raises
        ------
        ValueError
            If X or exog cannot be read, if no series is long enough, or if
            ``refit=True`` would fit one series on steps after an origin of another.

        Warns
        -----
        UserWarning
            If some series are too short for any origin; they are left out.

        See Also
        --------
        sklearn_rnn.metrics.score_backtest : Computes scores of the frame.
        sklearn_rnn.display.BacktestDisplay : Draws the frame.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn_rnn import RNNForecaster
        >>> series = np.sin(np.arange(100) / 3)
        >>> model = RNNForecaster(hidden_size=4, max_epochs=2, random_state=0)
        >>> frame = model.fit(series[:80]).backtest(series, horizon=3, start=80)
        >>> frame[["origin", "lead", "time"]].head(4)
           origin  lead  time
        0      79     1    80
        1      79     2    81
        2      79     3    82
        3      80     1    81
        """
        return backtest_network(
            snapshot(self),
            X,
            exog,
            refit,
            horizon=horizon,
            stride=stride,
            start=start,
            coverage=coverage,
            n_paths=n_paths,
            random_state=random_state,
        )

    def stream(self, n_streams=1):
        """Open a stream, which reads series step by step and forecasts after each step.

        Parameters
        ----------
        n_streams : int or None, default=1
            Number of series that are read at once. None allows any number of series,
            which are identified by keys.

        Returns
        -------
        stream : :class:`~sklearn_rnn.Stream`
            Stream that has not read any step. After each step it forecasts ``horizon``
            steps, as :meth:`predict` does for all steps so far.

        Raises
        ------
        ValueError
            If the model was fitted with exogenous or calendar variables.

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

    def to_torch(self):
        """Copy the network and its baseline to a torch module of standard layers.

        The module contains the scaling of series, differencing and the Theta method.
        Later fits do not change it.

        Returns
        -------
        module : torch.nn.Module
            Module in evaluation mode, on the device of the model. ``module(x, lengths,
            exog)`` reads series ``(n_series, n_timesteps, n_channels)``, in their own
            unit and from their beginning. NaN is a missing value. ``lengths``, of shape
            ``(n_series,)``, are the numbers of valid steps, at least
            ``module.min_length``; None means that no series is padded. ``exog``, of
            shape ``(n_series, n_timesteps + horizon, n_variables)``, belongs to the
            steps of each series and the ``horizon`` steps after it; the inputs of
            ``calendar`` follow the variables given. It returns the forecasts of
            :meth:`predict` for ``horizon`` steps, ``(n_series, horizon, n_channels)``,
            or those of all quantiles, with a last axis ``n_quantiles``, if fitted with
            ``intervals="quantile"``.

        Raises
        ------
        NotFittedError
            If the model is not fitted.

        See Also
        --------
        to_onnx : Writes the network to a file for other programs.

        Notes
        -----
        The baseline is computed in float64. With ``precision="bfloat16"``, the network
        computes in float32, and forecasts agree to about 1e-2. In contrast to
        ``predict``, the module accepts values beyond ``bounds``. Forecasts are NaN for
        series that ``predict`` rejects for another reason: without any value, with
        values of 1e150 and more, or with values that are not positive if the model
        forecasts logarithms. ``torch.export.export`` accepts the module with any number
        of series and steps; the exported module returns NaN for series that are too
        short.

        The module forecasts one block of ``horizon`` steps. :meth:`predict` computes
        later blocks from the forecasts before them, without updating the baseline. The
        module would update it, so appending forecasts to X and calling the module again
        gives different results.

        The inputs of ``calendar``, as far as ``fit`` chose them, are in this order:
        sine and cosine of ``2 * pi * hour / 24``; seven indicators of the weekdays,
        from Monday on; sine and cosine of ``2 * pi * month / 12``, where January is 1.

        Examples
        --------
        >>> import numpy as np
        >>> import torch
        >>> from sklearn_rnn import RNNForecaster
        >>> series = np.sin(np.arange(100) / 3)
        >>> model = RNNForecaster(hidden_size=4, max_epochs=2, random_state=0)
        >>> module = model.fit(series).to_torch()
        >>> with torch.inference_mode():
        ...     forecast = module(torch.tensor(series).reshape(1, -1, 1))
        >>> bool(np.allclose(forecast[0, :, 0], model.predict(series)))
        True
        """
        check_is_fitted(self)
        return export_torch(snapshot(self)._series_network)

    def to_onnx(self, path):
        """Write the network and its baseline to a file in the ONNX format.

        Parameters
        ----------
        path : str, bytes or path-like
            File to write. An existing file is replaced only when the new one is
            complete.

        Raises
        ------
        ImportError
            If onnx or onnxscript is not installed.
        NotFittedError
            If the model is not fitted.
        OSError
            If the file cannot be written.
        ValueError
            If ``cell`` is a callable.

        See Also
        --------
        to_torch : Returns a torch module, and describes its inputs.

        Notes
        -----
        The inputs are ``X`` (float64) and ``lengths`` (int64), and ``exog`` (float64)
        if the model was fitted with exogenous or calendar variables. The output
        ``variable`` (float64) is the block of forecasts. They have the shapes described
        in :meth:`to_torch`, for any number of series of at least ``min_length`` steps.
        Forecasts are NaN for series that are too short, that have no values or values
        of 1e150 and more, or whose ``exog`` is not finite.

        The metadata are JSON texts: ``class``, ``horizon``, ``min_length``,
        ``channels`` (names, if they are known), ``exog`` (names of all columns,
        including those of the calendar), ``calendar``, ``baseline``, ``seasons``,
        ``transform``, ``bounds`` and ``quantiles``, as far as they apply. The version
        of this library is the ``producer_version``.

        The network computes in float32, because onnxruntime has no recurrent layers in
        float64, and the baseline in float64. torch.onnx converts the baseline, which
        takes some seconds.
        """
        check_is_fitted(self)
        fitted = snapshot(self)
        export_onnx(fitted._series_network, path, describe_model(fitted))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.input_tags.allow_nan = True
        tags.target_tags.required = False
        return tags
