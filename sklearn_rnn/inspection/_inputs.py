"""What the network of a fitted model reads, as arrays with labels of the steps."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sklearn_rnn._core.drafts import snapshot
from sklearn_rnn._data.containers import unwrap_documents
from sklearn_rnn._data.sequences import Sequences
from sklearn_rnn._data.tokens import END, RESERVED, START, TokenArray
from sklearn_rnn.inspection._models import find_best_estimator
from sklearn_rnn.inspection._steps import (
    name_tokens,
    read_steps,
    refuse_texts,
    restore_case,
    split_pipeline,
)
from sklearn_rnn.text._vectorizer import TokenVectorizer


@dataclass(frozen=True)
class NetworkInput:
    """One sequence as input of a network.

    Step t of the sequence is read at step ``(t + first) // patch_size`` of the network.
    """

    module: Any
    values: np.ndarray  # numbers (T, F) of the type of the network, or codes (T,)
    labels: list[str] | None  # of the steps of the network; None for numbers
    kind: str  # what ``values`` are, for people
    n_steps: int  # of the sequence
    first: int = 0
    patch_size: int = 1

    def locate(self, t: int) -> int:
        """Return the step of the network that reads step t; a ValueError without."""
        step = (t + self.first) // self.patch_size
        if step < 0:
            raise ValueError(
                f"the network does not read the first {-self.first} steps of the "
                f"series, of which differences are taken; got t={t}."
            )
        return step

    @property
    def shown(self) -> slice:
        """The steps of the network that read steps of the sequence."""
        return slice(max(self.first, 0), None)


@dataclass(frozen=True)
class SequenceSet:
    """Sequences of a container, as the final model of a Pipeline reads them."""

    model: Any
    values: list[np.ndarray]  # (T_i, F) numbers in the unit of X, or codes (T_i,)
    labels: list[list[str]] | None  # tokens; None for numbers
    sequences: Sequences | None  # the container; None for a generator


def read_input(estimator: Any, sequence: Any) -> NetworkInput:
    """Read one sequence, alone or in a container, as input of the network."""
    model, steps, tokens = read_steps(estimator, sequence)
    model = snapshot(model)
    if hasattr(model, "generate"):
        return _encode_text(model, steps)
    if hasattr(model, "input_size_"):
        return _encode_sequence(model, steps, tokens)
    return _encode_series(model, steps)


def _encode_sequence(model, steps, tokens):
    """The input of a classifier's or regressor's network."""
    steps = np.asarray(steps)
    size = model._vocabulary_size
    lengths = np.array([len(steps)])
    given = Sequences(steps, np.zeros(1, dtype=np.int64), lengths, size)
    encoded = model._inputs.encode(given)
    patch = model._inputs.patch_size
    if size is not None:
        labels = [str(code) for code in steps] if tokens is None else tokens
        return NetworkInput(model.module_, encoded.values, labels, "code", len(steps))
    kind = "standardized input" if model._inputs.scaling is not None else "input"
    if patch > 1:
        kind += f", a patch of {patch} steps"
    return NetworkInput(
        model.module_, encoded.values, None, kind, len(steps), patch_size=patch
    )


def _encode_text(model, tokens):
    """The input of a generator's network, which reads a start code first."""
    return _encode_codes(model, *encode_tokens(model._codec, tokens))


def _encode_codes(model, codes, labels):
    """The start code and the codes of a text."""
    return NetworkInput(
        model.module_,
        np.concatenate([[START], codes]),
        [RESERVED[START], *labels],
        "code",
        len(codes),
        first=1,
    )


def _encode_series(model, series):
    """The input of a forecaster's network."""
    encoding = model._encoding
    if encoding.n_exog:
        raise ValueError(
            "this RNNForecaster was fitted with exogenous or calendar variables, which "
            "are not supported here. Fit one without them."
        )
    (values,) = model._read_series(series).values
    features, _ = next(iter(encoding.baseline.encode([values])))
    missing = np.isnan(values[encoding.lag :])
    inputs = encoding.make_inputs(features, missing, None).astype(model._number_type)
    kind = "features of the series"
    return NetworkInput(
        model.module_, inputs, None, kind, len(values), first=-encoding.lag
    )


def encode_tokens(codec, document):
    """Codes of a document without start and end, and names of its tokens."""
    if codec.vectorizer is None:
        if not isinstance(document, Iterable):
            raise TypeError(f"expected a list of tokens, got {document!r}.")
        tokens = [getattr(token, "item", lambda t=token: t)() for token in document]
        if codec.end_name == END:
            size = getattr(document, "vocabulary_size", None) or codec.vocabulary_size
            _, codes = codec.encode(TokenArray([tokens], size))
            return codes.astype(np.int64), [str(code) for code in codes]
        document = list(tokens)
    found: list = []
    _, codes = codec.encode([document], lambda text, tokens: found.extend(tokens))
    codes = codes.astype(np.int64)
    if len(found) != len(codes):
        names = [*RESERVED, *codec.names]
        found = [names[code] for code in codes]
    return codes, [str(token) for token in restore_case(document, found)]


def read_sequences(estimator: Any, X: Any) -> SequenceSet:
    """Read all sequences of X as the model at the end of a Pipeline reads them."""
    transformers, model = split_pipeline(find_best_estimator(estimator))
    model = snapshot(model)
    if hasattr(model, "generate"):
        pairs = [
            encode_tokens(model._codec, document)
            for document in _list_documents(model._codec, X)
        ]
        codes, names = (list(part) for part in zip(*pairs, strict=True))
        return SequenceSet(model, codes, names, None)
    if not hasattr(model, "transform_sequences"):
        raise TypeError(
            f"{type(model).__name__} does not read sequences as a whole; expected a "
            "fitted RNNClassifier, RNNRegressor or SequenceGenerator, or a Pipeline "
            "that ends in one."
        )
    documents: list = []
    for transformer in transformers:
        is_vectorizer = isinstance(transformer, TokenVectorizer)
        if is_vectorizer:
            documents = list(unwrap_documents(X))
            refuse_single_text(X)
        X = transformer.transform(X)
    sequences = model._read(X, reset=False)
    places = zip(sequences.starts, sequences.lengths, strict=True)
    values = [sequences.values[start : start + n] for start, n in places]
    labels: list | None = None
    if sequences.vocabulary_size is not None:
        labels = [[str(code) for code in codes] for codes in values]
        if transformers and isinstance(transformers[-1], TokenVectorizer):
            labels = [
                name_tokens(transformers[-1], document, codes)
                for document, codes in zip(documents, values, strict=True)
            ]
    sequences = replace(sequences, vocabulary_size=model._vocabulary_size)
    return SequenceSet(model, values, labels, sequences)


def read_inputs(estimator: Any, X: Any) -> list[NetworkInput]:
    """Read all sequences of X as input of the network."""
    _, model = split_pipeline(find_best_estimator(estimator))
    if hasattr(model, "backtest"):
        model = snapshot(model)
        return [
            _encode_series(model, values) for values in model._read_series(X).values
        ]
    given = read_sequences(estimator, X)
    labels: list = given.labels or [None] * len(given.values)
    if given.sequences is None:
        return [
            _encode_codes(given.model, codes, names)
            for codes, names in zip(given.values, labels, strict=True)
        ]
    return [
        _encode_sequence(given.model, values, names)
        for values, names in zip(given.values, labels, strict=True)
    ]


def refuse_single_text(X):
    """Raise an error for a text, whose characters would be read as documents."""
    if isinstance(X, (str, bytes)):
        raise ValueError(
            f"X is a single text: {X[:40]!r}. Put it into a list to explain it: [text]."
        )


def _list_documents(codec, X):
    """The documents of X; a single text or list of tokens is one document."""
    X = unwrap_documents(X)
    if not isinstance(X, (str, bytes, TokenArray)):
        X = list(X)
    documents = codec.list_prompts(X)
    if codec.vectorizer is not None:
        for document in documents:
            refuse_texts(document, codec.vectorizer)
    if not len(documents):
        raise ValueError("X contains no document. Pass at least one.")
    return documents
