"""The net of classifier, regressor and forecaster: sequences with their targets."""

from collections.abc import Iterator

import torch
from torch import Tensor

from sklearn_rnn._training.batching import pad_batch, predict_batches, training_batches
from sklearn_rnn._training.net import RecurrentNet


class SequenceNet(RecurrentNet):
    """A net that trains on :class:`~sklearn_rnn._training.examples.Examples`."""

    def _prepare_examples(self, examples):
        """Examples as the loop needs them, done once before the first epoch."""
        return examples.of_mean_one(next(self.module_.parameters()).dtype)

    def _batches(self, examples, batch_size, rng) -> Iterator[tuple]:
        sequences, weights = examples.sequences, examples.weights
        for rows in training_batches(examples.rows, sequences.lengths, batch_size, rng):
            inputs = pad_batch(sequences, rows, self.device)
            index = examples.places(rows)
            targets = examples.targets[index].to(self.device)
            weight = None if weights is None else weights[index].to(self.device)
            yield inputs, targets, weight

    def _loss(self, batch) -> tuple[Tensor, Tensor, int]:
        """The mean loss of a batch, the outputs, and over how many rows it is taken."""
        inputs, targets, weights = batch
        outputs = self.module_(inputs, generator=self.dropout_generator)
        losses = self.criterion_(outputs, targets)
        losses = losses.mean(1) if losses.ndim > 1 else losses
        loss = losses.mean() if weights is None else (losses * weights).mean()
        return loss, outputs, len(targets)

    def _record_validation(self, valid, options):
        outputs = predict_batches(
            self.module_,
            valid.sequences,
            valid.rows,
            options.batch_size,
            self.device,
            each_step=valid.first is not None,
        )
        places = valid.all_places()
        targets = valid.targets[places]
        with torch.inference_mode():
            losses = self.criterion_(outputs, targets)
        losses = losses.mean(1) if losses.ndim > 1 else losses
        weights = None
        if valid.weights is not None:
            weights = valid.weights[places]
            losses = losses * weights / weights.mean()
        self.history.record("valid_loss", losses.mean().item())
        self.history.record("valid_score", options.score(outputs, targets, weights))
