"""Files of arrays are written atomically, and read only if they are intact."""

import errno
import hashlib
import io
import json
import os
import signal
import stat
import struct
import subprocess
import sys
import threading
import time
import tracemalloc
import zipfile

import numpy as np
import pytest

from sklearn_rnn._core import container
from sklearn_rnn._core.container import (
    LARGEST_HEADER,
    MAGIC,
    PREFIX,
    find_target,
    read_container,
    replace_file,
    write_container,
)

HEADER = {"name": "Zoë", "list": [1, 2.5, None]}
ARRAYS = {
    "x": np.arange(6, dtype=np.float32).reshape(2, 3),
    "scalar": np.array(7),
    "empty": np.zeros((0, 4), np.int16),
    "transposed": np.arange(6.0).reshape(2, 3).T,
    "flags": np.array([True, False]),
    "foreign": np.arange(3, dtype=">i4"),
}


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "file.bin"
    write_container(path, "test", HEADER, ARRAYS)
    return path


def seal(content):
    """Return the content of a file with its checksum."""
    return content + hashlib.sha256(content).digest()


def change_prefix(path, **changes):
    """Change fields of the prefix, and recompute the checksum."""
    content = path.read_bytes()[:-32]
    names = ("magic", "version", "kind", "header_size", "arrays_size")
    fields = dict(zip(names, PREFIX.unpack(content[: PREFIX.size]), strict=True))
    prefix = PREFIX.pack(*(fields | changes).values())
    path.write_bytes(seal(prefix + content[PREFIX.size :]))


def test_header_and_arrays_are_restored(path):
    header, arrays = read_container(path, "test")
    assert header == HEADER and arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype.newbyteorder("=")
        assert arrays[name].flags.writeable


def test_paths_are_str_bytes_or_path_like(path, tmp_path):
    for other in (str(path), os.fsencode(path), path):
        write_container(other, "test", {}, {})
        assert read_container(other, "test") == ({}, {})
    assert list(tmp_path.iterdir()) == [path]


def test_files_that_cannot_be_written_are_found_before(tmp_path):
    with pytest.raises(ValueError, match="path is empty"):
        find_target("")
    with pytest.raises(TypeError, match="not NoneType"):
        find_target(None)
    with pytest.raises(FileNotFoundError, match="missing'"):
        find_target(tmp_path / "missing" / "file")


def zip_file(member):
    """Return a zip archive with one empty member."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(member, b"0" * 99)
    return file.getvalue()


DAMAGE = {
    "nothing": (lambda c: b"", "it is empty"),
    "text": (lambda c: b"hello" * 99, "of another format"),
    "start": (lambda c: c[:20], "truncated"),
    "end": (lambda c: c[:-1], "truncated: it has .* instead of"),
    "longer": (lambda c: c + b"0", "damaged: it has"),
    "flipped": (lambda c: c[:99] + bytes([c[99] ^ 1]) + c[100:], "checksum differs"),
    "npz": (lambda c: zip_file("a.npy"), r"\.npz .* earlier versions.*Save it again"),
    "zip": (lambda c: zip_file("archive/data.pkl"), r"it is a zip archive"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_named(damage, path):
    change, message = DAMAGE[damage]
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ValueError, match=rf"file\.bin' cannot be read: .*{message}"):
        read_container(path, "test")


PREFIXES = {
    "newer": ({"version": 2}, "version 2.*Install a newer"),
    "version 0": ({"version": 0}, "unknown version 0"),
    "long header": ({"header_size": 2**32 - 1}, "header has 4294967295 bytes instead"),
    "long arrays": ({"arrays_size": 2**63}, "truncated"),
    "short": ({"arrays_size": 0}, "damaged"),
    "kind": ({"kind": b"model"}, "contains a 'model', but a 'test' is expected"),
}


@pytest.mark.parametrize("change", PREFIXES)
def test_the_prefix_is_checked_before_anything_is_read(change, path):
    changes, message = PREFIXES[change]
    change_prefix(path, **changes)
    with pytest.raises(ValueError, match=message):
        read_container(path, "test")


@pytest.mark.parametrize(
    ("header", "arrays"),
    [
        (b"[" * 60_000, None),
        (b"no json", None),
        (b"[]", None),
        (b"\xff", None),
        (b"9" * 10_000, None),
        (b'{"a": NaN}', None),
        (b'{"a": 1, "a": 2}', None),
        (b"{}", b""),
        (b"{}", struct.pack("<Q", 2**62)),
        (b"{}", {"x": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}),
        (b"{}", {"x": {"dtype": "F32", "shape": [2**63, 2], "data_offsets": [0, 0]}}),
        (b"{}", {"x": {"dtype": "F8_E8M0", "shape": [4], "data_offsets": [0, 4]}}),
        (b"{}", {"x": {"dtype": "no", "shape": [1], "data_offsets": [0, 4]}}),
        (b"{}", {"x": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}),
    ],
    ids=str,
)
def test_invalid_content_with_a_valid_checksum_is_refused_without_allocation(
    header, arrays, path
):
    if arrays is None:
        arrays = struct.pack("<Q", 2) + b"{}"
    elif isinstance(arrays, dict):
        text = json.dumps(arrays).encode()
        arrays = struct.pack("<Q", len(text)) + text + bytes(4)
    prefix = PREFIX.pack(MAGIC, 1, b"test", len(header), len(arrays))
    path.write_bytes(seal(prefix + header + arrays))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="not well-formed"):
            read_container(path, "test")
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def test_reading_takes_a_small_multiple_of_the_size(tmp_path):
    path = tmp_path / "large"
    write_container(path, "test", {}, {"x": np.ones(10**6)})
    tracemalloc.start()
    try:
        read_container(path, "test")
        assert tracemalloc.get_traced_memory()[1] < 3.5 * path.stat().st_size
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("array", [np.array(["a"]), np.array([{}]), np.zeros(1, "M8")])
def test_only_numbers_are_stored(array, path):
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"the array 'x' has dtype .*expected"):
        write_container(path, "test", {}, {"x": array})
    with pytest.raises(ValueError, match=f"at most {LARGEST_HEADER}"):
        write_container(path, "test", {"x": "a" * LARGEST_HEADER}, {})
    with pytest.raises((TypeError, ValueError), match="JSON"):
        write_container(path, "test", {"x": np.nan}, {})
    assert path.read_bytes() == before


def test_a_fifo_or_a_folder_is_not_read(tmp_path):
    with pytest.raises(OSError, match="directory"):
        read_container(tmp_path, "test")
    with pytest.raises(OSError, match="directory"):
        write_container(tmp_path, "test", {}, {})
    with pytest.raises(FileNotFoundError):
        read_container(tmp_path / "none", "test")
    with pytest.raises(FileNotFoundError):
        write_container(tmp_path / "none" / "file", "test", {}, {})
    with pytest.raises(ValueError, match="not a regular file"):
        read_container(os.devnull, "test")
    with pytest.raises(ValueError, match="not a regular file"):
        write_container(os.devnull, "test", {}, {})


def test_a_descriptor_is_not_read_and_stays_open(path):
    with open(path, "rb") as file:
        with pytest.raises(TypeError, match="not int"):
            read_container(file.fileno(), "test")
        os.fstat(file.fileno())


# -------------------------------------------------- atomic writing

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and locks of POSIX")


@posix
def test_a_named_pipe_without_a_writer_is_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ValueError, match="not a regular file"):
        read_container(tmp_path / "pipe", "test")


def test_a_folder_that_cannot_be_listed_can_be_written_to(path, monkeypatch):
    def refuse(folder):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), folder)

    monkeypatch.setattr(container.os, "listdir", refuse)
    write_container(path, "test", {"new": 1}, {})
    assert read_container(path, "test") == ({"new": 1}, {})


@posix
def test_permissions_and_links_are_kept(path, tmp_path):
    before = os.umask(0o027)
    try:
        fresh = tmp_path / "fresh"
        write_container(fresh, "test", {}, {})
        assert stat.S_IMODE(fresh.stat().st_mode) == 0o640
        path.chmod(0o604)
        link = tmp_path / "link"
        link.symlink_to(path.name)
        write_container(link, "test", {"new": True}, {})
    finally:
        os.umask(before)
    assert link.is_symlink() and read_container(path, "test")[0] == {"new": True}
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


@pytest.mark.parametrize("where", ["write", "fsync", "replace"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_a_write_that_fails_leaves_the_old_file(
    where, error, path, tmp_path, monkeypatch
):
    before = path.read_bytes()

    def fails(*args):
        raise error

    if where == "write":
        with pytest.raises(type(error)), replace_file(path) as file:
            file.write(b"half")
            fails()
    else:
        monkeypatch.setattr(container.os, where, fails)
        with pytest.raises(type(error)):
            write_container(path, "test", {}, {})
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


@posix
@pytest.mark.parametrize("name", ["a/", "a/.", "a/..", "."])
def test_names_of_folders_are_refused(name, tmp_path):
    with pytest.raises(IsADirectoryError):
        write_container(os.path.join(tmp_path, name), "test", {}, {})
    assert not any(tmp_path.iterdir())


def test_long_names(tmp_path):
    path = tmp_path / ("n" * 255)
    write_container(path, "test", {}, {})
    draft = tmp_path / f"{hashlib.sha256(b'n' * 255).hexdigest()}.{'0' * 32}.part"
    draft.touch()
    write_container(path, "test", {}, {})
    assert list(tmp_path.iterdir()) == [path]


def test_drafts_of_killed_writers_are_removed_and_those_of_living_ones_stay(
    path, tmp_path
):
    stale = tmp_path / f"{path.name}.{'0' * 32}.part"
    other = tmp_path / f"other.bin.{'0' * 32}.part"
    user = tmp_path / f"{path.name}.mine.part"
    for file in (stale, other, user):
        file.write_bytes(b"half")
    with replace_file(path) as file:
        file.write(b"slow")
        write_container(path, "test", {}, {})
        assert not stale.exists() and other.exists() and user.exists()
    assert path.read_bytes() == b"slow"
    assert sorted(tmp_path.iterdir()) == sorted([path, other, user])


SAVING = """
import sys
import numpy as np
from sklearn_rnn._core.container import write_container
k = 0
while True:
    arrays = {"x": np.full(100_000, k), "y": np.full(10, k)}
    write_container(sys.argv[1], "test", {"k": k}, arrays)
    k += 1
    print(k, flush=True)
"""


@posix
def test_a_draft_that_another_writer_removed_is_created_again(path, monkeypatch):
    """Another writer finds the draft between its creation and its lock."""
    lock, taken = container._lock, []

    def lock_late(file, *args, **options):
        if file.mode == "xb" and not taken:
            taken.append(open(file.name, "rb"))
            assert lock(taken[0])
            threading.Timer(0.1, remove).start()
        return lock(file, *args, **options)

    def remove():
        os.remove(taken[0].name)
        taken[0].close()

    monkeypatch.setattr(container, "_lock", lock_late)
    with replace_file(path) as file:
        time.sleep(0.2)
        file.write(b"new")
    assert path.read_bytes() == b"new"
    assert os.listdir(path.parent) == [path.name]


@posix
@pytest.mark.parametrize(
    "n_kills", [2, pytest.param(40, marks=pytest.mark.slow)], ids=str
)
def test_a_writer_that_is_killed_leaves_a_whole_file(n_kills, path, tmp_path):
    rng = np.random.default_rng(n_kills)
    for _ in range(n_kills):
        process = subprocess.Popen(
            [sys.executable, "-c", SAVING, path], stdout=subprocess.PIPE
        )
        process.stdout.readline()
        time.sleep(rng.uniform(0, 0.05))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        header, arrays = read_container(path, "test")
        assert (arrays["x"] == header["k"]).all() and (arrays["y"] == header["k"]).all()
    write_container(path, "test", {}, {})
    assert list(tmp_path.iterdir()) == [path]


FULL = """
import resource, sys
import numpy as np
from sklearn_rnn._core.container import write_container
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    write_container(sys.argv[1], "test", {}, {"x": np.zeros(10_000)})
except OSError as error:
    print("OSError", error.errno)
"""


@posix
def test_a_full_disk_leaves_the_old_file(path, tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True
    )
    assert run.stdout == f"OSError {errno.EFBIG}\n", run.stderr
    assert read_container(path, "test")[0] == HEADER
    assert list(tmp_path.iterdir()) == [path]


def test_a_target_that_disappears_is_not_an_error(tmp_path, monkeypatch):
    path = tmp_path / "states"
    path.write_bytes(b"")

    def remove(*args):
        path.unlink()
        return False

    monkeypatch.setattr(os, "access", remove)
    write_container(path, "test", {}, {})
    assert read_container(path, "test") == ({}, {})
