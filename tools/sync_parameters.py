"""Keep the networks' shared parameters in step with their source.

    python tools/sync_parameters.py [--check] [PACKAGE]

``_training/parameters.py`` says which parameters each network shares with others. This
script rewrites their lines in the signature of ``__init__``, their assignments and
their entries in the docstring of the class, and inserts those that are missing. Other
parameters are left as they are. The equations of the cells, where a docstring lists
them, come from ``_nn/cells``. With ``--check`` nothing is written: the differences
are printed, and the exit code is 1 if there are any.
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

# How the first line of a parameter begins in each of the three places.
FIRST_LINES = {
    "signature": re.compile(r" {8}(\w+|\*)[,=]"),
    "assignments": re.compile(r" {8}self\.(\w+) = "),
    "docstring": re.compile(r" {4}(\w+) : "),
}

# Between these lines of a docstring stand the equations of the cells.
CELLS_BEGIN = (
    "    With input x, state h and weights W, U, b, one step of each cell computes:"
)
CELLS_END = "    The cells are trained"


def source_code(value: Any) -> str:
    """A default value as Python code, with double quotes."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def wrap_description(text: str) -> list[str]:
    """Indented lines of a description; no line ends inside double backticks."""
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


def document(name: str, parameter) -> list[str]:
    """The entry of a parameter in the docstring."""
    default = source_code(parameter.default)
    first = f"    {name} : {parameter.type}, default={default}"
    return [first, *wrap_description(parameter.description)]


RENDER: dict[str, Callable[[str, Any], list[str]]] = {
    "signature": lambda name, p: [f"        {name}={source_code(p.default)},"],
    "assignments": lambda name, p: [f"        self.{name} = {name}"],
    "docstring": document,
}


def find_definition(body: list[ast.stmt], name: str) -> Any:
    """The class or function of this name among statements."""
    return next(node for node in body if getattr(node, "name", None) == name)


def find_lines(text: str, class_name: str, place: str) -> slice:
    """Where a class lists its parameters in one of the three places."""
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
    """The lines of each parameter."""
    entries: dict[str, list[str]] = {}
    name = ""
    for line in lines:
        if found := first_line.match(line):
            name = found[1]
        entries.setdefault(name, []).append(line)
    return entries


def insert_missing(names: Iterable[str], shared: Iterable[str]) -> list[str]:
    """Names of a signature, and shared ones that it lacks after their predecessors."""
    order, place = list(names), 0
    for name in shared:
        if name not in order:  # by keyword only: positions of the others stay
            order.insert(max(place, order.index("*") + 1), name)
        place = order.index(name) + 1
    return order


def synchronize(text: str, class_name: str, shared: dict[str, Any]) -> str:
    """The text of a module in which a class has its shared parameters as given."""
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
    """The equations of the cells, with their sources."""
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
    """The text of a module whose docstring lists the cells, if it does, as they are."""
    lines = text.split("\n")
    if CELLS_BEGIN in lines:
        first = lines.index(CELLS_BEGIN) + 2
        last = next(
            k for k in range(first, len(lines)) if lines[k].startswith(CELLS_END)
        )
        lines[first:last] = document_cells(cells)
    return "\n".join(lines)


def file_of(package: Path, class_name: str) -> Path:
    """The file that defines a class."""
    for path in sorted(package.rglob("*.py")):
        if f"\nclass {class_name}(" in path.read_text("utf-8"):
            return path
    raise LookupError(f"No file of {package} defines {class_name}.")


def main() -> int:
    """Rewrite or check the files of a package; the exit code."""
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
        path = file_of(package, class_name)
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
