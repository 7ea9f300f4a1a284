"""Scores of translations."""

import numpy as np
from sklearn.utils.validation import check_consistent_length


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
