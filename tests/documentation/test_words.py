"""What users read keeps to CONTRIBUTING.md, "Words"."""

from __future__ import annotations

import re

import pytest

from tests.documentation import texts
from tests.documentation.markdown_prose import (
    comments,
    find_long_comments,
    find_long_lines,
    prose,
)
from tests.documentation.word_rules import find_words
from tuner.cli.commands import cli


def findings(path: str) -> list[str]:
    """What is wrong in a file, as `path:line: problem`."""
    text = texts.read(path)
    if path == "CONTRIBUTING.md":
        # The list itself quotes what it forbids.
        before, listed, after = re.split(r"(?ms)^(## Words$.*?)^(?=## )", text)
        text = before + "\n" * listed.count("\n") + after
    if path.endswith(".md"):
        found = [*find_words(prose(text)), *find_long_lines(text)]
    elif path.endswith(".yaml"):
        found = [*find_words(comments(text)), *find_long_comments(text)]
    elif path.endswith(".ipynb"):
        return [
            f"{path}, cell {number}, line {one.line}: {one.problem}"
            for number, cell in texts.markdown_cells(text)
            for one in (*find_words(prose(cell)), *find_long_lines(cell))
        ]
    elif path.endswith(".html"):
        found = list(find_words(texts.template_text(text)))
    else:
        return [
            f"{path}:{number}: {one.problem}"
            for number, string in texts.strings(text)
            for one in find_words(string)
        ]
    return [f"{path}:{one.line}: {one.problem}" for one in found]


PAGES = texts.files((*texts.MARKDOWN, *texts.COMMENTED, *texts.NOTEBOOKS))
SOURCES = texts.files((*texts.TEMPLATES, *texts.MODULES))


@pytest.mark.parametrize("path", PAGES)
def test_pages_and_comments_keep_to_the_words(path: str) -> None:
    assert findings(path) == []


def test_templates_and_strings_keep_to_the_words() -> None:
    assert [one for path in SOURCES for one in findings(path)] == []


def test_help_texts_keep_to_the_words() -> None:
    helped = dict(texts.help_texts(cli))
    assert len(helped) > 100
    assert [
        f"{name}: {one.problem}" for name, text in helped.items() for one in find_words(text)
    ] == []


def test_every_option_has_a_help_text() -> None:
    assert [name for name, text in texts.help_texts(cli) if not text] == []
