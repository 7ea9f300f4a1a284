"""The co-writing page in Chromium, as a person uses it."""

import json
import shutil
import time
from importlib.resources import files

import pytest

from sklearn_rnn import SequenceGenerator, WordVectorizer

REASON = "needs the extra browser: pip install sklearn-rnn[browser]"
sync_api = pytest.importorskip("playwright.sync_api", reason=REASON)
BROWSERS = "chromium", "chromium-browser", "google-chrome", "chrome"
BROWSER = next(filter(None, map(shutil.which, BROWSERS)), None)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="needs Chromium or Chrome on the PATH"),
]

TEXT = "the cat sat on the mat and the dog sat on the log. " * 12
SETTINGS = {"hidden_size": 24, "max_epochs": 12, "random_state": 0}
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=alert(2)>\u202e \U0001f40b\x00 \u05d0"
)


@pytest.fixture(scope="module")
def chars():
    return SequenceGenerator(**SETTINGS).fit(TEXT + "<>")


@pytest.fixture(scope="module")
def words():
    vectorizer = WordVectorizer(lowercase=False, min_count=2)
    return SequenceGenerator(vectorizer, **SETTINGS).fit(TEXT.split(". ") * 2)


@pytest.fixture(scope="module")
def lowercase_words():
    return SequenceGenerator(WordVectorizer(), **SETTINGS).fit(TEXT.split(". ") * 2)


@pytest.fixture(scope="module")
def chromium():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER)
        yield browser
        browser.close()


class Cowriter:
    """A page in the browser, which must not cause errors or requests."""

    def __init__(self, page):
        self.page, self.problems = page, []
        page.set_default_timeout(20_000)
        page.on("console", lambda message: self.problems.append(message.text))
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("dialog", lambda dialog: self.problems.append(dialog.message))
        page.on("request", self._watch)

    def _watch(self, request):
        if not request.url.startswith(("file:", "blob:")):
            self.problems.append(request.url)

    def open(self, path):
        self.page.goto(path.as_uri())
        self.wait()
        return self

    def wait(self):
        self.page.wait_for_selector("#main:not([hidden])")
        self.until("app.job === null")

    def until(self, condition, seconds=60):
        """Wait; the policy of the page forbids Playwright's wait_for_function."""
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(condition):
            assert time.monotonic() < deadline, condition
            self.page.wait_for_timeout(10)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    @property
    def text(self):
        return self.page.evaluate("byId('text').textContent")

    @property
    def status(self):
        return self.page.inner_text("#status")

    @property
    def suggestions(self):
        names = self.page.locator("#suggestions li:not([hidden]) bdi")
        return names.all_text_contents()

    @property
    def focus(self):
        return self.page.evaluate("document.activeElement.ariaLabel ?? ''")

    def start(self, text):
        self.page.fill("#beginning", text)
        self.page.click("#start-form button")
        self.wait()

    def save(self):
        with self.page.expect_download() as download:
            self.page.click("#save")
        return download.value.path().read_text("utf-8")

    def load(self, transcript, folder):
        path = folder / "transcript.json"
        path.write_text(transcript, "utf-8")
        self.page.set_input_files("#load", path)
        self.until("byId('load').files.length === 0")
        self.wait()


@pytest.fixture
def cowriter(chromium):
    context = chromium.new_context()
    opened = Cowriter(context.new_page())
    yield opened
    context.close()
    assert opened.problems == []


def open_page(cowriter, model, folder, **options):
    path = folder / "page.html"
    model.to_html(path, **options)
    return cowriter.open(path)


def test_tokens_are_picked_by_mouse_and_keys_and_undone(cowriter, words, tmp_path):
    page = open_page(cowriter, words, tmp_path, prompt="the cat")
    session = words.session("the cat")
    assert page.suggestions[0] == session.suggest()[0][0] == "sat"
    page.page.click("#suggestions button >> nth=0")
    assert page.text == "the cat sat" and page.status.startswith("sat was added.")
    expected = session.pick(0).suggest()
    assert page.suggestions[:4] == [token for token, _ in expected[:4]]
    assert page.focus.startswith(f"1: {expected[0][0]}")
    page.press("1", "ArrowDown", "ArrowUp", "Enter")
    assert page.text == session.pick(0).pick(0).text
    page.press("2", "Backspace", "Backspace")
    assert page.text == session.undo().text
    page.press("/")
    page.page.keyboard.type("th")
    assert page.suggestions == ["the"]
    page.press("Alt+Digit1")
    page.page.keyboard.type("mat and zebras")
    page.press("Enter")
    assert page.status == "“zebras” is not in the vocabulary."
    page.page.fill("#own", "mat and")
    page.press("Enter", "Escape")
    session.suggest(prefix="th")
    assert page.text == session.pick(0).accept("mat and").text
    assert page.focus.startswith("1: ")
    assert json.loads(page.save()) == json.loads(session.to_json())


def test_branches_temperatures_and_the_end(cowriter, words, tmp_path):
    page = open_page(cowriter, words, tmp_path, prompt="the cat")
    first = page.page.inner_text("#suggestions .share >> nth=0")
    page.page.fill("#temperature", "3")
    assert page.page.inner_text("#suggestions .share >> nth=0") < first
    page.press("b")
    page.page.fill("#own", "dog")
    page.page.click("#own-form button")
    page.page.fill("#own", "<end>")
    page.page.click("#own-form button")
    assert "has ended" in page.page.inner_text("#none") and page.suggestions == []
    page.page.click("#branches button >> nth=0")
    assert page.text == "the cat" and "sat" in page.suggestions
    page.page.click("#branches button >> nth=1")
    page.page.click("#undo")
    assert page.text == "the cat dog"
    page.page.click("text=Close")
    assert page.text == "the cat" and page.page.locator("#branches button").count() == 1


@pytest.mark.filterwarnings("ignore:the vectorizer:UserWarning")
def test_typed_words_are_in_lower_case_and_the_focus_is_never_lost(
    cowriter, lowercase_words, tmp_path
):
    page = open_page(cowriter, lowercase_words, tmp_path, prompt="The cat")
    page.press("/")
    page.page.keyboard.type("SA")
    assert page.suggestions == ["sat"]
    page.press("Alt+Digit1")
    assert page.text == "The cat sat"
    page.page.evaluate(
        "app.session.suggest = () => [{code: END, token: '', probability: 1}]; show()"
    )
    page.press("Escape", "1")
    assert page.page.evaluate("document.activeElement.id") == "undo"
    page.press("Enter", "Enter")
    assert page.text == "The cat" and page.focus.startswith("1: ")


def test_texts_survive_a_reload_and_transcripts_a_new_page(
    cowriter, chars, words, tmp_path
):
    page = open_page(cowriter, chars, tmp_path, prompt="the c")
    page.press("1", "1", "b", "3")
    page.page.reload()
    page.wait()
    assert page.text == chars.resume(page.save()).text
    assert page.page.locator("#branches [aria-label^=Text]").count() == 2
    page.page.click("#branches button >> nth=0")
    assert page.text == "the cat"
    with pytest.warns(UserWarning, match="does not know"):
        session = chars.session(HOSTILE).accept("at").accept("<end>")
    page.load(session.to_json(), tmp_path)
    assert page.text == session.text
    assert json.loads(page.save()) == json.loads(session.to_json())
    page.load(words.session("the").to_json(), tmp_path)
    assert page.status == "The transcript belongs to another model."
    text = page.text
    open_page(cowriter, words, tmp_path)
    assert open_page(cowriter, chars, tmp_path).text == text
    page.load("[" * 10**5, tmp_path)
    assert page.status == "This is not a transcript: it is not JSON."


def test_hostile_texts_are_only_text(cowriter, chars, words, tmp_path):
    for model in (chars, words):
        page = open_page(cowriter, model, tmp_path, title=HOSTILE, prompt="the")
        page.start(f"the {HOSTILE}")
        assert page.text == f"the {HOSTILE}"
        assert "Unknown to the model" in page.status
        page.page.fill("#own", HOSTILE)
        page.press("Enter")
        assert "is not in the vocabulary" in page.status
        assert page.page.evaluate("document.images.length") == 0
        assert page.page.locator("script").count() == 3


def test_a_text_of_one_megabyte_is_read_and_can_be_stopped(cowriter, chars, tmp_path):
    page = open_page(cowriter, chars, tmp_path)
    page.page.evaluate(
        "text => { byId('beginning').value = text; }", "the cat " * 2**17
    )
    page.page.click("#start-form button")
    page.until("byId('progress').textContent.includes('%')")
    page.press("Escape")
    page.wait()
    assert page.status == "Stopped." and page.text == ""
    page.page.click("#start-form button")
    page.until("app.job === null", seconds=300)
    assert len(page.text) == 2**20
    page.press("1")
    assert len(page.text) == 2**20 + 1


def test_automatic_writing_keeps_the_page_usable(cowriter, chars, tmp_path):
    page = open_page(cowriter, chars, tmp_path, prompt="the c")
    # the end is the first class, and is drawn for the smallest numbers only
    page.page.evaluate("const r = Math.random; Math.random = () => (1 + 9 * r()) / 10")
    page.page.select_option("#speed", "20")
    page.press("w")
    page.until("app.session.steps.length > 3")
    assert page.page.is_disabled("#undo")
    page.page.select_option("#speed", "0")
    page.until("app.session.steps.length > 5000")
    page.page.click("text=Stop")
    page.wait()
    n = page.page.evaluate("app.session.steps.length")
    assert len(page.text) == n + 5
    assert page.status.startswith("Tokens written: ")
    page.press("Backspace")
    assert page.page.evaluate("app.session.steps.length") == n - 1
    assert chars.resume(page.save()).text == page.text


def test_the_page_is_accessible_in_all_modes_and_narrow(cowriter, words, tmp_path):
    axe = pytest.importorskip("axe_playwright_python", reason=REASON)
    page = open_page(cowriter, words, tmp_path, prompt="the cat")
    page.press("1", "b")
    page.page.click("summary")
    page.page.evaluate((files(axe.__name__) / "axe.min.js").read_text("utf-8"))
    for scheme in ("light", "dark"):
        page.page.emulate_media(color_scheme=scheme)
        for width in (1280, 320):
            page.page.set_viewport_size({"width": width, "height": 800})
            found = page.page.evaluate("async () => (await axe.run()).violations")
            assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []
            assert page.page.evaluate("document.documentElement.scrollWidth") == width


def test_the_page_works_in_a_frame_that_stores_nothing(cowriter, chars, tmp_path):
    chars.to_html(tmp_path / "page.html", prompt="the c")
    frame = '<iframe sandbox="allow-scripts" src="page.html"></iframe>'
    (tmp_path / "frame.html").write_text(frame)
    cowriter.page.goto((tmp_path / "frame.html").as_uri())
    inner = cowriter.page.frame_locator("iframe")
    inner.locator("#suggestions button").first.click()
    assert inner.locator("#text").text_content() == "the ca"
