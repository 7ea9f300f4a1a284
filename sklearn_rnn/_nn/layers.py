"""One recurrent layer in one direction, and layers and directions stacked."""

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sklearn_rnn._core.randomness import borrowed_global_generator
from sklearn_rnn._nn.states import State, find_sequence_axis, rebuild_state, tensors_of
from sklearn_rnn._nn.unrolled import UnrolledGRU, UnrolledLSTM, UnrolledSimple

GATES = {"rnn": 1, "gru": 3, "lstm": 4}


class RecurrentLayer(nn.Module):
    """A simple, GRU or LSTM layer that reads forward in time.

    ``input_size`` features a step, or with ``onehot=True`` codes below ``input_size``
    that stand for one-hot rows: their rows of the input weights are looked up, and the
    layer computes in ``onehot_dtype``, that of its weights if None.
    Gates are ordered as in torch: r, z, n for the GRU and i, f, g, o for the LSTM.
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        *,
        activation: str = "tanh",
        onehot: bool = False,
        onehot_dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.cell, self.activation, self.onehot = cell, activation, onehot
        self.onehot_dtype = onehot_dtype
        self.input_size, self.hidden_size = input_size, hidden_size
        width = GATES[cell] * hidden_size
        shape = (input_size, width) if onehot else (width, input_size)
        self.weight_ih = nn.Parameter(torch.empty(shape))
        self.weight_hh = nn.Parameter(torch.empty(width, hidden_size))
        self.bias = nn.Parameter(torch.empty(width))
        if cell == "gru":  # the candidate's own bias, inside the reset gate
            self.bias_n = nn.Parameter(torch.empty(hidden_size))

    def initialize(self, generator: torch.Generator) -> None:
        """Orthogonal recurrent and Glorot input weights; forget-gate bias 1."""
        H = self.hidden_size
        for gate in range(GATES[self.cell]):
            rows = slice(gate * H, (gate + 1) * H)
            nn.init.orthogonal_(self.weight_hh[rows], generator=generator)
            if self.onehot:  # as if each code had an embedding of unit variance
                nn.init.normal_(self.weight_ih[:, rows], generator=generator)
            else:
                nn.init.xavier_uniform_(self.weight_ih[rows], generator=generator)
        nn.init.zeros_(self.bias)
        if self.cell == "lstm":
            nn.init.ones_(self.bias[H : 2 * H])
        if self.cell == "gru":
            nn.init.zeros_(self.bias_n)

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        """``x`` (T, B, F), or codes (T, B), to outputs (T, B, H) and the last state."""
        onehot_dtype = self.onehot_dtype or self.weight_hh.dtype
        dtype = onehot_dtype if self.onehot else x.dtype
        if state is None:
            zeros = x.new_zeros(x.shape[1], self.hidden_size, dtype=dtype)
            state = (zeros, zeros) if self.cell == "lstm" else zeros
        by_torch = self._has_fast_kernel(x) or not torch.is_grad_enabled()
        if by_torch and not self.onehot:
            return self._run_kernel(x, state)
        weight_hh, bias = self.weight_hh.to(dtype), self.bias.to(dtype)
        if self.onehot:
            projected = F.embedding(x, self.weight_ih.to(dtype)) + bias  # (T, B, G)
        else:
            projected = F.linear(x, self.weight_ih.to(dtype), bias)  # (T, B, G)
        if self.cell == "lstm":
            outputs, c = UnrolledLSTM.apply(projected, weight_hh, *state)
            return outputs, (outputs[-1], c)
        if self.cell == "gru":
            bias_n = self.bias_n.to(dtype)
            outputs = UnrolledGRU.apply(projected, weight_hh, bias_n, state)
        else:
            outputs = UnrolledSimple.apply(projected, weight_hh, state, self.activation)
        return outputs, outputs[-1]

    def _has_fast_kernel(self, x: Tensor) -> bool:
        """Whether torch trains it as one kernel: oneDNN's LSTM, any cell on cuDNN."""
        return x.is_cuda or (self.cell == "lstm" and x.dtype != torch.float64)

    def _run_kernel(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """The same layer through torch's own kernels."""
        bias_hh = torch.zeros_like(self.bias)
        if self.cell == "gru":
            bias_hh = torch.cat([bias_hh[: -self.hidden_size], self.bias_n])
        weights = [self.weight_ih, self.weight_hh, self.bias, bias_hh]
        weights = [weight.to(x.dtype) for weight in weights]
        options = (True, 1, 0.0, self.training, False, False)
        if self.cell == "lstm":
            h, c = (part.unsqueeze(0) for part in state)
            outputs, h, c = torch.lstm(x, (h, c), weights, *options)
            return outputs, (h[0], c[0])
        if self.cell == "gru":
            kernel = torch.gru
        else:
            kernel = torch.rnn_tanh if self.activation == "tanh" else torch.rnn_relu
        outputs, h = kernel(x, state.unsqueeze(0), weights, *options)
        return outputs, h[0]


class CustomLayer(nn.Module):
    """A user's cell, which reads (B, T, F) and returns (B, T, H) and a state.

    Wherever the cell keeps the sequences of its state, as ``torch.nn.GRU`` does on the
    second axis, outside they are on the first.
    """

    def __init__(self, build: Callable[[int, int], nn.Module], input_size: int, H: int):
        super().__init__()
        self.module = build(input_size, H)
        if not isinstance(self.module, nn.Module):
            raise TypeError(
                f"cell(input_size, hidden_size) returned {self.module!r}; expected a "
                "torch.nn.Module."
            )
        self.input_size, self.hidden_size = input_size, H
        self._axes: list[int] | None = None  # of sequences, of each tensor of a state

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        weight = next(self.module.parameters(), x)  # bfloat16 is for our own layers
        if state is not None:
            state = self._move_axes(state, x, into=True)
        answer = self.module(x.transpose(0, 1).to(weight.dtype), state)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise TypeError(
                f"the cell's forward returned {type(answer).__name__}; expected the "
                "tuple (outputs, state)."
            )
        outputs, state = answer
        expected = (x.shape[1], x.shape[0], self.hidden_size)
        if outputs.shape != expected:
            raise ValueError(
                f"the cell returned outputs of shape {tuple(outputs.shape)}; expected "
                f"(n_sequences, n_timesteps, hidden_size) = {expected}. Return outputs "
                "of every step, batch first, hidden_size units wide."
            )
        return outputs.transpose(0, 1), self._move_axes(state, x)

    def _move_axes(self, state: State, x: Tensor, into: bool = False) -> State:
        """A state with its sequences on the first axis, or ``into`` the cell's own."""
        if self._axes is None:
            self._axes = self._find_axes(x)
        if not self._axes:  # nothing that could be moved; a stream refuses it
            return state
        parts = (
            (part.movedim(0, axis) if into else part.movedim(axis, 0)).contiguous()
            for part, axis in zip(tensors_of(state), self._axes, strict=True)
        )
        return rebuild_state(state, parts)

    @torch.no_grad()
    def _find_axes(self, x: Tensor) -> list[int]:
        """Where the sequences are, seen from states of two and of three."""
        weight, training = next(self.module.parameters(), x), self.module.training
        self.module.eval()  # without chance
        try:
            two, three = (
                tensors_of(
                    self.module(weight.new_zeros(n, 1, self.input_size), None)[1]
                )
                for n in (2, 3)
            )
            return [find_sequence_axis(*pair) for pair in zip(two, three, strict=True)]
        except (TypeError, ValueError):
            return []
        finally:
            self.module.train(training)


class RecurrentStack(nn.Module):
    """Layers on top of each other, each reading in one direction or in both.

    ``layers[k]`` holds the forward and, when bidirectional, the backward layer of
    level ``k``. The backward one reads each sequence's valid part from its end, so that
    padding is never read before the sequence.
    """

    def __init__(self, layers: list[list[nn.Module]], dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.ModuleList(level) for level in layers)
        self.bidirectional = len(layers[-1]) == 2
        self.dropout = dropout

    def forward(
        self,
        x: Tensor,
        lengths: Tensor | None = None,
        states: list[list[State]] | None = None,
        generator: torch.Generator | None = None,
    ) -> tuple[Tensor, list[list[State]]]:
        """Outputs (T, B, H * directions) in the order of time, and the last states.

        ``lengths`` (B,) is None when no sequence is padded. The states are those after
        the last column, of use when nothing is padded.
        """
        last_states = []
        for k, level in enumerate(cast(list[list[nn.Module]], self.layers)):
            if k:
                x = drop(x, self.dropout, self.training, generator)
            outputs, last = [], []
            for direction, layer in enumerate(level):
                source = reverse(x, lengths) if direction else x
                state = states[k][direction] if states else None
                y, state = self._read(layer, source, state, generator)
                outputs.append(reverse(y, lengths) if direction else y)
                last.append(state)
            x = torch.cat(outputs, 2) if len(outputs) > 1 else outputs[0]
            last_states.append(last)
        return x, last_states

    def _read(self, layer, x, state, generator):
        """One layer; what a user's cell draws in training comes from our generator."""
        foreign = isinstance(layer, CustomLayer) and self.training
        if not foreign or generator is None:
            return layer(x, state)
        device = generator.device
        seed = torch.randint(2**31, (1,), generator=generator, device=device)
        with borrowed_global_generator(seed):
            return layer(x, state)


def reverse(x: Tensor, lengths: Tensor | None) -> Tensor:
    """Turn each sequence's valid part round in time; padding stays where it is."""
    if lengths is None:
        return x.flip(0)
    steps = torch.arange(x.shape[0], device=x.device).unsqueeze(1)  # (T, 1)
    source = torch.where(steps < lengths, lengths - 1 - steps, steps)  # (T, B)
    return x[source, torch.arange(x.shape[1], device=x.device)]


def drop(
    x: Tensor, p: float, training: bool, generator: torch.Generator | None
) -> Tensor:
    """Dropout whose mask comes from our own generator."""
    if not training or p == 0:
        return x
    keep = torch.empty_like(x).bernoulli_(1 - p, generator=generator)
    return x * keep.div_(1 - p)
