"""The output of a network that is explained, as a function of its embedded input."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_rnn._core.scalars import is_integer
from sklearn_rnn._data.tokens import END, START, UNKNOWN


class ExplainedOutput(ABC):
    """A copy of a network in float64, of which one output is explained.

    ``embed`` maps a sequence to input (T, E), and ``compute`` maps a batch of inputs
    (B, T, E) to one output each. ``names`` are the possible targets.
    """

    names: list[Any]
    kind: str  # "log_odds", "proba" or "prediction"

    @abstractmethod
    def embed(self, values: np.ndarray) -> Tensor:
        """Return a sequence as (T, E) in float64."""

    @abstractmethod
    def embed_baseline(self, values: np.ndarray, baseline: Any) -> Tensor:
        """Return the input (T, E) that contains no information."""

    @abstractmethod
    def logits(self, x: Tensor) -> Tensor:
        """Return all outputs (B, n_outputs) of a batch (B, T, E)."""

    @abstractmethod
    def select_step(self, step: int, n_steps: int, name: str) -> None:
        """Explain the prediction at this step, if there is one at every step."""

    def choose(self, x: Tensor, target: Any) -> int:
        """Return the index of a target; None is the likeliest one for x (T, E)."""
        if target is None and self.kind == "prediction":
            return 0
        if target is None:
            with torch.no_grad():
                return int(self.logits(x.unsqueeze(0))[0].argmax())
        return find_target(self.names, target)

    def compute(self, x: Tensor, k: int) -> Tensor:
        """Return the explained output (B,) of target k."""
        return convert_logits(self.logits(x), k, self.kind)

    def find_unit(self, k: int) -> float:
        """Return the size of a difference of the outputs of target k that matters."""
        return 1.0


def check_kind(kind: str, is_number: bool, name: str) -> None:
    """Raise an error if a model ``name`` does not have this kind of output."""
    kinds = ("auto", "prediction") if is_number else ("auto", "log_odds", "proba")
    if kind not in kinds:
        raise ValueError(f"output={kind!r}; expected one of {kinds} for {name}.")


def find_target(names: list[Any], target: Any) -> int:
    """Return the index of a target among its names."""
    is_array = getattr(target, "ndim", 0) > 0  # which cannot be compared with names
    if not is_array and target in names:
        return names.index(target)
    shown = ", ".join(map(repr, names[:10])) + (" ..." if len(names) > 10 else "")
    raise ValueError(f"target={target!r} is not one of {shown}.")


def convert_logits(logits: Tensor, k: int, kind: str) -> Tensor:
    """Return the log-odds or the probability of class k, or output k itself."""
    if kind == "prediction":
        return logits[:, k]
    if kind == "proba":
        return torch.softmax(logits, 1)[:, k]
    others = torch.cat([logits[:, :k], logits[:, k + 1 :]], 1)
    return logits[:, k] - torch.logsumexp(others, 1)


class SequenceOutput(ExplainedOutput):
    """An output of a classifier or regressor."""

    def __init__(self, model: Any, kind: str) -> None:
        self.network = model.to_torch().cpu().double()
        self.each_step, self.step = model._predicts_steps, -1
        targets, scaling = model._targets, model._inputs.scaling
        self.mean = 0.0 if scaling is None else scaling.mean
        if hasattr(targets, "classes"):
            self.kind = "log_odds" if kind == "auto" else kind
            self.names = targets.classes.tolist()
            self.multilabel = targets.multilabel
        else:
            self.kind, self.multilabel = "prediction", False
            self.names = list(range(len(targets.scale)))
            self.scales = torch.from_numpy(np.asarray(targets.scale, dtype=float))
            self.means = torch.from_numpy(np.asarray(targets.mean, dtype=float))
        check_kind(kind, hasattr(targets, "scale"), type(model).__name__)

    def select_step(self, step: int, n_steps: int, name: str) -> None:
        if not self.each_step:
            return
        if not is_integer(step, -n_steps, n_steps - 1):
            raise ValueError(
                f"step={step!r}; expected an integer below {n_steps}, the number of "
                f"steps of {name}."
            )
        self.step = int(step)

    def embed(self, values: np.ndarray) -> Tensor:
        if self.network.embedding is None:
            return torch.from_numpy(np.array(values, dtype=np.float64))
        with torch.no_grad():
            return self.network.embedding(torch.from_numpy(values.astype(np.int64)))

    def embed_baseline(self, values: np.ndarray, baseline: Any) -> Tensor:
        if self.network.embedding is None:
            given = self.mean if baseline is None else baseline
            try:
                numbers = np.asarray(given).astype(np.float64, casting="same_kind")
                return self.embed(np.broadcast_to(numbers, values.shape))
            except (TypeError, ValueError):
                raise ValueError(
                    f"baseline={baseline!r}; expected a number, an array with one "
                    f"number for each of the {values.shape[1]} features, or an array "
                    f"of the shape of each sequence, such as {values.shape}."
                ) from None
        return self.embed(np.full(values.shape, check_code(baseline, self.network)))

    def logits(self, x: Tensor) -> Tensor:
        if self.network.embedding is None:
            logits = self.network.logits(x)
        else:
            lengths = torch.full((len(x),), x.shape[1])
            logits = self.network.read(x, lengths)
        if self.each_step:
            logits = logits[:, self.step]
        if self.kind == "prediction":
            return logits * self.scales + self.means
        return logits

    def find_unit(self, k: int) -> float:
        return float(self.scales[k]) if self.kind == "prediction" else 1.0

    def compute(self, x: Tensor, k: int) -> Tensor:
        if self.multilabel:
            logits = self.logits(x)[:, k]
            return torch.sigmoid(logits) if self.kind == "proba" else logits
        return super().compute(x, k)


class TextOutput(ExplainedOutput):
    """An output of a generator: a token that may follow a text."""

    def __init__(self, model: Any, kind: str) -> None:
        check_kind(kind, False, type(model).__name__)
        self.kind = "log_odds" if kind == "auto" else kind
        self.network = model.to_torch().cpu().double()
        self.names = model.classes_.tolist()

    def select_step(self, step: int, n_steps: int, name: str) -> None:
        pass  # the prediction after the last token is explained

    def embed(self, values: np.ndarray) -> Tensor:
        codes = torch.from_numpy(values.astype(np.int64))
        with torch.no_grad():
            return self.network.embedding(codes)

    def embed_baseline(self, values: np.ndarray, baseline: Any) -> Tensor:
        return self.embed(np.full(values.shape, check_code(baseline, self.network)))

    def logits(self, x: Tensor) -> Tensor:
        start = self.embed(np.array([START])).expand(len(x), 1, -1)
        outputs, _ = self.network.recurrence(torch.cat([start, x], 1))
        return self.network.head(outputs[:, -1])[:, END:]


def check_code(baseline: Any, network: Any) -> int:
    """Return the code that replaces tokens; None is the unknown token."""
    if baseline is None:
        return UNKNOWN
    n_codes = network.embedding.num_embeddings
    is_integer = isinstance(baseline, (int, np.integer)) and baseline is not True
    if not is_integer or not 0 < baseline < n_codes:
        raise ValueError(
            f"baseline={baseline!r}; expected None or a code from 1 to {n_codes - 1}."
        )
    return int(baseline)
