"""Options of generation: checks, conversion to codes, and documentation."""

import inspect

import numpy as np
import pytest
from numpydoc.docscrape import FunctionDoc
from numpydoc.validate import validate

from sklearn_rnn import CharVectorizer, SequenceGenerator
from sklearn_rnn.generation._options import (
    DecodingOptions,
    document_options,
    find_code,
)
from sklearn_rnn.text._codecs import CodeCodec, TextCodec, TokenCodec

DEFAULTS = {
    "temperature": 1.0,
    "top_k": None,
    "top_p": None,
    "repetition_penalty": 1.0,
    "stop": None,
    "banned": None,
    "required": None,
    "mask": None,
}


@pytest.fixture
def chars():
    codec = TextCodec(CharVectorizer())
    codec.fit_encode(["abc"])
    return codec


@pytest.fixture
def commands():
    codec = TokenCodec()
    codec.fit_encode([[("cd", ".."), ("ls", "-l")]])
    return codec


def read(codec, **given):
    return DecodingOptions.from_user(codec, **(DEFAULTS | given))


def test_the_defaults_are_those_of_generate(chars):
    assert read(chars) == DecodingOptions()
    for method in (SequenceGenerator.generate, SequenceGenerator.generate_iter):
        signature = inspect.signature(method).parameters
        assert {name: signature[name].default for name in DEFAULTS} == DEFAULTS


def test_tokens_become_codes(chars, commands):
    assert read(chars, banned="a").banned == (4,)
    assert read(chars, banned=["<end>", "c"], required="b").banned == (3, 6)
    assert read(chars, required=["b", "b"]).required == (5, 5)
    assert read(commands, banned=("ls", "-l")).banned == (5,)
    assert read(CodeCodec(7), banned=[3, 5]).banned == (3, 5)
    for one in (5, np.int64(5), np.array(5)):
        assert read(CodeCodec(7), banned=one, stop=one).banned == (5,)
    assert find_code(CodeCodec(7), 3, "banned") == 3


def test_stops_are_texts_or_tokens(chars, commands):
    assert read(chars, stop="ab").stop == ((4, 5),)
    assert read(chars, stop=["ab", "c"]).stop == ((4, 5), (6,))
    assert read(commands, stop=[("cd", "..")]).stop == ((4,),)
    assert read(CodeCodec(7), stop=5).stop == ((5,),)
    assert read(commands, stop=("cd", "..")).stop == ((4,),)  # a tuple is one token
    assert read(chars, stop=("ab", "c")).stop == (
        (4, 5),
        (6,),
    )  # unless it is not a token
    assert read(chars, stop=(["a", "b"], "c")).stop == ((4, 5), (6,))
    with pytest.raises(ValueError, match=r"banned contains \(\['a'\],\), which is not"):
        read(chars, banned=(["a"],))


@pytest.mark.parametrize("handle_unknown", ["unk", "ignore", "error"])
def test_stops_with_unknown_tokens_are_errors(handle_unknown):
    codec = TextCodec(CharVectorizer(handle_unknown=handle_unknown))
    codec.fit_encode(["ab."])
    with pytest.raises(ValueError, match=r"stop='Q\.' cannot be .*: it contains 'Q'"):
        read(codec, stop=["a", "Q."])
    assert read(codec, stop="b.").stop == (tuple(codec.code_of[c] for c in "b."),)


@pytest.mark.parametrize("banned", [2.5, [2.5], np.float64(2.5), b"a"])
def test_a_token_of_another_type_is_an_error(banned):
    with pytest.raises(ValueError, match=r"banned contains .* 4 tokens .*\[3, 4, 5, 6"):
        read(CodeCodec(7), banned=banned)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"temperature": -0.1}, "temperature must be a number of at least 0"),
        ({"temperature": np.nan}, "temperature must be"),
        ({"temperature": "hot"}, "temperature must be"),
        ({"top_k": 0}, "top_k must be an integer of at least 1, got 0"),
        ({"top_k": 1.5}, "top_k must be an integer"),
        ({"top_p": 0}, "top_p must be a number above 0"),
        ({"top_p": 1.1}, "top_p must be"),
        ({"repetition_penalty": 0}, "repetition_penalty must be a number of at least"),
        ({"repetition_penalty": 1e-300}, "at least 0.001 and of at most 1000"),
        ({"repetition_penalty": 1e300}, "at least 0.001 and of at most 1000"),
        ({"banned": "Z"}, r"banned contains 'Z', which is not a token .* the 4 tokens"),
        ({"banned": [["a"]]}, r"banned contains \['a'\]"),
        ({"required": ["a", "Z"]}, "required contains 'Z'"),
        ({"required": "a", "banned": ["b", "a"]}, "required and banned"),
        ({"required": ["<end>", "a", "<end>"]}, "'<end>' more than once"),
        ({"stop": "aZ"}, "stop='aZ' cannot be generated"),
        ({"stop": [""]}, "stop='' cannot be generated"),
    ],
)
def test_values_out_of_range_and_unknown_tokens_are_errors(chars, given, message):
    with pytest.raises(ValueError, match=message):
        read(chars, **given)


def test_n_tokens_must_allow_all_required_tokens():
    options = DecodingOptions(required=(4, 5))
    options.check_n_tokens(2)
    with pytest.raises(ValueError, match="n_tokens=1 is too few for the 2 required"):
        options.check_n_tokens(1)
    for n_tokens in (-1, 2.5, True):
        with pytest.raises(ValueError, match="n_tokens must be an integer"):
            options.check_n_tokens(n_tokens)


def test_options_of_sampling_are_an_error_in_a_beam_search():
    DecodingOptions(banned=(4,), repetition_penalty=2.0).check_beam_size(1)
    with pytest.raises(ValueError, match="beam_size must be an integer"):
        DecodingOptions().check_beam_size(0)
    for given in ({"temperature": 0.5}, {"top_k": 3}, {"top_p": 0.5}):
        with pytest.raises(ValueError, match="does not sample"):
            DecodingOptions(**given).check_beam_size(2)


def test_a_mask_receives_tokens_and_the_logits_of_the_classes(chars):
    seen = []

    def mask(tokens, logits):
        seen.append((tokens, logits))
        return [-np.inf, *logits[1:]]

    found = read(chars, mask=mask).mask([1, 4, 6], np.arange(7.0))
    assert found.tolist() == [0, 1, 2, -np.inf, 4, 5, 6]
    ((tokens, logits),) = seen
    assert tokens == ["a", "c"]
    assert logits.tolist() == [3, 4, 5, 6]  # a copy, which the user may keep


def test_a_mask_must_be_a_function(chars):
    with pytest.raises(TypeError, match=r"mask must be a function.*got 3 of type int"):
        read(chars, mask=3)


def test_a_mask_must_not_return_plus_infinity(chars):
    options = read(chars, mask=lambda tokens, logits: np.array([0, 0, np.inf, 0]))
    with pytest.raises(ValueError, match=r"plus infinity for 'b'.*forbid all others"):
        options.mask([4], np.zeros(7))


@pytest.mark.parametrize("answer", [np.zeros(3), np.full(4, np.nan), np.zeros((1, 4))])
def test_a_mask_must_return_logits(chars, answer):
    options = read(chars, mask=lambda tokens, logits: answer)
    with pytest.raises(ValueError, match=r"mask returned .* of shape \(4,\)"):
        options.mask([4], np.zeros(7))


# ------------------------------------------------------------------ documentation


@pytest.mark.parametrize("name", ["generate", "generate_iter"])
def test_the_options_are_documented_in_full(name):
    errors = dict(validate(f"sklearn_rnn.SequenceGenerator.{name}")["errors"])
    assert not errors.keys() & {"GL03", "GL08", "PR01", "PR02", "PR03", "PR04", "PR07"}
    method = getattr(SequenceGenerator, name)
    described = {p.name: p.desc for p in FunctionDoc(method)["Parameters"]}
    assert list(described) == list(inspect.signature(method).parameters)[1:]
    other = FunctionDoc(SequenceGenerator.generate)["Parameters"]
    assert all(described[p.name] == p.desc for p in other if p.name in DEFAULTS)


def test_a_docstring_is_filled_at_its_own_indentation():
    def write():
        """Write.

            {decoding_options}
        n : int
        """

    lines = document_options(write).__doc__.splitlines()
    start = next(k for k, line in enumerate(lines) if "temperature :" in line)
    last = next(line for line in lines if line.strip() == "n : int")
    indentation = len(last) - len(last.lstrip()) + 4
    assert lines[start].startswith(" " * indentation + "temperature")
    assert lines[start + 1].startswith(" " * (indentation + 4) + "Divisor")


def test_docstrings_may_be_missing():
    def write():  # as under python -OO
        pass

    assert document_options(write) is write
    assert write.__doc__ is None


def test_numbers_of_numpy_are_accepted():
    model = SequenceGenerator(window=4, hidden_size=2, max_epochs=1, random_state=0)
    model.fit(["abab", "ba"])
    expected = model.generate("a", 5, top_k=2, random_state=0)
    found = model.generate("a", np.uint8(5), top_k=np.uint8(2), random_state=0)
    assert found == expected
