"""Strict YAML: YAML 1.2 scalars, no duplicate keys, and the line of every key, so that errors can say where."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tuner.errors import ConfigurationError

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One mistake in a file.

    Attributes:
        where: `file:line`, or only the file's name where no line is known.
        message: What is wrong and what was expected.
        hint: How to fix it; may be empty.
    """

    where: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.where}: {self.message}"
        return f"{text}\n  Fix: {self.hint}" if self.hint else text


def raise_problems(problems: Iterable[Problem]) -> None:
    """Raise all mistakes of a file as one error; do nothing where there are none.

    Raises:
        ConfigurationError: With one message per problem, in the order of the lines.
    """
    found = list(problems)
    if not found:
        return
    *others, last = found
    text = "\n".join([*map(str, others), f"{last.where}: {last.message}"])
    raise ConfigurationError(text, last.hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed YAML file.

    Attributes:
        name: The file's name as messages show it.
        data: Plain values: dict, list, str, int, float, bool, None.
        lines: Line number (from 1) of every key and list item, by its path.
        origins: What messages name instead of a line, by path: values that do not come from the file.
    """

    name: str
    data: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)

    def where(self, path: KeyPath) -> str:
        """`file:line` of the path or, where the key is missing, of the nearest parent that is there."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
            if path[:length] in self.lines:
                return f"{self.name}:{self.lines[path[:length]]}"
        return self.name


class _StrictLoader(yaml.SafeLoader):
    """Resolves YAML 1.2's core schema; PyYAML resolves YAML 1.1, where `1e-4` is text and `no` is False."""


_StrictLoader.yaml_implicit_resolvers = {}

for _tag, _pattern, _first in (
    ("tag:yaml.org,2002:bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("tag:yaml.org,2002:int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("tag:yaml.org,2002:float", r"^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
    ("tag:yaml.org,2002:null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
):
    _StrictLoader.add_implicit_resolver(_tag, re.compile(_pattern), list(_first))


def _decimal_int(loader: _StrictLoader, node: yaml.ScalarNode) -> int:
    # PyYAML's own constructor would read `010` as octal.
    return int(loader.construct_scalar(node))


_StrictLoader.add_constructor("tag:yaml.org,2002:int", _decimal_int)


def load_document(path: Path, name: str | None = None) -> Document:
    """Read a YAML file.

    Args:
        path: The file.
        name: What messages call it; the path as given by default.

    Raises:
        ConfigurationError: If the file cannot be read, is not YAML, or repeats a key (both lines are named).
    """
    shown = name or str(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(f"{shown}: cannot be read: {reason}.", "give the path of a YAML file.") from error
    return parse_document(text, shown)


def parse_document(text: str, name: str) -> Document:
    """Parse YAML text; `load_document` says what it raises."""
    lines: dict[KeyPath, int] = {}
    problems: list[Problem] = []
    try:
        loader = _StrictLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise ConfigurationError(f"{name}: the file is empty.", "see search_spaces/ and datasets/ for examples.")
        lines[()] = node.start_mark.line + 1
        data = _construct(loader, node, (), name, lines, problems)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        what = error.problem or error.context or "this"
        hint = "check the indentation and quotes near this line."
        raise ConfigurationError(f"{name}{line}: not valid YAML: {what}.", hint) from error
    except yaml.reader.ReaderError as error:
        number = text.count("\n", 0, error.position) + 1
        bad = f"the character U+{ord(text[error.position]):04X}"
        raise ConfigurationError(f"{name}:{number}: not valid YAML: {bad}.", "save it as plain UTF-8 text.") from error
    except RecursionError as error:
        raise ConfigurationError(
            f"{name}: nested without end.", "look for a `*name` inside its own `&name`."
        ) from error
    except ValueError as error:
        # An explicit tag such as `!!int abc`, or a number of thousands of digits.
        raise ConfigurationError(f"{name}: not valid YAML: {error}.", "write plain numbers, without tags.") from error
    raise_problems(problems)
    return Document(name=name, data=data, lines=lines)


def _construct(
    loader: _StrictLoader,
    node: yaml.Node,
    path: KeyPath,
    name: str,
    lines: dict[KeyPath, int],
    problems: list[Problem],
) -> Any:
    if isinstance(node, yaml.SequenceNode):
        for i, item in enumerate(node.value):
            lines[(*path, i)] = item.start_mark.line + 1
        return [_construct(loader, item, (*path, i), name, lines, problems) for i, item in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return loader.construct_object(node)
    mapping: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node)
        line = key_node.start_mark.line + 1
        if not isinstance(key, Hashable) or isinstance(key_node, yaml.CollectionNode):
            problems.append(Problem(where=f"{name}:{line}", message="a key must be plain text."))
            continue
        key = str(key_node.value)
        if key in mapping:
            first = lines[(*path, key)]
            problems.append(
                Problem(
                    where=f"{name}:{line}",
                    message=f'the key "{key}" is already set on line {first}.',
                    hint="delete one of the two lines.",
                )
            )
            continue
        lines[(*path, key)] = line
        mapping[key] = _construct(loader, value_node, (*path, key), name, lines, problems)
    return mapping
