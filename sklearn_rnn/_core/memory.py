"""Errors that say what to do when memory runs out."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

# On a CPU, torch reports it by a plain RuntimeError with one of these in its message.
CPU_MESSAGES = ("DefaultCPUAllocator", "bad_alloc")


@contextmanager
def explain_out_of_memory(explain: Callable[[], str]) -> Iterator[None]:
    """If memory runs out inside, raise a MemoryError with the text of ``explain()``."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            raise
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise MemoryError(f"{explain()} ({reason})") from error


def is_out_of_memory(error: Exception) -> bool:
    """Whether Python, numpy or torch raised this error for lack of memory."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return any(part in str(error) for part in CPU_MESSAGES)


def explain_prediction_memory(n: int, longest: int) -> AbstractContextManager[None]:
    """A context for the prediction of ``n`` sequences of up to ``longest`` steps."""
    return explain_out_of_memory(
        lambda: (
            f"not enough memory to read {n} sequence(s), the longest of {longest} "
            "steps. Give fewer or shorter sequences at a time; batch_size only affects "
            "fit."
        )
    )
