"""best.yaml: a recipe as a file that people may read and edit."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from tuner.errors import ConfigurationError
from tuner.names import printable
from tuner.records.combination import Combination, Member, View
from tuner.records.expected_score import ExpectedScore
from tuner.records.image import ImageSpec
from tuner.records.sealed_recipe import Recipe, RecipeData, RecipeOrigin
from tuner.space.documents.bounded_reading import BY_A_RUN
from tuner.space.documents.composing import AMBIGUOUS
from tuner.space.documents.strict_yaml import (
    Document,
    KeyPath,
    Problem,
    load_document,
    raise_problems,
)
from tuner.space.documents.validation import did_you_mean, in_order, type_problems
from tuner.space.split_settings import SplitSettings
from tuner.store.files.whole_files import write_text
from tuner.store.recipe_checks import recipe_problems

RECIPE = TypeAdapter(Recipe)
# The last line of the file: a hash of all that stands above it, comments and layout left out.
_DIGEST = "digest"
_NOTHING = "nothing"
_REMEDY = "correct the line, or take the value from the best.yaml that the run wrote."


class _RecipeDumper(yaml.SafeDumper):
    """Quotes text that our reader would take for a number.

    PyYAML reads YAML 1.1, where `1e-4` and `08` are text.
    """


_RecipeDumper.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        rf"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|{AMBIGUOUS.pattern})$"
    ),
    list("-+.0123456789"),
)


def write_recipe(recipe: Recipe, path: Path, header: str) -> None:
    """Write a recipe.

    Args:
        recipe: What to write.
        path: The file.
        header: Text that stands above it as a comment.
    """
    comment = "".join(f"# {line}".rstrip() + "\n" for line in header.splitlines())
    plain = RECIPE.dump_python(recipe, mode="json")
    plain[_DIGEST] = _digest(plain)
    body = yaml.dump(plain, Dumper=_RecipeDumper, sort_keys=False, allow_unicode=True, width=120)
    write_text(path, comment + body)


def read_recipe(path: Path) -> Recipe:
    """Read a recipe.

    Raises:
        ConfigurationError: For all mistakes in it, each with its line.
    """
    document = load_document(path, limits=BY_A_RUN)
    problems = _unknown_keys(document)
    try:
        # As JSON, where a list may stand for a tuple, but nothing else for something else.
        recipe = RECIPE.validate_json(json.dumps(document.data), strict=True)
    except ValidationError as error:
        # What is missing beside an unknown key is most often that key, misspelt.
        found = [
            p
            for p in type_problems(document, error)
            if not problems or not p.message.endswith(" is missing.")
        ]
        raise_problems(in_order([*problems, *found]), _REMEDY)
        raise
    raise_problems(in_order([*problems, *recipe_problems(document, recipe)]), _REMEDY)
    return recipe


def is_edited(path: Path) -> bool:
    """Whether the contents of a recipe are others than those that were written.

    A recipe without a digest, which an earlier version wrote, passes for unedited.

    Raises:
        ConfigurationError: If the file cannot be read.
    """
    data = load_document(path, limits=BY_A_RUN).data
    stated = data.get(_DIGEST) if isinstance(data, dict) else None
    return stated is not None and stated != _digest(data)


def edited_values(path: Path, copies: Iterable[Path]) -> list[str]:
    """What was edited in a recipe, as `max_epochs is 9, was 3`, in a line each.

    Args:
        path: The recipe.
        copies: Recipes, of which one may be as it was written; else nothing can be said.

    Raises:
        ConfigurationError: If the recipe cannot be read.
    """
    now = load_document(path, limits=BY_A_RUN).data
    for copy in copies:
        with suppress(ConfigurationError):
            then = load_document(copy, limits=BY_A_RUN).data
            is_whole = isinstance(then, dict) and then.get(_DIGEST) == _digest(then)
            if is_whole and then[_DIGEST] == now.get(_DIGEST):
                return list(_differing(now, then))
    return []


def _differing(now: Any, then: Any, place: str = "") -> Iterator[str]:
    if isinstance(now, dict) and isinstance(then, dict):
        for key in dict.fromkeys([*now, *then]):
            name = f"{place}.{key}" if place else str(key)
            yield from _differing(now.get(key, _NOTHING), then.get(key, _NOTHING), name)
    elif isinstance(now, list) and isinstance(then, list) and len(now) == len(then):
        for number, pair in enumerate(zip(now, then, strict=True)):
            yield from _differing(*pair, f"{place}[{number}]")
    elif now != then:
        yield f"{place} is {_shown(now)}, was {_shown(then)}"


def _shown(value: Any) -> str:
    return printable(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _digest(plain: Mapping[str, Any]) -> str:
    """Of the values as the file states them: a later version, with more keys, finds the same."""
    content = {key: value for key, value in plain.items() if key != _DIGEST}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _unknown_keys(document: Document) -> list[Problem]:
    """Pydantic passes over unknown keys of plain dataclasses; a misspelt key must not be lost."""
    if not isinstance(document.data, dict):
        return []
    problems = []
    for prefix, record in (
        ((), Recipe),
        (("expected",), ExpectedScore),
        (("origin",), RecipeOrigin),
        (("image",), ImageSpec),
        (("data",), RecipeData),
        (("data", "split"), SplitSettings),
        *_parts_of_combination(document.data),
    ):
        names = [*(field.name for field in fields(record)), *(() if prefix else (_DIGEST,))]
        part = _at(document.data, prefix)
        for key in part if isinstance(part, dict) else ():
            if key not in names:
                path = (*prefix, key)
                message = f"{'.'.join(map(str, path))} is not a known key."
                nearest = partial(did_you_mean, key, names)
                problems.append(Problem(where=document.where(path), message=message, hint=nearest))
    return problems


def _parts_of_combination(data: Mapping[str, Any]) -> Iterator[tuple[KeyPath, type]]:
    yield ("combination",), Combination
    for name, record in (("members", Member), ("views", View)):
        found = _at(data, ("combination", name))
        for number in range(len(found) if isinstance(found, list) else 0):
            yield ("combination", name, number), record


def _at(part: Any, path: KeyPath) -> Any:
    """What stands at a path; None where nothing does."""
    for step in path:
        if isinstance(part, dict):
            part = part.get(step)
        else:
            part = part[step] if isinstance(part, list) and isinstance(step, int) else None
    return part
