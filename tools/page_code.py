"""Run the Python code on the documentation's pages and save the figures that it draws.

All blocks of a page run in order in one namespace. A page shows its figures as
``images/generated/<page>_<k>.png``, counted from 1; the documentation's build and
``python tools/page_code.py`` draw those that are missing or older than the page.
"""

import contextlib
import io
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

DOCS = Path(__file__).parents[1] / "docs"
FIGURES = DOCS / "images" / "generated"
PAGES = [*sorted(DOCS.glob("*.md")), *sorted(DOCS.glob("[!_]*/*.md"))]
BLOCK = re.compile(r"```python\n(.*?)```(?:\n```text\n(.*?)```)?", re.S)


def find_figures(page: Path) -> list[str]:
    """File names of the generated figures that a page shows, in order."""
    return re.findall(r"\]\([./]*images/generated/([^)]+)\)", page.read_text("utf-8"))


def run_blocks(page: Path) -> Iterator[tuple[str, str]]:
    """Run each block of a page; what it printed, and what the page says it prints."""
    module = ModuleType("page")  # importable, so that its classes can be pickled
    sys.modules["page"] = module
    try:
        for code, shown in BLOCK.findall(page.read_text("utf-8")):
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(code, str(page), "exec"), vars(module))
            yield printed.getvalue(), shown
    finally:
        del sys.modules["page"]


def draw_figures(page: Path) -> None:
    """Save the figures of a page, unless they are newer than the page."""
    from matplotlib import pyplot as plt

    files = [FIGURES / name for name in find_figures(page)]
    changed = page.stat().st_mtime
    if all(file.exists() and file.stat().st_mtime > changed for file in files):
        return
    FIGURES.mkdir(exist_ok=True, parents=True)
    home = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        try:
            for _ in run_blocks(page):
                for number in plt.get_fignums():
                    figure = plt.figure(number)
                    figure.savefig(files.pop(0), dpi=150, bbox_inches="tight")
                plt.close("all")
        finally:
            os.chdir(home)


if __name__ == "__main__":
    for page in PAGES:
        draw_figures(page)
