"""From YAML's events to plain values, by the rules of YAML 1.2, within limits.

PyYAML resolves YAML 1.1, where `1e-4` is text and `no` is False, knows tags that build objects, and
repeats what stands behind an alias as often as it is asked to: a file of 500 bytes may stand for
10^10 values.
"""

from __future__ import annotations

import copy
import math
import re
from typing import Any

import yaml

from tuner.names import one_line
from tuner.space.documents.bounded_reading import DocumentLimits
from tuner.space.documents.problems import Problem

KeyPath = tuple[str | int, ...]
# None where a value is read and dropped, such as that of a key that is set twice.
_Place = KeyPath | None

_BOOLEAN = re.compile(r"true|True|TRUE|false|False|FALSE")
_NULL = re.compile(r"~|null|Null|NULL|")
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
# What one reader of YAML takes for a number and another one for text.
AMBIGUOUS = re.compile(
    r"[-+]?(?:0x[0-9a-fA-F_]+|0o[0-7_]+|0b[01_]+|[0-9]+(?:_+[0-9]+)+(?:\.[0-9_]*)?|\.(?:inf|Inf|INF))|\.(?:nan|NaN|NAN)"
)
_MAX_PROBLEMS = 1_000
_CORE_TAGS = "tag:yaml.org,2002:"


class RefusedError(Exception):
    """A document that is not read to its end.

    Args:
        line: From 1.
        message: What is wrong, without the place.
        hint: How to fix it.
    """

    def __init__(self, line: int, message: str, hint: str) -> None:
        super().__init__(message)
        self.line, self.message, self.hint = line, message, hint


class _Anchor:
    """What an alias stands for; `value` counts once `is_whole`."""

    def __init__(self) -> None:
        self.value: Any = None
        self.n_values = 0
        self.depth = 0
        self.is_whole = False


class Composer:
    """Builds the values of one document.

    Attributes:
        lines: Line number (from 1) of every key and list item, by its path; below an alias only the
            alias's own.
        problems: Mistakes that do not end the reading.
    """

    def __init__(self, parser: Any, name: str, limits: DocumentLimits) -> None:
        """Take PyYAML's parser of a text, what messages call the file, and what it may hold."""
        self.lines: dict[KeyPath, int] = {}
        self.problems: list[Problem] = []
        self._parser, self._name, self._limits = parser, name, limits
        self._anchors: dict[str, _Anchor] = {}
        self._n_values = 0

    def document(self) -> Any:
        """The values of the only document; None where there is none.

        Raises:
            RefusedError: If it goes beyond a limit, holds a tag, or there is a second one.
            yaml.MarkedYAMLError: If it is not YAML.
        """
        self._parser.get_event()
        event = self._parser.get_event()
        if isinstance(event, yaml.StreamEndEvent):
            return None
        first = self._parser.get_event()
        self.lines[()] = _line(first)
        data = self._value(first, (), 0)[0]
        self._parser.get_event()
        event = self._parser.get_event()
        if not isinstance(event, yaml.StreamEndEvent):
            raise RefusedError(
                _line(event),
                "not valid YAML: a second document begins here.",
                "keep one of the two.",
            )
        return data

    def _value(self, event: Any, path: _Place, depth: int) -> tuple[Any, int]:
        """The value that an event begins, and how many levels it has."""
        self._count(1, event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, depth)
        if event.tag is not None:
            raise RefusedError(_line(event), *_about_tag(event.tag, path))
        if isinstance(event, yaml.ScalarEvent):
            return self._kept(event, 1, lambda: (self._scalar(event, path), 0))
        if depth >= self._limits.depth:
            message = f"lists and keys are nested more than {self._limits.depth} levels deep."
            raise RefusedError(
                _line(event), message, "flatten them, or close a bracket that is left open."
            )
        below = self._sequence if isinstance(event, yaml.SequenceStartEvent) else self._mapping
        return self._kept(event, self._n_values, lambda: below(path, depth))

    def _kept(self, event: Any, before: int, build: Any) -> tuple[Any, int]:
        """What `build` gives, kept for aliases where the event has an anchor."""
        if event.anchor is None:
            found: tuple[Any, int] = build()
            return found
        anchor = self._anchors[event.anchor] = _Anchor()
        anchor.value, anchor.depth = build()
        anchor.n_values = max(1, self._n_values - before)
        anchor.is_whole = True
        return anchor.value, anchor.depth

    def _alias(self, event: Any, depth: int) -> tuple[Any, int]:
        anchor = self._anchors.get(event.anchor)
        if anchor is None:
            hint = f"write &{_cut(event.anchor)} before the value that it names."
            raise RefusedError(_line(event), f"*{_cut(event.anchor)} is not defined.", hint)
        if not anchor.is_whole:
            hint = f"look for a `*{_cut(event.anchor)}` inside its own `&{_cut(event.anchor)}`."
            raise RefusedError(_line(event), "nested without end.", hint)
        self._count(anchor.n_values, event)
        if depth + anchor.depth > self._limits.depth:
            message = f"lists and keys are nested more than {self._limits.depth} levels deep."
            raise RefusedError(
                _line(event), message, f"write out what *{_cut(event.anchor)} stands for."
            )
        # A copy, since a change of one place must not change the other.
        return copy.deepcopy(anchor.value), anchor.depth

    def _count(self, n: int, event: Any) -> None:
        self._n_values += n
        if self._n_values > self._limits.n_values:
            message = (
                f"it holds more than {self._limits.n_values:,} values, counting those behind each"
                " alias."
            )
            raise RefusedError(
                _line(event),
                message,
                "shorten it; an alias inside what an alias repeats multiplies.",
            )

    def _sequence(self, path: _Place, depth: int) -> tuple[list[Any], int]:
        items: list[Any] = []
        deepest = 0
        while not isinstance(event := self._parser.get_event(), yaml.SequenceEndEvent):
            place = None if path is None else (*path, len(items))
            self._note(place, _line(event))
            item, levels = self._value(event, place, depth + 1)
            items.append(item)
            deepest = max(deepest, levels)
        return items, deepest + 1

    def _mapping(self, path: _Place, depth: int) -> tuple[dict[str, Any], int]:
        mapping: dict[str, Any] = {}
        first_lines: dict[str, int] = {}
        deepest = 0
        while not isinstance(event := self._parser.get_event(), yaml.MappingEndEvent):
            key, line = self._key(event, depth), _line(event)
            if key is not None and key in mapping:
                message = f'the key "{_cut(key)}" is already set on line {first_lines[key]}.'
                self._problem(line, message, "delete one of the two lines.")
                key = None
            place = None if key is None or path is None else (*path, key)
            self._note(place, line)
            value, levels = self._value(self._parser.get_event(), place, depth + 1)
            if key is not None:
                mapping[key], first_lines[key] = value, line
            deepest = max(deepest, levels)
        return mapping, deepest + 1

    def _key(self, event: Any, depth: int) -> str | None:
        """A key's text; None where it is no text, which is said."""
        line = _line(event)
        if isinstance(event, yaml.ScalarEvent) and event.tag is None:
            key = str(event.value)
            self._count(1, event)
            if len(key) > self._limits.n_key:
                message = f'the key "{_cut(key)}" has more than {self._limits.n_key:,} letters.'
                raise RefusedError(line, message, "give it a shorter name.")
            if one_line(key) != key:
                self._problem(
                    line,
                    f'the key "{_cut(key)}" has a line break or a control character.',
                    "rename it.",
                )
            elif key == "<<" and event.implicit[0]:
                self._problem(line, "<< merges keys in YAML 1.1 only.", "write the keys out.")
                return None
            return key
        self._problem(line, "a key must be plain text.", "")
        self._value(event, None, depth + 1)
        return None

    def _scalar(self, event: Any, path: _Place) -> Any:
        text: str = event.value
        if len(text) > self._limits.n_text:
            message = f"{_dotted(path)} has more than {self._limits.n_text:,} letters."
            raise RefusedError(_line(event), message, "shorten it, or close the quotes.")
        if not event.implicit[0]:
            return text
        if _BOOLEAN.fullmatch(text):
            return text.lower() == "true"
        if _NULL.fullmatch(text):
            return None
        if _INTEGER.fullmatch(text):
            return self._whole_number(event, path)
        if _FLOAT.fullmatch(text):
            number = float(text)
            if not math.isfinite(number):
                self._problem(
                    _line(event), f"{_dotted(path)} is infinite; expected a finite number.", ""
                )
            return number
        if AMBIGUOUS.fullmatch(text):
            message = f"{_dotted(path)} is {_cut(text)}, which YAML 1.1 and 1.2 read differently."
            self._problem(
                _line(event), message, "write a decimal number, or put quotes around text."
            )
        return text

    def _whole_number(self, event: Any, path: _Place) -> int:
        # `010` is ten; YAML 1.1 would read it as octal.
        text: str = event.value
        digits = text.lstrip("+-").lstrip("0") or "0"
        most = self._limits.n_digits
        if len(digits) > most:
            message = (
                f"{_dotted(path)} is {_cut(text)}; expected a whole number of at most {most}"
                " digits."
            )
            self._problem(
                _line(event), message, "write a smaller number, or put quotes around text."
            )
            return 0
        return -int(digits) if text.startswith("-") else int(digits)

    def _note(self, place: _Place, line: int) -> None:
        if place is not None:
            self.lines[place] = line

    def _problem(self, line: int, message: str, hint: str) -> None:
        if len(self.problems) == _MAX_PROBLEMS:
            message = f"it has more than {_MAX_PROBLEMS:,} mistakes."
            raise RefusedError(line, message, "check that it is the right file.")
        self.problems.append(Problem(where=f"{self._name}:{line}", message=message, hint=hint))


def _dotted(path: _Place) -> str:
    return ".".join(map(str, path or ())) or "the value"


def _about_tag(tag: str, path: _Place) -> tuple[str, str]:
    """Message and hint for an explicit tag: what it would mean differs from reader to reader."""
    shown = f"!!{tag.removeprefix(_CORE_TAGS)}" if tag.startswith(_CORE_TAGS) else tag
    message = f"{_dotted(path)} has the tag {_cut(shown)}; tags are not read."
    return message, "write the value without the tag; quotes make any value text."


def _line(event: Any) -> int:
    return int(event.start_mark.line) + 1


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
