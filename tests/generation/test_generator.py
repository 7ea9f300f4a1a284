"""SequenceGenerator: inputs, training, predictions and generation."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from sklearn_rnn import (
    CharVectorizer,
    SequenceGenerator,
    TokenArray,
    WordVectorizer,
    split_text,
)
from sklearn_rnn._training.holdout import split_rows

TEXT = "the cat sat on the mat and the dog sat on the log. " * 12
SMALL = {"hidden_size": 12, "max_epochs": 3, "window": 16, "random_state": 0}
DOCUMENTS = ["the cat sat", "the dog sat", "a cat", "on the mat", "", "the log"] * 4


def small(*args, **changes):
    return SequenceGenerator(*args, **(SMALL | changes))


def weights(model):
    return {name: value.numpy() for name, value in model.module_.state_dict().items()}


def assert_same_weights(one, other):
    one, other = weights(one), weights(other)
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name])


# ------------------------------------------------------------------ reading


@pytest.mark.parametrize("as_single", [str, str.encode])
def test_the_end_of_a_single_text_is_not_learned(as_single):
    text = TEXT[:301]  # cut within a sentence
    single, listed = (small(max_epochs=20).fit(X) for X in (as_single(text), [text]))
    single_ends, listed_ends = (
        model.predict_proba([text[:n] for n in range(250, 302)])[:, 0].mean()
        for model in (single, listed)
    )
    assert single_ends < listed_ends / 3, (single_ends, listed_ends)
    assert_same_weights(single, small(max_epochs=20).fit(text))


def test_ends_of_single_texts_are_not_learned_by_any_method():
    text = TEXT[:300]
    model = small(early_stopping=True).fit(text, X_val="the cat")
    proba = model.predict_proba(["the cat"[:k] for k in range(7)])
    places = [model.classes_.tolist().index(letter) for letter in "the cat"]
    bits = -np.log2(proba[np.arange(7), places]).mean()
    assert model.best_validation_score_ == pytest.approx(-bits, rel=0.1)
    first = small().partial_fit(text).partial_fit(text)
    assert_same_weights(first, small(max_epochs=1).fit(text).partial_fit(text))
    listed = small().partial_fit([text]).partial_fit([text])
    assert np.all(first.predict_proba(text)[:, 0] < listed.predict_proba(text)[:, 0])
    with pytest.raises(ValueError, match="X_val contains no token"):
        small(early_stopping=True).fit(text, X_val="")


def test_any_iterable_of_documents_is_accepted():
    expected = small().fit(DOCUMENTS)
    for container in (
        tuple(DOCUMENTS),
        np.array(DOCUMENTS, dtype=object),
        pd.Series(DOCUMENTS, index=range(5, 29)),
        (document for document in DOCUMENTS),
    ):
        assert_same_weights(small().fit(container), expected)


def test_files_are_read_by_name_for_fit_and_scores_but_prompts_are_text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(TEXT.encode())
    expected = small().fit(TEXT)
    listed = small(input="filename").fit([path])
    assert_same_weights(listed, small().fit([TEXT]))
    assert listed.score(path) == listed.score([path])
    for file in (path, str(path)):
        model = small(input="filename").fit(file)
        assert_same_weights(model, expected)
        assert model.score(file) == expected.score(TEXT)
    assert model.predict("the ca").tolist() == expected.predict("the ca").tolist()
    assert model.generate("the", 9, random_state=0) == expected.generate(
        "the", 9, random_state=0
    )


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        small(input="filename").fit(tmp_path / "nowhere.txt")


def test_codes_of_a_vectorizer_in_front_train_the_same_network():
    vectorizer = CharVectorizer()
    tokens = vectorizer.fit_transform(DOCUMENTS[:3])
    model = small().fit(tokens)
    assert_same_weights(model, small().fit(DOCUMENTS[:3]))
    assert model.classes_.tolist() == list(range(3, vectorizer.vocabulary_size_))
    written = model.generate(tokens[:1], 5, temperature=0, banned=3)
    assert isinstance(written, TokenArray) and written.shape == (1, 5)
    expected = small().fit(DOCUMENTS[:3])
    text = expected.generate(DOCUMENTS[0], 5, temperature=0, banned="<end>")
    assert vectorizer.inverse_transform(written) == [text]


def test_a_generator_can_be_the_last_step_of_a_pipeline():
    pipeline = make_pipeline(CharVectorizer(), small()).fit(DOCUMENTS)
    proba = pipeline.predict_proba(["the", "on"])
    assert proba.shape == (2, len(pipeline[-1].classes_))
    assert np.isfinite(pipeline.score(DOCUMENTS))


def test_boundary_codes_of_a_vectorizer_are_not_doubled():
    plain = CharVectorizer().fit_transform(DOCUMENTS[:3])
    bounded = CharVectorizer(boundaries=True).fit_transform(DOCUMENTS[:3])
    assert_same_weights(small().fit(plain), small().fit(bounded))


def test_any_hashable_tokens_can_be_learned():
    melody = [[60, 62, 64, 60], [60, 62, 64, 60], [64, 65, 67]] * 8
    model = small(max_epochs=30, batch_size=4).fit(melody)
    assert model.classes_.tolist() == ["<end>", 60, 62, 64, 65, 67]
    assert model.generate([60, 62], 1, temperature=0) == [64]
    assert model.generate([[60], [64, 65]], 1, temperature=0) == [[62], [67]]
    assert model.predict([[60, 62], [64, 65]]).tolist() == [64, 67]
    assert model.generate((60, 62), 1, temperature=0) == [64]
    assert len(model.generate(n_tokens=3, banned="<end>", random_state=0)) == 3
    with pytest.raises(ValueError, match="not a token of this model"):
        model.generate([60], 1, banned=[[60]])
    commands = [[("ls", "-l"), ("cd", "..")], [("ls", "-l")]]
    assert small().fit(commands).classes_.tolist()[1:] == [("cd", ".."), ("ls", "-l")]
    assert small().fit([["C", 4, "C"]]).classes_.tolist() == ["<end>", "C", 4]


def test_lists_of_words_go_through_a_vectorizer_if_there_is_one():
    words = [document.split() for document in DOCUMENTS if document]
    model = small(WordVectorizer(min_count=8, lowercase=False)).fit(words)
    assert model.classes_.tolist() == ["<end>", "cat", "sat", "the"]
    assert isinstance(model.generate([words[0]], 3, random_state=0)[0], str)


class FirstLetters:
    """A transformer to tokens that is not part of this package."""

    def __init__(self):
        self.inner = CharVectorizer()

    def fit(self, X, y=None):
        self.inner_ = self.inner.fit([x[:4] for x in X])
        return self

    def transform(self, X):
        return self.inner_.transform([x[:4] for x in X])

    def inverse_transform(self, X):
        return self.inner_.inverse_transform(X)

    def get_feature_names_out(self):
        return self.inner_.get_feature_names_out()

    def get_params(self, deep=True):
        return {}

    def set_params(self, **params):
        return self


def test_other_transformers_to_tokens_are_accepted_and_hidden_text_is_scored():
    model = small(FirstLetters()).fit(["abcd"] * 9)
    assert model.classes_.tolist() == ["<end>", "a", "b", "c", "d"]
    hidden = model.bits_per_character(["abcdxxxx"]) * 8
    assert hidden > model.bits_per_character(["abcd"]) * 4 + 4


def test_vectorizer_parameters_are_searched():
    pieces = split_text(TEXT, 6)
    grid = {
        "vectorizer__min_df": [1, 2],
        "cell": ["rnn", "gru"],
        "hidden_size": [4, 8],
    }
    vectorizer = WordVectorizer(lowercase=False)
    search = GridSearchCV(small(vectorizer, max_epochs=1), grid, cv=2).fit(pieces)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert not hasattr(vectorizer, "vocabulary_")
    scores = cross_val_score(small(), pieces, cv=3)
    assert scores.shape == (3,) and (scores < 0).all()


# ------------------------------------------------------------------ invalid input


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"n_tokens": -1}, "n_tokens must be an integer of at least 0, got -1"),
        ({"n_tokens": 1, "required": ["a", "t"]}, "too few for the 2 required tokens"),
        ({"temperature": -0.1}, "temperature must be a number of at least 0"),
        ({"top_k": 0}, "top_k must be"),
        ({"top_p": 0}, "top_p must be"),
        ({"repetition_penalty": 0}, "repetition_penalty must be"),
        ({"stop": "Z!"}, "stop='Z!' cannot be generated"),
        ({"banned": "Z"}, "banned contains 'Z'"),
        ({"required": "Z"}, "required contains 'Z'"),
        ({"mask": lambda tokens, logits: logits - np.inf}, "no token is left"),
        ({"beam_size": 0}, "beam_size must be"),
        ({"beam_size": 2, "top_k": 3}, "a beam search does not sample"),
    ],
)
def test_options_that_cannot_be_honoured_are_errors(learned, option, message):
    options = {"n_tokens": 3} | option
    with pytest.raises(ValueError, match=message):
        learned.generate("the", **options)
    if "beam_size" not in options and options["n_tokens"] != -1:
        with pytest.raises(ValueError, match=message):
            next(learned.generate_iter("the", **options))


@pytest.mark.parametrize("X", ["", [""], [], ["", ""]])
def test_a_text_without_tokens_is_an_error(X):
    with pytest.raises(ValueError, match=r"empty|no document|no token"):
        small().fit(X)


@pytest.mark.parametrize(
    ("vectorizer", "X"),
    [
        (None, [["a", "<end>"], ["b"]]),
        (
            WordVectorizer(lowercase=False, token_pattern=r"<\w+>|\w+"),
            ["a b <end>"] * 2,
        ),
    ],
)
def test_a_token_with_the_name_of_the_end_is_an_error(vectorizer, X):
    with pytest.raises(ValueError, match="'<end>', which is the name of"):
        small(vectorizer).fit(X)


def test_windows_that_leave_text_out_raise_a_warning():
    with pytest.warns(UserWarning, match="step=9 is greater than window=8"):
        small(step=9, window=8, max_epochs=1).fit(TEXT[:100])
    small(step=8, window=8, max_epochs=1).fit(TEXT[:100])


def test_tuples_are_read_as_documents_by_fit_and_predict():
    documents = [("a", "b"), ("b",), ("a",)]
    model = small(max_epochs=1).fit(documents)
    assert model.predict_proba(documents).shape == (3, 3)
    assert model.predict(tuple(documents)).shape == model.transform(documents).shape[:1]


def test_a_text_shorter_than_the_window_is_learned():
    model = small(window=500, max_epochs=60).fit("abcabc")
    assert model.generate("ab", 1, temperature=0) == "c"


def test_a_failed_fit_changes_nothing(learned):
    model = copy.deepcopy(learned)
    with pytest.raises(ValueError, match="no document"):
        model.fit([])
    assert_same_weights(model, learned)
    assert model.generate("the", 5, random_state=0) == learned.generate(
        "the", 5, random_state=0
    )


def test_no_tokens_are_an_empty_text(learned):
    assert learned.generate("the", 0) == ""
    assert learned.generate("the", 0, beam_size=3) == ""
    assert list(learned.generate_iter("the", 0)) == []


def test_generation_requires_fit():
    model = small()
    for call in (
        lambda: model.generate("a"),
        lambda: model.generate_iter("a"),
        lambda: model.predict_proba(["a"]),
        lambda: model.score("a"),
        lambda: model.transform(["a"]),
        lambda: model.session("a"),
    ):
        with pytest.raises(ValueError, match="not fitted"):
            call()


# ------------------------------------------------------------------ training


def test_a_text_is_memorized(learned):
    assert learned.generate("the cat s", 20, temperature=0) == "at on the mat and th"
    assert learned.bits_per_character(TEXT) < 0.5
    assert learned.loss_curve_[-1] < learned.loss_curve_[0] / 5


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize(
    "changes",
    [
        {"step": 3},
        {"num_layers": 2, "dropout": 0.1},
        {"tie_weights": True},
        {"embedding": "onehot"},
        {"embedding": 5},
        {"precision": "float64"},
        {"precision": "bfloat16"},
    ],
    ids=str,
)
def test_the_loss_decreases_with_every_setting(cell, changes):
    model = small(cell=cell, hidden_size=24, max_epochs=8, **changes).fit(TEXT)
    uniform = np.log(model.vocabulary_size_)
    assert model.loss_curve_[-1] < 0.6 * uniform
    assert len(model.generate("the", 5, random_state=0, banned="<end>")) == 5


def test_same_seed_same_bits():
    for changes in ({}, {"step": 2}, {"dropout": 0.3, "num_layers": 2}):
        one, other = (small(**changes).fit(DOCUMENTS) for _ in range(2))
        assert_same_weights(one, other)
        assert one.loss_curve_ == other.loss_curve_
    assert small(random_state=1).fit(DOCUMENTS).loss_curve_ != one.loss_curve_


def test_global_random_generators_are_not_used(learned):
    state, numpy_state = torch.random.get_rng_state(), np.random.get_state()[1].copy()
    model = small(dropout=0.2).fit(DOCUMENTS)
    model.generate(["the", "a"], 9)
    assert torch.equal(torch.random.get_rng_state(), state)
    np.testing.assert_array_equal(np.random.get_state()[1], numpy_state)


def test_clone_pickle_and_refit(learned):
    model = clone(learned)
    assert not hasattr(model, "net_")
    assert_same_weights(model.fit(TEXT), learned)
    again = pickle.loads(pickle.dumps(learned))
    assert again.generate("the", 30, random_state=1) == learned.generate(
        "the", 30, random_state=1
    )
    assert_same_weights(small().fit(DOCUMENTS).fit(TEXT), small().fit(TEXT))


def test_predictions_set_no_attribute(learned):
    before = set(vars(learned))
    learned.generate(["the", "a"], 3)
    learned.predict_proba("the")
    learned.score(TEXT)
    learned.session("the")
    assert set(vars(learned)) == before


def test_early_stopping_holds_out_documents_or_the_tail():
    model = small(early_stopping=True, validation_fraction=0.25, max_epochs=5)
    model.fit(DOCUMENTS)
    assert len(model.validation_scores_) == model.n_iter_
    model.fit(TEXT)
    kept = model.best_validation_score_
    assert kept == max(model.validation_scores_)
    everything = small(max_epochs=5).fit(TEXT)
    assert everything.validation_scores_ is None


def test_a_reported_validation_score_is_that_of_the_text_given():
    model = small(early_stopping=True, max_epochs=4)
    model.fit(TEXT, X_val=["the cat sat."])
    assert model.best_validation_score_ == pytest.approx(
        -np.log2(model.perplexity("the cat sat."))
    )


def test_validation_text_requires_early_stopping():
    with pytest.raises(ValueError, match="early_stopping=True"):
        small().fit(TEXT, X_val=TEXT)


def test_partial_fit_adapts_to_a_second_author(learned):
    model = copy.deepcopy(learned)
    other = "the cow ate the hay. " * 20
    with pytest.warns(UserWarning, match="does not know: 'w', 'y'"):
        model.partial_fit(other)
    assert model.n_iter_ == learned.n_iter_ + 1
    assert model.classes_.tolist() == learned.classes_.tolist()
    text = "the cat ate the dog."
    for _ in range(3):
        model.partial_fit(text * 30)
    assert model.perplexity(text) < learned.perplexity(text)


def test_the_first_partial_fit_learns_the_vocabulary():
    model = small().partial_fit(TEXT)
    assert model.n_iter_ == 1
    assert set(model.classes_[1:]) == set(TEXT)


def test_warm_start_continues_training():
    whole = small(max_epochs=4).fit(TEXT)
    parts = small(max_epochs=2, warm_start=True).fit(TEXT).fit(TEXT)
    assert parts.n_iter_ == whole.n_iter_
    assert parts.loss_curve_ == pytest.approx(whole.loss_curve_, rel=1e-3)
    with pytest.raises(ValueError, match="tie_weights from False to True"):
        parts.set_params(tie_weights=True, embedding=12).fit(TEXT)


def test_a_warm_start_holds_out_the_same_documents(monkeypatch):
    held = []

    def record(*args):
        train, valid = split_rows(*args)
        held.append(valid.tolist())
        return train, valid

    monkeypatch.setattr("sklearn_rnn.generation._net.split_rows", record)
    model = small(early_stopping=True, warm_start=True, random_state=None, max_epochs=1)
    for _ in range(3):
        model.fit(DOCUMENTS * 2)
    assert held[0] == held[1] == held[2]
    clone(model).fit(DOCUMENTS * 2)
    assert held[3] != held[0]


def test_pretrained_vectors_initialize_the_embedding():
    vectors = np.random.default_rng(0).normal(size=(5, 3))
    with pytest.raises(ValueError, match=r"5 vectors.*has 6 codes"):
        small(embedding=vectors).fit("abab")
    assert small(embedding=vectors).fit("aaaa").module_.embedding.embedding_dim == 3


def test_tied_weights_need_an_embedding():
    with pytest.raises(ValueError, match="tie_weights"):
        small(tie_weights=True, embedding="onehot").fit(TEXT)


# ------------------------------------------------------------------ predictions


def test_states_are_features_for_another_estimator(learned):
    X = ["the cat", "the dog", "the mat", "the log"] * 5
    y = ["animal", "animal", "thing", "thing"] * 5
    features = learned.transform(X)
    assert features.shape == (20, 32)
    assert len(learned.get_feature_names_out()) == 32
    pipeline = make_pipeline(small(), LogisticRegression(C=100)).fit(X, y)
    assert pipeline.score(X, y) == 1.0
    frame = copy.deepcopy(learned).set_output(transform="pandas").transform(X)
    assert list(frame.columns) == [f"sequencegenerator{k}" for k in range(32)]


# ------------------------------------------------------------------ generation


def test_a_continuation_does_not_depend_on_other_prompts(learned):
    prompts = ["the c", "sat", "the dog s"]
    together = learned.generate(prompts, 20, random_state=3)
    assert together[0] == learned.generate(prompts[0], 20, random_state=3)
    assert together[:2] == learned.generate(prompts[:2], 20, random_state=3)
    assert together[::-1] == learned.generate(prompts[::-1], 20, random_state=3)
    equal = learned.generate(["the "] * 3, 20, temperature=2.0, random_state=3)
    assert len(set(equal)) == 3
    assert together != learned.generate(prompts, 20, random_state=4)


@pytest.mark.parametrize("handle_unknown", ["unk", "ignore"])
@pytest.mark.filterwarnings("ignore:the text has:UserWarning")
def test_a_prompt_without_known_tokens_is_an_error(handle_unknown):
    model = small(
        WordVectorizer(lowercase=False, handle_unknown=handle_unknown), max_epochs=1
    )
    model.fit(DOCUMENTS)
    for prompt in ("Q", "Q Z", ["the", "Q"]):
        with pytest.raises(ValueError, match=r"prompt \d contains no token"):
            model.generate(prompt, 3)
    for prompt in ("", " ", "Q the"):
        model.generate(prompt, 3)


def test_generate_iter_yields_the_tokens_of_generate(learned):
    tokens = learned.generate_iter("the", 25, random_state=0)
    assert "".join(tokens) == learned.generate("the", 25, random_state=0)
    endless = learned.generate_iter("the", random_state=0, banned="<end>")
    assert len([next(endless) for _ in range(300)]) == 300
    with pytest.raises(ValueError, match="one prompt"):
        learned.generate_iter(["a", "c"])


def test_generation_stops_at_a_stop_and_at_the_end(learned, of_words):
    written = learned.generate("the cat", 200, temperature=0, stop=["mat", "."])
    assert written == " sat on the mat"
    texts = of_words.generate([""] * 20, 50, random_state=0)
    assert max(len(text.split()) for text in texts) < 10
    assert "<end>" not in " ".join(texts)
    assert of_words.generate("the", 5, temperature=0, stop="sat").split()[-1] == "sat"


@pytest.mark.parametrize(
    ("required", "n_tokens"),
    [("g", 20), (["g", "g"], 8), (["<end>", "g"], 10), (["<end>", "g", "m"], 3)],
)
@pytest.mark.parametrize("beam_size", [None, 3])
def test_required_tokens_are_generated_before_a_stop(
    learned, required, n_tokens, beam_size
):
    for seed in range(8 if beam_size is None else 1):
        options = {"required": required, "stop": [" ", "a", "g"], "random_state": seed}
        text = learned.generate("the", n_tokens, beam_size=beam_size, **options)
        assert text.count("g") >= list(required).count("g")
        if "<end>" in required:  # the text ends by itself, at whatever length
            assert len(text) < n_tokens
        elif len(text) < n_tokens:
            assert text[-1] in " ag"
        if beam_size is None:
            assert text == "".join(learned.generate_iter("the", n_tokens, **options))


@pytest.mark.parametrize("beam_size", [None, 1, 4])
def test_a_mask_that_forbids_a_required_token_is_an_error(learned, beam_size):
    def mask(tokens, logits):
        logits[learned.classes_ == "g"] = -np.inf
        return logits

    options = {"required": ["g", "m"], "mask": mask, "beam_size": beam_size}
    with pytest.raises(ValueError, match=r"\['g'\] are missing.* mask forbids"):
        learned.generate("the", 5, **options, random_state=0)


def test_constraints_are_satisfied(learned):
    written = learned.generate("the c", 50, random_state=0, banned=["a", "<end>"])
    assert "a" not in written and len(written) == 50
    written = learned.generate("the cat s", 8, temperature=0, required=".")
    assert "." in written
    seen = []

    def no_t_after_a(tokens, logits):
        seen.append("".join(tokens))
        if tokens[-1:] == ["a"]:
            logits[learned.classes_ == "t"] = -np.inf
        return logits

    written = learned.generate("the c", 30, temperature=0, mask=no_t_after_a)
    assert "at" not in written
    assert seen[0] == "the c" and seen[5] == "the c" + written[:5]


@pytest.mark.parametrize("temperature", [1e-3, 1e-300])
def test_near_zero_temperature_is_greedy(learned, temperature):
    greedy = learned.generate("the", 9, temperature=0)
    assert learned.generate("the", 9, temperature=temperature) == greedy


def test_a_large_top_k_keeps_all_tokens(learned):
    assert learned.generate("the", 20, top_k=10**6, random_state=0) == learned.generate(
        "the", 20, random_state=0
    )
    assert learned.generate("the", 20, top_k=1, random_state=0) == learned.generate(
        "the", 20, temperature=0
    )


def test_a_repetition_penalty_favors_new_tokens(of_words):
    plain = of_words.generate("the", 12, temperature=0, banned="<end>")
    varied = of_words.generate(
        "the", 12, temperature=0, repetition_penalty=5.0, banned="<end>"
    )
    assert varied != plain


def test_a_beam_is_at_least_as_likely_as_greedy_search(learned):
    def bits(text):
        return learned.bits_per_character("sat" + text) * len("sat" + text)

    greedy = learned.generate("sat", 6, temperature=0)
    assert learned.generate("sat", 6, beam_size=1) == greedy
    proba = [1.0, 1.0]
    for which, text in enumerate([greedy, learned.generate("sat", 6, beam_size=5)]):
        for k, c in enumerate(text):
            p = learned.predict_proba("sat" + text[:k])[0]
            proba[which] *= p[learned.classes_.tolist().index(c)]
    assert proba[1] >= proba[0] * (1 - 1e-6)
