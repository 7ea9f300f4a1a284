"""FastAPI: the server of examples/serve.py answers as the model does."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from sklearn_rnn import CharVectorizer, RNNClassifier, save

PROGRAM = Path(__file__).parents[2] / "examples" / "serve.py"


def find_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serve(path, *command, port=None, **environment):
    """Start the server; a function that sends a request and returns the answer."""
    port = port or find_port()
    command = command or (sys.executable, PROGRAM, path, "--port", str(port))
    server = subprocess.Popen(command, env=os.environ | environment)
    try:
        for _ in range(600):
            assert server.poll() is None
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.1)

        def send(target, body=None, method="POST", status=200):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            headers = {"Content-Type": "application/json"}
            connection.request(method, target, json.dumps(body), headers)
            response = connection.getresponse()
            content = json.loads(response.read())
            connection.close()
            assert response.status == status, content
            return content

        yield send
    finally:
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) in (0, -signal.SIGTERM)


def fit_text(texts, y, seed=0):
    names = np.array(["odd", "even"])[y]
    classifier = RNNClassifier(hidden_size=8, max_epochs=3, random_state=seed)
    return make_pipeline(CharVectorizer(), classifier).fit(texts, names)


@pytest.fixture
def sensors(ragged, y):
    return RNNClassifier(hidden_size=8, max_epochs=3, random_state=0).fit(ragged, y)


def list_answers(model, texts):
    """The answer to each text alone, as JSON."""
    rows = [model.predict_proba([text])[0].tolist() for text in texts]
    return [dict(zip(["even", "odd"], row, strict=True)) for row in rows]


def test_answers_are_those_of_the_model(texts, y, tmp_path):
    model = fit_text(texts, y)
    save(model, tmp_path / "model")
    port = find_port()
    uvicorn = (sys.executable, "-m", "uvicorn", "serve:make_app", "--factory")
    uvicorn += ("--app-dir", PROGRAM.parent, "--port", str(port))
    with serve(None, *uvicorn, port=port, MODEL=str(tmp_path / "model")) as send:
        answer = send("/predict", {"rows": texts[:1]})
        assert answer["probabilities"] == list_answers(model, texts[:1])
        answer = send("/predict", {"rows": texts[:9]})
        assert answer["labels"] == model.predict(texts[:9]).tolist()
        for letter in texts[0]:
            answer = send("/streams/name", {"step": letter})
        expected = list_answers(model, texts[:1])[0]
        assert answer["probabilities"] == pytest.approx(expected, rel=1e-5)
        assert answer["label"] == model.predict(texts[:1])[0]


def test_requests_at_once_and_while_the_model_is_replaced(texts, y, tmp_path):
    models = [fit_text(texts, y, seed) for seed in range(2)]
    for k, model in enumerate(models):
        save(model, tmp_path / f"{k}")
    known = [list_answers(model, texts) for model in models]
    assert known[0] != known[1]
    path = tmp_path / "model"
    save(models[0], path)

    with serve(path) as send, ThreadPoolExecutor(8) as pool:

        def ask(k):
            (answer,) = send("/predict", {"rows": [texts[k]]})["probabilities"]
            return answer

        assert list(pool.map(ask, range(len(texts)))) == known[0]
        for model in [1, 0, 1] * 3:
            futures = [pool.submit(ask, k) for k in range(len(texts))]
            save(models[model], path)
            for k, future in enumerate(futures):
                assert future.result() in (known[0][k], known[1][k])
            assert ask(0) == known[model][0]
        assert list(pool.map(ask, range(len(texts)))) == known[1]
        path.write_bytes(b"not a model")  # the server keeps the model that it has
        assert ask(0) == known[1][0]
        path.unlink()
        assert ask(0) == known[1][0]
        shutil.copy(tmp_path / "0", path)
        assert ask(0) == known[0][0]


def test_streams_survive_a_restart(sensors, ragged, tmp_path):
    path = tmp_path / "model"
    save(sensors, path)
    sequences = {f"sensor {k}": ragged[k] for k in range(8)}

    def advance(send, key, steps):
        for step in steps.tolist():
            answer = send(f"/streams/{key}".replace(" ", "%20"), {"step": step})
        return list(answer["probabilities"].values())

    with serve(path) as send, ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(advance, send, k, x[:2]) for k, x in sequences.items()]
        for job in jobs:
            job.result()
        send("/streams/other", {"step": [0.0, 0.0]})
        send("/streams/other", method="DELETE")
        send("/streams/other", method="DELETE", status=404)
    with serve(path) as send:
        for key, sequence in sequences.items():
            expected = sensors.predict_proba([sequence])[0]
            found = advance(send, key, sequence[2:])
            np.testing.assert_allclose(found, expected, rtol=1e-5)
        save(sensors.fit(ragged, np.arange(80) % 4), path)
        assert len(advance(send, "sensor 0", ragged[0])) == 4
    with serve(path) as send:
        assert len(advance(send, "sensor 0", ragged[0])) == 4


@pytest.mark.parametrize(
    ("target", "body", "message"),
    [
        ("/predict", {"rows": [[[1.0, 2.0]], [[1.0]]]}, "1 features per step"),
        ("/predict", {"rows": [[[1.0, 2.0], [1.0]]]}, "unequal numbers of features"),
        ("/predict", {"rows": [[]]}, "no steps"),
        ("/predict", {"rows": ["text"]}, "text"),
        ("/predict", {"rows": [[[float("nan"), 1.0]]]}, "NaN"),
        ("/predict", {"rows": []}, "at least 1 item"),
        ("/predict", {"rows": [[[1.0, 2.0]]] * 101}, "at most 100 items"),
        ("/streams/a", {"step": [1.0]}, "2"),
    ],
)
def test_wrong_input_is_reported(target, body, message, server):
    assert message in json.dumps(server(target, body, status=422))


@pytest.fixture(scope="module")
def server(tmp_path_factory, ragged, y):
    path = tmp_path_factory.mktemp("server") / "model"
    save(RNNClassifier("gru", 8, max_epochs=1).fit(ragged, y), path)
    with serve(path) as send:
        yield send


def test_models_without_streams_answer_whole_sequences(ragged, y, tmp_path):
    model = RNNClassifier("gru", 8, bidirectional=True, max_epochs=1).fit(ragged, y)
    save(model, tmp_path / "model")
    with serve(tmp_path / "model") as send:
        send("/streams/a", {"step": [1.0, 2.0]}, status=404)
        send("/predict", {"rows": [ragged[0].tolist()]})


@pytest.mark.parametrize("content", [b"not a model", None])
def test_the_program_reports_what_it_cannot_load(content, tmp_path):
    path = tmp_path / "model"
    if content:
        path.write_bytes(content)
    run = subprocess.run([sys.executable, PROGRAM, path], capture_output=True)
    assert run.returncode == 2
    assert b"Traceback" not in run.stderr and b"error: " in run.stderr
