"""Strict YAML: YAML 1.2 scalars, lines, and what is not YAML at all."""

from __future__ import annotations

from typing import Any

import pytest

from tuner.errors import ConfigurationError
from tuner.space.documents.strict_yaml import parse_document


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4),
        ("1.5E+3", 1500.0),
        (".5", 0.5),
        ("no", "no"),
        ("on", "on"),
        ("010", 10),
        ("12:30", "12:30"),
        ("2024-01-01", "2024-01-01"),
        ("true", True),
        ("~", None),
        ("'32'", "32"),
    ],
)
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    read = parse_document(f"key: {text}", "my.yaml").data["key"]
    assert read == value
    assert type(read) is type(value)


def test_every_key_and_item_knows_its_line() -> None:
    document = parse_document("a:\n  b: 1\nc:\n  - 2\n  - 3\n", "my.yaml")
    assert document.where(("a", "b")) == "my.yaml:2"
    assert document.where(("c", 1)) == "my.yaml:5"
    assert document.where(("a", "missing")) == "my.yaml:1"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "my.yaml: the file is empty."),
        ("# only a comment\n", "my.yaml: the file is empty."),
        ("a: [1, 2\nb: 3", "my.yaml:2: not valid YAML: expected ',' or ']', but got ':'."),
        (
            "a: !!python/object:os.system 1",
            "my.yaml:1: a has the tag !!python/object:os.system; tags are not read.",
        ),
        ("a: !!int abc", "my.yaml:1: a has the tag !!int; tags are not read."),
        ("a: 1\nb: \x01", "my.yaml:2: not valid YAML: the character U+0001."),
        ("a: &a [*a]", "my.yaml:1: nested without end."),
        ("[1]: 2", "my.yaml:1: a key must be plain text."),
    ],
)
def test_what_is_not_yaml_says_where(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_document(text, "my.yaml")
    assert caught.value.message.startswith(message)
