"""Telling an optional library about our types, whenever somebody imports it."""

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType
from typing import Any


def call_after_import(name: str, function: Callable[[ModuleType], Any]) -> None:
    """Call ``function`` with the module ``name`` now, or after it is first imported.

    The module is not imported by this.
    """
    module = sys.modules.get(name)
    spec = getattr(module, "__spec__", None)
    if module is not None and not getattr(spec, "_initializing", False):
        function(module)
    else:
        sys.meta_path.insert(0, ImportObserver(name, function))


class ImportObserver(MetaPathFinder):
    """Finds nothing itself, but has ``function`` called after one module is loaded."""

    def __init__(self, name: str, function: Callable[[ModuleType], Any]) -> None:
        self.name, self.function = name, function

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """The spec that the other finders have, if the module is the observed one."""
        if fullname != self.name or self not in sys.meta_path:
            return None
        sys.meta_path.remove(self)
        spec = find_spec(fullname)
        loader: Any = None if spec is None else spec.loader
        if loader is not None and hasattr(loader, "exec_module"):
            execute = loader.exec_module

            def exec_module(module: ModuleType) -> None:
                execute(module)
                self.function(module)

            loader.exec_module = exec_module
        return spec
