"""The image files that a command line names, one by one or by their folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tuner.data.folders.tree import IMAGE_SUFFIXES, Folder, scan


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
    """The files in the order given; those below a folder sorted, and without hidden ones."""
    for path in paths:
        if not path.is_dir():
            yield NamedImage(path=path, is_meant=True)
            continue
        files = [
            path / f"{folder.below}{name}"
            for folder in scan(path).walk()
            for name in _names(folder)
        ]
        # An empty folder stands for itself, so that it is not passed over.
        for file in files or [path]:
            # Of a folder's files, what has no image's suffix and cannot be read is no broken image.
            is_meant = file.suffix[1:].lower() in IMAGE_SUFFIXES
            yield NamedImage(path=file, is_meant=is_meant or not files)


def _names(folder: Folder) -> list[str]:
    return sorted([*folder.images, *folder.others])
