"""The folder of the caches: its entries, its limit, its lock, and how it is emptied."""

from __future__ import annotations

import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import filelock

from tuner.errors import ConfigurationError

LIMIT_VARIABLE = "TUNER_CACHE_LIMIT"

_LARGEST_CACHE = 50_000_000_000
_BYTES: Mapping[str, float] = MappingProxyType({"": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12})

# The name of a data set, the two halves of its key, and what makes the folder's name new. Older
# versions wrote less.
_ENTRY = re.compile(r"([^.].*)-([0-9a-f]{8})[0-9a-f]{8,16}(-[a-z0-9_]{8})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """One folder of the cache.

    Attributes:
        name: Name of the data set.
        source: The part of the key that stands for where the data lie, whatever state they are in.
        path: The folder.
    """

    name: str
    source: str
    path: Path


def cache_folder(data_root: Path) -> Path:
    """Where the caches of a data root lie."""
    return data_root / ".cache"


def features_folder(name: str, fingerprint: str, data_root: Path) -> Path | None:
    """Where networks' features of a data set's images are kept; None where nothing can be kept.

    Args:
        name: Name of the data set.
        fingerprint: Of its images, in hexadecimal.
        data_root: Folder of the data.
    """
    folder = cache_folder(data_root) / f"{name}-{fingerprint[:16]}-features"
    existing = next(parent for parent in [folder, *folder.absolute().parents] if parent.is_dir())
    return folder if os.access(existing, os.W_OK) else None


def entries(data_root: Path, name: str | None = None) -> list[CacheEntry]:
    """What is there, whole or not, of all data sets or of one; sorted."""
    try:
        found = sorted(cache_folder(data_root).iterdir())
    except OSError:
        return []
    matches = ((path, _ENTRY.fullmatch(path.name)) for path in found)
    listed = [
        CacheEntry(name=match[1], source=match[2], path=path) for path, match in matches if match
    ]
    return [entry for entry in listed if name in (None, entry.name)]


def cache_sizes(data_root: Path) -> dict[str, int]:
    """Bytes on disk of each data set that has a cache."""
    sizes: Counter[str] = Counter()
    for entry in entries(data_root):
        sizes[entry.name] += _size(entry.path)
    return dict(sizes)


def cache_limit(data_root: Path) -> int:
    """Bytes that one data set may take.

    At most 50 GB and half of the free disk; or what TUNER_CACHE_LIMIT says.

    Raises:
        ConfigurationError: If that is no size.
    """
    given = os.environ.get(LIMIT_VARIABLE, "").strip()
    if given:
        match = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]?B)?", given, re.IGNORECASE)
        if match is None:
            raise ConfigurationError(
                f'{LIMIT_VARIABLE} is "{given}"; expected a size',
                "give a number and a unit, such as 20GB.",
            )
        return int(float(match[1]) * _BYTES[(match[2] or "").upper().removeprefix("B")])
    existing = next(
        folder for folder in [data_root, *data_root.absolute().parents] if folder.is_dir()
    )
    return min(_LARGEST_CACHE, shutil.disk_usage(existing).free // 2)


@contextmanager
def locked(name: str, data_root: Path, *, timeout_s: float = -1.0) -> Iterator[bool]:
    """Hold the lock of a data set's cache, to fill or to empty it.

    One process at a time holds it; a killed one lets go of it.

    Args:
        name: Name of the data set.
        data_root: Folder of the data.
        timeout_s: How long to wait for another holder; negative waits for ever.

    Yields:
        Whether it is held: a folder that cannot be written, and some network drives, have no locks.

    Raises:
        filelock.Timeout: If another process holds it for so long.
    """
    folder = cache_folder(data_root)
    lock = filelock.FileLock(folder / f".{name}.lock")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=timeout_s)
    except filelock.Timeout:
        raise
    except (OSError, NotImplementedError):
        yield False
        return
    try:
        yield True
    except BaseException:
        lock.release()
        _undo(Path(lock.lock_file), made)
        raise
    finally:
        lock.release()


def _undo(lock: Path, made: list[Path]) -> None:
    """Leave no new folder behind data that cannot be read: it may lie among their class folders."""
    if made:
        with suppress(OSError):
            lock.unlink(missing_ok=True)
            for folder in made:
                folder.rmdir()


def delete(entry: CacheEntry) -> int:
    """Delete a folder of the cache; who has mapped its files may go on with them.

    Returns:
        Bytes that this freed.
    """
    before = _size(entry.path)
    shutil.rmtree(entry.path, ignore_errors=True)
    return before - _size(entry.path)


def _size(folder: Path) -> int:
    total = 0
    for path in folder.glob("*"):
        try:
            status = path.stat()
            # Files of features have holes, which take no room.
            total += status.st_blocks * 512 if hasattr(status, "st_blocks") else status.st_size
        except OSError:
            continue  # Another process has just deleted it.
    return total
