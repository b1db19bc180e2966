"""The checker finds what it is for, and nothing in plain sentences."""

from __future__ import annotations

import json

import pytest

from tests.documentation.markdown_prose import (
    comments,
    find_long_comments,
    find_long_lines,
    prose,
)
from tests.documentation.texts import markdown_cells, strings, template_text
from tests.documentation.word_rules import RULES, find_words

LONG = "word " * 25


@pytest.mark.parametrize(
    "text",
    [
        "They say nothing about what a person feels.",
        "The worker hears of the end.",
        "The intervals know of both kinds of noise.",
        "The search wants a score.",
        "A killed run goes on where it was.",
        "A killed run goes\non where it was.",
        "The options are in order.",
        "Angry, found.",
        "Nobody has asked for it.",
        "The cache is written anew.",
        "Use JAX in the place of TensorFlow.",
        "A network that has learnt from ImageNet.",
        "Its layers may not bear 16 bits.",
        "Share of runs, had the noise been forgotten.",
        "The noise, had the seeds been left out, is larger.",
        "It is not stored, nor is it printed.",
        "It is sealed. Never does a model see it.",
        "All columns, but for the last one.",
        "It is kept, provided that there is room.",
        "It waits so long as a worker trains.",
        "The search takes the trial up again.",
        "A worker is told the seed.",
        "The run asks the machine for memory.",
    ],
)
def test_stilted_words_are_found(text: str) -> None:
    assert list(find_words(text))


@pytest.mark.parametrize(
    "text",
    [
        "If you want a smaller file, quantize it.",
        "`run --resume` resumes the search: `go on` is no option.",
        "See [the page](docs/what-a-person-wants.md).",
        "Columns are listed in order of their score.",
        "You are told how many are left out.",
        "Models are told apart by colour.",
        "A retraining as long as one more rung is provided.",
        "You had the choice; it was made on validation images.",
    ],
)
def test_plain_words_pass(text: str) -> None:
    assert list(find_words(text)) == []


def test_a_finding_names_its_line_and_what_to_write() -> None:
    (found,) = find_words("First.\n\nThe run\ngoes on.\n")
    assert (found.line, found.problem) == (4, '"goes on": say "resumes" or "continues"')


def test_every_rule_says_what_to_write() -> None:
    assert all(rule.say for rule in RULES)


def test_long_prose_is_found_and_long_tables_code_and_links_are_not() -> None:
    text = f"{LONG}\n\n| {LONG} |\n\n```\n{LONG}\n```\n\n[{LONG}](page.md)\n\n- {LONG}\n"
    assert [one.line for one in find_long_lines(text)] == [1, 11]


def test_words_in_code_blocks_are_no_prose() -> None:
    assert list(find_words(prose("```\nnobody\n```\nplain\n"))) == []


def test_comments_of_yaml_are_prose_and_values_are_not() -> None:
    text = "name: nobody\nmode: 1  # nobody\n# the #1 choice\n"
    assert comments(text).splitlines() == ["", "nobody", "the #1 choice"]
    assert [one.line for one in find_words(comments(text))] == [2]


def test_long_comments_are_found_and_long_values_are_not() -> None:
    text = f"a: {LONG}\nb: 1  # {LONG}\n# yaml-language-server: $schema={LONG}\n"
    assert [one.line for one in find_long_comments(text)] == [2]


def test_templates_are_checked_without_tags_and_expressions() -> None:
    html = '<p title="nobody">One\n{{ wants }} {% if nobody %}two{% endif %}</p>\n'
    assert template_text(html).split() == ["One", "two"]
    assert template_text(html).count("\n") == html.count("\n")


def test_strings_of_a_module_are_checked_and_docstrings_are_not() -> None:
    source = '"""What nobody reads."""\nname = "key"\nsay = f"{name} goes on"\n'
    assert list(strings(source)) == [(3, " goes on")]


def test_markdown_cells_of_a_notebook_are_checked_and_code_is_not() -> None:
    cells = [
        {"cell_type": "code", "source": ["nobody"]},
        {"cell_type": "markdown", "source": ["It\n", "goes on."]},
    ]
    assert list(markdown_cells(json.dumps({"cells": cells}))) == [(1, "It\ngoes on.")]
