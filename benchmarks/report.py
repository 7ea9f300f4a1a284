"""Make two pages of docs/ and a summary picture from the results and templates.

    python benchmarks/report.py [--check]

``report.md`` becomes docs/benchmarks.md, ``textbooks.md`` becomes docs/textbooks.md. A
block of a template such as ::

    ```{results} bench_fit.fit dtype=float32
    cell: {cell}
    ratio: {ratio:.2f}
    ```

becomes a table of the rows of ``results/bench_fit.json`` whose dtype is float32, with a
line that says when and with what they were measured. The cell of a column is empty if
a row lacks one of its values. ``--check`` only says whether the pages are up to date.
"""

import re
import string
import sys
from functools import cache

from _results import HERE, read_results

DOCS = HERE.parent / "docs"
PAGES = {  # by template
    HERE / "report.md": DOCS / "benchmarks.md",
    HERE / "textbooks.md": DOCS / "textbooks.md",
}
PICTURE = DOCS / "images" / "benchmarks.svg"
BLOCK = re.compile(r"```\{results\} (\w+)\.(\w+)([^\n]*)\n(.*?)```", re.S)
NOTE = "<!-- Made by benchmarks/report.py from {}: edit that file. -->\n"

# Label, and the row whose ratio is drawn.
RATIOS = [
    ("fit, LSTM 64\nPyTorch loop", "bench_fit.fit cell=lstm dtype=float32"),
    ("fit, GRU 64\nPyTorch loop", "bench_fit.fit cell=gru dtype=float32"),
    ("fit on ragged text, GRU 64\nbucketed PyTorch loop", "bench_ragged.fit cell=gru"),
    ("fit on names, LSTM 64\nskorch", "bench_skorch.fit cell=lstm"),
    ("step of a stream, LSTM 128\nnn.LSTM", "bench_stream.step job=lstm"),
    ("generation, 1 stream\nLSTMCell loop", "bench_generator.sampling n_streams=1"),
    ("recall of 1,000 patterns\nnumpy loop", "bench_hopfield.speed rule=hebb"),
    ("epoch, Boltzmann machine\nBernoulliRBM", "bench_boltzmann.epochs batch_size=32"),
]

SCORES = ("accuracy", "step accuracy", "F1 of spam")

cached_results = cache(read_results)


def find_rows(script, table, conditions=()):
    """The runs of a script, and the rows of a table that meet the conditions."""
    content = cached_results(script)
    pairs = [condition.split("=", 1) for condition in conditions]
    rows = content["tables"].get(table, [])
    if not rows:
        raise SystemExit(f"{script}.json has no table {table!r}")
    return content["runs"], [
        row for row in rows if all(str(row.get(k)) == v for k, v in pairs)
    ]


def fill(pattern, row):
    """The cell of a column, empty if the row lacks a value; numbers stay on a line."""
    fields = [name for _, name, _, _ in string.Formatter().parse(pattern) if name]
    if any(row.get(name) is None for name in fields):
        return ""
    cell = pattern.format(**row).strip().replace("\n", "\N{RETURN SYMBOL}")
    return cell.replace(" ", "\N{NO-BREAK SPACE}") if ":" in pattern else cell


def render_table(match):
    """A Markdown table, and the line that says where its rows come from."""
    script, table, conditions, body = match.groups()
    runs, rows = find_rows(script, table, conditions.split())
    columns = [line.split(": ", 1) for line in body.strip().splitlines()]
    lines = [[title for title, _ in columns], ["---"] * len(columns)]
    lines += [[fill(pattern, row) for _, pattern in columns] for row in rows]
    used = dict.fromkeys(describe(runs[row["run"]], script) for row in rows)
    text = "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
    return f"{text}\n\n*{'; '.join(used)}*"


def describe(run, script):
    """Where a row comes from, in a few words."""
    threads = "1 thread" if run["threads"] == 1 else f"{run['threads']} threads"
    commit = f", commit {run['commit']}" if run["commit"] else ""
    torch = f"torch {run['versions']['torch']}"
    device = run.get("device")
    if device:
        script = script.removesuffix("_" + re.sub(r"\W+", "_", device))
        threads += f", {device}"
    return f"`{script}.py`, {run['date']}, {threads}, {torch}{commit}"


def render(template):
    """The text of a page."""
    text = BLOCK.sub(render_table, template.read_text("utf-8"))
    return NOTE.format(template.name) + text


def draw():
    """Time relative to peers, and scores of the defaults beside simple models."""
    from matplotlib import pyplot as plt

    figure, (times, scores) = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
    draw_ratios(times)
    draw_scores(scores)
    figure.savefig(PICTURE, metadata={"Date": None})


def draw_ratios(ax):
    labels, values = [], []
    for label, place in RATIOS:
        table, *conditions = place.split()
        _, rows = find_rows(*table.split("."), conditions)
        labels.append(label)
        values.append(rows[0]["ratio"])
    bars = ax.barh(labels, values, color="#3b75af")
    ax.bar_label(bars, [f"{value:.2g}" for value in values], padding=3)
    ax.axvline(1, color="0.4", linewidth=1)
    ax.set_xscale("log")
    ax.set_xlim(None, 3)
    ax.invert_yaxis()
    ax.set_xlabel("time relative to the peer (1: equal, left of it: faster)")
    ax.set_title("Time")


def draw_scores(ax):
    _, rows = find_rows("bench_defaults", "tasks")
    rows = [row for row in rows if row["metric"] in SCORES]
    places = range(len(rows))
    ours, best = ([row[k] for row in rows] for k in ("defaults", "best"))
    ax.hlines(places, ours, best, color="0.7")
    ax.plot(best, places, "o", color="#e1812c", label="best simple model")
    ax.plot(ours, places, "o", color="#3b75af", label="default parameters")
    ax.set_yticks(places, [row["task"] for row in rows])
    ax.invert_yaxis()
    ax.set_xlabel("accuracy or F1")
    ax.set_title("Quality of the default parameters")
    ax.figure.legend(loc="outside lower right", ncols=2)


def main():
    texts = {page: render(template) for template, page in PAGES.items()}
    if "--check" in sys.argv:
        sys.exit(any(page.read_text("utf-8") != text for page, text in texts.items()))
    for page, text in texts.items():
        page.write_text(text, "utf-8")
    draw()


if __name__ == "__main__":
    main()
