"""The interface between streams and models."""

import numpy as np
import pytest
from small_networks import make_network, normal

from sklearn_rnn import Stream
from sklearn_rnn._data.sequences import from_array
from sklearn_rnn.streaming._adapter import StreamAdapter


class Adapter(StreamAdapter):
    """A minimal adapter."""

    def __init__(self, module):
        self.module = module

    def step(self, x, n):
        return x if x.ndim == 2 else None

    def chunk(self, x, n):
        return from_array(x)

    def predict(self, outputs):
        return 2 * outputs


def test_three_methods_make_a_stream():
    x = normal(3, 5, 3).numpy()
    adapter = Adapter(make_network(pooling="last"))
    stepped, chunked = Stream(adapter, 3), Stream(adapter, 3)
    for t in range(5):
        answers = stepped.predict(x[:, t])
    assert answers.shape == (3, 2)
    np.testing.assert_allclose(chunked.predict(x), answers, rtol=1e-12)
    assert not hasattr(stepped, "predict_proba")


def test_each_stream_begins_with_a_stepper_of_its_own():
    adapter = Adapter(make_network())
    one, other = adapter.start(), adapter.start()
    first = one.feed(np.ones((1, 3))).copy()
    one.feed(np.ones((1, 3)))
    np.testing.assert_array_equal(other.feed(np.ones((1, 3))), first)
    assert one.state["n_steps"].tolist() == [2]
    assert other.state["n_steps"].tolist() == [1]


@pytest.mark.parametrize("name", ["step", "chunk", "predict"])
def test_an_adapter_without_one_of_them_cannot_be_made(name):
    methods = {
        method: getattr(Adapter, method)
        for method in ("step", "chunk", "predict")
        if method != name
    }
    incomplete = type("Incomplete", (StreamAdapter,), methods)
    with pytest.raises(TypeError, match=f"abstract method '?{name}'?$"):
        incomplete()
