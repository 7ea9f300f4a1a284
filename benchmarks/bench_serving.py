"""Time of one prediction over HTTP: the application of examples/serve.py.

uvicorn runs one process with one thread per fit of numpy and torch. The client sends
one request after the other over a connection that is kept open, and then over eight
such connections at once. An endpoint that checks the same body and returns a constant
shows what HTTP, JSON and the framework take; the direct call shows what the model
takes.
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
REQUESTS, WARM_UP, CONNECTIONS = 2000, 200, 8


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


def run_server(path, port, constant):
    """Serve the example and two endpoints that do nothing, until killed."""
    import uvicorn

    sys.path.insert(0, str(EXAMPLES))
    import serve

    torch.set_num_threads(1)
    app = serve.make_app(path)

    @app.post("/nothing/rows")
    def rows(body: serve.Rows):
        return constant

    @app.post("/nothing/step")
    def step(body: serve.Step):
        return constant

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


def start_server(path, constant):
    """Start the server in another process; the process and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = multiprocessing.get_context("spawn").Process(
        target=run_server, args=(path, port, constant), daemon=True
    )
    process.start()
    deadline = time.monotonic() + 60
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return process, port
        except OSError:
            if time.monotonic() > deadline or not process.is_alive():
                raise
            time.sleep(0.1)


def time_calls(call):
    """Milliseconds of each call."""
    for _ in range(WARM_UP):
        call()
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
    return REQUESTS / (time.perf_counter() - started)


def measure(table, job, path, body, direct, port):
    client = Client(port, path, body)
    took = time_calls(client.send)
    clients = [Client(port, path, body) for _ in range(CONNECTIONS)]
    table.add(
        request=job,
        direct=None if direct is None else statistics.median(time_calls(direct)),
        median=statistics.median(took),
        p95=float(np.percentile(took, 95)),
        per_second=count_per_second([client]),
        per_second_parallel=count_per_second(clients),
    )


def main():
    missing = [name for name in ("fastapi", "uvicorn") if not find_package(name)]
    if missing:
        print(f"skipped: pip install {' '.join(missing)}")
        return
    torch.set_num_threads(1)
    print(environment())
    table = Table(__file__, "requests", "request")
    jobs = {
        "one name": (fit_names, "/predict", "/nothing/rows"),
        "step of a stream": (fit_sensors, "/streams/sensor", "/nothing/step"),
    }
    with tempfile.TemporaryDirectory() as folder:
        for job, (fit, path, nothing) in jobs.items():
            model, body, direct = fit()
            model_path = Path(folder) / f"{fit.__name__}.skrnn"
            save(model, model_path)
            process, port = start_server(model_path, None)
            constant = Client(port, path, body).send()
            process.kill()
            process, port = start_server(model_path, constant)
            try:
                measure(table, f"{job}, no model", nothing, body, None, port)
                measure(table, job, path, body, direct, port)
            finally:
                process.kill()
                process.join()


def find_package(name):
    return importlib.util.find_spec(name) is not None


if __name__ == "__main__":
    main()
