"""Decoded images on disk, memory-mapped.

The second load of a data set takes a moment and next to no memory.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, fields
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tuner.data.cache.cache_folder import LIMIT_VARIABLE, cache_folder, cache_limit, entries
from tuner.data.cache.cache_sums import check, sums_of
from tuner.data.cards.card import Card
from tuner.data.decoding.file_facts import FileFacts
from tuner.data.decoding.file_kind import can_read_heic
from tuner.data.decoding.streaming import StreamedImages
from tuner.data.images import Images
from tuner.data.left_out import LeftOut
from tuner.errors import DataError
from tuner.store.files.reading import parse_json, read_whole
from tuner.store.files.whole_files import write_atomically

# Raise it whenever a loader or a generator gives other pixels for the same source, or an entry has
# another form.
_FORMAT = 7

# What the cache cannot take is held in memory up to this size.
_MAX_IN_MEMORY = 1_000_000_000

# Of ten million images.
_MOST_META_BYTES = 4_000_000_000

_PIXELS = "images.npy"
_META = "meta.json"
_SUMS = "sums.npy"
_FACTS = tuple(field.name for field in fields(FileFacts))
_COLUMNS = ("labels", "parts", "groups", "copy_of", "near_group")


def cache_key(card: Card, sources: Sequence[str | Path]) -> str:
    """Two hashes: of where the data are, and of what decides the pixels.

    The first has 8 digits; the second 16, for the card's decoding fields and each file's size and
    time.
    """
    decoding = card.model_dump(include={"files", "image", "class_names"})
    # However the folders are arranged, it is one place, whose older entries go when it is read in
    # another way.
    place = json.dumps(
        {
            field: value
            for field, value in decoding["files"].items()
            if field not in ("top", "layout")
        }
    )
    rules = [_FORMAT, decoding, card.splits.roles(), card.splits.group, can_read_heic()]
    digest = hashlib.sha256(json.dumps(rules).encode())
    here = Path.cwd()
    for source in sources:
        path = os.path.join(here, source)  # noqa: PTH118 - three times as fast, for as many files as there may be
        try:
            status = os.stat(path)  # noqa: PTH116
            state = f"{status.st_size}\0{status.st_mtime_ns}"
        except OSError:
            state = "gone"  # Such as a dangling link; what that means is for the loader to say.
        digest.update(os.fsencode(path) + f"\0{state}\0".encode())
    return hashlib.sha256(place.encode()).hexdigest()[:8] + digest.hexdigest()[:16]


def load_cached(card: Card, key: str, data_root: Path) -> Images | None:
    """The cached images, memory-mapped or streamed; None where there are no whole ones."""
    for path in _entries_of(card, key, data_root):
        # Readers raise whatever a damaged file makes them stumble over.
        with suppress(Exception):
            return _read(path, card)
    return None


def has_damaged(card: Card, key: str, data_root: Path) -> bool:
    """Whether an entry is there that was whole once; asked where `load_cached` has found none."""
    return any((path / _META).exists() for path in _entries_of(card, key, data_root))


def _entries_of(card: Card, key: str, data_root: Path) -> Iterator[Path]:
    return cache_folder(data_root).glob(f"{card.name}-{key}-????????")


def _read(entry: Path, card: Card) -> Images:
    meta = _read_meta(entry / _META)
    check(entry, meta["sums"])
    n = len(meta["origins"])
    paths = meta["paths"]
    value_range = meta["value_range"] and tuple(meta["value_range"])
    settings = card.image.model_copy(update={"value_range": meta["value_range"]})
    images = StreamedImages(paths, settings) if paths else np.load(entry / _PIXELS, mmap_mode="r")
    columns = {name: np.load(entry / f"{name}.npy") for name in _COLUMNS}
    sums = np.load(entry / _SUMS) if paths else None
    files = tuple(FileFacts(**dict(zip(_FACTS, facts, strict=True))) for facts in meta["files"])
    lengths = {len(column) for column in (images, *columns.values())}
    if images.dtype != np.uint8 or images.shape[1:] != card.image.shape or lengths != {n}:
        raise ValueError("damaged")
    if sums is not None and sums.shape != (n, 2, card.image.channels):
        raise ValueError("damaged")
    return Images(
        name=card.name,
        images=images,
        origins=tuple(meta["origins"]),
        class_names=tuple(meta["class_names"]),
        unreadable=tuple(meta["unreadable"]),
        fingerprint=meta["fingerprint"],
        files=files,
        sums=sums,
        left_out=tuple(LeftOut(**one | {"names": tuple(one["names"])}) for one in meta["left_out"]),
        value_range=value_range,
        **columns,
    )


def _read_meta(path: Path) -> dict[str, Any]:
    whole = parse_json(read_whole(path, _MOST_META_BYTES))
    meta: dict[str, Any] = whole["meta"]
    if whole["crc32"] != zlib.crc32(json.dumps(meta).encode()):
        raise ValueError(f"{path.name} has changed")
    return meta


class NewEntry:
    """Room for the images that a loader decodes.

    It is a file of the cache, or memory where the cache cannot take them.
    """

    def __init__(self, card: Card, data_root: Path, folder: Path | None) -> None:
        """Take the folder to fill; None where there can be none."""
        self._card, self._data_root, self._folder = card, data_root, folder
        self._is_mapped = False

    def has_room(self, n: int) -> bool:
        """Whether n images may be decoded at once, into the cache or, without one, into memory."""
        n_bytes = math.prod((n, *self._card.image.shape))
        return n_bytes <= (_MAX_IN_MEMORY if self._folder is None else cache_limit(self._data_root))

    def allocate(self, n: int) -> NDArray[np.uint8]:
        """Room for n images, uint8 (n, height, width, channels), as yet without meaning.

        Raises:
            DataError: If neither the cache nor memory can take them.
        """
        shape = (n, *self._card.image.shape)
        n_bytes, limit = math.prod(shape), cache_limit(self._data_root)
        if self._folder is not None and n_bytes <= limit:
            with suppress(OSError):
                pixels = _map(self._folder / _PIXELS, shape)
                self._is_mapped = True
                return pixels
        if n_bytes <= _MAX_IN_MEMORY:
            return np.empty(shape, dtype=np.uint8)
        raise DataError(
            f"{self._card.name}: its images take up to {n_bytes / 1e9:,.1f} GB, but the cache may"
            f" take {limit / 1e9:,.1f} GB",
            f"free space on the disk of {cache_folder(self._data_root)}, or set {LIMIT_VARIABLE},"
            " such as 100GB.",
        )

    def keep(self, images: Images) -> None:
        """Make a whole entry of it.

        Do nothing where that is not possible, or another attempt may read more.
        """
        if self._folder is None or not images.is_final:
            return
        if not (self._is_mapped or isinstance(images.images, StreamedImages)):
            return
        with suppress(OSError):
            if not isinstance(images.images, StreamedImages):
                _cut(self._folder / _PIXELS, images.images.shape)
            _write(images, self._folder)


@contextmanager
def new_entry(card: Card, key: str, data_root: Path) -> Iterator[NewEntry]:
    """A new folder in the cache; it goes again, unless an entry is kept in it."""
    folder = None
    with suppress(OSError):
        cache_folder(data_root).mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=f"{card.name}-{key}-", dir=cache_folder(data_root)))
    try:
        yield NewEntry(card, data_root, folder)
    finally:
        if folder is not None and not (folder / _META).exists():
            shutil.rmtree(folder, ignore_errors=True)


def delete_outdated(card: Card, key: str, data_root: Path) -> None:
    """Delete what is there of the same source.

    It is outdated, damaged, or left behind by a process that was killed.
    """
    for entry in entries(data_root, card.name):
        if entry.source == key[:8]:
            if entry.path.is_dir():
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                with suppress(OSError):
                    entry.path.unlink()


def _map(path: Path, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    pixels = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    if hasattr(os, "posix_fallocate"):
        # On a disk that fills up later, writing to a mapped file would kill the process.
        try:
            with path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError:
            path.unlink()
            raise
    return pixels


def _cut(path: Path, shape: tuple[int, ...]) -> None:
    """Shorten an array's file to fewer rows.

    NumPy leaves room in the header for a number of any length.
    """
    with path.open("r+b") as file:
        np.lib.format.read_magic(file)
        np.lib.format.read_array_header_1_0(file)
        start = file.tell()
        file.seek(0)
        np.lib.format.write_array_header_1_0(
            file, {"descr": "|u1", "fortran_order": False, "shape": shape}
        )
        assert file.tell() == start
        file.truncate(start + math.prod(shape))


def _write(images: Images, folder: Path) -> None:
    for name in _COLUMNS:
        np.save(folder / f"{name}.npy", getattr(images, name))
    if images.sums is not None:
        np.save(folder / _SUMS, images.sums)
    names = sorted(path.name for path in folder.glob("*.npy"))
    for name in names:
        # A power cut must not leave an entry that looks whole, and holds zeros.
        with open(folder / name, "r+b") as file:
            os.fsync(file.fileno())
    meta: dict[str, Any] = {
        "origins": images.origins,
        "class_names": images.class_names,
        "unreadable": images.unreadable,
        "fingerprint": images.fingerprint,
        "files": list(map(attrgetter(*_FACTS), images.files)),
        "left_out": list(map(asdict, images.left_out)),
        "value_range": images.value_range,
        "paths": images.images.paths if isinstance(images.images, StreamedImages) else (),
        "sums": sums_of(folder, names),
    }
    # The last file to be written: an entry without it is not whole.
    with write_atomically(folder / _META) as meta_file:
        meta_file.write(
            json.dumps({"crc32": zlib.crc32(json.dumps(meta).encode()), "meta": meta}).encode(
                "ascii"
            )
        )
