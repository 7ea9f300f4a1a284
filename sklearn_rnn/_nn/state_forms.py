"""The states of a module's layers as named arrays, and back."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_rnn._nn.layers import RecurrentLayer
from sklearn_rnn._nn.states import State, find_sequence_axis, rebuild_state, tensors_of

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class StateLayout:
    """How a layer nests its state, what its tensors are called, where sequences are."""

    example: State  # of a single sequence
    names: list[str]
    axes: list[int]

    def arrays(self, state: State) -> Arrays:
        """The state of any number of sequences as named arrays; bfloat16 as float32."""
        found = {}
        parts = tensors_of(state)
        for name, axis, part in zip(self.names, self.axes, parts, strict=True):
            part = part.float() if part.dtype == torch.bfloat16 else part
            found[name] = np.array(part.movedim(axis, 0).cpu().numpy())
        return found

    def nested(self, arrays: Arrays) -> State:
        """The state as the layer takes it."""
        parts = []
        for name, axis, like in zip(
            self.names, self.axes, tensors_of(self.example), strict=True
        ):
            part = torch.from_numpy(arrays[name]).to(like.device, like.dtype)
            parts.append(part.movedim(0, axis).contiguous())
        return rebuild_state(self.example, iter(parts))

    @property
    def zeros(self) -> Arrays:
        """The state of one sequence, in zeros."""
        found = self.arrays(self.example)
        return {name: np.zeros_like(array) for name, array in found.items()}


@torch.inference_mode()
def find_layout(
    layer: nn.Module, k: int, compute_dtype: torch.dtype | None
) -> StateLayout:
    """The form of the state of layer ``k``, found by letting it read a little."""
    of_two, of_three = (layer(_trial(layer, 1, n, compute_dtype))[1] for n in (2, 3))
    axes = [
        find_sequence_axis(*parts)
        for parts in zip(tensors_of(of_two), tensors_of(of_three), strict=True)
    ]
    if isinstance(layer, RecurrentLayer):
        names = [f"hidden_{k}", f"cell_{k}"][: len(axes)]
    else:
        _refuse_reading_ahead(layer, compute_dtype)
        names = [f"state_{k}_{i}" for i in range(len(axes))]
    parts = tensors_of(of_two)
    one = [part.narrow(axis, 0, 1) for part, axis in zip(parts, axes, strict=True)]
    return StateLayout(rebuild_state(of_two, iter(one)), names, axes)


def fingerprint_network(module: Any) -> str:
    """A hash of what a module computes: a state is of use to no other."""
    layers = [layer for level in module.stack.layers for layer in level]
    cells = [
        (layer.hidden_size, getattr(layer, "activation", None)) for layer in layers
    ]
    facts = cells, getattr(module, "pooling", None), module.compute_dtype
    found = hashlib.sha256(repr(facts).encode())
    for name, value in module.state_dict().items():
        found.update(f"{name} {tuple(value.shape)}".encode())
        found.update(value.detach().cpu().numpy().tobytes())
    return found.hexdigest()


def _trial(layer: Any, n_steps: int, n: int, dtype: torch.dtype | None) -> Tensor:
    """Something to read, (T, B) codes or (T, B, F) numbers."""
    weight = next(layer.parameters(), torch.empty(0))
    if getattr(layer, "onehot", False):
        return torch.zeros(n_steps, n, dtype=torch.long, device=weight.device)
    count = torch.arange(n_steps * n * layer.input_size, device=weight.device)
    x = torch.sin(count + 1.0).view(n_steps, n, layer.input_size)
    return x.to(dtype or weight.dtype)


def _refuse_reading_ahead(layer: Any, dtype: torch.dtype | None) -> None:
    """A stream answers as the whole does only if no output depends on what follows."""
    x, state, steps = _trial(layer, 3, 2, dtype), None, []
    whole, _ = layer(x)
    for t in range(3):
        outputs, state = layer(x[t : t + 1], state)
        steps.append(outputs)
    if not torch.allclose(torch.cat(steps), whole, rtol=1e-2, atol=1e-4):
        raise ValueError(
            "the cell reads ahead, or keeps something outside its state: step by step "
            "it puts out other numbers than for the same steps at once. A stream needs "
            "outputs that follow from the state and the present step."
        )
