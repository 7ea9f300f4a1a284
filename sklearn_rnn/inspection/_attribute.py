"""Attribution of a prediction to the steps of a sequence."""

from numbers import Real

import numpy as np
from sklearn.utils import Bunch

from sklearn_rnn._core.drafts import snapshot
from sklearn_rnn._core.scalars import is_integer
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.ragged import object_array
from sklearn_rnn.inspection._inputs import read_sequences
from sklearn_rnn.inspection._models import find_best_estimator
from sklearn_rnn.inspection._steps import split_pipeline

METHODS = ("integrated_gradients", "occlusion")


def attribute(
    estimator,
    X,
    *,
    method="integrated_gradients",
    target=None,
    output="auto",
    step=-1,
    baseline=None,
    width=1,
    tol=1e-3,
    max_evaluations=20_000,
):
    """Attribute a prediction of each sequence to its time steps.

    Integrated gradients and occlusion compare the output of the network for a sequence
    with its output for a baseline without information. An attribution says how much a
    step, or a feature of a step, increases (positive) or decreases (negative) the
    output.

    Parameters
    ----------
    estimator : estimator
        Fitted RNNClassifier, RNNRegressor or SequenceGenerator, a Pipeline that ends in
        one, or a search over one. With ``method="occlusion"`` also a fitted
        RNNForecaster.
    X : array-like, list of arrays, list of str or TokenArray
        Sequences in any container that the estimator predicts from. A generator
        predicts the token that follows each text. For a forecaster, one series or a
        list of series.
    method : {"integrated_gradients", "occlusion"}, default="integrated_gradients"
        Integrated gradients [1]_ add up the gradient of the output along the straight
        line from the baseline to the sequence. The attributions of a sequence add up
        to the difference of both outputs. Occlusion replaces steps by the baseline and
        measures the decrease of the output. It misses steps that carry the same
        information, and its sum has no meaning.
    target : object, default=None
        What is explained: a class of a classifier, the index of an output of a
        regressor, a token of a generator, or the lead time of a forecaster, counted
        from 1. None explains the most likely class or token of each sequence, and the
        first output or step otherwise.
    output : {"auto", "log_odds", "proba", "prediction"}, default="auto"
        Quantity that is explained. "auto" is the logarithm of the odds of the class or
        token, ``log(p / (1 - p))``, and the prediction for numbers. "proba" explains
        the probability. It changes little near 0 and 1, even where the evidence
        changes.
    step : int, default=-1
        Time step whose prediction is explained if the model was fitted with
        ``return_sequences=True``.
    baseline : float, array-like or int, default=None
        Input without information: a number, an array of shape ``(n_features,)`` for all
        steps, or an array ``(n_timesteps, n_features)`` if all sequences have this
        length. For tokens it is a code. None takes the mean of each feature in ``fit``,
        or zero with ``scaling=False``, and an unknown token for text. For a forecaster
        it is a missing value and cannot be changed.
    width : int, default=1
        Number of successive steps that occlusion replaces at once. They share the
        effect equally.
    tol : float, default=1e-3
        Maximum completeness gap of integrated gradients. The path is divided until the
        gap is smaller.
    max_evaluations : int, default=20000
        Maximum number of gradients that are computed for one sequence. At least 32 are
        computed.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the following attributes:

        attributions : ndarray
            Attributions in the unit of the output: an array ``(n_sequences,
            n_timesteps, n_features)`` if X is a table or a 3-D array (NaN where X is
            padded), and otherwise an object array of arrays ``(T_i, n_features)``.
            There is no axis for features if tokens are read, and for occlusion, which
            replaces all features of a step. For a forecaster with channels, there is an
            axis for the channel that is forecast.
        tokens : list of list of str or None
            Characters or words of each text; None for numbers.
        sequences : list of ndarray
            Sequences as the final model of the Pipeline reads them.
        targets : list
            The target of each sequence.
        outputs : ndarray of shape (n_sequences,)
            The explained output of each sequence.
        baseline_outputs : ndarray of shape (n_sequences,)
            The output for the baseline.
        gap : ndarray of shape (n_sequences,)
            Completeness gap: absolute difference between the sum of the attributions
            and the difference of the two outputs. For numbers, it is divided by the
            standard deviation of y in ``fit``.
        n_evaluations : ndarray of shape (n_sequences,)
            Number of gradients or outputs that were computed.
        output : str
            Quantity that was explained: "log_odds", "proba", "prediction" or
            "forecast".

    Raises
    ------
    TypeError
        If the estimator has no recurrent network of this kind.
    ValueError
        If a parameter is invalid, or if X cannot be read.

    Warns
    -----
    UserWarning
        If the gap of integrated gradients is larger than ``tol``.

    See Also
    --------
    sklearn_rnn.display.AttributionDisplay : Draws attributions of a series.
    sklearn_rnn.display.TextDisplay : Draws attributions of a text.
    permutation_importance : Importance of features for a score.

    Notes
    -----
    The transformers of a Pipeline are applied first, and the attributions belong to
    what the final model reads. Transformers that keep steps and features, such as
    ``StepwiseTransformer(StandardScaler())``, do not change the attributions. For text,
    the attribution of a token is the sum over its embedding vector.

    Attributions depend on the baseline. It should be an input that speaks for no class:
    a constant, for example, may not be neutral for a model of oscillations. If the
    output is close to that of the baseline, the attributions add up to about 0, even if
    a single step decides: those of its features cancel. To compare steps, add up the
    absolute values of their features.

    The path is integrated by Gauss-Legendre quadrature with 4 points in 8 intervals.
    An interval in which the gradients do not add up to the difference of the outputs
    at its ends is halved. ``pooling="max"`` and ``"concat"`` need more evaluations,
    because the gradient jumps where another step has the maximum. The network computes
    in float64 on the CPU.

    References
    ----------
    .. [1] M. Sundararajan, A. Taly and Q. Yan, "Axiomatic attribution for deep
       networks", ICML 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.inspection import attribute
    >>> rng = np.random.default_rng(0)
    >>> X = 0.2 * rng.normal(size=(200, 8))
    >>> y = rng.choice(["down", "up"], size=200)
    >>> X[:, 5] += np.where(y == "up", 2, -2)
    >>> model = RNNClassifier(hidden_size=4, max_epochs=10, random_state=0).fit(X, y)
    >>> result = attribute(model, X[:3])
    >>> result.attributions.shape
    (3, 8, 1)
    >>> result.attributions[..., 0].argmax(axis=1)
    array([5, 5, 5])
    >>> bool((result.gap < 1e-3).all())
    True
    """
    check_options(method, width, tol, max_evaluations)
    _, model = split_pipeline(find_best_estimator(estimator))
    if hasattr(model, "backtest"):
        check_step(step, False, type(model).__name__)
        return _attribute_forecasts(model, X, method, target, output, baseline, width)
    given = read_sequences(estimator, X)
    each_step = getattr(given.model, "_predicts_steps", False)
    check_step(step, each_step, type(given.model).__name__)
    explain = _make_explainer(given.model, output, method, width, tol, max_evaluations)
    found = [
        explain(values, target, step, baseline, f"sequence {i}")
        for i, values in enumerate(given.values)
    ]
    gap = np.array([one.gap for one in found])
    if method == "integrated_gradients" and (gap > tol).any():
        warn_user(
            f"the completeness gap of {np.count_nonzero(gap > tol)} of {len(gap)} "
            f"sequences is larger than tol={tol:g}, at most {gap.max():.2g}. Increase "
            "max_evaluations."
        )
    return Bunch(
        attributions=_shape_like(
            given.sequences, [one.attributions for one in found], given.labels
        ),
        tokens=given.labels,
        sequences=given.values,
        targets=[one.target for one in found],
        outputs=np.array([one.output for one in found]),
        baseline_outputs=np.array([one.baseline_output for one in found]),
        gap=gap,
        n_evaluations=np.array([one.n_evaluations for one in found]),
        output=found[0].kind,
    )


def check_options(method, width, tol, max_evaluations):
    """Validate the parameters that do not depend on the model."""
    if method not in METHODS:
        raise ValueError(f"method={method!r}; expected one of {METHODS}.")
    if not is_integer(width, 1):
        raise ValueError(f"width={width!r}; expected an integer of at least 1.")
    if width > 1 and method != "occlusion":
        raise ValueError(
            f"width={width!r}, but method={method!r} replaces no steps. Set width=1 or "
            'method="occlusion".'
        )
    if not is_integer(max_evaluations, 1):
        raise ValueError(
            f"max_evaluations={max_evaluations!r}; expected an integer of at least 1."
        )
    is_number = isinstance(tol, Real) and not isinstance(tol, bool)
    if not is_number or not tol > 0:
        raise ValueError(f"tol={tol!r}; expected a positive number.")


def check_step(step, each_step, name):
    """Raise an error if a step is selected, but there is one prediction only."""
    if not each_step and step != -1:
        raise ValueError(
            f"step={step!r}, but this {name} does not predict at every step. Set "
            "step=-1, or fit a model with return_sequences=True."
        )


def _make_explainer(model, kind, method, width, tol, max_evaluations):
    """A function that explains one sequence of a model."""
    from sklearn_rnn.inspection._explainers import Explainer, make_output

    return Explainer(make_output(model, kind), method, width, tol, max_evaluations)


def _shape_like(sequences, attributions, tokens):
    """Attributions as an array if X was a rectangle of numbers, or as a list."""
    width = None if sequences is None or tokens is not None else sequences.width
    if width is None:
        return object_array(attributions)
    shape = (len(attributions), width, *attributions[0].shape[1:])
    padded = np.full(shape, np.nan)
    for row, part in zip(padded, attributions, strict=True):
        row[: len(part)] = part
    return padded


def _attribute_forecasts(model, X, method, target, output, baseline, width):
    """Attribute forecasts to the values of the past, which are left out in turn."""
    model = snapshot(model)
    if method != "occlusion":
        raise ValueError(
            "the baseline of an RNNForecaster is chosen from the past of a series and "
            'is not differentiable. Set method="occlusion".'
        )
    if output not in ("auto", "prediction") or baseline is not None:
        raise ValueError(
            "occlusion of a series marks values as missing and explains forecasts in "
            'their own unit. Set output="auto" and baseline=None.'
        )
    lead = 1 if target is None else target
    if not is_integer(lead, 1):
        raise ValueError(f"target={target!r}; expected a lead time of at least 1.")
    series = model._read_series(X).values
    found = [_occlude_series(model, values, int(lead), width) for values in series]
    if not model._container.has_channels:
        found = [(effects[:, 0], forecast[0]) for effects, forecast in found]
    return Bunch(
        attributions=object_array(effects for effects, _ in found),
        tokens=None,
        sequences=series,
        targets=[int(lead)] * len(found),
        outputs=np.array([forecast for _, forecast in found]),
        baseline_outputs=np.full(len(found), np.nan),
        gap=np.full(len(found), np.nan),
        n_evaluations=np.array([-(-len(v) // width) + 1 for v in series]),
        output="forecast",
    )


def _occlude_series(model, values, lead, width):
    """Effects (T, C) of the values of a series on its forecast, and the forecast."""
    n_steps, n_channels = values.shape
    first = np.arange(0, n_steps, width)
    copies = [values]
    for begin in first:
        copy = values.copy()
        copy[begin : begin + width] = np.nan
        copies.append(copy)
    forecasts = np.array(model.predict(copies, horizon=lead))
    forecasts = forecasts.reshape(len(copies), lead, n_channels)[:, -1]
    sizes = np.minimum(first + width, n_steps) - first
    effects = (forecasts[0] - forecasts[1:]) / sizes[:, None]
    return np.repeat(effects, sizes, axis=0), forecasts[0]
