"""Trained nets as plain data."""

import pickle
import pickletools

import numpy as np
import pandas as pd
import pytest
import torch
from network_weights import assert_same_weights
from small_networks import UsersGRU

from sklearn_rnn import (
    RNNClassifier,
    RNNForecaster,
    RNNRegressor,
    SequenceGenerator,
    SequenceTranslator,
    TokenArray,
)
from sklearn_rnn._training.net_state import pack_net, unpack_net

rng = np.random.default_rng(0)
X, y = rng.normal(size=(20, 6)), rng.integers(0, 2, 20)
TEXTS = ["ab ba", "cab", "abba", "bac"] * 3
SMALL = {"hidden_size": 4, "max_epochs": 2, "random_state": 0, "warm_start": True}
FITS = {
    "classifier": (RNNClassifier(**SMALL, early_stopping=True), (X, y)),
    "no average": (RNNClassifier(**SMALL, average=False, optimizer="sgd"), (X, y)),
    "users' parts": (
        RNNRegressor(**SMALL, cell=UsersGRU, optimizer=torch.optim.Adagrad),
        (X, X),
    ),
    "bfloat16": (RNNRegressor(**SMALL, precision="bfloat16"), (X, X)),
    "cosine": (RNNRegressor(**SMALL, learning_rate_schedule="cosine"), (X, X)),
    "forecaster": (
        RNNForecaster(**SMALL, window=8, intervals=None, baseline=None),
        (rng.normal(size=40),),
    ),
    "generator": (SequenceGenerator(**SMALL, tie_weights=True, embedding=3), (TEXTS,)),
    "translator": (SequenceTranslator(**SMALL, teacher_forcing=0.5), (TEXTS, TEXTS)),
}
each_fit = pytest.mark.parametrize("name", list(FITS))


def fit(name):
    model, data = FITS[name]
    return pickle.loads(pickle.dumps(model)).fit(*data), data


def list_names(pickled):
    """List the module of each class and function that a pickle imports."""
    texts, found = [], set()
    for code, argument, _ in pickletools.genops(pickled):
        if "UNICODE" in code.name:
            texts.append(argument)
        elif code.name == "STACK_GLOBAL":
            found.update(texts)
    return found


@each_fit
def test_training_continues_with_the_same_bits(name):
    model, data = fit(name)
    loaded = pickle.loads(pickle.dumps(model))
    assert_same_weights(loaded, model)
    assert loaded.net_.history == model.net_.history
    assert_same_weights(loaded.fit(*data), model.fit(*data))
    assert loaded.loss_curve_ == model.loss_curve_


def test_a_pickle_names_no_class_of_skorch_or_torch():
    model, _ = fit("classifier")
    names = list_names(pickle.dumps(model))
    packages = {name.partition(".")[0] for name in names if "." in name}
    assert "numpy" in names | packages
    assert not {"torch", "skorch"} & (names | packages)


def test_a_pickle_of_an_earlier_version_contains_the_net():
    model, _ = fit("classifier")
    state = {**model.__getstate__(), "net_": model.net_}
    new = RNNClassifier.__new__(RNNClassifier)
    new.__setstate__(state)
    assert new.net_ is model.net_


def test_other_entries_in_the_state_of_an_optimizer_are_kept():
    model = fit("no average")[0]
    state = model.net_.optimizer_.state
    state["t"] = [torch.ones(2), 3]
    kept = pickle.loads(pickle.dumps(model)).net_.optimizer_.state["t"]
    assert kept[1] == 3 and torch.equal(kept[0], torch.ones(2))
    state[torch.ones(1)] = 1
    with pytest.raises(TypeError, match="a key of type Tensor"):
        pickle.dumps(model)


class CountingSGD(torch.optim.SGD):
    """An optimizer with attributes of its own."""

    def __init__(self, params, lr):
        super().__init__(params, lr)
        self.count, self.total, self.first = 0, torch.zeros(1), self.param_groups[0]

    def step(self, closure=None):
        self.count += 1
        self.total = self.total + 1
        return super().step(closure)


def test_attributes_of_a_users_optimizer_are_kept():
    X, y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 2
    model = RNNClassifier("rnn", 4, optimizer=CountingSGD, learning_rate=0.1)
    model.partial_fit(X, y, classes=[0, 1])
    loaded = pickle.loads(pickle.dumps(model))
    for kept in (model, loaded):
        optimizer = kept.partial_fit(X, y).net_.optimizer_
        assert optimizer.count == 2 and optimizer.total == 2
        assert optimizer.first is optimizer.param_groups[0]
    state = {**pack_net(model.net_), "attributes": {"step": 1}}
    with pytest.raises(ValueError, match="'step' is not an attribute"):
        unpack_net(state, model)


def test_partial_fit_continues_with_lbfgs():
    X, y = np.random.default_rng(0).normal(size=(20, 4)), np.arange(20) % 2
    given = {"optimizer": torch.optim.LBFGS, "learning_rate": 0.1, "random_state": 0}
    model = RNNClassifier("rnn", 4, **given)
    for _ in range(3):
        model.partial_fit(X, y, classes=[0, 1])
    assert model.loss_curve_[2] < model.loss_curve_[0]


def test_frozen_weights_stay_frozen():
    model, data = fit("classifier")
    model.module_.head.bias.requires_grad_(False)
    model.fit(*data)
    loaded = pickle.loads(pickle.dumps(model))
    assert not loaded.module_.head.bias.requires_grad
    assert_same_weights(loaded.fit(*data), model.fit(*data))


def test_a_device_that_is_not_available_is_replaced_by_the_cpu():
    model, _ = fit("classifier")
    state = {**pack_net(model.net_), "device": "cuda:99"}
    with pytest.warns(UserWarning, match="'cuda:99', which is not available here"):
        net = unpack_net(state, model)
    assert net.device == torch.device("cpu")


def test_settings_of_torch_do_not_change_what_is_loaded():
    model, data = fit("classifier")
    pickled = pickle.dumps(model)
    with torch.inference_mode(), torch.device("meta"):
        loaded = pickle.loads(pickled)
    assert_same_weights(loaded, model)
    assert_same_weights(loaded.fit(*data), model.fit(*data))


def change_first_state(state, **changes):
    optimizer = state["optimizer"]
    first, *others = optimizer["states"]
    return {**state, "optimizer": {**optimizer, "states": [first | changes, *others]}}


def test_states_of_other_shapes_are_rejected():
    model, _ = fit("classifier")
    state = pack_net(model.net_)
    with pytest.raises(ValueError, match="exp_avg of the optimizer has the shape"):
        unpack_net(change_first_state(state, exp_avg=np.zeros(2, "f")), model)
    first = state["optimizer"]["states"][0]["exp_avg"]
    for wrong in (np.float32(0), first.astype(np.float16), np.zeros((), "f")):
        with pytest.raises(ValueError, match="exp_avg of the optimizer has the shape"):
            unpack_net(change_first_state(state, exp_avg=wrong), model)
    with pytest.raises(ValueError, match="step of the optimizer has the shape"):
        unpack_net(change_first_state(state, step=first), model)
    average = {**state["average"], "weights": [np.zeros(3)] * 6}
    with pytest.raises(ValueError, match="an average has the shape"):
        unpack_net({**state, "average": average}, model)
    groups = {**state["optimizer"], "groups": [{"params": []}]}
    with pytest.raises(ValueError, match="contain parameters"):
        unpack_net({**state, "optimizer": groups}, model)


class MaskedGRU(torch.nn.GRU):
    """A cell that draws values which its state_dict does not contain."""

    def __init__(self, input_size, hidden_size):
        super().__init__(input_size, hidden_size, batch_first=True)
        mask = torch.rand(input_size) + 0.5
        self.register_buffer("mask", mask, persistent=False)
        self.gain = float(torch.rand(()))

    def forward(self, x, state=None):
        return super().forward(x * self.mask * self.gain, state)


def test_a_users_cell_is_built_with_the_same_random_numbers():
    model = RNNRegressor(MaskedGRU, **SMALL).fit(X, X)
    loaded = pickle.loads(pickle.dumps(model))
    assert np.array_equal(loaded.predict(X), model.predict(X))
    assert np.array_equal(loaded.fit(X, X).predict(X), model.fit(X, X).predict(X))


class TransposedLinear(torch.nn.Module):
    """A cell whose weights are not contiguous."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        weight = torch.rand(input_size, hidden_size) - 0.5
        self.weight = torch.nn.Parameter(weight.t())

    def forward(self, x, state=None):
        return torch.nn.functional.linear(x, self.weight).tanh(), None


@pytest.mark.parametrize(
    ("model", "X"),
    [
        (
            RNNRegressor(**SMALL, embedding=np.asfortranarray(rng.normal(size=(8, 3)))),
            TokenArray(rng.integers(4, 8, (20, 6)), vocabulary_size=8),
        ),
        (RNNRegressor(TransposedLinear, **SMALL, input_size=3), X),
    ],
    ids=["embedding", "cell"],
)
def test_training_continues_with_weights_in_any_memory_order(model, X):
    model = model.fit(X, y)
    loaded = pickle.loads(pickle.dumps(model))
    assert_same_weights(loaded.fit(X, y), model.fit(X, y))


def test_a_frame_of_embeddings_is_kept_as_an_array():
    frame = pd.DataFrame(rng.normal(size=(8, 3)))
    codes = TokenArray(rng.integers(4, 8, (20, 6)), vocabulary_size=8)
    model = RNNRegressor(**SMALL, embedding=frame).fit(codes, y)
    fixed = model._fixed_on_warm_start["embedding"]
    assert type(fixed) is np.ndarray
    model.fit(codes, y)
    frame.iloc[0] = 0
    with pytest.raises(ValueError, match="after a change of embedding"):
        model.fit(codes, y)


class FewParameters(RNNClassifier):
    """A user's subclass that fixes most parameters."""

    def __init__(self, hidden_size=4):
        super().__init__(hidden_size=hidden_size, max_epochs=1, random_state=0)


def test_a_subclass_may_declare_fewer_parameters():
    model = FewParameters().fit(X, y)
    reference = RNNClassifier(hidden_size=4, max_epochs=1, random_state=0).fit(X, y)
    assert np.array_equal(model.predict_proba(X), reference.predict_proba(X))


@pytest.mark.parametrize("device", ["hpu", "nowhere", "privateuseone"])
def test_unknown_devices_are_replaced_by_the_cpu(device):
    model, _ = fit("classifier")
    with pytest.warns(UserWarning, match="is moved to the CPU"):
        net = unpack_net({**pack_net(model.net_), "device": device}, model)
    assert net.device == torch.device("cpu")
