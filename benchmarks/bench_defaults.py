"""Default parameters on every task of the data folder, compared with simple models.

    python benchmarks/bench_defaults.py --data FOLDER [--tasks osu_leaf,names]
        [--seeds 0,1,2] [--columns new,old,baseline] [--valid] [--json FILE]
        [--set learning_rate=0.005 dropout=0.3] [--set ...] [--from FILE ...]

new        the estimator with default parameters and its vectorizer
old        the first defaults of the networks, set explicitly
baseline   simple classical models; those that need aeon are skipped without it

``--valid`` scores rows held out of the training part, other rows for each seed. Use it
to choose parameters, so that the test part is used once. Each ``--set`` replaces the
``new`` column by one with these parameters, for estimators that have them; an empty
``--set`` stands for the defaults. ``--json`` appends each result to a file when it is
measured, and ``--from`` summarizes such files instead of measuring; if a fit was
measured twice, the last result counts.

CPU seconds include all threads, with one thread per library. Regret is the distance to
the best column of a task, in units of one point or 2 % of an error. All tasks except
mnist (60,000 rows) run by default.
"""

import argparse
import ast
import json
import os
import time
import warnings
from importlib.util import find_spec
from pathlib import Path
from statistics import geometric_mean, mean

import numpy as np
import torch
from _common import data_folder, environment
from _default_tasks import (
    CLASSIFICATION,
    METRICS,
    OLD_DEFAULTS,
    TASKS,
    last_step,
    log_loss,
)
from _results import Table
from scipy.stats import rankdata
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

from sklearn_rnn import RNNClassifier

# ---------------------------------------------------------------------- columns


def columns_of(task, options):
    """Name, kind and ``make(seed)`` of every column of a task."""
    for kind in options.columns.split(","):
        if kind == "new":
            for settings in options.settings:
                name = " ".join(f"{k}={v}" for k, v in settings.items()) or "new"
                yield name, "network", network(task, settings)
        elif kind == "old":
            old = OLD_DEFAULTS | {"precision": task.precision}
            yield "old", "network", network(task, old)
        else:
            for name, make in task.baselines.items():
                yield name, "baseline", make


def network(task, settings):
    """Set those of the parameters that the estimator of the task has."""

    def make(seed):
        model = task.model()
        estimator = last_step(model)
        wanted = settings | task.fixed | {"random_state": seed}
        known = estimator.get_params(deep=False)
        estimator.set_params(**{k: v for k, v in wanted.items() if k in known})
        return model

    return make


def read_settings(groups, tasks):
    """Parameters of each --set; raises an error for a name that no estimator has."""
    known = {name for task in tasks for name in last_step(task.model()).get_params()}
    settings = []
    for group in groups:
        pairs = dict(text.split("=", 1) for text in group)
        if unknown := sorted(set(pairs) - known):
            raise SystemExit(f"--set: no estimator has the parameter {unknown[0]!r}")
        settings.append({name: _literal(value) for name, value in pairs.items()})
    return settings


def _literal(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


# ---------------------------------------------------------------------- measuring


def run(options, folder):
    """Yields one record per fit."""
    warm_up()
    for name in options.tasks.split(","):
        task = TASKS[name]
        if task.needs and find_spec(task.needs) is None:
            print(f"{name} skipped: it needs {task.needs}")
            continue
        print(f"\n{heading(name)}", flush=True)
        seeds = range(task.seeds) if task.seeds else map(int, options.seeds.split(","))
        seeds = list(seeds)
        for column, kind, make in columns_of(task, options):
            same_rows = task.ordered or not (task.n_train or options.valid)
            own = {"task": name, "column": column, "kind": kind}
            records = []
            try:
                once = same_rows and not draws(make(0))
                for seed in seeds[:1] if once else seeds:
                    measured = measure(task, make(seed), folder, seed, options.valid)
                    records.append(own | {"seed": seed} | measured)
                    yield records[-1]
                print(f"  {line(records)}", flush=True)
            except ImportError as error:
                print(f"  {column:24} skipped: {error}", flush=True)


def warm_up():
    """Fit once, so that no task includes what torch does in the first fit."""
    X = np.random.default_rng(0).normal(size=(8, 3, 1))
    RNNClassifier(max_epochs=1, random_state=0).fit(X, np.arange(8) % 2)


def draws(model):
    """Whether the model depends on a seed."""
    if not hasattr(model, "get_params"):
        return False
    parameters = model.get_params().items()
    return any(k.endswith("random_state") and v is not None for k, v in parameters)


def measure(task, model, folder, seed, valid):
    X, X_test, y, y_test = task.split(folder, seed, valid)
    started = time.process_time()
    model.fit(X, y)
    fitted = time.process_time()
    value = METRICS[task.metric][0](model, y, X_test, y_test)
    judged = time.process_time()
    loss = log_loss(model, X_test, y_test) if task.metric in CLASSIFICATION else None
    estimator = last_step(model)
    is_network = hasattr(estimator, "max_epochs")
    return {
        "metric": task.metric,
        "value": float(value),
        "log_loss": loss,
        "fit_cpu": fitted - started,
        "predict_cpu": judged - fitted,
        "n_train": len(X),
        "n_epochs": estimator.n_iter_ if is_network else None,
        "part": "valid" if valid else "test",
    }


# ---------------------------------------------------------------------- reporting


def heading(name):
    task = TASKS[name]
    sign = ">=" if METRICS[task.metric][1] else "<="
    parts = [f"{task.metric} {sign} {task.goal:g}"] if task.goal is not None else []
    parts += [f"CPU <= {task.cpu_goal:g} s"] if task.cpu_goal else []
    parts += [task.target] if task.target else []
    return f"{name}: target {', '.join(parts) or 'none'}"


def line(records):
    """Mean and range over the seeds."""
    values = [r["value"] for r in records]
    loss = average(records, "log_loss")
    epochs = average(records, "n_epochs")
    text = (
        f"{records[0]['column']:24} {records[0]['metric']} {mean(values):.4f} "
        f"({min(values):.4f} to {max(values):.4f}, {len(values)} seeds)  "
        f"log loss {'  -  ' if loss is None else f'{loss:.3f}'}  "
        f"CPU fit {average(records, 'fit_cpu'):.1f} s, "
        f"predict {average(records, 'predict_cpu'):.1f} s"
    )
    return text if epochs is None else f"{text}  {epochs:.0f} epochs"


def average(records, key):
    values = [r[key] for r in records if r[key] is not None]
    return mean(values) if values else None


def group_by_task(records):
    """``{task: {column: records}}``."""
    by_task = {}
    for r in records:
        by_task.setdefault(r["task"], {}).setdefault(r["column"], []).append(r)
    return by_task


def summarize(records, details=False):
    """One line per task, and a summary of each column of networks."""
    by_task = group_by_task(records)
    for task, columns in by_task.items() if details else ():
        print(f"\n{heading(task)}")
        for rows in columns.values():
            print(f"  {line(rows)}")
    print("\nsummary: mean over the seeds, and CPU seconds of a fit")
    for task, columns in by_task.items():
        shown = [rows for rows in columns.values() if rows[0]["kind"] == "network"]
        best = best_baseline(task, columns)
        shown += [best] if best else []
        parts = [
            f"{rows[0]['column']} {average(rows, 'value'):.4f} "
            f"({average(rows, 'fit_cpu'):.1f} s){verdict(task, rows, best)}"
            for rows in shown
        ]
        print(f"{heading(task)}\n    {'; '.join(parts)}")
    print()
    for name in dict.fromkeys(r["column"] for r in records if r["kind"] == "network"):
        print(f"{name}: {'; '.join(totals(name, by_task))}")
    for name, rank, regret, n in standings(by_task):
        print(f"{name:24} mean rank {rank:.2f}, mean regret {regret:.2f} ({n} tasks)")


def tabulate(records):
    """Record former and present defaults and the best simple model of each task."""
    table = Table(__file__, "tasks", "task")
    for task, columns in group_by_task(records).items():
        shown = {"before": columns.get("old"), "defaults": columns.get("new")}
        best = best_baseline(task, columns)
        row = {"task": task, "metric": TASKS[task].metric}
        for name, rows in (shown | {"best": best}).items():
            row[name] = average(rows, "value") if rows else None
            row[f"{name}_cpu"] = average(rows, "fit_cpu") if rows else None
        table.add(**row, best_name=best[0]["column"] if best else None)


def verdict(task, rows, best):
    """Whether a network meets its target, and whether it matches a baseline."""
    if rows[0]["kind"] != "network":
        return ""
    goal, cpu_goal = TASKS[task].goal, TASKS[task].cpu_goal
    said = []
    if goal is not None:
        more, values = METRICS[TASKS[task].metric][1], [r["value"] for r in rows]
        value = mean(values) if TASKS[task].ranked else max(values)
        met = value >= goal if more else value <= goal
        if cpu_goal:
            met = met and average(rows, "fit_cpu") <= cpu_goal
        said.append("met" if met else "MISSED")
    if best and TASKS[task].ranked:
        said.append("level" if is_level(task, rows, best) else "below baseline")
    return f" {', '.join(said)}" if said else ""


def is_level(task, rows, best):
    return regret(task, average(rows, "value"), average(best, "value")) <= 1


def regret(task, value, best):
    """Difference to the best score, in units of one point or 2 % of an error."""
    metric = TASKS[task].metric
    if METRICS[metric][1]:
        return (best - value) / (1.0 if metric == "BLEU" else 0.01)
    return (value / best - 1) / 0.02


def best_baseline(task, columns):
    """Records of the best baseline, or None."""
    baselines = [rows for rows in columns.values() if rows[0]["kind"] == "baseline"]
    best = max if METRICS[TASKS[task].metric][1] else min
    return best(baselines, key=lambda rows: average(rows, "value"), default=None)


def totals(name, by_task):
    """Totals over all tasks."""
    time_ratios, losses, level = [], [], []
    for task, columns in by_task.items():
        if name not in columns:
            continue
        own, old = columns[name], columns.get("old")
        if old and name != "old" and TASKS[task].ranked:
            time_ratios.append(average(own, "fit_cpu") / average(old, "fit_cpu"))
            if (loss := average(own, "log_loss")) is not None:
                losses.append((loss, average(old, "log_loss")))
        best = best_baseline(task, columns)
        if best is not None and TASKS[task].ranked:
            level.append(is_level(task, own, best))
    if time_ratios:
        yield f"CPU {geometric_mean(time_ratios):.2f} of old (target <= .5)"
    if losses:
        new, old = np.mean(losses, axis=0)
        yield f"log loss {new:.3f}, old {old:.3f} (target: not worse)"
    if level:
        share = f"{sum(level)} of {len(level)} tasks, {mean(level):.0%}"
        yield f"at least level with the best baseline: {share} (target >= 80%)"


def standings(by_task):
    """Mean rank and regret of networks and the best baseline, over their tasks."""
    ranks, regrets = {}, {}
    for task, columns in by_task.items():
        if not TASKS[task].ranked:
            continue
        values = {
            name: average(rows, "value")
            for name, rows in columns.items()
            if rows[0]["kind"] == "network"
        }
        baseline = best_baseline(task, columns)
        if baseline is not None:
            values["best baseline"] = average(baseline, "value")
        more = METRICS[TASKS[task].metric][1]
        best = (max if more else min)(values.values())
        order = rankdata([-v if more else v for v in values.values()])
        for (name, value), rank in zip(values.items(), order, strict=True):
            ranks.setdefault(name, []).append(rank)
            regrets.setdefault(name, []).append(regret(task, value, best))
    for name in sorted(ranks, key=lambda name: mean(ranks[name])):
        yield name, mean(ranks[name]), mean(regrets[name]), len(ranks[name])


# ---------------------------------------------------------------------- command line


def read_options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", default=os.environ.get("SKLEARN_RNN_DATA"))
    default = ",".join(name for name in TASKS if name != "mnist")
    parser.add_argument("--tasks", default=default)
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--columns", default="new,old,baseline")
    parser.add_argument("--valid", action="store_true")
    parser.add_argument("--set", dest="settings", action="append", nargs="*")
    parser.add_argument("--json")
    parser.add_argument("--from", dest="files", nargs="+")
    options = parser.parse_args()
    if unknown := set(options.tasks.split(",")) - set(TASKS):
        parser.error(f"unknown tasks {sorted(unknown)}; there are {', '.join(TASKS)}")
    if unknown := set(options.columns.split(",")) - {"new", "old", "baseline"}:
        parser.error(f"unknown columns {sorted(unknown)}; there are new, old, baseline")
    chosen = [TASKS[name] for name in options.tasks.split(",")]
    options.settings = read_settings(options.settings or [[]], chosen)
    return options


def read_records(files):
    """Records of files; a repeated measurement replaces the earlier one."""
    lines = "".join(Path(file).read_text("utf-8") for file in files).splitlines()
    records = {}
    for record in map(json.loads, lines):
        records[record["task"], record["column"], record["seed"]] = record
    if len({record["part"] for record in records.values()}) > 1:
        raise SystemExit("--from: held-out rows and test parts cannot be compared")
    return list(records.values())


def main():
    options = read_options()
    read = options.files
    records = read_records(read) if read else measure_all(options)
    if not records:
        return
    summarize(records, details=bool(read))
    if records[0]["part"] == "test":
        tabulate(records)


def measure_all(options):
    """Records of all fits, none without the data folder."""
    folder = data_folder()
    if folder is None:
        return []
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(environment())
    print("rows held out of the training part" if options.valid else "test part")
    records = []
    with threadpool_limits(1):
        for record in run(options, folder):
            records.append(record)
            if options.json:
                with open(options.json, "a", encoding="utf-8") as file:
                    file.write(json.dumps(record) + "\n")
    return records


if __name__ == "__main__":
    main()
