"""A folder of training states, from which interrupted trainings continue.

A file is called ``<key>-<epoch>.checkpoint`` while training continues, and
``<key>-<epoch>-end.checkpoint`` at its end. The key is a hash of everything that
determines the training, except the number of epochs.
"""

import errno
import hashlib
import os
import platform
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cache, partial
from importlib.metadata import version
from numbers import Integral
from pathlib import Path
from typing import Any, NamedTuple

from sklearn_rnn._core.container import (
    _remove_stale_drafts,
    read_container,
    write_container,
)
from sklearn_rnn._core.randomness import is_seed
from sklearn_rnn._core.sklearn_private import Interval, RealNotInt
from sklearn_rnn._core.trees import flatten_tree, unflatten_tree
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._version import __version__

KIND = "checkpoint"
LARGEST_FOLDER = 2 * 2**30  # bytes; the files that were used last are kept
NO_SPACE = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)}
# Bytes that this process has written to each folder since it measured the folder.
_written: dict[str, int] = {}

# Constraints of the parameters of estimators.
CHECKPOINT_CONSTRAINTS: dict[str, list] = {
    "checkpoint": [str, os.PathLike, None],
    "checkpoint_every": [
        Interval(Integral, 1, None, closed="left"),
        Interval(RealNotInt, 0, None, closed="left"),
    ],
}

FILE_NAME = re.compile(r"([0-9a-f]{64})-(\d{1,18})(-end)?\.checkpoint")
DRAFT_NAME = re.compile(rf"({FILE_NAME.pattern})\.[0-9a-f]{{32}}\.part")


class Entry(NamedTuple):
    """A file of a folder of checkpoints."""

    path: str
    key: str
    epoch: int
    is_end: bool


def clear_checkpoints(folder: str | os.PathLike[str]) -> int:
    """Remove all checkpoints from a folder.

    Estimators with the parameter ``checkpoint`` write them, and a fit that has finished
    or that is not repeated does not need them any more. Other files in the folder, and
    the folder itself, are kept. A fit that is running continues, and writes its next
    checkpoint as usual.

    Parameters
    ----------
    folder : str or path-like
        Folder that was passed as ``checkpoint``. A folder that does not exist contains
        no checkpoints.

    Returns
    -------
    n_removed : int
        Number of checkpoints that were removed.

    Raises
    ------
    ValueError
        If ``folder`` is not the path of a folder that can be listed.

    See Also
    --------
    RNNClassifier : Classifier with the parameters ``checkpoint`` and
        ``checkpoint_every``.

    Examples
    --------
    >>> import tempfile
    >>> import numpy as np
    >>> from sklearn_rnn import RNNClassifier, clear_checkpoints
    >>> folder = tempfile.mkdtemp()
    >>> X = np.random.default_rng(0).normal(size=(40, 5))
    >>> y = X.sum(axis=1) > 0
    >>> model = RNNClassifier(max_epochs=5, random_state=0, checkpoint=folder)
    >>> _ = model.fit(X, y)
    >>> _ = model.set_params(max_epochs=10, verbose=1).fit(X, y)
    resumed after epoch 5
    ...
    >>> clear_checkpoints(folder)
    2
    """
    try:
        path = resolve_folder(folder)
        remove_drafts(path)
        return sum(_remove(entry.path) for entry in list_entries(path))
    except (OSError, TypeError, ValueError) as error:
        raise ValueError(
            f"the checkpoints in folder={folder!r} cannot be removed: {error}. Pass "
            "the folder that was passed as checkpoint."
        ) from error


class CheckpointFolder:
    """The checkpoints of one training, with their ``key``, in a folder.

    ``every`` is a number of epochs (int) or of seconds (float) between two checkpoints.
    Without ``warns``, no warning is issued if a state cannot be written.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        key: str,
        every: float = 10.0,
        warns: bool = True,
    ) -> None:
        self.key, self.every, self.warns = key, every, warns
        self._last, self._last_time = Entry("", key, 0, False), time.monotonic()
        self._can_write, self._has_warned = True, False
        try:
            self.folder = resolve_folder(folder)
            os.makedirs(self.folder, exist_ok=True)
            if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
                raise PermissionError("it is not readable and writable")
        except (OSError, ValueError) as error:
            raise ValueError(
                f"checkpoint={str(folder)!r} cannot be used: {error}. Pass a folder in "
                "which files can be created, or None."
            ) from error

    def find_states(self, max_epochs: int) -> Iterator[tuple[Entry, Any]]:
        """Yield the files up to ``max_epochs`` with their states, the latest first.

        Files that cannot be read are skipped with a warning.
        """
        own = list_entries(self.folder, self.key)
        own = [entry for entry in own if entry.epoch <= max_epochs]
        for entry in sorted(own, key=lambda entry: (-entry.epoch, not entry.is_end)):
            try:
                header, arrays = read_container(entry.path, KIND)
                if header != self._describe(entry.epoch):
                    raise ValueError("its content belongs to another training.")
                state = unflatten_tree(arrays)
            except FileNotFoundError:  # removed by another process
                continue
            except (OSError, ValueError) as error:
                warn_unusable(entry.path, error)
                continue
            yield entry, state

    def start_after(self, entry: Entry) -> None:
        """Start the training after the epoch of this file."""
        self._last, self._last_time = entry, time.monotonic()
        with suppress(OSError):
            os.utime(entry.path)  # the files used last are kept

    def is_due(self, epoch: int, is_end: bool) -> bool:
        """Return whether a state should be written after this epoch."""
        if not self._can_write or (epoch == self._last.epoch and self._last.is_end):
            return False
        if is_end:
            return True
        if isinstance(self.every, int):
            return epoch - self._last.epoch >= self.every
        is_new = epoch > self._last.epoch
        return is_new and time.monotonic() - self._last_time >= self.every

    def give_up(self, error: Exception) -> None:
        """Warn that the state cannot be stored, and write no more."""
        self._can_write = False
        self._warn(error, "Training continues without further checkpoints.")

    def _warn(self, error: Exception, consequence: str) -> None:
        if self.warns:
            warn_user(
                f"the state of the training cannot be written to {self.folder!r}: "
                f"{str(error).removesuffix('.')}. {consequence}"
            )

    def write(self, epoch: int, state: Any, *, is_end: bool) -> None:
        """Write the state after an epoch, and remove what it replaces.

        If the file cannot be written, a warning is issued once, and later states are
        written as usual. If the content cannot be stored, there are no later states.
        """
        name = f"{self.key}-{epoch}{'-end' if is_end else ''}.checkpoint"
        entry = Entry(os.path.join(self.folder, name), self.key, epoch, is_end)
        try:
            self._replace(entry, flatten_tree(state))
        except OSError as error:
            if not self._has_warned:
                self._warn(error, "Training continues, and writes the next state.")
            self._has_warned = True
            entry = Entry("", self.key, epoch, False)
        except (TypeError, ValueError) as error:
            self.give_up(error)
        self._last, self._last_time = entry, time.monotonic()

    def _replace(self, entry: Entry, content: Mapping[str, Any]) -> None:
        """Write a file, and remove what it replaces and what is too old."""
        header = self._describe(entry.epoch)
        write = partial(write_container, entry.path, KIND, header, content)
        size = sum(array.nbytes for array in content.values())
        os.makedirs(self.folder, exist_ok=True)  # somebody may have removed it
        if os.path.islink(entry.path):  # the target of the link would be replaced
            os.remove(entry.path)
        try:
            write(sync_folder=False)  # takes half the time
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            remove_oldest(self.folder, entry.path, n_bytes=2 * size)
            write(sync_folder=False)
        self._remove_replaced(entry)
        if entry.is_end:
            remove_drafts(self.folder, self.key)
        _written[self.folder] = _written.get(self.folder, LARGEST_FOLDER) + size
        if _written[self.folder] >= LARGEST_FOLDER / 100:
            remove_oldest(self.folder, entry.path)
            _written[self.folder] = 0

    def _describe(self, epoch: int) -> Mapping[str, Any]:
        """Return the header of the file of an epoch."""
        return {"key": self.key, "epoch": epoch}

    def _remove_replaced(self, new: Entry) -> None:
        """Remove earlier states of this training, except those at the end of a fit."""
        for entry in list_entries(self.folder, self.key):
            is_replaced = entry.epoch <= new.epoch and not entry.is_end
            if is_replaced and entry.path != new.path:
                _remove(entry.path)


def resolve_folder(folder: str | os.PathLike[str]) -> str:
    """Return the absolute path of a folder, in which "~" is the user's home."""
    path = str(os.fsdecode(folder))  # np.str_ is a str too
    if not path:
        raise ValueError("its name is empty")
    return os.path.abspath(os.path.expanduser(path))


def list_entries(folder: str, key: str = "") -> list[Entry]:
    """List the checkpoints in a folder, with a ``key`` only those of this training."""
    found = []
    for name in _list_names(folder, key):
        if match := FILE_NAME.fullmatch(name):
            path = os.path.join(folder, name)
            found.append(Entry(path, match[1], int(match[2]), match[3] is not None))
    return found


def _list_names(folder: str, start: str) -> list[str]:
    """List the names in a folder that begin with ``start``."""
    try:
        return [name for name in os.listdir(folder) if name.startswith(start)]
    except FileNotFoundError:  # removed by another process
        return []


def remove_drafts(folder: str, key: str = "") -> None:
    """Remove drafts of checkpoints that writers left behind when they were killed.

    With a ``key``, only those of this training are removed.
    """
    for name in _list_names(folder, key):
        if draft := DRAFT_NAME.fullmatch(name):
            _remove_stale_drafts(os.path.join(folder, draft[1]))


def remove_oldest(folder: str, kept: str, n_bytes: int = 0) -> None:
    """Remove the checkpoints used least recently, until the rest are small enough.

    At least ``n_bytes`` are removed, if there are as many. The file ``kept`` is not
    removed.
    """
    files = []
    for entry in list_entries(folder):
        with suppress(OSError):  # removed by another process
            status = os.stat(entry.path)
            files.append((status.st_mtime, status.st_size, entry.path))
    total = sum(size for _, size, _ in files)
    largest = min(LARGEST_FOLDER, total - n_bytes)
    for _, size, path in sorted(files):
        if total <= largest:
            break
        if path != kept and _remove(path):
            total -= size


def _remove(path: str) -> bool:
    """Remove a file, and return whether this succeeded."""
    try:
        os.remove(path)
    except OSError:  # removed by another process, or open in one on Windows
        return False
    return True


def warn_unusable(path: str, error: Exception) -> None:
    """Warn that a file is not used."""
    reason = str(error).removesuffix(".")
    warn_user(
        f"the checkpoint {path!r} is not used: {reason}. Training starts from an "
        "earlier state or from the beginning. Call sklearn_rnn.clear_checkpoints to "
        "remove all checkpoints of the folder."
    )


def describe_versions(*packages: str) -> list[str]:
    """List the versions of Python, of this package and of others, and the processor.

    A version of this package that is being developed is described by its source code.
    """
    return [
        ".".join(platform.python_version_tuple()[:2]),
        platform.machine(),
        hash_sources() if "dev" in __version__ else __version__,
        *map(find_version, packages),
    ]


@cache
def hash_sources() -> str:
    """Return a hash of the source code of this package."""
    root = Path(__file__).parent.parent
    found = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        found.update(str(path.relative_to(root)).encode() + path.read_bytes())
    return found.hexdigest()


@cache
def find_version(package: str) -> str:
    """Return the version of an installed package."""
    return version(package)


def choose_folder(estimator: Any, warns: bool = True) -> str | os.PathLike[str] | None:
    """Return the folder of checkpoints of an estimator, or None.

    Without an integer seed, a second fit would train another network. There are no
    checkpoints then, and, if ``warns``, a warning is issued.
    """
    folder = estimator.checkpoint
    if folder is None or is_seed(estimator.random_state):
        return folder
    if warns:
        warn_user(
            f"checkpoint={str(folder)!r} is not used, because "
            f"random_state={estimator.random_state!r} makes every fit different. Set "
            "random_state to an integer."
        )
    return None
