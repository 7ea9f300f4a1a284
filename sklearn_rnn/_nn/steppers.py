"""Trained networks that read one step at a time and keep states as numpy arrays."""

import copy
from abc import ABC, abstractmethod
from typing import Any, cast

import numpy as np
import torch

from sklearn_rnn._nn.cells.base import to_array
from sklearn_rnn._nn.language import LanguageNetwork
from sklearn_rnn._nn.sequence import SequenceNetwork
from sklearn_rnn._nn.states import Arrays, find_layout, tensors_of

# Maximum size of a table that holds the input's share of the gates for every code.
LARGEST_TABLE = 2**24

Network = LanguageNetwork | SequenceNetwork
Nested = list[list[Any]]  # states, layer by layer, as a module returns them


def make_stepper(
    module: Network,
    states: Nested | None = None,
    n_streams: int = 1,
    patch_size: int = 1,
) -> "Stepper":
    """The fastest stepper for ``module``, which may read patches of several steps.

    It continues from ``states``, or starts with ``n_streams`` that have read nothing.
    """
    if patch_size > 1:
        inner = make_stepper(module, states, n_streams)
        return PatchStepper(inner, module, patch_size)
    layers = [level[0] for level in cast(Any, module.stack.layers)]
    ours = all(layer.numpy_cell is not None for layer in layers)
    if (
        ours
        and module.compute_dtype is None
        and _compute_table_size(module) <= LARGEST_TABLE
    ):
        return NumpyStepper(module, states, n_streams)
    return TorchStepper(module, states, n_streams)


def _compute_table_size(module: Network) -> int:
    """Size of the table with the first layer's share of the gates for every code."""
    first = cast(Any, module.stack.layers)[0][0]
    if module.embedding is not None:
        return module.embedding.num_embeddings * first.weight_hh.shape[0]
    return first.weight_ih.numel() if first.onehot else 0


class Stepper(ABC):
    """Streams that read step by step; a subclass computes the step.

    ``state`` holds arrays with one row per stream: ``n_steps`` (n,), the number of
    steps read; the states (n, H) of layer k under the cell's names for them, such as
    ``hidden_k`` and ``cell_k``, or ``state_k_i`` for a user's cell; and, if the head
    reads a mean or a maximum of all outputs, their ``sum`` or ``max`` so far.
    ``beginning`` is the state of one stream that has read nothing.
    """

    def __init__(self, module: Network, beginning: Arrays) -> None:
        self.pooling = getattr(module, "pooling", None)  # a generator's has none
        width = cast(Any, module.stack.layers)[-1][0].hidden_size
        self.beginning = {"n_steps": np.zeros(1, dtype=np.int64), **beginning}
        if self.pooling in ("mean", "concat"):  # float64, for sums of very many steps
            self.beginning["sum"] = np.zeros((1, width))
        if self.pooling in ("max", "concat"):
            lowest = torch.full((1, width), -np.inf, dtype=module.head.weight.dtype)
            self.beginning["max"] = lowest.numpy()
        self.state: Arrays = {}

    @property
    def n_streams(self) -> int:
        """Number of rows of the state."""
        return len(self.state["n_steps"])

    @abstractmethod
    def feed(self, x: np.ndarray) -> np.ndarray:
        """Outputs of the head after one more step of each stream.

        ``x`` holds numbers (n, F) of the network's type, or codes (n,). The next call
        may overwrite the returned array.
        """

    def save(self) -> Arrays:
        """A copy of the state for :meth:`restore`."""
        return {name: array.copy() for name, array in self.state.items()}

    def restore(self, saved: Arrays, rows: np.ndarray | None = None) -> None:
        """Continue from a saved state, or from some of its rows."""
        self._adopt(
            {
                name: array.copy() if rows is None else array[rows]
                for name, array in saved.items()
            }
        )

    def put(self, saved: Arrays, rows: Any = slice(None)) -> None:
        """Set some rows, or all, to a saved state of as many rows or of one row."""
        for name, array in saved.items():
            self.state[name][rows] = array

    def resize(self, n_streams: int) -> None:
        """Keep the first ``n_streams`` rows, or add rows that have read nothing."""
        grown = {
            name: np.repeat(array, n_streams, axis=0)
            for name, array in self.beginning.items()
        }
        for name, array in self.state.items():
            grown[name][: len(array)] = array[:n_streams]
        self._adopt(grown)

    def branch(self, rows: np.ndarray | None = None) -> "Stepper":
        """An independent stepper with the same states, or with some of their rows."""
        twin = copy.copy(self)
        twin.state = {}  # so that nothing is shared that depends on the state
        twin.restore(self.state, rows)
        return twin

    def _begin(self, n_streams: int, states: Arrays | None) -> None:
        """Start from given states, or from the beginning."""
        if states:
            n_streams = len(next(iter(states.values())))
        self.resize(n_streams)
        if states:
            self.put({"n_steps": np.ones(n_streams), **states})  # at least one

    def _adopt(self, state: Arrays) -> None:
        """Replace the state."""
        self.state = state

    def _pool(self, h: np.ndarray) -> np.ndarray:
        """The input of the head after a step with the outputs h (B, H)."""
        state = self.state
        np.add(state["n_steps"], 1, out=state["n_steps"])
        if self.pooling in (None, "last"):
            return h
        if "max" in state:
            np.maximum(state["max"], h, out=state["max"])
            if self.pooling == "max":
                return state["max"]
        state["sum"] += h
        mean = (state["sum"] / state["n_steps"][:, None]).astype(h.dtype)
        if self.pooling == "mean":
            return mean
        return np.concatenate([h, mean, state["max"]], axis=1)


class TorchStepper(Stepper):
    """Steps computed by the module itself: any cell, number type and device."""

    def __init__(
        self, module: Network, states: Nested | None = None, n_streams: int = 1
    ) -> None:
        self.module = module
        self.device = module.head.weight.device
        self.layouts = [
            find_layout(level[0], k, module.compute_dtype)
            for k, level in enumerate(cast(Any, module.stack.layers))
        ]
        beginning: Arrays = {}
        for layout in self.layouts:
            beginning |= layout.zeros
        super().__init__(module, beginning)
        self._begin(n_streams, None if states is None else self._name_states(states))

    def _name_states(self, states: Nested) -> Arrays:
        """The states that the module returns, as named arrays."""
        found: Arrays = {}
        for layout, (state,) in zip(self.layouts, states, strict=True):
            found |= layout.arrays(state)
        return found

    def feed(self, x: np.ndarray) -> np.ndarray:
        fresh = self.state["n_steps"] == 0
        if fresh.any() and not fresh.all():  # some streams start, the others continue
            groups = [np.flatnonzero(fresh), np.flatnonzero(~fresh)]
            back = np.argsort(np.concatenate(groups))
            parts = [self._read(x[rows], rows, rows is groups[0]) for rows in groups]
            read = {
                name: np.concatenate([part[name] for part in parts])[back]
                for name in parts[0]
            }
        else:
            read = self._read(x, slice(None), bool(fresh.all()))
        h = read.pop("outputs")
        self.state.update(read)
        with torch.inference_mode():
            head = getattr(self.module, "logits", self.module.head)
            answers = head(torch.from_numpy(self._pool(h)).to(self.device))
            return answers.cpu().numpy()

    @torch.inference_mode()
    def _read(self, x: np.ndarray, rows: np.ndarray | slice, fresh: bool) -> Arrays:
        """Outputs of the last layer and the new states of some streams."""
        module = self.module
        inputs = torch.from_numpy(np.ascontiguousarray(x)).to(self.device).unsqueeze(0)
        if not inputs.is_floating_point():
            inputs = inputs.long()
        if module.embedding is not None:
            inputs = module.embedding(inputs)
        if module.compute_dtype is not None and inputs.is_floating_point():
            inputs = inputs.to(module.compute_dtype)
        states = None  # a user's cell creates its first state itself
        if not fresh:
            arrays = {name: array[rows] for name, array in self.state.items()}
            states = [[layout.nested(arrays)] for layout in self.layouts]
        outputs, states = module.stack(inputs, None, states)
        outputs = outputs[0].to(module.head.weight.dtype).cpu().numpy()
        return {"outputs": outputs, **self._name_states(states)}


class NumpyStepper(Stepper):
    """Steps computed in numpy, for the cells that define a numpy step."""

    def __init__(
        self, module: Network, states: Nested | None = None, n_streams: int = 1
    ) -> None:
        self.cells = [
            layer.numpy_cell(layer, module.embedding if k == 0 else None)
            for k, (layer,) in enumerate(cast(Any, module.stack.layers))
        ]
        with torch.inference_mode():
            weight: torch.Tensor = module.head.weight
            bias: torch.Tensor = module.head.bias
            project = getattr(module, "project", None)
            if project is not None:  # merge two products into one
                bias = bias + weight @ project.bias
                weight = weight @ project.weight
            self.head = to_array(weight.t()), to_array(bias)
        self.names = [
            [f"{name}_{k}" for name in cell.state_names]
            for k, cell in enumerate(self.cells)
        ]
        beginning = {
            name: np.zeros((1, len(cell.recurrent)), cell.recurrent.dtype)
            for cell, names in zip(self.cells, self.names, strict=True)
            for name in names
        }
        super().__init__(module, beginning)
        self._begin(n_streams, None if states is None else self._name_states(states))

    def _name_states(self, states: Nested) -> Arrays:
        """The states that the module returns, as named arrays."""
        return {
            name: to_array(part)
            for names, (state,) in zip(self.names, states, strict=True)
            for name, part in zip(names, tensors_of(state), strict=True)
        }

    def _adopt(self, state: Arrays) -> None:
        """Replace the state, with new buffers if the number of streams changed."""
        n_before = self.n_streams if self.state else None
        super()._adopt(state)
        n, (_, bias) = self.n_streams, self.head
        if n != n_before:
            self.out = np.empty((n, len(bias)), bias.dtype)
            self.buffers = [cell.allocate(n) for cell in self.cells]
        states = ([state[name] for name in names] for names in self.names)
        self.steps = list(zip(self.cells, self.buffers, states, strict=True))

    def feed(self, x: np.ndarray) -> np.ndarray:
        for cell, buffers, state in self.steps:
            gates, h = buffers.gates, state[0]
            if cell.bias is None:  # codes
                np.take(cell.inputs, x, axis=0, out=gates, mode="clip")
            else:
                np.matmul(x, cell.inputs, out=gates)
                gates += cell.bias
            np.matmul(h, cell.recurrent, out=buffers.recurrent)
            cell.step(buffers, state)
            x = h
        weight, bias = self.head
        np.matmul(self._pool(x), weight, out=self.out)
        self.out += bias
        return self.out


class PatchStepper(Stepper):
    """Steps of a network that reads patches of ``patch_size`` steps.

    The state has ``patch`` (n, patch_size * F) in addition, the steps since the last
    complete patch, with zeros for those still to come. ``inner`` moves only when a
    patch is complete. Before that, answers come from a trial step with the incomplete
    patch, which the network also reads where a sequence ends.
    """

    def __init__(self, inner: Stepper, module: Network, patch_size: int) -> None:
        first = cast(Any, module.stack.layers)[0][0]
        patch = torch.zeros(1, first.input_size, dtype=module.head.weight.dtype)
        self.inner, self.patch_size = inner, patch_size
        self.beginning = {**inner.beginning, "patch": patch.numpy()}
        self.own: Arrays = {}
        self.resize(inner.n_streams)

    @property
    def state(self) -> Arrays:  # type: ignore[override]
        """The arrays of the inner stepper, and those of this one."""
        return {**self.inner.state, **self.own}

    def feed(self, x: np.ndarray) -> np.ndarray:
        # A step that fails moves nothing.
        n_steps, patch = self.own["n_steps"], self.own["patch"].copy()
        phase, rows = n_steps % self.patch_size, np.arange(len(patch))
        patch.reshape(len(patch), self.patch_size, -1)[rows, phase] = x
        inner = self.inner
        np.floor_divide(n_steps, self.patch_size, out=inner.state["n_steps"])
        waiting = np.flatnonzero(phase < self.patch_size - 1)
        before = {name: array[waiting] for name, array in inner.state.items()}
        outputs = inner.feed(patch)
        inner.put(before, waiting)
        patch[phase == self.patch_size - 1] = 0
        self.own = {"n_steps": n_steps + 1, "patch": patch}
        return outputs

    def branch(self, rows: np.ndarray | None = None) -> "PatchStepper":
        twin = copy.copy(self)
        twin.inner = self.inner.branch(rows)
        twin.restore(self.state, rows)
        return twin

    def _adopt(self, state: Arrays) -> None:
        self.own = {name: state[name] for name in ("n_steps", "patch")}
        n_patches = state["n_steps"] // self.patch_size
        inner = {name: array for name, array in state.items() if name != "patch"}
        self.inner.restore({**inner, "n_steps": n_patches})
