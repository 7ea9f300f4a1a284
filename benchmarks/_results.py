"""Results as data: tables that are printed and written to a JSON file per script.

A file of ``results/`` holds the tables of one script. Each row refers to the run that
measured it: date, commit, machine, threads, versions and command. ``report.py`` makes
pages of docs/ from these files. SKLEARN_RNN_RESULTS names another folder.
"""

import json
import os
import platform
import re
import subprocess
import sys
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import torch
from _common import describe_device

HERE = Path(__file__).parent
FOLDER = Path(os.environ.get("SKLEARN_RNN_RESULTS", HERE / "results"))
PACKAGES = (
    *("numpy", "scipy", "scikit-learn", "torch", "skorch", "aeon", "keras"),
    *("tensorflow", "statsmodels", "statsforecast", "neuralforecast", "sacrebleu"),
    *("fastapi", "uvicorn"),
)


class Table:
    """A table of results; ``key`` names the columns that identify a row.

    A row that is measured again replaces the earlier one in the file. The other rows
    stay, so that a script may measure parts of its tables.
    """

    def __init__(self, script, name, *key):
        self.script, self.name, self.key = Path(script).stem, name, key
        if describe_device() != "cpu":  # results of a GPU have files of their own
            self.script += "_" + re.sub(r"\W+", "_", describe_device())
        self._run, self._widths = describe_run(), []

    def add(self, **row):
        """Print a row and write it to the file of the script."""
        if not self._widths:
            lengths = (max(len(format_cell(c)) for c in pair) for pair in row.items())
            self._widths = [max(10, length + 2) for length in lengths]
            print(f"\n{self.script}: {self.name}")
            print(self._line(row))
        print(self._line(map(format_cell, row.values())), flush=True)
        content = read_results(self.script, FOLDER)
        rows = content["tables"].setdefault(self.name, [])
        same = [all(old.get(k) == row.get(k) for k in self.key) for old in rows]
        if self._run not in content["runs"]:
            content["runs"].append(self._run)
        new = {"run": content["runs"].index(self._run), **row}
        if any(same):
            rows[same.index(True)] = new
        else:
            rows.append(new)
        write_results(self.script, content)

    def _line(self, cells):
        return " ".join(
            f"{cell:>{width}}" for cell, width in zip(cells, self._widths, strict=True)
        )


def format_cell(value):
    """A value with at most four significant digits."""
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else f"{value}"


def describe_run():
    """What was measured with what, on what and when."""
    return {
        "date": str(date.today()),
        "commit": find_commit(),
        "machine": f"{find_processor()}, {os.cpu_count()} cores",
        "threads": torch.get_num_threads(),
        **({} if describe_device() == "cpu" else {"device": describe_device()}),
        "versions": {"python": platform.python_version(), **find_versions()},
        "command": " ".join(
            [Path(sys.argv[0]).name, *("..." if "/" in a else a for a in sys.argv[1:])]
        ),
    }


def find_commit():
    """The abbreviated commit, with a + if files differ from it, or None."""

    def git(*arguments):
        run = subprocess.run(
            ["git", "-C", HERE, *arguments], capture_output=True, text=True
        )
        return run.stdout.strip() if run.returncode == 0 else None

    try:
        commit = git("rev-parse", "--short", "HEAD")
        changed = git("status", "--porcelain", "--untracked-files=no", "../sklearn_rnn")
    except FileNotFoundError:
        return None
    return f"{commit}+" if commit and changed else commit


def find_processor():
    """The name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return names[0] if names else platform.machine()


def find_versions():
    """Versions of the installed packages that benchmarks use."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def read_results(script, folder=HERE / "results"):
    """Runs and tables of a script: ``{"runs": [...], "tables": {name: rows}}``."""
    path = folder / f"{script}.json"
    if not path.exists():
        return {"runs": [], "tables": {}}
    return json.loads(path.read_text("utf-8"))


def write_results(script, content):
    """Write the results of a script, without the runs that no row refers to."""
    tables = content["tables"].values()
    used = sorted({row["run"] for rows in tables for row in rows})
    for rows in tables:
        for row in rows:
            row["run"] = used.index(row["run"])
    content["runs"] = [content["runs"][k] for k in used]
    FOLDER.mkdir(exist_ok=True, parents=True)
    path = FOLDER / f"{script}.json"
    path.write_text(dump_results(content) + "\n", "utf-8")


def dump_results(content):
    """JSON with one run or row per line, so that changes are easy to review."""

    def lines(rows, indent):
        texts = (json.dumps(row, default=np.generic.item) for row in rows)
        return f",\n{indent}".join(texts)

    tables = ",\n".join(
        f"  {json.dumps(name)}: [\n   {lines(rows, '   ')}\n  ]"
        for name, rows in content["tables"].items()
    )
    return (
        f'{{\n "runs": [\n  {lines(content["runs"], "  ")}\n ],\n'
        f' "tables": {{\n{tables}\n }}\n}}'
    )
