"""A cell that the user defines as a torch module."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sklearn_rnn._nn.states import State, find_sequence_axis, rebuild_state, tensors_of


class CustomLayer(nn.Module):
    """A user's cell, which reads (B, T, F) and returns (B, T, H) and a state.

    The cell may keep the sequences of its state on any axis, as ``torch.nn.GRU`` does
    on the second one. Outside of this layer they are on the first axis.
    """

    state_names = numpy_cell = None  # only our own cells declare them

    def __init__(
        self, build: Callable[[int, int], nn.Module], input_size: int, H: int
    ) -> None:
        super().__init__()
        self.module = build(input_size, H)
        if not isinstance(self.module, nn.Module):
            raise TypeError(
                f"cell(input_size, hidden_size) returned {self.module!r}; expected a "
                "torch.nn.Module."
            )
        self.input_size, self.hidden_size = input_size, H
        # The axis of sequences of each tensor of a state, once it is known.
        self._axes: list[int] | None = None

    def forward(self, x: Tensor, state: State = None) -> tuple[Tensor, State]:
        # A cell without weights keeps the type of x. Only our own layers compute in
        # bfloat16, so x is cast to the type of the weights.
        weight = next(self.module.parameters(), x)
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
                f"(n_sequences, n_timesteps, hidden_size) = {expected}. Return the "
                "outputs at every step, batch first, with hidden_size units."
            )
        return outputs.transpose(0, 1), self._move_axes(state, x)

    def _move_axes(self, state: State, x: Tensor, into: bool = False) -> State:
        """Move the sequences to the first axis, or ``into`` the cell's own axes."""
        if self._axes is None:
            self._axes = self._find_axes(x)
        if not self._axes:  # not found, so opening a stream raises an error
            return state
        parts = (
            (part.movedim(0, axis) if into else part.movedim(axis, 0)).contiguous()
            for part, axis in zip(tensors_of(state), self._axes, strict=True)
        )
        return rebuild_state(state, parts)

    @torch.no_grad()
    def _find_axes(self, x: Tensor) -> list[int]:
        """The axis of sequences of each tensor, from states of two and of three."""
        weight, training = next(self.module.parameters(), x), self.module.training
        self.module.eval()  # without randomness
        try:
            trials = [weight.new_zeros(n, 1, self.input_size) for n in (2, 3)]
            two, three = (tensors_of(self.module(x, None)[1]) for x in trials)
            return [find_sequence_axis(*pair) for pair in zip(two, three, strict=True)]
        except (TypeError, ValueError):
            return []
        finally:
            self.module.train(training)
