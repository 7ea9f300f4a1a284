"""Time of one prediction over HTTP: the application of examples/serve.py.

uvicorn runs one process, in which numpy and torch use one thread. The client sends one
request after the other over a connection that is kept open, and then over eight such
connections at once. An endpoint that reads the same body and returns a constant shows
the time of HTTP, JSON and the framework; the direct call shows that of the model.
Requests and calls take turns, in rounds.
"""

import http.client
import importlib.util
import json
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before numpy and torch are imported

import numpy as np
import torch
from _common import environment
from _results import Table
from sklearn.pipeline import make_pipeline

from sklearn_rnn import CharVectorizer, RNNClassifier, open_stream, save
from sklearn_rnn.datasets import load_names

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
ROUNDS, REQUESTS, CONNECTIONS = 20, 100, 8


def fit_names():
    """Pipeline that classifies names, the request for one name, the direct call."""
    names, nationalities = load_names(return_X_y=True)
    classifier = RNNClassifier(max_epochs=1, random_state=0)
    model = make_pipeline(CharVectorizer(), classifier).fit(names, nationalities)
    one = ["Rossellini"]
    return model, {"rows": one}, lambda: model.predict_proba(one)


def fit_sensors():
    """Classifier of sensors, the request for one step, the direct call."""
    X = np.random.default_rng(0).normal(size=(64, 40, 8))
    y = np.where(X[:, :, 0].sum(axis=1) > 0, "worn", "good")
    model = RNNClassifier("lstm", max_epochs=1, random_state=0).fit(X, y)
    step, stream = X[0, 0].tolist(), open_stream(model, n_streams=None)
    return model, {"step": step}, lambda: stream.predict_proba({"sensor": step})


def run_server(path, port):
    """Serve the example and two endpoints without a model, until killed."""
    import uvicorn

    sys.path.insert(0, str(EXAMPLES))
    import serve

    torch.set_num_threads(1)
    app = serve.make_app(path)
    classes = serve.load(path).classes_.tolist()
    probabilities = dict.fromkeys(classes, 0.123456789)

    @app.post("/nothing/rows")
    def rows(body: serve.Rows):
        return {"labels": classes[:1], "probabilities": [probabilities]}

    @app.post("/nothing/step")
    def step(body: serve.Step):
        return {"label": classes[0], "probabilities": probabilities}

    uvicorn.run(app, port=port, log_level="warning", access_log=False)


class Client:
    """Sends the same request again and again over one connection."""

    def __init__(self, port, path, body):
        self.path, self.body = path, json.dumps(body)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self):
        headers = {"Content-Type": "application/json"}
        self.connection.request("POST", self.path, self.body, headers)
        response = self.connection.getresponse()
        content = response.read()
        if response.status != 200:
            raise RuntimeError(f"{self.path}: {response.status} {content!r}")
        return json.loads(content)


@contextmanager
def start_server(path):
    """Start the server in another process; its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(
        target=run_server, args=(path, port), daemon=True
    )
    process.start()
    try:
        for _ in range(600):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)
        yield port
    finally:
        process.kill()
        process.join()


def time_calls(call):
    """Milliseconds of each call."""
    milliseconds = []
    for _ in range(REQUESTS):
        started = time.perf_counter()
        call()
        milliseconds.append(1e3 * (time.perf_counter() - started))
    return milliseconds


def count_per_second(clients):
    """Requests per second of all clients, each in one thread."""

    def send_many(client):
        for _ in range(REQUESTS // len(clients)):
            client.send()

    threads = [threading.Thread(target=send_many, args=[c]) for c in clients]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    n_requests = REQUESTS // len(clients) * len(clients)
    return n_requests / (time.perf_counter() - started)


def measure(table, job, targets, body, direct, port):
    """Add one row for each target, a name and a path; the last one uses the model."""
    clients = {
        name: [Client(port, path, body) for _ in range(CONNECTIONS)]
        for name, path in targets.items()
    }
    took = {name: [] for name in [*clients, "direct"]}
    rates = {name: {1: [], CONNECTIONS: []} for name in clients}
    for k in range(1 + ROUNDS):
        for name, own in clients.items():
            milliseconds = time_calls(own[0].send)
            parallel = count_per_second(own)
            if k:  # the first round warms up
                took[name] += milliseconds
                rates[name][1].append(1e3 * REQUESTS / sum(milliseconds))
                rates[name][CONNECTIONS].append(parallel)
        took["direct"] += time_calls(direct)
    for name in clients:
        table.add(
            request=job,
            endpoint=name,
            direct=statistics.median(took["direct"]) if name == "model" else None,
            median=statistics.median(took[name]),
            p95=float(np.percentile(took[name], 95)),
            per_second=statistics.median(rates[name][1]),
            per_second_parallel=statistics.median(rates[name][CONNECTIONS]),
        )


def main():
    missing = [name for name in ("fastapi", "uvicorn") if not find_package(name)]
    if missing:
        print(f"skipped: pip install {' '.join(missing)}")
        return
    torch.set_num_threads(1)
    print(environment())
    table = Table(__file__, "requests", "request", "endpoint")
    jobs = {
        "one name": (fit_names, "/predict", "/nothing/rows"),
        "step of a stream": (fit_sensors, "/streams/sensor", "/nothing/step"),
    }
    with tempfile.TemporaryDirectory() as folder:
        for job, (fit, path, nothing) in jobs.items():
            model, body, direct = fit()
            model_path = Path(folder) / f"{fit.__name__}.skrnn"
            save(model, model_path)
            with start_server(model_path) as port:
                targets = {"no model": nothing, "model": path}
                measure(table, job, targets, body, direct, port)


def find_package(name):
    return importlib.util.find_spec(name) is not None


if __name__ == "__main__":
    main()
