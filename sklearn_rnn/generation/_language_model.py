"""A trained network together with the codec of its texts."""

import hashlib
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from torch import Tensor

from sklearn_rnn._core.drafts import snapshot
from sklearn_rnn._core.memory import explain_prediction_memory
from sklearn_rnn._core.scalars import check_integer
from sklearn_rnn._core.threads import limit_threads
from sklearn_rnn._core.user_warnings import warn_user
from sklearn_rnn._data.containers import unwrap_documents
from sklearn_rnn._data.tokens import END, UNKNOWN
from sklearn_rnn._nn.functional import check_outputs, log_softmax
from sklearn_rnn._nn.language import LanguageNetwork
from sklearn_rnn._nn.steppers import Stepper, make_stepper
from sklearn_rnn._training.corpus import Corpus, make_corpus
from sklearn_rnn.generation._copies import CopyLimit, TrainingText
from sklearn_rnn.generation._net import read_corpus, token_losses
from sklearn_rnn.generation._sampling import Continuation
from sklearn_rnn.generation._spelling import Spelling
from sklearn_rnn.text._codecs import Codec


class Reading(NamedTuple):
    """Outputs and states of the network after it has read some texts."""

    outputs: Tensor  # (n_texts, H), of the last layer
    states: list[list[Any]]  # of every layer
    corpus: Corpus  # the texts
    n_known: np.ndarray  # (n_texts,), number of known tokens of each text


class Start(NamedTuple):
    """Prompts that were read, and from which texts can be continued."""

    is_single: bool  # whether the user gave one prompt rather than a list
    stepper: Stepper
    logits: np.ndarray  # (n_texts, V), of the next code
    texts: list[Continuation]


@dataclass(frozen=True, eq=False)
class LanguageModel:
    """A trained network, the codec of its texts, and its spelling model.

    A later fit of the generator does not change it.
    """

    module: LanguageNetwork
    codec: Codec
    spelling: Spelling | None
    dropped_share: float | None  # None unless the vectorizer drops unknown tokens
    work: int  # multiply-adds per step of one text
    batch_size: int  # of the training
    training_text: TrainingText | None  # None unless keep_text=True

    @classmethod
    def of(cls, generator: Any) -> Self:
        """Return the current model of a fitted SequenceGenerator."""
        check_is_fitted(generator)
        now = snapshot(generator)
        return cls(
            now.module_,
            now._codec,
            now._spelling,
            now._dropped_share,
            now._count_operations(1),
            now.batch_size,
            getattr(now, "_training_text", None),  # models of version 0.1 have none
        )

    @property
    def classes(self) -> np.ndarray:
        """The end and the tokens, in the order of their codes."""
        return self.codec.classes

    def threads(self, n_texts: int) -> AbstractContextManager:
        """Return a context with the number of threads for a step of ``n_texts``.

        It is 1 if it is 1 in training, so that scores in a search do not depend on the
        number of threads of its jobs.
        """
        return limit_threads(min(n_texts, self.batch_size) * self.work)

    @contextmanager
    def _reading(self, corpus: Corpus) -> Iterator[None]:
        """Return the context in which the network reads a corpus."""
        n = len(corpus.lengths)
        with (
            self.threads(n),
            explain_prediction_memory(n, int(corpus.lengths.max())),
        ):
            yield

    def read(self, prefixes: Any) -> Reading:
        """Read one or several texts, each from its beginning."""
        return self._read_documents(self._list_prompts(prefixes)[1])

    def encode_one(self, text: Any) -> list[int]:
        """Encode one text without start and end."""
        is_single, documents = self._list_prompts(text)
        if not is_single:
            raise ValueError(f"expected one text, got {len(documents)} texts.")
        return self.codec.encode(documents)[1].tolist()

    def predict_proba(self, prefixes: Any) -> np.ndarray:
        """Predict probabilities (n_texts, n_classes) of the next token of each text."""
        return np.exp(compute_log_proba(self._logits(self.read(prefixes))))

    def start(self, prompt: Any) -> Start:
        """Read one or several prompts, so that they can be continued."""
        is_single, prompts = self._list_prompts(prompt)
        reading = self._read_documents(prompts)
        texts = [Continuation(codes) for codes in list_codes(reading.corpus)]
        for k, text in enumerate(texts):
            if not reading.n_known[k] and (text.prompt or self._has_token(prompts[k])):
                raise ValueError(
                    f"prompt {k} contains no token that the model knows: "
                    f"{prompts[k]!r}. Pass a prompt of known tokens (classes_ lists "
                    "them), or an empty prompt."
                )
        return Start(
            is_single,
            make_stepper(self.module, reading.states),
            self._logits(reading),
            texts,
        )

    def token_losses(self, corpus: Corpus) -> np.ndarray:
        """Compute minus log-probabilities in nats, (n_steps,), of codes of a corpus."""
        with self._reading(corpus):
            losses = token_losses(self.module, corpus)
        check_outputs(losses, np.repeat(np.arange(len(corpus.lengths)), corpus.lengths))
        return losses

    def limit_copies(self, n_tokens: int | None) -> CopyLimit | None:
        """Return the limit that the option ``max_copy`` sets."""
        if n_tokens is None:
            return None
        n_tokens = check_integer("max_copy", n_tokens, minimum=1)
        return CopyLimit(self.require_training_text(), n_tokens)

    def require_training_text(self) -> TrainingText:
        """Return the training text, or raise an error if it was not kept."""
        if self.training_text is None:
            raise ValueError(
                "the training text was not kept, so copies of it cannot be found. Fit "
                "with SequenceGenerator(keep_text=True)."
            )
        return self.training_text

    def fingerprint(self) -> str:
        """Compute a hash of the vocabulary and the weights."""
        found = hashlib.sha256(repr(list(self.classes)).encode("utf-8"))
        for name, value in self.module.state_dict().items():
            found.update(name.encode())
            found.update(value.detach().cpu().numpy().tobytes())
        return found.hexdigest()

    def _has_token(self, document: Any) -> bool:
        """Return whether a document has a token, in the vocabulary or not."""
        tokens: list[Hashable] = []
        if self.codec.vectorizer is not None:
            self.codec.encode([document], lambda text, found: tokens.extend(found))
        return bool(tokens)

    def _list_prompts(self, prompt):
        """Return whether a single prompt is passed, and the list of prompts."""
        prompt = unwrap_documents(prompt)
        if not hasattr(prompt, "__iter__"):
            raise TypeError(
                f"the prompt is {prompt!r} of type {type(prompt).__name__}; expected "
                "the kind of document that the generator was fitted on, or a list of "
                "such documents."
            )
        prompt = list(prompt) if hasattr(prompt, "__next__") else prompt
        return self.codec.is_single(prompt), self.codec.list_prompts(prompt)

    def _read_documents(self, documents):
        corpus, n_known = encode_known(self.codec, documents, "the text")
        with self._reading(corpus):
            outputs, states = read_corpus(self.module, corpus)
        check_outputs(outputs.float().cpu().numpy(), np.arange(len(outputs)))
        return Reading(outputs, states, corpus, n_known)

    @torch.inference_mode()
    def _logits(self, reading):
        """Compute logits (n_texts, V) of the next code of each text."""
        logits = self.module.logits(reading.outputs).cpu().numpy()
        check_outputs(logits, np.arange(len(logits)))
        return logits


def list_codes(corpus: Corpus) -> list[list[int]]:
    """List the codes of each document, without start and end."""
    return [
        corpus.codes[start + 1 : start + length].tolist()
        for start, length in zip(corpus.starts, corpus.lengths, strict=True)
    ]


def compute_log_proba(logits: np.ndarray) -> np.ndarray:
    """Compute log-probabilities (..., n_classes) of classes from logits (..., V)."""
    return log_softmax(logits[..., END:])


def encode_known(
    codec: Codec, documents: Iterable[Any], where: str
) -> tuple[Corpus, np.ndarray]:
    """Encode documents; return their corpus and the number of known tokens of each.

    If there are unknown tokens, a warning lists them and calls the documents ``where``.
    """
    unknown: Counter[Hashable] = Counter()

    def watch(text, tokens):
        unknown.update(token for token in tokens if token not in codec.code_of)

    lengths, flat = codec.encode(documents, watch)
    if not len(lengths):
        raise ValueError(f"{where} contains no document. Pass at least one.")
    if unknown:
        shown = ", ".join(repr(token) for token in list(unknown)[:5])
        warn_user(
            f"{where} has {unknown.total()} token(s) that the model does not know: "
            f"{shown}{' ...' if len(unknown) > 5 else ''}. They are read as unknown "
            "tokens."
        )
    owners = np.repeat(np.arange(len(lengths)), lengths)
    n_known = np.bincount(owners[flat != UNKNOWN], minlength=len(lengths))
    return make_corpus(lengths, flat), n_known
