"""Copies of networks as torch modules of standard layers, for use outside estimators.

In contrast to the networks that estimators train, they read sequences batch first, in
the unit of X, and answer in the unit of y. Shapes: B sequences, T steps, F features.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_rnn._core.device import ignore_torch_modes
from sklearn_rnn._core.randomness import borrow_global_generator
from sklearn_rnn._nn.cells.base import RecurrentLayer
from sklearn_rnn._nn.language import LanguageNetwork
from sklearn_rnn._nn.layers import RecurrentStack
from sklearn_rnn._nn.sequence import SequenceNetwork
from sklearn_rnn._nn.states import State


class Standardize(nn.Module):
    """Computes ``(x - mean) / scale`` in the type of mean and scale, float64."""

    mean: Tensor
    scale: Tensor

    def __init__(self, mean: np.ndarray, scale: np.ndarray) -> None:
        super().__init__()
        self.register_buffer("mean", to_buffer(mean))
        self.register_buffer("scale", to_buffer(scale))

    def forward(self, x: Tensor) -> Tensor:
        return (x.to(self.mean.dtype) - self.mean) / self.scale


class Unstandardize(nn.Module):
    """Computes ``y * scale + mean`` in float64, and returns it in another type.

    With ``squeeze``, the last axis, of one output, is removed.
    """

    mean: Tensor
    scale: Tensor

    def __init__(
        self, mean: np.ndarray, scale: np.ndarray, dtype: torch.dtype, squeeze: bool
    ) -> None:
        super().__init__()
        self.register_buffer("mean", to_buffer(mean))
        self.register_buffer("scale", to_buffer(scale))
        self.dtype, self.squeeze = dtype, squeeze

    def forward(self, y: Tensor) -> Tensor:
        y = (y.to(self.mean.dtype) * self.scale + self.mean).to(self.dtype)
        return y.squeeze(-1) if self.squeeze else y


class TimeFirst(nn.Module):
    """A layer that reads time first, such as a user's cell, behind one batch first."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        outputs, state = self.layer(x.transpose(0, 1), state)
        return outputs.transpose(0, 1), state


class Recurrence(nn.Module):
    """Stacked recurrent layers, which read in one direction or in both.

    ``levels[k]`` contains the forward layer and, if bidirectional, the backward layer
    of level ``k``. In one direction, torch's own layers have all levels in one module.
    """

    def __init__(self, levels: Sequence[Sequence[nn.Module]]) -> None:
        super().__init__()
        self.levels = nn.ModuleList(nn.ModuleList(level) for level in levels)
        self.bidirectional = len(levels[-1]) == 2
        first = levels[0][0]
        self.is_one_layer = len(levels) == 1 and isinstance(first, nn.RNNBase)
        self.input_size = cast(Any, getattr(first, "layer", first)).input_size

    def forward(
        self, x: Tensor, lengths: Tensor | None = None, states: Any = None
    ) -> tuple[Tensor, list[State]]:
        """Return outputs (B, T, H * directions), and the last states of all layers.

        ``lengths`` (B,) are needed if the layers are bidirectional. The states are
        those after step T.
        """
        before: Iterator[State] | None = None if states is None else iter(states)
        after: list[State] = []
        for level in cast(list[list[nn.Module]], self.levels):
            outputs = []
            for direction, layer in enumerate(level):
                source = reverse_valid(x, cast(Tensor, lengths)) if direction else x
                y, state = run_layer(layer, source, before and next(before))
                after.append(state)
                outputs.append(
                    reverse_valid(y, cast(Tensor, lengths)) if direction else y
                )
            x = torch.cat(outputs, 2) if len(outputs) > 1 else outputs[0]
        return x, after


class StandardNetwork(nn.Module):
    """A network that reads sequences in the unit of X and predicts in that of y.

    It consists of ``scaling``, which standardizes numbers, or ``embedding`` of codes;
    of the ``recurrence``, which reads patches of ``patch_size`` steps; of ``pooling``
    over the valid steps, unless it is None; of the dense layer ``head``; and of
    ``output``, which turns its outputs, the logits, into predictions.
    """

    def __init__(
        self,
        *,
        scaling: nn.Module | None,
        embedding: nn.Embedding | None,
        recurrence: Recurrence,
        head: nn.Linear,
        output: nn.Module,
        patch_size: int = 1,
        pooling: str | None = "last",
    ) -> None:
        super().__init__()
        self.scaling, self.embedding = scaling, embedding
        self.recurrence, self.head, self.output = recurrence, head, output
        self.patch_size, self.pooling = patch_size, pooling
        self.n_features = None
        if embedding is None:
            self.n_features = recurrence.input_size // patch_size

    def forward(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Predict from numbers (B, T, F), or codes (B, T), with ``lengths`` (B,)."""
        return self.output(self.logits(x, lengths))

    def logits(self, x: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Return the outputs of the head: (B, n_outputs), or (B, T, n_outputs)."""
        check_sequences(x, self.n_features)
        lengths = check_lengths(x, lengths)
        if self.embedding is not None:
            x = self.embedding(x.long())  # (B, T, E)
        else:
            x = x if self.scaling is None else self.scaling(x)
            x = mask_padding(x, lengths, 0.0).to(self.head.weight.dtype)
            x = x + (x - x)  # infinity, which layers saturate, becomes NaN
            x, lengths = join_steps(x, lengths, self.patch_size)
        return self.read(x, lengths)

    def read(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Return the outputs of the head from embedded codes or patches (B, T, E)."""
        outputs, _ = self.recurrence(x, lengths)  # (B, T, H)
        if self.pooling is not None:
            both = self.recurrence.bidirectional
            outputs = pool_steps(outputs, lengths, self.pooling, both)
        return self.head(outputs)


class StandardLanguageNetwork(nn.Module):
    """A network that reads codes, and predicts the logits of each next code."""

    def __init__(
        self,
        embedding: nn.Embedding,
        recurrence: Recurrence,
        head: nn.Module,
    ) -> None:
        super().__init__()
        self.embedding, self.recurrence, self.head = embedding, recurrence, head

    def forward(self, codes: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Return logits (B, T, V) after each code (B, T), and the state after step T.

        ``state`` is the state before the first step, or None. It is that of torch's
        layer, or a list with the state of each layer of a cell that torch lacks.
        """
        check_sequences(codes, None)
        single = self.recurrence.is_one_layer
        states = [state] if single and state is not None else state
        outputs, states = self.recurrence(self.embedding(codes.long()), None, states)
        return self.head(outputs), states[0] if single else states


# --------------------------------------------------------------------- building


@ignore_torch_modes()
def make_standard_network(
    module: SequenceNetwork,
    output: nn.Module,
    *,
    scaling: nn.Module | None = None,
    patch_size: int = 1,
) -> StandardNetwork:
    """Copy the network of a classifier or regressor to standard layers."""
    module = copy.deepcopy(module)
    embedding, recurrence = convert_recurrence(module.stack, module.embedding)
    return finish(
        StandardNetwork(
            scaling=scaling,
            embedding=embedding,
            recurrence=recurrence,
            head=module.head,
            output=output,
            patch_size=patch_size,
            pooling=module.pooling,
        ),
        module,
    )


@ignore_torch_modes()
def make_standard_language_network(module: LanguageNetwork) -> StandardLanguageNetwork:
    """Copy the network of a generator to standard layers."""
    module = copy.deepcopy(module)  # at once, because embedding and head may be tied
    embedding, recurrence = convert_recurrence(module.stack, module.embedding)
    head: nn.Module = module.head
    if module.project is not None:
        head = nn.Sequential(module.project, head)
    assert embedding is not None, "a generator reads codes"
    return finish(StandardLanguageNetwork(embedding, recurrence, head), module)


def convert_recurrence(
    stack: RecurrentStack, embedding: nn.Embedding | None
) -> tuple[nn.Embedding | None, Recurrence]:
    """Convert recurrent layers to standard ones; return them with their embedding.

    Layers that look up one-hot codes have none, and get one.
    """
    levels = cast(list[list[nn.Module]], stack.layers)
    weights = [[list_weights(layer) for layer in level] for level in levels]
    if getattr(levels[0][0], "onehot", False):
        embedding, first = split_onehot([part[0] for part in weights[0]])
        weights[0] = [
            [matrix, *rest[1:]] for matrix, rest in zip(first, weights[0], strict=True)
        ]
    if stack.bidirectional or any(not part for level in weights for part in level):
        groups = [[k] for k in range(len(levels))]
    else:
        groups = [list(range(len(levels)))]
    return embedding, Recurrence(
        [
            [
                convert_layers(
                    [levels[k][d] for k in group], [weights[k][d] for k in group]
                )
                for d in range(len(levels[-1]))
            ]
            for group in groups
        ]
    )


def list_weights(layer: nn.Module) -> list[Tensor]:
    """List the weights of torch's layer of a cell; none if torch has no such cell."""
    if not isinstance(layer, RecurrentLayer) or layer.torch_layer is None:
        return []
    return [weight.detach() for weight in layer.torch_weights()]


def convert_layers(layers: list[nn.Module], weights: list[list[Tensor]]) -> nn.Module:
    """Convert layers to one layer of torch; keep one whose cell torch does not have."""
    if not weights[0]:
        (layer,) = layers
        return TimeFirst(layer)
    cell, inputs = cast(Any, layers[0]), weights[0][0]
    with borrow_global_generator(0):  # torch draws weights, which are replaced
        copied = cell.torch_layer(
            inputs.shape[1],
            cell.hidden_size,
            len(layers),
            batch_first=True,
            device=inputs.device,
            dtype=inputs.dtype,
            **cell.torch_options,
        )
    with torch.no_grad():
        for k, parts in enumerate(weights):
            for target, part in zip(copied.all_weights[k], parts, strict=True):
                target.copy_(part)
    return copied


def split_onehot(weights: list[Tensor]) -> tuple[nn.Embedding, list[Tensor]]:
    """Return an embedding, and input weights of layers, that look up one-hot codes.

    ``weights`` (G, V) are the input weights of the layers of the first level. The
    embedding consists of the one-hot vectors or, if there are more codes than gates, of
    the columns of the weights.
    """
    joined = torch.cat(weights)  # (G, V)
    n_gates, n_codes = joined.shape
    if n_codes <= n_gates:
        table, inputs = torch.eye(n_codes), weights
    else:
        table, eye = joined.t().contiguous(), torch.eye(n_gates).to(joined)
        inputs = list(eye.split([len(part) for part in weights]))
    return nn.Embedding.from_pretrained(table.to(joined)), inputs


def finish(network: Any, like: nn.Module) -> Any:
    """Move a network to the device of another, and switch it to evaluation."""
    device = next(like.parameters()).device
    if device.type == "mps":  # which has no float64
        network = network.float()
    return network.to(device).eval()


def to_buffer(numbers: np.ndarray) -> Tensor:
    """Return numbers as a tensor on the CPU, in float64."""
    return torch.tensor(np.asarray(numbers, dtype=np.float64), device="cpu")


# --------------------------------------------------------------------- checking


def check_sequences(x: Tensor, n_features: int | None, name: str = "X") -> None:
    """Raise an error unless x are numbers (B, T, n_features), or codes (B, T)."""
    n_axes, shape = 3, "(n_sequences, n_timesteps, n_features)"
    if n_features is None:
        n_axes, shape = 2, "codes (n_sequences, n_timesteps)"
    if x.ndim != n_axes:
        raise ValueError(
            f"{name} has the shape {tuple(x.shape)}; expected {shape}. Reshape it, for "
            "example a table with x.reshape(len(x), n_timesteps, -1)."
        )
    if n_features is not None and x.shape[2] != n_features:
        raise ValueError(
            f"{name} has {x.shape[2]} features per step, but the model was fitted with "
            f"{n_features}. Select the same features as in fit."
        )
    if n_features is None and (x.is_floating_point() or x.dtype == torch.bool):
        raise TypeError(
            f"{name} has the type {x.dtype}; expected codes of an integer type. "
            "Convert them with x.long()."
        )


def check_lengths(x: Tensor, lengths: Any, least: int = 1) -> Tensor:
    """Return numbers of valid steps (B,) in int64; None means all steps of x.

    Unless torch exports or traces the module, each has to be at least ``least``.
    """
    n_rows, n_steps = x.shape[:2]
    if lengths is None:
        lengths = torch.full((n_rows,), n_steps, device=x.device)
    lengths = torch.as_tensor(lengths, device=x.device)
    if lengths.ndim != 1 or lengths.shape[0] != n_rows or lengths.is_floating_point():
        raise ValueError(
            f"lengths have the shape {tuple(lengths.shape)} and the type "
            f"{lengths.dtype}; expected integers of shape ({n_rows},), one for each "
            "sequence."
        )
    if not (torch.compiler.is_compiling() or torch.jit.is_tracing()):
        if not ((lengths >= least) & (lengths <= n_steps)).all():
            raise ValueError(
                f"the numbers of valid steps are {int(lengths.min())} to "
                f"{int(lengths.max())}, but X has {n_steps} time steps, and at least "
                f"{least} are needed."
            )
    return lengths.long()


# -------------------------------------------------------------------- computing


def run_layer(layer: nn.Module, x: Tensor, state: State) -> tuple[Tensor, State]:
    """Read (B, T, F) with a layer, from ``state`` or from zeros.

    torch.export replaces torch's layers by a loop over the number of steps of the
    example. There, an operation is therefore used that loops over any number of steps.
    """
    if not isinstance(layer, nn.RNNBase) or not torch.compiler.is_exporting():
        return layer(x, state)
    is_lstm = isinstance(layer, nn.LSTM)
    if state is None:
        zeros = x.new_zeros(layer.num_layers, x.shape[0], layer.hidden_size)
        state = (zeros, zeros) if is_lstm else zeros
    parts = state if is_lstm else (state,)
    after = []
    x = x.transpose(0, 1)
    for k, weights in enumerate(layer.all_weights):
        x, last = _scan(layer, weights, x, tuple(part[k].clone() for part in parts))
        after.append(last)
    joined = tuple(map(torch.stack, zip(*after, strict=True)))
    return x.transpose(0, 1), joined if is_lstm else joined[0]


def _scan(
    layer: nn.RNNBase, weights: Sequence[Tensor], x: Tensor, state: tuple[Tensor, ...]
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Read (T, B, F) with one level of a layer; return outputs and last state."""
    from torch._higher_order_ops.scan import scan  # slow to import

    def step(state: tuple[Tensor, ...], x: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        new: tuple[Tensor, ...]
        if isinstance(layer, nn.LSTM):
            new = torch.lstm_cell(x, state, *weights)
        elif isinstance(layer, nn.GRU):
            new = (torch.gru_cell(x, state[0], *weights),)
        elif cast(nn.RNN, layer).nonlinearity == "tanh":
            new = (torch.rnn_tanh_cell(x, state[0], *weights),)
        else:
            new = (torch.rnn_relu_cell(x, state[0], *weights),)
        return tuple(part.clone() for part in new), new[0].clone()

    last, outputs = scan(step, state, x)
    return outputs, last


def reverse_valid(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse the valid part of each sequence of (B, T, F); padding stays in place."""
    steps = torch.arange(x.shape[1], device=x.device)
    ends = lengths.unsqueeze(1)
    source = torch.where(steps < ends, ends - 1 - steps, steps)  # (B, T)
    return x.gather(1, source.unsqueeze(2).expand(-1, -1, x.shape[2]))


def mask_padding(x: Tensor, lengths: Tensor, value: float) -> Tensor:
    """Replace the padding of sequences (B, T, F) by ``value``."""
    steps = torch.arange(x.shape[1], device=x.device)
    padding = steps >= lengths.unsqueeze(1)
    return x.masked_fill(padding.unsqueeze(2), value)


def join_steps(x: Tensor, lengths: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Join each ``size`` successive steps; padding of (B, T, F) is zero."""
    if size == 1:
        return x, lengths
    B, T, F = x.shape
    n_patches = (T + size - 1) // size
    if torch.compiler.is_exporting():  # torch would require several patches otherwise
        n_patches = n_patches + 1
    x = nn.functional.pad(x, (0, 0, 0, n_patches * size - T))
    lengths = torch.div(lengths + size - 1, size, rounding_mode="floor")
    return x.reshape(B, n_patches, size * F), lengths


def pool_steps(x: Tensor, lengths: Tensor, how: str, both: bool) -> Tensor:
    """Reduce the valid steps of (B, T, H) to (B, H), or to (B, 3 H) with "concat"."""
    if how == "concat":
        parts = ("last", "mean", "max")
        return torch.cat([pool_steps(x, lengths, part, both) for part in parts], 1)
    if how == "mean":
        total = mask_padding(x, lengths, 0.0).sum(1)
        return total / lengths.unsqueeze(1).to(total.dtype)
    if how == "max":
        return mask_padding(x, lengths, float("-inf")).amax(1)
    index = (lengths - 1).view(-1, 1, 1).expand(-1, -1, x.shape[2])
    last = x.gather(1, index).squeeze(1)
    if both:
        H = x.shape[2] // 2
        last = torch.cat([last[:, :H], x[:, 0, H:]], 1)
    return last
