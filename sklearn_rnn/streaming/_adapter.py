"""The interface between streams and models, with one adapter per kind of model."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np

from sklearn_rnn._data.sequences import Sequences
from sklearn_rnn._nn.states import fingerprint_network
from sklearn_rnn._nn.steppers import Stepper, make_stepper


class StreamAdapter(ABC):
    """Base of the adapters, which convert steps to input of a model and its outputs.

    Attributes
    ----------
    module : torch.nn.Module
        The network.
    first_codes : tuple of int
        Codes that the network reads before the first step of a stream.
    each_step : bool
        Whether the model predicts at every step instead of after the last step.
    patch_size : int
        Number of steps that the network reads at once.
    encoding : bytes
        Properties that distinguish models with the same network, such as their scaling.
    rows_are_steps : bool
        Whether the rows of the tables that the model was fitted on are time steps.
    """

    module: Any
    first_codes: tuple[int, ...] = ()
    each_step = False
    patch_size = 1
    encoding = b""
    rows_are_steps = False

    def start(self) -> Stepper:
        """Make a stepper of one stream that has read nothing."""
        return make_stepper(self.module, patch_size=self.patch_size)

    def fingerprint(self) -> str:
        """Return a hash of the model, since no other model can use its states."""
        return fingerprint_network(self.module, self.encoding)

    @abstractmethod
    def step(self, x: Any, n: int) -> np.ndarray | None:
        """Convert x to one step of each of ``n`` streams; None if x is a chunk."""

    @abstractmethod
    def chunk(self, x: Any, n: int) -> Sequences:
        """Convert x to a chunk of steps of each of ``n`` streams, as ``Sequences``."""

    @abstractmethod
    def predict(self, outputs: np.ndarray) -> Any:
        """Convert the stepper's outputs to predictions of the model.

        Adapters of models with probabilities also have ``predict_proba``.
        """
