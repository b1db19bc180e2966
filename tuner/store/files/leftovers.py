"""What killed commands left half written, and how to tell it from what a live one is writing."""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil

# `.index.html.4711@0a1b2c3d.tmp`, `.4711@0a1b2c3d-model.keras`, `.model.keras.4711@0a1b2c3d.npz`;
# without the machine as versions before wrote them.
_PROCESS = r"(?P<pid>\d{1,10})(@(?P<machine>[0-9a-f]{8}))?"
_NAMES = tuple(
    re.compile(pattern.format(_PROCESS))
    for pattern in (
        r"\..+\.{}\.tmp",
        r"\.{}-.+\.(keras|weights\.h5)",
        r"\..+\.keras\.{}\.npz",
        r"\.unpacking-({}-)?\w+",
    )
)
# Nothing of another machine can be known but how long it has not been touched: an epoch may take
# hours.
_OLD_S = 2 * 86_400.0


def writer() -> str:
    """What the name of a file that is being written says of who writes it: process and machine."""
    return f"{os.getpid()}@{_machine()}"


def sweep(paths: Iterable[Path], *, is_alone: bool = False) -> int:
    """Delete what killed commands have left half written.

    Args:
        paths: Files and folders to look at; only those that are named as half-written ones are
            touched.
        is_alone: Whether a lock keeps every other command away, so that what is half written has
            been left behind.

    Returns:
        How many there were.
    """
    n = 0
    for path in paths:
        found = _match(path)
        with suppress(OSError):
            if found and (is_alone or _is_left(path, found["pid"], found["machine"])):
                _delete(path)
                n += 1
    return n


def is_half_written(path: Path) -> bool:
    """Whether a path is named as a file that is being written."""
    return _match(path) is not None


def _match(path: Path) -> re.Match[str] | None:
    return next((match for name in _NAMES if (match := name.fullmatch(path.name))), None)


def _is_left(path: Path, pid: str | None, machine: str | None) -> bool:
    """Whether nobody writes it any more; in case of doubt, somebody does."""
    modified_s = path.lstat().st_mtime
    is_old = time.time() - modified_s > _OLD_S
    if pid is None or machine not in (None, _machine()):
        return is_old
    try:
        # A process that began after the last change has only got the number of the one that wrote.
        return psutil.Process(int(pid)).create_time() > modified_s + 1.0
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return is_old


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


@cache
def _machine() -> str:
    """Eight digits for this machine since its start, and for the container.

    Each of them numbers its processes separately.
    """
    known = [platform.node()]
    with suppress(OSError):
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        known.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(known).encode()).hexdigest()[:8]
