"""Pages of generators: their content, and what their scripts compute in Node."""

import copy
import json
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
import webbrowser
from pathlib import Path

import numpy as np
import pytest
from small_networks import UsersGRU

from sklearn_rnn import CharVectorizer, SequenceGenerator, WordVectorizer, save
from sklearn_rnn._nn.description import list_arrays, set_arrays
from sklearn_rnn.generation import _html
from sklearn_rnn.generation._html import hash_source, restore_arrays
from sklearn_rnn.text._detokenize import join_words

ROOT = Path(__file__).parents[2]
FAST = {"hidden_size": 6, "max_epochs": 1, "learning_rate": 0.1, "random_state": 0}
TEXT = 'the cat\'s "mat" is 3.50 - the dog sat. ' * 4
HOSTILE = (
    "</script><script>alert(1)</script> \u202e\u0000 \U0001f40b\U0001f3fd na\u00efve\n"
)
NETWORKS = [
    {"cell": "lstm", "num_layers": 2},
    {"cell": "gru", "embedding": "onehot"},
    {"cell": "gru", "embedding": 4, "tie_weights": True},
    {"cell": "rnn", "precision": "float64"},
    {"cell": "rnn", "activation": "relu", "num_layers": 2},
]
NODE = shutil.which("node")
needs_node = pytest.mark.skipif(NODE is None, reason="needs Node.js (node on the PATH)")


def fit(vectorizer=None, X=TEXT, **options):
    return SequenceGenerator(vectorizer, **(FAST | options)).fit(X)


def write_page(model, folder, **options):
    path = folder / "page.html"
    model.to_html(path, **options)
    return path.read_text("utf-8")


def extract(page, name):
    return re.search(rf'<script type="[^"]*" id="{name}">(.*?)</script>', page, re.S)[1]


def run_in_node(pages, code, given=None):
    """Run ``code`` with the model of each page and the value given; what it returns."""
    models = [
        [extract(page, "description"), extract(page, "weights")] for page in pages
    ]
    parts = [_html.read_part(name) for name in _html.SCRIPTS if name != "app.js"]
    script = f"""{"".join(parts)}
    const {{models, given}} = JSON.parse(require("fs").readFileSync(0, "utf-8"));
    (async () => {{
      const results = [];
      for (const [text, weights] of models) {{
        const description = JSON.parse(text);
        const arrays = readArrays(await decompress(weights), description.arrays);
        const model = new Model(description, arrays);
        results.push(await (async () => {{ {code} }})());
      }}
      console.log(JSON.stringify(results));
    }})();"""
    run = subprocess.run(
        [NODE, "-e", script],
        input=json.dumps({"models": models, "given": given}),
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def rounded(model):
    """A copy of a generator with the weights of its page."""
    twin = copy.deepcopy(model)
    arrays = restore_arrays(list_arrays(twin.module_))
    set_arrays(twin.module_, arrays)
    return twin


@needs_node
def test_a_page_predicts_like_the_network_with_its_weights(tmp_path):
    models = [fit(**options) for options in NETWORKS]
    pages = [write_page(model, tmp_path) for model in models]
    prompts = ["", "the c", "the cat's " * 8]
    found = run_in_node(
        pages,
        """const rows = [];
        for (const prompt of given) {
          rows.push(Array.from((await model.start(prompt)).logProbabilities));
        }
        return rows;""",
        prompts,
    )
    for model, rows in zip(models, found, strict=True):
        expected = rounded(model).predict_proba(prompts)
        np.testing.assert_allclose(np.exp(rows), expected, atol=2e-6)
        np.testing.assert_allclose(model.predict_proba(prompts), expected, atol=0.01)


@needs_node
def test_a_page_splits_and_joins_texts_like_the_vectorizers(tmp_path):
    vectorizers = [
        CharVectorizer(lowercase=True),
        CharVectorizer(handle_unknown="ignore"),
        WordVectorizer(min_count=2, lowercase=False),
        WordVectorizer(handle_unknown="ignore"),
    ]
    with pytest.warns(UserWarning, match="cannot score|bad scores"):
        models = [fit(v) for v in vectorizers]
    texts = [
        *(
            "",
            "The CAT",
            HOSTILE,
            "\u0130 \u03a3\u03a3 x\u0301_\u0937\u093f 1\u00bd\u2167",
        ),
        "a\u0085b\u001cc\ufeffd\u200be\u3000f",
    ]
    pages = [write_page(model, tmp_path) for model in models]
    code = """return given.map(
      (text) => [model.codec.split(text), model.codec.encode(text).codes]);"""
    for model, rows in zip(models, run_in_node(pages, code, texts), strict=True):
        for text, (tokens, codes) in zip(texts, rows, strict=True):
            watched = []
            _, flat = model._codec.encode(
                [text], lambda _, found, w=watched: w.extend(found)
            )
            assert (tokens, codes) == (watched, flat.tolist())
    rng = np.random.default_rng(0)
    marks = ". . ' ' - - -- \" \" ( ) , : ? $ # _ € \u2019 \u2013 — ¿ \ufffd .)"
    names = f"the t 3 50 100 x quO e s' N'T 's {marks}"
    lists = [rng.choice(names.split(), 12).tolist() for _ in range(300)]
    (joined,) = run_in_node(pages[:1], "return given.map(joinWords);", lists)
    assert joined == [join_words(tokens) for tokens in lists]


@needs_node
@pytest.mark.filterwarnings("ignore:the (prompt|text):UserWarning")
def test_transcripts_are_exchanged_with_python(tmp_path):
    models = [
        fit(),
        fit(WordVectorizer(lowercase=False, min_count=1), X=TEXT.split(". ")),
    ]
    sessions = [model.session(f"the {HOSTILE}") for model in models]
    for session in sessions:
        session.accept("the").temperature = 0.1 + 0.2
        session.pick(3).accept("cat's").temperature = 1e16
        session.suggest(prefix="m")
        session.pick(0).temperature = 1.5e-5
        session.accept("<end>")
    written = [session.to_json() for session in sessions]
    found = run_in_node(
        [write_page(model, tmp_path) for model in models],
        """const session = await model.resume(given.find(
          (text) => JSON.parse(text).model === model.description.fingerprint));
        const twin = session.branch();
        const isOver = twin.isOver;
        twin.undo(); twin.temperature = 5; twin.accept("mat"); twin.write(() => 0.5);
        return [session.text, isOver, writeTranscript(session), twin.text,
                writeTranscript(twin), twin.statistics, twin.suggest(2)];""",
        written,
    )
    for model, session, transcript, row in zip(
        models, sessions, written, found, strict=True
    ):
        text, is_over, again, twin_text, twin, statistics, suggestions = row
        assert (text, is_over) == (session.text, True)
        assert json.loads(again) == json.loads(transcript)
        resumed = model.resume(twin)
        assert resumed.text == twin_text and resumed.temperature == 5
        expected = resumed.statistics()
        assert statistics["nPicked"] == expected.n_picked == 3
        assert statistics["perplexity"] == pytest.approx(expected.perplexity, rel=0.01)
        for mine, (token, proba) in zip(suggestions, resumed.suggest(2), strict=True):
            assert mine["token"] == token
            assert mine["probability"] == pytest.approx(proba, abs=0.01)


@needs_node
def test_transcripts_that_were_changed_are_refused(tmp_path):
    model = fit()
    transcript = json.loads(model.session("the c").to_json())
    changes = {
        "checksum differs": {"prompt": "the d"},
        "belongs to another model": {"model": "0"},
        "is not a transcript": {"version": 3},
        "impossible steps": {"steps": [[99, True, 1.0]]},
        "impossible": {"steps": [[3, True, 1.0], [4, True, 1.0]]},
        "contains impossible": {"temperature": 0},
        "not JSON": None,
    }
    given = [
        "{" if change is None else json.dumps(transcript | change)
        for change in changes.values()
    ]
    code = """const messages = [];
    for (const text of given) {
      messages.push(await model.resume(text).then(String, (error) => error.message));
    }
    return messages;"""
    (messages,) = run_in_node([write_page(model, tmp_path)], code, given)
    for expected, message in zip(changes, messages, strict=True):
        assert expected in message


@needs_node
def test_states_that_were_not_kept_are_computed_again(tmp_path):
    page = write_page(fit(), tmp_path)
    code = """const session = await model.start("the c");
    const first = Array.from(session.logProbabilities);
    for (let k = 0; k < 700; k++) session.take(END + 1 + (k % 5), true);
    const nKept = session.states.filter((state) => state).length;
    for (let k = 0; k < 700; k++) session.undo();
    return [nKept, first, Array.from(session.logProbabilities)];"""
    ((n_kept, first, last),) = run_in_node([page], code)
    assert n_kept < 300 and first == last


@pytest.mark.parametrize(
    ("vectorizer", "options", "message"),
    [
        (WordVectorizer(tokenizer=str.split), {}, "does not support tokenizer"),
        (WordVectorizer(stop_words=["the"]), {}, "does not support stop_words"),
        (CharVectorizer(strip_accents="unicode"), {}, "does not support strip_accents"),
        (None, {"X": [["a", "b"]]}, "lists of tokens"),
        (None, {"cell": UsersGRU}, "cell of this model is a callable"),
    ],
)
@pytest.mark.filterwarnings("ignore:the vectorizer:UserWarning")
def test_models_that_a_page_cannot_run_are_errors(
    vectorizer, options, message, tmp_path
):
    with pytest.raises(ValueError, match=message):
        fit(vectorizer, **options).to_html(tmp_path / "page.html")
    assert not list(tmp_path.iterdir())


def test_title_and_prompt_are_texts(tmp_path):
    model = fit()
    for options in ({"prompt": ["the"]}, {"prompt": b"the"}, {"title": None}):
        with pytest.raises(TypeError, match="must be a str, got"):
            model.to_html(tmp_path / "page.html", **options)


@needs_node
def test_numbers_and_strings_are_written_as_in_python(tmp_path):
    rng = np.random.default_rng(0)
    numbers = (10 ** rng.uniform(-8, 20, 500)).tolist()
    numbers += [5e-324, 1e-4, 1e-5, 0.3, 1.0, 100.0, 1e15, 1e16, 2065594985630696.2]
    text = "".join(map(chr, [*range(0x200), 0x2028, 0xFFFD, 0x1F40B]))
    code = "return [given[0].map(dumpFloat), dumpString(given[1])];"
    ((floats, string),) = run_in_node(
        [write_page(fit(), tmp_path)], code, [numbers, text]
    )
    assert floats == list(map(repr, numbers))
    assert string == json.dumps(text)


@needs_node
def test_lone_surrogates_of_a_prompt_are_replaced(tmp_path):
    model = fit()
    code = "return writeTranscript(await model.start(given));"
    (transcript,) = run_in_node([write_page(model, tmp_path)], code, "the \ud800 c")
    with pytest.warns(UserWarning, match="does not know"):
        assert model.resume(transcript).text == "the \ufffd c"


def test_a_page_forbids_requests_and_other_scripts(tmp_path):
    text = "<!-- </script> & -- " * 3
    page = write_page(fit(X=text), tmp_path, title="<b>&", prompt="<!--")
    assert "<title>&lt;b&gt;&amp;</title>" in page
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)[1]
    script = re.search(r"<script>(.*?)</script>", page, re.S)[1]
    style = re.search(r"<style>(.*?)</style>", page, re.S)[1]
    assert policy.split("; ") == [
        "default-src 'none'",
        f"script-src '{hash_source(script)}'",
        f"style-src '{hash_source(style)}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval", page
    )
    assert not re.search(r"https?:|\son\w+=|\sstyle=|\ssrc=", page)
    description = extract(page, "description")
    assert "<" not in description
    assert json.loads(description)["prompt"] == "<!--"


def test_the_program_writes_and_opens_a_page(tmp_path, monkeypatch, capsys):
    model, page, opened = tmp_path / "m.skrnn", tmp_path / "page.html", []
    save(fit(), model)
    monkeypatch.setattr(webbrowser, "open", opened.append)
    arguments = ["--model", str(model), "--page", str(page), "--prompt", "the c"]
    monkeypatch.setattr(sys, "argv", ["cowrite.py", *arguments])
    runpy.run_path(str(ROOT / "examples" / "cowrite.py"), run_name="__main__")
    assert opened == [page.as_uri()] and "wrote" in capsys.readouterr().out
    assert (
        json.loads(extract(page.read_text("utf-8"), "description"))["prompt"] == "the c"
    )


def test_the_program_checks_the_folder_of_the_page_before_training(
    tmp_path, monkeypatch, capsys
):
    page = tmp_path / "missing" / "page.html"
    monkeypatch.setattr(sys, "argv", ["cowrite.py", "--page", str(page)])
    monkeypatch.setattr(SequenceGenerator, "fit", lambda *_: pytest.fail("trained"))
    with pytest.raises(SystemExit):
        runpy.run_path(str(ROOT / "examples" / "cowrite.py"), run_name="__main__")
    assert f"there is no folder {page.parent}" in capsys.readouterr().err


def test_the_wheel_contains_all_parts_of_the_page():
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packed = config["tool"]["setuptools"]["package-data"]["sklearn_rnn.generation"]
    assert packed == ["cowriter/*"]
    parts = {path.name for path in _html.FOLDER.iterdir()}
    assert parts == {*_html.SCRIPTS, "page.html", "page.css"}
