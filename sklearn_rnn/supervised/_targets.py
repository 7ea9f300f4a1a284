"""Encoding of y, labels or numbers, for the network, and decoding of its outputs."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.metrics import accuracy_score, r2_score

# A target is constant if its standard deviation is at most this multiple of the
# floating-point precision of its largest absolute value.
ROUNDING = 100

LOSSES = {
    "squared_error": torch.nn.MSELoss,
    "absolute_error": torch.nn.L1Loss,
    "huber": torch.nn.HuberLoss,
}


@dataclass(frozen=True)
class LabelTargets:
    """One of ``classes`` per row or, with ``multilabel``, any number of them."""

    classes: np.ndarray
    multilabel: bool

    @classmethod
    def fit(cls, y, rows, classes=None):
        """Learn the labels of y at ``rows``, or use ``classes`` if they are passed."""
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
            change = "is an indicator matrix, but it had one label per row"
            if self.multilabel:
                change = "has one label per row, but it was an indicator matrix"
            raise ValueError(f"y {change} in fit. Pass y in the same form as in fit.")
        if self.multilabel and y.shape[1] != self.n_outputs:
            raise ValueError(
                f"y has {y.shape[1]} labels, but the model was fitted with "
                f"{self.n_outputs}. Pass the same labels as in fit."
            )

    def encode(self, y, rows, dtype):
        """Encode y as a tensor with one entry per row, of which ``rows`` take part."""
        self.check_kind(y)
        if self.multilabel:
            return torch.from_numpy(y.astype(dtype))
        unknown = np.setdiff1d(y[rows], self.classes)
        if len(unknown):
            raise ValueError(
                f"y contains the classes {unknown.tolist()}, which are not among the "
                f"known classes {self.classes.tolist()}. Pass all classes to the first "
                "partial_fit(classes=), or fit a new model with warm_start=False."
            )
        codes = np.zeros(len(y), dtype=np.int64)
        codes[rows] = np.searchsorted(self.classes, y[rows])
        return torch.from_numpy(codes)

    def probabilities(self, outputs):
        """Convert logits to probabilities (n, n_classes)."""
        logits = torch.from_numpy(outputs)
        if self.multilabel:
            return torch.sigmoid(logits).numpy()
        return torch.softmax(logits, dim=1).numpy()

    def log_probabilities(self, outputs):
        """Convert logits to log-probabilities, which are always finite."""
        logits = torch.from_numpy(outputs)
        if self.multilabel:
            return torch.nn.functional.logsigmoid(logits).numpy()
        return torch.log_softmax(logits, dim=1).numpy()

    def decode(self, outputs):
        """Return the most likely labels (n,), or an indicator matrix."""
        proba = self.probabilities(outputs)
        if self.multilabel:
            return (proba > 0.5).astype(np.int64)
        return self.classes[np.argmax(proba, axis=1)]

    def strata(self, targets):
        """Return the class or labels of each row, which held-out rows stratify."""
        return targets.numpy()

    def criterion(self):
        """Return the loss as a torch module, with one loss per row or output."""
        if self.multilabel:
            return torch.nn.BCEWithLogitsLoss(reduction="none")
        return torch.nn.CrossEntropyLoss(reduction="none")

    def score_labels(self, y, labels, sample_weight=None):
        """Compute the accuracy of predicted ``labels``."""
        self.check_kind(y)
        return accuracy_score(y, labels, sample_weight=sample_weight)

    def score(self, outputs, targets, weights):
        """Compute the accuracy of outputs; outputs and targets are tensors."""
        if self.multilabel:
            labels = (outputs > 0).to(targets.dtype)
        else:
            labels = outputs.argmax(1)
        return accuracy_score(targets.numpy(), labels.numpy(), sample_weight=weights)


@dataclass(frozen=True)
class NumberTargets:
    """Numbers, standardized for the network."""

    mean: np.ndarray  # (n_outputs,)
    scale: np.ndarray  # (n_outputs,)
    dtype: type  # of predictions
    one_output: bool  # whether y was one-dimensional

    @classmethod
    def fit(cls, y, rows, weights):
        """Learn the mean and the standard deviation of y at ``rows``."""
        columns = y.reshape(len(y), -1).astype(np.float64)[rows]
        weights = None if weights is None else weights[rows]
        mean = np.average(columns, axis=0, weights=weights)
        constant = columns.max(axis=0) == columns.min(axis=0)
        mean = np.where(constant, columns[0], mean)  # without rounding errors
        scale = compute_column_scales(columns - mean, weights)
        # Deviations of the size of rounding errors are not scaled up.
        noise = ROUNDING * np.finfo(np.float64).eps * np.abs(columns).max(axis=0)
        scale = np.where(scale > noise, scale, 1.0)
        dtype = np.float32 if y.dtype == np.float32 else np.float64
        return cls(mean, scale, dtype, y.ndim == 1)

    @property
    def n_outputs(self):
        """Outputs of the network per row."""
        return len(self.mean)

    def encode(self, y, rows, dtype):
        """Encode y as a tensor of standardized numbers (n, n_outputs)."""
        columns = y.reshape(len(y), -1).astype(np.float64)
        if columns.shape[1] != self.n_outputs:
            raise ValueError(
                f"y has {columns.shape[1]} outputs, but the fitted network has "
                f"{self.n_outputs}. Pass the outputs that y had in fit."
            )
        standard = (columns - self.mean) / self.scale
        return torch.from_numpy(standard.astype(dtype))

    @np.errstate(over="ignore", invalid="ignore")
    def decode(self, outputs):
        """Convert outputs (n, n_outputs) to the unit and the dimensions of y."""
        numbers = np.multiply(outputs, self.scale, dtype=np.float64) + self.mean
        numbers = numbers.astype(self.dtype, copy=False)
        if np.count_nonzero(np.isfinite(numbers)) < numbers.size:
            raise ValueError(
                f"a prediction is too large for {np.dtype(self.dtype)}. Fit a model on "
                "y in a larger unit."
            )
        return numbers[:, 0] if self.one_output else numbers

    def strata(self, targets):
        """Return None: held-out rows are drawn from all rows alike."""
        return None

    def score(self, outputs, targets, weights):
        """Compute R2 of outputs; outputs and targets are tensors."""
        return r2_score(targets.numpy(), outputs.numpy(), sample_weight=weights)


def score_r2(y, predictions, sample_weight=None):
    """Compute R2 without overflow or underflow of squares.

    Each column is divided by a power of two, which does not change the score.
    """
    if y.shape[1:] != predictions.shape[1:]:
        raise ValueError(
            f"y has entries of shape {y.shape[1:]}, but the predictions have the shape "
            f"{predictions.shape[1:]}. Pass the outputs that y had in fit."
        )
    if len(y) == len(predictions):
        sizes = np.maximum(np.abs(y).max(axis=0), np.abs(predictions).max(axis=0))
        exponents = -np.frexp(sizes)[1]
        y = np.ldexp(y.astype(np.result_type(y, np.float32)), exponents)
        predictions = np.ldexp(predictions, exponents)
    return r2_score(y, predictions, sample_weight=sample_weight)


def compute_column_scales(deviations, weights):
    """Compute the standard deviation of each column without overflow; 1 if constant."""
    largest = np.abs(deviations).max(axis=0)
    largest[largest == 0] = 1.0
    shares = (deviations / largest) ** 2
    scales = largest * np.sqrt(np.average(shares, axis=0, weights=weights))
    return np.where(scales > 0, scales, 1.0)
