"""Names that others chose, made fit for messages, for folders and for spreadsheets.

Each of these keeps different names different, or says that it does not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

# Letters that join others, which Persian and families of emoji need: as harmless as a space.
_JOINERS = frozenset("\u200c\u200d")
_ESCAPE = re.compile(r"\\[xuU]")

# What a file system takes is counted in bytes; times, hashes and suffixes are added to a name.
_MOST_NAME_BYTES = 120
_RESERVED = frozenset(
    [
        "con",
        "prn",
        "aux",
        "nul",
        *(f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"),
    ]
)

# Spreadsheets take what begins so for a formula, whatever stands behind it.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?", re.ASCII)


def is_own(model: str) -> bool:
    """Whether a model is your own builder, `package.module:name`, or an ensemble with one."""
    return ":" in model


def printable(name: str) -> str:
    r"""A name as messages and tables show it: on one line, and never equal to that of another name.

    Line breaks, control characters, letters that turn the direction of text, and undecodable bytes
    become escapes such as `\x0a`. A name with one, or with what reads like one, has its backslashes
    doubled.
    """
    # Nearly all are plain, and there may be a million of them.
    if name.isprintable() and "\\" not in name:
        return name
    is_plain = all(map(_is_shown, name)) and not _ESCAPE.search(name)
    return name if is_plain else one_line(name.replace("\\", "\\\\"))


def one_line(text: str) -> str:
    """A message that prints as one line and steers no terminal.

    Unlike `printable`, it may make two different texts equal.

    Use it for messages of tuner's own that name other people's files, classes or keys: escapes show
    which characters are there, and nothing is cut. The text of an exception goes through
    `tuner.records.error_text.short_line`.
    """
    return "".join(letter if _is_shown(letter) else _escaped(letter) for letter in text)


def _is_shown(letter: str) -> bool:
    # To Python every space but the plain one is unprintable.
    return letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) == "Zs"


def _escaped(letter: str) -> str:
    code = ord(letter)
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else f"\\u{code:04x}"
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def plain_name(text: str, otherwise: str) -> str:
    """A name for folders on every system: lower-case letters and digits of any script, `_` and `-`.

    Args:
        text: Any name; different ones may give the same.
        otherwise: What stands for a name without letters and digits.
    """
    letters = unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).lower())
    kept = "".join(letter if _is_kept(letter) else " " for letter in letters)
    name = _cut(re.sub(" +", "_", kept)).strip("_-")
    # A mark alone has no letter to stand on.
    name = name if any(letter.isalnum() for letter in name) else otherwise
    return f"{name}_" if name in _RESERVED else name


def _is_kept(letter: str) -> bool:
    # Marks are vowels in many scripts, and joiners part of their words.
    return letter in "_-" or letter in _JOINERS or unicodedata.category(letter)[0] in "LMN"


def _cut(name: str) -> str:
    return name.encode("utf-8", "ignore")[:_MOST_NAME_BYTES].decode("utf-8", "ignore")


def spreadsheet_cell(value: Any) -> Any:
    """A cell that no spreadsheet runs as a formula.

    Text that begins like a formula gets a `'` in front; numbers stay.
    """
    is_formula = isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value)
    return f"'{value}" if is_formula else value


def text_of_cell(cell: str) -> str:
    """The text that `spreadsheet_cell` was given."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def listed(choices: Iterable[Any]) -> str:
    """Choices as a message lists them: `a, b or c`."""
    *others, last = map(str, choices)
    return f"{', '.join(others)} or {last}" if others else last


def first_of(names: Sequence[str], n: int) -> str:
    """The first names of many as a message gives them: `a, b and 3 more`."""
    more = f" and {len(names) - n:,} more" if len(names) > n else ""
    return f"{', '.join(names[:n])}{more}"
