"""StepwiseTransformer: what scikit-learn does to rows, done to every time step."""

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
    """Let each TargetEncoder split sequences, where it would split their steps.

    Steps of a sequence share its target. If some trained the encoding of others, the
    encoding of a value that one sequence alone has would be the target itself.
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
    auto_wrap_output_keys=(),
):
    """Apply a transformer of rows to every time step of sequences.

    The steps of all sequences are put under each other, transformed as the rows of one
    table, and taken apart again. So ``StepwiseTransformer(StandardScaler())`` has one
    mean and one scale a feature, for all steps, where a StandardScaler alone refuses
    sequences. Padding is never seen by the transformer and comes back as padding.

    Parameters
    ----------
    transformer : estimator
        Any scikit-learn transformer of 2-D data that gives a row for each row: a
        scaler, an imputer, PCA, an encoder, a Pipeline of such. It is cloned.
    input_size : int or None, default=None
        Features a step. Says how a table is read: its rows are sequences of
        ``n_columns / input_size`` steps. None is 1 for a table and any for sequences
        that show their number of features.

    Attributes
    ----------
    transformer_ : estimator
        The fitted clone, of which each step is a row.
    n_features_in_ : int
        Features a step, also for tables.
    feature_names_in_ : ndarray of str of shape (`n_features_in_`,)
        Columns of the frames, if the sequences are frames.

    See Also
    --------
    RNNClassifier : Reads the same containers.
    sequences_from_frame : Sequences from one long table.

    Notes
    -----
    ===========================================  ====================================
    X                                            comes back as
    ===========================================  ====================================
    3-D array ``(n, T, F)``                      3-D array, the same steps padded
    table ``(n, m)``                             3-D array of ``m / input_size`` steps
    list or tuple of ``(T_i,)`` or ``(T_i, F)``  list of ``(T_i, n_features_out)``
    object array or Series of such               object array of the same
    ===========================================  ====================================

    In a 3-D array trailing steps that are NaN throughout are padding. Any other NaN is
    a value that the transformer gets, so that an imputer can fill it. Sparse rows,
    which OneHotEncoder returns by default, are made dense. If ``transformer`` has been
    told to return frames by its ``set_output``, ragged sequences come back as frames.

    Longer sequences have more rows and count more in what the transformer learns.

    A TargetEncoder, also inside a Pipeline or ColumnTransformer, cross-fits over
    sequences in :meth:`fit_transform`: its ``cv`` splits sequences instead of steps, an
    int into shuffled folds. Other transformers that cross-fit split single steps.

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
            Sequences, in any container that :class:`RNNClassifier` reads but tokens.
        y : array-like of shape (n_sequences,) or None, default=None
            For a transformer that needs targets; each step gets that of its sequence.
        **params : dict
            Metadata for the transformer's ``fit``, such as ``sample_weight``. What has
            one entry a sequence is repeated over its steps.

        Returns
        -------
        self : object
            The fitted transformer. If anything fails it is what it was before.

        Raises
        ------
        ValueError
            If a sequence has no steps or other features than the first, or holds NaN or
            infinity that the transformer refuses; the sequence is named.
        TypeError
            If X holds tokens.
        """
        self._fit("fit", X, y, params)
        return self

    @_fit_context(prefer_skip_nested_validation=False)
    @wrap_as_task
    def fit_transform(self, X, y=None, **params):
        """Fit, and return the same sequences transformed.

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
            The transformed sequences, in the container of the Notes.
        """
        return self._fit("fit_transform", X, y, params)

    @_inner_has("partial_fit")
    @_fit_context(prefer_skip_nested_validation=False)
    def partial_fit(self, X, y=None, **params):
        """Go on fitting with the steps of more sequences, if the transformer can.

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
            Sequences of any length and the features of ``fit``.

        Returns
        -------
        X_out : ndarray of shape (n_sequences, n_timesteps, n_features_out), or ragged
            The transformed sequences, in the container of the Notes.

        Raises
        ------
        ValueError
            If X has other features a step than in fit, or the transformer does not
            return one row a step.
        """
        check_is_fitted(self)
        return self._apply(self.transformer_.transform, self._read(X, reset=False))

    @_inner_has("inverse_transform")
    @on_snapshot
    def inverse_transform(self, X):
        """Undo the transformation of every time step, as far as the transformer can.

        Parameters
        ----------
        X : array-like of shape (n_sequences, n_timesteps, n_features_out), or ragged
            Sequences as :meth:`transform` returns them.

        Returns
        -------
        X_original : ndarray of shape (n_sequences, n_timesteps, n_features), or ragged
            The sequences before, in the container of the Notes.
        """
        check_is_fitted(self)
        stacked = stack_steps(X, self.input_size)
        return self._apply(self.transformer_.inverse_transform, stacked)

    @_inner_has("get_feature_names_out")
    @on_snapshot
    def get_feature_names_out(self, input_features=None):
        """Names of the features of a transformed step, as the transformer gives them.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the features of a step; by default those seen in fit.

        Returns
        -------
        names : ndarray of str of shape (n_features_out,)
            One name a feature of a step.
        """
        check_is_fitted(self)
        return self.transformer_.get_feature_names_out(input_features)

    def set_output(self, *, transform=None):
        """Accept the setting of a Pipeline, which does not apply to sequences.

        Sequences come back in the container that :meth:`transform` documents. Set the
        output of ``transformer`` to receive ragged sequences as frames.

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
        """How metadata such as ``sample_weight`` reaches the transformer.

        Returns
        -------
        routing : MetadataRouter
            Every fitting method hands on what the transformer's own one requests.
        """
        mapping = MethodMapping()
        for method in METHODS:
            mapping.add(caller=method, callee=method)
        return MetadataRouter(owner=self).add(
            transformer=self.transformer, method_mapping=mapping
        )

    def _fit(self, method, X, y, params):
        """Fit by the transformer's own method; if it fails, nothing has changed."""
        with draft(self) as new:
            continuing = method == "partial_fit" and hasattr(self, "transformer_")
            stacked = new._read(X, reset=not continuing)
            # a copy, since a partial_fit that fails may have changed half of its state
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
        """y and other metadata as ``method`` of the transformer gets them."""
        y = unwrap(y, "y")
        check_consistent_length(stacked.lengths, y, params.get("sample_weight"))
        if _routing_enabled():
            params = process_routing(self, method, **params).transformer[method]
        if len(getattr(y, "shape", ())) > 1:
            y = y.toarray() if sparse.issparse(y) else y
            y = list(np.asarray(y))  # a row is repeated without being copied
        repeat_metadata = stacked.repeat_metadata({"y": y, **params})
        return repeat_metadata.pop("y"), repeat_metadata

    def _read(self, X, *, reset):
        """The steps of X, if they have the right number of features."""
        stacked = stack_steps(X, self.input_size)
        size = stacked.steps.shape[1]
        expected = self.input_size if reset else self.n_features_in_
        if expected not in (None, size):
            source = "has input_size=" if reset else "was fitted with "
            raise ValueError(
                f"X has {size} features a step, but {type(self).__name__} "
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
            return tags  # no estimator, which fit refuses
        inner = get_tags(self.transformer)
        tags.target_tags.required = inner.target_tags.required
        tags.input_tags.allow_nan = inner.input_tags.allow_nan or inner.no_validation
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        return tags
