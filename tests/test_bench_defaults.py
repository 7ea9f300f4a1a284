"""The comparison of default parameters, on artificial records and two tiny tasks."""

import importlib
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.dummy import DummyClassifier, DummyRegressor

from sklearn_rnn import RNNClassifier, RNNRegressor

BENCHMARKS = str(Path(__file__).parents[1] / "benchmarks")


@pytest.fixture(scope="module")
def bench():
    """Import bench_defaults and its modules, and remove them afterwards."""
    before, n_threads = set(sys.modules), torch.get_num_threads()
    sys.path.insert(0, BENCHMARKS)
    yield SimpleNamespace(
        script=importlib.import_module("bench_defaults"),
        tasks=importlib.import_module("_default_tasks"),
        classical=importlib.import_module("_classical"),
    )
    torch.set_num_threads(n_threads)
    sys.path.remove(BENCHMARKS)
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(BENCHMARKS):
            del sys.modules[name]


# ---------------------------------------------------------------------- metrics


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("ab", "ba", 2)],
)
def test_edit_distance(bench, a, b, distance):
    assert bench.tasks.edits(a, b) == distance


def test_phoneme_error_counts_edits_per_right_phoneme(bench):
    assert bench.tasks.phoneme_error(["K AE T", "IH"], ["K AE", "IH T"]) == 2 / 4


def test_log_loss_of_a_label_absent_from_training(bench):
    model = DummyClassifier(strategy="prior").fit(np.zeros((4, 1)), list("aabb"))
    X = np.zeros((2, 1))
    assert bench.tasks.log_loss(model, X, np.array(["a", "b"])) == pytest.approx(
        np.log(2)
    )
    assert bench.tasks.log_loss(model, X, np.array(["a", "z"])) == pytest.approx(
        (np.log(2) + 7 * np.log(10)) / 2
    )


def test_no_log_loss_without_probabilities(bench):
    X, y = np.zeros((4, 2, 1)), list("aabb")
    for model in (DummyRegressor().fit(X, range(4)), bench.classical.nearest_steps()):
        assert bench.tasks.log_loss(model.fit(X, range(4)), X, np.array(y)) is None


# ---------------------------------------------------------------------- baselines


def test_frequent_tag_falls_back_to_the_suffix_and_the_case(bench):
    model = bench.classical.FrequentTag()
    model.fit([["walked", "Rome", "cat", "the"]], [["vbd", "np", "nn", "at"]])
    answers = model.predict([["the", "talked", "Jerome", "xyz"]])
    assert answers[0][:3] == ["at", "vbd", "np"]


def test_nearest_example_copies_its_answer(bench):
    model = bench.classical.NearestExample().fit(["open file", "save"], ["ouvrir", "x"])
    assert model.predict(["open the file"]) == ["ouvrir"]


def test_ragged_sequences_are_stretched(bench):
    rows = bench.classical.equally_long([np.arange(3.0)[:, None], np.ones((5, 1))])
    assert rows.shape == (2, 1, 32)
    np.testing.assert_allclose(rows[0, 0, [0, -1]], [0, 2])


# ---------------------------------------------------------------------- columns


def test_parameters_that_an_estimator_lacks_are_dropped(bench):
    task = bench.tasks.TASKS["pronunciations"]
    settings = {"max_epochs": 99, "learning_rate": 0.5, "no_such_parameter": 1}
    model = bench.script.network(task, settings)(seed=3)
    assert model.learning_rate == 0.5
    assert model.random_state == 3
    assert model.max_epochs == 6  # fixed by the task


def test_settings_that_no_estimator_has_are_refused(bench):
    tasks = [bench.tasks.TASKS["osu_leaf"]]
    settings = bench.script.read_settings([["cell=lstm", "dropout=0.5"], []], tasks)
    assert settings == [{"cell": "lstm", "dropout": 0.5}, {}]
    with pytest.raises(SystemExit, match="lerning_rate"):
        bench.script.read_settings([["lerning_rate=1"]], tasks)


@pytest.mark.parametrize("valid", [False, True])
def test_rows_of_a_seed(bench, valid):
    y = np.arange(100) % 2
    X, X_test, y_test = np.arange(100), np.arange(100, 120), np.arange(20) % 2
    task = bench.tasks.Task(
        lambda folder: (X, X_test, y, y_test), RNNClassifier, "accuracy", {}, n_train=40
    )
    first, judged, labels, _ = task.split(None, 0, valid)
    assert len(first) == len(labels) == 40
    assert set(first) != set(task.split(None, 1, valid)[0])
    assert not set(first) & set(judged)
    assert set(judged) <= set(X if valid else X_test)


# ---------------------------------------------------------------------- summary


def records(task, metric, **columns):
    """Two seeds of each column: value, log loss, CPU seconds and its kind."""
    return [
        {"task": task, "column": name, "seed": seed, "metric": metric, "kind": kind}
        | {"value": value, "log_loss": loss, "fit_cpu": cpu, "predict_cpu": 0.0}
        | {"n_epochs": None}
        for name, (value, loss, cpu, kind) in columns.items()
        for seed in (0, 1)
    ]


def test_summary(bench, capsys):
    bench.script.summarize(
        records(
            "osu_leaf",
            "accuracy",
            new=(0.75, 0.5, 2.0, "network"),
            old=(0.50, 0.9, 8.0, "network"),
            MiniRocket=(0.9, None, 1.0, "baseline"),
            DTW=(0.6, None, 1.0, "baseline"),
        )
        + records(
            "sunspots",
            "RMSE",
            new=(10.1, None, 1.0, "network"),
            old=(12.0, None, 1.0, "network"),
            ridge=(10.0, None, 0.1, "baseline"),
        )
    )
    said = capsys.readouterr().out
    assert "new 0.7500 (2.0 s) met, below baseline; old 0.5000 (8.0 s) MISSED" in said
    assert "new 10.1000 (1.0 s) level; old 12.0000 (1.0 s) below baseline" in said
    assert "new: CPU 0.50 of old" in said
    assert "log loss 0.500, old 0.900" in said
    assert "1 of 2 tasks, 50%" in said
    # regret: 15 points and 1 % of the error, which is half of what counts as level
    assert "mean rank 2.00, mean regret 7.75 (2 tasks)" in said
    assert "best baseline            mean rank 1.00, mean regret 0.00" in said


def test_results_have_a_row_per_task(bench, monkeypatch, tmp_path):
    results = importlib.import_module("_results")
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    bench.script.tabulate(
        records(
            "osu_leaf",
            "accuracy",
            new=(0.75, 0.5, 2.0, "network"),
            MiniRocket=(0.9, None, 1.0, "baseline"),
        )
    )
    (row,) = results.read_results("bench_defaults", tmp_path)["tables"]["tasks"]
    assert row["defaults"] == 0.75 and row["defaults_cpu"] == 2.0
    assert row["before"] is None
    assert (row["best"], row["best_name"]) == (0.9, "MiniRocket")


def test_runs_and_summarizes_its_own_file(bench, monkeypatch, tmp_path, capsys):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 5, 1)), np.array(list("ab") * 20)

    def peer(seed):
        raise ImportError("no such package")

    constant = {"peer": peer, "constant": lambda seed: DummyClassifier()}
    tiny = {
        "classes": bench.tasks.Task(
            lambda folder: (X[:30], X[30:], y[:30], y[30:]),
            RNNClassifier,
            "accuracy",
            constant,
            goal=2.0,
            precision="float64",
        ),
        "numbers": bench.tasks.Task(
            lambda folder: (X[:30], X[30:], X[:30, -1, 0], X[30:, -1, 0]),
            RNNRegressor,
            "RMSE",
            {"ridge": lambda seed: bench.classical.ridge()},
            ordered=True,
        ),
    }
    monkeypatch.setattr(bench.tasks, "TASKS", tiny)
    monkeypatch.setattr(bench.script, "TASKS", tiny)
    file = str(tmp_path / "records.jsonl")
    command = "bench --tasks classes,numbers --seeds 0,1 --valid --columns new,baseline"
    changed = "--set max_epochs=1 --set max_epochs=1 hidden_size=2 --json"
    monkeypatch.setattr(
        sys, "argv", [*command.split(), *changed.split(), file, "--data", str(tmp_path)]
    )
    bench.script.main()
    printed = capsys.readouterr().out
    lines = [json.loads(line) for line in Path(file).read_text().splitlines()]
    # classes: two columns and a baseline on two seeds; numbers: its rows are the same
    assert len(lines) == 6 + 5
    assert {r["n_epochs"] for r in lines if r["kind"] == "network"} == {1}
    assert "max_epochs=1 hidden_size=2" in printed
    assert "MISSED" in printed
    assert "peer                     skipped: no such package" in printed

    monkeypatch.setattr(sys, "argv", ["bench", "--tasks", "classes", "--from", file])
    bench.script.main()
    summary = printed[printed.index("\nsummary") :]
    assert capsys.readouterr().out.endswith(summary)


def test_of_a_fit_measured_twice_the_last_counts(bench, tmp_path):
    file = tmp_path / "records.jsonl"
    first, again = (
        {"task": "names", "column": "new", "seed": 0, "value": value, "part": "test"}
        for value in (0.1, 0.2)
    )
    file.write_text(f"{json.dumps(first)}\n{json.dumps(again)}\n")
    assert bench.script.read_records([file]) == [again]
    file.write_text(
        f"{json.dumps(first)}\n{json.dumps(first | {'part': 'valid', 'seed': 1})}\n"
    )
    with pytest.raises(SystemExit, match="cannot be compared"):
        bench.script.read_records([file])


def test_skips_without_data(bench, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench", "--data", "no such folder"])
    bench.script.main()
    assert "skipped" in capsys.readouterr().out
