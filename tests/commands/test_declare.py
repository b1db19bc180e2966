"""A completed space: what is said of it, what a resumed run takes over, and what a changed builder is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from tuner.commands.declare import hold, kept, resumed
from tuner.commands.open_run import differences
from tuner.errors import ConfigurationError
from tuner.space.declared import Declaration
from tuner.space.definition import Condition, Parameter
from tuner.space.document import parse_document
from tuner.space.parse import parse_space

SPACE = "version: 1\nmodel: m:build\nspace: {batch_size: 16}\nsearch: {method: grid}\n"
KIND = Parameter(name="kind", kind="choice", choices=("a", "b"))
RATE = Parameter(
    name="rate", kind="float", low=1e-4, high=1e-1, log=True, conditions=(Condition(parent="kind", values=("b",)),)
)


def test_what_is_searched_as_declared_is_said_and_a_grid_needs_values() -> None:
    document = parse_document(SPACE, "own.yaml")
    found = hold(document, parse_space(document), Declaration(parameters=(KIND, RATE), notes=("a note",)))
    assert found.notes == ("a note", "searched as m:build declares it: kind, rate")
    assert [str(problem) for problem in found.problems] == [
        'model "m:build": rate may be any number from 0.0001 to 0.1, and search.method is grid\n'
        "  Fix: list values for rate in the space, or choose another method."
    ]


def test_builder_without_hyperparameters_is_one_setting() -> None:
    document = parse_document(SPACE, "own.yaml")
    found = hold(document, parse_space(document), Declaration())
    assert found.notes == ("m:build: no hyperparameters are searched, so that the search is one setting",)


def test_slow_builder_is_given_the_benefit_of_the_doubt() -> None:
    document = parse_document(SPACE.replace("16}", "16, units: 3}"), "own.yaml")
    found = hold(document, parse_space(document), Declaration(is_thorough=False))
    assert found.problems == ()
    assert found.notes[0] == "m:build did not ask for units in the settings that were tried"


def test_resumed_run_searches_the_space_that_it_began_with() -> None:
    document = parse_document(SPACE, "own.yaml")
    file = parse_space(document)
    whole = hold(document, file, Declaration(parameters=(KIND, RATE))).file
    config = yaml.safe_load(yaml.safe_dump(kept(whole)))
    assert resumed(file, config) == whole
    assert kept(replace(whole, model="cnn")) == {}
    assert resumed(file, {}) == file


@pytest.mark.parametrize("damaged", [[], {}, {"parameters": [{}], "fixed": {}}, {"parameters": [], "fixed": 3}])
def test_damaged_space_of_a_resumed_run_ends_in_two_lines(damaged: object) -> None:
    file = parse_space(parse_document(SPACE, "own.yaml"))
    with pytest.raises(ConfigurationError, match=r"^config\.yaml: declared is no space") as caught:
        resumed(file, {"declared": damaged})
    assert caught.value.hint == "restore the file, or start again with --fresh."


def test_changed_builder_is_named_by_its_file() -> None:
    then, now = {"builder": {"net.py": "0a", "parts.py": "1"}}, {"builder": {"net.py": "0b", "parts.py": "1"}}
    assert list(differences(then, now)) == ["builder.net.py changed"]
