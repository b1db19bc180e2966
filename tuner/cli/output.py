"""Where the command line writes: results to stdout, words for people to stderr, a framework's chatter to a log."""

from __future__ import annotations

import os
import sys
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

import click

from tuner.store.files import json_line


def _own_stderr() -> TextIO:
    """A copy of stderr that stays with the person when file descriptor 2 is sent elsewhere."""
    try:
        descriptor = os.dup(2)
    except OSError:
        return sys.stderr
    # It is needed as long as the process lives, so nothing closes it.
    return os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)


ERRORS = _own_stderr()


def send_chatter_to(path: Path | None) -> None:
    """Send file descriptor 2 to a file, or nowhere: TensorFlow's C++ parts write there whatever Python says."""
    target = os.open(path or os.devnull, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    os.dup2(target, 2)
    os.close(target)


def say(text: str) -> None:
    """Write a line for people, whatever became of file descriptor 2."""
    ERRORS.write(plain(text) + "\n")


def print_json(record: Mapping[str, Any]) -> None:
    """Write a JSON line to stdout."""
    click.echo(json_line(record))


def plain(text: str) -> str:
    """The text without control characters: a class or file may be named so as to steer a terminal."""
    return "".join(
        c
        if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")
        else "\N{REPLACEMENT CHARACTER}"
        for c in text
    )
