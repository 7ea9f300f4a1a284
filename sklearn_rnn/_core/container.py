"""Files of named arrays and a JSON header, which are written atomically.

Layout, with all integers little-endian:

    prefix    magic bytes (8), format version (uint32), kind of content (32 bytes of
              ASCII, padded with zeros), length of the header (uint32), length of the
              arrays (uint64)
    header    JSON in UTF-8
    arrays    in the safetensors format, https://github.com/huggingface/safetensors
    checksum  SHA-256 of all bytes before it

Nothing is compressed, and the lengths must add up to the size of the file before
anything is read. Reading the arrays therefore needs a small multiple of their size in
memory. The Python objects of the header are larger than their text.
"""

import errno
import hashlib
import json
import os
import stat
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO
from uuid import uuid4

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as dump_arrays

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

from sklearn_rnn._core.memory import pause_collection

Path = str | bytes | os.PathLike

MAGIC = b"\x93SKRNN\r\n"  # the last bytes reveal a transfer that converts line ends
VERSION = 1
PREFIX = struct.Struct("<8sI32sIQ")
LARGEST_HEADER = 2**24  # bytes
LONGEST_NAME = 200  # bytes of a file name that its drafts start with
DIGEST_SIZE = hashlib.sha256().digest_size
DTYPES = frozenset("?bBhHiIlLqQefd")  # type characters that safetensors can store


def write_container(
    path: Path,
    kind: str,
    header: Mapping[str, Any],
    arrays: Mapping[str, np.ndarray],
    *,
    sync_folder: bool = True,
) -> None:
    """Write a file atomically; ``sync_folder`` is that of :func:`replace_file`.

    Raises
    ------
    TypeError, ValueError
        If the header is not JSON or is too long, or if an array does not contain
        numbers.
    OSError
        If the file cannot be written. An existing file is then unchanged.
    """
    for name, array in arrays.items():
        if array.dtype.char not in DTYPES:
            raise ValueError(
                f"the array {name!r} has dtype {array.dtype}; expected booleans, or "
                "integers or floats of at most 64 bits."
            )
    contiguous = {k: np.asarray(array, order="C") for k, array in arrays.items()}
    parts = [
        json.dumps(header, allow_nan=False).encode("utf-8"),
        dump_arrays(contiguous),
    ]
    if len(parts[0]) > LARGEST_HEADER:
        raise ValueError(
            f"the header has {len(parts[0])} bytes, but a file can hold at most "
            f"{LARGEST_HEADER}."
        )
    lengths = [len(part) for part in parts]
    prefix = PREFIX.pack(MAGIC, VERSION, kind.encode("ascii"), *lengths)
    digest = hashlib.sha256()
    with replace_file(path, sync_folder=sync_folder) as file:
        for part in (prefix, *parts):
            digest.update(part)
            file.write(part)
        file.write(digest.digest())


def read_container(
    path: Path, kind: str
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read the header and the arrays that :func:`write_container` wrote.

    Raises
    ------
    ValueError
        If the file is damaged, of another ``kind``, or of an unsupported version.
    OSError
        If the file cannot be opened or read.
    """
    path = os.fspath(path)  # open would accept and close a file descriptor
    with open(path, "rb", opener=_open_without_waiting) as file:
        try:
            return _read(file, kind)
        except ValueError as error:
            raise ValueError(f"{path!r} cannot be read: {error}") from error


def _open_without_waiting(path: Any, flags: int) -> int:
    """Open a file without waiting for a writer, if it is a named pipe."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read(file: BinaryIO, kind: str) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    status = os.fstat(file.fileno())
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a regular file.")
    prefix = file.read(PREFIX.size)
    header_size, arrays_size = _check_prefix(prefix, status.st_size, kind)
    header, arrays = file.read(header_size), file.read(arrays_size)
    found = file.read(DIGEST_SIZE)
    digest = hashlib.sha256(prefix)
    digest.update(header)
    digest.update(arrays)
    if found != digest.digest():
        raise ValueError(
            "its checksum differs, so the file is damaged. Restore it from a backup."
        )
    try:
        with pause_collection():
            content = json.loads(
                header,
                parse_constant=_refuse_constant,
                object_pairs_hook=_read_json_object,
            )
        if not isinstance(content, dict):
            raise ValueError("the header is not a JSON object")
        return content, load_arrays(arrays)
    except (
        ArithmeticError,
        LookupError,
        RecursionError,
        SafetensorError,
        TypeError,
        ValueError,
    ) as error:
        raise ValueError(f"its content is not well-formed ({error}).") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _read_json_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, whose keys have to be distinct."""
    content = dict(pairs)
    if len(content) != len(pairs):
        raise ValueError("an object has a key twice")
    return content


def _check_prefix(prefix: bytes, size: int, kind: str) -> tuple[int, int]:
    """Check the prefix of a file, and return the lengths of header and arrays."""
    if prefix.startswith(b"PK\x03\x04"):
        length = int.from_bytes(prefix[26:28], "little")
        if not prefix[30 : 30 + length].endswith(b".npy"):  # name of the first member
            raise ValueError(
                "it is a zip archive, for example a file of torch or skops. Pass a "
                "file that sklearn_rnn saved."
            )
        raise ValueError(
            "it is an .npz file, the format of earlier versions, which this version "
            "does not read. Save it again with this version."
        )
    if not prefix.startswith(MAGIC):
        reason = (
            "it is empty."
            if not prefix
            else "it is a file of another format. Pass a file that sklearn_rnn saved."
        )
        raise ValueError(reason)
    if len(prefix) < PREFIX.size:
        raise ValueError("it is truncated.")
    _, version, found, header_size, arrays_size = PREFIX.unpack(prefix)
    if version > VERSION:
        raise ValueError(
            f"its format is version {version}, and this version of sklearn_rnn reads "
            f"versions up to {VERSION}. Install a newer sklearn_rnn."
        )
    if version < 1:
        raise ValueError(f"its format has the unknown version {version}.")
    if header_size > LARGEST_HEADER:
        raise ValueError(
            f"it is damaged: its header has {header_size} bytes instead of at most "
            f"{LARGEST_HEADER}."
        )
    expected = PREFIX.size + header_size + arrays_size + DIGEST_SIZE
    if size != expected:
        how = "truncated" if size < expected else "damaged"
        raise ValueError(f"it is {how}: it has {size} bytes instead of {expected}.")
    if found.rstrip(b"\0") != kind.encode("ascii"):
        name = found.rstrip(b"\0").decode("ascii", "replace")
        raise ValueError(f"it contains a {name!r}, but a {kind!r} is expected.")
    return header_size, arrays_size


# ---------------------------------------------------------------- atomic writing


@contextmanager
def replace_file(path: Path, *, sync_folder: bool = True) -> Iterator[BinaryIO]:
    """Open a new file, which replaces ``path`` when the block ends without an error.

    The new file is synced to the disk before. It has the permissions of the old file,
    or those that ``open`` sets. A symbolic link is kept, and the file it points to is
    replaced. Drafts that killed writers left behind are removed.

    Without ``sync_folder``, a failure of the power may undo the replacement, but it
    leaves one of the two files complete.
    """
    target, mode = find_target(path)
    _remove_stale_drafts(target)
    name, file = _open_draft(target)
    try:
        with file:
            yield file
            file.flush()
            if mode is not None:
                os.chmod(name, mode)
            os.fsync(file.fileno())
            if fcntl is not None:  # keep the lock until the draft is renamed
                os.replace(name, target)
        if fcntl is None:
            os.replace(name, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(name)
        raise
    if sync_folder:
        _sync_folder(os.path.dirname(target))


def find_target(path: Path) -> tuple[str, int | None]:
    """Resolve the name of a file, and check that it can be written.

    Returns the resolved name, and the permissions of the file that will be replaced, or
    None if there is no such file.
    """
    name = os.fsdecode(path)
    if not name:
        raise ValueError("path is empty. Pass the name of the file to write.")
    if os.path.basename(name) in ("", os.curdir, os.pardir):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), name)
    target = os.path.realpath(name)
    return target, _check_target(target)


def _check_target(target: str) -> int | None:
    """Check that a file may be replaced, and return its permissions.

    None is returned if there is no such file.
    """
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        os.stat(os.path.dirname(target))  # an error if there is no such folder
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), target)
    if not stat.S_ISREG(mode):
        raise ValueError(
            f"{target!r} is not a regular file and cannot be replaced. Choose another "
            "file name."
        )
    if not os.access(target, os.W_OK):
        if not os.path.exists(target):  # it was removed meanwhile
            return None
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), target)
    return stat.S_IMODE(mode)


def _draft_prefix(target: str) -> str:
    """Return the start of the paths of all drafts of a target.

    It contains a hash in place of a long name, because names have at most 255 bytes.
    """
    folder, name = os.path.split(target)
    encoded = os.fsencode(name)
    if len(encoded) > LONGEST_NAME:
        name = hashlib.sha256(encoded).hexdigest()
    return os.path.join(folder, f"{name}.")


def _open_draft(target: str) -> tuple[str, BinaryIO]:
    """Create a locked draft file in the folder of the target.

    The lock is released when the process ends.
    """
    while True:
        name = f"{_draft_prefix(target)}{uuid4().hex}.part"
        file = open(name, "xb")
        try:
            _lock(file, wait=True)
            if os.path.exists(name):  # it was not removed as stale before the lock
                return name, file
        except BaseException:
            file.close()
            with suppress(FileNotFoundError):
                os.remove(name)
            raise
        file.close()


def _remove_stale_drafts(target: str) -> None:
    """Remove the drafts of this target that no running writer has locked."""
    folder, start = os.path.split(_draft_prefix(target))
    names: list[str] = []
    with suppress(PermissionError):  # some folders are writable but cannot be listed
        names = os.listdir(folder)
    for name in names:
        middle = name[len(start) : -len(".part")]
        is_draft = name.startswith(start) and name.endswith(".part")
        if is_draft and len(middle) == 32 and set(middle) <= set("0123456789abcdef"):
            draft = os.path.join(folder, name)
            with suppress(OSError), open(draft, "rb") as file:
                if _lock(file):
                    os.remove(draft)


def _lock(file: BinaryIO, wait: bool = False) -> bool:
    """Lock a file for this process, and return whether it is locked.

    Without ``wait``, False is returned if another process has the lock. With ``wait``,
    wait until the other process, which checks whether the file is stale, releases it.
    """
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError:
        return False
    return True


def _sync_folder(folder: str) -> None:
    """Write the entry of a renamed file to the disk, where the system can."""
    with suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
