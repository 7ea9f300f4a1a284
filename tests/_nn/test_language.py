"""The network of a generator."""

import torch
from small_networks import private

from sklearn_rnn._nn.builders import build_language_network


def make_network(**settings):
    return build_language_network("lstm", 11, 8, generator=private(), **settings)


def test_tied_weights_are_one_tensor():
    module = make_network(embedding=5, tie_weights=True)
    assert module.head.weight is module.embedding.weight
    n_parameters = len(list(module.parameters()))
    assert n_parameters == len(set(map(id, module.parameters()))) == 7
    assert module.project.weight.shape == (5, 8)
    assert make_network(embedding=8, tie_weights=True).project is None


def test_another_dropout_acts_everywhere():
    codes = torch.randint(0, 11, (5, 3), generator=private(1))
    options = {"embedding": 5, "num_layers": 2}
    expected, _ = make_network(dropout=0.5, **options)(codes, None, private(2))
    module = make_network(dropout=0.0, **options)
    module.set_dropout(0.5)
    assert torch.equal(module(codes, None, private(2))[0], expected)
