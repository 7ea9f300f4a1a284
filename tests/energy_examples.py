"""Patterns and machines that several tests of the energy models use."""

import numpy as np

from sklearn_rnn import BoltzmannMachine
from sklearn_rnn.datasets import load_letters

# The learning rules of Hopfield networks.
PAIRWISE = ["hebb", "storkey", "pseudo_inverse", "perceptron"]
RULES = [*PAIRWISE, "dense"]

# Boltzmann machines of ten units each: n_features, n_hidden, connections.
SHAPES = {
    "restricted": (6, 4, "restricted"),
    "more hidden than visible": (3, 7, "restricted"),
    "full": (6, 4, "full"),
    "visible only": (10, 0, "full"),
}


def draw_signs(rng, *shape):
    """Random states of -1 and +1."""
    return rng.choice([-1.0, 1.0], shape)


def pick_letters(names):
    """The letters of these names as rows of 64 units of 0 and 1."""
    data, target = load_letters(return_X_y=True)
    return data[[list(target).index(name) for name in names]].astype(float)


def flip_units(patterns, n_flips, n_draws, rng, low=-1):
    """Rows with exactly n_flips units flipped, and the index of their patterns."""
    index = rng.integers(len(patterns), size=n_draws)
    mask = np.zeros((n_draws, patterns.shape[1]), bool)
    mask[:, :n_flips] = True
    mask = rng.permuted(mask, axis=1)
    return np.where(mask, 1 + low - patterns[index], patterns[index]), index


def noisy_prototypes(n_features, n_samples=60, flipped=0.15, seed=0):
    """Rows of 0 and 1: copies of three patterns with some of the units flipped."""
    rng = np.random.default_rng(seed)
    patterns = rng.integers(2, size=(3, n_features))
    rows = patterns[rng.integers(3, size=n_samples)]
    return np.abs(rows - (rng.random(rows.shape) < flipped)).astype(float)


def exact_machine(shape, **params):
    _, n_hidden, connections = SHAPES[shape]
    params = {
        "gradient": "exact",
        "learning_rate": 0.5,
        "batch_size": 60,
        "max_epochs": 100,
        "weight_decay": 0.0,
        "random_state": 0,
    } | params
    return BoltzmannMachine(n_hidden, connections=connections, **params)
