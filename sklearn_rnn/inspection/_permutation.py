"""Permutation importance of the features and of parts of sequences."""

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils import Bunch
from sklearn.utils.parallel import Parallel, delayed

from sklearn_rnn._core.randomness import draw_seed, numpy_generator
from sklearn_rnn._core.scalars import is_integer
from sklearn_rnn._data.containers import unwrap, unwrap_documents
from sklearn_rnn._data.ragged import object_array
from sklearn_rnn._data.sequences import find_kind, from_array
from sklearn_rnn._data.tokens import PADDING, TokenArray
from sklearn_rnn.inspection._models import find_best_estimator
from sklearn_rnn.inspection._steps import find_widths, split_pipeline
from sklearn_rnn.text._vectorizer import TokenVectorizer


def permutation_importance(
    estimator,
    X,
    y,
    *,
    by="features",
    n_blocks=10,
    scoring=None,
    n_repeats=5,
    n_jobs=None,
    random_state=None,
    sample_weight=None,
):
    """Compute the importance of features, or of blocks of time, for a score.

    The importance is the decrease of the score when a feature of all steps, or all
    features in a part of the time, is exchanged between sequences at random. The
    estimator is not fitted again. :func:`sklearn.inspection.permutation_importance`
    does this for the columns of tables and rejects 3-D arrays.

    Parameters
    ----------
    estimator : estimator
        Fitted estimator or Pipeline that predicts from sequences.
    X : array-like, list of arrays, list of str or TokenArray
        Sequences in any container that the estimator predicts from.
    y : array-like
        True labels or numbers.
    by : {"features", "blocks"}, default="features"
        What is exchanged. "features" takes a feature of all steps from another
        sequence. "blocks" divides each sequence into ``n_blocks`` parts of equal
        length, and takes one part with all of its features from another sequence.
    n_blocks : int, default=10
        Number of parts of each sequence for ``by="blocks"``. Parts of sequences with
        fewer steps can be empty.
    scoring : str, callable or None, default=None
        Scorer, as in scikit-learn; None is the ``score`` method of the estimator.
    n_repeats : int, default=5
        Number of times that each feature or block is exchanged.
    n_jobs : int or None, default=None
        Number of features or blocks that are processed in parallel. None is 1 unless
        in a ``joblib.parallel_backend`` context; -1 uses all processors.
    random_state : int, RandomState instance or None, default=None
        Seed of the permutations. Pass an int for reproducible results, which do not
        depend on ``n_jobs``.
    sample_weight : array-like of shape (n_sequences,), default=None
        Weights of the sequences in the score.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the following attributes:

        importances_mean : ndarray of shape (n_items,)
            Mean importance of each feature or block over the repetitions.
        importances_std : ndarray of shape (n_items,)
            Standard deviation over the repetitions.
        importances : ndarray of shape (n_items, n_repeats)
            Decrease of the score in each repetition.
        score : float
            Score without a permutation.
        edges : ndarray of shape (n_blocks + 1,) or None
            Beginnings and ends of the blocks as fractions of the sequence; None for
            features.

    Raises
    ------
    TypeError
        If the estimator is a forecaster.
    ValueError
        If a parameter is invalid, if X has fewer than two sequences, or if X contains
        text or tokens and ``by="features"``.

    See Also
    --------
    attribute : Explains single predictions.
    sklearn.inspection.permutation_importance : Importance of the columns of a table.

    Notes
    -----
    If the other sequence has another length, its values are stretched: step t of T
    steps takes the value of the other sequence at the same fraction of its length.
    Blocks of text and tokens are not stretched, so that the length of the text changes.

    Correlated features, and neighboring blocks of smooth series, can replace each
    other, so that each of them has a small importance.

    References
    ----------
    L. Breiman, "Random forests", Machine Learning 45, 2001.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.inspection import permutation_importance
    >>> X = np.random.default_rng(0).normal(size=(200, 8, 3))
    >>> y = X[:, :4, 1].mean(axis=1) > 0
    >>> model = RNNClassifier(hidden_size=8, max_epochs=20, random_state=0).fit(X, y)
    >>> result = permutation_importance(model, X, y, random_state=0)
    >>> int(result.importances_mean.argmax())
    1
    >>> result = permutation_importance(
    ...     model, X, y, by="blocks", n_blocks=2, random_state=0
    ... )
    >>> int(result.importances_mean.argmax())
    0
    """
    _check_options(by, n_blocks, n_repeats, scoring)
    scorer = check_scoring(estimator, scoring=scoring)
    options = {} if sample_weight is None else {"sample_weight": sample_weight}
    score = scorer(estimator, X, y, **options)
    table = read_exchangeable(find_best_estimator(estimator), X)
    if by == "features" and not hasattr(table, "n_features"):
        raise ValueError(
            'X contains text or tokens, which have no features. Set by="blocks".'
        )
    if len(table.rows) < 2:
        raise ValueError(
            f"X has {len(table.rows)} sequence(s); at least 2 are needed to exchange "
            "values."
        )
    seed = draw_seed(random_state)
    n_items = table.n_features if by == "features" else n_blocks
    jobs = (
        delayed(_score_permuted)(
            estimator, table, y, scorer, options, item, by, n_blocks, n_repeats, seed
        )
        for item in range(n_items)
    )
    importances = score - np.array(Parallel(n_jobs=n_jobs)(jobs))
    return Bunch(
        importances_mean=importances.mean(axis=1),
        importances_std=importances.std(axis=1),
        importances=importances,
        score=float(score),
        edges=np.linspace(0, 1, n_blocks + 1) if by == "blocks" else None,
    )


def _check_options(by, n_blocks, n_repeats, scoring):
    """Validate the parameters that do not depend on the model."""
    if isinstance(scoring, (list, tuple, set, dict)):
        raise ValueError(f"scoring={scoring!r}; expected a single scorer.")
    if by not in ("features", "blocks"):
        raise ValueError(f'by={by!r}; expected "features" or "blocks".')
    for name, number in (("n_blocks", n_blocks), ("n_repeats", n_repeats)):
        if not is_integer(number, 1):
            raise ValueError(f"{name}={number!r}; expected an integer of at least 1.")


def _score_permuted(
    estimator, table, y, scorer, options, item, by, n_blocks, n_repeats, seed
):
    """Scores with one feature or block exchanged, one for each repetition."""
    rng = numpy_generator(seed, item)
    scores = []
    for _ in range(n_repeats):
        order = rng.permutation(len(table.rows))
        if by == "features":
            rows = table.exchange_feature(item, order)
        else:
            rows = table.exchange_block(item, n_blocks, order)
        scores.append(scorer(estimator, table.rebuild(rows), y, **options))
    return scores


class NumberRows:
    """Sequences of numbers (T_i, F), and their container.

    ``rebuild`` puts other sequences of the same lengths into such a container.
    """

    def __init__(self, rows, rebuild):
        self.rows, self.rebuild = rows, rebuild
        self.n_features = rows[0].shape[1]

    def exchange_feature(self, feature, order):
        """Rows with a feature of the rows in another order."""
        changed = [row.copy() for row in self.rows]
        for row, other in zip(changed, order, strict=True):
            row[:, feature] = stretch(self.rows[other][:, feature], len(row))
        return changed

    def exchange_block(self, block, n_blocks, order):
        """Rows with a block of steps of the rows in another order."""
        changed = [row.copy() for row in self.rows]
        for row, other in zip(changed, order, strict=True):
            part = find_block(block, n_blocks, len(row))
            row[part] = stretch(self.rows[other], len(row))[part]
        return changed


class TokenRows:
    """Texts, lists of tokens or codes, and their container."""

    def __init__(self, rows, rebuild):
        self.rows, self.rebuild = rows, rebuild

    def exchange_block(self, block, n_blocks, order):
        """Rows with a block of tokens of the rows in another order."""
        changed = []
        for row, other in zip(self.rows, order, strict=True):
            part = find_block(block, n_blocks, len(row))
            other = self.rows[other]
            new = other[find_block(block, n_blocks, len(other))]
            joined = [row[: part.start], new, row[part.stop :]]
            if isinstance(row, np.ndarray):
                changed.append(np.concatenate(joined))
            else:
                changed.append(joined[0] + joined[1] + joined[2])
        return changed


def stretch(values, n_steps):
    """Values of (T, ...) at the same fractions of another number of steps."""
    places = (np.arange(n_steps) + 0.5) * len(values) / n_steps
    return values[places.astype(int)]


def find_block(block, n_blocks, n_steps):
    """The steps of one of ``n_blocks`` parts of equal length."""
    edges = np.rint(np.array([block, block + 1]) * n_steps / n_blocks).astype(int)
    return slice(*edges.tolist())


def read_exchangeable(estimator, X):
    """Read X as rows of numbers or tokens that can be exchanged."""
    transformers, model = split_pipeline(estimator)
    if hasattr(model, "backtest"):
        raise TypeError(
            f"{type(model).__name__} forecasts series, whose steps have no counterpart "
            "in other series; expected an estimator that predicts from sequences."
        )
    reader = (*transformers, model)[0]
    if isinstance(X, TokenArray):
        return _read_tokens(X, X.vocabulary_size)
    is_reader = isinstance(reader, TokenVectorizer) or hasattr(reader, "generate")
    if is_reader or _holds_texts(X):
        documents = [_check_document(x) for x in unwrap_documents(X)]
        return TokenRows(documents, lambda rows: rows)
    X = unwrap(X)
    kind = find_kind(X)
    if kind == "array":
        return _read_array(np.asarray(X))
    if kind == "table":
        return _read_table(X, reader)
    containers = list(X)
    if isinstance(containers[0], TokenArray):
        return _read_tokens(containers, containers[0].vocabulary_size)
    rows = [np.asarray(unwrap(x)) for x in containers]
    is_flat = rows[0].ndim == 1

    def rebuild(rows):
        if is_flat:
            return object_array(row[:, 0] for row in rows)
        return [_wrap_like(x, row) for x, row in zip(containers, rows, strict=True)]

    return NumberRows([row.reshape(len(row), -1) for row in rows], rebuild)


def _holds_texts(X):
    """Whether X contains texts or lists of texts."""
    if hasattr(X, "columns"):
        return False
    first = next(iter(X), None)
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    return isinstance(first, (str, bytes))


def _check_document(document):
    """A text, or a list of tokens."""
    return document if isinstance(document, (str, bytes)) else list(document)


def _read_tokens(X, vocabulary_size):
    """Rows of codes without padding."""
    rows = [row[row != PADDING] for row in map(np.asarray, X)]

    def rebuild(rows):
        codes = np.zeros((len(rows), max(map(len, rows))), dtype=np.int32)
        for padded, row in zip(codes, rows, strict=True):
            padded[: len(row)] = row
        return TokenArray(codes, vocabulary_size)

    return TokenRows(rows, rebuild)


def _read_array(X):
    """Rows of an array (n, T, F), without padded steps."""
    lengths = from_array(X, finite=False).lengths
    rows = [row[:n] for row, n in zip(X, lengths, strict=True)]

    def rebuild(rows):
        padded = X.copy()
        for to, row in zip(padded, rows, strict=True):
            to[: len(row)] = row
        return padded

    return NumberRows(rows, rebuild)


def _read_table(X, reader):
    """Rows of a table, which contain all steps one after another."""
    values = np.asarray(X)
    _, n_features = find_widths(reader)
    n_features = n_features or 1

    def rebuild(rows):
        return _wrap_like(X, np.array(rows).reshape(values.shape))

    return NumberRows(list(values.reshape(len(values), -1, n_features)), rebuild)


def _wrap_like(container, values):
    """Values in a frame with the columns of a frame, or as they are."""
    if hasattr(container, "iloc") and hasattr(container, "columns"):
        index = container.index
        return type(container)(values, columns=container.columns, index=index)
    if hasattr(container, "schema") and hasattr(container, "columns"):  # of polars
        return type(container)(values, schema=container.columns)
    return values
