"""Decoded images on disk, memory-mapped: the second load of a data set takes a moment and next to no memory."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tuner.data.card import Card
from tuner.data.images import Images

# Raise it whenever a loader or a generator gives other pixels for the same source.
_FORMAT = 1
_CACHE = ".cache"


def cache_key(card: Card, sources: Sequence[Path]) -> str:
    """Hash of all that decides the decoded images: the card's decoding fields, and each file's path, size and time."""
    decoding = card.model_dump(include={"files", "image", "class_names"})
    digest = hashlib.sha256(json.dumps([_FORMAT, decoding, card.splits.roles()]).encode())
    for path in sources:
        try:
            status = path.stat()
            state = f"{status.st_size}\0{status.st_mtime_ns}"
        except OSError:
            state = "gone"  # Such as a dangling link; what that means is for the loader to say.
        digest.update(os.fsencode(path.absolute()) + f"\0{state}\0".encode())
    return digest.hexdigest()[:16]


def load_cached(name: str, key: str, data_root: Path) -> Images | None:
    """The cached images, memory-mapped; None where there are none, or they are damaged."""
    entry = _entry(name, key, data_root)
    try:
        meta = json.loads((entry / "meta.json").read_text(encoding="ascii"))
        pixels = np.load(entry / "images.npy", mmap_mode="r")
        labels = np.load(entry / "labels.npy")
        parts = np.load(entry / "parts.npy")
        n = len(meta["origins"])
        if pixels.dtype != np.uint8 or not len(pixels) == len(labels) == len(parts) == n:
            return None
        return Images(
            name=name,
            images=pixels,
            labels=labels,
            parts=parts,
            origins=tuple(meta["origins"]),
            class_names=tuple(meta["class_names"]),
            unreadable=tuple(meta["unreadable"]),
            fingerprint=meta["fingerprint"],
        )
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None


def store(images: Images, key: str, data_root: Path) -> None:
    """Write an entry in one step, and delete older ones of the same data set; do nothing where that is not allowed."""
    entry = _entry(images.name, key, data_root)
    with contextlib.suppress(OSError):
        entry.parent.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(prefix=".new-", dir=entry.parent))
        try:
            _write(images, building)
            shutil.rmtree(entry, ignore_errors=True)  # a damaged one
            building.replace(entry)
        finally:
            shutil.rmtree(building, ignore_errors=True)
        for other in entry.parent.glob(f"{images.name}-*"):
            if other.name != entry.name and len(other.name) == len(entry.name):
                shutil.rmtree(other, ignore_errors=True)


def _entry(name: str, key: str, data_root: Path) -> Path:
    return data_root / _CACHE / f"{name}-{key}"


def _write(images: Images, folder: Path) -> None:
    np.save(folder / "images.npy", images.images)
    np.save(folder / "labels.npy", images.labels)
    np.save(folder / "parts.npy", images.parts)
    meta = {
        "origins": images.origins,
        "class_names": images.class_names,
        "unreadable": images.unreadable,
        "fingerprint": images.fingerprint,
    }
    (folder / "meta.json").write_text(json.dumps(meta), encoding="ascii")
