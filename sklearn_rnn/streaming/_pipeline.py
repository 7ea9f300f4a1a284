"""Streams of a Pipeline, in which the transformers process each step."""

import numpy as np
from scipy import sparse
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags

from sklearn_rnn._core.fingerprints import digest
from sklearn_rnn.preprocessing._stepwise import StepwiseTransformer
from sklearn_rnn.streaming._adapter import StreamAdapter
from sklearn_rnn.streaming._reading import list_texts, number_rows, number_step
from sklearn_rnn.text._vectorizer import TokenVectorizer


class PipelineStreamAdapter(StreamAdapter):
    """Adapter of a fitted Pipeline: its transformers, then the adapter of its model."""

    def __init__(self, transformers, inner):
        self.module, self.each_step = inner.module, inner.each_step
        self.first_codes = inner.first_codes
        self.rows_are_steps = inner.rows_are_steps
        self.patch_size = inner.patch_size
        self.encoding = inner.encoding + digest(transformers)
        if hasattr(inner, "predict_proba"):
            self.predict_proba = inner.predict_proba
        self._inner, self._transformers = inner, transformers
        self._reads_text = isinstance(transformers[0], TokenVectorizer)
        if self._reads_text:
            _refuse_bounds(transformers[0])
        for transformer in transformers[self._reads_text :]:
            _refuse_whole_sequences(transformer, inner)
        if not self._reads_text:
            self._size = transformers[0].n_features_in_

    def start(self):
        return self._inner.start()

    def predict(self, outputs):
        return self._inner.predict(outputs)

    def step(self, x, n):
        x = None if self._reads_text else number_step(x, n, self._size)
        if x is None:
            return None
        for transformer in self._transformers:
            if not _reads_three_d(transformer):
                x = _dense(transformer.transform(x))
                continue
            steps = x[:, np.newaxis]  # in a 3-D array, NaN would be read as padding
            missing = x.dtype.kind == "f" and np.isnan(x).any()
            steps = transformer.transform(list(steps) if missing else steps)
            x = np.asarray(steps)[:, 0]
        return self._inner.step(x, n)

    def chunk(self, x, n):
        if self._reads_text:
            return self._inner.chunk(self._transformers[0].transform(list_texts(x)), n)
        rows = number_rows(x, n, self._size)
        for transformer in self._transformers:
            if _reads_three_d(transformer):
                rows = transformer.transform(rows)
            else:
                ends = np.cumsum([len(row) for row in rows])
                steps = _dense(transformer.transform(np.concatenate(list(rows))))
                rows = np.split(steps, ends[:-1])
        return self._inner.chunk(rows, n)


def list_transformers(steps):
    """List the transformers of a Pipeline's steps, including nested Pipelines."""
    found = []
    for _, step in steps:
        if isinstance(step, Pipeline):
            found += list_transformers(step.steps)
        elif step not in (None, "passthrough"):
            found.append(step)
    return found


def _refuse_bounds(vectorizer):
    """Raise an error if the codes depend on how a text is split into chunks."""
    if vectorizer.boundaries or vectorizer.max_length is not None:
        what = "boundaries=True" if vectorizer.boundaries else "max_length"
        raise ValueError(
            f"{type(vectorizer).__name__} has {what}, with which each chunk of a "
            "stream would be treated as a whole text. Fit a pipeline with "
            "boundaries=False and max_length=None."
        )


def _refuse_whole_sequences(transformer, inner):
    """Raise an error if a transformer might not transform each step independently.

    The tags of a transformer do not say whether a step depends on other steps of its
    sequence. Of the transformers of sequences, only StepwiseTransformer is accepted.
    """
    if isinstance(transformer, StepwiseTransformer):
        return
    name, tags = type(transformer).__name__, get_tags(transformer)
    if tags.input_tags.three_d_array:
        raise ValueError(
            f"{name} may need whole sequences, but a stream has only the steps so far. "
            "Fit a pipeline with StepwiseTransformer around a transformer of rows, "
            "such as StepwiseTransformer(StandardScaler()), or transform the steps "
            "yourself and open a stream of the model alone."
        )
    known = hasattr(transformer, "n_features_in_") and tags.input_tags.two_d_array
    if not (inner.rows_are_steps and known):
        raise ValueError(
            f"{name} transforms whole sequences, which are rows of a table, but a "
            "stream has only single steps of them. Fit a pipeline with "
            f"StepwiseTransformer({name}(...)), which transforms each step separately."
        )


def _reads_three_d(transformer):
    return get_tags(transformer).input_tags.three_d_array


def _dense(X):
    return X.toarray() if sparse.issparse(X) else np.asarray(X)
