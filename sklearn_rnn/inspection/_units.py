"""Units of a network whose state tracks a property of the steps."""

import numpy as np
from sklearn.utils import Bunch

from sklearn_rnn._core.scalars import is_integer
from sklearn_rnn._data.containers import unwrap_documents
from sklearn_rnn._data.tokens import TokenArray
from sklearn_rnn.inspection._inputs import read_inputs


def find_units(estimator, X, property, *, cv=5):
    """Find units whose state tracks a property of the time steps.

    The states of all units of all layers are compared with a property of each step,
    for example whether a character is inside quotation marks. Among many units, some
    correlate with any property by chance. The scores are therefore computed on parts
    of the data that were not used to choose the unit or the sign of the correlation.

    Parameters
    ----------
    estimator : estimator
        Fitted RNNClassifier, RNNRegressor, RNNForecaster or SequenceGenerator, a
        Pipeline that ends in one, or a search over one.
    X : array-like, list of arrays, str, list of str or TokenArray
        Sequences in any container that the estimator predicts from. A generator also
        reads a single text.
    property : array-like or callable
        Property of each step: one array of shape ``(n_timesteps,)`` for each sequence,
        or a single array for a single sequence or text. For a text, a step is a token
        of the vectorizer, such as a character. If there is one value per sequence,
        all of its steps have it. A callable receives each sequence of X, such as a
        text, without padding, and returns its array or value. Values are numbers,
        booleans or labels.
    cv : int, default=5
        Number of parts into which the data are divided. If there are fewer sequences,
        their steps are divided at ``cv - 1`` places.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        Dictionary-like object with the following attributes:

        frame : DataFrame
            One row per unit and state, best first, with the columns

            * ``layer``, ``direction`` ("forward" or "backward"), ``state`` ("hidden"
              or "cell") and ``unit``,
            * ``value``: label that the unit tracks, if the property has more than two
              labels, each of which is compared with all others,
            * ``score``: mean correlation in the parts that are held out, multiplied by
              the sign of the correlation in the other parts. 1 is a perfect unit, and
              0 is expected without a relation,
            * ``std``: standard deviation of the scores of the parts,
            * ``correlation``: correlation with the property in all data,
            * ``n_best``: number of parts for which the unit was the best in the other
              parts.
        score : float
            Mean score of the best unit. For each part, the unit is chosen in the other
            parts. In contrast to the first row of ``frame``, the score is not biased
            by the choice among all units. With more than two labels, it is the mean
            over the labels.
        n_steps : int
            Number of steps that were compared.

    Raises
    ------
    ValueError
        If the property does not match the steps of X or is constant, or if the
        network reads patches of several steps.

    See Also
    --------
    sklearn_rnn.display.TextDisplay : Draws the state of a unit over a text.

    Notes
    -----
    The score is Pearson's correlation; for two labels, it is the point-biserial
    correlation. Each state is the one after the step. Adjacent steps have similar
    states, so the number of independent observations is much smaller than the number of
    steps. Parts that contain only one value of the property are left out.

    Karpathy, Johnson and Li found such units in language models by looking at their
    states [1]_.

    References
    ----------
    .. [1] A. Karpathy, J. Johnson and F.-F. Li, "Visualizing and understanding
       recurrent networks", arXiv:1506.02078, 2015.

    Examples
    --------
    >>> from sklearn_rnn import SequenceGenerator
    >>> from sklearn_rnn.inspection import find_units
    >>> text = 'a "quote" and a "word" ' * 40
    >>> model = SequenceGenerator(hidden_size=8, max_epochs=8, random_state=2)
    >>> model = model.fit(text)
    >>> def inside(text):
    ...     return [text[: k + 1].count('"') % 2 for k in range(len(text))]
    >>> result = find_units(model, text, inside)
    >>> len(result.frame)
    16
    >>> result.frame.columns.tolist()[:4]
    ['layer', 'direction', 'state', 'unit']
    >>> result.score > 0.5
    True
    """
    if not is_integer(cv, 2):
        raise ValueError(f"cv={cv!r}; expected an integer of at least 2.")
    inputs = read_inputs(estimator, X)
    if any(given.patch_size > 1 for given in inputs):
        raise ValueError(
            f"the network reads patches of {inputs[0].patch_size} steps, but a "
            "property belongs to a single step. Fit a model with patch_size=1."
        )
    wanted = read_property(property, X, inputs)
    names, states = compute_states(inputs)
    parts = divide_steps([len(part) for part in wanted], cv)
    tables = []
    for value, numbers in list_targets(np.concatenate(wanted)):
        tables.append((value, score_units(states, numbers, parts)))
    frame = _make_frame(names, tables)
    score = np.mean([found.honest for _, found in tables])
    return Bunch(frame=frame, score=float(score), n_steps=len(states))


def read_property(property, X, inputs):
    """One array (T_i,) for each sequence, of the steps that the network reads."""
    if callable(property):
        property = [property(row) for row in list_rows(X, inputs)]
        if len(property) == 1 and np.ndim(property[0]) == 0:
            raise ValueError("property returned one value; expected one per step.")
    elif len(inputs) == 1 and np.ndim(property[0]) == 0:
        property = [property]
    if len(property) != len(inputs):
        raise ValueError(
            f"property has {len(property)} entries for {len(inputs)} sequences. Pass "
            "one array per sequence."
        )
    wanted = []
    for i, (values, given) in enumerate(zip(property, inputs, strict=True)):
        values = np.asarray(values)
        if values.ndim == 0:
            values = np.full(given.n_steps, values)
        if values.shape == find_padded_shape(X):
            values = values[: given.n_steps]
        if values.shape != (given.n_steps,):
            raise ValueError(
                f"property has the shape {values.shape} for sequence {i}, which has "
                f"{given.n_steps} steps. Pass one value for each step; the steps of a "
                "text are the tokens of the vectorizer."
            )
        wanted.append(values[max(-given.first, 0) :])
    return wanted


def list_rows(X, inputs):
    """The sequences of X for a callable, without padding."""
    if isinstance(X, (str, bytes)):
        return [X]
    rows = unwrap_documents(X) if hasattr(X, "columns") else X
    rows = list(np.asarray(rows) if hasattr(rows, "columns") else rows)
    if len(rows) != len(inputs):  # one sequence that is not in a list
        return [X]
    if find_padded_shape(X) is None:
        return rows
    return [row[: given.n_steps] for row, given in zip(rows, inputs, strict=True)]


def find_padded_shape(X):
    """The shape (T,) of a property of padded sequences, or None."""
    if isinstance(X, np.ndarray) and X.ndim == (2 if isinstance(X, TokenArray) else 3):
        return X.shape[1:2]
    return None


def compute_states(inputs):
    """Names of all units, and their states (n_steps, n_units) after each step."""
    from sklearn_rnn._nn.tracing import trace_network

    blocks: list = []
    names: list = []
    for given in inputs:
        traces = trace_network(given.module, given.values)
        parts = {
            (trace.level, trace.direction, state): values[given.shown]
            for trace in traces
            for state, values in trace.after.items()
        }
        blocks.append(np.hstack(list(parts.values())).astype(np.float32))
        if not names:
            names = [
                (layer, "backward" if direction else "forward", state, unit)
                for (layer, direction, state), values in parts.items()
                for unit in range(values.shape[1])
            ]
    return names, np.concatenate(blocks)


def divide_steps(lengths, cv):
    """Divide the steps of all sequences into ``cv`` parts: (n_steps,) numbers.

    Sequences stay whole if there are at least ``cv`` of them.
    """
    n_steps = sum(lengths)
    if len(lengths) < cv:
        return np.arange(n_steps) * cv // n_steps
    of_sequence = np.arange(len(lengths)) * cv // len(lengths)
    return np.repeat(of_sequence, lengths)


def list_targets(values):
    """Pairs of a label, or None, and numbers (n_steps,) that units may track."""
    found = np.unique(values)
    if not len(found):
        raise ValueError("X contains no steps. Pass at least one sequence with steps.")
    if len(found) < 2:
        raise ValueError(
            f"property is {found[0]} at all steps. Pass data in which it varies."
        )
    if values.dtype.kind in "biuf":
        if not np.isfinite(values.astype(float)).all():
            raise ValueError("property contains NaN or infinity.")
        return [(None, values.astype(float))]
    if len(found) == 2:
        return [(None, (values == found[1]).astype(float))]
    return [(value, (values == value).astype(float)) for value in found]


def score_units(states, numbers, parts):
    """Correlations of units (n_steps, n_units) with numbers, in parts held out."""
    n_units = states.shape[1]
    held_out, honest = [], []
    n_best = np.zeros(n_units, dtype=int)
    for part in np.unique(parts):
        inside = parts == part
        if np.ptp(numbers[inside]) == 0 or np.ptp(numbers[~inside]) == 0:
            continue
        trained = correlate(states[~inside], numbers[~inside])
        scores = np.sign(trained) * correlate(states[inside], numbers[inside])
        best = int(np.abs(trained).argmax())
        n_best[best] += 1
        held_out.append(scores)
        honest.append(scores[best])
    if not held_out:
        raise ValueError(
            "property varies in none of the parts that are held out. Pass more data, "
            "or a smaller cv."
        )
    return Bunch(
        score=np.mean(held_out, axis=0),
        std=np.std(held_out, axis=0),
        correlation=correlate(states, numbers),
        n_best=n_best,
        honest=np.mean(honest),
    )


def correlate(states, numbers):
    """Pearson's correlation (n_units,); 0 for a unit that does not vary."""
    states = states - states.mean(axis=0, dtype=np.float64)
    numbers = numbers - numbers.mean()
    sizes = np.sqrt((states**2).sum(axis=0) * (numbers**2).sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        found = numbers @ states / sizes
    return np.where(sizes > 0, found, 0.0)


def _make_frame(names, tables):
    """One row per unit and label, best first."""
    import pandas as pd

    frames = []
    for value, found in tables:
        frame = pd.DataFrame(names, columns=["layer", "direction", "state", "unit"])
        if len(tables) > 1:
            frame["value"] = value
        for column in ("score", "std", "correlation", "n_best"):
            frame[column] = found[column]
        frames.append(frame)
    frame = pd.concat(frames, ignore_index=True)
    return frame.sort_values("score", ascending=False, ignore_index=True)
