"""Gates and states of one layer at all steps of a sequence."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from sklearn_rnn._core.scalars import is_integer
from sklearn_rnn.inspection._attribute import attribute
from sklearn_rnn.inspection._explain_step import DIRECTIONS
from sklearn_rnn.inspection._inputs import read_input
from sklearn_rnn.inspection._models import find_best_estimator
from sklearn_rnn.inspection._steps import make_row, split_pipeline


@dataclass(frozen=True)
class LayerValues:
    """Values (T, H) of each gate and state of a layer, in the order of the equations.

    ``labels`` are the tokens of a text, and None for numbers.
    """

    values: dict[str, np.ndarray]
    labels: list[str] | None
    steps_per_value: int  # the size of a patch

    def find(self, name: str) -> np.ndarray:
        """Return the values of a gate or state; "hidden" and "cell" are states."""
        name = {"hidden": "h", "cell": "c"}.get(name, name)
        if name not in self.values:
            raise ValueError(
                f"there is no gate or state {name!r}; this cell has "
                f"{list(self.values)}."
            )
        return self.values[name]


def compute_gates(
    estimator: Any, sequence: Any, layer: int = -1, direction: str = "forward"
) -> LayerValues:
    """Read one sequence, and return the gates and states of a layer after each step."""
    from sklearn_rnn._nn.tracing import trace_network

    given = read_input(estimator, sequence)
    traces = trace_network(given.module, given.values)
    n_layers = traces[-1].level + 1
    if not is_integer(layer, -n_layers, n_layers - 1):
        raise ValueError(
            f"layer={layer!r}; expected an integer below {n_layers}, the number of "
            "layers."
        )
    found = {(trace.level, DIRECTIONS[trace.direction]): trace for trace in traces}
    trace = found.get((layer % n_layers, direction))
    if trace is None:
        known = sorted({name for _, name in found}, reverse=True)
        raise ValueError(f"direction={direction!r}; expected one of {known}.")
    terms = trace.list_terms(slice(None))
    labels = None if given.labels is None else given.labels[given.shown]
    return LayerValues(
        {
            name.removesuffix("_t"): values[given.shown]
            for name, values in terms.items()
            if name.endswith("_t") and " " not in name
        },
        labels,
        given.patch_size,
    )


def attribute_one(estimator: Any, sequence: Any, **options: Any) -> Any:
    """Explain the prediction for one sequence, alone or in a container."""
    transformers, model = split_pipeline(find_best_estimator(estimator))
    if hasattr(model, "generate"):
        X = sequence if isinstance(sequence, (str, bytes)) else [sequence]
        if not isinstance(sequence, (str, bytes)) and len(sequence) == 1:
            X = sequence
    elif hasattr(model, "backtest"):
        X = sequence
    else:
        X = make_row(sequence, (*transformers, model)[0])
    return attribute(estimator, X, **options)
