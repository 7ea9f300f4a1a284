"""Figures are closed after each test; a memory of letters to draw."""

import matplotlib.pyplot as plt
import pytest

from sklearn_rnn import HopfieldDenoiser
from sklearn_rnn.datasets import load_letters


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def letters():
    return load_letters().data[:4].astype(float)


@pytest.fixture
def memory(letters):
    return HopfieldDenoiser("dense", random_state=0).fit(letters)
