"""Listed image files to decoded images, or to streamed ones."""

from __future__ import annotations

import hashlib
import os
import re
import warnings
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tuner.cores import n_cores
from tuner.data.decoding.decode import UnreadableImageError, settings_range
from tuner.data.decoding.file_facts import FileFacts
from tuner.data.decoding.image_settings import ImageSettings
from tuner.data.decoding.one_scale import decode_all
from tuner.data.decoding.streaming import StreamedImages
from tuner.data.decoding.unreadable import counted, remedy
from tuner.data.described import Described
from tuner.data.folders.class_files import ClassFile
from tuner.data.folders.class_order import in_order, one_form
from tuner.data.folders.tree import looks_like_image
from tuner.data.images import Allocate, Images, make_images, pixel_sums
from tuner.errors import DataError
from tuner.names import printable

# More would hold more whole photos in memory; Pillow lets go of Python's lock, so threads do work
# in parallel.
_FILES_IN_FLIGHT = 8
_FILES_PER_BLOCK = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What is known before any image is decoded.

    Attributes:
        files: Of those whose names say no image, only the ones that begin like one.
        names: The class names in the order of their numbers.
        numbers: Class number of each label.
        groups: The group of each file; empty where it has none.
    """

    files: list[ClassFile]
    names: tuple[str, ...]
    numbers: dict[str, int]
    groups: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Unreadable:
    """What an UnreadableImageError says, without the memory that its traceback holds on to."""

    reason: str
    is_passing: bool


_Outcome = FileFacts | _Unreadable


def listing_of(card: Described, files: Sequence[ClassFile], root: Path) -> Listing:
    """The files of class folders with their classes and groups.

    Raises:
        DataError: If a folder is no class of the card, or a class has no folder.
    """
    images = [file for file in files if not file.is_other or looks_like_image(file.path)]
    names, numbers = _classes(card, images, root)
    return Listing(
        files=images, names=names, numbers=numbers, groups=_groups(card.splits.group, images)
    )


def read_files(card: Described, listing: Listing, allocate: Allocate) -> Images:
    """Decode listed files, in their order; single unreadable ones are left out and named.

    Raises:
        DataError: If none of the files of a class can be read.
    """
    pixels = allocate(len(listing.files))

    def keep(row: int, decoded: NDArray[np.uint8]) -> None:
        pixels[row] = decoded

    paths = [file.path for file in listing.files]
    outcomes, settings = decode_all(paths, card.image, keep, _in_parallel)
    kept = [row for row, outcome in enumerate(outcomes) if isinstance(outcome, FileFacts)]
    return _images(card, listing, outcomes, _closed_up(pixels, kept), settings)


def stream_files(card: Described, listing: Listing) -> Images:
    """Do as `read_files` does, but keep no pixels.

    Raises:
        DataError: As `read_files`.
    """
    paths = [os.path.abspath(file.path) for file in listing.files]  # noqa: PTH100 - stays text
    digests = [b""] * len(paths)
    sums = np.zeros((len(paths), 2, card.image.channels), dtype=np.int64)

    # A header says too little: a file that breaks off behind it would end every training that meets
    # it.
    def look_at(row: int, pixels: NDArray[np.uint8]) -> None:
        digests[row] = hashlib.sha256(np.ascontiguousarray(pixels).data).digest()
        sums[row] = pixel_sums(pixels)

    outcomes, settings = decode_all(paths, card.image, look_at, _in_parallel)
    kept = [row for row, outcome in enumerate(outcomes) if isinstance(outcome, FileFacts)]
    streamed = StreamedImages([paths[row] for row in kept], settings)
    return _images(
        card, listing, outcomes, streamed, settings, [digests[row] for row in kept], sums[kept]
    )


def check_names(labels: Iterable[tuple[str, str]], name: str) -> None:
    """Make sure that no class has two names.

    Args:
        labels: Part and label of each file.
        name: Of the data set, for messages.

    Raises:
        DataError: If two labels differ only in case or in Unicode's form.
    """
    by_form: dict[tuple[str, str], str] = {}
    by_case: dict[str, str] = {}
    for part, label in dict.fromkeys(labels):
        form = one_form(label)
        other = by_form.setdefault((part, form), label)
        if other != label:
            raise DataError(
                f'{name}: two folders are called "{printable(form)}", in two Unicode forms of the'
                " same letters",
                "put the images of both into one folder.",
            )
        other = by_case.setdefault(form.casefold().strip(), form)
        if other != form:
            raise DataError(
                f'{name}: "{printable(other)}" and "{printable(form)}" may be one class, written in'
                " two ways",
                "rename one of the folders; or list both under class_names in a card.",
            )


def _classes(
    card: Described, files: list[ClassFile], root: Path
) -> tuple[tuple[str, ...], dict[str, int]]:
    found = {file.label: one_form(file.label) for file in files}
    classes = card.class_numbers()
    if classes is None:
        check_names(((file.part, file.label) for file in files), card.name)
        in_turn = in_order(found.values())
        classes = (
            tuple(map(printable, in_turn)),
            {name: number for number, name in enumerate(in_turn)},
        )
    names, by_form = classes[0], {one_form(label): number for label, number in classes[1].items()}
    for name in in_order(found.values()):
        if name not in by_form:
            raise DataError(
                f'{card.name}: the folder "{printable(name)}" is no class of the card; expected'
                f" {', '.join(names)}",
                "rename or move the folder, or add the class to class_names in the card.",
            )
    numbers = {label: by_form[form] for label, form in found.items()}
    present = set(numbers.values())
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

    # Pillow warns of odd metadata and of photos over 89 megapixels; both are decoded all the same.
    # The filter is set once around all threads, since it belongs to the process.
    with (
        warnings.catch_warnings(),
        ThreadPoolExecutor(min(_FILES_IN_FLIGHT, n_cores())) as pool,
    ):
        warnings.simplefilter("ignore")
        return [
            outcome for found in pool.map(block, range(0, n, _FILES_PER_BLOCK)) for outcome in found
        ]


def _closed_up(pixels: NDArray[np.uint8], kept: list[int]) -> NDArray[np.uint8]:
    """Move the rows to keep to the front, in place, since they may be more than memory holds."""
    for row, old in enumerate(kept):
        if row != old:
            pixels[row] = pixels[old]
    return pixels[: len(kept)]


def _images(
    card: Described,
    listing: Listing,
    outcomes: list[_Outcome],
    images: NDArray[np.uint8] | StreamedImages,
    settings: ImageSettings,
    digests: Sequence[bytes] = (),
    sums: NDArray[np.int64] | None = None,
) -> Images:
    found = list(zip(listing.files, outcomes, strict=True))
    # A text that happens to begin like an image is none.
    broken = [
        (file, outcome)
        for file, outcome in found
        if isinstance(outcome, _Unreadable) and not file.is_other
    ]
    kept = [file for file, outcome in found if isinstance(outcome, FileFacts)]
    unreadable = [(file, outcome.reason) for file, outcome in broken]
    _check_readable(unreadable, kept, card.name)
    return make_images(
        name=card.name,
        images=images,
        labels=[listing.numbers[file.label] for file in kept],
        parts=[file.part for file in kept],
        origins=[file.origin for file in kept],
        class_names=listing.names,
        unreadable=[f"{file.origin}: {reason}" for file, reason in unreadable],
        groups=[
            group
            for group, outcome in zip(listing.groups, outcomes, strict=True)
            if isinstance(outcome, FileFacts)
        ],
        files=[outcome for outcome in outcomes if isinstance(outcome, FileFacts)],
        digests=digests,
        sums=sums,
        is_final=not any(outcome.is_passing for _, outcome in broken),
        value_range=settings_range(settings),
    )


def _groups(rule: str | None, files: list[ClassFile]) -> list[str]:
    """What the card's rule finds in each path; its first bracket, where it has one."""
    if rule is None:
        return [""] * len(files)
    pattern = re.compile(rule)
    bracket = min(pattern.groups, 1)
    matches = [pattern.search(file.below) for file in files]
    # A name need not be UTF-8, but files that name the groups are.
    return [
        os.fsencode(match[bracket] or "").decode("utf-8", "backslashreplace") if match else ""
        for match in matches
    ]


def _check_readable(
    unreadable: list[tuple[ClassFile, str]], kept: list[ClassFile], name: str
) -> None:
    readable = {(file.part, one_form(file.label)) for file in kept}
    for file, _ in unreadable:
        where = file.part, one_form(file.label)
        if where not in readable:
            reasons = [
                reason
                for other, reason in unreadable
                if (other.part, one_form(other.label)) == where
            ]
            inside = f" of the {file.part} part" if file.part else ""
            raise DataError(
                f'{name}: none of the {len(reasons)} files of class "{printable(where[1])}"{inside}'
                f" can be read as an image: {counted(reasons)}",
                remedy(reasons),
            )
