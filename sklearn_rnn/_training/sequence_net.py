"""The net of RNNClassifier, RNNRegressor and RNNForecaster."""

from collections.abc import Generator
from dataclasses import replace
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_rnn._nn.compiled import can_compile
from sklearn_rnn._nn.sequence import Inputs, States
from sklearn_rnn._nn.states import map_states
from sklearn_rnn._training.batching import (
    move_to,
    pad_batch,
    place_on_gpu,
    predict_batches,
    training_batches,
)
from sklearn_rnn._training.delayed import LEAST_WEIGHTS
from sklearn_rnn._training.examples import Examples
from sklearn_rnn._training.net import RecurrentNet
from sklearn_rnn._training.options import TrainingOptions
from sklearn_rnn._training.processes import ALONE
from sklearn_rnn._training.skorch_callbacks import WITHOUT_EFFECT, is_one_of

HOOKS = (
    *("_forward_pre_hooks", "_forward_hooks"),
    *("_backward_pre_hooks", "_backward_hooks"),
)


class SequenceNet(RecurrentNet):
    """A net that trains on :class:`~sklearn_rnn._training.examples.Examples`.

    If the examples are read in windows, the states are carried from one window to the
    next.
    """

    states: States | None = None

    def _prepare_examples(self, examples: Examples) -> Examples:
        """Return the examples with weights of mean 1, on a GPU if they fit there."""
        examples = examples.normalize_weights(next(self.module_.parameters()).dtype)
        sequences = place_on_gpu(examples.sequences, torch.device(self.device))
        return replace(examples, sequences=sequences)

    def _batches(
        self, examples: Examples, batch_size: int, rng: np.random.Generator
    ) -> Generator[tuple]:
        sequences, weights = examples.sequences, examples.weights
        batches = training_batches(examples.rows, sequences.lengths, batch_size, rng)
        n_windows = sum(int(examples.count_windows(rows).max()) for rows in batches)
        mean_size = examples.n_targets / n_windows
        windows = (
            window for rows in batches for window in examples.split_windows(rows)
        )
        try:
            for rows, start, n_steps in windows:
                lengths = np.minimum(sequences.lengths[rows] - start, n_steps)
                rows = rows[self._choose_columns(lengths, examples.first is not None)]
                inputs = pad_batch(sequences, rows, self.device, start, n_steps)
                index = examples.locate_targets(rows, start, n_steps)
                targets = move_to(self.device, examples.targets[index])
                weight = None if weights is None else weights[index]
                if weight is not None:
                    weight = move_to(self.device, weight)
                continues = None if examples.window is None else start > 0
                yield inputs, targets, weight, mean_size, continues
        finally:
            self.states = None

    def _find_delayed(self) -> nn.Parameter | None:
        """Return the embedding, if it is large and only the network uses it.

        Callbacks and hooks may read or change all weights during an epoch, and other
        processes may have read other rows.
        """
        embedding = getattr(self.module_, "embedding", None)
        if type(embedding) is not nn.Embedding:  # none, or one with parametrizations
            return None
        weight = cast(nn.Parameter, embedding.weight)
        can_delay = (
            weight.numel() >= LEAST_WEIGHTS
            and can_compile(weight)
            and self.processes is ALONE
            and all(is_one_of(c, "skorch", WITHOUT_EFFECT) for _, c in self.callbacks_)
            and not has_hooks(self.module_)
        )
        return weight if can_delay else None

    def _list_codes(self, batch: tuple) -> Tensor:
        return batch[0].values

    def _loss(self, batch: tuple) -> tuple[Tensor, Tensor, float]:
        """Compute the loss of a batch, per target of an average batch.

        Each row or step therefore has the same weight, whatever the size of its batch.
        """
        inputs, targets, weights, mean_size, continues = batch
        outputs = self._read(inputs, continues)
        losses = self.criterion_(outputs, targets)
        losses = losses.mean(1) if losses.ndim > 1 else losses
        loss = losses.mean() if weights is None else (losses * weights).mean()
        return loss * (len(targets) / mean_size), outputs, mean_size

    def _read(self, inputs: Inputs, continues: bool | None) -> Tensor:
        """Compute the outputs of sequences, or of a window (``continues`` is a bool).

        If a window continues the one before, it begins with the states after that one.
        """
        generator = self.dropout_generator
        if continues is None:
            return self.module_(inputs, generator=generator)
        n_sequences, states = inputs.values.shape[1], None
        if continues:
            states = map_states(self.states, lambda state: state[:n_sequences])
        outputs, states = self.module_.predict_steps(inputs, states, generator)
        self.states = map_states(states, Tensor.detach)
        return outputs

    def _record_validation(self, valid: Examples, options: TrainingOptions) -> None:
        outputs = predict_batches(
            self.module_,
            valid.sequences,
            valid.rows,
            options.batch_size,
            self.device,
            each_step=valid.first is not None,
            work=options.operations * int(valid.sequences.lengths[valid.rows].sum()),
        )
        places = valid.locate_all_targets()
        targets = valid.targets[places]
        with torch.inference_mode():
            losses = self.criterion_(outputs, targets)
        losses = losses.mean(1) if losses.ndim > 1 else losses
        weights = None
        if valid.weights is not None:
            weights = valid.weights[places]
            losses = losses * weights / weights.mean()
        loss = losses.mean().item()
        self.history.record("valid_loss", loss)
        assert options.score is not None, "a sequence net does not score itself"
        score = (
            options.score(outputs, targets, weights) if np.isfinite(loss) else np.nan
        )
        self.history.record("valid_score", score)


def has_hooks(module: nn.Module) -> bool:
    """Return whether functions of a user are called when a module or a part is."""
    return nn.modules.module._has_any_global_hook() or any(
        getattr(part, name) for part in module.modules() for name in HOOKS
    )
