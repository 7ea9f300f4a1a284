"""Error messages for a lack of memory, and a pause of the garbage collector."""

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

# On a CPU, torch raises a plain RuntimeError with one of these words in its message.
CPU_MESSAGES = ("DefaultCPUAllocator", "bad_alloc")


@contextmanager
def pause_collection() -> Iterator[None]:
    """Pause the garbage collector, which is slow while many objects are created."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def explain_out_of_memory(explain: Callable[[], str]) -> Iterator[None]:
    """Raise a MemoryError with the text of ``explain()`` if memory runs out."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise MemoryError(f"{explain()} ({reason})") from error


def is_out_of_memory(error: Exception) -> bool:
    """Return whether Python, numpy or torch raised this error for lack of memory."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return any(part in str(error) for part in CPU_MESSAGES)


def explain_prediction_memory(n: int, longest: int) -> AbstractContextManager[None]:
    """Return a context for predicting ``n`` sequences of up to ``longest`` steps."""
    return explain_out_of_memory(
        lambda: (
            f"not enough memory to read {n} sequence(s), the longest of {longest} "
            "steps. Pass fewer or shorter sequences at a time; batch_size only affects "
            "fit."
        )
    )
