"""Copies of the training text: the index, spans of texts, and limited generation."""

import pickle
from contextlib import nullcontext

import numpy as np
import pytest

from sklearn_rnn import SequenceGenerator, WordVectorizer, load, save
from sklearn_rnn._nn.compiled import without_compiled_kernels
from sklearn_rnn._training.corpus import make_corpus
from sklearn_rnn.generation import _copies
from sklearn_rnn.generation._copies import (
    CopyIndex,
    CopyLimit,
    TrainingText,
    find_copied_spans,
    sort_positions,
)
from sklearn_rnn.generation._sampling import Continuation

FAST = {"hidden_size": 8, "max_epochs": 1, "random_state": 0, "keep_text": True}
TEXT = "the cat sat on the mat and the dog sat on the log. "


def make_training(documents, dtype=np.uint8):
    lengths = np.array([len(document) for document in documents])
    corpus = make_corpus(lengths, np.concatenate(documents).astype(dtype))
    return TrainingText.join(None, corpus, corpus)


def list_spans(documents, text, min_length):
    """The longest common spans, by comparing all parts."""
    spans = []
    for start in range(len(text)):
        for stop in range(len(text), start + min_length - 1, -1):
            places = [
                (row, k)
                for row, document in enumerate(documents)
                for k in range(len(document))
                if document[k : k + stop - start] == text[start:stop]
            ]
            if places:
                if not spans or stop > spans[-1][1]:
                    spans.append((start, stop, *places[0]))
                break
    return spans


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_spans_are_those_of_a_search_of_all_parts(dtype):
    rng, scale = np.random.default_rng(0), 1 if dtype == np.uint8 else 64
    for _ in range(4):
        sizes = rng.integers(1, 60, 3)
        documents = [(scale * rng.integers(4, 7, n)).tolist() for n in sizes]
        text = (scale * rng.integers(4, 7, 30)).tolist()
        text += documents[1][:20] + documents[0][-15:]
        training = make_training(documents, dtype)
        for n in (1, 3, 6):
            assert find_copied_spans(training, text, n) == list_spans(
                documents, text, n
            )


def test_a_copy_of_the_whole_text_is_one_span():
    document = np.random.default_rng(0).integers(4, 90, 5000).tolist()
    training = make_training([[4, 5], document])
    assert find_copied_spans(training, [5, *document, 5], 20) == [(1, 5001, 1, 0)]


def test_unknown_tokens_are_not_copies():
    training = make_training([[5, 6, 1, 7, 8, 9]])
    spans = find_copied_spans(training, [5, 6, 1, 7, 8, 9], 2)
    assert spans == [(0, 2, 0, 0), (3, 6, 0, 3)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_positions_are_sorted_in_blocks(dtype, monkeypatch):
    monkeypatch.setattr(_copies, "BLOCK", 100)
    codes = np.random.default_rng(0).integers(1, 5, 2000).astype(dtype)
    data, width = codes.tobytes(), codes.itemsize
    order = sort_positions(codes)
    assert sorted(order.tolist()) == list(range(2000))
    parts = [data[p * width : p * width + _copies.SORTED_BYTES] for p in order]
    assert parts == sorted(parts)


def test_an_index_has_five_bytes_per_character():
    codes = np.ones(1000, dtype=np.uint8)
    index = CopyIndex(codes)
    assert index.codes.nbytes + index.order.nbytes == 5000
    assert index.codes.base is index._bytes  # the same memory


@pytest.mark.parametrize("limit", [1, 3, 40])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("context", [nullcontext, without_compiled_kernels])
def test_a_limit_forbids_the_codes_that_would_follow(limit, dtype, context):
    rng, scale = np.random.default_rng(0), 1 if dtype == np.uint8 else 64
    documents = [(scale * rng.integers(4, 7, 200)).tolist(), [4, 5, 6]]
    copies = CopyLimit(make_training(documents, dtype), limit)
    follow = {}
    for document in documents:
        for k in range(len(document) - limit):
            follow.setdefault(tuple(document[k : k + limit]), set()).add(
                document[k + limit]
            )
    sources = [
        documents[0][50:] + [4] * 100,
        (scale * rng.integers(4, 7, 250)).tolist(),
    ]
    texts = [Continuation([1, documents[0][49]]), Continuation(documents[0][:99])]
    with context():
        for next_codes in zip(*sources, strict=True):
            forbidden = dict(copies.find_forbidden(texts))
            for k, text in enumerate(texts):
                tail = tuple((text.prompt + text.codes)[-limit:])
                assert set(forbidden.get(k, ())) == follow.get(tail, set())
                text.codes.append(next_codes[k])


@pytest.fixture(scope="module")
def model():
    return SequenceGenerator(**FAST | {"max_epochs": 30}).fit(TEXT * 12)


def longest_copy(model, text):
    return max((s.stop - s.start for s in model.copied_spans(text, 1)), default=0)


@pytest.mark.parametrize(
    "options",
    [{}, {"temperature": 0}, {"beam_size": 2}, {"repetition_penalty": 1.1}],
)
def test_generated_texts_copy_no_longer_spans(model, options):
    prompts = ["the c", "the dog sat", "a"]
    free = model.generate(prompts, 40, random_state=0, **options)
    limited = model.generate(prompts, 40, random_state=0, max_copy=6, **options)
    assert max(longest_copy(model, text) for text in free) > 9
    for prompt, text in zip(prompts, limited, strict=True):
        spans = model.copied_spans(prompt + text, 7)
        assert all(span.stop <= len(prompt) for span in spans)


def test_iterated_tokens_are_those_of_generate(model):
    tokens = model.generate_iter("the c", 30, max_copy=8, random_state=0)
    text = model.generate("the c", 30, max_copy=8, random_state=0)
    assert "".join(tokens) == text


def test_a_limit_that_is_not_reached_changes_nothing(model):
    texts = [
        model.generate(TEXT, 30, max_copy=n, random_state=0)
        for n in (None, 1000, 2**31 - 1)
    ]
    assert texts[0] == texts[1] == texts[2]


def test_an_error_is_raised_if_no_token_is_left():
    model = SequenceGenerator(**FAST).fit(["aaaa"])
    with pytest.raises(ValueError, match="max_copy exclude all"):
        model.generate("a", 5, max_copy=1, banned="<end>")


@pytest.mark.filterwarnings("ignore:the vectorizer keeps:UserWarning")
def test_spans_of_words_are_located_in_documents():
    model = SequenceGenerator(WordVectorizer(lowercase=False), **FAST)
    model.fit(["the cat sat.", "it's a dog, and the cat sat here."])
    (first, second) = model.copied_spans(
        "the cat sat. It's a dog, and the", min_length=3
    )
    assert (first.text, first.document, first.position) == ("the cat sat.", 0, 0)
    assert second.text == "'s a dog, and the"
    assert (second.start, second.stop) == (5, 12)
    assert (second.document, second.position) == (1, 1)
    with pytest.raises(ValueError, match="expected one text, got 2 texts"):
        model.copied_spans(["a", "b"])


def test_the_text_of_all_fits_is_kept_once():
    model = SequenceGenerator(warm_start=True, **FAST).fit(["abc", "abd"])
    model.fit(["abc", "abd"]).partial_fit(["bab", "dcb"])
    assert len(model._training_text.codes) == 20
    (span,) = model.copied_spans("dcb", 3)
    assert (span.document, span.position) == (3, 0)
    with pytest.raises(ValueError, match="change of keep_text"):
        model.set_params(keep_text=False).fit(["abc"])


def test_held_out_text_is_not_training_text():
    texts = [f"{c}{c}{d}" for c in "abcde" for d in "vwxyz"]
    model = SequenceGenerator(early_stopping=True, **FAST).fit(texts)
    found = [model.copied_spans(text, 3) for text in texts]
    places = [spans[0].document for spans in found if spans]
    assert places == [k for k, spans in enumerate(found) if spans]
    assert len(places) == 22
    model.set_params(validation_fraction=0.5).fit("abcdefgh" + "x" * 8)
    assert model.copied_spans("abcdefgh", 4) and not model.copied_spans("xxxx", 4)


def test_files_contain_the_text_but_no_index(model, tmp_path):
    model.copied_spans(TEXT)
    save(model, tmp_path / "model.skrnn")
    for twin in (load(tmp_path / "model.skrnn"), pickle.loads(pickle.dumps(model))):
        assert "index" not in vars(twin._training_text)
        assert twin.copied_spans(TEXT) == model.copied_spans(TEXT)


def test_the_text_has_to_be_kept():
    model = SequenceGenerator(**FAST | {"keep_text": False}).fit(TEXT)
    with pytest.raises(ValueError, match="keep_text=True"):
        model.copied_spans(TEXT)
    with pytest.raises(ValueError, match="keep_text=True"):
        model.generate("the", max_copy=20)
    with pytest.raises(ValueError, match="max_copy"):
        model.generate("the", max_copy=0)
