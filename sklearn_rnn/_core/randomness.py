"""Private randomness: nothing here reads or moves the global generators.

Every use of chance has a stream of its own, derived from one seed, so that a change in
one (say a larger dropout) leaves the others (initial weights, shuffling) as they were.
"""

import threading
from contextlib import contextmanager

import numpy as np

WEIGHTS, SHUFFLING, DROPOUT, SPLIT, SAMPLING = range(5)

_global_torch_generator = threading.Lock()


def draw_seed(random_state):
    """One integer seed from a scikit-learn ``random_state``; fresh entropy from None.

    A ``RandomState`` instance is advanced, as everywhere in scikit-learn.
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    return int(random_state)


def numpy_generator(seed, *stream):
    """A numpy generator for one stream of a seed."""
    return np.random.default_rng([seed, *stream])


def torch_generator(seed, *stream, device="cpu"):
    """A torch generator for one stream of a seed."""
    import torch

    state = np.random.SeedSequence([seed, *stream]).generate_state(1, np.uint64)[0]
    return torch.Generator(device).manual_seed(int(state >> np.uint64(1)))


@contextmanager
def borrowed_global_generator(seed):
    """Let foreign code draw from torch's global generator, seeded, and put it back.

    Threads wait for each other here, and outside code sees the state unchanged.
    """
    import torch

    with _global_torch_generator:
        before = torch.random.get_rng_state()
        torch.random.default_generator.manual_seed(int(seed))
        try:
            yield
        finally:
            torch.random.set_rng_state(before)
