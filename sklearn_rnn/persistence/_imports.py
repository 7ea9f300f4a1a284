"""Functions and classes of users, which files refer to by their import paths."""

import importlib
from collections.abc import Iterable, Mapping
from typing import Any

from sklearn_rnn.persistence._errors import ModelFileError, require


def name_import(value: Any) -> str:
    """Return "module:qualified name" of a function or class."""
    owner = getattr(value, "__objclass__", value)  # the class of str.split
    return f"{getattr(owner, '__module__', None)}:{value.__qualname__}"


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


def read_trusted(trusted: Any) -> dict[str, Any]:
    """Return functions and classes, or their import paths, by their import paths.

    Raises
    ------
    TypeError
        If there is anything else.
    """
    if isinstance(trusted, Mapping):
        given = dict(trusted)
    else:
        is_one = isinstance(trusted, str) or hasattr(trusted, "__qualname__")
        items = trusted if isinstance(trusted, Iterable) and not is_one else [trusted]
        given = {}
        for one in items:
            if not isinstance(one, str) and not hasattr(one, "__qualname__"):
                raise TypeError(
                    f"trusted={trusted!r:.80} contains the {type(one).__name__} "
                    f"{one!r:.80}, which is not a function, a class or a name. Pass a "
                    'list such as trusted=["module:name", function].'
                )
            given[one if isinstance(one, str) else name_import(one)] = one
    for path in given:
        if not isinstance(path, str) or ":" not in path:
            raise TypeError(
                f"trusted contains {path!r:.80}. Write names as in "
                'trusted=["module:name"].'
            )
    return given


def import_trusted(objects: list, trusted: Any) -> dict[str, Any]:
    """Import what the objects name, if all of it is trusted."""
    given = read_trusted(trusted)
    paths = {str(entry[1]) for entry in objects if entry[0] == "import" and entry[1:]}
    missing = sorted(paths - given.keys())
    if missing:
        raise ModelFileError(
            "it uses functions or classes that are not in the list of model files: "
            f"{', '.join(missing)}. Loading imports them, which runs the code of their "
            f"modules. If you trust them, pass trusted={missing}."
        )
    found = {}
    for path in paths:
        value = given[path]
        found[path] = find_import(value) if isinstance(value, str) else value
        require(found[path] is not None, f"{path} cannot be imported.")
    return found
