"""The JSON Schema of results.json, for programs that read runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from tests.cli.calling import call
from tests.report.differences import difference
from tests.report.fixtures import results
from tuner.records.results import SCHEMA_VERSION, Results
from tuner.store.results_schema import results_json_schema, schema_text
from tuner.store.run_folder import RunFolder

SCHEMA = Path(__file__).parents[2] / "docs" / "schema" / "results.schema.json"


def test_the_committed_schema_is_the_generated_one() -> None:
    command = f"python -m tuner validate --schema results > docs/schema/{SCHEMA.name}"
    assert SCHEMA.read_text(encoding="utf-8") == schema_text(), f"write it again: {command}"


def test_it_is_printed_for_whoever_asks(tmp_path: Path) -> None:
    shown = call("validate", "--schema", "results", cwd=tmp_path)
    assert (shown.code, shown.out, shown.err) == (0, schema_text(), "")


def test_every_key_is_described() -> None:
    schema = results_json_schema()
    assert set(schema["properties"]) == {field.name for field in fields(Results)}
    records = {"Results": schema, **schema["$defs"]}
    missing = [
        f"{name}.{key}"
        for name, record in records.items()
        for key, value in record.get("properties", {}).items()
        if not value.get("description")
    ]
    assert missing == []
    assert schema["properties"]["models"]["description"].startswith("Tuned first, then baseline")


def test_every_reference_leads_somewhere() -> None:
    schema = results_json_schema()
    assert {target.removeprefix("#/$defs/") for target in _references(schema)} <= set(
        schema["$defs"]
    )


def test_only_this_version_is_described() -> None:
    assert results_json_schema()["properties"]["schema_version"]["const"] == SCHEMA_VERSION


def test_a_run_follows_the_schema_with_numbers_that_json_does_not_know(tmp_path: Path) -> None:
    odd = replace(
        results().search,
        best_score=float("nan"),
        best_values={"rate": float("-inf"), "list": [1, None]},
    )
    RunFolder(tmp_path).write_results(replace(results(), differences=(difference(),), search=odd))
    written = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert written["search"]["best_score"] == "NaN"
    schema = results_json_schema()
    Draft202012Validator.check_schema(schema)
    assert [error.message for error in Draft202012Validator(schema).iter_errors(written)] == []
    assert TypeAdapter(Results).validate_python(written).differences == (difference(),)


def _references(part: Any) -> Iterator[str]:
    if isinstance(part, dict):
        if "$ref" in part:
            yield part["$ref"]
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)
