"""Check the built pages in a browser: ``make check-docs``, after ``make docs``.

Every page is opened in Chromium. A page passes if

* the browser reports no error, and requests nothing from other hosts,
* all links within the site lead to a page and a place that exist,
* no code and no table is wider than its column on a screen of 1280 pixels,
* nothing sticks out of a screen of 400 pixels; code and tables scroll by themselves,
* text has enough contrast in light and dark mode, and images have alternative text.

Of pages of source code, only the links are checked. Links to other sites are listed;
``--external`` requests them. ``--browser`` names a browser that is not on the PATH.
"""

import argparse
import functools
import http.server
import shutil
import sys
import threading
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from playwright.sync_api import Page, sync_playwright

HTML = Path(__file__).parents[1] / "docs" / "_build" / "html"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
RULES = ["color-contrast", "image-alt", "link-name", "duplicate-id-aria"]

FIND_WIDE_BLOCKS = """() => [
  ...document.querySelectorAll("article pre, article .pst-scrollable-table-container")
].filter(e => e.scrollWidth > e.clientWidth + 1)
 .map(e => `${e.scrollWidth - e.clientWidth} px: ${e.innerText.trim().slice(0, 60)}`)"""

FIND_SIDEWAYS = """() => {
  const inBlock = "pre, .pst-scrollable-table-container, div.math";
  const width = document.documentElement.clientWidth;
  const sticksOut = e => e.getBoundingClientRect().right > width + 1;
  const elements = document.documentElement.scrollWidth > width
    ? [...document.querySelectorAll("body *")]
    : [...document.querySelectorAll("article *")].filter(e => !e.closest(inBlock));
  return elements.filter(sticksOut)
    .map(e => `${e.tagName} ${e.className}: ${(e.innerText || "").trim().slice(0, 50)}`)
    .slice(0, 3);
}"""

RUN_AXE = """async rules => {
  const found = await axe.run(document, {runOnly: rules});
  return found.violations.flatMap(
    rule => rule.nodes.map(node => `${rule.id}: ${node.html.slice(0, 120)}`)
  );
}"""


class Links(HTMLParser):
    """The links of a page, and the places that links can lead to."""

    def __init__(self, text: str):
        super().__init__()
        self.links: set[str] = set()
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.add(value)
            elif name in ("id", "name") and value:
                self.ids.add(value)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, *args: Any) -> None:
        """Print nothing."""


def list_pages(folder: Path) -> list[str]:
    """Names of all pages, without the templates of the theme."""
    names = (path.relative_to(folder).as_posix() for path in folder.rglob("*.html"))
    return sorted(name for name in names if not name.startswith("_static/"))


def check_links(folder: Path) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """Broken links within the site by page, and the pages that link to each address."""
    parsed = {
        name: Links((folder / name).read_text("utf-8")) for name in list_pages(folder)
    }
    broken, external = defaultdict(list), defaultdict(set)
    for page, found in parsed.items():
        for link in sorted(found.links):
            if urlsplit(link).scheme in ("http", "https"):
                external[urldefrag(link).url].add(page)
                continue
            if urlsplit(link).scheme:  # mailto, data
                continue
            url, place = urldefrag(urljoin(f"/{page}", link))
            target = unquote(urlsplit(url).path).lstrip("/")
            target += "index.html" if target.endswith("/") or not target else ""
            if not (folder / target).is_file():
                broken[page].append(f"link to a missing page: {link}")
            elif place and target in parsed and place not in parsed[target].ids:
                broken[page].append(f"link to a missing place: {link}")
    return broken, external


def check_external(url: str) -> str | None:
    """What is wrong with an address, or None."""
    request = urllib.request.Request(url, headers={"User-Agent": "Mozilla/5.0"})
    try:
        with urllib.request.urlopen(request, timeout=30):
            return None
    except urllib.error.HTTPError as error:
        if error.code in (401, 403, 405, 418, 429, 503):  # does not answer programs
            return None
        return f"status {error.code}"
    except OSError as error:
        return str(error)


def check_page(page: Page, base: str, name: str) -> Iterator[str]:
    """Open a page, and yield what is wrong with it."""
    problems: list[str] = []

    def watch_request(request: Any) -> None:
        if not request.url.startswith((base, "data:", "blob:")):
            problems.append(f"request to another host: {request.url}")

    def watch_console(message: Any) -> None:
        if message.type == "error":
            problems.append(f"console: {message.text}")

    def watch_error(error: Any) -> None:
        problems.append(f"error of a script: {error}")

    watchers = {
        "request": watch_request,
        "console": watch_console,
        "pageerror": watch_error,
    }
    for event, watch in watchers.items():
        page.on(event, watch)  # type: ignore[call-overload]
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(base + name)
    for block in page.evaluate(FIND_WIDE_BLOCKS):
        problems.append(f"wider than its column at 1280 px by {block}")
    page.evaluate(AXE.read_text("utf-8"))
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_timeout(50)
        for violation in page.evaluate(RUN_AXE, RULES):
            problems.append(f"{scheme} mode, {violation}")
    page.set_viewport_size({"width": 400, "height": 800})
    for element in page.evaluate(FIND_SIDEWAYS):
        problems.append(f"sticks out at 400 px: {element}")
    for event, watch in watchers.items():
        page.remove_listener(event, watch)
    yield from problems


AXE = files("axe_playwright_python") / "axe.min.js"


def check_in_browser(folder: Path, names: list[str], browser: str) -> Iterator[Any]:
    """For each page its name and what the browser finds wrong with it."""
    handler = functools.partial(QuietHandler, directory=folder)
    with http.server.ThreadingHTTPServer(("localhost", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://localhost:{server.server_port}/"
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=browser)
            page = chromium.new_page(reduced_motion="reduce")
            for name in names:
                yield name, list(check_page(page, base, name))
            chromium.close()
        server.shutdown()


def report(name: str, problems: list[str]) -> None:
    """Print what is wrong with a page, each problem once."""
    if problems:
        print(name, *dict.fromkeys(problems), sep="\n    ", flush=True)


def main() -> int:
    """Print what is wrong; the exit status is 1 if anything is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", nargs="*", help="names of pages; default: all")
    parser.add_argument("--folder", type=Path, default=HTML, help="the built pages")
    parser.add_argument("--browser", help="path of Chromium or Chrome")
    parser.add_argument("--external", action="store_true", help="request other sites")
    args = parser.parse_args()
    browser = args.browser or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        parser.error("no Chromium on the PATH: name one with --browser")
    names = args.pages or [
        name for name in list_pages(args.folder) if not name.startswith("_modules/")
    ]
    broken, external = check_links(args.folder)
    n_wrong = 0
    for name, found in check_in_browser(args.folder, names, browser):
        problems = broken.pop(name, []) + found
        n_wrong += bool(problems)
        report(name, problems)
    n_wrong += len(broken)  # of pages that the browser did not open
    for name, problems in broken.items():
        report(name, problems)
    print(f"{len(names)} pages in the browser, {n_wrong} pages with problems")
    failed = n_wrong > 0
    for url, pages in sorted(external.items()):
        wrong = check_external(url) if args.external else None
        failed |= wrong is not None
        print(f"{url} ({len(pages)} pages, such as {min(pages)})", wrong or "")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
