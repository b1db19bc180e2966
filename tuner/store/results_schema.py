"""The JSON Schema of results.json, for programs that read runs."""

from __future__ import annotations

import inspect
import json
import re
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from tuner.records.results import SCHEMA_VERSION, Results

# A name at the usual indent, and its text with the lines that go on deeper.
_ATTRIBUTE = re.compile(r"^ {4}(\w+): (.+(?:\n {5,}.+)*)", re.MULTILINE)


def schema_text() -> str:
    """The JSON Schema as docs/schema/results.schema.json holds it."""
    return json.dumps(results_json_schema(), indent=2) + "\n"


def results_json_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of results.json, described by the records' docstrings."""
    schema = TypeAdapter(Results).json_schema(mode="serialization", schema_generator=_Described)
    schema["properties"]["schema_version"] |= {"const": SCHEMA_VERSION}
    return (
        {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        | schema
        | {"title": "Tuner results"}
    )


class _Described(GenerateJsonSchema):
    """Takes descriptions from records' Attributes sections; NaN and infinities are texts."""

    def dataclass_schema(self, schema: core_schema.DataclassSchema) -> JsonSchemaValue:
        """A record with its summary, and each field with its description from the docstring."""
        described = super().dataclass_schema(schema)
        summary, _, attributes = inspect.cleandoc(schema["cls"].__doc__ or "").partition(
            "\n\nAttributes:\n"
        )
        described["description"] = " ".join(summary.split())
        for name, text in _ATTRIBUTE.findall(attributes):
            described["properties"][name]["description"] = " ".join(text.split())
        return described

    def float_schema(self, schema: core_schema.FloatSchema) -> JsonSchemaValue:
        """A number; JSON has none for NaN and infinities, which are texts."""
        return {"type": ["number", "string"], "pattern": "^(NaN|-?Infinity)$"}

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Never: a title would only repeat the name."""
        return False
