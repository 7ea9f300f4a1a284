"""Write the shared parameters of the networks into signatures and docstrings.

    python tools/sync_parameters.py [--check] [PACKAGE]

``_training/parameters.py`` defines which parameters each network shares with others.
This script rewrites their lines in the signature of ``__init__``, their assignments and
their entries in the docstring of the class, and inserts missing ones. Other parameters
are not changed. Docstrings that list the equations of the cells get them from
``_nn/cells``. With ``--check``, nothing is written: differences are printed, and the
exit code is 1 if there are any.
"""

import argparse
import ast
import json
import re
import sys
from collections.abc import Callable, Iterable
from difflib import unified_diff
from pathlib import Path
from textwrap import wrap
from typing import Any

WIDTH = 88

# Beginning of the first line of a parameter in each of the three places.
FIRST_LINES = {
    "signature": re.compile(r" {8}(\w+|\*)[,=]"),
    "assignments": re.compile(r" {8}self\.(\w+) = "),
    "docstring": re.compile(r" {4}(\w+) : "),
}

# The lines of a docstring between which the equations of the cells are written.
CELLS_BEGIN = (
    "    With input x, state h and weights W, U, b, one step of each cell computes:"
)
CELLS_END = "    The cells are trained"


def source_code(value: Any) -> str:
    """Format a default value as Python code, with double quotes."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def wrap_description(text: str) -> list[str]:
    """Wrap a description into indented lines, without breaking inside backticks."""
    unbroken = re.sub("``.*?``", lambda span: span[0].replace(" ", "\0"), text)
    indent = " " * 8
    lines = wrap(
        unbroken,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.replace("\0", " ") for line in lines]


def document(name: str, parameter: Any) -> list[str]:
    """Format the entry of a parameter in the docstring."""
    default = source_code(parameter.default)
    first = f"    {name} : {parameter.type}, default={default}"
    return [first, *wrap_description(parameter.description)]


RENDER: dict[str, Callable[[str, Any], list[str]]] = {
    "signature": lambda name, p: [f"        {name}={source_code(p.default)},"],
    "assignments": lambda name, p: [f"        self.{name} = {name}"],
    "docstring": document,
}


def find_definition(body: list[ast.stmt], name: str) -> Any:
    """Find the class or function of this name among statements."""
    return next(node for node in body if getattr(node, "name", None) == name)


def find_lines(text: str, class_name: str, place: str) -> slice:
    """Find the lines in which a class lists its parameters in one place."""
    lines, tree = text.split("\n"), ast.parse(text)
    cls = find_definition(tree.body, class_name)
    init = find_definition(cls.body, "__init__")
    if place == "signature":
        return slice(init.args.args[0].lineno - 1, init.body[0].lineno - 2)
    if place == "assignments":
        return slice(init.body[0].lineno - 1, init.body[-1].end_lineno)
    docstring = cls.body[0]
    start = lines.index("    Parameters", docstring.lineno) + 2
    rulers = (k for k in range(start, docstring.end_lineno) if "    ---" in lines[k])
    return slice(start, next(rulers, docstring.end_lineno + 1) - 2)


def split_entries(lines: Iterable[str], first_line: re.Pattern) -> dict[str, list[str]]:
    """Group the lines by parameter."""
    entries: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if found := first_line.match(line):
            name = found[1]
        entries.setdefault(name, []).append(line)
    return entries


def insert_missing(names: Iterable[str], shared: Iterable[str]) -> list[str]:
    """Insert missing shared names after their predecessors in a signature."""
    order, place = list(names), 0
    for name in shared:
        if name not in order:  # as keyword only, so that positions do not change
            order.insert(max(place, order.index("*") + 1), name)
        place = order.index(name) + 1
    return order


def synchronize(text: str, class_name: str, shared: dict[str, Any]) -> str:
    """Rewrite the shared parameters of a class in the text of its module."""
    order: list[str] = []
    for place, first_line in FIRST_LINES.items():
        lines, where = text.split("\n"), find_lines(text, class_name, place)
        entries = split_entries(lines[where], first_line)
        order = order or insert_missing(entries, shared)
        entries |= {name: RENDER[place](name, p) for name, p in shared.items()}
        known = [name for name in order if name in entries]
        names = [*known, *(name for name in entries if name not in order)]
        lines[where] = [line for name in names for line in entries[name]]
        text = "\n".join(lines)
    return text


def document_cells(cells: dict[str, Any]) -> list[str]:
    """Format the equations of the cells and their sources for a docstring."""
    lines = []
    for name, layer in cells.items():
        item = wrap(
            f'- "{name}", after {layer.source}:', WIDTH - 4, break_on_hyphens=False
        )
        lines += [f"    {item[0]}", *(f"      {line}" for line in item[1:]), ""]
        lines += ["      .. math::", ""]
        lines += [f"          {line}" for line in layer.equations.strip().split("\n")]
        lines.append("")
    return lines


def synchronize_cells(text: str, cells: dict[str, Any]) -> str:
    """Rewrite the list of cells in the docstrings of a module, if there is one."""
    lines = text.split("\n")
    if CELLS_BEGIN in lines:
        first = lines.index(CELLS_BEGIN) + 2
        last = next(
            k for k in range(first, len(lines)) if lines[k].startswith(CELLS_END)
        )
        lines[first:last] = document_cells(cells)
    return "\n".join(lines)


def find_file(package: Path, class_name: str) -> Path:
    """Find the file that defines a class."""
    for path in sorted(package.rglob("*.py")):
        if f"\nclass {class_name}(" in path.read_text("utf-8"):
            return path
    raise LookupError(f"No file of {package} defines {class_name}.")


def main() -> int:
    """Rewrite or check the files of a package, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--check", action="store_true", help="only print differences")
    default = Path(__file__).parents[1] / "sklearn_rnn"
    parser.add_argument("package", nargs="?", type=Path, default=default)
    options = parser.parse_args()
    package = options.package.resolve()
    sys.path.insert(0, str(package.parent))
    from sklearn_rnn._nn.cells.registry import CELLS
    from sklearn_rnn._training.parameters import NETWORKS, parameters_of

    n_different = 0
    for class_name in NETWORKS:
        path = find_file(package, class_name)
        old = path.read_text("utf-8")
        new = synchronize(old, class_name, parameters_of(class_name))
        new = synchronize_cells(new, CELLS)
        n_different += old != new
        if options.check:
            names = str(path), "as in _training/parameters.py"
            diff = unified_diff(old.split("\n"), new.split("\n"), *names, lineterm="")
            print(*diff, sep="\n", end="\n" if old != new else "")
        elif old != new:
            path.write_text(new, "utf-8")
            print(f"rewrote {path}")
    if options.check and n_different:
        print("Run tools/sync_parameters.py to rewrite these lines.")
    return int(options.check and n_different > 0)


if __name__ == "__main__":
    sys.exit(main())
