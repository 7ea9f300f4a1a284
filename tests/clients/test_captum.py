"""captum: explanations of the module of a classifier."""

import numpy as np
import pytest
import torch
from captum.attr import IntegratedGradients, LayerIntegratedGradients
from torch.nn.utils.rnn import pad_sequence

from sklearn_rnn import CharVectorizer, RNNClassifier


@pytest.mark.parametrize("cell", ["gru", "lstm", "rnn"])
def test_attributions_of_steps_sum_to_the_difference(cell, ragged, y):
    model = RNNClassifier(
        cell, hidden_size=8, max_epochs=3, bidirectional=True, random_state=0
    ).fit(ragged, y)
    module = model.to_torch()
    lengths = torch.tensor([len(x) for x in ragged])
    x = pad_sequence([torch.tensor(x) for x in ragged], batch_first=True)
    attributions, delta = IntegratedGradients(module).attribute(
        x,
        target=1,
        additional_forward_args=(lengths,),
        n_steps=200,
        return_convergence_delta=True,
    )
    assert delta.abs().max() < 1e-2
    valid = torch.arange(x.shape[1]) < lengths.unsqueeze(1)
    assert (attributions[~valid] == 0).all()
    assert (attributions[valid] != 0).any()


def test_logits_and_embedded_characters_are_explained():
    texts, y = ["abc", "bca", "cc", "a"] * 3, [0, 1, 1, 0] * 3
    vectorizer = CharVectorizer()
    tokens = vectorizer.fit_transform(texts)
    module = RNNClassifier(hidden_size=8, max_epochs=3, random_state=0).fit(tokens, y)
    module = module.to_torch()
    codes = torch.from_numpy(np.asarray(tokens, dtype=np.int64))
    lengths = (codes > 0).sum(1)
    method = LayerIntegratedGradients(module.logits, module.embedding)
    attributions, delta = method.attribute(
        codes,
        target=1,
        additional_forward_args=(lengths,),
        return_convergence_delta=True,
    )
    assert attributions.shape[:2] == codes.shape
    assert delta.abs().max() < 1e-2
