"""A folder per class, with or without a folder per part above them."""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.data.card import Card, ClassFolders, ImageSettings
from tuner.data.decode import UnreadableImageError, settings_range
from tuner.data.images import Allocate, FileFacts, Images, make_images, pixel_sums, printable
from tuner.data.one_scale import decode_all
from tuner.data.streaming import StreamedImages, usable_cores
from tuner.errors import DataError

# More would hold more whole photos in memory; Pillow lets go of Python's lock, so threads do work in parallel.
_FILES_IN_FLIGHT = 8
_FILES_PER_BLOCK = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """One file: `below` is its path from the part's folder on, and `origin` that from the top, as it can be shown."""

    path: str
    part: str
    class_folder: str
    below: str
    origin: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """What is known before any file is opened."""

    files: list[_File]
    names: tuple[str, ...]
    numbers: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unreadable:
    """What an UnreadableImageError says, without the memory that its traceback holds on to."""

    reason: str
    is_passing: bool


_Outcome = FileFacts | _Unreadable


def sources(card: Card, data_root: Path) -> list[str]:
    """The files that the images are read from; the top folder where there is none."""
    root = _root(card, data_root)
    if not root.is_dir():
        return [str(root)]
    return [file.path for file in _list_files(card, root)]


def read(card: Card, data_root: Path, allocate: Allocate) -> Images:
    """Decode all images, in the order part, class, file name; single unreadable files are left out and named.

    Raises:
        DataError: If a class has no file, or none that can be read; or a folder is no class of the card.
    """
    listing = _listing(card, data_root)
    pixels = allocate(len(listing.files))

    def keep(row: int, decoded: NDArray[np.uint8]) -> None:
        pixels[row] = decoded

    paths = [file.path for file in listing.files]
    outcomes, settings = decode_all(paths, card.image, keep, _in_parallel)
    kept = [row for row, outcome in enumerate(outcomes) if isinstance(outcome, FileFacts)]
    return _images(card, listing, outcomes, _closed_up(pixels, kept), settings)


def stream(card: Card, data_root: Path) -> Images:
    """Do as `read` does, but keep no pixels: images are decoded again whenever they are asked for.

    Raises:
        DataError: As `read`.
    """
    listing = _listing(card, data_root)
    paths = [os.path.abspath(file.path) for file in listing.files]  # noqa: PTH100 - stays text
    digests = [b""] * len(paths)
    sums = np.zeros((len(paths), 2, card.image.channels), dtype=np.int64)

    # A header says too little: a file that breaks off behind it would end every training that meets it.
    def look_at(row: int, pixels: NDArray[np.uint8]) -> None:
        digests[row] = hashlib.sha256(np.ascontiguousarray(pixels).data).digest()
        sums[row] = pixel_sums(pixels)

    outcomes, settings = decode_all(paths, card.image, look_at, _in_parallel)
    kept = [row for row, outcome in enumerate(outcomes) if isinstance(outcome, FileFacts)]
    streamed = StreamedImages([paths[row] for row in kept], settings)
    return _images(card, listing, outcomes, streamed, settings, [digests[row] for row in kept], sums[kept])


def class_folders(folder: Path) -> list[Path]:
    """The sub-folders that are not hidden, sorted by name."""
    return sorted((path for path in folder.iterdir() if path.is_dir() and _visible(path)), key=lambda path: path.name)


def _root(card: Card, data_root: Path) -> Path:
    assert isinstance(card.files, ClassFolders)
    return data_root / card.files.path


def _visible(path: Path) -> bool:
    return not path.name.startswith((".", "__"))


def _listing(card: Card, data_root: Path) -> _Listing:
    root = _root(card, data_root)
    files = _list_files(card, root)
    names, numbers = _classes(card, files, root)
    return _Listing(files=files, names=names, numbers=numbers)


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
                    path=f"{top}{os.sep}{below}",
                    part=role,
                    class_folder=folder.name,
                    below=below,
                    origin=printable(prefix + below),
                )
                for below in walk(folder)
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


def walk(folder: Path) -> Iterator[str]:
    """Visible files below a folder, as paths from its own name on; in an order that no file system decides."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(parent).relative_to(folder.parent).as_posix()
        yield from (f"{below}/{name}" for name in sorted(names) if not name.startswith("."))


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


def _in_parallel(task: Callable[[int], FileFacts], n: int) -> list[_Outcome]:
    """What the task returns for each of n files, or why a file is unreadable."""

    def block(start: int) -> list[_Outcome]:
        return [one(row) for row in range(start, min(start + _FILES_PER_BLOCK, n))]

    def one(row: int) -> _Outcome:
        try:
            return task(row)
        except UnreadableImageError as error:
            return _Unreadable(reason=str(error), is_passing=error.is_passing)

    # Pillow warns of odd metadata and of photos over 89 megapixels; both are decoded all the same. The filter is set
    # once around all threads, since it belongs to the process.
    with warnings.catch_warnings(), ThreadPoolExecutor(min(_FILES_IN_FLIGHT, usable_cores())) as pool:
        warnings.simplefilter("ignore")
        return [outcome for found in pool.map(block, range(0, n, _FILES_PER_BLOCK)) for outcome in found]


def _closed_up(pixels: NDArray[np.uint8], kept: list[int]) -> NDArray[np.uint8]:
    """Move the rows to keep to the front, in place, since they may be more than memory holds."""
    for row, old in enumerate(kept):
        if row != old:
            pixels[row] = pixels[old]
    return pixels[: len(kept)]


def _images(
    card: Card,
    listing: _Listing,
    outcomes: list[_Outcome],
    images: NDArray[np.uint8] | StreamedImages,
    settings: ImageSettings,
    digests: Sequence[bytes] = (),
    sums: NDArray[np.int64] | None = None,
) -> Images:
    found = list(zip(listing.files, outcomes, strict=True))
    broken = [(file, outcome) for file, outcome in found if isinstance(outcome, _Unreadable)]
    kept = [file for file, outcome in found if isinstance(outcome, FileFacts)]
    _check_readable(listing.files, kept, card.name)
    return make_images(
        name=card.name,
        images=images,
        labels=[listing.numbers[file.class_folder] for file in kept],
        parts=[file.part for file in kept],
        origins=[file.origin for file in kept],
        class_names=listing.names,
        unreadable=[f"{file.origin}: {outcome.reason}" for file, outcome in broken],
        groups=_groups(card, kept),
        files=[outcome for outcome in outcomes if isinstance(outcome, FileFacts)],
        digests=digests,
        sums=sums,
        is_final=not any(outcome.is_passing for _, outcome in broken),
        value_range=settings_range(settings),
    )


def _groups(card: Card, files: list[_File]) -> list[str]:
    """What the card's rule finds in each path; its first bracket, where it has one."""
    if card.splits.group is None:
        return []
    pattern = re.compile(card.splits.group)
    bracket = min(pattern.groups, 1)
    matches = [pattern.search(file.below) for file in files]
    # A name need not be UTF-8, but files that name the groups are.
    return [os.fsencode(match[bracket] or "").decode("utf-8", "backslashreplace") if match else "" for match in matches]


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
