"""References of search spaces, cards and results.json, from their JSON Schemas."""

from __future__ import annotations

import json
import re
from typing import Any

Schema = dict[str, Any]


def schema_page(title: str, introduction: str, text: str) -> str:
    """A page with a table of keys for the document and for each object inside it."""
    schema = json.loads(text)
    parts = [f"# {title}", introduction, _table(schema)]
    for name, definition in sorted(schema["$defs"].items()):
        about = _cell(definition.get("description", ""))
        body = _table(definition) if "properties" in definition else f"{_kind(definition)}."
        parts += [f"## {name}", about, body]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(schema: Schema) -> str:
    required = set(schema.get("required", ()))
    rows = ["| key | value | meaning |", "| --- | --- | --- |"]
    for key, value in schema["properties"].items():
        meaning = _cell(_description(value))
        needed = "**required** " if key in required and "default" not in value else ""
        rows.append(f"| `{key}` | {_kind(value)}{_default(value)} | {needed}{meaning} |")
    return "\n".join(rows)


def _description(value: Schema) -> str:
    """Its own, or that of the only choice which has one."""
    if "description" in value:
        return str(value["description"])
    found = [one["description"] for one in value.get("anyOf", ()) if "description" in one]
    return str(found[0]) if found else ""


def _kind(value: Schema) -> str:
    if "$ref" in value:
        name = value["$ref"].rsplit("/", 1)[-1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in value or "oneOf" in value:
        kinds = [_kind(one) for one in (*value.get("anyOf", ()), *value.get("oneOf", ()))]
        return " or ".join(dict.fromkeys(kinds))
    if "const" in value or "enum" in value:
        return ", ".join(f"`{one}`" for one in value.get("enum", [value.get("const")]))
    if "items" in value:
        return f"list of {_kind(value['items'])}"
    if isinstance(value.get("additionalProperties"), dict):
        return f"mapping of {_kind(value['additionalProperties'])}"
    kind = value.get("type", "any")
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def _default(value: Schema) -> str:
    if value.get("default") in (None, "", [], {}):
        return ""
    return f", default `{json.dumps(value['default'], ensure_ascii=False)}`"


def _cell(text: str) -> str:
    return re.sub(r"\s+", " ", text).replace("|", "\\|").replace("<", "&lt;").strip()
