"""Each error on the page about errors is raised by the code that the page shows."""

import re
import warnings
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[1] / "docs" / "guide" / "errors.md"
TEXT = PAGE.read_text("utf-8")
# the key phrase, the code, and the type of the error or warning
SECTIONS = re.findall(
    r'^### .*"(.+)"\n\n```{code-block} python\n((?:.*\n)*?)```\n\n\*\*(\S+)\*\*',
    TEXT,
    re.M,
)


@pytest.fixture(scope="module")
def objects():
    """What the page makes before its first section."""
    setup = re.search(r"```python\n(.*?)```", TEXT, re.S)
    namespace = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(setup[1], namespace)
    return namespace


def test_every_section_shows_code():
    headings = re.findall(r'^### .*"(.+)"', TEXT, re.M)
    shown = [phrase for phrase, _, _ in SECTIONS]
    assert [name for name in headings if name not in shown] == ["not enough memory"]


@pytest.mark.parametrize(("phrase", "code", "kind"), SECTIONS)
def test_code_causes_the_error(phrase, code, kind, objects):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = []
        try:
            exec(code, dict(objects))
        except Exception as error:
            found.append(error)
        found += [warning.message for warning in caught]
    named = [one for one in found if type(one).__name__ in kind]
    assert any(phrase in str(one) for one in named), found
