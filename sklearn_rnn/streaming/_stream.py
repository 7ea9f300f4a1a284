"""Streams: state that persists between predictions."""

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
    """Sequences that are still going on: read step by step, answered at any step.

    A stream keeps the network's state, so that a step costs the same however long the
    sequence already is, and answers as the model would answer the whole of it. It has
    one state each for ``n_streams`` sequences that go on together, or for any number of
    sequences by key, each at its own pace.

    Made by the ``stream`` method of a fitted model, or by :func:`open_stream` for a
    fitted Pipeline. A later fit of the model does not change a stream.

    Parameters
    ----------
    adapter : object
        How the model reads steps and answers; made by its ``stream`` method.
    n_streams : int or None, default=1
        Sequences that go on together; None begins empty, for sequences by key. A single
        one that has read nothing also turns to keys when it is first given some.

    See Also
    --------
    RNNClassifier.stream : Opens a stream.
    WritingSession : A stream of a generator that a person writes with.

    Notes
    -----
    What x may be:

    - ``(n_streams, n_features)``: a step each; also ``(n_streams,)`` if there is one
      feature, and ``(n_features,)`` if there is one stream.
    - ``(n_streams, n_timesteps, n_features)``: a chunk of steps each; also a list of
      ``n_streams`` arrays of unequal lengths.
    - Integers ``(n_streams,)``: a token each, for a model fitted on tokens.
    - A TokenArray or integers ``(n_streams, n_timesteps)``: a chunk of tokens each,
      less the padding on their right.
    - A text, or a list of ``n_streams`` texts or lists of tokens: a chunk each, for a
      generator; also a single token.
    - A dict of key to any of these, without the axis of the streams: a step or a chunk
      of one sequence each; if one is a chunk, all are.

    Text is split into tokens chunk by chunk: of words, give whole ones.

    Many threads may read from streams of one model, and also from the same stream.

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
    ...     answer = stream.predict(x)
    >>> bool(np.isclose(answer, model.predict(X[:1]), rtol=1e-5).all())
    True

    One state for each sensor:

    >>> stream = model.stream(n_streams=None)
    >>> answers = stream.predict({"sensor-7": 0.3, "sensor-9": -1.2})
    >>> answers = stream.predict({"sensor-7": 0.5})
    >>> stream.keys, stream.reset("sensor-9").keys
    (['sensor-7', 'sensor-9'], ['sensor-7'])
    """

    # What changes are the state of _stepper, if streams are counted, and else _keyed.
    # Both are replaced by one assignment, so an interrupt leaves the one or the other.
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
        self._beginning = self._stepper.state  # has read nothing but the start code
        self._reader = self._stepper.branch()  # its state matters within a call only
        self._stepper.state = resize_state({}, self._beginning, n_streams or 1)
        self._keyed = KeyedStates(self._beginning) if n_streams is None else None

    # ---------------------------------------------------------------- answers

    def predict(self, x):
        """Read on, and answer.

        Parameters
        ----------
        x : array-like, TokenArray, text or dict
            A step or a chunk of each sequence; see the Notes of the class.

        Returns
        -------
        answers : ndarray of shape (n_streams,) or (n_streams, n_outputs), or dict
            What the model's ``predict`` answers to all that was read; of a generator
            the likeliest next token, of a forecaster the ``horizon`` steps to come.
            With ``return_sequences=True`` the answer at each step: to a chunk
            ``(n_streams, n_timesteps, ...)``, or a 1-D object array of arrays if the
            lengths differ. A dict has an answer for each key.

        Raises
        ------
        ValueError
            If x cannot be read. No sequence has moved then.
        """
        return self._read(x, self._adapter.predict)

    @_adapter_has("predict_proba")
    def predict_proba(self, x):
        """Read on, and answer with probabilities.

        Parameters
        ----------
        x : array-like, TokenArray, text or dict
            A step or a chunk of each sequence; see the Notes of the class.

        Returns
        -------
        proba : ndarray of shape (n_streams, n_classes), or dict
            What the model's ``predict_proba`` answers to all that was read, in the
            order of its ``classes_``; in the same shapes as from :meth:`predict`.

        Raises
        ------
        ValueError
            If x cannot be read. No sequence has moved then.
        """
        return self._read(x, self._adapter.predict_proba)

    def _read(self, x, answer):
        with self._lock:
            if isinstance(x, dict):
                return self._read_by_key(x, answer)
            if self._keyed is not None:
                raise ValueError(
                    "this stream goes by key; expected a dict of keys and their steps, "
                    f"got {type(x).__name__}. model.stream(n_streams=1) opens one that "
                    "takes steps alone."
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
        """Outputs of a chunk that is read from ``state`` on, and the state after it.

        There is one output for each row's last step, or one for each step, in the
        order of the rows.
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
                if n_left < reader.n_streams:  # where one ends, the others go on
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
        """How many sequences there are."""
        keys = self.keys
        return self._stepper.n_streams if keys is None else len(keys)

    @property
    def keys(self):
        """The keys in the order of their joining; None if streams are counted."""
        with self._lock:  # reading them completes a change, which happens only once
            return None if self._keyed is None else self._keyed.keys

    def _convert_to_keys(self):
        """States by key for a stream that counts, if nothing depends on that yet."""
        n_steps = self._stepper.state["n_steps"]
        if len(n_steps) > 1 or n_steps[0] > len(self._adapter.first_codes):
            raise ValueError(
                f"this stream counts its {len(n_steps)} sequence(s), and was given "
                "keys. Open one for keys: model.stream(n_streams=None)."
            )
        return KeyedStates(self._beginning)

    def reset(self, which=None):
        """Let sequences end: what comes next begins a new one.

        Parameters
        ----------
        which : int, array-like of int or bool, key or list of keys; default=None
            Which streams begin again, or which keys leave. None is all of them.

        Returns
        -------
        self : Stream
            The stream.

        Raises
        ------
        ValueError
            If there is no such stream or key; none is reset then.
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
                f"which={which!r} is not among the {n} stream(s): expected integers "
                f"below {n}, or a mask of {n}."
            ) from error
        return np.atleast_1d(rows)

    # ---------------------------------------------------------------- the state

    def copy(self):
        """A stream in the same state, which goes its own way.

        Returns
        -------
        copy : Stream
            Shares nothing that changes with this one.
        """
        with self._lock:
            twin = object.__new__(type(self))
            vars(twin).update(vars(self), _lock=threading.Lock())
            twin._stepper, twin._reader = self._stepper.branch(), self._reader.branch()
            twin._keyed = deepcopy(self._keyed)
        return twin

    @property
    def state(self):
        """All that the stream remembers, as a dict of plain arrays; can be set.

        ``n_steps`` (n_streams,) are the steps read, of a generator with the start code;
        ``hidden_k`` and ``cell_k`` (n_streams, hidden_size) the state of layer k, or
        ``state_k_i`` that of a callable cell; ``sum`` and ``max`` what the pooling
        needs; ``patch`` the steps of an incomplete patch, with ``patch_size`` above 1.
        ``keys`` lists the keys as JSON, ``model`` identifies the network.

        Setting it raises ValueError if it is of another model or of other shapes, not
        complete and finite, or beyond what the network's steps can lead to; the stream
        then stays as it was.
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
                    "the state is of another model: its weights, classes, vocabulary "
                    "or scaling differ. Open a stream of the model that it was "
                    "saved with."
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
                raise ValueError("the state has no keys, but this stream goes by key.")
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
        """Write the state to a file, all of it or nothing.

        Parameters
        ----------
        path : str or path-like
            Name of the file. It holds plain arrays and a checksum, and no code. A file
            of this name is replaced, and stays whole if writing fails.

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
        """Go on from a state that :meth:`save` wrote.

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
            If the file is damaged, or was not written by :meth:`save`, or its state is
            not one of this model and this number of streams; the stream then stays as
            it was.
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
    """Set some rows of a new ``state`` to the first rows of another one's end."""
    for name, array in part.items():
        state[name][rows] = array[len(array) - len(rows) :]
