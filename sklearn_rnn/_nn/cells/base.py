"""Base classes of the recurrent cells: a layer in torch, and its single step in numpy.

Each cell is one module of this folder. It defines a subclass of :class:`RecurrentLayer`
with the pass over time and a subclass of :class:`NumpyCell` with one step of a trained
layer. The registry lists the layers.

The pass over time receives ``P[t] = W x[t] + b`` for all steps at once. It is a matrix
product or, for one-hot input, consists of rows of ``W``. The three built-in cells also
have a hand-written backward pass. It computes the local derivatives of all steps before
the loop over time, and the gradient of the recurrent weights ``U`` after it, as one
product. On a CPU this is faster than the step-by-step graph that torch records for its
GRU and its simple cell. A cell whose ``unroll`` consists of plain torch operations
needs no hand-written backward pass.

Shapes: T steps, B sequences, F features, H units. The gates are concatenated along
the last axis, whose length is G.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sklearn_rnn._nn.compiled import can_compile
from sklearn_rnn._nn.states import State, list_tensors, nest_state

_precision_lock = threading.RLock()  # held while a setting of the process is changed


class RecurrentLayer(nn.Module, ABC):
    """One layer of a cell that reads forward in time.

    It reads ``input_size`` features per step. With ``onehot=True`` it reads codes below
    ``input_size``, which stand for one-hot vectors: the rows of the input weights for
    the codes are looked up, and the layer computes in ``onehot_dtype`` or, if that is
    None, in the type of its weights.

    The outputs are the first part of the state at each step. A state is one tensor
    (B, H) if ``state_names`` has one entry, otherwise a tuple of tensors.
    """

    name: ClassVar[str]  # the value of the parameter ``cell``
    n_gates: ClassVar[int]
    gate_names: ClassVar[tuple[str, ...]] = ()  # subscripts in the equations
    state_names: ClassVar[tuple[str, ...]] = ("hidden",)
    source: ClassVar[str]  # publication, for the documentation
    equations: ClassVar[str]  # LaTeX, for the documentation
    numpy_cell: ClassVar[type["NumpyCell"]]
    torch_layer: ClassVar[type[nn.RNNBase] | None] = None  # if torch has this cell
    # On a CPU, layers of fewer units are slower in bfloat16 than in float32, as
    # measured by benchmarks/bench_kernels.py.
    least_in_bfloat16: ClassVar[int] = 128

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
        """Draw orthogonal recurrent and Glorot input weights; set biases to zero."""
        H = self.hidden_size
        for gate in range(self.n_gates):
            rows = slice(gate * H, (gate + 1) * H)
            nn.init.orthogonal_(self.weight_hh[rows], generator=generator)
            if self.onehot:  # like embedding vectors of unit variance
                nn.init.normal_(self.weight_ih[:, rows], generator=generator)
            else:
                nn.init.xavier_uniform_(self.weight_ih[rows], generator=generator)
        nn.init.zeros_(self.bias)

    def forward(
        self, x: Tensor, state: State = None, lengths: Tensor | None = None
    ) -> tuple[Tensor, State]:
        """Map (T, B, F), or codes (T, B), to outputs (T, B, H) and the last state.

        Steps after the ``lengths`` (B,) are padding. Outputs and states there have no
        meaning, but are finite.
        """
        onehot_dtype = self.onehot_dtype or self.weight_hh.dtype
        dtype = onehot_dtype if self.onehot else x.dtype
        if state is None:
            zeros = x.new_zeros(x.shape[1], self.hidden_size, dtype=dtype)
            state = nest_state([zeros] * len(self.state_names))
        if self.onehot and x.is_cuda:  # cuDNN reads no codes, but unrolling is slower
            x = F.one_hot(x.long(), self.input_size).to(dtype)
        if x.is_floating_point() and self.prefers_kernel(x):
            with predict_exactly(x):
                return self.run_kernel(x, state)
        if lengths is None:
            lengths = torch.full((x.shape[1],), len(x), device=x.device)
        return self.unroll(self.project(x, dtype), state, lengths)

    def project(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        """Compute W x + b of all steps, (T, B, G)."""
        weight, bias = self.weight_ih.to(dtype), self.bias.to(dtype)
        if self.onehot:
            return F.embedding(x, weight) + bias
        return F.linear(x, weight, bias)

    def trace_states(self, x: Tensor) -> list[Tensor]:
        """Compute the states (T + 1, B, H) before the first step and after each step.

        There is one tensor for each name in ``state_names``.
        """
        if len(self.state_names) == 1:
            parts = [self(x)[0]]
        else:
            state, steps = None, []
            for step in x.split(1):
                _, state = self(step, state)
                steps.append(list_tensors(state))
            parts = [torch.stack(part) for part in zip(*steps, strict=True)]
        return [torch.cat([torch.zeros_like(part[:1]), part]) for part in parts]

    def list_terms(
        self, x: np.ndarray, before: list[np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Compute all terms of the equations in float64, for n steps: (n, H) each.

        ``x`` are inputs (n, F) or codes (n,), and ``before`` are the states (n, H)
        before these steps. The terms are named as in ``equations``.
        """
        if not self.gate_names:
            raise TypeError(f"cell={self.name!r} does not define its terms.")
        weight_ih, weight_hh, bias = (
            to_array(weight).astype(np.float64)
            for weight in (self.weight_ih, self.weight_hh, self.bias)
        )
        inputs = weight_ih[x] if self.onehot else x @ weight_ih.T
        recurrent = before[0] @ weight_hh.T
        terms = {"h_{t-1}": before[0]}
        for k, gate in enumerate(self.gate_names):
            rows = slice(k * self.hidden_size, (k + 1) * self.hidden_size)
            mark = gate and f"_{gate}"
            terms[f"W{mark} x_t"] = inputs[:, rows]
            terms[f"U{mark} h_{{t-1}}"] = recurrent[:, rows]
            terms[f"b{mark}"] = np.broadcast_to(bias[rows], inputs[:, rows].shape)
        self.add_results(terms, before)
        return terms

    def add_results(
        self, terms: dict[str, np.ndarray], before: list[np.ndarray]
    ) -> None:
        """Add the left sides of the equations, and terms that only this cell has."""

    def write_equations(self) -> str:
        """Return the equations in LaTeX, with the activation function of the layer."""
        return self.equations

    def find_bounds(self, n_steps: np.ndarray) -> dict[str, np.ndarray]:
        """Return upper bounds of absolute values of states after ``n_steps``, if known.

        They are used to detect states that no sequence can lead to.
        """
        return {}

    @abstractmethod
    def unroll(
        self, projected: Tensor, state: State, lengths: Tensor
    ) -> tuple[Tensor, State]:
        """Compute outputs (T, B, H) and the last state from ``projected`` (T, B, G).

        Kernels leave out the last sequences of a batch after their end, so a batch
        takes the least time if its sequences are ordered by decreasing length.
        """

    def prefers_kernel(self, x: Tensor) -> bool:
        """Return whether torch has a kernel for this cell that is faster for ``x``."""
        return False

    def run_kernel(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """Compute what :meth:`forward` returns for (T, B, F) with torch's kernel."""
        raise TypeError(f"torch has no kernel for cell={self.name!r}.")

    def kernel_arguments(self, dtype: torch.dtype) -> tuple[Any, ...]:
        """Return the arguments of torch's kernels after the input and the state."""
        weights = [weight.to(dtype) for weight in self.torch_weights()]
        if weights[0].is_cuda:
            weights = join_weights(weights)
        return weights, True, 1, 0.0, self.training, False, False

    def torch_weights(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return W, U and the two biases, in the shapes and order of torch's layers."""
        weight_ih = self.weight_ih.t() if self.onehot else self.weight_ih
        return weight_ih, self.weight_hh, self.bias, torch.zeros_like(self.bias)

    @property
    def torch_options(self) -> dict[str, Any]:
        """Options of the constructor of ``torch_layer``."""
        return {}


def join_weights(weights: list[Tensor]) -> list[Tensor]:
    """Copy weights to one block of memory, from which cuDNN reads them."""
    block = torch.cat([weight.flatten() for weight in weights])
    parts = block.split([weight.numel() for weight in weights])
    return [part.view_as(old) for part, old in zip(parts, weights, strict=True)]


@contextmanager
def predict_exactly(x: Tensor) -> Iterator[None]:
    """Let cuDNN compute predictions in float32 as exactly as a CPU does.

    By default it multiplies in the TensorFloat-32 format, which has three digits. In
    training that is enough, and faster.
    """
    settings: Any = torch.backends.cudnn.rnn
    if not x.is_cuda or x.dtype != torch.float32 or torch.is_grad_enabled():
        yield
        return
    with _precision_lock:
        before = settings.fp32_precision
        settings.fp32_precision = "ieee"
        try:
            yield
        finally:
            settings.fp32_precision = before


class NumpyCell(ABC):
    """One step of a trained layer in numpy, without gradients.

    For a batch of one, calling a torch operation takes longer than its computation.
    Calling a numpy operation takes a fifth of that, and less if it writes into an
    existing array.

    ``inputs`` (F, G) and ``recurrent`` (H, G) are the transposed weights. If the layer
    reads codes, ``inputs`` has one row per code that includes the bias, and ``bias`` is
    None.

    The gates are in the order ``gate_order``. The weights of the first ``n_sigmoids``
    gates are halved: since sigmoid(x) = (1 + tanh(x / 2)) / 2, one tanh over all gates
    computes both kinds of activation.
    """

    gate_order: ClassVar[tuple[int, ...] | None] = None  # None keeps the layer's order
    n_sigmoids: ClassVar[int] = 0

    def __init__(self, layer: RecurrentLayer, embedding: nn.Embedding | None) -> None:
        H, self.state_names = layer.hidden_size, layer.state_names
        self.is_compiled = can_compile(layer.weight_hh.cpu())
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
        """Allocate arrays for the intermediate results of a step."""
        H, G = self.recurrent.shape
        gates, recurrent = (
            np.empty((n_streams, G), self.recurrent.dtype) for _ in range(2)
        )
        by_gate = [gates[:, k : k + H] for k in range(0, G, H)]
        sigmoids = gates[:, : self.n_sigmoids * H]
        return Buffers(gates, recurrent, by_gate, sigmoids, np.empty_like(by_gate[0]))

    @abstractmethod
    def step(self, buffers: "Buffers", state: list[np.ndarray]) -> list[np.ndarray]:
        """Compute new arrays (B, H) of the state, one step after ``state``.

        They are returned in the order of the layer's ``state_names``. ``buffers.gates``
        contains W x + b and ``buffers.recurrent`` contains U h. A step may overwrite
        all buffers, but not the arrays of ``state``.
        """


class Buffers(NamedTuple):
    """Arrays for the intermediate results of a step of B sequences.

    ``by_gate`` and ``sigmoids`` are views of ``gates``: each gate separately, and all
    gates whose activation is a sigmoid.
    """

    gates: np.ndarray  # (B, G)
    recurrent: np.ndarray  # (B, G)
    by_gate: list[np.ndarray]  # (B, H) each
    sigmoids: np.ndarray  # (B, n_sigmoids * H)
    spare: np.ndarray  # (B, H)


def compute_recurrent_gradient(d_gates: Tensor, hidden: Tensor) -> Tensor:
    """Compute the gradient of the recurrent weights with one product for all steps."""
    return d_gates.flatten(0, 1).t() @ hidden[:-1].flatten(0, 1)  # (G, H)


def to_array(tensor: Tensor) -> np.ndarray:
    """Return a copy as a numpy array on the CPU."""
    return np.array(tensor.detach().cpu().numpy())
