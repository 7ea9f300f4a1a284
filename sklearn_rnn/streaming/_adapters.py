"""What streams read, and how they answer: one class for each kind of model.

Each has ``module``, the network, and ``begun()``, a stepper of one stream that has read
nothing; ``each_step``, whether it answers at every step; ``first_codes``, what it reads
before a stream's first step; ``step(x, n)``, one step of n streams as the stepper reads
it, or None if x is a chunk; ``chunk(x, n)``, a chunk as ``Sequences``; ``predict`` and,
if the model has it, ``predict_proba`` of the stepper's outputs. ``rows_are_steps`` says
whether rows of the tables that the model was fitted on are steps.
"""

import numpy as np
from scipy import sparse
from sklearn.utils import get_tags

from sklearn_rnn._data.sequences import TEXT_HINT, Sequences, refuse_empty
from sklearn_rnn._data.tokens import END, PADDING, START, TokenArray
from sklearn_rnn._nn import stepper
from sklearn_rnn.generation._sampling import log_softmax
from sklearn_rnn.text._codecs import CodeCoder, TokenCoder
from sklearn_rnn.text._vectorizer import TokenVectorizer


class SequenceInput:
    """Of a fitted RNNClassifier or RNNRegressor."""

    first_codes = ()

    def __init__(self, model):
        name, self.module = type(model).__name__, model.module_
        if self.module.stack.bidirectional:
            raise ValueError(
                f"this {name} reads both ways (bidirectional=True): it needs the end "
                "of a sequence before its beginning, and a stream has no end. Fit one "
                "with bidirectional=False."
            )
        if model.input_length is not None:
            raise ValueError(
                f"this {name} accepts sequences of input_length={model.input_length} "
                "steps only, and a stream has any number of them. Fit one with "
                "input_length=None."
            )
        self.each_step = self.module.pooling is None
        self.predict = model._decided
        if hasattr(model, "_probabilities"):
            self.predict_proba = model._probabilities
        self._model, self._size = model, model.input_size_
        self._number = model._number_type
        self._vocabulary_size = model._vocabulary_size
        self.rows_are_steps = (
            model._fitted_on_table and model.n_features_in_ == model.input_size_
        )

    def begun(self):
        return stepper(self.module)

    def step(self, x, n):
        if isinstance(x, TokenArray):
            return None
        if self._vocabulary_size is not None:
            return code_step(x, n, self._vocabulary_size)
        x = number_step(x, n, self._size)
        if x is None:
            return None
        if x.dtype != self._number:
            with np.errstate(over="ignore"):
                x = x.astype(self._number)
        if not np.isfinite(x).all():
            row = int(np.argmin(np.isfinite(x).all(axis=1)))
            raise ValueError(
                f"x contains NaN, infinity or a value too large for {self._number!r}: "
                f"stream {row} of {n}. Fill or leave out such steps; the streams have "
                "not moved."
            )
        return x

    def chunk(self, x, n):
        if self._vocabulary_size is not None:
            x = code_rows(x, n, self._vocabulary_size)
        else:
            x = number_rows(x, n, self._size)
        return self._model._read(x, reset=False)


class SeriesInput:
    """Of a fitted RNNForecaster, whose stepper reads values as they come."""

    first_codes = ()
    each_step = False
    rows_are_steps = True

    def __init__(self, model):
        if model._n_exog:
            raise ValueError(
                "this RNNForecaster was fitted with exogenous variables of the steps "
                "ahead, which a stream does not take. Use update(X, exog=...) and "
                "predict(exog=...)."
            )
        self.module, self._network = model.module_, model._series_network
        self._size = model.n_features_in_
        self._has_channels = model._container.has_channels

    def begun(self):
        return self._network.stepper(1)

    def step(self, x, n):
        x = number_step(x, n, self._size)
        if x is None:
            return None
        if np.isinf(x).any():
            raise ValueError(
                f"x contains infinity: stream {np.isinf(x).any(axis=1).argmax()} of "
                f"{n}. Mark missing values as NaN; the streams have not moved."
            )
        return x.astype(np.float64, copy=False)

    def chunk(self, x, n):
        rows = [self.step(row, len(row)) for row in number_rows(x, n, self._size)]
        lengths = np.array([len(row) for row in rows])
        refuse_empty(lengths)
        return Sequences(np.concatenate(rows), np.cumsum(lengths) - lengths, lengths)

    def predict(self, outputs):
        forecasts = outputs[..., outputs.shape[-1] // 2]  # (n, horizon, C)
        return forecasts if self._has_channels else forecasts[..., 0]


class TextInput:
    """Of a fitted SequenceGenerator. Every x is a chunk."""

    first_codes = (START,)
    each_step = False
    rows_are_steps = False

    def __init__(self, model):
        self.module, self._model = model.module_, model

    def begun(self):
        return stepper(self.module)

    def step(self, x, n):
        return None

    def chunk(self, x, n):
        documents = documents_of(x, n, self._model)
        if len(documents) != n:
            raise ValueError(
                f"x has {len(documents)} chunks of text for {n} stream(s). Give one "
                "for each."
            )
        corpus, _ = self._model._read(documents, "x")
        lengths = corpus.lengths - 1
        empty = np.flatnonzero(lengths == 0)
        if len(empty):
            raise ValueError(
                f"x has no token for stream {empty[0]} of {n}. Leave a stream out "
                "while it reads nothing: streams with keys need not go together."
            )
        return Sequences(corpus.codes, corpus.starts + 1, lengths)

    def predict(self, outputs):
        return self._model.classes_[outputs[:, END:].argmax(1)]

    def predict_proba(self, outputs):
        return np.exp(log_softmax(outputs[:, END:]))


class PipelineInput:
    """Of a fitted Pipeline: what its transformers make of each step."""

    def __init__(self, transformers, inner):
        self.module, self.each_step = inner.module, inner.each_step
        self.first_codes, self.predict = inner.first_codes, inner.predict
        if hasattr(inner, "predict_proba"):
            self.predict_proba = inner.predict_proba
        self.begun, self.rows_are_steps = inner.begun, inner.rows_are_steps
        self._inner, self._transformers = inner, transformers
        self._reads_text = isinstance(transformers[0], TokenVectorizer)
        if self._reads_text:
            _refuse_bounds(transformers[0])
        for transformer in transformers[self._reads_text :]:
            _refuse_whole_sequences(transformer, inner)
        if not self._reads_text:
            self._size = transformers[0].n_features_in_

    def step(self, x, n):
        x = None if self._reads_text else number_step(x, n, self._size)
        if x is None:
            return None
        for transformer in self._transformers:
            if not _reads_three_d(transformer):
                x = _dense(transformer.transform(x))
                continue
            steps = x[:, np.newaxis]  # a list, where NaN would be read as padding
            missing = x.dtype.kind == "f" and np.isnan(x).any()
            steps = transformer.transform(list(steps) if missing else steps)
            x = np.asarray(steps)[:, 0]
        return self._inner.step(x, n)

    def chunk(self, x, n):
        if self._reads_text:
            several = hasattr(x, "__iter__") and not isinstance(x, (str, bytes))
            return self._inner.chunk(
                self._transformers[0].transform(x if several else [x]), n
            )
        rows = number_rows(x, n, self._size)
        for transformer in self._transformers:
            if _reads_three_d(transformer):
                rows = transformer.transform(rows)
            else:
                ends = np.cumsum([len(row) for row in rows])
                steps = _dense(transformer.transform(np.concatenate(list(rows))))
                rows = np.split(steps, ends[:-1])
        return self._inner.chunk(rows, n)


def _refuse_bounds(vectorizer):
    """Refuse a vectorizer that does not make of two chunks what it makes of both."""
    if vectorizer.boundaries or vectorizer.max_length is not None:
        what = "boundaries=True" if vectorizer.boundaries else "max_length"
        raise ValueError(
            f"{type(vectorizer).__name__} has {what}, which counts each chunk of a "
            "stream as a whole text. Fit a pipeline with boundaries=False and "
            "max_length=None."
        )


def _refuse_whole_sequences(transformer, inner):
    """Refuse a transformer that is not known to do each step by itself."""
    tags = get_tags(transformer)
    if tags.input_tags.three_d_array:
        return
    known = hasattr(transformer, "n_features_in_") and tags.input_tags.two_d_array
    if not (inner.rows_are_steps and known):
        name = type(transformer).__name__
        raise ValueError(
            f"{name} transforms whole sequences, as rows of a table, and a stream has "
            "only single steps of them. Fit a pipeline with StepwiseTransformer("
            f"{name}(...)), which does each step by itself."
        )


def _reads_three_d(transformer):
    return get_tags(transformer).input_tags.three_d_array


def _dense(X):
    return X.toarray() if sparse.issparse(X) else np.asarray(X)


def number_step(x, n, size):
    """Numbers (n, size), one step of ``n`` streams; None if x is a chunk."""
    x = _as_array(x)
    if x is None or x.ndim > 2:
        return None
    if x.dtype.kind == "O":
        try:
            x = x.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"x cannot be read as numbers ({error}); expected a step of shape "
                f"{(n, size)}."
            ) from error
    if x.dtype.kind not in "biuf":
        hint = f" {TEXT_HINT}" if x.dtype.kind in "SU" else ""
        raise ValueError(f"x has dtype {x.dtype}; expected real numbers.{hint}")
    if x.shape != (n, size):
        if x.ndim > 1 or 1 not in (n, size) or x.size != n * size:
            raise ValueError(
                f"x has the shape {x.shape} for {n} stream(s) of {size} feature(s) a "
                f"step; expected {(n, size)}, or ({n}, n_timesteps, {size}) for a "
                "chunk."
            )
        x = x.reshape(n, size)
    return x


def _as_array(x):
    """An array, or None if x holds arrays of unequal lengths."""
    try:
        x = np.asarray(x)
    except ValueError:
        return None
    ragged = x.dtype.kind == "O" and any(np.ndim(part) for part in x.flat)
    return None if ragged else x


def number_rows(x, n, size):
    """A chunk of numbers as a 3-D array, or a list of (T_i, size)."""
    if len(x) != n:
        raise ValueError(f"x has chunks for {len(x)} streams, expected {n}.")
    if getattr(x, "ndim", None) == 3:
        return x
    rows = [np.asarray(row) for row in x]
    for k, row in enumerate(rows):
        if row.ndim < 2 and row.size == size:
            rows[k] = row.reshape(1, size)
        elif row.ndim != 2:
            raise ValueError(
                f"the chunk of stream {k} has the shape {row.shape}; expected "
                f"(n_timesteps, {size}), or ({size},) for one step."
            )
    return rows


def code_step(x, n, vocabulary_size):
    """Codes (n,), one step of ``n`` streams; None if x is a chunk."""
    x = _as_array(x)
    if x is None or x.ndim > 1:
        return None
    if x.size != n:
        raise ValueError(
            f"x has {x.size} codes for {n} stream(s); expected one for each, or "
            f"({n}, n_timesteps) for a chunk."
        )
    if x.dtype.kind not in "iu":
        hint = f" {TEXT_HINT}" if x.dtype.kind in "SU" else ""
        raise ValueError(
            f"x has dtype {x.dtype}, but the model was fitted on codes; expected "
            f"integers.{hint}"
        )
    if x.min() <= PADDING or x.max() >= vocabulary_size:
        raise ValueError(
            f"x holds the code {x.min() if x.min() <= PADDING else x.max()}; the "
            f"vocabulary has the codes 1..{vocabulary_size - 1}, and {PADDING} is the "
            "padding behind the end of a chunk."
        )
    return x.reshape(n)


def code_rows(x, n, vocabulary_size):
    """A chunk of codes as a TokenArray, or a list of its rows."""
    if isinstance(x, TokenArray) and x.ndim == 1:
        x = x.reshape(1, -1)
    if len(x) != n:
        raise ValueError(f"x has chunks for {len(x)} streams, expected {n}.")
    if isinstance(x, TokenArray):
        return x
    if getattr(x, "ndim", None) == 2:
        return TokenArray(x, vocabulary_size)
    rows = []
    for row in x:
        if not isinstance(row, TokenArray):
            row = TokenArray(np.atleast_1d(row)[None], vocabulary_size)
        rows.append(row[0] if row.ndim == 2 and len(row) == 1 else row)
    return rows


def documents_of(x, n, generator):
    """What each of ``n`` streams is to read, as the generator's coder takes it."""
    coder, vocabulary_size = generator._coder, generator.vocabulary_size_
    if isinstance(coder, CodeCoder):
        rows = code_rows(x if hasattr(x, "__len__") else [x], n, vocabulary_size)
        if isinstance(rows, TokenArray):
            return rows
        codes = np.zeros((n, max(map(len, rows))), dtype=np.int32)
        for k, row in enumerate(rows):
            codes[k, : len(row)] = row
        return TokenArray(codes, vocabulary_size)
    if not isinstance(coder, TokenCoder):
        several = hasattr(x, "__iter__") and not isinstance(x, (str, bytes))
        return list(x) if several else [x]
    if n == 1 and (not _is_list(x) or coder.is_single(x)):
        return [list(x) if _is_list(x) else [x]]
    return [list(part) if _is_list(part) else [part] for part in x]


def _is_list(x):
    """Whether ``x`` is several tokens rather than one, which may be a tuple."""
    return isinstance(x, (list, np.ndarray))
