"""What the recurrent cells share: a layer in torch, and its single step in numpy.

Each cell is one module of this folder. It derives a :class:`RecurrentLayer` with the
pass over time and a :class:`NumpyCell` with one step of a trained layer, and the
registry lists the layer. Everything else follows from what the two classes declare.

The pass over time takes the input's share of every step at once, ``P[t] = W x[t] + b``.
So it does not matter whether that share is a matrix product or, for a one-hot input,
consists of rows of ``W``. The three built-in cells also have a backward pass written
by hand. It computes outside of the loop whatever concerns all steps together: the local
derivatives before it, and the gradient of the recurrent weights ``U`` after it, as one
product. On a CPU that is faster than the step-by-step graph that torch records for its
GRU and its simple cell. A cell whose ``unroll`` consists of plain torch operations
needs no backward pass of its own.

Shapes: T steps, B sequences, F features, H units. The gates are concatenated along
the last axis, whose length is G.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sklearn_rnn._nn.states import State, nest_state


class RecurrentLayer(nn.Module, ABC):
    """One layer of a cell that reads forward in time.

    It reads ``input_size`` features per step. With ``onehot=True`` it reads codes below
    ``input_size``, which stand for one-hot rows: their rows of the input weights are
    looked up, and the layer computes in ``onehot_dtype``, or in the type of its weights
    if that is None.

    Its outputs are the first of its states. A state is one tensor (B, H) if the cell
    has one name for it, else a tuple of tensors.
    """

    name: ClassVar[str]  # as users give it
    n_gates: ClassVar[int]
    state_names: ClassVar[tuple[str, ...]] = ("hidden",)
    source: ClassVar[str]  # of the equations, for the documentation
    equations: ClassVar[str]  # in LaTeX, for the documentation
    numpy_cell: ClassVar[type["NumpyCell"]]

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        activation: str = "tanh",
        onehot: bool = False,
        onehot_dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.activation, self.onehot = activation, onehot
        self.onehot_dtype = onehot_dtype
        self.input_size, self.hidden_size = input_size, hidden_size
        width = self.n_gates * hidden_size
        shape = (input_size, width) if onehot else (width, input_size)
        self.weight_ih = nn.Parameter(torch.empty(shape))
        self.weight_hh = nn.Parameter(torch.empty(width, hidden_size))
        self.bias = nn.Parameter(torch.empty(width))

    def initialize(self, generator: torch.Generator) -> None:
        """Orthogonal recurrent weights, Glorot input weights and biases of zero."""
        H = self.hidden_size
        for gate in range(self.n_gates):
            rows = slice(gate * H, (gate + 1) * H)
            nn.init.orthogonal_(self.weight_hh[rows], generator=generator)
            if self.onehot:  # as if each code had an embedding of unit variance
                nn.init.normal_(self.weight_ih[:, rows], generator=generator)
            else:
                nn.init.xavier_uniform_(self.weight_ih[rows], generator=generator)
        nn.init.zeros_(self.bias)

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        """``x`` (T, B, F), or codes (T, B), to outputs (T, B, H) and the last state."""
        onehot_dtype = self.onehot_dtype or self.weight_hh.dtype
        dtype = onehot_dtype if self.onehot else x.dtype
        if state is None:
            zeros = x.new_zeros(x.shape[1], self.hidden_size, dtype=dtype)
            state = nest_state([zeros] * len(self.state_names))
        if not self.onehot and self.prefers_kernel(x):
            return self.run_kernel(x, state)
        bias = self.bias.to(dtype)
        if self.onehot:
            projected = F.embedding(x, self.weight_ih.to(dtype)) + bias  # (T, B, G)
        else:
            projected = F.linear(x, self.weight_ih.to(dtype), bias)  # (T, B, G)
        return self.unroll(projected, state)

    def bounds(self, n_steps: np.ndarray) -> dict[str, np.ndarray]:
        """The largest absolute value of states after ``n_steps``, where one is known.

        It serves to recognise states that no sequence can lead to.
        """
        return {}

    @abstractmethod
    def unroll(self, projected: Tensor, state: State) -> tuple[Tensor, State]:
        """Outputs (T, B, H) and the last state, from ``projected`` (T, B, G)."""

    def prefers_kernel(self, x: Tensor) -> bool:
        """Whether torch has a kernel for this cell that reads ``x`` faster."""
        return False

    def run_kernel(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """What :meth:`forward` returns for (T, B, F), computed by torch's kernel."""
        raise TypeError(f"torch has no kernel for cell={self.name!r}.")

    def kernel_arguments(
        self, dtype: torch.dtype, bias_hh: Tensor | None = None
    ) -> tuple[Any, ...]:
        """The arguments of torch's kernels after the input and the state."""
        bias_hh = torch.zeros_like(self.bias) if bias_hh is None else bias_hh
        weights = [self.weight_ih, self.weight_hh, self.bias, bias_hh]
        weights = [weight.to(dtype) for weight in weights]
        return weights, True, 1, 0.0, self.training, False, False


class NumpyCell(ABC):
    """The weights of a trained layer and one step of it, in numpy, without gradients.

    For a batch of one, calling a torch operation takes longer than computing it.
    Calling a numpy operation takes a fifth of that, and even less if it writes into an
    existing array.

    ``inputs`` (F, G) and ``recurrent`` (H, G) are the transposed weights. A layer that
    reads codes has one row of ``inputs`` per code, and its ``bias`` is None because it
    is part of these rows.

    The gates are in the order ``gate_order``, and the weights of the first
    ``n_sigmoids`` of them are halved: a sigmoid is (1 + tanh(x / 2)) / 2, so one tanh
    over all gates serves both kinds.
    """

    gate_order: ClassVar[tuple[int, ...] | None] = None  # None is the layer's order
    n_sigmoids: ClassVar[int] = 0

    def __init__(self, layer: RecurrentLayer, embedding: nn.Embedding | None) -> None:
        H, self.state_names = layer.hidden_size, layer.state_names
        reads_codes = embedding is not None or layer.onehot
        with torch.inference_mode():
            inputs = layer.weight_ih if layer.onehot else layer.weight_ih.t()
            if embedding is not None:
                inputs = embedding.weight @ inputs
            if reads_codes:
                inputs = inputs + layer.bias
        bias = to_array(layer.bias)
        order = np.arange(len(bias))
        if self.gate_order is not None:
            order = order.reshape(-1, H)[list(self.gate_order)].ravel()
        scale = np.ones_like(bias)
        scale[: self.n_sigmoids * H] = 0.5
        recurrent = to_array(layer.weight_hh.t())
        self.inputs = np.ascontiguousarray(to_array(inputs)[:, order] * scale)
        self.recurrent = np.ascontiguousarray(recurrent[:, order] * scale)
        self.bias = None if reads_codes else bias[order] * scale

    def allocate(self, n_streams: int) -> "Buffers":
        """Arrays for the intermediate results of a step of ``n_streams`` sequences."""
        H, G = self.recurrent.shape
        gates, recurrent = (
            np.empty((n_streams, G), self.recurrent.dtype) for _ in range(2)
        )
        by_gate = [gates[:, k : k + H] for k in range(0, G, H)]
        sigmoids = gates[:, : self.n_sigmoids * H]
        return Buffers(gates, recurrent, by_gate, sigmoids, np.empty_like(by_gate[0]))

    @abstractmethod
    def step(self, buffers: "Buffers", state: list[np.ndarray]) -> list[np.ndarray]:
        """New arrays (B, H) of the state, one step after those of ``state``.

        They come in the order of the layer's ``state_names``. ``buffers.gates`` holds
        W x + b and ``buffers.recurrent`` U h; a step may overwrite all buffers, but no
        array of ``state``.
        """


class Buffers(NamedTuple):
    """Arrays that a step of B sequences computes in.

    ``by_gate`` and ``sigmoids`` are views of ``gates``: each gate separately, and all
    gates whose activation is a sigmoid.
    """

    gates: np.ndarray  # (B, G)
    recurrent: np.ndarray  # (B, G)
    by_gate: list[np.ndarray]  # (B, H) each
    sigmoids: np.ndarray  # (B, n_sigmoids * H)
    spare: np.ndarray  # (B, H)


def compute_recurrent_gradient(d_gates: Tensor, hidden: Tensor) -> Tensor:
    """Gradient of the recurrent weights, one product for all steps and sequences."""
    return d_gates.flatten(0, 1).t() @ hidden[:-1].flatten(0, 1)  # (G, H)


def to_array(tensor: Tensor) -> np.ndarray:
    """A copy as a numpy array on the CPU."""
    return np.array(tensor.detach().cpu().numpy())
