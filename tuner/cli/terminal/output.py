"""Where the command line writes: results to stdout, messages to stderr, all else to a log.

Code that is not ours writes to the terminal as well: TensorFlow to file descriptor 2 from C++, a
builder of your own to stdout, perhaps while its module is imported. What a program reads as JSON,
or the live view draws on, must stay free of that. So results and messages have descriptors of their
own, copies of the first ones, and `chatter` sends the descriptors 1 and 2 elsewhere.
"""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Mapping
from typing import Any, TextIO

from tuner.store.files.whole_files import json_line


def _own_copy(number: int, errors: str) -> TextIO | None:
    """A copy of a file descriptor that stays where it is when the descriptor is sent elsewhere."""
    try:
        descriptor = os.dup(number)
    except OSError:
        return None
    # It is needed as long as the process lives, so nothing closes it.
    return os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", errors=errors, closefd=False)


ERRORS: TextIO = _own_copy(2, "replace") or sys.stderr
# None where stdout is closed.
RESULTS: TextIO | None = _own_copy(1, "surrogateescape")


def say(text: str) -> None:
    """Write a line for people, whatever became of file descriptor 2."""
    ERRORS.write(plain(text) + "\n")


def print_result(text: object) -> None:
    """Write a line of results, whatever became of file descriptor 1.

    Raises:
        BrokenPipeError: If whoever read them has gone.
    """
    if RESULTS is None:
        return
    try:
        RESULTS.write(f"{text}\n")
        RESULTS.flush()
    except BrokenPipeError:
        # Python would complain of the rest when it ends.
        with open(os.devnull, "w", encoding="utf-8") as nowhere:
            os.dup2(nowhere.fileno(), RESULTS.fileno())
        raise


def is_all_on_terminal() -> bool:
    """Whether people see messages and results side by side; scripts read results elsewhere."""
    return RESULTS is not None and RESULTS.isatty() and ERRORS.isatty()


def print_json(record: Mapping[str, Any]) -> None:
    """Write a JSON line of results."""
    print_result(json_line(record))


def plain(text: str) -> str:
    """The text without control characters: the name of a class or file may contain them.

    Such a name could steer a terminal.
    """
    return "".join(
        c
        if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else "\N{REPLACEMENT CHARACTER}"
        for c in text
    )
