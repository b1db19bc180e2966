"""From a parsed YAML file to a pydantic model.

Every mistake is reported at once, where it stands, in plain words.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from tuner.names import listed
from tuner.space.documents.spelling import nearest_of
from tuner.space.documents.strict_yaml import Document, KeyPath, Problem


class Strict(BaseModel):
    """Base of everything that is read from YAML: unknown keys and loose types are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def both_or_neither(record: Strict, first: str, second: str) -> None:
    """Refuse a record that has only one of two keys.

    Raises:
        ValueError: With the key that is missing.
    """
    for given, other in ((first, second), (second, first)):
        if getattr(record, given) is not None and getattr(record, other) is None:
            raise ValueError(f"has {given}, but no {other}. | add {other}, or remove {given}.")


# Of a value in a message.
_MOST_LETTERS, _MOST_LEVELS = 61, 3
# No typing error is so long, and comparing long texts takes long.
_MOST_COMPARED = 100

ModelT = TypeVar("ModelT", bound=BaseModel)


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The choice that `name` was probably meant to be; None where none is near, or several are."""
    if len(name) > _MOST_COMPARED:
        return None
    return nearest_of(name, choices)


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """A hint that offers the nearest choice; where none is near, all of them.

    It is empty without choices.
    """
    choices = list(choices)
    if not choices:
        return ""
    match = nearest(name, choices)
    return f'did you mean "{match}"?' if match else f"use {listed(choices)}."


def validate(document: Document, model: type[ModelT]) -> tuple[ModelT | None, list[Problem]]:
    """Check a document against a model.

    Returns:
        The model, or None with every mistake found.
    """
    try:
        return model.model_validate(document.data), []
    except ValidationError as error:
        found = [_problem(document, model, mistake) for mistake in error.errors(include_url=False)]
        return None, in_order(found)


def type_problems(document: Document, error: ValidationError) -> list[Problem]:
    """The mistakes of a record that is no pydantic model; it takes unknown keys without a word."""
    return in_order(
        _problem(document, BaseModel, mistake) for mistake in error.errors(include_url=False)
    )


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """The mistakes in the order of their lines, each once; those of no line first."""
    unique = {(p.where, p.message): p for p in problems}
    return sorted(unique.values(), key=lambda p: _line(p.where))


def _line(where: str) -> int:
    tail = where.rpartition(":")[2]
    return int(tail) if tail.isdigit() else 0


def _problem(document: Document, model: type[BaseModel], mistake: Mapping[str, Any]) -> Problem:
    path = _document_path(document.data, mistake["loc"])
    name = ".".join(map(str, path)) or "the file"
    kind, context, value = mistake["type"], mistake.get("ctx", {}), mistake.get("input")
    where = document.where(path)
    if kind == "extra_forbidden":
        nearest_key = partial(_known_key, model, mistake["loc"])
        return Problem(where=where, message=f"{name} is not a known key.", hint=nearest_key)
    if kind == "missing":
        missing = (
            ".".join(map(str, (*path, *mistake["loc"][-1:])))
            if mistake["loc"][-1:] != path[-1:]
            else name
        )
        return Problem(where=where, message=f"{missing} is missing.", hint="add it.")
    if kind in {"literal_error", "union_tag_invalid", "enum"}:
        tag_key = str(context.get("discriminator", "")).strip("'")
        if tag_key and isinstance(value, Mapping):
            value, name = value.get(tag_key), f"{name}.{tag_key}"
            where = document.where((*path, tag_key))
        expected = context.get("expected") or context.get("expected_tags") or ""
        choices = [part.strip(" '") for part in expected.replace(" or ", ",").split(",")]
        message = f"{name} is {shown(value)}; expected {listed(choices)}."
        return Problem(
            where=where, message=message, hint=partial(did_you_mean, str(value), choices)
        )
    if kind == "union_tag_not_found":
        tag_key = str(context["discriminator"]).strip("'")
        return Problem(
            where=where, message=f"{name}.{tag_key} is missing.", hint=f"add `{tag_key}:`."
        )
    if kind in {"value_error", "assertion_error"}:
        text, _, hint = str(context["error"]).partition(" | ")
        return Problem(where=where, message=f"{name} {text}", hint=hint)
    return Problem(
        where=where,
        message=f"{name} is {shown(value)}; {_expected(mistake)}.",
        hint=_quotes_hint(value, kind),
    )


_EXPECTED = {
    "int_type": "expected a whole number",
    "float_type": "expected a number",
    "finite_number": "expected a finite number",
    "string_type": "expected text",
    "string_pattern_mismatch": "expected text of the form {pattern}",
    "string_too_short": "expected text",
    "bool_type": "expected true or false",
    "list_type": "expected a list",
    "dict_type": "expected keys with values",
    "dataclass_type": "expected keys with values",
    "mapping_type": "expected keys with values",
    "tuple_type": "expected a list",
    "model_type": "expected keys with values",
    "model_attributes_type": "expected keys with values",
    "greater_than_equal": "expected {ge} or more",
    "greater_than": "expected more than {gt}",
    "less_than_equal": "expected {le} or less",
    "less_than": "expected less than {lt}",
    "too_short": "expected at least {min_length} value",
    "too_long": "expected {max_length} values or fewer",
    "string_too_long": "expected {max_length} letters or fewer",
}


def _expected(mistake: Mapping[str, Any]) -> str:
    kind, text = mistake["type"], str(mistake["msg"])
    if kind in _EXPECTED:
        return _EXPECTED[kind].format(**mistake.get("ctx", {}))
    for prefix in ("Input should be ", "Input should "):
        if text.startswith(prefix):
            return f"expected {text.removeprefix(prefix)}"
    return text[:1].lower() + text[1:]


def _quotes_hint(value: Any, kind: str) -> str:
    wanted = {"int_type": "int", "float_type": "int, float", "bool_type": "bool"}.get(kind, "")
    if not isinstance(value, str) or not wanted:
        return ""
    try:
        read = json.loads(value)
    except ValueError:
        return ""
    return "remove the quotes." if type(read).__name__ in wanted.split(", ") else ""


def shown(value: Any) -> str:
    """A value as a message shows it, in at most 60 characters.

    Text is in quotes; `true` and `null` are as YAML writes them.
    """
    text = json.dumps(_beginning(value), ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _beginning(value: Any, depth: int = 0) -> Any:
    """What the first letters of a value are made of.

    The whole of a large one takes long to write.
    """
    if isinstance(value, str):
        return value[:_MOST_LETTERS]
    if isinstance(value, list):
        return (
            [_beginning(item, depth + 1) for item in value[:_MOST_LETTERS]]
            if depth < _MOST_LEVELS
            else []
        )
    if isinstance(value, Mapping):
        items = list(islice(value.items(), _MOST_LETTERS)) if depth < _MOST_LEVELS else []
        return {_beginning(key): _beginning(item, depth + 1) for key, item in items}
    return value


def _document_path(data: Any, location: Iterable[str | int]) -> KeyPath:
    """The part of pydantic's location that stands in the file.

    Pydantic adds the tags of unions to it.
    """
    path: list[str | int] = []
    tag = None
    for part in location:
        if isinstance(data, Mapping):
            if part == tag or part not in data:
                # A key may be named like the tag: in `files.generator.generator` only the first is.
                tag = None
                continue
            data = data[part]
        elif isinstance(data, list) and isinstance(part, int) and part < len(data):
            data = data[part]
        else:
            continue
        path.append(part)
        tag = data.get("type") if isinstance(data, Mapping) else None
    return tuple(path)


def _known_key(model: type[BaseModel], location: tuple[str | int, ...]) -> str:
    return did_you_mean(str(location[-1]), sorted(_known_keys(model, location[:-1])))


def _known_keys(model: type[BaseModel], location: Iterable[str | int]) -> set[str]:
    """The keys allowed at a location, for the suggestion of a nearest name."""
    return _keys_in_schema(model.model_json_schema(), location)


def _keys_in_schema(schema: Mapping[str, Any], location: Iterable[str | int]) -> set[str]:
    definitions = schema.get("$defs", {})

    def resolve(node: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        if "$ref" in node:
            return resolve(definitions[node["$ref"].rpartition("/")[2]])
        options = [*node.get("anyOf", ()), *node.get("oneOf", ()), *node.get("allOf", ())]
        return [leaf for option in options for leaf in resolve(option)] if options else [node]

    nodes = resolve(schema)
    for part in location:
        inner: list[Mapping[str, Any]] = []
        for node in nodes:
            child = node.get("properties", {}).get(part)
            if child is None and isinstance(part, int):
                child = node.get("items")
            if child is None and isinstance(node.get("additionalProperties"), Mapping):
                child = node["additionalProperties"]
            if child is not None:
                inner.extend(resolve(child))
        # A union's tag is a part of the location that is no key: choose that member.
        tagged = [n for n in nodes if n.get("properties", {}).get("type", {}).get("const") == part]
        nodes = tagged or inner or nodes
    return {key for node in nodes for key in node.get("properties", {})}
