"""Texts of the package, the examples and the pages avoid unidiomatic English.

The patterns below were frequent in earlier versions. Each comes with a replacement,
which a failing test shows. They are applied to docstrings, comments and other strings
of Python files, and to Markdown pages without their code.
"""

import ast
import io
import os
import re
import tokenize
from itertools import groupby
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = [
    *sorted(ROOT.glob("sklearn_rnn/**/*.py")),
    *sorted(ROOT.glob("examples/**/*.py")),
    *sorted(ROOT.glob("examples/**/*.rst")),
    *sorted(ROOT.glob("*.md")),
    *sorted(ROOT.glob("docs/*.md")),
    *sorted(ROOT.glob("docs/[!_]*/*.md")),
]

COUNTED = (
    "features|steps|lines|scores|bits|nats|rows|labels|answers|patterns|units|bytes|"
    "characters|tokens|predictions|forecasts|microseconds|seconds|epochs"
)
ONE = "line|row|score|label|answer|number|value|pattern|array|batch|column|image"
PER = (
    "step|time step|training step|epoch|character|row|sequence|token|nationality|code|"
    "second|unit|visible unit|batch|column|class|word|fit|key|update|call|channel|line|"
    "series|pattern|load|job|label|text|document"
)
ENDS = r"(?=[.,;:)]|$| (and|or|that|which|in|for|from|with|to|as|at|is|are|by|on)\b)"
TYPES = r"(default=\S+|of shape \([^)]*\)|int|float|bool|str)"
# pattern: what to write instead
REPLACEMENTS = {
    rf"\b({COUNTED}) an? ({PER})\b": '"per", as in "features per step"',
    rf"\b(an?|one) ({ONE}) an? ({PER})\b": '"per", as in "one line per epoch"',
    r"\bfore(tells?|telling|told)\b": '"predict"',
    r"\bas it were\b": "nothing",
    r"\bas a rule\b": '"usually"',
    r"\b(is|are) no (torch|estimator|array|method|number|option|str|token|class)": (
        '"is not a"'
    ),
    r"\b(goes|going|went) on\b|\bhow (it|they|text|texts) go\b": '"continue"',
    r"\bputs? (\w+ )?into classes\b": '"classify"',
    r"\bknows? (no|nothing)\b": '"does not support", "does not have"',
    r"\bin step with\b|\bout of step\b": '"consistent with", "outdated"',
    r"\bto be had\b": '"available"',
    r"\bso that not\b": '"so that ... does not"',
    rf"\bof (its|their) own\b{ENDS}": '"its own ...", "separate"',
    r"\bbeside\b": '"next to", "in addition to", "compared with"',
    r"\btold\b": '"passed", "given", "distinguished"',
    r"\bwanders?\b": '"is a random walk", "fluctuates"',
    r"\bexact but\b|\bbut for what\b": '"except for"',
    r"\bby heart\b": '"memorized"',
    r"\bmend(s|ed|ing)?\b": '"fix", "repair"',
    r"\b(sister|brother)s?\b": '"related", "counterpart"',
    r"\bof no effect\b|\bwithout effect\b": '"ignored", "has no effect"',
    rf"{TYPES} (?-i:Of) [a-z]": 'a noun first, as in "Energy of"',
    rf"{TYPES} (?-i:Draws) [a-z]": '"Seed of ..."',
    rf"{TYPES} (?-i:How) [a-z]+\.": '"Number of ..."',
    r"(?-i:\bThe one of\b)": 'the noun, as in "the score of"',
    r"\bso many (steps|times|units|rows|values|at once)\b": '"this number of"',
}
BANNED = [(re.compile(pattern, re.I), new) for pattern, new in REPLACEMENTS.items()]


def read_strings(tree):
    """Line and text of each string; fields of f-strings become braces."""
    parts = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            parts.update(id(part) for part in node.values)
            texts = [getattr(part, "value", None) for part in node.values]
            yield node.lineno, "".join(t if isinstance(t, str) else "{}" for t in texts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            if id(node) not in parts:
                yield node.lineno, node.value


def read_comments(code):
    """Line and text of each comment; comments on successive lines are one."""
    tokens = tokenize.generate_tokens(io.StringIO(code).readline)
    lines = [(t.start[0], t.string) for t in tokens if t.type == tokenize.COMMENT]
    for _, group in groupby(enumerate(lines), lambda pair: pair[1][0] - pair[0]):
        group = [line for _, line in group]
        yield group[0][0], " ".join(text.lstrip("# ") for _, text in group)


def read_paragraphs(text):
    """Line and text of each paragraph of a page, without code."""
    text = re.sub(r"(?ms)^```.*?^```", lambda code: "\n" * code[0].count("\n"), text)
    for match in re.finditer(r"(?:.+\n?)+", text):
        yield text.count("\n", 0, match.start()) + 1, match[0]


def read_texts(path):
    """Line and text of everything in a file that a person reads."""
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        return read_paragraphs(text)
    return [*read_strings(ast.parse(text)), *read_comments(text)]


def find_banned(path):
    """One message for each banned construction in a file."""
    shown = os.path.relpath(path, ROOT)
    for first, text in read_texts(path):
        text = re.sub(
            r"(`+)[^`]*\1", lambda code: "``" + "\n" * code[0].count("\n"), text
        )
        rows = [row.split() for row in text.split("\n")]
        words = " ".join(word for row in rows for word in row)
        for pattern, new in BANNED:
            for found in pattern.finditer(words):
                lines = [first + k for k, row in enumerate(rows) for _ in row]
                line = lines[words.count(" ", 0, found.start())]
                yield f'{shown}:{line}: "{found[0]}"; write {new} instead'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"Features a step of a table."', ["Features a step"]),
        ('f"one score {x} is above\\n a row a code"', ["a row a code"]),
        ("# a network knows\n# no dropout", ["knows no"]),
        ('"Random walks have features per step and a row in each code."', []),
        ('"`told` is a name, and ``beside`` is another."', []),
        ("told = beside = 1", []),
        ('"in step with the code, a cell of its own"', ["in step with", "of its own"]),
        ('"in step 3 of its own code"', []),
    ],
)
def test_banned_constructions_are_found_in_strings_and_comments(text, found, tmp_path):
    file = tmp_path / "example.py"
    file.write_text(text)
    assert [message.split('"')[1] for message in find_banned(file)] == found


def test_messages_name_the_line(tmp_path):
    file = tmp_path / "example.py"
    file.write_text('x = 1\n\n"""A `list\nof names`.\n\nIt is so, as it were."""\n')
    (message,) = find_banned(file)
    assert "example.py:6: " in message


def test_texts_avoid_banned_constructions():
    messages = [message for path in FILES for message in find_banned(path)]
    if messages:
        pytest.fail("\n".join(messages), pytrace=False)
