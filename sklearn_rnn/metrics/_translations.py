"""Scores of translations."""

from itertools import repeat, zip_longest

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
    refuse_bare_text(y_true, "y_true")
    refuse_bare_text(y_pred, "y_pred")
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
            f"with {sum(places)} tokens, of the total weight {total}. Give sequences "
            "with tokens, and weights that are not all 0."
        )
    return float(np.dot(right, weights) / total)


def bleu_score(y_true, y_pred):
    """BLEU of texts, by sacrebleu.

    Parameters
    ----------
    y_true : list of str, or list of lists of str
        Right texts; or for each source a list of several right texts, of any number.
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
    ValueError
        If an argument is a single text, or the two differ in length.
    TypeError
        If an entry is not a text.

    Notes
    -----
    References are listed by source here, so that they can be split and indexed together
    with the sources. sacrebleu lists them by translator instead: give
    ``list(zip(*references))`` for such ``references``.

    References
    ----------
    M. Post, "A call for clarity in reporting BLEU scores", WMT 2018.
    """
    return _by_sacrebleu("corpus_bleu", y_true, y_pred, force=True)


def chrf_score(y_true, y_pred):
    """The chrF score of texts, by sacrebleu.

    Parameters
    ----------
    y_true : list of str, or list of lists of str
        Right texts; or for each source a list of several right texts, of any number.
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
    ValueError
        If an argument is a single text, or the two differ in length.
    TypeError
        If an entry is not a text.

    Notes
    -----
    References are listed by source here, so that they can be split and indexed together
    with the sources. sacrebleu lists them by translator instead: give
    ``list(zip(*references))`` for such ``references``.

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
    refuse_bare_text(y_true, "y_true")
    refuse_bare_text(y_pred, "y_pred")
    references = [
        list(map(_check_text, row if _is_list(row) else [row], repeat("y_true")))
        for row in y_true
    ]
    said = list(map(_check_text, y_pred, repeat("y_pred")))
    hint = ""
    if references and {len(row) for row in references} == {len(said)}:
        hint = (
            " y_true looks like sacrebleu's lists of references, one per translator. "
            "Give one list per source instead: list(zip(*y_true))."
        )
    if len(references) != len(said):
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"{[len(references), len(said)]}.{hint}"
        )
    if not said or not all(references):
        raise ValueError("y_true needs at least one text for each of y_pred's, got 0.")
    # None is what sacrebleu takes for a reference that a source does not have
    by_translator = [list(texts) for texts in zip_longest(*references)]
    return float(getattr(sacrebleu, name)(said, by_translator, **options).score)


def refuse_bare_text(y, name):
    """Raise an error if ``y`` is one text, whose characters would be scored."""
    if isinstance(y, (str, bytes)):
        raise ValueError(
            f"{name} is a single text: {y[:40]!r}. Give a list of texts: [{name}]."
        )


def _is_list(row):
    return isinstance(row, (list, tuple, np.ndarray))


def _check_text(text, name):
    if not isinstance(text, str):
        raise TypeError(
            f"{name} holds {text!r} of type {type(text).__name__}; expected texts "
            "(str). Join lists of tokens into texts first."
        )
    return str(text)
