"""Registration of our types with an optional library, once it is imported."""

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def call_after_import(name: str, function: Callable[[ModuleType], Any]) -> None:
    """Call ``function`` with the module ``name``, now or after its first import.

    This function does not import the module itself.
    """
    if sys.modules.get(name) is not None:
        function(import_module(name))  # waits for a thread that is importing it
    else:
        sys.meta_path.insert(0, ImportObserver(name, function))


class ImportObserver(MetaPathFinder):
    """A finder that calls ``function`` after one module is loaded by other finders."""

    def __init__(self, name: str, function: Callable[[ModuleType], Any]) -> None:
        self.name, self.function = name, function

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        """Find the observed module with the other finders, and wrap its loader."""
        finders = list(sys.meta_path)
        if fullname != self.name or self not in finders:
            return None
        finders = finders[finders.index(self) + 1 :]
        specs = (
            finder.find_spec(fullname, path, target)
            for finder in finders
            if hasattr(finder, "find_spec")
        )
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and hasattr(spec.loader, "exec_module"):
            spec.loader = ObservedLoader(spec.loader, self)
        return spec


class ObservedLoader(Loader):
    """A loader that notifies an observer after it has loaded the module."""

    def __init__(self, loader: Any, observer: ImportObserver) -> None:
        self.loader, self.observer = loader, observer

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module with the original loader."""
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Load the module, then call the function of the observer."""
        module.__loader__ = self.loader
        if module.__spec__ is not None:
            module.__spec__.loader = self.loader
        self.loader.exec_module(module)
        # A new list, because other threads may be iterating over the present one.
        sys.meta_path = [one for one in sys.meta_path if one is not self.observer]
        self.observer.function(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)
