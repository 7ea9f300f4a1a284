"""A cell that the user defines as a torch module."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sklearn_rnn._core.device import borrow_default_dtype
from sklearn_rnn._core.randomness import borrow_global_generator
from sklearn_rnn._nn.cells.base import predict_exactly
from sklearn_rnn._nn.states import (
    State,
    find_sequence_axis,
    list_tensors,
    rebuild_state,
)


class CustomLayer(nn.Module):
    """A user's cell, which reads (B, T, F) and returns (B, T, H) and a state.

    It is built with torch's global generator seeded by ``seed``. A saved network is
    built again in the same way, and then gets its parameters and buffers.

    In the state of the cell, the sequences may be on any axis; in ``torch.nn.GRU`` they
    are on the second axis. Outside of this layer they are always on the first axis.
    """

    state_names = numpy_cell = None  # only the built-in cells define them

    def __init__(
        self,
        build: Callable[[int, int], nn.Module],
        input_size: int,
        H: int,
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.seed = seed
        with borrow_global_generator(seed), borrow_default_dtype(torch.float32):
            self.module = build(input_size, H)
        if not isinstance(self.module, nn.Module):
            raise TypeError(
                f"cell(input_size, hidden_size) returned {self.module!r}; expected a "
                "torch.nn.Module."
            )
        self.input_size, self.hidden_size = input_size, H
        # The sequence axis of each tensor of a state; None before the first forward.
        self._axes: list[int] | None = None

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        # A cell without weights keeps the type of x. Otherwise x is cast to the type of
        # the weights, because only the built-in layers compute in bfloat16.
        weight = next(self.module.parameters(), x)
        if state is not None:
            state = self._move_axes(state, x, into=True)
        x_by_row = x.transpose(0, 1).to(weight.dtype)  # (B, T, F)
        with predict_exactly(x_by_row):
            answer = self.module(x_by_row, state)
        if not isinstance(answer, tuple) or len(answer) != 2:
            raise TypeError(
                f"the cell's forward returned {type(answer).__name__}; expected a "
                "tuple (outputs, state)."
            )
        outputs, state = answer
        expected = (x.shape[1], x.shape[0], self.hidden_size)
        if outputs.shape != expected:
            raise ValueError(
                f"the cell returned outputs of shape {tuple(outputs.shape)}; expected "
                f"(n_sequences, n_timesteps, hidden_size) = {expected}. Return the "
                "outputs at every step, batch first, with hidden_size units."
            )
        return outputs.transpose(0, 1), self._move_axes(state, x)

    @torch.no_grad()
    def check_independence(self, *, causal: bool) -> None:
        """Raise an error if outputs depend on more than the sequence up to the step.

        They must not depend on earlier calls, on other sequences of the batch or, if
        ``causal``, on later steps of the same sequence, such as padding.
        """
        training = self.module.training
        self.module.eval()  # without dropout, and with fixed statistics
        try:
            weight = next(self.module.parameters(), torch.empty(0, dtype=torch.float32))
            steps = torch.arange(8 * self.input_size, device=weight.device)
            x = torch.sin(steps + 1.0).view(4, 2, -1)  # (T, B, F)
            outputs = self(x)[0]
            if not _nearly_equal(self(x)[0], outputs):
                raise ValueError(
                    "the cell returns other outputs when it reads the same sequences "
                    "again. Its forward must not keep values between calls, and must "
                    "draw random numbers only if self.training."
                )
            others, later = x.clone(), x.clone()
            others[:, 0] += 1
            later[-1] += 1
            if not _nearly_equal(self(others)[0][:, 1], outputs[:, 1]):
                raise ValueError(
                    "the cell's outputs for one sequence depend on the other sequences "
                    "of its batch. It reads (n_sequences, n_timesteps, input_size): "
                    "modules such as torch.nn.GRU need batch_first=True."
                )
            if causal and not _nearly_equal(self(later)[0][:-1], outputs[:-1]):
                raise ValueError(
                    "the cell's outputs depend on later steps, and so on the zeros "
                    "that pad shorter sequences. Set cell to one that reads forward "
                    "only; to read in both directions, set bidirectional=True. If all "
                    "sequences have the same length, RNNClassifier and RNNRegressor "
                    "accept any cell with input_length set to that length."
                )
        finally:
            self.module.train(training)

    def _move_axes(self, state: State, x: Tensor, into: bool = False) -> State:
        """Move the sequences to the first axis, or with ``into`` to the cell's axis."""
        if self._axes is None:
            self._axes = self._find_axes(x)
        if not self._axes:  # not found; opening a stream raises an error
            return state
        parts = (
            (part.movedim(0, axis) if into else part.movedim(axis, 0)).contiguous()
            for part, axis in zip(list_tensors(state), self._axes, strict=True)
        )
        return rebuild_state(state, parts)

    @torch.no_grad()
    def _find_axes(self, x: Tensor) -> list[int]:
        """Find the sequence axis of each tensor of a state with trial sequences."""
        weight, training = next(self.module.parameters(), x), self.module.training
        self.module.eval()  # without randomness
        try:
            trials = [weight.new_zeros(n, 1, self.input_size) for n in (2, 3)]
            two, three = (list_tensors(self.module(x, None)[1]) for x in trials)
            return [find_sequence_axis(*pair) for pair in zip(two, three, strict=True)]
        except (TypeError, ValueError):
            return []
        finally:
            self.module.train(training)


def _nearly_equal(a: Tensor, b: Tensor) -> bool:
    return torch.allclose(a, b, rtol=1e-4, atol=1e-6, equal_nan=True)
