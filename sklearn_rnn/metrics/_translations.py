"""Scores of translations."""

from itertools import repeat, zip_longest

import numpy as np
from sklearn.utils.validation import check_consistent_length


def token_accuracy_score(y_true, y_pred, *, sample_weight=None):
    """Compute the fraction of positions with the correct token.

    Parameters
    ----------
    y_true : list of str or list of sequences
        True sequences. In a text, each character is a token.
    y_pred : list of str or list of sequences
        Predicted sequences, of any length.
    sample_weight : array-like of shape (n_sequences,), default=None
        Weights of the sequences.

    Returns
    -------
    score : float
        Number of equal tokens at the same position, divided by the number of positions
        of the longer sequence of each pair; from 0 to 1.

    Raises
    ------
    ValueError
        If an argument is a single text, or no sequence has a token.

    Examples
    --------
    >>> from sklearn_rnn.metrics import token_accuracy_score
    >>> token_accuracy_score(["2019-04-22", "ab"], ["2019-04-21", "ab"])
    0.916...
    """
    check_not_bare_text(y_true, "y_true")
    check_not_bare_text(y_pred, "y_pred")
    check_consistent_length(y_true, y_pred)
    weights = np.ones(len(y_true)) if sample_weight is None else sample_weight
    check_consistent_length(y_true, weights)
    right, places = [], []
    for true, pred in zip(y_true, y_pred, strict=True):
        right.append(sum(t == p for t, p in zip(true, pred, strict=False)))
        places.append(max(len(true), len(pred)))
    total = np.dot(places, weights)
    if not total > 0:
        raise ValueError(
            f"no token can be compared: y_true and y_pred have {len(places)} sequences "
            f"with {sum(places)} tokens and a total weight of {total}. Pass sequences "
            "with tokens, and weights that are not all 0."
        )
    return float(np.dot(right, weights) / total)


def bleu_score(y_true, y_pred):
    """Compute the BLEU score of texts with sacrebleu.

    Parameters
    ----------
    y_true : list of str, or list of lists of str
        True texts, or a list of alternative true texts for each source.
    y_pred : list of str
        Predicted texts.

    Returns
    -------
    score : float
        From 0 to 100.

    Raises
    ------
    ImportError
        If sacrebleu is not installed.
    ValueError
        If an argument is a single text, or if their lengths differ.
    TypeError
        If an entry is not a text.

    Notes
    -----
    The true texts are grouped by source, so that they can be split and indexed together
    with the sources. sacrebleu groups them by translator instead. For such
    ``references``, pass ``list(zip(*references))``.

    References
    ----------
    M. Post, "A call for clarity in reporting BLEU scores", WMT 2018.
    """
    return _by_sacrebleu("corpus_bleu", y_true, y_pred, force=True)


def chrf_score(y_true, y_pred):
    """Compute the chrF score of texts with sacrebleu.

    Parameters
    ----------
    y_true : list of str, or list of lists of str
        True texts, or a list of alternative true texts for each source.
    y_pred : list of str
        Predicted texts.

    Returns
    -------
    score : float
        From 0 to 100.

    Raises
    ------
    ImportError
        If sacrebleu is not installed.
    ValueError
        If an argument is a single text, or if their lengths differ.
    TypeError
        If an entry is not a text.

    Notes
    -----
    The true texts are grouped by source, so that they can be split and indexed together
    with the sources. sacrebleu groups them by translator instead. For such
    ``references``, pass ``list(zip(*references))``.

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
            "this score needs sacrebleu, which is not installed. Install it with pip "
            'install "sklearn_rnn[translation]".'
        ) from error
    check_not_bare_text(y_true, "y_true")
    check_not_bare_text(y_pred, "y_pred")
    references = [
        list(map(_check_text, row if _is_list(row) else [row], repeat("y_true")))
        for row in y_true
    ]
    predictions = list(map(_check_text, y_pred, repeat("y_pred")))
    hint = ""
    if references and {len(row) for row in references} == {len(predictions)}:
        hint = (
            " y_true looks like sacrebleu's lists of references, one per translator. "
            "Pass one list per source instead: list(zip(*y_true))."
        )
    if len(references) != len(predictions):
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"{[len(references), len(predictions)]}.{hint}"
        )
    if not predictions or not all(references):
        raise ValueError(
            "y_true must have at least one text for each text of y_pred, got 0."
        )
    # sacrebleu expects None for a reference that a source does not have
    by_translator = [list(texts) for texts in zip_longest(*references)]
    score = getattr(sacrebleu, name)(predictions, by_translator, **options).score
    return float(score)


def check_not_bare_text(y, name):
    """Raise a ValueError if ``y`` is one text instead of a list of texts."""
    if isinstance(y, (str, bytes)):
        raise ValueError(
            f"{name} is a single text: {y[:40]!r}. Pass a list of texts: [{name}]."
        )


def _is_list(row):
    return isinstance(row, (list, tuple, np.ndarray))


def _check_text(text, name):
    if not isinstance(text, str):
        raise TypeError(
            f"{name} contains {text!r} of type {type(text).__name__}, but must contain "
            "texts (str). Join lists of tokens to texts first."
        )
    return str(text)
