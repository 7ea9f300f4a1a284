"""Functions and classes of users, which files refer to by their import paths."""

import importlib
from typing import Any

from sklearn_rnn.persistence._errors import ModelFileError, require


def name_import(value: Any) -> str:
    """Return "module:qualified name" of a function or class."""
    return f"{getattr(value, '__module__', None)}:{value.__qualname__}"


def find_import(path: str) -> Any:
    """Import what "module:qualified name" names; None if there is no such thing."""
    module, _, name = path.partition(":")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (AttributeError, ImportError, ValueError):
        return None
    return found


def import_trusted(objects: list, trusted: Any) -> dict[str, Any]:
    """Import what the objects name, if all of it is trusted."""
    given = {
        one if isinstance(one, str) else name_import(one): one
        for one in ([trusted] if isinstance(trusted, str) else trusted)
    }
    paths = {str(entry[1]) for entry in objects if entry[0] == "import" and entry[1:]}
    missing = sorted(paths - given.keys())
    if missing:
        raise ModelFileError(
            f"it uses functions or classes of its author: {', '.join(missing)}. Loading"
            " imports them, which runs the code of their modules. If you trust them, "
            f"pass trusted={missing}."
        )
    found = {}
    for path in paths:
        value = given[path]
        found[path] = find_import(path) if isinstance(value, str) else value
        require(found[path] is not None, f"{path} cannot be imported.")
    return found
