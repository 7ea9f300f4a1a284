"""Each part of the lecture has a section with code and a figure, and an example."""

import re
from pathlib import Path

import pytest

LECTURE = Path(__file__).parents[1] / "docs" / "lecture"
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (LECTURE / "index.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and line != "| part | section | gallery |"
]
SECTIONS = [
    (part, page, heading)
    for part, section, _ in ROWS
    for page, heading in re.findall(r"\((\w+\.md)#([\w-]+)\)", section)
]


def read_sections(page):
    """Text of each section of a page, by the anchor of its heading."""
    parts = re.split(r"^##+ (.*)$", (LECTURE / page).read_text("utf-8"), flags=re.M)
    titles = [re.sub(r"[^\w]+", "-", title.lower()) for title in parts[1::2]]
    return dict(zip(titles, parts[2::2], strict=True))


@pytest.mark.parametrize(("part", "page", "heading"), SECTIONS)
def test_part_has_code(part, page, heading):
    assert "```python\n" in read_sections(page)[heading]


@pytest.mark.parametrize("part", [row[0] for row in ROWS])
def test_part_has_a_figure_and_an_example(part):
    places = [section[1:] for section in SECTIONS if section[0] == part]
    pages = {page for page, _ in places}
    sections = [read_sections(page)[heading] for page, heading in places]
    if len(sections) > 1:  # the sections of one page share a figure
        (page,) = pages
        sections = [(LECTURE / page).read_text("utf-8")]
    assert "images/generated/" in sections[0]
    (example,) = (row[2] for row in ROWS if row[0] == part)
    assert "auto_examples/" in example


def test_all_pages_are_in_the_table():
    pages = {path.name for path in LECTURE.glob("*.md")} - {"index.md"}
    assert {page for _, page, _ in SECTIONS} == pages
