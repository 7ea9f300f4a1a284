"""Training of the network of a translator on pairs of sequences."""

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from sklearn_rnn._data.sequences import Sequences
from sklearn_rnn._training.batching import (
    move_to,
    pad_batch,
    prediction_batches,
    training_batches,
)
from sklearn_rnn._training.corpus import Corpus, Window, gather_window
from sklearn_rnn._training.holdout import split_rows
from sklearn_rnn._training.net import RecurrentNet
from sklearn_rnn._training.processes import ALONE


@dataclass(frozen=True)
class Pairs:
    """Pairs of sources and targets, of which only ``rows`` are used."""

    sources: Sequences
    targets: Corpus
    rows: np.ndarray

    @property
    def longest(self) -> int:
        """Number of steps of the longest of the pairs, source and target together."""
        lengths = self.sources.lengths + self.targets.lengths
        return int(lengths[self.rows].max())

    def split(self, fraction: Any, rng: np.random.Generator) -> tuple["Pairs", "Pairs"]:
        """Split into training and validation pairs; ``fraction`` may be a splitter."""
        train, valid = split_rows(self.rows, fraction, rng)
        return replace(self, rows=train), replace(self, rows=valid)

    def gather_batch(self, rows: np.ndarray, device: torch.device) -> tuple:
        """Return inputs, target codes (T, B), next codes, and which codes are valid.

        The last one is on the CPU; None means all.
        """
        lengths = self.targets.lengths[rows]
        window = Window(self.targets.starts[rows], lengths, np.ones(len(rows), bool))
        codes, next_codes, valid = gather_window(self.targets, window)
        return (
            pad_batch(self.sources, rows, device),
            move_to(device, codes),
            move_to(device, next_codes),
            None if valid is None else torch.from_numpy(valid),
        )


class TranslationNet(RecurrentNet):
    """A net that learns to predict each code of a target from the previous codes.

    A fraction ``sampling_rate`` of the previous codes is replaced by predictions of the
    net (scheduled sampling, Bengio et al., 2015, in two parallel passes as in Mihaylova
    and Martins, 2019). ``stop_on`` is the quantity that early stopping monitors, "loss"
    or "accuracy".
    """

    def __init__(
        self, *args, sampling_rate=0.0, label_smoothing=0.0, stop_on="loss", **kwargs
    ):
        super().__init__(*args, **kwargs)
        self.sampling_rate = sampling_rate
        self.label_smoothing = label_smoothing
        self.stop_on = stop_on

    def _batches(self, pairs, batch_size, rng) -> Generator[tuple]:
        if self.processes is not ALONE:
            raise ValueError(
                "a SequenceTranslator cannot be trained by several processes. Call fit "
                "outside of distribute_training(). The estimator is unchanged."
            )
        lengths = pairs.sources.lengths + pairs.targets.lengths
        batches = training_batches(pairs.rows, lengths, batch_size, rng)
        mean_size = int(pairs.targets.lengths[pairs.rows].sum()) / len(batches)
        for rows in batches:
            yield *pairs.gather_batch(rows, self.device), mean_size

    def _loss(self, batch):
        """Compute the loss of a batch, divided by the mean number of codes per batch.

        Each code thus has the same weight in a small batch as in a large one.
        """
        inputs, codes, next_codes, valid, mean_size = batch
        if self.sampling_rate:
            codes = self._mix_in_predictions(inputs, codes)
        logits = self.module_(inputs, codes, self.dropout_generator).flatten(0, 1)
        next_codes = next_codes.flatten()
        if valid is not None:
            places = move_to(self.device, torch.nonzero(valid.flatten())[:, 0])
            logits, next_codes = logits.index_select(0, places), next_codes[places]
        loss = F.cross_entropy(
            logits, next_codes, reduction="sum", label_smoothing=self.label_smoothing
        )
        return loss / mean_size, logits, mean_size

    @torch.no_grad()
    def _mix_in_predictions(self, inputs, codes):
        """Replace a fraction of the codes (T, B) by predictions of the net."""
        self.module_.eval()
        predicted = self.module_(inputs, codes).argmax(2)  # (T, B), next codes
        self.module_.train()
        is_replaced = torch.empty_like(codes, dtype=torch.float32)
        is_replaced.bernoulli_(self.sampling_rate, generator=self.dropout_generator)
        predicted = torch.cat([codes[:1], predicted[:-1]])  # keeps the start code
        return torch.where(is_replaced.bool(), predicted, codes)

    @torch.inference_mode()
    def _record_validation(self, valid, options):
        losses, is_right = [], []
        lengths = valid.sources.lengths
        for rows in prediction_batches(valid.rows, lengths, options.batch_size):
            batch = valid.gather_batch(rows, self.device)
            inputs, codes, next_codes, is_valid = batch
            logits = self.module_(inputs, codes)
            loss = F.cross_entropy(
                logits.flatten(0, 1), next_codes.flatten(), reduction="none"
            ).view_as(next_codes)
            is_wrong = logits.argmax(2) != next_codes
            if is_valid is not None:
                is_valid = is_valid.to(self.device)
                loss, is_wrong = loss[is_valid], is_wrong & is_valid
            losses.append(loss.flatten())
            is_right.append(~is_wrong.any(0))
        mean_loss = torch.cat(losses).mean().item()
        accuracy = torch.cat(is_right).double().mean().item()
        watched = mean_loss if self.stop_on == "loss" else 1 - accuracy
        self.history.record("valid_loss", watched)
        self.history.record("valid_score", accuracy)
