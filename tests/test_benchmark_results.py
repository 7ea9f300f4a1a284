"""Results of benchmarks are kept as data, and pages are made from them."""

import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
BENCHMARKS = str(ROOT / "benchmarks")


def import_benchmark(name):
    sys.path.insert(0, BENCHMARKS)
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(BENCHMARKS)


@pytest.fixture
def results(monkeypatch, tmp_path):
    module = import_benchmark("_results")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    monkeypatch.setattr(sys, "argv", ["bench_x.py", "--data", "/some/folder"])
    return module


@pytest.fixture
def report():
    return import_benchmark("report")


def test_every_script_can_be_imported(monkeypatch):
    monkeypatch.syspath_prepend(BENCHMARKS)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # which one of them sets
    for path in sorted(Path(BENCHMARKS).glob("bench_*.py")):
        importlib.import_module(path.stem)


def test_the_pages_are_made_from_the_results(report):
    for template, page in report.PAGES.items():
        assert report.render(template) == page.read_text("utf-8")


def test_every_recorded_table_is_on_a_page(report):
    texts = "".join(template.read_text("utf-8") for template in report.PAGES)
    shown = {match.group(1, 2) for match in report.BLOCK.finditer(texts)}
    for path in (report.HERE / "results").glob("*.json"):
        tables = json.loads(path.read_text("utf-8"))["tables"]
        assert {(path.stem, name) for name in tables} <= shown


def test_rows_are_printed_and_written(results, capsys, tmp_path):
    table = results.Table("bench_x.py", "seconds", "cell")
    table.add(cell="gru", seconds=np.float64(0.123456), n=np.int64(3), peer=None)
    lines = capsys.readouterr().out.split("\n")
    assert lines[1] == "bench_x: seconds"
    assert lines[3].split() == ["gru", "0.1235", "3", "-"]
    content = json.loads((tmp_path / "bench_x.json").read_text("utf-8"))
    row = {"run": 0, "cell": "gru", "seconds": 0.123456, "n": 3, "peer": None}
    assert content["tables"] == {"seconds": [row]}
    (run,) = content["runs"]
    assert run["command"] == "bench_x.py --data ..."  # no paths of the machine
    assert {"date", "commit", "machine", "threads"} < set(run)
    assert {"python", "numpy", "torch", "scikit-learn"} <= set(run["versions"])


def test_a_row_measured_again_replaces_the_earlier_one(results, tmp_path, monkeypatch):
    old = results.Table("bench_x.py", "seconds", "cell")
    old.add(cell="gru", seconds=1)
    old.add(cell="lstm", seconds=2)
    monkeypatch.setattr(sys, "argv", ["bench_x.py", "--again"])
    new = results.Table("bench_x.py", "seconds", "cell")
    new.add(cell="gru", seconds=3)
    content = results.read_results("bench_x", tmp_path)
    rows = content["tables"]["seconds"]
    assert [(row["cell"], row["seconds"]) for row in rows] == [("gru", 3), ("lstm", 2)]
    commands = [content["runs"][row["run"]]["command"] for row in rows]
    assert commands == ["bench_x.py --again", "bench_x.py --data ..."]
    new.add(cell="lstm", seconds=4)  # no row refers to the old run any more
    assert len(results.read_results("bench_x", tmp_path)["runs"]) == 1


def test_a_table_selects_rows_and_leaves_cells_of_missing_values_empty(report):
    block = "```{results} bench_accuracy.test job=names model=peer\n"
    block += "model: {model}\naccuracy: {mean:.4f}\nnothing: {absent:.2f}\n```"
    head, rule, row, _, source = report.BLOCK.sub(report.render_table, block).split(
        "\n"
    )
    assert head == "| model | accuracy | nothing |"
    assert rule == "| --- | --- | --- |"
    assert row == "| peer | 0.8164 |  |"
    assert source.startswith("*`bench_accuracy.py`, 20")


def test_a_table_without_results_raises(report):
    with pytest.raises(SystemExit, match=r"bench_fit\.json has no table 'nothing'"):
        report.find_rows("bench_fit", "nothing")
