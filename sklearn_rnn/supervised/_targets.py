"""Labels or numbers: y encoded for the network, and decoded from its outputs."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import accuracy_score, r2_score

# Spread of a target below which it is constant, in units of the number type's precision
# at the largest target.
ROUNDING = 100

LOSSES = {
    "squared_error": torch.nn.MSELoss,
    "absolute_error": torch.nn.L1Loss,
    "huber": torch.nn.HuberLoss,
}


@dataclass(frozen=True)
class LabelTargets:
    """One of ``classes`` per row, or with ``multilabel`` any number of them."""

    classes: np.ndarray
    multilabel: bool

    @classmethod
    def fit(cls, y, rows, classes=None):
        """The labels of y at ``rows``, or the ``classes`` that a user announced."""
        multilabel = y.ndim == 2
        if classes is not None:
            found = np.unique(classes)
        else:
            found = np.arange(y.shape[1]) if multilabel else np.unique(y[rows])
        if len(found) < 2 and not multilabel:
            raise ValueError(
                "RNNClassifier needs sequences of at least 2 classes, got 1 class: "
                f"{found.tolist()}."
            )
        return cls(found, multilabel)

    @property
    def n_outputs(self):
        """Outputs of the network per row."""
        return len(self.classes)

    def check_kind(self, y):
        """Raise an error if y has other dimensions or columns than in fit."""
        if (y.ndim == 2) != self.multilabel:
            raise ValueError(
                "y changed between one label per sequence and an indicator matrix."
            )
        if self.multilabel and y.shape[1] != self.n_outputs:
            raise ValueError(f"y has {y.shape[1]} labels, expected {self.n_outputs}.")

    def encode(self, y, rows, dtype):
        """Targets as a tensor with one entry per row, of which ``rows`` take part."""
        self.check_kind(y)
        if self.multilabel:
            return torch.from_numpy(y.astype(dtype))
        unknown = np.setdiff1d(y[rows], self.classes)
        if len(unknown):
            raise ValueError(
                f"y holds the classes {unknown.tolist()}, which are not among the "
                f"known classes {self.classes.tolist()}. Name them all in the first "
                "partial_fit(classes=), or fit anew with warm_start=False."
            )
        codes = np.zeros(len(y), dtype=np.int64)
        codes[rows] = np.searchsorted(self.classes, y[rows])
        return torch.from_numpy(codes)

    def probabilities(self, outputs):
        """Probabilities (n, n_classes) of outputs, which are logits."""
        logits = torch.from_numpy(outputs)
        if self.multilabel:
            return torch.sigmoid(logits).numpy()
        return torch.softmax(logits, dim=1).numpy()

    def log_probabilities(self, outputs):
        """Logarithms of the probabilities, finite even where those are rounded to 0."""
        logits = torch.from_numpy(outputs)
        if self.multilabel:
            return torch.nn.functional.logsigmoid(logits).numpy()
        return torch.log_softmax(logits, dim=1).numpy()

    def decode(self, outputs):
        """The likeliest labels (n,), or an indicator matrix."""
        proba = self.probabilities(outputs)
        if self.multilabel:
            return (proba > 0.5).astype(np.int64)
        return self.classes[np.argmax(proba, axis=1)]

    def strata(self, targets):
        """Class or labels of each row, over which held-out rows are spread evenly."""
        return targets.numpy()

    def criterion(self):
        """The loss, as a torch module that returns one loss per row or output."""
        if self.multilabel:
            return torch.nn.BCEWithLogitsLoss(reduction="none")
        return torch.nn.CrossEntropyLoss(reduction="none")

    def score_labels(self, y, labels, sample_weight=None):
        """Accuracy of predicted ``labels``."""
        self.check_kind(y)
        return accuracy_score(y, labels, sample_weight=sample_weight)

    def score(self, outputs, targets, weights):
        """Accuracy of outputs, both as tensors."""
        if self.multilabel:
            labels = (outputs > 0).to(targets.dtype)
        else:
            labels = outputs.argmax(1)
        return accuracy_score(targets.numpy(), labels.numpy(), sample_weight=weights)


@dataclass(frozen=True)
class NumberTargets:
    """Numbers, standardised for the network."""

    mean: np.ndarray  # (n_outputs,)
    scale: np.ndarray  # (n_outputs,)
    dtype: type  # of predictions
    one_output: bool  # whether y was one-dimensional

    @classmethod
    def fit(cls, y, rows, weights):
        """Mean and spread of y at ``rows``."""
        columns = y.reshape(len(y), -1).astype(np.float64)[rows]
        weights = None if weights is None else weights[rows]
        mean = np.average(columns, axis=0, weights=weights)
        constant = columns.max(axis=0) == columns.min(axis=0)
        mean = np.where(constant, columns[0], mean)  # without rounding errors
        scale = compute_column_scales(columns - mean, weights)
        # Deviations of the size of rounding errors are no spread to standardise.
        noise = ROUNDING * np.finfo(np.float64).eps * np.abs(columns).max(axis=0)
        scale = np.where(scale > noise, scale, 1.0)
        dtype = np.float32 if y.dtype == np.float32 else np.float64
        return cls(mean, scale, dtype, y.ndim == 1)

    @property
    def n_outputs(self):
        """Outputs of the network per row."""
        return len(self.mean)

    def encode(self, y, rows, dtype):
        """Standardised numbers (n, n_outputs) as a tensor."""
        columns = y.reshape(len(y), -1).astype(np.float64)
        if columns.shape[1] != self.n_outputs:
            raise ValueError(
                f"y has {columns.shape[1]} outputs, but the fitted network has "
                f"{self.n_outputs}."
            )
        standard = (columns - self.mean) / self.scale
        return torch.from_numpy(standard.astype(dtype))

    def decode(self, outputs):
        """Outputs (n, n_outputs) in the unit of y; (n,) if y was one-dimensional."""
        with np.errstate(over="ignore", invalid="ignore"):
            numbers = outputs.astype(np.float64) * self.scale + self.mean
            numbers = numbers.astype(self.dtype, copy=False)
        if not np.isfinite(numbers).all():
            raise ValueError(
                f"a prediction is too large for {np.dtype(self.dtype)}. Fit on y in a "
                "larger unit."
            )
        return numbers[:, 0] if self.one_output else numbers

    def strata(self, targets):
        """None: held-out rows are drawn from all rows alike."""
        return None

    def score(self, outputs, targets, weights):
        """R2 of outputs, both as tensors."""
        return r2_score(targets.numpy(), outputs.numpy(), sample_weight=weights)


def score_r2(y, predictions, sample_weight=None):
    """R2 of predictions; no square of a very large or small number is lost.

    Each column is divided by a power of two, which changes no digit of the score.
    """
    if y.shape[1:] != predictions.shape[1:]:
        raise ValueError(
            f"y has entries of shape {y.shape[1:]}, but the predictions have the shape "
            f"{predictions.shape[1:]}. Give the outputs that y had in fit."
        )
    if len(y) == len(predictions):
        sizes = np.maximum(np.abs(y).max(axis=0), np.abs(predictions).max(axis=0))
        exponents = -np.frexp(sizes)[1]
        y = np.ldexp(y.astype(np.result_type(y, np.float32)), exponents)
        predictions = np.ldexp(predictions, exponents)
    return r2_score(y, predictions, sample_weight=sample_weight)


def compute_column_scales(deviations, weights):
    """Standard deviation of each column, 1 where constant; no square overflows."""
    largest = np.abs(deviations).max(axis=0)
    largest[largest == 0] = 1.0
    shares = (deviations / largest) ** 2
    scales = largest * np.sqrt(np.average(shares, axis=0, weights=weights))
    return np.where(scales > 0, scales, 1.0)
