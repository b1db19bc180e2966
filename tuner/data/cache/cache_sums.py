"""Whether the files of a cache entry still hold what was written, by sums of their blocks.

Small files are read whole each time. Of a large one, a sample of blocks is read unless it has been
written to since it was last read whole, by its size, its time and its number on the disk
(docs/adr/0018-damaged-files.md).
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from tuner.cores import n_cores
from tuner.store.files.reading import read_json
from tuner.store.files.whole_files import write_text

# Other than `meta.json`, it may be missing or wrong: then large files are read whole once more.
STAMPS = "stamps.json"

_BLOCK_BYTES = 4 * 2**20
_SMALL_BYTES = 128 * 2**20
_N_SAMPLED = 16
_MOST_STAMPS_BYTES = 100_000

# Of each file its bytes, and CRC-32 of each of its blocks.
Sums = dict[str, tuple[int, list[int]]]


def sums_of(folder: Path, names: Iterable[str]) -> Sums:
    """The sums of files that have just been written, each of which must be safe on the disk."""
    found: Sums = {}
    for name in names:
        n_bytes = (folder / name).stat().st_size
        found[name] = n_bytes, _read_sums(folder / name, _starts(n_bytes))
    _write_stamps(folder, found)
    return found


def check(folder: Path, sums: Mapping[str, Sequence[Any]]) -> None:
    """Make sure that files are as they were.

    Args:
        folder: Where they are.
        sums: From `sums_of`, perhaps by way of JSON.

    Raises:
        ValueError: If one has changed.
        OSError: If one cannot be read.
    """
    stamps = _read_stamps(folder)
    is_new = False
    for name, (n_bytes, expected) in sums.items():
        path = folder / name
        if path.stat().st_size != n_bytes:
            raise ValueError(f"{name} has another size")
        starts = _starts(n_bytes)
        if n_bytes > _SMALL_BYTES:
            if stamps.get(name) == _stamp(path):
                starts = random.sample(starts, _N_SAMPLED)
            else:
                is_new = True
        if _read_sums(path, starts) != [expected[start // _BLOCK_BYTES] for start in starts]:
            raise ValueError(f"{name} has changed")
    if is_new:
        _write_stamps(folder, sums)


def _starts(n_bytes: int) -> list[int]:
    return list(range(0, n_bytes, _BLOCK_BYTES))


def _read_sums(path: Path, starts: Sequence[int]) -> list[int]:
    def sum_at(start: int) -> int:
        with open(path, "rb", buffering=0) as file:
            file.seek(start)
            return zlib.crc32(file.read(_BLOCK_BYTES))

    if len(starts) <= 1:
        return [sum_at(start) for start in starts]
    with ThreadPoolExecutor(min(4, n_cores())) as pool:
        return list(pool.map(sum_at, starts))


def _stamp(path: Path) -> list[int]:
    status = path.stat()
    # Not the time of the last change of its entry: workers give the file a second name, and take it
    # away again.
    return [status.st_size, status.st_mtime_ns, status.st_ino]


def _read_stamps(folder: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        found = read_json(folder / STAMPS, _MOST_STAMPS_BYTES)
        return found if isinstance(found, dict) else {}
    return {}


def _write_stamps(folder: Path, names: Iterable[str]) -> None:
    with suppress(OSError):
        write_text(folder / STAMPS, json.dumps({name: _stamp(folder / name) for name in names}))
