"""StepwiseTransformer: scikit-learn transformers applied to every time step."""

from copy import deepcopy
from numbers import Integral

import numpy as np
from scipy import sparse
from sklearn.base import TransformerMixin, clone
from sklearn.callback import CallbackSupportMixin
from sklearn.model_selection import KFold, StratifiedKFold, check_cv
from sklearn.preprocessing import TargetEncoder
from sklearn.utils import get_tags
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_consistent_length, check_is_fitted

from sklearn_rnn._core.callbacks import wrap_as_task
from sklearn_rnn._core.documentation import DocumentedEstimator
from sklearn_rnn._core.drafts import draft, on_snapshot
from sklearn_rnn._core.sklearn_private import (
    HasMethods,
    Interval,
    _check_feature_names,
    _estimator_has,
    _fit_context,
    _routing_enabled,
)
from sklearn_rnn._data.containers import unwrap
from sklearn_rnn.preprocessing._stacked_steps import stack_steps

METHODS = ("fit", "fit_transform", "partial_fit")


def cross_fit_over_sequences(transformer, lengths, y):
    """Make each TargetEncoder split sequences instead of time steps.

    All steps of a sequence have the same target. If an encoder split the steps, the
    target of a sequence would leak into the encoding of its own steps.
    """
    nested = transformer.get_params(deep=True).values()
    encoders = [t for t in (transformer, *nested) if isinstance(t, TargetEncoder)]
    if not encoders:
        return
    owners = np.repeat(np.arange(len(lengths)), lengths)
    is_class = type_of_target(y) in ("binary", "multiclass")
    for encoder in encoders:
        cv = encoder.cv
        if isinstance(cv, Integral):
            kind = StratifiedKFold if is_class else KFold
            cv = kind(cv, shuffle=True, random_state=0)
        splits = check_cv(cv, y, classifier=is_class).split(np.zeros(len(lengths)), y)
        encoder.cv = [
            tuple(np.flatnonzero(np.isin(owners, rows)) for rows in split)
            for split in splits
        ]


def _inner_has(method):
    return available_if(
        _estimator_has(method, delegates=("transformer_", "transformer"))
    )


class StepwiseTransformer(
    CallbackSupportMixin,
    TransformerMixin,
    DocumentedEstimator,
    auto_wrap_output_keys=(),  # type: ignore[call-arg]  # scikit-learn has no types
):
    """Meta-transformer that applies a transformer to every time step of sequences.

    The steps of all sequences are stacked to the rows of one table, transformed, and
    split into sequences again. ``StepwiseTransformer(StandardScaler())``, for example,
    standardizes each feature by its mean and scale over all steps of all sequences; a
    StandardScaler alone does not accept sequences. Padding is removed before the
    transformation and restored after it.

    Parameters
    ----------
    transformer : estimator
        Any scikit-learn transformer of 2-D data that returns one row for each row of
        its input, such as a scaler, an imputer, PCA, an encoder or a Pipeline of these.
        It is cloned.
    input_size : int or None, default=None
        Number of features per time step when X is a 2-D table, whose rows are then
        sequences of ``n_columns / input_size`` steps; None means 1. For other
        containers it is inferred from X.

    Attributes
    ----------
    transformer_ : estimator
        Clone of ``transformer``, fitted on the time steps.
    n_features_in_ : int
        Number of features per time step, also for tables.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Names of the columns, when fitted on sequences that are frames.

    See Also
    --------
    SeriesScaler : Standardizes each sequence by its own mean and scale.
    RNNClassifier : Accepts the same containers.
    sequences_from_frame : Converts a long table to sequences.

    Notes
    -----
    ===========================================  ====================================
    X                                            is returned as
    ===========================================  ====================================
    3-D array ``(n, T, F)``                      3-D array, padded at the same steps
    table ``(n, m)``                             3-D array of ``m / input_size`` steps
    list or tuple of ``(T_i,)`` or ``(T_i, F)``  list of ``(T_i, n_features_out)``
    object array or Series of such               object array of the same
    ===========================================  ====================================

    In a 3-D array, trailing steps in which all features are NaN are padding. All other
    NaN are passed to the transformer, so that an imputer can fill them. Sparse output,
    such as that of OneHotEncoder, is converted to dense arrays. If the ``set_output``
    method of ``transformer`` was called to return frames, ragged sequences are returned
    as frames.

    Long sequences have more rows, and therefore more influence on the fit of the
    transformer.

    A TargetEncoder, also inside a Pipeline or ColumnTransformer, cross-fits over
    sequences in :meth:`fit_transform`: its ``cv`` splits sequences instead of steps,
    and an int means shuffled folds. Other transformers that cross-fit split time steps.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_rnn import StepwiseTransformer
    >>> X = [np.array([[1.0, 0.0], [3.0, 4.0]]), np.array([[5.0, 8.0]])]
    >>> scaler = StepwiseTransformer(StandardScaler()).fit(X)
    >>> scaler.transformer_.mean_
    array([3., 4.])
    >>> scaler.transform([np.array([[3.0, 4.0]])])
    [array([[0., 0.]])]
    """

    n_features_in_: int

    _parameter_constraints = {
        "transformer": [HasMethods(["fit", "fit_transform", "transform"])],
        "input_size": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, transformer, *, input_size=None):
        self.transformer = transformer
        self.input_size = input_size

    @_fit_context(prefer_skip_nested_validation=False)
    @wrap_as_task
    def fit(self, X, y=None, **params):
        """Fit a clone of the transformer on the steps of all sequences.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), list or table
            Sequences, in any container that :class:`~sklearn_rnn.RNNClassifier` accepts
            except tokens.
        y : array-like of shape (n_sequences,) or None, default=None
            Targets, for a transformer that needs them. Each step gets the target of its
            sequence.
        **params : dict
            Metadata for the transformer's ``fit``, such as ``sample_weight``. Metadata
            with one entry per sequence is repeated for each of its steps.

        Returns
        -------
        self : object
            The fitted transformer.

        Raises
        ------
        ValueError
            If a sequence has no steps or another number of features than the first
            sequence, or if it contains NaN or infinity and the transformer does not
            accept them; the message names the sequence. The transformer is then
            unchanged.
        TypeError
            If X contains tokens.
        """
        self._fit("fit", X, y, params)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    @wrap_as_task
    def fit_transform(self, X, y=None, **params):
        """Fit the transformer, and transform the same sequences.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), list or table
            Sequences, as in :meth:`fit`.
        y : array-like of shape (n_sequences,) or None, default=None
            Targets, as in :meth:`fit`.
        **params : dict
            Metadata for the transformer's ``fit_transform``, as in :meth:`fit`.

        Returns
        -------
        X_out : ndarray of shape (n_sequences, n_timesteps, n_features_out), or ragged
            Transformed sequences, in the container listed in the Notes.
        """
        return self._fit("fit_transform", X, y, params)

    @_inner_has("partial_fit")
    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y=None, **params):
        """Continue fitting with the steps of more sequences.

        This method exists if the transformer has ``partial_fit``.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), list or table
            Sequences, as in :meth:`fit`.
        y : array-like of shape (n_sequences,) or None, default=None
            Targets, as in :meth:`fit`.
        **params : dict
            Metadata for the transformer's ``partial_fit``, as in :meth:`fit`.

        Returns
        -------
        self : object
            The fitted transformer.
        """
        self._fit("partial_fit", X, y, params)
        return self

    @on_snapshot
    def transform(self, X):
        """Transform every time step.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features), list or table
            Sequences of any length, with the features of :meth:`fit`.

        Returns
        -------
        X_out : ndarray of shape (n_sequences, n_timesteps, n_features_out), or ragged
            Transformed sequences, in the container listed in the Notes.

        Raises
        ------
        ValueError
            If X has another number of features per step than in :meth:`fit`, or if the
            transformer does not return one row per step.
        """
        check_is_fitted(self)
        return self._apply(self.transformer_.transform, self._read(X, reset=False))

    @_inner_has("inverse_transform")
    @on_snapshot
    def inverse_transform(self, X):
        """Invert the transformation of every time step.

        This method exists if the transformer has ``inverse_transform``.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features_out), or ragged
            Sequences as :meth:`transform` returns them.

        Returns
        -------
        X_original : ndarray of shape (n_sequences, n_timesteps, n_features), or ragged
            Sequences before the transformation, in the container listed in the Notes.
        """
        check_is_fitted(self)
        stacked = stack_steps(X, self.input_size)
        return self._apply(self.transformer_.inverse_transform, stacked)

    @_inner_has("get_feature_names_out")
    @on_snapshot
    def get_feature_names_out(self, input_features=None):
        """Return the names of the features of a transformed step.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the features of a step. None means the names seen in fit.

        Returns
        -------
        names : ndarray of str of shape (n_features_out,)
            Names that ``get_feature_names_out`` of the transformer returns.
        """
        check_is_fitted(self)
        return self.transformer_.get_feature_names_out(input_features)

    def set_output(self, *, transform=None):
        """Do nothing, for compatibility with the ``set_output`` of a Pipeline.

        Sequences are returned in the container listed in the Notes. To receive ragged
        sequences as frames, call ``set_output`` of ``transformer``.

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            Ignored.

        Returns
        -------
        self : object
            The transformer, unchanged.
        """
        return self

    def get_metadata_routing(self):
        """Return the routing of metadata to the transformer.

        Returns
        -------
        routing : MetadataRouter
            Each fitting method passes on what the same method of the transformer
            requests.
        """
        mapping = MethodMapping()
        for method in METHODS:
            mapping.add(caller=method, callee=method)
        return MetadataRouter(owner=self).add(
            transformer=self.transformer, method_mapping=mapping
        )

    def _fit(self, method, X, y, params):
        """Fit with a method of the transformer; errors leave everything unchanged."""
        with draft(self) as new:
            continuing = method == "partial_fit" and hasattr(self, "transformer_")
            stacked = new._read(X, reset=not continuing)
            # a copy, because a partial_fit that fails may leave a half-changed state
            new.transformer_ = (
                deepcopy(self.transformer_) if continuing else clone(self.transformer)
            )
            fit = getattr(new.transformer_, method)
            if method == "fit_transform":
                cross_fit_over_sequences(new.transformer_, stacked.lengths, y)
            y, params = self._metadata(method, stacked, y, params)
            with stacked.name_sequences_in_errors():
                result = fit(stacked.steps, y, **params)
            if method == "fit_transform":
                result = stacked.restore_container(result)
        return result

    def _metadata(self, method, stacked, y, params):
        """Prepare y and other metadata for ``method`` of the transformer."""
        y = unwrap(y, "y")
        check_consistent_length(stacked.lengths, y, params.get("sample_weight"))
        if _routing_enabled():
            params = process_routing(self, method, **params).transformer[method]
        if len(getattr(y, "shape", ())) > 1:
            y = y.toarray() if sparse.issparse(y) else y
            y = list(np.asarray(y))  # rows are repeated without copying them
        repeat_metadata = stacked.repeat_metadata({"y": y, **params})
        return repeat_metadata.pop("y"), repeat_metadata

    def _read(self, X, *, reset):
        """Stack the steps of X, and check the number of features."""
        stacked = stack_steps(X, self.input_size)
        size = stacked.steps.shape[1]
        expected = self.input_size if reset else self.n_features_in_
        if expected not in (None, size):
            source = "has input_size=" if reset else "was fitted with "
            raise ValueError(
                f"X has {size} features per step, but {type(self).__name__} "
                f"{source}{expected}."
            )
        if reset:
            _check_feature_names(self, stacked.steps, reset=True)
            self.n_features_in_ = size
        return stacked

    @staticmethod
    def _apply(function, stacked):
        with stacked.name_sequences_in_errors():
            return stacked.restore_container(function(stacked.steps))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if not hasattr(self.transformer, "__sklearn_tags__"):
            return tags  # not an estimator: fit raises an error
        inner = get_tags(self.transformer)
        tags.target_tags.required = inner.target_tags.required
        tags.input_tags.allow_nan = inner.input_tags.allow_nan or inner.no_validation
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags
