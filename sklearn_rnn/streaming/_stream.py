"""Streams, whose state persists between predictions."""

import json
import threading
from copy import deepcopy
from functools import partial

import numpy as np
from sklearn.utils.metaestimators import available_if

from sklearn_rnn._core.scalars import check_integer
from sklearn_rnn._core.threads import limit_step_threads
from sklearn_rnn._data.ragged import split_steps
from sklearn_rnn._nn.states import find_bounds
from sklearn_rnn._nn.steppers import resize_state
from sklearn_rnn.streaming._keys import KeyedStates
from sklearn_rnn.streaming._state_file import (
    check_mapping,
    check_state,
    read_keys,
    read_state,
    write_state,
)


def _adapter_has(method):
    return available_if(lambda stream: hasattr(stream._adapter, method))


class Stream:
    """Stream that reads sequences step by step and predicts at any step.

    A stream keeps the state of the network. The cost of a step therefore does not
    depend on the number of steps already read, and the prediction equals that of the
    model for the whole sequence so far. A stream reads ``n_streams`` sequences in
    parallel, or any number of sequences that are identified by keys and may advance
    independently.

    Streams are opened by the ``stream`` method of a fitted model, or by
    :func:`open_stream` for a fitted Pipeline. A later fit of the model does not change
    them.

    Parameters
    ----------
    adapter : object
        Adapter that converts steps and predictions for the model. The ``stream`` method
        of the model creates it.
    n_streams : int or None, default=1
        Number of sequences that are read in parallel. None opens a stream without
        sequences, to which keys are added. A stream with ``n_streams=1`` that has read
        nothing also accepts keys.

    See Also
    --------
    RNNClassifier.stream : Opens a stream of a classifier.
    open_stream : Opens a stream of a model or a Pipeline.
    WritingSession : A stream of a generator, in which a person and the model write.

    Notes
    -----
    A *step* is one time step, and a *chunk* is several successive steps, of each
    sequence. The argument ``x`` of :meth:`predict` and :meth:`predict_proba` can be:

    - an array ``(n_streams, n_features)``: one step of each stream. ``(n_streams,)`` is
      accepted if there is one feature, and ``(n_features,)`` if there is one stream.
    - an array ``(n_streams, n_timesteps, n_features)``, or a list of ``n_streams``
      arrays of any lengths: one chunk of each stream.
    - integers ``(n_streams,)``, for a model fitted on tokens: one token of each stream.
    - a TokenArray or integers ``(n_streams, n_timesteps)``: one chunk of tokens of each
      stream, without the padding on the right.
    - a text, or a list of ``n_streams`` texts or lists of tokens, for a generator: one
      chunk of each stream. A single token is also accepted.
    - a dict from keys to any of these, without the axis of the streams: one step or one
      chunk of each sequence. If one value is a chunk, a step is read as a chunk of one
      step.

    Text is split into tokens chunk by chunk. If tokens are words, a chunk must contain
    whole words.

    Several threads can use streams of the same model, and also the same stream.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_rnn import RNNRegressor
    >>> rng = np.random.default_rng(0)
    >>> X = rng.normal(size=(50, 12, 1))
    >>> model = RNNRegressor(hidden_size=8, max_epochs=3, random_state=0)
    >>> model = model.fit(X, X.sum(axis=(1, 2)))
    >>> stream = model.stream()
    >>> for x in X[0]:
    ...     prediction = stream.predict(x)
    >>> bool(np.isclose(prediction, model.predict(X[:1]), rtol=1e-5).all())
    True

    With keys, for example one sequence per sensor:

    >>> stream = model.stream(n_streams=None)
    >>> predictions = stream.predict({"sensor-7": 0.3, "sensor-9": -1.2})
    >>> predictions = stream.predict({"sensor-7": 0.5})
    >>> stream.keys, stream.reset("sensor-9").keys
    (['sensor-7', 'sensor-9'], ['sensor-7'])
    """

    # The state that changes is that of _stepper if streams are counted, else _keyed.
    # Both are replaced with one assignment, so an interrupt leaves the old or the new.
    _keyed: KeyedStates | None

    def __init__(self, adapter, n_streams=1):
        if n_streams is not None:
            check_integer("n_streams", n_streams, minimum=1, or_none="streams by key")
        self._adapter = adapter
        self._lock = threading.Lock()
        layers = [level[0] for level in adapter.module.stack.layers]
        self._operations = max(4 * layer.hidden_size**2 for layer in layers)
        self._stepper = adapter.start()
        for code in adapter.first_codes:
            self._stepper.feed(np.array([code]))
        self._beginning = self._stepper.state  # has read the first codes only
        self._reader = self._stepper.branch()  # its state is used within a call only
        self._stepper.state = resize_state({}, self._beginning, n_streams or 1)
        self._keyed = KeyedStates(self._beginning) if n_streams is None else None

    # ---------------------------------------------------------------- predictions

    def predict(self, x):
        """Read one step or chunk of each sequence, and predict.

        Parameters
        ----------
        x : array-like, TokenArray, text or dict
            One step or one chunk of each sequence; see the Notes of the class.

        Returns
        -------
        predictions : ndarray of shape (n_streams,) or (n_streams, n_outputs), or dict
            Predictions of the model for all steps read so far: labels or numbers; the
            most likely next token of a generator; the next ``horizon`` steps of a
            forecaster. With ``return_sequences=True``, the predictions at each new
            step: for a chunk, an array ``(n_streams, n_timesteps, ...)``, or a 1-D
            object array of arrays if the lengths differ. If x is a dict, a dict with
            the prediction of each key.

        Raises
        ------
        ValueError
            If x cannot be read. The state of the stream is then unchanged.
        """
        return self._read(x, self._adapter.predict)

    @_adapter_has("predict_proba")
    def predict_proba(self, x):
        """Read one step or chunk of each sequence, and predict probabilities.

        Parameters
        ----------
        x : array-like, TokenArray, text or dict
            One step or one chunk of each sequence; see the Notes of the class.

        Returns
        -------
        proba : ndarray of shape (n_streams, n_classes), or dict
            Probabilities for all steps read so far, as ``predict_proba`` of the model
            returns them, in the order of its ``classes_``. Containers are the same as
            for :meth:`predict`.

        Raises
        ------
        ValueError
            If x cannot be read. The state of the stream is then unchanged.
        """
        return self._read(x, self._adapter.predict_proba)

    def _read(self, x, answer):
        with self._lock:
            if isinstance(x, dict):
                return self._read_by_key(x, answer)
            if self._keyed is not None:
                raise ValueError(
                    "the sequences of this stream have keys; expected a dict of keys "
                    f"and their steps, got {type(x).__name__}. Open a stream without "
                    "keys with model.stream(n_streams=1)."
                )
            n = self._stepper.n_streams
            step = self._adapter.step(x, n)
            if step is not None:
                with limit_step_threads(n * self._operations):
                    return answer(self._stepper.feed(step))
            chunk = self._adapter.chunk(x, n)
            outputs, state = self._read_chunk(chunk, self._stepper.state)
            answers = answer(outputs)
            self._stepper.state = state
            if not self._adapter.each_step:
                return answers
            if chunk.lengths.min() == chunk.lengths.max():
                return answers.reshape(len(chunk), -1, *answers.shape[1:])
            return split_steps(answers, chunk.lengths)

    def _read_by_key(self, x, answer):
        keyed = self._convert_to_keys() if self._keyed is None else self._keyed
        keys, steps = list(x), list(x.values())
        if not keys:
            return {}
        step, chunk = self._adapter.step(steps, len(keys)), None
        if step is None:
            chunk = self._adapter.chunk(steps, len(keys))
        change = keyed.locate(keys)
        if chunk is not None:
            outputs, state = self._read_chunk(chunk, change.states)
            answers = answer(outputs)
            if self._adapter.each_step:
                answers = split_steps(answers, chunk.lengths)
        else:
            self._reader.state = change.states
            with limit_step_threads(len(keys) * self._operations):
                answers = answer(self._reader.feed(step))
            state = self._reader.state
        answers = dict(zip(keys, answers, strict=True))
        keyed.put(change, state)
        self._keyed = keyed
        return answers

    def _read_chunk(self, chunk, state):
        """Read a chunk, and return its outputs and the state after it.

        There is one output for the last step of each row or, if ``each_step``, one for
        every step, row by row.
        """
        lengths, each_step = chunk.lengths, self._adapter.each_step
        order = np.argsort(-lengths, kind="stable")
        first = np.cumsum(lengths) - lengths if each_step else np.arange(len(lengths))
        outputs, reader = None, self._reader
        after = {name: np.empty_like(array) for name, array in state.items()}
        reader.restore(state, order)
        with limit_step_threads(len(lengths) * self._operations):
            for t in range(int(lengths.max())):
                n_left = np.count_nonzero(lengths > t)
                if n_left < reader.n_streams:  # some rows have ended
                    _put_rows(after, order[n_left : reader.n_streams], reader.state)
                    reader.restore(reader.state, np.arange(n_left))
                active = order[:n_left]
                found = reader.feed(chunk.values[chunk.starts[active] + t])
                if outputs is None:
                    n_answers = lengths.sum() if each_step else len(lengths)
                    outputs = np.empty((n_answers, *found.shape[1:]), found.dtype)
                outputs[first[active] + (t if each_step else 0)] = found
        _put_rows(after, order[: reader.n_streams], reader.state)
        return outputs, after

    # ---------------------------------------------------------------- keys

    @property
    def n_streams(self):
        """Number of sequences that the stream reads."""
        keys = self.keys
        return self._stepper.n_streams if keys is None else len(keys)

    @property
    def keys(self):
        """Keys in the order in which they were added; None if keys are not used."""
        with self._lock:  # reading the keys may complete an interrupted change
            return None if self._keyed is None else self._keyed.keys

    def _convert_to_keys(self):
        """Return states by key for a counting stream that has read nothing."""
        n_steps = self._stepper.state["n_steps"]
        if len(n_steps) > 1 or n_steps[0] > len(self._adapter.first_codes):
            raise ValueError(
                f"this stream has {len(n_steps)} sequence(s) without keys, but keys "
                "were given. Open a stream for keys with model.stream(n_streams=None)."
            )
        return KeyedStates(self._beginning)

    def reset(self, which=None):
        """End sequences, so that the next steps begin new ones.

        Parameters
        ----------
        which : int, array-like of int or bool, key or list of keys; default=None
            Streams whose state is reset, or keys that are removed. None means all.

        Returns
        -------
        self : Stream
            The stream.

        Raises
        ------
        ValueError
            If there is no such stream or key. Then nothing is reset.
        """
        with self._lock:
            if self._keyed is None:
                self._stepper.put(self._beginning, self._rows_of_streams(which))
            else:
                self._keyed.remove(self._keyed.select(which))
        return self

    def _rows_of_streams(self, which):
        n = self._stepper.n_streams
        try:
            rows = np.arange(n)[slice(None) if which is None else which]
        except (IndexError, TypeError) as error:
            raise ValueError(
                f"which={which!r} does not select any of the {n} stream(s); expected "
                f"integers below {n}, or a boolean mask of length {n}."
            ) from error
        return np.atleast_1d(rows)

    # ---------------------------------------------------------------- the state

    def copy(self):
        """Copy the stream with its state; the two are independent afterwards.

        Returns
        -------
        copy : Stream
            A stream in the same state.
        """
        with self._lock:
            twin = object.__new__(type(self))
            vars(twin).update(vars(self), _lock=threading.Lock())
            twin._stepper, twin._reader = self._stepper.branch(), self._reader.branch()
            twin._keyed = deepcopy(self._keyed)
        return twin

    @property
    def state(self):
        """Complete state of the stream as a dict of arrays, which can be set.

        The dict has these entries:

        - ``n_steps`` (n_streams,): number of steps read; for a generator, this includes
          the start code.
        - ``hidden_k`` and ``cell_k`` (n_streams, hidden_size): state of layer k. For a
          callable cell, ``state_k_i`` is its i-th tensor.
        - ``sum`` and ``max``: sums and maxima of the outputs, if the pooling needs
          them.
        - ``patch``: the steps of an incomplete patch, if ``patch_size`` is above 1.
        - ``keys``: the keys as a JSON list, if the sequences have keys.
        - ``model``: a hash that identifies the model.

        Setting a state raises a ValueError if it belongs to another model, has other
        shapes, is incomplete, is not finite, or has values that the network cannot
        reach in this number of steps. The state is then unchanged.
        """
        with self._lock:
            model = self._adapter.fingerprint()
            return {"model": np.array(model), **self._arrays()}

    @state.setter
    def state(self, state):
        check_mapping(state)
        with self._lock:
            if str(state.get("model")) != self._adapter.fingerprint():
                raise ValueError(
                    "the state belongs to another model: its weights, classes, "
                    "vocabulary or scaling differ. Open a stream of the model that the "
                    "state was saved with."
                )
            self._set_arrays({name: state[name] for name in state if name != "model"})

    def _arrays(self):
        if self._keyed is None:
            return {name: array.copy() for name, array in self._stepper.state.items()}
        keys = [key if isinstance(key, str) else int(key) for key in self._keyed.keys]
        return {"keys": np.array(json.dumps(keys)), **self._keyed.state}

    def _set_arrays(self, arrays):
        if "keys" not in arrays:
            if self._keyed is not None:
                raise ValueError(
                    "the state has no keys, but the sequences of this stream have "
                    "keys. Open a stream without keys with model.stream(n_streams=1)."
                )
            self._stepper.state = self._check_state(arrays, self._stepper.n_streams)
            return
        fresh = self._convert_to_keys() if self._keyed is None else None
        fresh = fresh or KeyedStates(self._beginning)
        keys = read_keys(arrays.pop("keys"))
        given = self._check_state(arrays, len(keys))
        fresh.put(fresh.locate(keys), given)
        self._keyed = fresh

    def _check_state(self, arrays, n):
        bounds = partial(find_bounds, self._adapter.module)
        patch_size = self._adapter.patch_size
        return check_state(arrays, self._beginning, n, patch_size, bounds)

    def save(self, path):
        """Write the state to a file atomically.

        Parameters
        ----------
        path : str or path-like
            Name of the file. The file contains arrays and a checksum, but no code. An
            existing file is replaced; if writing fails, it is unchanged.

        Returns
        -------
        self : Stream
            The stream.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        write_state(path, self.state)
        return self

    def load(self, path):
        """Continue from a state that :meth:`save` wrote.

        Parameters
        ----------
        path : str or path-like
            Name of the file.

        Returns
        -------
        self : Stream
            The stream.

        Raises
        ------
        ValueError
            If the file is damaged or was not written by :meth:`save`, or if its state
            belongs to another model or has another number of streams. The state of the
            stream is then unchanged.
        OSError
            If the file cannot be read.
        """
        self.state = read_state(path)
        return self

    def __getstate__(self):
        with self._lock:
            counted = self._keyed is None
            n_streams = self._stepper.n_streams if counted else None
            return {
                "adapter": self._adapter,
                "n_streams": n_streams,
                "arrays": self._arrays(),
            }

    def __setstate__(self, state):
        Stream.__init__(self, state["adapter"], state["n_streams"])
        self._set_arrays(state["arrays"])


def _put_rows(state, rows, part):
    """Set ``rows`` of a new ``state`` to the last rows of ``part``."""
    for name, array in part.items():
        state[name][rows] = array[len(array) - len(rows) :]
