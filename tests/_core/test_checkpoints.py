"""The folder of checkpoints: names, replacement, damage, size."""

import os
import stat
import sys

import numpy as np
import pytest

from sklearn_rnn import RNNClassifier, clear_checkpoints
from sklearn_rnn._core import checkpoints
from sklearn_rnn._core.checkpoints import (
    CheckpointFolder,
    choose_folder,
    describe_versions,
)
from sklearn_rnn._core.container import write_container

KEY, OTHER = "a" * 64, "b" * 64


def state(epoch):
    return {"epoch": epoch, "weights": [np.full(3, epoch)]}


def epochs_in(folder, key=KEY):
    names = [name.partition(".")[0] for name in os.listdir(folder)]
    return sorted(name[65:] for name in names if name.startswith(key))


def find(folder, max_epochs=10**9, key=KEY):
    return [
        (entry.epoch, found["epoch"])
        for entry, found in CheckpointFolder(folder, key).find_states(max_epochs)
    ]


def test_a_state_is_found_again(tmp_path):
    folder = CheckpointFolder(tmp_path / "new" / "folder", KEY)
    assert list(folder.find_states(9)) == []
    folder.write(3, state(3), is_end=False)
    ((entry, found),) = CheckpointFolder(folder.folder, KEY).find_states(9)
    assert (entry.epoch, entry.is_end) == (3, False)
    np.testing.assert_equal(found, state(3))
    assert find(folder.folder, 2) == find(folder.folder, key=OTHER) == []


def test_states_are_replaced_but_ends_are_kept(tmp_path):
    folder, other = CheckpointFolder(tmp_path, KEY), CheckpointFolder(tmp_path, OTHER)
    other.write(1, state(1), is_end=False)
    folder.write(1, state(1), is_end=False)
    folder.write(2, state(2), is_end=True)
    folder.write(4, state(4), is_end=False)
    folder.write(5, state(5), is_end=False)
    assert epochs_in(tmp_path) == ["2-end", "5"]
    folder.write(3, state(3), is_end=True)  # another fit, which is behind
    assert epochs_in(tmp_path) == ["2-end", "3-end", "5"]
    assert find(tmp_path) == [(5, 5), (3, 3), (2, 2)]
    assert find(tmp_path, 4) == [(3, 3), (2, 2)]
    folder.write(5, state(5), is_end=True)
    assert epochs_in(tmp_path) == ["2-end", "3-end", "5-end"]
    assert epochs_in(tmp_path, OTHER) == ["1"]


def test_states_are_due_by_epochs_or_by_time(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now[0])
    folder = CheckpointFolder(tmp_path, KEY, 3)
    assert [folder.is_due(epoch, False) for epoch in (1, 2, 3)] == [False, False, True]
    folder.write(3, state(3), is_end=False)
    assert [folder.is_due(epoch, False) for epoch in (4, 6)] == [False, True]
    assert folder.is_due(4, True)
    folder = CheckpointFolder(tmp_path, KEY, 3.0)
    now[0] = 2.9
    assert not folder.is_due(8, False)
    now[0] = 3.1
    assert folder.is_due(8, False)
    folder.write(8, state(8), is_end=False)
    assert not folder.is_due(9, False)
    assert CheckpointFolder(tmp_path, KEY, 0.0).is_due(1, False)


def test_a_state_that_was_read_is_not_written_again(tmp_path):
    CheckpointFolder(tmp_path, KEY).write(2, state(2), is_end=True)
    folder = CheckpointFolder(tmp_path, KEY, 0.0)
    ((entry, _),) = folder.find_states(5)
    folder.start_after(entry)
    assert not folder.is_due(2, True)
    assert folder.is_due(3, False)


def damage(path):
    content = bytearray(path.read_bytes())
    content[-50] ^= 1
    path.write_bytes(content)


def rename(path):
    path.rename(path.with_name(f"{KEY}-7.checkpoint"))


def write_tree(path):
    write_container(path, "checkpoint", {"key": KEY, "epoch": 5}, {})


DAMAGES = [
    damage,
    rename,
    write_tree,
    lambda path: path.write_bytes(b""),
    lambda path: write_container(path, "stream state", {}, {}),
    lambda path: (path.unlink(), path.mkdir()),
]


@pytest.mark.parametrize("change", DAMAGES)
def test_damaged_and_foreign_files_are_skipped_with_a_warning(tmp_path, change):
    folder = CheckpointFolder(tmp_path, KEY)
    folder.write(1, state(1), is_end=True)
    folder.write(5, state(5), is_end=False)
    change(tmp_path / f"{KEY}-5.checkpoint")
    with pytest.warns(UserWarning, match=r"is not used: .* Training starts from"):
        assert find(tmp_path) == [(1, 1)]


def test_files_that_disappear_are_missing(tmp_path, monkeypatch):
    folder = CheckpointFolder(tmp_path, KEY)
    folder.write(1, state(1), is_end=True)
    listed = checkpoints.list_entries(str(tmp_path))
    clear_checkpoints(tmp_path)
    monkeypatch.setattr(checkpoints, "list_entries", lambda *args: listed)
    assert find(tmp_path) == []
    folder.write(2, state(2), is_end=False)
    folder.start_after(listed[0])


def test_an_error_of_the_disk_is_one_warning(tmp_path, monkeypatch):
    def fail(*args, **options):
        raise OSError(5, "Input/output error")

    folder = CheckpointFolder(tmp_path, KEY, 1)
    with monkeypatch.context() as patch:
        patch.setattr(checkpoints, "write_container", fail)
        with pytest.warns(UserWarning, match="output error. .* writes the next state"):
            folder.write(1, state(1), is_end=False)
        assert not folder.is_due(1, False)
        folder.write(2, state(2), is_end=False)
    assert folder.is_due(3, False)
    folder.write(3, state(3), is_end=False)
    assert epochs_in(tmp_path) == ["3"]


def test_old_checkpoints_make_room_on_a_full_disk(tmp_path, monkeypatch):
    write = checkpoints.write_container

    def fail_if_full(path, *args, **options):
        if len(os.listdir(tmp_path)) > 2:
            raise OSError(28, "No space left on device")
        write(path, *args, **options)

    folder = CheckpointFolder(tmp_path, KEY, 1)
    for epoch in (1, 2, 3):
        folder.write(epoch, state(epoch), is_end=True)
        os.utime(tmp_path / f"{KEY}-{epoch}-end.checkpoint", (epoch, epoch))
    monkeypatch.setattr(checkpoints, "write_container", fail_if_full)
    folder.write(4, state(4), is_end=True)
    assert epochs_in(tmp_path)[-2:] == ["3-end", "4-end"]


def test_a_folder_that_was_removed_is_made_again(tmp_path):
    folder = CheckpointFolder(tmp_path / "folder", KEY)
    os.rmdir(folder.folder)
    assert list(folder.find_states(9)) == []
    folder.write(1, state(1), is_end=False)
    assert find(folder.folder) == [(1, 1)]


def test_paths_are_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    folder = CheckpointFolder(np.str_("states"), KEY)
    os.makedirs("other")
    os.chdir("other")
    folder.write(1, state(1), is_end=True)
    assert type(folder.folder) is str
    assert epochs_in(tmp_path / "states") == ["1-end"]
    assert clear_checkpoints(np.str_("../states")) == 1
    assert CheckpointFolder("~/a", KEY).folder == str(tmp_path / "home" / "a")


@pytest.mark.skipif(sys.platform == "win32", reason="needs permission for links")
def test_a_link_is_replaced_and_not_followed(tmp_path):
    (tmp_path / "precious").write_text("text")
    (tmp_path / f"{KEY}-1.checkpoint").symlink_to(tmp_path / "precious")
    CheckpointFolder(tmp_path, KEY).write(1, state(1), is_end=False)
    assert (tmp_path / "precious").read_text() == "text"
    assert find(tmp_path) == [(1, 1)]


def test_what_cannot_be_stored_is_a_warning(tmp_path):
    folder = CheckpointFolder(tmp_path, KEY, 1)
    with pytest.warns(UserWarning, match="an object of type set cannot be stored"):
        folder.write(1, {1}, is_end=False)
    assert os.listdir(tmp_path) == []


def test_the_oldest_use_is_removed_first(tmp_path, monkeypatch):
    folder = CheckpointFolder(tmp_path, KEY)
    for epoch in (1, 2, 3):
        folder.write(epoch, state(epoch), is_end=True)
        os.utime(tmp_path / f"{KEY}-{epoch}-end.checkpoint", (epoch, epoch))
    size = os.stat(tmp_path / f"{KEY}-1-end.checkpoint").st_size
    ((entry, _),) = folder.find_states(1)
    folder.start_after(entry)  # 1 is used again
    monkeypatch.setattr(checkpoints, "LARGEST_FOLDER", 3 * size)
    (tmp_path / "other").write_bytes(bytes(10**5))
    folder.write(4, state(4), is_end=True)
    assert epochs_in(tmp_path) == ["1-end", "3-end", "4-end"]
    monkeypatch.setattr(checkpoints, "LARGEST_FOLDER", 1)
    folder.write(5, state(5), is_end=True)
    assert epochs_in(tmp_path) == ["5-end"]


def test_clear_removes_only_checkpoints(tmp_path):
    folder = CheckpointFolder(tmp_path, KEY)
    folder.write(1, state(1), is_end=True)
    folder.write(2, state(2), is_end=False)
    others = ["model.checkpoint", f"{KEY}-1.txt", f"{KEY}-end.checkpoint", "notes"]
    draft = f"{KEY}-3.checkpoint.{'0' * 32}.part"
    for name in (*others, draft):
        (tmp_path / name).write_text("")
    assert clear_checkpoints(str(tmp_path)) == 2
    assert sorted(os.listdir(tmp_path)) == sorted(others)
    assert clear_checkpoints(tmp_path) == 0
    assert clear_checkpoints(tmp_path / "missing") == 0
    for wrong in (tmp_path / "notes", None, "", "a\0b"):
        with pytest.raises(ValueError, match="the folder that was passed as checkp"):
            clear_checkpoints(wrong)


def test_the_end_of_a_fit_removes_drafts_of_killed_writers(tmp_path):
    names = [f"{key}-3.checkpoint.{'0' * 32}.part" for key in (KEY, OTHER)]
    for name in names:
        (tmp_path / name).write_text("")
    CheckpointFolder(tmp_path, KEY).write(4, state(4), is_end=True)
    assert sorted(os.listdir(tmp_path)) == [f"{KEY}-4-end.checkpoint", names[1]]


def test_a_folder_that_cannot_be_used_is_an_error(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "folder"):
        with pytest.raises(ValueError, match=r"checkpoint='.*file.*' cannot be used"):
            CheckpointFolder(path, KEY)
    for path in ("", "a\0b"):
        with pytest.raises(ValueError, match=r"checkpoint='.*' cannot be used"):
            CheckpointFolder(path, KEY)


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="needs file permissions"
)
def test_a_folder_without_permission_is_an_error(tmp_path):
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(ValueError, match="it is not readable and writable"):
        CheckpointFolder(tmp_path, KEY)


def test_only_integer_seeds_have_checkpoints(tmp_path):
    model = RNNClassifier(checkpoint=tmp_path, random_state=np.int64(3))
    assert choose_folder(model) == tmp_path
    assert choose_folder(RNNClassifier()) is None
    for random_state in (None, np.random.RandomState(0)):
        model.set_params(random_state=random_state)
        with pytest.warns(UserWarning, match="Set random_state to an integer"):
            assert choose_folder(model) is None


def test_versions_are_described(monkeypatch):
    monkeypatch.setattr(checkpoints, "__version__", "1.0")
    assert describe_versions("numpy")[-2:] == ["1.0", np.__version__]
    monkeypatch.setattr(checkpoints, "__version__", "1.1.dev0")
    assert describe_versions()[-1] == checkpoints.hash_sources()


def test_writing_reads_the_size_of_the_folder_rarely(tmp_path, monkeypatch):
    folder = CheckpointFolder(tmp_path, KEY)
    folder.write(1, state(1), is_end=True)
    monkeypatch.setattr(checkpoints, "remove_oldest", None)  # calling it would fail
    folder.write(2, state(2), is_end=True)
    assert epochs_in(tmp_path) == ["1-end", "2-end"]
