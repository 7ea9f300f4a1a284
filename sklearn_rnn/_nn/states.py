"""Nested states: the tensors in them, and which of their axes is that of sequences."""

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor

State = Any  # what a layer hands from one step to the next: a tensor or a tuple of them


def tensors_of(state: State) -> list[Tensor]:
    """The tensors in a state, in the order of its nesting."""
    if isinstance(state, Tensor):
        return [state]
    if isinstance(state, (list, tuple)):
        return [tensor for part in state for tensor in tensors_of(part)]
    if state is None:
        return []
    raise TypeError(
        f"the cell's state holds {state!r} of type {type(state).__name__}; expected "
        "tensors, and tuples or lists of them."
    )


def rebuild_state(state: State, parts: Iterator[Tensor]) -> State:
    """``state`` with its tensors replaced by ``parts``."""
    if isinstance(state, (list, tuple)):
        inner = [rebuild_state(part, parts) for part in state]
        named = hasattr(state, "_fields")
        return type(state)(*inner) if named else type(state)(inner)
    return state if state is None else next(parts)


def map_states(states: State, change: Callable[[Tensor], Tensor]) -> State:
    """``states`` with each tensor in them changed."""
    return rebuild_state(states, map(change, tensors_of(states)))


def join_states(parts: list[State], join: Callable[[list[Tensor]], Tensor]) -> State:
    """States like each of ``parts``, with tensors made of a list of theirs."""
    tensors = zip(*map(tensors_of, parts), strict=True)
    return rebuild_state(parts[0], map(join, map(list, tensors)))


def find_sequence_axis(of_two: Tensor, of_three: Tensor) -> int:
    """Where the tensor of 2 sequences has the length 2, and that of 3 the length 3."""
    axes = [
        axis
        for axis, sizes in enumerate(zip(of_two.shape, of_three.shape, strict=False))
        if sizes == (2, 3)
    ]
    if len(axes) != 1:
        raise ValueError(
            f"the cell's state of 2 sequences has the shape {tuple(of_two.shape)}, of "
            f"3 sequences {tuple(of_three.shape)}. To be carried on, each sequence "
            "needs a state of its own: one axis has to be that of the sequences."
        )
    return axes[0]
