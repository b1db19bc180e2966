"""Parameters as a file declares them: what is written is read as the same parameter."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tuner.space.declaring import declaration, flow
from tuner.space.definition import Parameter, by_name
from tuner.space.documents.strict_yaml import parse_document
from tuner.space.parsing.parse import load_space, parse_space

SPACES = Path(__file__).parents[2] / "search_spaces"


def declared(ranges: list[Parameter]) -> str:
    specs = [declaration(one, ("conv_blocks",)) for one in ranges]
    return flow(specs if len(specs) > 1 else specs[0])


@pytest.mark.parametrize("name", sorted(path.stem for path in SPACES.glob("*.yaml")))
def test_supplied_spaces_are_read_as_they_were_after_they_were_written(name: str) -> None:
    file = load_space(SPACES / f"{name}.yaml")
    lines = [f"version: 1\nmodel: {file.model}\nspace:"]
    lines += [f"  {flow(key)}: {flow(value)}" for key, value in file.space.fixed.items()]
    ranges = by_name(file.space.parameters)
    lines += [f"  {flow(key)}: {declared(own)}" for key, own in ranges.items()]
    again = parse_space(parse_document("\n".join(lines), "again.yaml")).space
    assert again.fixed == file.space.fixed
    assert set(again.parameters) == set(file.space.parameters)


def test_a_result_that_holds_bounds_as_floats_declares_whole_numbers() -> None:
    one = Parameter(name="n", kind="int", low=1.0, high=9.0, step=2.0)
    assert flow(declaration(one)) == "{type: int, min: 1, max: 9, step: 2}"


def test_one_value_is_fixed() -> None:
    one = Parameter(name="n", kind="choice", choices=("sgd",))
    assert flow(declaration(one)) == "{type: fixed, value: sgd}"
    assert flow(declaration(replace(one, choices=("no",)))) == '{type: fixed, value: "no"}'


def test_texts_that_yaml_would_take_for_something_else_have_quotes() -> None:
    assert flow({"a b": ["yes", 1e-05, True, "32", "x:y", ""]}) == (
        '{"a b": ["yes", 1e-05, true, "32", "x:y", ""]}'
    )
