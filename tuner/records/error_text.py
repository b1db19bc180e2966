"""Texts of errors as they are recorded: whatever an error says, every program can read it again."""

from __future__ import annotations

import os
import re
import sysconfig
import traceback
import unicodedata
from pathlib import Path

from tuner.errors import TunerError

LONGEST_LINE = 300
_LONGEST_TRACEBACK = 20_000
# Line breaks beside "\n", invisible characters that steer a terminal, and halves of a character
# that are no UTF-8.
_UNSAFE = frozenset(("Cc", "Cf", "Cs", "Zl", "Zp"))
_FRAME = re.compile(
    r'^  File "(?P<file>[^"]+)", line (?P<line>\d+), in (?P<name>.+)$', re.MULTILINE
)


def short_line(text: str) -> str:
    """A text as records keep it: one line, `LONGEST_LINE` characters at most, harmless UTF-8.

    Use it for what an exception or a library says, of any length and content: white space is
    folded, the end is cut, and characters that steer terminals are replaced. A message of tuner's
    own that names files, classes or keys takes `tuner.names.one_line`, which cuts nothing and shows
    such characters as escapes.
    """
    # A text may be as large as memory allows: most of it is never looked at.
    return _safe(" ".join(text[: 20 * LONGEST_LINE].split()), "")[:LONGEST_LINE]


def several_lines(text: str) -> str:
    """A text with its line breaks and tabs; of a long one the begin and the end."""
    half = _LONGEST_TRACEBACK // 2
    if len(text) > _LONGEST_TRACEBACK:
        text = f"{text[:half]}\n[{len(text) - 2 * half:,} characters left out]\n{text[-half:]}"
    return _safe(text, "\n\t")


def words_of(error: BaseException) -> str:
    """An error's own text, or the name of the class of what it raises instead of one."""
    try:
        # Not a subclass of str, which may do as it likes again.
        return str.__str__(str(error))
    except KeyboardInterrupt:
        raise
    except BaseException as failed:
        return f"<its text is unavailable: {type(failed).__name__}>"


def first_line(error: BaseException) -> str:
    """What an error says, without the details that libraries put into further lines."""
    return short_line(words_of(error).strip().partition("\n")[0]) or type(error).__name__


def reason_of(error: BaseException) -> str:
    """An error in one line, with the name of its class unless it is one of tuner's."""
    if isinstance(error, TunerError) and isinstance(error.message, str):
        return short_line(error.message)
    return short_line(f"{type(error).__name__}: {words_of(error)}")


def traceback_of(error: BaseException) -> str:
    """An error's traceback; where Python cannot print it, the reason."""
    try:
        return several_lines("".join(traceback.format_exception(error)))
    except KeyboardInterrupt:
        raise
    except BaseException:
        return reason_of(error)


def place_in(trace: str) -> str:
    """The last line of your own code in a traceback, like ` (net.py:12, in build)`, or nothing."""
    others = f"{Path(__file__).parents[1]}{os.sep}", sysconfig.get_paths()["stdlib"], "<"
    own = [
        frame
        for frame in _FRAME.finditer(trace)
        if "site-packages" not in frame["file"] and not frame["file"].startswith(others)
    ]
    if not own:
        return ""
    last = own[-1]
    return f" ({Path(last['file']).name}:{last['line']}, in {last['name']})"


def _safe(text: str, kept: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        letter
        if letter in kept or unicodedata.category(letter) not in _UNSAFE
        else "\N{REPLACEMENT CHARACTER}"
        for letter in text
    )
