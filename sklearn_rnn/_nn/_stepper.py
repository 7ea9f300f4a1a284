"""A trained network fed one code at a time, its state in plain numpy arrays.

For a batch of one a torch operation costs more to call than to compute; numpy's costs a
fifth. So the cells are written once more here, in place and without gradients.
"""

import copy
from typing import Any, cast

import numpy as np
import torch

from sklearn_rnn._nn._language import LanguageNetwork, map_states
from sklearn_rnn._nn._recurrent import RecurrentLayer

# Input weights are multiplied out for all codes up to this many numbers.
LARGEST_TABLE = 2**24

Arrays = list[np.ndarray]  # states (B, H): h of each layer, then c of each LSTM layer


def stepper(module: LanguageNetwork, states: list[list[Any]]) -> "Stepper":
    """The fastest way to feed ``module`` code by code, beginning with ``states``."""
    layers = [level[0] for level in cast(Any, module.stack.layers)]
    plain = all(isinstance(layer, RecurrentLayer) for layer in layers)
    if plain and module.compute_dtype is None:
        width = cast(RecurrentLayer, layers[0]).weight_hh.shape[0]
        if module.head.out_features * width <= LARGEST_TABLE:
            return NumpyStepper(module, states)
    return TorchStepper(module, states)


class Stepper:
    """What both ways have in common; ``arrays`` is the state that can be put back."""

    n_streams: int

    def feed(self, codes: np.ndarray) -> np.ndarray:
        """Logits (B, V) after one more code (B,) a stream. Overwritten by the next."""
        raise NotImplementedError

    def save(self) -> Any:
        """The states, to be put back by :meth:`restore`."""
        raise NotImplementedError

    def restore(self, saved: Any, rows: np.ndarray | None = None) -> None:
        """Go on from saved states, or from some of their rows."""
        raise NotImplementedError

    def branch(self) -> "Stepper":
        """Another stepper in the same states, which goes its own way."""
        return copy.copy(self)


class TorchStepper(Stepper):
    """Through the module itself: any cell, any number type, any device."""

    def __init__(self, module: LanguageNetwork, states: list[list[Any]]) -> None:
        self.module, self.states = module, states
        self.device = next(module.parameters()).device

    def feed(self, codes):
        with torch.inference_mode():
            x = torch.from_numpy(np.asarray(codes, dtype=np.int64)).to(self.device)
            logits, self.states = self.module(x.unsqueeze(0), self.states)
            return logits[0].cpu().numpy()

    def save(self):
        return self.states

    def restore(self, saved, rows=None):
        self.states = saved
        if rows is not None:
            index = torch.from_numpy(np.asarray(rows)).to(self.device)
            self.states = map_states(saved, lambda state: state[index])


class NumpyStepper(Stepper):
    """Our own cells. Sigmoids are computed as (1 + tanh(x / 2)) / 2, all at once."""

    def __init__(self, module: LanguageNetwork, states: list[list[Any]]) -> None:
        self.layers = []
        for k, (level,) in enumerate(cast(Any, module.stack.layers)):
            self.layers.append(_weights(level, module.embedding if k == 0 else None))
        with torch.inference_mode():
            weight: torch.Tensor = module.head.weight
            bias: torch.Tensor = module.head.bias
            if module.project is not None:  # two products in a row are one
                bias = bias + weight @ module.project.bias
                weight = weight @ module.project.weight
            self.head = _plain(weight.t()), _plain(bias)
        self.hidden: Arrays = []
        self.cells: Arrays = []
        for (state,) in states:
            h, *c = state if isinstance(state, tuple) else (state,)
            self.hidden.append(_plain(h))
            self.cells += [_plain(part) for part in c]
        self._allocate()

    def _allocate(self):
        """Room for what a step computes on the way, and its parts as views."""
        self.n_streams = len(self.hidden[0])
        self.out = np.empty((self.n_streams, len(self.head[1])), self.head[1].dtype)
        self.room = []
        for layer, h in zip(self.layers, self.hidden, strict=True):
            gates = np.empty((self.n_streams, layer.recurrent.shape[1]), h.dtype)
            recurrent, H = np.empty_like(gates), h.shape[1]
            parts = [gates[:, k : k + H] for k in range(0, gates.shape[1], H)]
            self.room.append((gates, recurrent, parts, np.empty_like(h)))

    def feed(self, codes):
        x = self.hidden[-1]
        for k, layer in enumerate(self.layers):
            gates, recurrent, parts, spare = self.room[k]
            h = self.hidden[k]
            if k == 0:
                np.take(layer.inputs, codes, axis=0, out=gates, mode="clip")
            else:
                np.matmul(x, layer.inputs, out=gates)
                gates += layer.bias
            np.matmul(h, layer.recurrent, out=recurrent)
            if layer.cell == "lstm":
                _lstm(gates, recurrent, parts, spare, h, self.cells[k])
            elif layer.cell == "gru":
                _gru(gates, recurrent, parts, spare, h, layer.bias_n)
            else:
                gates += recurrent
                if layer.activation == "tanh":
                    np.tanh(gates, out=h)
                else:
                    np.maximum(gates, 0, out=h)
            x = h
        weight, bias = self.head
        np.matmul(x, weight, out=self.out)
        self.out += bias
        return self.out

    def branch(self):
        twin = cast(NumpyStepper, super().branch())
        twin.hidden = [state.copy() for state in self.hidden]
        twin.cells = [state.copy() for state in self.cells]
        twin._allocate()
        return twin

    def save(self):
        return [state.copy() for state in self.hidden + self.cells]

    def restore(self, saved, rows=None):
        states = [state.copy() if rows is None else state[rows] for state in saved]
        n = len(self.hidden)
        self.hidden, self.cells = states[:n], states[n:]
        if len(states[0]) != self.n_streams:
            self._allocate()


class _weights:
    """Weights of a layer, transposed; gates of an LSTM in the order i, f, o, g."""

    def __init__(self, layer: RecurrentLayer, embedding: torch.nn.Embedding | None):
        self.cell, self.activation, H = layer.cell, layer.activation, layer.hidden_size
        with torch.inference_mode():
            inputs = layer.weight_ih.t() if not layer.onehot else layer.weight_ih
            recurrent = layer.weight_hh.t()
            bias: torch.Tensor = layer.bias
            if embedding is not None:
                inputs = embedding.weight @ inputs
            if embedding is not None or layer.onehot:
                inputs, bias = inputs + bias, torch.zeros_like(bias)
        scale = np.ones(recurrent.shape[1], dtype=_plain(bias).dtype)
        order = np.arange(len(scale))
        if layer.cell == "lstm":
            order = np.concatenate([order[: 2 * H], order[3 * H :], order[2 * H : -H]])
            scale[: 3 * H] = 0.5
        elif layer.cell == "gru":
            scale[: 2 * H] = 0.5
            self.bias_n = _plain(layer.bias_n)
        self.inputs = np.ascontiguousarray(_plain(inputs)[:, order] * scale)
        self.recurrent = np.ascontiguousarray(_plain(recurrent)[:, order] * scale)
        self.bias = _plain(bias)[order] * scale


def _lstm(gates, recurrent, parts, spare, h, c):
    i, f, o, g = parts
    gates += recurrent
    np.tanh(gates, out=gates)
    squashed = gates[:, : -h.shape[1]]
    squashed *= 0.5
    squashed += 0.5
    c *= f
    np.multiply(i, g, out=spare)
    c += spare
    np.tanh(c, out=spare)
    np.multiply(o, spare, out=h)


def _gru(gates, recurrent, parts, spare, h, bias_n):
    r, z, n = parts
    H = h.shape[1]
    squashed = gates[:, : 2 * H]
    squashed += recurrent[:, : 2 * H]
    np.tanh(squashed, out=squashed)
    squashed *= 0.5
    squashed += 0.5
    np.add(recurrent[:, 2 * H :], bias_n, out=spare)
    spare *= r
    n += spare
    np.tanh(n, out=n)
    h -= n
    h *= z
    h += n


def _plain(tensor: torch.Tensor) -> np.ndarray:
    """A copy as a numpy array on the CPU."""
    return np.array(tensor.detach().cpu().numpy())
