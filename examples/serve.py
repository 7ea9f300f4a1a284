"""
Serving a classifier over HTTP
==============================

This program answers requests with the classifier in a model file. It needs FastAPI and
uvicorn (``pip install fastapi uvicorn``)::

    python examples/serve.py names.skrnn
    MODEL=names.skrnn uvicorn serve:make_app --factory --app-dir examples --workers 2

Both commands serve the same application, which predicts complete sequences, such as
texts, and continues a sequence by one step, such as a new reading of a sensor. The
second command starts two processes. Streams need a single process, because each process
has its own states.

.. code-block:: text

    $ curl localhost:8000/predict -H "Content-Type: application/json" \\
        -d '{"rows": ["Rossellini"]}'
    {"labels": ["Italian"], "probabilities": [{"Arabic": 0.001, ...}]}
    $ curl localhost:8000/streams/sensor-7 -H "Content-Type: application/json" \\
        -d '{"step": [0.3, -1.2]}'
    {"label": "worn", "probabilities": {"good": 0.22, "worn": 0.78}}

To replace the model, save the new one to the same file. The next request loads it, and
requests that arrive meanwhile are answered by the old model. Streams then start from
the beginning. While the server is stopped, their states are kept in
``names.skrnn.state``.

:doc:`Save, load, resume, serve </guide/saving>` explains the program, and
``benchmarks/bench_serving.py`` measures it.
"""

import argparse
import logging
import os
import threading
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import numpy as np
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from sklearn_rnn import ModelFileError, load, open_stream

logger = logging.getLogger("uvicorn.error")

# Limits of one request, so that a client cannot occupy the server for long.
Text = Annotated[str, Field(max_length=10_000)]
Values = Annotated[list[float], Field(max_length=1_000)]
Sequence = Annotated[list[Values], Field(max_length=10_000)]


class Rows(BaseModel):
    """Body of a request with complete sequences: texts, or lists of time steps."""

    rows: Annotated[list[Text] | list[Sequence], Field(min_length=1, max_length=100)]


class Step(BaseModel):
    """Body of a request with the next time step of a sequence, or more text."""

    step: Text | Values


class Served(NamedTuple):
    """A model and the stream that it steps; a request uses the same pair throughout."""

    model: Any
    stream: Any  # None if the model does not support streams


class ModelFile:
    """Loads the model in a file, and loads it again when the file is replaced."""

    def __init__(self, path):
        self.path = Path(path)
        self.state_path = Path(f"{path}.state")
        self._loading = threading.Lock()
        self._version = self._read_version()
        self._served = self._load()
        self._load_state()

    def get(self):
        """Return the current model; one thread loads a new one, others do not wait."""
        version = self._read_version()
        if version != self._version and self._loading.acquire(blocking=False):
            try:
                self._version = version
                self._served = self._load()
                logger.info("loaded %s", self.path)
            except (OSError, ModelFileError) as error:
                logger.error("kept the old model: %s", error)
            finally:
                self._loading.release()
        return self._served

    def save_state(self):
        """Write the states of the streams next to the model."""
        stream = self._served.stream
        if stream is not None:
            stream.save(self.state_path)

    def _load_state(self):
        """Continue the streams of the last run, if the model is the same."""
        stream = self._served.stream
        if stream is not None and self.state_path.exists():
            try:
                stream.load(self.state_path)
            except ValueError as error:
                logger.warning("the streams start from the beginning: %s", error)

    def _read_version(self):
        """What differs after the file was replaced."""
        try:
            status = self.path.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size

    def _load(self):
        model = load(self.path)
        try:
            return Served(model, open_stream(model, n_streams=None))
        except (TypeError, ValueError) as error:  # for example, if it is bidirectional
            logger.info("no streams: %s", error)
            return Served(model, None)


def make_app(path=None):
    """Make the application; ``path`` is the environment variable MODEL by default."""
    file = ModelFile(path or os.environ["MODEL"])

    @asynccontextmanager
    async def lifespan(app):
        yield
        file.save_state()

    app = FastAPI(lifespan=lifespan, max_body_size=1_000_000)

    # FastAPI runs functions without "async" in a pool of threads.
    @app.post("/predict")
    def predict(body: Rows):
        model = file.get().model
        probabilities = answer(model.predict_proba, read_rows(body.rows))
        return {
            "labels": model.classes_[probabilities.argmax(axis=1)].tolist(),
            "probabilities": [name_classes(model, row) for row in probabilities],
        }

    @app.post("/streams/{key}")
    def continue_stream(key: str, body: Step):
        model, stream = file.get()
        if stream is None:
            raise HTTPException(404, "this model does not support streams")
        row = answer(stream.predict_proba, {key: body.step})[key]
        label = model.classes_[row.argmax()].item()
        return {"label": label, "probabilities": name_classes(model, row)}

    @app.delete("/streams/{key}")
    def end_stream(key: str):
        stream = file.get().stream
        if stream is None or key not in stream.keys:
            raise HTTPException(404, f"no stream has the key {key!r}")
        stream.reset(key)
        return {}

    return app


def read_rows(rows):
    """The rows as they are given to a model: texts, or one array per sequence."""
    return rows if isinstance(rows[0], str) else [read_sequence(row) for row in rows]


def read_sequence(steps):
    try:
        return np.array(steps, dtype=np.float64)
    except ValueError:
        raise HTTPException(422, "the steps have unequal numbers of features") from None


def answer(predict, x):
    """Predict, and report input that the model does not accept to the client."""
    try:
        return predict(x)
    except (TypeError, ValueError) as error:
        raise HTTPException(422, str(error)) from None


def name_classes(model, probabilities):
    """A dict from each class to its probability."""
    return dict(zip(model.classes_.tolist(), probabilities.tolist(), strict=True))


def main():
    import uvicorn

    parser = argparse.ArgumentParser(description="Serve a classifier over HTTP.")
    parser.add_argument("model", help="file that sklearn_rnn.save wrote")
    parser.add_argument("--port", type=int, default=8000)
    args = parser.parse_args()
    try:
        app = make_app(args.model)
    except (OSError, ModelFileError) as error:
        parser.error(str(error))
    uvicorn.run(app, port=args.port)


if __name__ == "__main__":
    main()
