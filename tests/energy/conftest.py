"""Fitted Boltzmann machines, which tests must not change."""

import numpy as np
import pytest
import reference_boltzmann as reference
from energy_examples import SHAPES, exact_machine, noisy_prototypes

from sklearn_rnn import BoltzmannMachine


@pytest.fixture(scope="session", params=SHAPES)
def machine(request):
    """A fitted machine whose couplings are far from 0, and its data."""
    X = noisy_prototypes(SHAPES[request.param][0])
    model = exact_machine(request.param).fit(X)
    p = reference.parameters(model)
    assert max(np.abs(p[name]).max(initial=0) for name in ("W", "L")) > 0.5
    return model, X, p


@pytest.fixture(scope="session")
def gaussian():
    """A fitted machine of three Gaussian and four hidden units, and its data."""
    rng = np.random.default_rng(0)
    side = rng.integers(2, size=(400, 1))
    X = [5.0, -2.0, 0.0] + side * [4.0, -1.0, 0.5] + rng.normal(size=(400, 3))
    model = BoltzmannMachine(
        4,
        visible="gaussian",
        gradient="exact",
        learning_rate=0.05,
        batch_size=400,
        max_epochs=1000,
        weight_decay=0.0,
        random_state=0,
    ).fit(X)
    return model, X


@pytest.fixture(scope="session")
def small():
    """A machine of four visible units, coupled by three hidden units."""
    X = noisy_prototypes(4)
    models = {}
    for connections, n_hidden in (("restricted", 3), ("full", 3), ("visible only", 0)):
        models[connections] = BoltzmannMachine(
            n_hidden,
            connections="restricted" if connections == "restricted" else "full",
            gradient="exact",
            learning_rate=0.5,
            batch_size=60,
            max_epochs=150,
            weight_decay=0.0,
            random_state=0,
        ).fit(X)
    return models
