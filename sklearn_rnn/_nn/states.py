"""Conversion of the states of layers between nested tensors and named arrays."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

State = Any  # a tensor, or tensors nested in tuples and lists
Arrays = dict[str, np.ndarray]


def nest_state(parts: Sequence[Tensor]) -> State:
    """Return the state of a built-in cell: its only part, or the tuple of its parts."""
    return parts[0] if len(parts) == 1 else tuple(parts)


def list_tensors(state: State) -> list[Tensor]:
    """List the tensors in a state, in the order of their nesting."""
    if isinstance(state, Tensor):
        return [state]
    if isinstance(state, (list, tuple)):
        return [tensor for part in state for tensor in list_tensors(part)]
    if state is None:
        return []
    raise TypeError(
        f"the cell's state contains {state!r} of type {type(state).__name__}; expected "
        "tensors, or tuples or lists of them."
    )


def rebuild_state(state: State, parts: Iterator[Tensor]) -> State:
    """Return ``state`` with its tensors replaced by ``parts``."""
    if isinstance(state, (list, tuple)):
        inner = [rebuild_state(part, parts) for part in state]
        named = hasattr(state, "_fields")
        return type(state)(*inner) if named else type(state)(inner)
    return state if state is None else next(parts)


def map_states(states: State, change: Callable[[Tensor], Tensor]) -> State:
    """Return ``states`` with ``change`` applied to each tensor."""
    return rebuild_state(states, map(change, list_tensors(states)))


def join_states(parts: list[State], join: Callable[[list[Tensor]], Tensor]) -> State:
    """Apply ``join`` to the corresponding tensors of several equally nested states."""
    tensors = zip(*map(list_tensors, parts), strict=True)
    return rebuild_state(parts[0], map(join, map(list, tensors)))


def find_sequence_axis(of_two: Tensor, of_three: Tensor) -> int:
    """Find the axis whose length is 2 for 2 sequences and 3 for 3 sequences."""
    axes = [
        axis
        for axis, sizes in enumerate(zip(of_two.shape, of_three.shape, strict=False))
        if sizes == (2, 3)
    ]
    if len(axes) != 1:
        raise ValueError(
            f"the cell's state has the shape {tuple(of_two.shape)} for 2 sequences and "
            f"{tuple(of_three.shape)} for 3 sequences. Exactly one axis must be that "
            "of the sequences, so that each sequence has its own state."
        )
    return axes[0]


@dataclass(frozen=True)
class StateLayout:
    """The nesting of a layer's state, and the name and sequence axis of each tensor."""

    example: State  # of a single sequence
    names: list[str]
    axes: list[int]

    def to_arrays(self, state: State) -> Arrays:
        """Convert a state to named arrays, sequences first and bfloat16 as float32."""
        found = {}
        parts = list_tensors(state)
        for name, axis, part in zip(self.names, self.axes, parts, strict=True):
            part = part.float() if part.dtype == torch.bfloat16 else part
            found[name] = np.array(part.movedim(axis, 0).cpu().numpy())
        return found

    def from_arrays(self, arrays: Arrays) -> State:
        """Convert named arrays to a state that the layer accepts."""
        parts = []
        for name, axis, like in zip(
            self.names, self.axes, list_tensors(self.example), strict=True
        ):
            part = torch.from_numpy(arrays[name]).to(like.device, like.dtype)
            parts.append(part.movedim(0, axis).contiguous())
        return rebuild_state(self.example, iter(parts))

    @property
    def zeros(self) -> Arrays:
        """The state of one sequence, filled with zeros."""
        found = self.to_arrays(self.example)
        return {name: np.zeros_like(array) for name, array in found.items()}


@torch.inference_mode()
def find_layout(layer: Any, k: int, compute_dtype: torch.dtype | None) -> StateLayout:
    """Find the layout of the state of layer ``k`` by running a few sequences."""
    of_two, of_three = (
        layer(_make_trial(layer, 1, n, compute_dtype))[1] for n in (2, 3)
    )
    axes = [
        find_sequence_axis(*parts)
        for parts in zip(list_tensors(of_two), list_tensors(of_three), strict=True)
    ]
    if layer.state_names is None:  # a user's cell
        _refuse_reading_ahead(layer, compute_dtype)
        names = [f"state_{k}_{i}" for i in range(len(axes))]
    else:
        names = [f"{name}_{k}" for name in layer.state_names]
    parts = list_tensors(of_two)
    one = [part.narrow(axis, 0, 1) for part, axis in zip(parts, axes, strict=True)]
    return StateLayout(rebuild_state(of_two, iter(one)), names, axes)


def find_bounds(module: Any, n_steps: np.ndarray) -> Arrays:
    """Return upper bounds (n,) of the absolute values in a stepper's state, if known.

    ``n_steps`` (n,) are the steps that the network has read.
    """
    found: Arrays = {}
    last: Arrays = {}
    for k, (layer, *_) in enumerate(module.stack.layers):
        last = layer.find_bounds(n_steps) if hasattr(layer, "find_bounds") else {}
        found |= {f"{name}_{k}": bound for name, bound in last.items()}
    if "hidden" in last:
        found |= {"max": last["hidden"], "sum": n_steps}
    return found


def fingerprint_network(module: Any, encoding: bytes = b"") -> str:
    """Return a hash of what a module computes from inputs of this ``encoding``."""
    cells = [
        [getattr(layer, fact, None) for fact in ("name", "hidden_size", "activation")]
        for level in module.stack.layers
        for layer in level
    ]
    facts = cells, getattr(module, "pooling", None), module.compute_dtype
    found = hashlib.sha256(repr(facts).encode() + encoding)
    for name, value in module.state_dict().items():
        found.update(f"{name} {tuple(value.shape)}".encode())
        found.update(value.detach().cpu().numpy().tobytes())
    return found.hexdigest()


def _make_trial(layer: Any, n_steps: int, n: int, dtype: torch.dtype | None) -> Tensor:
    """Make trial input: codes (T, B) or numbers (T, B, F)."""
    weight = next(layer.parameters(), torch.empty(0, dtype=torch.float32, device="cpu"))
    if getattr(layer, "onehot", False):
        return torch.zeros(n_steps, n, dtype=torch.long, device=weight.device)
    count = torch.arange(n_steps * n * layer.input_size, device=weight.device)
    x = torch.sin(count + 1.0).view(n_steps, n, layer.input_size)
    return x.to(dtype or weight.dtype)


def _refuse_reading_ahead(layer: Any, dtype: torch.dtype | None) -> None:
    """Raise an error if stepping through a sequence differs from reading it at once."""
    x, state, steps = _make_trial(layer, 3, 2, dtype), None, []
    whole, _ = layer(x)
    for t in range(3):
        outputs, state = layer(x[t : t + 1], state)
        steps.append(outputs)
    if not torch.allclose(torch.cat(steps), whole, rtol=1e-2, atol=1e-4):
        raise ValueError(
            "the cell reads later steps, or keeps values outside its state: its "
            "outputs step by step differ from those for the whole sequence. A stream "
            "needs outputs that depend only on the state and the current step."
        )
