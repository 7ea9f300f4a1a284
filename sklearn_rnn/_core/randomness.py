"""Private random generators; the global generators are neither read nor advanced.

Every use of randomness has its own stream, derived from one seed. A change in one, such
as a larger dropout, leaves the others, such as initial weights, unchanged.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from numbers import Integral
from typing import TYPE_CHECKING, Any, SupportsInt

import numpy as np

if TYPE_CHECKING:
    import torch

WEIGHTS, SHUFFLING, DROPOUT, SPLIT, SAMPLING = range(5)

_global_torch_generator = threading.Lock()


def draw_seed(random_state: Any) -> int:
    """Draw one integer seed from scikit-learn's ``random_state``.

    None uses fresh entropy. A ``RandomState`` instance is advanced, as in scikit-learn.
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    if not isinstance(random_state, Integral) or random_state < 0:
        raise ValueError(
            f"random_state must be an integer of at least 0, a RandomState or None, "
            f"got {random_state!r}."
        )
    return int(random_state)


def is_seed(random_state: Any) -> bool:
    """Return whether ``random_state`` is a seed, so that every fit is the same."""
    return isinstance(random_state, Integral)


def numpy_generator(seed: int, *stream: int) -> np.random.Generator:
    """Return a numpy generator for one stream of a seed."""
    return np.random.default_rng([seed, *stream])


def torch_generator(
    seed: int,
    *stream: int,
    device: "str | torch.device" = "cpu",
    kind: "type[torch.Generator] | None" = None,
) -> Any:
    """Return a torch generator, of a class ``kind``, for one stream of a seed."""
    import torch

    state = np.random.SeedSequence([seed, *stream]).generate_state(1, np.uint64)[0]
    generator = (kind or torch.Generator)(device)
    return generator.manual_seed(int(state >> np.uint64(1)))


@contextmanager
def borrow_global_generator(seed: SupportsInt) -> Iterator[None]:
    """Seed torch's global generator for foreign code, and restore its state afterwards.

    Only one thread at a time can be in this context.
    """
    import torch

    with _global_torch_generator:
        before = torch.random.get_rng_state()
        try:
            torch.random.default_generator.manual_seed(int(seed))
            yield
        finally:
            torch.random.set_rng_state(before)
