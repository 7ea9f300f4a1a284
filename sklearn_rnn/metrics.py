"""Scores of answers at each step, over the valid steps of all sequences.

y may be an array ``(n_sequences, n_timesteps)`` or ``(n_sequences, n_timesteps,
n_outputs)``, or a list, object array or Series of rows of any length. NaN in y_true is
padding, and so is what a row of an array y_true has beyond the end of y_pred's, or
NaN of an array y_pred beyond the end of y_true's row.
:func:`sklearn.metrics.make_scorer` makes scorers of them.
"""

from numbers import Integral

import numpy as np
from sklearn import metrics as of_rows
from sklearn.utils import check_scalar
from sklearn.utils.validation import check_consistent_length

__all__ = [
    "mean_absolute_scaled_error",
    "bleu_score",
    "chrf_score",
    "sequence_accuracy_score",
    "step_accuracy_score",
    "step_mean_absolute_error",
    "step_mean_squared_error",
    "step_r2_score",
    "token_accuracy_score",
]


def step_accuracy_score(y_true, y_pred, *, sample_weight=None):
    """Share of steps with the right label.

    Parameters
    ----------
    y_true : array-like or list of arrays
        Labels of each step of each sequence.
    y_pred : array-like or list of arrays
        Labels predicted.
    sample_weight : array-like or list of arrays, default=None
        A weight a sequence, or a weight a step.

    Returns
    -------
    score : float
        From 0 to 1.

    Examples
    --------
    >>> from sklearn_rnn.metrics import step_accuracy_score
    >>> step_accuracy_score([["D", "N"], ["N", "V"]], [["D", "V"], ["N", "V"]])
    0.75
    """
    true, pred, weights = _joined(_valid(y_true, y_pred, sample_weight))
    return of_rows.accuracy_score(true, pred, sample_weight=weights)


def sequence_accuracy_score(y_true, y_pred, *, sample_weight=None):
    """Share of sequences of which every step has the right label.

    Parameters
    ----------
    y_true : array-like or list of arrays
        Labels of each step of each sequence.
    y_pred : array-like or list of arrays
        Labels predicted.
    sample_weight : array-like or list of arrays, default=None
        A weight a sequence. Or a weight a step: a sequence weighs their mean, and need
        not be right where they are 0.

    Returns
    -------
    score : float
        From 0 to 1. Sequences without a valid step do not count.

    Examples
    --------
    >>> from sklearn_rnn.metrics import sequence_accuracy_score
    >>> sequence_accuracy_score([["D", "N"], ["N", "V"]], [["D", "V"], ["N", "V"]])
    0.5
    """
    right, weights = [], []
    for true, pred, weight in _valid(y_true, y_pred, sample_weight):
        if len(true):
            right.append(np.all((true == pred)[weight != 0]))
            weights.append(weight.mean())
    _refuse_nothing(right)
    return of_rows.accuracy_score([True] * len(right), right, sample_weight=weights)


def step_r2_score(y_true, y_pred, *, sample_weight=None):
    """Coefficient of determination (R2) over all steps.

    Parameters
    ----------
    y_true : array-like or list of arrays
        Numbers of each step of each sequence.
    y_pred : array-like or list of arrays
        Numbers predicted.
    sample_weight : array-like or list of arrays, default=None
        A weight a sequence, or a weight a step.

    Returns
    -------
    score : float
        At most 1; the mean over the outputs, if there are several.

    Examples
    --------
    >>> from sklearn_rnn.metrics import step_r2_score
    >>> step_r2_score([[1.0, 2.0], [3.0]], [[1.0, 1.0], [3.0]])
    0.5
    """
    true, pred, weights = _joined(_valid(y_true, y_pred, sample_weight))
    return of_rows.r2_score(true, pred, sample_weight=weights)


def step_mean_squared_error(y_true, y_pred, *, sample_weight=None):
    """Mean squared error over all steps.

    Parameters
    ----------
    y_true : array-like or list of arrays
        Numbers of each step of each sequence.
    y_pred : array-like or list of arrays
        Numbers predicted.
    sample_weight : array-like or list of arrays, default=None
        A weight a sequence, or a weight a step.

    Returns
    -------
    loss : float
        In the squared unit of y; the mean over the outputs, if there are several.

    Examples
    --------
    >>> from sklearn_rnn.metrics import step_mean_squared_error
    >>> step_mean_squared_error([[1.0, 2.0], [3.0]], [[1.0, 1.0], [3.0]])
    0.333...
    """
    true, pred, weights = _joined(_valid(y_true, y_pred, sample_weight))
    return of_rows.mean_squared_error(true, pred, sample_weight=weights)


def step_mean_absolute_error(y_true, y_pred, *, sample_weight=None):
    """Mean absolute error over all steps.

    Parameters
    ----------
    y_true : array-like or list of arrays
        Numbers of each step of each sequence.
    y_pred : array-like or list of arrays
        Numbers predicted.
    sample_weight : array-like or list of arrays, default=None
        A weight a sequence, or a weight a step.

    Returns
    -------
    loss : float
        In the unit of y; the mean over the outputs, if there are several.

    Examples
    --------
    >>> from sklearn_rnn.metrics import step_mean_absolute_error
    >>> step_mean_absolute_error([[1.0, 2.0], [3.0]], [[1.0, 1.0], [3.0]])
    0.333...
    """
    true, pred, weights = _joined(_valid(y_true, y_pred, sample_weight))
    return of_rows.mean_absolute_error(true, pred, sample_weight=weights)


def mean_absolute_scaled_error(
    y_true, y_pred, *, y_train, season=1, sample_weight=None
):
    r"""Mean absolute error of forecasts, in units of a naive forecast's in training.

    Parameters
    ----------
    y_true : array-like or list of arrays
        What came: ``(n_timesteps,)`` or ``(n_timesteps, n_channels)`` like ``y_train``,
        or forecasts from several origins or of several series in a container of one
        axis more, such as ``(n_sequences, n_timesteps)``. NaN is left out.
    y_pred : array-like or list of arrays
        What was forecast.
    y_train : array-like or list of arrays
        The series before, ``(n_train,)`` or an array ``(n_train, n_channels)``: one for
        all of y, or a list (or 3-D array) of one for each sequence of y. NaN is left
        out.
    season : int, default=1
        The naive forecast is the value so many steps before.
    sample_weight : array-like or list of arrays, default=None
        A weight a step, or a weight a sequence if y holds several.

    Returns
    -------
    loss : float
        Below 1 the forecast errs less than the naive one step (one season) ahead; the
        mean over all steps, and over channels.

    Raises
    ------
    ValueError
        If ``y_train`` is not longer than ``season``, or does not vary over it.

    References
    ----------
    R. J. Hyndman and A. B. Koehler, "Another look at measures of forecast accuracy",
    International Journal of Forecasting 22, 2006.

    Examples
    --------
    >>> from sklearn_rnn.metrics import mean_absolute_scaled_error
    >>> mean_absolute_scaled_error([5.0, 7.0], [5.0, 6.0], y_train=[1.0, 2.0, 4.0, 3.0])
    0.375
    """
    check_scalar(season, "season", Integral, min_val=1)
    several = _n_axes(y_train) > max(1, min(getattr(y_train, "ndim", 1), 2))
    if not several and _n_axes(y_true) <= _n_axes(y_train):
        y_true, y_pred = [y_true], [y_pred]
        sample_weight = None if sample_weight is None else [sample_weight]
    rows = _valid(y_true, y_pred, sample_weight)
    past = _rows(y_train, "y_train") if several else [np.asarray(y_train)] * len(rows)
    check_consistent_length(rows, past)
    scaled = []
    for i, ((true, pred, weight), train) in enumerate(zip(rows, past, strict=True)):
        if true.shape[1:] != train.shape[1:]:
            raise ValueError(
                f"row {i} of y_true has steps of the shape {true.shape[1:]}, its "
                f"y_train of the shape {train.shape[1:]}. Give the same channels."
            )
        scale = _naive_error(train, season)
        scaled.append((true / scale, pred / scale, weight))
    true, pred, weights = _joined(scaled)
    return of_rows.mean_absolute_error(true, pred, sample_weight=weights)


def token_accuracy_score(y_true, y_pred, *, sample_weight=None):
    """Share of tokens that are right, place by place.

    Parameters
    ----------
    y_true : list of str or list of sequences
        Right sequences; of a text each character is a token.
    y_pred : list of str or list of sequences
        Sequences predicted, of any length.
    sample_weight : array-like of shape (n_sequences,), default=None
        Weights of the sequences.

    Returns
    -------
    score : float
        Agreeing places by places of the longer one of each pair.

    Examples
    --------
    >>> from sklearn_rnn.metrics import token_accuracy_score
    >>> token_accuracy_score(["2019-04-22", "ab"], ["2019-04-21", "ab"])
    0.916...
    """
    check_consistent_length(y_true, y_pred)
    weights = np.ones(len(y_true)) if sample_weight is None else sample_weight
    check_consistent_length(y_true, weights)
    right, places = [], []
    for true, pred in zip(y_true, y_pred, strict=True):
        right.append(sum(t == p for t, p in zip(true, pred, strict=False)))
        places.append(max(len(true), len(pred)))
    return float(np.dot(right, weights) / np.dot(places, weights))


def bleu_score(y_true, y_pred):
    """BLEU of texts, by sacrebleu.

    Parameters
    ----------
    y_true : list of str
        Right texts.
    y_pred : list of str
        Texts predicted.

    Returns
    -------
    score : float
        From 0 to 100.

    Raises
    ------
    ImportError
        If sacrebleu is not installed.

    References
    ----------
    M. Post, "A call for clarity in reporting BLEU scores", WMT 2018.
    """
    return _by_sacrebleu("corpus_bleu", y_true, y_pred, force=True)


def chrf_score(y_true, y_pred):
    """The chrF score of texts, by sacrebleu.

    Parameters
    ----------
    y_true : list of str
        Right texts.
    y_pred : list of str
        Texts predicted.

    Returns
    -------
    score : float
        From 0 to 100.

    Raises
    ------
    ImportError
        If sacrebleu is not installed.

    References
    ----------
    M. Popovic, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015.
    """
    return _by_sacrebleu("corpus_chrf", y_true, y_pred)


def _by_sacrebleu(name, y_true, y_pred, **options):
    try:
        import sacrebleu
    except ImportError as error:
        raise ImportError(
            "this score is sacrebleu's, which is not installed: pip install "
            '"sklearn_rnn[translation]".'
        ) from error
    check_consistent_length(y_true, y_pred)
    said, right = list(map(str, y_pred)), list(map(str, y_true))
    return float(getattr(sacrebleu, name)(said, [right], **options).score)


def _naive_error(train, season):
    """Mean absolute change of each channel over a season."""
    changes = np.abs(train[season:] - train[:-season])  # (n_train - season, ...)
    known = ~np.isnan(changes)
    if not known.any(axis=0).all():
        raise ValueError(
            f"y_train has {len(train)} steps, none of them {season} after another that "
            "is known. The naive forecast needs some: give a longer y_train."
        )
    scale = changes.mean(axis=0, where=known)
    if not scale.all():
        raise ValueError(
            f"y_train does not vary over {season} steps, which leaves nothing to scale "
            "by."
        )
    return scale


def _n_axes(y):
    """Axes of an array; of a list or the like, one more than those of its entries."""
    n_axes = getattr(y, "ndim", 1)
    return n_axes if n_axes > 1 else 1 + np.ndim(next(iter(y), 0))


def _rows(y, name):
    """An array a sequence, ``(T_i,)`` or ``(T_i, n_outputs)``."""
    y = np.asarray(y) if getattr(y, "ndim", 1) > 1 else y
    rows = [np.asarray(row) for row in y]
    for i, row in enumerate(rows):
        if row.ndim not in (1, 2) or row.shape[1:] != rows[0].shape[1:]:
            raise ValueError(
                f"row {i} of {name} has the shape {row.shape}. Give sequences: "
                "(n_timesteps,) or (n_timesteps, n_outputs) in every row."
            )
        if _is_text_beside_numbers(row, rows[0]):
            raise ValueError(
                f"row 0 of {name} is of {rows[0].dtype}, row {i} of {row.dtype}. Give "
                "text or numbers."
            )
    return rows


def _is_text_beside_numbers(a, b):
    """Whether the rows cannot be compared, which numpy would answer with all wrong."""
    kinds = a.dtype.kind + b.dtype.kind
    return "O" not in kinds and (kinds[0] in "US") != (kinds[1] in "US")


def _valid(y_true, y_pred, sample_weight):
    """The steps of each sequence that count: true, predicted, and their weights."""
    arrays = [getattr(y, "ndim", 1) > 1 for y in (y_true, y_pred)]
    y_true, y_pred = _rows(y_true, "y_true"), _rows(y_pred, "y_pred")
    check_consistent_length(y_true, y_pred)
    weights = [1] * len(y_true) if sample_weight is None else sample_weight
    if getattr(weights, "ndim", 1) > 1:
        weights = np.asarray(weights)
    check_consistent_length(y_true, weights)
    result = []
    for i, rows in enumerate(zip(y_true, y_pred, weights, strict=True)):
        true, pred = _without_padding(*rows[:2], *arrays)
        if true.shape != pred.shape or _is_text_beside_numbers(true, pred):
            raise ValueError(
                f"row {i} of y_true has the shape {rows[0].shape} of {true.dtype}, "
                f"that of y_pred {rows[1].shape} of {pred.dtype}. Give an entry a "
                "step of the same sequences."
            )
        weight = np.asarray(rows[2])
        if weight.ndim and weight.shape not in {row.shape[:1] for row in rows[:2]}:
            raise ValueError(
                f"row {i} of sample_weight has the shape {weight.shape}, that of "
                f"y_true {rows[0].shape}. Give a weight a step, or a weight a sequence."
            )
        weight = weight[: len(true)] if weight.ndim else np.repeat(weight, len(true))
        valid = np.ones(len(true), dtype=bool)
        if true.dtype.kind == "f":
            valid = ~np.isnan(true.reshape(len(true), -1)).any(axis=1)
        result.append((true[valid], pred[valid], weight[valid]))
    return result


def _without_padding(true, pred, true_is_padded, pred_is_padded):
    """Rows without what a row of an array has beyond the end of a ragged one."""
    if true_is_padded and not pred_is_padded:
        return true[: len(pred)], pred
    beyond = pred[len(true) :]
    if pred_is_padded and not true_is_padded and beyond.dtype.kind == "f":
        return true, pred[: len(true)] if np.isnan(beyond).all() else pred
    return true, pred


def _joined(rows):
    """The steps of all sequences behind each other."""
    _refuse_nothing([steps for steps, _, _ in rows if len(steps)])
    return tuple(map(np.concatenate, zip(*rows, strict=True)))


def _refuse_nothing(sequences):
    if not sequences:
        raise ValueError(
            "y_true holds no valid step: all are NaN, or beyond the rows of y_pred."
        )
