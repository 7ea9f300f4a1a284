"""One file of named arrays and a JSON header, written as a whole or not at all.

Layout, with all integers little-endian:

    prefix    magic bytes (8), format version (uint32), kind of content (32 bytes of
              ASCII, padded with zeros), length of the header (uint32), length of the
              arrays (uint64)
    header    JSON in UTF-8
    arrays    in the safetensors format, https://github.com/huggingface/safetensors
    checksum  SHA-256 of all bytes before it

Nothing is compressed, and the lengths have to add up to the size of the file before
anything is read. So reading takes memory for a small multiple of that size at most.
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

Path = str | bytes | os.PathLike

MAGIC = b"\x93SKRNN\r\n"  # its last bytes notice a transfer that converts line ends
VERSION = 1
PREFIX = struct.Struct("<8sI32sIQ")
LARGEST_HEADER = 2**24  # bytes
DIGEST_SIZE = hashlib.sha256().digest_size
DTYPES = frozenset("?bBhHiIlLqQefd")  # characters of those that safetensors stores


def write_container(
    path: Path, kind: str, header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]
) -> None:
    """Write a file, all of it or nothing.

    Raises
    ------
    TypeError, ValueError
        If the header is not JSON or too long, or an array is not of numbers.
    OSError
        If the file cannot be written. A file that was there before is unchanged.
    """
    for name, array in arrays.items():
        if array.dtype.char not in DTYPES:
            raise ValueError(
                f"the array {name!r} has dtype {array.dtype}; expected booleans, "
                "integers or floats of at most 64 bits."
            )
    contiguous = {k: np.asarray(array, order="C") for k, array in arrays.items()}
    parts = [
        json.dumps(header, allow_nan=False).encode("utf-8"),
        dump_arrays(contiguous),
    ]
    if len(parts[0]) > LARGEST_HEADER:
        raise ValueError(
            f"the header has {len(parts[0])} bytes; at most {LARGEST_HEADER} fit."
        )
    lengths = [len(part) for part in parts]
    prefix = PREFIX.pack(MAGIC, VERSION, kind.encode("ascii"), *lengths)
    digest = hashlib.sha256()
    with replace_file(path) as file:
        for part in (prefix, *parts):
            digest.update(part)
            file.write(part)
        file.write(digest.digest())


def read_container(
    path: Path, kind: str
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and the arrays of a file that :func:`write_container` wrote.

    Raises
    ------
    ValueError
        If the file is damaged, or is not one of this ``kind`` that this version reads.
    OSError
        If the file cannot be opened or read.
    """
    path = os.fspath(path)  # open would accept a descriptor, and close it
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
        raise ValueError("its checksum differs, so the file is damaged. Use a copy.")
    try:
        content = json.loads(header)
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


def _check_prefix(prefix: bytes, size: int, kind: str) -> tuple[int, int]:
    """The lengths of header and arrays, if the prefix fits the file and the kind."""
    if prefix.startswith(b"PK\x03\x04"):
        raise ValueError(
            "it is an .npz file, the format of earlier versions, which this one does "
            "not read. Save it again with this version."
        )
    if not prefix.startswith(MAGIC):
        reason = "it is empty." if not prefix else "it is a file of another format."
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
    expected = PREFIX.size + header_size + arrays_size + DIGEST_SIZE
    if size != expected or header_size > LARGEST_HEADER:
        how = "truncated" if size < expected else "damaged"
        raise ValueError(f"it is {how}: it has {size} bytes instead of {expected}.")
    if found.rstrip(b"\0") != kind.encode("ascii"):
        name = found.rstrip(b"\0").decode("ascii", "replace")
        raise ValueError(f"it holds a {name!r}, and a {kind!r} is expected.")
    return header_size, arrays_size


# ---------------------------------------------------------------- atomic writing


@contextmanager
def replace_file(path: Path) -> Iterator[BinaryIO]:
    """A new file to write, which replaces ``path`` when the block ends without error.

    It is synced to the disk first, and has the permissions that the old file has or
    that ``open`` would give it. A symbolic link stays, and the file it points at is
    replaced. Drafts that killed writers left behind are removed.
    """
    target = os.path.realpath(os.fsdecode(path))
    mode = _check_target(target)
    _remove_stale_drafts(target)
    name, file = _open_draft(target)
    try:
        with file:
            yield file
            file.flush()
            if mode is not None:
                os.chmod(name, mode)
            os.fsync(file.fileno())
            if fcntl is not None:  # the lock is held until the draft has its name
                os.replace(name, target)
        if fcntl is None:
            os.replace(name, target)
    except BaseException:
        with suppress(FileNotFoundError):
            os.remove(name)
        raise
    _sync_folder(os.path.dirname(target))


def _check_target(target: str) -> int | None:
    """The permissions of the file that is replaced, or None if there is none."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), target)
    if not stat.S_ISREG(mode):
        raise ValueError(f"{target!r} is not a regular file, and cannot be replaced.")
    if not os.access(target, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), target)
    return stat.S_IMODE(mode)


def _open_draft(target: str) -> tuple[str, BinaryIO]:
    """A locked file beside the target; the lock ends when the writer does."""
    while True:
        name = f"{target}.{uuid4().hex}.part"
        file = open(name, "xb")
        try:
            _lock(file, wait=True)
            if os.path.exists(name):  # no one took it for a stale one before the lock
                return name, file
        except BaseException:
            file.close()
            with suppress(FileNotFoundError):
                os.remove(name)
            raise
        file.close()


def _remove_stale_drafts(target: str) -> None:
    """Remove the drafts of this target that no living writer holds a lock on."""
    folder, start = os.path.dirname(target), f"{os.path.basename(target)}."
    names: list[str] = []
    with suppress(PermissionError):  # some folders can be written to, but not listed
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
    """Lock a file for this process; False if another holds the lock, or none exist.

    With ``wait``, wait until the other one, which checks whether the file is stale,
    has given the lock back.
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
