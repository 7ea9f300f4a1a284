"""Detection of faults: slow calls, bad errors, foreign warnings, side effects."""

import math
import pickle
import re
import signal
import sys
import threading
from contextlib import contextmanager

import joblib
import numpy as np
from sklearn.exceptions import NotFittedError

from sklearn_rnn.conformance._checks_all import _global_generators

ALLOWED = (ValueError, TypeError, NotFittedError, MemoryError)
LIBRARIES = re.compile(r"[/\\](numpy|torch|scipy|pandas|polars|skorch)[/\\]")
FOREIGN = (RuntimeWarning, DeprecationWarning, FutureWarning, PendingDeprecationWarning)
# Words that an error message may use for data, in addition to names of arguments.
ROWS = (
    "rows?|samples?|series|sequences?|documents?|texts?|images?|patterns?|sources?|"
    "steps?|tokens?|codes?|labels?|class(es)?|features?|columns?"
)


class CallTooLongError(BaseException):
    """Error that is raised inside a call that exceeds its time limit."""


@contextmanager
def limit_time(seconds):
    """Interrupt the block after ``seconds``, if the platform has timer signals."""
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not hasattr(signal, "setitimer") or not in_main_thread:
        yield
        return

    def interrupt(*_):
        raise CallTooLongError

    former = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


def find_fault_of_error(error, names, reads_files=False):
    """Describe the fault of an error that a call raised; None if it is a proper error.

    ``names`` are those of the arguments and parameters. A method that ``reads_files``
    may raise an OSError with the name of a file.
    """
    shown = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
    if isinstance(error, CallTooLongError):
        return "the call took too long"
    if isinstance(error, NotFittedError):
        return None
    if reads_files and isinstance(error, OSError) and error.filename is not None:
        return None
    if not isinstance(error, ALLOWED):
        return f"raised {shown}"
    subjects = "|".join([ROWS, *map(re.escape, names)])
    if not re.search(rf"(?<!\w)({subjects})(?!\w)", str(error), re.IGNORECASE):
        return f"the error does not name an argument, row or parameter: {shown}"
    return None


def find_foreign_warning(caught):
    """Describe the first warning issued by another library; None if there is none."""
    for warning in caught:
        foreign = issubclass(warning.category, FOREIGN)
        if foreign or LIBRARIES.search(warning.filename):
            name = warning.category.__name__
            text = " ".join(str(warning.message).split())[:200]
            return f"a warning of another library: {name}: {text}"
    return None


def read_global_state():
    """Read the global state that a call must not change, as values by name."""
    state = {
        f"random generator of {library}": joblib.hash(get())
        for library, (get, _, _) in _global_generators().items()
    }
    state["modules"] = len(sys.modules)  # imports may set warning filters
    state["np.seterr"] = np.geterr()
    state["recursion limit"] = sys.getrecursionlimit()
    if "torch" in sys.modules:
        torch = sys.modules["torch"]
        state["default dtype of torch"] = torch.get_default_dtype()
        state["grad mode of torch"] = torch.is_grad_enabled()
        state["threads of torch"] = torch.get_num_threads()
    return state


def hash_input(value):
    """Hash X or y; return None if it cannot be hashed without consuming it."""
    if hasattr(value, "__next__"):
        return None
    try:
        return joblib.hash(value)
    except (pickle.PicklingError, AttributeError, TypeError, ValueError, RuntimeError):
        return None


def remember_input(value):
    """Copy or hash X or y, for a later call of :func:`is_changed`."""
    return value.copy() if hasattr(value, "equals") else hash_input(value)


def is_changed(value, before):
    """Return whether X or y differs from the copy or hash made earlier."""
    if hasattr(before, "equals"):
        return not value.equals(before)
    return before is not None and hash_input(value) != before


def is_finite(X, depth=4):
    """Return whether all numbers in X are finite; False if X cannot be read."""
    if X is None or isinstance(X, (str, bytes)):
        return X is not None
    try:
        if isinstance(X, np.ma.MaskedArray) or hasattr(X, "is_sparse"):
            return False
        array = np.asarray(X)
        if array.dtype.kind in "biu":
            return True
        if array.dtype.kind == "f":
            return bool(np.isfinite(array).all())
        if array.dtype.kind in "US":
            return True
    except (ValueError, TypeError, RuntimeError, OverflowError, NotImplementedError):
        pass
    if (depth and isinstance(X, (list, tuple, np.ndarray))) or hasattr(X, "iloc"):
        return all(is_finite(x, depth - 1) for x in X)
    return isinstance(X, int) or (isinstance(X, float) and math.isfinite(X))


def holds_nan(answer):
    """Return whether an output contains a number that is not finite."""
    if isinstance(answer, (list, tuple)):
        return any(map(holds_nan, answer))
    try:
        array = np.asarray(answer)
    except (ValueError, TypeError):
        return False
    if array.dtype == object:
        return any(map(holds_nan, array.ravel().tolist())) if array.ndim else False
    return array.dtype.kind in "fc" and not np.isfinite(array).all()
