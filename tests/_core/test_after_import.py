"""Functions that are called after a module is imported."""

import sys
import threading
import zipfile
from importlib import import_module, reload
from importlib.util import find_spec

import pytest

from sklearn_rnn._core.after_import import call_after_import


@pytest.fixture
def package(tmp_path, monkeypatch):
    (tmp_path / "observed").mkdir()
    (tmp_path / "observed" / "__init__.py").write_text("")
    (tmp_path / "observed" / "inner.py").write_text("value = 1")
    monkeypatch.syspath_prepend(tmp_path)
    finders = list(sys.meta_path)
    yield "observed.inner"
    for name in ("observed", "observed.inner"):
        sys.modules.pop(name, None)
    sys.meta_path = finders


def test_a_module_is_reported_once_when_it_is_imported(package):
    seen, finders = [], list(sys.meta_path)
    call_after_import(package, lambda module: seen.append(module.value))
    import_module("observed")
    assert seen == []
    import_module(package)
    assert seen == [1]
    del sys.modules[package]
    import_module(package)
    assert seen == [1]
    assert sys.meta_path == finders


def test_several_observers_are_called(package):
    seen = []
    for k in range(2):
        call_after_import(package, lambda module, k=k: seen.append(k))
    import_module(package)
    assert sorted(seen) == [0, 1]


def test_an_imported_module_is_reported_at_once(package):
    module, seen = import_module(package), []
    call_after_import(package, seen.append)
    assert seen == [module]


def test_a_module_that_does_not_exist_is_still_missing(package):
    call_after_import("observed.missing", pytest.fail)
    with pytest.raises(ImportError):
        import_module("observed.missing")


def test_a_spec_that_is_only_looked_up_does_not_count(package):
    seen = []
    call_after_import(package, seen.append)
    import_module("observed")
    assert find_spec(package) is not None
    module = import_module(package)
    assert seen == [module]


def test_a_module_that_failed_first_is_reported_later(package, tmp_path):
    path, seen = tmp_path / "observed" / "inner.py", []
    path.write_text("raise RuntimeError")
    call_after_import(package, seen.append)
    with pytest.raises(RuntimeError):
        import_module(package)
    path.write_text("value = 'longer than before'")
    module = import_module(package)
    assert seen == [module]


def test_the_module_keeps_no_trace(package):
    call_after_import(package, lambda module: None)
    module = import_module(package)
    plain = import_module("observed")
    assert type(module.__loader__) is type(plain.__loader__)
    assert module.__spec__.loader is module.__loader__
    assert reload(module).value == 1


def test_other_modules_of_an_archive_are_not_reported(package, tmp_path, monkeypatch):
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped_one.py", "value = 1")
        file.writestr("zipped_two.py", "value = 2")
    monkeypatch.syspath_prepend(archive)
    seen = []
    call_after_import("zipped_one", lambda module: seen.append(module.value))
    for name in ("zipped_one", "zipped_two"):
        import_module(name)
        del sys.modules[name]
    assert seen == [1]


def test_a_module_that_another_thread_is_importing_is_reported(package, tmp_path):
    source = "import observed\nobserved.begun.set()\nobserved.go.wait(9)\nvalue = 1"
    (tmp_path / "observed" / "inner.py").write_text(source)
    observed, seen = import_module("observed"), []
    observed.begun, observed.go = threading.Event(), threading.Event()
    importer = threading.Thread(target=import_module, args=[package])
    importer.start()
    observed.begun.wait(9)
    threading.Timer(0.05, observed.go.set).start()
    call_after_import(package, lambda module: seen.append(module.value))
    importer.join()
    assert seen == [1]
