"""Reading files that anything may have happened to since they were written."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tuner.errors import ConfigurationError

_CHUNK = 2**20


class DamagedFileError(ConfigurationError):
    """A file of a run that is not what a run has written."""


def read_whole(path: Path, most_bytes: int) -> bytes:
    """What a file holds.

    Args:
        path: The file.
        most_bytes: More than it can hold if it is what it should be.

    Raises:
        OSError: If it is not there, or cannot be read.
        ValueError: If it is no file, such as a folder or a pipe, or is larger.
    """
    # Opening a pipe would wait for somebody who writes to it.
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError(f"it is a {kind_of(path)}, not a file")
    with open(path, "rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(
            f"it is larger than the {most_bytes / 1e6:,.0f} MB that a run writes at most"
        )
    return content


def read_json(path: Path, most_bytes: int) -> Any:
    """What a JSON file holds; a byte order mark before it does no harm.

    Raises:
        OSError: If it is not there, or cannot be read.
        ValueError: If it is no JSON, names a key twice, has a text that is no UTF-8, or is larger
            than that.
    """
    content = read_whole(path, most_bytes)
    found = parse_json(content)
    if b"\\ud" in content.lower():
        # JSON can write half of a character, which no file could take.
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    return found


def parse_json(content: bytes) -> Any:
    """What JSON in UTF-8 says.

    Raises:
        ValueError: If it is no JSON, is nested too deeply, or names a key twice: nobody could say
            which one counts.
    """
    try:
        return json.loads(content.decode("utf-8-sig"), object_pairs_hook=_each_once)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def lines_of(path: Path, longest: int) -> Iterator[bytes | None]:
    """The lines of a file without their ends, one by one; None for one over `longest` bytes.

    Raises:
        OSError: If it cannot be read.
    """
    with open(path, "rb") as file:
        while line := file.readline(longest + 1):
            if len(line) <= longest:
                yield line.rstrip(b"\r\n")
                continue
            while line and not line.endswith(b"\n"):
                line = file.readline(_CHUNK)
            yield None


def kind_of(path: Path) -> str:
    """What is at a path, in a word or two: `file` for an ordinary file, empty for nothing."""
    try:
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            if not path.exists():
                return "link that leads nowhere"
            mode = path.stat().st_mode
    except OSError:
        return ""
    names = (
        (stat.S_ISREG, "file"),
        (stat.S_ISDIR, "folder"),
        (stat.S_ISFIFO, "pipe"),
        (stat.S_ISSOCK, "socket"),
    )
    return next((name for is_kind, name in names if is_kind(mode)), "device")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'it names "{twice}" twice')
    return found
