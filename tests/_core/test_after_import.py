"""Functions that are called after somebody imports a module."""

import sys
from importlib import import_module

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
    sys.meta_path[:] = finders


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
