"""Torch modules. They know nothing of estimators, scikit-learn or skorch.

Inside this room time comes first, ``(n_timesteps, n_sequences, n_features)``, so that
one step of a whole batch lies in one piece of memory.
"""

from sklearn_rnn._nn.builders import (
    build_language_network,
    build_network,
    build_translation_network,
)
from sklearn_rnn._nn.language import LanguageNetwork, loss_of_steps
from sklearn_rnn._nn.layers import (
    GATES,
    CustomLayer,
    RecurrentLayer,
    RecurrentStack,
)
from sklearn_rnn._nn.sequence import Inputs, SequenceNetwork
from sklearn_rnn._nn.state_forms import fingerprint
from sklearn_rnn._nn.states import join_states, map_states
from sklearn_rnn._nn.steppers import stepper
from sklearn_rnn._nn.translation import Memory, TranslationNetwork

__all__ = [
    "GATES",
    "CustomLayer",
    "Inputs",
    "LanguageNetwork",
    "Memory",
    "RecurrentLayer",
    "RecurrentStack",
    "SequenceNetwork",
    "TranslationNetwork",
    "build_language_network",
    "build_network",
    "build_translation_network",
    "fingerprint",
    "join_states",
    "loss_of_steps",
    "map_states",
    "stepper",
]
