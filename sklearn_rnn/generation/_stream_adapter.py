"""Streams of SequenceGenerator."""

import numpy as np

from sklearn_rnn._core.fingerprints import digest
from sklearn_rnn._data.sequences import Sequences
from sklearn_rnn._data.tokens import END, START, TokenArray
from sklearn_rnn.generation._language_model import compute_log_proba, encode_known
from sklearn_rnn.streaming._adapter import StreamAdapter
from sklearn_rnn.streaming._reading import code_rows, list_texts
from sklearn_rnn.text._codecs import CodeCodec, TokenCodec


class TextStreamAdapter(StreamAdapter):
    """Streams of a language model. Each x is a chunk of text."""

    first_codes = (START,)

    def __init__(self, model):
        self.module, self._model = model.module, model
        self.encoding = digest([model.classes, model.codec.vectorizer])

    def step(self, x, n):
        return None

    def chunk(self, x, n):
        documents = split_chunks(x, n, self._model.codec)
        if len(documents) != n:
            raise ValueError(
                f"x has {len(documents)} chunks of text for {n} stream(s). Pass one "
                "chunk per stream."
            )
        corpus, _ = encode_known(self._model.codec, documents, "x")
        lengths = corpus.lengths - 1
        empty = np.flatnonzero(lengths == 0)
        if len(empty):
            raise ValueError(
                f"x has no token for stream {empty[0]} of {n}. Pass at least one token "
                "per stream, or use streams with keys, where a call can leave out "
                "streams."
            )
        return Sequences(corpus.codes, corpus.starts + 1, lengths)

    def predict(self, outputs):
        return self._model.classes[outputs[:, END:].argmax(1)]

    def predict_proba(self, outputs):
        return np.exp(compute_log_proba(outputs))


def split_chunks(x, n, codec):
    """Split x into one chunk for each of ``n`` streams, as documents of a codec."""
    if isinstance(codec, CodeCodec):
        rows = code_rows(x if hasattr(x, "__len__") else [x], n, codec.vocabulary_size)
        if isinstance(rows, TokenArray):
            return rows
        codes = np.zeros((n, max(map(len, rows))), dtype=np.int32)
        for k, row in enumerate(rows):
            codes[k, : len(row)] = row
        return TokenArray(codes, codec.vocabulary_size)
    if not isinstance(codec, TokenCodec):
        return list_texts(x)
    if n == 1 and (not _is_list(x) or codec.is_single(x)):
        return [list(x) if _is_list(x) else [x]]
    return [list(part) if _is_list(part) else [part] for part in x]


def _is_list(x):
    """Return whether ``x`` is a list of tokens, not one token, which may be a tuple."""
    return isinstance(x, (list, np.ndarray))
