"""Strict YAML: YAML 1.2 scalars, no duplicate keys, and the line of every key for errors."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tuner.errors import ConfigurationError
from tuner.names import one_line
from tuner.space.documents.bounded_reading import BY_HAND, DocumentLimits, read_text
from tuner.space.documents.composing import Composer, KeyPath, RefusedError
from tuner.space.documents.problems import Problem, raise_problems

__all__ = ["Document", "KeyPath", "Problem", "load_document", "parse_document", "raise_problems"]

# libyaml is some ten times as fast, but says less of a mistake: PyYAML's own parser reads up to it
# once more.
_FAST: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
_MAX_READ_TWICE = 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed YAML file.

    Attributes:
        name: The file's name as messages show it.
        data: Plain values: dict, list, str, int, float, bool, None.
        lines: Line number (from 1) of every key and list item, by its path.
        origins: What messages name instead of a line, by path: values that do not come from the
            file.
    """

    name: str
    data: Any
    lines: dict[KeyPath, int] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)

    def where(self, path: KeyPath) -> str:
        """`file:line` of the path; where the key is missing, of the nearest parent there is."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.origins:
                return self.origins[path[:length]]
            if path[:length] in self.lines:
                return f"{self.name}:{self.lines[path[:length]]}"
        return self.name


def load_document(
    path: Path, name: str | None = None, limits: DocumentLimits = BY_HAND
) -> Document:
    """Read a YAML file.

    Args:
        path: The file.
        name: What messages call it; the path as given by default.
        limits: What it may hold.

    Raises:
        ConfigurationError: If the file cannot be read, is not YAML, repeats a key (both lines are
            named), or goes beyond the limits.
    """
    return parse_document(read_text(path, limits), name or str(path), limits)


def parse_document(text: str, name: str, limits: DocumentLimits = BY_HAND) -> Document:
    """Parse YAML text; `load_document` says what it raises."""
    name = one_line(name)
    bad = yaml.reader.Reader.NON_PRINTABLE.search(text)
    if bad:
        number = text.count("\n", 0, bad.start()) + 1
        message = f"{name}:{number}: not valid YAML: the character U+{ord(bad[0]):04X}."
        raise ConfigurationError(message, "save it as plain UTF-8 text.")
    if len(text) > limits.n_bytes:
        raise ConfigurationError(
            f"{name}: it has more than {limits.n_bytes / 1e6:g} MB.", "shorten it."
        )
    try:
        try:
            return _parsed(_FAST, text, name, limits)
        except yaml.MarkedYAMLError as error:
            if len(text) <= _MAX_READ_TWICE:
                _parsed(yaml.BaseLoader, text, name, limits)
            raise error from None
    except yaml.MarkedYAMLError as error:
        raise _not_yaml(error, text, name) from error
    except RefusedError as error:
        raise ConfigurationError(
            one_line(f"{name}:{error.line}: {error.message}"), one_line(error.hint)
        ) from error


def _parsed(loader: Any, text: str, name: str, limits: DocumentLimits) -> Document:
    parser = loader(text)
    try:
        composer = Composer(parser, name, limits)
        data = composer.document()
    finally:
        parser.dispose()
    if not composer.lines:
        raise ConfigurationError(
            f"{name}: the file is empty.", "see search_spaces/ and datasets/ for examples."
        )
    raise_problems(composer.problems)
    return Document(name=name, data=data, lines=composer.lines)


def _not_yaml(error: yaml.MarkedYAMLError, text: str, name: str) -> ConfigurationError:
    mark = error.problem_mark or error.context_mark
    line = f":{mark.line + 1}" if mark else ""
    what = one_line(error.problem or error.context or "this")
    written = text.splitlines()[mark.line : mark.line + 1] if mark else []
    hint = "check the indentation and quotes near this line."
    if written and "\t" in written[0]:
        hint = "use spaces instead of tabs."
    return ConfigurationError(f"{name}{line}: not valid YAML: {what[:200]}.", hint)
