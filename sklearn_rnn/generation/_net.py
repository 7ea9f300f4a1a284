"""Training of a generator's network on a corpus, and reading of texts with it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_rnn._nn.language import LanguageNetwork, compute_step_losses
from sklearn_rnn._nn.states import join_states, map_states
from sklearn_rnn._training.batching import move_to
from sklearn_rnn._training.corpus import (
    Corpus,
    Window,
    gather_window,
    overlapping_windows,
    tbptt_windows,
)
from sklearn_rnn._training.holdout import split_rows
from sklearn_rnn._training.net import RecurrentNet

# Largest sizes of one batch when a trained network reads a corpus.
MAX_LOGITS, MAX_DOCUMENTS, MAX_STEPS = 2**22, 256, 2**12


@dataclass(frozen=True)
class TextExamples:
    """A training corpus, and how it is cut into windows."""

    corpus: Corpus
    window: int
    step: int | None = None

    @property
    def longest(self) -> int:
        """Number of steps of the longest window."""
        return min(self.window, int(self.corpus.lengths.max()))

    def windows(self, batch_size: int, rng: np.random.Generator) -> Iterator[Window]:
        """Yield the windows of one epoch."""
        if self.step is None:
            return tbptt_windows(self.corpus, self.window, batch_size, rng)
        return overlapping_windows(self.corpus, self.window, self.step, batch_size, rng)


def split_corpus(
    corpus: Corpus, fraction: Any, rng: np.random.Generator
) -> tuple[Corpus, Corpus]:
    """Split a corpus into a training and a validation part.

    The validation part consists of some of the documents, or of the end of a single
    document. ``fraction`` is its share of the data, or a splitter.
    """
    rows = np.arange(len(corpus.lengths))
    if len(rows) == 1 and not hasattr(fraction, "split"):
        n_valid = int(np.ceil(fraction * corpus.n_steps))
        if n_valid >= corpus.n_steps:
            raise ValueError(
                f"validation_fraction={fraction} of {corpus.n_steps} steps leaves no "
                "step to train on. Pass more text, or set early_stopping=False."
            )
        return corpus.cut(n_valid)
    train, valid = split_rows(rows, fraction, rng)
    return corpus.part(train), corpus.part(valid)


class LanguageNet(RecurrentNet):
    """A net that learns to predict each code of a text.

    The state is carried from one window to the next.
    """

    def _batches(self, text, batch_size, rng):
        self.states = None
        windows = list(text.windows(batch_size, rng))
        n_steps = sum(int(window.lengths.sum()) for window in windows)
        mean_size = n_steps / len(windows)
        try:
            for window in windows:
                window = window.select(self._choose_columns(window.lengths))
                inputs, targets, valid = gather_window(text.corpus, window)
                yield (
                    move_to(self.device, inputs),
                    move_to(self.device, targets),
                    None if valid is None else move_to(self.device, valid),
                    window.fresh,
                    mean_size,
                )
        finally:
            self.states = None

    def _loss(self, batch):
        """Compute the loss of a batch, divided by the mean number of steps per batch.

        Each step thus has the same weight in a small batch as in a large one.
        """
        inputs, targets, valid, fresh, mean_size = batch
        states = self._carry_states(fresh)
        logits, states = self.module_(inputs, states, self.dropout_generator)
        self.states = map_states(states, Tensor.detach)
        losses = compute_step_losses(logits, targets)
        if valid is not None:  # losses[valid] would wait for a GPU
            losses = losses.masked_fill(~valid, 0)
        return losses.sum() / mean_size, logits, mean_size

    def _carry_states(self, fresh):
        """Return the states after the last window, with zeros in ``fresh`` columns.

        ``fresh`` (B,) marks columns that start a document or follow a cut.
        """
        if self.states is None or fresh.all():
            return None
        states = slice_states(self.states, slice(len(fresh)))
        if not fresh.any():
            return states
        keep = move_to(self.device, ~fresh)
        return map_states(states, lambda s: s * keep.view(-1, *[1] * (s.ndim - 1)))

    def _record_validation(self, valid, options):
        loss = float(token_losses(self.module_, valid.corpus).mean())
        self.history.record("valid_loss", loss)
        self.history.record("valid_score", -loss / math.log(2))


def slice_states(states: Any, rows: slice) -> Any:
    """Select the states of some sequences."""
    return map_states(states, itemgetter(rows))


def token_losses(module: LanguageNetwork, corpus: Corpus) -> np.ndarray:
    """Compute minus the log-probability in nats of each code, given those before it.

    The result has the shape (n_steps,), one document after the other. The state is zero
    at the start of each document.
    """
    losses = np.empty(corpus.n_steps)
    places = np.cumsum(corpus.lengths) - corpus.lengths
    for batch in _batches_by_length(corpus):
        starts, lengths = corpus.starts[batch], corpus.lengths[batch]
        states, t = None, 0
        while t < lengths[0]:
            width = int(np.count_nonzero(lengths > t))
            chunk = 1 + MAX_LOGITS // int(width * module.head.out_features)
            steps = np.minimum(chunk, lengths[:width] - t)
            window = Window(starts[:width] + t, steps, np.zeros(width, dtype=bool))
            values, states = _window_losses(module, corpus, window, states)
            for column, n_steps in enumerate(steps):
                place = places[batch[column]] + t
                losses[place : place + n_steps] = values[:n_steps, column]
            t += chunk
    return losses


@torch.inference_mode()
def _window_losses(module, corpus, window, states):
    """Compute the losses (T, B) of a window, and the states after it.

    The window continues the first columns of ``states``.
    """
    device = next(module.parameters()).device
    inputs, targets, _ = gather_window(corpus, window)
    if states is not None:
        states = slice_states(states, slice(len(window.starts)))
    logits, states = module(torch.from_numpy(inputs).to(device), states)
    losses = compute_step_losses(logits, torch.from_numpy(targets).to(device))
    return losses.cpu().numpy(), states


@torch.inference_mode()
def read_corpus(
    module: LanguageNetwork, corpus: Corpus
) -> tuple[Tensor, list[list[Any]]]:
    """Read the start code and the tokens of each document of a corpus.

    Returns the last outputs (n, H) and the states. Documents are not padded: a document
    that ends is removed from its batch.
    """
    device = next(module.parameters()).device
    parts, order = [], []
    for batch in _batches_by_length(corpus):
        starts, lengths = corpus.starts[batch], corpus.lengths[batch]
        states, t = None, 0
        while len(starts):
            n_steps = min(lengths[-1] - t, MAX_STEPS)
            index = starts + t + np.arange(n_steps)[:, None]
            codes = torch.from_numpy(corpus.codes[index].astype(np.int64))
            outputs, states = module.read(codes.to(device), states)
            t += n_steps
            left = np.count_nonzero(lengths > t)
            ended = slice_states(states, slice(left, None))
            parts.append([[outputs[-1, left:]], *ended])
            states = slice_states(states, slice(left))
            order.append(batch[left : len(starts)])
            starts, lengths = starts[:left], lengths[:left]
    back = torch.from_numpy(np.argsort(np.concatenate(order))).to(device)
    [[outputs], *states] = join_states(parts, lambda tensors: torch.cat(tensors)[back])
    return outputs, states


def _batches_by_length(corpus):
    """Sort the rows of a corpus by length, longest first, and split them in batches."""
    rows = np.argsort(-corpus.lengths, kind="stable")
    return np.split(rows, range(MAX_DOCUMENTS, len(rows), MAX_DOCUMENTS))
