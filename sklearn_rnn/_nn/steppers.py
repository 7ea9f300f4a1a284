"""Steppers: trained networks that read one step at a time, with states in numpy."""

import copy
from abc import ABC, abstractmethod
from typing import Any, Self, cast

import numpy as np
import torch

from sklearn_rnn._nn.cells.base import to_array
from sklearn_rnn._nn.functional import check_outputs
from sklearn_rnn._nn.language import LanguageNetwork
from sklearn_rnn._nn.sequence import SequenceNetwork
from sklearn_rnn._nn.states import Arrays, find_layout, list_tensors

# The largest table of W x + b for every code x that is computed in advance. For larger
# vocabularies, this would take longer than many steps.
LARGEST_TABLE = 2**20

Network = LanguageNetwork | SequenceNetwork
Nested = list[list[Any]]  # states, layer by layer, as a module returns them
Scratch = tuple[int, np.ndarray, list[Any]]


def make_stepper(
    module: Network,
    states: Nested | None = None,
    n_streams: int = 1,
    patch_size: int = 1,
) -> "Stepper":
    """Make the fastest stepper for ``module``, which may read patches of several steps.

    It continues from ``states``, or starts with ``n_streams`` new streams.
    """
    if patch_size > 1:
        inner = make_stepper(module, states, n_streams)
        return PatchStepper(inner, module, patch_size)
    layers = [level[0] for level in cast(Any, module.stack.layers)]
    ours = all(layer.numpy_cell is not None for layer in layers)
    if ours and module.compute_dtype is None:
        return NumpyStepper(module, states, n_streams)
    return TorchStepper(module, states, n_streams)


class Stepper(ABC):
    """Streams that read step by step; subclasses compute the step.

    ``state`` contains arrays with one row per stream: ``n_steps`` (n,), the number of
    steps read; the states (n, H) of layer k under the names of the cell, such as
    ``hidden_k`` and ``cell_k``, or ``state_k_i`` for a user's cell; and, if the head
    reads a mean or a maximum over all outputs, their ``sum`` or ``max`` so far.
    ``beginning`` is the state of one stream that has read nothing.

    Arrays of a state are never modified. A step computes new arrays and replaces
    ``state`` at its end. An interrupted step therefore changes nothing, and a saved
    state needs no copy.
    """

    beginning: Arrays
    state: Arrays

    @property
    def n_streams(self) -> int:
        """Number of rows of the state."""
        return len(self.state["n_steps"])

    @abstractmethod
    def feed(self, x: np.ndarray) -> np.ndarray:
        """Read one more step of each stream, and return the outputs of the head.

        ``x`` contains numbers (n, F) of the network's type, or codes (n,). The next
        call may overwrite the returned array.
        """

    def restore(self, saved: Arrays, rows: np.ndarray | None = None) -> None:
        """Continue from a saved state, or from some of its rows."""
        self.state = saved if rows is None else take_rows(saved, rows)

    def put(self, saved: Arrays, rows: Any = slice(None)) -> None:
        """Set some or all rows to a saved state of as many rows or of one row."""
        state = {name: array.copy() for name, array in self.state.items()}
        for name, array in saved.items():
            state[name][rows] = array
        self.state = state

    def resize(self, n_streams: int) -> None:
        """Keep the first ``n_streams`` rows, or add rows that have read nothing."""
        self.state = resize_state(self.state, self.beginning, n_streams)

    def branch(self, rows: np.ndarray | None = None) -> Self:
        """Return an independent stepper with the same states, or some of their rows."""
        twin = copy.copy(self)
        twin.restore(self.state, rows)
        return twin


def take_rows(state: Arrays, rows: np.ndarray) -> Arrays:
    """Return the states of the streams in ``rows``."""
    return {name: array[rows] for name, array in state.items()}


def resize_state(state: Arrays, beginning: Arrays, n_streams: int) -> Arrays:
    """Return a state with its first ``n_streams`` rows, or with new rows added."""
    grown = {
        name: np.repeat(array, n_streams, axis=0) for name, array in beginning.items()
    }
    for name, array in state.items():
        grown[name][: len(array)] = array[:n_streams]
    return grown


class NetworkStepper(Stepper):
    """Streams that a network reads, with the pooling of its outputs."""

    def __init__(
        self, module: Network, beginning: Arrays, n_streams: int, states: Arrays | None
    ) -> None:
        self.pooling = getattr(module, "pooling", None)  # generators do not pool
        width = cast(Any, module.stack.layers)[-1][0].hidden_size
        self.beginning = {"n_steps": np.zeros(1, dtype=np.int64), **beginning}
        if self.pooling in ("mean", "concat"):  # float64, for sums of many steps
            self.beginning["sum"] = np.zeros((1, width))
        if self.pooling in ("max", "concat"):
            lowest = torch.full(
                (1, width), -np.inf, dtype=module.head.weight.dtype, device="cpu"
            )
            self.beginning["max"] = lowest.numpy()
        if states:
            n_streams = len(next(iter(states.values())))
        self.state = resize_state({}, self.beginning, n_streams)
        if states:
            self.put({"n_steps": np.ones(n_streams), **states})  # 1 or more steps

    def _pool(self, h: np.ndarray, after: Arrays) -> np.ndarray:
        """Compute the input of the head after a step with the outputs h (B, H).

        The sums and maxima that the pooling needs are added to ``after``, the new
        state.
        """
        before = self.state
        if self.pooling in (None, "last"):
            return h
        if self.pooling == "max":
            after["max"] = np.maximum(before["max"], h)
            return after["max"]
        after["sum"] = before["sum"] + h
        mean = (after["sum"] / after["n_steps"][:, None]).astype(h.dtype)
        if self.pooling == "mean":
            return mean
        after["max"] = np.maximum(before["max"], h)
        return np.concatenate([h, mean, after["max"]], axis=1)


class TorchStepper(NetworkStepper):
    """Steps computed by the torch module, for any cell, number type and device."""

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
        given = None if states is None else self._name_states(states)
        super().__init__(module, beginning, n_streams, given)

    def _name_states(self, states: Nested) -> Arrays:
        """Convert states from the module to named arrays."""
        found: Arrays = {}
        for layout, (state,) in zip(self.layouts, states, strict=True):
            found |= layout.to_arrays(state)
        return found

    def feed(self, x: np.ndarray) -> np.ndarray:
        fresh = self.state["n_steps"] == 0
        if fresh.any() and not fresh.all():  # some streams are new, others continue
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
        after = {"n_steps": self.state["n_steps"] + 1, **read}
        with torch.inference_mode():
            head = getattr(self.module, "logits", self.module.head)
            answers = head(torch.from_numpy(self._pool(h, after)).to(self.device))
            answers = answers.cpu().numpy()
        check_outputs(answers)
        self.state = after
        return answers

    @torch.inference_mode()
    def _read(self, x: np.ndarray, rows: np.ndarray | slice, fresh: bool) -> Arrays:
        """Compute the outputs of the last layer and the new states of some streams."""
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
            states = [[layout.from_arrays(arrays)] for layout in self.layouts]
        outputs, states = module.stack(inputs, None, states)
        outputs = outputs[0].to(module.head.weight.dtype).cpu().numpy()
        return {"outputs": outputs, **self._name_states(states)}


class NumpyStepper(NetworkStepper):
    """Steps computed in numpy, for the cells that define a numpy step."""

    scratch: Scratch | None = None  # arrays for intermediate results of a step

    def __init__(
        self, module: Network, states: Nested | None = None, n_streams: int = 1
    ) -> None:
        layers = [layer for (layer,) in cast(Any, module.stack.layers)]
        table = module.embedding  # the first layer contains a small one
        self.embedding: np.ndarray | None = None
        if table is not None:
            width = layers[0].weight_hh.shape[0]
            if table.num_embeddings * width > LARGEST_TABLE:
                self.embedding, table = to_array(table.weight), None
        self.cells = [
            layer.numpy_cell(layer, None if k else table)
            for k, layer in enumerate(layers)
        ]
        with torch.inference_mode():
            weight: torch.Tensor = module.head.weight
            bias: torch.Tensor = module.head.bias
            project = getattr(module, "project", None)
            if project is not None:  # merge the two products
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
        given = None if states is None else self._name_states(states)
        super().__init__(module, beginning, n_streams, given)

    def _name_states(self, states: Nested) -> Arrays:
        """Convert states from the module to named arrays."""
        return {
            name: to_array(part)
            for names, (state,) in zip(self.names, states, strict=True)
            for name, part in zip(names, list_tensors(state), strict=True)
        }

    def branch(self, rows: np.ndarray | None = None) -> Self:
        twin = super().branch(rows)
        twin.scratch = None
        return twin

    def _allocate(self, n: int) -> Scratch:
        """Allocate arrays for the intermediate results of a step of ``n`` streams."""
        bias = self.head[1]
        layers = [(cell, cell.allocate(n)) for cell in self.cells]
        self.scratch = (
            n,
            np.empty((n, len(bias)), bias.dtype),
            list(zip(layers, self.names, strict=True)),
        )
        return self.scratch

    @np.errstate(over="ignore", invalid="ignore")
    def feed(self, x: np.ndarray) -> np.ndarray:
        before, n = self.state, len(x)
        scratch = self.scratch
        if scratch is None or scratch[0] != n:
            scratch = self._allocate(n)
        _, out, layers = scratch
        after = {"n_steps": before["n_steps"] + 1}
        if self.embedding is not None:
            x = self.embedding.take(x, axis=0, mode="clip")
        for (cell, buffers), names in layers:
            gates, states = buffers.gates, [before[name] for name in names]
            if cell.bias is None:  # codes
                cell.inputs.take(x, axis=0, out=gates, mode="clip")
            else:
                x.dot(cell.inputs, gates)  # for a vector, faster than np.matmul
                gates += cell.bias
            states[0].dot(cell.recurrent, buffers.recurrent)
            states = cell.step(buffers, states)
            after.update(zip(names, states, strict=True))
            x = states[0]
        weight, bias = self.head
        self._pool(x, after).dot(weight, out)
        np.add(out, bias, out=out)
        check_outputs(out)
        self.state = after
        return out


class PatchStepper(Stepper):
    """Steps of a network that reads patches of ``patch_size`` steps.

    The state also has ``patch`` (n, patch_size * F): the steps since the last complete
    patch, followed by zeros. The state of ``inner`` advances only when a patch is
    complete. Before that, the outputs come from a trial step with the incomplete patch,
    as for a sequence that ends there.
    """

    def __init__(self, inner: Stepper, module: Network, patch_size: int) -> None:
        first = cast(Any, module.stack.layers)[0][0]
        patch = torch.zeros(
            1, first.input_size, dtype=module.head.weight.dtype, device="cpu"
        )
        self.inner, self.patch_size = inner, patch_size
        self.beginning = {**inner.beginning, "patch": patch.numpy()}
        self.state = resize_state(inner.state, self.beginning, inner.n_streams)

    def feed(self, x: np.ndarray) -> np.ndarray:
        n_steps, patch = self.state["n_steps"], self.state["patch"].copy()
        phase, rows = n_steps % self.patch_size, np.arange(len(patch))
        patch.reshape(len(patch), self.patch_size, -1)[rows, phase] = x
        before = {name: self.state[name] for name in self.inner.beginning}
        before["n_steps"] = n_steps // self.patch_size
        self.inner.state = before
        outputs = self.inner.feed(patch)
        waiting = np.flatnonzero(phase < self.patch_size - 1)
        self.inner.put(take_rows(before, waiting), waiting)
        patch[phase == self.patch_size - 1] = 0
        self.state = {**self.inner.state, "n_steps": n_steps + 1, "patch": patch}
        return outputs

    def branch(self, rows: np.ndarray | None = None) -> Self:
        twin = super().branch(rows)
        twin.inner = self.inner.branch()
        return twin
