"""What a stream needs of a model: one adapter for each kind of model."""

from abc import ABC, abstractmethod
from typing import Any

from sklearn_rnn._nn.states import fingerprint_network
from sklearn_rnn._nn.steppers import make_stepper


class StreamAdapter(ABC):
    """How a fitted model reads the steps of streams and answers them.

    Attributes
    ----------
    module : torch.nn.Module
        The network.
    first_codes : tuple of int
        What the network reads before the first step of a stream.
    each_step : bool
        Whether the model answers at every step, rather than after the last one read.
    patch_size : int
        Number of steps that the network reads at once.
    encoding : bytes
        What distinguishes models with the same network, such as their scaling.
    rows_are_steps : bool
        Whether the rows of the tables that the model was fitted on are time steps.
    """

    module: Any
    first_codes: tuple[int, ...] = ()
    each_step = False
    patch_size = 1
    encoding = b""
    rows_are_steps = False

    def start(self):
        """A stepper of one stream that has read nothing."""
        return make_stepper(self.module, patch_size=self.patch_size)

    def fingerprint(self):
        """A hash of what the model computes, since no other one can use its states."""
        return fingerprint_network(self.module, self.encoding)

    @abstractmethod
    def step(self, x, n):
        """One step of each of ``n`` streams for the stepper; None if x is a chunk."""

    @abstractmethod
    def chunk(self, x, n):
        """A chunk of steps of each of ``n`` streams, as ``Sequences``."""

    @abstractmethod
    def predict(self, outputs):
        """What the model predicts from the stepper's outputs.

        Adapters of models with probabilities have ``predict_proba`` beside it.
        """
