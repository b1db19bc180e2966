"""`constraints:` of a space: upper bounds, and what else may stand there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.calling import write_space
from tests.space.parsing.mistakes import mistakes
from tuner.space.constraints import NO_CONSTRAINTS, Constraints
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import load_space, parse_space
from tuner.space.parsing.schema import space_json_schema


def constraints(text: str) -> Constraints:
    document = parse_document(f"version: 1\nspace: {{}}\nconstraints: {text}", "my.yaml")
    return parse_space(document).constraints


def test_bounds_are_read_with_or_without_quotes_and_blanks() -> None:
    assert constraints('{parameters: "<= 5e6", latency_ms: <=5, file_mb: "<=  0.5"}') == (
        Constraints(parameters=5e6, latency_ms=5.0, file_mb=0.5)
    )
    assert constraints("{}") == NO_CONSTRAINTS


MISTAKES = {
    "{parameter: <= 5}": (
        'constraints.parameter is not a known key.\n  Fix: did you mean "parameters"?'
    ),
    "{parameters: 5000000}": (
        'constraints.parameters is 5000000; expected an upper bound such as "<= 5e6".\n'
        '  Fix: write "<= 5000000".'
    ),
    '{latency_ms: ">= 5"}': (
        'constraints.latency_ms is ">= 5"; expected an upper bound such as "<= 5e6".\n'
        '  Fix: write "<= " and a number.'
    ),
    '{parameters: "<= 5,000"}': (
        'constraints.parameters is "<= 5,000"; expected an upper bound such as "<= 5e6".\n'
        '  Fix: write "<= " and a number.'
    ),
    "{file_mb: true}": (
        'constraints.file_mb is true; expected an upper bound such as "<= 5e6".\n'
        '  Fix: write "<= " and a number.'
    ),
    '{file_mb: "<= 0"}': (
        'constraints.file_mb is "<= 0"; expected a number above 0, and a finite one.'
    ),
    '{file_mb: "<= 1e999"}': (
        'constraints.file_mb is "<= 1e999"; expected a number above 0, and a finite one.'
    ),
    "{parameters: null}": (
        "constraints.parameters has no value.\n  Fix: give it one, or delete the line."
    ),
    '"<= 5"': 'constraints is "<= 5"; expected keys with values.',
}


@pytest.mark.parametrize("text", MISTAKES)
def test_anything_else_is_a_mistake_with_its_line(text: str) -> None:
    found = mistakes(f"version: 1\nspace: {{}}\nconstraints: {text}")
    assert found == f"my.yaml:3: {MISTAKES[text]}"


def test_the_command_line_sets_a_bound(tmp_path: Path) -> None:
    path = write_space(tmp_path)
    for override in ('constraints.parameters="<= 1e6"', "constraints.parameters=<= 1e6"):
        assert load_space(path, [override]).constraints == Constraints(parameters=1e6)
    with pytest.raises(Exception, match=r'parametrs is not.*\n.*mean "parameters"'):
        load_space(path, ["constraints.parametrs=<= 1"])


def test_editors_know_the_form_of_a_bound() -> None:
    schema = space_json_schema()["$defs"]["ConstraintsSpec"]["properties"]
    assert set(schema) == {"parameters", "latency_ms", "file_mb"}
    (text,) = (one for one in schema["parameters"]["anyOf"] if one["type"] == "string")
    assert re.search(text["pattern"], "<= 5e6")
    assert not re.search(text["pattern"], ">= 5e6")
