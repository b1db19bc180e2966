"""Files that are whole or not there at all."""

from __future__ import annotations

import errno
import json
import math
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from tuner.errors import ConfigurationError
from tuner.store.files.leftovers import writer


@contextmanager
def write_atomically(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes its place only when all of it is on disk.

    Raises:
        OSError: If it cannot be written; what stood there before is still there.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{writer()}.tmp")
    try:
        with open(temporary, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically, with Unix line ends on every system."""
    with write_atomically(path) as file:
        file.write(text.encode("utf-8"))


def put_beside(source: Path, target: Path) -> None:
    """Give a file a second name in one step: a hard link, or a copy where the disk has none.

    Args:
        source: The file.
        target: The second name, in a folder that is there; what stood there goes.

    Raises:
        OSError: If neither works; what stood there before is still there.
    """
    temporary = target.with_name(f".{target.name}.{writer()}.tmp")
    try:
        os.link(source, temporary)
        # Does nothing where both are one file already, and leaves the link behind.
        os.replace(temporary, target)
    except (OSError, NotImplementedError):
        with open(source, "rb") as content, write_atomically(target) as file:
            shutil.copyfileobj(content, file)
    finally:
        temporary.unlink(missing_ok=True)


def json_line(record: Mapping[str, Any]) -> str:
    """A record as one line of JSON, with null for NaN and infinity.

    It is ASCII only, so that no name steers a terminal.
    """
    return json.dumps(_finite(record), allow_nan=False)


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


@contextmanager
def named_refusals(path: Path, hint: str) -> Iterator[None]:
    """Name the file or folder that the system does not let you write.

    Args:
        path: What is written.
        hint: What to do instead.

    Raises:
        ConfigurationError: If it cannot be written.
        OSError: If the disk is full, which the command line tells of itself.
    """
    try:
        yield
    except OSError as error:
        if is_disk_full(error):
            raise
        raise ConfigurationError(
            f"{path}: cannot be written: {error.strerror or error}", hint
        ) from error


def is_disk_full(error: BaseException) -> bool:
    """Whether an error means that a disk, or your share of it, is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
