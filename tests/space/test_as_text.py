"""Fields of few values that pydantic takes as text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import pytest
from pydantic import TypeAdapter, ValidationError

from tuner.space.as_text import AsText
from tuner.space.definition import Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class _Record:
    direction: Annotated[Direction, AsText]


_RECORD = TypeAdapter(_Record)


def test_text_that_is_none_of_the_values_is_read_as_it_stands() -> None:
    record = _RECORD.validate_json('{"direction": "upwards"}', strict=True)
    assert str(record.direction) == "upwards"


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(ValidationError, match="valid string"):
        _RECORD.validate_json('{"direction": 1}')


def test_a_schema_calls_the_field_a_text() -> None:
    schema = _RECORD.json_schema(mode="serialization")
    assert schema["properties"]["direction"] == {"title": "Direction", "type": "string"}
