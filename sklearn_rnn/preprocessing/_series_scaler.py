"""SeriesScaler: standardization of each sequence by its own mean and scale."""

from dataclasses import replace
from numbers import Integral

import numpy as np
from sklearn.base import TransformerMixin
from sklearn.utils.validation import FLOAT_DTYPES, check_is_fitted

from sklearn_rnn._core.drafts import draft, on_snapshot
from sklearn_rnn._core.sklearn_private import (
    Interval,
    _check_feature_names,
    _check_feature_names_in,
    _fit_context,
)
from sklearn_rnn._core.validation import ValidatedEstimator
from sklearn_rnn._data.cells import explain_errors, read_table
from sklearn_rnn._data.containers import unwrap
from sklearn_rnn._data.sequences import Sequences, find_kind, refuse_nonfinite
from sklearn_rnn.preprocessing._stacked_steps import stack_steps

# A feature counts as constant if its largest deviation from the mean is below this
# many units in the last place of the mean.
ROUNDING = 100


class SeriesScaler(
    TransformerMixin,
    ValidatedEstimator,
    auto_wrap_output_keys=(),  # type: ignore[call-arg]  # scikit-learn has no types
):
    """Transformer that standardizes each sequence by its own mean and scale.

    Use it if the shape of a sequence matters, but sequences have different levels or
    scales, such as the light curves of bright and of faint stars.
    ``StepwiseTransformer(StandardScaler())`` has one mean and one scale per feature for
    all sequences, so that sequences of small scale become nearly constant. If the level
    or the scale matters too, ``add_statistics=True`` keeps them as features.

    Parameters
    ----------
    add_statistics : bool, default=False
        Whether to add two statistics of each feature as further features, constant over
        a sequence: the inverse hyperbolic sine of the mean, which is linear near 0 and
        logarithmic far from it, and the logarithm of the standard deviation. Both stay
        moderate if the scales of sequences differ by orders of magnitude.
        :meth:`inverse_transform` uses them.
    input_size : int or None, default=None
        Number of features per time step when X is a 2-D table; None means 1. For other
        containers it is inferred from X.

    Attributes
    ----------
    input_size_ : int
        Number of features per time step.
    n_features_in_ : int
        Number of columns when fitted on a table, otherwise number of features per time
        step.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the columns, when fitted on a frame or on sequences that are frames.

    See Also
    --------
    StepwiseTransformer : Scales all sequences by the same mean and scale, with
        ``StandardScaler()``.
    sklearn_rnn.RNNClassifier : Accepts the same containers.

    Notes
    -----
    ===========================================  =======================================
    X                                            is returned as
    ===========================================  =======================================
    table ``(n, m)``                             table ``(n, m)``; with statistics 3-D
                                                 array of ``m / input_size`` steps
    3-D array ``(n, T, F)``                      3-D array, padded at the same steps
    list or tuple of ``(T_i,)`` or ``(T_i, F)``  list of ``(T_i, n_features_out)``
    object array or Series of such               object array of the same
    ===========================================  =======================================

    In a 3-D array, trailing steps in which all features are NaN are padding. A feature
    that is constant in a sequence, up to rounding errors, becomes 0, because its
    standard deviation is replaced by 1. float32 stays float32.

    Each sequence is transformed independently of all others, so ``fit`` only records
    the number of features and their names. Each step is transformed with the statistics
    of its whole sequence, which a stream has not read yet. Therefore
    :func:`~sklearn_rnn.open_stream` does not accept pipelines that contain a
    SeriesScaler.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn.preprocessing import SeriesScaler
    >>> X = [np.array([1.0, 3.0]), np.array([1000.0, 2000.0, 3000.0])]
    >>> scaler = SeriesScaler().fit(X)
    >>> [x.ravel().round(2).tolist() for x in scaler.transform(X)]
    [[-1.0, 1.0], [-1.22, 0.0, 1.22]]

    Predictions of standardized values are converted back with the statistics of the
    sequences that they belong to:

    >>> statistics = scaler.compute_statistics(X)
    >>> scaler.inverse_transform([[0.0, 1.0], [0.0]], statistics)[0].ravel().tolist()
    [2.0, 3.0]
    """

    _fitted_on_table: bool

    _parameter_constraints = {
        "add_statistics": ["boolean"],
        "input_size": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, *, add_statistics=False, input_size=None):
        self.add_statistics = add_statistics
        self.input_size = input_size

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Record the number of features.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), list or table
            Sequences, in any container that :class:`~sklearn_rnn.RNNClassifier` accepts
            except tokens.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If a sequence has no steps, has another number of features than the first
            sequence, or contains NaN or infinity.
        TypeError
            If X contains tokens.
        """
        with draft(self) as new:
            new._read(X, reset=True)
        return self

    @on_snapshot
    def transform(self, X):
        """Standardize each sequence.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), list or table
            Sequences of any length, with the features of ``fit``.

        Returns
        -------
        X_out : ndarray of shape (n_sequences, n_timesteps, n_features_out), or ragged
            Standardized sequences, in the container listed in the Notes.

        Raises
        ------
        ValueError
            If X has another number of features per step than in :meth:`fit`.
        """
        check_is_fitted(self)
        stacked = self._read(X, reset=False)
        mean, scale = (repeat(part, stacked) for part in compute_statistics(stacked))
        steps = (stacked.steps - mean) / scale
        if self.add_statistics:
            steps = np.hstack([steps, np.arcsinh(mean), np.log(scale)])
        return restore(stacked, steps.astype(stacked.steps.dtype), X)

    @on_snapshot
    def compute_statistics(self, X):
        """Compute the mean and standard deviation of each sequence.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), list or table
            Sequences, as in :meth:`transform`.

        Returns
        -------
        mean : ndarray of shape (n_sequences, n_features)
            Mean over the time steps.
        scale : ndarray of shape (n_sequences, n_features)
            Standard deviation over the time steps; 1 where a feature is constant.

        Examples
        --------
        Predict the next value of a series on the scale of each window:

        >>> import numpy as np
        >>> from sklearn_rnn import RNNRegressor
        >>> from sklearn_rnn.preprocessing import SeriesScaler, sliding_windows
        >>> X, y = sliding_windows(np.arange(60.0) + np.sin(np.arange(60)), window=12)
        >>> scaler = SeriesScaler().fit(X)
        >>> mean, scale = scaler.compute_statistics(X)
        >>> model = RNNRegressor(hidden_size=4, max_epochs=2, random_state=0)
        >>> model = model.fit(scaler.transform(X), (y - mean[:, 0]) / scale[:, 0])
        >>> scaled = model.predict(scaler.transform(X))
        >>> predictions = scaled * scale[:, 0] + mean[:, 0]
        """
        check_is_fitted(self)
        return compute_statistics(self._read(X, reset=False))

    @on_snapshot
    def inverse_transform(self, X, statistics=None):
        """Convert standardized sequences back to their own level and scale.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), list or table
            Sequences as :meth:`transform` returns them. With ``statistics``, this may
            also be predictions of the features: one sequence of any length for each
            sequence whose statistics are given.
        statistics : tuple of two ndarrays of shape (n_sequences, n_features), \
default=None
            Result of :meth:`compute_statistics`. None uses the features that
            ``add_statistics=True`` added to X.

        Returns
        -------
        X_original : ndarray of shape (n_sequences, n_timesteps, n_features), or ragged
            Sequences on their original scale, in the container of X.

        Raises
        ------
        ValueError
            If X does not contain the statistics and none are given, or if they do not
            have one row per sequence of X.
        """
        check_is_fitted(self)
        if statistics is None and not self.add_statistics:
            raise ValueError(
                "inverse_transform needs the mean and the scale of the sequences. Pass "
                "them, as in inverse_transform(X, "
                "scaler.compute_statistics(X_original)), or keep them in X with "
                "SeriesScaler(add_statistics=True)."
            )
        stacked = stack_steps(X, self.input_size)
        size = self.input_size_ * (3 if statistics is None else 1)
        steps = np.asarray(stacked.steps)
        if steps.shape[1] != size:
            raise ValueError(
                f"X has {steps.shape[1]} features per step, but {size} are expected: "
                f"the {self.input_size_} features in fit and, if statistics= is not "
                "given, two statistics of each."
            )
        if statistics is None:
            values, mean, scale = np.hsplit(steps.astype(np.float64), 3)
            mean, scale = np.sinh(mean), np.exp(scale)
        else:
            values, given = steps, self._check_statistics(statistics, stacked)
            mean, scale = (repeat(part, stacked) for part in given)
        return restore(stacked, (values * scale + mean).astype(steps.dtype), X)

    @on_snapshot
    def get_feature_names_out(self, input_features=None):
        """Return the names of the features of a step, or of the columns of a table.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the features or columns. None means the names seen in fit, or x0,
            x1 and so on.

        Returns
        -------
        names : ndarray of str of shape (n_features_out,)
            Names of X. With ``add_statistics=True``, they are followed by
            ``<name>_asinh_mean`` and ``<name>_log_scale`` of each feature, and the
            columns of a table with several steps are not used as names.
        """
        check_is_fitted(self)
        names = _check_feature_names_in(self, input_features)
        if not self.add_statistics:
            return names
        if len(names) != self.input_size_:  # columns of a table with several steps
            names = np.array([f"x{i}" for i in range(self.input_size_)], dtype=object)
        return np.concatenate([names, names + "_asinh_mean", names + "_log_scale"])

    def _read(self, X, *, reset):
        """Read X, check its features, and stack its steps as floating-point numbers."""
        X = unwrap(X)
        columns = find_kind(X) == "table" and (reset or self._fitted_on_table)
        if columns:
            X = read_table(self, X, reset=reset, dtype=FLOAT_DTYPES)
        stacked = stack_steps(X, self.input_size)
        size = stacked.steps.shape[1]
        if reset:
            self._fitted_on_table, self.input_size_ = columns, size
        if not columns:
            _check_feature_names(self, stacked.steps, reset=reset)
            if reset:
                self.n_features_in_ = size
        if size != self.input_size_:
            raise ValueError(
                f"X has {size} features per step, but SeriesScaler was fitted with "
                f"{self.input_size_} features per step. Select the same features as in "
                "fit."
            )
        return as_floats(stacked)

    def _check_statistics(self, statistics, stacked):
        """Return mean and scale as arrays (n_sequences, n_features), checked."""
        shape = len(stacked.lengths), self.input_size_
        parts = [np.asarray(unwrap(part, "statistics")) for part in statistics]
        shapes = [part.shape for part in parts]
        if shapes != [shape, shape]:
            raise ValueError(
                f"statistics have the shapes {shapes}; expected a mean and a scale of "
                f"shape {shape}, with one row per sequence of X. Pass the result of "
                "compute_statistics for the same sequences."
            )
        return parts

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def as_floats(stacked):
    """Convert stacked steps to finite floating-point numbers."""
    with explain_errors(stacked.steps):
        steps = np.asarray(stacked.steps)
        if steps.dtype not in (np.float32, np.float64):
            steps = steps.astype(np.float64)
    starts = np.cumsum(stacked.lengths) - stacked.lengths
    refuse_nonfinite(Sequences(steps, starts, stacked.lengths))
    return replace(stacked, steps=steps)


def compute_statistics(stacked):
    """Compute mean and standard deviation (n_sequences, n_features) of the steps."""
    steps = stacked.steps.astype(np.float64)
    lengths = stacked.lengths[:, np.newaxis]
    starts = np.cumsum(stacked.lengths) - stacked.lengths
    smallest = np.minimum.reduceat(steps, starts)
    largest = np.maximum.reduceat(steps, starts)
    # divide before adding, so that no sum overflows
    mean = np.add.reduceat(steps / repeat(lengths, stacked), starts)
    mean = np.clip(mean, smallest, largest)  # exact where all values are the same
    unit = np.maximum(largest - mean, mean - smallest)
    constant = unit <= ROUNDING * np.finfo(np.float64).eps * np.abs(mean)
    unit[constant] = 1.0
    deviations = (steps - repeat(mean, stacked)) / repeat(unit, stacked)
    scale = unit * np.sqrt(np.add.reduceat(deviations**2, starts) / lengths)
    scale[constant] = 1.0
    return mean, scale


def repeat(rows, stacked):
    """Repeat the row of each sequence for each of its steps."""
    return np.repeat(rows, stacked.lengths, axis=0)


def restore(stacked, steps, X):
    """Put steps into the container of X; a table stays a table if the shape agrees."""
    result = stacked.restore_container(steps)
    if find_kind(unwrap(X)) == "table" and steps.shape == stacked.steps.shape:
        return result.reshape(len(result), -1)
    return result
