"""WritingSession: writing with suggestions of a generator."""

import io
import json
import pickle
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sklearn_rnn import (
    CharVectorizer,
    SequenceGenerator,
    TokenArray,
    WordVectorizer,
    save,
)
from sklearn_rnn.generation._language_model import LanguageModel
from sklearn_rnn.generation._session import _compute_checksum

ROOT = Path(__file__).parents[2]
TEXT = "the cat sat on the mat and the dog sat on the log. " * 12
DOCUMENTS = ["the cat sat on the mat", "the dog sat on the log", "a cat sat"] * 6


def fitted(X, vectorizer=None, **changes):
    settings = {"hidden_size": 16, "max_epochs": 6, "random_state": 0, "batch_size": 4}
    return SequenceGenerator(vectorizer, **(settings | changes)).fit(X)


@pytest.fixture(scope="module")
def chars():
    return fitted(TEXT)


@pytest.fixture(scope="module")
def words():
    return fitted(DOCUMENTS, WordVectorizer(lowercase=False))


@pytest.fixture(scope="module")
def notes():
    return fitted([[60, 62, 64, 60], [64, 65, 67]] * 8)


@pytest.fixture(scope="module")
def codes():
    return fitted(CharVectorizer().fit_transform(["the cat sat on"]))


def test_suggestions_are_the_likeliest_tokens_of_predict_proba(words):
    session = words.session("the cat")
    suggestions = session.suggest(3)
    proba = words.predict_proba("the cat")[0]
    order = np.argsort(-proba)
    assert [token for token, _ in suggestions] == words.classes_[order[:3]].tolist()
    np.testing.assert_allclose([p for _, p in suggestions], proba[order[:3]], rtol=1e-5)
    everything = session.suggest(1000)
    assert len(everything) == len(words.classes_) == len(session.classes_)
    assert sum(p for _, p in everything) == pytest.approx(1)
    assert not {"<pad>", "<unk>", "<start>"} & {token for token, _ in everything}
    assert len(session.suggest()) == min(10, len(words.classes_))


def test_picking_and_accepting_write_the_text(words):
    session = words.session("the cat")
    (first, _), *_ = session.suggest()
    assert session.pick(0).text == f"the cat {first}"
    session.accept("log")
    assert session.written == f"{first} log" and session.tokens == [first, "log"]
    assert session.text == f"the cat {first} log"


def test_stepping_equals_reading(chars):
    session = chars.session("the c")
    for letter in "at sat":
        session.accept(letter)
    expected = chars.predict_proba("the cat sat")[0]
    found = dict(session.suggest(1000))
    for token, p in zip(chars.classes_, expected, strict=True):
        assert found[token] == pytest.approx(p, rel=1e-4)


def test_the_log_probability_is_that_of_the_model(chars):
    session = chars.session("the ", temperature=2.0)
    total = 0.0
    for k, letter in enumerate("cat"):
        proba = chars.predict_proba("the " + "cat"[:k])[0]
        total += np.log(proba[chars.classes_.tolist().index(letter)])
        session.accept(letter)
    assert session.log_probability == pytest.approx(total, rel=1e-5)
    assert session.undo(3).log_probability == 0


def test_each_token_takes_one_step_and_undo_takes_none(chars, monkeypatch):
    session = chars.session("the ")
    kind, steps = type(session._stepper), []
    feed = kind.feed
    monkeypatch.setattr(
        kind, "feed", lambda self, codes: steps.append(1) or feed(self, codes)
    )
    monkeypatch.setattr(LanguageModel, "_read_documents", None)  # nothing is read again
    for letter in "cat sat":
        session.suggest()
        session.accept(letter)
    assert len(steps) == 7
    session.undo(3).branch().suggest()
    assert len(steps) == 7


def test_undo_restores_the_state_exactly(chars):
    session = chars.session("the ")
    before = session.suggest()
    session.accept("d").accept("o")
    assert session.undo().text == "the d"
    assert session.undo().suggest() == before
    session.accept("c")
    fresh = chars.session("the ").accept("c")
    assert session.suggest() == fresh.suggest()


@pytest.mark.parametrize("n", [3, -1, 1.5])
def test_undo_beyond_the_prompt_changes_nothing(chars, n):
    session = chars.session("the ").accept("c").accept("a")
    with pytest.raises(ValueError, match=r"from 0 to 2, the number of tokens .* got"):
        session.undo(n)
    assert session.text == "the ca"


def test_branches_are_independent(chars):
    session = chars.session("the ").accept("c")
    branch = session.branch().accept("o")
    session.accept("a")
    assert (session.text, branch.text) == ("the ca", "the co")
    assert session.suggest() == chars.session("the ").accept("c").accept("a").suggest()
    assert branch.suggest() == chars.session("the ").accept("c").accept("o").suggest()
    assert branch.undo(2).text == "the " and session.text == "the ca"


def test_the_temperature_can_change_during_a_session(chars):
    session = chars.session("the ")
    plain = session.suggest(1)[0][1]
    session.temperature = 0.3
    assert session.suggest(1)[0][1] > plain
    session.temperature = 5
    assert session.suggest(1)[0][1] < plain
    for bad in (0, -1, np.inf, np.nan, "hot", True):
        with pytest.raises(ValueError, match="temperature"):
            session.temperature = bad
    with pytest.raises(ValueError, match="temperature"):
        chars.session("the ", temperature=0)


def test_near_temperature_zero_the_likeliest_has_probability_one(chars):
    session = chars.session("the ")
    likeliest = session.suggest(1)[0][0]
    session.temperature = 1e-310
    (token, probability), *rest = session.suggest(1000)
    assert (token, probability) == (likeliest, 1)
    assert {p for _, p in rest} == {0}


def test_suggestions_keep_their_order_where_probabilities_underflow(chars):
    session = chars.session("the ")
    tokens = [token for token, _ in session.suggest(1000)]
    session.temperature = 0.003
    suggestions = session.suggest(1000)
    assert suggestions[-1][1] == 0
    assert [token for token, _ in suggestions] == tokens


def test_suggestions_can_be_restricted_to_a_prefix(words, notes):
    session = words.session("the cat sat on")
    everything = dict(session.suggest(1000))
    found = session.suggest(2, prefix="t")
    assert [token for token, _ in found] == ["the"]
    assert found[0][1] == everything["the"]  # not renormalized
    assert session.suggest(prefix="<") == [] == session.suggest(prefix="T")
    with pytest.raises(ValueError, match="no token starts with 'T'"):
        session.pick(0)
    session.suggest(prefix="t")
    session.pick(0).accept("mat")
    assert session.statistics().keystrokes == 2 + 4  # t and the pick, " mat"
    again = words.resume(session.to_json())
    assert again.statistics() == session.statistics()
    with pytest.raises(ValueError, match="needs tokens that are str"):
        notes.session([60]).suggest(prefix="6")
    with pytest.raises(TypeError, match=r"prefix must be a str .* got 6"):
        session.suggest(prefix=6)


def test_the_end_ends_the_text_and_can_be_undone(words):
    session = words.session("a cat sat").accept("<end>")
    assert session.is_over and session.text == "a cat sat"
    for act in (session.suggest, lambda: session.pick(0), lambda: session.accept("a")):
        with pytest.raises(ValueError, match="has ended"):
            act()
    assert not session.undo().is_over
    assert session.accept("on").text == "a cat sat on"


def test_several_tokens_are_accepted_at_once(words, chars, notes):
    session = words.session("the cat").accept("sat on  the mat")
    assert session.tokens == ["sat", "on", "the", "mat"]
    assert session.undo().text == "the cat sat on the"
    steps = words.session("the cat").accept("sat").accept("on").accept("the")
    assert session.suggest() == steps.suggest()
    assert chars.session("the c").accept("at sat").text == "the cat sat"
    assert notes.session([60]).accept([62, 64]).text == [60, 62, 64]
    assert notes.session([60]).accept([62, "<end>"]).is_over
    for model, phrase in [(words, "on zebra"), (notes, [62, 99]), (chars, "")]:
        before = model.session(PROMPTS["notes"] if model is notes else "the")
        with pytest.raises(ValueError, match="accept"):
            before.accept(phrase)
        assert before.tokens == []
    with pytest.raises(ValueError, match="'<end>' ends the text"):
        notes.session([60]).accept(["<end>", 62])
    phrases = iter(["at s", "a", "t on"])
    session = chars.session("the c").write(lambda suggestions: next(phrases), 5)
    assert session.written == "at sa"


def test_unknown_tokens_and_positions_are_errors(chars):
    session = chars.session("the ")
    with pytest.raises(ValueError, match="'Z', which is not a token"):
        session.accept("Z")
    for nothing in (None, []):  # with such a choice, write() would never stop
        with pytest.raises(ValueError, match="contains no token"):
            session.accept(nothing)
    session.suggest(3)
    for index in (3, -1, "c", True):
        with pytest.raises(ValueError, match="from 0 to 2"):
            session.pick(index)
    for k in (0, 1.5, True):
        with pytest.raises(ValueError, match="k must be"):
            session.suggest(k)
    for n_tokens in (-1, 1.5):
        with pytest.raises(ValueError, match="n_tokens must be"):
            session.write(lambda suggestions: 0, n_tokens)
    assert session.text == "the "


def test_a_session_has_one_prompt(chars):
    with pytest.raises(ValueError, match="got 2 prompts"):
        chars.session(["the", "cat"])
    with pytest.raises(TypeError, match="Decode them"):
        chars.session(b"the ")


@pytest.mark.filterwarnings("ignore:the text has:UserWarning")
def test_the_prompt_stays_unchanged_in_the_text(chars, notes, codes):
    assert chars.session("the ZZ").accept("c").text == "the ZZc"
    prompt = [60, 99]
    session = notes.session(prompt)
    prompt.append(64)
    assert session.accept(62).text == [60, 99, 62]
    session = codes.session(TokenArray([[5, 1, 4]], codes.vocabulary_size_))
    assert session.accept(6).accept(3).text.tolist() == [[5, 1, 4, 6]]


PROMPTS = {
    "chars": "the ",
    "words": "the cat",
    "notes": [60, 62],
    "codes": TokenArray([[5, 4]], 13),
}


@pytest.mark.parametrize("kind", PROMPTS)
def test_transcripts_restore_every_kind_of_token(kind, request):
    model, prompt = request.getfixturevalue(kind), PROMPTS[kind]
    session = model.session(prompt, temperature=0.7)
    places = [token for token, _ in session.suggest()]
    session.pick(1 if places[0] == model.classes_[0] else 0)  # not the end
    session.temperature = 1.3
    session.accept(model.classes_[2]).accept(model.classes_[1]).undo()
    again = model.resume(session.to_json())
    assert str(again.text) == str(session.text)
    assert again.suggest() == session.suggest()
    assert again.temperature == 1.3
    assert again.statistics() == session.statistics()
    assert again.to_json() == session.to_json()


@pytest.mark.filterwarnings("ignore:the text has:UserWarning")
def test_transcripts_restore_unknown_tokens_of_the_prompt(chars, notes, codes):
    tokens = TokenArray([[1, 5, 1]], codes.vocabulary_size_)
    for model, prompt in [(chars, "the ZZ"), (notes, [99, 60, 98]), (codes, tokens)]:
        session = model.session(prompt)
        again = model.resume(session.to_json())
        assert again.suggest(1000) == session.suggest(1000)
        assert again.to_json() == session.to_json()
    assert notes.resume(notes.session([60, 99]).to_json()).text == [60, "<unk>"]


def test_a_transcript_of_another_model_is_an_error(chars, words):
    transcript = chars.session("the ").accept("c").to_json()
    with pytest.raises(ValueError, match="another model"):
        words.resume(transcript)
    with pytest.raises(ValueError, match="another model"):
        fitted(TEXT, random_state=1).resume(transcript)


def test_other_objects_than_transcripts_are_an_error(chars):
    transcript = chars.session("the ").accept("c").to_json()
    for damaged in (transcript[:-9], "hello", "", "null", "[]", "[" * 10**5, None):
        with pytest.raises(ValueError, match="cannot be read"):
            chars.resume(damaged)


@pytest.mark.parametrize(
    ("entry", "value"),
    [
        ("format", "another"),
        ("version", 3),
        ("version", "1"),
        ("steps", 99),
        ("steps", [[5, True]]),
        ("steps", [[999, True, 1.0]]),  # not a code of this vocabulary
        ("steps", [[1, True, 1.0]]),  # the unknown code, which is never written
        ("steps", [[5.0, True, 1.0]]),
        ("steps", [[np.inf, True, 1.0]]),
        ("steps", [[5, "yes", 1.0]]),
        ("steps", [[5, True, 1.0, 9]]),  # a longer prefix than the token
        ("steps", [[5, False, 1.0, 1]]),
        ("steps", [[5, True, 1.0, 0, 0]]),
        ("steps", [[5, True, -1.0]]),
        ("steps", [[3, True, 1.0], [5, True, 1.0]]),  # continues after the end
        ("temperature", 0),
        ("prompt", None),
        ("prompt", [5, 6]),
    ],
)
def test_a_damaged_transcript_is_an_error(chars, entry, value):
    content = json.loads(chars.session("the ").accept("c").to_json())
    with pytest.raises(ValueError, match="cannot be read"):
        chars.resume(sealed(content | {entry: value}))
    with pytest.raises(ValueError, match="cannot be read"):
        chars.resume(json.dumps(content | {entry: value}))


def sealed(content):
    """Add the right checksum to the content of a transcript."""
    content = {k: value for k, value in content.items() if k != "checksum"}
    return json.dumps(content | {"checksum": _compute_checksum(content)})


@pytest.mark.parametrize(
    ("entry", "value"), [("prompt", "a "), ("steps", []), ("temperature", 2.0)]
)
def test_an_edited_transcript_is_noticed(chars, entry, value):
    content = json.loads(chars.session("the ").accept("c").to_json())
    edited = content | {entry: value}
    with pytest.raises(ValueError, match="because its checksum differs"):
        chars.resume(json.dumps(edited))
    edited.pop("checksum")
    with pytest.raises(ValueError, match="checksum"):
        chars.resume(json.dumps(edited))
    assert chars.resume(json.dumps(content, indent=2)).text == "the c"


def test_a_transcript_of_the_first_version_is_restored(chars):
    session = chars.session("the ").accept("c")
    content = json.loads(session.to_json()) | {"version": 1}
    content.pop("checksum")
    assert chars.resume(json.dumps(content)).to_json() == session.to_json()


@pytest.mark.filterwarnings("ignore:the text has:UserWarning")
@pytest.mark.parametrize("kind", ["notes", "codes"])
@pytest.mark.parametrize("prompt", ["abc", 5, None, [999], [-1], [2], [[5]], [5, "x"]])
def test_a_damaged_prompt_of_codes_is_an_error(kind, prompt, request):
    model = request.getfixturevalue(kind)
    content = json.loads(model.session(PROMPTS[kind]).to_json())
    with pytest.raises(ValueError, match="cannot be read"):
        model.resume(sealed(content | {"prompt": prompt}))


def test_a_function_can_choose_instead_of_a_person(words):
    session = words.session("the").write(lambda suggestions: 0, 3)
    expected = words.generate("the", 3, temperature=0)
    assert session.written == expected
    answers = iter(["cat", 1, None, "dog"])
    seen = []

    def chooser(suggestions):
        seen.append(suggestions)
        return next(answers)

    session = words.session("the").write(chooser, 10, k=2)
    assert session.tokens == ["cat", seen[1][1][0]]
    assert [len(suggestions) for suggestions in seen] == [2, 2, 2]


def test_writing_stops_at_the_end(words):
    def end(suggestions):
        return "<end>"

    assert words.session("the").write(end, 10).is_over


def test_statistics_count_picks_keys_and_suggestions(words):
    session = words.session("the")
    session.suggest()
    session.pick(0)
    session.accept("log")
    least = session.suggest(1000)[-1][0]
    session.accept(least)
    found = session.statistics()
    assert (found.n_tokens, found.n_picked, found.n_typed) == (3, 1, 2)
    ranks = [step.rank for step in session._steps]
    assert ranks[0] == 0 and ranks[2] == len(words.classes_) - 1
    assert found.n_suggested == sum(rank < 10 for rank in ranks)
    assert found.suggested == found.n_suggested / 3
    typed = [len(token) + 1 for token in session.tokens]  # with a space before
    assert found.keystrokes == 1 + sum(typed[1:])
    assert found.keystrokes_saved == pytest.approx(1 - found.keystrokes / sum(typed))
    assert found.perplexity == pytest.approx(np.exp(-session.log_probability / 3))


def test_characters_are_typed_without_a_space(chars):
    session = chars.session("the ").accept("c").accept("a")
    assert session.statistics().keystrokes == 2
    assert np.isnan(chars.session("the ").statistics().keystrokes_saved)


def test_no_space_is_typed_at_punctuation_marks():
    text = "don't (re-read) the cat, it sat. "
    model = fitted([text] * 4, WordVectorizer(lowercase=False), max_epochs=1)
    session = model.session().accept(text.strip())
    assert session.statistics().keystrokes == len(text.strip())
    session = model.session("the ").accept("cat")
    assert session.statistics().keystrokes == 3  # the space is in the prompt


def test_marks_are_attached_to_words_before_and_after_the_end_of_the_prompt():
    text = 'He said, "don\'t (re-read) it!" and sat. '
    model = fitted([text] * 4, WordVectorizer(lowercase=False), max_epochs=1)
    text = text.strip()
    ends = re.finditer(r"\b|(?<=\W)", text)
    for place in sorted({match.start() for match in ends} - {len(text)}):
        session = model.session(text[:place]).accept(text[place:].strip())
        assert session.text == text, place
    assert model.session('"it').accept('"').accept("and").text == '"it" and'
    assert model.session("and ").accept("it").text == "and it"


def test_a_vectorizer_may_decode_longer_texts_differently():
    vectorizer = WordVectorizer(
        lowercase=False, detokenizer=lambda t: " ".join(t[::-1])
    )
    model = fitted(["a cat sat"] * 4, vectorizer, max_epochs=1)
    assert model.session("a").accept("cat").text == "a cat"


def test_a_later_fit_does_not_change_a_session():
    model = fitted(TEXT)
    session = model.session("the ")
    before = session.suggest()
    model.fit("abc" * 99)
    assert session.suggest() == before
    assert session.accept("c").text == "the c"


def test_the_terminal_program_runs_a_session(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("\n".join(DOCUMENTS))
    saved = tmp_path / "session.json"
    answers = ["0", "cat", "zebra", "u", "t 0.5", "t x", "99", f"s {saved}", "0", "q"]
    run = subprocess.run(
        [
            sys.executable,
            ROOT / "examples" / "cowrite.py",
            *("--text", path, "--epochs", "2", "--prompt", "the", "--min-count", "1"),
        ],
        input="\n".join(answers),
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert "Traceback" not in run.stderr
    assert "'zebra', which is not a token" in run.stdout
    assert "keystrokes saved" in run.stdout
    assert json.loads(saved.read_text())["prompt"] == "the"
    assert len(json.loads(saved.read_text())["steps"]) == 1


def test_the_terminal_program_keeps_its_model_and_branches(
    tmp_path, monkeypatch, capsys
):
    text, kept = tmp_path / "text.txt", tmp_path / "model.skrnn"
    text.write_text("the cut is thus.\n" * 20)

    def played(*answers):
        arguments = f"--text {text} --model {kept} --epochs 1 --characters --prompt th"
        monkeypatch.setattr(sys, "argv", ["cowrite.py", *arguments.split()])
        monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(answers)))
        runpy.run_path(str(ROOT / "examples" / "cowrite.py"), run_name="__main__")
        return capsys.readouterr().out

    out = played("e", "b", " ", "c", "w", "=u")  # then the input ends
    assert "learning" in out and kept.exists()
    out = played("e cut", "\\n", "? h", "0", "q")
    assert "the cut\nh\n\n7 tokens, 1 picked" in out
    out = played("e", "b", " ", "c", "w", "=u")
    assert "the c" in out and "theu\n\n2 tokens, 0 picked" in out
    out = played("e", "u", "q", "e")
    assert "learning" not in out and out.endswith("\nth\n\n")
    for question in ("?", "help"):
        out = played(question, "q")
        assert "undo the last token" in out and "show these commands" in out
    out = played("t abc", "u two", "77", "%", "s /no/such/folder/x", "? zz", "u 9", "q")
    assert "t takes a number, such as 't 0.8'; got 'abc'." in out
    assert "u takes an integer, such as 'u 3'; got 'two'." in out
    assert "'%', which is not a token" in out
    assert "got 77" in out and "got 9" in out and "No such file" in out
    assert "(no token starts with 'zz')" in out
    assert out.count('Type "?" for the commands') == 1 + 6


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--text", "no_such_file.txt"], "No such file or directory"),
        (["--model", "no_such_folder/x.skrnn"], "there is no folder no_such_folder"),
    ],
)
def test_the_terminal_program_names_wrong_arguments(
    monkeypatch, capsys, arguments, message
):
    monkeypatch.setattr(sys, "argv", ["cowrite.py", *arguments])
    with pytest.raises(SystemExit):
        runpy.run_path(str(ROOT / "examples" / "cowrite.py"), run_name="__main__")
    assert message in capsys.readouterr().err


def test_the_terminal_program_reads_model_files_of_generators_only(
    tmp_path, monkeypatch, capsys
):
    path = tmp_path / "model"

    def read(content):
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            save(content, path)
        monkeypatch.setattr(sys, "argv", ["cowrite.py", "--model", str(path)])
        with pytest.raises(SystemExit):
            runpy.run_path(str(ROOT / "examples" / "cowrite.py"), run_name="__main__")
        return capsys.readouterr().err

    class Trap:
        def __reduce__(self):
            return print, ("the pickle ran code",)

    answer = read(pickle.dumps(Trap()))
    assert "is a pickle, as earlier versions of this program wrote it" in answer
    assert "ran code" not in answer
    assert "cannot be read" in read(b"text")
    answer = read(CharVectorizer())
    assert "contains a CharVectorizer; expected a SequenceGenerator" in answer
