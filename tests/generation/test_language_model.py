"""A trained network together with the codec of its texts."""

import copy

import numpy as np
import pytest
import torch
from sklearn.exceptions import NotFittedError

from sklearn_rnn import SequenceGenerator
from sklearn_rnn.generation._language_model import (
    LanguageModel,
    compute_log_proba,
    encode_known,
    list_codes,
)
from sklearn_rnn.text._codecs import TokenCodec

TEXT = "the cat sat on the mat and the dog sat on the log. " * 12


@pytest.fixture
def notes():
    codec = TokenCodec()
    codec.fit_encode([[60, 62, 64]])
    return codec


def test_a_model_needs_a_fitted_generator():
    with pytest.raises(NotFittedError, match="not fitted"):
        LanguageModel.of(SequenceGenerator())


def test_a_later_fit_does_not_change_a_model(learned):
    generator = copy.deepcopy(learned)
    model = LanguageModel.of(generator)
    before = model.predict_proba("the c")
    generator.set_params(max_epochs=1).fit("abc" * 9)
    assert model.classes.tolist() == learned.classes_.tolist()
    np.testing.assert_array_equal(model.predict_proba("the c"), before)


def test_a_fit_during_a_prediction_does_not_change_its_classes(learned, monkeypatch):
    generator, predict_proba = copy.deepcopy(learned), LanguageModel.predict_proba

    def fit_first(model, prefixes):
        generator.set_params(max_epochs=1).fit("xyz" * 9)
        return predict_proba(model, prefixes)

    monkeypatch.setattr(LanguageModel, "predict_proba", fit_first)
    assert generator.predict("the c").tolist() == ["a"]


def test_the_parts_of_a_model_come_from_one_fit(learned, monkeypatch):
    generator, module = copy.copy(learned), learned.module_

    def read_slowly(estimator):
        generator._codec = None  # simulates a fit in another thread that ends here
        return module

    monkeypatch.setattr(SequenceGenerator, "module_", property(read_slowly))
    assert LanguageModel.of(generator).codec is learned._codec


def test_work_grows_with_the_number_of_texts(learned):
    model = LanguageModel.of(learned)
    assert model.work == learned._count_operations(1)
    assert 300 * model.work == learned._count_operations(300)


def test_continuations_start_with_their_prompts(learned):
    model = LanguageModel.of(learned)
    start = model.start("the c")
    assert start.is_single and start.stepper.n_streams == 1
    assert model.codec.decode(start.texts[0].prompt) == "the c"
    several = model.start(["the c", ""])
    assert not several.is_single and several.texts[1].prompt == []
    np.testing.assert_allclose(several.logits[0], start.logits[0], rtol=1e-5, atol=1e-6)
    proba = np.exp(compute_log_proba(several.logits))
    np.testing.assert_allclose(proba, model.predict_proba(["the c", ""]))


@pytest.mark.parametrize("prompt", [3, None])
def test_other_objects_than_prompts_are_an_error(learned, prompt):
    with pytest.raises(TypeError, match="expected the kind of document"):
        learned.generate(prompt)


def test_the_corpus_contains_the_codes_of_documents(notes):
    corpus, n_known = encode_known(notes, [[60, 64], [], [62]], "X")
    assert list_codes(corpus) == [[4, 6], [], [5]]
    assert n_known.tolist() == [2, 0, 1]


def test_unknown_tokens_are_counted_and_named(notes):
    message = r"X has 4 token\(s\) that the model does not know: 1, \(2, 3\), 'x'\."
    with pytest.warns(UserWarning, match=message):
        corpus, n_known = encode_known(notes, [[60, 1, 1], [(2, 3), "x"]], "X")
    assert n_known.tolist() == [1, 0]
    assert list_codes(corpus) == [[4, 1, 1], [1, 1]]
    with pytest.warns(UserWarning, match=r"know: 0, 1, 2, 3, 4 \.\.\."):
        encode_known(notes, [range(9)] and [list(range(9))], "X")


def test_no_document_is_an_error(notes):
    with pytest.raises(ValueError, match="X contains no document"):
        encode_known(notes, [], "X")


def test_the_fingerprint_depends_on_vocabulary_and_weights(learned):
    fingerprint = LanguageModel.of(learned).fingerprint()
    other = copy.deepcopy(learned)
    assert LanguageModel.of(other).fingerprint() == fingerprint
    other._codec.classes[1] = "x"
    assert LanguageModel.of(other).fingerprint() != fingerprint
    other = copy.deepcopy(learned)
    with torch.no_grad():
        other.module_.head.bias[0] += 1
    assert LanguageModel.of(other).fingerprint() != fingerprint


def test_a_prompt_of_unknown_characters_only_is_an_error(learned):
    with (
        pytest.warns(UserWarning, match="does not know: 'Z', 'Q'"),
        pytest.raises(ValueError, match=r"prompt 0 contains no token .* 'ZQ'"),
    ):
        learned.generate("ZQ", 5)


def test_unknown_characters_of_a_prompt_raise_a_warning(learned):
    with pytest.warns(UserWarning, match=r"2 token\(s\).*'Z'"):
        written = learned.generate("theZZ cat sat on the m", 2, temperature=0)
    assert written == "at"
    with pytest.warns(UserWarning, match="'Z'"):
        proba = learned.predict_proba(["Z"])
    assert np.isfinite(proba).all()


def test_probabilities_have_the_order_of_the_classes(learned):
    proba = learned.predict_proba(["the c", "", "the d"])
    assert proba.shape == (3, len(learned.classes_))
    np.testing.assert_allclose(proba.sum(1), 1)
    assert learned.classes_[proba[0].argmax()] == "a"
    assert learned.predict(["the c", "the d"]).tolist() == ["a", "o"]
    assert learned.predict("the c").tolist() == ["a"]


def test_predictions_depend_neither_on_the_batch_nor_on_the_order(learned):
    prefixes = ["the c", "", "sat on the mat and the d", "s", "the c"]
    together = learned.predict_proba(prefixes)
    for k, prefix in enumerate(prefixes):
        np.testing.assert_allclose(
            learned.predict_proba([prefix])[0], together[k], rtol=1e-5, atol=1e-7
        )
    np.testing.assert_allclose(
        learned.predict_proba(prefixes[::-1])[::-1], together, rtol=1e-5, atol=1e-7
    )
    np.testing.assert_array_equal(together[0], together[4])


def test_a_prompt_may_be_of_any_length(learned):
    prompt = TEXT * 20
    assert learned.generate(prompt + "the c", 2, temperature=0) == "at"
    assert len(learned.generate("", 5, random_state=0, banned="<end>")) == 5


class TorchGRU(torch.nn.Module):
    """A cell whose states have their sequences on the second axis."""

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.gru = torch.nn.GRU(input_size, hidden_size, batch_first=True)

    def forward(self, x, state):
        return self.gru(x, state)


@pytest.mark.parametrize("num_layers", [1, 2])
def test_a_cell_may_keep_its_sequences_on_another_axis(num_layers):
    texts = ["the cat sat", "a dog ran", "x", "the dog"] * 4
    model = SequenceGenerator(
        cell=TorchGRU,
        hidden_size=5,
        num_layers=num_layers,
        max_epochs=1,
        batch_size=4,
        window=4,
        random_state=0,
    ).fit(texts)
    prompts = ["the cat", "a", "the d"]
    together = model.predict_proba(prompts)
    alone = np.concatenate([model.predict_proba([prompt]) for prompt in prompts])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-6)
    assert len(model.generate(prompts, 5, random_state=0)) == 3


def test_iterators_of_documents_are_read_once():
    documents = [["a", "b"], ["b"]]
    model = SequenceGenerator(window=4, hidden_size=2, max_epochs=1, random_state=0)
    expected = model.fit_transform(documents)
    np.testing.assert_array_equal(model.fit_transform(iter(documents)), expected)
    np.testing.assert_array_equal(
        model.predict_proba(iter(documents)), model.predict_proba(documents)
    )
    assert len(model.generate(iter(documents), 2, random_state=0)) == 2


def test_many_texts_are_read_on_one_thread_if_training_used_one():
    generator = SequenceGenerator(hidden_size=64, max_epochs=1, random_state=0)
    model, before = LanguageModel.of(generator.fit(TEXT)), torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with model.threads(100_000):
            assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)
