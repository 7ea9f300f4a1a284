"""Class weights, which are learned from the training rows and used in the loss."""

from typing import Any

import numpy as np
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import Tensor, nn

from sklearn_rnn._training.examples import Examples


def learn_class_weights(
    class_weight: Any, classes: np.ndarray, train: Examples
) -> np.ndarray:
    """Return weights (n_classes,), or (n_labels, 2) for absence and presence of labels.

    Their mean over the training rows is 1.
    """
    places = train.locate_all_targets()
    targets, sample_weight = train.targets[places].numpy(), None
    if train.weights is not None:
        sample_weight = train.weights[places].numpy()
        targets = targets[sample_weight > 0]
        sample_weight = sample_weight[sample_weight > 0]
    if targets.ndim == 1:
        by_class = _weigh_classes(class_weight, classes, targets, sample_weight)
    else:
        by_class = _weigh_labels(class_weight, targets, sample_weight)
    if not (np.isfinite(by_class).all() and by_class.min() >= 0):
        raise ValueError(
            f"class_weight={class_weight!r} contains a weight that is negative or not "
            "finite. Set weights of 0 or more."
        )
    weights = look_up_weights(by_class, targets)
    if not weights.any():
        raise ValueError(
            f"class_weight={class_weight!r} gives all classes of y a weight of 0. Set "
            "a weight above 0 for at least one class."
        )
    largest = weights.max()
    means = np.average(weights / largest, axis=0, weights=sample_weight)
    return by_class / largest / means.mean()


def _weigh_classes(
    class_weight: Any,
    classes: np.ndarray,
    codes: np.ndarray,
    sample_weight: np.ndarray | None,
) -> np.ndarray:
    """Return the weight of each class, "balanced" or from a dict with default 1."""
    if isinstance(class_weight, str):
        counts = np.bincount(codes, sample_weight, minlength=len(classes))
        present = counts > 0
        weights = np.ones(len(classes))
        weights[present] = counts.sum() / (present.sum() * counts[present])
        return weights
    if not isinstance(class_weight, dict):
        raise ValueError(
            "class_weight is a list, but y has one label per row. Set it to a dict "
            f"that maps the classes {classes.tolist()} to their weights."
        )
    return compute_class_weight(class_weight, classes=classes, y=classes)


def _weigh_labels(
    class_weight: Any, indicators: np.ndarray, sample_weight: np.ndarray | None
) -> np.ndarray:
    """Return the weights of absence and presence of each label."""
    n_labels = indicators.shape[1]
    if isinstance(class_weight, str):
        class_weight = [class_weight] * n_labels
    if not isinstance(class_weight, list) or len(class_weight) != n_labels:
        raise ValueError(
            f"class_weight={class_weight!r}, but y is an indicator matrix of "
            f'{n_labels} labels. Pass "balanced" or a list with one dict per label, '
            "which maps 0 and 1 to their weights."
        )
    both = np.arange(2)
    columns = indicators.T.astype(np.int64)
    return np.array(
        [
            _weigh_classes(weight, both, column, sample_weight)
            for weight, column in zip(class_weight, columns, strict=True)
        ]
    )


def look_up_weights(by_class: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Look up the weights of targets (n,) or of an indicator matrix (n, n_labels)."""
    if targets.ndim == 1:
        return by_class[targets]
    return by_class[np.arange(targets.shape[1]), targets.astype(np.int64)]


def find_weighted_rows(by_class: np.ndarray, examples: Examples) -> np.ndarray:
    """Find the rows in which any target has a class with a weight above 0."""
    places = examples.locate_all_targets()
    weights = look_up_weights(by_class, examples.targets[places].numpy())
    weighted = (weights.reshape(len(places), -1) > 0).any(axis=1)
    if examples.weights is not None:
        weighted &= examples.weights[places].numpy() > 0
    rows = examples.rows
    if examples.first is not None:
        rows = np.repeat(rows, examples.sequences.lengths[rows])
    return examples.rows[np.isin(examples.rows, rows[weighted])]


class ClassWeightedLoss(nn.Module):
    """A loss per row or output, multiplied by the weight of the true class."""

    def __init__(self, loss: nn.Module, by_class: np.ndarray):
        super().__init__()
        self.loss = loss
        self.by_class = torch.from_numpy(by_class)  # (n_classes,) or (n_labels, 2)

    def forward(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Compute losses (n,) of targets (n,), or (n, n_labels) of indicators."""
        losses = self.loss(outputs, targets)
        by_class = self.by_class.to(losses)
        if targets.ndim == 1:
            return losses * by_class[targets]
        absent, present = by_class.unbind(1)  # (n_labels,)
        return losses * torch.where(targets > 0, present, absent)
