"""The image files that a command line names, one by one or by their folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

# Of a folder's files, those that promise to be images: what else cannot be read is no broken one.
_SUFFIXES = frozenset(
    {
        ".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".gif", ".webp", ".bmp", ".dib",
        ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".avif", ".avifs", ".heic", ".heif", ".hif",
        ".jp2", ".jxl",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedImage:
    """One file.

    Attributes:
        path: As it was given, or below the folder that was.
        is_meant: Whether it was named itself, or has an image's suffix.
    """

    path: Path
    is_meant: bool


def named_images(paths: Iterable[Path]) -> Iterator[NamedImage]:
    """The files in the order given; those of a folder, and of the folders in it, sorted and without hidden ones."""
    for path in paths:
        if not path.is_dir():
            yield NamedImage(path=path, is_meant=True)
            continue
        files = list(_walked(path))
        # An empty folder stands for itself, so that it is not passed over.
        for file in files or [path]:
            yield NamedImage(path=file, is_meant=file.suffix.lower() in _SUFFIXES or not files)


def _walked(folder: Path) -> Iterator[Path]:
    """Files below a folder that are not hidden, in an order that no file system decides."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))
