"""A folder per class, with or without a folder per part above them."""

from __future__ import annotations

import os
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.data.card import Card, ClassFolders
from tuner.data.decode import UnreadableImageError, decode
from tuner.data.images import Images, make_images, printable
from tuner.errors import DataError

# More would hold more whole photos in memory; Pillow lets go of Python's lock, so threads do work in parallel.
_FILES_IN_FLIGHT = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    path: Path
    part: str
    class_folder: str
    origin: str


def sources(card: Card, data_root: Path) -> list[Path]:
    """The files that the images are read from; the top folder where there is none."""
    root = _root(card, data_root)
    if not root.is_dir():
        return [root]
    return [file.path for file in _list_files(card, root)]


def read(card: Card, data_root: Path) -> Images:
    """Decode all images, in the order part, class, file name; single unreadable files are left out and named.

    Raises:
        DataError: If a class has no file, or none that can be read; or a folder is no class of the card.
    """
    root = _root(card, data_root)
    files = _list_files(card, root)
    names, numbers = _classes(card, files, root)
    pixels, unreadable, kept = _decode_all(files, card)
    _check_readable(files, kept, card.name)
    return make_images(
        name=card.name,
        images=pixels,
        labels=[numbers[file.class_folder] for file in kept],
        parts=[file.part for file in kept],
        origins=[file.origin for file in kept],
        class_names=names,
        unreadable=unreadable,
    )


def class_folders(folder: Path) -> list[Path]:
    """The sub-folders that are not hidden, sorted by name."""
    return sorted((path for path in folder.iterdir() if path.is_dir() and _visible(path)), key=lambda path: path.name)


def _root(card: Card, data_root: Path) -> Path:
    assert isinstance(card.files, ClassFolders)
    return data_root / card.files.path


def _visible(path: Path) -> bool:
    return not path.name.startswith((".", "__"))


def _list_files(card: Card, root: Path) -> list[_File]:
    roles = card.splits.roles()
    tops = [(root / part, role, f"{part}/") for part, role in roles.items()] or [(root, "", "")]
    files: list[_File] = []
    for top, role, prefix in tops:
        if not top.is_dir():
            raise DataError(
                f"{card.name}: there is no folder {prefix.rstrip('/')} in {root}",
                "check the download, or correct the names under splits in the card.",
            )
        for folder in class_folders(top):
            found = [
                _File(
                    path=path,
                    part=role,
                    class_folder=folder.name,
                    origin=printable(prefix + path.relative_to(top).as_posix()),
                )
                for path in _walk(folder)
            ]
            if not found:
                raise DataError(
                    f'{card.name}: the folder of class "{printable(prefix + folder.name)}" is empty',
                    "put its images there, or delete the folder.",
                )
            files.extend(found)
    if not files:
        raise DataError(
            f"{card.name}: there are no class folders in {root}", "put each class's images into a folder of its own."
        )
    return files


def _walk(folder: Path) -> Iterator[Path]:
    """Visible files below a folder, in an order that no file system decides."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def _classes(card: Card, files: list[_File], root: Path) -> tuple[tuple[str, ...], dict[str, int]]:
    found = sorted({file.class_folder for file in files})
    classes = card.class_numbers()
    if classes is None:
        classes = tuple(printable(name) for name in found), {name: number for number, name in enumerate(found)}
    names, numbers = classes
    for name in found:
        if name not in numbers:
            raise DataError(
                f'{card.name}: the folder "{printable(name)}" is no class of the card; expected {", ".join(names)}',
                "rename or move the folder, or add the class to class_names in the card.",
            )
    present = {numbers[name] for name in found}
    missing = [name for number, name in enumerate(names) if number not in present]
    if missing:
        raise DataError(
            f'{card.name}: there is no folder for class "{missing[0]}" in {root}',
            "add its images, or take it out of class_names.",
        )
    return names, numbers


def _decode_all(files: list[_File], card: Card) -> tuple[NDArray[np.uint8], list[str], list[_File]]:
    pixels = np.empty((len(files), *card.image.shape), dtype=np.uint8)

    def fill(task: tuple[int, _File]) -> str | None:
        row, file = task
        try:
            pixels[row] = decode(file.path, card.image)
        except UnreadableImageError as error:
            return str(error)
        return None

    # Pillow warns of odd metadata and of photos over 89 megapixels; both are decoded all the same. The filter is set
    # once around all threads, since it belongs to the process.
    with warnings.catch_warnings(), ThreadPoolExecutor(min(_FILES_IN_FLIGHT, os.cpu_count() or 1)) as pool:
        warnings.simplefilter("ignore")
        reasons = list(pool.map(fill, enumerate(files)))
    good = [row for row, reason in enumerate(reasons) if reason is None]
    unreadable = [f"{file.origin}: {reason}" for file, reason in zip(files, reasons, strict=True) if reason]
    return pixels if len(good) == len(files) else pixels[good], unreadable, [files[row] for row in good]


def _check_readable(files: list[_File], kept: list[_File], name: str) -> None:
    total = Counter((file.part, file.class_folder) for file in files)
    readable = Counter((file.part, file.class_folder) for file in kept)
    for (part, folder), n in total.items():
        if not readable[part, folder]:
            inside = f" of the {part} part" if part else ""
            raise DataError(
                f'{name}: none of the {n} files of class "{printable(folder)}"{inside} can be read as an image',
                "replace them with images, such as JPEG or PNG.",
            )
