"""States of all layers of a network, before and after each step of one sequence."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from sklearn_rnn._core.device import ignore_torch_modes
from sklearn_rnn._nn.cells.base import RecurrentLayer
from sklearn_rnn._nn.layers import reverse


@dataclass(frozen=True)
class LayerTrace:
    """Inputs and states of one layer at each of T steps, in the order of the sequence.

    ``before`` and ``after`` contain the states (T, H) that a step continues from and
    leads to. A backward layer continues from the state of the next step.
    """

    layer: Any
    level: int
    direction: int  # 0 forward, 1 backward
    inputs: np.ndarray  # (T, F), or codes (T,)
    before: dict[str, np.ndarray]
    after: dict[str, np.ndarray]

    def list_terms(self, steps: slice | np.ndarray) -> dict[str, np.ndarray]:
        """Compute the terms of the cell's equations at some steps, (n, H) each."""
        if not isinstance(self.layer, RecurrentLayer):
            raise TypeError(
                "the cell is a callable, whose equations are not known. Only the cells "
                '"rnn", "lstm" and "gru" can be explained.'
            )
        before = [self.before[name][steps] for name in self.layer.state_names]
        return self.layer.list_terms(self.inputs[steps], before)


@ignore_torch_modes()
@torch.inference_mode()
def trace_network(module: Any, x: np.ndarray) -> list[LayerTrace]:
    """Read numbers (T, F) or codes (T,), and return the trace of each layer.

    ``x`` is encoded as input of the network. The states of a user's cell are not known;
    its outputs take their place.
    """
    values = torch.from_numpy(np.ascontiguousarray(x)).to(module.head.weight.device)
    values = values.unsqueeze(1)  # (T, 1, F), or codes (T, 1)
    if not values.is_floating_point():
        values = values.long()
    if module.embedding is not None:
        values = module.embedding(values)
    if module.compute_dtype is not None and values.is_floating_point():
        values = values.to(module.compute_dtype)
    traces = []
    for level, layers in enumerate(module.stack.layers):
        outputs = []
        for direction, layer in enumerate(layers):
            source = reverse(values, None) if direction else values
            trace = trace_layer(layer, source, level, direction)
            traces.append(trace)
            hidden = torch.from_numpy(trace.after["hidden"]).unsqueeze(1)
            outputs.append(hidden.to(values.device, read_dtype(layer, values)))
        values = torch.cat(outputs, 2)
    return traces


def read_dtype(layer: Any, values: torch.Tensor) -> torch.dtype:
    """Return the type of the outputs of a layer that reads ``values``."""
    if values.is_floating_point():
        return values.dtype
    return layer.onehot_dtype or layer.weight_hh.dtype


def trace_layer(
    layer: Any, source: torch.Tensor, level: int, direction: int
) -> LayerTrace:
    """Read (T, 1, F) or codes (T, 1), which are reversed for the backward direction."""
    if isinstance(layer, RecurrentLayer):
        names, states = layer.state_names, layer.trace_states(source)
    else:
        outputs, _ = layer(source)
        names, states = ("hidden",), [torch.cat([outputs[:1] * 0, outputs])]
    order = slice(None, None, -1 if direction else 1)

    def sort(steps: torch.Tensor) -> np.ndarray:
        if steps.is_floating_point():
            steps = steps.double()
        return steps[:, 0].cpu().numpy()[order].copy()

    return LayerTrace(
        layer,
        level,
        direction,
        sort(source),
        {name: sort(part[:-1]) for name, part in zip(names, states, strict=True)},
        {name: sort(part[1:]) for name, part in zip(names, states, strict=True)},
    )
