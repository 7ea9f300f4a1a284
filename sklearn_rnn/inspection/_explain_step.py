"""The equations of the cells at one step of a sequence, with the numbers of a model."""

from dataclasses import dataclass

import numpy as np

from sklearn_rnn._core.scalars import is_integer
from sklearn_rnn.inspection._equations import (
    format_latex,
    format_text,
    write_vector,
)
from sklearn_rnn.inspection._inputs import read_input

DIRECTIONS = ("forward", "backward")
MANY_UNITS = 8  # more units are not printed by default


@dataclass(frozen=True, eq=False)
class StepExplanation:
    """Equations of the cells of a network at one step, with their numbers.

    :func:`explain_step` returns it. ``print`` shows it as text, and a notebook shows
    the equations in LaTeX.

    Parameters
    ----------
    text : str
        Equations of each layer, their numbers and their results as plain text.
    latex : str
        The same in LaTeX: an ``aligned`` environment for each layer.
    terms : dict
        All terms of the equations of each layer, with the keys ``(layer, direction)``.
        Each value is a dict of arrays of shape ``(n_units,)``, whose keys are written
        as in the equations, such as ``W_i x_t``, ``i_t`` or ``h_t``.
    inputs : dict
        What each cell reads, with the same keys: an array of shape ``(n_inputs,)``, or
        a code.

    Attributes
    ----------
    frame : DataFrame
        The terms as a table, with one row per unit and the index ``layer``,
        ``direction`` and ``unit``. Requires pandas.

    See Also
    --------
    explain_step : Creates an explanation.
    """

    text: str
    latex: str
    terms: dict
    inputs: dict

    @property
    def frame(self):
        """The terms as a table, with one row per unit."""
        import pandas as pd

        frames = {key: pd.DataFrame(terms) for key, terms in self.terms.items()}
        # selecting from an index that is not sorted would cause a warning
        return pd.concat(frames, names=["layer", "direction", "unit"]).sort_index()

    def __str__(self):
        return self.text

    def _repr_latex_(self):
        return f"$\\displaystyle {self.latex}$"


def explain_step(estimator, sequence, t=-1, *, layer=None, units=None, decimals=3):
    """Write down the equations of the cells at one step with the numbers of a model.

    The network reads the sequence. The equations of the step are then computed from
    the states before it, in float64 and independently of the code of the network. The
    results equal the states of the network, up to its rounding.

    Parameters
    ----------
    estimator : estimator
        Fitted RNNClassifier, RNNRegressor, RNNForecaster or SequenceGenerator with a
        built-in cell, a Pipeline that ends in one, or a search over one.
    sequence : array-like of shape (n_timesteps,) or (n_timesteps, n_features), or str
        Sequence to read, or a container with one row, such as ``X[:1]``. It is a text
        or a list of tokens if the Pipeline begins with a vectorizer.
    t : int, default=-1
        Time step of the sequence, counted from 0; negative numbers count from the end.
        If the network reads patches (see ``patch_size``), the step of the network
        that reads the patch with this time step is explained.
    layer : int or None, default=None
        Index of the layer; None explains all layers.
    units : list of int or None, default=None
        Units that ``text`` and ``latex`` show. None shows all, but at most 8. The frame
        contains all units.
    decimals : int, default=3
        Number of decimals of ``text`` and ``latex``. The frame is not rounded.

    Returns
    -------
    explanation : StepExplanation
        Explanation with the attributes ``text``, ``latex``, ``terms``, ``frame`` and
        ``inputs``.

    Raises
    ------
    IndexError
        If the sequence has no step ``t``.
    TypeError
        If the cell is a callable, or if the estimator has no recurrent network that
        reads step by step.
    ValueError
        If ``layer`` or ``units`` do not exist, or if ``sequence`` is empty or holds
        several sequences.

    See Also
    --------
    sklearn_rnn.display.GateDisplay : Draws gates and states at all steps.

    Notes
    -----
    The cell of the first layer does not read the numbers of X themselves: they are
    standardized (unless ``scaling=False``) and, if the network reads patches, joined.
    Codes are replaced by embedding vectors or, with ``embedding="onehot"``, by
    one-hot vectors, so that ``W x_t`` is a column of the weights. A generator reads a
    start code before the first token. A forecaster reads differences or features of
    its Theta baseline. ``text`` says what enters the cell. Higher layers read the
    states of the layer below.

    In the backward direction, ``t-1`` denotes the step that was read before, which is
    the next step of the sequence.

    The frame equals the states of the network to about 1e-6 for networks in float32,
    and to two digits with ``precision="bfloat16"``.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier
    >>> from sklearn_rnn.inspection import explain_step
    >>> X = np.sin(np.arange(60.0)).reshape(6, 10)
    >>> model = RNNClassifier("rnn", 2, max_epochs=2, random_state=0)
    >>> model = model.fit(X, [0, 1, 0, 1, 0, 1])
    >>> explanation = explain_step(model, X[0], 3)
    >>> print(explanation.text.splitlines()[0])
    rnn cell, layer 0, step 3
    >>> list(explanation.frame.columns)
    ['h_{t-1}', 'W x_t', 'U h_{t-1}', 'b', 'h_t']
    >>> states = model.transform_sequences(X[:1])[0, 3]
    >>> bool(np.allclose(explanation.frame["h_t"], states, atol=1e-6))
    True
    """
    from sklearn_rnn._nn.tracing import trace_network

    given = read_input(estimator, sequence)
    t = _check_step(t, given.n_steps)
    if not is_integer(decimals, 0):
        raise ValueError(f"decimals={decimals!r}; expected an integer of at least 0.")
    step = given.locate(t)
    traces = trace_network(given.module, given.values)
    chosen = _select_layers(traces, layer)
    parts = [_explain_layer(trace, step, units, given, decimals) for trace in chosen]
    keys = [(trace.level, DIRECTIONS[trace.direction]) for trace in chosen]
    heads = [_write_head(trace, t, given) for trace in chosen]
    texts = [f"{head}\n{text}" for head, (text, _, _) in zip(heads, parts, strict=True)]
    return StepExplanation(
        "\n\n".join(texts),
        "\n".join(latex for _, latex, _ in parts),
        dict(zip(keys, (terms for *_, terms in parts), strict=True)),
        {key: trace.inputs[step] for key, trace in zip(keys, chosen, strict=True)},
    )


def _check_step(t, n_steps):
    """Validate a step, and count it from the beginning."""
    if not is_integer(t):
        raise TypeError(f"t={t!r}; expected an integer.")
    if not -n_steps <= t < n_steps:
        raise IndexError(f"the sequence has {n_steps} steps; there is no step t={t}.")
    return int(t) % n_steps


def _select_layers(traces, layer):
    """The traces of one layer, or of all."""
    n_layers = traces[-1].level + 1
    if layer is None:
        return traces
    if not is_integer(layer, -n_layers, n_layers - 1):
        raise ValueError(
            f"layer={layer!r}; expected None or an integer below {n_layers}, the "
            "number of layers."
        )
    return [trace for trace in traces if trace.level == layer % n_layers]


def _explain_layer(trace, step, units, given, decimals):
    """Text, LaTeX and the terms (H,) of the equations of one layer."""
    terms = trace.list_terms(slice(step, step + 1))
    terms = {name: values[0] for name, values in terms.items()}
    shown = _choose_units(units, len(terms["h_t"]))
    selected = {name: values[shown] for name, values in terms.items()}
    equations = trace.layer.write_equations()
    lines = [_describe_input(trace, step, given, decimals)]
    n_units = len(terms["h_t"])
    if len(shown) < n_units:
        names = ", ".join(map(str, shown))
        lines.append(f"units {names} of {n_units}")
    for name in ("h_{t-1}", "c_{t-1}"):
        if name in selected:
            label = name.replace("_{t-1}", "[t-1]")
            lines.append(f"{label} = {write_vector(selected[name], decimals)}")
    text = "\n".join([*lines, "", format_text(equations, selected, decimals)])
    return text, format_latex(equations, selected, decimals), terms


def _choose_units(units, n_units):
    """Indices of the units to show."""
    if units is None:
        return list(range(min(n_units, MANY_UNITS)))
    if isinstance(units, (list, tuple, range, np.ndarray)) and len(units):
        if all(is_integer(unit, -n_units, n_units - 1) for unit in units):
            return [int(unit) % n_units for unit in units]
    raise ValueError(
        f"units={units!r}; expected a list of integers below {n_units}, the number of "
        "units."
    )


def _write_head(trace, t, given):
    """Name of the cell, its layer and the step."""
    head = f"{trace.layer.name} cell, layer {trace.level}"
    if given.module.stack.bidirectional:
        head += ", backward" if trace.direction else ", forward"
    return f"{head}, step {t}"


def _describe_input(trace, step, given, decimals):
    """What the cell reads at a step."""
    x = trace.inputs[step]
    if trace.level:
        kind = f"states of layer {trace.level - 1}"
    elif given.kind != "code":
        kind = given.kind
    else:
        code = given.values[step]
        kind = f"token {given.labels[step]!r}, code {code}"
        if np.ndim(x) == 0:
            return f"x[t] = one-hot vector of {kind}"
        kind = f"embedding vector of {kind}"
    if len(x) <= MANY_UNITS:
        return f"x[t] = {write_vector(x, decimals)}  ({kind})"
    return f"x[t] has {len(x)} numbers ({kind})"
