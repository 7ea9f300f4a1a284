"""Explanation of one sequence at a time."""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from sklearn_rnn._core.device import ignore_torch_modes
from sklearn_rnn.inspection._gradients import integrate_gradients, occlude
from sklearn_rnn.inspection._outputs import (
    ExplainedOutput,
    SequenceOutput,
    TextOutput,
)


class Explanation(NamedTuple):
    """Attributions (T, F) or (T,) of one sequence."""

    attributions: np.ndarray
    target: Any
    kind: str
    output: float
    baseline_output: float
    gap: float
    n_evaluations: int


@ignore_torch_modes()
def make_output(model: Any, kind: str) -> ExplainedOutput:
    """Copy the network of a classifier, regressor or generator."""
    if hasattr(model, "generate"):
        return TextOutput(model, kind)
    return SequenceOutput(model, kind)


@dataclass(frozen=True)
class Explainer:
    """Explains sequences one by one."""

    output: ExplainedOutput
    method: str
    width: int
    tol: float
    max_evaluations: int

    @ignore_torch_modes()
    def __call__(
        self, values: np.ndarray, target: Any, step: int, baseline: Any, name: str
    ) -> Explanation:
        """Explain the output of a target; ``name`` is that of the sequence."""
        if not len(values):
            raise ValueError(f"{name} of X has no tokens, so that none can decide.")
        output = self.output
        output.select_step(step, len(values), name)
        x, neutral = output.embed(values), output.embed_baseline(values, baseline)
        k = output.choose(x, target)
        compute = partial(output.compute, k=k)
        with torch.no_grad():
            before, after = (float(compute(part[None])[0]) for part in (neutral, x))
        if not np.isfinite([before, after]).all():
            raise ValueError(
                f"the explained output of {name} or of its baseline is not finite. "
                'Set output="proba", or another baseline.'
            )
        if self.method == "occlusion":
            found = occlude(compute, x, neutral, self.width)
            n_evaluations = -(-len(values) // self.width) + 1
        else:
            tol = self.tol * output.find_unit(k)
            integrated, n_evaluations = integrate_gradients(
                compute, x, neutral, tol, self.max_evaluations
            )
            found = integrated.numpy()
            found = found if values.ndim == 2 else found.sum(1)
        gap = abs(found.sum() - (after - before)) / output.find_unit(k)
        names = output.names
        return Explanation(
            found, names[k], output.kind, after, before, gap, n_evaluations
        )
